//! One job under a claim, from its first try to its end: what is to be written, and what is to be tried once it is.
//!
//! Pure. A try ends, and [`Drive::ended`] says what to write of it: the end of the step, the steps that begin because of it,
//! the end of the job, in one [`Transition`]. Once that is written, [`Drive::written`] says what to try. Asked to stop, it
//! waits for what is under way, begins nothing, and takes back what was done, the last first.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::Value;

use crate::{
    machine::{Command, Event, Machine, ShapeError},
    outcome::{Outcome, Problem},
    record::{ClaimedJob, StepRecord, StepStatus},
    retry::RetryPolicy,
    transition::{JobChange, StepChange, StepTo, Transition, Written},
    workflow::{Registry, Workflow},
};

/// Codes of what the engine itself has to say.
pub const PANIC: &str = "panic";
pub const SHAPE_CHANGED: &str = "shape_changed";

#[derive(Clone, Debug)]
struct StepMeta {
    key: &'static str,
    retry: RetryPolicy,
    shared: bool,
}

/// Which way a step is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    Forth,
    Back,
}

/// A job under way.
#[derive(Clone, Debug)]
pub struct Drive {
    pub job: Arc<ClaimedJob>,
    steps: Vec<StepMeta>,
    records: Vec<StepRecord>,
    machine: Machine,
    /// The places of the steps, each after what it needs.
    order: Vec<usize>,
    /// Set once it takes back.
    back: bool,
    stop: bool,
    /// It has said that it turns back, and says so once, whatever else of it is on its way to be written.
    turning: bool,
    problem: Option<Problem>,
    /// What fails for good is taken back at once, until this step is done.
    turns_back_until: Option<&'static str>,
    /// Shared steps that failed for all and are tried for this job by itself.
    alone: BTreeSet<usize>,
}

/// What follows from what was written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Next {
    /// Steps to be tried now.
    pub tries: Vec<(usize, Direction)>,
    /// Something more to be written at once.
    pub transition: Option<Transition>,
    /// The claim has been given back, or the job is over.
    pub over: bool,
}

impl Drive {
    /// What a job that has just been claimed begins with. `None` leaves it to others: its shape is newer than what is known
    /// here.
    pub fn begin(job: &ClaimedJob, registry: &Registry, now: i64) -> Option<Transition> {
        let stay = |steps, change| Some(Transition { number: 0, fence: job.fence, steps, job: change });
        let fail = |detail| stay(vec![], JobChange::Fails(Problem::new(SHAPE_CHANGED, detail)));
        let Some(newest) = registry.newest(&job.kind) else {
            return fail(format!("there is no workflow for {}", job.kind));
        };
        let begun = job.steps.iter().any(|s| s.status.was_tried());
        let workflow = match registry.get(&job.kind, job.shape) {
            Some(workflow) => workflow,
            None if job.shape > newest.shape => return None,
            None if begun || job.undo => {
                let text = format!("accepted under shape {}, this program has {}", job.shape, newest.shape);
                return fail(text);
            }
            None => {
                // Nothing of it was begun: it is as good under the new shape.
                let steps = newest.keys();
                let fresh = ClaimedJob {
                    shape: newest.shape,
                    steps: steps.iter().map(|key| StepRecord::new(*key)).collect(),
                    ..job.clone()
                };
                let mut first = Self::begin(&fresh, registry, now)?;
                first.job = match first.job {
                    JobChange::Stays => JobChange::Replanned { shape: newest.shape, steps },
                    other => other,
                };
                return Some(first);
            }
        };
        match Self::new(job, workflow, now) {
            Ok((mut drive, _)) if job.undo => {
                let next = drive.next_back();
                stay(vec![], if next.is_some() { JobChange::Stays } else { JobChange::RolledBack })
            }
            Ok((mut drive, _)) => {
                let mut machine = Machine::resume(&workflow.shapes(), &job.steps, now).ok()?;
                let commands = machine.begin();
                drive.machine = machine;
                Some(drive.compose(vec![], commands))
            }
            Err(error) => fail(format!("shape {}: {error}", job.shape)),
        }
    }

