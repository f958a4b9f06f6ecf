//! What people tell a job that is running, as its operation understands it. A signal overtakes nobody: it changes how a job
//! that is under way ends.

use domain::{AccountId, CustomerId, JobId};

use crate::{db::Store, error::Result, events, row::Columns};

impl Store {
    /// Tells a job under way. Returns whether it was there to be told; what it has been told already is not said twice.
    pub async fn job_tell(
        &self,
        customer: CustomerId,
        job: JobId,
        signal: &str,
        by: AccountId,
        now: i64,
    ) -> Result<bool> {
        let mut tx = self.write().await?;
        events::next_version(&mut tx, customer).await?;
        let told = sqlx::query(
            "UPDATE job SET signal = $1,
                 next_attempt_at = CASE WHEN state = 'retry_wait' THEN $2 ELSE next_attempt_at END
             WHERE id = $3 AND context_id = $4 AND state IN ('running', 'retry_wait') AND undo = 0
                 AND (signal IS NULL OR signal <> $1)",
        )
        .bind(signal)
        .bind(now)
        .bind(job.to_string())
        .bind(customer.to_string())
        .execute(&mut *tx)
        .await?;
        if told.rows_affected() == 0 {
            self.give_up(tx).await?;
            return Ok(self.job_told(job).await?.as_deref() == Some(signal));
        }
        // One that sleeps between two tries is woken.
        sqlx::query("UPDATE job_step SET retry_at = $1 WHERE job_id = $2 AND state = 'retry_wait'")
            .bind(now)
            .bind(job.to_string())
            .execute(&mut *tx)
            .await?;
        events::record(&mut tx, customer, job, signal, None, Some(&by.to_string()), now).await?;
        self.commit(tx, customer).await?;
        Ok(true)
    }

    /// What a job has been told.
    pub async fn job_told(&self, job: JobId) -> Result<Option<String>> {
        let row = sqlx::query("SELECT signal FROM job WHERE id = $1")
            .bind(job.to_string())
            .fetch_optional(&self.pool)
            .await?;
        row.map_or(Ok(None), |r| r.text_opt("signal"))
    }
}
