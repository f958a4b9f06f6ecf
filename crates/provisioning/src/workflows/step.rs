//! What the steps of all workflows share: how one is written down, how errors end a try, how a change is made once.

use std::{future::Future, sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::{ServerId, cause::Cause};
use futures::future::BoxFuture;
use jobs::{Outcome, Problem, SendError, Step, StepContext, Workflow, send_together};
use serde_json::Value;
use store::servers::Server;

use crate::{
    control::Control,
    provider::{GroupRef, ProviderError, ProviderErrorKind, TaskRef},
};

/// Why a try of a step stops short.
#[derive(Clone, Debug)]
pub(crate) enum Stop {
    Retry(Cause, String),
    Unknown(String),
    /// Nothing is broken, and no try of ours can help.
    Park(Cause, String),
    Fail(Cause, String),
}

pub(crate) type Tried = Result<(), Stop>;

/// What guests and clouds say is written down, and goes into JSON and onto pages: as text, and not without end.
pub(crate) fn readable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).take(TEXT_MAX).collect()
}

const TEXT_MAX: usize = 2000;

impl From<Stop> for Outcome {
    fn from(stop: Stop) -> Self {
        let stop = match stop {
            Stop::Retry(cause, text) => Stop::Retry(cause, readable(&text)),
            Stop::Unknown(text) => Stop::Unknown(readable(&text)),
            Stop::Park(cause, text) => Stop::Park(cause, readable(&text)),
            Stop::Fail(cause, text) => Stop::Fail(cause, readable(&text)),
        };
        match stop {
            Stop::Retry(cause, detail) => Self::RetryLater(Problem::new(cause.as_str(), detail)),
            Stop::Unknown(detail) => Self::Unknown(Problem::new(Cause::OutcomeUnknown.as_str(), detail)),
            Stop::Park(cause, detail) => Self::Parked(Problem::new(cause.as_str(), detail)),
            Stop::Fail(cause, detail) => Self::Failed(Problem::new(cause.as_str(), detail)),
        }
    }
}

impl From<ProviderError> for Stop {
    fn from(e: ProviderError) -> Self {
        match e.kind {
            ProviderErrorKind::Busy | ProviderErrorKind::Quota => Self::Retry(Cause::PlatformBusy, e.message),
            ProviderErrorKind::Transient => Self::Retry(Cause::PlatformUnavailable, e.message),
            ProviderErrorKind::Denied => Self::Retry(Cause::PlatformDenied, e.message),
            ProviderErrorKind::Changed => Self::Retry(Cause::PlatformRefused, e.message),
            ProviderErrorKind::UnknownOutcome => Self::Unknown(e.message),
            ProviderErrorKind::Timeout => Self::Fail(Cause::Timeout, e.message),
            ProviderErrorKind::TaskFailed => Self::Fail(Cause::TaskFailed, e.message),
            ProviderErrorKind::NotFound | ProviderErrorKind::Permanent => {
                Self::Fail(Cause::PlatformRefused, e.message)
            }
        }
    }
}

impl From<store::Error> for Stop {
    fn from(e: store::Error) -> Self {
        Self::Retry(Cause::Database, e.to_string())
    }
}

impl From<jobs::StoreError> for Stop {
    fn from(e: jobs::StoreError) -> Self {
        Self::Retry(Cause::Database, e.to_string())
    }
}

/// One try, for one job.
type Alone = fn(Arc<Control>, StepContext) -> BoxFuture<'static, Tried>;
/// One try, for all jobs of a unit that have come to the step: one answer each.
type Together = fn(Arc<Control>, Vec<StepContext>) -> BoxFuture<'static, Vec<Tried>>;

#[derive(Clone, Copy)]
pub(crate) enum Run {
    Alone(Alone),
    Together(Together),
}

/// A row of a workflow's table: what it is called, what comes before it, what it does and how that is taken back.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub(crate) key: &'static str,
    pub(crate) after: &'static [&'static str],
    pub(crate) run: Run,
    /// `None` where it leaves nothing behind.
    pub(crate) undo: Option<Alone>,
    /// What of its job's inputs staff may change when it is run again from here.
    pub(crate) inputs: &'static [&'static str],
}

struct TableStep {
    row: Row,
    control: Arc<Control>,
}

fn outcome(tried: Tried) -> Outcome {
    match tried {
        Ok(()) => Outcome::Done(Value::Null),
        Err(stop) => stop.into(),
    }
}

#[async_trait]
impl Step for TableStep {
    fn key(&self) -> &'static str {
        self.row.key
    }

    fn after(&self) -> &'static [&'static str] {
        self.row.after
    }

    fn shared(&self) -> bool {
        matches!(self.row.run, Run::Together(_))
    }

    async fn run(&self, cx: &StepContext) -> Outcome {
        let tried = match self.row.run {
            Run::Alone(run) => run(self.control.clone(), cx.clone()).await,
            Run::Together(run) => run(self.control.clone(), vec![cx.clone()]).await.pop().unwrap_or(Ok(())),
        };
        outcome(tried)
    }

    async fn run_together(&self, all: &[StepContext]) -> Vec<Outcome> {
        let tried = match self.row.run {
            Run::Together(run) => run(self.control.clone(), all.to_vec()).await,
            Run::Alone(run) => {
                futures::future::join_all(all.iter().map(|cx| run(self.control.clone(), cx.clone()))).await
            }
        };
        tried.into_iter().map(outcome).collect()
    }

    async fn undo(&self, cx: &StepContext) -> Outcome {
        match self.row.undo {
            None => Outcome::done(),
            Some(undo) => outcome(undo(self.control.clone(), cx.clone()).await),
        }
    }
}

