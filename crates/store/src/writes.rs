//! The rows that a worker's turn writes: each table in one statement, all of them in one trip to the database.

use domain::CustomerId;
use serde::Serialize;

use crate::{
    book::{Book, Context},
    db::{Conn, Store},
    dialect::{FEW, list, rows_in},
    error::{Error, Result},
};

/// A step's row as it will be; `None` leaves a column as it is.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct StepRow {
    pub(crate) job: String,
    pub(crate) key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<&'static str>,
    /// A try begins.
    pub(crate) begins: i64,
    pub(crate) at: i64,
    pub(crate) ends: i64,
    /// 0 leaves them, 1 starts them anew, 2 adds one unsuccessful try and its pause.
    pub(crate) patience: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_at: Option<i64>,
    pub(crate) pause: i64,
    pub(crate) unknown: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) task: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct EventRow {
    pub(crate) context: String,
    pub(crate) version: i64,
    pub(crate) job: String,
    pub(crate) at: i64,
    pub(crate) what: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) step: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
}

macro_rules! heads {
    ($db:ident $parameter:literal, $only_if:expr) => {
        rows_in!(
            $db $parameter,
    "UPDATE job SET state = t.state, hold_on_failure = t.hold, epoch = t.epoch, undo = t.undo, unit_id = t.unit,
         shape = t.shape, admitted_at = t.admitted_at, parked_at = t.parked_at, next_attempt_at = t.next_attempt_at,
         claim_owner = t.claim_owner, started_at = t.started_at,
         finished_at = t.finished_at, cause = t.cause, detail = t.detail, last_write = t.last_write,
         claim_expires_at = CASE WHEN t.claim = 1 THEN t.claim_expires_at ELSE job.claim_expires_at END
     FROM ",
    [
        "id" TEXT, "state" TEXT, "hold" TEXT, "epoch" BIGINT, "undo" BIGINT, "unit" TEXT, "shape" BIGINT,
        "admitted_at" BIGINT, "parked_at" BIGINT, "next_attempt_at" BIGINT, "claim" BIGINT, "claim_owner" TEXT,
        "claim_expires_at" BIGINT, "started_at" BIGINT, "finished_at" BIGINT, "cause" TEXT, "detail" TEXT, "last_write" BIGINT,
    ],
    concat!(" WHERE job.id = t.id", $only_if)
        )
    };
}
macro_rules! steps {
    ($db:ident $parameter:literal, $only_if:expr) => {
        rows_in!(
            $db $parameter,
    "UPDATE job_step SET
         state = COALESCE(t.state, job_step.state),
         attempt = job_step.attempt + t.begins,
         started_at = CASE WHEN t.begins = 1 THEN COALESCE(job_step.started_at, t.at)
                           WHEN t.state = 'pending' THEN NULL ELSE job_step.started_at END,
         finished_at = CASE WHEN t.ends = 1 THEN t.at WHEN t.state IS NULL THEN job_step.finished_at ELSE NULL END,
         retries = CASE WHEN t.patience = 1 THEN 0 WHEN t.patience = 2 THEN job_step.retries + 1 ELSE job_step.retries END,
         waited_ms = CASE WHEN t.patience = 1 THEN 0 WHEN t.patience = 2 THEN job_step.waited_ms + t.pause
                          ELSE job_step.waited_ms END,
         retry_at = CASE WHEN t.state IS NULL THEN job_step.retry_at ELSE t.retry_at END,
         unknown = CASE WHEN t.patience = 1 THEN 0 WHEN t.unknown = 1 THEN 1 ELSE job_step.unknown END,
         provider_task = COALESCE(t.task, job_step.provider_task),
         output = CASE WHEN t.state = 'undone' THEN NULL ELSE COALESCE(t.output, job_step.output) END,
         cause = CASE WHEN t.state IS NULL OR t.begins = 1 THEN job_step.cause ELSE t.cause END,
         detail = CASE WHEN t.state IS NULL OR t.begins = 1 THEN job_step.detail ELSE t.detail END
     FROM ",
    [
        "job" TEXT, "key" TEXT, "state" TEXT, "begins" BIGINT, "at" BIGINT, "ends" BIGINT, "patience" BIGINT,
        "retry_at" BIGINT, "pause" BIGINT, "unknown" BIGINT, "task" TEXT, "output" TEXT, "cause" TEXT, "detail" TEXT,
    ],
    concat!(" WHERE job_step.job_id = t.job AND job_step.key = t.key", $only_if)
        )
    };
}
macro_rules! log {
    ($db:ident $parameter:literal, $only_if:expr) => {
        rows_in!(
            $db $parameter,
    "INSERT INTO job_event (context_id, version, job_id, at, what, step, detail)
     SELECT t.context, t.version, t.job, t.at, t.what, t.step, t.detail FROM ",
    [
        "context" TEXT, "version" BIGINT, "job" TEXT, "at" BIGINT, "what" TEXT, "step" TEXT, "detail" TEXT,
    ],
    concat!(" WHERE TRUE", $only_if)
        )
    };
}
macro_rules! contexts {
    ($db:ident $parameter:literal, $only_if:expr) => {
        rows_in!(
            $db $parameter,
    "UPDATE context SET version = t.version, running = t.running, ready_at = t.ready_at FROM ",
    ["id" TEXT, "version" BIGINT, "running" BIGINT, "ready_at" BIGINT],
    concat!(" WHERE context.customer_id = t.id", $only_if)
        )
    };
}

