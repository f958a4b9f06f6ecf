//! `slipway serve`, `web` and `worker`: what a process is made of, put together and taken down in order.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use app::request::{Demo, Product};
use axum::Router;
use domain::catalogue::Catalogue;
use jobs::{Clock, SystemClock, Worker, WorkerConfig, WorkerHandle};
use provisioning::{
    Control, Facade, Identity, Offers, Roads, VcdConfig, VcdProvider, ansible::Ansible, demo_accounts,
    demo_catalogue, housekeeping, read_catalogue,
};
use secrecy::SecretString;
use store::{Matrix, Store, seal::Sealer};
use tokio::{net::TcpListener, task::JoinHandle};
use tracing::{info, warn};
use vcd_sim::Simulator;

use crate::{
    admin,
    config::{AlmaLinuxAs, DatabaseArgs, FsckArgs, ServeArgs, VcdArgs, WebArgs, WorkerArgs},
    data_dir::{self, DataDir},
    router::{self, Edge},
    say::say,
    static_files, wire,
};

const DEMO_PASSWORD: &str = "slipway-demo";
const EDGES_EVERY: Duration = Duration::from_secs(300);
const EDGES_RETRY: Duration = Duration::from_secs(5);
/// How soon a wish that the pool be read now is seen.
const EDGES_WISH: Duration = Duration::from_secs(2);
/// How soon a change of the catalogue is seen.
const OFFERS_EVERY: Duration = Duration::from_secs(2);
/// How often a process that runs jobs says that it is there.
const WORKER_SAYS: Duration = Duration::from_secs(5);
/// One that says nothing for so long is forgotten, ms.
const WORKER_FORGOTTEN: i64 = 24 * 3_600_000;
/// Open streams are cut after this: they reconnect to the next process.
const DRAIN: Duration = Duration::from_secs(3);

/// `slipway serve`: pages and jobs in one process.
pub async fn run(args: ServeArgs) -> anyhow::Result<()> {
    if args.demo && !args.listen.ip().is_loopback() {
        bail!("the demo serves on loopback only: its accounts and their password are public");
    }
    if args.demo && args.database.database_url.is_some() {
        bail!("the demo keeps everything in its data folder: leave --database-url out");
    }
    if args.demo && !(args.sim_speed.is_finite() && args.sim_speed > 0.0) {
        bail!("--sim-speed must be a number above 0");
    }
    let site = static_files::find(args.site_dir.as_deref())?;
    if args.database.database_url.is_none() {
        data_dir::keep_demo_apart(&args.database.data_dir, args.demo)?;
    }
    let (dir, store) = open(&args.database).await?;
    let _admin = admin::Listening::start(&dir, &store)?;
    let vcd = if args.demo {
        start_simulator(&args, &dir).await?
    } else {
        configured_vcd(&args.vcd, &args.database.data_dir)?
    };
    let provider = Arc::new(VcdProvider::new(vcd)?);
    let offers = offers(&store, &args.database).await?;
    let jobs = Jobs::start(&store, provider.clone(), offers.clone()).await?;
    let facade = Facade::over(store.clone(), offers, Arc::new(SystemClock)).with_cloud(provider);
    let demo = if args.demo { Some(add_demo_accounts(&facade).await?) } else { None };
    let config = describe(&args.database, &args.vcd, args.demo, args.listen);
    let served = serve_pages(&store, facade, demo, config, &site, args.listen, !args.demo).await;
    jobs.stop().await;
    served
}

/// `slipway web`: the pages of several nodes that share a PostgreSQL. Without a way to the cloud it shows no screens; nothing
/// else of it needs one.
pub async fn web(args: WebArgs) -> anyhow::Result<()> {
    shared_only(&args.database)?;
    let site = static_files::find(args.site_dir.as_deref())?;
    let (_dir, store) = open(&args.database).await?;
    let offers = offers(&store, &args.database).await?;
    let mut facade = Facade::over(store.clone(), offers, Arc::new(SystemClock));
    if args.vcd.vcd_url.is_some() {
        let vcd = configured_vcd(&args.vcd, &args.database.data_dir)?;
        facade = facade.with_cloud(Arc::new(VcdProvider::new(vcd)?));
    }
    let config = describe(&args.database, &args.vcd, false, args.listen);
    serve_pages(&store, facade, None, config, &site, args.listen, true).await
}

/// `slipway worker`: the jobs of several nodes that share a PostgreSQL.
pub async fn worker(args: WorkerArgs) -> anyhow::Result<()> {
    shared_only(&args.database)?;
    let (_dir, store) = open(&args.database).await?;
    let provider = Arc::new(VcdProvider::new(configured_vcd(&args.vcd, &args.database.data_dir)?)?);
    let jobs = Jobs::start(&store, provider, offers(&store, &args.database).await?).await?;
    info!("running jobs");
    asked_to_stop().await;
    info!("stopping");
    jobs.stop().await;
    Ok(())
}

