//! What one transaction of a worker has read, has changed, and has yet to write.
//!
//! Rows are read once, changed here, and written once, each table in one statement, however many jobs are in it.

use std::collections::{BTreeMap, BTreeSet};

use domain::{CustomerId, JobId, ServerId, kind::Scope, state::JobState};
use serde::Serialize;
use sqlx::any::AnyRow;

use crate::{
    admission::scope,
    db::{Conn, Store},
    dialect::{Sql, list, listed, looked_up, rows, rows_in},
    error::{Error, Result},
    row::Columns,
};

/// The lock of every customer's order, and what stands in its row.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) version: i64,
    pub(crate) running: i64,
    pub(crate) ready_at: Option<i64>,
    dirty: bool,
}

impl Context {
    pub(crate) fn stand(&mut self, running: i64, ready_at: Option<i64>) {
        self.dirty |= (self.running, self.ready_at) != (running, ready_at);
        (self.running, self.ready_at) = (running, ready_at);
    }
}

/// What changes of a job's row.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) id: JobId,
    pub(crate) customer: CustomerId,
    pub(crate) number: i64,
    pub(crate) kind: String,
    pub(crate) server: Option<ServerId>,
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
    pub(crate) dirty: bool,
}

/// A step's row as it will be; `None` leaves a column as it is.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct StepRow {
    pub(crate) job: String,
    pub(crate) key: String,
    pub(crate) state: Option<&'static str>,
    /// A try begins.
    pub(crate) begins: i64,
    pub(crate) at: i64,
    pub(crate) ends: i64,
    /// 0 leaves them, 1 starts them anew, 2 adds one unsuccessful try and its pause.
    pub(crate) patience: i64,
    pub(crate) retry_at: Option<i64>,
    pub(crate) pause: i64,
    pub(crate) unknown: i64,
    pub(crate) task: Option<String>,
    pub(crate) output: Option<String>,
    pub(crate) cause: Option<&'static str>,
    pub(crate) detail: Option<String>,
}

#[derive(Debug, Serialize)]
struct EventRow {
    context: String,
    version: i64,
    job: String,
    at: i64,
    what: &'static str,
    step: Option<String>,
    detail: Option<String>,
}

#[derive(Default)]
pub(crate) struct Book {
    pub(crate) contexts: BTreeMap<CustomerId, Context>,
    pub(crate) heads: BTreeMap<JobId, Head>,
    /// Contexts in which something was queued, ended or left.
    pub(crate) unsettled: BTreeSet<CustomerId>,
    /// Jobs whose secrets go.
    pub(crate) secrets: Vec<JobId>,
    steps: Vec<StepRow>,
    events: Vec<EventRow>,
}

