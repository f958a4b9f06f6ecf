//! When to try again: a pure function of the error and the attempt.

use std::{future::Future, time::Duration};

use tokio::time::sleep;

use crate::{
    client::Client,
    error::{Effect, Error, ErrorKind, Result},
    ids::TaskId,
    task::{WaitOptions, jittered},
};

/// What to do after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The same request again, after a pause.
    Again(Duration),
    /// The same request again, once this task has ended.
    WaitFor(TaskId),
    /// It may have been carried out: read what is there before sending it again.
    ReadFirst,
    /// Trying again changes nothing.
    GiveUp,
}

/// How patient to be. Pauses double from the first to the longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Tries in all.
    pub attempts: u32,
    /// The pause after the first try.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Default for RetryPolicy {
    /// Ten tries with pauses from half a second to thirty.
    fn default() -> Self {
        Self { attempts: 10, first: Duration::from_millis(500), longest: Duration::from_secs(30) }
    }
}

impl RetryPolicy {
    /// What to do after this error of the given attempt (1 for the first). `harmless` says that carrying the request out
    /// twice is the same as once, as with reads.
    pub fn next(&self, error: &Error, attempt: u32, harmless: bool) -> Next {
        let doubled = self.first.saturating_mul(1 << attempt.saturating_sub(1).min(16));
        let pause = doubled.min(self.longest).max(error.retry_after.unwrap_or_default());
        let unknown = error.effect == Effect::MaybeDone && !harmless;
        let next = match error.kind {
            ErrorKind::Busy { task: Some(task) } => Next::WaitFor(task),
            ErrorKind::Busy { task: None } | ErrorKind::Limit => Next::Again(pause),
            ErrorKind::Service | ErrorKind::Transport | ErrorKind::Protocol if unknown => Next::ReadFirst,
            ErrorKind::Service | ErrorKind::Transport => Next::Again(pause),
            _ => Next::GiveUp,
        };
        // What is not known is not known after the last try either.
        if attempt >= self.attempts && next != Next::ReadFirst { Next::GiveUp } else { next }
    }
}

impl Client {
    /// Makes a request until it is taken, as the policy has it. What would have to be read first is handed back as the
    /// error it is.
    pub async fn retrying<T, F>(
        &self,
        policy: RetryPolicy,
        harmless: bool,
        mut request: impl FnMut() -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let mut attempt = 1;
        loop {
            let error = match request().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            match policy.next(&error, attempt, harmless) {
                // What the service asks for is the least.
                Next::Again(pause) => sleep(jittered(pause).max(error.retry_after.unwrap_or_default())).await,
                Next::WaitFor(task) => {
                    // How it ends is somebody else's business; one that may not be read is waited out. One that has ended
                    // already may hold the object for a moment longer, so there is always a pause.
                    let options = WaitOptions::within(policy.longest);
                    let _ = self.task_wait(task, options).await;
                    sleep(jittered(policy.first.saturating_mul(attempt).min(policy.longest))).await;
                }
                Next::ReadFirst | Next::GiveUp => return Err(error),
            }
            attempt += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        use Effect::{MaybeDone, NotSent, Refused};
        let policy =
            RetryPolicy { attempts: 5, first: Duration::from_secs(1), longest: Duration::from_secs(10) };
        let task: TaskId = "3f2504e0-4f89-11d3-9a0c-0305e82c3301".parse().unwrap();
        let s = |n| Next::Again(Duration::from_secs(n));
        let busy = |task| ErrorKind::Busy { task };
        let cases = [
            // kind, effect, attempt, harmless → next
            (busy(Some(task)), Refused, 1, false, Next::WaitFor(task)),
            (busy(None), Refused, 1, false, s(1)),
            (busy(None), Refused, 4, false, s(8)),
            (busy(None), Refused, 5, false, Next::GiveUp),
            (busy(Some(task)), Refused, 5, false, Next::GiveUp),
            (ErrorKind::Limit, Refused, 2, false, s(2)),
            (ErrorKind::Transport, NotSent, 1, false, s(1)),
            (ErrorKind::Transport, MaybeDone, 1, false, Next::ReadFirst),
            (ErrorKind::Transport, MaybeDone, 1, true, s(1)),
            (ErrorKind::Transport, MaybeDone, 5, false, Next::ReadFirst),
            (ErrorKind::Transport, MaybeDone, 5, true, Next::GiveUp),
            (ErrorKind::Service, MaybeDone, 1, false, Next::ReadFirst),
            (ErrorKind::Service, Refused, 1, false, s(1)),
            (ErrorKind::Protocol, MaybeDone, 1, false, Next::ReadFirst),
            (ErrorKind::Protocol, MaybeDone, 1, true, Next::GiveUp),
            (ErrorKind::StopRequired, Refused, 1, true, Next::GiveUp),
            (ErrorKind::NotRunning, Refused, 1, true, Next::GiveUp),
            (ErrorKind::NotFound, Refused, 1, true, Next::GiveUp),
            (ErrorKind::Denied, Refused, 1, true, Next::GiveUp),
            (ErrorKind::Duplicate, Refused, 1, false, Next::GiveUp),
            (ErrorKind::Invalid, NotSent, 1, true, Next::GiveUp),
            (ErrorKind::TaskFailed, MaybeDone, 1, false, Next::GiveUp),
            (ErrorKind::Timeout, MaybeDone, 1, true, Next::GiveUp),
        ];
        for (kind, effect, attempt, harmless, next) in cases {
            let error = Error::new(kind, effect, "");
            assert_eq!(policy.next(&error, attempt, harmless), next, "{error:?} at try {attempt}");
        }
    }

    #[test]
    fn the_service_says_how_long() {
        let policy = RetryPolicy::default();
        let mut error = Error::new(ErrorKind::Service, Effect::Refused, "");
        error.retry_after = Some(Duration::from_secs(90));
        assert_eq!(policy.next(&error, 1, false), Next::Again(Duration::from_secs(90)));
        error.retry_after = None;
        let far = policy.next(&error, 9, false);
        assert_eq!(far, Next::Again(policy.longest));
    }
}
