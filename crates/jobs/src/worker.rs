//! The worker: an [`Engine`] with a real clock, a real store, and a task for each try.
//!
//! Claims are kept by heartbeats. Asked to end, a worker begins nothing more, waits for what is being sent to be recorded,
//! ends the tries where they stand and gives its claims back: whoever claims the jobs next continues from the record, as
//! after a crash.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures::FutureExt;
use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    task::{AbortHandle, JoinHandle},
    time::{Instant, sleep, sleep_until, timeout},
};
use tracing::{Instrument, debug, info, info_span, warn};
use uuid::Uuid;

use crate::{
    clock::Clock,
    drive::{Direction, PANIC},
    engine::{Command, Engine, EngineConfig, Event, Try},
    outcome::{Outcome, Problem},
    store::{JobStore, StoreError},
    workflow::{Registry, Step, StepContext, TaskSeen},
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
    /// How long what is being sent is waited for at the end.
    pub grace: Duration,
}

impl WorkerConfig {
    pub fn new(owner: impl Into<String>) -> Self {
        Self {
            owner: owner.into(),
            slots: 128,
            claim_for: Duration::from_secs(8),
            scan_every: Duration::from_secs(5),
            grace: Duration::from_secs(10),
        }
    }
}

pub struct Worker {
    store: Arc<dyn JobStore>,
    clock: Arc<dyn Clock>,
    config: WorkerConfig,
    wake: Arc<Notify>,
    registry: Arc<Registry>,
}

/// A running worker.
pub struct WorkerHandle {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl WorkerHandle {
    /// Begins nothing more, lets go of the jobs under way, gives their claims back.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let _ = self.task.await;
    }
}

/// After a turn that failed the next one waits a moment: a database that is gone is not asked in a circle.
const AFTER_FAILURE: Duration = Duration::from_millis(200);
/// A database that does not say what is due in this time is asked again at the next scan.
const LOOK_MAX: Duration = Duration::from_millis(500);
/// The shortest pause before what is due is looked for again.
const PAUSE_MIN: Duration = Duration::from_millis(10);

impl Worker {
    /// `wake` is notified by whoever commits something that may have made a job runnable.
    pub fn new(
        store: Arc<dyn JobStore>,
        registry: Arc<Registry>,
        clock: Arc<dyn Clock>,
        config: WorkerConfig,
        wake: Arc<Notify>,
    ) -> Self {
        Self { store, clock, config, wake, registry }
    }

    pub fn start(self) -> WorkerHandle {
        let (stop, stopped) = watch::channel(false);
        WorkerHandle { stop, task: tokio::spawn(self.run(stopped)) }
    }

    async fn run(self, mut stopped: watch::Receiver<bool>) {
        let (events, mut happened) = mpsc::unbounded_channel();
        let (tasks, mut seen) = mpsc::unbounded_channel();
        let engine = EngineConfig {
            owner: self.config.owner.clone(),
            slots: self.config.slots,
            claim_for: self.config.claim_for,
            turns: self.store.turns_at_once(),
        };
        let mut shell = Shell {
            engine: Engine::new(self.registry.clone(), engine),
            store: self.store.clone(),
            clock: self.clock.clone(),
            events,
            tasks,
            tries: HashMap::new(),
            recorded: HashMap::new(),
            next_token: 0,
            stopping: false,
        };
        let (mut scan, mut beat) = (Instant::now(), Instant::now() + self.config.claim_for / 3);
        let mut end: Option<Instant> = None;
        loop {
            shell.flow();
            if let Some(at) = shell.engine.take_due_at() {
                scan = scan.min(Instant::now() + shell.until(at));
            }
            if end.is_some_and(|end| Instant::now() >= end || shell.may_end()) {
                break;
            }
            tokio::select! {
                biased;
                Some(event) = happened.recv() => {
                    shell.on(event);
                    // Whatever else has happened goes into the same turn.
                    while let Ok(event) = happened.try_recv() {
                        shell.on(event);
                    }
                    while let Ok(task) = seen.try_recv() {
                        shell.task_seen(task);
                    }
                }
                Some(task) = seen.recv() => shell.task_seen(task),
                () = self.wake.notified() => shell.on(Event::Woken),
                () = sleep_until(scan), if end.is_none() => {
                    shell.on(Event::Due);
                    scan = Instant::now() + shell.pause(self.config.scan_every).await;
                }
                () = sleep_until(beat) => {
                    shell.renew(&self.config);
                    beat = Instant::now() + self.config.claim_for / 3;
                }
                () = asked_to_stop(&mut stopped), if end.is_none() => {
                    shell.on(Event::Stop);
                    shell.stopping = true;
                    end = Some(Instant::now() + self.config.grace);
                }
                // While it is ending nothing may happen any more that would wake it.
                () = sleep(PAUSE_MIN), if end.is_some() => {}
            }
        }
        shell.let_go(&self.config).await;
    }
}

