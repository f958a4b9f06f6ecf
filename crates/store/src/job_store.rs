//! The engine's store, on the database.

use async_trait::async_trait;
use domain::{
    CustomerId, JobId, ServerId,
    kind::{Kind, Scope},
    state::ServerState,
};
use jobs::{ClaimedJob, Fence, JobStore, Problem, StepRecord, StepStatus, StoreError};
use serde_json::Value;
use sqlx::any::AnyRow;

use crate::{
    admission::{admit, scope},
    db::{Conn, Store},
    error::{Error, Result},
    events, fence,
    row::Columns,
};

#[async_trait]
impl JobStore for Store {
    async fn claim(&self, owner: &str, now: i64, until: i64) -> Result<Option<ClaimedJob>, StoreError> {
        self.grant_parked(now).await?;
        Ok(self.claim_one(owner, now, until).await?)
    }

    async fn next_due(&self) -> Result<Option<i64>, StoreError> {
        let row = sqlx::query(
            "SELECT MIN(at) AS at FROM (
                 SELECT MIN(next_attempt_at) AS at FROM job WHERE state = 'retry_wait'
                 UNION ALL
                 SELECT MIN(claim_expires_at) AS at FROM job WHERE state IN ('running', 'rolling_back')) AS due",
        )
        .fetch_one(&self.pool)
        .await
        .map_err(Error::from)?;
        Ok(row.int_opt("at")?)
    }

    async fn renew(&self, fence: Fence, until: i64) -> Result<(), StoreError> {
        let done = sqlx::query(
            "UPDATE job SET claim_expires_at = $1 WHERE id = $2 AND epoch = $3 AND state IN ('running', 'rolling_back')",
        )
        .bind(until)
        .bind(fence.job.to_string())
        .bind(fence.epoch)
        .execute(&self.pool)
        .await
        .map_err(Error::from)?;
        if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Fenced) }
    }

    async fn release(&self, fence: Fence, now: i64) -> Result<(), StoreError> {
        self.renew(fence, now).await
    }

    async fn step_started(&self, fence: Fence, step: &str, now: i64) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let (job, customer) = fence::hold(&mut tx, fence).await?;
        let row = sqlx::query("SELECT cancel_requested_by FROM job WHERE id = $1")
            .bind(job.to_string())
            .fetch_one(&mut *tx)
            .await
            .map_err(Error::from)?;
        if row.text_opt("cancel_requested_by")?.is_some() {
            return Ok(true);
        }
        sqlx::query(
            "UPDATE job_step SET state = 'running', attempt = attempt + 1, started_at = COALESCE(started_at, $1),
                 first_tried_at = COALESCE(first_tried_at, $1), retry_at = NULL
             WHERE job_id = $2 AND key = $3",
        )
        .bind(now)
        .bind(job.to_string())
        .bind(step)
        .execute(&mut *tx)
        .await
        .map_err(Error::from)?;
        events::record(&mut tx, customer, job, "step_started", Some(step), None, now).await?;
        self.commit(tx, customer).await?;
        Ok(false)
    }

    async fn step_task(&self, fence: Fence, step: &str, task: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let (job, customer) = fence::hold(&mut tx, fence).await?;
        sqlx::query("UPDATE job_step SET provider_task = $1 WHERE job_id = $2 AND key = $3")
            .bind(task)
            .bind(job.to_string())
            .bind(step)
            .execute(&mut *tx)
            .await
            .map_err(Error::from)?;
        Ok(self.commit(tx, customer).await?)
    }

    async fn step_done(&self, fence: Fence, step: &str, output: &Value, now: i64) -> Result<(), StoreError> {
        let output = (!output.is_null()).then(|| output.to_string());
        let mut tx = self.write().await?;
        let (job, customer) = fence::hold(&mut tx, fence).await?;
        sqlx::query(
            "UPDATE job_step SET state = 'done', finished_at = $1, output = $2, retry_at = NULL, cause = NULL,
                 detail = NULL
             WHERE job_id = $3 AND key = $4",
        )
        .bind(now)
        .bind(output)
        .bind(job.to_string())
        .bind(step)
        .execute(&mut *tx)
        .await
        .map_err(Error::from)?;
        events::record(&mut tx, customer, job, "step_done", Some(step), None, now).await?;
        Ok(self.commit(tx, customer).await?)
    }

    async fn step_retry(
        &self,
        fence: Fence,
        step: &str,
        problem: &Problem,
        at: i64,
        now: i64,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let (job, customer) = fence::hold(&mut tx, fence).await?;
        sqlx::query(
            "UPDATE job_step SET state = 'retry_wait', retry_at = $1, cause = $2, detail = $3
             WHERE job_id = $4 AND key = $5",
        )
        .bind(at)
        .bind(problem.code)
        .bind(&problem.detail)
        .bind(job.to_string())
        .bind(step)
        .execute(&mut *tx)
        .await
        .map_err(Error::from)?;
        events::record(&mut tx, customer, job, "step_retry", Some(step), Some(&describe(problem)), now)
            .await?;
        Ok(self.commit(tx, customer).await?)
    }

    async fn step_failed(
        &self,
        fence: Fence,
        step: &str,
        problem: &Problem,
        now: i64,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let (job, customer) = fence::hold(&mut tx, fence).await?;
        sqlx::query(
            "UPDATE job_step SET state = 'failed', finished_at = $1, cause = $2, detail = $3
             WHERE job_id = $4 AND key = $5",
        )
        .bind(now)
        .bind(problem.code)
        .bind(&problem.detail)
        .bind(job.to_string())
        .bind(step)
        .execute(&mut *tx)
        .await
        .map_err(Error::from)?;
        events::record(&mut tx, customer, job, "step_failed", Some(step), Some(&describe(problem)), now)
            .await?;
        Ok(self.commit(tx, customer).await?)
    }

    async fn job_retry_wait(&self, fence: Fence, until: i64, now: i64) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let (job, customer) = fence::hold(&mut tx, fence).await?;
        sqlx::query(
            "UPDATE job SET state = 'retry_wait', next_attempt_at = $1, claim_owner = NULL, claim_expires_at = NULL
             WHERE id = $2",
        )
        .bind(until)
        .bind(job.to_string())
        .execute(&mut *tx)
        .await
        .map_err(Error::from)?;
        events::record(&mut tx, customer, job, "retry_wait", None, None, now).await?;
        Ok(self.commit(tx, customer).await?)
    }

    async fn job_parked(
        &self,
        fence: Fence,
        step: &str,
        problem: &Problem,
        now: i64,
    ) -> Result<(), StoreError> {
        Ok(self.park(fence, step, problem, now).await?)
    }

    async fn step_undone(&self, fence: Fence, step: &str, now: i64) -> Result<(), StoreError> {
        Ok(self.undo_step(fence, step, now).await?)
    }

    async fn job_undo(&self, fence: Fence, now: i64) -> Result<(), StoreError> {
        Ok(self.undo_begin(fence, now).await?)
    }

    async fn job_rolled_back(&self, fence: Fence, now: i64) -> Result<(), StoreError> {
        Ok(self.undo_end(fence, now).await?)
    }

    async fn job_stuck(&self, fence: Fence, problem: &Problem, now: i64) -> Result<(), StoreError> {
        Ok(self.undo_stuck(fence, problem, now).await?)
    }

    async fn job_succeeded(&self, fence: Fence, now: i64) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let (job, customer) = fence::hold(&mut tx, fence).await?;
        sqlx::query(
            "UPDATE job SET state = 'succeeded', finished_at = $1, claim_owner = NULL, claim_expires_at = NULL,
                 cause = NULL, detail = NULL
             WHERE id = $2",
        )
        .bind(now)
        .bind(job.to_string())
        .execute(&mut *tx)
        .await
        .map_err(Error::from)?;
        // What the job needed is not needed any more.
        sqlx::query(
            "DELETE FROM secret WHERE purpose = 'job' AND server_id = (SELECT server_id FROM job WHERE id = $1)",
        )
        .bind(job.to_string())
        .execute(&mut *tx)
        .await
        .map_err(Error::from)?;
        events::record(&mut tx, customer, job, "succeeded", None, None, now).await?;
        admit(&mut tx, self.matrix, customer, now).await?;
        Ok(self.commit(tx, customer).await?)
    }

    async fn job_failed(&self, fence: Fence, problem: &Problem, now: i64) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let (job, customer) = fence::hold(&mut tx, fence).await?;
        let row = sqlx::query("SELECT hold_on_failure, kind, server_id FROM job WHERE id = $1")
            .bind(job.to_string())
            .fetch_one(&mut *tx)
            .await
            .map_err(Error::from)?;
        // A job that holds its place is not finished: it keeps others out until staff act.
        let finished = (scope(&row.text("hold_on_failure")?)? == Scope::None).then_some(now);
        sqlx::query(
            "UPDATE job SET state = 'failed', finished_at = $1, claim_owner = NULL, claim_expires_at = NULL,
                 cause = $2, detail = $3
             WHERE id = $4",
        )
        .bind(finished)
        .bind(problem.code)
        .bind(&problem.detail)
        .bind(job.to_string())
        .execute(&mut *tx)
        .await
        .map_err(Error::from)?;
        if row.word::<Kind>("kind")? == Kind::Activate
            && let Some(server) = row.id_opt::<ServerId>("server_id")?
        {
            mark_server_failed(&mut tx, server).await?;
        }
        events::record(&mut tx, customer, job, "failed", None, Some(&describe(problem)), now).await?;
        admit(&mut tx, self.matrix, customer, now).await?;
        Ok(self.commit(tx, customer).await?)
    }
}

