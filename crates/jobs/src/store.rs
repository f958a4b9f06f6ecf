//! What the engine needs of a database.
//!
//! What a worker has to write, and the jobs that it takes up besides, is one [`Turn`]: one transaction. So however many jobs a
//! worker has under way, what they have done in the meantime costs one commit.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use uuid::Uuid;

use crate::{
    record::{ClaimedJob, Fence},
    transition::{Transition, Written},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// Somebody else holds a newer claim. Stop, and touch nothing more.
    Fenced,
    /// The database could not be asked. Nothing is known of the effect.
    Unavailable(String),
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fenced => f.write_str("the claim on this job was taken over"),
            Self::Unavailable(why) => write!(f, "the database could not be asked: {why}"),
        }
    }
}

impl std::error::Error for StoreError {}

/// What a job that has just been claimed begins with: written in the same transaction as the claim.
pub trait Begin: Send + Sync + 'static {
    /// `None` leaves the job to others: its workflow is newer than this program.
    fn begin(&self, job: &ClaimedJob) -> Option<Transition>;
}

/// One transaction of a worker.
#[derive(Clone)]
pub struct Turn {
    /// Names the worker in claims.
    pub owner: String,
    /// The time that is written down, ms.
    pub now: i64,
    pub writes: Vec<Transition>,
    /// Jobs to claim at most. Without [`Turn::look`] only such as may start because of what is written; with it any that may
    /// start; with [`Turn::due`] also those whose retry is due or whose worker let its claim run out.
    pub want: usize,
    pub look: bool,
    pub due: bool,
    /// How long a claim lasts unless renewed.
    pub claim_for: Duration,
    /// Units of this worker that take joiners: jobs that may run together with theirs.
    pub open: Vec<(Uuid, Uuid)>,
    pub begin: Arc<dyn Begin>,
}

impl std::fmt::Debug for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { owner, now, writes, want, look, due, open, .. } = self;
        write!(
            f,
            "Turn {{ {owner} at {now}, want {want}, look {look}, due {due}, open {open:?}, {writes:?} }}"
        )
    }
}

/// How a turn ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turned {
    /// One for each of the writes.
    pub written: Vec<Result<Written, StoreError>>,
    /// Claimed and begun, as they are recorded now.
    pub claimed: Vec<ClaimedJob>,
    /// There is more that could be claimed.
    pub more: bool,
}

#[async_trait]
pub trait JobStore: Send + Sync + 'static {
    async fn turn(&self, turn: Turn) -> Result<Turned, StoreError>;

    /// How many turns over different contexts are worth sending at once: one where only one writes at a time.
    fn turns_at_once(&self) -> usize {
        1
    }

    /// The time at which a retry or an expired claim makes the next claim possible.
    async fn next_due(&self) -> Result<Option<i64>, StoreError>;

    /// Prolongs these claims of a worker, and no others: one that it does not know of, as the answer to its turn was lost, has
    /// to run out. Returns those that it still has.
    async fn renew(
        &self,
        owner: &str,
        held: &[Fence],
        now: i64,
        claim_for: Duration,
    ) -> Result<Vec<Fence>, StoreError>;

    /// Gives every claim of this worker back, the jobs as they stand.
    async fn release(&self, owner: &str, now: i64) -> Result<(), StoreError>;
}