macro_rules! wiped {
    (sqlite $parameter:literal) => {
        concat!("DELETE FROM secret WHERE job_id IN (SELECT value FROM json_each(", $parameter, "))")
    };
    (postgres $parameter:literal) => {
        concat!(
            "DELETE FROM secret WHERE job_id IN (SELECT jsonb_array_elements_text(CAST(",
            $parameter,
            " AS jsonb)))"
        )
    };
}
const WRITE_SQLITE: &str = concat!(
    heads!(sqlite "$1", ""),
    "; ",
    steps!(sqlite "$2", ""),
    "; ",
    log!(sqlite "$3", ""),
    "; ",
    wiped!(sqlite "$5"),
    "; ",
    contexts!(sqlite "$4", "")
);
const WRITE_POSTGRES: &str = concat!(
    "WITH heads AS (",
    heads!(postgres "$1", ""),
    "), steps AS (",
    steps!(postgres "$2", ""),
    "), log AS (",
    log!(postgres "$3", ""),
    "), wiped AS (",
    wiped!(postgres "$5"),
    ") ",
    contexts!(postgres "$4", "")
);
/// A whole turn in one statement, without a lock taken first: of one context, and only if its version still is `$5`.
const WRITE_IF_UNCHANGED: &str = concat!(
    "WITH same AS (",
    contexts!(few "$4", " AND context.version = $5 RETURNING context.customer_id"),
    "), heads AS (",
    heads!(few "$1", " AND EXISTS (SELECT 1 FROM same)"),
    "), steps AS (",
    steps!(few "$2", " AND EXISTS (SELECT 1 FROM same)"),
    "), log AS (",
    log!(few "$3", " AND EXISTS (SELECT 1 FROM same)"),
    ") SELECT customer_id FROM same"
);

impl Book {
    /// Writes everything that has not been written yet.
    pub(crate) async fn write_all(&mut self, store: &Store, tx: &mut Conn) -> Result<()> {
        let rows = [self.head_rows()?, rows_of(&self.steps)?, rows_of(&self.events)?, self.context_rows()?];
        if self.secrets.is_empty() && rows.iter().all(|r| r == "[]") {
            return Ok(());
        }
        let sql = if store.is_embedded() { WRITE_SQLITE } else { WRITE_POSTGRES };
        let query = rows.into_iter().fold(sqlx::query(sql), sqlx::query::Query::bind);
        query.bind(list(&self.secrets)).execute(tx).await?;
        self.written();
        Ok(())
    }

