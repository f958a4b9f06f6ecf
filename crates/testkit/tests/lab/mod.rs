//! An engine over a real database, with workflows made for the occasion: each step does what the test has told it to, and
//! writes down that it was asked.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    AccountId, CustomerId, JobId, ServerId,
    kind::{Kind, Scope},
    state::{JobState, Role},
};
use jobs::{
    Outcome, Problem, Registry, RetryPolicy, Step, StepContext, SystemClock, Worker, WorkerConfig,
    WorkerHandle, Workflow,
};
use provisioning::{Job, Viewer};
use store::{
    Store,
    interventions::Intervention,
    orders::{Accepted, Idempotency, NewJob},
};
use testkit::{Database, Plane};
use uuid::Uuid;

/// What a step does when it is asked next.
#[derive(Clone, Debug)]
pub(crate) enum Does {
    Fail,
    RetryLater,
    Unknown,
    Panic,
    /// Waits until the test lets it go.
    Wait,
    /// The same, and then fails.
    WaitAndFail,
}

#[derive(Default)]
pub(crate) struct Script {
    /// `run a`, `undo a`, in the order in which they were begun.
    pub(crate) journal: Mutex<Vec<String>>,
    orders: Mutex<HashMap<String, VecDeque<Does>>>,
    /// Whether `c` is a shared step.
    pub(crate) shares: std::sync::atomic::AtomicBool,
    go: tokio::sync::Notify,
}

impl Script {
    /// The next time this is asked, it does that. Then it does it well again.
    pub(crate) fn once(&self, what: &str, does: Does) {
        self.orders.lock().unwrap().entry(what.to_owned()).or_default().push_back(does);
    }

    pub(crate) fn forget(&self, what: &str) {
        self.orders.lock().unwrap().remove(what);
    }

    pub(crate) fn let_go(&self) {
        self.go.notify_waiters();
    }

    pub(crate) fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.journal.lock().unwrap())
    }

    async fn act(&self, what: String) -> Outcome {
        let next = self.orders.lock().unwrap().get_mut(&what).and_then(VecDeque::pop_front);
        let released = self.go.notified();
        self.journal.lock().unwrap().push(what);
        match next {
            None => Outcome::done(),
            Some(Does::Fail) => Outcome::Failed(Problem::new("internal", "as it was told")),
            Some(Does::RetryLater) => Outcome::RetryLater(Problem::new("platform_busy", "as it was told")),
            Some(Does::Unknown) => Outcome::Unknown(Problem::new("outcome_unknown", "as it was told")),
            Some(Does::Panic) => panic!("as it was told"),
            Some(Does::Wait) => {
                released.await;
                Outcome::done()
            }
            Some(Does::WaitAndFail) => {
                released.await;
                Outcome::Failed(Problem::new("internal", "as it was told"))
            }
        }
    }
}

struct Toy {
    key: &'static str,
    after: &'static [&'static str],
    script: Arc<Script>,
}

#[async_trait]
impl Step for Toy {
    fn key(&self) -> &'static str {
        self.key
    }
    fn after(&self) -> &'static [&'static str] {
        self.after
    }
    fn retry(&self) -> RetryPolicy {
        RetryPolicy {
            first: Duration::from_millis(20),
            longest: Duration::from_millis(40),
            give_up_after: Duration::from_secs(60),
            unknown: Duration::from_millis(20),
        }
    }
    fn shared(&self) -> bool {
        self.key == "c" && self.script.shares.load(std::sync::atomic::Ordering::Relaxed)
    }
    async fn run(&self, _: &StepContext) -> Outcome {
        self.script.act(format!("run {}", self.key)).await
    }
    async fn run_together(&self, all: &[StepContext]) -> Vec<Outcome> {
        let outcome = self.script.act(format!("together {} {}", self.key, all.len())).await;
        vec![outcome; all.len()]
    }
    async fn undo(&self, _: &StepContext) -> Outcome {
        self.script.act(format!("undo {}", self.key)).await
    }
}

