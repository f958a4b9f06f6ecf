//! What a step says while it is under way: how far it is, for everybody, and line by line, for staff.

use domain::JobId;
use jobs::Fence;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    db::Store,
    dialect::{Sql, rows},
    error::{Error, Result},
    fence,
    row::Columns,
};

/// How far a step is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// What it is at: the last part of a message id.
    pub word: String,
    /// So much of `total` is done.
    pub done: u32,
    pub total: u32,
    /// It waits for so many others to be done first.
    pub ahead: u32,
    /// Nothing of it is real: the cloud is simulated.
    pub simulated: bool,
}

/// A line of a job's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub line: i64,
    pub at: i64,
    pub step: String,
    pub text: String,
}

const INSERT_LINES: Sql = rows!(
    "INSERT INTO job_log (job_id, line, at, step, text)
     SELECT t.job, (SELECT COALESCE(MAX(line), 0) FROM job_log WHERE job_id = t.job) + t.n, t.at, t.step, t.text FROM ",
    ["job" TEXT, "n" BIGINT, "at" BIGINT, "step" TEXT, "text" TEXT],
    " WHERE t.n > 0"
);

impl Store {
    /// Writes down what a step has said since the last time. Returns whether its job has been asked to stop.
    pub async fn step_says(
        &self,
        fence: Fence,
        step: &str,
        progress: &Progress,
        lines: &[(i64, String)],
    ) -> Result<bool> {
        let progress = serde_json::to_string(progress).map_err(|e| Error::Corrupt(e.to_string()))?;
        let mut tx = self.write().await?;
        let (job, customer) = fence::hold(&mut tx, fence).await?;
        sqlx::query("UPDATE job_step SET progress = $1 WHERE job_id = $2 AND key = $3")
            .bind(progress)
            .bind(job.to_string())
            .bind(step)
            .execute(&mut *tx)
            .await?;
        if !lines.is_empty() {
            let row = |(n, (at, text)): (usize, &(i64, String))| json!({"job": job.to_string(), "n": n + 1, "at": at, "step": step, "text": text});
            let all: Vec<_> = lines.iter().enumerate().map(row).collect();
            let all = serde_json::Value::from(all).to_string();
            sqlx::query(INSERT_LINES.of(self.is_embedded())).bind(all).execute(&mut *tx).await?;
        }
        let asked = sqlx::query("SELECT cancel_requested_by FROM job WHERE id = $1 AND undo = 0")
            .bind(job.to_string())
            .fetch_optional(&mut *tx)
            .await?;
        self.commit(tx, customer).await?;
        asked.map_or(Ok(false), |r| Ok(r.text_opt("cancel_requested_by")?.is_some()))
    }

    /// Whether a job has been asked to stop.
    pub async fn job_stop_asked(&self, job: JobId) -> Result<bool> {
        let row = sqlx::query("SELECT cancel_requested_by FROM job WHERE id = $1 AND undo = 0")
            .bind(job.to_string())
            .fetch_optional(&self.pool)
            .await?;
        row.map_or(Ok(false), |r| Ok(r.text_opt("cancel_requested_by")?.is_some()))
    }

    /// The end of a job's log, oldest line first.
    pub async fn job_log(&self, job: JobId, limit: i64) -> Result<Vec<LogLine>> {
        let rows = sqlx::query(
            "SELECT line, at, step, text FROM job_log WHERE job_id = $1 ORDER BY line DESC LIMIT $2",
        )
        .bind(job.to_string())
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        let line = |r: &sqlx::any::AnyRow| {
            Ok(LogLine {
                line: r.int("line")?,
                at: r.int("at")?,
                step: r.text("step")?,
                text: r.text("text")?,
            })
        };
        rows.iter().rev().map(line).collect()
    }
}
