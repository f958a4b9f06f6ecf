//! Q4: what may start starts when something has made it so, and also when nobody was told.

use std::{sync::Arc, time::Duration};

use crate::lab::Lab;
use domain::{
    kind::{Kind, Scope},
    state::JobState,
};
use jobs::{SystemClock, Worker, WorkerConfig, WorkerHandle};
use testkit::Database;
use tokio::sync::Notify;

fn worker(lab: &Lab, scan_every: Duration, wake: Arc<Notify>) -> WorkerHandle {
    let config = WorkerConfig { scan_every, ..WorkerConfig::new("lab") };
    let registry = Arc::new(lab.registry(1));
    Worker::new(Arc::new(lab.store.clone()), registry, Arc::new(SystemClock), config, wake).start()
}

/// Within this something that is far sooner than the next scan has happened.
const SOON: Duration = Duration::from_secs(10);

/// A worker that scans once an hour starts what was accepted, and what an end has freed, because it is told.
async fn a_wake_up_is_enough(database: Database) {
    let lab = Lab::start(database).await;
    let worker = worker(&lab, Duration::from_secs(3600), lab.store.wake());
    tokio::time::sleep(Duration::from_millis(200)).await;
    let first = lab.accept(Kind::Power, Scope::None).await;
    let second = lab.accept(Kind::Resize, Scope::None).await;
    for job in [first, second] {
        tokio::time::timeout(SOON, lab.until(job, JobState::Succeeded)).await.expect("nobody woke");
    }
    lab.store.maintenance_begin(store::Maintenance { until: None }).await.unwrap();
    let third = lab.accept(Kind::Power, Scope::None).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(lab.plane.job(third).await.state, JobState::Queued);
    lab.store.maintenance_end().await.unwrap();
    tokio::time::timeout(SOON, lab.until(third, JobState::Succeeded)).await.expect("nobody woke");
    worker.stop().await;
}

/// A worker whose every wake-up is lost finds the same by its scans.
async fn a_lost_wake_up_is_made_good_by_the_scan(database: Database) {
    let lab = Lab::start(database).await;
    let deaf = worker(&lab, Duration::from_millis(300), Arc::default());
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut all = Vec::new();
    for kind in [Kind::Power, Kind::Resize, Kind::Activate] {
        all.push(lab.accept(kind, Scope::None).await);
    }
    for job in all {
        tokio::time::timeout(SOON, lab.until(job, JobState::Succeeded)).await.expect("it never looked");
    }
    deaf.stop().await;
}

/// A retry that is due needs no wake-up: the worker knows when.
async fn a_retry_is_not_slept_through(database: Database) {
    let lab = Lab::start(database).await;
    let worker = worker(&lab, Duration::from_secs(3600), lab.store.wake());
    for _ in 0..3 {
        lab.script.once("run b", crate::lab::Does::RetryLater);
    }
    let job = lab.accept(Kind::Power, Scope::None).await;
    tokio::time::timeout(SOON, lab.until(job, JobState::Succeeded)).await.expect("it slept on");
    worker.stop().await;
}

testkit::on_both! {
    a_wake_up_is_enough,
    a_lost_wake_up_is_made_good_by_the_scan,
    a_retry_is_not_slept_through,
}
