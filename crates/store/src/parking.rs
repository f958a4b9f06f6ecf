//! Parking: jobs for which no edge is free stand in nobody's way until one is.
//!
//! A freed edge belongs to the job that has been parked longest, of all customers: while any is parked, no other may
//! claim. Edges are handed out when a worker looks for work after one was freed, here or on another node.

use std::sync::atomic::Ordering;

use domain::{CustomerId, JobId, ServerId};

use crate::{
    admission::admit,
    db::{Conn, Store},
    dialect::Sql,
    edge_log,
    error::Result,
    events,
    row::Columns,
};

impl Store {
    /// Hands free edges to parked jobs, the longest-parked first, until either runs out.
    pub(crate) async fn grant_parked(&self, now: i64) -> Result<()> {
        if !self.edges_changed.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let granted = self.grant_free(now).await;
        if granted.is_err() {
            self.edges_changed.store(true, Ordering::Relaxed);
        }
        granted
    }

    async fn grant_free(&self, now: i64) -> Result<()> {
        while let Some((job, customer, server)) = self.longest_parked().await? {
            if self.edges_free().await? == 0 {
                return Ok(());
            }
            let mut tx = self.write().await?;
            let seq = next_seq(&mut tx, customer).await?;
            // The conditions are in the statements: a cancellation or another node may have been faster.
            let queued = sqlx::query(
                "UPDATE job SET state = 'queued', seq = $1, parked_at = NULL, cause = NULL, detail = NULL
                 WHERE id = $2 AND state = 'parked'",
            )
            .bind(seq)
            .bind(job.to_string())
            .execute(&mut *tx)
            .await?;
            if queued.rows_affected() == 0 {
                self.give_up(tx).await?;
                continue;
            }
            let Some(edge) = take_free_edge(self, &mut tx, job, server, now).await? else {
                return self.give_up(tx).await;
            };
            events::record(&mut tx, customer, job, "edge_granted", None, Some(&edge), now).await?;
            admit(self, &mut tx, customer, now).await?;
            self.commit(tx, customer).await?;
        }
        Ok(())
    }

    async fn longest_parked(&self) -> Result<Option<(JobId, CustomerId, ServerId)>> {
        let row = sqlx::query(
            "SELECT id, context_id, server_id FROM job WHERE state = 'parked' ORDER BY parked_at, number LIMIT 1",
        )
        .fetch_optional(&self.pool)
        .await?;
        row.map(|r| Ok((r.id("id")?, r.id("context_id")?, r.id("server_id")?))).transpose()
    }
}

/// The next place in a customer's order of acceptance, under the lock of the context's row.
pub(crate) async fn next_seq(tx: &mut Conn, customer: CustomerId) -> Result<i64> {
    sqlx::query("UPDATE context SET last_seq = last_seq + 1 WHERE customer_id = $1 RETURNING last_seq")
        .bind(customer.to_string())
        .fetch_one(tx)
        .await?
        .int("last_seq")
}

const TAKE: Sql = Sql {
    sqlite: "UPDATE edge SET state = 'claimed', server_id = $1, job_id = $2, since = $3
             WHERE state = 'free' AND id = (SELECT id FROM edge WHERE state = 'free' ORDER BY (SELECT COUNT(*) FROM address_rest WHERE address_rest.edge_id = edge.id), since, name LIMIT 1)
             RETURNING id, name",
    // Others may be taking the same one: whoever is second takes the next, and does not go away empty-handed.
    postgres: "UPDATE edge SET state = 'claimed', server_id = $1, job_id = $2, since = $3
               WHERE state = 'free' AND id = (SELECT id FROM edge WHERE state = 'free' ORDER BY (SELECT COUNT(*) FROM address_rest WHERE address_rest.edge_id = edge.id), since, name
                                              LIMIT 1 FOR UPDATE SKIP LOCKED)
               RETURNING id, name",
};

/// Claims the edge of which the fewest addresses rest; of those, the one that has been free longest.
pub(crate) async fn take_free_edge(
    store: &Store,
    tx: &mut Conn,
    job: JobId,
    server: ServerId,
    now: i64,
) -> Result<Option<String>> {
    let row = sqlx::query(TAKE.of(store.is_embedded()))
        .bind(server.to_string())
        .bind(job.to_string())
        .bind(now)
        .fetch_optional(&mut *tx)
        .await?;
    let Some(row) = row else { return Ok(None) };
    edge_log::record_one(tx, row.id("id")?, now).await?;
    row.text("name").map(Some)
}
