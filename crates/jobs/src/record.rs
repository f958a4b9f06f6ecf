//! What the store hands to a worker, and back.

use serde_json::Value;
use uuid::Uuid;

/// The right to write about a job: only the holder of the newest epoch has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fence {
    pub job: Uuid,
    pub epoch: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepStatus {
    Pending,
    /// A try has begun and its end was not recorded: cut short, or going on right now.
    Running,
    RetryWait,
    Done,
    Failed,
    Skipped,
    /// Done once, and taken back since.
    Undone,
}

impl StepStatus {
    /// It may have left something behind.
    pub fn was_tried(self) -> bool {
        matches!(self, Self::Running | Self::RetryWait | Self::Done | Self::Failed)
    }
}

#[derive(Clone, Debug)]
pub struct StepRecord {
    pub key: String,
    pub status: StepStatus,
    /// Tries begun so far.
    pub attempt: u32,
    /// When the first of a row of unsuccessful tries began, ms.
    pub first_tried_at: Option<i64>,
    pub retry_at: Option<i64>,
    /// The provider's task that a cut-short try had recorded.
    pub provider_task: Option<String>,
    pub output: Option<Value>,
}

/// A job and the claim on it.
#[derive(Clone, Debug)]
pub struct ClaimedJob {
    pub fence: Fence,
    /// Short number for logs.
    pub number: i64,
    pub kind: String,
    pub context: Uuid,
    pub target: Option<Uuid>,
    pub params: Value,
    /// The shape version of its workflow when it was accepted.
    pub shape: i64,
    pub steps: Vec<StepRecord>,
    /// What it did is to be taken back.
    pub undo: bool,
}
