//! Our own queue at each piece of work.
//!
//! After each run the database is checked: every job succeeded, none twice, those of one customer one after the other in
//! the order of their places. A figure counts only if that holds.

use std::{
    collections::HashMap,
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
use uuid::Uuid;

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
    /// When the last job of each customer ended, and how long it took until the next began.
    gaps: std::sync::Mutex<(HashMap<Uuid, Instant>, Vec<f64>)>,
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
    async fn run(&self, cx: &StepContext) -> Outcome {
        let now = Instant::now();
        if self.after.is_empty() {
            *self.ended.started_at.lock().unwrap() = Some(now);
        }
        if self.last {
            let mut gaps = self.ended.gaps.lock().unwrap();
            if let Some(before) = gaps.0.insert(cx.job.fence.context, now) {
                gaps.1.push(now.duration_since(before).as_secs_f64() * 1e3);
            }
            drop(gaps);
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
        registry.add(Workflow { kind: kind.as_str(), shape: 1, steps, turns_back_until: None }).unwrap();
    }
    registry
}

fn worker(store: &Store, ended: &Arc<Ended>, keys: &[&'static str], slots: usize) -> WorkerHandle {
    let config = WorkerConfig { slots, ..WorkerConfig::new("bench") };
    let registry = Arc::new(registry(ended, keys));
    Worker::new(Arc::new(store.clone()), registry, Arc::new(SystemClock), config, store.wake()).start()
}

pub(crate) async fn open(database: &str) -> (Store, Option<tempfile::TempDir>) {
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
pub(crate) async fn drain(
    database: &str,
    customers: usize,
    jobs_each: usize,
    kinds: Vec<Kind>,
    slots: usize,
) -> f64 {
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

/// Commits of the database for each job of B1.
pub(crate) async fn commits(customers: usize, each: usize) -> f64 {
    let (store, _dir) = open("postgres").await;
    let load = Load { customers, jobs_each: each, kinds: vec![Kind::Migrate], steps: ONE.to_vec() };
    store.load(&load, 10_000).await.unwrap();
    let before = store.commits().await.unwrap();
    let ended = Arc::new(Ended::default());
    let worker = worker(&store, &ended, ONE, 512);
    ended.wait_for(customers * each).await;
    worker.stop().await;
    (store.commits().await.unwrap() - before) as f64 / (customers * each) as f64
}

/// B3: from accepting a job, on an idle worker, to its first step. Microseconds, sorted.
pub(crate) async fn starts(database: &str, samples: usize) -> Vec<f64> {
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
pub(crate) async fn step_cost(database: &str, runs: usize) -> f64 {
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

/// P4: one customer's jobs one after the other while many others wait for their places: from an end to the next start, ms,
/// sorted. `queued` jobs of `customers` others are there, which may not start.
pub(crate) async fn next_starts(database: &str, customers: usize, each: usize, samples: usize) -> Vec<f64> {
    let (store, _dir) = open(database).await;
    let others = Load { customers, jobs_each: each, kinds: vec![Kind::Migrate], steps: vec![] };
    store.load(&others, 10_000).await.unwrap();
    // They are there and are not due: nobody takes them.
    store.load_hidden().await.unwrap();
    let one = Load { customers: 1, jobs_each: samples, kinds: vec![Kind::Migrate], steps: ONE.to_vec() };
    store.load(&one, 10_000_000).await.unwrap();
    store.analyze().await.unwrap();
    let ended = Arc::new(Ended::default());
    let worker = worker(&store, &ended, ONE, 8);
    ended.wait_for(samples).await;
    worker.stop().await;
    let mut gaps = std::mem::take(&mut ended.gaps.lock().unwrap().1);
    gaps.sort_by(f64::total_cmp);
    gaps
}

/// P2: the first jobs out of so many queued, a second.
pub(crate) async fn first_of_many(database: &str, customers: usize, each: usize, first: usize) -> f64 {
    let (store, _dir) = open(database).await;
    let load = Load { customers, jobs_each: each, kinds: vec![Kind::Migrate], steps: ONE.to_vec() };
    store.load(&load, 10_000).await.unwrap();
    store.analyze().await.unwrap();
    let ended = Arc::new(Ended::default());
    let started = Instant::now();
    let worker = worker(&store, &ended, ONE, 64);
    ended.wait_for(first).await;
    let seconds = started.elapsed().as_secs_f64();
    worker.stop().await;
    first as f64 / seconds
}

/// B10: the same drain while somebody holds a snapshot of everything, on PostgreSQL: how much of its speed is lost.
pub(crate) async fn drain_under_a_snapshot(customers: usize, each: usize) -> f64 {
    let (store, _dir) = open("postgres").await;
    let load = Load { customers, jobs_each: each, kinds: vec![Kind::Migrate], steps: ONE.to_vec() };
    let held = store.hold_a_snapshot().await.unwrap();
    store.load(&load, 10_000).await.unwrap();
    store.analyze().await.unwrap();
    let ended = Arc::new(Ended::default());
    let started = Instant::now();
    let worker = worker(&store, &ended, ONE, 512);
    ended.wait_for(customers * each).await;
    let seconds = started.elapsed().as_secs_f64();
    worker.stop().await;
    drop(held);
    (customers * each) as f64 / seconds
}
