//! Taking up jobs: which, in whose turn, under which limit.
//!
//! A free place goes to the customer who has the fewest jobs under way, there to what has been due longest. So nobody's flood
//! keeps others out, and one customer has more than half of all places only while no other has anything to start. A claim
//! that its worker let run out has a place already.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use domain::{CustomerId, JobId, kind::Scope, state::JobState};
use jobs::{ClaimedJob, Fence, StepRecord, StepStatus, Turn, Turned};
use sqlx::any::AnyRow;
use synchronizer::{Entry, Phase, joiners, startable};

use crate::{
    admission::Standing,
    book::{Book, Head},
    db::{Conn, Store},
    dialect::{Sql, list, looked_up},
    error::{Error, Result},
    row::Columns,
    turn::{After, begun, change},
    why::Places,
};

/// Jobs that are claimed together.
struct Unit {
    /// What it is called: one that is joined keeps its name.
    id: Option<JobId>,
    jobs: Vec<JobId>,
    due_since: i64,
    needs_place: bool,
    /// The cloud that all of it works on.
    provider: String,
}

const READY: Sql = Sql {
    sqlite: "SELECT customer_id, version, running, ready_at FROM context WHERE ready_at IS NOT NULL
             ORDER BY running, ready_at LIMIT $1",
    postgres: "SELECT customer_id, version, running, ready_at FROM context WHERE ready_at IS NOT NULL
               ORDER BY running, ready_at LIMIT $1 FOR UPDATE SKIP LOCKED",
};
const DUE: &str = "SELECT context_id FROM job WHERE state = 'retry_wait' AND next_attempt_at <= $1
                   UNION
                   SELECT context_id FROM job WHERE state IN ('running', 'rolling_back') AND claim_expires_at <= $1
                   LIMIT $2";
const DETAILS: Sql = looked_up!("SELECT id, params", "job", "id", "");
const STEPS: Sql = looked_up!(
    "SELECT job_id, ord, key, state, attempt, retries, waited_ms, retry_at, provider_task, unknown, output",
    "job_step",
    "job_id",
    " ORDER BY job_id, ord"
);
/// So many customers are looked at in one turn.
const CONTEXTS_MAX: i64 = 256;

pub(crate) async fn claim(
    store: &Store,
    book: &mut Book,
    tx: &mut Conn,
    turn: &Turn,
    standing: &mut BTreeMap<CustomerId, Vec<Standing>>,
    turned: &mut Turned,
) -> Result<()> {
    if !turn.look && standing.is_empty() {
        return Ok(());
    }
    let now = store.claim_clock(tx, turn.now).await?;
    if store.maintenance_in(tx).await?.is_some() {
        return Ok(());
    }
    if turn.look && turn.want > 0 {
        let limit = (turn.want as i64).min(CONTEXTS_MAX);
        let ready = sqlx::query(READY.of(store.is_embedded())).bind(limit).fetch_all(&mut *tx).await?;
        turned.more |= ready.len() as i64 == limit;
        book.locked(&ready)?;
        let mut wanted: BTreeSet<CustomerId> =
            ready.iter().map(|r| r.id("customer_id")).collect::<Result<_>>()?;
        if turn.due {
            let due = sqlx::query(DUE).bind(now).bind(CONTEXTS_MAX).fetch_all(&mut *tx).await?;
            let due: BTreeSet<CustomerId> = due.iter().map(|r| r.id("context_id")).collect::<Result<_>>()?;
            let missing = due.iter().filter(|c| !book.contexts.contains_key(c)).copied().collect();
            book.lock_free(store, tx, &missing).await?;
            wanted.extend(due.into_iter().filter(|c| book.contexts.contains_key(c)));
        }
        wanted.retain(|c| !standing.contains_key(c));
        standing.extend(store.stand(book, tx, &wanted).await?);
    }
    let chosen = choose(store, book, tx, turn, standing, now).await?;
    if chosen.is_empty() {
        return Ok(());
    }
    let ids: BTreeSet<JobId> = chosen.iter().flat_map(|u| u.jobs.iter().copied()).collect();
    book.read(store, tx, &ids).await?;
    let params = sqlx::query(DETAILS.of(store.is_embedded())).bind(list(&ids)).fetch_all(&mut *tx).await?;
    let steps = sqlx::query(STEPS.of(store.is_embedded())).bind(list(&ids)).fetch_all(&mut *tx).await?;
    let mut details = details(&params, &steps)?;
    let mut after = Vec::new();
    for unit in chosen {
        let name = unit.id.or(unit.jobs.first().copied());
        for id in &unit.jobs {
            let Some(mut head) = book.heads.remove(id) else { continue };
            let before = head.clone();
            let (params, steps) = details.remove(id).unwrap_or_default();
            let taken = take(book, &mut head, turn, now, name, params, steps, &mut after);
            let head = match taken {
                Taken::Claimed(job) => {
                    turned.claimed.push(*job);
                    head
                }
                Taken::Ended => head,
                Taken::Left => before,
            };
            stands(standing, &head);
            book.heads.insert(*id, head);
        }
    }
    if !after.is_empty() {
        book.write_jobs(store, tx).await?;
        for effect in after {
            effect.carry_out(store, book, tx, turn.now).await?;
        }
    }
    Ok(())
}

