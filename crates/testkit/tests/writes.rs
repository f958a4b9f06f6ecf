//! What a turn writes arrives, row by row where it is little and by columns where it is much.

use domain::{
    JobId, ServerId,
    kind::{Kind, Scope},
};
use jobs::{ClaimedJob, JobChange, JobStore, Problem, Transition, Turn};
use store::Matrix;
use testkit::{Database, hands};

use crate::{
    engine::TEXTS,
    lab::{Lab, now},
};

/// How many jobs a turn is about: one, and more than are written row by row.
const MANY: [usize; 2] = [1, 6];
const NO_CONFLICTS: &str = "kinds = [\"snapshot\"]\n[rows]\nsnapshot = \".\"\n";

async fn lab(database: Database) -> Lab {
    let mut lab = Lab::start(database).await;
    lab.store = lab.store.clone().with_matrix(Matrix::parse(NO_CONFLICTS).unwrap()).with_own_clock();
    lab
}

async fn claimed(lab: &Lab, many: usize) -> Vec<ClaimedJob> {
    for _ in 0..many {
        lab.accept(Kind::Snapshot, Scope::None).await;
    }
    let claimed = hands::claim_all(&lab.store, "by hand", now()).await;
    assert_eq!(claimed.len(), many);
    claimed
}

/// Ends them in one turn.
async fn end(lab: &Lab, jobs: &[ClaimedJob], change: &JobChange) {
    let write =
        |job: &ClaimedJob| Transition { number: 0, fence: job.fence, steps: vec![], job: change.clone() };
    let turn = Turn { writes: jobs.iter().map(write).collect(), ..hands::turn("by hand", now()) };
    let turned = lab.store.turn(turn).await.unwrap();
    assert!(turned.written.iter().all(Result::is_ok));
}

async fn texts_arrive_as_they_are(database: Database) {
    let lab = lab(database).await;
    for many in MANY {
        for text in TEXTS {
            let jobs = claimed(&lab, many).await;
            end(&lab, &jobs, &JobChange::Fails(Problem::new("unavailable", text))).await;
            for job in jobs {
                let job = JobId(job.fence.job);
                assert_eq!(lab.store.job(job).await.unwrap().unwrap().detail.as_deref(), Some(text));
                let told = lab.store.job_events(job, 100).await.unwrap();
                let told = told.iter().filter_map(|e| e.detail.as_deref());
                assert_eq!(told.filter(|d| *d == format!("unavailable: {text}")).count(), 1, "{many}");
            }
        }
    }
}

/// What nobody needs any more is sealed nowhere; that of others stays.
async fn a_secret_goes_with_its_job(database: Database) {
    let mut lab = lab(database).await;
    let (boris, boriss) = lab.another("boris@test").await;
    lab.accept_for(&boris, boriss, Kind::Snapshot, Scope::None).await;
    assert_eq!(hands::claim_all(&lab.store, "by hand", now()).await.len(), 1);
    for many in MANY {
        let jobs = claimed(&lab, many).await;
        lab.plane.by_hand("DELETE FROM secret").await;
        lab.plane
            .by_hand(
                "INSERT INTO secret (server_id, purpose, sealed, job_id)
                 SELECT server_id, 'job', 'not to be opened', MAX(id) FROM job WHERE state = 'running' GROUP BY server_id",
            )
            .await;
        let is_there = async |server: ServerId| !matches!(lab.store.secret_for_job(server).await, Ok(None));
        assert!(is_there(lab.server).await && is_there(boriss).await);
        end(&lab, &jobs, &JobChange::Succeeds).await;
        assert!(!is_there(lab.server).await, "{many}");
        assert!(is_there(boriss).await, "{many}");
    }
}

testkit::on_both! {
    texts_arrive_as_they_are,
    a_secret_goes_with_its_job,
}
