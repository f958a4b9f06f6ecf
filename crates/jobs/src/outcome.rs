//! How one try of a step ended.

use serde_json::Value;

/// A named problem. `code` is from the caller's closed list; `detail` is for staff and never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub code: &'static str,
    pub detail: String,
}

impl Problem {
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Its effect is there. The output is kept for the steps after it.
    Done(Value),
    /// Nothing is broken; later may go better (busy, unavailable).
    RetryLater(Problem),
    /// It was sent and no answer came. The next try is told so, and must read before it sends.
    Unknown(Problem),
    /// What it needs is not to be had, and nothing here will bring it: the job leaves the way of others until whoever
    /// has it to give puts the job back into the queue. Nothing of this try remains.
    Parked(Problem),
    /// Trying again changes nothing.
    Failed(Problem),
}

impl Outcome {
    pub fn done() -> Self {
        Self::Done(Value::Null)
    }
}
