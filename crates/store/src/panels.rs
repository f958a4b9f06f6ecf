//! Control panels: who has one, how many licences are in use, and the way in by which a job installs one.

use domain::{CustomerId, JobId, ServerId};
use jobs::Fence;
use secrecy::SecretString;

use crate::{
    db::{Conn, Store},
    error::Result,
    fence,
    row::Columns,
};

/// A way into a guest that a job has for itself.
#[derive(Debug)]
pub struct Way {
    /// What the guest knows: an `authorized_keys` line.
    pub public: String,
    /// A private key, as OpenSSH writes it.
    pub private: SecretString,
}

impl Store {
    /// How many servers there are with each panel: so many licences are in use.
    pub async fn licences_used(&self) -> Result<Vec<(String, i64)>> {
        let rows = sqlx::query(
            "SELECT panel_id, COUNT(*) AS n FROM server
             WHERE panel_id IS NOT NULL AND terminated_at IS NULL GROUP BY panel_id",
        );
        let rows = rows.fetch_all(&self.pool).await?;
        rows.iter().map(|r| Ok((r.text("panel_id")?, r.int("n")?))).collect()
    }

    /// The panel is on the server.
    pub async fn panel_installed(&self, fence: Fence, server: ServerId, now: i64) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        sqlx::query("UPDATE server SET panel_at = $1 WHERE id = $2 AND panel_id IS NOT NULL")
            .bind(now)
            .bind(server.to_string())
            .execute(&mut *tx)
            .await?;
        self.commit(tx, customer).await
    }

    /// The way in has been closed.
    pub async fn way_forget(&self, fence: Fence) -> Result<()> {
        let mut tx = self.write().await?;
        let (job, customer) = fence::hold(&mut tx, fence).await?;
        forget_way(&mut tx, job).await?;
        self.commit(tx, customer).await
    }

    /// The server goes on without a panel, and without its price.
    pub async fn panel_dropped(&self, fence: Fence) -> Result<()> {
        let mut tx = self.write().await?;
        let (job, customer) = fence::hold(&mut tx, fence).await?;
        drop_panel(&mut tx, customer, job).await?;
        self.commit(tx, customer).await
    }

    /// The job that installs a panel once this one has succeeded, if it is still to do.
    pub async fn panel_job_of(&self, job: JobId) -> Result<Option<JobId>> {
        let row = sqlx::query(
            "SELECT id FROM job WHERE needs_job_id = $1 AND kind = 'install_panel' AND finished_at IS NULL",
        );
        let row = row.bind(job.to_string()).fetch_optional(&self.pool).await?;
        row.map(|r| r.id("id")).transpose()
    }

    /// Keeps a way in for a job that is still to do, made under the fence of the job that it needs. The first one stays;
    /// returns the one that is kept.
    pub async fn way_keep(
        &self,
        fence: Fence,
        server: ServerId,
        job: JobId,
        way: Way,
    ) -> Result<Option<Way>> {
        let sealed = self.sealer.seal(server.0, &way.private)?;
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        sqlx::query(
            "INSERT INTO job_way (job_id, server_id, public, sealed)
             SELECT id, $2, $3, $4 FROM job WHERE id = $1 AND finished_at IS NULL ON CONFLICT (job_id) DO NOTHING",
        )
        .bind(job.to_string())
        .bind(server.to_string())
        .bind(way.public)
        .bind(sealed)
        .execute(&mut *tx)
        .await?;
        self.commit(tx, customer).await?;
        self.way(job).await
    }

    /// The way in of a job.
    pub async fn way(&self, job: JobId) -> Result<Option<Way>> {
        let row = sqlx::query("SELECT server_id, public, sealed FROM job_way WHERE job_id = $1")
            .bind(job.to_string())
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let server: ServerId = row.id("server_id")?;
        let private = self.sealer.open(server.0, &row.text("sealed")?)?;
        Ok(Some(Way { public: row.text("public")?, private }))
    }
}

/// How many more licences there are of a panel than servers with it, under a lock that the next order waits for.
pub(crate) async fn licences_left(tx: &mut Conn, panel: &str, all: u32) -> Result<u32> {
    sqlx::query("UPDATE counter SET value = value + 1 WHERE name = 'licences'").execute(&mut *tx).await?;
    let row = sqlx::query("SELECT COUNT(*) AS n FROM server WHERE panel_id = $1 AND terminated_at IS NULL");
    let used = row.bind(panel).fetch_one(tx).await?.int("n")?;
    Ok(all.saturating_sub(u32::try_from(used).unwrap_or(u32::MAX)))
}

async fn forget_way(tx: &mut Conn, job: JobId) -> Result<()> {
    sqlx::query("DELETE FROM job_way WHERE job_id = $1").bind(job.to_string()).execute(tx).await?;
    Ok(())
}

/// What a job that was to install a panel, and never will, leaves of it: nothing. A panel that is there stays, and so does one
/// that another job installs, or may still.
pub(crate) async fn drop_panel(tx: &mut Conn, customer: CustomerId, job: JobId) -> Result<()> {
    forget_way(tx, job).await?;
    sqlx::query(
        "UPDATE server SET price_minor = price_minor - panel_minor, panel_id = NULL, panel_name = NULL, panel_minor = 0,
             panel_at = NULL
         WHERE panel_id IS NOT NULL AND panel_at IS NULL AND customer_id = $2
           AND id = (SELECT server_id FROM job WHERE id = $1 AND kind = 'install_panel')
           AND NOT EXISTS (SELECT 1 FROM job WHERE job.server_id = server.id AND job.kind = 'install_panel'
                           AND job.id <> $1 AND job.state NOT IN ('cancelled', 'rolled_back', 'succeeded'))",
    )
    .bind(job.to_string())
    .bind(customer.to_string())
    .execute(tx)
    .await?;
    Ok(())
}
