//! Places are few: who gets the next one, and that there are never more.

use std::{collections::BTreeMap, time::Duration};

use crate::lab::{Lab, now};
use domain::{
    CustomerId,
    kind::{Kind, Scope},
    state::JobState,
};
use jobs::{ClaimedJob, JobChange, JobStore, StepChange, StepTo, Transition, Turn};
use store::{Matrix, Store};
use testkit::{Database, hands};

const CAP: u32 = 8;
const NO_CONFLICTS: &str =
    "kinds = [\"snapshot\", \"activate\"]\n[rows]\nsnapshot = \"..\"\nactivate = \"..\"\n";

/// Few places, and jobs that leave each other alone.
async fn few_places(database: Database) -> Lab {
    let mut lab = Lab::start_with(database, 3).await;
    lab.store = narrow(&lab.store);
    lab
}

fn narrow(store: &Store) -> Store {
    store.clone().with_matrix(Matrix::parse(NO_CONFLICTS).unwrap()).with_cap(CAP).with_own_clock()
}

async fn take_all(store: &Store) -> Vec<ClaimedJob> {
    hands::claim_all(store, "places", now()).await
}

async fn a_flood_keeps_nobody_out(database: Database) {
    let mut lab = few_places(database).await;
    let (boris, boriss) = lab.another("boris@test").await;
    for _ in 0..500 {
        lab.accept(Kind::Snapshot, Scope::None).await;
    }
    let mut running = take_all(&lab.store).await;
    assert_eq!(running.len(), CAP as usize);
    let first = lab.accept_for(&boris, boriss, Kind::Snapshot, Scope::None).await;
    assert!(take_all(&lab.store).await.is_empty(), "there is no place");

    hands::succeed(&lab.store, running.remove(0).fence, now()).await;
    let next = take_all(&lab.store).await;
    assert_eq!(next.iter().map(|j| j.fence.job).collect::<Vec<_>>(), [first.0], "the next place is his");
    running.extend(next);

    // He floods too: soon each has half.
    for _ in 0..20 {
        lab.accept_for(&boris, boriss, Kind::Snapshot, Scope::None).await;
    }
    for _ in 0..12 {
        hands::succeed(&lab.store, running.remove(0).fence, now()).await;
        running.extend(take_all(&lab.store).await);
        assert_eq!(running.len(), CAP as usize);
    }
    let mut shares: BTreeMap<CustomerId, u32> = BTreeMap::new();
    for job in &running {
        let job = lab.plane.job(domain::JobId(job.fence.job)).await;
        *shares.entry(job.customer).or_default() += 1;
    }
    let half = CAP / 2;
    assert_eq!(shares.into_values().collect::<Vec<_>>(), [half, half]);
}

async fn many_hands_take_no_more_than_there_are(database: Database) {
    let lab = few_places(database).await;
    for _ in 0..40 {
        lab.accept(Kind::Snapshot, Scope::None).await;
    }
    let mut hands = Vec::new();
    for i in 0..40 {
        let store = lab.store.clone();
        hands.push(tokio::spawn(async move { hands::claim(&store, &format!("hand {i}"), now()).await }));
    }
    let mut taken = 0;
    for hand in hands {
        taken += usize::from(hand.await.unwrap().is_some());
    }
    taken += take_all(&lab.store).await.len();
    assert_eq!(taken, CAP as usize);
}

async fn a_claim_that_ran_out_needs_no_new_place(database: Database) {
    let lab = few_places(database).await;
    for _ in 0..20 {
        lab.accept(Kind::Snapshot, Scope::None).await;
    }
    let running = take_all(&lab.store).await;
    assert_eq!(running.len(), CAP as usize);
    // A minute later nobody has renewed anything.
    let later = now() + 61_000;
    let again = hands::claim_all(&lab.store, "other", later).await;
    let mut again: Vec<_> = again.iter().map(|j| j.fence.job).collect();
    let mut before: Vec<_> = running.iter().map(|j| j.fence.job).collect();
    before.sort_unstable();
    again.sort_unstable();
    assert_eq!(again, before, "the same ones, and no other");
}

