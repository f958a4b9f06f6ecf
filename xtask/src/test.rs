//! `cargo xtask test`: everything that must hold, each part with the time it took.

use std::time::Instant;

use crate::{
    browser, budget, build, fuzz, rules,
    run::{cargo, run},
    tools,
};

pub(crate) fn test(slow: bool) -> anyhow::Result<()> {
    let mut minutes = Vec::new();
    let mut part = |name: &'static str, work: &mut dyn FnMut() -> anyhow::Result<()>| {
        eprintln!("\n=== {name}");
        let started = Instant::now();
        let result = work();
        minutes.push((name, started.elapsed().as_secs_f64() / 60.0));
        result
    };
    part("what the machine lacks", &mut || {
        tools::basics()?;
        tools::wasm_target()?;
        tools::test_programs()?;
        tools::python("pyvcloud", "crates/vcd-sim/tests/pyvcloud/requirements.txt")
    })?;
    part("format", &mut || run("cargo fmt", cargo().args(["fmt", "--all", "--", "--check"])))?;
    part("lints, native", &mut || {
        let mut command = cargo();
        command.args([
            "clippy",
            "--workspace",
            "--exclude",
            "frontend",
            "--all-targets",
            "--features",
            "app/ssr",
        ]);
        run("cargo clippy", command.args(["--", "-D", "warnings"]))
    })?;
    part("lints, wasm", &mut || {
        let mut command = cargo();
        command.args(["clippy", "--package", "frontend", "--target", "wasm32-unknown-unknown"]);
        run("cargo clippy", command.args(["--", "-D", "warnings"]))
    })?;
    part("unit, integration and architecture tests", &mut || {
        let mut command = cargo();
        // One run tells of everything that fails.
        command.args([
            "test",
            "--no-fail-fast",
            "--workspace",
            "--exclude",
            "frontend",
            "--features",
            "app/ssr",
        ]);
        command.env("PYVCLOUD_PYTHON", crate::run::target().join("python/pyvcloud/bin/python"));
        // Most wait for a cloud, a guest or a database, and leave a core of two idle for half of the time.
        let cores = std::thread::available_parallelism()?.get();
        command.env("RUST_TEST_THREADS", (2 * cores + 1).to_string());
        run("cargo test", &mut command)
    })?;
    if slow {
        part("fuzzing of the decoders and of what guests are handed", &mut || fuzz::run_all(60))?;
    }
    // The browser meets what is shipped to it; the server behind may be the quick build.
    part("release build of the islands and the style", &mut || build::site(true))?;
    part("the rules of the fields, in the browser's program and in ours", &mut rules::compare)?;
    part("budgets", &mut budget::check)?;
    part("browser tests", &mut || browser::journeys(&build::tested_server(), slow, &[]))?;
    println!("\nminutes of each part:");
    for (name, m) in &minutes {
        println!("  {m:5.1}  {name}");
    }
    println!("  {:5.1}  in all", minutes.iter().map(|(_, m)| m).sum::<f64>());
    Ok(())
}
