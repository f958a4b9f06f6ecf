//! The staff's list of jobs: whatever narrows it, a page costs about the same, however many jobs there are.
//!
//! A page is read from one *source*, which an index walks from the newest job to the oldest. What no index knows is judged
//! row by row, over a window of the source: a [`NEAR`] one first, then, where that does not fill the page, over [`WINDOW`]
//! rows at most. Where that does not either, the page says how far it has looked, and the next one goes on from there.

use domain::{
    AccountId, CustomerId, JobId,
    kind::Kind,
    state::{JobState, StepState},
};

use crate::{
    db::Store,
    dialect::Sql,
    error::{Error, Result},
    jobs::{Job, JobRow, JobStep, job},
    row::{Columns, JsonRow},
};

/// So many jobs of a source are judged first: most pages are full by then.
const NEAR: i64 = 500;
/// So many are judged for one page at most.
const WINDOW: i64 = 10_000;
/// More than this are not counted: each is looked up.
pub const COUNTED: i64 = 1_000;
/// Jobs under way that are looked at together: more than run at once.
const UNDER_WAY_MOST: i64 = 500;

/// What a page is read from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Source {
    #[default]
    All,
    State(JobState),
    /// Somebody works on it, or comes back to it.
    UnderWay,
    Customer(CustomerId),
    Assignee(AccountId),
    Numbers(Vec<i64>),
    Among(Vec<JobId>),
}

/// Which jobs the staff's list shows. Texts are parts, in small letters; SQLite knows those of the Latin alphabet only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobSearch {
    pub source: Source,
    /// Of a source that is not a state itself.
    pub state: Option<JobState>,
    pub kind: Option<Kind>,
    /// Part of the customer's e-mail or name.
    pub customer: Option<String>,
    pub server: Option<String>,
    /// Part of its cause or of the detail of that.
    pub error: Option<String>,
    /// The step that it is at.
    pub step: Option<String>,
    /// Accepted at this moment or later.
    pub since: Option<i64>,
    pub assignee: Option<AccountId>,
    /// Only jobs with a smaller number: the key of the next page.
    pub before: Option<i64>,
    /// Only jobs with a larger number.
    pub after: Option<i64>,
}

/// A page of jobs, newest first.
#[derive(Clone, Debug, Default)]
pub struct JobsFound {
    pub rows: Vec<JobRow>,
    pub next: Next,
}

/// What there is besides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Next {
    #[default]
    Nothing,
    /// More that match, below this number.
    Page(i64),
    /// Below this number nothing has been looked at.
    Unseen(i64),
}

impl JobSearch {
    /// The state that rows are judged by: none where the source is that state already.
    fn judged_state(&self) -> Option<JobState> {
        match self.source {
            Source::State(JobState::Succeeded) => Some(JobState::Succeeded),
            Source::State(_) => None,
            _ => self.state,
        }
    }

    /// Something is asked that the source does not answer by itself.
    fn judges(&self) -> bool {
        let texts = [&self.customer, &self.server, &self.error, &self.step];
        self.judged_state().is_some()
            || self.kind.is_some()
            || self.since.is_some()
            || self.assignee.is_some()
            || texts.iter().any(|t| t.is_some())
    }
}

/// `seen`: the rows of a source, bound to `$4`, that are judged.
///
/// A planner that does not know the bounds takes them for narrow, or walks the numbers for their order. Where a source is small
/// by itself, it is kept from that.
macro_rules! seen {
    (few $source:literal) => {
        seen!($source, "job.number + 0 < $1 AND job.number + 0 > $2", "job.number + 0")
    };
    (many $source:literal) => {
        seen!($source, "job.number < $1 AND job.number > $2", "job.number")
    };
    ($source:literal, $bounds:literal, $order:literal) => {
        concat!(
            "WITH seen AS MATERIALIZED (SELECT job.id, job.number, job.kind, job.state, job.context_id, job.server_id, job.created_at, ",
            "job.cause, job.detail, job.assignee_id FROM job WHERE ",
            $source,
            " AND ",
            $bounds,
            " ORDER BY ",
            $order,
            " DESC LIMIT $3)"
        )
    };
}