impl Store {
    /// Lets go of every claim. Only for the one process that owns an embedded database, before it starts its worker:
    /// whoever held these claims is gone.
    pub async fn claims_release_all(&self) -> Result<u64> {
        let done = sqlx::query(
            "UPDATE job SET claim_expires_at = 0 WHERE state IN ('running', 'rolling_back') AND claim_expires_at > 0",
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }

    /// Claims the job that has been due longest. Others may be after the same one: the statement that takes it looks again,
    /// under the context's lock, and whoever was slower takes the next.
    async fn claim_one(&self, owner: &str, now: i64, until: i64) -> Result<Option<ClaimedJob>> {
        for skip in 0..CLAIM_TRIES {
            let Some((job, customer)) = self.claimable(now, skip).await? else { return Ok(None) };
            let mut tx = self.write().await?;
            events::lock(&mut tx, customer).await?;
            if !self.has_place(&mut tx, job, now).await? {
                return Ok(None);
            }
            let row = sqlx::query(
                "UPDATE job SET state = CASE WHEN undo = 1 THEN 'rolling_back' ELSE 'running' END,
                     epoch = epoch + 1, claim_owner = $1, claim_expires_at = $2, next_attempt_at = NULL,
                     started_at = COALESCE(started_at, CASE WHEN admitted_at > $3 THEN admitted_at ELSE $3 END)
                 WHERE id = $4 AND ((state = 'queued' AND admitted_at IS NOT NULL)
                     OR (state = 'retry_wait' AND next_attempt_at <= $3)
                     OR (state IN ('running', 'rolling_back') AND claim_expires_at <= $3))
                 RETURNING id, number, context_id, kind, server_id, params, shape, epoch, undo",
            )
            .bind(owner)
            .bind(until)
            .bind(now)
            .bind(job.to_string())
            .fetch_optional(&mut *tx)
            .await?;
            let Some(row) = row else { continue };
            let steps = sqlx::query(
                "SELECT key, state, attempt, first_tried_at, retry_at, provider_task, output FROM job_step
                 WHERE job_id = $1 ORDER BY ord",
            )
            .bind(job.to_string())
            .fetch_all(&mut *tx)
            .await?;
            let claimed = claimed(&row, &steps)?;
            events::record(&mut tx, customer, job, "claimed", None, Some(owner), now).await?;
            self.commit(tx, customer).await?;
            return Ok(Some(claimed));
        }
        Ok(None)
    }

    /// Whether there is a place for it. Near the limit whoever claims takes turns, so that two cannot take the last one.
    async fn has_place(&self, tx: &mut Conn, job: JobId, now: i64) -> Result<bool> {
        const COUNT: &str = "SELECT COUNT(*) AS n FROM job WHERE state IN ('running', 'rolling_back')";
        let near = sqlx::query(COUNT).fetch_one(&mut *tx).await?.int("n")? + NEAR >= self.cap;
        if !near {
            return Ok(true);
        }
        sqlx::query("UPDATE counter SET value = value WHERE name = 'places'").execute(&mut *tx).await?;
        let taken = sqlx::query(COUNT).fetch_one(&mut *tx).await?.int("n")?;
        let has_one = sqlx::query(
            "SELECT 1 AS one FROM job WHERE id = $1 AND state IN ('running', 'rolling_back') AND claim_expires_at <= $2",
        )
        .bind(job.to_string())
        .bind(now)
        .fetch_optional(tx)
        .await?;
        Ok(taken < self.cap || has_one.is_some())
    }

    /// The job whose turn it is, but for `skip` others: of the customer who has the fewest under way, the one that has
    /// been due longest. So nobody's flood keeps others out, and one customer has more than half of all places only while
    /// no other has anything to start.
    ///
    /// Where every place is taken, only what has one already: a claim that its worker let expire.
    async fn claimable(&self, now: i64, skip: i64) -> Result<Option<(JobId, CustomerId)>> {
        let row = sqlx::query(
            "SELECT due.id, due.context_id FROM (
                 SELECT id, context_id, admitted_at AS at, 1 AS new FROM job
                 WHERE state = 'queued' AND admitted_at IS NOT NULL
                 UNION ALL
                 SELECT id, context_id, next_attempt_at, 1 FROM job
                 WHERE state = 'retry_wait' AND next_attempt_at <= $1
                 UNION ALL
                 SELECT id, context_id, claim_expires_at, 0 FROM job
                 WHERE state IN ('running', 'rolling_back') AND claim_expires_at <= $1) AS due
             LEFT JOIN (SELECT context_id, COUNT(*) AS n FROM job WHERE state IN ('running', 'rolling_back')
                        GROUP BY context_id) AS under_way ON under_way.context_id = due.context_id
             WHERE due.new = 0
                OR (SELECT COUNT(*) FROM job WHERE state IN ('running', 'rolling_back')) < $2
             ORDER BY due.new, COALESCE(under_way.n, 0), due.at LIMIT 1 OFFSET $3",
        )
        .bind(now)
        .bind(self.cap)
        .bind(skip)
        .fetch_optional(&self.pool)
        .await?;
        row.map(|r| Ok((r.id("id")?, r.id("context_id")?))).transpose()
    }
}

