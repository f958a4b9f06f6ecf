//! What a kind of job does: named steps, registered once at start.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::{
    clock::Clock,
    machine::{ShapeError, StepShape, predecessors},
    outcome::Outcome,
    record::{ClaimedJob, Fence},
    retry::RetryPolicy,
    store::StoreError,
};

/// One node of a workflow.
///
/// `run` may be called again after it was cut short at any point, so it looks for its own earlier effect before it
/// makes one. It holds no database connection while it waits for the provider.
#[async_trait]
pub trait Step: Send + Sync + 'static {
    fn key(&self) -> &'static str;

    /// The steps that must be done first.
    fn after(&self) -> &'static [&'static str];

    fn retry(&self) -> RetryPolicy {
        RetryPolicy::DEFAULT
    }

    /// Jobs of one unit do it together, in one call of [`Step::run_together`].
    fn shared(&self) -> bool {
        false
    }

    async fn run(&self, cx: &StepContext) -> Outcome;

    /// A shared step, for all who have come to it. One outcome each, in their order. What fails here for all is tried again
    /// for each by itself, so that one bad member fails alone.
    async fn run_together(&self, all: &[StepContext]) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(all.len());
        for cx in all {
            outcomes.push(self.run(cx).await);
        }
        outcomes
    }

    /// Takes back what `run` made, and what a try of it that was cut short may have left. It may be called again, and for a
    /// step of which nothing is there: it looks before it acts. A step that leaves nothing behind says so with
    /// [`Outcome::done`].
    async fn undo(&self, cx: &StepContext) -> Outcome;
}

/// How long the claim on a job lasts, and whether anything is being sent under it.
#[derive(Debug, Default)]
pub struct Lease {
    until_mono_ms: AtomicI64,
    sending: AtomicUsize,
}

impl Lease {
    pub fn until(mono_ms: i64) -> Self {
        Self { until_mono_ms: AtomicI64::new(mono_ms), sending: AtomicUsize::new(0) }
    }

    pub fn prolong(&self, mono_ms: i64) {
        self.until_mono_ms.fetch_max(mono_ms, Ordering::Relaxed);
    }

    pub fn ends_at(&self) -> i64 {
        self.until_mono_ms.load(Ordering::Relaxed)
    }

    /// Something has been sent, or is about to be, and is not recorded yet.
    pub fn is_sending(&self) -> bool {
        self.sending.load(Ordering::Relaxed) > 0
    }
}

/// A task of the provider, to be recorded; answered once it is.
#[derive(Debug)]
pub struct TaskSeen {
    pub fence: Fence,
    pub step: &'static str,
    pub task: String,
    pub recorded: oneshot::Sender<Result<(), StoreError>>,
}

/// What a try of a step may know and do.
#[derive(Clone)]
pub struct StepContext {
    pub job: Arc<ClaimedJob>,
    pub step: &'static str,
    /// 1 for the first try.
    pub attempt: u32,
    /// The provider's task that an earlier, cut-short try had recorded: wait for it instead of sending again.
    pub recorded_task: Option<String>,
    /// An earlier try was sent and no answer came: read before sending.
    pub unknown: bool,
    pub(crate) lease: Arc<Lease>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tasks: mpsc::UnboundedSender<TaskSeen>,
}

impl StepContext {
    pub fn fence(&self) -> Fence {
        self.job.fence
    }

    pub fn target(&self) -> Option<Uuid> {
        self.job.target
    }

    pub fn params(&self) -> &Value {
        &self.job.params
    }

    /// Sends a change and records the task that it is carried out by, so that whoever continues after a crash can adopt it.
    /// Nothing is sent once the claim has run out; while it lasts a worker that is asked to end waits for this.
    pub async fn send<T, E>(
        &self,
        send: impl Future<Output = Result<T, E>>,
        task_of: impl FnOnce(&T) -> String,
    ) -> Result<T, SendError<E>> {
        send_together(std::slice::from_ref(self), send, task_of).await
    }

