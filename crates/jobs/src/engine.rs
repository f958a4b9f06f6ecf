//! A whole worker without a clock, a store or tasks of its own: events in, commands out.
//!
//! Whoever runs it, a real worker or a simulation from a seed, tells it what has happened and does what it says. It has a
//! turn of the store under way, or a few over different contexts; what ends meanwhile goes into the next. Jobs of one unit
//! are kept together: before a shared step it waits for those still on their way to it, asks the store for others that may
//! join, and has the step done once for all of them.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
    time::Duration,
};

use uuid::Uuid;

use crate::{
    drive::{Direction, Drive, Next},
    outcome::Outcome,
    record::{ClaimedJob, Fence},
    store::{Begin, StoreError, Turn, Turned},
    transition::{JobChange, StepChange, StepTo, Transition, Written},
    workflow::{Lease, Registry},
};

/// What an engine is told.
#[derive(Debug)]
pub enum Event {
    /// Something was committed that may have made a job runnable.
    Woken,
    /// A retry or an expired claim may be due.
    Due,
    /// A try has ended.
    Ended { fence: Fence, step: usize, direction: Direction, outcome: Outcome },
    /// A shared try has ended, for each of those who made it.
    EndedTogether { members: Vec<Fence>, step: usize, outcomes: Vec<Outcome> },
    /// A try has sent something and wants the task recorded.
    TaskSeen { fence: Fence, step: &'static str, task: String, token: u64 },
    /// The turn of this number has ended.
    Turned { turn: u64, result: Result<Turned, StoreError> },
    /// Claims were renewed, as asked at this moment (monotonic ms).
    Renewed { asked_at: i64, result: Result<Vec<Fence>, StoreError> },
    /// Time has passed.
    Tick,
    /// Begin nothing more.
    Stop,
}

/// A try to be made.
#[derive(Clone, Debug)]
pub struct Try {
    pub job: Arc<ClaimedJob>,
    pub step: usize,
    pub attempt: u32,
    pub recorded_task: Option<String>,
    pub unknown: bool,
    pub lease: Arc<Lease>,
}

/// What an engine wants done.
#[derive(Debug)]
pub enum Command {
    /// To be answered under its number.
    Turn(u64, Turn),
    Try(Try, Direction),
    /// One try of a shared step for all of these.
    Together(Vec<Try>),
    /// The claim is lost: whatever is under way for this job ends.
    Abandon(Uuid),
    /// The answer to [`Event::TaskSeen`].
    Recorded {
        token: u64,
        result: Result<(), StoreError>,
    },
}

#[derive(Clone, Debug)]
pub struct EngineConfig {
    pub owner: String,
    /// Jobs under way at once.
    pub slots: usize,
    pub claim_for: Duration,
    /// Turns under way at once, each over other contexts. One is right for a store where only one writes at a time.
    pub turns: usize,
}

struct Seat {
    drive: Drive,
    lease: Arc<Lease>,
    /// Changes written under its claim so far, or about to be.
    changes: i64,
    /// The shared step that it has come to.
    waits_at: Option<usize>,
    /// The shared try that it is part of, by its number, and the step.
    joint: Option<(u64, usize)>,
}

struct Item {
    transition: Transition,
    /// Answered once it is written.
    token: Option<u64>,
}

/// A turn beside another is about this part of the jobs under way at least.
const TURN_SHARE: usize = 3;

/// A turn that has not been answered.
struct Sent {
    turn: u64,
    items: Vec<Item>,
    /// When it was asked for (monotonic ms).
    asked_at: i64,
    /// Jobs that it may take up.
    want: usize,
    /// Units, with their contexts, that it asks to take joiners.
    opening: BTreeSet<(Uuid, Uuid)>,
    /// What it is about.
    contexts: HashSet<Uuid>,
}

pub struct Engine {
    registry: Arc<Registry>,
    config: EngineConfig,
    seats: BTreeMap<Uuid, Seat>,
    outbox: Vec<Item>,
    /// The turns under way.
    sent: Vec<Sent>,
    /// Number of the newest turn.
    turns: u64,
    look: bool,
    due: bool,
    /// When the first of the jobs that were put to sleep since this was asked for is due.
    due_at: Option<i64>,
    stopping: bool,
    /// Units that are asked to take joiners by the next turn, and those that take no more.
    opening: BTreeSet<(Uuid, Uuid)>,
    closed: BTreeSet<Uuid>,
    /// Number of the newest shared try.
    joints: u64,
}

struct FromRegistry(Arc<Registry>, i64);

impl Begin for FromRegistry {
    fn begin(&self, job: &ClaimedJob) -> Option<Transition> {
        Drive::begin(job, &self.0, self.1)
    }
}

impl Engine {
    pub fn new(registry: Arc<Registry>, config: EngineConfig) -> Self {
        Self {
            registry,
            config,
            seats: BTreeMap::new(),
            outbox: Vec::new(),
            sent: Vec::new(),
            turns: 0,
            look: true,
            due: true,
            due_at: None,
            stopping: false,
            opening: BTreeSet::new(),
            closed: BTreeSet::new(),
            joints: 0,
        }
    }

    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// The claims that are to be prolonged.
    pub fn held(&self) -> Vec<Fence> {
        self.seats.values().map(|s| s.drive.job.fence).collect()
    }

