//! The worker: claims jobs, runs their steps, records how each ended.
//!
//! A job under way keeps its claim by heartbeats. When the process is asked to stop, jobs are let go where they
//! stand and their claims given back: whoever claims them next continues from the record, as after a crash.

use std::{sync::Arc, time::Duration};

use futures::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::{
    sync::{Notify, Semaphore, watch},
    task::{JoinHandle, JoinSet},
};
use tracing::{Instrument, debug, error, info, info_span, warn};

use crate::{
    clock::Clock,
    machine::{Command, Event, Machine},
    outcome::{Outcome, Problem},
    record::{ClaimedJob, Fence, StepRecord},
    store::{JobStore, StoreError},
    workflow::{Registry, Step, StepContext, Workflow},
};

#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// Names this worker in claims; unique among all workers.
    pub owner: String,
    /// Jobs under way at once.
    pub slots: usize,
    /// How long a claim lasts unless renewed. Renewed at a third of it.
    pub claim_for: Duration,
    /// How often to look for work when no wake-up came.
    pub scan_every: Duration,
}

impl WorkerConfig {
    pub fn new(owner: impl Into<String>) -> Self {
        Self {
            owner: owner.into(),
            slots: 64,
            claim_for: Duration::from_secs(8),
            scan_every: Duration::from_secs(5),
        }
    }
}

/// Code for a panic in a step, and for a job whose workflow changed shape under it.
pub const PANIC: &str = "panic";
pub const SHAPE_CHANGED: &str = "shape_changed";

#[derive(Clone)]
pub struct Worker {
    store: Arc<dyn JobStore>,
    registry: Arc<Registry>,
    clock: Arc<dyn Clock>,
    config: WorkerConfig,
    wake: Arc<Notify>,
}

/// A running worker.
pub struct WorkerHandle {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl WorkerHandle {
    /// Stops claiming, lets go of the jobs under way, gives their claims back.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}

impl Worker {
    /// `wake` is notified by whoever commits something that may have made a job runnable.
    pub fn new(
        store: Arc<dyn JobStore>,
        registry: Arc<Registry>,
        clock: Arc<dyn Clock>,
        config: WorkerConfig,
        wake: Arc<Notify>,
    ) -> Self {
        Self { store, registry, clock, config, wake }
    }

    pub fn start(self) -> WorkerHandle {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(self.run(stopped));
        WorkerHandle { stop, task }
    }

    async fn run(self, mut stopped: watch::Receiver<bool>) {
        let slots = Arc::new(Semaphore::new(self.config.slots));
        let mut running = FuturesUnordered::new();
        loop {
            let woken = self.wake.notified();
            while slots.available_permits() > 0 && !*stopped.borrow() {
                match self.claim().await {
                    Ok(Some(job)) => {
                        let permit = slots.clone().try_acquire_owned();
                        let (worker, stopped) = (self.clone(), stopped.clone());
                        let span = info_span!("job", number = job.number, kind = %job.kind);
                        running.push(tokio::spawn(
                            async move {
                                worker.work(job, stopped).await;
                                drop(permit);
                            }
                            .instrument(span),
                        ));
                    }
                    Ok(None) => break,
                    Err(e) => {
                        warn!("no job could be claimed: {e}");
                        break;
                    }
                }
            }
            let pause = self.pause().await;
            tokio::select! {
                () = woken => {}
                () = tokio::time::sleep(pause) => {}
                Some(ended) = running.next(), if !running.is_empty() => {
                    if let Err(e) = ended { error!("a job's task ended badly: {e}"); }
                }
                _ = stopped.changed() => break,
            }
        }
        while running.next().await.is_some() {}
    }

    async fn claim(&self) -> Result<Option<ClaimedJob>, StoreError> {
        let now = self.clock.now_ms();
        self.store.claim(&self.config.owner, now, now + self.config.claim_for.as_millis() as i64).await
    }

    async fn pause(&self) -> Duration {
        let longest = self.config.scan_every;
        match self.store.next_due().await {
            Ok(Some(at)) => Duration::from_millis((at - self.clock.now_ms()).max(1) as u64).min(longest),
            _ => longest,
        }
    }

