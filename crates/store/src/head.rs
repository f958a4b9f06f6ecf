//! A job's row as a worker's turn reads it, changes it, and remembers it.

use std::sync::Arc;

use domain::{CustomerId, JobId, ServerId, kind::Scope, state::JobState};
use jobs::StepRecord;
use sqlx::any::AnyRow;
use synchronizer::{Entry, KindIx, Matrix, Phase};

use crate::{
    admission::{Standing, scope},
    dialect::{Sql, looked_up},
    error::Result,
    row::Columns,
};

#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) id: JobId,
    pub(crate) customer: CustomerId,
    pub(crate) number: i64,
    pub(crate) seq: i64,
    pub(crate) kind: String,
    /// The cloud it works on.
    pub(crate) provider: Arc<str>,
    pub(crate) server: Option<ServerId>,
    /// An earlier job that has to succeed first and has not yet.
    pub(crate) needs: Option<JobId>,
    pub(crate) state: JobState,
    pub(crate) hold: Scope,
    pub(crate) epoch: i64,
    pub(crate) undo: bool,
    pub(crate) stop: bool,
    pub(crate) unit: Option<JobId>,
    pub(crate) shape: i64,
    pub(crate) admitted_at: Option<i64>,
    pub(crate) parked_at: Option<i64>,
    pub(crate) next_attempt_at: Option<i64>,
    pub(crate) claim_owner: Option<String>,
    pub(crate) claim_expires_at: Option<i64>,
    pub(crate) started_at: Option<i64>,
    pub(crate) finished_at: Option<i64>,
    pub(crate) cause: Option<String>,
    pub(crate) detail: Option<String>,
    /// Twice the number of the latest change under this claim, and one more where it was told to stop.
    pub(crate) last_write: i64,
    /// What it is to do, where nobody has begun it.
    pub(crate) fresh: Option<Fresh>,
    pub(crate) dirty: bool,
    /// The claim was taken or given back. Otherwise its end is left as it is: whoever holds it may have prolonged it since
    /// this was read.
    pub(crate) claim_changed: bool,
}

/// A job that nobody has begun: its parameters as they are written, and its steps in their order.
#[derive(Clone, Debug)]
pub(crate) struct Fresh {
    pub(crate) params: String,
    keys: String,
}

impl Fresh {
    pub(crate) fn steps(&self) -> Vec<StepRecord> {
        self.keys.split(',').map(StepRecord::new).collect()
    }
}

macro_rules! head_columns {
    ($keys:expr) => {
        concat!(
            "SELECT job.id, job.context_id, job.number, job.seq, job.kind, job.provider, job.server_id, job.state,
                    job.hold_on_failure, job.epoch, job.undo, job.cancel_requested_by, job.unit_id, job.shape,
                    job.admitted_at, job.parked_at, job.next_attempt_at, job.claim_owner, job.claim_expires_at,
                    job.started_at, job.finished_at, job.cause, job.detail, job.last_write,
                    CASE WHEN job.needs_job_id IS NULL THEN NULL ELSE
                        (SELECT need.id FROM job AS need WHERE need.id = job.needs_job_id AND need.state <> 'succeeded')
                    END AS needs,
                    CASE WHEN job.epoch = 0 AND job.state = 'queued' THEN job.params END AS params,
                    CASE WHEN job.epoch = 0 AND job.state = 'queued' THEN ",
            $keys,
            " END AS keys"
        )
    };
}
macro_rules! keys_sqlite {
    () => {
        "(SELECT CASE WHEN MIN(one.state = 'pending' AND one.attempt = 0) = 1 THEN group_concat(one.key, ',') END
          FROM (SELECT key, state, attempt FROM job_step WHERE job_step.job_id = job.id ORDER BY ord) AS one)"
    };
}
macro_rules! keys_postgres {
    () => {
        "(SELECT CASE WHEN bool_and(one.state = 'pending' AND one.attempt = 0)
                      THEN string_agg(one.key, ',' ORDER BY one.ord) END
          FROM job_step AS one WHERE one.job_id = job.id)"
    };
}

pub(crate) use {head_columns, keys_postgres};

