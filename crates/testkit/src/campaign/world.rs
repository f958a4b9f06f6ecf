//! One schedule: nodes, a store, a cloud, customers, and whatever goes wrong between them.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt::Write,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use domain::kind::Scope;
use jobs::{
    JobChange, Outcome, Problem, Registry, RetryPolicy, Step, StepContext, StoreError, Turn, Workflow,
    drive::Direction,
    engine::{Command, Engine, EngineConfig, Event, Try},
};
use synchronizer::{Matrix, Phase, conflict, startable};
use uuid::Uuid;

use super::{
    Random,
    cloud::{Cloud, TaskState},
    memory::{Faulty, Job, MemoryStore, State},
};

/// Mistakes that can be planted, in the store and outside of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Planted {
    pub store: Faulty,
    /// A change is sent without looking whether the claim still holds.
    pub sends_after_its_claim: bool,
    /// A repeated try sends without looking for what the first has made.
    pub sends_without_looking: bool,
    /// A task that a cut-short try had recorded is not waited for.
    pub adopts_nothing: bool,
    /// A step that is taken back says so and does nothing.
    pub undo_skipped: bool,
    /// A task that ended badly is taken for success.
    pub failure_taken_for_success: bool,
    /// An edge is taken without looking whose it is.
    pub edge_given_twice: bool,
    /// Whoever lost his claim may still take an edge.
    pub edge_not_fenced: bool,
    /// A terminated server keeps its edge.
    pub edge_never_freed: bool,
    /// A turn whose answer was lost is forgotten.
    pub lost_turns_forgotten: bool,
}

/// How a schedule ended.
#[derive(Clone, Debug)]
pub struct Report {
    /// What must not have been, if anything was.
    pub violation: Option<String>,
    /// Of everything that happened, in order.
    pub trace: u64,
    pub events: usize,
    pub jobs: usize,
    pub faults: usize,
}

const CLAIM: Duration = Duration::from_secs(8);
const SCAN_MS: i64 = 5_000;
const BEAT_MS: i64 = 2_600;
const EVENTS_MAX: usize = 30_000;
const MATRIX: &str = "kinds = [\"activate\", \"terminate\", \"power\"]\nbatchable = [\"activate\"]\n[rows]\n\
                      activate = \"CCC\"\nterminate = \"CCC\"\npower = \"CCS\"\n";
const ACTIVATE: &[(&str, &[&str])] =
    &[("edge", &[]), ("net", &["edge"]), ("qos", &["net"]), ("vm", &["net"]), ("ready", &["qos", "vm"])];
const TERMINATE: &[(&str, &[&str])] = &[("unvm", &[]), ("unnet", &["unvm"]), ("unedge", &["unnet"])];
const POWER: &[(&str, &[&str])] = &[("cycle", &[])];

/// A step as the engine sees it: what it does is played by the world.
struct Shape {
    key: &'static str,
    after: &'static [&'static str],
}

#[async_trait]
impl Step for Shape {
    fn key(&self) -> &'static str {
        self.key
    }
    fn after(&self) -> &'static [&'static str] {
        self.after
    }
    fn shared(&self) -> bool {
        self.key == "vm"
    }
    fn retry(&self) -> RetryPolicy {
        RetryPolicy { give_up_after: Duration::from_secs(60), ..RetryPolicy::DEFAULT }
    }
    async fn run(&self, _: &StepContext) -> Outcome {
        Outcome::done()
    }
    async fn undo(&self, _: &StepContext) -> Outcome {
        Outcome::done()
    }
}

fn registry() -> Arc<Registry> {
    let mut registry = Registry::default();
    for (kind, shape) in [("activate", ACTIVATE), ("terminate", TERMINATE), ("power", POWER)] {
        let steps =
            shape.iter().map(|(key, after)| Arc::new(Shape { key, after }) as Arc<dyn Step>).collect();
        registry.add(Workflow { kind, shape: 1, steps }).expect("a sound shape");
    }
    Arc::new(registry)
}