/// A worker that does not know of its newest claim, as the answer was lost, does not keep it.
async fn a_claim_nobody_knows_of_is_not_renewed(database: Database) {
    let lab = few_places(database).await;
    lab.accept(Kind::Snapshot, Scope::None).await;
    let minute = std::time::Duration::from_secs(60);
    let (start, later) = (now(), now() + 61_000);
    let known = hands::claim(&lab.store, "one", start).await.unwrap().fence;
    let renew =
        async |fence, at| jobs::JobStore::renew(&lab.store, "one", &[fence], at, minute).await.unwrap();
    assert_eq!(renew(known, start).await, [known]);
    let unknown = hands::claim(&lab.store, "one", later).await.unwrap().fence;
    assert_eq!((unknown.job, unknown.epoch), (known.job, known.epoch + 1));
    assert_eq!(renew(known, later + 30_000).await, []);
    assert!(hands::claim(&lab.store, "two", later + 61_000).await.is_some(), "it has run out");
}

/// The place of whoever ends with a turn is taken by the next one in the same turn.
async fn who_ends_leaves_his_place(database: Database) {
    let lab = few_places(database).await;
    for _ in 0..CAP + 2 {
        lab.accept(Kind::Snapshot, Scope::None).await;
    }
    let running = take_all(&lab.store).await;
    assert_eq!(running.len(), CAP as usize);
    let ends = running[..2].iter().map(|j| Transition {
        number: 0,
        fence: j.fence,
        steps: vec![],
        job: JobChange::Succeeds,
    });
    let turn = Turn { writes: ends.collect(), want: 3, look: true, ..hands::turn("places", now()) };
    let turned = lab.store.turn(turn).await.unwrap();
    assert_eq!(turned.claimed.len(), 2, "two places for two");
}

/// A task that was seen and the end of its step may come with one turn: neither is lost.
async fn a_task_and_the_end_of_its_step_in_one_turn(database: Database) {
    let lab = few_places(database).await;
    let id = lab.accept(Kind::Snapshot, Scope::None).await;
    let fence = take_all(&lab.store).await[0].fence;
    let change = |to| Transition {
        number: 0,
        fence,
        steps: vec![StepChange { key: "a".into(), to }],
        job: JobChange::Stays,
    };
    let writes = [
        change(StepTo::Started),
        change(StepTo::Task("task-7".into())),
        change(StepTo::Done(serde_json::json!("made"))),
    ];
    // The first begins it in a turn of its own.
    for writes in [writes[..1].to_vec(), writes[1..].to_vec()] {
        let turned = lab.store.turn(Turn { writes, ..hands::turn("places", now()) }).await.unwrap();
        assert!(turned.written.iter().all(Result::is_ok));
    }
    let job = lab.store.job(id).await.unwrap().unwrap();
    let step = job.steps.iter().find(|s| s.key == "a").unwrap();
    assert_eq!((step.state.as_str(), step.provider_task.as_deref()), ("done", Some("task-7")));
}

/// A turn locks the rows of many jobs, and a renewal too: it passes over those that are being written, and waits for none.
#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_waits_for_no_row() {
    let lab = few_places(Database::Postgres).await;
    for _ in 0..2 {
        lab.accept(Kind::Snapshot, Scope::None).await;
    }
    let held: Vec<_> = take_all(&lab.store).await.iter().map(|j| j.fence).collect();
    let writing = lab.plane.by_hand(
        "BEGIN; SELECT id FROM job WHERE state = 'running' LIMIT 1 FOR UPDATE; SELECT CAST(pg_sleep(3) AS TEXT); COMMIT",
    );
    let renewing = async {
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        let minute = std::time::Duration::from_secs(60);
        jobs::JobStore::renew(&lab.store, "places", &held, now(), minute).await.unwrap()
    };
    tokio::select! {
        renewed = renewing => assert_eq!(renewed.len(), 1, "the other one is being written"),
        () = writing => panic!("the renewal waited"),
    }
}

/// Whoever joins others takes a place like everybody.
async fn who_joins_needs_a_place(database: Database) {
    let lab = Lab::start(database).await;
    let matrix = || {
        let text = "kinds = [\"resize\"]\nbatchable = [\"resize\"]\n[rows]\nresize = \"C\"\n";
        Matrix::parse(text).unwrap()
    };
    let places = |cap| lab.store.clone().with_matrix(matrix()).with_cap(cap).with_own_clock();
    let first = lab.accept(Kind::Resize, Scope::None).await;
    let second = lab.accept(Kind::Resize, Scope::None).await;
    let claimed = take_all(&places(1)).await;
    assert_eq!(claimed.iter().map(|j| j.fence.job).collect::<Vec<_>>(), [first.0]);
    let open =
        jobs::Turn { open: vec![(claimed[0].unit, claimed[0].context())], ..hands::turn("places", now()) };
    let none = jobs::JobStore::turn(&places(1), open.clone()).await.unwrap().claimed;
    assert!(none.is_empty(), "there is no place: {none:?}");
    let joined = jobs::JobStore::turn(&places(2), open).await.unwrap().claimed;
    assert_eq!(joined.iter().map(|j| (j.fence.job, j.unit)).collect::<Vec<_>>(), [(second.0, first.0)]);
}

