//! A whole control plane over a real SQLite file and a simulator reached over HTTP.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use domain::{
    DraftId, JobId, ServerId,
    draft::WizardStep,
    state::{JobState, Role},
};
use jobs::{SystemClock, Worker, WorkerConfig, WorkerHandle};
use provisioning::{
    Control, Facade, Job, Offers, OrderPlaced, Roads, Seen, ServerAnswer, SignIn, VcdConfig, VcdProvider,
    Viewer, demo_catalogue, draft_digest,
};
use secrecy::SecretString;
use store::{Store, seal::Sealer};
use tempfile::TempDir;
use vcd_sim::{Config, Simulator};

use crate::mortal::Mortal;

mod cloud;
use cloud::HTTP;

/// Which database a plane stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    /// A real server, see [`crate::postgres`].
    Postgres,
}

/// One process of several that share a database: its own store, worker and façade.
pub struct Node {
    pub store: Store,
    pub facade: Facade,
    control: Arc<Control>,
    worker: Option<WorkerHandle>,
}

pub struct Plane {
    pub sim: Simulator,
    pub control: Arc<Control>,
    pub facade: Facade,
    pub store: Store,
    worker: Option<WorkerHandle>,
    provider: VcdConfig,
    /// The address of the simulated cloud.
    cloud: String,
    /// Where other nodes find the database.
    database: Option<String>,
    dir: TempDir,
}

/// For how long a guest has run without interruption, cloud ms, and how often it has booted.
#[derive(Clone, Copy, Debug)]
pub struct Uptime {
    pub ms: i64,
    pub boots: i64,
}

/// How fast the cloud lives: an order takes about a second.
const SPEED: f64 = 150.0;

/// What somebody is called: the first word of the address.
fn name_of(email: &str) -> &str {
    email.split('@').next().unwrap_or(email)
}

impl Plane {
    pub async fn start(edges: u32) -> Self {
        Self::start_on(Database::Sqlite, edges).await
    }

    pub async fn start_on(database: Database, edges: u32) -> Self {
        let database = match database {
            Database::Sqlite => None,
            Database::Postgres => Some(crate::postgres::database().await),
        };
        Self::start_over(database, edges).await
    }

    /// On a database of this PostgreSQL server.
    pub async fn start_at(server: &str, edges: u32) -> Self {
        Self::start_over(Some(crate::postgres::database_on(server).await), edges).await
    }

    /// On a cloud that lives so many times as fast as the clock, and is looked at as a real one is.
    pub async fn start_real(database: Database, edges: u32, speed: f64) -> Self {
        let database = match database {
            Database::Sqlite => None,
            Database::Postgres => Some(crate::postgres::database().await),
        };
        Self::start_with(database, edges, speed, false).await
    }

    async fn start_over(database: Option<String>, edges: u32) -> Self {
        Self::start_with(database, edges, SPEED, true).await
    }

    async fn start_with(database: Option<String>, edges: u32, speed: f64, hasty: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sim = Simulator::open(Config { edges, speed, ..Config::default() }).unwrap();
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let served = sim.clone();
        tokio::spawn(async move { served.serve(listener).await });
        let store = match &database {
            None => Store::open_sqlite(&dir.path().join("db"), sealer()).await.unwrap(),
            Some(url) => Store::open_postgres(url, sealer()).await.unwrap(),
        };
        let password = SecretString::from("simulator");
        let cloud = format!("http://{address}");
        let mut config = VcdConfig::tenant(&cloud, "acme", "acme-admin", password, "acme-vdc");
        // The cloud lives fast, and is looked at as often.
        config.roads = Roads::Simulated(cloud.clone());
        if hasty {
            config.pauses = (Duration::from_millis(10), Duration::from_millis(100));
        }
        let provider = Arc::new(VcdProvider::new(config.clone()).unwrap());
        let control = Control::new(
            store.clone(),
            provider,
            Offers::new(demo_catalogue().unwrap()),
            Arc::new(SystemClock),
        );
        let control = if hasty { control.hasty(speed as u32) } else { control };
        assert_eq!(control.edges_import().await.unwrap(), edges as usize);
        let facade = Facade::new(&control);
        let mut plane =
            Self { sim, control, facade, store, worker: None, provider: config, cloud, database, dir };
        plane.start_worker();
        plane
    }

