//! What must not stay for ever: sessions, drafts, passwords that were shown or never asked for.

use std::{sync::Arc, time::Duration};

use jobs::Clock;
use store::Store;
use tracing::{debug, warn};

use crate::facade::REVEAL_GRACE_MS;

const EVERY: Duration = Duration::from_secs(60);
/// An expired draft answers "expired" for this long before it is gone.
const DRAFT_MEMORY_MS: i64 = 30 * 86_400_000;

/// Cleans up once a minute, until it is dropped.
pub async fn housekeeping(store: Store, clock: Arc<dyn Clock>) {
    loop {
        let now = clock.now_ms();
        match sweep(&store, now).await {
            Ok(0) => {}
            Ok(n) => debug!("{n} expired rows cleared"),
            Err(e) => warn!("housekeeping: {e}"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn sweep(store: &Store, now: i64) -> store::Result<u64> {
    let sessions = store.sessions_purge(now).await?;
    let drafts = store.drafts_purge(now - DRAFT_MEMORY_MS).await?;
    let secrets = store.secrets_purge(now, now - REVEAL_GRACE_MS).await?;
    let rested = store.addresses_rested(now).await?;
    Ok(sessions + drafts + secrets + rested)
}
