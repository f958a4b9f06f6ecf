//! The engine's store, on the database: a worker's turn is one transaction.
//!
//! What its jobs have done is applied, each under its fence; contexts in which something ended are settled; what may start
//! in them, or elsewhere, is claimed, and begun in the same commit. The context's row is always locked before its jobs.

use std::{collections::BTreeSet, sync::atomic::Ordering, time::Duration};

use async_trait::async_trait;
use domain::{
    CustomerId, JobId, ServerId,
    kind::{Kind, Scope},
    state::{JobState, ServerState},
};
use jobs::{
    ClaimedJob, Fence, JobChange, JobStore, Problem, StepChange, StepRecord, StepTo, StoreError, Transition,
    Turn, Turned, Written,
};
use sqlx::any::AnyRow;

use crate::{
    admission,
    book::{Book, Context},
    cancel::{cancel_needing, drop_unmade_server},
    claims,
    db::{Conn, Store},
    dialect::Sql,
    error::{Error, Result},
    head::Head,
    memory::Recalled,
    row::Columns,
    row_by_row::Unchanged,
    writes::StepRow,
};

#[async_trait]
impl JobStore for Store {
    async fn turn(&self, turn: Turn) -> Result<Turned, StoreError> {
        if turn.want > 0 && turn.look {
            self.grant_parked(turn.now).await?;
        }
        Ok(self.take_turn(&turn).await?)
    }

    /// While PostgreSQL works on one the next is made ready, or worked on by another of its processes.
    fn turns_at_once(&self) -> usize {
        if self.is_embedded() { 1 } else { 2 }
    }

    async fn next_due(&self) -> Result<Option<i64>, StoreError> {
        let row = sqlx::query(
            "SELECT MIN(at) AS at FROM (
                 SELECT MIN(next_attempt_at) AS at FROM job WHERE state = 'retry_wait'
                 UNION ALL
                 SELECT MIN(claim_expires_at) AS at FROM job WHERE state IN ('running', 'rolling_back')) AS due",
        )
        .fetch_one(&self.pool)
        .await
        .map_err(Error::from)?;
        Ok(row.int_opt("at")?)
    }

    async fn renew(
        &self,
        owner: &str,
        held: &[Fence],
        now: i64,
        claim_for: Duration,
    ) -> Result<Vec<Fence>, StoreError> {
        if held.is_empty() {
            return Ok(Vec::new());
        }
        let (mut open, mut renewed) = (held.to_vec(), Vec::new());
        for look in 0..RENEW_LOOKS {
            if look > 0 {
                tokio::time::sleep(RENEW_PAUSE * (1 << look)).await;
            }
            let now = self.renew_free(owner, &open, now, claim_for).await?;
            open.retain(|f| !now.contains(f));
            renewed.extend(now);
            // Where only one writes at a time, nothing was passed over.
            if open.is_empty() || self.is_embedded() {
                break;
            }
        }
        Ok(renewed)
    }

    async fn release(&self, owner: &str, now: i64) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE job SET claim_expires_at = CASE WHEN claim_expires_at < $1 THEN claim_expires_at ELSE 0 END
             WHERE claim_owner = $2 AND state IN ('running', 'rolling_back')",
        )
        .bind(now)
        .bind(owner)
        .execute(&self.pool)
        .await
        .map_err(Error::from)?;
        self.tell_all();
        Ok(())
    }
}