/// So many times somebody else may be faster before the next wake-up or scan is waited for.
const CLAIM_TRIES: i64 = 16;
/// So close to the limit of jobs at once, claims are made one after the other.
const NEAR: i64 = 16;

pub(crate) async fn mark_server_failed(tx: &mut Conn, server: ServerId) -> Result<()> {
    sqlx::query("UPDATE server SET state = $1 WHERE id = $2 AND terminated_at IS NULL")
        .bind(ServerState::Failed.as_str())
        .bind(server.to_string())
        .execute(tx)
        .await?;
    Ok(())
}

pub(crate) fn describe(problem: &Problem) -> String {
    format!("{}: {}", problem.code, problem.detail)
}

fn claimed(row: &AnyRow, steps: &[AnyRow]) -> Result<ClaimedJob> {
    Ok(ClaimedJob {
        fence: Fence { job: row.id::<JobId>("id")?.0, epoch: row.int("epoch")? },
        number: row.int("number")?,
        kind: row.text("kind")?,
        context: row.id::<CustomerId>("context_id")?.0,
        target: row.id_opt::<ServerId>("server_id")?.map(|s| s.0),
        params: row.json("params")?,
        shape: row.int("shape")?,
        steps: steps.iter().map(step).collect::<Result<_>>()?,
        undo: row.int("undo")? == 1,
    })
}

fn step(row: &AnyRow) -> Result<StepRecord> {
    Ok(StepRecord {
        key: row.text("key")?,
        status: match row.text("state")?.as_str() {
            "pending" => StepStatus::Pending,
            "running" => StepStatus::Running,
            "retry_wait" => StepStatus::RetryWait,
            "done" => StepStatus::Done,
            "skipped" => StepStatus::Skipped,
            "failed" => StepStatus::Failed,
            "undone" => StepStatus::Undone,
            other => return Err(Error::Corrupt(format!("step state: {other:?}"))),
        },
        attempt: row.uint("attempt")?,
        first_tried_at: row.int_opt("first_tried_at")?,
        retry_at: row.int_opt("retry_at")?,
        provider_task: row.text_opt("provider_task")?,
        output: row
            .text_opt("output")?
            .map(|t| serde_json::from_str(&t))
            .transpose()
            .map_err(|e: serde_json::Error| Error::Corrupt(format!("output: {e}")))?,
    })
}
