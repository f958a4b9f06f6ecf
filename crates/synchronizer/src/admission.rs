//! Admission, position and explanation, over the unfinished jobs of one context.
//!
//! **The rule.** A job may start if and only if no unfinished job of the same context has a smaller `seq` and
//! conflicts with it, and no conflicting job is running, whatever its `seq`. From that follow exclusion, start order
//! by `seq` for every conflicting pair, no starvation, and free overtaking by jobs that do not conflict.

use std::collections::HashMap;

use domain::kind::Scope;

use crate::matrix::{KindIx, Matrix};

/// A job's id, as the caller knows it.
pub type JobKey = u128;

/// Where an unfinished job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Waiting its turn.
    Queued,
    /// Waiting for an edge: in nobody's way, and never admissible by the rule.
    Parked,
    /// Begun and not ended: running, waiting to retry, rolling back.
    Started,
    /// Failed, and keeping others of this scope out until staff act.
    Holding(Scope),
}

/// One unfinished job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub key: JobKey,
    pub kind: KindIx,
    /// The server it works on, if it works on one.
    pub target: Option<u128>,
    /// Its place in the context's order of acceptance.
    pub seq: i64,
    pub phase: Phase,
    /// Jobs that were started together share it: they are one, and do not conflict with each other.
    pub unit: Option<u128>,
    /// An earlier job that must succeed first and has not succeeded yet, finished or not. Until then it is in nobody's way:
    /// it takes its place in the order once that has succeeded.
    pub needs: Option<JobKey>,
}

/// Why a job is, or is not, running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    Started,
    /// Nothing of the context is in the way: it waits for a worker only.
    Free,
    Blocked,
    Needs(JobKey),
    Parked,
    Holding,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub why: Why,
    /// 1 + the queued jobs among all its predecessors, also the indirect ones; `None` unless it is blocked.
    pub position: Option<u32>,
    /// Its direct blockers in `seq` order.
    pub waiting_for: Vec<JobKey>,
}

/// Whether these two may not run at once.
pub fn conflict(matrix: &Matrix, a: &Entry, b: &Entry) -> bool {
    if a.unit.is_some() && a.unit == b.unit && a.phase == Phase::Started && b.phase == Phase::Started {
        return false;
    }
    let same_server = a.target.is_some() && a.target == b.target;
    let by_kind = match matrix.scope(a.kind, b.kind) {
        Scope::None => false,
        Scope::SameServer => same_server,
        Scope::SameCustomer => true,
    };
    let by_hold = |e: &Entry| match e.phase {
        Phase::Holding(Scope::None) | Phase::Parked => false,
        Phase::Holding(Scope::SameServer) => same_server,
        // What it needs may stand behind it.
        Phase::Queued => e.needs.is_none(),
        _ => true,
    };
    by_kind && by_hold(a) && by_hold(b)
}

/// Indices of the jobs that keep `j` from starting, in `seq` order.
fn blockers(matrix: &Matrix, jobs: &[Entry], j: usize) -> Vec<usize> {
    let me = &jobs[j];
    if me.phase == Phase::Parked {
        return Vec::new();
    }
    let mut found: Vec<usize> = (0..jobs.len())
        .filter(|&i| i != j && (jobs[i].seq < me.seq || jobs[i].phase == Phase::Started))
        .filter(|&i| conflict(matrix, &jobs[i], me))
        .collect();
    found.sort_by_key(|&i| jobs[i].seq);
    found
}

/// What stands in front of a place in the order: enough to say whether it is free, whoever it is that stands there.
#[derive(Default)]
struct Ahead {
    /// Kinds that are in the way of everybody whom they conflict with.
    wide: Vec<KindIx>,
    /// Kinds that are in the way on this server.
    near: HashMap<u128, Vec<KindIx>>,
}

impl Ahead {
    fn add(&mut self, e: &Entry) {
        match e.phase {
            Phase::Parked | Phase::Holding(Scope::None) => return,
            Phase::Queued if e.needs.is_some() => return,
            Phase::Holding(Scope::SameServer) => {}
            _ => insert(&mut self.wide, e.kind),
        }
        if let Some(target) = e.target {
            insert(self.near.entry(target).or_default(), e.kind);
        }
    }