    /// Takes up a job that was begun with the claim. Returns what to try first.
    pub fn take_up(
        job: &ClaimedJob,
        workflow: &Workflow,
        now: i64,
    ) -> Result<(Self, Vec<(usize, Direction)>), ShapeError> {
        let (mut drive, coming) = Self::new(job, workflow, now)?;
        if job.undo {
            let first = drive.next_back();
            return Ok((drive, first.map(|i| (i, Direction::Back)).into_iter().collect()));
        }
        Ok((drive, coming.into_iter().map(|i| (i, Direction::Forth)).collect()))
    }

    fn new(job: &ClaimedJob, workflow: &Workflow, now: i64) -> Result<(Self, Vec<usize>), ShapeError> {
        let (machine, coming) = Machine::taken_up(&workflow.shapes(), &job.steps, now)?;
        let meta = |s: &Arc<dyn crate::workflow::Step>| StepMeta {
            key: s.key(),
            retry: s.retry(),
            shared: s.shared(),
        };
        let records = workflow.steps.iter().filter_map(|s| job.step(s.key()).cloned()).collect();
        let drive = Self {
            job: Arc::new(job.clone()),
            steps: workflow.steps.iter().map(meta).collect(),
            records,
            order: machine.order(),
            machine,
            back: job.undo,
            stop: false,
            turning: false,
            problem: None,
            turns_back_until: workflow.turns_back_until,
            alone: BTreeSet::new(),
        };
        Ok((drive, coming))
    }

    pub fn record(&self, step: usize) -> &StepRecord {
        &self.records[step]
    }

    /// Whether others of its unit are to be waited for before this step.
    pub fn is_shared(&self, step: usize) -> bool {
        self.steps[step].shared && !self.back && !self.stop && !self.alone.contains(&step)
    }

    /// Whether it still comes to this step on its way.
    pub fn comes_to(&self, key: &str) -> bool {
        let record = self.records.iter().find(|r| r.key == key);
        !self.back && !self.stop && record.is_some_and(|r| r.status != StepStatus::Done)
    }

    /// From now on this shared step is tried for this job by itself.
    pub fn leave_the_others(&mut self, step: usize) {
        self.alone.insert(step);
    }

    /// A try has recorded the provider's task.
    pub fn saw_task(&mut self, key: &str, task: &str) {
        if let Some(record) = self.records.iter_mut().find(|r| r.key == key) {
            record.provider_task = Some(task.to_owned());
        }
    }

    /// What to write of a try that has ended.
    pub fn ended(&mut self, step: usize, outcome: Outcome, now: i64) -> Transition {
        if self.back {
            return self.ended_back(step, outcome, now);
        }
        let (to, event) = match outcome {
            Outcome::Done(output) => (self.done(step, output), Event::Done(step)),
            Outcome::RetryLater(problem) => self.unsuccessful(step, problem, false, now),
            Outcome::Unknown(problem) => self.unsuccessful(step, problem, true, now),
            Outcome::Parked(problem) => {
                self.problem.get_or_insert(problem);
                self.records[step].status = StepStatus::Pending;
                (StepTo::Untried, Event::Parked(step))
            }
            Outcome::Failed(problem) => self.failed(step, problem),
        };
        let commands = self.machine.on(&event);
        self.compose(vec![self.change(step, to)], commands)
    }

    fn change(&self, step: usize, to: StepTo) -> StepChange {
        StepChange { key: self.steps[step].key.to_owned(), to }
    }

    fn done(&mut self, step: usize, output: Value) -> StepTo {
        let record = &mut self.records[step];
        (record.status, record.retries, record.waited_ms, record.unknown) = (StepStatus::Done, 0, 0, false);
        record.output = (!output.is_null()).then(|| output.clone());
        StepTo::Done(output)
    }

    fn unsuccessful(&mut self, step: usize, problem: Problem, unknown: bool, now: i64) -> (StepTo, Event) {
        match self.retry(step, unknown, now) {
            Some((at, pause_ms)) => {
                (StepTo::Retry { problem, at, pause_ms, unknown }, Event::Retry { step, at })
            }
            None => self.failed(step, problem),
        }
    }

