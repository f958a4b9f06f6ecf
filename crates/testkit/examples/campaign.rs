//! Plays schedules of the seeded campaign: `--seeds N` the first so many, `--replay SEED` one, with what it came to
//! and, where `CAMPAIGN_TOLD` is set, with all that happens in it.
#![allow(clippy::print_stdout)]

use std::{process::ExitCode, time::Instant};

use testkit::campaign::{Planted, run};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| {
        let at = args.iter().position(|a| a == name)?;
        args.get(at + 1)?.parse::<u64>().ok()
    };
    let seeds = match (number("--replay"), number("--seeds")) {
        (Some(seed), _) => seed..=seed,
        (None, Some(n)) => 1..=n,
        _ => {
            println!("cargo xtask campaign --seeds N | --replay SEED");
            return ExitCode::FAILURE;
        }
    };
    let (started, many) = (Instant::now(), seeds.end() - seeds.start() + 1);
    let (mut events, mut faults) = (0, 0);
    for seed in seeds {
        let report = run(seed, Planted::default());
        (events, faults) = (events + report.events, faults + report.faults);
        if many == 1 || report.violation.is_some() {
            println!(
                "seed {seed}: trace {:016x}, {} jobs, {} events, {} faults",
                report.trace, report.jobs, report.events, report.faults
            );
        }
        if let Some(what) = report.violation {
            println!("{what}\nagain: cargo xtask campaign --replay {seed}");
            return ExitCode::FAILURE;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{many} schedules hold: {events} events, {faults} faults, {:.0} schedules/s",
        many as f64 / seconds
    );
    ExitCode::SUCCESS
}
