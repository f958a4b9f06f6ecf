//! The store in memory: the contract of [`JobStore`](jobs::JobStore) once more, as plainly as it can be written.
//!
//! For the campaign only. What it promises is what the store on the database promises: `tests/model.rs` asks both the same
//! and compares their answers.

use std::{collections::BTreeMap, time::Duration};

use domain::kind::Scope;
use jobs::{
    ClaimedJob, Fence, JobChange, StepRecord, StepStatus, StepTo, StoreError, Transition, Turn, Turned,
    Written,
};
use synchronizer::{Entry, Matrix, Phase, joiners, startable};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Queued,
    Running,
    RetryWait,
    Parked,
    Failed,
    RollingBack,
    RolledBack,
    Stuck,
    Succeeded,
    Cancelled,
}

impl State {
    pub fn is_over(self) -> bool {
        matches!(self, Self::RolledBack | Self::Succeeded | Self::Cancelled)
    }

    fn has_claim(self) -> bool {
        matches!(self, Self::Running | Self::RollingBack)
    }
}

#[derive(Clone, Debug)]
pub struct Job {
    pub id: Uuid,
    pub context: Uuid,
    pub target: Uuid,
    pub kind: &'static str,
    pub seq: i64,
    pub state: State,
    pub hold: Scope,
    pub finished: bool,
    pub epoch: i64,
    /// The number of the latest change under this claim, and whether it was told to stop.
    pub last_write: (i64, bool),
    /// A step that was done, or taken back, was recorded so once more.
    pub recorded_twice: bool,
    pub undo: bool,
    pub stop: bool,
    pub unit: Option<Uuid>,
    pub next_attempt_at: i64,
    pub owner: String,
    pub expires_at: i64,
    pub steps: Vec<StepRecord>,
    /// The states it has been in.
    pub history: Vec<State>,
}

/// Mistakes of a store that can be planted in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faulty {
    pub fence_not_checked: bool,
    pub epoch_not_raised: bool,
    pub order_ignored: bool,
    pub ends_not_settled: bool,
    pub stop_forgotten: bool,
    pub cap_ignored: bool,
    pub claims_before_they_run_out: bool,
    pub undo_forgets_steps: bool,
    pub unit_ignored: bool,
    pub task_not_recorded: bool,
    pub repeats_not_known: bool,
}

pub struct MemoryStore {
    pub jobs: BTreeMap<Uuid, Job>,
    pub matrix: Matrix,
    pub cap: usize,
    pub faulty: Faulty,
    seqs: BTreeMap<Uuid, i64>,
}

impl MemoryStore {
    pub fn new(matrix: Matrix, cap: usize) -> Self {
        Self { jobs: BTreeMap::new(), matrix, cap, faulty: Faulty::default(), seqs: BTreeMap::new() }
    }

    pub fn accept(
        &mut self,
        id: Uuid,
        context: Uuid,
        target: Uuid,
        kind: &'static str,
        hold: Scope,
        steps: &[&str],
    ) {
        let seq = self.next_seq(context);
        let job = Job {
            id,
            context,
            target,
            kind,
            seq,
            state: State::Queued,
            hold,
            finished: false,
            epoch: 0,
            last_write: (0, false),
            recorded_twice: false,
            undo: false,
            stop: false,
            unit: None,
            next_attempt_at: 0,
            owner: String::new(),
            expires_at: 0,
            steps: steps.iter().map(|key| StepRecord::new(*key)).collect(),
            history: vec![State::Queued],
        };
        self.jobs.insert(id, job);
    }

    fn next_seq(&mut self, context: Uuid) -> i64 {
        let seq = self.seqs.entry(context).or_default();
        *seq += 1;
        *seq
    }

