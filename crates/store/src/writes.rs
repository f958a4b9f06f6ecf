//! The rows that a worker's turn writes: each table in one statement, all of them in one trip to the database.

use std::sync::LazyLock;

use domain::{CustomerId, JobId};

use crate::{
    batch::{Batch, Columns, Form, Type::Int, Type::Text, table},
    book::Book,
    db::{Conn, Store},
    error::Result,
    row_by_row::{self, Unchanged},
};

/// A step's row as it will be; `None` leaves a column as it is.
#[derive(Clone, Debug)]
pub(crate) struct StepRow {
    pub(crate) job: JobId,
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

impl StepRow {
    /// One that leaves everything as it is.
    pub(crate) fn new(job: JobId, key: &str, at: i64) -> Self {
        Self {
            job,
            key: key.to_owned(),
            state: None,
            begins: 0,
            at,
            ends: 0,
            patience: 0,
            retry_at: None,
            pause: 0,
            unknown: 0,
            task: None,
            output: None,
            cause: None,
            detail: None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct EventRow {
    pub(crate) context: CustomerId,
    pub(crate) version: i64,
    pub(crate) job: JobId,
    pub(crate) at: i64,
    pub(crate) what: &'static str,
    pub(crate) step: Option<String>,
    pub(crate) detail: Option<String>,
}

pub(crate) const HEADS: Columns = &[
    ("id", Text),
    ("state", Text),
    ("hold", Text),
    ("epoch", Int),
    ("undo", Int),
    ("unit", Text),
    ("shape", Int),
    ("admitted_at", Int),
    ("parked_at", Int),
    ("next_attempt_at", Int),
    ("claim", Int),
    ("claim_owner", Text),
    ("claim_expires_at", Int),
    ("started_at", Int),
    ("finished_at", Int),
    ("cause", Text),
    ("detail", Text),
    ("last_write", Int),
];
pub(crate) const SET_HEADS: &str =
    "UPDATE job SET state = t.state, hold_on_failure = t.hold, epoch = t.epoch, undo = t.undo,
        unit_id = t.unit, shape = t.shape, admitted_at = t.admitted_at, parked_at = t.parked_at,
        next_attempt_at = t.next_attempt_at, claim_owner = t.claim_owner, started_at = t.started_at,
        finished_at = t.finished_at, cause = t.cause, detail = t.detail, last_write = t.last_write,
        claim_expires_at = CASE WHEN t.claim = 1 THEN t.claim_expires_at ELSE job.claim_expires_at END";
pub(crate) const STEPS: Columns = &[
    ("job", Text),
    ("key", Text),
    ("state", Text),
    ("begins", Int),
    ("at", Int),
    ("ends", Int),
    ("patience", Int),
    ("retry_at", Int),
    ("pause", Int),
    ("unknown", Int),
    ("task", Text),
    ("output", Text),
    ("cause", Text),
    ("detail", Text),
];
pub(crate) const SET_STEPS: &str = "UPDATE job_step SET
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
        detail = CASE WHEN t.state IS NULL OR t.begins = 1 THEN job_step.detail ELSE t.detail END";
pub(crate) const EVENTS: Columns = &[
    ("context", Text),
    ("version", Int),
    ("job", Text),
    ("at", Int),
    ("what", Text),
    ("step", Text),
    ("detail", Text),
];
pub(crate) const LOG: &str = "INSERT INTO job_event (context_id, version, job_id, at, what, step, detail)
        SELECT t.context, t.version, t.job, t.at, t.what, t.step, t.detail";
pub(crate) const CONTEXTS: Columns = &[("id", Text), ("version", Int), ("running", Int), ("ready_at", Int)];
pub(crate) const SET_CONTEXTS: &str =
    "UPDATE context SET version = t.version, running = t.running, ready_at = t.ready_at";
pub(crate) const WIPED: Columns = &[("job", Text)];

/// Everything that a turn changes, over tables `t` in this order: jobs, steps, the log, contexts, and whose secrets go.
/// With the number of the next parameter.
fn changes(form: Form) -> ([String; 5], usize) {
    let mut next = 1;
    let mut from = |columns| table(form, columns, 0, &mut next);
    let texts = [
        format!("{SET_HEADS} FROM {} WHERE job.id = t.id", from(HEADS)),
        format!("{SET_STEPS} FROM {} WHERE job_step.job_id = t.job AND job_step.key = t.key", from(STEPS)),
        format!("{LOG} FROM {}", from(EVENTS)),
        format!("{SET_CONTEXTS} FROM {} WHERE context.customer_id = t.id", from(CONTEXTS)),
        format!("DELETE FROM secret WHERE job_id IN (SELECT t.job FROM {})", from(WIPED)),
    ];
    (texts, next)
}

static WRITE_SQLITE: LazyLock<String> = LazyLock::new(|| changes(Form::Json).0.join("; "));
static WRITE_POSTGRES: LazyLock<String> = LazyLock::new(|| {
    let ([heads, steps, log, contexts, wiped], last) = changes(Form::Lists);
    let round =
        format!("UPDATE counter SET value = value + 1 WHERE name = 'places' AND CAST(${last} AS BOOLEAN)");
    format!(
        "WITH heads AS ({heads}), steps AS ({steps}), log AS ({log}), wiped AS ({wiped}), round AS ({round}) {contexts}"
    )
});

impl Book {
    /// Writes everything that has not been written yet.
    pub(crate) async fn write_all(&mut self, store: &Store, tx: &mut Conn) -> Result<()> {
        let form = match () {
            () if store.is_embedded() => Form::Json,
            () if self.is_little() && self.secrets.len() <= row_by_row::MOST => Form::Values,
            () => Form::Lists,
        };
        let mut wiped = Batch::new(form, WIPED);
        self.secrets.iter().for_each(|job| wiped.row([job.0.into()]));
        let batches = self.batches(form);
        if wiped.is_empty() && batches.iter().all(Batch::is_empty) {
            return Ok(());
        }
        let sql = match form {
            Form::Json => WRITE_SQLITE.as_str(),
            Form::Lists => WRITE_POSTGRES.as_str(),
            Form::Values => row_by_row::write(
                [&batches[0], &batches[1], &batches[2], &batches[3], &wiped],
                self.new_round,
            ),
        };
        let query = batches.into_iter().fold(sqlx::query(sql), |query, batch| batch.bind(query));
        let mut query = wiped.bind(query);
        if form == Form::Lists {
            query = query.bind(self.new_round);
        }
        query.execute(tx).await?;
        self.written();
        Ok(())
    }

    fn written(&mut self) {
        self.steps.clear();
        self.steps_of.clear();
        self.events.clear();
        self.secrets.clear();
        self.left.clear();
        self.new_round = false;
        self.contexts.values_mut().for_each(|c| c.dirty = false);
        for head in self.known.values_mut().flat_map(|k| k.heads.values_mut()) {
            (head.dirty, head.claim_changed) = (false, false);
        }
    }

    /// Whether it is little enough to be written row by row ([`row_by_row`]).
    pub(crate) fn is_little(&self) -> bool {
        let heads = self.known.values().flat_map(|k| k.heads.values()).filter(|h| h.dirty).count();
        let contexts = self.contexts.values().filter(|c| c.dirty).count();
        contexts <= 1 && heads.max(self.steps.len()).max(self.events.len()) <= row_by_row::MOST
    }

    /// Writes everything of the one context that it is about, if that is as it was. Returns whether it was.
    pub(crate) async fn write_if_unchanged(&mut self, store: &Store, was: Unchanged) -> Result<bool> {
        let batches = self.batches(Form::Values);
        let [heads, steps, events, contexts] = &batches;
        if contexts.len() != 1 || !self.secrets.is_empty() {
            return Ok(false);
        }
        let sql =
            row_by_row::write_if_unchanged([heads.len(), steps.len(), events.len()], was.round.is_some());
        let query = batches.into_iter().fold(sqlx::query(sql), |query, batch| batch.bind(query));
        let query = was.round.into_iter().fold(query.bind(was.version), |query, round| query.bind(round));
        // To its end: it is committed only there.
        let same = !query.fetch_all(&store.pool).await?.is_empty();
        self.written();
        Ok(same)
    }

    /// What is to be written of jobs, steps, the log and contexts.
    fn batches(&self, form: Form) -> [Batch; 4] {
        let mut heads = Batch::new(form, HEADS);
        for h in self.known.values().flat_map(|k| k.heads.values()).filter(|h| h.dirty) {
            heads.row::<{ HEADS.len() }>([
                h.id.0.into(),
                h.state.as_str().into(),
                crate::admission::scope_text(h.hold).into(),
                h.epoch.into(),
                i64::from(h.undo).into(),
                h.unit.map(|u| u.0).into(),
                h.shape.into(),
                h.admitted_at.into(),
                h.parked_at.into(),
                h.next_attempt_at.into(),
                i64::from(h.claim_changed).into(),
                h.claim_owner.as_deref().into(),
                h.claim_expires_at.into(),
                h.started_at.into(),
                h.finished_at.into(),
                h.cause.as_deref().into(),
                h.detail.as_deref().into(),
                h.last_write.into(),
            ]);
        }
        let mut steps = Batch::new(form, STEPS);
        for s in &self.steps {
            steps.row::<{ STEPS.len() }>([
                s.job.0.into(),
                s.key.as_str().into(),
                s.state.into(),
                s.begins.into(),
                s.at.into(),
                s.ends.into(),
                s.patience.into(),
                s.retry_at.into(),
                s.pause.into(),
                s.unknown.into(),
                s.task.as_deref().into(),
                s.output.as_deref().into(),
                s.cause.into(),
                s.detail.as_deref().into(),
            ]);
        }
        let mut events = Batch::new(form, EVENTS);
        for e in &self.events {
            events.row::<{ EVENTS.len() }>([
                e.context.0.into(),
                e.version.into(),
                e.job.0.into(),
                e.at.into(),
                e.what.into(),
                e.step.as_deref().into(),
                e.detail.as_deref().into(),
            ]);
        }
        let mut contexts = Batch::new(form, CONTEXTS);
        for (id, c) in self.contexts.iter().filter(|(_, c)| c.dirty) {
            contexts.row::<{ CONTEXTS.len() }>([
                id.0.into(),
                c.version.into(),
                c.running.into(),
                c.ready_at.into(),
            ]);
        }
        [heads, steps, events, contexts]
    }
}
