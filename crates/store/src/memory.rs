//! What this process remembers of contexts between its turns.
//!
//! Whoever changes anything of a context's jobs holds its row's lock and raises its version (only how long a claim lasts may
//! change without). So whoever holds the lock, and finds the version that he remembers, knows what stands in the rows
//! without reading them. On several nodes each remembers what it was the last to change; what another has changed is read.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use domain::{CustomerId, JobId};

use crate::{admission::Standing, head::Head};

/// The unfinished jobs of one context.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) heads: BTreeMap<JobId, Head>,
    /// Jobs whose rows this program cannot read: they are in the way, and that is all.
    pub(crate) strangers: Vec<Standing>,
}

struct Remembered {
    version: i64,
    known: Known,
    running: i64,
    ready_at: Option<i64>,
    kept_at: u64,
}

/// A context as it was when its version was this.
pub(crate) struct Recalled {
    pub(crate) version: i64,
    pub(crate) running: i64,
    pub(crate) ready_at: Option<i64>,
    pub(crate) known: Known,
}

#[derive(Default)]
struct Contexts {
    all: HashMap<CustomerId, Remembered>,
    jobs: usize,
    kept: u64,
}

/// Jobs that are remembered at most, about a kilobyte each.
const JOBS_MAX: usize = 32_768;

#[derive(Default)]
pub(crate) struct Memory(Mutex<Contexts>);

impl Memory {
    /// What is remembered of a context. It is forgotten until it is kept again: a turn that does not end well leaves nothing.
    pub(crate) fn take(&self, customer: CustomerId) -> Option<Recalled> {
        let mut contexts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Remembered { version, known, running, ready_at, .. } = contexts.all.remove(&customer)?;
        contexts.jobs -= known.heads.len();
        Some(Recalled { version, running, ready_at, known })
    }

    /// Forgets everything: the database may be another one than before, or an older state of it.
    pub(crate) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Contexts::default();
    }

    pub(crate) fn keep(&self, customer: CustomerId, recalled: Recalled) {
        let Recalled { version, running, ready_at, mut known } = recalled;
        known.heads.retain(|_, h| h.finished_at.is_none());
        if known.heads.is_empty() {
            return;
        }
        let mut contexts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        contexts.kept += 1;
        contexts.jobs += known.heads.len();
        let kept_at = contexts.kept;
        let before = contexts.all.insert(customer, Remembered { version, known, running, ready_at, kept_at });
        contexts.jobs -= before.map_or(0, |b| b.known.heads.len());
        if contexts.jobs > JOBS_MAX {
            contexts.forget_half();
        }
    }
}

impl Contexts {
    /// Those that were kept longest ago.
    fn forget_half(&mut self) {
        let mut ages: Vec<u64> = self.all.values().map(|r| r.kept_at).collect();
        ages.sort_unstable();
        let middle = ages[ages.len() / 2];
        self.all.retain(|_, r| r.kept_at > middle);
        self.jobs = self.all.values().map(|r| r.known.heads.len()).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_forgotten_until_it_is_kept_again() {
        let (memory, customer) = (Memory::default(), CustomerId(uuid::Uuid::from_u128(1)));
        let one = || {
            let head = crate::head::tests::head_of(customer, JobId(uuid::Uuid::from_u128(2)));
            Known { heads: [(head.id, head)].into(), strangers: vec![] }
        };
        memory.keep(customer, Recalled { version: 7, running: 1, ready_at: None, known: one() });
        assert_eq!(memory.take(customer).map(|r| r.version), Some(7));
        assert!(memory.take(customer).is_none());
        let mut over = one();
        over.heads.values_mut().for_each(|h| h.finished_at = Some(1));
        memory.keep(customer, Recalled { version: 8, running: 0, ready_at: None, known: over });
        assert!(memory.take(customer).is_none(), "a context where nothing is left to do is not kept");
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for_and_the_newest_stay() {
        let memory = Memory::default();
        let customers: Vec<CustomerId> = (0..40_000).map(|n| CustomerId(uuid::Uuid::from_u128(n))).collect();
        for customer in &customers {
            let head = crate::head::tests::head_of(*customer, JobId(customer.0));
            let known = Known { heads: [(head.id, head)].into(), strangers: vec![] };
            memory.keep(*customer, Recalled { version: 1, running: 0, ready_at: None, known });
        }
        assert!(memory.take(customers[0]).is_none());
        assert!(memory.take(*customers.last().expect("some")).is_some());
        assert!(memory.0.lock().expect("unpoisoned").jobs <= JOBS_MAX);
    }
}