struct Shell {
    engine: Engine,
    store: Arc<dyn JobStore>,
    clock: Arc<dyn Clock>,
    events: mpsc::UnboundedSender<Event>,
    tasks: mpsc::UnboundedSender<TaskSeen>,
    /// The tries under way, by job.
    tries: HashMap<Uuid, Vec<AbortHandle>>,
    recorded: HashMap<u64, oneshot::Sender<Result<(), StoreError>>>,
    next_token: u64,
    stopping: bool,
}

impl Shell {
    fn on(&mut self, event: Event) {
        if let Event::Turned { result: Err(e), .. } = &event {
            warn!("{e}");
        }
        let commands = self.engine.on(event, self.clock.now_ms(), self.clock.mono_ms());
        self.carry_out(commands);
    }

    fn task_seen(&mut self, seen: TaskSeen) {
        let TaskSeen { fence, step, task, recorded } = seen;
        self.next_token += 1;
        self.recorded.insert(self.next_token, recorded);
        self.on(Event::TaskSeen { fence, step, task, token: self.next_token });
    }

    fn flow(&mut self) {
        let commands = self.engine.flow(self.clock.now_ms(), self.clock.mono_ms());
        self.carry_out(commands);
    }

    fn carry_out(&mut self, commands: Vec<Command>) {
        for command in commands {
            match command {
                Command::Turn(number, turn) => {
                    let (store, events) = (self.store.clone(), self.events.clone());
                    tokio::spawn(async move {
                        let result = store.turn(turn).await;
                        if result.is_err() {
                            sleep(AFTER_FAILURE).await;
                        }
                        let _ = events.send(Event::Turned { turn: number, result });
                    });
                }
                Command::Try(..) | Command::Together(_) if self.stopping => {}
                Command::Try(what, direction) => self.begin(what, direction),
                Command::Together(all) => self.begin_together(all),
                Command::Abandon(job) => {
                    warn!(%job, "the claim was lost; nothing more is done under it");
                    self.tries.remove(&job).into_iter().flatten().for_each(|t| t.abort());
                }
                Command::Recorded { token, result } => {
                    if let Some(waiting) = self.recorded.remove(&token) {
                        let _ = waiting.send(result);
                    }
                }
            }
        }
    }

    /// Prolongs the claims that are held. One that hangs is no renewal; the next is asked for in time.
    fn renew(&self, config: &WorkerConfig) {
        let (store, events) = (self.store.clone(), self.events.clone());
        let (held, owner, claim_for) = (self.engine.held(), config.owner.clone(), config.claim_for);
        let (now, asked_at) = (self.clock.now_ms(), self.clock.mono_ms());
        tokio::spawn(async move {
            let result = timeout(claim_for / 3, store.renew(&owner, &held, now, claim_for))
                .await
                .unwrap_or_else(|_| Err(StoreError::Unavailable("it took too long".into())));
            if let Err(e) = &result {
                warn!("the claims were not renewed: {e}");
            }
            let _ = events.send(Event::Renewed { asked_at, result });
        });
    }

    fn step(&self, what: &Try) -> Option<Arc<dyn Step>> {
        let workflow = self.engine.registry().get(&what.job.kind, what.job.shape)?;
        workflow.steps.get(what.step).cloned()
    }

    fn context(&self, what: &Try, key: &'static str) -> StepContext {
        StepContext {
            job: what.job.clone(),
            step: key,
            attempt: what.attempt.max(1),
            recorded_task: what.recorded_task.clone(),
            unknown: what.unknown,
            lease: what.lease.clone(),
            clock: self.clock.clone(),
            tasks: self.tasks.clone(),
        }
    }

    fn begin(&mut self, what: Try, direction: Direction) {
        let Some(step) = self.step(&what) else { return };
        let cx = self.context(&what, step.key());
        let (fence, place, events) = (what.job.fence, what.step, self.events.clone());
        let span = info_span!("job", number = what.job.number, kind = %what.job.kind, step = step.key());
        let tried = async move {
            let outcome = try_step(&*step, &cx, direction).await;
            note(&outcome, direction);
            let _ = events.send(Event::Ended { fence, step: place, direction, outcome });
        };
        self.keep(fence.job, tokio::spawn(tried.instrument(span)).abort_handle());
    }

