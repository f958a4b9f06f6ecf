//! Telling other nodes: what one commits on PostgreSQL, the pages and workers of all hear.
//!
//! Sent after the commit, by one task a node that gathers what has piled up: inside a transaction every commit of the
//! cluster would wait for one lock. A notification that is lost costs a scan's pause, no more: whoever reconnects looks at
//! everything anew.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::CustomerId;
use sqlx::{AnyPool, postgres::PgListener};
use tokio::sync::{Notify, broadcast, mpsc};
use tracing::{debug, warn};
use uuid::Uuid;

use crate::{db::Change, memory::Memory};

const CHANNEL: &str = "slipway";
/// At most so many customers are named at once: a payload has 8,000 bytes.
const NAMED: usize = 100;
const RETRY: Duration = Duration::from_secs(1);
/// The first change is told at once, and what follows it within this time together: a job that goes through its steps is not
/// worth a statement each.
const GATHER: Duration = Duration::from_millis(5);

/// Takes customers whose rows have changed.
pub(crate) type Sender = mpsc::UnboundedSender<CustomerId>;

pub(crate) fn start(
    url: String,
    pool: AnyPool,
    changes: broadcast::Sender<Change>,
    wake: Arc<Notify>,
    edges_changed: Arc<AtomicBool>,
    memory: Arc<Memory>,
) -> Sender {
    let (sender, changed) = mpsc::unbounded_channel();
    let node = Uuid::new_v4().simple().to_string();
    tokio::spawn(tell(pool, node.clone(), changed));
    tokio::spawn(listen(url, node, Hearers { changes, wake, edges_changed, memory }));
    sender
}

/// Gathers and sends, until every store is gone.
async fn tell(pool: AnyPool, node: String, mut changed: mpsc::UnboundedReceiver<CustomerId>) {
    while let Some(first) = changed.recv().await {
        let mut customers = BTreeSet::from([first]);
        while customers.len() < NAMED {
            match changed.try_recv() {
                Ok(next) => customers.insert(next),
                Err(_) => break,
            };
        }
        let named: Vec<String> = customers.iter().map(|c| c.0.simple().to_string()).collect();
        let payload = format!("{node} {}", named.join(","));
        let sent = sqlx::query("SELECT CAST(pg_notify($1, $2) AS TEXT) AS sent")
            .bind(CHANNEL)
            .bind(payload)
            .execute(&pool)
            .await;
        if let Err(e) = sent {
            // The others find it by their scans.
            debug!("the other nodes were not told: {e}");
        }
        if customers.len() < NAMED {
            tokio::time::sleep(GATHER).await;
        }
    }
}

/// Who is told of what another node has committed.
struct Hearers {
    changes: broadcast::Sender<Change>,
    wake: Arc<Notify>,
    edges_changed: Arc<AtomicBool>,
    memory: Arc<Memory>,
}

async fn listen(url: String, node: String, hearers: Hearers) {
    loop {
        let listening = async {
            let mut listener = PgListener::connect(&url).await?;
            listener.listen(CHANNEL).await?;
            Ok::<_, sqlx::Error>(listener)
        };
        let mut listener = match listening.await {
            Ok(listener) => listener,
            Err(e) => {
                warn!("other nodes cannot be heard: {e}");
                tokio::time::sleep(RETRY).await;
                continue;
            }
        };
        // What happened while nobody listened is not known, nor whether it is the same server that answers.
        hearers.memory.forget();
        hearers.heard(None);
        loop {
            match listener.try_recv().await {
                Ok(Some(notification)) => {
                    let Some((from, customers)) = notification.payload().split_once(' ') else { continue };
                    if from != node {
                        for customer in customers.split(',').filter_map(|c| Uuid::parse_str(c).ok()) {
                            hearers.heard(Some(CustomerId(customer)));
                        }
                    }
                }
                // The connection was lost and made again.
                Ok(None) => {
                    hearers.memory.forget();
                    hearers.heard(None);
                }
                Err(e) => {
                    warn!("other nodes cannot be heard: {e}");
                    break;
                }
            }
        }
        tokio::time::sleep(RETRY).await;
    }
}

impl Hearers {
    fn heard(&self, customer: Option<CustomerId>) {
        self.edges_changed.store(true, Ordering::Relaxed);
        self.wake.notify_one();
        let _ = self.changes.send(Change::now(customer));
    }
}
