//! The quiet case of a claim, which is the usual one where somebody has just ordered something and waits: one customer has
//! something to start. PostgreSQL is asked twice then instead of seven times. First everything that the choice needs is read, as it
//! stands, without a lock; then all of the turn is written in one statement, if the customer's version and the round of places
//! are still those that were read. Where anything is otherwise, [`crate::claims`] does it the long way.

use std::sync::atomic::Ordering;

use jobs::{Turn, Turned};
use serde::Deserialize;
use sqlx::any::AnyRow;

use crate::{
    book::{Book, Context},
    claims::{Chosen, choose, take_all},
    db::Store,
    error::{Error, Result},
    head::{head, head_columns, keys_postgres},
    row::Columns,
    row_by_row::Unchanged,
    why::Places,
};

/// Whoever has more unfinished jobs than this is looked at under his lock, from memory.
const JOBS_MAX: usize = 32;

/// What a claim has to know of everything else; of the customers who have something to start the first two; and the first
/// [`JOBS_MAX`] jobs of each and one more.
const LOOK: &str = concat!(
    "SELECT around.*, ready.*, one.* FROM
        (SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS now,
             (SELECT value FROM setting WHERE name = 'maintenance') AS maintenance,
             (SELECT value FROM counter WHERE name = 'places') AS round,
             (SELECT CAST(COALESCE(jsonb_agg(taken), '[]') AS TEXT) FROM
                 (SELECT provider, COUNT(*) AS n FROM job WHERE state IN ('running', 'rolling_back')
                  GROUP BY provider) AS taken) AS taken) AS around
     CROSS JOIN LATERAL
        (SELECT customer_id, version, running, ready_at FROM context WHERE ready_at IS NOT NULL
         ORDER BY running, ready_at LIMIT 2) AS ready
     CROSS JOIN LATERAL (",
    head_columns!(keys_postgres!()),
    " FROM job WHERE job.finished_at IS NULL AND job.context_id = ready.customer_id LIMIT 33) AS one"
);

#[derive(Deserialize)]
struct Taken {
    provider: String,
    n: usize,
}

impl Store {
    /// `None` leaves the turn to the long way; nothing has been done then.
    pub(crate) async fn claim_at_once(&self, turn: &Turn) -> Result<Option<Turned>> {
        let only_looks =
            turn.look && turn.want > 0 && !turn.due && turn.writes.is_empty() && turn.open.is_empty();
        if self.is_embedded() || !only_looks || !self.quiet.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let rows = sqlx::query(LOOK).fetch_all(&self.pool).await?;
        let Some(first) = rows.first() else { return Ok(Some(Turned::default())) };
        let turned = self.claim_of_one(turn, first, &rows).await?;
        if turned.is_none() {
            self.quiet.store(false, Ordering::Relaxed);
        }
        Ok(turned)
    }

    async fn claim_of_one(&self, turn: &Turn, first: &AnyRow, rows: &[AnyRow]) -> Result<Option<Turned>> {
        let customer = first.id("customer_id")?;
        let heads: Result<Vec<_>> = rows.iter().map(head).collect();
        // What cannot be read here the long way knows how to leave alone.
        let Ok(heads) = heads else { return Ok(None) };
        if heads.len() > JOBS_MAX
            || heads.iter().any(|h| h.customer != customer)
            || first.text_opt("maintenance")?.is_some()
        {
            return Ok(None);
        }
        let now = if self.own_clock { turn.now } else { first.int("now")? };
        let mut places = Places { all: self.caps.all, each: self.caps.each.clone() };
        let taken: Vec<Taken> = serde_json::from_str(&first.text("taken")?)
            .map_err(|e| Error::Corrupt(format!("places that are taken: {e}")))?;
        taken.iter().for_each(|of| places.take(&of.provider, of.n));
        let version = first.int("version")?;
        let (running, ready_at) = (first.int("running")?, first.int_opt("ready_at")?);
        let mut book = Book::default();
        book.contexts.insert(customer, Context { version, running, ready_at, dirty: false });
        book.known.entry(customer).or_default().heads = heads.into_iter().map(|h| (h.id, h)).collect();
        let standing = [(customer, book.standing(self, customer))].into();
        let chosen = choose(self, &book, turn, &standing, &mut places, now);
        let begun_before = |unit: &Chosen| {
            unit.jobs.iter().any(|job| book.head(customer, *job).is_none_or(|h| h.fresh.is_none()))
        };
        if chosen.is_empty() || chosen.iter().any(begun_before) {
            return Ok(None);
        }
        let mut turned = Turned::default();
        let after = take_all(&mut book, chosen, Default::default(), turn, now, &mut turned);
        self.mark(&mut book, &[customer].into(), turn.now);
        let round = first.int("round")?;
        let unchanged = Unchanged { version, round: Some(round) };
        if !after.is_empty() || !book.is_little() || !book.write_if_unchanged(self, unchanged).await? {
            return Ok(None);
        }
        turned.more = book.contexts.values().any(|c| c.ready_at.is_some());
        book.remember(self);
        self.tell(&[customer], turned.more);
        Ok(Some(turned))
    }
}
