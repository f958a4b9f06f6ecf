//! Coverage-guided fuzzing of the SDK's decoders and of what guests are handed, with the stable compiler: libFuzzer, linked in by a crate of its own.

use std::process::Command;

use anyhow::Context;

use crate::run::{cargo, phase, root, run, target};

/// What the compiler has to add for libFuzzer to see where an input leads.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table --cfg fuzzing";
const TARGETS: &[&str] = &["xml", "json", "urn", "rendering"];

/// Runs every target for so many seconds. What it finds stays under `target/fuzz`.
pub(crate) fn run_all(seconds: u32) -> anyhow::Result<()> {
    let host = host()?;
    let built = target().join("fuzz");
    phase("building the fuzz targets", || {
        let mut command = cargo();
        command.current_dir(root().join("fuzz")).env("RUSTFLAGS", COVERAGE);
        command.args(["build", "--quiet", "--release", "--target", &host, "--target-dir"]).arg(&built);
        run("cargo build", &mut command)
    })?;
    let fixtures = root().join("crates/vcd/tests/fixtures");
    for name in TARGETS {
        let corpus = built.join("corpus").join(name);
        std::fs::create_dir_all(&corpus).with_context(|| corpus.display().to_string())?;
        phase(&format!("fuzzing {name} for {seconds} s"), || {
            let mut command = Command::new(built.join(&host).join("release").join(name));
            command.current_dir(&built).arg(format!("-max_total_time={seconds}"));
            command
                // What takes a second, or half a gigabyte, for so little is a finding too.
                .args([
                    "-max_len=65536",
                    "-timeout=5",
                    "-rss_limit_mb=1024",
                    "-print_final_stats=1",
                    "-verbosity=0",
                ])
                .arg(&corpus)
                .arg(&fixtures);
            run("libFuzzer", &mut command)
        })?;
    }
    Ok(())
}

fn host() -> anyhow::Result<String> {
    let version = crate::run::output("rustc", Command::new("rustc").current_dir(root()).arg("-vV"))?;
    let line = version.lines().find_map(|l| l.strip_prefix("host: ")).context("rustc names no host")?;
    Ok(line.to_owned())
}
