//! Every state that an edge has come to, and for whom: written with the change itself.

use domain::{EdgeId, JobId, ServerId, state::EdgeState};
use sqlx::any::AnyRow;
use uuid::Uuid;

use crate::{
    db::{Conn, Store},
    error::Result,
    row::Columns,
};

/// A line of an edge's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeEvent {
    pub at: i64,
    pub state: EdgeState,
    pub server: Option<ServerId>,
    pub server_name: Option<String>,
    pub customer_email: Option<String>,
    pub job: Option<JobId>,
    pub job_number: Option<i64>,
}

/// What went out of the pool and came back within a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EdgeFlow {
    pub taken: i64,
    pub returned: i64,
}

/// Writes down what the edges that a statement has just changed have come to: it returns the `id` of each. One that is what it
/// was is no line.
pub(crate) async fn record(tx: &mut Conn, changed: &[AnyRow], now: i64) -> Result<()> {
    // One edge; of a change of edges two.
    for row in changed {
        record_one(tx, row.id("id")?, now).await?;
    }
    Ok(())
}

/// Whoever has just given it back is named as well.
pub(crate) async fn record_one(tx: &mut Conn, edge: EdgeId, now: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO edge_event (id, edge_id, at, state, server_id, job_id)
         SELECT $1, edge.id, $2, edge.state,
                COALESCE(edge.server_id, edge.leaving_id,
                         CASE WHEN last.state IN ('claimed', 'bound', 'draining') THEN last.server_id END),
                COALESCE(edge.job_id, CASE WHEN last.state IN ('claimed', 'bound', 'draining') THEN last.job_id END)
         FROM edge LEFT JOIN (SELECT edge_id, state, server_id, job_id FROM edge_event WHERE edge_id = $3
                              ORDER BY id DESC LIMIT 1) AS last ON last.edge_id = edge.id
         WHERE edge.id = $3 AND COALESCE(last.state, '') <> edge.state",
    )
    .bind(Uuid::now_v7().to_string())
    .bind(now)
    .bind(edge.to_string())
    .execute(tx)
    .await?;
    Ok(())
}

impl Store {
    /// What an edge has been through, the newest first.
    pub async fn edge_events(&self, edge: EdgeId, limit: i64) -> Result<Vec<EdgeEvent>> {
        let rows = sqlx::query(
            "SELECT e.at, e.state, e.server_id, e.job_id, server.name AS server_name, account.email, job.number
             FROM edge_event AS e LEFT JOIN server ON server.id = e.server_id
             LEFT JOIN account ON account.id = server.customer_id LEFT JOIN job ON job.id = e.job_id
             WHERE e.edge_id = $1 ORDER BY e.id DESC LIMIT $2",
        )
        .bind(edge.to_string())
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(EdgeEvent {
                    at: row.int("at")?,
                    state: row.word("state")?,
                    server: row.id_opt("server_id")?,
                    server_name: row.text_opt("server_name")?,
                    customer_email: row.text_opt("email")?,
                    job: row.id_opt("job_id")?,
                    job_number: row.int_opt("number")?,
                })
            })
            .collect()
    }

    /// How many edges were taken and how many servers gave theirs back since a moment. What is new in the pool has come from nobody.
    pub async fn edge_flow(&self, since: i64) -> Result<EdgeFlow> {
        let rows = sqlx::query(
            "SELECT state, COUNT(*) AS n FROM edge_event WHERE state IN ('claimed', 'free') AND at >= $1
               AND server_id IS NOT NULL GROUP BY state",
        )
        .bind(since)
        .fetch_all(&self.pool)
        .await?;
        let mut flow = EdgeFlow::default();
        for row in &rows {
            match row.word("state")? {
                EdgeState::Claimed => flow.taken = row.int("n")?,
                _ => flow.returned = row.int("n")?,
            }
        }
        Ok(flow)
    }
}
