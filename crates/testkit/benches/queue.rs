//! The queue, measured: serial jobs per customer (B1), the original's matrix (B2), from enqueue to start (B3), a durable
//! step (B4). `cargo xtask bench queue` runs it. Not here yet: the peers, on the same server in the same run.
//!
//! After each run the database is checked: every job succeeded, none twice, those of one customer one after the other in
//! the order of their places. A figure counts only if that holds.
#![allow(clippy::print_stdout)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use domain::kind::Kind;
use jobs::{
    Clock, Outcome, Registry, Step, StepContext, SystemClock, Worker, WorkerConfig, WorkerHandle, Workflow,
};
use store::{Store, measure::Load, seal::Sealer};
use tokio::sync::Notify;

/// Does nothing, and says so.
struct Noop {
    key: &'static str,
    after: &'static [&'static str],
    last: bool,
    ended: Arc<Ended>,
}

#[derive(Default)]
struct Ended {
    count: AtomicUsize,
    wanted: AtomicUsize,
    all: Notify,
    started_at: std::sync::Mutex<Option<Instant>>,
}

impl Ended {
    async fn wait_for(&self, wanted: usize) {
        self.wanted.store(wanted, Ordering::SeqCst);
        while self.count.load(Ordering::SeqCst) < wanted {
            let _ = tokio::time::timeout(Duration::from_millis(200), self.all.notified()).await;
        }
    }
}

#[async_trait]
impl Step for Noop {
    fn key(&self) -> &'static str {
        self.key
    }
    fn after(&self) -> &'static [&'static str] {
        self.after
    }
    async fn run(&self, _: &StepContext) -> Outcome {
        if self.after.is_empty() {
            *self.ended.started_at.lock().unwrap() = Some(Instant::now());
        }
        if self.last {
            let n = self.ended.count.fetch_add(1, Ordering::SeqCst) + 1;
            if n >= self.ended.wanted.load(Ordering::SeqCst) {
                self.ended.all.notify_waiters();
            }
        }
        Outcome::done()
    }
    async fn undo(&self, _: &StepContext) -> Outcome {
        Outcome::done()
    }
}

const ONE: &[&str] = &["s0"];
const TEN: &[&str] = &["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9"];

fn registry(ended: &Arc<Ended>, keys: &[&'static str]) -> Registry {
    let mut registry = Registry::default();
    for kind in Kind::ALL {
        let steps = keys
            .iter()
            .enumerate()
            .map(|(i, key)| {
                let after: &'static [&'static str] = if i == 0 { &[] } else { &TEN[i - 1..i] };
                let last = i + 1 == keys.len();
                Arc::new(Noop { key, after, last, ended: ended.clone() }) as Arc<dyn Step>
            })
            .collect();
        registry.add(Workflow { kind: kind.as_str(), shape: 1, steps }).unwrap();
    }
    registry
}

