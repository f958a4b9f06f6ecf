//! The engine on real databases: every node failed, repeated, undone; every prefix resumed; what people do to jobs.

use crate::lab::{Does, Lab, SHAPE, count, now};
use domain::{
    kind::{Kind, Scope},
    state::{JobState, StepState},
};
use jobs::{JobChange, StepTo, StoreError};
use serde_json::Value;
use store::Reason;
use synchronizer::Matrix;
use testkit::{Database, hands};

const STEPS: [&str; 4] = ["a", "b", "c", "d"];

async fn every_node_failed_and_run_again(database: Database) {
    let mut lab = Lab::start(database).await;
    lab.work();
    for bad in STEPS {
        for how in [Does::Fail, Does::Panic] {
            lab.script.once(&format!("run {bad}"), how);
            let job = lab.accept(Kind::Power, Scope::SameServer).await;
            let failed = lab.until(job, JobState::Failed).await;
            let step = failed.steps.iter().find(|s| s.key == bad).unwrap();
            assert_eq!(step.state, StepState::Failed);
            // It keeps its server: the next one waits, and is told for what.
            let next = lab.accept(Kind::Resize, Scope::SameServer).await;
            let waiting_for = vec![job.0.as_u128()];
            assert_eq!(lab.reason(next).await, Reason::Blocked { position: 1, waiting_for });

            assert!(lab.store.job_rerun(job, lab.how()).await.unwrap());
            assert!(!lab.store.job_rerun(job, lab.how()).await.unwrap(), "the second who presses is told no");
            let done = lab.until(job, JobState::Succeeded).await;
            assert_eq!(done.seq, failed.seq, "it held its place, and keeps it");
            lab.until(next, JobState::Succeeded).await;
            let journal = lab.script.taken();
            for key in STEPS {
                // Twice by this job where it failed, and once by the next; the others once by each.
                let expected = if key == bad { 3 } else { 2 };
                assert_eq!(
                    count(&journal, &format!("run {key}")),
                    expected,
                    "{key} when {bad} fails: {journal:?}"
                );
            }
            assert!(lab.events(job).await.contains(&"rerun".to_owned()));
        }
    }
}

async fn every_node_repeated(database: Database) {
    let mut lab = Lab::start(database).await;
    lab.work();
    for key in STEPS {
        for how in [Does::RetryLater, Does::Unknown] {
            lab.script.once(&format!("run {key}"), how.clone());
            lab.script.once(&format!("run {key}"), how);
            let job = lab.accept(Kind::Power, Scope::SameServer).await;
            let done = lab.until(job, JobState::Succeeded).await;
            assert_eq!(done.steps.iter().find(|s| s.key == key).unwrap().attempt, 3);
            let journal = lab.script.taken();
            for other in STEPS {
                let expected = if other == key { 3 } else { 1 };
                assert_eq!(count(&journal, &format!("run {other}")), expected, "{journal:?}");
            }
        }
    }
}

async fn what_failed_is_taken_back_from_the_end(database: Database) {
    let mut lab = Lab::start(database).await;
    lab.work();
    for (i, bad) in STEPS.iter().enumerate() {
        lab.script.once(&format!("run {bad}"), Does::Fail);
        let job = lab.accept(Kind::Power, Scope::SameServer).await;
        lab.until(job, JobState::Failed).await;
        lab.script.taken();
        // Every undo is repeated once.
        for key in STEPS {
            lab.script.once(&format!("undo {key}"), Does::RetryLater);
        }
        assert!(lab.store.job_roll_back(job, lab.how()).await.unwrap());
        let back = lab.until(job, JobState::RolledBack).await;
        let journal = lab.script.taken();
        let tried: Vec<&str> = match i {
            0 => vec!["a"],
            // b and c are beside each other: the other one had its turn.
            1 | 2 => vec!["c", "b", "a"],
            _ => vec!["d", "c", "b", "a"],
        };
        let expected: Vec<String> =
            tried.iter().flat_map(|k| [format!("undo {k}"), format!("undo {k}")]).collect();
        assert_eq!(journal, expected, "when {bad} failed");
        assert!(back.finished_at.is_some());
        for step in &back.steps {
            let state =
                if tried.contains(&step.key.as_str()) { StepState::Undone } else { StepState::Pending };
            assert_eq!(step.state, state, "{}", step.key);
        }
        // The orders that no undo needed.
        for key in STEPS.iter().filter(|k| !tried.contains(k)) {
            lab.script.forget(&format!("undo {key}"));
        }
        assert!(!lab.store.job_rerun(job, lab.how()).await.unwrap(), "what was taken back is over");
    }
}

