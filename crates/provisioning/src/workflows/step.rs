//! What the steps of all workflows share: how one is written down, how errors end a try, how a change is made once.

use std::{future::Future, sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::{ServerId, cause::Cause};
use futures::future::BoxFuture;
use jobs::{Outcome, Problem, Step, StepContext, Workflow};
use serde_json::Value;
use store::servers::Server;

use crate::{
    control::Control,
    provider::{ProviderError, ProviderErrorKind, TaskRef},
};

/// Why a try of a step stops short.
#[derive(Debug)]
pub(crate) enum Stop {
    Retry(Cause, String),
    Unknown(String),
    /// Nothing is broken, and no try of ours can help.
    Park(Cause, String),
    Fail(Cause, String),
}

pub(crate) type Tried = Result<(), Stop>;

impl From<Stop> for Outcome {
    fn from(stop: Stop) -> Self {
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

type Action = fn(Arc<Control>, StepContext) -> BoxFuture<'static, Tried>;

/// A row of a workflow's table: key, the steps before it, what it does.
pub(crate) type Row = (&'static str, &'static [&'static str], Action);

struct TableStep {
    row: Row,
    control: Arc<Control>,
}

#[async_trait]
impl Step for TableStep {
    fn key(&self) -> &'static str {
        self.row.0
    }

    fn after(&self) -> &'static [&'static str] {
        self.row.1
    }

    async fn run(&self, cx: &StepContext) -> Outcome {
        match (self.row.2)(self.control.clone(), cx.clone()).await {
            Ok(()) => Outcome::Done(Value::Null),
            Err(stop) => stop.into(),
        }
    }
}

pub(crate) fn workflow(control: &Arc<Control>, kind: &'static str, shape: i64, rows: &[Row]) -> Workflow {
    let step = |row: &Row| Arc::new(TableStep { row: *row, control: control.clone() }) as Arc<dyn Step>;
    Workflow { kind, shape, steps: rows.iter().map(step).collect() }
}

/// The server a job works on, as its row says now.
pub(crate) async fn server(c: &Control, cx: &StepContext) -> Result<Server, Stop> {
    let id = cx.target().ok_or_else(|| Stop::Fail(Cause::Internal, "the job names no server".into()))?;
    let found = c.store.server(ServerId(id)).await?;
    found.ok_or_else(|| Stop::Fail(Cause::Internal, format!("server {id} has no row")))
}

/// Waits for the task that an earlier try had recorded, if there is one. How it ended does not matter: the step
/// reads what is there afterwards, and makes what is missing.
pub(crate) async fn adopt(c: &Control, cx: &StepContext, deadline: Duration) -> Tried {
    let Some(task) = &cx.recorded_task else { return Ok(()) };
    match c.provider.task_wait(&TaskRef(task.clone()), deadline).await {
        Err(e) if e.kind == ProviderErrorKind::Transient => Err(e.into()),
        _ => Ok(()),
    }
}

/// Sends a change, records its task before anything else, and waits for it.
pub(crate) async fn carry_out(
    c: &Control,
    cx: &StepContext,
    deadline: Duration,
    send: impl Future<Output = crate::provider::Result<TaskRef>>,
) -> Tried {
    let task = send.await?;
    cx.record_task(&task.0).await?;
    c.provider.task_wait(&task, deadline).await?;
    Ok(())
}
