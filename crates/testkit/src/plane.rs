//! A whole control plane over a real SQLite file and a simulator reached over HTTP.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use domain::{
    DraftId, JobId,
    draft::WizardStep,
    state::{JobState, Role},
};
use jobs::{SystemClock, Worker, WorkerConfig, WorkerHandle};
use provisioning::{
    Control, Facade, Job, OrderPlaced, SignIn, VcdConfig, VcdProvider, Viewer, demo_catalogue,
};
use secrecy::SecretString;
use store::{Store, seal::Sealer};
use tempfile::TempDir;
use vcd_sim::{Config, Simulator};

pub struct Plane {
    pub sim: Simulator,
    pub control: Arc<Control>,
    pub facade: Facade,
    pub store: Store,
    worker: Option<WorkerHandle>,
    _dir: TempDir,
}

/// How fast the cloud lives: an order takes about a second.
const SPEED: f64 = 150.0;

impl Plane {
    pub async fn start(edges: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sim = Simulator::open(Config { edges, speed: SPEED, ..Config::default() }).unwrap();
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let served = sim.clone();
        tokio::spawn(async move { served.serve(listener).await });
        let store = Store::open_sqlite(&dir.path().join("db"), Sealer::new(&[1; 32])).await.unwrap();
        let password = SecretString::from("simulator");
        let config =
            VcdConfig::tenant(&format!("http://{address}"), "acme", "acme-admin", password, "acme-vdc");
        let provider = Arc::new(VcdProvider::new(config).unwrap());
        let control = Control::new(store.clone(), provider, demo_catalogue().unwrap(), Arc::new(SystemClock));
        assert_eq!(control.edges_import().await.unwrap(), edges as usize);
        let facade = Facade::new(&control);
        let mut plane = Self { sim, control, facade, store, worker: None, _dir: dir };
        plane.start_worker();
        plane
    }

    pub fn start_worker(&mut self) {
        let worker = Worker::new(
            Arc::new(self.store.clone()),
            Arc::new(self.control.registry().unwrap()),
            Arc::new(SystemClock),
            WorkerConfig::new("test"),
            self.store.wake(),
        );
        self.worker = Some(worker.start());
    }

    pub async fn stop_worker(&mut self) {
        if let Some(worker) = self.worker.take() {
            worker.stop().await;
        }
    }

    /// Adds an account and signs in.
    pub async fn viewer(&self, email: &str, role: Role) -> Viewer {
        let password = || SecretString::from("correct horse battery");
        assert!(self.facade.account_add(email, "Somebody", role, password()).await.unwrap());
        match self.facade.sign_in(email, password()).await.unwrap() {
            SignIn::In(account) => self.facade.viewer(account.id).await.unwrap().unwrap(),
            other => panic!("{other:?}"),
        }
    }

    pub async fn draft(&self, viewer: &Viewer) -> DraftId {
        self.facade.draft_start(viewer.customer().unwrap()).await.unwrap()
    }

    /// Orders with the defaults. Returns the job.
    pub async fn order(&self, viewer: &Viewer) -> JobId {
        let draft = self.draft(viewer).await;
        self.place(viewer, draft).await
    }

    pub async fn place(&self, viewer: &Viewer, draft: DraftId) -> JobId {
        let customer = viewer.customer().unwrap();
        let values = self.facade.draft(draft, customer).await.unwrap().unwrap().values;
        let total = self.facade.draft_quote(&values).unwrap().1.total_minor;
        match self.facade.order_place(viewer, draft, true, total, "test").await.unwrap() {
            OrderPlaced::Accepted(job) => job,
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
                if job.state == state {
                    return job;
                }
                assert!(!job.state.is_over(), "{} is {}: {:?}", job.number, job.state, job.detail);
                let _ = tokio::time::timeout(Duration::from_millis(500), changes.recv()).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait).await.expect("the job takes too long")
    }
}
