//! Jobs that are done together, jobs that hold, jobs that turn back, and rows that nobody can read.

use std::{sync::atomic::Ordering, time::Duration};

use crate::lab::{Does, Lab, count, now};
use domain::{
    kind::{Kind, Scope},
    state::JobState,
};
use synchronizer::Matrix;
use testkit::{Database, hands};

/// Q16: those that can be done together are, in one call of the shared step; one bad member fails alone.
async fn queued_jobs_of_a_batchable_kind_are_done_together(database: Database) {
    let mut lab = Lab::start(database).await;
    lab.script.shares.store(true, Ordering::Relaxed);
    let mut all = Vec::new();
    for _ in 0..4 {
        all.push(lab.accept(Kind::Activate, Scope::None).await);
    }
    let power = lab.accept(Kind::Power, Scope::None).await;
    lab.work();
    for job in &all {
        lab.until(*job, JobState::Succeeded).await;
    }
    lab.until(power, JobState::Succeeded).await;
    let journal = lab.script.taken();
    assert_eq!(count(&journal, "together c 4"), 1, "{journal:?}");
    assert_eq!(count(&journal, "run a"), 5, "each by itself, and the other job: {journal:?}");

    // One that is accepted before the shared step joins, and the step is done for both.
    lab.script.once("run a", Does::Wait);
    let first = lab.accept(Kind::Activate, Scope::None).await;
    lab.asked("run a").await;
    let second = lab.accept(Kind::Activate, Scope::None).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    lab.script.let_go();
    lab.until(first, JobState::Succeeded).await;
    lab.until(second, JobState::Succeeded).await;
    let journal = lab.script.taken();
    assert_eq!(count(&journal, "together c 2"), 1, "{journal:?}");

    // One that is accepted after the shared step was sent waits its turn.
    lab.script.once("together c 1", Does::Wait);
    let first = lab.accept(Kind::Activate, Scope::None).await;
    lab.asked("together c 1").await;
    let second = lab.accept(Kind::Activate, Scope::None).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(lab.plane.job(second).await.state, JobState::Queued);
    lab.script.let_go();
    lab.until(first, JobState::Succeeded).await;
    lab.until(second, JobState::Succeeded).await;
    lab.script.taken();

    // What fails for all is tried for each by itself.
    lab.rest().await;
    lab.script.once("together c 3", Does::Fail);
    lab.script.once("run c", Does::Fail);
    let mut three = Vec::new();
    for _ in 0..3 {
        three.push(lab.accept(Kind::Activate, Scope::None).await);
    }
    lab.work();
    let mut ends = Vec::new();
    for job in &three {
        ends.push(lab.until_over(*job).await.state);
    }
    ends.sort();
    assert_eq!(
        ends,
        [JobState::Failed, JobState::Succeeded, JobState::Succeeded],
        "one bad member fails alone"
    );
}

/// A job that held its place and is run again conflicts as widely as before: what was free meanwhile waits again.
async fn a_holder_that_is_run_again_keeps_others_out_again(database: Database) {
    let mut lab = Lab::start(database).await;
    lab.work();
    lab.script.once("run a", Does::Fail);
    let terminate = lab.accept(Kind::Terminate, Scope::SameServer).await;
    lab.until(terminate, JobState::Failed).await;
    lab.rest().await;
    // While it holds its own server only, a job of another server of the customer's may start: it is marked so.
    let other = lab.another_server().await;
    let power = lab.accept_for(&lab.viewer, other, Kind::Power, Scope::None).await;
    assert!(lab.store.job_rerun(terminate, lab.how()).await.unwrap());
    let claimed = hands::claim_all(&lab.store, "hand", now()).await;
    assert_eq!(claimed.iter().map(|j| j.fence.job).collect::<Vec<_>>(), [terminate.0]);
    hands::succeed(&lab.store, claimed[0].fence, now()).await;
    let claimed = hands::claim_all(&lab.store, "hand", now()).await;
    assert_eq!(claimed.iter().map(|j| j.fence.job).collect::<Vec<_>>(), [power.0]);
}

/// Taking back a job that was begun, failed, and queued again takes back what it did.
async fn a_queued_job_that_was_begun_before_undoes_when_it_is_stopped(database: Database) {
    let mut lab = Lab::start(database).await;
    lab.work();
    lab.script.once("run d", Does::Fail);
    let job = lab.accept(Kind::Power, Scope::SameServer).await;
    lab.until(job, JobState::Failed).await;
    lab.rest().await;
    lab.script.taken();
    assert!(lab.store.job_rerun(job, lab.how()).await.unwrap());
    assert_eq!(lab.store.job_stop(job, lab.how()).await.unwrap(), Some(JobState::Queued));
    lab.work();
    lab.until(job, JobState::RolledBack).await;
    assert_eq!(lab.script.taken(), ["undo c", "undo b", "undo a"]);
}

/// Somebody asks for a job to be stopped while its step fails: it turns back all the same.
async fn a_stop_is_not_lost_in_a_failure(database: Database) {
    let mut lab = Lab::start(database).await;
    lab.work();
    lab.script.once("run b", Does::WaitAndFail);
    let job = lab.accept(Kind::Power, Scope::SameServer).await;
    lab.asked("run b").await;
    assert_eq!(lab.store.job_stop(job, lab.how()).await.unwrap(), Some(JobState::Running));
    tokio::time::sleep(Duration::from_millis(30)).await;
    lab.script.let_go();
    lab.until(job, JobState::RolledBack).await;
}

