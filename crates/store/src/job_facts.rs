//! What has to be known of a job before staff act on it.

use domain::kind::Kind;

use crate::{db::Store, error::Result, jobs::Job, row::Columns};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobFacts {
    /// A later operation that has changed the same server, by its number.
    pub newer: Option<(i64, Kind)>,
    /// Somebody has asked it to stop.
    pub stopping: bool,
}

impl Store {
    pub async fn job_facts(&self, job: &Job) -> Result<JobFacts> {
        let asked = sqlx::query("SELECT cancel_requested_by FROM job WHERE id = $1").bind(job.id.to_string());
        let asked = asked.fetch_optional(&self.pool).await?;
        let stopping = match asked {
            Some(row) => row.text_opt("cancel_requested_by")?.is_some(),
            None => false,
        };
        let Some(server) = job.server else { return Ok(JobFacts { newer: None, stopping }) };
        let newer = sqlx::query(
            "SELECT number, kind FROM job
             WHERE server_id = $1 AND seq > $2 AND started_at IS NOT NULL AND state <> 'rolled_back' AND kind <> 'refresh'
             ORDER BY seq LIMIT 1",
        )
        .bind(server.to_string())
        .bind(job.seq)
        .fetch_optional(&self.pool)
        .await?;
        let newer = newer.map(|row| Ok::<_, crate::error::Error>((row.int("number")?, row.word("kind")?)));
        Ok(JobFacts { newer: newer.transpose()?, stopping })
    }
}