    /// Runs one claimed job until it ends, sleeps, is taken over, or the worker stops.
    async fn work(&self, job: ClaimedJob, mut stopped: watch::Receiver<bool>) {
        let fence = job.fence;
        let heartbeat = async {
            let beat = self.config.claim_for / 3;
            loop {
                tokio::time::sleep(beat).await;
                let until = self.clock.now_ms() + self.config.claim_for.as_millis() as i64;
                match self.store.renew(fence, until).await {
                    Err(StoreError::Fenced) => return,
                    Err(e) => warn!("the claim was not renewed: {e}"),
                    Ok(()) => {}
                }
            }
        };
        tokio::select! {
            ended = self.drive(job) => match ended {
                Ok(()) => {}
                Err(StoreError::Fenced) => warn!("the claim was taken over; nothing more is written"),
                // The claim expires by itself, and the job is found again by the scan.
                Err(e) => error!("the job is let go: {e}"),
            },
            () = heartbeat => warn!("the claim was taken over while a step was under way"),
            () = asked_to_stop(&mut stopped) => {
                info!("let go for the next worker");
                if let Err(e) = self.store.release(fence, self.clock.now_ms()).await {
                    warn!("the claim was not given back: {e}");
                }
            }
        }
    }

    async fn drive(&self, job: ClaimedJob) -> Result<(), StoreError> {
        let fence = job.fence;
        let Some(workflow) = self.registry.get(&job.kind) else {
            let problem = Problem::new(SHAPE_CHANGED, format!("no workflow for {}", job.kind));
            return self.store.job_failed(fence, &problem, self.clock.now_ms()).await;
        };
        let resumed = Machine::resume(&workflow.shapes(), &job.steps, self.clock.now_ms());
        let mut machine = match resumed {
            Ok(machine) if workflow.shape == job.shape => machine,
            _ => {
                let problem = Problem::new(
                    SHAPE_CHANGED,
                    format!("accepted under shape {}, this program has {}", job.shape, workflow.shape),
                );
                return self.store.job_failed(fence, &problem, self.clock.now_ms()).await;
            }
        };
        let job = Arc::new(job);
        if job.undo {
            return self.take_back(&job, workflow).await;
        }
        let mut last_problem: Option<Problem> = None;
        let mut commands = machine.begin();
        // Each step is a task of its own, ended with this one. Polled here they could deadlock: one that stands inside a
        // transaction would not go on while this loop waits for the database to record another.
        let mut under_way = JoinSet::new();
        let mut cancelled = false;
        loop {
            for command in commands.drain(..) {
                let now = self.clock.now_ms();
                match command {
                    _ if cancelled => {}
                    Command::Run(i) => match self.begin_step(&job, workflow, i).await? {
                        Some(cx) => {
                            let step = workflow.steps[i].clone();
                            under_way.spawn(run_step(i, step, cx).in_current_span());
                        }
                        None => cancelled = true,
                    },
                    Command::SleepUntil(at) => return self.store.job_retry_wait(fence, at, now).await,
                    Command::Succeed => {
                        info!("succeeded");
                        return self.store.job_succeeded(fence, now).await;
                    }
                    Command::Park(i) => {
                        let problem = last_problem.unwrap_or_else(no_reason);
                        info!(code = problem.code, "parked");
                        return self.store.job_parked(fence, workflow.steps[i].key(), &problem, now).await;
                    }
                    Command::Fail(_) => {
                        let problem = last_problem.unwrap_or_else(no_reason);
                        warn!(code = problem.code, "failed");
                        return self.store.job_failed(fence, &problem, now).await;
                    }
                }
            }
            // Asked to stop: what is under way is waited for, nothing more is begun, and what was done is taken back by
            // whoever claims the job next.
            if cancelled && under_way.is_empty() {
                info!("cancelled");
                return self.store.job_undo(fence, self.clock.now_ms()).await;
            }
            let (i, outcome) = match under_way.join_next().await {
                Some(Ok(ended)) => ended,
                // Panics are caught inside; a task that was ended from outside means the runtime is going away.
                Some(Err(e)) => return Err(StoreError::Unavailable(e.to_string())),
                None => unreachable!("the machine commands an end when nothing is under way"),
            };
            let event =
                self.record(fence, &job.steps, &*workflow.steps[i], i, outcome, &mut last_problem).await?;
            commands = machine.on(&event);
        }
    }

    async fn begin_step(
        &self,
        job: &Arc<ClaimedJob>,
        workflow: &Workflow,
        i: usize,
    ) -> Result<Option<StepContext>, StoreError> {
        let key = workflow.steps[i].key();
        if self.store.step_started(job.fence, key, self.clock.now_ms()).await? {
            return Ok(None);
        }
        Ok(Some(self.context(job, key)))
    }

    fn context(&self, job: &Arc<ClaimedJob>, key: &'static str) -> StepContext {
        let before = job.steps.iter().find(|r| r.key == key);
        StepContext {
            job: job.clone(),
            step: key,
            attempt: before.map_or(0, |r| r.attempt) + 1,
            recorded_task: before.and_then(|r| r.provider_task.clone()),
            store: self.store.clone(),
        }
    }

