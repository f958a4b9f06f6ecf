//! Taking up jobs: which, in whose turn, under which limit.
//!
//! A free place goes to the customer who has the fewest jobs under way, there to what has been due longest. So nobody's flood
//! keeps others out, and one customer has more than half of all places only while no other has anything to start. A claim
//! that its worker let run out has a place already.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, atomic::Ordering},
};

use domain::{CustomerId, JobId, kind::Scope, state::JobState};
use jobs::{ClaimedJob, Fence, StepRecord, StepStatus, Turn, Turned};
use sqlx::any::AnyRow;
use synchronizer::{Entry, joiners, startable};

use crate::{
    admission::Standing,
    book::Book,
    db::{Conn, Store},
    dialect::{Sql, list, listed, looked_up},
    error::{Error, Result},
    head::Head,
    row::Columns,
    turn::{After, begun, change},
    why::{Places, read_through},
};

/// Jobs that are claimed together.
pub(crate) struct Chosen {
    customer: CustomerId,
    /// What it is called: one that is joined keeps its name.
    id: Option<JobId>,
    pub(crate) jobs: Vec<JobId>,
    due_since: i64,
    needs_place: bool,
    /// The cloud that all of it works on.
    provider: Arc<str>,
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
const OF_JOBS: Sql = listed!("SELECT DISTINCT context_id FROM job WHERE finished_at IS NULL AND id IN ", "");
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
    looked: &mut BTreeSet<CustomerId>,
    turned: &mut Turned,
) -> Result<()> {
    if !turn.look && looked.is_empty() {
        return Ok(());
    }
    let Frame { now, maintenance, mut places, looked_for_places } = store.frame(tx, turn, &book.left).await?;
    // Who ends with this turn leaves his place to the next one in it.
    book.left.iter().for_each(|provider| places.give_back(provider));
    // While a maintenance lasts, what staff let through goes on, and nothing else.
    let through = match maintenance {
        None => None,
        Some(through) if through.is_empty() || !turn.look || turn.want == 0 => return Ok(()),
        Some(through) => Some(through),
    };
    if let Some(through) = &through {
        let of = sqlx::query(OF_JOBS.of(store.is_embedded())).bind(list(through)).fetch_all(&mut *tx).await?;
        let of: BTreeSet<CustomerId> = of.iter().map(|r| r.id("context_id")).collect::<Result<_>>()?;
        let missing = of.iter().filter(|c| !book.contexts.contains_key(c)).copied().collect();
        book.lock_free(store, tx, &missing).await?;
        let of = of.into_iter().filter(|c| book.contexts.contains_key(c)).collect();
        book.learn(store, tx, &of).await?;
        looked.extend(of);
    } else if turn.look && turn.want > 0 {
        let limit = (turn.want as i64).min(CONTEXTS_MAX);
        let ready = sqlx::query(READY.of(store.is_embedded())).bind(limit).fetch_all(&mut *tx).await?;
        turned.more |= ready.len() as i64 == limit;
        store.quiet.store(ready.len() <= 1, Ordering::Relaxed);
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
        book.learn(store, tx, &wanted).await?;
        looked.extend(wanted);
    }
    let standing = looked.iter().map(|c| (*c, book.standing(store, *c))).collect();
    let mut chosen = choose(store, book, turn, &standing, &mut places, now);
    if let Some(through) = &through {
        chosen.iter_mut().for_each(|unit| unit.jobs.retain(|job| through.contains(job)));
        chosen.retain(|unit| !unit.jobs.is_empty());
    }
    // Who looks without a lock finds that places were taken since.
    book.new_round = looked_for_places && !chosen.is_empty();
    let details = read_details(store, book, tx, &chosen).await?;
    for effect in take_all(book, chosen, details, turn, now, turned) {
        effect.carry_out(store, book, tx, turn.now).await?;
    }
    Ok(())
}