async fn what_cannot_be_taken_back_is_stuck_until_it_can(database: Database) {
    let mut lab = Lab::start(database).await;
    lab.work();
    lab.script.once("run d", Does::Fail);
    let job = lab.accept(Kind::Power, Scope::None).await;
    lab.until(job, JobState::Failed).await;
    lab.script.once("undo b", Does::Fail);
    assert!(lab.store.job_roll_back(job, lab.how()).await.unwrap());
    let stuck = lab.until(job, JobState::Stuck).await;
    assert!(stuck.finished_at.is_none(), "it keeps others away from what is left");
    let next = lab.accept(Kind::Power, Scope::SameServer).await;
    let waiting_for = vec![job.0.as_u128()];
    assert_eq!(lab.reason(next).await, Reason::Blocked { position: 1, waiting_for });
    lab.script.taken();
    assert!(lab.store.job_roll_back(job, lab.how()).await.unwrap());
    lab.until(job, JobState::RolledBack).await;
    lab.until(next, JobState::Succeeded).await;
    let journal = lab.script.taken();
    assert_eq!(journal[..2], ["undo b", "undo a"], "what was taken back stays so");
}

/// A way back that is closed is no dead end: the job can go on instead.
async fn what_is_stuck_can_go_on(database: Database) {
    let mut lab = Lab::start(database).await;
    lab.work();
    lab.script.once("run d", Does::Fail);
    let job = lab.accept(Kind::Power, Scope::None).await;
    lab.until(job, JobState::Failed).await;
    lab.script.once("undo b", Does::Fail);
    assert!(lab.store.job_roll_back(job, lab.how()).await.unwrap());
    lab.until(job, JobState::Stuck).await;
    lab.script.taken();
    assert!(lab.store.job_rerun(job, lab.how()).await.unwrap());
    lab.until(job, JobState::Succeeded).await;
    let journal = lab.script.taken();
    assert!(!journal.iter().any(|did| did == "run a"), "what was still done stays so: {journal:?}");
    assert!(["run b", "run c", "run d"].iter().all(|s| journal.iter().any(|did| did == s)), "{journal:?}");
}

async fn a_step_done_by_hand_is_not_run(database: Database) {
    let mut lab = Lab::start(database).await;
    lab.work();
    lab.script.once("run b", Does::Fail);
    let job = lab.accept(Kind::Power, Scope::None).await;
    let failed = lab.until(job, JobState::Failed).await;
    assert!(!lab.store.job_mark_done(job, "a", lab.how()).await.unwrap(), "only what failed");
    assert!(lab.store.job_mark_done(job, "b", lab.how()).await.unwrap());
    let done = lab.until(job, JobState::Succeeded).await;
    assert!(done.seq > failed.seq, "it did not hold: it stands at the end again");
    assert_eq!(count(&lab.script.taken(), "run b"), 1);
    assert!(lab.events(job).await.contains(&"marked_done".to_owned()));
}

async fn a_running_job_stops_at_its_next_step_and_undoes(database: Database) {
    let mut lab = Lab::start(database).await;
    lab.work();
    for at in ["a", "b", "d"] {
        lab.script.once(&format!("run {at}"), Does::Wait);
        let job = lab.accept(Kind::Power, Scope::SameServer).await;
        lab.asked(&format!("run {at}")).await;
        assert_eq!(lab.store.job_stop(job, lab.how()).await.unwrap(), Some(JobState::Running));
        assert_eq!(lab.store.job_stop(job, lab.how()).await.unwrap(), None, "once is enough");
        // Under way already: it is waited for.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        lab.script.let_go();
        let expected = if at == "d" { JobState::Succeeded } else { JobState::RolledBack };
        lab.until(job, expected).await;
        let journal = lab.script.taken();
        if at != "d" {
            assert_eq!(count(&journal, "run d"), 0, "{journal:?}");
            assert_eq!(journal.last().unwrap(), "undo a");
        }
    }
    // One that waits for a retry does not wait any longer.
    for _ in 0..1000 {
        lab.script.once("run c", Does::RetryLater);
    }
    let job = lab.accept(Kind::Power, Scope::SameServer).await;
    lab.until(job, JobState::RetryWait).await;
    assert!(lab.store.job_stop(job, lab.how()).await.unwrap().is_some());
    lab.until(job, JobState::RolledBack).await;
    // And one that nobody has begun is taken back at once.
    lab.rest().await;
    let queued = lab.accept(Kind::Power, Scope::SameServer).await;
    assert_eq!(lab.store.job_stop(queued, lab.how()).await.unwrap(), Some(JobState::Queued));
    assert_eq!(lab.plane.job(queued).await.state, JobState::Cancelled);
}