/// One statement: `seen`, those of it that are asked for, how far has been looked, and each that is found as one JSON text.
macro_rules! page {
    (sqlite $size:ident $source:literal) => {
        page!(
            $size $source,
            "INSTR",
            "json_object",
            "(SELECT group_concat(told, ',') FROM (SELECT key || ' ' || state || ' ' || attempt || ' ' || COALESCE(started_at, 0)
               AS told FROM job_step WHERE job_id = job.id ORDER BY ord))"
        )
    };
    (postgres $size:ident $source:literal) => {
        page!(
            $size $source,
            "STRPOS",
            "json_build_object",
            "(SELECT string_agg(key || ' ' || state || ' ' || attempt || ' ' || COALESCE(started_at, 0), ',' ORDER BY ord)
               FROM job_step WHERE job_id = job.id)"
        )
    };
    // The steps in one text: a row for each of them would be most of what a page reads.
    ($size:ident $source:literal, $position:literal, $object:literal, $told:literal) => {
        concat!(
            seen!($size $source),
            ", page AS (SELECT seen.id FROM seen WHERE ($5 = '' OR seen.state = $5) AND ($6 = '' OR seen.kind = $6) ",
            "AND ($7 = '' OR seen.context_id IN (SELECT id FROM account WHERE ", $position, "(LOWER(email), $7) > 0 OR ",
            $position, "(LOWER(name), $7) > 0)) ",
            "AND ($8 = '' OR seen.server_id IN (SELECT id FROM server WHERE ", $position, "(LOWER(name), $8) > 0)) ",
            "AND ($9 = '' OR ", $position, "(LOWER(COALESCE(seen.cause, '') || ' ' || COALESCE(seen.detail, '')), $9) > 0) ",
            "AND ($10 = '' OR seen.state <> 'succeeded' AND EXISTS (SELECT 1 FROM job_step WHERE job_id = seen.id AND key = $10 ",
            "AND state IN ('running', 'retry_wait', 'failed'))) AND seen.created_at >= $11 AND ($12 = '' OR seen.assignee_id = $12) ",
            "ORDER BY seen.number DESC LIMIT $13), ",
            "extent AS (SELECT COUNT(*) AS n, MIN(number) AS oldest, MIN(created_at) AS earliest FROM seen) ",
            "SELECT extent.n, extent.oldest, extent.earliest, CASE WHEN page.id IS NOT NULL THEN CAST(", $object, "(",
            "'id', job.id, 'number', job.number, 'context_id', job.context_id, 'seq', job.seq, 'kind', job.kind, ",
            "'params', job.params, 'server_id', job.server_id, 'state', job.state, 'requested_by', job.requested_by, ",
            "'request_id', job.request_id, 'claim_owner', job.claim_owner, 'claim_expires_at', job.claim_expires_at, ",
            "'next_attempt_at', job.next_attempt_at, 'created_at', job.created_at, 'started_at', job.started_at, ",
            "'finished_at', job.finished_at, 'cause', job.cause, 'detail', job.detail, 'needs_job_id', job.needs_job_id, ",
            "'assignee_id', job.assignee_id, 'server_name', server.name, 'template_name', server.template_name, ",
            "'panel_name', server.panel_name, 'email', account.email, 'told', ", $told, ") AS TEXT) END AS found ",
            "FROM extent LEFT JOIN page ON 1 = 1 LEFT JOIN job ON job.id = page.id LEFT JOIN server ON server.id = job.server_id ",
            "LEFT JOIN account ON account.id = job.context_id ORDER BY job.number DESC"
        )
    };
}

/// The page of a source, and how far the source has been looked at: one row at least.
macro_rules! source {
    ($size:ident $source:literal) => {
        source!($size $source, $source)
    };
    ($size:ident $sqlite:literal, $postgres:literal) => {
        Sql { sqlite: page!(sqlite $size $sqlite), postgres: page!(postgres $size $postgres) }
    };
}