/// What must never be is found, whatever it is.
async fn what_must_not_be_is_found(database: Database) {
    let mut lab = Lab::start(database).await;
    lab.work();
    let done = lab.accept(Kind::Power, Scope::None).await;
    lab.until(done, JobState::Succeeded).await;
    let job = lab.accept(Kind::Power, Scope::None).await;
    lab.until(job, JobState::Succeeded).await;
    lab.rest().await;
    assert_eq!(lab.store.fsck().await.unwrap(), []);
    let last = "id = (SELECT id FROM job ORDER BY number DESC LIMIT 1)";
    let last_two = "id IN (SELECT id FROM job ORDER BY number DESC LIMIT 2)";
    // What is done, what is found, how it is put right.
    let breaches: [(&str, String, &str); 6] = [
        (
            "a running job has a claim",
            format!("UPDATE job SET state = 'running', finished_at = NULL, claim_owner = NULL WHERE {last}"),
            "UPDATE job SET state = 'succeeded', finished_at = 1 WHERE state = 'running'",
        ),
        (
            "conflicting jobs never run at once",
            format!(
                "UPDATE job SET state = 'running', finished_at = NULL, claim_owner = 'me', claim_expires_at = 1
                 WHERE {last_two}"
            ),
            "UPDATE job SET state = 'succeeded', finished_at = 1 WHERE state = 'running'",
        ),
        (
            "a job that succeeded did every step",
            format!(
                "UPDATE job_step SET state = 'pending' WHERE key = 'b' AND job_id = (SELECT id FROM job WHERE {last})"
            ),
            "UPDATE job_step SET state = 'done' WHERE key = 'b'",
        ),
        (
            "what is over has an end, and what is not has none",
            format!("UPDATE job SET finished_at = NULL WHERE {last}"),
            "UPDATE job SET finished_at = 1 WHERE finished_at IS NULL",
        ),
        (
            "no event has a version that its context has not reached",
            "UPDATE context SET version = 0".to_owned(),
            "UPDATE context SET version = 100000",
        ),
        (
            "an edge belongs to a server that exists",
            "UPDATE server SET terminated_at = 1".to_owned(),
            "UPDATE server SET terminated_at = NULL",
        ),
    ];
    for (rule, harm, cure) in breaches {
        lab.plane.by_hand(String::leak(harm)).await;
        let found = lab.store.fsck().await.unwrap();
        assert!(found.iter().any(|f| f.rule == rule), "{rule}: {found:?}");
        lab.plane.by_hand(cure).await;
        assert_eq!(lab.store.fsck().await.unwrap(), [], "{rule}");
    }
}

/// A job that ends, and so many that its hands would take in the same turn.
fn end_and_take(job: &ClaimedJob, want: usize) -> Turn {
    let end = Transition { number: 0, fence: job.fence, steps: vec![], job: JobChange::Succeeds };
    Turn { writes: vec![end], want, look: true, ..hands::turn("places", now()) }
}

/// Who gives a place back and takes one does not wait for who looks how many are free: together they take no more than there are.
async fn who_ends_and_who_looks_take_no_more_than_there_are(database: Database) {
    let mut lab = few_places(database).await;
    let mut customers = vec![(lab.viewer.clone(), lab.server)];
    for email in ["boris@test", "vera@test"] {
        customers.push(lab.another(email).await);
    }
    for (viewer, server) in &customers {
        for _ in 0..60 {
            lab.accept_for(viewer, *server, Kind::Snapshot, Scope::None).await;
        }
    }
    let mut running = take_all(&lab.store).await;
    for round in 0..12 {
        assert_eq!(running.len(), CAP as usize, "in round {round}");
        // Some go without anybody in their place, so that there is something to look for; of those that take another some
        // would take more.
        let (gone, ending) = running.split_at(3);
        for job in gone {
            hands::succeed(&lab.store, job.fence, now()).await;
        }
        let mut turns = Vec::new();
        for (i, job) in ending.iter().enumerate() {
            turns.push(end_and_take(job, 1 + i % 3));
            turns.push(Turn { want: 4, look: true, ..hands::turn("places", now()) });
        }
        let turns = turns.into_iter().map(|turn| {
            let store = lab.store.clone();
            tokio::spawn(async move { store.turn(turn).await.unwrap().claimed })
        });
        let mut claimed = Vec::new();
        for turn in turns.collect::<Vec<_>>() {
            claimed.extend(turn.await.unwrap());
        }
        assert!(claimed.len() <= CAP as usize, "{} of {CAP} in round {round}", claimed.len());
        claimed.extend(take_all(&lab.store).await);
        running = claimed;
    }
}

