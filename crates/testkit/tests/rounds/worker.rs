//! A worker as the rounds start it: a process of its own that ends, or stands still, at a point of its fate, over a cloud
//! that is a folder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use jobs::{
    Fence, JobStore, Outcome, Problem, Registry, RetryPolicy, Step, StepContext, StoreError, SystemClock,
    Turn, Turned, Worker, WorkerConfig, Workflow,
};
use store::{Store, seal::Sealer};

use crate::{CLAIM, FAILS, STEPS};

/// Ends this process at the n-th point that it comes to, or at the one of a name.
struct Fate {
    points: AtomicI64,
    name: String,
    signal: &'static str,
}

impl Fate {
    fn point(&self, name: &str) {
        if self.points.fetch_sub(1, Ordering::SeqCst) == 0 || self.name == name {
            let id = std::process::id().to_string();
            let _ = Command::new("kill").args([self.signal, &id]).status();
            // SIGKILL does not wait for this; after SIGSTOP and SIGCONT it goes on as if nothing had happened.
        }
    }
}

struct CloudStep {
    key: &'static str,
    cloud: PathBuf,
    fate: Arc<Fate>,
    /// How one of the steps goes wrong, once in each job.
    mishap: String,
}

impl CloudStep {
    fn name(&self, cx: &StepContext) -> String {
        format!("{}-{}", cx.job.fence.job.simple(), self.key)
    }

    /// Whether this is where it goes wrong, for the first time in this job: whichever process asks.
    fn goes_wrong(&self, cx: &StepContext, how: &str) -> bool {
        let marker = format!("mishap of {}", self.name(cx));
        let here = self.mishap == format!("{how} {}", self.key);
        here && fs::OpenOptions::new().create_new(true).write(true).open(self.cloud.join(marker)).is_ok()
    }
}

fn problem(code: &'static str) -> Problem {
    Problem::new(code, "as the round has it")
}

/// The objects of this name.
pub(crate) fn objects(cloud: &Path, name: &str) -> Vec<PathBuf> {
    let named = |path: &PathBuf| path.file_stem().is_some_and(|stem| stem == name);
    fs::read_dir(cloud).into_iter().flatten().flatten().map(|entry| entry.path()).filter(named).collect()
}

#[async_trait]
impl Step for CloudStep {
    fn key(&self) -> &'static str {
        self.key
    }
    fn after(&self) -> &'static [&'static str] {
        match self.key {
            "group" | "machine" => &["network"],
            "start" => &["group", "machine"],
            _ => &[],
        }
    }
    fn retry(&self) -> RetryPolicy {
        let ms = Duration::from_millis;
        RetryPolicy {
            first: ms(10),
            longest: ms(50),
            give_up_after: Duration::from_secs(60),
            unknown: ms(10),
        }
    }
    async fn run(&self, cx: &StepContext) -> Outcome {
        if (self.key, cx.job.kind.as_str()) == ("start", FAILS) {
            return Outcome::Failed(Problem::new("internal", "as its kind has it"));
        }
        if self.goes_wrong(cx, "fail") {
            return Outcome::Failed(problem("internal"));
        }
        if self.goes_wrong(cx, "retry") {
            return Outcome::RetryLater(problem("platform_busy"));
        }
        if self.goes_wrong(cx, "panic") {
            panic!("as the round has it");
        }
        // What an earlier try has made is found by its name.
        let name = self.name(cx);
        if !objects(&self.cloud, &name).is_empty() {
            return Outcome::done();
        }
        self.fate.point(&format!("before {}", self.key));
        let made = async {
            fs::write(self.cloud.join(format!("{name}.{}", uuid::Uuid::new_v4().simple())), "")?;
            self.fate.point(&format!("after {}", self.key));
            Ok::<_, std::io::Error>(())
        };
        match cx.send(made, |()| "task".into()).await {
            // It took effect, and nobody knows: it is done again.
            Ok(()) if self.goes_wrong(cx, "repeat") => Outcome::Unknown(problem("outcome_unknown")),
            Ok(()) => Outcome::done(),
            Err(_) => Outcome::Unknown(Problem::new("outcome_unknown", "sent, or not")),
        }
    }
    async fn undo(&self, cx: &StepContext) -> Outcome {
        if self.goes_wrong(cx, "undo-fail") {
            return Outcome::Failed(problem("internal"));
        }
        for object in objects(&self.cloud, &self.name(cx)) {
            self.fate.point(&format!("before the undo of {}", self.key));
            let _ = fs::remove_file(&object);
            self.fate.point(&format!("after the undo of {}", self.key));
        }
        if self.goes_wrong(cx, "undo-repeat") {
            return Outcome::Unknown(problem("outcome_unknown"));
        }
        Outcome::done()
    }
}