    fn written(&mut self) {
        self.steps.clear();
        self.events.clear();
        self.secrets.clear();
        self.left.clear();
        self.contexts.values_mut().for_each(|c| c.dirty = false);
        for head in self.known.values_mut().flat_map(|k| k.heads.values_mut()) {
            (head.dirty, head.claim_changed) = (false, false);
        }
    }

    /// Whether it is little enough for [`Book::write_if_unchanged`].
    pub(crate) fn is_little(&self) -> bool {
        let heads = self.known.values().flat_map(|k| k.heads.values()).filter(|h| h.dirty).count();
        heads.max(self.steps.len()).max(self.events.len()) <= FEW
    }

    /// Writes everything of the one context that it is about, if its version still is this. Returns whether it was.
    pub(crate) async fn write_if_unchanged(&mut self, store: &Store, version: i64) -> Result<bool> {
        let rows = [self.head_rows()?, rows_of(&self.steps)?, rows_of(&self.events)?, self.context_rows()?];
        let query = rows.into_iter().fold(sqlx::query(WRITE_IF_UNCHANGED), sqlx::query::Query::bind);
        // To its end: it is committed only there.
        let same = !query.bind(version).fetch_all(&store.pool).await?.is_empty();
        self.written();
        Ok(same)
    }

    fn head_rows(&self) -> Result<String> {
        #[derive(Serialize)]
        struct Row<'h> {
            id: String,
            state: &'static str,
            hold: &'static str,
            epoch: i64,
            undo: i64,
            #[serde(skip_serializing_if = "Option::is_none")]
            unit: Option<String>,
            shape: i64,
            #[serde(skip_serializing_if = "Option::is_none")]
            admitted_at: Option<i64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            parked_at: Option<i64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            next_attempt_at: Option<i64>,
            claim: i64,
            #[serde(skip_serializing_if = "Option::is_none")]
            claim_owner: Option<&'h str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            claim_expires_at: Option<i64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            started_at: Option<i64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            finished_at: Option<i64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            cause: Option<&'h str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            detail: Option<&'h str>,
            last_write: i64,
        }
        let changed = self.known.values().flat_map(|k| k.heads.values()).filter(|h| h.dirty);
        let rows: Vec<Row<'_>> = changed
            .map(|h| Row {
                id: h.id.to_string(),
                state: h.state.as_str(),
                hold: crate::admission::scope_text(h.hold),
                epoch: h.epoch,
                undo: i64::from(h.undo),
                unit: h.unit.map(|u| u.to_string()),
                shape: h.shape,
                admitted_at: h.admitted_at,
                parked_at: h.parked_at,
                next_attempt_at: h.next_attempt_at,
                claim: i64::from(h.claim_changed),
                claim_owner: h.claim_owner.as_deref(),
                claim_expires_at: h.claim_expires_at,
                started_at: h.started_at,
                finished_at: h.finished_at,
                cause: h.cause.as_deref(),
                detail: h.detail.as_deref(),
                last_write: h.last_write,
            })
            .collect();
        rows_of(&rows)
    }

    fn context_rows(&self) -> Result<String> {
        #[derive(Serialize)]
        struct Row {
            id: String,
            version: i64,
            running: i64,
            #[serde(skip_serializing_if = "Option::is_none")]
            ready_at: Option<i64>,
        }
        let changed = self.contexts.iter().filter(|(_, c)| c.dirty);
        let row = |(id, c): (&CustomerId, &Context)| Row {
            id: id.to_string(),
            version: c.version,
            running: c.running,
            ready_at: c.ready_at,
        };
        rows_of(&changed.map(row).collect::<Vec<_>>())
    }
}

fn rows_of<T: Serialize>(rows: &[T]) -> Result<String> {
    serde_json::to_string(rows).map_err(|e| Error::Corrupt(e.to_string()))
}