    fn begin_together(&mut self, all: Vec<Try>) {
        let Some(step) = all.first().and_then(|first| self.step(first)) else { return };
        let contexts: Vec<StepContext> = all.iter().map(|t| self.context(t, step.key())).collect();
        let members: Vec<_> = all.iter().map(|t| t.job.fence).collect();
        let (place, events) = (all[0].step, self.events.clone());
        let span = info_span!("jobs", first = all[0].job.number, many = all.len(), step = step.key());
        let fences = members.clone();
        let tried = async move {
            let together = std::panic::AssertUnwindSafe(step.run_together(&contexts)).catch_unwind().await;
            let mut outcomes = together.unwrap_or_else(|panic| vec![panicked(&*panic); contexts.len()]);
            // A step that answers for fewer than it was asked for has failed for the rest.
            outcomes
                .resize_with(contexts.len(), || Outcome::Failed(Problem::new(PANIC, "no outcome was given")));
            outcomes.iter().for_each(|o| note(o, Direction::Forth));
            let _ = events.send(Event::EndedTogether { members: fences, step: place, outcomes });
        };
        let handle = tokio::spawn(tried.instrument(span)).abort_handle();
        for fence in members {
            self.keep(fence.job, handle.clone());
        }
    }

    fn keep(&mut self, job: Uuid, handle: AbortHandle) {
        let tries = self.tries.entry(job).or_default();
        tries.retain(|t| !t.is_finished());
        tries.push(handle);
        if self.tries.len() > 2 * self.engine.busy().max(64) {
            self.tries.retain(|_, tries| tries.iter().any(|t| !t.is_finished()));
        }
    }

    fn until(&self, at: i64) -> Duration {
        Duration::from_millis((at - self.clock.now_ms()).max(0) as u64)
    }

    /// Until the next look for what is due.
    async fn pause(&self, longest: Duration) -> Duration {
        match timeout(LOOK_MAX, self.store.next_due()).await {
            Ok(Ok(Some(at))) => self.until(at).clamp(PAUSE_MIN, longest),
            _ => longest,
        }
    }

    /// Everything that was sent is recorded, and everything that ended is written.
    fn may_end(&self) -> bool {
        !self.engine.is_sending() && self.engine.has_written() && self.recorded.is_empty()
    }

    async fn let_go(self, config: &WorkerConfig) {
        let under_way = self.tries.into_values().flatten().filter(|t| !t.is_finished());
        let handles: Vec<AbortHandle> = under_way.inspect(AbortHandle::abort).collect();
        // A try that is inside a call ends at its next pause; what it could still write is fenced by then.
        let all_ended = async {
            while handles.iter().any(|t| !t.is_finished()) {
                sleep(Duration::from_millis(2)).await;
            }
        };
        let _ = timeout(Duration::from_secs(1), all_ended).await;
        info!("let go for the next worker");
        if let Err(e) = self.store.release(&config.owner, self.clock.now_ms()).await {
            warn!("the claims were not given back: {e}");
        }
    }
}

async fn asked_to_stop(stopped: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same: nobody will ever ask again.
    let _ = stopped.wait_for(|s| *s).await;
}

fn note(outcome: &Outcome, direction: Direction) {
    match outcome {
        Outcome::Done(_) => debug!(?direction, "done"),
        Outcome::RetryLater(p) | Outcome::Unknown(p) => {
            info!(?direction, code = p.code, detail = p.detail, "tried in vain");
        }
        Outcome::Parked(p) => info!(code = p.code, "parked"),
        Outcome::Failed(p) => warn!(?direction, code = p.code, detail = p.detail, "failed for good"),
    }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Outcome {
    let text = panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    Outcome::Failed(Problem::new(PANIC, text))
}

/// One try. A panic is a failure of the step, not of the worker.
async fn try_step(step: &dyn Step, cx: &StepContext, direction: Direction) -> Outcome {
    let attempt = async {
        match direction {
            Direction::Forth => step.run(cx).await,
            Direction::Back => step.undo(cx).await,
        }
    };
    let tried = std::panic::AssertUnwindSafe(attempt).catch_unwind().await;
    tried.unwrap_or_else(|panic| panicked(&*panic))
}