    /// When a step that was unsuccessful is due again, and after which pause.
    fn retry(&mut self, step: usize, unknown: bool, now: i64) -> Option<(i64, i64)> {
        let (policy, record) = (self.steps[step].retry, &mut self.records[step]);
        record.unknown |= unknown;
        record.retries += 1;
        let pause_ms = policy.next(record.retries, record.waited_ms, unknown)?.as_millis() as i64;
        record.waited_ms += pause_ms;
        record.status = StepStatus::RetryWait;
        record.retry_at = Some(now + pause_ms);
        Some((now + pause_ms, pause_ms))
    }

    fn failed(&mut self, step: usize, problem: Problem) -> (StepTo, Event) {
        self.records[step].status = StepStatus::Failed;
        self.problem = Some(problem.clone());
        (StepTo::Failed(problem), Event::Failed(step))
    }

    /// The changes of steps, and what the machine wants besides, as one transition.
    fn compose(&mut self, mut steps: Vec<StepChange>, commands: Vec<Command>) -> Transition {
        let mut job = JobChange::Stays;
        for command in commands {
            match command {
                // Asked to stop, nothing more is begun.
                Command::Run(i) if self.stop => self.machine.not_begun(i),
                Command::Run(i) => {
                    self.records[i].status = StepStatus::Running;
                    self.records[i].attempt += 1;
                    steps.push(self.change(i, StepTo::Started));
                }
                Command::SleepUntil(until) => job = JobChange::Sleeps { until },
                Command::Succeed => job = JobChange::Succeeds,
                Command::Park(_) => job = JobChange::Parks(self.reason()),
                Command::Fail(_) if self.turns_back() => job = JobChange::TurnsBack,
                Command::Fail(_) => job = JobChange::Fails(self.reason()),
            }
        }
        if self.stop && job != JobChange::Succeeds {
            let turns = self.machine.is_at_rest() && !self.turning;
            job = if turns { JobChange::TurnsBack } else { JobChange::Stays };
        }
        self.turning |= job == JobChange::TurnsBack;
        Transition { number: 0, fence: self.job.fence, steps, job }
    }

    fn turns_back(&self) -> bool {
        let until = self.turns_back_until.and_then(|key| self.steps.iter().position(|s| s.key == key));
        until.is_some_and(|i| self.records[i].status != StepStatus::Done)
    }

    fn reason(&self) -> Problem {
        self.problem.clone().unwrap_or_else(|| Problem::new(PANIC, "no reason was recorded"))
    }

    /// What follows once a transition has been written.
    pub fn written(&mut self, transition: &Transition, written: Written) -> Next {
        let started = transition.steps.iter().filter(|s| s.to == StepTo::Started);
        let mut places =
            started.filter_map(|s| self.steps.iter().position(|m| m.key == s.key)).collect::<Vec<_>>();
        // Turning back is what was asked for.
        if written.stop && !self.back && transition.job != JobChange::TurnsBack {
            self.stop = true;
            for i in places.drain(..) {
                self.records[i].status = StepStatus::Pending;
                self.machine.not_begun(i);
            }
            return match transition.job {
                JobChange::Succeeds => Next { over: true, ..Next::default() },
                _ if self.machine.is_at_rest() && !self.turning => {
                    self.turning = true;
                    let turn = Transition {
                        number: 0,
                        fence: self.job.fence,
                        steps: vec![],
                        job: JobChange::TurnsBack,
                    };
                    Next { transition: Some(turn), ..Next::default() }
                }
                _ => Next::default(),
            };
        }
        match transition.job {
            JobChange::TurnsBack => {
                self.back = true;
                for record in &mut self.records {
                    (record.retries, record.waited_ms) = (0, 0);
                }
                match self.next_back() {
                    Some(i) => Next { tries: vec![(i, Direction::Back)], ..Next::default() },
                    None => {
                        let end = Transition {
                            number: 0,
                            fence: self.job.fence,
                            steps: vec![],
                            job: JobChange::RolledBack,
                        };
                        Next { transition: Some(end), ..Next::default() }
                    }
                }
            }
            JobChange::Stays | JobChange::Replanned { .. } if self.back => {
                let undone = transition.steps.iter().any(|s| s.to == StepTo::Undone);
                let next = undone.then(|| self.next_back()).flatten();
                Next { tries: next.map(|i| (i, Direction::Back)).into_iter().collect(), ..Next::default() }
            }
            JobChange::Stays | JobChange::Replanned { .. } => {
                Next { tries: places.into_iter().map(|i| (i, Direction::Forth)).collect(), ..Next::default() }
            }
            _ => Next { over: true, ..Next::default() },
        }
    }