/// Claims these, and begins each. Returns what else follows.
pub(crate) fn take_all(
    book: &mut Book,
    chosen: Vec<Chosen>,
    mut details: Details,
    turn: &Turn,
    now: i64,
    turned: &mut Turned,
) -> Vec<After> {
    let mut after = Vec::new();
    for unit in chosen {
        let name = unit.id.or(unit.jobs.first().copied());
        for id in &unit.jobs {
            let Some(mut head) = book.head(unit.customer, *id).cloned() else { continue };
            let (params, steps) = match head.fresh.take() {
                Some(fresh) => (Some(fresh.params.clone()), Some(Ok(fresh.steps()))),
                None => details.remove(id).unwrap_or_default(),
            };
            match take(book, &mut head, turn, now, name, params, steps, &mut after) {
                Taken::Claimed(job) => turned.claimed.push(*job),
                Taken::Ended => {}
                Taken::Left => continue,
            }
            book.put(head);
        }
    }
    after
}

/// What those of them are to do that somebody has begun before.
async fn read_details(store: &Store, book: &mut Book, tx: &mut Conn, chosen: &[Chosen]) -> Result<Details> {
    let begun = chosen.iter().flat_map(|u| u.jobs.iter().map(|j| (u.customer, *j)));
    let begun = begun.filter(|(c, j)| book.head(*c, *j).is_some_and(|h| h.fresh.is_none()));
    let ids: Vec<JobId> = begun.map(|(_, job)| job).collect();
    if ids.is_empty() {
        return Ok(Details::new());
    }
    // What a claim that ran out has written just now is among what the next one has to go by.
    if !book.steps.is_empty() {
        book.write_all(store, tx).await?;
    }
    let params = sqlx::query(DETAILS.of(store.is_embedded())).bind(list(&ids)).fetch_all(&mut *tx).await?;
    let steps = sqlx::query(STEPS.of(store.is_embedded())).bind(list(&ids)).fetch_all(&mut *tx).await?;
    details(&params, &steps)
}

enum Taken {
    Claimed(Box<ClaimedJob>),
    /// It ended with its beginning.
    Ended,
    /// Not for this worker.
    Left,
}

pub(crate) type Steps = Result<Vec<StepRecord>>;

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
    head.claim_changed = true;
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

/// The units that this worker takes now: joiners of its own first, then in turn among the customers.
pub(crate) fn choose(
    store: &Store,
    book: &Book,
    turn: &Turn,
    standing: &BTreeMap<CustomerId, Vec<Standing>>,
    places: &mut Places,
    now: i64,
) -> Vec<Chosen> {
    let mut chosen: Vec<Chosen> = Vec::new();
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
            let customer = CustomerId(*context);
            chosen.push(Chosen { customer, id, jobs: joined, due_since: 0, needs_place: true, provider });
        }
    }
    let taken: BTreeSet<JobId> = chosen.iter().flat_map(|u| u.jobs.iter().copied()).collect();
    let mut waiting: BTreeMap<CustomerId, VecDeque<Chosen>> = BTreeMap::new();
    for (customer, jobs) in standing.iter().filter(|_| turn.want > 0) {
        let mut units = units(store, *customer, jobs, turn, now);
        units.retain(|u| u.jobs.iter().all(|j| !taken.contains(j)));
        if !units.is_empty() {
            // What has a place already comes first, then what has been due longest; of those, in the order of acceptance.
            units.sort_by_key(|u| (u.needs_place, u.due_since));
            waiting.insert(*customer, VecDeque::from(units));
        }
    }
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
    chosen
}