    /// The unfinished jobs of a context as the synchronizer sees them.
    pub fn entries(&self, context: Uuid) -> Vec<Entry> {
        let unfinished = self.jobs.values().filter(|j| j.context == context && !j.finished);
        unfinished
            .map(|j| Entry {
                key: j.id.as_u128(),
                kind: self.matrix.kind(j.kind).expect("a kind of the matrix"),
                target: Some(j.target.as_u128()),
                seq: j.seq,
                phase: match j.state {
                    State::Queued => Phase::Queued,
                    State::Parked => Phase::Parked,
                    State::Running | State::RetryWait | State::RollingBack => Phase::Started,
                    _ => Phase::Holding(j.hold),
                },
                needs: None,
                unit: j.unit.filter(|_| !self.faulty.unit_ignored).map(|u| u.as_u128()),
            })
            .collect()
    }

    /// A failed job is run again, or taken back.
    pub fn resume(&mut self, id: Uuid, undo: bool) -> bool {
        let Some(job) = self.jobs.get(&id) else { return false };
        if !matches!(job.state, State::Failed | State::Stuck) {
            return false;
        }
        let (context, held) = (job.context, !job.finished);
        let seq = if held { job.seq } else { self.next_seq(context) };
        let forgets = self.faulty.undo_forgets_steps;
        let Some(job) = self.jobs.get_mut(&id) else { return false };
        (job.state, job.undo, job.finished, job.stop, job.unit) = (State::Queued, undo, false, false, None);
        job.seq = seq;
        job.history.push(State::Queued);
        for step in &mut job.steps {
            (step.retries, step.waited_ms, step.retry_at) = (0, 0, None);
            let open =
                matches!(step.status, StepStatus::Failed | StepStatus::RetryWait | StepStatus::Running);
            // What was taken back before it got stuck is done again.
            let open = open || (!undo && step.status == StepStatus::Undone);
            if open && (!undo || forgets) {
                step.status = StepStatus::Pending;
            }
        }
        true
    }

