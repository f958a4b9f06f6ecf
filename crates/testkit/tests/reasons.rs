//! Why a job is not running, in one call; and what staff and customers may ask of the queue besides.

use crate::lab::{Lab, now};
use domain::{
    kind::{Kind, Scope},
    state::JobState,
};
use jobs::{JobChange, Problem, StepTo};
use serde_json::json;
use store::{
    Maintenance, Matrix, Reason,
    interventions::Rerun,
    orders::{Accepted, Idempotency},
};
use testkit::{Database, hands};

/// Q17: maintenance, places and back-off are said as what they are.
async fn every_reason_is_said(database: Database) {
    let lab = Lab::start(database).await;
    let first = lab.accept(Kind::Power, Scope::None).await;
    assert_eq!(lab.reason(first).await, Reason::Free);

    let until = Some(now() + 60_000);
    lab.store.maintenance_begin(Maintenance { until }).await.unwrap();
    assert_eq!(lab.reason(first).await, Reason::Maintenance);
    assert!(hands::claim(&lab.store, "hand", now()).await.is_none(), "nothing is taken up");
    lab.store.maintenance_end().await.unwrap();

    let running = hands::claim(&lab.store, "hand", now()).await.unwrap();
    assert_eq!(lab.reason(first).await, Reason::Started);
    let second = lab.accept(Kind::Resize, Scope::None).await;
    let third = lab.accept(Kind::Snapshot, Scope::None).await;
    let (one, two) = (first.0.as_u128(), second.0.as_u128());
    assert_eq!(lab.reason(second).await, Reason::Blocked { position: 1, waiting_for: vec![one] });
    assert_eq!(lab.reason(third).await, Reason::Blocked { position: 2, waiting_for: vec![one, two] });
    lab.store.maintenance_begin(Maintenance { until: None }).await.unwrap();
    assert_eq!(
        lab.reason(second).await,
        Reason::Blocked { position: 1, waiting_for: vec![one] },
        "its place is its place, also during maintenance"
    );
    lab.store.maintenance_end().await.unwrap();

    // A refresh is in nobody's way, and no place is left for it.
    let narrow = lab.store.clone().with_cap(1);
    let refresh = lab.accept(Kind::Refresh, Scope::None).await;
    let reason = async |store: &store::Store, job| {
        let all = store.reasons(lab.customer(), now()).await.unwrap();
        all.into_iter().find(|(id, _)| *id == job).unwrap().1
    };
    assert_eq!(reason(&narrow, refresh).await, Reason::Full);
    let cloud = lab.store.clone().with_provider_cap("vcd", 1);
    assert_eq!(reason(&cloud, refresh).await, Reason::Full);
    let other = lab.store.clone().with_provider_cap("other", 1);
    assert_eq!(reason(&other, refresh).await, Reason::Free);

    // Between two tries.
    let at = now() + 30_000;
    let problem = Problem::new("platform_busy", "a test");
    let retry = StepTo::Retry { problem, at, pause_ms: 30_000, unknown: false };
    hands::write(&lab.store, running.fence, vec![("a", retry)], JobChange::Sleeps { until: at }, now())
        .await
        .unwrap();
    assert_eq!(lab.reason(first).await, Reason::BackOff { until: at });
    assert_eq!(lab.reason(second).await, Reason::Blocked { position: 1, waiting_for: vec![one] });
    let all = lab.store.reasons(lab.customer(), at + 1).await.unwrap();
    assert_eq!(all.into_iter().find(|(id, _)| *id == first).unwrap().1, Reason::Free, "its pause is over");
}