enum Taken {
    Claimed(Box<ClaimedJob>),
    /// It ended with its beginning.
    Ended,
    /// Not for this worker.
    Left,
}

type Steps = Result<Vec<StepRecord>>;

#[allow(clippy::too_many_arguments, reason = "one claim, with everything that it is made of")]
fn take(
    book: &mut Book,
    head: &mut Head,
    turn: &Turn,
    now: i64,
    unit: Option<JobId>,
    params: Option<String>,
    steps: Option<Steps>,
    after: &mut Vec<After>,
) -> Taken {
    let whose = (head.customer, head.id);
    if head.stop && !head.undo {
        // Somebody asked for it to be stopped while nobody had it.
        head.undo = true;
    }
    // Those that ran or slept keep their unit: the others in it may be under way.
    head.unit = if head.state == JobState::Queued { unit } else { head.unit.or(Some(head.id)) };
    head.state = if head.undo { JobState::RollingBack } else { JobState::Running };
    head.epoch += 1;
    head.last_write = 0;
    head.claim_owner = Some(turn.owner.clone());
    head.claim_expires_at = Some(now + turn.claim_for.as_millis() as i64);
    head.next_attempt_at = None;
    head.started_at = head.started_at.or(Some(head.admitted_at.unwrap_or(turn.now).max(turn.now)));
    head.dirty = true;
    let read = params
        .ok_or_else(|| Error::Corrupt("params".into()))
        .and_then(|p| serde_json::from_str(&p).map_err(|e| Error::Corrupt(format!("params: {e}"))))
        .and_then(|params| Ok((params, steps.unwrap_or_else(|| Ok(Vec::new()))?)));
    let (params, steps) = match read {
        Ok(read) => read,
        Err(e) => {
            // Rows that nobody here can read, from a newer program or by somebody's hand: the job stands still, and says so.
            head.state = JobState::Failed;
            (head.cause, head.detail) = (Some("unreadable".into()), Some(e.to_string()));
            (head.claim_owner, head.claim_expires_at, head.finished_at) = (None, None, None);
            if head.hold == Scope::None {
                head.hold = Scope::SameServer;
            }
            book.event(whose, "failed", None, Some(format!("unreadable: {e}")), turn.now);
            return Taken::Ended;
        }
    };
    let mut job = ClaimedJob {
        fence: Fence { job: head.id.0, context: head.customer.0, epoch: head.epoch },
        unit: head.unit.unwrap_or(head.id).0,
        number: head.number,
        kind: head.kind.clone(),
        target: head.server.map(|s| s.0),
        params,
        shape: head.shape,
        steps,
        undo: head.undo,
    };
    let Some(first) = turn.begin.begin(&job) else { return Taken::Left };
    book.event(whose, "claimed", None, Some(turn.owner.clone()), turn.now);
    after.extend(change(book, head, &first, false, turn.now));
    if !first.job.keeps_claim() {
        return Taken::Ended;
    }
    begun(&mut job, &first);
    Taken::Claimed(Box::new(job))
}