enum Stage {
    Look,
    /// Sent; the tokens of what is not recorded yet.
    Recording {
        task: usize,
        left: BTreeSet<u64>,
    },
    Waiting(usize),
}

/// A try under way on a node.
struct Trying {
    members: Vec<Try>,
    direction: Direction,
    together: bool,
    stage: Stage,
}

struct Node {
    name: String,
    engine: Engine,
    inbox: VecDeque<Event>,
    tries: Vec<Trying>,
    turn: Option<Turn>,
    /// It stands still until then.
    stands_until: i64,
    next_scan: i64,
    next_beat: i64,
}

struct World {
    random: Random,
    planted: Planted,
    now: i64,
    store: MemoryStore,
    cloud: Cloud,
    registry: Arc<Registry>,
    nodes: Vec<Node>,
    born: usize,
    /// Whose each edge is.
    edges: Vec<Option<Uuid>>,
    contexts: Vec<Uuid>,
    servers: Vec<(Uuid, Uuid)>,
    next_id: u128,
    next_token: u64,
    faults_left: usize,
    faults: usize,
    users_left: usize,
    trace: u64,
    events: usize,
    violation: Option<String>,
}

/// Plays the schedule of a seed.
pub fn run(seed: u64, planted: Planted) -> Report {
    let mut world = World::new(seed, planted);
    world.play();
    Report {
        violation: world.violation,
        trace: world.trace,
        events: world.events,
        jobs: world.store.jobs.len(),
        faults: world.faults,
    }
}

impl World {
    fn new(seed: u64, planted: Planted) -> Self {
        let mut random = Random::new(seed);
        let matrix = Matrix::parse(MATRIX).expect("a sound matrix");
        let mut store = MemoryStore::new(matrix, 3 + random.below(6));
        store.faulty = planted.store;
        let contexts = (0..1 + random.below(3)).map(|n| Uuid::from_u128(0xc0_0000 + n as u128)).collect();
        let mut world = Self {
            edges: vec![None; 2 + random.below(5)],
            faults_left: 5 + random.below(36),
            users_left: 10 + random.below(30),
            planted,
            now: 1_000_000,
            store,
            cloud: Cloud::default(),
            registry: registry(),
            nodes: Vec::new(),
            born: 0,
            contexts,
            servers: Vec::new(),
            next_id: 1,
            next_token: 0,
            faults: 0,
            trace: 0xcbf2_9ce4_8422_2325,
            events: 0,
            violation: None,
            random,
        };
        for _ in 0..1 + world.random.below(3) {
            let node = world.birth();
            world.nodes.push(node);
        }
        world
    }

    fn birth(&mut self) -> Node {
        self.born += 1;
        let name = format!("node {}", self.born);
        let config = EngineConfig { owner: name.clone(), slots: 2 + self.random.below(5), claim_for: CLAIM };
        Node {
            engine: Engine::new(self.registry.clone(), config),
            name,
            inbox: VecDeque::new(),
            tries: Vec::new(),
            turn: None,
            stands_until: 0,
            next_scan: self.now,
            next_beat: self.now + BEAT_MS,
        }
    }

