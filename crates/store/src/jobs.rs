//! Jobs as people see them: with their steps, and with why they are not running.

use domain::{
    AccountId, CustomerId, JobId, ServerId,
    kind::Kind,
    state::{JobState, StepState},
};
use sqlx::any::AnyRow;

use crate::{db::Store, error::Result, progress::Progress, row::Columns};

#[derive(Clone, Debug)]
pub struct Job {
    pub id: JobId,
    pub number: i64,
    pub customer: CustomerId,
    pub seq: i64,
    pub kind: Kind,
    /// Which of the things that its kind can do.
    pub action: Option<String>,
    pub server: Option<ServerId>,
    /// The earlier job that has to succeed first.
    pub needs: Option<JobId>,
    pub server_name: Option<String>,
    pub template_name: Option<String>,
    pub panel_name: Option<String>,
    pub state: JobState,
    pub requested_by: AccountId,
    /// Who of the staff looks after it.
    pub assignee: Option<AccountId>,
    pub request_id: String,
    pub claim_owner: Option<String>,
    pub claim_expires_at: Option<i64>,
    pub next_attempt_at: Option<i64>,
    pub created_at: i64,
    pub started_at: Option<i64>,
    pub finished_at: Option<i64>,
    pub cause: Option<String>,
    /// For staff.
    pub detail: Option<String>,
    pub steps: Vec<JobStep>,
}

#[derive(Clone, Debug)]
pub struct JobStep {
    pub key: String,
    pub state: StepState,
    pub attempt: i64,
    pub started_at: Option<i64>,
    pub finished_at: Option<i64>,
    pub retry_at: Option<i64>,
    pub provider_task: Option<String>,
    pub cause: Option<String>,
    pub detail: Option<String>,
    /// What it says of itself while it is under way.
    pub progress: Option<Progress>,
}

/// A row of the staff's table.
#[derive(Clone, Debug)]
pub struct JobRow {
    pub job: Job,
    pub customer_email: String,
}

macro_rules! select_job {
    ($rest:literal) => {
        concat!(
            "SELECT job.id, job.number, job.context_id, job.seq, job.kind, job.params, job.server_id, job.state, ",
            "job.requested_by, job.request_id, job.claim_owner, job.claim_expires_at, job.next_attempt_at, ",
            "job.created_at, job.started_at, job.finished_at, job.cause, job.detail, job.needs_job_id, job.assignee_id, server.name AS server_name, ",
            "server.template_name, server.panel_name, account.email FROM job LEFT JOIN server ON server.id = job.server_id ",
            "JOIN account ON account.id = job.context_id ",
            $rest
        )
    };
}

macro_rules! select_step {
    ($rest:literal) => {
        concat!(
            "SELECT job_id, key, state, attempt, started_at, finished_at, retry_at, provider_task, cause, detail, progress ",
            "FROM job_step ",
            $rest
        )
    };
}

/// Which of a customer's finished jobs are asked for; nothing said asks for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Those that were accepted together with this one.
    pub order: Option<JobId>,
    pub server: Option<ServerId>,
    pub kind: Option<Kind>,
    pub state: Option<JobState>,
    /// Finished at this moment or later.
    pub from: Option<i64>,
    /// Only jobs with a smaller number: the key of the next page.
    pub before: Option<i64>,
}

impl Store {
    /// A job with its steps, whoever owns it.
    pub async fn job(&self, id: JobId) -> Result<Option<Job>> {
        let row = sqlx::query(select_job!("WHERE job.id = $1"))
            .bind(id.to_string())
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let steps = sqlx::query(select_step!("WHERE job_id = $1 ORDER BY ord"))
            .bind(id.to_string())
            .fetch_all(&self.pool)
            .await?;
        Ok(with_steps(vec![job(&row)?], &steps)?.pop())
    }

    /// The job of this number.
    pub async fn job_numbered(&self, number: i64) -> Result<Option<JobId>> {
        let row = sqlx::query("SELECT id FROM job WHERE number = $1").bind(number);
        row.fetch_optional(&self.pool).await?.map(|r| r.id("id")).transpose()
    }