    /// Jobs under way.
    pub fn busy(&self) -> usize {
        self.seats.len()
    }

    /// Something is being sent that is not recorded yet, or something that was sent waits to be recorded.
    pub fn is_sending(&self) -> bool {
        self.seats.values().any(|s| s.lease.is_sending())
    }

    /// When to be told [`Event::Due`], if a job was put to sleep since this was asked last.
    pub fn take_due_at(&mut self) -> Option<i64> {
        self.due_at.take()
    }

    /// Nothing waits to be written.
    pub fn has_written(&self) -> bool {
        self.outbox.is_empty() && self.sent.is_empty()
    }

    /// Takes in what has happened. [`Engine::flow`] comes after the last of several.
    pub fn on(&mut self, event: Event, now: i64, mono: i64) -> Vec<Command> {
        let mut commands = Vec::new();
        match event {
            Event::Woken => self.look = true,
            Event::Due => (self.look, self.due) = (true, true),
            Event::Stop => self.stopping = true,
            Event::Ended { fence, step, outcome, .. } => self.ended(fence, step, outcome, now),
            Event::EndedTogether { members, step, outcomes } => {
                let many = members.len() > 1;
                for (fence, outcome) in members.into_iter().zip(outcomes) {
                    // One that was ended from outside, with a member that was lost, is not answered for any more.
                    if self.seat(fence).and_then(|seat| seat.joint.take()).is_none() {
                        continue;
                    }
                    match (self.seat(fence), outcome) {
                        (Some(seat), Outcome::Failed(_)) if many => {
                            seat.drive.leave_the_others(step);
                            let again = seat.as_try(step);
                            commands.push(Command::Try(again, Direction::Forth));
                        }
                        (_, outcome) => self.ended(fence, step, outcome, now),
                    }
                }
            }
            Event::TaskSeen { fence, step, task, token } => match self.seat(fence) {
                Some(seat) => {
                    seat.drive.saw_task(step, &task);
                    let change = StepChange { key: step.to_owned(), to: StepTo::Task(task) };
                    let transition =
                        Transition { number: 0, fence, steps: vec![change], job: JobChange::Stays };
                    self.push(transition, Some(token));
                }
                None => commands.push(Command::Recorded { token, result: Err(StoreError::Fenced) }),
            },
            Event::Turned { turn, result } => self.turned(turn, result, now, &mut commands),
            Event::Renewed { asked_at, result } => self.renewed(asked_at, result),
            Event::Tick => {}
        }
        self.drop_expired(mono, &mut commands);
        commands
    }

    /// What is to be done now that all events are in.
    pub fn flow(&mut self, now: i64, mono: i64) -> Vec<Command> {
        let mut commands = self.together();
        if self.sent.len() >= self.config.turns.max(1) {
            return commands;
        }
        // What a turn under way is about waits for its answer.
        let (outbox, opening) = (std::mem::take(&mut self.outbox), std::mem::take(&mut self.opening));
        let waits = |context: &Uuid| self.sent.iter().any(|s| s.contexts.contains(context));
        let (kept, items): (Vec<Item>, Vec<Item>) =
            outbox.into_iter().partition(|i| waits(&i.transition.fence.context));
        let (unasked, opening): (BTreeSet<_>, BTreeSet<_>) =
            opening.into_iter().partition(|(_, context)| waits(context));
        (self.outbox, self.opening) = (kept, unasked);
        // Whoever ends with a turn leaves his place to the next one in it.
        let all = self.sent.iter().flat_map(|s| &s.items).chain(&items);
        let ending = all.filter(|i| !i.transition.job.keeps_claim()).count();
        let wanted: usize = self.sent.iter().map(|s| s.want).sum();
        let taken = (self.seats.len() + wanted).saturating_sub(ending);
        let want = if self.stopping { 0 } else { self.config.slots.saturating_sub(taken) };
        let claims = self.look && want > 0;
        // Beside another a turn is worth its cost only if it is about much of what is under way.
        let little = !self.sent.is_empty() && items.len() * TURN_SHARE < self.seats.len();
        if little || (items.is_empty() && !claims && opening.is_empty()) {
            self.outbox = items.into_iter().chain(std::mem::take(&mut self.outbox)).collect();
            self.opening.extend(opening);
            return commands;
        }
        let turn = Turn {
            owner: self.config.owner.clone(),
            now,
            writes: items.iter().map(|i| i.transition.clone()).collect(),
            want,
            look: claims,
            due: claims && self.due,
            claim_for: self.config.claim_for,
            open: opening.iter().copied().collect(),
            begin: Arc::new(FromRegistry(self.registry.clone(), now)),
        };
        if claims {
            (self.look, self.due) = (false, false);
        }
        self.turns += 1;
        let about = items.iter().map(|i| i.transition.fence.context);
        let contexts = about.chain(opening.iter().map(|(_, context)| *context)).collect();
        self.sent.push(Sent { turn: self.turns, items, asked_at: mono, want, opening, contexts });
        commands.push(Command::Turn(self.turns, turn));
        commands
    }

