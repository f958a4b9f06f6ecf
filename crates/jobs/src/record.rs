//! What the store hands to a worker.

use serde_json::Value;
use uuid::Uuid;

/// The right to write about a job: only the holder of the newest epoch has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fence {
    pub job: Uuid,
    /// Whose job it is: its lock comes before the job's.
    pub context: Uuid,
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

#[derive(Clone, Debug, PartialEq)]
pub struct StepRecord {
    pub key: String,
    pub status: StepStatus,
    /// Tries begun in all.
    pub attempt: u32,
    /// Unsuccessful tries in a row, of this way forth or back.
    pub retries: u32,
    /// How long it has waited between them in all, ms.
    pub waited_ms: i64,
    pub retry_at: Option<i64>,
    /// The provider's task that a cut-short try had recorded.
    pub provider_task: Option<String>,
    /// A try was sent and its outcome is not known yet.
    pub unknown: bool,
    pub output: Option<Value>,
}

impl StepRecord {
    /// A step that nobody has tried.
    pub fn new(key: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            status: StepStatus::Pending,
            attempt: 0,
            retries: 0,
            waited_ms: 0,
            retry_at: None,
            provider_task: None,
            unknown: false,
            output: None,
        }
    }
}

/// A job and the claim on it.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimedJob {
    pub fence: Fence,
    /// Jobs that were admitted together share it; a job by itself has its own id.
    pub unit: Uuid,
    /// Short number for logs.
    pub number: i64,
    pub kind: String,
    pub target: Option<Uuid>,
    pub params: Value,
    /// The shape version of its workflow when it was accepted.
    pub shape: i64,
    pub steps: Vec<StepRecord>,
    /// What it did is to be taken back.
    pub undo: bool,
}

impl ClaimedJob {
    pub fn context(&self) -> Uuid {
        self.fence.context
    }

    pub fn step(&self, key: &str) -> Option<&StepRecord> {
        self.steps.iter().find(|r| r.key == key)
    }
}
