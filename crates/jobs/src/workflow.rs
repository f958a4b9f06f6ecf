//! What a kind of job does: named steps, registered once at start.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    machine::{ShapeError, StepShape, predecessors},
    outcome::Outcome,
    record::{ClaimedJob, Fence},
    retry::RetryPolicy,
    store::{JobStore, StoreError},
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

    async fn run(&self, cx: &StepContext) -> Outcome;

    /// Takes back what `run` made, and what a try of it that was cut short may have left. It may be called again, and for a
    /// step of which nothing is there: it looks before it acts. Steps that leave nothing behind need none.
    async fn undo(&self, _cx: &StepContext) -> Outcome {
        Outcome::done()
    }
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
    pub(crate) store: Arc<dyn JobStore>,
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

    /// Records the provider's task, so that whoever continues after a crash can adopt it.
    pub async fn record_task(&self, task: &str) -> Result<(), StoreError> {
        self.store.step_task(self.job.fence, self.step, task).await
    }
}

/// The steps of one kind, and the version of their shape: raised whenever steps are added, removed or renamed.
pub struct Workflow {
    pub kind: &'static str,
    pub shape: i64,
    pub steps: Vec<Arc<dyn Step>>,
}

impl Workflow {
    pub fn shapes(&self) -> Vec<StepShape> {
        self.steps.iter().map(|s| StepShape { key: s.key(), after: s.after() }).collect()
    }
}

/// All workflows, by kind.
#[derive(Default)]
pub struct Registry {
    workflows: HashMap<&'static str, Workflow>,
}

impl Registry {
    /// Adds a workflow after checking its shape.
    pub fn add(&mut self, workflow: Workflow) -> Result<(), ShapeError> {
        predecessors(&workflow.shapes())?;
        self.workflows.insert(workflow.kind, workflow);
        Ok(())
    }

    pub fn get(&self, kind: &str) -> Option<&Workflow> {
        self.workflows.get(kind)
    }
}