const LOCK: Sql = listed!(
    "SELECT customer_id, version, running, ready_at FROM context WHERE customer_id IN ",
    " ORDER BY customer_id",
    " FOR UPDATE"
);
const LOCK_FREE: Sql = listed!(
    "SELECT customer_id, version, running, ready_at FROM context WHERE customer_id IN ",
    " ORDER BY customer_id",
    " FOR UPDATE SKIP LOCKED"
);
const HEADS: Sql = looked_up!(
    "SELECT id, context_id, number, kind, server_id, state, hold_on_failure, epoch, undo, cancel_requested_by, unit_id,
            shape, admitted_at, parked_at, next_attempt_at, claim_owner, claim_expires_at, started_at, finished_at, cause,
            detail, last_write",
    "job",
    "id",
    ""
);
macro_rules! heads {
    ($rows:ident $($parameter:literal)?) => {
        $rows!(
            $($parameter,)?
    "UPDATE job SET state = t.state, hold_on_failure = t.hold, epoch = t.epoch, undo = t.undo, unit_id = t.unit,
         shape = t.shape, admitted_at = t.admitted_at, parked_at = t.parked_at, next_attempt_at = t.next_attempt_at,
         claim_owner = t.claim_owner, claim_expires_at = t.claim_expires_at, started_at = t.started_at,
         finished_at = t.finished_at, cause = t.cause, detail = t.detail, last_write = t.last_write
     FROM ",
    [
        "id" TEXT, "state" TEXT, "hold" TEXT, "epoch" BIGINT, "undo" BIGINT, "unit" TEXT, "shape" BIGINT,
        "admitted_at" BIGINT, "parked_at" BIGINT, "next_attempt_at" BIGINT, "claim_owner" TEXT,
        "claim_expires_at" BIGINT, "started_at" BIGINT, "finished_at" BIGINT, "cause" TEXT, "detail" TEXT, "last_write" BIGINT,
    ],
    " WHERE job.id = t.id"
        )
    };
}
const WRITE_HEADS: Sql = heads!(rows);
macro_rules! steps {
    ($rows:ident $($parameter:literal)?) => {
        $rows!(
            $($parameter,)?
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
    " WHERE job_step.job_id = t.job AND job_step.key = t.key"
        )
    };
}
const WRITE_STEPS: Sql = steps!(rows);
macro_rules! log {
    ($rows:ident $($parameter:literal)?) => {
        $rows!(
            $($parameter,)?
    "INSERT INTO job_event (context_id, version, job_id, at, what, step, detail)
     SELECT t.context, t.version, t.job, t.at, t.what, t.step, t.detail FROM ",
    [
        "context" TEXT, "version" BIGINT, "job" TEXT, "at" BIGINT, "what" TEXT, "step" TEXT, "detail" TEXT,
    ],
    ""
        )
    };
}
const WRITE_EVENTS: Sql = log!(rows);
macro_rules! contexts {
    ($rows:ident $($parameter:literal)?) => {
        $rows!(
            $($parameter,)?
    "UPDATE context SET version = t.version, running = t.running, ready_at = t.ready_at FROM ",
    ["id" TEXT, "version" BIGINT, "running" BIGINT, "ready_at" BIGINT],
    " WHERE context.customer_id = t.id"
        )
    };
}
const WRITE_CONTEXTS: Sql = contexts!(rows);
/// All of it in one round trip, where each costs one.
const WRITE_ALL: &str = concat!(
    "WITH heads AS (",
    heads!(rows_in "$1"),
    "), steps AS (",
    steps!(rows_in "$2"),
    "), log AS (",
    log!(rows_in "$3"),
    ") ",
    contexts!(rows_in "$4")
);
/// The jobs and their steps.
const WRITE_JOBS: &str = concat!("WITH heads AS (", heads!(rows_in "$1"), ") ", steps!(rows_in "$2"));
const WIPE: Sql = listed!("DELETE FROM secret WHERE job_id IN ", "");

impl Book {
    /// Locks these contexts, in one order everywhere, so that no two wait for each other.
    pub(crate) async fn lock(
        &mut self,
        store: &Store,
        tx: &mut Conn,
        customers: &BTreeSet<CustomerId>,
    ) -> Result<()> {
        self.lock_by(LOCK.of(store.is_embedded()), tx, customers).await
    }

    /// Locks those of these contexts that nobody else has locked.
    pub(crate) async fn lock_free(
        &mut self,
        store: &Store,
        tx: &mut Conn,
        customers: &BTreeSet<CustomerId>,
    ) -> Result<()> {
        self.lock_by(LOCK_FREE.of(store.is_embedded()), tx, customers).await
    }

    async fn lock_by(
        &mut self,
        sql: &'static str,
        tx: &mut Conn,
        customers: &BTreeSet<CustomerId>,
    ) -> Result<()> {
        if customers.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query(sql).bind(list(customers)).fetch_all(tx).await?;
        self.locked(&rows)
    }

    pub(crate) fn locked(&mut self, rows: &[AnyRow]) -> Result<()> {
        for row in rows {
            let context = Context {
                version: row.int("version")?,
                running: row.int("running")?,
                ready_at: row.int_opt("ready_at")?,
                dirty: false,
            };
            self.contexts.entry(row.id("customer_id")?).or_insert(context);
        }
        Ok(())
    }

