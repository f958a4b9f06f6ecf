//! Real processes on one PostgreSQL and one simulated cloud: killed, stopped and let go on, while orders are under way.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{
    JobId,
    draft::WizardStep,
    state::{JobState, Role},
};
use jobs::SystemClock;
use provisioning::{
    Facade, Offers, OrderPlaced, Seen, ServerAnswer, SignIn, Viewer, demo_catalogue, draft_digest,
};
use secrecy::SecretString;
use store::{Store, seal::Sealer};
use tempfile::TempDir;

struct Cluster {
    dir: TempDir,
    database: String,
    cloud: String,
    store: Store,
    facade: Facade,
    sim: Child,
    workers: Vec<Child>,
}

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slipway"));
    command.stdin(Stdio::null()).stderr(Stdio::null()).env("SLIPWAY_LOG", "warn");
    command
}

/// Starts a program and waits for the line that says where it answers.
fn started(mut command: Command) -> (Child, String) {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line =
        lines.map_while(Result::ok).find(|l| l.contains("http://")).expect("it never said where it is");
    let url = line.split_whitespace().find(|w| w.starts_with("http://")).unwrap().to_owned();
    (child, url)
}

/// Huge pages would be held whole for whatever little stands in them.
#[test]
fn the_program_takes_small_pages() {
    let mut sim = program();
    sim.args(["sim", "--listen", "127.0.0.1:0"]);
    let (mut child, _) = started(sim);
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let _ = child.kill();
    let _ = child.wait();
    assert!(status.contains("THP_enabled:\t0"), "{status}");
}

