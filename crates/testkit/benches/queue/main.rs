//! The queue, measured, with others at the same work on the same server in the same run, each in turn: serial jobs per
//! customer (B1), the original's matrix (B2), from enqueue to start (B3), a durable step (B4), recovery after a kill (B9),
//! a held snapshot (B10), and how flat it stays (P2, P4). `cargo xtask bench queue [b1|b2|b3|b4|b9|b10|p2|p4] [REPEATS]`.

#![allow(clippy::print_stdout, clippy::print_stderr)]

mod ours;
mod peers;
mod recovery;

use domain::kind::Kind;

const DATABASES: [&str; 2] = ["postgres", "sqlite"];

/// The middle one, and how far they lie apart.
#[derive(Default)]
struct Figures(Vec<f64>);

impl Figures {
    fn push(&mut self, figure: Option<f64>) {
        self.0.extend(figure);
        self.0.sort_by(f64::total_cmp);
    }

    fn median(&self) -> f64 {
        self.0.get(self.0.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn text(&self) -> String {
        match (self.0.first(), self.0.last()) {
            (Some(least), Some(most)) => {
                format!("{} ({}–{})", short(self.median()), short(*least), short(*most))
            }
            _ => "not measured".into(),
        }
    }
}

fn short(figure: f64) -> String {
    if figure >= 100.0 { format!("{figure:.0}") } else { format!("{figure:.2}") }
}

fn at(sorted: &[f64], percent: usize) -> Option<f64> {
    sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1))).copied()
}

fn line(what: &str, who: &str, figures: &Figures, unit: &str) {
    println!("{what:<4} {who:<34} {:>26} {unit}", figures.text());
}

/// How many times the best of the others ours is; with `less`, how many times less.
fn ratio(what: &str, ours: &Figures, others: &[&Figures], less: bool) {
    let medians = others.iter().map(|f| f.median()).filter(|m| !m.is_nan());
    let best = if less { medians.fold(f64::NAN, f64::min) } else { medians.fold(f64::NAN, f64::max) };
    if !best.is_nan() {
        let times = if less { best / ours.median() } else { ours.median() / best };
        println!("{what:<4} {times:.2} times the best of the others");
    }
}

async fn b1(repeats: usize) {
    let (mut postgres, mut sqlite) = (Figures::default(), Figures::default());
    let (mut graphile, mut graphile24, mut boss) =
        (Figures::default(), Figures::default(), Figures::default());
    for _ in 0..repeats {
        let kinds = || vec![Kind::Migrate];
        postgres.push(Some(ours::drain("postgres", 1_000, 20, kinds(), 512).await));
        graphile.push(peers::figure("graphile", "b1", &[1_000, 20, 8], "rate").await);
        sqlite.push(Some(ours::drain("sqlite", 1_000, 20, kinds(), 512).await));
        graphile24.push(peers::figure("graphile", "b1", &[1_000, 20, 24], "rate").await);
        boss.push(peers::figure("pgboss", "b1", &[1_000, 20, 100], "rate").await);
    }
    line("B1", "slipway, PostgreSQL", &postgres, "jobs/s");
    line("B1", "slipway, SQLite", &sqlite, "jobs/s");
    line("B1", "graphile-worker, 8 at once", &graphile, "jobs/s");
    line("B1", "graphile-worker, 24 at once", &graphile24, "jobs/s");
    line("B1", "pg-boss, batches of 100", &boss, "jobs/s");
    ratio("P1", &postgres, &[&graphile, &graphile24], false);
    ratio("P1b", &postgres, &[&boss], false);
}

async fn b2(repeats: usize) {
    for database in DATABASES {
        let mut figures = Figures::default();
        for _ in 0..repeats {
            let kinds = vec![Kind::Power, Kind::Resize, Kind::Migrate, Kind::Refresh];
            figures.push(Some(ours::drain(database, 1_000, 20, kinds, 512).await));
        }
        line("B2", &format!("slipway, {database}"), &figures, "jobs/s");
    }
}

async fn b3(repeats: usize) {
    let mut halves: [Figures; 3] = Default::default();
    let mut tails: [Figures; 3] = Default::default();
    for _ in 0..repeats {
        for (i, database) in DATABASES.iter().enumerate() {
            let all: Vec<f64> = ours::starts(database, 1_000).await.iter().map(|us| us / 1e3).collect();
            halves[i].push(at(&all, 50));
            tails[i].push(at(&all, 99));
        }
        let peer = peers::figures("graphile", "b3", &[1_000]).await.unwrap_or_default();
        halves[2].push(peer["p50"].as_f64());
        tails[2].push(peer["p99"].as_f64());
    }
    for (i, who) in ["slipway, postgres", "slipway, sqlite", "graphile-worker"].iter().enumerate() {
        line("B3", &format!("{who}, p50"), &halves[i], "ms");
        line("B3", &format!("{who}, p99"), &tails[i], "ms");
    }
}

async fn b4(repeats: usize) {
    let (mut postgres, mut sqlite, mut dbos) = (Figures::default(), Figures::default(), Figures::default());
    for _ in 0..repeats {
        postgres.push(Some(ours::step_cost("postgres", 200).await));
        dbos.push(peers::figure("dbos", "b4", &[200], "step_ms").await);
        sqlite.push(Some(ours::step_cost("sqlite", 200).await));
    }
    line("B4", "slipway, PostgreSQL", &postgres, "ms/step");
    line("B4", "slipway, SQLite", &sqlite, "ms/step");
    line("B4", "dbos", &dbos, "ms/step");
    ratio("P5", &postgres, &[&dbos], true);
}

