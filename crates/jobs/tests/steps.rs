//! Steps of one job beside each other, over a store that holds one lock as an embedded database does.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jobs::{
    ClaimedJob, Fence, JobStore, Outcome, Problem, Registry, Step, StepContext, StepRecord, StepStatus,
    StoreError, SystemClock, Worker, WorkerConfig, Workflow,
};
use serde_json::Value;
use tokio::sync::{Mutex, Notify, watch};
use uuid::Uuid;

/// One job, and the write lock of its database.
struct OneJob {
    writer: Mutex<()>,
    job: Mutex<Option<ClaimedJob>>,
    ended: watch::Sender<Option<&'static str>>,
}

impl OneJob {
    fn new(steps: &[&str]) -> Arc<Self> {
        let step = |key: &&str| StepRecord {
            key: (*key).to_owned(),
            status: StepStatus::Pending,
            attempt: 0,
            first_tried_at: None,
            retry_at: None,
            provider_task: None,
            output: None,
        };
        let job = ClaimedJob {
            fence: Fence { job: Uuid::nil(), epoch: 1 },
            number: 1,
            kind: "test".into(),
            context: Uuid::nil(),
            target: None,
            params: Value::Null,
            shape: 1,
            undo: false,
            steps: steps.iter().map(step).collect(),
        };
        Arc::new(Self { writer: Mutex::default(), job: Mutex::new(Some(job)), ended: watch::channel(None).0 })
    }

    async fn write(&self) -> Result<(), StoreError> {
        drop(self.writer.lock().await);
        Ok(())
    }

    async fn end(&self, how: &'static str) -> Result<(), StoreError> {
        self.write().await?;
        self.ended.send_replace(Some(how));
        Ok(())
    }

    /// How the job ended, or a failure after five seconds.
    async fn outcome(self: &Arc<Self>, workflow: Workflow) -> &'static str {
        let mut registry = Registry::default();
        registry.add(workflow).unwrap();
        let config = WorkerConfig::new("test");
        let worker = Worker::new(
            self.clone(),
            Arc::new(registry),
            Arc::new(SystemClock),
            config,
            Arc::new(Notify::new()),
        )
        .start();
        let mut ended = self.ended.subscribe();
        let wait = ended.wait_for(Option::is_some);
        let how = tokio::time::timeout(Duration::from_secs(5), wait).await.expect("the job stands still");
        let how = how.unwrap().unwrap();
        worker.stop().await;
        how
    }
}

#[async_trait]
impl JobStore for OneJob {
    async fn claim(&self, _: &str, _: i64, _: i64) -> Result<Option<ClaimedJob>, StoreError> {
        Ok(self.job.lock().await.take())
    }
    async fn next_due(&self) -> Result<Option<i64>, StoreError> {
        Ok(None)
    }
    async fn renew(&self, _: Fence, _: i64) -> Result<(), StoreError> {
        self.write().await
    }
    async fn release(&self, _: Fence, _: i64) -> Result<(), StoreError> {
        self.write().await
    }
    async fn step_started(&self, _: Fence, _: &str, _: i64) -> Result<bool, StoreError> {
        self.write().await.map(|()| false)
    }
    async fn step_task(&self, _: Fence, _: &str, _: &str) -> Result<(), StoreError> {
        self.write().await
    }
    async fn step_done(&self, _: Fence, _: &str, _: &Value, _: i64) -> Result<(), StoreError> {
        self.write().await
    }
    async fn step_retry(&self, _: Fence, _: &str, _: &Problem, _: i64, _: i64) -> Result<(), StoreError> {
        self.write().await
    }
    async fn step_failed(&self, _: Fence, _: &str, _: &Problem, _: i64) -> Result<(), StoreError> {
        self.write().await
    }
    async fn job_retry_wait(&self, _: Fence, _: i64, _: i64) -> Result<(), StoreError> {
        self.end("retry_wait").await
    }
    async fn job_parked(&self, _: Fence, _: &str, _: &Problem, _: i64) -> Result<(), StoreError> {
        self.end("parked").await
    }
    async fn step_undone(&self, _: Fence, _: &str, _: i64) -> Result<(), StoreError> {
        self.write().await
    }
    async fn job_undo(&self, _: Fence, _: i64) -> Result<(), StoreError> {
        self.end("undo").await
    }
    async fn job_rolled_back(&self, _: Fence, _: i64) -> Result<(), StoreError> {
        self.end("rolled_back").await
    }
    async fn job_stuck(&self, _: Fence, _: &Problem, _: i64) -> Result<(), StoreError> {
        self.end("stuck").await
    }
    async fn job_succeeded(&self, _: Fence, _: i64) -> Result<(), StoreError> {
        self.end("succeeded").await
    }
    async fn job_failed(&self, _: Fence, _: &Problem, _: i64) -> Result<(), StoreError> {
        self.end("failed").await
    }
}

/// A step that is one function.
struct Act<F>(&'static str, F);

#[async_trait]
impl<F, T> Step for Act<F>
where
    F: Fn() -> T + Send + Sync + 'static,
    T: Future<Output = Outcome> + Send + 'static,
{
    fn key(&self) -> &'static str {
        self.0
    }
    fn after(&self) -> &'static [&'static str] {
        &[]
    }
    async fn run(&self, _: &StepContext) -> Outcome {
        self.1().await
    }
}

fn workflow(steps: Vec<Arc<dyn Step>>) -> Workflow {
    Workflow { kind: "test", shape: 1, steps }
}

#[tokio::test]
async fn a_step_inside_a_transaction_does_not_stop_the_record_of_the_one_beside_it() {
    let store = OneJob::new(&["slow", "quick"]);
    let (held, inside) = (store.clone(), Arc::new(Notify::new()));
    let begun = inside.clone();
    let slow = Act("slow", move || {
        let (held, inside) = (held.clone(), inside.clone());
        async move {
            let transaction = held.writer.lock().await;
            inside.notify_one();
            // What it waits for here needs it to be polled on while the other's end is being recorded.
            for _ in 0..100 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            drop(transaction);
            Outcome::done()
        }
    });
    let quick = Act("quick", move || {
        let begun = begun.clone();
        async move {
            begun.notified().await;
            Outcome::done()
        }
    });
    assert_eq!(store.outcome(workflow(vec![Arc::new(slow), Arc::new(quick)])).await, "succeeded");
}

#[tokio::test]
async fn a_panic_fails_its_job_and_no_other_thing() {
    let store = OneJob::new(&["bad"]);
    let bad = Act("bad", || async { panic!("on purpose") });
    assert_eq!(store.outcome(workflow(vec![Arc::new(bad)])).await, "failed");
}

#[tokio::test]
async fn a_step_that_can_only_wait_parks_its_job() {
    let store = OneJob::new(&["claim"]);
    let claim = Act("claim", || async { Outcome::Parked(Problem::new("none_free", "")) });
    assert_eq!(store.outcome(workflow(vec![Arc::new(claim)])).await, "parked");
}