    /// Somebody asks for a job to be stopped.
    pub fn stop(&mut self, id: Uuid, now: i64) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        match job.state {
            State::Queued | State::Parked if job.undo => {}
            State::Queued | State::Parked => {
                if job.steps.iter().any(|s| s.status.was_tried()) {
                    (job.undo, job.stop, job.state) = (true, true, State::Queued);
                } else {
                    (job.state, job.finished) = (State::Cancelled, true);
                }
                job.history.push(job.state);
            }
            State::Running | State::RetryWait if !job.undo && !job.stop => {
                // One that sleeps is woken, and with it what it waited for.
                (job.stop, job.next_attempt_at) = (true, now);
                for step in job.steps.iter_mut().filter(|s| s.status == StepStatus::RetryWait) {
                    step.retry_at = Some(now);
                }
            }
            _ => {}
        }
    }

    /// What waits of this kind for a server that has ended is cancelled.
    pub fn cancel_waiting(&mut self, target: Uuid, kind: &str) {
        let waiting = |j: &&mut Job| matches!(j.state, State::Parked | State::Queued);
        for job in self.jobs.values_mut().filter(|j| j.target == target && j.kind == kind).filter(waiting) {
            (job.state, job.finished) = (State::Cancelled, true);
            job.history.push(State::Cancelled);
        }
    }

    /// A parked job is granted what it waits for.
    pub fn grant(&mut self, id: Uuid) {
        let Some(context) = self.jobs.get(&id).filter(|j| j.state == State::Parked).map(|j| j.context) else {
            return;
        };
        let seq = self.next_seq(context);
        if let Some(job) = self.jobs.get_mut(&id) {
            (job.state, job.seq) = (State::Queued, seq);
            job.history.push(State::Queued);
        }
    }

    pub fn renew(&mut self, owner: &str, held: &[Fence], now: i64, claim_for: Duration) -> Vec<Fence> {
        let until = now + claim_for.as_millis() as i64;
        let held = |j: &Job| held.iter().any(|f| f.job == j.id && f.epoch == j.epoch);
        let mine = self.jobs.values_mut().filter(|j| j.owner == owner && j.state.has_claim() && held(j));
        mine.map(|j| {
            j.expires_at = until;
            Fence { job: j.id, context: j.context, epoch: j.epoch }
        })
        .collect()
    }

    pub fn turn(&mut self, turn: &Turn, now: i64) -> Turned {
        let mut turned = Turned::default();
        let mut ended = Vec::new();
        for write in &turn.writes {
            turned.written.push(self.apply(write, &mut ended));
        }
        let mut units: Vec<(Option<Uuid>, Vec<Uuid>, bool)> = Vec::new();
        for (unit, context) in &turn.open {
            let entries = self.entries(*context);
            let members: Vec<u128> =
                entries.iter().filter(|e| e.unit == Some(unit.as_u128())).map(|e| e.key).collect();
            let joined = joiners(&self.matrix, &entries, &members);
            units.push((Some(*unit), joined.into_iter().map(Uuid::from_u128).collect(), true));
        }
        let settles = turn.due || !self.faulty.ends_not_settled;
        if turn.want > 0 && (turn.look || !ended.is_empty()) && settles {
            units.extend(self.claimable(turn, now, &ended));
        }
        let busy = self.jobs.values().filter(|j| j.state.has_claim()).count();
        let mut places = if self.faulty.cap_ignored { usize::MAX } else { self.cap.saturating_sub(busy) };
        let mut want = turn.want.max(turn.open.len() * 100);
        for (unit, jobs, needs_place) in units {
            let name = unit.or(jobs.first().copied());
            for id in jobs {
                if want == 0 || (needs_place && places == 0) {
                    break;
                }
                if let Some(job) = self.take(id, turn, now, name) {
                    want -= 1;
                    places -= usize::from(needs_place && places != usize::MAX);
                    turned.claimed.extend(job);
                }
            }
        }
        let contexts: std::collections::BTreeSet<Uuid> = self.jobs.values().map(|j| j.context).collect();
        turned.more = contexts.into_iter().any(|c| !startable(&self.matrix, &self.entries(c)).is_empty());
        turned
    }

    fn claimable(&self, turn: &Turn, now: i64, ended: &[Uuid]) -> Vec<(Option<Uuid>, Vec<Uuid>, bool)> {
        let contexts: std::collections::BTreeSet<Uuid> = self.jobs.values().map(|j| j.context).collect();
        let running =
            |c: &Uuid| self.jobs.values().filter(|j| j.context == *c && j.state.has_claim()).count();
        let mut contexts: Vec<Uuid> =
            contexts.into_iter().filter(|c| turn.look || ended.contains(c)).collect();
        contexts.sort_by_key(running);
        let mut units = Vec::new();
        for context in contexts {
            let mut entries = self.entries(context);
            if self.faulty.order_ignored {
                entries.iter_mut().filter(|e| e.phase != Phase::Queued).for_each(|e| e.phase = Phase::Parked);
            }
            for unit in startable(&self.matrix, &entries) {
                units.push((None, unit.into_iter().map(Uuid::from_u128).collect(), true));
            }
            for job in self.jobs.values().filter(|j| turn.due && j.context == context) {
                let early = if self.faulty.claims_before_they_run_out { 5_000 } else { 0 };
                if job.state == State::RetryWait && job.next_attempt_at <= now {
                    units.push((None, vec![job.id], true));
                } else if job.state.has_claim() && job.expires_at - early <= now {
                    units.push((None, vec![job.id], false));
                }
            }
        }
        units
    }

    /// Claims a job and begins it. `None` where it was left.
    fn take(&mut self, id: Uuid, turn: &Turn, now: i64, unit: Option<Uuid>) -> Option<Option<ClaimedJob>> {
        let before = self.jobs.get(&id)?.clone();
        let raise = i64::from(!self.faulty.epoch_not_raised);
        let job = self.jobs.get_mut(&id)?;
        if job.stop && !job.undo {
            job.undo = true;
        }
        job.unit = if job.state == State::Queued { unit } else { job.unit.or(Some(id)) };
        job.state = if job.undo { State::RollingBack } else { State::Running };
        job.epoch += raise;
        job.owner.clone_from(&turn.owner);
        job.last_write = (0, false);
        job.expires_at = now + turn.claim_for.as_millis() as i64;
        let mut claimed = ClaimedJob {
            fence: Fence { job: id, context: job.context, epoch: job.epoch },
            unit: job.unit.unwrap_or(id),
            number: job.seq,
            kind: job.kind.to_owned(),
            target: Some(job.target),
            params: serde_json::Value::Null,
            shape: 1,
            steps: job.steps.clone(),
            undo: job.undo,
        };
        let Some(first) = turn.begin.begin(&claimed) else {
            self.jobs.insert(id, before);
            return None;
        };
        job.history.push(job.state);
        change(job, &first, false, self.faulty);
        if !first.job.keeps_claim() {
            return Some(None);
        }
        claimed.steps.clone_from(&self.jobs.get(&id)?.steps);
        Some(Some(claimed))
    }

    fn apply(&mut self, write: &Transition, ended: &mut Vec<Uuid>) -> Result<Written, StoreError> {
        let faulty = self.faulty;
        let Some(job) = self.jobs.get_mut(&write.fence.job) else { return Err(StoreError::Fenced) };
        let stale = job.epoch != write.fence.epoch;
        if !stale && !faulty.repeats_not_known && write.number > 0 && write.number <= job.last_write.0 {
            return Ok(Written { stop: job.last_write.1 });
        }
        if (stale || !job.state.has_claim()) && !faulty.fence_not_checked {
            return Err(StoreError::Fenced);
        }
        let stop = job.stop && !job.undo && !faulty.stop_forgotten;
        if write.number > 0 {
            job.last_write = (write.number, stop);
        }
        change(job, write, stop, faulty);
        if !write.job.keeps_claim() {
            ended.push(job.context);
        }
        Ok(Written { stop })
    }
}