    fn seat(&mut self, fence: Fence) -> Option<&mut Seat> {
        self.seats.get_mut(&fence.job).filter(|s| s.drive.job.fence == fence)
    }

    /// Puts a change into the next turn, numbered.
    fn push(&mut self, mut transition: Transition, token: Option<u64>) {
        if let Some(seat) = self.seat(transition.fence) {
            seat.changes += 1;
            transition.number = seat.changes;
        }
        self.outbox.push(Item { transition, token });
    }

    fn ended(&mut self, fence: Fence, step: usize, outcome: Outcome, now: i64) {
        if let Some(seat) = self.seat(fence) {
            let transition = seat.drive.ended(step, outcome, now);
            self.push(transition, None);
        }
    }

    fn turned(
        &mut self,
        turn: u64,
        result: Result<Turned, StoreError>,
        now: i64,
        commands: &mut Vec<Command>,
    ) {
        let Some(at) = self.sent.iter().position(|s| s.turn == turn) else { return };
        let Sent { items, asked_at, opening: asked, .. } = self.sent.remove(at);
        let turned = match result {
            Ok(turned) => turned,
            Err(_) => {
                // Nothing is known of it. Written again, what was written changes nothing or is refused by its fence.
                self.outbox.splice(0..0, items);
                self.opening.extend(asked);
                (self.look, self.due) = (true, true);
                return;
            }
        };
        self.look |= turned.more;
        for (item, written) in items.into_iter().zip(turned.written) {
            if let Some(token) = item.token {
                commands.push(Command::Recorded { token, result: written.clone().map(drop) });
            }
            match written {
                Ok(written) if item.token.is_none() => self.written(&item.transition, written, commands),
                Ok(_) => {}
                Err(_) => self.leave(item.transition.fence, commands),
            }
        }
        let joined: BTreeSet<Uuid> = turned.claimed.iter().map(|j| j.unit).collect();
        for job in turned.claimed {
            self.take_up(&job, asked_at, now, commands);
        }
        // Nobody came who could have: it takes no more.
        self.closed.extend(asked.into_iter().map(|(unit, _)| unit).filter(|unit| !joined.contains(unit)));
    }

    fn written(&mut self, transition: &Transition, written: Written, commands: &mut Vec<Command>) {
        let Some(seat) = self.seat(transition.fence) else { return };
        let Next { tries, transition: more, over } = seat.drive.written(transition, written);
        for (step, direction) in tries {
            seat.begin(step, direction, commands);
        }
        if let Some(transition) = more {
            self.push(transition, None);
        }
        if let (JobChange::Sleeps { until }, false) = (&transition.job, written.stop) {
            self.due_at = self.due_at.into_iter().chain([*until]).min();
        }
        if over {
            self.seats.remove(&transition.fence.job);
            self.forget_units();
        }
    }

    fn take_up(&mut self, job: &ClaimedJob, asked_at: i64, now: i64, commands: &mut Vec<Command>) {
        // A claim of ours that had run out, and that we have again.
        if let Some(seat) = self.seats.remove(&job.fence.job) {
            commands.push(Command::Abandon(job.fence.job));
            self.part(seat.joint, commands);
        }
        let Some(workflow) = self.registry.get(&job.kind, job.shape) else { return };
        let Ok((drive, tries)) = Drive::take_up(job, workflow, now) else { return };
        let lease = Arc::new(Lease::until(asked_at + self.config.claim_for.as_millis() as i64));
        let mut seat = Seat { drive, lease, changes: 0, waits_at: None, joint: None };
        for (step, direction) in tries {
            seat.begin(step, direction, commands);
        }
        self.seats.insert(job.fence.job, seat);
    }

