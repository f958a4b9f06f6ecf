//! The pure function against a second, naive one: exhaustively over small cases, at random over large ones.
//!
//! The oracle is written from the contract's words and shares nothing with the implementation but the matrix.

use std::collections::BTreeSet;

use domain::kind::Scope;
use synchronizer::{Entry, JobKey, Matrix, Phase, Why, admissible, explain, joiners, startable};

/// The contract, word by word.
mod oracle {
    use super::*;

    /// Do these two conflict by their kinds, and, where one of them only holds, within what it holds?
    pub(crate) fn conflict(m: &Matrix, a: &Entry, b: &Entry) -> bool {
        let same_server = matches!((a.target, b.target), (Some(x), Some(y)) if x == y);
        let reaches = |scope: Scope| match scope {
            Scope::None => false,
            Scope::SameServer => same_server,
            Scope::SameCustomer => true,
        };
        let holds = |e: &Entry| match e.phase {
            Phase::Holding(scope) => reaches(scope),
            _ => true,
        };
        // Parked, or waiting for what it needs: in nobody's way.
        let aside = |e: &Entry| e.phase == Phase::Parked || (e.phase == Phase::Queued && e.needs.is_some());
        !aside(a) && !aside(b) && reaches(m.scope(a.kind, b.kind)) && holds(a) && holds(b)
    }

    /// "No unfinished job i of the same context has seq_i < seq_j and conflicts with it, and no conflicting job is
    /// running, whatever its seq."
    pub(crate) fn in_the_way<'e>(m: &Matrix, jobs: &'e [Entry], j: &Entry) -> Vec<&'e Entry> {
        let mut found = Vec::new();
        for i in jobs {
            let earlier = i.seq < j.seq;
            let running = i.phase == Phase::Started;
            if i.key != j.key && conflict(m, i, j) && (earlier || running) {
                found.push(i);
            }
        }
        found.sort_by_key(|e| e.seq);
        found
    }

    pub(crate) fn may_start(m: &Matrix, jobs: &[Entry], j: &Entry) -> bool {
        j.phase == Phase::Queued && j.needs.is_none() && in_the_way(m, jobs, j).is_empty()
    }

    /// "1 + the number of queued jobs in j's transitive set of conflicting unfinished predecessors": grown until it stops.
    pub(crate) fn position(m: &Matrix, jobs: &[Entry], j: &Entry) -> u32 {
        let mut set: BTreeSet<JobKey> = in_the_way(m, jobs, j).iter().map(|e| e.key).collect();
        loop {
            let before = set.len();
            for e in jobs {
                if set.contains(&e.key) && e.phase == Phase::Queued {
                    set.extend(in_the_way(m, jobs, e).iter().map(|e| e.key));
                }
            }
            if set.len() == before {
                break;
            }
        }
        let queued =
            jobs.iter().filter(|e| set.contains(&e.key) && e.phase == Phase::Queued && e.key != j.key);
        1 + queued.count() as u32
    }
}

fn check(m: &Matrix, jobs: &[Entry]) {
    let free = admissible(m, jobs);
    let mut expected: Vec<&Entry> = jobs.iter().filter(|j| oracle::may_start(m, jobs, j)).collect();
    expected.sort_by_key(|e| e.seq);
    assert_eq!(free, expected.iter().map(|e| e.key).collect::<Vec<_>>(), "{jobs:#?}");
    for j in jobs {
        let said = explain(m, jobs, j.key).expect("it is among them");
        match j.phase {
            Phase::Started => assert_eq!((said.why, said.position), (Why::Started, None)),
            Phase::Parked => assert_eq!((said.why, said.position), (Why::Parked, None)),
            Phase::Holding(_) => assert_eq!((said.why, said.position), (Why::Holding, None)),
            Phase::Queued => {
                let blockers: Vec<JobKey> = oracle::in_the_way(m, jobs, j).iter().map(|e| e.key).collect();
                if let Some(need) = j.needs {
                    assert_eq!((said.why, said.position), (Why::Needs(need), None));
                    continue;
                }
                let blocked = !blockers.is_empty();
                assert_eq!(said.waiting_for, blockers, "{jobs:#?}");
                assert_eq!(
                    said.position,
                    blocked.then(|| oracle::position(m, jobs, j)),
                    "of {} in {jobs:#?}",
                    j.key
                );
                assert_eq!(said.why, if blocked { Why::Blocked } else { Why::Free });
            }
        }
    }
}

const PHASES: [Phase; 6] = [
    Phase::Queued,
    Phase::Parked,
    Phase::Started,
    Phase::Holding(Scope::None),
    Phase::Holding(Scope::SameServer),
    Phase::Holding(Scope::SameCustomer),
];