    /// Another hand on the same cloud.
    pub fn provider(&self) -> VcdProvider {
        VcdProvider::new(self.provider.clone()).unwrap()
    }

    /// A node that has no way to the cloud.
    pub fn cut_off(&self) -> Arc<Control> {
        let password = SecretString::from("simulator");
        // Nobody listens there.
        let config = VcdConfig::tenant("http://127.0.0.1:9", "acme", "acme-admin", password, "acme-vdc");
        let provider = Arc::new(VcdProvider::new(config).unwrap());
        Control::new(
            self.store.clone(),
            provider,
            Offers::new(demo_catalogue().unwrap()),
            Arc::new(SystemClock),
        )
    }

    /// The same database, on PostgreSQL, as one that takes no writes.
    pub async fn read_only(&self) -> Store {
        Store::open_to_look(self.database()).await.unwrap()
    }

    /// The address of the database, on PostgreSQL.
    pub fn database(&self) -> &str {
        self.database.as_deref().expect("a database with an address")
    }

    /// The store of another process that finds the database there.
    pub async fn store_at(&self, url: &str) -> Store {
        Store::open_postgres(url, sealer()).await.unwrap()
    }

    pub fn start_worker(&mut self) {
        self.worker = Some(worker(&self.store, &self.control, "test"));
    }

    /// Another process on the same database and cloud, with a worker of this name.
    pub async fn node(&self, name: &str) -> Node {
        let url = self.database.as_ref().expect("several nodes need PostgreSQL");
        let store = Store::open_postgres(url, sealer()).await.unwrap();
        let provider = Arc::new(VcdProvider::new(self.provider.clone()).unwrap());
        let control = Control::new(
            store.clone(),
            provider,
            Offers::new(demo_catalogue().unwrap()),
            Arc::new(SystemClock),
        );
        let facade = Facade::new(&control);
        let worker = Some(worker(&store, &control, name));
        Node { store, facade, control, worker }
    }

    pub async fn stop_worker(&mut self) {
        if let Some(worker) = self.worker.take() {
            worker.stop().await;
        }
    }

    /// A process of its own works on a job until it is over, or until the process is killed at this point of what it asks of
    /// the cloud. Returns how many points it passed. Nothing of it is let go: the next one finds what a crash leaves.
    pub async fn life(&self, job: JobId, dies_at: usize) -> usize {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let provider: Arc<dyn provisioning::provider::Provider> =
            Arc::new(VcdProvider::new(self.provider.clone()).unwrap());
        let mortal = Mortal::new(provider, dies_at);
        let (cloud, place) = (mortal.clone(), self.database.clone());
        let file = self.dir.path().join("db");
        let worker = runtime.spawn(async move {
            let store = match place {
                None => Store::open_sqlite(&file, sealer()).await.unwrap(),
                Some(url) => Store::open_postgres(&url, sealer()).await.unwrap(),
            };
            let control = Control::new(
                store.clone(),
                cloud,
                Offers::new(demo_catalogue().unwrap()),
                Arc::new(SystemClock),
            );
            let control = control.hasty(SPEED as u32);
            let worker = worker(&store, &control, &format!("life {dies_at}"));
            std::future::pending::<()>().await;
            drop(worker);
        });
        tokio::select! {
            () = mortal.death() => {}
            () = self.until_it_rests(job) => {}
        }
        worker.abort();
        runtime.shutdown_background();
        // As if the time of its claims had passed.
        self.by_hand("UPDATE job SET claim_expires_at = 0 WHERE state IN ('running', 'rolling_back')").await;
        mortal.passed()
    }

    async fn until_it_rests(&self, id: JobId) {
        let rests = async {
            loop {
                let state = self.job(id).await.state;
                if state.is_over() || matches!(state, JobState::Failed | JobState::Stuck) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), rests).await.expect("the job takes too long");
    }

