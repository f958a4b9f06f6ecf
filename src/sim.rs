//! `slipway sim`: the simulated cloud by itself, for any client of the API.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use tokio::net::TcpListener;
use tracing::info;
use vcd_sim::{Account, Config, Simulator};

use crate::say::say;

/// What `slipway sim --help` ends with: enough to drive it.
const AFTER_HELP: &str = "\
Without other orders there is the provider's account administrator@System and the tenant's acme-admin@acme, both with
the password `simulator`; the organisation `acme` with the VDC `acme-vdc`, the catalogue `templates` and a pool of edges.

Any client of the API may drive it, over plain HTTP. With pyvcloud 23.0.4:

    from pyvcloud.vcd.client import BasicLoginCredentials, Client
    from pyvcloud.vcd.org import Org
    from pyvcloud.vcd.vdc import VDC
    client = Client('http://127.0.0.1:8480')
    client.set_credentials(BasicLoginCredentials('acme-admin', 'acme', 'simulator'))
    org = Org(client, resource=client.get_org())
    vdc = VDC(client, resource=org.get_vdc('acme-vdc'))
    task = vdc.create_vapp('first').Tasks.Task[0]
    client.get_task_monitor().wait_for_success(task=task)

The address in a browser shows what the cloud holds. Faults, knobs, time and guests are under /sim/: see
docs/simulator.md.";

#[derive(Clone, Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub struct SimArgs {
    /// Address to answer on
    #[arg(long, default_value = "127.0.0.1:8480")]
    listen: SocketAddr,
    /// Answer others than this machine: whoever reaches the address can use the controls under /sim/
    #[arg(long)]
    allow_remote: bool,
    /// Edges of the pool on the first day
    #[arg(long, default_value_t = 130)]
    edges: u32,
    /// How many times as fast as in reality the cloud lives; 1 makes an order take 3 to 5 minutes
    #[arg(long, default_value_t = 60.0)]
    speed: f64,
    /// Time stands still until POST /sim/clock moves it
    #[arg(long)]
    stepped: bool,
    /// File that the cloud is kept in; without it everything is gone at the end
    #[arg(long)]
    state: Option<PathBuf>,
    /// An account, as user@org:password; may be repeated. Replaces the ones that are there otherwise
    #[arg(long = "account", value_parser = Account::parse)]
    accounts: Vec<Account>,
    /// JSON file with a list of accounts: [{"user": …, "org": …, "password": …}]
    #[arg(long, conflicts_with = "accounts")]
    accounts_file: Option<PathBuf>,
    /// A point of behaviour to set otherwise, as name=value; may be repeated. GET /sim/knobs lists them
    #[arg(long = "knob")]
    knobs: Vec<String>,
    /// Print how long every operation takes, and end
    #[arg(long)]
    durations: bool,
}

pub async fn run(args: SimArgs) -> anyhow::Result<()> {
    if args.durations {
        say(vcd_sim::durations_text().trim_end());
        return Ok(());
    }
    if !args.listen.ip().is_loopback() && !args.allow_remote {
        bail!("{} is reachable from outside: give --allow-remote if that is meant", args.listen);
    }
    if !(args.speed.is_finite() && args.speed > 0.0) {
        bail!("--speed {}: a number above 0 is expected", args.speed);
    }
    let mut config = Config {
        state: args.state,
        edges: args.edges,
        speed: args.speed,
        stepped: args.stepped,
        knob_changes: args.knobs,
        ..Config::default()
    };
    if let Some(file) = &args.accounts_file {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
        config.accounts = Account::parse_list(&text).map_err(anyhow::Error::msg)?;
    } else if !args.accounts.is_empty() {
        config.accounts = args.accounts;
    }
    let accounts: Vec<String> = config.accounts.iter().map(|a| format!("{}@{}", a.user, a.org)).collect();
    let simulator = Simulator::open(config).context("the cloud cannot be opened")?;
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("{} cannot be listened on", args.listen))?;
    say(&format!("The simulated cloud is ready on http://{}", listener.local_addr()?));
    say(&format!("Accounts: {}", accounts.join(", ")));
    tokio::select! {
        served = simulator.serve(listener) => served.context("the simulated cloud stopped"),
        () = crate::serve::asked_to_stop() => {
            info!("stopped");
            Ok(())
        }
    }
}