/// The record as a crash leaves it after every prefix of the steps, and after the beginning of the next.
async fn every_prefix_is_resumed(database: Database) {
    let mut lab = Lab::start(database).await;
    for done in 0..=STEPS.len() {
        for begun in [false, true] {
            let job = lab.accept(Kind::Power, Scope::SameServer).await;
            let short = std::time::Duration::from_millis(1);
            let claimed = hands::claim_for(&lab.store, "crashed", now(), short).await.unwrap();
            assert_eq!(claimed.fence.job, job.0);
            let store = lab.store.clone();
            let write = async |key: &str, to| {
                hands::write(&store, claimed.fence, vec![(key, to)], JobChange::Stays, now()).await
            };
            for key in &STEPS[..done] {
                write(key, StepTo::Started).await.unwrap();
                write(key, StepTo::Done(Value::Null)).await.unwrap();
            }
            if let (true, Some(key)) = (begun, STEPS.get(done)) {
                write(key, StepTo::Started).await.unwrap();
            }
            lab.work();
            lab.until(job, JobState::Succeeded).await;
            lab.rest().await;
            let mut journal = lab.script.taken();
            journal.sort();
            let rest: Vec<String> = STEPS[done..].iter().map(|k| format!("run {k}")).collect();
            assert_eq!(journal, rest, "after {done} steps, the next begun: {begun}");
            // Whoever crashed and comes back changes nothing.
            assert_eq!(write("d", StepTo::Started).await, Err(StoreError::Fenced));
        }
    }
}

async fn another_shape_stops_with_its_name(database: Database) {
    let mut lab = Lab::start(database).await;
    let job = lab.accept(Kind::Power, Scope::None).await;
    let short = std::time::Duration::from_millis(1);
    let begun = hands::claim_for(&lab.store, "older", now(), short).await.unwrap();
    hands::write(&lab.store, begun.fence, vec![("a", StepTo::Started)], JobChange::Stays, now())
        .await
        .unwrap();
    let fresh = lab.accept(Kind::Power, Scope::None).await;
    lab.work_as(2);
    let failed = lab.until(job, JobState::Failed).await;
    assert_eq!(failed.cause.as_deref(), Some("shape_changed"));
    // One that nobody had begun is as good under the new shape.
    lab.until(fresh, JobState::Succeeded).await;
    assert_eq!(count(&lab.script.taken(), "run a"), 1, "of the other no step was run");
    assert!(lab.events(fresh).await.contains(&"replanned".to_owned()));
    // One from a newer program is left to those who know it.
    lab.rest().await;
    let newer = lab.accept(Kind::Power, Scope::None).await;
    lab.plane.by_hand("UPDATE job SET shape = 3 WHERE state = 'queued'").await;
    lab.work_as(2);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(lab.plane.job(newer).await.state, JobState::Queued);
}

/// The original's first trace, by the running engine. 1 is power, 2 resize, 3 activate, 4 refresh.
async fn the_first_trace(database: Database) {
    const ORIGINAL: &str = "kinds = [\"power\", \"resize\", \"activate\", \"refresh\"]\n[rows]\npower = \"..C.\"\n\
                            resize = \"..C.\"\nactivate = \"CCC.\"\nrefresh = \"...C\"\n";
    let mut lab = Lab::start(database).await;
    lab.store = lab.store.clone().with_matrix(Matrix::parse(ORIGINAL).unwrap());
    // A call runs when its job is claimed, and ends when the test says so.
    let call = async |kind| lab.accept(kind, Scope::None).await;
    let claims = async || hands::claim_all(&lab.store, "trace", now()).await;
    let mut running: Vec<jobs::ClaimedJob> = Vec::new();
    let waits = async |job: domain::JobId| match lab.reason(job).await {
        Reason::Blocked { position, waiting_for } => (Some(position), waiting_for),
        other => panic!("{other:?}"),
    };
    let key = |job: domain::JobId| job.0.as_u128();
    let (one, two, three, four) = (Kind::Power, Kind::Resize, Kind::Activate, Kind::Refresh);

    let c1 = call(one).await;
    running.extend(claims().await);
    let c4 = call(four).await;
    running.extend(claims().await);
    let c2 = call(two).await;
    running.extend(claims().await);
    assert_eq!(running.iter().map(|j| j.fence.job).collect::<Vec<_>>(), [c1.0, c4.0, c2.0]);
    let c4b = call(four).await;
    assert!(claims().await.is_empty());
    assert_eq!(waits(c4b).await, (Some(1), vec![key(c4)]));
    let finish = async |job: domain::JobId, running: &mut Vec<jobs::ClaimedJob>| {
        let at = running.iter().position(|j| j.fence.job == job.0).unwrap();
        let fence = running.remove(at).fence;
        hands::succeed(&lab.store, fence, now()).await;
        let started = claims().await;
        let ids: Vec<_> = started.iter().map(|j| domain::JobId(j.fence.job)).collect();
        running.extend(started);
        ids
    };
    assert_eq!(finish(c4, &mut running).await, [c4b]);
    let c1b = call(one).await;
    running.extend(claims().await);
    let c3 = call(three).await;
    assert!(claims().await.is_empty());
    assert_eq!(waits(c3).await, (Some(1), vec![key(c1), key(c2), key(c1b)]));
    assert!(finish(c2, &mut running).await.is_empty());
    assert!(finish(c1, &mut running).await.is_empty());
    assert_eq!(finish(c1b, &mut running).await, [c3]);
    let (c2b, c1c, c3b) = (call(two).await, call(one).await, call(three).await);
    assert!(claims().await.is_empty());
    assert_eq!(waits(c2b).await, (Some(1), vec![key(c3)]));
    assert_eq!(waits(c1c).await, (Some(1), vec![key(c3)]));
    assert_eq!(waits(c3b).await, (Some(3), vec![key(c3), key(c2b), key(c1c)]));
    assert_eq!(finish(c3, &mut running).await, [c2b, c1c]);
    assert!(finish(c2b, &mut running).await.is_empty());
    assert_eq!(finish(c1c, &mut running).await, [c3b]);
    assert!(finish(c3b, &mut running).await.is_empty());
    assert!(finish(c4b, &mut running).await.is_empty());
    assert!(running.is_empty() && SHAPE.len() == 4);
}