fn worker(store: &Store, ended: &Arc<Ended>, keys: &[&'static str], slots: usize) -> WorkerHandle {
    let config = WorkerConfig { slots, ..WorkerConfig::new("bench") };
    let registry = Arc::new(registry(ended, keys));
    Worker::new(Arc::new(store.clone()), registry, Arc::new(SystemClock), config, store.wake()).start()
}

async fn open(database: &str) -> (Store, Option<tempfile::TempDir>) {
    let sealer = Sealer::new(&[1; 32]);
    if database == "postgres" {
        let url = match std::env::var("BENCH_DATABASE_URL") {
            Ok(server) => testkit::postgres::database_on(&server).await,
            Err(_) => testkit::postgres::database().await,
        };
        return (Store::open_postgres(&url, sealer).await.unwrap().with_cap(100_000), None);
    }
    // Where the disk is, or where memory is: what BENCH_DIR says.
    let dir = match std::env::var_os("BENCH_DIR") {
        Some(dir) => tempfile::tempdir_in(dir).unwrap(),
        None => tempfile::tempdir().unwrap(),
    };
    let store = Store::open_sqlite(&dir.path().join("db"), sealer).await.unwrap();
    (store.with_cap(100_000), Some(dir))
}

/// B1 and B2: so many queued jobs are drained. Jobs a second.
async fn drain(database: &str, customers: usize, jobs_each: usize, kinds: Vec<Kind>, slots: usize) -> f64 {
    let (store, _dir) = open(database).await;
    let load = Load { customers, jobs_each, kinds, steps: ONE.to_vec() };
    store.load(&load, 10_000).await.unwrap();
    store.analyze().await.unwrap();
    let ended = Arc::new(Ended::default());
    let total = customers * jobs_each;
    let started = Instant::now();
    let worker = worker(&store, &ended, ONE, slots);
    ended.wait_for(total).await;
    while store.jobs_by_state().await.unwrap().iter().any(|(s, n)| s.as_str() != "succeeded" && *n > 0) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let seconds = started.elapsed().as_secs_f64();
    worker.stop().await;
    let wrong = store.serial_breaches().await.unwrap();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(ended.count.load(Ordering::SeqCst), total, "each once");
    total as f64 / seconds
}

/// B3: from accepting a job, on an idle worker, to its first step. Microseconds, sorted.
async fn starts(database: &str, samples: usize) -> Vec<f64> {
    let (store, _dir) = open(database).await;
    let load = Load { customers: 1, jobs_each: 0, kinds: vec![Kind::Power], steps: vec![] };
    let customer = store.load(&load, 10_000).await.unwrap()[0];
    let ended = Arc::new(Ended::default());
    let worker = worker(&store, &ended, ONE, 64);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut all = Vec::with_capacity(samples);
    for n in 0..samples {
        let asked = Instant::now();
        store.load_more(customer, Kind::Migrate, ONE, SystemClock.now_ms()).await.unwrap();
        let accepted = Instant::now();
        ended.wait_for(n + 1).await;
        let begun = ended.started_at.lock().unwrap().unwrap();
        // From the commit: what a peer's `add` has returned after.
        all.push(begun.saturating_duration_since(accepted).as_secs_f64() * 1e6);
        let _ = asked;
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    worker.stop().await;
    all.sort_by(f64::total_cmp);
    all
}

/// B4: ten steps after each other against one. Milliseconds a step.
async fn step_cost(database: &str, runs: usize) -> f64 {
    let mut medians = Vec::new();
    for keys in [ONE, TEN] {
        let (store, _dir) = open(database).await;
        let load = Load { customers: 1, jobs_each: 0, kinds: vec![Kind::Power], steps: vec![] };
        let customer = store.load(&load, 10_000).await.unwrap()[0];
        let ended = Arc::new(Ended::default());
        let worker = worker(&store, &ended, keys, 64);
        tokio::time::sleep(Duration::from_millis(200)).await;
        let mut times = Vec::new();
        for n in 0..runs {
            let started = Instant::now();
            store.load_more(customer, Kind::Migrate, keys, SystemClock.now_ms()).await.unwrap();
            ended.wait_for(n + 1).await;
            times.push(started.elapsed().as_secs_f64() * 1e3);
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        worker.stop().await;
        times.sort_by(f64::total_cmp);
        medians.push(times[times.len() / 2]);
    }
    (medians[1] - medians[0]) / 9.0
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let what = args.first().map_or("all", String::as_str);
    let number = |i: usize, default: usize| args.get(i).and_then(|a| a.parse().ok()).unwrap_or(default);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for database in ["postgres", "sqlite"] {
            if matches!(what, "all" | "b1") {
                let (customers, each) = (number(1, 1_000), number(2, 20));
                let rate = drain(database, customers, each, vec![Kind::Migrate], number(3, 512)).await;
                println!("B1 {database}: {customers} customers x {each} serial jobs: {rate:.0} jobs/s");
            }
            if matches!(what, "all" | "b2") {
                let kinds = vec![Kind::Power, Kind::Resize, Kind::Migrate, Kind::Refresh];
                let rate = drain(database, 1_000, 20, kinds, 512).await;
                println!("B2 {database}: 1000 customers x 20 jobs of four kinds: {rate:.0} jobs/s");
            }
            if matches!(what, "all" | "b3") {
                let all = starts(database, 1_000).await;
                let at = |p: usize| all[(all.len() * p / 100).min(all.len() - 1)] / 1e3;
                println!("B3 {database}: accepted to started: p50 {:.2} ms, p99 {:.2} ms", at(50), at(99));
            }
            if matches!(what, "all" | "b4") {
                let ms = step_cost(database, 300).await;
                println!("B4 {database}: a durable step: {ms:.3} ms");
            }
        }
    });
}