    /// The step to be taken back next: the last that may have left something behind.
    fn next_back(&mut self) -> Option<usize> {
        self.order.iter().rev().copied().find(|i| self.records[*i].status.was_tried())
    }

    fn ended_back(&mut self, step: usize, outcome: Outcome, now: i64) -> Transition {
        let stuck = |drive: &Self, problem: Problem| {
            let steps = vec![drive.change(step, StepTo::Failed(problem.clone()))];
            Transition { number: 0, fence: drive.job.fence, steps, job: JobChange::Stuck(problem) }
        };
        match outcome {
            Outcome::Done(_) => {
                self.records[step].status = StepStatus::Undone;
                let job = if self.next_back().is_some() { JobChange::Stays } else { JobChange::RolledBack };
                Transition {
                    number: 0,
                    fence: self.job.fence,
                    steps: vec![self.change(step, StepTo::Undone)],
                    job,
                }
            }
            Outcome::RetryLater(problem) | Outcome::Unknown(problem) => match self.retry(step, false, now) {
                Some((at, pause_ms)) => {
                    let to = StepTo::Retry { problem, at, pause_ms, unknown: false };
                    let steps = vec![self.change(step, to)];
                    Transition {
                        number: 0,
                        fence: self.job.fence,
                        steps,
                        job: JobChange::Sleeps { until: at },
                    }
                }
                None => stuck(self, problem),
            },
            Outcome::Parked(problem) | Outcome::Failed(problem) => stuck(self, problem),
        }
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use uuid::Uuid;

    use super::*;
    use crate::{
        record::Fence,
        workflow::{Step, StepContext},
    };

    struct Nothing(&'static str);

    #[async_trait]
    impl Step for Nothing {
        fn key(&self) -> &'static str {
            self.0
        }
        fn after(&self) -> &'static [&'static str] {
            &[]
        }
        async fn run(&self, _: &StepContext) -> Outcome {
            Outcome::done()
        }
        async fn undo(&self, _: &StepContext) -> Outcome {
            Outcome::done()
        }
    }

    /// Two steps side by side, both under way.
    fn under_way() -> Drive {
        let steps: Vec<Arc<dyn Step>> = vec![Arc::new(Nothing("a")), Arc::new(Nothing("b"))];
        let workflow = Workflow { kind: "power", shape: 1, steps, turns_back_until: None };
        let running =
            |key: &str| StepRecord { status: StepStatus::Running, attempt: 1, ..StepRecord::new(key) };
        let job = ClaimedJob {
            fence: Fence { job: Uuid::nil(), context: Uuid::nil(), epoch: 1 },
            unit: Uuid::nil(),
            number: 1,
            kind: "power".into(),
            target: None,
            params: Value::Null,
            shape: 1,
            steps: vec![running("a"), running("b")],
            undo: false,
        };
        Drive::take_up(&job, &workflow, 0).unwrap().0
    }

    /// The answer to the first of two changes says that it is to stop when the second is already on its way.
    #[test]
    fn it_turns_back_once_whatever_is_on_its_way() {
        let stop = Written { stop: true };
        let mut drive = under_way();
        let first = drive.ended(0, Outcome::RetryLater(Problem::new("busy", "")), 0);
        let second = drive.ended(1, Outcome::done(), 0);
        assert!(matches!(second.job, JobChange::Sleeps { .. }));
        let Next { tries, transition, over } = drive.written(&first, stop);
        let turn = transition.expect("nothing is under way any more");
        assert!(turn.job == JobChange::TurnsBack && tries.is_empty() && !over);
        let next = drive.written(&second, stop);
        assert!(next.transition.is_none() && next.tries.is_empty() && !next.over, "it has been said");
        let next = drive.written(&turn, stop);
        assert_eq!((next.tries, next.transition), (vec![(1, Direction::Back)], None), "one try to take back");
    }
}