    /// Reads jobs, under the locks of their contexts. One whose row cannot be read is left out.
    pub(crate) async fn read(&mut self, store: &Store, tx: &mut Conn, jobs: &BTreeSet<JobId>) -> Result<()> {
        let missing: Vec<&JobId> = jobs.iter().filter(|id| !self.heads.contains_key(id)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query(HEADS.of(store.is_embedded())).bind(list(missing)).fetch_all(tx).await?;
        for row in &rows {
            match head(row) {
                Ok(head) => drop(self.heads.insert(head.id, head)),
                Err(e) => tracing::error!("a job's row was passed over: {e}"),
            }
        }
        Ok(())
    }

    pub(crate) fn step(&mut self, step: StepRow) {
        self.steps.push(step);
    }

    /// Writes one event under the next version of its context.
    pub(crate) fn event(
        &mut self,
        (customer, job): (CustomerId, JobId),
        what: &'static str,
        step: Option<&str>,
        detail: Option<String>,
        at: i64,
    ) {
        let Some(context) = self.contexts.get_mut(&customer) else { return };
        context.version += 1;
        context.dirty = true;
        self.events.push(EventRow {
            context: customer.to_string(),
            version: context.version,
            job: job.to_string(),
            at,
            what,
            step: step.map(str::to_owned),
            detail,
        });
    }

    /// Writes the jobs and their steps, and forgets them: what is read again is what stands there.
    pub(crate) async fn write_jobs(&mut self, store: &Store, tx: &mut Conn) -> Result<()> {
        let (heads, steps) = (self.head_rows()?, rows_of(&self.steps)?);
        match (&heads, &steps) {
            (Some(heads), Some(steps)) if !store.is_embedded() => {
                sqlx::query(WRITE_JOBS).bind(heads).bind(steps).execute(&mut *tx).await?;
            }
            _ => {
                write(store, tx, WRITE_HEADS, heads).await?;
                write(store, tx, WRITE_STEPS, steps).await?;
            }
        }
        self.steps.clear();
        self.heads.clear();
        self.wipe(store, tx).await
    }

    /// Writes everything that is left.
    pub(crate) async fn write_all(&mut self, store: &Store, tx: &mut Conn) -> Result<()> {
        if store.is_embedded() {
            self.write_jobs(store, tx).await?;
            write(store, tx, WRITE_EVENTS, rows_of(&self.events)?).await?;
            write(store, tx, WRITE_CONTEXTS, self.context_rows()?).await?;
        } else {
            let none = || "[]".to_owned();
            let rows =
                [self.head_rows()?, rows_of(&self.steps)?, rows_of(&self.events)?, self.context_rows()?];
            if rows.iter().any(Option::is_some) {
                let [heads, steps, log, contexts] = rows.map(|r| r.unwrap_or_else(none));
                let all = sqlx::query(WRITE_ALL).bind(heads).bind(steps).bind(log).bind(contexts);
                all.execute(&mut *tx).await?;
            }
            self.steps.clear();
            self.heads.clear();
            self.wipe(store, tx).await?;
        }
        self.events.clear();
        Ok(())
    }

    async fn wipe(&mut self, store: &Store, tx: &mut Conn) -> Result<()> {
        if !self.secrets.is_empty() {
            sqlx::query(WIPE.of(store.is_embedded())).bind(list(&self.secrets)).execute(tx).await?;
            self.secrets.clear();
        }
        Ok(())
    }

    fn head_rows(&self) -> Result<Option<String>> {
        #[derive(Serialize)]
        struct Row<'h> {
            id: String,
            state: &'static str,
            hold: &'static str,
            epoch: i64,
            undo: i64,
            unit: Option<String>,
            shape: i64,
            admitted_at: Option<i64>,
            parked_at: Option<i64>,
            next_attempt_at: Option<i64>,
            claim_owner: Option<&'h str>,
            claim_expires_at: Option<i64>,
            started_at: Option<i64>,
            finished_at: Option<i64>,
            cause: Option<&'h str>,
            detail: Option<&'h str>,
            last_write: i64,
        }
        let changed = self.heads.values().filter(|h| h.dirty);
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

    fn context_rows(&self) -> Result<Option<String>> {
        #[derive(Serialize)]
        struct Row {
            id: String,
            version: i64,
            running: i64,
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

/// Rows as the text that statements take; `None` where there are none.
fn rows_of<T: Serialize>(rows: &[T]) -> Result<Option<String>> {
    if rows.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(rows).map(Some).map_err(|e| Error::Corrupt(e.to_string()))
}

async fn write(store: &Store, tx: &mut Conn, sql: Sql, rows: Option<String>) -> Result<()> {
    if let Some(rows) = rows {
        sqlx::query(sql.of(store.is_embedded())).bind(rows).execute(tx).await?;
    }
    Ok(())
}

fn head(row: &AnyRow) -> Result<Head> {
    Ok(Head {
        id: row.id("id")?,
        customer: row.id("context_id")?,
        number: row.int("number")?,
        kind: row.text("kind")?,
        server: row.id_opt("server_id")?,
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
        dirty: false,
    })
}
