//! `slipway serve`, `web` and `worker`: what a process is made of, put together and taken down in order.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use app::request::{Demo, Product};
use axum::Router;
use domain::catalogue::Catalogue;
use jobs::{Clock, SystemClock, Worker, WorkerConfig, WorkerHandle};
use provisioning::{
    Control, Facade, Identity, Roads, VcdConfig, VcdProvider, ansible::Ansible, demo_accounts,
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
    static_files,
};

const DEMO_PASSWORD: &str = "slipway-demo";
const EDGES_EVERY: Duration = Duration::from_secs(300);
const EDGES_RETRY: Duration = Duration::from_secs(5);
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
    let jobs = Jobs::start(&store, provider.clone(), catalogue(&args.database)?).await?;
    let facade = facade(&store, &args.database)?.with_cloud(provider);
    let demo = if args.demo { Some(add_demo_accounts(&facade).await?) } else { None };
    let served = serve_pages(&store, facade, demo, &site, args.listen, !args.demo).await;
    jobs.stop().await;
    served
}

/// `slipway web`: the pages of several nodes that share a PostgreSQL. Without a way to the cloud it shows no screens; nothing
/// else of it needs one.
pub async fn web(args: WebArgs) -> anyhow::Result<()> {
    shared_only(&args.database)?;
    let site = static_files::find(args.site_dir.as_deref())?;
    let (_dir, store) = open(&args.database).await?;
    let mut facade = facade(&store, &args.database)?;
    if args.vcd.vcd_url.is_some() {
        let vcd = configured_vcd(&args.vcd, &args.database.data_dir)?;
        facade = facade.with_cloud(Arc::new(VcdProvider::new(vcd)?));
    }
    serve_pages(&store, facade, None, &site, args.listen, true).await
}

/// `slipway worker`: the jobs of several nodes that share a PostgreSQL.
pub async fn worker(args: WorkerArgs) -> anyhow::Result<()> {
    shared_only(&args.database)?;
    let (_dir, store) = open(&args.database).await?;
    let provider = Arc::new(VcdProvider::new(configured_vcd(&args.vcd, &args.database.data_dir)?)?);
    let jobs = Jobs::start(&store, provider, catalogue(&args.database)?).await?;
    info!("running jobs");
    asked_to_stop().await;
    info!("stopping");
    jobs.stop().await;
    Ok(())
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

fn facade(store: &Store, args: &DatabaseArgs) -> anyhow::Result<Facade> {
    Ok(Facade::over(store.clone(), catalogue(args)?, Arc::new(SystemClock)))
}

/// What runs besides the pages.
struct Jobs {
    worker: WorkerHandle,
    edges: JoinHandle<()>,
    observer: JoinHandle<()>,
}

impl Jobs {
    async fn start(store: &Store, provider: Arc<VcdProvider>, catalogue: Catalogue) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let control = Control::new(store.clone(), provider, catalogue, clock.clone());
        if store.is_embedded() {
            // This process owns the folder: whoever held these claims is gone.
            store.claims_release_all().await?;
        }
        store.matrix_agree(clock.now_ms()).await?;
        let registry = Arc::new(control.registry().map_err(anyhow::Error::msg)?);
        let config = WorkerConfig { slots: store.cap(), ..WorkerConfig::new(worker_name()) };
        let worker = Worker::new(Arc::new(store.clone()), registry, clock, config, store.wake()).start();
        let observer = tokio::spawn(provisioning::observe(control.clone()));
        Ok(Self { worker, edges: tokio::spawn(keep_edges(control)), observer })
    }

    async fn stop(self) {
        self.edges.abort();
        self.observer.abort();
        self.worker.stop().await;
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
    site: &Path,
    listen: SocketAddr,
    secure: bool,
) -> anyhow::Result<()> {
    let product = Product { facade, demo: demo.clone(), version: env!("CARGO_PKG_VERSION") };
    let app = router::build(&product, store, site, Edge { secure }).map_err(anyhow::Error::msg)?;
    let sweeping = tokio::spawn(housekeeping(store.clone(), Arc::new(SystemClock)));
    let listener =
        TcpListener::bind(listen).await.with_context(|| format!("{listen} cannot be served on"))?;
    announce(listener.local_addr()?, demo.as_ref());
    let served = serve_until_stopped(listener, app).await;
    info!("stopping");
    sweeping.abort();
    served
}

async fn serve_until_stopped(listener: TcpListener, app: Router) -> anyhow::Result<()> {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = axum::serve(listener, app).with_graceful_shutdown(async {
        let _ = stopped.await;
    });
    let mut server = tokio::spawn(server.into_future());
    tokio::select! {
        ended = &mut server => return Ok(ended??),
        () = asked_to_stop() => {}
    }
    let _ = stop.send(());
    // Streams never end by themselves.
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

/// Reads the pool of edges at start and again now and then.
async fn keep_edges(control: Arc<Control>) {
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
        tokio::time::sleep(pause).await;
    }
}