/// Claims are measured by the database's clock, where there is one: no node's own can be ahead of the others. Rows that a turn
/// is writing are passed over: two statements that lock many rows, each in its own order, would wait for each other.
const RENEW: Sql = Sql {
    sqlite: "UPDATE job SET claim_expires_at = $4 + $2
             FROM (SELECT value ->> 'id' AS id, value ->> 'epoch' AS epoch FROM json_each($1)) AS t
             WHERE job.id = t.id AND job.epoch = t.epoch AND job.claim_owner = $3
                 AND job.state IN ('running', 'rolling_back')
             RETURNING job.id, job.context_id, job.epoch",
    postgres: "UPDATE job SET claim_expires_at =
                   $2 + COALESCE($4, CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT))
               FROM (SELECT mine.id FROM jsonb_to_recordset(CAST($1 AS jsonb)) AS t(id TEXT, epoch BIGINT)
                     JOIN job AS mine ON mine.id = t.id AND mine.epoch = t.epoch
                     WHERE mine.claim_owner = $3 AND mine.state IN ('running', 'rolling_back')
                     FOR UPDATE OF mine SKIP LOCKED) AS t
               WHERE job.id = t.id
               RETURNING job.id, job.context_id, job.epoch",
};
/// How often rows that are being written are looked at again, and after which pause, each twice the one before: slow commits
/// one after the other leave gaps.
const RENEW_LOOKS: u32 = 6;
const RENEW_PAUSE: Duration = Duration::from_millis(12);

impl Store {
    async fn renew_free(
        &self,
        owner: &str,
        held: &[Fence],
        now: i64,
        claim_for: Duration,
    ) -> Result<Vec<Fence>> {
        let row = |f: &Fence| serde_json::json!({"id": f.job.to_string(), "epoch": f.epoch});
        let rows = serde_json::Value::from(held.iter().map(row).collect::<Vec<_>>()).to_string();
        let rows = sqlx::query(RENEW.of(self.is_embedded()))
            .bind(rows)
            .bind(claim_for.as_millis() as i64)
            .bind(owner)
            .bind((self.is_embedded() || self.own_clock).then_some(now))
            .fetch_all(&self.pool)
            .await?;
        let fence = |row: &AnyRow| {
            Ok(Fence {
                job: row.id::<JobId>("id")?.0,
                context: row.id::<CustomerId>("context_id")?.0,
                epoch: row.int("epoch")?,
            })
        };
        rows.iter().map(fence).collect()
    }

