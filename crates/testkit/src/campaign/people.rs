//! Customers who order and end servers, and staff who run again, take back and stop.

use domain::kind::Scope;
use uuid::Uuid;

use super::{
    Random,
    memory::State,
    shapes::{ACTIVATE, TERMINATE},
    world::World,
};

impl World {
    pub(super) fn id(&mut self) -> Uuid {
        self.next_id += 1;
        Uuid::from_u128(self.next_id)
    }

    /// A customer or somebody of the staff does something.
    pub(super) fn somebody_asks(&mut self) {
        self.users_left -= 1;
        let ids: Vec<Uuid> = self.store.jobs.keys().copied().collect();
        let any = |random: &mut Random| (!ids.is_empty()).then(|| ids[random.below(ids.len())]);
        match self.random.below(10) {
            0..=3 => {
                let (job, server) = (self.id(), self.id());
                let context = self.contexts[self.random.below(self.contexts.len())];
                let steps: Vec<&str> = ACTIVATE.iter().map(|s| s.0).collect();
                self.store.accept(job, context, server, "activate", Scope::None, &steps);
                self.servers.push((server, context));
                self.note(&format!("activate {job}"));
            }
            4..=6 if !self.servers.is_empty() => {
                let (server, context) = self.servers[self.random.below(self.servers.len())];
                let ends = self.random.below(2) == 0;
                let on_it = |kind: &str| {
                    self.store.jobs.values().any(|j| {
                        j.target == server
                            && j.kind == kind
                            && !(j.state.is_over() && j.state != State::Succeeded)
                    })
                };
                let there = self.store.jobs.values().any(|j| {
                    j.target == server
                        && j.kind == "activate"
                        && !matches!(j.state, State::Cancelled | State::RolledBack)
                });
                if there && !on_it("terminate") {
                    let job = self.id();
                    if ends {
                        // An order that waits for an edge is taken back: nothing of it was made, and nothing shall be.
                        let parked =
                            self.store.jobs.values().find(|j| {
                                j.target == server && j.kind == "activate" && j.state == State::Parked
                            });
                        if let Some(id) = parked.map(|j| j.id) {
                            self.store.stop(id, self.now);
                        }
                        let steps: Vec<&str> = TERMINATE.iter().map(|s| s.0).collect();
                        self.store.accept(job, context, server, "terminate", Scope::SameCustomer, &steps);
                    } else {
                        self.store.accept(job, context, server, "power", Scope::SameServer, &["cycle"]);
                    }
                    self.note(&format!("on {server} {ends} {job}"));
                }
            }
            7 => {
                if let Some(id) = any(&mut self.random).filter(|id| self.store.jobs[id].kind != "terminate") {
                    self.store.stop(id, self.now);
                    self.note(&format!("stop {id}"));
                }
            }
            8 => {
                if let Some(id) = any(&mut self.random) {
                    let undo = self.random.below(2) == 0 && self.store.jobs[&id].kind == "activate";
                    let done = self.may_resume(id) && self.store.resume(id, undo);
                    self.note(&format!("resume {id} {undo} {done}"));
                }
            }
            _ => {}
        }
        self.wake();
    }

    /// What was made for a server that has been terminated since is not made again.
    pub(super) fn may_resume(&self, id: Uuid) -> bool {
        let target = self.store.jobs[&id].target;
        self.store.jobs[&id].kind != "activate"
            || !self
                .store
                .jobs
                .values()
                .any(|j| j.target == target && j.kind == "terminate" && j.state != State::Cancelled)
    }
}
