//! The store in memory, over which the campaign plays, and the store on the database are one contract: drawn from a seed, the
//! same is asked of both, and their answers and what they then hold are compared each time.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crate::lab::{Lab, now};
use domain::{
    CustomerId, JobId, ServerId,
    kind::{Kind, Scope},
};
use jobs::{
    Begin, ClaimedJob, Fence, JobStore, Outcome, Problem, Registry, Transition, Turn, Turned,
    drive::{Direction, Drive},
};
use provisioning::Viewer;
use store::{Matrix, Reason, Store};
use synchronizer::explain;
use testkit::{
    Database,
    campaign::{MemoryStore, Random},
    hands,
};

const MATRIX: &str = "kinds = [\"power\", \"resize\", \"repair\", \"snapshot\"]\nbatchable = [\"resize\"]\n[rows]\n\
                      power = \"SS.S\"\nresize = \"SC.S\"\nrepair = \"....\"\nsnapshot = \"SS.C\"\n";
const KINDS: [(Kind, &str); 5] = [
    (Kind::Resize, "resize"),
    (Kind::Power, "power"),
    (Kind::Resize, "resize"),
    (Kind::Repair, "repair"),
    (Kind::Snapshot, "snapshot"),
];
const WORKERS: [&str; 2] = ["one", "two"];
const CLAIM: Duration = Duration::from_secs(10);
const JOBS: usize = 40;
const ACTS: usize = 400;

struct FromRegistry(Arc<Registry>, i64);

impl Begin for FromRegistry {
    fn begin(&self, job: &ClaimedJob) -> Option<Transition> {
        Drive::begin(job, &self.0, self.1)
    }
}

/// A job as a worker of the test knows it.
struct Hand {
    worker: &'static str,
    drive: Drive,
    tries: Vec<(usize, Direction)>,
    /// Composed, and not written yet.
    pending: Option<Transition>,
    /// Changes composed so far.
    changes: i64,
}

impl Hand {
    fn compose(&mut self, change: Option<Transition>) {
        self.changes += i64::from(change.is_some());
        self.pending = change.map(|change| Transition { number: self.changes, ..change });
    }
}

/// Both stores, and the workers that use them.
struct Both {
    lab: Lab,
    store: Store,
    memory: MemoryStore,
    registry: Arc<Registry>,
    servers: Vec<(Viewer, ServerId)>,
    jobs: Vec<JobId>,
    hands: BTreeMap<Claim, Hand>,
    random: Random,
    now: i64,
    said: Vec<String>,
    claims: usize,
    refused: usize,
    joined: usize,
    /// The places that were shown last.
    shown: BTreeMap<JobId, u32>,
    /// Somebody put jobs back into the queue since: an event that everybody is shown.
    put_back: bool,
    seen: usize,
}

/// Job and epoch.
type Claim = (uuid::Uuid, i64);

impl Both {
    async fn start(database: Database, seed: u64) -> Self {
        let mut lab = Lab::start_with(database, 3).await;
        let second = lab.another_server().await;
        let (boris, boriss) = lab.another("boris@test").await;
        let matrix = || Matrix::parse(MATRIX).expect("a sound matrix");
        let store =
            lab.store.clone().with_matrix(matrix()).with_cap(1000).with_open_jobs(1000).with_own_clock();
        lab.store = store.clone();
        let anna = lab.viewer.clone();
        Self {
            servers: vec![(anna.clone(), lab.server), (anna, second), (boris, boriss)],
            registry: Arc::new(lab.registry(1)),
            memory: MemoryStore::new(matrix(), 1000),
            store,
            lab,
            jobs: Vec::new(),
            hands: BTreeMap::new(),
            random: Random::new(seed),
            now: now(),
            said: Vec::new(),
            claims: 0,
            refused: 0,
            joined: 0,
            shown: BTreeMap::new(),
            put_back: false,
            seen: 0,
        }
    }

    async fn act(&mut self) {
        match self.random.below(16) {
            0..=1 if self.jobs.len() < JOBS => self.accept().await,
            2..=9 => self.turn().await,
            10 => self.renew().await,
            11 => self.stop().await,
            12..=13 => self.resume().await,
            _ => {
                let ms = 1 + self.random.below(8_000) as i64;
                self.now += ms;
                self.said.push(format!("{ms} ms pass"));
            }
        }
        self.compare().await;
    }

    async fn accept(&mut self) {
        let (kind, word) = KINDS[self.random.below(KINDS.len())];
        let (viewer, server) = self.servers[self.random.below(self.servers.len())].clone();
        let hold = [Scope::None, Scope::SameServer, Scope::SameCustomer][self.random.below(3)];
        let job = self.lab.accept_for(&viewer, server, kind, hold).await;
        let keys: Vec<&str> = crate::lab::SHAPE.iter().map(|s| s.0).collect();
        let customer: CustomerId = viewer.customer().expect("a customer");
        self.memory.accept(job.0, customer.0, server.0, word, hold, &keys);
        self.jobs.push(job);
        self.said.push(format!("{job} is accepted: {word} of {server}, {hold:?}"));
    }

