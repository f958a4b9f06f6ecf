//! The secrets of a server, sealed. One copy is for the job that needs it, another waits to be shown once.

use domain::{JobId, ServerId};
use secrecy::SecretString;

use crate::{db::Store, error::Result, row::Columns};

/// What may be said of a password that waits to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reveal {
    /// It waits.
    Waiting,
    /// It was shown at this time (ms); until the grace is over it can be read again.
    Shown(i64),
    /// There is none: it was chosen by the customer, shown, or never asked for in time.
    Gone,
}

impl Store {
    /// The password that a job must set in the guest.
    pub async fn secret_for_job(&self, server: ServerId) -> Result<Option<SecretString>> {
        let row = sqlx::query("SELECT sealed FROM secret WHERE server_id = $1 AND purpose = 'job'")
            .bind(server.to_string())
            .fetch_optional(&self.pool)
            .await?;
        row.map(|r| self.sealer.open(server.0, &r.text("sealed")?)).transpose()
    }

    /// What may be said of the password that this job made.
    pub async fn secret_reveal_state(&self, server: ServerId, job: JobId) -> Result<Reveal> {
        let row = sqlx::query(
            "SELECT revealed_at FROM secret
             WHERE server_id = $1 AND purpose = 'reveal' AND COALESCE(reveal_of, $2) = $2",
        )
        .bind(server.to_string())
        .bind(job.to_string())
        .fetch_optional(&self.pool)
        .await?;
        Ok(match row {
            None => Reveal::Gone,
            Some(row) => row.int_opt("revealed_at")?.map_or(Reveal::Waiting, Reveal::Shown),
        })
    }

    /// Takes the one right to see the password. Returns whether this call was the one that got it.
    pub async fn secret_reveal(&self, server: ServerId, job: JobId, now: i64) -> Result<bool> {
        let done = sqlx::query(
            "UPDATE secret SET revealed_at = $1
             WHERE server_id = $2 AND purpose = 'reveal' AND revealed_at IS NULL AND COALESCE(reveal_of, $3) = $3",
        )
        .bind(now)
        .bind(server.to_string())
        .bind(job.to_string())
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// The password, for as long as its grant lasts: revealed after `since`.
    pub async fn secret_revealed(
        &self,
        server: ServerId,
        job: JobId,
        since: i64,
    ) -> Result<Option<SecretString>> {
        let row = sqlx::query(
            "SELECT sealed FROM secret WHERE server_id = $1 AND purpose = 'reveal' AND revealed_at > $2
               AND COALESCE(reveal_of, $3) = $3",
        )
        .bind(server.to_string())
        .bind(since)
        .bind(job.to_string())
        .fetch_optional(&self.pool)
        .await?;
        row.map(|r| self.sealer.open(server.0, &r.text("sealed")?)).transpose()
    }

    /// Destroys what was shown before `shown_before`, and what waited past its time. A shown one leaves a row with
    /// nothing sealed in it, so that the page can say when it was shown.
    pub async fn secrets_purge(&self, now: i64, shown_before: i64) -> Result<u64> {
        let shown = sqlx::query(
            "UPDATE secret SET sealed = '' WHERE purpose = 'reveal' AND sealed <> '' AND revealed_at <= $1",
        )
        .bind(shown_before)
        .execute(&self.pool)
        .await?;
        let late = sqlx::query(
            "DELETE FROM secret WHERE purpose = 'reveal' AND revealed_at IS NULL AND expires_at <= $1",
        )
        .bind(now)
        .execute(&self.pool)
        .await?;
        Ok(shown.rows_affected() + late.rows_affected())
    }
}
