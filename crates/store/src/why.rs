//! Why an unfinished job is not running, in one call: what the synchronizer says of its customer's jobs, and what this
//! database says of maintenance and places.

use std::collections::{BTreeMap, BTreeSet};

use domain::{CustomerId, JobId, state::JobState};
use synchronizer::{Around, Entry, Reason, explain, reason};
use uuid::Uuid;

use crate::{
    admission, audit,
    db::{Conn, Store},
    dialect::list,
    error::Result,
    interventions::Intervention,
    row::Columns,
};

/// The jobs that are let through, out of their setting. What cannot be read lets nothing through.
pub(crate) fn read_through(text: Option<&str>) -> BTreeSet<JobId> {
    let ids: Vec<String> = text.and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default();
    ids.iter().filter_map(|id| id.parse().ok()).collect()
}

/// A pause that workers keep: nothing is taken up while it lasts. What is under way goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maintenance {
    /// When it is expected to be over, ms; it lasts until somebody ends it all the same.
    pub until: Option<i64>,
}

/// Places that are left.
#[derive(Debug)]
pub(crate) struct Places {
    pub(crate) all: i64,
    pub(crate) each: BTreeMap<String, i64>,
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
        self.tell_staff();
        Ok(())
    }

    /// Lets a job run in spite of the maintenance. Returns whether there is one, and it was not let through before.
    pub async fn maintenance_let(&self, job: JobId, how: Intervention<'_>) -> Result<bool> {
        let mut tx = self.write().await?;
        // Held, so that of two who let something through neither undoes the other.
        let held = "UPDATE setting SET value = value WHERE name = 'maintenance'";
        let lasts = sqlx::query(held).execute(&mut *tx).await?.rows_affected() > 0;
        let row = sqlx::query("SELECT value FROM setting WHERE name = 'maintenance_through'");
        let row = row.fetch_optional(&mut *tx).await?;
        let text = row.map(|r| r.text("value")).transpose()?;
        let mut through = read_through(text.as_deref());
        if !lasts || !through.insert(job) {
            self.give_up(tx).await?;
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO setting (name, value) VALUES ('maintenance_through', $1)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(list(&through))
        .execute(&mut *tx)
        .await?;
        audit::record_job(&mut tx, how.by, "job_bypass", job, how.why, how.now).await?;
        tx.commit().await?;
        self.tell_all();
        self.tell_staff();
        Ok(true)
    }

    /// Whether a maintenance lasts, and which jobs run in spite of it.
    pub async fn maintenance_through(&self) -> Result<Option<BTreeSet<JobId>>> {
        if self.maintenance().await?.is_none() {
            return Ok(None);
        }
        Ok(Some(read_through(self.setting("maintenance_through").await?.as_deref())))
    }

    /// Ends it: workers look for what has become due meanwhile.
    pub async fn maintenance_end(&self) -> Result<()> {
        sqlx::query("DELETE FROM setting WHERE name IN ('maintenance', 'maintenance_through')")
            .execute(&self.pool)
            .await?;
        self.tell_all();
        self.tell_staff();
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

    /// None but those that are given back.
    pub(crate) fn no_places(&self) -> Places {
        Places { all: 0, each: self.caps.each.keys().map(|provider| (provider.clone(), 0)).collect() }
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