/// Puts what has become of a job back among those of its context.
fn stands(standing: &mut BTreeMap<CustomerId, Vec<Standing>>, head: &Head) {
    let Some(jobs) = standing.get_mut(&head.customer) else { return };
    if head.finished_at.is_some() {
        jobs.retain(|s| s.job != head.id);
        return;
    }
    for job in jobs.iter_mut().filter(|s| s.job == head.id) {
        job.state = Some(head.state);
        job.admitted_at = head.admitted_at;
        job.entry.unit = head.unit.map(|u| u.0.as_u128());
        job.entry.phase = match head.state {
            JobState::Queued => Phase::Queued,
            JobState::Parked => Phase::Parked,
            s if s.is_started() => Phase::Started,
            _ => Phase::Holding(head.hold),
        };
    }
}

/// The units that this worker takes now: joiners of its own first, then in turn among the customers.
async fn choose(
    store: &Store,
    book: &Book,
    tx: &mut Conn,
    turn: &Turn,
    standing: &BTreeMap<CustomerId, Vec<Standing>>,
    now: i64,
) -> Result<Vec<Unit>> {
    let mut chosen: Vec<Unit> = Vec::new();
    for (unit, context) in &turn.open {
        let Some(jobs) = standing.get(&CustomerId(*context)) else { continue };
        let entries: Vec<Entry> = jobs.iter().map(|s| s.entry).collect();
        let members: Vec<u128> =
            entries.iter().filter(|e| e.unit == Some(unit.as_u128())).map(|e| e.key).collect();
        let joined = joiners(store.matrix, &entries, &members);
        if !joined.is_empty() {
            let id = Some(JobId(*unit));
            let provider = provider_of(jobs, members[0]);
            let joined = on_one_cloud(jobs, joined, &provider);
            // Whoever joins needs a place like everybody.
            chosen.push(Unit { id, jobs: joined, due_since: 0, needs_place: true, provider });
        }
    }
    let taken: BTreeSet<JobId> = chosen.iter().flat_map(|u| u.jobs.iter().copied()).collect();
    let mut waiting: BTreeMap<CustomerId, VecDeque<Unit>> = BTreeMap::new();
    for (customer, jobs) in standing.iter().filter(|_| turn.want > 0) {
        let mut units = units(store, jobs, turn, now);
        units.retain(|u| u.jobs.iter().all(|j| !taken.contains(j)));
        if !units.is_empty() {
            // What has a place already comes first, then what has been due longest; of those, in the order of acceptance.
            units.sort_by_key(|u| (u.needs_place, u.due_since));
            waiting.insert(*customer, VecDeque::from(units));
        }
    }
    if chosen.is_empty() && waiting.is_empty() {
        return Ok(chosen);
    }
    let mut places = store.places_locked(tx).await?;
    let mut want = turn.want;
    let mut line: BTreeSet<(i64, i64, CustomerId)> = waiting
        .iter()
        .filter_map(|(c, units)| Some((book.contexts.get(c)?.running, units.front()?.due_since, *c)))
        .collect();
    for unit in &mut chosen {
        unit.jobs.truncate(places.of(&unit.provider));
        places.take(&unit.provider, unit.jobs.len());
    }
    chosen.retain(|u| !u.jobs.is_empty());
    while let Some((running, _, customer)) = line.pop_first() {
        let Some(units) = waiting.get_mut(&customer) else { continue };
        let Some(mut unit) = units.pop_front() else { continue };
        let room = if unit.needs_place { want.min(places.of(&unit.provider)) } else { want };
        // Part of a batch may start: the others join it, or follow.
        unit.jobs.truncate(room);
        let n = unit.jobs.len();
        if n > 0 {
            want -= n;
            if unit.needs_place {
                places.take(&unit.provider, n);
            }
            chosen.push(unit);
        }
        if let Some(next) = units.front().filter(|_| want > 0) {
            line.insert((running + n as i64, next.due_since, customer));
        }
    }
    Ok(chosen)
}

