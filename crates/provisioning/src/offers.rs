//! What is offered at this moment: the operator's catalogue with every change that has begun.
//!
//! Whoever serves a request takes the catalogue once and keeps it to its end, so that no page shows half of a change. What
//! would make the catalogue unusable is never put in force: the last good one stays, and the log says why.

use std::sync::{Arc, PoisonError, RwLock};

use domain::catalogue::Catalogue;
use store::{Result, Store, catalogue::CatalogueRow};
use tracing::error;

pub struct Offers {
    base: Catalogue,
    now: RwLock<Current>,
}

struct Current {
    /// Of the changes that are in it.
    stamp: (i64, String),
    catalogue: Arc<Catalogue>,
}

/// The catalogue with the changes that have begun at a moment.
pub(crate) fn in_force(base: &Catalogue, changes: &[CatalogueRow], at: i64) -> Catalogue {
    let begun = changes.iter().filter(|c| c.valid_from <= at);
    begun.fold(base.clone(), |catalogue, row| catalogue.with(&row.change))
}

impl Offers {
    pub fn new(base: Catalogue) -> Arc<Self> {
        let catalogue = Arc::new(base.clone());
        Arc::new(Self { base, now: RwLock::new(Current { stamp: (0, String::new()), catalogue }) })
    }

    /// The operator's file.
    pub fn base(&self) -> &Catalogue {
        &self.base
    }

    pub fn current(&self) -> Arc<Catalogue> {
        self.now.read().unwrap_or_else(PoisonError::into_inner).catalogue.clone()
    }

    /// Takes in what has been changed, here or on another node, and what has begun meanwhile.
    pub async fn refresh(&self, store: &Store, now: i64) -> Result<()> {
        let stamp = store.catalogue_stamp(now).await?;
        if self.now.read().unwrap_or_else(PoisonError::into_inner).stamp == stamp {
            return Ok(());
        }
        let next = in_force(&self.base, &store.catalogue_changes().await?, now);
        let mut current = self.now.write().unwrap_or_else(PoisonError::into_inner);
        match next.check() {
            Ok(()) => current.catalogue = Arc::new(next),
            Err(why) => error!("the catalogue stays as it was: {why}"),
        }
        current.stamp = stamp;
        Ok(())
    }
}
