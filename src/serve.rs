//! `slipway serve`: everything in one process, put together and taken down in order.

use std::{io::Read, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, bail};
use app::request::{Demo, Product};
use axum::Router;
use jobs::{Clock, SystemClock, Worker, WorkerConfig};
use provisioning::{Control, Facade, VcdConfig, VcdProvider, demo_accounts, demo_catalogue, housekeeping};
use secrecy::SecretString;
use store::{Store, seal::Sealer};
use tokio::net::TcpListener;
use tracing::{info, warn};
use vcd_sim::Simulator;

use crate::{
    config::{AccountArgs, ServeArgs},
    data_dir::DataDir,
    router::{self, Edge},
    static_files,
};

const DEMO_PASSWORD: &str = "slipway-demo";
const EDGES_EVERY: Duration = Duration::from_secs(300);
const EDGES_RETRY: Duration = Duration::from_secs(5);
/// Open streams are cut after this: they reconnect to the next process.
const DRAIN: Duration = Duration::from_secs(3);

pub async fn run(args: ServeArgs) -> anyhow::Result<()> {
    if args.demo && !args.listen.ip().is_loopback() {
        bail!("the demo serves on loopback only: its accounts and their password are public");
    }
    let site = static_files::find(args.site_dir.as_deref())?;
    let dir = DataDir::open(&args.data_dir)?;
    let sealer = Sealer::from_file(&dir.file("key")).context("the sealing key cannot be read")?;
    let store = Store::open_sqlite(&dir.file("slipway.db"), sealer).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);

    let vcd = if args.demo { start_simulator(&args, &dir).await? } else { configured_vcd(&args)? };
    let provider = Arc::new(VcdProvider::new(vcd)?);
    let catalogue = demo_catalogue().map_err(anyhow::Error::msg)?;
    let control = Control::new(store.clone(), provider, catalogue, clock.clone());
    let facade = Facade::new(&control);
    let demo = if args.demo { Some(add_demo_accounts(&facade).await?) } else { None };
    let product = Product { facade, demo: demo.clone(), version: env!("CARGO_PKG_VERSION") };
    let app =
        router::build(&product, &store, &site, Edge { secure: !args.demo }).map_err(anyhow::Error::msg)?;

    // This process owns the folder: whoever held these claims is gone.
    store.claims_release_all().await?;
    let worker = Worker::new(
        Arc::new(store.clone()),
        Arc::new(control.registry().map_err(anyhow::Error::msg)?),
        clock.clone(),
        WorkerConfig::new(format!("pid-{}", std::process::id())),
        store.wake(),
    )
    .start();
    let edges = tokio::spawn(keep_edges(control));
    let sweeping = tokio::spawn(housekeeping(store.clone(), clock));

    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("{} cannot be served on", args.listen))?;
    announce(listener.local_addr()?, demo.as_ref());
    serve_until_stopped(listener, app).await?;
    info!("stopping");
    edges.abort();
    sweeping.abort();
    worker.stop().await;
    Ok(())
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

#[allow(clippy::print_stdout)]
fn announce(address: SocketAddr, demo: Option<&Demo>) {
    println!("Slipway is ready on http://{address}");
    if let Some(demo) = demo {
        println!("Demo accounts, each with the password {}:", demo.password);
        for account in &demo.accounts {
            println!("  {account}");
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
    Ok(VcdConfig::tenant(&url, "acme", "acme-admin", SecretString::from("simulator"), "acme-vdc"))
}

fn configured_vcd(args: &ServeArgs) -> anyhow::Result<VcdConfig> {
    let need = |value: &Option<String>, name: &str| {
        value.clone().with_context(|| format!("no platform: give {name}, or try --demo"))
    };
    let password =
        std::env::var("SLIPWAY_VCD_PASSWORD").context("no platform password: set SLIPWAY_VCD_PASSWORD")?;
    Ok(VcdConfig::tenant(
        &need(&args.vcd.vcd_url, "--vcd-url")?,
        &need(&args.vcd.vcd_org, "--vcd-org")?,
        &need(&args.vcd.vcd_user, "--vcd-user")?,
        SecretString::from(password),
        &need(&args.vcd.vcd_vdc, "--vcd-vdc")?,
    ))
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

/// `slipway account-add`
pub async fn account_add(args: AccountArgs) -> anyhow::Result<()> {
    let mut password = String::new();
    std::io::stdin().take(1024).read_to_string(&mut password)?;
    let password = SecretString::from(password.trim_end_matches(['\r', '\n']).to_owned());
    let dir = DataDir::open(&args.data_dir)?;
    let sealer = Sealer::from_file(&dir.file("key"))?;
    let store = Store::open_sqlite(&dir.file("slipway.db"), sealer).await?;
    let added = provisioning::account_add(&store, &args.email, &args.name, args.role.into(), password)
        .await
        .map_err(anyhow::Error::msg)?;
    if !added {
        bail!("there is an account with this e-mail already");
    }
    Ok(())
}
