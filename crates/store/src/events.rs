//! What happened to a context, numbered under the lock of its row.

use domain::{CustomerId, JobId};
use sqlx::Row;

use crate::{
    db::{Conn, Store},
    error::Result,
    row::Columns,
};

/// Takes the context's lock, which comes before that of any of its jobs, and raises its version.
pub(crate) async fn next_version(tx: &mut Conn, customer: CustomerId) -> Result<i64> {
    let row = sqlx::query(
        "INSERT INTO context (customer_id, version) VALUES ($1, 1)
         ON CONFLICT (customer_id) DO UPDATE SET version = context.version + 1 RETURNING version",
    )
    .bind(customer.to_string())
    .fetch_one(tx)
    .await?;
    Ok(row.try_get("version")?)
}

/// Writes one event. `detail` is for staff.
pub(crate) async fn record(
    tx: &mut Conn,
    customer: CustomerId,
    job: JobId,
    what: &str,
    step: Option<&str>,
    detail: Option<&str>,
    now: i64,
) -> Result<()> {
    let version = next_version(tx, customer).await?;
    sqlx::query(
        "INSERT INTO job_event (context_id, version, job_id, at, what, step, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(customer.to_string())
    .bind(version)
    .bind(job.to_string())
    .bind(now)
    .bind(what)
    .bind(step)
    .bind(detail)
    .execute(tx)
    .await?;
    Ok(())
}

/// One line of a job's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub version: i64,
    pub at: i64,
    pub what: String,
    pub step: Option<String>,
    pub detail: Option<String>,
}

impl Store {
    /// The newest events of a job, oldest first.
    pub async fn job_events(&self, job: JobId, limit: i64) -> Result<Vec<Event>> {
        let rows = sqlx::query(
            "SELECT version, at, what, step, detail FROM job_event WHERE job_id = $1 ORDER BY version DESC LIMIT $2",
        )
        .bind(job.to_string())
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .rev()
            .map(|r| {
                Ok(Event {
                    version: r.int("version")?,
                    at: r.int("at")?,
                    what: r.text("what")?,
                    step: r.text_opt("step")?,
                    detail: r.text_opt("detail")?,
                })
            })
            .collect()
    }

    /// The versions of everything in a customer's log, in order.
    pub async fn context_log(&self, customer: CustomerId) -> Result<Vec<i64>> {
        let rows = sqlx::query("SELECT version FROM job_event WHERE context_id = $1 ORDER BY version");
        let rows = rows.bind(customer.to_string()).fetch_all(&self.pool).await?;
        rows.iter().map(|r| r.int("version")).collect()
    }

    /// The newest version of a customer's context: what a live page continues from.
    pub async fn context_version(&self, customer: CustomerId) -> Result<i64> {
        let row = sqlx::query("SELECT version FROM context WHERE customer_id = $1")
            .bind(customer.to_string())
            .fetch_optional(&self.pool)
            .await?;
        row.map_or(Ok(0), |r| r.int("version"))
    }
}