    /// Adds an account and signs in.
    pub async fn viewer(&self, email: &str, role: Role) -> Viewer {
        let password = || SecretString::from("correct horse battery");
        assert!(self.facade.account_add(email, name_of(email), role, password()).await.unwrap());
        match self.facade.sign_in(email, password()).await.unwrap() {
            SignIn::In(account) => self.facade.viewer(account.id).await.unwrap().unwrap(),
            other => panic!("{other:?}"),
        }
    }

    pub async fn draft(&self, viewer: &Viewer) -> DraftId {
        self.facade.draft_start(viewer.customer().unwrap()).await.unwrap()
    }

    /// Changes rows by hand, as no part of the product does.
    pub async fn by_hand(&self, sql: &'static str) {
        let url = match &self.database {
            Some(url) => url.clone(),
            None => format!("sqlite://{}", self.dir.path().join("db").display()),
        };
        crate::by_hand::run(&url, sql).await;
    }

    /// Orders with the defaults. Returns the job.
    pub async fn order(&self, viewer: &Viewer) -> JobId {
        let draft = self.draft(viewer).await;
        self.place(viewer, draft).await
    }

    /// Orders so many servers at once. Returns how many were accepted.
    pub async fn order_several(&self, viewer: &Viewer, servers: u32) -> usize {
        let draft = self.draft(viewer).await;
        let customer = viewer.customer().unwrap();
        let saved = self.facade.draft_save(draft, customer, WizardStep::Access, None, |v| {
            v.quantity = servers.to_string();
        });
        saved.await.unwrap();
        let draft_now = self.facade.draft(draft, customer).await.unwrap().unwrap().draft;
        let total_minor = self.facade.draft_quote(&draft_now.values).unwrap().1.total_minor;
        let seen = Seen { total_minor, digest: draft_digest(&draft_now) };
        match self.facade.order_place(viewer, draft, true, &seen, "test").await.unwrap() {
            OrderPlaced::Several { servers, .. } => servers,
            other => panic!("{other:?}"),
        }
    }

    /// How many jobs are in a state.
    pub async fn count_jobs(&self, state: &str) -> i64 {
        self.store.jobs_in(state).await.unwrap()
    }

    /// The job that has been parked longest.
    pub async fn longest_parked(&self) -> JobId {
        self.store.parked_longest().await.unwrap().expect("none is parked")
    }

    /// An order that fails at an operation of the cloud, by its host name.
    pub async fn order_that_fails(&self, viewer: &Viewer, operation: &str) -> JobId {
        let draft = self.draft(viewer).await;
        self.rename(viewer, draft, &format!("fail-{}", operation.to_lowercase())).await;
        let job = self.place(viewer, draft).await;
        self.until(job, JobState::Failed).await;
        job
    }