/// A store that its process may not survive.
struct Fatal {
    store: Store,
    fate: Arc<Fate>,
}

#[async_trait]
impl JobStore for Fatal {
    async fn turn(&self, turn: Turn) -> Result<Turned, StoreError> {
        self.fate.point("before a commit");
        let turned = self.store.turn(turn).await;
        self.fate.point("after a commit");
        turned
    }
    fn turns_at_once(&self) -> usize {
        self.store.turns_at_once()
    }
    async fn next_due(&self) -> Result<Option<i64>, StoreError> {
        self.store.next_due().await
    }
    async fn renew(
        &self,
        owner: &str,
        held: &[Fence],
        now: i64,
        claim: Duration,
    ) -> Result<Vec<Fence>, StoreError> {
        self.store.renew(owner, held, now, claim).await
    }
    async fn release(&self, owner: &str, now: i64) -> Result<(), StoreError> {
        self.store.release(owner, now).await
    }
}

pub(crate) async fn open(url: &str) -> Store {
    let sealer = Sealer::new(&[7; 32]);
    match url.strip_prefix("sqlite:") {
        Some(file) => Store::open_sqlite(Path::new(file), sealer).await.unwrap(),
        None => Store::open_postgres(url, sealer).await.unwrap(),
    }
}

/// Not a test by itself: what the rounds start as processes.
#[test]
#[ignore = "started by the rounds"]
fn worker_process() {
    let var = |name: &str| std::env::var(name).expect("started by the rounds");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let store = open(&var("ROUND_DATABASE")).await;
        if store.is_embedded() {
            store.claims_release_all().await.unwrap();
        }
        let signal = if var("ROUND_SIGNAL") == "STOP" { "-STOP" } else { "-KILL" };
        let fate = Arc::new(Fate {
            points: AtomicI64::new(var("ROUND_POINT").parse().unwrap()),
            name: var("ROUND_AT"),
            signal,
        });
        let cloud = PathBuf::from(var("ROUND_CLOUD"));
        let step = |key: &&'static str| {
            let (cloud, fate, mishap) = (cloud.clone(), fate.clone(), var("ROUND_MISHAP"));
            Arc::new(CloudStep { key, cloud, fate, mishap }) as Arc<dyn Step>
        };
        let mut registry = Registry::default();
        for kind in ["activate", "power", "resize"] {
            registry
                .add(Workflow {
                    kind,
                    shape: 1,
                    steps: STEPS.iter().map(step).collect(),
                    turns_back_until: None,
                })
                .unwrap();
        }
        let config = WorkerConfig {
            claim_for: CLAIM,
            scan_every: Duration::from_millis(100),
            ..WorkerConfig::new(format!("process-{}", std::process::id()))
        };
        let wake = store.wake();
        let worker = Fatal { store, fate };
        let _worker =
            Worker::new(Arc::new(worker), Arc::new(registry), Arc::new(SystemClock), config, wake).start();
        // Ends with whoever started it.
        let _ = tokio::task::spawn_blocking(|| std::io::read_to_string(std::io::stdin())).await;
    });
}