/// a, then b beside c, then d.
pub(crate) const SHAPE: &[(&str, &[&str])] = &[("a", &[]), ("b", &["a"]), ("c", &["a"]), ("d", &["b", "c"])];

pub(crate) struct Lab {
    pub(crate) plane: Plane,
    pub(crate) store: Store,
    pub(crate) script: Arc<Script>,
    pub(crate) viewer: Viewer,
    pub(crate) server: ServerId,
    worker: Option<WorkerHandle>,
    keys: std::sync::atomic::AtomicU64,
}

impl Lab {
    /// A customer with one server, and nobody working.
    pub(crate) async fn start(database: Database) -> Self {
        Self::start_with(database, 2).await
    }

    pub(crate) async fn start_with(database: Database, edges: u32) -> Self {
        Self::over(Plane::start_on(database, edges).await).await
    }

    /// On a server of one's own.
    pub(crate) async fn start_at(server: &str) -> Self {
        Self::over(Plane::start_at(server, 3).await).await
    }

    async fn over(mut plane: Plane) -> Self {
        let viewer = plane.viewer("anna@test", Role::Customer).await;
        let order = plane.order(&viewer).await;
        plane.until(order, JobState::Succeeded).await;
        plane.stop_worker().await;
        let server = plane.job(order).await.server.unwrap();
        let store = plane.store.clone();
        let keys = Default::default();
        Self { plane, store, script: Arc::default(), viewer, server, worker: None, keys }
    }

    pub(crate) fn customer(&self) -> CustomerId {
        self.viewer.customer().unwrap()
    }