/// Every pair and triple of the product's kinds, on one server and on two, in every phase of those in front.
#[test]
fn all_pairs_and_triples_of_kinds() {
    let m = Matrix::shipped();
    let kinds: Vec<_> =
        domain::kind::Kind::ALL.iter().map(|k| m.kind(k.as_str()).expect("it is in the matrix")).collect();
    let entry = |key: u128, kind, target, phase| Entry {
        key,
        kind,
        target: Some(target),
        seq: key as i64,
        phase,
        needs: None,
        unit: None,
    };
    let mut cases = 0;
    for &a in &kinds {
        for &b in &kinds {
            for target in [1, 2] {
                for phase in PHASES {
                    check(m, &[entry(1, a, 1, phase), entry(2, b, target, Phase::Queued)]);
                    cases += 1;
                }
            }
            for &c in &kinds {
                for targets in [(1, 1, 1), (1, 2, 1), (1, 1, 2), (1, 2, 3)] {
                    for phases in [
                        (Phase::Queued, Phase::Queued),
                        (Phase::Started, Phase::Queued),
                        (Phase::Parked, Phase::Started),
                    ] {
                        let jobs = [
                            entry(1, a, targets.0, phases.0),
                            entry(2, b, targets.1, phases.1),
                            entry(3, c, targets.2, Phase::Queued),
                        ];
                        check(m, &jobs);
                        cases += 1;
                    }
                }
            }
        }
    }
    let n = kinds.len();
    assert_eq!(cases, n * n * 2 * PHASES.len() + n * n * n * 4 * 3);
}

/// Xorshift: the same schedules on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }
}

/// A symmetric matrix over a few kinds.
fn random_matrix(random: &mut Random) -> (Matrix, usize) {
    let n = 1 + random.below(6);
    let half: Vec<Vec<char>> =
        (0..n).map(|i| (0..=i).map(|_| ['.', '.', 'S', 'C'][random.below(4)]).collect()).collect();
    let cells: Vec<Vec<char>> = (0..n).map(|i| (0..n).map(|j| half[i.max(j)][i.min(j)]).collect()).collect();
    let names: Vec<String> = (0..n).map(|i| format!("\"k{i}\"")).collect();
    let rows: Vec<String> = cells
        .iter()
        .enumerate()
        .map(|(i, r)| format!("k{i} = \"{}\"", r.iter().collect::<String>()))
        .collect();
    let batchable: Vec<&str> = names.iter().filter(|_| random.below(3) == 0).map(String::as_str).collect();
    let (names, batchable) = (names.join(", "), batchable.join(", "));
    let text = format!("kinds = [{names}]\nbatchable = [{batchable}]\n[rows]\n{}", rows.join("\n"));
    (Matrix::parse(&text).expect("it is symmetric"), n)
}

