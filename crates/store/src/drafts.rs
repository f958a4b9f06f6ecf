//! Unfinished orders.

use domain::{CustomerId, DraftId, JobId, draft::DraftValues};
use secrecy::SecretString;
use sqlx::any::AnyRow;

use crate::{
    db::Store,
    error::{Error, Result},
    row::Columns,
};

#[derive(Clone, Debug)]
pub struct Draft {
    pub id: DraftId,
    pub customer: CustomerId,
    pub values: DraftValues,
    /// A password of the customer's own is sealed in this draft.
    pub password_kept: bool,
    pub updated_at: i64,
    pub expires_at: i64,
    /// The job it became.
    pub ordered: Option<JobId>,
}

/// What to do with the draft's sealed password when saving.
pub enum DraftPassword {
    Keep,
    Forget,
    Set(SecretString),
}

const SELECT: &str =
    "SELECT id, customer_id, choices, sealed_password, updated_at, expires_at, ordered_job_id FROM draft
     WHERE id = $1 AND customer_id = $2";

impl Store {
    /// A number for the next generated server name of a customer.
    pub async fn name_number(&self, customer: CustomerId) -> Result<i64> {
        let row = sqlx::query(
            "INSERT INTO context (customer_id, last_name) VALUES ($1, 1)
             ON CONFLICT (customer_id) DO UPDATE SET last_name = context.last_name + 1 RETURNING last_name",
        )
        .bind(customer.to_string())
        .fetch_one(&self.pool)
        .await?;
        row.int("last_name")
    }

    pub async fn draft_add(
        &self,
        id: DraftId,
        customer: CustomerId,
        values: &DraftValues,
        now: i64,
        expires_at: i64,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO draft (id, customer_id, choices, created_at, updated_at, expires_at)
             VALUES ($1, $2, $3, $4, $4, $5)",
        )
        .bind(id.to_string())
        .bind(customer.to_string())
        .bind(encode(values)?)
        .bind(now)
        .bind(expires_at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// A customer's own draft; another's is `None`, as is one that does not exist.
    pub async fn draft(&self, id: DraftId, customer: CustomerId) -> Result<Option<Draft>> {
        let row = sqlx::query(SELECT)
            .bind(id.to_string())
            .bind(customer.to_string())
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(draft).transpose()
    }

    /// Drafts that may be continued, newest first.
    pub async fn drafts_open(&self, customer: CustomerId, now: i64) -> Result<Vec<Draft>> {
        let rows = sqlx::query(
            "SELECT id, customer_id, choices, sealed_password, updated_at, expires_at, ordered_job_id FROM draft
             WHERE customer_id = $1 AND ordered_job_id IS NULL AND expires_at > $2
             ORDER BY updated_at DESC LIMIT 10",
        )
        .bind(customer.to_string())
        .bind(now)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(draft).collect()
    }

    /// Saves what was typed. An ordered draft does not change any more; returns whether it was saved.
    pub async fn draft_save(
        &self,
        id: DraftId,
        customer: CustomerId,
        values: &DraftValues,
        password: DraftPassword,
        now: i64,
    ) -> Result<bool> {
        let (keep, sealed) = match password {
            DraftPassword::Keep => (1_i64, None),
            DraftPassword::Forget => (0, None),
            DraftPassword::Set(secret) => (0, Some(self.sealer.seal(id.0, &secret)?)),
        };
        let done = sqlx::query(
            "UPDATE draft SET choices = $1, updated_at = CASE WHEN updated_at >= $2 THEN updated_at + 1 ELSE $2 END,
                 sealed_password = CASE WHEN $3 = 1 THEN sealed_password ELSE $4 END
             WHERE id = $5 AND customer_id = $6 AND ordered_job_id IS NULL",
        )
        .bind(encode(values)?)
        .bind(now)
        .bind(keep)
        .bind(sealed)
        .bind(id.to_string())
        .bind(customer.to_string())
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// The password a customer chose, opened for the order it becomes.
    pub async fn draft_password(&self, id: DraftId, customer: CustomerId) -> Result<Option<SecretString>> {
        let row = sqlx::query("SELECT sealed_password FROM draft WHERE id = $1 AND customer_id = $2")
            .bind(id.to_string())
            .bind(customer.to_string())
            .fetch_optional(&self.pool)
            .await?;
        let sealed = row.map(|r| r.text_opt("sealed_password")).transpose()?.flatten();
        sealed.map(|s| self.sealer.open(id.0, &s)).transpose()
    }

    pub async fn draft_discard(&self, id: DraftId, customer: CustomerId) -> Result<bool> {
        let done =
            sqlx::query("DELETE FROM draft WHERE id = $1 AND customer_id = $2 AND ordered_job_id IS NULL")
                .bind(id.to_string())
                .bind(customer.to_string())
                .execute(&self.pool)
                .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Deletes drafts that expired long enough ago that nobody asks for them any more.
    pub async fn drafts_purge(&self, before: i64) -> Result<u64> {
        let done =
            sqlx::query("DELETE FROM draft WHERE expires_at <= $1").bind(before).execute(&self.pool).await?;
        Ok(done.rows_affected())
    }
}

fn encode(values: &DraftValues) -> Result<String> {
    serde_json::to_string(values).map_err(|e| Error::Corrupt(e.to_string()))
}

fn draft(row: &AnyRow) -> Result<Draft> {
    Ok(Draft {
        id: row.id("id")?,
        customer: row.id("customer_id")?,
        values: row.json("choices")?,
        password_kept: row.text_opt("sealed_password")?.is_some(),
        updated_at: row.int("updated_at")?,
        expires_at: row.int("expires_at")?,
        ordered: row.id_opt("ordered_job_id")?,
    })
}