/// What of a context may be claimed now.
fn units(store: &Store, jobs: &[Standing], turn: &Turn, now: i64) -> Vec<Unit> {
    let entries: Vec<Entry> = jobs.iter().map(|s| s.entry).collect();
    let since = |key: u128| {
        let admitted = jobs.iter().find(|s| s.entry.key == key).and_then(|s| s.admitted_at);
        admitted.unwrap_or(turn.now)
    };
    let mut units: Vec<Unit> = startable(store.matrix, &entries)
        .into_iter()
        .filter_map(|keys| {
            let first = *keys.first()?;
            let provider = provider_of(jobs, first);
            Some(Unit {
                id: None,
                due_since: since(first),
                jobs: on_one_cloud(jobs, keys, &provider),
                needs_place: true,
                provider,
            })
        })
        .collect();
    for job in jobs.iter().filter(|_| turn.due) {
        let (at, needs_place) = match job.state {
            Some(JobState::RetryWait) => (job.next_attempt_at, true),
            Some(JobState::Running | JobState::RollingBack) => (job.claim_expires_at, false),
            _ => continue,
        };
        if let Some(due_since) = at.filter(|at| *at <= now) {
            let provider = job.provider.clone();
            units.push(Unit { id: None, jobs: vec![job.job], due_since, needs_place, provider });
        }
    }
    units
}

fn provider_of(jobs: &[Standing], key: u128) -> String {
    jobs.iter().find(|s| s.entry.key == key).map(|s| s.provider.clone()).unwrap_or_default()
}

/// Those that work on this cloud: only they can be done together.
fn on_one_cloud(jobs: &[Standing], keys: Vec<u128>, provider: &str) -> Vec<JobId> {
    let same = |key: &u128| jobs.iter().any(|s| s.entry.key == *key && s.provider == provider);
    keys.into_iter().filter(same).map(job_id).collect()
}

fn job_id(key: u128) -> JobId {
    JobId(uuid::Uuid::from_u128(key))
}

type Details = BTreeMap<JobId, (Option<String>, Option<Steps>)>;

fn details(params: &[AnyRow], steps: &[AnyRow]) -> Result<Details> {
    let mut details: Details = BTreeMap::new();
    for row in params {
        details.entry(row.id("id")?).or_default().0 = row.text_opt("params")?;
    }
    for row in steps {
        let all = &mut details.entry(row.id("job_id")?).or_default().1;
        let so_far = all.take().unwrap_or_else(|| Ok(Vec::new()));
        *all = Some(so_far.and_then(|mut so_far| {
            so_far.push(step(row)?);
            Ok(so_far)
        }));
    }
    Ok(details)
}

fn step(row: &AnyRow) -> Result<StepRecord> {
    Ok(StepRecord {
        key: row.text("key")?,
        status: match row.text("state")?.as_str() {
            "pending" => StepStatus::Pending,
            "running" => StepStatus::Running,
            "retry_wait" => StepStatus::RetryWait,
            "done" => StepStatus::Done,
            "skipped" => StepStatus::Skipped,
            "failed" => StepStatus::Failed,
            "undone" => StepStatus::Undone,
            other => return Err(Error::Corrupt(format!("step state: {other:?}"))),
        },
        attempt: row.uint("attempt")?,
        retries: row.uint("retries")?,
        waited_ms: row.int("waited_ms")?,
        retry_at: row.int_opt("retry_at")?,
        provider_task: row.text_opt("provider_task")?,
        unknown: row.int("unknown")? == 1,
        output: row
            .text_opt("output")?
            .map(|t| serde_json::from_str(&t))
            .transpose()
            .map_err(|e: serde_json::Error| Error::Corrupt(format!("output: {e}")))?,
    })
}

impl Store {
    /// The places that are left, with a lock: whoever claims takes turns, so that no two can take the last one.
    async fn places_locked(&self, tx: &mut Conn) -> Result<Places> {
        if !self.is_embedded() {
            sqlx::query("SELECT value FROM counter WHERE name = 'places' FOR UPDATE")
                .fetch_one(&mut *tx)
                .await?;
        }
        self.places(tx).await
    }

    /// The time that claims are measured by: the database's, where several nodes share one.
    async fn claim_clock(&self, tx: &mut Conn, now: i64) -> Result<i64> {
        if self.is_embedded() || self.own_clock {
            return Ok(now);
        }
        let row = sqlx::query("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS now");
        row.fetch_one(tx).await?.int("now")
    }
}
