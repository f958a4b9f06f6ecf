//! One error type, split by what is known of the effect.

use std::{fmt, time::Duration};

use crate::ids::TaskId;

/// What calls of this crate return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What is known of a request's effect on the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It never left: nothing happened.
    NotSent,
    /// The service answered no: nothing happened.
    Refused,
    /// It may have been carried out. Read before sending it again.
    MaybeDone,
}

/// What went wrong, by what the caller can do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Another task holds the object (`BUSY_ENTITY`). The task is named where the text names one **\[iss\]**.
    Busy {
        /// The task to wait for, before asking again.
        task: Option<TaskId>,
    },
    /// Too many operations at once (`OPERATION_LIMITS_EXCEEDED`).
    Limit,
    /// The vApp or machine must be stopped first. Recognised by its text, as its code differs between versions **\[iss\]**.
    StopRequired,
    /// It is not running already.
    NotRunning,
    /// It does not exist, or is not ours: the API answers 403 to both when it is read **\[src\]**.
    NotFound,
    /// A change was forbidden (403): a right is missing, or the object is not there or not ours. It is not known which, so it
    /// is never taken for "already gone".
    Forbidden,
    /// The credentials are refused.
    Denied,
    /// The name is taken.
    Duplicate,
    /// The object is in a state in which this cannot be done (`INVALID_STATE`): put that right first.
    State,
    /// The request breaks a rule.
    Invalid,
    /// The service failed (5xx, 429).
    Service,
    /// The connection failed.
    Transport,
    /// A task ended as `error`, `canceled` or `aborted`. What it says of itself is in the message, its code first.
    TaskFailed,
    /// The deadline passed while a task was still running.
    Timeout,
    /// The answer could not be understood.
    Protocol,
}

/// Why a call failed, and what is known of its effect.
#[derive(Clone, Debug)]
pub struct Error {
    /// What the caller can do about it.
    pub kind: ErrorKind,
    /// What may have happened all the same.
    pub effect: Effect,
    /// For people who run the cloud. Never holds a secret.
    pub message: String,
    /// The service's id of the request.
    pub request_id: Option<String>,
    /// How long the service asks to be left alone.
    pub retry_after: Option<Duration>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, effect: Effect, message: impl Into<String>) -> Self {
        Self { kind, effect, message: message.into(), request_id: None, retry_after: None }
    }

    pub(crate) fn protocol(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Protocol, Effect::MaybeDone, message)
    }

    /// The same, of a request that came before the one that changes something: that one was not sent.
    pub(crate) fn before_sending(mut self) -> Self {
        self.effect = Effect::NotSent;
        self
    }

    /// Another operation holds the object; nothing was done.
    pub fn is_busy(&self) -> bool {
        matches!(self.kind, ErrorKind::Busy { .. } | ErrorKind::Limit)
    }

    /// The task that holds the object, where the service named it.
    pub fn busy_task(&self) -> Option<TaskId> {
        match self.kind {
            ErrorKind::Busy { task } => task,
            _ => None,
        }
    }

    /// It does not exist, or is not ours.
    pub fn is_not_found(&self) -> bool {
        self.kind == ErrorKind::NotFound
    }

    /// The name is taken: perhaps by an earlier try of the same request.
    pub fn is_duplicate(&self) -> bool {
        self.kind == ErrorKind::Duplicate
    }

    /// The vApp or machine must be stopped before this can be done.
    pub fn stop_required(&self) -> bool {
        self.kind == ErrorKind::StopRequired
    }

    /// What was to be stopped is not running.
    pub fn is_not_running(&self) -> bool {
        self.kind == ErrorKind::NotRunning
    }

    /// Later may go better.
    pub fn is_transient(&self) -> bool {
        self.is_busy() || matches!(self.kind, ErrorKind::Service | ErrorKind::Transport)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.request_id {
            Some(id) => write!(f, " (request {id})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

/// Reads a refusal. `minor` and `message` come from the body where it had one.
pub(crate) fn classify(status: u16, minor: &str, message: &str, reading: bool) -> ErrorKind {
    // Codes differ between versions and families; the texts have been stable, so both are looked at **\[iss\]**.
    let says = |text: &str| message.contains(text);
    match (status, minor) {
        (_, "BUSY_ENTITY") => ErrorKind::Busy { task: task_in(message) },
        _ if says("is busy completing an operation") || says("is busy, cannot proceed") => {
            ErrorKind::Busy { task: task_in(message) }
        }
        (_, "OPERATION_LIMITS_EXCEEDED") => ErrorKind::Limit,
        _ if says("Stop the vApp and try again") => ErrorKind::StopRequired,
        _ if says("is not running") => ErrorKind::NotRunning,
        (_, "DUPLICATE_NAME") => ErrorKind::Duplicate,
        (_, "INVALID_STATE") => ErrorKind::State,
        (401, _) => ErrorKind::Denied,
        (403, _) if !reading => ErrorKind::Forbidden,
        (403 | 404, _) => ErrorKind::NotFound,
        (429 | 500..=599, _) => ErrorKind::Service,
        _ => ErrorKind::Invalid,
    }
}

/// The task in parentheses at the end of a busy message.
fn task_in(message: &str) -> Option<TaskId> {
    let (_, after) = message.rsplit_once("com.vmware.vcloud.entity.task:")?;
    after.get(..36)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASK: &str = "3f2504e0-4f89-11d3-9a0c-0305e82c3301";

    #[test]
    fn refusals_are_told_apart() {
        let busy = format!(
            "[ r ] The entity Ref: com.vmware.vcloud.entity.vm:x is busy completing an operation VAPP_UPDATE_VM. \
             VAPP_UPDATE_VM(com.vmware.vcloud.entity.task:{TASK})"
        );
        let cases = [
            (400, "BUSY_ENTITY", busy.as_str(), ErrorKind::Busy { task: TASK.parse().ok() }),
            (400, "", "The entity x is busy completing an operation.", ErrorKind::Busy { task: None }),
            (400, "OPERATION_LIMITS_EXCEEDED", "", ErrorKind::Limit),
            (409, "", "… Stop the vApp and try again.", ErrorKind::StopRequired),
            (400, "", "… since vApp \"x\" is not running.", ErrorKind::NotRunning),
            (403, "ACCESS_TO_RESOURCE_IS_FORBIDDEN", "No access", ErrorKind::NotFound),
            (400, "DUPLICATE_NAME", "", ErrorKind::Duplicate),
            (400, "INVALID_STATE", "… while the VM is powered on: CPU.", ErrorKind::State),
            (400, "BAD_REQUEST", "", ErrorKind::Invalid),
            (401, "", "", ErrorKind::Denied),
            (503, "", "", ErrorKind::Service),
        ];
        for (status, minor, message, kind) in cases {
            assert_eq!(classify(status, minor, message, true), kind, "{status} {minor} {message}");
        }
        assert_eq!(classify(403, "", "", false), ErrorKind::Forbidden, "no right to change is not: gone");
        assert_eq!(classify(404, "", "", false), ErrorKind::NotFound);
    }
}
