//! What is the same for everybody who may see it is looked up once, and again when something has changed since or a second has passed.
//!
//! Changes are told before whoever made them is answered, so nobody misses their own; those of another node may come a moment
//! later, as everywhere.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use store::{Change, Result, Store};
use tokio::sync::broadcast::{Receiver, error::TryRecvError};

/// What depends on the time of day is as old as this at most.
const KEPT: Duration = Duration::from_secs(1);

/// The last that was looked up, and for which question.
pub(crate) struct Lately<K, T>(Mutex<Option<Known<K, T>>>);

struct Known<K, T> {
    asked: K,
    value: T,
    at: Instant,
    changes: Receiver<Change>,
}

impl<K, T> Default for Lately<K, T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<K: PartialEq, T: Clone> Lately<K, T> {
    /// What is known, or else what `look` finds.
    pub(crate) async fn of(
        &self,
        asked: K,
        store: &Store,
        look: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        if let Some(value) = self.get(&asked) {
            return Ok(value);
        }
        let changes = store.changes();
        let value = look.await?;
        self.put(asked, value.clone(), changes);
        Ok(value)
    }

    fn get(&self, asked: &K) -> Option<T> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let still = |known: &mut Known<K, T>| {
            known.asked == *asked
                && known.at.elapsed() < KEPT
                && matches!(known.changes.try_recv(), Err(TryRecvError::Empty))
        };
        if !known.as_mut().is_some_and(still) {
            *known = None;
        }
        known.as_ref().map(|known| known.value.clone())
    }

    /// `changes` from before it was looked up.
    fn put(&self, asked: K, value: T, changes: Receiver<Change>) {
        let known = Known { asked, value, at: Instant::now(), changes };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_makes_it_unknown_and_so_does_time() {
        let (tell, _) = tokio::sync::broadcast::channel(4);
        let lately = Lately::default();
        assert_eq!(lately.get(&1), None);
        lately.put(1, "one", tell.subscribe());
        assert_eq!((lately.get(&1), lately.get(&1)), (Some("one"), Some("one")));
        assert_eq!(lately.get(&2), None, "that is another question");
        let before = tell.subscribe();
        tell.send(Change { customer: None, told: Instant::now() }).unwrap();
        lately.put(1, "old", before);
        assert_eq!(lately.get(&1), None, "it changed while it was looked up");
        lately.put(1, "one", tell.subscribe());
        lately.0.lock().unwrap().as_mut().unwrap().at -= KEPT;
        assert_eq!(lately.get(&1), None, "nobody was told, but it is old");
    }
}