    fn blocks(&self, matrix: &Matrix, e: &Entry) -> bool {
        let near = e.target.and_then(|t| self.near.get(&t)).into_iter().flatten();
        self.wide.iter().any(|k| matrix.scope(*k, e.kind) == Scope::SameCustomer)
            || near.into_iter().any(|k| matrix.scope(*k, e.kind) != Scope::None)
    }
}

fn insert(kinds: &mut Vec<KindIx>, kind: KindIx) {
    if !kinds.contains(&kind) {
        kinds.push(kind);
    }
}

/// The queued jobs that may start now, in `seq` order. In one pass: what is in front is kept by kind, and there are few.
pub fn admissible(matrix: &Matrix, jobs: &[Entry]) -> Vec<JobKey> {
    let mut ahead = Ahead::default();
    let (started, mut waiting): (Vec<&Entry>, Vec<&Entry>) =
        jobs.iter().partition(|e| e.phase == Phase::Started);
    started.into_iter().for_each(|e| ahead.add(e));
    waiting.sort_by_key(|e| e.seq);
    let mut free = Vec::new();
    for e in waiting {
        if e.phase == Phase::Queued && e.needs.is_none() && !ahead.blocks(matrix, e) {
            free.push(e.key);
        }
        ahead.add(e);
    }
    free
}

/// The queued jobs that may run together with this unit, in `seq` order: of its kind, and with nothing in their way but the
/// unit and each other. A batch takes such joiners until its first shared step is sent; whether it still does is the
/// caller's to know.
pub fn joiners(matrix: &Matrix, jobs: &[Entry], unit: &[JobKey]) -> Vec<JobKey> {
    let Some(first) = unit.first().and_then(|key| jobs.iter().find(|e| e.key == *key)) else {
        return Vec::new();
    };
    let (kind, mut together) = (first.kind, unit.to_vec());
    if !matrix.is_batchable(kind) {
        return Vec::new();
    }
    let mut queued: Vec<usize> = (0..jobs.len())
        .filter(|&i| jobs[i].phase == Phase::Queued && jobs[i].kind == kind && jobs[i].needs.is_none())
        .filter(|&i| !unit.contains(&jobs[i].key))
        .collect();
    queued.sort_by_key(|&i| jobs[i].seq);
    for i in queued {
        if blockers(matrix, jobs, i).iter().all(|b| together.contains(&jobs[*b].key)) {
            together.push(jobs[i].key);
        }
    }
    together.split_off(unit.len())
}

/// What may start now: each admissible job with those that join it at once. No job is in two of them.
pub fn startable(matrix: &Matrix, jobs: &[Entry]) -> Vec<Vec<JobKey>> {
    let mut units: Vec<Vec<JobKey>> = Vec::new();
    for key in admissible(matrix, jobs) {
        if units.iter().any(|unit| unit.contains(&key)) {
            continue;
        }
        let mut unit = vec![key];
        let others = joiners(matrix, jobs, &unit);
        unit.extend(others.into_iter().filter(|k| !units.iter().any(|u| u.contains(k))));
        units.push(unit);
    }
    units
}

/// Why the job is not running, and its place. `None` if it is not among the unfinished.
pub fn explain(matrix: &Matrix, jobs: &[Entry], key: JobKey) -> Option<Explanation> {
    let j = jobs.iter().position(|e| e.key == key)?;
    let alone = |why| Some(Explanation { why, position: None, waiting_for: Vec::new() });
    match jobs[j].phase {
        Phase::Started => return alone(Why::Started),
        Phase::Parked => return alone(Why::Parked),
        Phase::Holding(_) => return alone(Why::Holding),
        Phase::Queued => {}
    }
    // What it needs is said as such, never as a place: it may be the very job that stands in front of it.
    if let Some(need) = jobs[j].needs {
        return alone(Why::Needs(need));
    }
    let direct = blockers(matrix, jobs, j);
    if direct.is_empty() {
        return alone(Why::Free);
    }
    let mut seen = vec![false; jobs.len()];
    let mut open = direct.clone();
    let mut queued = 0;
    while let Some(i) = open.pop() {
        if std::mem::replace(&mut seen[i], true) {
            continue;
        }
        if jobs[i].phase == Phase::Queued {
            queued += 1;
            open.extend(blockers(matrix, jobs, i));
        }
    }
    Some(Explanation {
        why: Why::Blocked,
        position: Some(1 + queued),
        waiting_for: direct.into_iter().map(|i| jobs[i].key).collect(),
    })
}
