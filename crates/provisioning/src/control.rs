//! What workflows work with.

use std::sync::Arc;

use jobs::{Clock, Registry};
use store::Store;
use uuid::Uuid;

use crate::{offers::Offers, provider::Provider, workflows};

pub struct Control {
    pub(crate) store: Store,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) offers: Arc<Offers>,
    pub(crate) clock: Arc<dyn Clock>,
    haste: u32,
}

impl Control {
    pub fn new(
        store: Store,
        provider: Arc<dyn Provider>,
        offers: Arc<Offers>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        Arc::new(Self { store, provider, offers, clock, haste: 1 })
    }

    /// The same, where everything waits for so many times less long: for clouds that live faster than the clock.
    pub fn hasty(self: Arc<Self>, haste: u32) -> Arc<Self> {
        let Self { store, provider, offers, clock, .. } = &*self;
        let (store, provider, offers, clock) =
            (store.clone(), provider.clone(), offers.clone(), clock.clone());
        Arc::new(Self { store, provider, offers, clock, haste: haste.max(1) })
    }

    /// For how long a guest is waited for.
    pub(crate) fn patience(&self, long: std::time::Duration) -> std::time::Duration {
        long / self.haste
    }

    /// Every workflow of the product.
    pub fn registry(self: &Arc<Self>) -> Result<Registry, String> {
        workflows::registry(self)
    }

    /// Reads the pool of edges from the provider into the store. Returns their number.
    pub async fn edges_import(&self) -> Result<usize, String> {
        let found = self.provider.edges().await.map_err(|e| e.to_string())?;
        let rows: Vec<_> = found
            .into_iter()
            .map(|e| {
                let facts = store::edges::EdgeFacts {
                    provider_ref: e.edge.0,
                    name: e.name,
                    gateway: e.block.gateway,
                    prefix_length: i64::from(e.block.prefix_length),
                    first_address: e.block.first_address,
                    last_address: e.block.last_address,
                    networks: e.networks,
                };
                (domain::EdgeId(Uuid::now_v7()), facts)
            })
            .collect();
        self.store.edges_import(&rows, self.clock.now_ms()).await.map_err(|e| e.to_string())?;
        Ok(rows.len())
    }
}
