//! The seeded campaign: whole engines, a store in memory and a small cloud, driven by one seed in one thread.
//!
//! What happens next, and what goes wrong, is drawn from the seed and from nothing else: a schedule that fails fails again,
//! event by event, under the same seed. After each schedule, and at each event, it is checked what must always hold.
//! Planted mistakes ([`Planted`]) show that the checks have teeth.

mod checks;
mod cloud;
mod memory;
mod nodes;
mod people;
mod shapes;
mod tries;
mod world;

pub use memory::{Faulty, Job, MemoryStore, State};
pub use world::{Planted, Report, run};

/// Xorshift: enough to choose by, and the same on every machine.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % n.max(1) as u64) as usize
    }

    /// Once in so many times.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}
