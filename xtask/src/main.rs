//! `cargo xtask`: builds, serves and tests the project with nothing but cargo, a C compiler and Node.

#![allow(clippy::print_stdout)]

mod browser;
mod budget;
mod build;
mod fuzz;
mod pages;
mod rules;
mod run;
mod test;
mod tools;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask serve [--release] [--listen ADDRESS] [--data-dir DIR] …   build, then `slipway serve --demo …`
cargo xtask build [--release] [--site]                                leave target/{debug,release}/slipway and its site; with --site the site only
cargo xtask test [--slow]                                             everything that must hold; --slow adds the long parts
cargo xtask journeys [NAME …]                                         the browser tests alone, or those whose file or title has the name
cargo xtask looks keep|[NAME …]                                       pictures of every page; compared with those that were kept, on the same machine
cargo xtask rules                                                     the rules of the fields in the browser's program and in ours, over a million inputs
cargo xtask fuzz [SECONDS]                                            the decoders' fuzz targets, so long each
cargo xtask campaign --seeds N | --replay SEED                        schedules of faults, each the same for its seed
cargo xtask bench vcd|queue|orders|staff|guest [WHAT …] [REPEATS]     the SDK and the simulator; the queue beside others; whole orders; what guests are handed
cargo xtask bench pages [pages|streams|paint|process|full …]          what pages and streams cost on the server, beside SvelteKit and Node
cargo xtask bench ui [PATH …]                                         Lighthouse over every page and the peer's wizard, or those whose path has the word
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match args.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[][..]),
    };
    let release = rest.iter().any(|a| a == "--release");
    let result = match command {
        "build" if rest.iter().any(|a| a == "--site") => build::site(release),
        "build" => build::build(release).map(drop),
        "serve" => serve(release, rest),
        "test" => test::test(rest.iter().any(|a| a == "--slow")),
        "rules" => rules::compare(),
        "fuzz" => fuzz::run_all(rest.first().and_then(|s| s.parse().ok()).unwrap_or(60)),
        "journeys" => journeys(rest),
        "looks" => looks(rest),
        "bench" => bench(rest),
        "campaign" => {
            let mut command = run::cargo();
            command.args([
                "run",
                "--quiet",
                "--release",
                "--package",
                "testkit",
                "--example",
                "campaign",
                "--",
            ]);
            run::run("the campaign", command.args(rest))
        }
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(anyhow::anyhow!("there is no `cargo xtask {other}`\n\n{HELP}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("\nxtask: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn journeys(names: &[String]) -> anyhow::Result<()> {
    tools::test_programs()?;
    build::site(true)?;
    browser::journeys(&build::server(false)?, false, names)
}

fn looks(args: &[String]) -> anyhow::Result<()> {
    let keep = args.first().is_some_and(|a| a == "keep");
    tools::test_programs()?;
    build::site(true)?;
    browser::looks(&build::server(false)?, keep, if keep { &args[1..] } else { args })
}

fn bench(args: &[String]) -> anyhow::Result<()> {
    match args.first().map(String::as_str) {
        Some("vcd") => {
            let mut command = run::cargo();
            run::run(
                "cargo bench",
                command.args(["bench", "--package", "vcd", "--package", "vcd-sim", "--benches"]),
            )
        }
        Some("queue") => {
            let mut command = run::cargo();
            command.args(["bench", "--package", "testkit", "--bench", "queue", "--"]).args(&args[1..]);
            command.env("BENCH_PEERS", peers()?);
            // On a disk that is memory the figures are those of the program.
            if std::env::var_os("BENCH_DIR").is_none() && std::path::Path::new("/dev/shm").is_dir() {
                command.env("BENCH_DIR", "/dev/shm").env("TMPDIR", "/dev/shm");
            }
            run::run("cargo bench", &mut command)
        }
        Some(what @ ("orders" | "staff")) => {
            let mut command = run::cargo();
            command.args(["bench", "--package", "testkit", "--bench", what]);
            run::run("cargo bench", &mut command)
        }
        Some("guest") => {
            run::run("cargo bench", run::cargo().args(["bench", "--package", "guest", "--benches"]))
        }
        Some("ui") => pages::lighthouse(&args[1..]),
        Some("pages") => pages::server(&args[1..]),
        _ => Err(anyhow::anyhow!(
            "say what to measure: `cargo xtask bench vcd`, `… queue`, `… orders`, `… staff`, `… guest`, `… pages` or `… ui`"
        )),
    }
}

/// The other queues, with the program that drives them beside their packages. Returns the folder.
fn peers() -> anyhow::Result<std::path::PathBuf> {
    const FOLDER: &str = "crates/testkit/benches/queue/peers";
    let packages = tools::npm(FOLDER)?;
    let folder = packages.parent().map(std::path::Path::to_owned).unwrap_or_default();
    std::fs::copy(run::root().join(FOLDER).join("peers.mjs"), folder.join("peers.mjs"))?;
    Ok(folder)
}

fn serve(release: bool, args: &[String]) -> anyhow::Result<()> {
    let program = build::build(release)?;
    let mut command = std::process::Command::new(program);
    command.args(["serve", "--demo"]).args(args.iter().filter(|a| *a != "--release"));
    run::run("starting", &mut command)
}