impl Cluster {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().unwrap();
        let database = testkit::postgres::database().await;
        let mut sim = program();
        sim.args(["sim", "--listen", "127.0.0.1:0", "--speed", "30", "--edges", "20", "--state"]);
        sim.arg(dir.path().join("cloud.json"));
        let (sim, cloud) = started(sim);
        let sealer = Sealer::from_file(&dir.path().join("key")).unwrap();
        let store = Store::open_postgres(&database, sealer).await.unwrap();
        let facade =
            Facade::over(store.clone(), Offers::new(demo_catalogue().unwrap()), Arc::new(SystemClock));
        Self { dir, database, cloud, store, facade, sim, workers: Vec::new() }
    }

    fn worker(&mut self) {
        let mut worker = program();
        worker
            .arg("worker")
            .env("SLIPWAY_DATA_DIR", self.dir.path())
            .env("SLIPWAY_DATABASE_URL", &self.database);
        worker
            .env("SLIPWAY_VCD_URL", &self.cloud)
            .env("SLIPWAY_VCD_GUESTS", &self.cloud)
            .env("SLIPWAY_VCD_ORG", "acme")
            .env("SLIPWAY_VCD_VDC", "acme-vdc");
        worker.env("SLIPWAY_VCD_USER", "acme-admin").env("SLIPWAY_VCD_PASSWORD", "simulator");
        self.workers.push(worker.stdout(Stdio::null()).spawn().unwrap());
    }

    fn kill(&mut self, n: usize) {
        let mut worker = self.workers.remove(n);
        worker.kill().unwrap();
        worker.wait().unwrap();
    }

    fn signal(&self, n: usize, signal: &str) {
        let id = self.workers[n].id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    async fn viewer(&self, email: &str) -> Viewer {
        let password = || SecretString::from("correct horse battery");
        assert!(self.facade.account_add(email, "Somebody", Role::Customer, password()).await.unwrap());
        match self.facade.sign_in(email, password()).await.unwrap() {
            SignIn::In(account) => self.facade.viewer(account.id).await.unwrap().unwrap(),
            other => panic!("{other:?}"),
        }
    }

    async fn order(&self, viewer: &Viewer) -> JobId {
        self.order_with(viewer, "").await
    }

    async fn order_with(&self, viewer: &Viewer, panel: &str) -> JobId {
        let customer = viewer.customer().unwrap();
        let draft = self.facade.draft_start(customer).await.unwrap();
        let saved =
            self.facade.draft_save(draft, customer, WizardStep::Panel, None, |v| v.panel = panel.into());
        saved.await.unwrap();
        let found = self.facade.draft(draft, customer).await.unwrap().unwrap().draft;
        let total_minor = self.facade.draft_quote(&found.values).unwrap().1.total_minor;
        let seen = Seen { total_minor, digest: draft_digest(&found) };
        match self.facade.order_place(viewer, draft, true, &seen, "test").await.unwrap() {
            OrderPlaced::Accepted(job) => job,
            other => panic!("{other:?}"),
        }
    }

    async fn until_done(&self, jobs: &[JobId], seconds: u64) {
        let until = Instant::now() + Duration::from_secs(seconds);
        for job in jobs {
            loop {
                let now = self.store.job(*job).await.unwrap().unwrap();
                if now.state == JobState::Succeeded {
                    break;
                }
                assert!(!now.state.is_over(), "{} is {}: {:?}", now.number, now.state, now.detail);
                assert!(Instant::now() < until, "{} is still {}: {:?}", now.number, now.state, now.steps);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Every guest by its machine's name: how often it has booted, and for how long it is up, cloud ms.
    async fn guests(&self) -> HashMap<String, (i64, i64)> {
        let guests = reqwest::get(format!("{}/sim/guests", self.cloud)).await.unwrap().text().await.unwrap();
        let guests: Vec<serde_json::Value> = serde_json::from_str(&guests).unwrap();
        let number = |g: &serde_json::Value, name: &str| g[name].as_i64().unwrap_or_default();
        let one = |g: &serde_json::Value| {
            (g["name"].as_str().unwrap().to_owned(), (number(g, "boots"), number(g, "up_for_ms")))
        };
        guests.iter().map(one).collect()
    }

    /// What the cloud's own page counts under a heading.
    async fn cloud_holds(&self, what: &str) -> usize {
        let page = reqwest::get(&self.cloud).await.unwrap().text().await.unwrap();
        let (_, after) = page.split_once(&format!("<h2>{what} (")).expect("the page has no such heading");
        after.split(')').next().unwrap().parse().unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for child in self.workers.iter_mut().chain([&mut self.sim]) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_are_killed_and_stopped_and_every_order_is_one_server() {
    let mut cluster = Cluster::start().await;
    for _ in 0..3 {
        cluster.worker();
    }
    let mut orders = Vec::new();
    for n in 0..4 {
        let viewer = cluster.viewer(&format!("customer{n}@test")).await;
        orders.push(cluster.order(&viewer).await);
        orders.push(cluster.order(&viewer).await);
    }
    for round in 0..4 {
        tokio::time::sleep(Duration::from_millis(1700 + 600 * round)).await;
        cluster.kill(0);
        cluster.worker();
    }
    // A zombie: it stands still until its claims have expired, and then goes on as if nothing had happened.
    cluster.signal(0, "-STOP");
    tokio::time::sleep(Duration::from_secs(10)).await;
    cluster.signal(0, "-CONT");
    cluster.until_done(&orders, 150).await;

    for job in &orders {
        let mut done: HashMap<String, usize> = HashMap::new();
        for event in cluster.store.job_events(*job, 1000).await.unwrap() {
            if event.what == "step_done" {
                *done.entry(event.step.unwrap()).or_default() += 1;
            }
        }
        assert!(done.values().all(|n| *n == 1), "a step was finished twice: {done:?}");
    }
    assert_eq!(cluster.store.edge_conflicts().await.unwrap(), 0);
    assert_eq!((cluster.cloud_holds("Networks").await, cluster.cloud_holds("VMs").await), (8, 8));
    assert_eq!(cluster.cloud_holds("vApps").await, 4);
}

/// Servers end while whoever works on it is killed, again and again: their neighbours have run on all the time.
#[tokio::test(flavor = "multi_thread")]
async fn workers_are_killed_in_migrations_and_neighbours_never_stop() {
    let mut cluster = Cluster::start().await;
    for _ in 0..2 {
        cluster.worker();
    }
    let (mut viewers, mut orders) = (Vec::new(), Vec::new());
    for n in 0..3 {
        let viewer = cluster.viewer(&format!("customer{n}@test")).await;
        for _ in 0..3 {
            orders.push(cluster.order(&viewer).await);
        }
        viewers.push(viewer);
    }
    cluster.until_done(&orders, 150).await;
    let before = cluster.guests().await;
    let mut ends = Vec::new();
    for viewer in &viewers {
        let servers = cluster.store.servers_of(viewer.customer().unwrap()).await.unwrap();
        let (id, name) = (servers[1].id, &servers[1].name);
        match cluster.facade.server_terminate(viewer, id, name, &id.to_string(), "test").await.unwrap() {
            ServerAnswer::Accepted(job) => ends.push(job),
            other => panic!("{other:?}"),
        }
    }
    for round in 0..6 {
        tokio::time::sleep(Duration::from_millis(500 + 170 * round)).await;
        cluster.kill(0);
        cluster.worker();
    }
    cluster.until_done(&ends, 150).await;
    let after = cluster.guests().await;
    assert_eq!(after.len(), 6);
    for (name, (boots, up_ms)) in after {
        let (boots_before, up_before) = before[&name];
        assert_eq!(boots, boots_before, "{name} has booted");
        assert!(up_ms > up_before, "{name} has stopped");
    }
    assert_eq!(cluster.store.edge_conflicts().await.unwrap(), 0);
    assert_eq!((cluster.cloud_holds("Networks").await, cluster.cloud_holds("VMs").await), (6, 6));
    assert_eq!(cluster.cloud_holds("vApps").await, 3);
}

/// A panel is installed once, though whoever installs it is killed in the midst of it.
#[tokio::test(flavor = "multi_thread")]
async fn an_installation_goes_on_where_its_worker_was_killed() {
    let mut cluster = Cluster::start().await;
    cluster.worker();
    let viewer = cluster.viewer("anna@test").await;
    let order = cluster.order_with(&viewer, "ispmanager").await;
    let panel = cluster.store.job_needing(order).await.unwrap().expect("no panel is installed");
    for _ in 0..2 {
        let seen = cluster.store.job_log(panel, 1000).await.unwrap().len();
        let until = Instant::now() + Duration::from_secs(60);
        while cluster.store.job_log(panel, 1000).await.unwrap().len() == seen {
            assert!(Instant::now() < until, "nothing is installed");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        cluster.kill(0);
        cluster.worker();
    }
    cluster.until_done(&[order, panel], 120).await;
    let guests = reqwest::get(format!("{}/sim/guests", cluster.cloud)).await.unwrap().text().await.unwrap();
    let guests: Vec<serde_json::Value> = serde_json::from_str(&guests).unwrap();
    assert_eq!(guests[0]["panel"]["state"], "done");
    assert!(!guests[0]["accounts"].to_string().contains("slipway-job"), "{}", guests[0]);
    assert!(cluster.store.way(panel).await.unwrap().is_none());
    let steps = cluster.store.job(panel).await.unwrap().unwrap().steps;
    assert!(steps.iter().any(|s| s.key == "panel_install" && s.attempt >= 3), "{steps:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_asked_to_end_lets_go_at_once() {
    let mut cluster = Cluster::start().await;
    cluster.worker();
    let viewer = cluster.viewer("anna@test").await;
    let order = cluster.order(&viewer).await;
    while cluster.store.job(order).await.unwrap().unwrap().started_at.is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    cluster.signal(0, "-TERM");
    let status = cluster.workers.remove(0).wait().unwrap();
    assert!(status.success(), "{status}");
    let asked = Instant::now();
    cluster.worker();
    loop {
        let events = cluster.store.job_events(order, 1000).await.unwrap();
        if events.iter().filter(|e| e.what == "claimed").count() > 1 {
            break;
        }
        assert!(asked.elapsed() < Duration::from_secs(5), "the claim was not given back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    cluster.until_done(&[order], 60).await;
}

#[tokio::test]
async fn nodes_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let said = |args: &[&str], variable: (&str, &str)| {
        let mut command = program();
        let output = command
            .args(args)
            .env("SLIPWAY_DATA_DIR", dir.path())
            .env(variable.0, variable.1)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let none = ("SLIPWAY_NONE", "");
    assert!(said(&["worker"], none).contains("--database-url"));
    let database = testkit::postgres::database().await;
    // The first node's key is the database's.
    drop(Store::open_postgres(&database, Sealer::new(&[7; 32])).await.unwrap());
    let site = dir.path().join("site");
    std::fs::create_dir(&site).unwrap();
    let wrong = said(&["worker"], ("SLIPWAY_DATABASE_URL", &database));
    assert!(wrong.contains("every node needs the same file `key`"), "{wrong}");
    let nobody = said(&["worker"], ("SLIPWAY_DATABASE_URL", "postgres://nobody@127.0.0.1:9/none"));
    assert!(nobody.contains("PostgreSQL cannot be used"), "{nobody}");
}

#[tokio::test]
async fn fsck_looks_at_a_database_in_use_and_cannot_write() {
    let dir = tempfile::tempdir().unwrap();
    let fsck = |variable: (&str, &str)| {
        let output = program()
            .arg("fsck")
            .env("SLIPWAY_DATA_DIR", dir.path())
            .env(variable.0, variable.1)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.success(), said)
    };
    let none = ("SLIPWAY_NONE", "");
    let (well, said) = fsck(none);
    assert!(!well && said.contains("there is no database"), "{said}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing was made");

    let file = dir.path().join("slipway.db");
    let _used = Store::open_sqlite(&file, Sealer::new(&[7; 32])).await.unwrap();
    let (well, said) = fsck(none);
    assert!(well && said.contains("Everything is as it must be"), "{said}");

    let postgres = testkit::postgres::database().await;
    let (well, said) = fsck(("SLIPWAY_DATABASE_URL", &postgres));
    assert!(!well && said.contains("not of this version"), "{said}");
    let _used = Store::open_postgres(&postgres, Sealer::new(&[7; 32])).await.unwrap();
    let (well, said) = fsck(("SLIPWAY_DATABASE_URL", &postgres));
    assert!(well && said.contains("Everything is as it must be"), "{said}");

    for url in [format!("sqlite://{}?mode=rw", file.display()), postgres] {
        let looks = Store::open_to_look(&url).await.unwrap();
        let refused = looks.matrix_agree(0).await.unwrap_err().to_string();
        assert!(refused.to_lowercase().contains("read"), "{refused}");
    }
}
