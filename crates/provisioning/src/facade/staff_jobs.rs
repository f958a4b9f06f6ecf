//! The staff's list of jobs: what is asked for, what there is besides, what of it is slow; and many run again at once, which
//! touches nothing that was not looked at before.

use std::sync::Arc;

use domain::{
    JobId,
    field::FieldError,
    job_action::JobAction,
    job_query::JobQuery,
    permission::Denial,
    slow::{Pace, Slow, slow},
    state::{JobState, StepState},
};
use store::{
    Result,
    durations::Durations,
    interventions::Intervention,
    job_search::{JobSearch, Next, Source},
    jobs::{Job, JobRow},
};

use super::{Facade, JobChoices, Viewer, lately::Lately, staff::reason};

/// Jobs that are run again at once.
const BULK: i64 = 100;
/// New ones are counted up to this.
pub const NEWER: i64 = 99;

#[derive(Clone, Debug, Default)]
pub struct StaffJobs {
    /// What was understood, with whoever `me` is.
    pub query: JobQuery,
    /// What was not, as it was written.
    pub unknown: Vec<String>,
    pub rows: Arc<[JobRow]>,
    /// Which of them are slow.
    pub slow: Vec<(JobId, Slow)>,
    pub next: Next,
}

/// What a list shows, as it is now, whether or not it would still be found.
#[derive(Clone, Debug, Default)]
pub struct JobsShown {
    pub rows: Arc<[JobRow]>,
    pub slow: Vec<(JobId, Slow)>,
    /// How many there are that are newer.
    pub newer: i64,
}

/// One of many that are to be run again.
#[derive(Clone, Debug)]
pub struct BulkRow {
    pub row: JobRow,
    pub choices: JobChoices,
    /// Changes whenever it is tried: what was looked at is told from what it is now.
    pub mark: i64,
}

impl BulkRow {
    fn new(viewer: &Viewer, row: JobRow, facts: store::job_facts::JobFacts) -> Self {
        let choices = JobChoices::of(viewer, &row.job, facts, None);
        let mark = row.job.steps.iter().map(|s| s.attempt).sum();
        Self { row, choices, mark }
    }

    pub fn verdict(&self) -> std::result::Result<(), Denial> {
        self.choices.can(JobAction::Rerun)
    }
}

/// What became of many that were run again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bulk {
    pub again: usize,
    /// Not any more what was looked at.
    pub changed: usize,
    pub errors: Vec<FieldError>,
}

/// A page of jobs, by what was asked and how many of them.
type Found = Lately<(JobSearch, i64), (Arc<[JobRow]>, Next)>;

/// What everybody who lists jobs sees alike.
#[derive(Default)]
pub(super) struct Glance {
    /// The list that was asked for last: most look at the same.
    list: Found,
    /// The rows that are on pages already.
    shown: Found,
    /// By when the day began.
    counts: Lately<i64, Vec<(JobState, i64)>>,
    /// By the second.
    slow: Lately<i64, Vec<(JobId, Slow)>>,
}

impl Facade {
    /// A page of all jobs, newest first. `None` for whoever is no staff.
    pub async fn staff_jobs(
        &self,
        viewer: &Viewer,
        text: &str,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Option<StaffJobs>> {
        if !viewer.role().is_staff() {
            return Ok(None);
        }
        let asked = JobQuery::read(text);
        let mut list = StaffJobs { query: asked.query, unknown: asked.unknown, ..StaffJobs::default() };
        let usual = self.usual().await?;
        let search = JobSearch { before, ..self.search(viewer, &mut list, &usual).await? };
        let (rows, next) = self.found(&self.glance.list, search, limit).await?;
        list.slow = self.slow_of(rows.iter().map(|r| &r.job), &usual);
        Ok(Some(StaffJobs { rows, next, ..list }))
    }

    /// The jobs of these numbers, and how many there are above the first that are asked for.
    pub async fn staff_jobs_shown(
        &self,
        viewer: &Viewer,
        text: &str,
        numbers: &[i64],
        above: Option<i64>,
    ) -> Result<Option<JobsShown>> {
        if !viewer.role().is_staff() {
            return Ok(None);
        }
        let usual = self.usual().await?;
        let search = JobSearch { source: Source::Numbers(numbers.to_vec()), ..JobSearch::default() };
        let (rows, _) = self.found(&self.glance.shown, search, numbers.len() as i64).await?;
        let slow = self.slow_of(rows.iter().map(|r| &r.job), &usual);
        let newer = match above {
            Some(_) => {
                let mut list = StaffJobs { query: JobQuery::read(text).query, ..StaffJobs::default() };
                let search = JobSearch { after: above, ..self.search(viewer, &mut list, &usual).await? };
                self.store.jobs_found(&search, NEWER).await?.rows.len() as i64
            }
            None => 0,
        };
        Ok(Some(JobsShown { rows, slow, newer }))
    }

    async fn found(&self, lately: &Found, search: JobSearch, limit: i64) -> Result<(Arc<[JobRow]>, Next)> {
        let asked = (search.clone(), limit);
        let look = async {
            let found = self.store.jobs_found(&search, limit).await?;
            Ok((found.rows.into(), found.next))
        };
        lately.of(asked, &self.store, look).await
    }

    /// How many there are in each state, up to a point; of those that succeeded, the ones since a moment.
    pub async fn staff_job_counts(
        &self,
        viewer: &Viewer,
        since: i64,
    ) -> Result<Option<Vec<(JobState, i64)>>> {
        if !viewer.role().is_staff() {
            return Ok(None);
        }
        let counts = self.glance.counts.of(since, &self.store, self.store.jobs_counted(since)).await?;
        Ok(Some(counts))
    }

    /// The jobs under way that are slow.
    pub async fn slow_jobs(&self, viewer: &Viewer) -> Result<Option<Vec<(JobId, Slow)>>> {
        if !viewer.role().is_staff() {
            return Ok(None);
        }
        let usual = self.usual().await?;
        self.slow_now(&usual).await.map(Some)
    }

    async fn slow_now(&self, usual: &Durations) -> Result<Vec<(JobId, Slow)>> {
        let slow = async { Ok(self.slow_of(self.store.jobs_under_way().await?.iter(), usual)) };
        self.glance.slow.of(self.now_ms() / 1000, &self.store, slow).await
    }

    fn slow_of<'j>(&self, jobs: impl Iterator<Item = &'j Job>, usual: &Durations) -> Vec<(JobId, Slow)> {
        let now = self.now_ms();
        jobs.filter_map(|job| Some((job.id, pace(job, usual, now)?))).collect()
    }

