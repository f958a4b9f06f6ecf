//! What the engine needs of a database. Every call that names a fence changes nothing when the fence is stale.

use async_trait::async_trait;
use serde_json::Value;

use crate::{
    outcome::Problem,
    record::{ClaimedJob, Fence},
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

#[async_trait]
pub trait JobStore: Send + Sync + 'static {
    /// Claims one job that may run now, raising its epoch: an admitted one, one whose retry is due, or one whose
    /// worker let its claim expire.
    async fn claim(&self, owner: &str, now: i64, until: i64) -> Result<Option<ClaimedJob>, StoreError>;

    /// The time at which a retry or an expired claim makes the next claim possible.
    async fn next_due(&self) -> Result<Option<i64>, StoreError>;

    /// Prolongs a claim.
    async fn renew(&self, fence: Fence, until: i64) -> Result<(), StoreError>;

    /// Gives a claim back early, the job as it stands.
    async fn release(&self, fence: Fence, now: i64) -> Result<(), StoreError>;

    /// A try begins. Returns whether somebody has asked for the job to be cancelled: then it must not be made.
    async fn step_started(&self, fence: Fence, step: &str, now: i64) -> Result<bool, StoreError>;

    /// Records the provider's task of the try that is under way.
    async fn step_task(&self, fence: Fence, step: &str, task: &str) -> Result<(), StoreError>;

    async fn step_done(&self, fence: Fence, step: &str, output: &Value, now: i64) -> Result<(), StoreError>;

    /// The try was unsuccessful; the step is due again at `at`.
    async fn step_retry(
        &self,
        fence: Fence,
        step: &str,
        problem: &Problem,
        at: i64,
        now: i64,
    ) -> Result<(), StoreError>;

    /// The step has failed for good. The job goes on to its end with [`JobStore::job_failed`].
    async fn step_failed(
        &self,
        fence: Fence,
        step: &str,
        problem: &Problem,
        now: i64,
    ) -> Result<(), StoreError>;

    /// The job sleeps until a retry is due. Gives the claim back.
    async fn job_retry_wait(&self, fence: Fence, until: i64, now: i64) -> Result<(), StoreError>;

    /// The job leaves the way of others, its step as if never tried. Gives the claim back.
    async fn job_parked(
        &self,
        fence: Fence,
        step: &str,
        problem: &Problem,
        now: i64,
    ) -> Result<(), StoreError>;

    /// The step has been taken back.
    async fn step_undone(&self, fence: Fence, step: &str, now: i64) -> Result<(), StoreError>;

    /// From now on the job takes back what it did, under the same claim.
    async fn job_undo(&self, fence: Fence, now: i64) -> Result<(), StoreError>;

    /// Everything has been taken back.
    async fn job_rolled_back(&self, fence: Fence, now: i64) -> Result<(), StoreError>;

    /// Something could not be taken back.
    async fn job_stuck(&self, fence: Fence, problem: &Problem, now: i64) -> Result<(), StoreError>;

    async fn job_succeeded(&self, fence: Fence, now: i64) -> Result<(), StoreError>;

    async fn job_failed(&self, fence: Fence, problem: &Problem, now: i64) -> Result<(), StoreError>;
}