    /// A try of some jobs ends, and what may start is claimed.
    async fn turn(&mut self) {
        let worker = WORKERS[self.random.below(2)];
        let mut writes = Vec::new();
        for hand in self.hands.values_mut().filter(|h| h.worker == worker) {
            if hand.pending.is_none() && !hand.tries.is_empty() && self.random.below(2) == 0 {
                let (step, _) = hand.tries.remove(self.random.below(hand.tries.len()));
                let change = hand.drive.ended(step, outcome(&mut self.random), self.now);
                hand.compose(Some(change));
            }
            writes.extend(hand.pending.clone());
        }
        let look = self.random.below(2) == 0;
        let open = self.open_units(worker);
        let turn = Turn {
            writes,
            want: if self.random.once_in(4) { 0 } else { 1000 },
            look,
            due: look && self.random.below(2) == 0,
            claim_for: CLAIM,
            open,
            begin: Arc::new(FromRegistry(self.registry.clone(), self.now)),
            ..hands::turn(worker, self.now)
        };
        self.said.push(format!("{turn:?}"));
        let turned = self.both(&turn).await;
        if self.random.once_in(12) {
            // Its answer was lost: it is written once more, and changes nothing.
            self.said.push("the same once more".into());
            self.both(&turn).await;
        }
        if self.random.once_in(8) {
            // What it has claimed, nobody knows of; what it wrote, it will write again.
            self.said.push("its answer is lost".into());
            return;
        }
        if self.random.once_in(20) {
            self.said.push(format!("{worker} dies"));
            self.hands.retain(|_, h| h.worker != worker);
            return;
        }
        self.go_on(worker, &turn, turned);
    }

    /// Units of this worker that take others, now and then.
    fn open_units(&mut self, worker: &str) -> Vec<(uuid::Uuid, uuid::Uuid)> {
        let mut open: Vec<_> = self
            .hands
            .values()
            .filter(|h| h.worker == worker && h.drive.job.kind == "resize")
            .map(|h| (h.drive.job.unit, h.drive.job.context()))
            .collect();
        open.sort();
        open.dedup();
        open.retain(|_| self.random.once_in(3));
        open
    }

    async fn both(&mut self, turn: &Turn) -> Turned {
        let mut ours = self.memory.turn(turn, self.now);
        let mut theirs = self.store.turn(turn.clone()).await.expect("the database answers");
        assert_eq!(theirs.written, ours.written, "what was written\n{}", self.story());
        for turned in [&mut ours, &mut theirs] {
            turned.claimed.sort_by_key(|j| j.fence.job);
        }
        let known = |t: &Turned| {
            t.claimed.iter().map(|j| (j.fence, j.unit, j.undo, j.steps.clone())).collect::<Vec<_>>()
        };
        assert_eq!(known(&theirs), known(&ours), "what was claimed\n{}", self.story());
        self.claims += theirs.claimed.len();
        self.refused += theirs.written.iter().filter(|w| w.is_err()).count();
        self.joined += theirs.claimed.iter().filter(|j| j.unit != j.fence.job).count();
        theirs
    }

    fn go_on(&mut self, worker: &'static str, turn: &Turn, turned: Turned) {
        for (transition, written) in turn.writes.iter().zip(turned.written) {
            let key = (transition.fence.job, transition.fence.epoch);
            let Some(hand) = self.hands.get_mut(&key) else { continue };
            hand.pending = None;
            let over = match written {
                Err(_) => true,
                Ok(written) => {
                    let next = hand.drive.written(transition, written);
                    hand.tries.extend(next.tries);
                    hand.compose(next.transition);
                    next.over
                }
            };
            if over {
                self.hands.remove(&key);
            }
        }
        for job in turned.claimed {
            let workflow = self.registry.get(&job.kind, 1).expect("a known kind");
            let (drive, tries) = Drive::take_up(&job, workflow, self.now).expect("a sound shape");
            let key = (job.fence.job, job.fence.epoch);
            self.hands.insert(key, Hand { worker, drive, tries, pending: None, changes: 0 });
        }
    }

    async fn renew(&mut self) {
        let worker = WORKERS[self.random.below(2)];
        let held: Vec<Fence> =
            self.hands.values().filter(|h| h.worker == worker).map(|h| h.drive.job.fence).collect();
        self.said.push(format!("{worker} renews {held:?}"));
        let mut ours = self.memory.renew(worker, &held, self.now, CLAIM);
        let mut theirs =
            self.store.renew(worker, &held, self.now, CLAIM).await.expect("the database answers");
        for fences in [&mut ours, &mut theirs] {
            fences.sort_by_key(|f| f.job);
        }
        assert_eq!(theirs, ours, "what is still held\n{}", self.story());
    }

    fn any(&mut self) -> Option<JobId> {
        (!self.jobs.is_empty()).then(|| self.jobs[self.random.below(self.jobs.len())])
    }