/// The unfinished jobs of these contexts, by `seq` within each.
pub(crate) const UNFINISHED: Sql = Sql {
    sqlite: concat!(
        head_columns!(keys_sqlite!()),
        " FROM job WHERE finished_at IS NULL AND context_id IN (SELECT value FROM json_each($1))"
    ),
    // Customer by customer, each by the index: a planner whose figures are old would read every job there ever was.
    postgres: concat!(
        "SELECT one.* FROM jsonb_array_elements_text(CAST($1 AS jsonb)) AS wanted(id) CROSS JOIN LATERAL (",
        head_columns!(keys_postgres!()),
        " FROM job WHERE job.finished_at IS NULL AND job.context_id = wanted.id OFFSET 0) AS one"
    ),
};
/// These jobs, finished or not; nothing of what they are to do.
pub(crate) const HEADS: Sql = looked_up!(head_columns!("NULL"), "job", "id", "");

/// Longer parameters are not kept, and read when they are needed.
const PARAMS_MAX: usize = 1024;

pub(crate) fn head(row: &AnyRow) -> Result<Head> {
    let params = row.text_opt("params")?.filter(|p| p.len() <= PARAMS_MAX);
    let fresh = params.zip(row.text_opt("keys")?);
    Ok(Head {
        id: row.id("id")?,
        customer: row.id("context_id")?,
        number: row.int("number")?,
        seq: row.int("seq")?,
        kind: row.text("kind")?,
        provider: row.text("provider")?.into(),
        server: row.id_opt("server_id")?,
        needs: row.id_opt("needs")?,
        state: row.word("state")?,
        hold: scope(&row.text("hold_on_failure")?),
        epoch: row.int("epoch")?,
        undo: row.int("undo")? == 1,
        stop: row.text_opt("cancel_requested_by")?.is_some(),
        unit: row.id_opt("unit_id")?,
        shape: row.int("shape")?,
        admitted_at: row.int_opt("admitted_at")?,
        parked_at: row.int_opt("parked_at")?,
        next_attempt_at: row.int_opt("next_attempt_at")?,
        claim_owner: row.text_opt("claim_owner")?,
        claim_expires_at: row.int_opt("claim_expires_at")?,
        started_at: row.int_opt("started_at")?,
        finished_at: row.int_opt("finished_at")?,
        cause: row.text_opt("cause")?,
        detail: row.text_opt("detail")?,
        last_write: row.int("last_write")?,
        fresh: fresh.map(|(params, keys)| Fresh { params, keys }),
        dirty: false,
        claim_changed: false,
    })
}

impl Head {
    /// As it stands in its context; `None` once it is over.
    pub(crate) fn standing(&self, matrix: &Matrix) -> Option<Standing> {
        self.finished_at.is_none().then(|| Standing {
            job: self.id,
            entry: Entry {
                key: self.id.0.as_u128(),
                kind: matrix.kind(&self.kind).unwrap_or(KindIx::UNKNOWN),
                target: self.server.map(|s| s.0.as_u128()),
                seq: self.seq,
                phase: match self.state {
                    JobState::Queued => Phase::Queued,
                    JobState::Parked => Phase::Parked,
                    s if s.is_started() => Phase::Started,
                    _ => Phase::Holding(self.hold),
                },
                unit: self.unit.map(|u| u.0.as_u128()),
                needs: self.needs.map(|j| j.0.as_u128()),
            },
            provider: self.provider.clone(),
            state: Some(self.state),
            admitted_at: self.admitted_at,
            next_attempt_at: self.next_attempt_at,
            claim_expires_at: self.claim_expires_at,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A queued job, otherwise empty.
    pub(crate) fn head_of(customer: CustomerId, id: JobId) -> Head {
        Head {
            id,
            customer,
            number: 1,
            seq: 1,
            kind: "power".into(),
            provider: "vcd".into(),
            server: None,
            needs: None,
            state: JobState::Queued,
            hold: Scope::None,
            epoch: 0,
            undo: false,
            stop: false,
            unit: None,
            shape: 1,
            admitted_at: None,
            parked_at: None,
            next_attempt_at: None,
            claim_owner: None,
            claim_expires_at: None,
            started_at: None,
            finished_at: None,
            cause: None,
            detail: None,
            last_write: 0,
            fresh: None,
            dirty: false,
            claim_changed: false,
        }
    }
}