/// What of a context may be claimed now.
fn units(store: &Store, customer: CustomerId, jobs: &[Standing], turn: &Turn, now: i64) -> Vec<Chosen> {
    let entries: Vec<Entry> = jobs.iter().map(|s| s.entry).collect();
    let since = |key: u128| {
        let admitted = jobs.iter().find(|s| s.entry.key == key).and_then(|s| s.admitted_at);
        admitted.unwrap_or(turn.now)
    };
    let mut units: Vec<Chosen> = startable(store.matrix, &entries)
        .into_iter()
        .filter_map(|keys| {
            let first = *keys.first()?;
            let provider = provider_of(jobs, first);
            Some(Chosen {
                customer,
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
            units.push(Chosen { customer, id: None, jobs: vec![job.job], due_since, needs_place, provider });
        }
    }
    units
}

fn provider_of(jobs: &[Standing], key: u128) -> Arc<str> {
    jobs.iter().find(|s| s.entry.key == key).map_or_else(|| "".into(), |s| s.provider.clone())
}

/// Those that work on this cloud: only they can be done together.
fn on_one_cloud(jobs: &[Standing], keys: Vec<u128>, provider: &str) -> Vec<JobId> {
    let same = |key: &u128| jobs.iter().any(|s| s.entry.key == *key && *s.provider == *provider);
    keys.into_iter().filter(same).map(job_id).collect()
}

fn job_id(key: u128) -> JobId {
    JobId(uuid::Uuid::from_u128(key))
}

pub(crate) type Details = BTreeMap<JobId, (Option<String>, Option<Steps>)>;

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

/// What a claim has to know of everything else.
struct Frame {
    /// The time that claims are measured by: the database's, where several nodes share one.
    now: i64,
    /// Set while one lasts: what may start all the same.
    maintenance: Option<BTreeSet<JobId>>,
    places: Places,
    /// The places are those that are free; else none but such as are given back.
    looked_for_places: bool,
}

macro_rules! frame {
    ($held:literal, $from:literal) => {
        concat!(
            "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS now,
                    (SELECT value FROM setting WHERE name = 'maintenance') AS maintenance,
                    (SELECT value FROM setting WHERE name = 'maintenance_through') AS through, ",
            $held,
            $from
        )
    };
}
const FRAME_SQLITE: &str =
    "SELECT 0 AS now, (SELECT value FROM setting WHERE name = 'maintenance') AS maintenance,
        (SELECT value FROM setting WHERE name = 'maintenance_through') AS through, 1 AS held";
/// With a lock: who takes places that are free takes turns, so that no two can take the last one.
const FRAME_HELD: &str =
    frame!("CAST(1 AS BIGINT) AS held", " FROM counter WHERE counter.name = 'places' FOR UPDATE OF counter");
const FRAME_TRIED: &str = frame!(
    "CAST((SELECT 1 FROM counter WHERE counter.name = 'places' FOR UPDATE SKIP LOCKED) AS BIGINT) AS held",
    ""
);
const FRAME_FREE: &str = frame!("CAST(NULL AS BIGINT) AS held", "");

impl Store {
    /// A turn that gives back as many places as it takes leaves as many to others as before, whatever they do meanwhile. So
    /// it need not know how many are free, nor wait for whoever looks; nor does one that has some of its own to fill while
    /// somebody looks. Where a cloud has a limit of its own it looks if it can: else jobs of that cloud would find no place for
    /// as long as those of others fill theirs again.
    async fn frame(&self, tx: &mut Conn, turn: &Turn, left: &[Arc<str>]) -> Result<Frame> {
        let wants_free = turn.due || !turn.open.is_empty() || left.is_empty();
        let sql = match () {
            () if self.is_embedded() => FRAME_SQLITE,
            () if wants_free => FRAME_HELD,
            () if turn.want > left.len() || !self.caps.each.is_empty() => FRAME_TRIED,
            () => FRAME_FREE,
        };
        let row = sqlx::query(sql).fetch_one(&mut *tx).await?;
        let ours = self.is_embedded() || self.own_clock;
        let now = if ours { turn.now } else { row.int("now")? };
        let through = row.text_opt("through")?;
        let maintenance = row.text_opt("maintenance")?.map(|_| read_through(through.as_deref()));
        // Counted by a statement of its own: what others have taken before they let go of the lock is seen by it.
        let looked_for_places = row.int_opt("held")?.is_some();
        let places = if looked_for_places { self.places(tx).await? } else { self.no_places() };
        Ok(Frame { now, maintenance, places, looked_for_places })
    }
}