    /// The newest job that needs this one.
    pub async fn job_needing(&self, job: JobId) -> Result<Option<JobId>> {
        let row = sqlx::query("SELECT id FROM job WHERE needs_job_id = $1 ORDER BY number DESC LIMIT 1");
        row.bind(job.to_string()).fetch_optional(&self.pool).await?.map(|r| r.id("id")).transpose()
    }

    /// A customer's unfinished jobs in `seq` order, with steps.
    pub async fn jobs_unfinished(&self, customer: CustomerId) -> Result<Vec<Job>> {
        let rows = sqlx::query(select_job!(
            "WHERE job.context_id = $1 AND job.finished_at IS NULL ORDER BY job.seq"
        ))
        .bind(customer.to_string())
        .fetch_all(&self.pool)
        .await?;
        let steps = sqlx::query(select_step!(
            "WHERE job_id IN (SELECT id FROM job WHERE context_id = $1 AND finished_at IS NULL) ORDER BY job_id, ord"
        ))
        .bind(customer.to_string())
        .fetch_all(&self.pool)
        .await?;
        with_steps(rows.iter().map(job).collect::<Result<_>>()?, &steps)
    }

    /// A customer's finished jobs, newest first, without steps.
    pub async fn jobs_finished(
        &self,
        customer: CustomerId,
        history: &History,
        limit: i64,
    ) -> Result<Vec<Job>> {
        let text = |value: Option<String>| value.unwrap_or_default();
        let rows = sqlx::query(select_job!(
            "WHERE job.context_id = $1 AND job.finished_at IS NOT NULL AND job.number < $2
               AND ($3 = '' OR job.server_id = $3) AND ($4 = '' OR job.kind = $4) AND ($5 = '' OR job.state = $5)
               AND job.finished_at >= $6
               AND ($7 = '' OR EXISTS (SELECT 1 FROM job AS one WHERE one.id = $7 AND one.context_id = job.context_id
                                       AND one.request_id = job.request_id AND one.created_at = job.created_at))
             ORDER BY job.number DESC LIMIT $8"
        ))
        .bind(customer.to_string())
        .bind(history.before.unwrap_or(i64::MAX))
        .bind(text(history.server.map(|id| id.to_string())))
        .bind(text(history.kind.map(|k| k.to_string())))
        .bind(text(history.state.map(|s| s.to_string())))
        .bind(history.from.unwrap_or(i64::MIN))
        .bind(text(history.order.map(|id| id.to_string())))
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(job).collect()
    }

    /// Finished jobs by which a customer's servers were moved, or left: the newest first.
    pub async fn jobs_that_move(&self, customer: CustomerId, limit: i64) -> Result<Vec<Job>> {
        let rows = sqlx::query(select_job!(
            "WHERE job.context_id = $1 AND job.finished_at IS NOT NULL AND job.kind IN ('terminate', 'migrate', 'change_edge')
             ORDER BY job.number DESC LIMIT $2"
        ))
        .bind(customer.to_string())
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(job).collect()
    }

    /// How many jobs are under way, on all nodes.
    pub async fn jobs_at_work(&self) -> Result<i64> {
        let row = sqlx::query("SELECT COUNT(*) AS n FROM job WHERE state IN ('running', 'rolling_back')");
        row.fetch_one(&self.pool).await?.int("n")
    }