/// Random schedules: jobs come, start when they may, park, fail and hold, end. After each event the function agrees with
/// the oracle, nothing that conflicts runs at once, whoever starts was first among its conflicting peers, and a place only
/// falls unless an earlier job came back.
#[test]
fn random_schedules_agree_with_the_oracle() {
    let (mut events, mut batched) = (0, 0);
    for seed in 1..=400_u64 {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (m, kinds) = random_matrix(&mut random);
        let mut jobs: Vec<Entry> = Vec::new();
        let mut seq = 0;
        let mut ever_back = false;
        for _ in 0..60 {
            let before: Vec<(JobKey, Option<u32>)> =
                jobs.iter().map(|j| (j.key, explain(&m, &jobs, j.key).and_then(|e| e.position))).collect();
            let mut came_back = false;
            match random.below(10) {
                0..=4 => {
                    seq += 1;
                    let name = format!("k{}", random.below(kinds));
                    let needs = (random.below(8) == 0).then(|| jobs.first().map(|j| j.key)).flatten();
                    jobs.push(Entry {
                        key: seq as u128,
                        kind: m.kind(&name).expect("it is in the matrix"),
                        target: [None, Some(1), Some(2), Some(3)][random.below(4)],
                        seq,
                        phase: Phase::Queued,
                        needs,
                        unit: None,
                    });
                }
                5..=7 if !jobs.is_empty() => {
                    let at = random.below(jobs.len());
                    match jobs[at].phase {
                        Phase::Started => {
                            let gone = jobs.remove(at).key;
                            // Whoever needed it takes its place among the others from now on.
                            for j in jobs.iter_mut().filter(|j| j.needs == Some(gone)) {
                                j.needs = None;
                                came_back = true;
                            }
                        }
                        Phase::Holding(_) if random.below(2) == 0 => drop(jobs.remove(at)),
                        // Run again: it held its place, and conflicts as widely as before from now on.
                        Phase::Holding(_) => {
                            jobs[at].phase = Phase::Queued;
                            came_back = true;
                        }
                        Phase::Parked => {
                            // It got what it waited for, and a new place.
                            seq += 1;
                            (jobs[at].phase, jobs[at].seq) = (Phase::Queued, seq);
                        }
                        Phase::Queued => {}
                    }
                }
                8 => {
                    let started = jobs.iter().position(|j| j.phase == Phase::Started);
                    if let Some(at) = started {
                        let scope = [Scope::None, Scope::SameServer, Scope::SameCustomer][random.below(3)];
                        jobs[at].unit = None;
                        jobs[at].phase =
                            if random.below(3) == 0 { Phase::Parked } else { Phase::Holding(scope) };
                        came_back = true;
                    }
                }
                _ => {}
            }
            check(&m, &jobs);
            // A place falls, except by an event that is shown: a parked job that comes back stands behind, and so in
            // nobody's way.
            for (key, place) in before {
                let now = explain(&m, &jobs, key).and_then(|e| e.position);
                if let (Some(was), Some(is)) = (place, now)
                    && !came_back
                    && jobs.iter().find(|j| j.key == key).is_some_and(|j| j.seq == key as i64)
                {
                    assert!(is <= was, "the place of {key} rose from {was} to {is}: {jobs:#?}");
                }
            }
            // Some of what may start does; at times a unit that runs takes joiners.
            for unit in startable(&m, &jobs) {
                if random.below(5) == 0 {
                    continue;
                }
                assert!(unit.len() == 1 || unit.iter().all(|k| m.is_batchable(kind_of(&jobs, *k))));
                batched += unit.len() - 1;
                start(&mut jobs, &unit, unit[0]);
            }
            if random.below(3) == 0
                && let Some(unit) = jobs.iter().find(|j| j.phase == Phase::Started).and_then(|j| j.unit)
            {
                let members: Vec<JobKey> =
                    jobs.iter().filter(|j| j.unit == Some(unit)).map(|j| j.key).collect();
                let joined = joiners(&m, &jobs, &members);
                batched += joined.len();
                start(&mut jobs, &joined, unit);
            }
            check(&m, &jobs);
            let running: Vec<&Entry> = jobs.iter().filter(|j| j.phase == Phase::Started).collect();
            for (i, a) in running.iter().enumerate() {
                for b in running[..i].iter().filter(|b| b.unit != a.unit) {
                    assert!(!oracle::conflict(&m, a, b), "{} and {} run at once: {jobs:#?}", a.key, b.key);
                }
            }
            // Whoever waits behind a unit in seq order is not overtaken by one that joined it.
            for j in jobs.iter().filter(|j| j.phase == Phase::Queued) {
                for r in running.iter().filter(|r| r.seq > j.seq && oracle::conflict(&m, j, r)) {
                    let was_there = !came_back && !ever_back;
                    assert!(!was_there, "{} overtook {}: {jobs:#?}", r.key, j.key);
                }
            }
            ever_back |= came_back;
            events += 1;
        }
    }
    assert_eq!(events, 400 * 60);
    assert!(batched > 200, "only {batched} jobs ran in the company of others");
}

fn kind_of(jobs: &[Entry], key: JobKey) -> synchronizer::KindIx {
    jobs.iter().find(|j| j.key == key).expect("it is among them").kind
}

fn start(jobs: &mut [Entry], keys: &[JobKey], unit: JobKey) {
    for job in jobs.iter_mut().filter(|j| keys.contains(&j.key)) {
        (job.phase, job.unit) = (Phase::Started, Some(unit));
    }
}

/// A customer's jobs are all that counts: what others have queued is not even an argument. Here: what does not conflict
/// changes nothing, wherever it stands.
#[test]
fn what_does_not_conflict_changes_nothing() {
    for seed in 1..=200_u64 {
        let mut random = Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let (m, kinds) = random_matrix(&mut random);
        let job = |key: u128, kind: usize, random: &mut Random| Entry {
            key,
            kind: m.kind(&format!("k{kind}")).expect("it is in the matrix"),
            target: [None, Some(1), Some(2)][random.below(3)],
            seq: key as i64,
            phase: PHASES[random.below(3)],
            needs: None,
            unit: None,
        };
        let jobs: Vec<Entry> = (1..=8).map(|k| job(k * 2, random.below(kinds), &mut random)).collect();
        let stranger = job(1 + 2 * random.below(8) as u128, random.below(kinds), &mut random);
        if jobs.iter().any(|j| oracle::conflict(&m, j, &stranger)) {
            continue;
        }
        let mut with = jobs.clone();
        with.push(stranger);
        let free: Vec<JobKey> = admissible(&m, &with).into_iter().filter(|k| *k != stranger.key).collect();
        assert_eq!(free, admissible(&m, &jobs));
        for j in &jobs {
            assert_eq!(explain(&m, &with, j.key), explain(&m, &jobs, j.key));
        }
    }
}