pub(crate) fn workflow(control: &Arc<Control>, kind: &'static str, shape: i64, rows: &[Row]) -> Workflow {
    let step = |row: &Row| Arc::new(TableStep { row: *row, control: control.clone() }) as Arc<dyn Step>;
    Workflow { kind, shape, steps: rows.iter().map(step).collect(), turns_back_until: None }
}

/// The server a job works on, as its row says now.
pub(crate) async fn server(c: &Control, cx: &StepContext) -> Result<Server, Stop> {
    let id = cx.target().ok_or_else(|| Stop::Fail(Cause::Internal, "the job names no server".into()))?;
    let found = c.store.server(ServerId(id)).await?;
    found.ok_or_else(|| Stop::Fail(Cause::Internal, format!("server {id} has no row")))
}

/// Waits for the task that an earlier try had recorded, if there is one. The step reads what is there afterwards, and makes
/// what is missing: whether the task ended well does not matter, only that it has ended.
pub(crate) async fn adopt(c: &Control, cx: &StepContext, deadline: Duration) -> Tried {
    let Some(task) = &cx.recorded_task else { return Ok(()) };
    match c.provider.task_wait(&TaskRef(task.clone()), deadline).await {
        Ok(()) => Ok(()),
        // Over, or so long over that nobody remembers it.
        Err(e) if matches!(e.kind, ProviderErrorKind::TaskFailed | ProviderErrorKind::NotFound) => Ok(()),
        // It may be running still: nothing may be sent beside it.
        Err(e) if e.kind == ProviderErrorKind::Timeout => Err(Stop::Retry(Cause::PlatformBusy, e.message)),
        Err(e) => Err(e.into()),
    }
}

/// One call can slip out of a worker that stood still between its look at its claim and its call, and make a group that is
/// there already. It is empty; the other stays.
pub(crate) async fn delete_doubles(
    c: &Control,
    all: &[StepContext],
    deadline: Duration,
    name: &str,
    keep: Option<&GroupRef>,
) -> Tried {
    for double in c.provider.groups_named(name).await?.iter().filter(|g| Some(*g) != keep) {
        let seen = c.provider.group(double).await?;
        if !seen.ready {
            return Err(Stop::Retry(Cause::PlatformBusy, format!("a second group {name} is busy")));
        }
        if seen.machines.is_empty() {
            tracing::warn!("a second group {name} is deleted");
            carry_out_together(c, all, deadline, c.provider.group_delete(double)).await?;
        }
    }
    Ok(())
}

/// Sends a change, records its task before anything else, and waits for it.
pub(crate) async fn carry_out(
    c: &Control,
    cx: &StepContext,
    deadline: Duration,
    send: impl Future<Output = crate::provider::Result<TaskRef>>,
) -> Tried {
    carry_out_together(c, std::slice::from_ref(cx), deadline, send).await
}

/// Sends a change and records its task, and does not wait for it.
pub(crate) async fn begin(
    cx: &StepContext,
    send: impl Future<Output = crate::provider::Result<TaskRef>>,
) -> Result<TaskRef, Stop> {
    send_together(std::slice::from_ref(cx), send, |task: &TaskRef| task.0.clone()).await.map_err(not_sent)
}

fn not_sent(e: SendError<ProviderError>) -> Stop {
    match e {
        // It was there when it was looked at.
        SendError::Refused(e) if e.kind == ProviderErrorKind::NotFound => {
            Stop::Retry(Cause::PlatformRefused, e.message)
        }
        SendError::Refused(e) => e.into(),
        // Nothing of it is written any more: whoever has the job now goes on.
        SendError::Fenced => Stop::Retry(Cause::Database, "the claim has run out".into()),
    }
}

/// As [`carry_out`], for a change that is made for several jobs at once.
pub(crate) async fn carry_out_together(
    c: &Control,
    all: &[StepContext],
    deadline: Duration,
    send: impl Future<Output = crate::provider::Result<TaskRef>>,
) -> Tried {
    let task = send_together(all, send, |task: &TaskRef| task.0.clone()).await.map_err(not_sent)?;
    Ok(c.provider.task_wait(&task, deadline).await?)
}

/// A row of a workflow's table that each job does by itself: `alone!("key" after ["other"] do run; undo undone)`.
macro_rules! alone {
    ($key:literal after [$($after:literal),*] do $run:path $(; undo $undo:path)? $(; takes [$($input:literal),*])?) => {
        crate::workflows::step::Row {
            key: $key,
            after: &[$($after),*],
            inputs: &[$($($input),*)?],
            run: crate::workflows::step::Run::Alone(|c, cx| Box::pin($run(c, cx))),
            undo: crate::workflows::step::undo!($($undo)?),
        }
    };
}

/// A row that all jobs of a unit do in one go.
macro_rules! together {
    ($key:literal after [$($after:literal),*] do $run:path $(; undo $undo:path)? $(; takes [$($input:literal),*])?) => {
        crate::workflows::step::Row {
            key: $key,
            after: &[$($after),*],
            inputs: &[$($($input),*)?],
            run: crate::workflows::step::Run::Together(|c, all| Box::pin($run(c, all))),
            undo: crate::workflows::step::undo!($($undo)?),
        }
    };
}

macro_rules! undo {
    () => {
        None
    };
    ($undo:path) => {
        Some(|c, cx| Box::pin($undo(c, cx)))
    };
}

pub(crate) use {alone, together, undo};

/// What was cut off or deleted does not come back.
pub(crate) async fn no_way_back(_: Arc<Control>, _: StepContext) -> Tried {
    Err(Stop::Fail(Cause::Irreversible, "what was stopped or deleted cannot be brought back".into()))
}