    /// How many keep their place since they failed, and others out.
    pub async fn jobs_holding(&self) -> Result<i64> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS n FROM job WHERE finished_at IS NULL AND state IN ('failed', 'stuck')
               AND hold_on_failure <> 'none'",
        );
        row.fetch_one(&self.pool).await?.int("n")
    }

    /// The jobs that were accepted together with this one, and itself. An order of several servers has many.
    pub async fn jobs_of_order(&self, customer: CustomerId, one: JobId) -> Result<Vec<JobId>> {
        let rows = sqlx::query(
            "SELECT job.id FROM job JOIN job AS one ON one.id = $2 AND one.context_id = job.context_id
               AND one.request_id = job.request_id AND one.created_at = job.created_at
             WHERE job.context_id = $1 ORDER BY job.number",
        )
        .bind(customer.to_string())
        .bind(one.to_string())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| row.id("id")).collect()
    }

    /// The newest jobs of one server, without steps.
    pub async fn jobs_of_server(&self, server: ServerId, limit: i64) -> Result<Vec<Job>> {
        let rows = sqlx::query(select_job!("WHERE job.server_id = $1 ORDER BY job.number DESC LIMIT $2"))
            .bind(server.to_string())
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(job).collect()
    }

    pub async fn jobs_unfinished_count(&self, customer: CustomerId) -> Result<i64> {
        sqlx::query("SELECT COUNT(*) AS n FROM job WHERE context_id = $1 AND finished_at IS NULL")
            .bind(customer.to_string())
            .fetch_one(&self.pool)
            .await?
            .int("n")
    }

    /// How many jobs are in each state. It counts every job: for checks, not for pages.
    pub async fn jobs_by_state(&self) -> Result<Vec<(JobState, i64)>> {
        let rows =
            sqlx::query("SELECT state, COUNT(*) AS n FROM job GROUP BY state").fetch_all(&self.pool).await?;
        rows.iter().map(|r| Ok((r.word("state")?, r.int("n")?))).collect()
    }
}

fn with_steps(mut jobs: Vec<Job>, steps: &[AnyRow]) -> Result<Vec<Job>> {
    for row in steps {
        let id: JobId = row.id("job_id")?;
        if let Some(job) = jobs.iter_mut().find(|j| j.id == id) {
            job.steps.push(JobStep {
                key: row.text("key")?,
                // From a newer program, or by somebody's hand: it is no state that goes on by itself.
                state: row.word("state").unwrap_or(StepState::Failed),
                attempt: row.int("attempt")?,
                started_at: row.int_opt("started_at")?,
                finished_at: row.int_opt("finished_at")?,
                retry_at: row.int_opt("retry_at")?,
                provider_task: row.text_opt("provider_task")?,
                cause: row.text_opt("cause")?,
                detail: row.text_opt("detail")?,
                // What cannot be read says nothing.
                progress: row.text_opt("progress")?.and_then(|said| serde_json::from_str(&said).ok()),
            });
        }
    }
    Ok(jobs)
}

/// A text of a job's params. Those that nobody can read name nothing; the job says so itself when it is taken up.
fn named(params: &str, name: &str) -> Option<String> {
    // Most have none: they are not read for it.
    if !params.contains(name) {
        return None;
    }
    let params: serde_json::Value = serde_json::from_str(params).ok()?;
    params[name].as_str().map(str::to_owned)
}

pub(crate) fn job(row: &impl Columns) -> Result<Job> {
    let params = row.text("params")?;
    Ok(Job {
        id: row.id("id")?,
        number: row.int("number")?,
        customer: row.id("context_id")?,
        seq: row.int("seq")?,
        kind: row.word("kind")?,
        action: named(&params, "action"),
        server: row.id_opt("server_id")?,
        needs: row.id_opt("needs_job_id")?,
        server_name: row.text_opt("server_name")?,
        template_name: row.text_opt("template_name")?,
        // The server may have lost it; the job still knows what it was about.
        panel_name: row.text_opt("panel_name")?.or_else(|| named(&params, "panel_name")),
        // A word that this program does not know is nothing that it could go on with.
        state: row.word("state").unwrap_or(JobState::Stuck),
        requested_by: row.id("requested_by")?,
        assignee: row.id_opt("assignee_id")?,
        request_id: row.text("request_id")?,
        claim_owner: row.text_opt("claim_owner")?,
        claim_expires_at: row.int_opt("claim_expires_at")?,
        next_attempt_at: row.int_opt("next_attempt_at")?,
        created_at: row.int("created_at")?,
        started_at: row.int_opt("started_at")?,
        finished_at: row.int_opt("finished_at")?,
        cause: row.text_opt("cause")?,
        detail: row.text_opt("detail")?,
        steps: Vec::new(),
    })
}