/// An undo that fails again and again is tried for as long as a step is, and then the job is stuck and says so.
async fn an_undo_has_the_patience_of_a_step(database: Database) {
    let mut lab = Lab::start(database).await;
    lab.work();
    lab.script.once("run d", Does::Fail);
    let job = lab.accept(Kind::Power, Scope::SameServer).await;
    lab.until(job, JobState::Failed).await;
    for _ in 0..5 {
        lab.script.once("undo b", Does::RetryLater);
    }
    assert!(lab.store.job_roll_back(job, lab.how()).await.unwrap());
    lab.until(job, JobState::RolledBack).await;
    assert_eq!(count(&lab.script.taken(), "undo b"), 6);
}

/// What nobody can read stands still with a reason; nothing else does.
async fn rows_nobody_can_read_hold_their_job_only(database: Database) {
    let mut lab = Lab::start(database).await;
    let step = lab.accept(Kind::Power, Scope::None).await;
    lab.plane
        .by_hand(
            "UPDATE job_step SET state = 'levitating' WHERE key = 'b'
             AND job_id IN (SELECT id FROM job WHERE kind = 'power' AND state = 'queued')",
        )
        .await;
    let params = lab.accept(Kind::Refresh, Scope::None).await;
    lab.plane.by_hand("UPDATE job SET params = '{' WHERE kind = 'refresh' AND state = 'queued'").await;
    let (boris, boriss) = lab.another("boris@test").await;
    lab.work();
    let good = lab.accept_for(&boris, boriss, Kind::Power, Scope::None).await;
    lab.until_over(good).await;
    for job in [step, params] {
        let held = lab.until_over(job).await;
        assert_eq!((held.state, held.cause.as_deref()), (JobState::Failed, Some("unreadable")));
        assert!(held.finished_at.is_none(), "it keeps others away until somebody has looked at it");
    }
    // Of a kind or a state that is not known here nothing is known but that it is not over: others wait, nothing breaks.
    lab.rest().await;
    lab.accept(Kind::Snapshot, Scope::None).await;
    for harm in [
        "UPDATE job SET kind = 'teleport' WHERE kind = 'snapshot'",
        "UPDATE job SET state = 'dreaming' WHERE kind = 'teleport'",
    ] {
        lab.plane.by_hand(harm).await;
        let waits = lab.accept(Kind::Snapshot, Scope::None).await;
        lab.work();
        tokio::time::sleep(Duration::from_millis(200)).await;
        let state = lab.state_of(waits).await;
        assert_eq!(state, "queued", "after {harm}");
        lab.rest().await;
        let more = lab.accept_for(&boris, boriss, Kind::Refresh, Scope::None).await;
        lab.work();
        lab.until_over(more).await;
        lab.rest().await;
    }
}

/// The original's second trace: two customers, who never wait for each other. 1 is power, 3 activate, 4 refresh.
async fn the_second_trace(database: Database) {
    const ORIGINAL: &str = "kinds = [\"power\", \"resize\", \"activate\", \"refresh\"]\n[rows]\npower = \"..C.\"\n\
                            resize = \"..C.\"\nactivate = \"CCC.\"\nrefresh = \"...C\"\n";
    let mut lab = Lab::start(database).await;
    let (boris, boriss) = lab.another("boris@test").await;
    lab.store = lab.store.clone().with_matrix(Matrix::parse(ORIGINAL).unwrap());
    let a = async |kind| lab.accept(kind, Scope::None).await;
    let b = async |kind| lab.accept_for(&boris, boriss, kind, Scope::None).await;
    let claims = async || hands::claim_all(&lab.store, "trace", now()).await;
    let ids = |jobs: &[jobs::ClaimedJob]| jobs.iter().map(|j| domain::JobId(j.fence.job)).collect::<Vec<_>>();
    let (one, three, four) = (Kind::Power, Kind::Activate, Kind::Refresh);
    let a1 = a(one).await;
    let mut running = claims().await;
    let a3 = a(three).await;
    assert!(claims().await.is_empty(), "A's 3 waits for A's 1");
    let a4 = a(four).await;
    running.extend(claims().await);
    let b3 = b(three).await;
    running.extend(claims().await);
    assert_eq!(ids(&running), [a1, a4, b3], "A's 3 still waits, B's does not");
    let b4 = b(four).await;
    running.extend(claims().await);
    let first = running.remove(0);
    hands::succeed(&lab.store, first.fence, now()).await;
    running.extend(claims().await);
    assert_eq!(ids(&running), [a4, b3, b4, a3]);
    for job in running {
        hands::succeed(&lab.store, job.fence, now()).await;
    }
}

testkit::on_both! {
    queued_jobs_of_a_batchable_kind_are_done_together,
    a_holder_that_is_run_again_keeps_others_out_again,
    a_queued_job_that_was_begun_before_undoes_when_it_is_stopped,
    a_stop_is_not_lost_in_a_failure,
    an_undo_has_the_patience_of_a_step,
    rows_nobody_can_read_hold_their_job_only,
    the_second_trace,
}
