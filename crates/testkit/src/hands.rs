//! A worker made of the test's own hands: it claims, begins and ends steps one call at a time.

use std::{sync::Arc, time::Duration};

use jobs::{
    Begin, ClaimedJob, Fence, JobChange, JobStore, StepChange, StepTo, StoreError, Transition, Turn, Written,
};

/// Claims and begins nothing.
struct Nothing;

impl Begin for Nothing {
    fn begin(&self, job: &ClaimedJob) -> Option<Transition> {
        Some(Transition { number: 0, fence: job.fence, steps: vec![], job: JobChange::Stays })
    }
}

/// The turn of a worker of this name at this time, with nothing in it.
pub fn turn(owner: &str, now: i64) -> Turn {
    Turn {
        owner: owner.into(),
        now,
        writes: vec![],
        want: 0,
        look: false,
        due: false,
        claim_for: Duration::from_secs(60),
        open: vec![],
        begin: Arc::new(Nothing),
    }
}

/// Claims one job, for so long.
pub async fn claim_for(
    store: &dyn JobStore,
    owner: &str,
    now: i64,
    claim_for: Duration,
) -> Option<ClaimedJob> {
    let turn = Turn { want: 1, look: true, due: true, claim_for, ..turn(owner, now) };
    store.turn(turn).await.unwrap().claimed.pop()
}

/// Claims one job.
pub async fn claim(store: &dyn JobStore, owner: &str, now: i64) -> Option<ClaimedJob> {
    claim_for(store, owner, now, Duration::from_secs(60)).await
}

/// Claims as many as there are.
pub async fn claim_all(store: &dyn JobStore, owner: &str, now: i64) -> Vec<ClaimedJob> {
    let mut all = Vec::new();
    loop {
        let turn = Turn { want: 1000, look: true, due: true, ..turn(owner, now) };
        let claimed = store.turn(turn).await.unwrap().claimed;
        if claimed.is_empty() {
            return all;
        }
        all.extend(claimed);
    }
}

/// Writes one transition.
pub async fn write(
    store: &dyn JobStore,
    fence: Fence,
    steps: Vec<(&str, StepTo)>,
    job: JobChange,
    now: i64,
) -> Result<Written, StoreError> {
    let steps = steps.into_iter().map(|(key, to)| StepChange { key: key.into(), to }).collect();
    let turn = Turn { writes: vec![Transition { number: 0, fence, steps, job }], ..turn("by hand", now) };
    store.turn(turn).await?.written.pop().expect("one write, one answer")
}

/// Ends a job well.
pub async fn succeed(store: &dyn JobStore, fence: Fence, now: i64) {
    write(store, fence, vec![], JobChange::Succeeds, now).await.unwrap();
}