async fn b9(repeats: usize) {
    for (postgres, second, who) in [
        (false, false, "SQLite, another is started"),
        (true, false, "PostgreSQL, another is started"),
        (true, true, "PostgreSQL, another was there"),
    ] {
        let mut figures = Figures::default();
        for seconds in recovery::seconds(postgres, second, 3 * repeats).await {
            figures.push(Some(seconds));
        }
        line("B9", who, &figures, "s");
    }
    for who in ["graphile", "pgboss", "dbos"] {
        let mut figures = Figures::default();
        for _ in 0..repeats {
            // None within a minute is none.
            figures.push(peers::figure(who, "b9", &[], "seconds").await);
        }
        line("B9", &format!("{who}, another is started"), &figures, "s");
    }
}

async fn b10(repeats: usize) {
    let (mut free, mut held) = (Figures::default(), Figures::default());
    for _ in 0..repeats {
        free.push(Some(ours::drain("postgres", 1_000, 20, vec![Kind::Migrate], 512).await));
        held.push(Some(ours::drain_under_a_snapshot(1_000, 20).await));
    }
    line("B10", "slipway, nothing held", &free, "jobs/s");
    line("B10", "slipway, a snapshot is held", &held, "jobs/s");
    println!("P14  {:.1} % of the speed is lost", 100.0 * (1.0 - held.median() / free.median()));
    for (who, numbers) in [("graphile", [1_000, 20, 24]), ("pgboss", [1_000, 20, 100])] {
        let (mut free, mut held) = (Figures::default(), Figures::default());
        for _ in 0..repeats {
            free.push(peers::figure(who, "b1", &numbers, "rate").await);
            held.push(peers::figure(who, "b10", &numbers, "rate").await);
        }
        line("B10", &format!("{who}, nothing held"), &free, "jobs/s");
        line("B10", &format!("{who}, a snapshot is held"), &held, "jobs/s");
    }
}

/// What a job costs that no clock says: commits of the database, and instructions of a processor, with SQLite in them. Two
/// sizes of the same work, so that what comes before it and after it falls out.
async fn counts() {
    let commits = ours::commits(1_000, 20).await;
    println!("B1   {commits:.3} commits a job, PostgreSQL, 20,000 jobs of 1,000 customers");
    let instructions = |each: usize| {
        let mut valgrind = std::process::Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        valgrind.arg(std::env::current_exe().unwrap()).args(["drain-once", &each.to_string()]);
        let output = valgrind.output().ok()?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let line = text.lines().find(|l| l.contains("Collected :"))?.to_owned();
        line.rsplit(' ').next()?.parse::<u64>().ok()
    };
    match (instructions(20), instructions(60)) {
        (Some(few), Some(many)) => {
            println!("B1   {} instructions a job, SQLite included", (many - few) / (20 * 40));
        }
        _ => println!("B1   instructions are counted where valgrind is"),
    }
}

/// How much more a job costs among many.
async fn p2(repeats: usize) {
    for database in DATABASES {
        let mut all = Vec::new();
        for (customers, each) in [(100, 40), (1_000, 40), (10_000, 20), (100_000, 10)] {
            let mut figures = Figures::default();
            for _ in 0..repeats {
                figures.push(Some(ours::first_of_many(database, customers, each, 4_000).await));
            }
            line("P2", &format!("{database}, {} of {customers}", customers * each), &figures, "jobs/s");
            all.push(figures.median());
        }
        println!("P2   a job costs {:.2} times as much at the last", all[0] / all[all.len() - 1]);
    }
}

async fn p4(repeats: usize) {
    for database in DATABASES {
        let (mut half, mut tail) = (Figures::default(), Figures::default());
        for _ in 0..repeats {
            let all = ours::next_starts(database, 10_000, 20, 500).await;
            half.push(at(&all, 50));
            tail.push(at(&all, 99));
        }
        line("P4", &format!("{database}, p50 among 200,000 queued"), &half, "ms");
        line("P4", &format!("{database}, p99 among 200,000 queued"), &tail, "ms");
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if let [command, url, marks] = args.as_slice()
        && command == "worker-process"
    {
        return runtime.block_on(recovery::process(url, marks));
    }
    if let [command, each] = args.as_slice()
        && command == "drain-once"
    {
        let each = each.parse().unwrap();
        let _ = runtime.block_on(ours::drain("sqlite", 20, each, vec![Kind::Migrate], 64));
        return;
    }
    let (mut wanted, mut repeats) = (Vec::new(), 3);
    for arg in &args {
        match arg.parse::<usize>() {
            Ok(n) => repeats = n.max(1),
            Err(_) => wanted.push(arg.as_str()),
        }
    }
    if peers::installed().is_none() {
        println!("without the others: `cargo xtask bench queue` installs them");
    }
    println!("the middle of {repeats} (and the least and the most), each in turn");
    let is = |name: &str| wanted.is_empty() || wanted.contains(&name);
    runtime.block_on(async {
        if is("b1") {
            b1(repeats).await;
        }
        if is("b2") {
            b2(repeats).await;
        }
        if is("b3") {
            b3(repeats).await;
        }
        if is("b4") {
            b4(repeats).await;
        }
        if is("b9") {
            b9(repeats).await;
        }
        if is("b10") {
            b10(repeats).await;
        }
        if is("counts") {
            counts().await;
        }
        if is("p2") {
            p2(repeats).await;
        }
        if is("p4") {
            p4(repeats).await;
        }
    });
}
