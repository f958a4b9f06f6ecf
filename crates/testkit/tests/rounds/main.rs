//! Rounds with real processes: workers that kill themselves with SIGKILL at points drawn from a seed, or stand still until
//! their claims have run out, while others take over. The cloud is a folder that lets two objects have one name, as the
//! real one does: what is made twice is there twice.
//!
//! Points: before a change is sent, after it took effect and before anything is recorded, before and after each commit of
//! the worker. Or nobody dies, and every step goes wrong once, forth and back, in each way that a step can. On SQLite one
//! process after the other owns the file; on PostgreSQL three share it. `ROUNDS` says how many of each, `ROUND=SEED` repeats
//! one.

mod worker;

use std::{
    collections::HashMap,
    fs,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use domain::{AccountId, kind::Kind};
use futures::StreamExt;
use jobs::SystemClock;
use store::{
    Store,
    interventions::Intervention,
    job_search::{JobSearch, Source},
    measure::Load,
};
use testkit::campaign::Random;
use worker::{objects, open};

const STEPS: [&str; 4] = ["network", "group", "machine", "start"];
/// The kind of job whose last step fails for good, so that all of it is taken back.
const FAILS: &str = "resize";
const CLAIM: Duration = Duration::from_millis(600);

struct Round<'r> {
    store: &'r Store,
    url: &'r str,
    cloud: PathBuf,
    random: Random,
    /// The first three processes end at the point of this name; without one, six at points drawn by chance.
    at: Option<String>,
    /// How a step goes wrong in each job; then no process ends.
    mishap: Option<String>,
    workers: Vec<Child>,
    at_once: usize,
    /// Processes that were told to end or to stand still somewhere.
    doomed: usize,
    /// Those that were ended by SIGKILL.
    killed: usize,
    /// Those that have stood still for longer than their claims.
    stopped: usize,
    /// Since when those stand still that do.
    still: HashMap<u32, Instant>,
}