    /// Waits until a job is as it should be, whatever it is meanwhile.
    pub async fn until_it(&self, id: JobId, is: impl Fn(&Job) -> bool) -> Job {
        let wait = async {
            loop {
                let job = self.job(id).await;
                if is(&job) {
                    return job;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait).await.expect("the job takes too long")
    }

    /// Waits until a job is in a state, however long it stays in the other one.
    pub async fn until_or(&self, id: JobId, state: JobState, meanwhile: JobState) -> Job {
        let wait = async {
            loop {
                let job = self.job(id).await;
                if job.state == state {
                    return job;
                }
                assert!(job.state == meanwhile || !job.state.is_over(), "{} is {}", job.number, job.state);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait).await.expect("the job takes too long")
    }

    pub async fn place(&self, viewer: &Viewer, draft: DraftId) -> JobId {
        let customer = viewer.customer().unwrap();
        let draft_now = self.facade.draft(draft, customer).await.unwrap().unwrap().draft;
        let total_minor = self.facade.draft_quote(&draft_now.values).unwrap().1.total_minor;
        let seen = Seen { total_minor, digest: draft_digest(&draft_now) };
        match self.facade.order_place(viewer, draft, true, &seen, "test").await.unwrap() {
            OrderPlaced::Accepted(job) => job,
            other => panic!("{other:?}"),
        }
    }

    /// What the guest of a customer's only machine is like, as the cloud shows it.
    pub async fn guest(&self) -> serde_json::Value {
        let guests =
            HTTP.get(format!("{}/sim/guests", self.cloud)).send().await.unwrap().text().await.unwrap();
        serde_json::from_str::<Vec<serde_json::Value>>(&guests)
            .unwrap()
            .pop()
            .expect("no machine has a guest")
    }

    /// Whether what the only machine was customized with is gone from the cloud.
    pub async fn cloud_keeps_no_secret(&self) -> bool {
        self.guest().await["cloud_keeps"] == serde_json::json!({"password": false, "script": false})
    }

    /// Every guest of the cloud: when it began to run, and how often it has booted, by its machine's name.
    pub async fn guests(&self) -> BTreeMap<String, Uptime> {
        let guests =
            HTTP.get(format!("{}/sim/guests", self.cloud)).send().await.unwrap().text().await.unwrap();
        let guests: Vec<serde_json::Value> = serde_json::from_str(&guests).unwrap();
        let number = |g: &serde_json::Value, name: &str| g[name].as_i64().unwrap_or_default();
        let one = |g: &serde_json::Value| {
            let uptime = Uptime { ms: number(g, "up_for_ms"), boots: number(g, "boots") };
            (g["name"].as_str().unwrap().to_owned(), uptime)
        };
        guests.iter().map(one).collect()
    }

    /// Fails unless every guest that is still there has run on since then.
    pub async fn never_stopped(&self, since: &BTreeMap<String, Uptime>) {
        let mut seen = 0;
        for (name, now) in self.guests().await {
            if let Some(then) = since.get(&name) {
                assert_eq!(now.boots, then.boots, "{name} has booted");
                assert!(now.ms > then.ms, "{name}: up for {} ms, before that for {}", now.ms, then.ms);
                seen += 1;
            }
        }
        assert!(seen > 0, "nobody is left");
    }

    /// Asks for the end of a server, as its owner.
    pub async fn terminate(&self, viewer: &Viewer, server: ServerId) -> JobId {
        let name = self.store.server(server).await.unwrap().unwrap().name;
        let key = uuid::Uuid::now_v7().to_string();
        match self.facade.server_terminate(viewer, server, &name, &key, "test").await.unwrap() {
            ServerAnswer::Accepted(job) => job,
            other => panic!("{other:?}"),
        }
    }

    /// Changes the host name of a draft.
    pub async fn rename(&self, viewer: &Viewer, draft: DraftId, hostname: &str) {
        let customer = viewer.customer().unwrap();
        self.facade
            .draft_save(draft, customer, WizardStep::Access, None, |v| v.hostname = hostname.into())
            .await
            .unwrap();
    }

    pub async fn job(&self, id: JobId) -> Job {
        self.store.job(id).await.unwrap().unwrap()
    }

    /// Waits until a job is in a state, failing with what it is in instead.
    pub async fn until(&self, id: JobId, state: JobState) -> Job {
        let mut changes = self.store.changes();
        let wait = async {
            loop {
                let job = self.job(id).await;
                let broken = self.store.fsck().await.unwrap();
                assert!(broken.is_empty(), "{broken:?}");
                if job.state == state {
                    return job;
                }
                let keys: Vec<_> = job.steps.iter().map(|s| (&s.key, s.state, s.attempt)).collect();
                assert!(!job.state.is_over(), "{} is {}: {:?} {keys:?}", job.number, job.state, job.detail);
                let _ = tokio::time::timeout(Duration::from_millis(500), changes.recv()).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait).await.expect("the job takes too long")
    }
}

impl Node {
    /// The worker lets go of what it has, as at the end of a process.
    pub async fn stop_worker(&mut self) {
        if let Some(worker) = self.worker.take() {
            worker.stop().await;
        }
    }

    pub fn start_worker(&mut self, name: &str) {
        self.worker = Some(worker(&self.store, &self.control, name));
    }
}

fn sealer() -> Sealer {
    Sealer::new(&[1; 32])
}

fn worker(store: &Store, control: &Arc<Control>, name: &str) -> WorkerHandle {
    let registry = Arc::new(control.registry().unwrap());
    let config = WorkerConfig::new(name);
    Worker::new(Arc::new(store.clone()), registry, Arc::new(SystemClock), config, store.wake()).start()
}
