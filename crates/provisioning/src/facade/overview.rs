//! Everything at a glance, for staff: what needs a hand, what waits, what is left, and who is at work.

use domain::{kind::Kind, state::JobState};
use store::{
    Notices, Result,
    day::{Day, OldestWait},
    system::{PlatformAnswer, WorkerRow},
};

use super::{EdgePool, Facade, Viewer};

/// Days that are shown.
const DAYS: i64 = 14;
/// A process that has not said for so long that it is there is not there, ms.
const SILENT_MS: i64 = 20_000;

#[derive(Clone, Debug)]
pub struct Overview {
    /// Jobs by state; of those that succeeded, today's.
    pub counts: Vec<(JobState, i64)>,
    pub slow: usize,
    pub oldest: Option<OldestWait>,
    pub oldest_parked: Option<OldestWait>,
    pub pool: EdgePool,
    /// Things that are otherwise than they should be.
    pub drift: usize,
    pub platform: Option<PlatformAnswer>,
    pub notices: Notices,
    pub workers: Vec<WorkerRow>,
    /// The last is today.
    pub days: Vec<Day>,
    /// How long an order usually takes, ms.
    pub usual: Option<i64>,
    pub now: i64,
}

impl Overview {
    pub fn count(&self, state: JobState) -> i64 {
        self.counts.iter().find(|(s, _)| *s == state).map_or(0, |(_, n)| *n)
    }

    /// Processes that run jobs and have said so lately.
    pub fn at_work(&self) -> usize {
        self.workers.iter().filter(|w| is_there(w, self.now)).count()
    }
}

/// Whether a process has said lately that it is there.
pub fn is_there(worker: &WorkerRow, now: i64) -> bool {
    now - worker.seen < SILENT_MS
}

impl Facade {
    /// `today` is when the reader's day began, ms.
    pub async fn overview(&self, viewer: &Viewer, today: i64) -> Result<Option<Overview>> {
        let (Some(counts), Some(slow)) =
            (self.staff_job_counts(viewer, today).await?, self.slow_jobs(viewer).await?)
        else {
            return Ok(None);
        };
        let Some(pool) = self.staff_edges(viewer).await? else { return Ok(None) };
        Ok(Some(Overview {
            counts,
            slow: slow.len(),
            oldest: self.store.oldest_wait(false).await?,
            oldest_parked: self.store.oldest_wait(true).await?,
            pool,
            drift: self.store.drift(None).await?.len(),
            platform: self.store.platform_answer().await?,
            notices: self.store.notices().await?,
            workers: self.store.workers().await?,
            days: self.store.days(today, DAYS).await?,
            usual: self.usual().await?.median(Kind::Activate),
            now: self.now_ms(),
        }))
    }
}
