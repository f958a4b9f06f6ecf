//! The two traces that the original synchronizer fixed, replayed on the pure admission function.

use synchronizer::{Entry, Matrix, Phase, admissible, explain};

/// 1: {3}   2: {3}   3: {3, 2, 1}   4: {4}, all within one customer.
const ORIGINAL: &str = r#"
kinds = ["1", "2", "3", "4"]
[rows]
1 = "..C."
2 = "..C."
3 = "CCC."
4 = "...C"
"#;

/// One context, driven like the engine does: a call queues, then everything admissible starts.
struct Context {
    matrix: Matrix,
    jobs: Vec<Entry>,
    calls: i64,
}

impl Context {
    fn new() -> Self {
        Self { matrix: Matrix::parse(ORIGINAL).unwrap(), jobs: Vec::new(), calls: 0 }
    }

    fn admit(&mut self) -> Vec<i64> {
        let started = admissible(&self.matrix, &self.jobs);
        for job in &mut self.jobs {
            if started.contains(&job.key) {
                job.phase = Phase::Started;
            }
        }
        started.into_iter().map(|key| key as i64).collect()
    }

    /// Calls a method. Returns the call's number, and whether it runs at once.
    fn call(&mut self, kind: &str) -> (i64, bool) {
        self.calls += 1;
        let kind = self.matrix.kind(kind).unwrap();
        self.jobs.push(Entry {
            key: self.calls as u128,
            kind,
            target: None,
            seq: self.calls,
            phase: Phase::Queued,
            needs: None,
            unit: None,
        });
        let started = self.admit();
        (self.calls, started.contains(&self.calls))
    }

    /// Finishes the oldest running call of a kind. Returns the calls that started because of it.
    fn finish(&mut self, kind: &str) -> Vec<i64> {
        let kind = self.matrix.kind(kind).unwrap();
        let done =
            self.jobs.iter().position(|e| e.kind == kind && e.phase == Phase::Started).expect("one runs");
        self.jobs.remove(done);
        self.admit()
    }

    fn waits_for(&self, call: i64) -> (u32, Vec<i64>) {
        let e = explain(&self.matrix, &self.jobs, call as u128).unwrap();
        (e.position.unwrap(), e.waiting_for.into_iter().map(|k| k as i64).collect())
    }
}

#[test]
fn one_context() {
    let mut c = Context::new();
    assert_eq!(c.call("1"), (1, true));
    assert_eq!(c.call("4"), (2, true));
    assert_eq!(c.call("2"), (3, true));
    assert_eq!(c.call("4"), (4, false));
    assert_eq!(c.waits_for(4), (1, vec![2]));
    assert_eq!(c.finish("4"), [4]);
    assert_eq!(c.call("1"), (5, true));
    assert_eq!(c.call("3"), (6, false));
    assert_eq!(c.waits_for(6), (1, vec![1, 3, 5]));
    assert!(c.finish("2").is_empty());
    assert!(c.finish("1").is_empty());
    assert_eq!(c.finish("1"), [6]);
    assert_eq!(c.call("2"), (7, false));
    assert_eq!(c.waits_for(7), (1, vec![6]));
    assert_eq!(c.call("1"), (8, false));
    assert_eq!(c.waits_for(8), (1, vec![6]));
    assert_eq!(c.call("3"), (9, false));
    assert_eq!(c.waits_for(9), (3, vec![6, 7, 8]));
    assert_eq!(c.finish("3"), [7, 8]);
    assert!(c.finish("2").is_empty());
    assert_eq!(c.finish("1"), [9]);
    assert!(c.finish("3").is_empty());
    assert!(c.finish("4").is_empty());
    assert!(c.jobs.is_empty());
}

#[test]
fn two_contexts() {
    let (mut a, mut b) = (Context::new(), Context::new());
    assert_eq!(a.call("1"), (1, true));
    assert_eq!(a.call("3"), (2, false));
    assert_eq!(a.waits_for(2), (1, vec![1]));
    assert_eq!(a.call("4"), (3, true));
    assert_eq!(b.call("3"), (1, true));
    assert_eq!(a.waits_for(2), (1, vec![1]));
    assert_eq!(b.call("4"), (2, true));
    assert_eq!(a.finish("1"), [2]);
    a.finish("3");
    a.finish("4");
    b.finish("3");
    b.finish("4");
    assert!(a.jobs.is_empty() && b.jobs.is_empty());
}

#[test]
fn a_stream_of_small_calls_cannot_starve_an_exclusive_one() {
    let mut c = Context::new();
    c.call("1");
    let (exclusive, _) = c.call("3");
    for _ in 0..100 {
        assert!(!c.call("1").1, "a later call may not pass an earlier conflicting one");
    }
    assert_eq!(c.finish("1"), [exclusive]);
}

#[test]
fn a_parked_job_is_in_nobodys_way() {
    let mut c = Context::new();
    let (parked, _) = c.call("3");
    c.jobs[0].phase = Phase::Parked;
    assert_eq!(c.call("3"), (2, true));
    assert_eq!(explain(&c.matrix, &c.jobs, parked as u128).unwrap().waiting_for, []);
}