/// How this process is configured, for administrators to read. No secret is in it.
fn describe(
    database: &DatabaseArgs,
    vcd: &VcdArgs,
    demo: bool,
    listen: SocketAddr,
) -> Vec<(&'static str, String)> {
    let file = |path: &Option<std::path::PathBuf>| path.as_ref().map(|p| p.display().to_string());
    let given = |value: &Option<String>| value.clone().filter(|_| !demo);
    let cloud = database.cloud_jobs_at_once.unwrap_or(database.jobs_at_once);
    let all = [
        ("listen", Some(listen.to_string())),
        ("data", Some(database.data_dir.display().to_string())),
        ("database", Some(database.database_url.as_deref().map_or_else(|| "SQLite".to_owned(), masked))),
        ("matrix", file(&database.matrix)),
        ("catalogue", file(&database.catalogue)),
        ("jobs-at-once", Some(database.jobs_at_once.to_string())),
        ("cloud-jobs-at-once", Some(cloud.to_string())),
        ("panels-at-once", Some(vcd.panels_at_once.to_string())),
        ("vcd", given(&vcd.vcd_url)),
        ("vcd-org", given(&vcd.vcd_org)),
        ("vcd-vdc", given(&vcd.vcd_vdc)),
        ("vcd-user", given(&vcd.vcd_user)),
        ("vcd-password", given(&vcd.vcd_url).map(|_| "••••".to_owned())),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// The address of a database without what it is opened with.
fn masked(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (who, host) = address.rsplit_once('@').unwrap_or(("", address));
    let user = who.split(':').next().unwrap_or_default();
    let user = if user.is_empty() { String::new() } else { format!("{user}:••••@") };
    // What stands in the query may be a password too.
    let query = if query.is_empty() { "" } else { "?••••" };
    format!("{scheme}://{user}{host}{query}")
}

fn shared_only(database: &DatabaseArgs) -> anyhow::Result<()> {
    if database.database_url.is_none() {
        bail!(
            "pages and jobs apart need a database they can share: give --database-url, or use `slipway serve`"
        );
    }
    Ok(())
}

pub(crate) async fn open(args: &DatabaseArgs) -> anyhow::Result<(DataDir, Store)> {
    let dir = match &args.database_url {
        None => DataDir::open(&args.data_dir)?,
        Some(_) => DataDir::shared(&args.data_dir)?,
    };
    let sealer = Sealer::from_file(&dir.file("key")).context("the sealing key cannot be read")?;
    let store = match &args.database_url {
        None => Store::open_sqlite(&dir.file("slipway.db"), sealer).await?,
        Some(url) => Store::open_postgres(url, sealer).await.context("PostgreSQL cannot be used")?,
    };
    let store = store.with_cap(args.jobs_at_once);
    let store = match args.cloud_jobs_at_once {
        Some(most) => store.with_provider_cap(provisioning::VCD, most),
        None => store,
    };
    Ok((dir, with_matrix(store, args)?))
}

fn with_matrix(store: Store, args: &DatabaseArgs) -> anyhow::Result<Store> {
    Ok(match &args.matrix {
        None => store,
        Some(file) => store.with_matrix(read_matrix(file)?),
    })
}

fn read_matrix(file: &Path) -> anyhow::Result<Matrix> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    Matrix::parse_for_kinds(&text).with_context(|| file.display().to_string())
}

/// `slipway fsck`: looks, and changes nothing, whether or not others use the database.
pub async fn fsck(args: FsckArgs) -> anyhow::Result<()> {
    let args = args.database;
    let url = match &args.database_url {
        Some(url) => url.clone(),
        None => {
            let file = args.data_dir.join("slipway.db");
            if !file.exists() {
                bail!(
                    "there is no database in {}: give --data-dir or --database-url",
                    args.data_dir.display()
                );
            }
            format!("sqlite://{}?mode=rw", file.display())
        }
    };
    let store = with_matrix(Store::open_to_look(&url).await?, &args)?;
    let findings = store.fsck().await?;
    for finding in &findings {
        say(&format!("{}: {}", finding.rule, finding.what));
    }
    match findings.len() {
        0 => {
            say("Everything is as it must be.");
            Ok(())
        }
        n => bail!("{n} things are not as they must be"),
    }
}

fn catalogue(args: &DatabaseArgs) -> anyhow::Result<Catalogue> {
    let Some(file) = &args.catalogue else { return demo_catalogue().map_err(anyhow::Error::msg) };
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    read_catalogue(&text).map_err(anyhow::Error::msg).with_context(|| file.display().to_string())
}

/// What is offered: the file with what was changed in it.
async fn offers(store: &Store, args: &DatabaseArgs) -> anyhow::Result<Arc<Offers>> {
    let offers = Offers::new(catalogue(args)?);
    offers.refresh(store, SystemClock.now_ms()).await?;
    Ok(offers)
}

/// What runs besides the pages.
struct Jobs {
    worker: WorkerHandle,
    edges: JoinHandle<()>,
    observer: JoinHandle<()>,
    says: JoinHandle<()>,
    fresh: JoinHandle<()>,
    store: Store,
    name: String,
}

impl Jobs {
    async fn start(store: &Store, provider: Arc<VcdProvider>, offers: Arc<Offers>) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let fresh = tokio::spawn(keep_offers(offers.clone(), store.clone()));
        let control = Control::new(store.clone(), provider, offers, clock.clone());
        if store.is_embedded() {
            // This process owns the folder: whoever held these claims is gone.
            store.claims_release_all().await?;
        }
        store.matrix_agree(clock.now_ms()).await?;
        let registry = Arc::new(control.registry().map_err(anyhow::Error::msg)?);
        let name = worker_name();
        let slots = store.cap();
        if store.is_embedded() {
            store.workers_purge(i64::MAX).await?;
        }
        let says = tokio::spawn(say_there(store.clone(), name.clone(), slots as i64, clock.clone()));
        let config = WorkerConfig { slots, ..WorkerConfig::new(name.clone()) };
        let worker = Worker::new(Arc::new(store.clone()), registry, clock, config, store.wake()).start();
        let observer = tokio::spawn(provisioning::observe(control.clone()));
        let edges = tokio::spawn(keep_edges(control, store.clone()));
        Ok(Self { worker, edges, observer, says, fresh, store: store.clone(), name })
    }

    async fn stop(self) {
        self.edges.abort();
        self.observer.abort();
        self.fresh.abort();
        self.worker.stop().await;
        self.says.abort();
        if let Err(e) = self.store.worker_gone(&self.name).await {
            warn!("this process could not be taken off the list of those that run jobs: {e}");
        }
    }
}

