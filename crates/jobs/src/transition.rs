//! What is written about a job: one [`Transition`] is one change of its record, whole or not at all.

use serde_json::Value;

use crate::{outcome::Problem, record::Fence};

/// A change of one job. It changes nothing when its fence is stale.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// Counts the changes made under one claim, from 1. One that is written again, as the answer to it was lost, is known by
    /// it, changes nothing, and is answered as before. 0 is not counted.
    pub number: i64,
    pub fence: Fence,
    pub steps: Vec<StepChange>,
    pub job: JobChange,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StepChange {
    pub key: String,
    pub to: StepTo,
}

#[derive(Clone, Debug, PartialEq)]
pub enum StepTo {
    /// A try begins. Left out when somebody has asked for the job to be stopped.
    Started,
    /// The provider's task of the try that is under way.
    Task(String),
    Done(Value),
    /// The try was unsuccessful; the step is due again at `at`, after a pause of `pause_ms`.
    Retry {
        problem: Problem,
        at: i64,
        pause_ms: i64,
        unknown: bool,
    },
    Failed(Problem),
    /// As if never tried.
    Untried,
    /// It has been taken back.
    Undone,
}

#[derive(Clone, Debug, PartialEq)]
pub enum JobChange {
    Stays,
    /// It sleeps until a retry is due. Gives the claim back.
    Sleeps {
        until: i64,
    },
    /// It leaves the way of others. Gives the claim back.
    Parks(Problem),
    /// From now on it takes back what it did, under the same claim.
    TurnsBack,
    Succeeds,
    Fails(Problem),
    /// Everything has been taken back.
    RolledBack,
    /// Something could not be taken back.
    Stuck(Problem),
    /// Nothing of it was begun: it takes the steps of the shape that there is now.
    Replanned {
        shape: i64,
        steps: Vec<&'static str>,
    },
}

impl JobChange {
    /// The job goes on under this claim.
    pub fn keeps_claim(&self) -> bool {
        matches!(self, Self::Stays | Self::TurnsBack | Self::Replanned { .. })
    }

    /// Somebody who has asked for the job to be stopped does not get this instead: it turns back.
    pub fn yields_to_stop(&self) -> bool {
        matches!(self, Self::Sleeps { .. } | Self::Parks(_) | Self::Fails(_))
    }
}

/// What became of a transition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Somebody asks for the job to be stopped. What was to begin has not begun, and a change that
    /// [`JobChange::yields_to_stop`] was not made.
    pub stop: bool,
}