    fn renewed(&self, asked_at: i64, result: Result<Vec<Fence>, StoreError>) {
        // Where the store did not answer, or does not name a claim, the lease runs on, and out: a claim may be newer than the
        // answer, and one that is lost is fenced at its next write.
        let Ok(held) = result else { return };
        let until = asked_at + self.config.claim_for.as_millis() as i64;
        for fence in held {
            if let Some(seat) = self.seats.get(&fence.job).filter(|s| s.drive.job.fence.epoch == fence.epoch)
            {
                seat.lease.prolong(until);
            }
        }
    }

    /// Claims that have run out without being renewed: nothing more is sent or written for them.
    fn drop_expired(&mut self, mono: i64, commands: &mut Vec<Command>) {
        let expired: Vec<Fence> =
            self.seats.values().filter(|s| s.lease.ends_at() <= mono).map(|s| s.drive.job.fence).collect();
        for fence in expired {
            self.leave(fence, commands);
        }
    }

    fn leave(&mut self, fence: Fence, commands: &mut Vec<Command>) {
        if self.seat(fence).is_none() {
            return;
        }
        let joint = self.seats.remove(&fence.job).and_then(|seat| seat.joint);
        self.outbox.retain(|item| {
            let keeps = item.transition.fence != fence;
            if let (false, Some(token)) = (keeps, item.token) {
                commands.push(Command::Recorded { token, result: Err(StoreError::Fenced) });
            }
            keeps
        });
        commands.push(Command::Abandon(fence.job));
        self.part(joint, commands);
        self.forget_units();
    }

    /// A shared try has ended with a member that was lost: each of the others goes on by itself.
    fn part(&mut self, joint: Option<(u64, usize)>, commands: &mut Vec<Command>) {
        let Some((number, step)) = joint else { return };
        for seat in self.seats.values_mut().filter(|s| s.joint == Some((number, step))) {
            seat.joint = None;
            seat.drive.leave_the_others(step);
            commands.push(Command::Try(seat.as_try(step), Direction::Forth));
        }
    }

    fn forget_units(&mut self) {
        let seats = &self.seats;
        let alive = |unit: &Uuid| seats.values().any(|s| s.drive.job.unit == *unit);
        self.closed.retain(alive);
        self.opening.retain(|(unit, _)| alive(unit));
    }

    /// Shared steps that everybody has come to.
    fn together(&mut self) -> Vec<Command> {
        let mut commands = Vec::new();
        let mut units: BTreeMap<(Uuid, usize), Vec<Uuid>> = BTreeMap::new();
        for (id, seat) in &self.seats {
            if let Some(step) = seat.waits_at {
                units.entry((seat.drive.job.unit, step)).or_default().push(*id);
            }
        }
        for ((unit, step), waiting) in units {
            let Some(first) = waiting.first().and_then(|id| self.seats.get(id)) else { continue };
            let (key, context) = (first.drive.record(step).key.clone(), first.drive.job.context());
            let on_the_way = self
                .seats
                .values()
                .any(|s| s.drive.job.unit == unit && s.waits_at != Some(step) && s.drive.comes_to(&key));
            if on_the_way || self.stopping {
                continue;
            }
            if !self.closed.contains(&unit) {
                if !self.sent.iter().any(|s| s.opening.contains(&(unit, context))) {
                    self.opening.insert((unit, context));
                }
                continue;
            }
            self.joints += 1;
            let mut tries = Vec::new();
            for id in waiting {
                if let Some(seat) = self.seats.get_mut(&id) {
                    seat.waits_at = None;
                    seat.joint = Some((self.joints, step));
                    tries.push(seat.as_try(step));
                }
            }
            commands.push(Command::Together(tries));
        }
        commands
    }
}

impl Seat {
    fn begin(&mut self, step: usize, direction: Direction, commands: &mut Vec<Command>) {
        if direction == Direction::Forth && self.drive.is_shared(step) {
            self.waits_at = Some(step);
        } else {
            commands.push(Command::Try(self.as_try(step), direction));
        }
    }

    fn as_try(&self, step: usize) -> Try {
        let record = self.drive.record(step);
        Try {
            job: self.drive.job.clone(),
            step,
            attempt: record.attempt,
            recorded_task: record.provider_task.clone(),
            unknown: record.unknown,
            lease: self.lease.clone(),
        }
    }
}
