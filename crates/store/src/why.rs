//! Why an unfinished job is not running, in one call: what the synchronizer says of its customer's jobs, and what this
//! database says of maintenance and places.

use std::collections::BTreeMap;

use domain::{CustomerId, JobId, state::JobState};
use synchronizer::{Around, Entry, Reason, explain, reason};
use uuid::Uuid;

use crate::{
    admission,
    db::{Conn, Store},
    error::Result,
    row::Columns,
};

/// A pause that workers keep: nothing is taken up while it lasts. What is under way goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maintenance {
    /// When it is expected to be over, ms; it lasts until somebody ends it all the same.
    pub until: Option<i64>,
}

/// Places that are left.
#[derive(Debug)]
pub(crate) struct Places {
    all: i64,
    each: BTreeMap<String, i64>,
}

impl Places {
    /// How many jobs of this provider may still start.
    pub(crate) fn of(&self, provider: &str) -> usize {
        let each = self.each.get(provider).copied().unwrap_or(i64::MAX);
        usize::try_from(self.all.min(each)).unwrap_or(0)
    }

    pub(crate) fn take(&mut self, provider: &str, n: usize) {
        self.all -= n as i64;
        if let Some(each) = self.each.get_mut(provider) {
            *each -= n as i64;
        }
    }

    pub(crate) fn give_back(&mut self, provider: &str) {
        self.all += 1;
        if let Some(each) = self.each.get_mut(provider) {
            *each += 1;
        }
    }
}

impl Store {
    /// Why each unfinished job of a customer is, or is not, running.
    pub async fn reasons(&self, customer: CustomerId, now: i64) -> Result<Vec<(JobId, Reason)>> {
        let mut conn = self.pool.acquire().await?;
        let jobs = admission::standing(self, &mut conn, &[customer]).await?;
        let maintenance = self.maintenance_in(&mut conn).await?.is_some();
        let places = self.places(&mut conn).await?;
        let entries: Vec<Entry> = jobs.iter().map(|s| s.entry).collect();
        Ok(jobs
            .iter()
            .filter_map(|job| {
                let explained = explain(self.matrix, &entries, job.entry.key)?;
                let around = Around {
                    now,
                    retry_at: job.next_attempt_at.filter(|_| job.state == Some(JobState::RetryWait)),
                    maintenance,
                    full: places.of(&job.provider) == 0,
                };
                Some((JobId(Uuid::from_u128(job.entry.key)), reason(explained, &around)))
            })
            .collect())
    }

    /// Begins a maintenance, or changes when it is expected to be over.
    pub async fn maintenance_begin(&self, maintenance: Maintenance) -> Result<()> {
        let until = maintenance.until.map_or(String::new(), |at| at.to_string());
        sqlx::query(
            "INSERT INTO setting (name, value) VALUES ('maintenance', $1)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(until)
        .execute(&self.pool)
        .await?;
        self.tell_all();
        Ok(())
    }

    /// Ends it: workers look for what has become due meanwhile.
    pub async fn maintenance_end(&self) -> Result<()> {
        sqlx::query("DELETE FROM setting WHERE name = 'maintenance'").execute(&self.pool).await?;
        self.tell_all();
        Ok(())
    }

    pub async fn maintenance(&self) -> Result<Option<Maintenance>> {
        self.maintenance_in(&mut *self.pool.acquire().await?).await
    }

    pub(crate) async fn maintenance_in(&self, conn: &mut Conn) -> Result<Option<Maintenance>> {
        let row = sqlx::query("SELECT value FROM setting WHERE name = 'maintenance'");
        let row = row.fetch_optional(conn).await?;
        row.map(|r| Ok(Maintenance { until: r.text("value")?.parse().ok() })).transpose()
    }

    /// How many more jobs may be under way, on all nodes together, as things stand.
    pub(crate) async fn places(&self, conn: &mut Conn) -> Result<Places> {
        let rows = sqlx::query(
            "SELECT provider, COUNT(*) AS n FROM job WHERE state IN ('running', 'rolling_back') GROUP BY provider",
        )
        .fetch_all(conn)
        .await?;
        let mut places = Places { all: self.caps.all, each: self.caps.each.clone() };
        for row in &rows {
            places.take(&row.text("provider")?, usize::try_from(row.int("n")?).unwrap_or(0));
        }
        Ok(places)
    }
}
