//! What must hold: at every moment, when a job starts, and when everything has come to rest.

use std::{collections::BTreeMap, fmt::Write};

use jobs::StepStatus;
use synchronizer::{Phase, conflict, startable};
use uuid::Uuid;

use super::{memory::State, world::World};

impl World {
    /// Whoever has just started was not overtaking anybody in his way.
    pub(super) fn started_in_order(&mut self, before: &[(Uuid, State)]) {
        let started: Vec<Uuid> = before
            .iter()
            .filter(|(id, was)| *was == State::Queued && self.store.jobs[id].state == State::Running)
            .map(|(id, _)| *id)
            .collect();
        for id in started {
            let job = &self.store.jobs[&id];
            let entries = self.store.entries(job.context);
            let Some(me) = entries.iter().find(|e| e.key == id.as_u128()).copied() else { continue };
            let over = entries.iter().find(|e| {
                e.seq < me.seq && e.phase != Phase::Started && conflict(&self.store.matrix, e, &me)
            });
            if let Some(over) = over {
                let text = format!("{id} overtook {}", Uuid::from_u128(over.key));
                self.breach(text);
            }
        }
    }

    /// What must hold at every moment.
    pub(super) fn check_now(&mut self) {
        let running = self
            .store
            .jobs
            .values()
            .filter(|j| matches!(j.state, State::Running | State::RollingBack))
            .count();
        if running > self.store.cap {
            self.breach(format!("{running} jobs run where {} may", self.store.cap));
        }
        for context in self.contexts.clone() {
            let entries = self.store.entries(context);
            let started: Vec<_> = entries.iter().filter(|e| e.phase == Phase::Started).collect();
            for (i, a) in started.iter().enumerate() {
                if let Some(b) = started[..i].iter().find(|b| conflict(&self.store.matrix, a, b)) {
                    let text =
                        format!("{} and {} run at once", Uuid::from_u128(a.key), Uuid::from_u128(b.key));
                    self.breach(text);
                }
            }
        }
        let mut held: BTreeMap<Uuid, usize> = BTreeMap::new();
        self.edges.iter().flatten().for_each(|server| *held.entry(*server).or_default() += 1);
        if let Some((server, n)) = held.iter().find(|(_, n)| **n > 1) {
            self.breach(format!("{server} has {n} edges"));
        }
        if let Some((name, n)) = self.cloud.things().into_iter().find(|(_, n)| *n > 1) {
            self.breach(format!("there are {n} of {name}"));
        }
        if let Some((name, n)) = self.cloud.made.iter().find(|(_, n)| **n > 1) {
            self.breach(format!("{name} was made {n} times"));
        }
    }

    /// Nothing is on its way any more. What failed is run again, what waits for an edge that will not come is taken back.
    pub(super) fn settled(&mut self) -> bool {
        self.faults_left = 0;
        let moving = |s: State| matches!(s, State::Running | State::RetryWait | State::RollingBack);
        // What waits behind a failed job waits for somebody of the staff.
        let may_start = |c: &Uuid| !startable(&self.store.matrix, &self.store.entries(*c)).is_empty();
        if self.store.jobs.values().any(|j| moving(j.state))
            || self.contexts.iter().any(may_start)
            || !self.cloud.running().is_empty()
        {
            return false;
        }
        let left: Vec<(Uuid, State)> = self.store.jobs.values().map(|j| (j.id, j.state)).collect();
        let mut again = false;
        for (id, state) in left {
            again |= match state {
                State::Failed if self.may_resume(id) => self.store.resume(id, false),
                // Its server is gone: what is left of it is taken back.
                State::Failed | State::Stuck => self.store.resume(id, true),
                State::Parked => {
                    self.store.stop(id, self.now);
                    true
                }
                _ => false,
            };
        }
        if again {
            self.wake();
        }
        !again
    }

    /// What must hold when everything has come to rest.
    pub(super) fn check_end(&mut self) {
        let mut wrong = String::new();
        for job in self.store.jobs.values().filter(|j| !j.state.is_over()) {
            let _ = write!(wrong, "{} {} is {:?} after {:?}; ", job.kind, job.id, job.state, job.history);
        }
        let ended = |server: Uuid, kind: &str, state: State| {
            self.store.jobs.values().any(|j| j.target == server && j.kind == kind && j.state == state)
        };
        for job in self.store.jobs.values() {
            let open = |s: &&jobs::StepRecord| match job.state {
                State::Succeeded => !matches!(s.status, StepStatus::Done | StepStatus::Skipped),
                State::RolledBack => s.status.was_tried(),
                _ => false,
            };
            if let Some(step) = job.steps.iter().find(open) {
                let _ = write!(wrong, "{} is {:?} with {} {:?}; ", job.id, job.state, step.key, step.status);
            }
            if job.recorded_twice {
                let _ = write!(wrong, "an end of {} is recorded twice; ", job.id);
            }
        }
        for (server, _) in &self.servers {
            let lives = ended(*server, "activate", State::Succeeded)
                && !ended(*server, "terminate", State::Succeeded);
            for what in ["net", "qos", "vm"] {
                if self.cloud.has(&format!("{what}-{server}")) != lives {
                    let _ = write!(wrong, "{what} of {server} is there: {}; ", !lives);
                }
            }
            if self.edges.contains(&Some(*server)) != lives {
                let _ = write!(wrong, "{server} has an edge: {}; ", !lives);
                for job in self.store.jobs.values().filter(|j| j.target == *server) {
                    let steps: Vec<_> = job.steps.iter().map(|s| (&s.key, s.status)).collect();
                    let _ = write!(wrong, "{} {}: {:?} {steps:?}; ", job.kind, job.id, job.history);
                }
            }
        }
        if !wrong.is_empty() {
            self.breach(wrong);
        }
    }
}