    /// Takes back, one by one and the last first, every step that may have left something behind.
    async fn take_back(&self, job: &Arc<ClaimedJob>, workflow: &Workflow) -> Result<(), StoreError> {
        let fence = job.fence;
        for (i, step) in workflow.steps.iter().enumerate().rev() {
            let key = step.key();
            let Some(record) = job.steps.iter().find(|r| r.key == key && r.status.was_tried()) else {
                continue;
            };
            let (_, outcome) = try_step(i, step.clone(), self.context(job, key), Direction::Back).await;
            let now = self.clock.now_ms();
            match outcome {
                Outcome::Done(_) => self.store.step_undone(fence, key, now).await?,
                Outcome::RetryLater(problem) | Outcome::Unknown(problem) => {
                    let since = record.first_tried_at.unwrap_or(now);
                    let Some(at) = step.retry().next(record.attempt + 1, since, now) else {
                        return self.stuck(fence, key, &problem, now).await;
                    };
                    info!(step = key, code = problem.code, "taken back in vain, will retry");
                    self.store.step_retry(fence, key, &problem, at, now).await?;
                    return self.store.job_retry_wait(fence, at, now).await;
                }
                Outcome::Parked(problem) | Outcome::Failed(problem) => {
                    return self.stuck(fence, key, &problem, now).await;
                }
            }
        }
        info!("taken back");
        self.store.job_rolled_back(fence, self.clock.now_ms()).await
    }

    async fn stuck(&self, fence: Fence, key: &str, problem: &Problem, now: i64) -> Result<(), StoreError> {
        warn!(step = key, code = problem.code, detail = problem.detail, "could not be taken back");
        self.store.step_failed(fence, key, problem, now).await?;
        self.store.job_stuck(fence, problem, now).await
    }

    /// Records how a try ended and says what that means to the machine.
    async fn record(
        &self,
        fence: Fence,
        records: &[StepRecord],
        step: &dyn Step,
        i: usize,
        outcome: Outcome,
        last_problem: &mut Option<Problem>,
    ) -> Result<Event, StoreError> {
        let (key, now) = (step.key(), self.clock.now_ms());
        match outcome {
            Outcome::Done(output) => {
                debug!(step = key, "done");
                self.store.step_done(fence, key, &output, now).await?;
                Ok(Event::Done(i))
            }
            Outcome::RetryLater(problem) | Outcome::Unknown(problem) => {
                let before = records.iter().find(|r| r.key == key);
                let attempt = before.map_or(0, |r| r.attempt) + 1;
                let since = before.and_then(|r| r.first_tried_at).unwrap_or(now);
                match step.retry().next(attempt, since, now) {
                    Some(at) => {
                        info!(
                            step = key,
                            code = problem.code,
                            detail = problem.detail,
                            "tried in vain, will retry"
                        );
                        self.store.step_retry(fence, key, &problem, at, now).await?;
                        Ok(Event::Retry { step: i, at })
                    }
                    None => self.give_up(fence, key, i, problem, now, last_problem).await,
                }
            }
            Outcome::Parked(problem) => {
                last_problem.get_or_insert(problem);
                Ok(Event::Parked(i))
            }
            Outcome::Failed(problem) => self.give_up(fence, key, i, problem, now, last_problem).await,
        }
    }

    async fn give_up(
        &self,
        fence: Fence,
        key: &str,
        i: usize,
        problem: Problem,
        now: i64,
        last_problem: &mut Option<Problem>,
    ) -> Result<Event, StoreError> {
        warn!(step = key, code = problem.code, detail = problem.detail, "failed for good");
        self.store.step_failed(fence, key, &problem, now).await?;
        *last_problem = Some(problem);
        Ok(Event::Failed(i))
    }
}

fn no_reason() -> Problem {
    Problem::new(PANIC, "no reason was recorded")
}

async fn asked_to_stop(stopped: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same: nobody will ever ask again.
    let _ = stopped.wait_for(|s| *s).await;
}

#[derive(Clone, Copy)]
enum Direction {
    Forth,
    Back,
}

async fn run_step(i: usize, step: Arc<dyn Step>, cx: StepContext) -> (usize, Outcome) {
    try_step(i, step, cx, Direction::Forth).await
}

/// One try. A panic is a failure of the step, not of the worker.
async fn try_step(i: usize, step: Arc<dyn Step>, cx: StepContext, direction: Direction) -> (usize, Outcome) {
    let span = info_span!("step", key = step.key(), attempt = cx.attempt);
    let attempt = async {
        match direction {
            Direction::Forth => step.run(&cx).await,
            Direction::Back => step.undo(&cx).await,
        }
    };
    let tried = std::panic::AssertUnwindSafe(attempt).catch_unwind().instrument(span).await;
    let outcome = tried.unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .map(|s| (*s).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        Outcome::Failed(Problem::new(PANIC, text))
    });
    (i, outcome)
}
