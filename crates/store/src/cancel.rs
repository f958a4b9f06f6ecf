//! Taking work back before it has begun: a waiting job, what needs it, and what was kept for them.

use domain::{AccountId, CustomerId, JobId, ServerId, kind::Kind};

use crate::{
    admission::admit,
    db::{Conn, Store},
    edges,
    error::Result,
    events,
    orders::NewJob,
    panels::drop_panel,
    row::Columns,
};

impl Store {
    /// An order that waits for an edge stands in nobody's way, and so not in that of its server's end: it is taken back with
    /// it. Nothing of it was made, and nothing shall be.
    pub(crate) async fn take_back_parked(
        &self,
        tx: &mut Conn,
        customer: CustomerId,
        job: &NewJob,
        now: i64,
    ) -> Result<()> {
        let rows = sqlx::query(
            "UPDATE job SET state = 'cancelled', finished_at = $1, parked_at = NULL
             WHERE server_id = $2 AND context_id = $3 AND kind = 'activate' AND state = 'parked' RETURNING id",
        )
        .bind(now)
        .bind(job.server.to_string())
        .bind(customer.to_string())
        .fetch_all(&mut *tx)
        .await?;
        for row in rows {
            let by = job.requested_by.to_string();
            let id: JobId = row.id("id")?;
            events::record(tx, customer, id, "cancelled", None, Some(&by), now).await?;
            cancel_needing_told(tx, customer, id, now).await?;
        }
        Ok(())
    }

    /// Takes a waiting job back, and with it the jobs that need it. Returns whether it was still waiting.
    pub async fn job_cancel(
        &self,
        customer: CustomerId,
        job: JobId,
        by: AccountId,
        now: i64,
    ) -> Result<bool> {
        let mut tx = self.write().await?;
        events::next_version(&mut tx, customer).await?;
        let row = sqlx::query(
            "UPDATE job SET state = 'cancelled', finished_at = $1
             WHERE id = $2 AND context_id = $3 AND undo = 0 AND state IN ('queued', 'parked')
               AND NOT EXISTS (SELECT 1 FROM job_step WHERE job_step.job_id = job.id
                               AND job_step.state NOT IN ('pending', 'skipped', 'undone')
                               AND job_step.key <> 'order_check')
               AND NOT EXISTS (SELECT 1 FROM job_way WHERE job_way.job_id = job.id)
             RETURNING kind, server_id",
        )
        .bind(now)
        .bind(job.to_string())
        .bind(customer.to_string())
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else {
            // One that was begun before and queued again has something to take back.
            let turned = self.turn_queued_back(&mut tx, customer, job, by, now).await?;
            match turned {
                true => self.commit(tx, customer).await?,
                false => self.give_up(tx).await?,
            }
            return Ok(turned);
        };
        sqlx::query("DELETE FROM secret WHERE job_id = $1 OR reveal_of = $1")
            .bind(job.to_string())
            .execute(&mut *tx)
            .await?;
        drop_panel(&mut tx, customer, job).await?;
        if row.word::<Kind>("kind")? == Kind::Activate
            && let Some(server) = row.id_opt::<ServerId>("server_id")?
        {
            drop_unmade_server(&mut tx, server, now).await?;
            self.edges_changed.store(true, std::sync::atomic::Ordering::Relaxed);
        }
        events::record(&mut tx, customer, job, "cancelled", None, Some(&by.to_string()), now).await?;
        cancel_needing_told(&mut tx, customer, job, now).await?;
        admit(self, &mut tx, customer, now).await?;
        self.commit(tx, customer).await?;
        Ok(true)
    }

    /// A queued job that was begun before takes back what it did, in its place of the queue.
    async fn turn_queued_back(
        &self,
        tx: &mut Conn,
        customer: CustomerId,
        job: JobId,
        by: AccountId,
        now: i64,
    ) -> Result<bool> {
        let done = sqlx::query(
            "UPDATE job SET undo = 1, cancel_requested_by = $1
             WHERE id = $2 AND context_id = $3 AND undo = 0 AND state IN ('queued', 'parked')",
        )
        .bind(by.to_string())
        .bind(job.to_string())
        .bind(customer.to_string())
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        // One that was parked leaves its waiting for an edge.
        sqlx::query("UPDATE job SET state = 'queued', parked_at = NULL WHERE id = $1 AND state = 'parked'")
            .bind(job.to_string())
            .execute(&mut *tx)
            .await?;
        // Where a way in was made for it, that is to be closed, though none of its steps was tried.
        sqlx::query(
            "UPDATE job_step SET retries = 0, waited_ms = 0,
                 state = CASE WHEN state = 'pending' AND ord = 0
                                   AND EXISTS (SELECT 1 FROM job_way WHERE job_way.job_id = job_step.job_id)
                              THEN 'failed' ELSE state END
             WHERE job_id = $1",
        )
        .bind(job.to_string())
        .execute(&mut *tx)
        .await?;
        events::record(tx, customer, job, "stop_asked", None, Some(&by.to_string()), now).await?;
        admit(self, tx, customer, now).await?;
        Ok(true)
    }
}

/// Takes back the jobs that need one which will never succeed. What needs one of these goes with it, and so on: a
/// need always points to an earlier job, so this ends. Returns those that went.
pub(crate) async fn cancel_needing(
    tx: &mut Conn,
    customer: CustomerId,
    job: JobId,
    now: i64,
) -> Result<Vec<JobId>> {
    let (mut gone, mut all) = (vec![job], Vec::new());
    while let Some(job) = gone.pop() {
        let rows = sqlx::query(
            "UPDATE job SET state = 'cancelled', finished_at = $1
             WHERE needs_job_id = $2 AND context_id = $3 AND state IN ('queued', 'parked') RETURNING id",
        )
        .bind(now)
        .bind(job.to_string())
        .bind(customer.to_string())
        .fetch_all(&mut *tx)
        .await?;
        for row in rows {
            let id: JobId = row.id("id")?;
            drop_panel(tx, customer, id).await?;
            gone.push(id);
            all.push(id);
        }
    }
    Ok(all)
}

/// The same, each with its event.
pub(crate) async fn cancel_needing_told(
    tx: &mut Conn,
    customer: CustomerId,
    job: JobId,
    now: i64,
) -> Result<()> {
    for id in cancel_needing(tx, customer, job, now).await? {
        events::record(tx, customer, id, "cancelled", None, Some(&format!("needs {job}")), now).await?;
    }
    Ok(())
}

/// A server whose create was taken back before it began: nothing of it was ever made.
pub(crate) async fn drop_unmade_server(tx: &mut Conn, server: ServerId, now: i64) -> Result<()> {
    sqlx::query("UPDATE server SET state = 'terminated', terminated_at = $1 WHERE id = $2")
        .bind(now)
        .bind(server.to_string())
        .execute(&mut *tx)
        .await?;
    edges::free_unused(&mut *tx, server, now).await?;
    sqlx::query("DELETE FROM secret WHERE server_id = $1").bind(server.to_string()).execute(tx).await?;
    Ok(())
}
