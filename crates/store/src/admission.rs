//! Admission: asks the synchronizer what may start, inside the transaction that changed the context.
//!
//! An admitted job stays admitted: the jobs in front of it never grow. So claiming is one statement over admitted
//! jobs, flat in the number of contexts.

use domain::{CustomerId, kind::Scope, state::JobState};
use synchronizer::{Entry, Matrix, Phase, admissible};

use crate::{
    db::Conn,
    error::{Error, Result},
    row::Columns,
};

/// A context's unfinished jobs as the synchronizer sees them.
pub(crate) async fn entries(conn: &mut Conn, matrix: &Matrix, customer: CustomerId) -> Result<Vec<Entry>> {
    let rows = sqlx::query(
        "SELECT id, kind, server_id, seq, state, hold_on_failure,
                (SELECT need.id FROM job AS need WHERE need.id = job.needs_job_id AND need.state <> 'succeeded') AS needs
         FROM job WHERE context_id = $1 AND finished_at IS NULL ORDER BY seq",
    )
    .bind(customer.to_string())
    .fetch_all(conn)
    .await?;
    let mut entries = Vec::with_capacity(rows.len());
    for row in &rows {
        let kind = row.text("kind")?;
        let state: JobState = row.word("state")?;
        entries.push(Entry {
            key: row.id::<domain::JobId>("id")?.0.as_u128(),
            kind: matrix.kind(&kind).ok_or_else(|| Error::Corrupt(format!("kind: {kind:?}")))?,
            target: row.id_opt::<domain::ServerId>("server_id")?.map(|s| s.0.as_u128()),
            seq: row.int("seq")?,
            phase: match state {
                JobState::Queued => Phase::Queued,
                JobState::Parked => Phase::Parked,
                s if s.is_started() => Phase::Started,
                _ => Phase::Holding(scope(&row.text("hold_on_failure")?)?),
            },
            needs: row.id_opt::<domain::JobId>("needs")?.map(|j| j.0.as_u128()),
        });
    }
    Ok(entries)
}

pub(crate) fn scope(text: &str) -> Result<Scope> {
    match text {
        "none" => Ok(Scope::None),
        "same_server" => Ok(Scope::SameServer),
        "same_customer" => Ok(Scope::SameCustomer),
        other => Err(Error::Corrupt(format!("scope: {other:?}"))),
    }
}

pub(crate) const fn scope_text(scope: Scope) -> &'static str {
    match scope {
        Scope::None => "none",
        Scope::SameServer => "same_server",
        Scope::SameCustomer => "same_customer",
    }
}

/// Marks what may start now. Called with the context's lock held, after anything was queued or ended.
pub(crate) async fn admit(conn: &mut Conn, matrix: &Matrix, customer: CustomerId, now: i64) -> Result<()> {
    let entries = entries(conn, matrix, customer).await?;
    let free: Vec<String> =
        admissible(matrix, &entries).into_iter().map(|key| uuid::Uuid::from_u128(key).to_string()).collect();
    if free.is_empty() {
        return Ok(());
    }
    // One statement whatever their number: the ids travel as one text that both databases can search.
    sqlx::query(
        "UPDATE job SET admitted_at = $1
         WHERE context_id = $2 AND state = 'queued' AND admitted_at IS NULL AND $3 LIKE '%' || id || '%'",
    )
    .bind(now)
    .bind(customer.to_string())
    .bind(free.join(","))
    .execute(conn)
    .await?;
    Ok(())
}