const ALL: Sql = source!(many "$4 = ''");
/// As the partial index says it, or SQLite would not use it.
const ASIDE: Sql = source!(
    many "job.state = $4 AND (job.state = 'failed' OR job.state = 'stuck' OR job.state = 'retry_wait' OR job.state = 'parked' \
     OR job.state = 'rolling_back' OR job.state = 'rolled_back' OR job.state = 'cancelled')"
);
const OPEN: Sql = source!(few "job.finished_at IS NULL AND job.state = $4");
/// Each state by the index that the workers have for it: those that only wait may be very many.
const UNDER_WAY: Sql = source!(
    few "job.id IN (SELECT id FROM job WHERE state IN ('running', 'rolling_back')
                    UNION ALL SELECT id FROM job WHERE state = 'retry_wait') AND $4 = ''"
);
const CUSTOMER: Sql = source!(many "job.context_id = $4");
const ASSIGNEE: Sql = source!(many "job.assignee_id = $4");
const NUMBERS: Sql = source!(
    few "job.number IN (SELECT value FROM json_each($4))",
    "job.number IN (SELECT CAST(jsonb_array_elements_text(CAST($4 AS jsonb)) AS BIGINT))"
);
const AMONG: Sql = source!(
    few "job.id IN (SELECT value FROM json_each($4))",
    "job.id IN (SELECT jsonb_array_elements_text(CAST($4 AS jsonb)))"
);

fn listed(values: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(values).map_err(|e| Error::Corrupt(e.to_string()))
}

impl Source {
    fn text(&self) -> Sql {
        match self {
            // Nearly all of them are such: the newest are among the newest of all.
            Self::All | Self::State(JobState::Succeeded) => ALL,
            Self::State(JobState::Queued | JobState::Running) => OPEN,
            Self::State(_) => ASIDE,
            Self::UnderWay => UNDER_WAY,
            Self::Customer(_) => CUSTOMER,
            Self::Assignee(_) => ASSIGNEE,
            Self::Numbers(_) => NUMBERS,
            Self::Among(_) => AMONG,
        }
    }

    /// What it is bound to.
    fn value(&self) -> Result<String> {
        Ok(match self {
            Self::All | Self::UnderWay | Self::State(JobState::Succeeded) => String::new(),
            Self::State(state) => state.to_string(),
            Self::Customer(id) => id.to_string(),
            Self::Assignee(id) => id.to_string(),
            Self::Numbers(numbers) => listed(numbers)?,
            Self::Among(ids) => listed(ids)?,
        })
    }
}

impl Store {
    /// A page of the jobs that are asked for. Of their steps the key, the state, the attempts and the beginning are told, no
    /// more.
    pub async fn jobs_found(&self, search: &JobSearch, limit: i64) -> Result<JobsFound> {
        if !search.judges() {
            let found = self.look(search, limit, limit + 1).await?;
            // It has ended where the window has.
            let next = if let Next::Unseen(_) = found.next { Next::Nothing } else { found.next };
            return Ok(JobsFound { next, ..found });
        }
        let near = self.look(search, limit, NEAR).await?;
        match near.next {
            Next::Unseen(_) => self.look(search, limit, WINDOW).await,
            _ => Ok(near),
        }
    }

