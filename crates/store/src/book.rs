//! What one transaction of a worker knows, has changed, and has yet to write.
//!
//! A context is locked, then known: remembered from the last turn, or read. Its jobs are changed here, and written once, each
//! table in one statement, however many jobs are in it ([`crate::writes`]).

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use domain::{CustomerId, JobId, state::JobState};
use sqlx::any::AnyRow;

use crate::{
    admission::{self, Standing},
    db::{Conn, Store},
    dialect::{Sql, list, listed},
    error::Result,
    head::{HEADS, Head, UNFINISHED, head},
    memory::{Known, Recalled},
    row::Columns,
    writes::{EventRow, StepRow},
};

/// The lock of every customer's order, and what stands in its row.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) version: i64,
    pub(crate) running: i64,
    pub(crate) ready_at: Option<i64>,
    pub(crate) dirty: bool,
}

impl Context {
    pub(crate) fn stand(&mut self, running: i64, ready_at: Option<i64>) {
        self.dirty |= (self.running, self.ready_at) != (running, ready_at);
        (self.running, self.ready_at) = (running, ready_at);
    }
}

#[derive(Default)]
pub(crate) struct Book {
    pub(crate) contexts: BTreeMap<CustomerId, Context>,
    pub(crate) known: BTreeMap<CustomerId, Known>,
    /// Contexts in which something was queued, ended or left.
    pub(crate) unsettled: BTreeSet<CustomerId>,
    /// The clouds of jobs that gave their claims back and are counted as running until that is written.
    pub(crate) left: Vec<Arc<str>>,
    /// Places that were free are taken: the row that guards them says so.
    pub(crate) new_round: bool,
    /// Jobs whose secrets go.
    pub(crate) secrets: Vec<JobId>,
    pub(crate) steps: Vec<StepRow>,
    /// Where in them those of a job are.
    pub(crate) steps_of: HashMap<JobId, Vec<usize>>,
    pub(crate) events: Vec<EventRow>,
    /// Nothing is taken from memory: how long claims last is only known from the rows.
    pub(crate) anew: bool,
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

    /// Learns the unfinished jobs of these contexts, whose locks are held: from memory where they are as they were.
    pub(crate) async fn learn(
        &mut self,
        store: &Store,
        tx: &mut Conn,
        customers: &BTreeSet<CustomerId>,
    ) -> Result<()> {
        let mut missing = Vec::new();
        for customer in customers {
            let Some(context) = self.contexts.get(customer) else { continue };
            if self.known.contains_key(customer) {
                continue;
            }
            let before = store.memory.take(*customer).filter(|r| r.version == context.version && !self.anew);
            if before.is_none() {
                missing.push(*customer);
            }
            self.known.insert(*customer, before.map(|r| r.known).unwrap_or_default());
        }
        if missing.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query(UNFINISHED.of(store.is_embedded())).bind(list(missing)).fetch_all(tx).await?;
        for row in &rows {
            let known = self.known.entry(row.id("context_id")?).or_default();
            match head(row) {
                Ok(head) => drop(known.heads.insert(head.id, head)),
                Err(_) => known.strangers.push(admission::read(row, store.matrix)?),
            }
        }
        Ok(())
    }

    /// Looks for jobs that are over, under the locks of their contexts. One whose row cannot be read is left out.
    pub(crate) async fn find(&mut self, store: &Store, tx: &mut Conn, jobs: &[JobId]) -> Result<()> {
        if jobs.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query(HEADS.of(store.is_embedded())).bind(list(jobs)).fetch_all(tx).await?;
        for row in &rows {
            match head(row) {
                Ok(head) => {
                    if let Some(known) = self.known.get_mut(&head.customer) {
                        known.heads.insert(head.id, head);
                    }
                }
                Err(e) => tracing::error!("a job's row was passed over: {e}"),
            }
        }
        Ok(())
    }

    pub(crate) fn head(&self, customer: CustomerId, job: JobId) -> Option<&Head> {
        self.known.get(&customer)?.heads.get(&job)
    }

    /// Puts a job back as it is now. One that has succeeded lets those that need it go on.
    pub(crate) fn put(&mut self, head: Head) {
        let Some(known) = self.known.get_mut(&head.customer) else { return };
        if head.state == JobState::Succeeded {
            let needing = known.heads.values_mut().filter(|h| h.needs == Some(head.id));
            needing.for_each(|h| h.needs = None);
        }
        known.heads.insert(head.id, head);
    }

    /// The unfinished jobs of a context as this transaction leaves them, in `seq` order.
    pub(crate) fn standing(&self, store: &Store, customer: CustomerId) -> Vec<Standing> {
        let Some(known) = self.known.get(&customer) else { return Vec::new() };
        let mut standing: Vec<Standing> =
            known.heads.values().filter_map(|h| h.standing(store.matrix)).collect();
        standing.extend(known.strangers.iter().cloned());
        standing.sort_by_key(|s| s.entry.seq);
        standing
    }

    /// A step's row is written once: a task that was seen goes with what the step came to in the same turn.
    pub(crate) fn step(&mut self, step: StepRow) {
        let of_job = self.steps_of.entry(step.job).or_default();
        let same = of_job.iter().copied().find(|at| self.steps[*at].key == step.key);
        match same.and_then(|at| self.steps.get_mut(at)) {
            Some(task) if task.state.is_none() => {
                let earlier = task.task.take();
                *task = StepRow { task: step.task.clone().or(earlier), ..step };
            }
            Some(known) if step.state.is_none() => known.task = step.task.or(known.task.take()),
            _ => {
                of_job.push(self.steps.len());
                self.steps.push(step);
            }
        }
    }

    /// Something of a context is written that is no event: whoever remembers it reads it anew.
    pub(crate) fn raise(&mut self, customer: CustomerId) {
        if let Some(context) = self.contexts.get_mut(&customer) {
            context.version += 1;
            context.dirty = true;
        }
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
            context: customer,
            version: context.version,
            job,
            at,
            what,
            step: step.map(str::to_owned),
            detail,
        });
    }

    /// What is remembered once this transaction is committed: all of it has been written.
    pub(crate) fn remember(self, store: &Store) {
        let Self { contexts, known, .. } = self;
        for (customer, known) in known {
            let Some(context) = contexts.get(&customer) else { continue };
            let Context { version, running, ready_at, .. } = *context;
            store.memory.keep(customer, Recalled { version, running, ready_at, known });
        }
    }
}