    pub(crate) fn registry(&self, shape: i64) -> Registry {
        let mut registry = Registry::default();
        for kind in ["power", "resize", "activate", "refresh", "terminate", "snapshot", "repair"] {
            let toy = |(key, after): &(&'static str, &'static [&'static str])| {
                Arc::new(Toy { key, after, script: self.script.clone() }) as Arc<dyn Step>
            };
            registry
                .add(Workflow { kind, shape, steps: SHAPE.iter().map(toy).collect(), turns_back_until: None })
                .unwrap();
        }
        registry
    }

    pub(crate) fn work(&mut self) {
        self.work_as(1);
    }

    /// With workflows of another shape than jobs were accepted under.
    pub(crate) fn work_as(&mut self, shape: i64) {
        let registry = Arc::new(self.registry(shape));
        let store = Arc::new(self.store.clone());
        let config = WorkerConfig::new("lab");
        self.worker =
            Some(Worker::new(store, registry, Arc::new(SystemClock), config, self.store.wake()).start());
    }

    pub(crate) async fn rest(&mut self) {
        if let Some(worker) = self.worker.take() {
            worker.stop().await;
        }
    }

    pub(crate) async fn accept(&self, kind: Kind, hold_on_failure: Scope) -> JobId {
        self.accept_for(&self.viewer, self.server, kind, hold_on_failure).await
    }

    /// Why one of the first customer's jobs is, or is not, running.
    pub(crate) async fn reason(&self, job: JobId) -> store::Reason {
        let all = self.store.reasons(self.customer(), now()).await.unwrap();
        all.into_iter().find(|(id, _)| *id == job).expect("it is not among the unfinished").1
    }

    /// For a customer other than the first.
    pub(crate) async fn accept_for(
        &self,
        viewer: &Viewer,
        server: ServerId,
        kind: Kind,
        hold_on_failure: Scope,
    ) -> JobId {
        let job = self.new_job(viewer, server, kind, hold_on_failure);
        let key = self.keys.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let idempotency = Idempotency { key: format!("lab-{key}"), body_hash: String::new() };
        match self.store.job_accept(viewer.customer().unwrap(), &job, &idempotency, now()).await.unwrap() {
            Accepted::New(job) => job,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn new_job(
        &self,
        viewer: &Viewer,
        server: ServerId,
        kind: Kind,
        hold_on_failure: Scope,
    ) -> NewJob {
        NewJob {
            id: JobId(Uuid::now_v7()),
            kind,
            server,
            provider: "vcd",
            needs: None,
            params: serde_json::json!({}),
            shape: 1,
            steps: SHAPE.iter().map(|(key, _)| *key).collect(),
            hold_on_failure,
            requested_by: viewer.account.id,
            request_id: "lab".into(),
        }
    }

    /// Asks as a browser would whose server cannot reach its database for a moment: the same form again.
    pub(crate) async fn accept_through_outages(&self, viewer: &Viewer, job: &NewJob) -> JobId {
        let idempotency = Idempotency { key: job.id.to_string(), body_hash: String::new() };
        for _ in 0..200 {
            let customer = viewer.customer().unwrap();
            match self.store.job_accept(customer, job, &idempotency, now()).await {
                Ok(Accepted::New(id) | Accepted::Before(id)) => return id,
                Ok(other) => panic!("{other:?}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
        panic!("the database did not come back");
    }

    pub(crate) async fn until(&self, job: JobId, state: JobState) -> Job {
        self.plane.until(job, state).await
    }

    /// Waits until a job is over, however.
    pub(crate) async fn until_over(&self, job: JobId) -> Job {
        let wait = async {
            loop {
                let now = self.plane.job(job).await;
                if now.state.is_over() {
                    return now;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect("the job takes too long")
    }

    /// Another customer with a server.
    pub(crate) async fn another(&mut self, email: &str) -> (Viewer, ServerId) {
        let viewer = self.plane.viewer(email, Role::Customer).await;
        self.plane.start_worker();
        let order = self.plane.order(&viewer).await;
        let done = self.plane.until(order, JobState::Succeeded).await;
        self.plane.stop_worker().await;
        (viewer, done.server.unwrap())
    }

    /// A second server of the first customer, made by hand.
    pub(crate) async fn another_server(&self) -> ServerId {
        const OTHER: &str = "aaaaaaaa-0000-7000-8000-000000000001";
        self.plane
            .by_hand(
                "INSERT INTO server (id, customer_id, name, hostname, template_id, template_name, family, vcpu, ram_gb,
                                     disk_gb, bandwidth_mbit, price_minor, method, guest_login, own_password, ssh_keys,
                                     state, created_at)
                 SELECT 'aaaaaaaa-0000-7000-8000-000000000001', customer_id, 'other', hostname, template_id,
                        template_name, family, vcpu, ram_gb, disk_gb, bandwidth_mbit, price_minor, method, guest_login,
                        own_password, ssh_keys, state, created_at
                 FROM server LIMIT 1",
            )
            .await;
        OTHER.parse().unwrap()
    }

    /// The word that stands in the row, also one that nobody knows.
    pub(crate) async fn state_of(&self, job: JobId) -> String {
        self.plane.job(job).await.state.to_string()
    }

    pub(crate) async fn events(&self, job: JobId) -> Vec<String> {
        self.store.job_events(job, 500).await.unwrap().into_iter().map(|e| e.what).collect()
    }

    pub(crate) fn how(&self) -> Intervention<'static> {
        Intervention { by: AccountId(self.viewer.account.id.0), why: "a test", now: now() }
    }

    /// Waits until the script has been asked for this.
    pub(crate) async fn asked(&self, what: &str) {
        let wait = async {
            while !self.script.journal.lock().unwrap().iter().any(|w| w == what) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), wait)
            .await
            .unwrap_or_else(|_| panic!("{what} was never asked"));
    }
}

pub(crate) fn now() -> i64 {
    use jobs::Clock;
    SystemClock.now_ms()
}

/// How often each line stands in a journal.
pub(crate) fn count(journal: &[String], what: &str) -> usize {
    journal.iter().filter(|w| *w == what).count()
}
