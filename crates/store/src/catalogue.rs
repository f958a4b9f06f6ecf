//! Changes of the catalogue, as they were asked for: what is in force is what the operator's file says with those that have
//! begun, in the order in which they begin.

use domain::{AccountId, catalogue_change::CatalogueChange, draft::DraftValues};
use uuid::Uuid;

use crate::{
    audit::{self, Subject},
    db::Store,
    error::{Error, Result},
    interventions::Intervention,
    row::Columns,
};

/// So many drafts are looked at for what a change touches.
const DRAFTS_MOST: i64 = 10_000;

#[derive(Clone, Debug, PartialEq)]
pub struct CatalogueRow {
    pub id: String,
    pub at: i64,
    pub by: AccountId,
    pub by_name: String,
    pub why: String,
    /// When it begins, ms.
    pub valid_from: i64,
    pub change: CatalogueChange,
}

impl Store {
    /// Every change, in the order in which they begin.
    pub async fn catalogue_changes(&self) -> Result<Vec<CatalogueRow>> {
        let rows = sqlx::query(
            "SELECT c.id, c.at, c.account_id, c.why, c.valid_from, c.value, account.name FROM catalogue_change AS c
             JOIN account ON account.id = c.account_id ORDER BY c.valid_from, c.id",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(CatalogueRow {
                    id: row.text("id")?,
                    at: row.int("at")?,
                    by: row.id("account_id")?,
                    by_name: row.text("name")?,
                    why: row.text("why")?,
                    valid_from: row.int("valid_from")?,
                    change: row.json("value")?,
                })
            })
            .collect()
    }

    /// What tells whether anything of it has changed: how many changes there are that have begun, and the last of them.
    pub async fn catalogue_stamp(&self, now: i64) -> Result<(i64, String)> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS n, COALESCE(MAX(id), '') AS last FROM catalogue_change WHERE valid_from <= $1",
        )
        .bind(now)
        .fetch_one(&self.pool)
        .await?;
        Ok((row.int("n")?, row.text("last")?))
    }

    pub async fn catalogue_change(
        &self,
        change: &CatalogueChange,
        valid_from: i64,
        how: Intervention<'_>,
    ) -> Result<()> {
        let value = serde_json::to_string(change).map_err(|e| Error::Corrupt(e.to_string()))?;
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO catalogue_change (id, at, account_id, why, valid_from, subject, value)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(Uuid::now_v7().to_string())
        .bind(how.now)
        .bind(how.by.to_string())
        .bind(how.why)
        .bind(valid_from)
        .bind(change.subject())
        .bind(value)
        .execute(&mut *tx)
        .await?;
        let subject = Subject { kind: "catalogue", id: change.subject(), name: change.subject() };
        audit::record(&mut tx, Some(how.by), "catalogue_change", &subject, how.why, how.now).await?;
        tx.commit().await?;
        self.tell_staff();
        Ok(())
    }

    /// Takes back a change that has not begun. Returns whether it was there.
    pub async fn catalogue_withdraw(&self, id: &str, how: Intervention<'_>) -> Result<bool> {
        let mut tx = self.write().await?;
        let row =
            sqlx::query("DELETE FROM catalogue_change WHERE id = $1 AND valid_from > $2 RETURNING subject")
                .bind(id)
                .bind(how.now)
                .fetch_optional(&mut *tx)
                .await?;
        let Some(row) = row else {
            self.give_up(tx).await?;
            return Ok(false);
        };
        let subject = Subject { kind: "catalogue", id: row.text("subject")?, name: row.text("subject")? };
        audit::record(&mut tx, Some(how.by), "catalogue_withdraw", &subject, how.why, how.now).await?;
        tx.commit().await?;
        self.tell_staff();
        Ok(true)
    }

    /// What is chosen in every draft that can still be ordered.
    pub async fn drafts_chosen(&self, now: i64) -> Result<Vec<DraftValues>> {
        let rows = sqlx::query(
            "SELECT choices FROM draft WHERE ordered_job_id IS NULL AND expires_at > $1 LIMIT $2",
        )
        .bind(now)
        .bind(DRAFTS_MOST)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| row.json("choices")).collect()
    }
}