    /// Where the database begins to look, and what it judges. Words that nobody answers to are handed back.
    async fn search(&self, viewer: &Viewer, list: &mut StaffJobs, usual: &Durations) -> Result<JobSearch> {
        let query = &mut list.query;
        if query.assigned.as_deref() == Some("me") {
            query.assigned = Some(viewer.account.email.clone());
        }
        let assignee = match &query.assigned {
            Some(email) => match self.store.account_by_email(email).await? {
                Some((account, _)) => Some(account.id),
                None => {
                    list.unknown.push(format!("assigned:{email}"));
                    query.assigned = None;
                    None
                }
            },
            None => None,
        };
        // An e-mail, or a part that one customer alone has, is that customer.
        let customer = match &query.customer {
            Some(part) => self.store.customer_like(part).await?,
            None => None,
        };
        let source = if let Some(number) = query.number {
            Source::Numbers(vec![number])
        } else if query.slow {
            Source::Among(self.slow_now(usual).await?.into_iter().map(|(id, _)| id).collect())
        } else if let Some(assignee) = assignee {
            Source::Assignee(assignee)
        } else if let Some(customer) = customer {
            Source::Customer(customer)
        } else {
            query.state.map_or(Source::All, Source::State)
        };
        Ok(JobSearch {
            customer: query.customer.clone().filter(|_| !matches!(source, Source::Customer(_))),
            assignee: assignee.filter(|_| !matches!(source, Source::Assignee(_))),
            source,
            state: query.state,
            kind: query.kind,
            server: query.server.clone(),
            error: query.error.clone(),
            step: query.step.clone(),
            since: query.since.map(|span| self.now_ms() - span.ms()),
            before: None,
            after: None,
        })
    }

    /// What running again everything that is asked for would mean, for the first hundred; and whether there are more.
    pub async fn bulk_preview(&self, viewer: &Viewer, text: &str) -> Result<Option<(Vec<BulkRow>, bool)>> {
        let Some(list) = self.staff_jobs(viewer, text, None, BULK).await? else { return Ok(None) };
        let more = list.next != Next::Nothing;
        Ok(Some((self.bulk_rows(viewer, &list.rows).await?, more)))
    }

    async fn bulk_rows(&self, viewer: &Viewer, rows: &[JobRow]) -> Result<Vec<BulkRow>> {
        let ids: Vec<JobId> = rows.iter().map(|r| r.job.id).collect();
        let facts = self.store.jobs_facts(&ids).await?;
        let of = |id| facts.iter().find(|(job, _)| *job == id).map(|(_, f)| *f).unwrap_or_default();
        Ok(rows.iter().map(|row| BulkRow::new(viewer, row.clone(), of(row.job.id))).collect())
    }

    /// Runs again what was looked at: each with the mark that it had then. `None` for whoever is no staff.
    pub async fn bulk_rerun(
        &self,
        viewer: &Viewer,
        seen: &[(JobId, i64)],
        why: &str,
    ) -> Result<Option<Bulk>> {
        if !viewer.role().is_staff() {
            return Ok(None);
        }
        let why = match reason(why) {
            Ok(why) => why,
            Err(errors) => return Ok(Some(Bulk { errors, ..Bulk::default() })),
        };
        let ids = seen.iter().take(BULK as usize).map(|(id, _)| *id).collect();
        let search = JobSearch { source: Source::Among(ids), ..JobSearch::default() };
        let rows = self.store.jobs_found(&search, BULK).await?.rows;
        let rows = self.bulk_rows(viewer, &rows).await?;
        let mut bulk = Bulk { changed: seen.len() - rows.len(), ..Bulk::default() };
        let how = Intervention { by: viewer.account.id, why: &why, now: self.now_ms() };
        // Each is a decision of its own about its own customer's queue: one transaction for each.
        for row in rows {
            let id = row.row.job.id;
            let same = seen.contains(&(id, row.mark)) && row.verdict().is_ok();
            if same && self.store.job_rerun(id, how).await? {
                bulk.again += 1;
            } else {
                bulk.changed += 1;
            }
        }
        Ok(Some(bulk))
    }
}

/// The gravest of what its steps are: several may be under way at once.
fn pace(job: &Job, usual: &Durations, now: i64) -> Option<Slow> {
    let between = Pace {
        state: job.state,
        claim_over_ms: job.claim_expires_at.map(|until| now - until),
        tries: 0,
        at_step_ms: None,
        usual_ms: None,
    };
    let open = job.steps.iter().filter(|s| matches!(s.state, StepState::Running | StepState::RetryWait));
    let steps = open.map(|s| Pace {
        tries: s.attempt,
        at_step_ms: s.started_at.filter(|_| s.state == StepState::Running).map(|at| now - at),
        usual_ms: usual.slow_step(job.kind, &s.key),
        ..between
    });
    steps.chain([between]).filter_map(slow).min()
}