    fn note(&mut self, what: &str) {
        self.events += 1;
        for byte in what.bytes() {
            self.trace = (self.trace ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    fn breach(&mut self, what: impl Into<String>) {
        self.violation.get_or_insert(what.into());
    }

    /// A fault, once in so many times, while the schedule has any left.
    fn fault(&mut self, once_in: usize) -> bool {
        let strikes = self.faults_left > 0 && self.random.once_in(once_in);
        if strikes {
            self.faults_left -= 1;
            self.faults += 1;
        }
        strikes
    }

    fn play(&mut self) {
        while self.violation.is_none() && self.events < EVENTS_MAX {
            if self.users_left == 0 && self.faults_left > 0 && self.random.once_in(400) {
                self.faults_left = 0;
            }
            if !self.turn_of_events() {
                if self.users_left == 0 && self.settled() {
                    break;
                }
                self.pass(None);
            }
            self.check_now();
        }
        if self.violation.is_none() {
            self.check_end();
        }
    }

    /// One thing happens, if anything can.
    fn turn_of_events(&mut self) -> bool {
        let mut choices: Vec<(usize, usize)> = Vec::new();
        if self.users_left > 0 {
            choices.extend([(0, 0), (0, 0)]);
        }
        choices.extend(self.cloud.running().into_iter().map(|t| (1, t)));
        for (n, node) in self.nodes.iter().enumerate().filter(|(_, node)| node.stands_until <= self.now) {
            if !node.inbox.is_empty() {
                choices.extend([(2, n), (2, n), (2, n)]);
            }
            if node.turn.is_some() {
                choices.extend([(3, n), (3, n)]);
            }
            choices.extend((0..node.tries.len()).filter(|t| self.can_go_on(&node.tries[*t])).map(|_| (4, n)));
        }
        if self.faults_left > 0 {
            choices.push((5, 0));
        }
        if choices.is_empty() || (choices.len() == 1 && choices[0].0 == 5) {
            return false;
        }
        if self.random.once_in(6) {
            let ms = 1 + self.random.below(1_500) as i64;
            self.pass(Some(ms));
        }
        let (what, which) = choices[self.random.below(choices.len())];
        match what {
            0 => self.somebody_asks(),
            1 => {
                let well = !self.fault(25);
                self.note(&format!("task {which} ends {well}"));
                self.cloud.end(which, well);
            }
            2 => self.deliver(which),
            3 => self.run_turn(which),
            4 => self.go_on(which),
            _ => self.strike(),
        }
        true
    }

    /// Time passes: so many ms, or until something is due.
    fn pass(&mut self, ms: Option<i64>) {
        let next = self.nodes.iter().map(|n| n.next_scan.min(n.next_beat).max(n.stands_until)).min();
        self.now = match ms {
            Some(ms) => self.now + ms,
            None => next.unwrap_or(self.now + 1).max(self.now + 1),
        };
        let now = self.now;
        for n in 0..self.nodes.len() {
            if self.nodes[n].stands_until > now {
                continue;
            }
            if self.nodes[n].next_beat <= now {
                let node = &mut self.nodes[n];
                node.next_beat = now + BEAT_MS;
                let held = node.engine.held();
                let held = self.store.renew(&node.name, &held, now, CLAIM);
                node.inbox.push_back(Event::Renewed { asked_at: now, result: Ok(held) });
            }
            if self.nodes[n].next_scan <= now {
                self.nodes[n].next_scan = now + SCAN_MS;
                self.nodes[n].inbox.push_back(Event::Due);
            }
        }
        self.note(&format!("now {now}"));
    }

    fn id(&mut self) -> Uuid {
        self.next_id += 1;
        Uuid::from_u128(self.next_id)
    }

    /// A customer or somebody of the staff does something.
    fn somebody_asks(&mut self) {
        self.users_left -= 1;
        let ids: Vec<Uuid> = self.store.jobs.keys().copied().collect();
        let any = |random: &mut Random| (!ids.is_empty()).then(|| ids[random.below(ids.len())]);
        match self.random.below(10) {
            0..=3 => {
                let (job, server) = (self.id(), self.id());
                let context = self.contexts[self.random.below(self.contexts.len())];
                let steps: Vec<&str> = ACTIVATE.iter().map(|s| s.0).collect();
                self.store.accept(job, context, server, "activate", Scope::None, &steps);
                self.servers.push((server, context));
                self.note(&format!("activate {job}"));
            }
            4..=6 if !self.servers.is_empty() => {
                let (server, context) = self.servers[self.random.below(self.servers.len())];
                let ends = self.random.below(2) == 0;
                let on_it = |kind: &str| {
                    self.store.jobs.values().any(|j| {
                        j.target == server
                            && j.kind == kind
                            && !(j.state.is_over() && j.state != State::Succeeded)
                    })
                };
                let there = self.store.jobs.values().any(|j| {
                    j.target == server
                        && j.kind == "activate"
                        && !matches!(j.state, State::Cancelled | State::RolledBack)
                });
                if there && !on_it("terminate") {
                    let job = self.id();
                    if ends {
                        // An order that waits for an edge is taken back: nothing of it was made, and nothing shall be.
                        let parked =
                            self.store.jobs.values().find(|j| {
                                j.target == server && j.kind == "activate" && j.state == State::Parked
                            });
                        if let Some(id) = parked.map(|j| j.id) {
                            self.store.stop(id, self.now);
                        }
                        let steps: Vec<&str> = TERMINATE.iter().map(|s| s.0).collect();
                        self.store.accept(job, context, server, "terminate", Scope::SameCustomer, &steps);
                    } else {
                        self.store.accept(job, context, server, "power", Scope::SameServer, &["cycle"]);
                    }
                    self.note(&format!("on {server} {ends} {job}"));
                }
            }
            7 => {
                if let Some(id) = any(&mut self.random).filter(|id| self.store.jobs[id].kind != "terminate") {
                    self.store.stop(id, self.now);
                    self.note(&format!("stop {id}"));
                }
            }
            8 => {
                if let Some(id) = any(&mut self.random) {
                    let undo = self.random.below(2) == 0 && self.store.jobs[&id].kind == "activate";
                    let done = self.may_resume(id) && self.store.resume(id, undo);
                    self.note(&format!("resume {id} {undo} {done}"));
                }
            }
            _ => {}
        }
        self.wake();
    }

    /// What was made for a server that has been terminated since is not made again.
    fn may_resume(&self, id: Uuid) -> bool {
        let target = self.store.jobs[&id].target;
        self.store.jobs[&id].kind != "activate"
            || !self
                .store
                .jobs
                .values()
                .any(|j| j.target == target && j.kind == "terminate" && j.state != State::Cancelled)
    }

    /// Every node hears that something was committed, unless the word is lost.
    fn wake(&mut self) {
        for n in 0..self.nodes.len() {
            if !self.fault(12) {
                self.nodes[n].inbox.push_back(Event::Woken);
            }
        }
        if self.edges.iter().any(Option::is_none) {
            let parked = self.store.jobs.values().filter(|j| j.state == State::Parked).map(|j| j.id).next();
            if let Some(id) = parked {
                self.store.grant(id);
                self.note(&format!("grant {id}"));
            }
        }
    }

    fn strike(&mut self) {
        if !self.fault(3) {
            return;
        }
        let n = self.random.below(self.nodes.len());
        if self.random.below(2) == 0 {
            self.kill(n);
        } else {
            let ms = 3_000 + self.random.below(15_000) as i64;
            self.nodes[n].stands_until = self.now + ms;
            self.note(&format!("{n} stands for {ms}"));
        }
    }

    /// A process ends, and another takes its place.
    fn kill(&mut self, n: usize) {
        self.note(&format!("kill {n}"));
        // A turn that was on its way may arrive all the same.
        if let Some(turn) = self.nodes[n].turn.take().filter(|_| self.random.below(2) == 0) {
            self.store.turn(&turn, self.now);
        }
        let node = self.birth();
        self.nodes[n] = node;
    }

    fn deliver(&mut self, n: usize) {
        let now = self.now;
        let mut first = true;
        // Often several events are taken in before anything is done about them.
        while first || self.random.below(2) == 0 {
            first = false;
            let Some(event) = self.nodes[n].inbox.pop_front() else { break };
            self.note(&format!("{n} {event:?}"));
            let commands = self.nodes[n].engine.on(event, now, now);
            self.carry_out(n, commands);
        }
        let commands = self.nodes[n].engine.flow(now, now);
        self.carry_out(n, commands);
        if let Some(at) = self.nodes[n].engine.take_due_at() {
            self.nodes[n].next_scan = self.nodes[n].next_scan.min(at);
        }
    }

    fn carry_out(&mut self, n: usize, commands: Vec<Command>) {
        for command in commands {
            match command {
                Command::Turn(turn) => {
                    if self.nodes[n].turn.is_some() {
                        self.breach("two turns of one worker at once");
                    }
                    self.nodes[n].turn = Some(turn);
                }
                Command::Try(one, direction) => {
                    let trying =
                        Trying { members: vec![one], direction, together: false, stage: Stage::Look };
                    self.nodes[n].tries.push(trying);
                }
                Command::Together(members) => {
                    let (direction, stage) = (Direction::Forth, Stage::Look);
                    self.nodes[n].tries.push(Trying { members, direction, together: true, stage });
                }
                Command::Abandon(job) => {
                    self.nodes[n].tries.retain(|t| t.members.iter().all(|m| m.job.fence.job != job));
                }
                Command::Recorded { token, result } => self.recorded(n, token, result.is_ok()),
            }
        }
    }

    fn recorded(&mut self, n: usize, token: u64, well: bool) {
        let tries = &mut self.nodes[n].tries;
        let found = tries
            .iter_mut()
            .position(|t| matches!(&t.stage, Stage::Recording { left, .. } if left.contains(&token)));
        let Some(at) = found else { return };
        if !well {
            let trying = tries.swap_remove(at);
            self.ended(n, trying, Outcome::RetryLater(problem("the claim has run out")));
            return;
        }
        if let Stage::Recording { task, left } = &mut tries[at].stage {
            left.remove(&token);
            if left.is_empty() {
                tries[at].stage = Stage::Waiting(*task);
            }
        }
    }

    fn run_turn(&mut self, n: usize) {
        let Some(turn) = self.nodes[n].turn.take() else { return };
        self.note(&format!("{n} {turn:?}"));
        let lost = StoreError::Unavailable("the connection was cut".into());
        if self.fault(40) {
            self.answer(n, Err(lost));
            return;
        }
        let asked: Vec<(Uuid, u32)> =
            self.store.jobs.values().filter(|j| j.stop && !j.undo).map(tries).collect();
        let before: Vec<(Uuid, State)> = self.store.jobs.values().map(|j| (j.id, j.state)).collect();
        let ended = turn.writes.iter().any(|w| !w.job.keeps_claim() || w.job == JobChange::TurnsBack);
        let turned = self.store.turn(&turn, self.now);
        self.started_in_order(&before);
        for (id, before) in asked {
            if tries(&self.store.jobs[&id]).1 > before {
                self.breach(format!("{id} began a step after it was asked to stop"));
            }
        }
        if ended || turned.more {
            self.wake();
        }
        if self.fault(40) {
            if self.planted.lost_turns_forgotten {
                let empty = jobs::Turned {
                    written: turn.writes.iter().map(|_| Ok(jobs::Written::default())).collect(),
                    ..jobs::Turned::default()
                };
                self.answer(n, Ok(empty));
            } else {
                self.answer(n, Err(lost));
            }
            return;
        }
        self.answer(n, Ok(turned));
    }

    fn answer(&mut self, n: usize, result: Result<jobs::Turned, StoreError>) {
        self.nodes[n].inbox.push_back(Event::Turned(result));
    }

    fn can_go_on(&self, trying: &Trying) -> bool {
        match &trying.stage {
            Stage::Look => true,
            Stage::Recording { .. } => false,
            Stage::Waiting(task) => self.cloud.state(*task) != TaskState::Running,
        }
    }

    /// A try goes a step further.
    fn go_on(&mut self, n: usize) {
        let ready: Vec<usize> =
            (0..self.nodes[n].tries.len()).filter(|t| self.can_go_on(&self.nodes[n].tries[*t])).collect();
        if ready.is_empty() {
            return;
        }
        let at = ready[self.random.below(ready.len())];
        let mut trying = self.nodes[n].tries.swap_remove(at);
        let key = trying.members[0].job.steps[trying.members[0].step].key.clone();
        self.note(&format!("{n} goes on with {key} of {:?}", trying.members[0].job.fence));
        let outcome = match trying.stage {
            Stage::Waiting(task) => self.waited(task, &key, &trying),
            _ => match self.look(n, &key, &mut trying) {
                Some(outcome) => outcome,
                None => return,
            },
        };
        match outcome {
            Some(outcome) => self.ended(n, trying, outcome),
            None => self.nodes[n].tries.push(trying),
        }
    }

    fn ended(&mut self, n: usize, trying: Trying, outcome: Outcome) {
        let step = trying.members[0].step;
        let event = if trying.together {
            let members: Vec<_> = trying.members.iter().map(|m| m.job.fence).collect();
            let outcomes = vec![outcome; members.len()];
            Event::EndedTogether { members, step, outcomes }
        } else {
            let (fence, direction) = (trying.members[0].job.fence, trying.direction);
            Event::Ended { fence, step, direction, outcome }
        };
        self.nodes[n].inbox.push_back(event);
    }

    fn waited(&mut self, task: usize, key: &str, trying: &Trying) -> Option<Outcome> {
        let failed = self.cloud.state(task) == TaskState::Failed;
        if failed && !self.planted.failure_taken_for_success {
            return Some(Outcome::Failed(problem("task_failed")));
        }
        if self.names(key, trying).iter().all(|(name, wanted)| self.cloud.has(name) == *wanted) || failed {
            return Some(Outcome::done());
        }
        Some(Outcome::Unknown(problem("not there after its task")))
    }

    /// What a step wants to be there, or not to be.
    fn names(&self, key: &str, trying: &Trying) -> Vec<(String, bool)> {
        let forth = trying.direction == Direction::Forth;
        let each = trying.members.iter().filter_map(|m| m.job.target);
        each.flat_map(|server| {
            let of = |what: &str, wanted| (format!("{what}-{server}"), wanted);
            match key {
                "net" | "qos" | "vm" => vec![of(key, forth)],
                "unvm" if forth => vec![of("vm", false)],
                "unnet" if forth => vec![of("qos", false), of("net", false)],
                _ => vec![],
            }
        })
        .collect()
    }

    /// The first look of a try, and what it sends. The outer `None` is a try that ends without a word.
    fn look(&mut self, n: usize, key: &str, trying: &mut Trying) -> Option<Option<Outcome>> {
        let back = trying.direction == Direction::Back;
        if back && self.planted.undo_skipped {
            return Some(Some(Outcome::done()));
        }
        if matches!(key, "edge" | "unedge") {
            return Some(Some(self.edge(key, back, &trying.members[0])));
        }
        if let Some(task) =
            trying.members.iter().filter_map(|m| m.recorded_task.as_ref()?.parse().ok()).next_back()
            && self.cloud.state(task) == TaskState::Running
            && !self.planted.adopts_nothing
        {
            trying.stage = Stage::Waiting(task);
            return Some(None);
        }
        let all = self.names(key, trying);
        let repeats = self.planted.sends_without_looking && !back;
        let left: Vec<(String, bool)> =
            all.into_iter().filter(|(name, wanted)| repeats || self.cloud.has(name) != *wanted).collect();
        let names: Vec<String> = left.iter().map(|(name, _)| name.clone()).collect();
        if self.cloud.is_busy(&names) && !self.planted.adopts_nothing {
            return Some(Some(Outcome::RetryLater(problem("busy"))));
        }
        if names.is_empty() {
            return Some(Some(Outcome::done()));
        }
        if self.fault(15) {
            return Some(Some(Outcome::RetryLater(problem("unavailable"))));
        }
        if !back && self.fault(40) {
            return Some(Some(Outcome::Failed(problem("refused"))));
        }
        let expired = trying.members.iter().any(|m| m.lease.ends_at() <= self.now);
        if expired && !self.planted.sends_after_its_claim {
            return Some(Some(Outcome::RetryLater(problem("the claim has run out"))));
        }
        let task = if left[0].1 { self.cloud.make(names) } else { self.cloud.take(names) };
        if self.fault(30) {
            self.kill(n);
            return None;
        }
        if self.fault(15) {
            return Some(Some(Outcome::Unknown(problem("no answer"))));
        }
        let mut left = BTreeSet::new();
        for member in &trying.members {
            self.next_token += 1;
            left.insert(self.next_token);
            let step = ACTIVATE.iter().chain(TERMINATE).chain(POWER).find(|s| s.0 == key).map_or("", |s| s.0);
            let (fence, token) = (member.job.fence, self.next_token);
            self.nodes[n].inbox.push_back(Event::TaskSeen { fence, step, task: task.to_string(), token });
        }
        trying.stage = Stage::Recording { task, left };
        Some(None)
    }

    /// The pool of edges: a row of the database, and so under the fence.
    fn edge(&mut self, key: &str, back: bool, one: &Try) -> Outcome {
        let Some(server) = one.job.target else { return Outcome::done() };
        let job = &self.store.jobs[&one.job.fence.job];
        let stale =
            job.epoch != one.job.fence.epoch || !matches!(job.state, State::Running | State::RollingBack);
        if stale && !self.planted.edge_not_fenced {
            return Outcome::RetryLater(problem("fenced"));
        }
        if key == "unedge" && !back {
            // What was to be made for it, and waits, goes with the server.
            self.store.cancel_waiting(server, "activate");
        }
        if back || key == "unedge" {
            if !self.planted.edge_never_freed {
                for edge in self.edges.iter_mut().filter(|e| **e == Some(server)) {
                    *edge = None;
                }
            }
            return Outcome::done();
        }
        if self.edges.contains(&Some(server)) && !self.planted.edge_given_twice {
            return Outcome::done();
        }
        match self.edges.iter().position(Option::is_none) {
            Some(free) => {
                self.edges[free] = Some(server);
                Outcome::done()
            }
            None => Outcome::Parked(problem("no_free_edge")),
        }
    }

    /// Whoever has just started was not overtaking anybody in his way.
    fn started_in_order(&mut self, before: &[(Uuid, State)]) {
        let started: Vec<Uuid> = before
            .iter()
            .filter(|(id, was)| *was == State::Queued && self.store.jobs[id].state == State::Running)
            .map(|(id, _)| *id)
            .collect();
        for id in started {
            let job = &self.store.jobs[&id];
            let entries = self.store.entries(job.context);
            let Some(me) = entries.iter().find(|e| e.key == id.as_u128()).copied() else { continue };
            let over = entries.iter().find(|e| {
                e.seq < me.seq && e.phase != Phase::Started && conflict(&self.store.matrix, e, &me)
            });
            if let Some(over) = over {
                let text = format!("{id} overtook {}", Uuid::from_u128(over.key));
                self.breach(text);
            }
        }
    }

    /// What must hold at every moment.
    fn check_now(&mut self) {
        let running = self
            .store
            .jobs
            .values()
            .filter(|j| matches!(j.state, State::Running | State::RollingBack))
            .count();
        if running > self.store.cap {
            self.breach(format!("{running} jobs run where {} may", self.store.cap));
        }
        for context in self.contexts.clone() {
            let entries = self.store.entries(context);
            let started: Vec<_> = entries.iter().filter(|e| e.phase == Phase::Started).collect();
            for (i, a) in started.iter().enumerate() {
                if let Some(b) = started[..i].iter().find(|b| conflict(&self.store.matrix, a, b)) {
                    let text =
                        format!("{} and {} run at once", Uuid::from_u128(a.key), Uuid::from_u128(b.key));
                    self.breach(text);
                }
            }
        }
        let mut held: BTreeMap<Uuid, usize> = BTreeMap::new();
        self.edges.iter().flatten().for_each(|server| *held.entry(*server).or_default() += 1);
        if let Some((server, n)) = held.iter().find(|(_, n)| **n > 1) {
            self.breach(format!("{server} has {n} edges"));
        }
        if let Some((name, n)) = self.cloud.things().into_iter().find(|(_, n)| *n > 1) {
            self.breach(format!("there are {n} of {name}"));
        }
        if let Some((name, n)) = self.cloud.made.iter().find(|(_, n)| **n > 1) {
            self.breach(format!("{name} was made {n} times"));
        }
    }

    /// Nothing is on its way any more. What failed is run again, what waits for an edge that will not come is taken back.
    fn settled(&mut self) -> bool {
        self.faults_left = 0;
        let moving = |s: State| matches!(s, State::Running | State::RetryWait | State::RollingBack);
        // What waits behind a failed job waits for somebody of the staff.
        let may_start = |c: &Uuid| !startable(&self.store.matrix, &self.store.entries(*c)).is_empty();
        if self.store.jobs.values().any(|j| moving(j.state))
            || self.contexts.iter().any(may_start)
            || !self.cloud.running().is_empty()
        {
            return false;
        }
        let left: Vec<(Uuid, State)> = self.store.jobs.values().map(|j| (j.id, j.state)).collect();
        let mut again = false;
        for (id, state) in left {
            again |= match state {
                State::Failed if self.may_resume(id) => self.store.resume(id, false),
                // Its server is gone: what is left of it is taken back.
                State::Failed | State::Stuck => self.store.resume(id, true),
                State::Parked => {
                    self.store.stop(id, self.now);
                    true
                }
                _ => false,
            };
        }
        if again {
            self.wake();
        }
        !again
    }

    /// What must hold when everything has come to rest.
    fn check_end(&mut self) {
        let mut wrong = String::new();
        for job in self.store.jobs.values().filter(|j| !j.state.is_over()) {
            let _ = write!(wrong, "{} {} is {:?} after {:?}; ", job.kind, job.id, job.state, job.history);
        }
        let ended = |server: Uuid, kind: &str, state: State| {
            self.store.jobs.values().any(|j| j.target == server && j.kind == kind && j.state == state)
        };
        for (server, _) in &self.servers {
            let lives = ended(*server, "activate", State::Succeeded)
                && !ended(*server, "terminate", State::Succeeded);
            for what in ["net", "qos", "vm"] {
                if self.cloud.has(&format!("{what}-{server}")) != lives {
                    let _ = write!(wrong, "{what} of {server} is there: {}; ", !lives);
                }
            }
            if self.edges.contains(&Some(*server)) != lives {
                let _ = write!(wrong, "{server} has an edge: {}; ", !lives);
                for job in self.store.jobs.values().filter(|j| j.target == *server) {
                    let steps: Vec<_> = job.steps.iter().map(|s| (&s.key, s.status)).collect();
                    let _ = write!(wrong, "{} {}: {:?} {steps:?}; ", job.kind, job.id, job.history);
                }
            }
        }
        if !wrong.is_empty() {
            self.breach(wrong);
        }
    }
}

/// How many tries of its steps a job has begun.
fn tries(job: &Job) -> (Uuid, u32) {
    (job.id, job.steps.iter().map(|s| s.attempt).sum())
}

fn problem(code: &'static str) -> Problem {
    Problem::new(code, "as the schedule has it")
}