    /// Lets go of every claim. Only for the one process that owns an embedded database, before it starts its worker:
    /// whoever held these claims is gone.
    pub async fn claims_release_all(&self) -> Result<u64> {
        let done = sqlx::query(
            "UPDATE job SET claim_expires_at = 0 WHERE state IN ('running', 'rolling_back') AND claim_expires_at > 0",
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }

    async fn take_turn(&self, turn: &Turn) -> Result<Turned> {
        if let Some(turned) = self.take_at_once(turn).await? {
            return Ok(turned);
        }
        if let Some(turned) = self.claim_at_once(turn).await? {
            return Ok(turned);
        }
        let mut tx = self.write().await?;
        let mut book = Book { anew: turn.due, ..Book::default() };
        let customer = |uuid| CustomerId(uuid);
        let open: BTreeSet<CustomerId> = turn.open.iter().map(|(_, context)| customer(*context)).collect();
        let named = turn.writes.iter().map(|w| customer(w.fence.context));
        let named = named.chain(open.iter().copied()).collect();
        book.lock(self, &mut tx, &named).await?;
        book.learn(self, &mut tx, &named).await?;
        let over = turn.writes.iter().map(|w| w.fence);
        let over = over.filter(|f| book.head(customer(f.context), JobId(f.job)).is_none());
        let over: Vec<JobId> = over.map(|f| JobId(f.job)).collect();
        book.find(self, &mut tx, &over).await?;

        let mut turned = Turned::default();
        let mut after = Vec::new();
        for write in &turn.writes {
            let applied = apply(&mut book, write, turn.now);
            turned.written.push(applied.map(|(written, effect)| {
                after.extend(effect);
                written
            }));
        }
        // What follows from these ends looks at rows of other tables, which is seldom enough to be done one by one.
        for effect in after {
            effect.carry_out(self, &mut book, &mut tx, turn.now).await?;
        }
        // Contexts whose order has to be looked at: something ended in them, or a unit of theirs takes joiners.
        let mut looked: BTreeSet<CustomerId> = book.unsettled.iter().copied().chain(open).collect();
        if turn.want > 0 || !turn.open.is_empty() {
            claims::claim(self, &mut book, &mut tx, turn, &mut looked, &mut turned).await?;
        }
        self.mark(&mut book, &looked, turn.now);
        book.write_all(self, &mut tx).await?;
        tx.commit().await?;
        let changed: Vec<CustomerId> = book.contexts.keys().copied().collect();
        turned.more |= book.contexts.values().any(|c| c.ready_at.is_some());
        book.remember(self);
        self.tell(&changed, turned.more);
        Ok(turned)
    }

    /// A turn in which jobs of one context only go on: one statement instead of a transaction of several, if the context is
    /// as it is remembered. `None` leaves it to the long way.
    async fn take_at_once(&self, turn: &Turn) -> Result<Option<Turned>> {
        let Some(first) = turn.writes.first().filter(|_| !self.is_embedded()) else { return Ok(None) };
        let goes_on = |w: &Transition| w.fence.context == first.fence.context && w.job == JobChange::Stays;
        if turn.look || !turn.open.is_empty() || !turn.writes.iter().all(goes_on) {
            return Ok(None);
        }
        let customer = CustomerId(first.fence.context);
        let Some(Recalled { version, running, ready_at, known }) = self.memory.take(customer) else {
            return Ok(None);
        };
        let mut book = Book::default();
        book.contexts.insert(customer, Context { version, running, ready_at, dirty: false });
        book.known.insert(customer, known);
        let applied = turn.writes.iter().map(|w| apply(&mut book, w, turn.now));
        let written: Vec<_> = applied.map(|a| a.map(|(written, _)| written)).collect();
        // What is refused is refused by the rows.
        if written.iter().any(Result::is_err)
            || !book.is_little()
            || !book.write_if_unchanged(self, Unchanged { version, round: None }).await?
        {
            return Ok(None);
        }
        book.remember(self);
        self.tell(&[customer], false);
        Ok(Some(Turned { written, ..Turned::default() }))
    }

    /// Marks what may start in the contexts that were looked at, and writes their heads.
    pub(crate) fn mark(&self, book: &mut Book, looked: &BTreeSet<CustomerId>, now: i64) {
        for customer in looked {
            let marks = admission::marks(self.matrix, &book.standing(self, *customer), now);
            if let Some(context) = book.contexts.get_mut(customer) {
                context.stand(marks.running, marks.ready_at);
            }
            let Some(known) = book.known.get_mut(customer) else { continue };
            for (job, at) in marks.changed {
                if let Some(head) = known.heads.get_mut(&job) {
                    (head.admitted_at, head.dirty) = (at, true);
                }
            }
        }
    }
}

/// What a change of one job means for other rows.
pub(crate) enum After {
    /// It will never succeed: what needs it goes with it, and a server that it was to make is gone.
    Gone {
        job: JobId,
        customer: CustomerId,
        unmade: Option<ServerId>,
    },
    ServerFailed(ServerId),
    Replanned {
        job: JobId,
        steps: Vec<&'static str>,
    },
}

impl After {
    pub(crate) async fn carry_out(
        self,
        store: &Store,
        book: &mut Book,
        tx: &mut Conn,
        now: i64,
    ) -> Result<()> {
        match self {
            Self::Gone { job, customer, unmade } => {
                if let Some(server) = unmade {
                    drop_unmade_server(tx, server, now).await?;
                    store.edges_changed.store(true, Ordering::Relaxed);
                }
                for needing in cancel_needing(tx, customer, job, now).await? {
                    if let Some(mut head) = book.head(customer, needing).cloned() {
                        (head.state, head.finished_at) = (JobState::Cancelled, Some(now));
                        book.put(head);
                    }
                    book.event((customer, needing), "cancelled", None, Some(format!("needs {job}")), now);
                }
                Ok(())
            }
            Self::ServerFailed(server) => mark_server_failed(tx, server).await,
            Self::Replanned { job, steps } => replan(store, tx, job, &steps).await,
        }
    }
}

/// Takes one transition into the book. Nothing of it is taken where its fence is stale.
fn apply(book: &mut Book, write: &Transition, now: i64) -> Result<(Written, Vec<After>), StoreError> {
    let job = JobId(write.fence.job);
    let customer = CustomerId(write.fence.context);
    let Some(mut head) = book.head(customer, job).cloned() else { return Err(StoreError::Fenced) };
    if head.epoch != write.fence.epoch {
        return Err(StoreError::Fenced);
    }
    if write.number > 0 && write.number <= head.last_write / 2 {
        // The answer to it was lost, and that to all of its turn.
        return Ok((Written { stop: head.last_write % 2 == 1 }, vec![]));
    }
    if !matches!(head.state, JobState::Running | JobState::RollingBack) {
        return Err(StoreError::Fenced);
    }
    let stop = head.stop && !head.undo;
    if write.number > 0 {
        (head.last_write, head.dirty) = (write.number * 2 + i64::from(stop), true);
    }
    let after = change(book, &mut head, write, stop, now);
    book.put(head);
    Ok((Written { stop }, after))
}

/// Carries a transition out on the head. With `stop` nothing begins, and the job does not sleep, park or fail.
pub(crate) fn change(
    book: &mut Book,
    head: &mut Head,
    write: &Transition,
    stop: bool,
    now: i64,
) -> Vec<After> {
    let whose = (head.customer, head.id);
    let mut after = Vec::new();
    if let JobChange::Replanned { shape, steps } = &write.job {
        (head.shape, head.dirty) = (*shape, true);
        book.event(whose, "replanned", None, Some(format!("shape {shape}")), now);
        after.push(After::Replanned { job: head.id, steps: steps.clone() });
    }
    for step in &write.steps {
        if !(stop && step.to == StepTo::Started) {
            step_changed(book, whose, step, now);
        }
    }
    if stop && write.job.yields_to_stop() {
        return after;
    }
    let gives_back = !write.job.keeps_claim();
    let fail = |head: &mut Head, state, problem: &Problem| {
        (head.state, head.cause, head.detail) =
            (state, Some(problem.code.to_owned()), Some(problem.detail.clone()));
    };
    match &write.job {
        JobChange::Stays | JobChange::Replanned { .. } => return after,
        JobChange::Sleeps { until } => {
            (head.state, head.next_attempt_at) = (JobState::RetryWait, Some(*until));
            book.event(whose, "retry_wait", None, None, now);
        }
        JobChange::Parks(problem) => {
            fail(head, JobState::Parked, problem);
            (head.parked_at, head.admitted_at, head.unit) = (Some(now), None, None);
            book.event(whose, "parked", None, Some(problem.detail.clone()), now);
        }
        JobChange::TurnsBack => {
            // What it turns back for stays said.
            let failed = write.steps.iter().find_map(|s| match &s.to {
                StepTo::Failed(problem) => Some(problem),
                _ => None,
            });
            if let Some(problem) = failed {
                (head.cause, head.detail) = (Some(problem.code.to_owned()), Some(problem.detail.clone()));
            }
            (head.state, head.undo) = (JobState::RollingBack, true);
            book.event(whose, "rolling_back", None, None, now);
            head.dirty = true;
            return after;
        }
        JobChange::Succeeds => {
            (head.state, head.finished_at, head.cause, head.detail) =
                (JobState::Succeeded, Some(now), None, None);
            book.secrets.push(head.id);
            book.event(whose, "succeeded", None, None, now);
        }
        JobChange::Fails(problem) => {
            fail(head, JobState::Failed, problem);
            // One that holds its place is not finished: it keeps others out until staff act.
            head.finished_at = (head.hold == Scope::None).then_some(now);
            book.event(whose, "failed", None, Some(describe(problem)), now);
            if let (Some(server), "activate") = (head.server, head.kind.as_str()) {
                after.push(After::ServerFailed(server));
            }
        }
        JobChange::RolledBack => {
            (head.state, head.finished_at) = (JobState::RolledBack, Some(now));
            book.secrets.push(head.id);
            book.event(whose, "rolled_back", None, None, now);
            let unmade = head.server.filter(|_| head.kind == Kind::Activate.as_str());
            after.push(After::Gone { job: head.id, customer: head.customer, unmade });
        }
        JobChange::Stuck(problem) => {
            fail(head, JobState::Stuck, problem);
            // What could not be taken back stays on its server: the job keeps others away from it.
            if head.hold == Scope::None {
                head.hold = Scope::SameServer;
            }
            book.event(whose, "stuck", None, Some(describe(problem)), now);
            after.extend(head.server.map(After::ServerFailed));
        }
    }
    if gives_back {
        (head.claim_owner, head.claim_expires_at, head.claim_changed) = (None, None, true);
        book.left.push(head.provider.clone());
        book.unsettled.insert(head.customer);
    }
    head.dirty = true;
    after
}

fn step_changed(book: &mut Book, whose: (CustomerId, JobId), change: &StepChange, now: i64) {
    let mut row = StepRow::new(whose.1, &change.key, now);
    let event = match &change.to {
        StepTo::Task(task) => {
            row.task = Some(task.clone());
            book.raise(whose.0);
            None
        }
        StepTo::Started => {
            (row.state, row.begins) = (Some("running"), 1);
            Some(("step_started", None))
        }
        StepTo::Done(output) => {
            (row.state, row.ends, row.patience) = (Some("done"), 1, 1);
            row.output = (!output.is_null()).then(|| output.to_string());
            Some(("step_done", None))
        }
        StepTo::Retry { problem, at, pause_ms, unknown } => {
            (row.state, row.patience, row.retry_at, row.pause) =
                (Some("retry_wait"), 2, Some(*at), *pause_ms);
            row.unknown = i64::from(*unknown);
            (row.cause, row.detail) = (Some(problem.code), Some(problem.detail.clone()));
            Some(("step_retry", Some(describe(problem))))
        }
        StepTo::Failed(problem) => {
            (row.state, row.ends) = (Some("failed"), 1);
            (row.cause, row.detail) = (Some(problem.code), Some(problem.detail.clone()));
            Some(("step_failed", Some(describe(problem))))
        }
        StepTo::Untried => {
            (row.state, row.patience) = (Some("pending"), 1);
            Some(("step_untried", None))
        }
        StepTo::Undone => {
            (row.state, row.ends, row.patience) = (Some("undone"), 1, 1);
            Some(("step_undone", None))
        }
    };
    book.step(row);
    if let Some((what, detail)) = event {
        book.event(whose, what, Some(&change.key), detail, now);
    }
}

async fn replan(store: &Store, tx: &mut Conn, job: JobId, steps: &[&'static str]) -> Result<()> {
    sqlx::query("DELETE FROM job_step WHERE job_id = $1").bind(job.to_string()).execute(&mut *tx).await?;
    crate::order_rows::insert_steps(store, tx, &[(job, steps)]).await
}

async fn mark_server_failed(tx: &mut Conn, server: ServerId) -> Result<()> {
    sqlx::query("UPDATE server SET state = $1 WHERE id = $2 AND terminated_at IS NULL")
        .bind(ServerState::Failed.as_str())
        .bind(server.to_string())
        .execute(tx)
        .await?;
    Ok(())
}

pub(crate) fn describe(problem: &Problem) -> String {
    format!("{}: {}", problem.code, problem.detail)
}

/// Steps as the engine sees them after a transition that begins some.
pub(crate) fn begun(job: &mut ClaimedJob, first: &Transition) {
    if let JobChange::Replanned { shape, steps } = &first.job {
        job.shape = *shape;
        job.steps = steps.iter().map(|key| StepRecord::new(*key)).collect();
    }
    for change in first.steps.iter().filter(|s| s.to == StepTo::Started) {
        if let Some(step) = job.steps.iter_mut().find(|s| s.key == change.key) {
            (step.status, step.retry_at) = (jobs::StepStatus::Running, None);
            step.attempt += 1;
        }
    }
}