fn change(job: &mut Job, write: &Transition, stop: bool, faulty: Faulty) {
    for step in &write.steps {
        let Some(record) = job.steps.iter_mut().find(|s| s.key == step.key) else { continue };
        job.recorded_twice |= matches!(
            (&step.to, record.status),
            (StepTo::Done(_), StepStatus::Done) | (StepTo::Undone, StepStatus::Undone)
        );
        let unchanged = matches!(step.to, StepTo::Task(_)) || (stop && step.to == StepTo::Started);
        if !unchanged {
            record.retry_at = None;
        }
        if matches!(step.to, StepTo::Done(_) | StepTo::Untried | StepTo::Undone) {
            (record.retries, record.waited_ms, record.unknown) = (0, 0, false);
        }
        match &step.to {
            StepTo::Started if stop => {}
            StepTo::Started => {
                record.status = StepStatus::Running;
                record.attempt += 1;
            }
            StepTo::Task(_) if faulty.task_not_recorded => {}
            StepTo::Task(task) => record.provider_task = Some(task.clone()),
            StepTo::Done(_) => record.status = StepStatus::Done,
            StepTo::Retry { at, pause_ms, unknown, .. } => {
                record.status = StepStatus::RetryWait;
                record.retry_at = Some(*at);
                record.retries += 1;
                record.waited_ms += pause_ms;
                record.unknown |= unknown;
            }
            StepTo::Failed(_) => record.status = StepStatus::Failed,
            StepTo::Untried => record.status = StepStatus::Pending,
            StepTo::Undone => record.status = StepStatus::Undone,
        }
    }
    if stop && write.job.yields_to_stop() {
        return;
    }
    let to = match &write.job {
        JobChange::Stays | JobChange::Replanned { .. } => return,
        JobChange::Sleeps { until } => {
            job.next_attempt_at = *until;
            State::RetryWait
        }
        JobChange::Parks(_) => {
            job.unit = None;
            State::Parked
        }
        JobChange::TurnsBack => {
            job.undo = true;
            State::RollingBack
        }
        JobChange::Succeeds => State::Succeeded,
        JobChange::Fails(_) => State::Failed,
        JobChange::RolledBack => State::RolledBack,
        JobChange::Stuck(_) => {
            if job.hold == Scope::None {
                job.hold = Scope::SameServer;
            }
            State::Stuck
        }
    };
    job.finished = to.is_over() || (to == State::Failed && job.hold == Scope::None);
    job.state = to;
    job.history.push(to);
}
