//! One schedule: nodes, a store, a cloud, customers, and whatever goes wrong between them.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use jobs::{
    Problem, Registry, Turn,
    drive::Direction,
    engine::{Engine, EngineConfig, Event, Try},
};
use synchronizer::Matrix;
use uuid::Uuid;

use super::{
    Random,
    cloud::Cloud,
    memory::{Faulty, MemoryStore},
    shapes::{BEAT_MS, CLAIM, EVENTS_MAX, MATRIX, SCAN_MS, registry},
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

pub(super) enum Stage {
    Look,
    /// Sent; the tokens of what is not recorded yet.
    Recording {
        task: usize,
        left: BTreeSet<u64>,
    },
    Waiting(usize),
}

/// A try under way on a node.
pub(super) struct Trying {
    pub(super) members: Vec<Try>,
    pub(super) direction: Direction,
    pub(super) together: bool,
    pub(super) stage: Stage,
}

pub(super) struct Node {
    pub(super) name: String,
    pub(super) engine: Engine,
    pub(super) inbox: VecDeque<Event>,
    pub(super) tries: Vec<Trying>,
    pub(super) turns: Vec<(u64, Turn)>,
    /// It stands still until then.
    pub(super) stands_until: i64,
    pub(super) next_scan: i64,
    pub(super) next_beat: i64,
}

pub(super) struct World {
    pub(super) random: Random,
    pub(super) planted: Planted,
    pub(super) now: i64,
    pub(super) store: MemoryStore,
    pub(super) cloud: Cloud,
    pub(super) registry: Arc<Registry>,
    pub(super) nodes: Vec<Node>,
    pub(super) born: usize,
    /// Whose each edge is.
    pub(super) edges: Vec<Option<Uuid>>,
    pub(super) contexts: Vec<Uuid>,
    pub(super) servers: Vec<(Uuid, Uuid)>,
    pub(super) next_id: u128,
    pub(super) next_token: u64,
    pub(super) faults_left: usize,
    pub(super) faults: usize,
    pub(super) users_left: usize,
    pub(super) trace: u64,
    /// What happens is printed.
    told: bool,
    pub(super) events: usize,
    pub(super) violation: Option<String>,
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
            told: std::env::var_os("CAMPAIGN_TOLD").is_some(),
            random,
        };
        for _ in 0..1 + world.random.below(3) {
            let node = world.birth();
            world.nodes.push(node);
        }
        world
    }

    pub(super) fn birth(&mut self) -> Node {
        self.born += 1;
        let name = format!("node {}", self.born);
        let (slots, turns) = (2 + self.random.below(5), 1 + self.random.below(2));
        let config = EngineConfig { owner: name.clone(), slots, claim_for: CLAIM, turns };
        Node {
            engine: Engine::new(self.registry.clone(), config),
            name,
            inbox: VecDeque::new(),
            tries: Vec::new(),
            turns: Vec::new(),
            stands_until: 0,
            next_scan: self.now,
            next_beat: self.now + BEAT_MS,
        }
    }

    pub(super) fn note(&mut self, what: &str) {
        if self.told {
            #[allow(clippy::print_stderr, reason = "asked for")]
            {
                eprintln!("{} {what}", self.now);
            }
        }
        self.events += 1;
        for byte in what.bytes() {
            self.trace = (self.trace ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    pub(super) fn breach(&mut self, what: impl Into<String>) {
        self.violation.get_or_insert(what.into());
    }

    /// A fault, once in so many times, while the schedule has any left.
    pub(super) fn fault(&mut self, once_in: usize) -> bool {
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
            if !node.turns.is_empty() {
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
    pub(super) fn pass(&mut self, ms: Option<i64>) {
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
}

pub(super) fn problem(code: &'static str) -> Problem {
    Problem::new(code, "as the schedule has it")
}
