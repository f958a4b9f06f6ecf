//! What a turn about one customer writes, where it is little, on PostgreSQL: each value is a parameter, and each row is looked up by a
//! statement of its own, since a planner that does not look at lists takes them for longer than they are. All of it is one trip to
//! the database. The usual turn where somebody waits for one job is of this kind.
//!
//! How many rows there are of each stands in the text, and each connection plans every text and keeps a hundred. So turns about
//! several customers, of which hardly two are alike, go by columns ([`crate::writes`]).

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use crate::{
    batch::{Batch, Columns, Form, table},
    writes::{CONTEXTS, EVENTS, HEADS, LOG, SET_CONTEXTS, SET_HEADS, SET_STEPS, STEPS, WIPED},
};

/// Of jobs, steps and entries of the log, and secrets, so many are written at most.
pub(crate) const MOST: usize = 4;

/// What a turn goes by that is written without a lock taken first.
#[derive(Clone, Copy)]
pub(crate) struct Unchanged {
    /// The context's.
    pub(crate) version: i64,
    /// Of the places, where some that were free are taken.
    pub(crate) round: Option<i64>,
}

/// Parts of a statement, and the number of its next parameter.
struct Parts {
    all: Vec<String>,
    next: usize,
}

impl Parts {
    fn table(&mut self, columns: Columns, rows: usize) -> String {
        table(Form::Values, columns, rows, &mut self.next)
    }

    /// Jobs, steps and the log; with `same` only where that part found a row.
    fn changes(&mut self, [heads, steps, events]: [usize; 3], same: &str) {
        for at in 0..heads {
            let one = self.table(HEADS, 1);
            self.all.push(format!("head{at} AS ({SET_HEADS} FROM {one}{same} WHERE job.id = t.id)"));
        }
        for at in 0..steps {
            let one = self.table(STEPS, 1);
            self.all.push(format!(
                "step{at} AS ({SET_STEPS} FROM {one}{same} WHERE job_step.job_id = t.job AND job_step.key = t.key)"
            ));
        }
        if events > 0 {
            let rows = self.table(EVENTS, events);
            self.all.push(format!("log AS ({LOG} FROM {rows}{same})"));
        }
    }
}

/// Of what a text is made: how many rows of each there are, and how the rest of it goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Of {
    /// Under the context's lock. Jobs, steps, the log, contexts, and whose secrets go.
    Locked { rows: [usize; 5], new_round: bool },
    /// Jobs, steps and the log.
    IfUnchanged { rows: [usize; 3], takes_places: bool },
}

/// Each text is made once, and kept for good, as statements are.
fn text(of: Of) -> &'static str {
    static TEXTS: Mutex<BTreeMap<Of, &'static str>> = Mutex::new(BTreeMap::new());
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    texts.entry(of).or_insert_with(|| {
        let text = match of {
            Of::Locked { rows, new_round } => locked(rows, new_round),
            Of::IfUnchanged { rows, takes_places } => if_unchanged(rows, takes_places),
        };
        text.leak()
    })
}

/// A whole turn under the lock of its context.
pub(crate) fn write(batches: [&Batch; 5], new_round: bool) -> &'static str {
    text(Of::Locked { rows: batches.map(Batch::len), new_round })
}

/// A whole turn without a lock taken first, and only if everything in [`Unchanged`], the last parameters, still is so.
pub(crate) fn write_if_unchanged(rows: [usize; 3], takes_places: bool) -> &'static str {
    text(Of::IfUnchanged { rows, takes_places })
}

fn locked([heads, steps, events, contexts, wiped]: [usize; 5], new_round: bool) -> String {
    let mut parts = Parts { all: Vec::new(), next: 1 };
    parts.changes([heads, steps, events], "");
    for at in 0..contexts {
        let one = parts.table(CONTEXTS, 1);
        let text = format!("context{at} AS ({SET_CONTEXTS} FROM {one} WHERE context.customer_id = t.id)");
        parts.all.push(text);
    }
    for at in 0..wiped {
        let one = parts.table(WIPED, 1);
        parts.all.push(format!("wiped{at} AS (DELETE FROM secret USING {one} WHERE secret.job_id = t.job)"));
    }
    if new_round {
        parts.all.push("round AS (UPDATE counter SET value = value + 1 WHERE name = 'places')".to_owned());
    }
    format!("WITH {} SELECT 1 AS one", parts.all.join(", "))
}

fn if_unchanged(rows: [usize; 3], takes_places: bool) -> String {
    let mut parts = Parts { all: Vec::new(), next: 1 };
    parts.changes(rows, ", same");
    let one = parts.table(CONTEXTS, 1);
    let next = parts.next;
    let is_same = format!("context.customer_id = t.id AND context.version = ${next}");
    let mut first = Vec::new();
    let same = if takes_places {
        // Its context before the places, as everybody; and nobody is waited for who has that, as he may wait for these.
        first.push(format!(
            "mine AS (SELECT t.id FROM context, {one} WHERE {is_same} FOR UPDATE OF context SKIP LOCKED)"
        ));
        first.push(format!(
            "places AS (UPDATE counter SET value = value + 1 FROM mine
                        WHERE counter.name = 'places' AND counter.value = ${} RETURNING mine.id)",
            next + 1
        ));
        format!("{SET_CONTEXTS} FROM {one}, places WHERE context.customer_id = t.id AND places.id = t.id")
    } else {
        format!("{SET_CONTEXTS} FROM {one} WHERE {is_same}")
    };
    first.push(format!("same AS ({same} RETURNING context.customer_id)"));
    parts.all.splice(0..0, first);
    format!("WITH {} SELECT customer_id FROM same", parts.all.join(", "))
}
