//! What a try of a step does in the cloud and in the pool, and where it is cut short.

use std::collections::BTreeSet;

use jobs::{
    Outcome,
    drive::Direction,
    engine::{Event, Try},
};

use super::{
    cloud::TaskState,
    memory::State,
    shapes::{ACTIVATE, POWER, TERMINATE},
    world::{Stage, Trying, World, problem},
};

impl World {
    pub(super) fn can_go_on(&self, trying: &Trying) -> bool {
        match &trying.stage {
            Stage::Look => true,
            Stage::Recording { .. } => false,
            Stage::Waiting(task) => self.cloud.state(*task) != TaskState::Running,
        }
    }

    /// A try goes a step further.
    pub(super) fn go_on(&mut self, n: usize) {
        let ready: Vec<usize> =
            (0..self.nodes[n].tries.len()).filter(|t| self.can_go_on(&self.nodes[n].tries[*t])).collect();
        if ready.is_empty() {
            return;
        }
        let at = ready[self.random.below(ready.len())];
        let mut trying = self.nodes[n].tries.swap_remove(at);
        let key = trying.members[0].job.steps[trying.members[0].step].key.clone();
        self.note(&format!("{n} goes on with {key} of {:?}", trying.members[0].job.fence));
        let outcome = match trying.stage {
            Stage::Waiting(task) => self.waited(task, &key, &trying),
            _ => match self.look(n, &key, &mut trying) {
                Some(outcome) => outcome,
                None => return,
            },
        };
        match outcome {
            Some(outcome) => self.ended(n, trying, outcome),
            None => self.nodes[n].tries.push(trying),
        }
    }

    pub(super) fn ended(&mut self, n: usize, trying: Trying, outcome: Outcome) {
        let step = trying.members[0].step;
        let event = if trying.together {
            let members: Vec<_> = trying.members.iter().map(|m| m.job.fence).collect();
            let outcomes = vec![outcome; members.len()];
            Event::EndedTogether { members, step, outcomes }
        } else {
            let (fence, direction) = (trying.members[0].job.fence, trying.direction);
            Event::Ended { fence, step, direction, outcome }
        };
        self.nodes[n].inbox.push_back(event);
    }

    pub(super) fn waited(&mut self, task: usize, key: &str, trying: &Trying) -> Option<Outcome> {
        let failed = self.cloud.state(task) == TaskState::Failed;
        if failed && !self.planted.failure_taken_for_success {
            return Some(Outcome::Failed(problem("task_failed")));
        }
        if self.names(key, trying).iter().all(|(name, wanted)| self.cloud.has(name) == *wanted) || failed {
            return Some(Outcome::done());
        }
        Some(Outcome::Unknown(problem("not there after its task")))
    }

    /// What a step wants to be there, or not to be.
    pub(super) fn names(&self, key: &str, trying: &Trying) -> Vec<(String, bool)> {
        let forth = trying.direction == Direction::Forth;
        let each = trying.members.iter().filter_map(|m| m.job.target);
        each.flat_map(|server| {
            let of = |what: &str, wanted| (format!("{what}-{server}"), wanted);
            match key {
                "net" | "qos" | "vm" => vec![of(key, forth)],
                "unvm" if forth => vec![of("vm", false)],
                "unnet" if forth => vec![of("qos", false), of("net", false)],
                _ => vec![],
            }
        })
        .collect()
    }

    /// The first look of a try, and what it sends. The outer `None` is a try that ends without a word.
    pub(super) fn look(&mut self, n: usize, key: &str, trying: &mut Trying) -> Option<Option<Outcome>> {
        let back = trying.direction == Direction::Back;
        if back && self.planted.undo_skipped {
            return Some(Some(Outcome::done()));
        }
        if matches!(key, "edge" | "unedge") {
            return Some(Some(self.edge(key, back, &trying.members[0])));
        }
        if let Some(task) =
            trying.members.iter().filter_map(|m| m.recorded_task.as_ref()?.parse().ok()).next_back()
            && self.cloud.state(task) == TaskState::Running
            && !self.planted.adopts_nothing
        {
            trying.stage = Stage::Waiting(task);
            return Some(None);
        }
        let all = self.names(key, trying);
        // Also one that is as it is wanted: what an earlier try has sent may be about to change it.
        let every: Vec<String> = all.iter().map(|(name, _)| name.clone()).collect();
        if self.cloud.is_busy(&every) && !self.planted.adopts_nothing {
            return Some(Some(Outcome::RetryLater(problem("busy"))));
        }
        let repeats = self.planted.sends_without_looking && !back;
        let left: Vec<(String, bool)> =
            all.into_iter().filter(|(name, wanted)| repeats || self.cloud.has(name) != *wanted).collect();
        let names: Vec<String> = left.iter().map(|(name, _)| name.clone()).collect();
        if names.is_empty() {
            return Some(Some(Outcome::done()));
        }
        if self.fault(15) {
            return Some(Some(Outcome::RetryLater(problem("unavailable"))));
        }
        if !back && self.fault(40) {
            return Some(Some(Outcome::Failed(problem("refused"))));
        }
        let expired = trying.members.iter().any(|m| m.lease.ends_at() <= self.now);
        if expired && !self.planted.sends_after_its_claim {
            return Some(Some(Outcome::RetryLater(problem("the claim has run out"))));
        }
        let task = if left[0].1 { self.cloud.make(names) } else { self.cloud.take(names) };
        if self.fault(30) {
            self.kill(n);
            return None;
        }
        if self.fault(15) {
            return Some(Some(Outcome::Unknown(problem("no answer"))));
        }
        let mut left = BTreeSet::new();
        for member in &trying.members {
            self.next_token += 1;
            left.insert(self.next_token);
            let step = ACTIVATE.iter().chain(TERMINATE).chain(POWER).find(|s| s.0 == key).map_or("", |s| s.0);
            let (fence, token) = (member.job.fence, self.next_token);
            self.nodes[n].inbox.push_back(Event::TaskSeen { fence, step, task: task.to_string(), token });
        }
        trying.stage = Stage::Recording { task, left };
        Some(None)
    }

    /// The pool of edges: a row of the database, and so under the fence.
    pub(super) fn edge(&mut self, key: &str, back: bool, one: &Try) -> Outcome {
        let Some(server) = one.job.target else { return Outcome::done() };
        let job = &self.store.jobs[&one.job.fence.job];
        let stale =
            job.epoch != one.job.fence.epoch || !matches!(job.state, State::Running | State::RollingBack);
        if stale && !self.planted.edge_not_fenced {
            return Outcome::RetryLater(problem("fenced"));
        }
        if key == "unedge" && !back {
            // What was to be made for it, and waits, goes with the server.
            self.store.cancel_waiting(server, "activate");
        }
        if back || key == "unedge" {
            if !self.planted.edge_never_freed {
                for edge in self.edges.iter_mut().filter(|e| **e == Some(server)) {
                    *edge = None;
                }
            }
            return Outcome::done();
        }
        if self.edges.contains(&Some(server)) && !self.planted.edge_given_twice {
            return Outcome::done();
        }
        match self.edges.iter().position(Option::is_none) {
            Some(free) => {
                self.edges[free] = Some(server);
                Outcome::done()
            }
            None => Outcome::Parked(problem("no_free_edge")),
        }
    }
}