/// Each cloud has its own limit, and a full one keeps nobody of another out.
async fn a_cloud_takes_so_many_at_once(database: Database) {
    let mut lab = Lab::start(database).await;
    let matrix = "kinds = [\"snapshot\"]\n[rows]\nsnapshot = \".\"\n";
    let store = lab.store.clone().with_matrix(Matrix::parse(matrix).unwrap()).with_own_clock();
    lab.store = store.with_cap(10).with_provider_cap("vcd", 2);
    for _ in 0..6 {
        lab.accept(Kind::Snapshot, Scope::None).await;
    }
    assert_eq!(hands::claim_all(&lab.store, "hand", now()).await.len(), 2);
    lab.plane
        .by_hand(
            "UPDATE job SET provider = 'elsewhere' WHERE seq IN
             (SELECT seq FROM job WHERE state = 'queued' ORDER BY seq DESC LIMIT 3)",
        )
        .await;
    let taken = hands::claim_all(&lab.store, "hand", now()).await;
    assert_eq!(taken.len(), 3, "another cloud has its own places");
    for job in taken {
        hands::succeed(&lab.store, job.fence, now()).await;
    }
    assert!(
        hands::claim_all(&lab.store, "hand", now()).await.is_empty(),
        "those of the first are still full"
    );
}

/// At most one refresh of a customer is queued; one that is running has looked already, perhaps too early.
async fn one_refresh_is_queued(database: Database) {
    let lab = Lab::start(database).await;
    let ask = async || {
        let job = lab.new_job(&lab.viewer, lab.server, Kind::Refresh, Scope::None);
        let idempotency = Idempotency { key: job.id.to_string(), body_hash: String::new() };
        lab.store.job_accept(lab.customer(), &job, &idempotency, now()).await.unwrap()
    };
    let Accepted::New(first) = ask().await else { panic!("the first is queued") };
    assert_eq!(ask().await, Accepted::Before(first));
    hands::claim(&lab.store, "hand", now()).await.unwrap();
    let Accepted::New(second) = ask().await else { panic!("the running one may have looked too early") };
    assert_eq!(ask().await, Accepted::Before(second));
}

/// Whoever passed over a customer because somebody held the lock, who then changed nothing, is told to look again.
async fn who_gives_up_wakes_who_passed_over(database: Database) {
    let lab = Lab::start(database).await;
    let job = lab.new_job(&lab.viewer, lab.server, Kind::Power, Scope::None);
    let idempotency = Idempotency { key: "twice".into(), body_hash: String::new() };
    let ask = async || lab.store.job_accept(lab.customer(), &job, &idempotency, now()).await.unwrap();
    let wake = lab.store.wake();
    let woken =
        async || tokio::time::timeout(std::time::Duration::from_secs(1), wake.notified()).await.is_ok();
    assert!(matches!(ask().await, Accepted::New(_)) && woken().await);
    while woken().await {}
    assert!(matches!(ask().await, Accepted::Before(_)));
    assert!(woken().await);
}

/// A failed job runs again with other inputs, of those that its step takes.
async fn a_rerun_may_change_what_its_step_takes(database: Database) {
    let mut lab = Lab::start(database).await;
    lab.work();
    lab.script.once("run b", crate::lab::Does::Fail);
    let job = lab.accept(Kind::Power, Scope::SameServer).await;
    lab.until(job, JobState::Failed).await;
    lab.rest().await;
    let inputs = |value| json!({"colour": value}).as_object().cloned().unwrap();
    let rerun = async |allowed: &[&str]| {
        lab.store.job_rerun_with(job, &inputs("secret red"), allowed, lab.how()).await.unwrap()
    };
    assert_eq!(rerun(&["size"]).await, Rerun::NotAllowed("colour".into()));
    assert_eq!(rerun(&["colour"]).await, Rerun::Queued);
    assert_eq!(rerun(&["colour"]).await, Rerun::NotFailed, "the second who presses is told no");
    let claimed = hands::claim(&lab.store, "hand", now()).await.unwrap();
    assert_eq!(claimed.params["colour"], "secret red");
    let told = lab.store.job_events(job, 100).await.unwrap();
    let told = told.iter().find(|e| e.what == "inputs_changed").unwrap().detail.clone().unwrap();
    assert!(told.contains("colour") && !told.contains("secret"), "{told}");
}

testkit::on_both! {
    every_reason_is_said,
    a_cloud_takes_so_many_at_once,
    one_refresh_is_queued,
    who_gives_up_wakes_who_passed_over,
    a_rerun_may_change_what_its_step_takes,
}
