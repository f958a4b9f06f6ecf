//! Nodes: woken or not, struck, killed and stopped; what their engines want done.

use std::collections::BTreeSet;

use jobs::{
    JobChange, Outcome, StoreError,
    drive::Direction,
    engine::{Command, Event},
};
use uuid::Uuid;

use super::{
    memory::{Job, State},
    world::{Stage, Trying, World, problem},
};

impl World {
    /// Every node hears that something was committed, unless the word is lost.
    pub(super) fn wake(&mut self) {
        for n in 0..self.nodes.len() {
            if !self.fault(12) {
                self.nodes[n].inbox.push_back(Event::Woken);
            }
        }
        if self.edges.iter().any(Option::is_none) {
            let parked = self.store.jobs.values().filter(|j| j.state == State::Parked).map(|j| j.id).next();
            if let Some(id) = parked {
                self.store.grant(id);
                self.note(&format!("grant {id}"));
            }
        }
    }

    pub(super) fn strike(&mut self) {
        if !self.fault(3) {
            return;
        }
        let n = self.random.below(self.nodes.len());
        if self.random.below(2) == 0 {
            self.kill(n);
        } else {
            let ms = 3_000 + self.random.below(15_000) as i64;
            self.nodes[n].stands_until = self.now + ms;
            self.note(&format!("{n} stands for {ms}"));
        }
    }

    /// A process ends, and another takes its place.
    pub(super) fn kill(&mut self, n: usize) {
        self.note(&format!("kill {n}"));
        // A turn that was on its way may arrive all the same.
        for (_, turn) in std::mem::take(&mut self.nodes[n].turns) {
            if self.random.below(2) == 0 {
                self.store.turn(&turn, self.now);
            }
        }
        let node = self.birth();
        self.nodes[n] = node;
    }

    pub(super) fn deliver(&mut self, n: usize) {
        let now = self.now;
        let mut first = true;
        // Often several events are taken in before anything is done about them.
        while first || self.random.below(2) == 0 {
            first = false;
            let Some(event) = self.nodes[n].inbox.pop_front() else { break };
            self.note(&format!("{n} {event:?}"));
            let commands = self.nodes[n].engine.on(event, now, now);
            self.carry_out(n, commands);
        }
        let commands = self.nodes[n].engine.flow(now, now);
        self.carry_out(n, commands);
        if let Some(at) = self.nodes[n].engine.take_due_at() {
            self.nodes[n].next_scan = self.nodes[n].next_scan.min(at);
        }
    }

    pub(super) fn carry_out(&mut self, n: usize, commands: Vec<Command>) {
        for command in commands {
            match command {
                Command::Turn(number, turn) => {
                    let about = contexts(&turn);
                    let node = &self.nodes[n];
                    if node.turns.iter().any(|(_, t)| !contexts(t).is_disjoint(&about)) {
                        self.breach("two turns of one worker at once over one customer");
                    }
                    self.nodes[n].turns.push((number, turn));
                }
                Command::Try(one, direction) => {
                    let trying =
                        Trying { members: vec![one], direction, together: false, stage: Stage::Look };
                    self.nodes[n].tries.push(trying);
                }
                Command::Together(members) => {
                    let (direction, stage) = (Direction::Forth, Stage::Look);
                    self.nodes[n].tries.push(Trying { members, direction, together: true, stage });
                }
                Command::Abandon(job) => {
                    self.nodes[n].tries.retain(|t| t.members.iter().all(|m| m.job.fence.job != job));
                }
                Command::Recorded { token, result } => self.recorded(n, token, result.is_ok()),
            }
        }
    }

    pub(super) fn recorded(&mut self, n: usize, token: u64, well: bool) {
        let tries = &mut self.nodes[n].tries;
        let found = tries
            .iter_mut()
            .position(|t| matches!(&t.stage, Stage::Recording { left, .. } if left.contains(&token)));
        let Some(at) = found else { return };
        if !well {
            let trying = tries.swap_remove(at);
            self.ended(n, trying, Outcome::RetryLater(problem("the claim has run out")));
            return;
        }
        if let Stage::Recording { task, left } = &mut tries[at].stage {
            left.remove(&token);
            if left.is_empty() {
                tries[at].stage = Stage::Waiting(*task);
            }
        }
    }

    pub(super) fn run_turn(&mut self, n: usize) {
        let at = self.random.below(self.nodes[n].turns.len());
        let (number, turn) = self.nodes[n].turns.remove(at);
        self.note(&format!("{n} {turn:?}"));
        let lost = StoreError::Unavailable("the connection was cut".into());
        if self.fault(40) {
            self.answer(n, number, Err(lost));
            return;
        }
        let asked: Vec<(Uuid, u32)> =
            self.store.jobs.values().filter(|j| j.stop && !j.undo).map(tries).collect();
        let before: Vec<(Uuid, State)> = self.store.jobs.values().map(|j| (j.id, j.state)).collect();
        let ended = turn.writes.iter().any(|w| !w.job.keeps_claim() || w.job == JobChange::TurnsBack);
        let turned = self.store.turn(&turn, self.now);
        self.started_in_order(&before);
        for (id, before) in asked {
            if tries(&self.store.jobs[&id]).1 > before {
                self.breach(format!("{id} began a step after it was asked to stop"));
            }
        }
        if ended || turned.more {
            self.wake();
        }
        if self.fault(40) {
            if self.planted.lost_turns_forgotten {
                let empty = jobs::Turned {
                    written: turn.writes.iter().map(|_| Ok(jobs::Written::default())).collect(),
                    ..jobs::Turned::default()
                };
                self.answer(n, number, Ok(empty));
            } else {
                self.answer(n, number, Err(lost));
            }
            return;
        }
        self.answer(n, number, Ok(turned));
    }

    pub(super) fn answer(&mut self, n: usize, turn: u64, result: Result<jobs::Turned, StoreError>) {
        // Of two turns the one that was committed first may be answered last.
        let at = self.random.below(self.nodes[n].inbox.len() + 1);
        self.nodes[n].inbox.insert(at, Event::Turned { turn, result });
    }
}

/// The customers whose jobs a turn is about before it claims any.
fn contexts(turn: &jobs::Turn) -> BTreeSet<Uuid> {
    let written = turn.writes.iter().map(|w| w.fence.context);
    written.chain(turn.open.iter().map(|(_, context)| *context)).collect()
}

/// How many tries of its steps a job has begun.
fn tries(job: &Job) -> (Uuid, u32) {
    (job.id, job.steps.iter().map(|s| s.attempt).sum())
}