impl Round<'_> {
    fn start_worker(&mut self) {
        // The first ones die; that the round ends, later ones live.
        let dies = self.mishap.is_none() && self.doomed < if self.at.is_some() { 3 } else { 6 };
        let point = if dies && self.at.is_none() { self.random.below(25) as i64 } else { -1 };
        let at = self.at.clone().filter(|_| dies).unwrap_or_default();
        let stops = dies && self.at.is_none() && !self.store.is_embedded() && self.random.once_in(4);
        self.doomed += usize::from(dies);
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args([
            "--ignored",
            "--exact",
            "worker::worker_process",
            "--nocapture",
            "--test-threads",
            "1",
        ]);
        command.env("ROUND_DATABASE", self.url).env("ROUND_CLOUD", &self.cloud);
        command
            .env("ROUND_AT", at)
            .env("ROUND_MISHAP", self.mishap.clone().unwrap_or_default())
            .env("ROUND_POINT", point.to_string())
            .env("ROUND_SIGNAL", if stops { "STOP" } else { "KILL" });
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.workers.push(child.unwrap());
    }

    /// Replaces the dead, and lets those that stand still go on once their claims have run out.
    fn tend(&mut self) -> Result<(), String> {
        let mut ended = Vec::new();
        self.workers.retain_mut(|w| {
            let status = w.try_wait().unwrap();
            ended.extend(status);
            status.is_none()
        });
        if let Some(status) = ended.iter().find(|status| status.signal() != Some(9)) {
            return Err(format!("a worker ended by itself: {status}"));
        }
        self.killed += ended.len();
        for worker in self.workers.iter().filter(|w| stands_still(w.id())) {
            let since = *self.still.entry(worker.id()).or_insert_with(Instant::now);
            if since.elapsed() > CLAIM * 2 {
                let _ = Command::new("kill").args(["-CONT", &worker.id().to_string()]).status();
                self.still.remove(&worker.id());
                self.stopped += 1;
            }
        }
        while self.workers.len() < self.at_once {
            self.start_worker();
        }
        Ok(())
    }

    async fn run(&mut self, by: AccountId) -> Result<(), String> {
        let began = Instant::now();
        loop {
            self.tend()?;
            let states = self.store.jobs_by_state().await.map_err(|e| e.to_string())?;
            for (state, _) in states.iter().filter(|(s, _)| matches!(s.as_str(), "failed" | "stuck")) {
                // Staff take back what cannot succeed, and run again what can.
                let search = JobSearch { source: Source::State(*state), ..JobSearch::default() };
                let found = self.store.jobs_found(&search, 50).await.map_err(|e| e.to_string())?;
                for row in found.rows {
                    let how = Intervention { by, why: "a round", now: now() };
                    let done = match row.job.kind.as_str() {
                        FAILS => self.store.job_roll_back(row.job.id, how).await,
                        _ => self.store.job_rerun(row.job.id, how).await,
                    };
                    done.map_err(|e| e.to_string())?;
                }
            }
            if states.iter().all(|(s, _)| matches!(s.as_str(), "succeeded" | "rolled_back")) {
                break;
            }
            if began.elapsed() > Duration::from_secs(40) {
                return Err(format!("it does not end: {states:?}"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        for mut worker in self.workers.drain(..) {
            let _ = worker.kill();
            let _ = worker.wait();
        }
        self.check().await
    }

    /// Nothing was made twice, nothing is missing, nothing is left over.
    async fn check(&self) -> Result<(), String> {
        let findings = self.store.fsck().await.map_err(|e| e.to_string())?;
        if !findings.is_empty() {
            return Err(format!("{findings:?}"));
        }
        // One that stood still between its look at its claim and its call may have slipped one call out.
        let mut slips = self.stopped;
        let all = self.store.jobs_found(&JobSearch::default(), 500).await.map_err(|e| e.to_string())?;
        for row in all.rows {
            let job = row.job;
            for key in STEPS {
                let there = objects(&self.cloud, &format!("{}-{key}", job.id.0.simple())).len();
                let expected = usize::from(job.state.as_str() == "succeeded");
                let slipped = there.saturating_sub(expected);
                if there < expected || slipped > slips {
                    return Err(format!(
                        "job {} is {}, and {key} is there {there} times",
                        job.number, job.state
                    ));
                }
                slips -= slipped;
            }
            let events = self.store.job_events(job.id, 1000).await.map_err(|e| e.to_string())?;
            for key in STEPS {
                let of = |what: &str| {
                    events.iter().filter(|e| e.what == what && e.step.as_deref() == Some(key)).count()
                };
                if of("step_done") > 1 || of("step_undone") > 1 {
                    return Err(format!("job {}: {key} was recorded twice", job.number));
                }
            }
        }
        Ok(())
    }
}

/// Whether a process has been stopped, as the system has it.
fn stands_still(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The state stands behind the name, which is in parentheses.
    stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
}

fn now() -> i64 {
    jobs::Clock::now_ms(&SystemClock)
}

/// How many processes were killed, and how many stood still; or what is wrong.
type Ended = Result<(usize, usize), String>;

async fn round(postgres: bool, seed: u64, at: Option<String>, mishap: Option<String>) -> Ended {
    let dir = tempfile::tempdir().unwrap();
    let url = match postgres {
        true => testkit::postgres::database().await,
        false => format!("sqlite:{}", dir.path().join("db").display()),
    };
    let store = open(&url).await;
    let kinds = vec![Kind::Power, Kind::Activate, Kind::Resize];
    let load = Load { customers: 3, jobs_each: 3, kinds, steps: STEPS.to_vec() };
    let customers = store.load(&load, 1).await.unwrap();
    let cloud = dir.path().join("cloud");
    fs::create_dir(&cloud).unwrap();
    let at_once = if postgres { 3 } else { 1 };
    let random = Random::new(seed);
    let mut round = Round {
        store: &store,
        url: &url,
        cloud,
        random,
        at,
        mishap,
        workers: vec![],
        at_once,
        doomed: 0,
        killed: 0,
        stopped: 0,
        still: HashMap::new(),
    };
    let ended = round.run(AccountId(customers[0].0)).await;
    for mut worker in round.workers.drain(..) {
        let _ = worker.kill();
        let _ = worker.wait();
    }
    if postgres {
        testkit::postgres::drop_database(&url).await;
    }
    let mishaps = fs::read_dir(&round.cloud).unwrap().flatten();
    let mishaps = mishaps.filter(|e| e.file_name().to_string_lossy().starts_with("mishap")).count();
    if round.mishap.is_some() && mishaps == 0 {
        return Err("nothing went wrong".into());
    }
    ended.map(|()| (round.killed, round.stopped))
}

async fn rounds(postgres: bool, seeds: Vec<u64>) {
    let n = seeds.len();
    // Most of a round is waiting for claims to run out.
    let all: Vec<(u64, Ended)> = futures::stream::iter(seeds)
        .map(async |seed| (seed, round(postgres, seed, None, None).await))
        .buffer_unordered(4)
        .collect()
        .await;
    let (mut killed, mut stopped) = (0, 0);
    for (seed, ended) in all {
        match ended {
            Ok(counts) => (killed, stopped) = (killed + counts.0, stopped + counts.1),
            Err(why) => {
                panic!(
                    "round {seed}: {why}. Again: ROUND={seed} cargo nextest run -p testkit -E 'binary(rounds)'"
                )
            }
        }
    }
    // Shown by `--no-capture`.
    eprintln!("{n} rounds, {killed} processes killed, {stopped} stopped for longer than their claims");
    assert!(n < 10 || killed > 2 * n, "of {n} rounds only {killed} processes were killed");
    assert!(n < 10 || !postgres || stopped > n / 4, "of {n} rounds only {stopped} processes stood still");
}

/// Which seeds to run: a share of those asked for, or the one to be repeated.
fn seeds(first: u64, default: u64) -> Vec<u64> {
    let var = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<u64>().ok());
    match var("ROUND") {
        Some(seed) => vec![seed],
        None => (first..first + var("ROUNDS").unwrap_or(default)).collect(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_after_the_other_on_sqlite() {
    rounds(false, seeds(0, 100)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_processes_on_postgresql() {
    rounds(true, seeds(1_000, 100)).await;
}

/// Every step of a job, killed at every point of it, forth and back: three processes end there, one after the other or each
/// of three, and others go on.
async fn sweep(postgres: bool) {
    let mut points = vec!["before a commit".to_owned(), "after a commit".to_owned()];
    for step in STEPS {
        points.extend(["before", "after"].map(|when| format!("{when} {step}")));
    }
    for step in &STEPS[..3] {
        points.extend(["before", "after"].map(|when| format!("{when} the undo of {step}")));
    }
    let all: Vec<(String, Ended)> = futures::stream::iter(points)
        .map(async |at| (at.clone(), round(postgres, 1, Some(at), None).await))
        .buffer_unordered(4)
        .collect()
        .await;
    for (at, ended) in all {
        let (killed, _) = ended.unwrap_or_else(|why| panic!("killed {at}: {why}"));
        assert!(killed > 0, "nobody came to the point {at}");
    }
}

/// Every step goes wrong once in every job, in each way that a step can, forth and back.
async fn every_step_goes_wrong(postgres: bool) {
    let mut mishaps = Vec::new();
    for (n, step) in STEPS.iter().enumerate() {
        mishaps.extend(["fail", "retry", "panic", "repeat"].map(|how| format!("{how} {step}")));
        // The last step of those that are taken back never succeeds: there is nothing to undo.
        let back: &[&str] = if n < 3 { &["undo-fail", "undo-repeat"] } else { &[] };
        mishaps.extend(back.iter().map(|how| format!("{how} {step}")));
    }
    let all: Vec<(String, Ended)> = futures::stream::iter(mishaps)
        .map(async |how| (how.clone(), round(postgres, 1, None, Some(how)).await))
        .buffer_unordered(4)
        .collect()
        .await;
    for (how, ended) in all {
        let (killed, stopped) = ended.unwrap_or_else(|why| panic!("{how}: {why}"));
        assert_eq!((killed, stopped), (0, 0), "{how}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_goes_wrong_on_sqlite() {
    every_step_goes_wrong(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_goes_wrong_in_three_processes_on_postgresql() {
    every_step_goes_wrong(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_point_on_sqlite() {
    sweep(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_point_on_postgresql() {
    sweep(true).await;
}
