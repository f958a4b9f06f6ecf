//! A database that is cut off, at each COMMIT and in the middle of everything, and one that is restarted: nothing that was
//! accepted is lost, nothing is done twice.

mod lab;

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use domain::{
    kind::{Kind, Scope},
    state::JobState,
};
use jobs::{SystemClock, Worker, WorkerConfig, WorkerHandle};
use lab::{Lab, SHAPE};
use store::Store;
use testkit::{
    Database,
    chaos::{Cut, Proxy},
    postgres::Cluster,
};

/// A worker that reaches the database through the proxy. Its claims are short: what nobody knows of runs out soon.
async fn worker(lab: &Lab, url: &str) -> (Store, WorkerHandle) {
    let store = lab.plane.store_at(url).await;
    let config = WorkerConfig {
        claim_for: Duration::from_millis(1500),
        scan_every: Duration::from_millis(300),
        ..WorkerConfig::new("lab")
    };
    let registry = Arc::new(lab.registry(1));
    let worker = Worker::new(Arc::new(store.clone()), registry, Arc::new(SystemClock), config, store.wake());
    (store, worker.start())
}

/// How often each of these was done, of one job.
async fn counted(lab: &Lab, job: domain::JobId, what: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for event in lab.store.job_events(job, 500).await.unwrap() {
        if event.what == what {
            *counts.entry(event.step.unwrap_or_default()).or_default() += 1;
        }
    }
    counts
}

#[tokio::test(flavor = "multi_thread")]
async fn each_commit_is_cut_before_and_after() {
    let lab = Lab::start(Database::Postgres).await;
    let proxy = Proxy::start(lab.plane.database()).await;
    let (_store, worker) = worker(&lab, &proxy.over(lab.plane.database())).await;
    let mut cuts = 0;
    for cut in [Cut::Before, Cut::After] {
        for n in 0..5 {
            lab.script.taken();
            proxy.cut_commit(n, cut);
            let job = lab.accept(Kind::Power, Scope::SameServer).await;
            let done = lab.until_over(job).await;
            assert_eq!(done.state, JobState::Succeeded, "{cut:?} {n}");
            cuts += usize::from(proxy.has_cut());
            let ran = lab.script.taken();
            for (key, _) in SHAPE {
                let runs = ran.iter().filter(|w| **w == format!("run {key}")).count();
                assert_eq!(runs, 1, "{key} with the COMMIT {n} cut {cut:?}: {ran:?}");
            }
            let done = counted(&lab, job, "step_done").await;
            assert!(done.values().all(|n| *n == 1), "{cut:?} {n}: {done:?}");
            assert_eq!(counted(&lab, job, "succeeded").await.values().sum::<usize>(), 1);
        }
    }
    assert!(cuts >= 8, "the cuts met only {cuts} commits");
    assert_eq!(lab.store.fsck().await.unwrap(), []);
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stands_still_inside_a_transaction_keeps_nobody_waiting() {
    let lab = Lab::start(Database::Postgres).await;
    let proxy = Proxy::start(lab.plane.database()).await;
    let (_still, stands_still) = worker(&lab, &proxy.over(lab.plane.database())).await;
    proxy.cut_commit(0, Cut::Still);
    let job = lab.accept(Kind::Power, Scope::SameServer).await;
    let stands = async {
        while !proxy.is_still() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), stands).await.expect("no transaction was committed");
    lab.plane.by_hand(ONE_OPEN).await;
    let (_other, other) = worker(&lab, lab.plane.database()).await;
    assert_eq!(lab.until_over(job).await.state, JobState::Succeeded, "the other does what was left");
    assert!(proxy.is_still());
    // What it wakes up to is over.
    proxy.go_on();
    let next = lab.accept(Kind::Resize, Scope::SameServer).await;
    assert_eq!(lab.until_over(next).await.state, JobState::Succeeded);
    for job in [job, next] {
        assert_eq!(counted(&lab, job, "succeeded").await.values().sum::<usize>(), 1);
        let done = counted(&lab, job, "step_done").await;
        assert!(done.values().all(|n| *n == 1), "{done:?}");
    }
    assert_eq!(lab.store.fsck().await.unwrap(), []);
    stands_still.stop().await;
    other.stop().await;
}

/// The transaction that stands still has rows locked.
const ONE_OPEN: &str = "DO $$ BEGIN
     IF NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
                    AND state = 'idle in transaction' AND backend_xid IS NOT NULL)
     THEN RAISE 'no transaction is open'; END IF; END $$";

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_cuts_and_a_restart_lose_nothing() {
    let cluster = Arc::new(tokio::task::spawn_blocking(Cluster::start).await.unwrap().unwrap());
    let mut lab = Lab::start_at(&cluster.address).await;
    let proxy = Proxy::start(lab.plane.database()).await;
    let through = proxy.over(lab.plane.database());
    // His server is an order of the plane's own: these workers do not know its steps.
    let (boris, boriss) = lab.another("boris@test").await;
    let (_one, first) = worker(&lab, &through).await;
    let (_two, second) = worker(&lab, &through).await;
    let storming = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let storm = {
        let (proxy, storming, cluster) = (proxy.clone(), storming.clone(), cluster.clone());
        tokio::spawn(async move {
            for n in 0.. {
                if !storming.load(Ordering::Relaxed) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(150)).await;
                if n % 12 == 7 {
                    let cluster = cluster.clone();
                    tokio::task::spawn_blocking(move || cluster.restart()).await.unwrap().unwrap();
                } else {
                    proxy.cut_all();
                }
            }
        })
    };
    let kinds = [Kind::Power, Kind::Resize, Kind::Activate, Kind::Snapshot];
    let mut accepted = Vec::new();
    for n in 0..40 {
        let (viewer, server) = if n % 2 == 0 { (&lab.viewer, lab.server) } else { (&boris, boriss) };
        let job = lab.new_job(viewer, server, kinds[n % 4], Scope::None);
        accepted.push(lab.accept_through_outages(viewer, &job).await);
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    storming.store(false, Ordering::Relaxed);
    storm.await.unwrap();
    for job in &accepted {
        assert_eq!(lab.until_over(*job).await.state, JobState::Succeeded);
        let done = counted(&lab, *job, "step_done").await;
        assert!(done.values().all(|n| *n == 1), "{done:?}");
    }
    assert_eq!(accepted.iter().collect::<std::collections::BTreeSet<_>>().len(), 40, "each is one job");
    assert_eq!(lab.store.fsck().await.unwrap(), []);
    first.stop().await;
    second.stop().await;
}
