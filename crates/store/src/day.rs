//! The day at a glance: what was ordered and what has ended, by the day, and who waits longest.

use domain::JobId;

use crate::{db::Store, error::Result, row::Columns};

/// A day's servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Day {
    /// When it began, ms.
    pub at: i64,
    pub ordered: i64,
    pub ended: i64,
}

/// The job that has waited longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OldestWait {
    pub job: JobId,
    pub number: i64,
    pub since: i64,
}

impl Store {
    /// Servers that were ordered and that have ended on each of so many days, the last of which began at `today`. A day is as
    /// long as another.
    pub async fn days(&self, today: i64, count: i64) -> Result<Vec<Day>> {
        const DAY: i64 = 86_400_000;
        let first = today - (count - 1) * DAY;
        let mut days: Vec<Day> = (0..count).map(|n| Day { at: first + n * DAY, ..Day::default() }).collect();
        let rows = sqlx::query(
            "SELECT 1 AS what, (created_at - $1) / 86400000 AS day, COUNT(*) AS n FROM server
             WHERE created_at >= $1 AND created_at < $2 GROUP BY 2
             UNION ALL
             SELECT 2, (terminated_at - $1) / 86400000, COUNT(*) FROM server
             WHERE terminated_at IS NOT NULL AND terminated_at >= $1 AND terminated_at < $2 GROUP BY 2",
        )
        .bind(first)
        .bind(today + DAY)
        .fetch_all(&self.pool)
        .await?;
        for row in &rows {
            let at = usize::try_from(row.int("day")?).ok();
            let Some(day) = at.and_then(|n| days.get_mut(n)) else { continue };
            match row.int("what")? {
                1 => day.ordered = row.int("n")?,
                _ => day.ended = row.int("n")?,
            }
        }
        Ok(days)
    }

    /// Which of the jobs that nobody has begun was accepted first. `parked` are those that wait for an edge.
    pub async fn oldest_wait(&self, parked: bool) -> Result<Option<OldestWait>> {
        let sql = if parked {
            "SELECT id, number, parked_at AS since FROM job WHERE state = 'parked' ORDER BY parked_at, number LIMIT 1"
        } else {
            "SELECT id, number, created_at AS since FROM job WHERE finished_at IS NULL AND state = 'queued'
             ORDER BY created_at, number LIMIT 1"
        };
        let row = sqlx::query(sql).fetch_optional(&self.pool).await?;
        row.map(|r| Ok(OldestWait { job: r.id("id")?, number: r.int("number")?, since: r.int("since")? }))
            .transpose()
    }
}
