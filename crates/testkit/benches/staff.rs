//! What the staff's list of jobs costs with ten million jobs in it (`JOBS`), on both databases: each filter of the page, the
//! counts above it, and a page far back.
//!
//! The rows are those of `store::measure_list`.

#![allow(clippy::print_stdout, reason = "its figures are its output")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use domain::state::Role;
use jobs::{Clock, SystemClock};
use provisioning::{Account, Facade, Offers, Viewer, demo_catalogue};
use store::{Store, seal::Sealer};

const ROUNDS: usize = 20;

struct Site {
    facade: Facade,
    viewer: Viewer,
}

/// Milliseconds, the middle and the worst of some rounds, and how many jobs came.
async fn measured<T>(mut ask: impl AsyncFnMut() -> T) -> (f64, f64, T) {
    let mut took = Vec::new();
    let mut last = None;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        last = Some(ask().await);
        took.push(began.elapsed());
    }
    took.sort_unstable();
    let ms = |d: Duration| d.as_secs_f64() * 1000.0;
    (ms(took[ROUNDS / 2]), ms(took[ROUNDS - 1]), last.unwrap())
}

impl Site {
    async fn open(store: Store) -> Self {
        let facade = Facade::over(store, Offers::new(demo_catalogue().unwrap()), Arc::new(SystemClock));
        let account = Account {
            id: domain::AccountId(uuid::Uuid::now_v7()),
            email: "olga@shop.test".into(),
            name: "Olga".into(),
            role: Role::Support,
        };
        Self { facade, viewer: Viewer { account, seen_by: None } }
    }

    async fn report(&self, what: &str, jobs: i64, now: i64) {
        let half = format!("#{}", jobs / 2);
        let asked = [
            ("", None),
            ("", Some(jobs / 2)),
            ("state:queued", None),
            ("state:running", None),
            ("state:retry_wait", None),
            ("state:parked", None),
            ("state:failed", None),
            ("state:failed", Some(jobs / 2)),
            ("state:stuck", None),
            ("state:cancelled", None),
            ("state:succeeded", None),
            ("kind:activate", None),
            ("kind:migrate", None),
            ("customer:customer77@shop27.test", None),
            ("customer:customer1@shop1.test", None),
            ("customer:customer1@shop1.test state:failed", None),
            ("customer:shop27.test", None),
            ("step:step_3", None),
            ("state:failed step:step_3 error:\"not ended\"", None),
            ("state:failed step:nowhere", None),
            ("error:nowhere", None),
            ("state:failed error:nowhere", None),
            ("since:2h", None),
            ("web-4711", None),
            (half.as_str(), None),
            ("is:slow", None),
            ("assigned:me", None),
        ];
        println!("\n{what}, {jobs} jobs\n\n| asked | jobs | middle, ms | worst, ms |\n|---|---|---|---|");
        for (text, before) in asked {
            let ask = async || self.facade.staff_jobs(&self.viewer, text, before, 50).await.unwrap().unwrap();
            let (middle, worst, list) = measured(ask).await;
            let from = before.map_or(String::new(), |n| format!(" from #{n}"));
            println!("| `{text}`{from} | {} | {middle:.1} | {worst:.1} |", list.rows.len());
        }
        let day = now - 86_400_000;
        let (middle, worst, counts) =
            measured(async || self.facade.staff_job_counts(&self.viewer, day).await.unwrap().unwrap()).await;
        println!("| counts by state | {} | {middle:.1} | {worst:.1} |", counts.len());
        let (middle, worst, slow) =
            measured(async || self.facade.slow_jobs(&self.viewer).await.unwrap().unwrap()).await;
        println!("| slow ones | {} | {middle:.1} | {worst:.1} |", slow.len());
    }
}

#[tokio::main]
async fn main() {
    let jobs = std::env::var("JOBS").ok().and_then(|n| n.parse().ok()).unwrap_or(10_000_000);
    let only = std::env::var("ONLY").unwrap_or_default();
    let now = SystemClock.now_ms();
    let sealer = || Sealer::new(&[7; 32]);
    if only != "sqlite" {
        let url = testkit::postgres::database().await;
        let store = Store::open_postgres(&url, sealer()).await.unwrap();
        let began = Instant::now();
        store.fill_with_jobs(jobs, now).await.unwrap();
        println!("PostgreSQL filled in {} s", began.elapsed().as_secs());
        Site::open(store).await.report("PostgreSQL", jobs, now).await;
        if std::env::var_os("KEEP").is_none() {
            testkit::postgres::drop_database(&url).await;
        }
    }
    if only != "postgres" {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("db");
        let store = Store::open_sqlite(&file, sealer()).await.unwrap();
        let began = Instant::now();
        store.fill_with_jobs(jobs, now).await.unwrap();
        println!("SQLite filled in {} s", began.elapsed().as_secs());
        Site::open(store).await.report("SQLite", jobs, now).await;
    }
}