/// Names this process in claims: unique among all nodes.
fn worker_name() -> String {
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let host = host.trim();
    let host = if host.is_empty() { "node" } else { host };
    let mut random = [0; 4];
    let _ = getrandom::fill(&mut random);
    format!("{host}-{}-{:08x}", std::process::id(), u32::from_le_bytes(random))
}

async fn serve_pages(
    store: &Store,
    facade: Facade,
    demo: Option<Demo>,
    config: Vec<(&'static str, String)>,
    site: &Path,
    listen: SocketAddr,
    secure: bool,
) -> anyhow::Result<()> {
    let product = Product { facade, demo: demo.clone(), version: env!("CARGO_PKG_VERSION"), config };
    let app = router::build(&product, store, site, Edge { secure }).map_err(anyhow::Error::msg)?;
    let fresh = tokio::spawn(keep_offers(product.facade.offers(), store.clone()));
    let sweeping = tokio::spawn(housekeeping(store.clone(), Arc::new(SystemClock)));
    let listener =
        TcpListener::bind(listen).await.with_context(|| format!("{listen} cannot be served on"))?;
    announce(listener.local_addr()?, demo.as_ref());
    let served = serve_until_stopped(listener, app).await;
    info!("stopping");
    sweeping.abort();
    fresh.abort();
    served
}

async fn serve_until_stopped(listener: TcpListener, app: Router) -> anyhow::Result<()> {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut server = tokio::spawn(wire::serve(listener, app, async {
        let _ = stopped.await;
    }));
    tokio::select! {
        ended = &mut server => return Ok(ended?),
        () = asked_to_stop() => {}
    }
    let _ = stop.send(());
    // Somebody may take his time to read what he asked for.
    let _ = tokio::time::timeout(DRAIN, server).await;
    Ok(())
}

pub(crate) async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

fn announce(address: SocketAddr, demo: Option<&Demo>) {
    say(&format!("Slipway is ready on http://{address}"));
    if let Some(demo) = demo {
        say(&format!("Demo accounts, each with the password {}:", demo.password));
        for account in &demo.accounts {
            say(&format!("  {account}"));
        }
    }
}

async fn start_simulator(args: &ServeArgs, dir: &DataDir) -> anyhow::Result<VcdConfig> {
    let config = vcd_sim::Config {
        state: Some(dir.file("cloud.json")),
        edges: args.sim_edges,
        speed: args.sim_speed,
        ..vcd_sim::Config::default()
    };
    let simulator = Simulator::open(config).context("the demo's cloud cannot be opened")?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    info!("the simulated cloud answers on {url}");
    tokio::spawn(async move {
        if let Err(e) = simulator.serve(listener).await {
            warn!("the simulated cloud stopped: {e}");
        }
    });
    let config = VcdConfig::tenant(&url, "acme", "acme-admin", SecretString::from("simulator"), "acme-vdc");
    Ok(VcdConfig { roads: Roads::Simulated(url), ..config })
}

pub(crate) fn configured_vcd(vcd: &VcdArgs, data_dir: &Path) -> anyhow::Result<VcdConfig> {
    let need = |value: &Option<String>, name: &str| {
        value.clone().with_context(|| format!("no platform: give {name}, or try --demo"))
    };
    let password =
        std::env::var("SLIPWAY_VCD_PASSWORD").context("no platform password: set SLIPWAY_VCD_PASSWORD")?;
    let config = VcdConfig::tenant(
        &need(&vcd.vcd_url, "--vcd-url")?,
        &need(&vcd.vcd_org, "--vcd-org")?,
        &need(&vcd.vcd_user, "--vcd-user")?,
        SecretString::from(password),
        &need(&vcd.vcd_vdc, "--vcd-vdc")?,
    );
    let almalinux_as = match vcd.almalinux_as {
        AlmaLinuxAs::Own => Identity::Own,
        AlmaLinuxAs::Centos => Identity::CentOs,
    };
    let config = VcdConfig { almalinux_as, ..config };
    Ok(match &vcd.vcd_guests {
        Some(cloud) => VcdConfig { roads: Roads::Simulated(cloud.clone()), ..config },
        None => {
            let ansible = Ansible::new(&data_dir.join("ansible"), vcd.panels_at_once as usize);
            VcdConfig { roads: Roads::Network(Some(ansible)), ..config }
        }
    })
}

async fn add_demo_accounts(facade: &Facade) -> anyhow::Result<Demo> {
    let mut accounts = Vec::new();
    for (email, name, role) in demo_accounts() {
        facade
            .account_add(email, name, role, SecretString::from(DEMO_PASSWORD))
            .await
            .map_err(anyhow::Error::msg)?;
        accounts.push(email.to_owned());
    }
    Ok(Demo { accounts, password: DEMO_PASSWORD.into() })
}

/// Reads the pool of edges at start, again now and then, and when somebody asks for it.
async fn keep_edges(control: Arc<Control>, store: Store) {
    loop {
        let pause = match control.edges_import().await {
            Ok(n) => {
                info!("{n} edges in the pool");
                EDGES_EVERY
            }
            Err(e) => {
                warn!("the pool of edges could not be read: {e}");
                EDGES_RETRY
            }
        };
        let until = tokio::time::Instant::now() + pause;
        while tokio::time::Instant::now() < until {
            tokio::time::sleep(EDGES_WISH.min(pause)).await;
            match store.edges_wanted_since().await {
                Ok(Some(_)) => break,
                Ok(None) => {}
                Err(e) => warn!("whether the pool is to be read is not known: {e}"),
            }
        }
    }
}

/// Takes in what of the catalogue was changed elsewhere, or has begun.
async fn keep_offers(offers: Arc<Offers>, store: Store) {
    loop {
        tokio::time::sleep(OFFERS_EVERY).await;
        if let Err(e) = offers.refresh(&store, SystemClock.now_ms()).await {
            warn!("whether the catalogue has changed is not known: {e}");
        }
    }
}

/// Says now and then that this process is there.
async fn say_there(store: Store, name: String, slots: i64, clock: Arc<dyn Clock>) {
    let began = clock.now_ms();
    loop {
        let now = clock.now_ms();
        let said = store.worker_seen(&name, began, slots, env!("CARGO_PKG_VERSION"), now).await;
        if let Err(e) = said {
            warn!("this process could not say that it is there: {e}");
        }
        let _ = store.workers_purge(now - WORKER_FORGOTTEN).await;
        tokio::time::sleep(WORKER_SAYS).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_described() {
        for (url, shown) in [
            (
                "postgres://slipway:s3cr3t@db.test:5432/slipway",
                "postgres://slipway:••••@db.test:5432/slipway",
            ),
            ("postgres://db.test/slipway", "postgres://db.test/slipway"),
            ("postgres://u:a@b@db.test/x?password=s3cr3t", "postgres://u:••••@db.test/x?••••"),
        ] {
            assert_eq!(masked(url), shown);
        }
    }
}
