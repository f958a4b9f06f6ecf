//! What people do to jobs: run again, take back, mark a step as done, ask a running one to stop. Each is one conditional
//! statement and one event that says who and why.

use domain::{AccountId, CustomerId, JobId, ServerId, kind::Kind, state::JobState};
use serde_json::{Map, Value};

use crate::{
    accounts::Account,
    admission::admit,
    audit,
    db::{Conn, Store},
    dialect::Sql,
    error::{Error, Result},
    events,
    parking::next_seq,
    row::Columns,
};

/// Who does it, and why.
#[derive(Clone, Copy, Debug)]
pub struct Intervention<'w> {
    pub by: AccountId,
    pub why: &'w str,
    pub now: i64,
}

impl Intervention<'_> {
    fn detail(&self) -> String {
        format!("{}: {}", self.by, self.why)
    }
}

/// What became of a wish to run a job again with other inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rerun {
    Queued,
    /// The step does not take this.
    NotAllowed(String),
    /// It is not, or not any more, a job that has failed.
    NotFailed,
}

const REPEAT: Sql = Sql {
    sqlite: "UPDATE job_step SET state = 'pending', finished_at = NULL, provider_task = NULL, output = NULL, unknown = 0
             WHERE job_id = $2 AND state = 'done' AND key IN (SELECT value FROM json_each($1))",
    postgres: "UPDATE job_step SET state = 'pending', finished_at = NULL, provider_task = NULL, output = NULL, unknown = 0
               WHERE job_id = $2 AND state = 'done' AND key IN (SELECT jsonb_array_elements_text(CAST($1 AS jsonb)))",
};

/// A job that somebody works on, under the lock of its context.
struct Held {
    customer: CustomerId,
    state: JobState,
    server: Option<ServerId>,
    kind: Kind,
    /// It keeps its place while it has failed.
    holds: bool,
}

impl Store {
    /// Runs a failed job again from the step that failed, and one that got stuck on its way back from where it is; finished
    /// steps are kept. One that did not hold its place gets a
    /// new one. Returns whether it was there to be run again: of two who ask, the second is told no.
    pub async fn job_rerun(&self, job: JobId, how: Intervention<'_>) -> Result<bool> {
        self.resume(job, how, "rerun", false).await
    }

    /// The same with other inputs, where the step that failed takes some: `allowed` are those that its workflow lets staff
    /// change. The values are not written into events: they may be anything.
    pub async fn job_rerun_with(
        &self,
        job: JobId,
        inputs: &Map<String, Value>,
        allowed: &[&str],
        how: Intervention<'_>,
    ) -> Result<Rerun> {
        if let Some(name) = inputs.keys().find(|name| !allowed.contains(&name.as_str())) {
            return Ok(Rerun::NotAllowed(name.clone()));
        }
        let (mut tx, Some(held)) = self.held(job).await? else { return Ok(Rerun::NotFailed) };
        if held.state != JobState::Failed {
            self.give_up(tx).await?;
            return Ok(Rerun::NotFailed);
        }
        let row = sqlx::query("SELECT params FROM job WHERE id = $1").bind(job.to_string());
        let text = row.fetch_one(&mut *tx).await?.text("params")?;
        let corrupt = |e: serde_json::Error| Error::Corrupt(format!("params: {e}"));
        let mut params: Map<String, Value> = serde_json::from_str(&text).map_err(corrupt)?;
        params.extend(inputs.clone());
        sqlx::query("UPDATE job SET params = $1 WHERE id = $2")
            .bind(Value::from(params).to_string())
            .bind(job.to_string())
            .execute(&mut *tx)
            .await?;
        let names: Vec<&str> = inputs.keys().map(String::as_str).collect();
        let detail = format!("{} ({})", how.detail(), names.join(", "));
        events::record(&mut tx, held.customer, job, "inputs_changed", None, Some(&detail), how.now).await?;
        self.queue_again(&mut tx, job, &held, how, "rerun", false).await?;
        let what = format!("{} ({})", how.why, names.join(", "));
        audit::record_job(&mut tx, how.by, "job_rerun", job, &what, how.now).await?;
        self.commit(tx, held.customer).await?;
        Ok(Rerun::Queued)
    }