    async fn record_task(&self, task: String) -> Result<(), StoreError> {
        let (recorded, answer) = oneshot::channel();
        let seen = TaskSeen { fence: self.job.fence, step: self.step, task, recorded };
        let gone = |_| StoreError::Fenced;
        self.tasks.send(seen).map_err(|_| StoreError::Fenced)?;
        answer.await.map_err(gone)?
    }
}

/// [`StepContext::send`] for a change that is made for several jobs at once: its task is recorded for each.
pub async fn send_together<T, E>(
    all: &[StepContext],
    send: impl Future<Output = Result<T, E>>,
    task_of: impl FnOnce(&T) -> String,
) -> Result<T, SendError<E>> {
    let _sending: Vec<Sending<'_>> = all.iter().map(|cx| Sending::under(&cx.lease)).collect();
    async {
        if all.iter().any(|cx| cx.clock.mono_ms() >= cx.lease.ends_at()) {
            return Err(SendError::Fenced);
        }
        let sent = send.await.map_err(SendError::Refused)?;
        let task = task_of(&sent);
        for cx in all {
            cx.record_task(task.clone()).await.map_err(|_| SendError::Fenced)?;
        }
        Ok(sent)
    }
    .await
}

/// Counted for as long as it lives, also where the try is ended from outside.
struct Sending<'l>(&'l Lease);

impl<'l> Sending<'l> {
    fn under(lease: &'l Lease) -> Self {
        lease.sending.fetch_add(1, Ordering::Relaxed);
        Self(lease)
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        self.0.sending.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Why a change was not sent, or not recorded.
#[derive(Debug)]
pub enum SendError<E> {
    /// The claim has run out.
    Fenced,
    Refused(E),
}

/// The steps of one kind, and the version of their shape: raised whenever steps are added, removed or renamed.
pub struct Workflow {
    pub kind: &'static str,
    pub shape: i64,
    pub steps: Vec<Arc<dyn Step>>,
    /// Until this step is done, a job that fails for good takes back at once what it has done.
    pub turns_back_until: Option<&'static str>,
}

impl Workflow {
    pub fn shapes(&self) -> Vec<StepShape> {
        self.steps.iter().map(|s| StepShape { key: s.key(), after: s.after() }).collect()
    }

    pub fn keys(&self) -> Vec<&'static str> {
        self.steps.iter().map(|s| s.key()).collect()
    }
}

/// All workflows, by kind and shape. Of one kind several shapes may stand beside each other: a job that began under an
/// older one finishes under it.
#[derive(Default)]
pub struct Registry {
    workflows: HashMap<&'static str, Vec<Workflow>>,
}

/// Why a workflow was not taken; it names what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistryError {
    Shape { kind: &'static str, error: ShapeError },
    Twice { kind: &'static str, shape: i64 },
}

impl std::fmt::Display for RegistryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shape { kind, error } => write!(f, "the workflow {kind}: {error}"),
            Self::Twice { kind, shape } => write!(f, "the workflow {kind} of shape {shape} is there twice"),
        }
    }
}

impl std::error::Error for RegistryError {}

impl Registry {
    /// Adds a workflow after checking its shape.
    pub fn add(&mut self, workflow: Workflow) -> Result<(), RegistryError> {
        let kind = workflow.kind;
        predecessors(&workflow.shapes()).map_err(|error| RegistryError::Shape { kind, error })?;
        let shapes = self.workflows.entry(kind).or_default();
        if shapes.iter().any(|w| w.shape == workflow.shape) {
            return Err(RegistryError::Twice { kind, shape: workflow.shape });
        }
        shapes.push(workflow);
        shapes.sort_by_key(|w| w.shape);
        Ok(())
    }

    /// The newest of a kind.
    pub fn newest(&self, kind: &str) -> Option<&Workflow> {
        self.workflows.get(kind)?.last()
    }

    pub fn get(&self, kind: &str, shape: i64) -> Option<&Workflow> {
        self.workflows.get(kind)?.iter().find(|w| w.shape == shape)
    }
}
