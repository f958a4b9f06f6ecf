//! B9: the only worker is killed in the middle of a long job. How long until the job runs again: when another is started at
//! once, and when a second one was there already. Real processes, real SIGKILL.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use domain::kind::Kind;
use jobs::{Outcome, Registry, Step, StepContext, SystemClock, Worker, WorkerConfig, Workflow};
use store::{Store, measure::Load, seal::Sealer};

/// Says that it has begun, and takes half a minute.
struct Long(PathBuf);

#[async_trait]
impl Step for Long {
    fn key(&self) -> &'static str {
        "s0"
    }
    fn after(&self) -> &'static [&'static str] {
        &[]
    }
    async fn run(&self, _: &StepContext) -> Outcome {
        let _ = fs::write(self.0.join(std::process::id().to_string()), "");
        tokio::time::sleep(Duration::from_secs(30)).await;
        Outcome::done()
    }
    async fn undo(&self, _: &StepContext) -> Outcome {
        Outcome::done()
    }
}

async fn open(url: &str) -> Store {
    let sealer = Sealer::new(&[1; 32]);
    match url.strip_prefix("sqlite:") {
        Some(file) => Store::open_sqlite(Path::new(file), sealer).await.unwrap(),
        None => Store::open_postgres(url, sealer).await.unwrap(),
    }
}

/// What the process of a worker does, with a worker's usual settings.
pub(crate) async fn process(url: &str, marks: &str) {
    let store = open(url).await;
    if store.is_embedded() {
        store.claims_release_all().await.unwrap();
    }
    let mut registry = Registry::default();
    let steps: Vec<Arc<dyn Step>> = vec![Arc::new(Long(marks.into()))];
    registry.add(Workflow { kind: "migrate", shape: 1, steps, turns_back_until: None }).unwrap();
    let config = WorkerConfig::new(std::process::id().to_string());
    let wake = store.wake();
    let _worker =
        Worker::new(Arc::new(store), Arc::new(registry), Arc::new(SystemClock), config, wake).start();
    std::future::pending::<()>().await;
}

fn start(url: &str, marks: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["worker-process", url]).arg(marks);
    command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
}

/// Waits until the job runs in another process than these.
async fn runs(marks: &Path, but: &[u32]) -> u32 {
    loop {
        let found = fs::read_dir(marks).unwrap().flatten();
        let ids = found.filter_map(|e| e.file_name().to_string_lossy().parse::<u32>().ok());
        if let Some(id) = ids.into_iter().find(|id| !but.contains(id)) {
            return id;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Seconds, sorted.
pub(crate) async fn seconds(postgres: bool, second_is_up: bool, samples: usize) -> Vec<f64> {
    let mut all = Vec::new();
    for _ in 0..samples {
        let dir = tempfile::tempdir().unwrap();
        let url = match postgres {
            true => testkit::postgres::database().await,
            false => format!("sqlite:{}", dir.path().join("db").display()),
        };
        let store = open(&url).await;
        let load = Load { customers: 1, jobs_each: 1, kinds: vec![Kind::Migrate], steps: vec!["s0"] };
        store.load(&load, 1).await.unwrap();
        let marks = dir.path().join("marks");
        fs::create_dir(&marks).unwrap();
        let mut workers = vec![start(&url, &marks)];
        if second_is_up {
            workers.push(start(&url, &marks));
        }
        let first = runs(&marks, &[]).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let dies = workers.iter_mut().find(|w| w.id() == first).unwrap();
        dies.kill().unwrap();
        dies.wait().unwrap();
        let killed = Instant::now();
        if !second_is_up {
            workers.push(start(&url, &marks));
        }
        runs(&marks, &[first]).await;
        all.push(killed.elapsed().as_secs_f64());
        for mut worker in workers {
            let _ = worker.kill();
            let _ = worker.wait();
        }
    }
    all.sort_by(f64::total_cmp);
    all
}