    /// A page out of so many rows of its source.
    async fn look(&self, search: &JobSearch, limit: i64, window: i64) -> Result<JobsFound> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let rows = sqlx::query(search.source.text().of(self.is_embedded()))
            .bind(search.before.unwrap_or(i64::MAX))
            .bind(search.after.unwrap_or(i64::MIN))
            .bind(window)
            .bind(search.source.value()?)
            .bind(search.judged_state().map_or("", JobState::as_str))
            .bind(search.kind.map_or("", Kind::as_str))
            .bind(text(&search.customer))
            .bind(text(&search.server))
            .bind(text(&search.error))
            .bind(text(&search.step))
            .bind(search.since.unwrap_or(i64::MIN))
            .bind(search.assignee.map(|id| id.to_string()).unwrap_or_default())
            .bind(limit + 1)
            .fetch_all(&self.pool)
            .await?;
        let Some(extent) = rows.first() else { return Ok(JobsFound::default()) };
        let (seen, oldest) = (extent.int("n")?, extent.int_opt("oldest")?);
        let older =
            search.since.is_some_and(|since| extent.int_opt("earliest").is_ok_and(|e| e < Some(since)));
        let mut found = Vec::new();
        for row in &rows {
            if let Some(text) = row.text_opt("found")? {
                found.push(job_row(&JsonRow::read(&text)?)?);
            }
        }
        let mut next = match oldest {
            Some(oldest) if seen >= window && !older => Next::Unseen(oldest),
            _ => Next::Nothing,
        };
        if found.len() as i64 > limit {
            found.truncate(limit as usize);
            next = found.last().map_or(Next::Nothing, |last| Next::Page(last.job.number));
        }
        Ok(JobsFound { rows: found, next })
    }

    /// The jobs that somebody works on, or comes back to, newest first.
    pub async fn jobs_under_way(&self) -> Result<Vec<Job>> {
        let search = JobSearch { source: Source::UnderWay, ..JobSearch::default() };
        let found = self.jobs_found(&search, UNDER_WAY_MOST).await?;
        Ok(found.rows.into_iter().map(|row| row.job).collect())
    }

    /// How many jobs are in each state, up to [`COUNTED`] and one more; of those that succeeded, the ones since a moment.
    pub async fn jobs_counted(&self, since: i64) -> Result<Vec<(JobState, i64)>> {
        let rows = sqlx::query(COUNTS).bind(since).bind(COUNTED + 1).fetch_all(&self.pool).await?;
        rows.iter().map(|r| Ok((r.word("state")?, r.int("n")?))).collect()
    }

    /// The customer whose e-mail this is, or the only one who has it in the e-mail or the name; in small letters.
    pub async fn customer_like(&self, part: &str) -> Result<Option<CustomerId>> {
        let rows = sqlx::query(CUSTOMERS.of(self.is_embedded())).bind(part).fetch_all(&self.pool).await?;
        match rows.as_slice() {
            [first, rest @ ..] if rest.is_empty() || first.int("same")? == 1 => first.id("id").map(Some),
            _ => Ok(None),
        }
    }
}

macro_rules! customers {
    ($position:literal) => {
        concat!(
            "SELECT id, CASE WHEN LOWER(email) = $1 THEN 1 ELSE 0 END AS same FROM account WHERE role = 'customer' AND (",
            $position,
            "(LOWER(email), $1) > 0 OR ",
            $position,
            "(LOWER(name), $1) > 0) ORDER BY same DESC LIMIT 2"
        )
    };
}
const CUSTOMERS: Sql = Sql { sqlite: customers!("INSTR"), postgres: customers!("STRPOS") };

macro_rules! counts {
    ($($state:literal),+) => {
        concat!(
            "SELECT 'succeeded' AS state, COUNT(*) AS n FROM (SELECT 1 AS one FROM job WHERE state = 'succeeded'
               AND finished_at >= $1 LIMIT $2) AS few
             UNION ALL SELECT 'queued', COUNT(*) FROM (SELECT 1 AS one FROM job WHERE finished_at IS NULL AND state = 'queued'
               LIMIT $2) AS few
             UNION ALL SELECT 'running', COUNT(*) FROM (SELECT 1 AS one FROM job WHERE state IN ('running', 'rolling_back')
               AND state = 'running' LIMIT $2) AS few"
            $(, " UNION ALL SELECT '", $state, "', COUNT(*) FROM (SELECT 1 AS one FROM job WHERE state = '", $state, "' LIMIT $2) AS few")+
        )
    };
}
const COUNTS: &str =
    counts!("retry_wait", "parked", "failed", "stuck", "rolling_back", "rolled_back", "cancelled");

fn job_row(row: &JsonRow<'_>) -> Result<JobRow> {
    let told = row.text_opt("told")?.unwrap_or_default();
    let job = Job { steps: told.split(',').filter_map(step_told).collect(), ..job(row)? };
    Ok(JobRow { job, customer_email: row.text("email")? })
}

fn step_told(told: &str) -> Option<JobStep> {
    let mut words = told.split(' ');
    let key = words.next().filter(|k| !k.is_empty())?.to_owned();
    // From a newer program, or by somebody's hand: it is no state that goes on by itself.
    let state = words.next().and_then(|s| s.parse().ok()).unwrap_or(StepState::Failed);
    let attempt = words.next().and_then(|n| n.parse().ok()).unwrap_or_default();
    let started_at = words.next().and_then(|n| n.parse().ok()).filter(|at| *at > 0);
    Some(JobStep {
        key,
        state,
        attempt,
        started_at,
        finished_at: None,
        retry_at: None,
        provider_task: None,
        cause: None,
        detail: None,
        progress: None,
    })
}
