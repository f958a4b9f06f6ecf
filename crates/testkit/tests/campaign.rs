//! The seeded campaign: thousands of schedules hold, each replays exactly, and planted mistakes are found.

#![allow(clippy::print_stdout)] // what was found is part of the answer

use testkit::campaign::{Faulty, Planted, run};

/// Schedules of the plain run; `CAMPAIGN_SEEDS` asks for more.
fn seeds() -> u64 {
    std::env::var("CAMPAIGN_SEEDS").ok().and_then(|s| s.parse().ok()).unwrap_or(10_000)
}

#[test]
fn whatever_goes_wrong_every_schedule_ends_well() {
    let (mut events, mut faults, mut jobs) = (0, 0, 0);
    for seed in 1..=seeds() {
        let report = run(seed, Planted::default());
        if let Some(what) = report.violation {
            panic!("seed {seed}: {what}\nagain: cargo xtask campaign --replay {seed}");
        }
        events += report.events;
        faults += report.faults;
        jobs += report.jobs;
    }
    println!("{} schedules: {jobs} jobs, {events} events, {faults} faults", seeds());
    assert!(faults as u64 > 5 * seeds() && jobs as u64 > 4 * seeds(), "too little happens");
}

#[test]
fn a_seed_is_the_same_schedule_every_time() {
    for seed in 1..=100 {
        let first = run(seed, Planted::default());
        for _ in 0..3 {
            assert_eq!(run(seed, Planted::default()).trace, first.trace, "seed {seed}");
        }
    }
}

/// Each mistake is found, and soon.
#[test]
fn planted_mistakes_are_found() {
    let store = |faulty: Faulty| Planted { store: faulty, ..Planted::default() };
    let planted = [
        ("fence not checked", store(Faulty { fence_not_checked: true, ..Faulty::default() })),
        ("epoch not raised", store(Faulty { epoch_not_raised: true, ..Faulty::default() })),
        ("order ignored", store(Faulty { order_ignored: true, ..Faulty::default() })),
        ("cap ignored", store(Faulty { cap_ignored: true, ..Faulty::default() })),
        ("stop forgotten", store(Faulty { stop_forgotten: true, ..Faulty::default() })),
        (
            "claims before they run out",
            store(Faulty { claims_before_they_run_out: true, ..Faulty::default() }),
        ),
        ("undo forgets steps", store(Faulty { undo_forgets_steps: true, ..Faulty::default() })),
        ("repeats not known", store(Faulty { repeats_not_known: true, ..Faulty::default() })),
        ("unit ignored", store(Faulty { unit_ignored: true, ..Faulty::default() })),
        ("sends without looking", Planted { sends_without_looking: true, ..Planted::default() }),
        ("adopts nothing", Planted { adopts_nothing: true, ..Planted::default() }),
        ("undo skipped", Planted { undo_skipped: true, ..Planted::default() }),
        ("failure taken for success", Planted { failure_taken_for_success: true, ..Planted::default() }),
        ("edge given twice", Planted { edge_given_twice: true, ..Planted::default() }),
        ("edge not fenced", Planted { edge_not_fenced: true, ..Planted::default() }),
        ("edge never freed", Planted { edge_never_freed: true, ..Planted::default() }),
        ("lost turns forgotten", Planted { lost_turns_forgotten: true, ..Planted::default() }),
        ("sends after its claim", Planted { sends_after_its_claim: true, ..Planted::default() }),
    ];
    let mut missed = Vec::new();
    for (name, mistake) in planted {
        match (1..=10_000).find(|seed| run(*seed, mistake).violation.is_some()) {
            Some(seed) => println!("{name}: found by seed {seed}: {:?}", run(seed, mistake).violation),
            None => missed.push(name),
        }
    }
    assert!(missed.is_empty(), "not found in 10,000 schedules: {missed:?}");
}
