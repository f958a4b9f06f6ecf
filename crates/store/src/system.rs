//! The installation itself: processes that run jobs, what they said of the platform last, and single values that hold for the
//! whole database.

use crate::{db::Store, error::Result, row::Columns};

/// A process that runs jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerRow {
    pub name: String,
    pub began: i64,
    /// When it was heard of last, ms.
    pub seen: i64,
    /// Jobs that it takes at once.
    pub slots: i64,
    pub version: String,
    /// Jobs that it has claimed, and when the first of these claims ends.
    pub claims: i64,
    pub expires: Option<i64>,
}

/// The last answer of the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlatformAnswer {
    pub at: i64,
    /// How long a look at everything took, ms.
    pub took: i64,
}

impl Store {
    /// A process that runs jobs is there.
    pub async fn worker_seen(
        &self,
        name: &str,
        began: i64,
        slots: i64,
        version: &str,
        now: i64,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO worker (name, began, seen, slots, version) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (name) DO UPDATE SET seen = excluded.seen",
        )
        .bind(name)
        .bind(began)
        .bind(now)
        .bind(slots)
        .bind(version)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// It is gone, as it should be.
    pub async fn worker_gone(&self, name: &str) -> Result<()> {
        sqlx::query("DELETE FROM worker WHERE name = $1").bind(name).execute(&self.pool).await?;
        Ok(())
    }

    /// Those that went without a word are forgotten. With an embedded database nobody else is there.
    pub async fn workers_purge(&self, before: i64) -> Result<u64> {
        let done = sqlx::query("DELETE FROM worker WHERE seen < $1").bind(before).execute(&self.pool).await?;
        Ok(done.rows_affected())
    }

    /// All that are known, and whoever holds a claim and is not.
    pub async fn workers(&self) -> Result<Vec<WorkerRow>> {
        let rows = sqlx::query(
            "SELECT COALESCE(worker.name, held.owner) AS name, worker.began, worker.seen, worker.slots, worker.version,
                    COALESCE(held.claims, 0) AS claims, held.expires
             FROM worker FULL JOIN
                  (SELECT claim_owner AS owner, COUNT(*) AS claims, MIN(claim_expires_at) AS expires FROM job
                   WHERE state IN ('running', 'rolling_back') AND claim_owner IS NOT NULL GROUP BY claim_owner) AS held
                  ON held.owner = worker.name
             ORDER BY 1",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(WorkerRow {
                    name: row.text("name")?,
                    began: row.int_opt("began")?.unwrap_or(0),
                    seen: row.int_opt("seen")?.unwrap_or(0),
                    slots: row.int_opt("slots")?.unwrap_or(0),
                    version: row.text_opt("version")?.unwrap_or_default(),
                    claims: row.int("claims")?,
                    expires: row.int_opt("expires")?,
                })
            })
            .collect()
    }

    /// The platform has answered whoever looks at all of it.
    pub async fn platform_answered(&self, answer: PlatformAnswer) -> Result<()> {
        self.setting_put("platform_answered", &format!("{} {}", answer.at, answer.took)).await
    }

    pub async fn platform_answer(&self) -> Result<Option<PlatformAnswer>> {
        let text = self.setting("platform_answered").await?;
        let read = |text: &str| {
            let (at, took) = text.split_once(' ')?;
            Some(PlatformAnswer { at: at.parse().ok()?, took: took.parse().ok()? })
        };
        Ok(text.as_deref().and_then(read))
    }

    pub(crate) async fn setting(&self, name: &str) -> Result<Option<String>> {
        let row = sqlx::query("SELECT value FROM setting WHERE name = $1").bind(name);
        row.fetch_optional(&self.pool).await?.map(|row| row.text("value")).transpose()
    }

    pub(crate) async fn setting_put(&self, name: &str, value: &str) -> Result<()> {
        sqlx::query(
            "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(name)
        .bind(value)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