    /// The same from an earlier step: what is named is done once more. Whether it may be is its workflow's to say.
    pub async fn job_rerun_from(
        &self,
        job: JobId,
        repeats: &[String],
        how: Intervention<'_>,
    ) -> Result<bool> {
        let (mut tx, Some(held)) = self.held(job).await? else { return Ok(false) };
        if held.state != JobState::Failed {
            self.give_up(tx).await?;
            return Ok(false);
        }
        sqlx::query(REPEAT.of(self.is_embedded()))
            .bind(Value::from(repeats).to_string())
            .bind(job.to_string())
            .execute(&mut *tx)
            .await?;
        self.queue_again(&mut tx, job, &held, how, "rerun", false).await?;
        let from = repeats.first().map_or("", String::as_str);
        let what = format!("{} ({from})", how.why);
        audit::record_job(&mut tx, how.by, "job_rerun", job, &what, how.now).await?;
        self.commit(tx, held.customer).await?;
        Ok(true)
    }

    /// Takes back what a failed job has done.
    pub async fn job_roll_back(&self, job: JobId, how: Intervention<'_>) -> Result<bool> {
        self.resume(job, how, "roll_back", true).await
    }

    /// Says that a failed step has been done by hand: the job goes on after it.
    pub async fn job_mark_done(&self, job: JobId, step: &str, how: Intervention<'_>) -> Result<bool> {
        let (mut tx, Some(held)) = self.held(job).await? else { return Ok(false) };
        if held.state != JobState::Failed {
            self.give_up(tx).await?;
            return Ok(false);
        }
        let done = sqlx::query(
            "UPDATE job_step SET state = 'done', finished_at = $1, retry_at = NULL
             WHERE job_id = $2 AND key = $3 AND state = 'failed'",
        )
        .bind(how.now)
        .bind(job.to_string())
        .bind(step)
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            self.give_up(tx).await?;
            return Ok(false);
        }
        events::record(&mut tx, held.customer, job, "marked_done", Some(step), Some(&how.detail()), how.now)
            .await?;
        self.queue_again(&mut tx, job, &held, how, "rerun", false).await?;
        let what = format!("{} ({step})", how.why);
        audit::record_job(&mut tx, how.by, "job_marked_done", job, &what, how.now).await?;
        self.commit(tx, held.customer).await?;
        Ok(true)
    }

    /// Asks a job to stop: one that waits is taken back at once, one that runs at its next step, undoing what it did.
    /// Returns the state it was in; `None` where it was over or is being taken back already.
    pub async fn job_stop(&self, job: JobId, how: Intervention<'_>) -> Result<Option<JobState>> {
        let (mut tx, Some(held)) = self.held(job).await? else { return Ok(None) };
        if held.state.is_waiting() {
            self.give_up(tx).await?;
            let done = self.job_cancel(held.customer, job, how.by, how.now).await?;
            if done {
                let mut tx = self.write().await?;
                audit::record_job(&mut tx, how.by, "job_stop_asked", job, how.why, how.now).await?;
                tx.commit().await?;
            }
            return Ok(done.then_some(held.state));
        }
        if !matches!(held.state, JobState::Running | JobState::RetryWait) {
            self.give_up(tx).await?;
            return Ok(None);
        }
        // One that sleeps between two tries is woken: there is nothing to wait for any more.
        let done = sqlx::query(
            "UPDATE job SET cancel_requested_by = $1,
                 next_attempt_at = CASE WHEN state = 'retry_wait' THEN $2 ELSE next_attempt_at END
             WHERE id = $3 AND cancel_requested_by IS NULL AND undo = 0",
        )
        .bind(how.by.to_string())
        .bind(how.now)
        .bind(job.to_string())
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            self.give_up(tx).await?;
            return Ok(None);
        }
        sqlx::query("UPDATE job_step SET retry_at = $1 WHERE job_id = $2 AND state = 'retry_wait'")
            .bind(how.now)
            .bind(job.to_string())
            .execute(&mut *tx)
            .await?;
        events::record(&mut tx, held.customer, job, "stop_asked", None, Some(&how.detail()), how.now).await?;
        audit::record_job(&mut tx, how.by, "job_stop_asked", job, how.why, how.now).await?;
        self.commit(tx, held.customer).await?;
        Ok(Some(held.state))
    }

    /// Gives a job to somebody of the staff to look after, or to nobody. Returns whether that changed anything.
    pub async fn job_assign(
        &self,
        job: JobId,
        assignee: Option<&Account>,
        by: AccountId,
        now: i64,
    ) -> Result<bool> {
        let (mut tx, Some(held)) = self.held(job).await? else { return Ok(false) };
        let id = assignee.map(|a| a.id.to_string());
        let done = sqlx::query(
            "UPDATE job SET assignee_id = $1 WHERE id = $2 AND COALESCE(assignee_id, '') <> COALESCE($1, '')",
        )
        .bind(id)
        .bind(job.to_string())
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            self.give_up(tx).await?;
            return Ok(false);
        }
        let what = if assignee.is_some() { "assigned" } else { "unassigned" };
        let how = Intervention { by, why: assignee.map_or("", |a| &a.name), now };
        events::record(&mut tx, held.customer, job, what, None, Some(&how.detail()), now).await?;
        self.commit(tx, held.customer).await?;
        Ok(true)
    }

    /// Leaves a note with a job. Returns whether the job is there.
    pub async fn job_note(&self, job: JobId, how: Intervention<'_>) -> Result<bool> {
        let (mut tx, Some(held)) = self.held(job).await? else { return Ok(false) };
        events::record(&mut tx, held.customer, job, "note", None, Some(&how.detail()), how.now).await?;
        self.commit(tx, held.customer).await?;
        Ok(true)
    }

    async fn resume(&self, job: JobId, how: Intervention<'_>, what: &str, undo: bool) -> Result<bool> {
        let (mut tx, Some(held)) = self.held(job).await? else { return Ok(false) };
        // What could not be taken back can be tried again, or gone on with: what was taken back of it is done anew.
        if !matches!(held.state, JobState::Failed | JobState::Stuck) {
            self.give_up(tx).await?;
            return Ok(false);
        }
        self.queue_again(&mut tx, job, &held, how, what, undo).await?;
        audit::record_job(&mut tx, how.by, &format!("job_{what}"), job, how.why, how.now).await?;
        self.commit(tx, held.customer).await?;
        Ok(true)
    }

    /// The job and the lock of its context.
    async fn held(&self, job: JobId) -> Result<(crate::db::Tx, Option<Held>)> {
        let mut tx = self.write().await?;
        let found = sqlx::query("SELECT context_id FROM job WHERE id = $1")
            .bind(job.to_string())
            .fetch_optional(&mut *tx)
            .await?;
        let Some(row) = found else { return Ok((tx, None)) };
        let customer = row.id("context_id")?;
        events::next_version(&mut tx, customer).await?;
        // Read under the lock: what it was before may have changed.
        let row = sqlx::query("SELECT state, server_id, kind, finished_at FROM job WHERE id = $1")
            .bind(job.to_string())
            .fetch_one(&mut *tx)
            .await?;
        let held = Held {
            customer,
            state: row.word("state")?,
            server: row.id_opt("server_id")?,
            kind: row.word("kind")?,
            holds: row.int_opt("finished_at")?.is_none(),
        };
        Ok((tx, Some(held)))
    }

    async fn queue_again(
        &self,
        tx: &mut Conn,
        job: JobId,
        held: &Held,
        how: Intervention<'_>,
        what: &str,
        undo: bool,
    ) -> Result<()> {
        if !held.holds {
            let seq = next_seq(tx, held.customer).await?;
            sqlx::query("UPDATE job SET seq = $1 WHERE id = $2")
                .bind(seq)
                .bind(job.to_string())
                .execute(&mut *tx)
                .await?;
        }
        sqlx::query(
            "UPDATE job SET state = 'queued', undo = $1, admitted_at = NULL, finished_at = NULL, cause = NULL, detail = NULL,
                 cancel_requested_by = NULL, unit_id = NULL, signal = NULL
             WHERE id = $2",
        )
        .bind(i64::from(undo))
        .bind(job.to_string())
        .execute(&mut *tx)
        .await?;
        // A step begins its tries anew; one that is to be taken back stays marked as tried.
        sqlx::query(
            "UPDATE job_step SET state = CASE WHEN $1 = 1 THEN state ELSE 'pending' END, retries = 0, waited_ms = 0,
                 retry_at = NULL, finished_at = NULL
             WHERE job_id = $2 AND ($1 = 1 OR state IN ('failed', 'retry_wait', 'running', 'undone'))",
        )
        .bind(i64::from(undo))
        .bind(job.to_string())
        .execute(&mut *tx)
        .await?;
        if let (Kind::Activate, Some(server), false) = (held.kind, held.server, undo) {
            sqlx::query("UPDATE server SET state = 'ordered' WHERE id = $1 AND terminated_at IS NULL")
                .bind(server.to_string())
                .execute(&mut *tx)
                .await?;
        }
        events::record(tx, held.customer, job, what, None, Some(&how.detail()), how.now).await?;
        admit(self, tx, held.customer, how.now).await
    }
}