/// Who finds one customer with something to start, and reads without a lock, takes no place that another takes meanwhile.
async fn who_looks_without_a_lock_takes_no_place_that_is_taken(database: Database) {
    let mut lab = few_places(database).await;
    lab.store = lab.store.clone().with_cap(1);
    let (boris, boriss) = lab.another("boris@test").await;
    lab.accept_for(&boris, boriss, Kind::Snapshot, Scope::None).await;
    let first = take_all(&lab.store).await.remove(0);
    let his = first.fence.job;
    let sleep = async |job: &ClaimedJob| {
        hands::write(&lab.store, job.fence, vec![], JobChange::Sleeps { until: now() }, now()).await.unwrap();
    };
    sleep(&first).await;
    let mut of_whom = [0, 0];
    for round in 0..150 {
        lab.accept(Kind::Snapshot, Scope::None).await;
        let looks = |due| {
            let store = lab.store.clone();
            let turn = Turn { want: 1, look: true, due, ..hands::turn("places", now()) };
            tokio::spawn(async move { store.turn(turn).await.unwrap().claimed })
        };
        let turns = [looks(false), looks(true), looks(false)];
        let mut claimed = Vec::new();
        for turn in turns {
            claimed.extend(turn.await.unwrap());
        }
        assert_eq!(claimed.len(), 1, "in round {round}");
        if claimed[0].fence.job == his {
            of_whom[0] += 1;
            sleep(&claimed[0]).await;
        } else {
            of_whom[1] += 1;
            hands::succeed(&lab.store, claimed[0].fence, now()).await;
        }
        // Whoever could not start ends too, so that one customer has one thing to start again.
        while let Some(job) = take_all(&lab.store).await.pop() {
            if job.fence.job == his {
                sleep(&job).await;
                break;
            }
            hands::succeed(&lab.store, job.fence, now()).await;
        }
    }
    assert!(of_whom.into_iter().all(|n| n > 0), "both were first now and then: {of_whom:?}");
}

/// The places of a cloud that has its own are found by who only gives back those of others.
async fn a_cloud_with_its_own_places_is_not_forgotten(database: Database) {
    let mut lab = few_places(database).await;
    lab.store = lab.store.clone().with_provider_cap("elsewhere", 1);
    let (boris, boriss) = lab.another("boris@test").await;
    lab.accept(Kind::Snapshot, Scope::None).await;
    let first = take_all(&lab.store).await.remove(0);
    let his = lab.accept_for(&boris, boriss, Kind::Snapshot, Scope::None).await;
    lab.plane.by_hand("UPDATE job SET provider = 'elsewhere' WHERE state = 'queued'").await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    lab.accept(Kind::Snapshot, Scope::None).await;
    let claimed = lab.store.turn(end_and_take(&first, 1)).await.unwrap().claimed;
    assert_eq!(claimed.iter().map(|j| j.fence.job).collect::<Vec<_>>(), [his.0], "it has been due longest");
}

testkit::on_both! {
    who_ends_and_who_looks_take_no_more_than_there_are,
    who_looks_without_a_lock_takes_no_place_that_is_taken,
    a_cloud_with_its_own_places_is_not_forgotten,
    a_flood_keeps_nobody_out,
    many_hands_take_no_more_than_there_are,
    a_claim_that_ran_out_needs_no_new_place,
    a_claim_nobody_knows_of_is_not_renewed,
    who_joins_needs_a_place,
    who_ends_leaves_his_place,
    a_task_and_the_end_of_its_step_in_one_turn,
    what_must_not_be_is_found,
}