    async fn stop(&mut self) {
        let Some(job) = self.any() else { return };
        self.said.push(format!("{job} is to stop"));
        self.memory.stop(job.0, self.now);
        let how = store::interventions::Intervention { now: self.now, ..self.lab.how() };
        self.store.job_stop(job, how).await.expect("the database answers");
    }

    async fn resume(&mut self) {
        let Some(job) = self.any() else { return };
        let undo = self.random.below(2) == 0;
        self.said.push(format!("{job} is to go on, back: {undo}"));
        let ours = self.memory.resume(job.0, undo);
        self.put_back |= ours;
        let how = store::interventions::Intervention { now: self.now, ..self.lab.how() };
        let theirs = match undo {
            true => self.store.job_roll_back(job, how).await,
            false => self.store.job_rerun(job, how).await,
        };
        assert_eq!(theirs.expect("the database answers"), ours, "whether it goes on\n{}", self.story());
    }

    /// Everything that is held about every job.
    async fn compare(&self) {
        let mut places: BTreeMap<CustomerId, Vec<(i64, i64)>> = BTreeMap::new();
        for id in &self.jobs {
            let (theirs, ours) = (self.lab.plane.job(*id).await, &self.memory.jobs[&id.0]);
            let word = |x: &dyn std::fmt::Debug| format!("{x:?}");
            let known = (word(&theirs.state), theirs.finished_at.is_some());
            assert_eq!(known, (word(&ours.state), ours.finished), "{id}\n{}", self.story());
            if ["Running", "RollingBack"].contains(&known.0.as_str()) {
                let claim = (theirs.claim_owner.as_deref(), theirs.claim_expires_at);
                assert_eq!(
                    claim,
                    (Some(ours.owner.as_str()), Some(ours.expires_at)),
                    "{id}\n{}",
                    self.story()
                );
            }
            for (theirs, ours) in theirs.steps.iter().zip(&ours.steps) {
                let known = (theirs.key.as_str(), word(&theirs.state), theirs.attempt, theirs.retry_at);
                let expected =
                    (ours.key.as_str(), word(&ours.status), i64::from(ours.attempt), ours.retry_at);
                assert_eq!(known, expected, "{id}\n{}", self.story());
            }
            places.entry(theirs.customer).or_default().push((theirs.seq, ours.seq));
        }
        for mut pairs in places.into_values() {
            pairs.sort();
            assert!(pairs.is_sorted_by_key(|p| p.1), "the order of places\n{}", self.story());
        }
    }

    /// Q10 and Q11: the place that is shown is the one that follows from all jobs, and it only falls, except when somebody
    /// has put a job back into the queue.
    async fn places(&mut self) {
        let customers: Vec<CustomerId> = self.servers.iter().filter_map(|(v, _)| v.customer()).collect();
        let mut shown = BTreeMap::new();
        for customer in [customers[0], customers[2]] {
            let entries = self.memory.entries(customer.0);
            for (job, reason) in self.store.reasons(customer, self.now).await.expect("the database answers") {
                let expected = explain(&self.memory.matrix, &entries, job.0.as_u128());
                let Some(expected) = expected.filter(|e| e.position.is_some()) else {
                    assert!(!matches!(reason, Reason::Blocked { .. }), "{job}: {reason:?}\n{}", self.story());
                    continue;
                };
                let (position, waiting_for) = (expected.position.unwrap_or(0), expected.waiting_for);
                assert_eq!(reason, Reason::Blocked { position, waiting_for }, "{job}\n{}", self.story());
                let before = self.shown.get(&job);
                let rose = before.is_some_and(|before| position > *before);
                assert!(!rose || self.put_back, "{job} rose from {before:?} to {position}\n{}", self.story());
                shown.insert(job, position);
                self.seen += 1;
            }
        }
        (self.shown, self.put_back) = (shown, false);
    }

    fn story(&self) -> String {
        self.said.join("\n")
    }
}

fn outcome(random: &mut Random) -> Outcome {
    let problem = || Problem::new("internal", "as it was drawn");
    match random.below(10) {
        0 => Outcome::RetryLater(problem()),
        1 => Outcome::Unknown(problem()),
        2 => Outcome::Failed(problem()),
        _ => Outcome::done(),
    }
}

async fn memory_and_database_agree(database: Database) {
    let (mut claims, mut refused, mut joined, mut seen) = (0, 0, 0, 0);
    for seed in 1..=3 {
        let mut both = Both::start(database, seed).await;
        for _ in 0..ACTS {
            both.act().await;
            both.places().await;
        }
        let findings = both.store.fsck().await.expect("the database answers");
        assert!(findings.is_empty(), "{findings:?}\n{}", both.story());
        seen += both.seen;
        (claims, refused, joined) = (claims + both.claims, refused + both.refused, joined + both.joined);
    }
    assert!(seen > 1000, "only {seen} places were shown");
    assert!(claims > 100 && refused > 10 && joined > 10, "too little happens: {claims}, {refused}, {joined}");
}

testkit::on_both!(memory_and_database_agree);