/// What a cloud may answer.
pub(crate) const TEXTS: [&str; 11] = [
    "{\"a\", 'b'}, \\ and \\\" and \"\"",
    "NULL",
    "null",
    "",
    " , ",
    "$1 'x'; --",
    "{}",
    "[1]",
    "a\nb\tc\u{1e}",
    "Сервер · 服务器 · 🚢",
    "12",
];

/// Whatever a cloud answers is kept as it is, on each road that rows take to the database.
async fn texts_arrive_as_they_are(database: Database) {
    let lab = Lab::start(database).await;
    for text in TEXTS {
        let job = lab.accept(Kind::Power, Scope::None).await;
        let fence = hands::claim(&lab.store, "by hand", now()).await.unwrap().fence;
        let problem = || jobs::Problem::new("unavailable", text);
        let retry = StepTo::Retry { problem: problem(), at: now() + 1, pause_ms: 1, unknown: false };
        let write = async |to: Vec<(&str, StepTo)>, change| {
            hands::write(&lab.store, fence, to, change, now()).await.unwrap();
        };
        write(vec![("a", StepTo::Started)], JobChange::Stays).await;
        write(vec![("a", retry)], JobChange::Stays).await;
        let detail = async || {
            let read = lab.store.job(job).await.unwrap().unwrap();
            read.steps.into_iter().find(|s| s.key == "a").unwrap().detail
        };
        assert_eq!(detail().await.as_deref(), Some(text));
        write(vec![("a", StepTo::Failed(problem()))], JobChange::Fails(problem())).await;
        assert_eq!(detail().await.as_deref(), Some(text));
        let events = lab.store.job_events(job, 100).await.unwrap();
        let said = events.iter().filter_map(|e| e.detail.as_deref());
        assert_eq!(said.filter(|d| *d == format!("unavailable: {text}")).count(), 3, "{events:?}");
    }
    // No text has this in it on PostgreSQL: it is not what ends a worker's turn.
    let job = lab.accept(Kind::Power, Scope::None).await;
    let fence = hands::claim(&lab.store, "by hand", now()).await.unwrap().fence;
    let failed = JobChange::Fails(jobs::Problem::new("unavailable", "a\0b"));
    hands::write(&lab.store, fence, vec![], failed, now()).await.unwrap();
    assert_eq!(lab.store.job(job).await.unwrap().unwrap().detail.as_deref(), Some("a\u{fffd}b"));
}

testkit::on_both! {
    texts_arrive_as_they_are,
    every_node_failed_and_run_again,
    every_node_repeated,
    what_failed_is_taken_back_from_the_end,
    what_cannot_be_taken_back_is_stuck_until_it_can,
    what_is_stuck_can_go_on,
    a_step_done_by_hand_is_not_run,
    a_running_job_stops_at_its_next_step_and_undoes,
    every_prefix_is_resumed,
    another_shape_stops_with_its_name,
    the_first_trace,
}
