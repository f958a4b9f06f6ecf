//! Whoever waits for a write may go: a worker is stopped, a browser is closed. Where it stood then, nothing stays open.

use std::time::Duration;

use crate::lab::Lab;
use domain::kind::{Kind, Scope};
use testkit::Database;

/// A connection that went back to its pool inside a transaction would take what the next one writes with it, for ever.
const NONE_OPEN: &str = "DO $$ BEGIN
     IF EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
                AND state = 'idle in transaction' AND state_change < clock_timestamp() - INTERVAL '100 ms')
     THEN RAISE 'a transaction is left open'; END IF; END $$";

async fn what_nobody_waits_for_any_more_leaves_nothing_open(database: Database) {
    let lab = Lab::start(database).await;
    let (mut polls, mut accepted) = (0, false);
    while !accepted {
        polls += 1;
        let mut write = Box::pin(lab.accept(Kind::Power, Scope::None));
        for _ in 0..polls {
            accepted |= futures::poll!(&mut write).is_ready();
            if accepted {
                break;
            }
            // What it waits for is there by then.
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        drop(write);
        // Somebody else can write.
        lab.plane.by_hand("UPDATE context SET version = version + 1").await;
        if database == Database::Postgres {
            tokio::time::sleep(Duration::from_millis(150)).await;
            lab.plane.by_hand(NONE_OPEN).await;
        }
    }
    assert!(polls > 1, "it was never dropped half-way");
}

testkit::on_both!(what_nobody_waits_for_any_more_leaves_nothing_open);
