//! What has to be known of jobs before staff act on them.

use domain::{JobId, kind::Kind};

use crate::{
    db::Store,
    dialect::Sql,
    error::{Error, Result},
    row::Columns,
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobFacts {
    /// A later operation that has changed the same server, by its number.
    pub newer: Option<(i64, Kind)>,
    /// Somebody has asked it to stop.
    pub stopping: bool,
}

macro_rules! facts {
    ($ids:literal) => {
        concat!(
            "SELECT job.id, job.cancel_requested_by, newer.number, newer.kind FROM job LEFT JOIN job AS newer
               ON newer.server_id = job.server_id AND newer.seq = (
                 SELECT MIN(seq) FROM job AS later WHERE later.server_id = job.server_id AND later.seq > job.seq
                   AND later.started_at IS NOT NULL AND later.state <> 'rolled_back' AND later.kind <> 'refresh')
             WHERE job.id IN (",
            $ids,
            ")"
        )
    };
}
const FACTS: Sql = Sql {
    sqlite: facts!("SELECT value FROM json_each($1)"),
    postgres: facts!("SELECT jsonb_array_elements_text(CAST($1 AS jsonb))"),
};

impl Store {
    /// In no particular order; a job that is not there is left out.
    pub async fn jobs_facts(&self, jobs: &[JobId]) -> Result<Vec<(JobId, JobFacts)>> {
        let ids = serde_json::to_string(jobs).map_err(|e| Error::Corrupt(e.to_string()))?;
        let rows = sqlx::query(FACTS.of(self.is_embedded())).bind(ids).fetch_all(&self.pool).await?;
        rows.iter()
            .map(|row| {
                let newer = match row.int_opt("number")? {
                    Some(number) => Some((number, row.word("kind")?)),
                    None => None,
                };
                let stopping = row.text_opt("cancel_requested_by")?.is_some();
                Ok((row.id("id")?, JobFacts { newer, stopping }))
            })
            .collect()
    }
}
