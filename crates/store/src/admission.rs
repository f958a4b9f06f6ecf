//! Admission: asks the synchronizer what may start, inside the transaction that changed the context.
//!
//! What may start is marked on the jobs and, as a head that is cheap to find, on their context. The marks are only where to
//! look: whoever claims asks the synchronizer once more, under the context's lock.

use std::{collections::HashSet, sync::Arc};

use domain::{CustomerId, JobId, ServerId, kind::Scope, state::JobState};
use sqlx::any::AnyRow;
use synchronizer::{Entry, KindIx, Matrix, Phase, admissible};

use crate::{
    db::{Conn, Store},
    dialect::{Sql, list, rows},
    error::{Error, Result},
    row::Columns,
};

/// An unfinished job as it stands in its context.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) job: JobId,
    pub(crate) entry: Entry,
    /// The cloud it works on.
    pub(crate) provider: Arc<str>,
    /// `None` where the row holds a word that this program does not know.
    pub(crate) state: Option<JobState>,
    pub(crate) admitted_at: Option<i64>,
    pub(crate) next_attempt_at: Option<i64>,
    pub(crate) claim_expires_at: Option<i64>,
}

macro_rules! standing_columns {
    () => {
        "SELECT job.id, job.context_id, job.kind, job.provider, job.server_id, job.seq, job.state, job.hold_on_failure, job.unit_id,
                job.admitted_at, job.next_attempt_at, job.claim_expires_at,
                CASE WHEN job.needs_job_id IS NULL THEN NULL ELSE
                    (SELECT need.id FROM job AS need WHERE need.id = job.needs_job_id AND need.state <> 'succeeded')
                END AS needs
         FROM job "
    };
}

const STANDING: Sql = Sql {
    sqlite: concat!(
        standing_columns!(),
        "WHERE finished_at IS NULL AND context_id IN (SELECT value FROM json_each($1)) ORDER BY context_id, seq"
    ),
    // Customer by customer, each by the index: a planner whose figures are old would read every job there ever was.
    postgres: concat!(
        "SELECT one.* FROM jsonb_array_elements_text(CAST($1 AS jsonb)) AS wanted(id)
         CROSS JOIN LATERAL (",
        standing_columns!(),
        "WHERE job.finished_at IS NULL AND job.context_id = wanted.id ORDER BY job.seq OFFSET 0) AS one"
    ),
};

/// The unfinished jobs of these customers, in `seq` order within each.
pub(crate) async fn standing(
    store: &Store,
    conn: &mut Conn,
    customers: &[CustomerId],
) -> Result<Vec<Standing>> {
    let rows = sqlx::query(STANDING.of(store.is_embedded())).bind(list(customers)).fetch_all(conn).await?;
    rows.iter().map(|row| read(row, store.matrix)).collect()
}

pub(crate) fn read(row: &AnyRow, matrix: &Matrix) -> Result<Standing> {
    let job: JobId = row.id("id")?;
    let state = row.word::<JobState>("state").ok();
    let phase = match state {
        Some(JobState::Queued) => Phase::Queued,
        Some(JobState::Parked) => Phase::Parked,
        Some(s) if s.is_started() => Phase::Started,
        Some(_) => Phase::Holding(scope(&row.text("hold_on_failure")?)),
        // From a newer program: nothing is known but that it is not over. It keeps everything else out.
        None => Phase::Holding(Scope::SameCustomer),
    };
    Ok(Standing {
        job,
        entry: Entry {
            key: job.0.as_u128(),
            kind: matrix.kind(&row.text("kind")?).unwrap_or(KindIx::UNKNOWN),
            target: row.id_opt::<ServerId>("server_id")?.map(|s| s.0.as_u128()),
            seq: row.int("seq")?,
            phase,
            unit: row.id_opt::<JobId>("unit_id")?.map(|u| u.0.as_u128()),
            needs: row.id_opt::<JobId>("needs")?.map(|j| j.0.as_u128()),
        },
        provider: row.text("provider")?.into(),
        state,
        admitted_at: row.int_opt("admitted_at")?,
        next_attempt_at: row.int_opt("next_attempt_at")?,
        claim_expires_at: row.int_opt("claim_expires_at")?,
    })
}

/// How widely a job holds. A word nobody knows holds everything.
pub(crate) fn scope(text: &str) -> Scope {
    match text {
        "none" => Scope::None,
        "same_server" => Scope::SameServer,
        _ => Scope::SameCustomer,
    }
}

pub(crate) const fn scope_text(scope: Scope) -> &'static str {
    match scope {
        Scope::None => "none",
        Scope::SameServer => "same_server",
        Scope::SameCustomer => "same_customer",
    }
}

/// The marks that a context's jobs should have, and its head.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// Jobs whose mark changes.
    pub(crate) changed: Vec<(JobId, Option<i64>)>,
    /// Since when the oldest that may start waits.
    pub(crate) ready_at: Option<i64>,
    pub(crate) running: i64,
}

/// Decides the marks over the jobs of one context.
pub(crate) fn marks(matrix: &Matrix, jobs: &[Standing], now: i64) -> Marks {
    let entries: Vec<Entry> = jobs.iter().map(|s| s.entry).collect();
    let free: HashSet<u128> = admissible(matrix, &entries).into_iter().collect();
    let mut marks = Marks::default();
    for job in jobs {
        let wanted = free.contains(&job.entry.key).then(|| job.admitted_at.unwrap_or(now));
        if job.entry.phase == Phase::Queued {
            if wanted != job.admitted_at {
                marks.changed.push((job.job, wanted));
            }
            marks.ready_at = marks.ready_at.into_iter().chain(wanted).min();
        }
        marks.running += i64::from(matches!(job.state, Some(JobState::Running | JobState::RollingBack)));
    }
    marks
}

const MARK: Sql = rows!(
    "UPDATE job SET admitted_at = t.at FROM ",
    ["id" TEXT, "at" BIGINT],
    " WHERE job.id = t.id AND job.state = 'queued'"
);

/// Marks what may start now, and what may not any more. Called with the context's lock held, after anything was queued or
/// ended.
pub(crate) async fn admit(store: &Store, conn: &mut Conn, customer: CustomerId, now: i64) -> Result<()> {
    let jobs = standing(store, conn, &[customer]).await?;
    let marks = marks(store.matrix, &jobs, now);
    if !marks.changed.is_empty() {
        let rows: Vec<_> = marks
            .changed
            .iter()
            .map(|(job, at)| serde_json::json!({"id": job.to_string(), "at": at}))
            .collect();
        let rows = serde_json::to_string(&rows).map_err(|e| Error::Corrupt(e.to_string()))?;
        sqlx::query(MARK.of(store.is_embedded())).bind(rows).execute(&mut *conn).await?;
    }
    sqlx::query("UPDATE context SET running = $1, ready_at = $2 WHERE customer_id = $3")
        .bind(marks.running)
        .bind(marks.ready_at)
        .bind(customer.to_string())
        .execute(conn)
        .await?;
    Ok(())
}
