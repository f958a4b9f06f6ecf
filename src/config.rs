//! What the program is told: arguments, with an environment variable for each. Secrets come by environment or standard
//! input only, never as an argument.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use domain::state::Role;

use crate::sim::SimArgs;

#[derive(Debug, Parser)]
#[command(name = "slipway", version, about = "From an order in the browser to a running virtual server")]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the pages and run the jobs
    Serve(ServeArgs),
    /// Serve the pages only; jobs are run by other processes on the same PostgreSQL
    Web(WebArgs),
    /// Run jobs only, on a PostgreSQL that other processes use too
    Worker(WorkerArgs),
    /// Run the simulated cloud by itself, for any client of the vCloud Director API
    Sim(SimArgs),
    /// Check the database against what must always hold; changes nothing in it
    Fsck(FsckArgs),
    /// Add an account; its password is read from standard input
    AccountAdd(AccountArgs),
    /// Take up no more jobs until it is ended; what is under way goes on
    Maintenance(MaintenanceArgs),
    /// What bears one of our names in the cloud and belongs to nobody; with --delete, its removal after a question
    Orphans(OrphansArgs),
    /// Ansible, which installs control panels: with install, a virtual environment of its own in the data folder
    Ansible(AnsibleArgs),
    /// Look at a job, or have a failed one run again or taken back
    Jobs(JobsArgs),
}

#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// Try it out: a simulated cloud in the same process, four accounts, loopback only
    #[arg(long)]
    pub demo: bool,
    /// Address to serve on
    #[arg(long, env = "SLIPWAY_LISTEN", default_value = "127.0.0.1:3000")]
    pub listen: SocketAddr,
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Folder of the built site; by default `site` beside the program
    #[arg(long, env = "SLIPWAY_SITE_DIR")]
    pub site_dir: Option<PathBuf>,
    /// How many times as fast as in reality the demo's cloud lives
    #[arg(long, default_value_t = 7.0)]
    pub sim_speed: f64,
    /// Edges of the demo's cloud on its first day
    #[arg(long, default_value_t = 130)]
    pub sim_edges: u32,
    #[command(flatten)]
    pub vcd: VcdArgs,
}

#[derive(Clone, Debug, Args)]
pub struct WebArgs {
    /// Address to serve on
    #[arg(long, env = "SLIPWAY_LISTEN", default_value = "127.0.0.1:3000")]
    pub listen: SocketAddr,
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// The cloud whose screens are shown; without it servers have no console here
    #[command(flatten)]
    pub vcd: VcdArgs,
    /// Folder of the built site; by default `site` beside the program
    #[arg(long, env = "SLIPWAY_SITE_DIR")]
    pub site_dir: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub struct WorkerArgs {
    #[command(flatten)]
    pub database: DatabaseArgs,
    #[command(flatten)]
    pub vcd: VcdArgs,
}

/// Where everything is kept: SQLite in the data folder, used by this process alone, or PostgreSQL, used by any number.
#[derive(Clone, Debug, Args)]
pub struct DatabaseArgs {
    /// Folder of the sealing key, of the embedded database and, in the demo, of the cloud
    #[arg(long, env = "SLIPWAY_DATA_DIR", default_value = "data")]
    pub data_dir: PathBuf,
    /// PostgreSQL, as postgres://user@host/database; a password belongs into the variable, not into the argument
    #[arg(long, env = "SLIPWAY_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Which kinds of jobs may not run at once, as a TOML file; the same on every node. By default the one that ships
    #[arg(long, env = "SLIPWAY_MATRIX")]
    pub matrix: Option<PathBuf>,
    /// What is offered (systems, panels, sizes, prices), as a TOML file; the same on every node. By default the demo's
    #[arg(long, env = "SLIPWAY_CATALOGUE")]
    pub catalogue: Option<PathBuf>,
    /// Jobs under way at once, on all nodes together
    #[arg(long, env = "SLIPWAY_JOBS_AT_ONCE", default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..))]
    pub jobs_at_once: u32,
    /// Of those, on the cloud; by default as many
    #[arg(long, env = "SLIPWAY_CLOUD_JOBS_AT_ONCE", value_parser = clap::value_parser!(u32).range(1..))]
    pub cloud_jobs_at_once: Option<u32>,
}

/// The platform. Its password is read from SLIPWAY_VCD_PASSWORD.
#[derive(Clone, Debug, Args)]
pub struct VcdArgs {
    /// Address of the vCloud Director, for example <https://vcd.example.net>
    #[arg(long, env = "SLIPWAY_VCD_URL")]
    pub vcd_url: Option<String>,
    /// Organisation to sign in to
    #[arg(long, env = "SLIPWAY_VCD_ORG")]
    pub vcd_org: Option<String>,
    /// User to sign in as
    #[arg(long, env = "SLIPWAY_VCD_USER")]
    pub vcd_user: Option<String>,
    /// Organisation VDC that servers are made in
    #[arg(long, env = "SLIPWAY_VCD_VDC")]
    pub vcd_vdc: Option<String>,
    /// Address of a simulated cloud that is asked how its guests are; real guests are asked over the network
    #[arg(long, env = "SLIPWAY_VCD_GUESTS", value_name = "URL")]
    pub vcd_guests: Option<String>,
    /// Who an AlmaLinux says it is while no panel is being installed: `centos` on a platform whose customization knows no AlmaLinux
    #[arg(long, env = "SLIPWAY_ALMALINUX_AS", value_enum, default_value = "own")]
    pub almalinux_as: AlmaLinuxAs,
    /// Control panels that this process installs at once; the rest wait in order
    #[arg(long, env = "SLIPWAY_PANELS_AT_ONCE", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub panels_at_once: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AlmaLinuxAs {
    /// Itself: nothing is touched
    Own,
    /// CentOS, but for as long as a panel is being installed
    Centos,
}

#[derive(Clone, Debug, Args)]
pub struct AnsibleArgs {
    #[arg(value_enum)]
    pub what: AnsibleWhat,
    /// Folder of the sealing key and the embedded database; Ansible goes into `ansible` there
    #[arg(long, env = "SLIPWAY_DATA_DIR", default_value = "data")]
    pub data_dir: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AnsibleWhat {
    /// Makes it, or brings an older one up to date; needs python3 with venv, and PyPI
    Install,
}

#[derive(Clone, Debug, Args)]
pub struct OrphansArgs {
    /// Delete this one
    #[arg(long, value_name = "NAME")]
    pub delete: Option<String>,
    /// Do not ask
    #[arg(long, requires = "delete")]
    pub yes: bool,
    #[command(flatten)]
    pub database: DatabaseArgs,
    #[command(flatten)]
    pub vcd: VcdArgs,
}

#[derive(Clone, Debug, Args)]
pub struct JobsArgs {
    #[arg(value_enum)]
    pub what: JobsWhat,
    /// The job's number
    pub number: i64,
    /// Who asks: the e-mail of an account of the staff; needed for what changes something
    #[arg(long, value_name = "EMAIL")]
    pub by: Option<String>,
    /// Why; stands in the job's history
    #[arg(long, default_value = "")]
    pub why: String,
    /// With rerun: an input that the step that failed takes, as JSON, for example `keep_network=true`
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    pub database: DatabaseArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum JobsWhat {
    /// Its steps, and which of them its duration is made of
    Show,
    /// Runs it again from the step that failed
    Rerun,
    /// Takes back what it has done
    RollBack,
}

#[derive(Clone, Debug, Args)]
pub struct AccountArgs {
    #[arg(long)]
    pub email: String,
    #[arg(long)]
    pub name: String,
    #[arg(long, value_enum)]
    pub role: RoleArg,
    #[command(flatten)]
    pub database: DatabaseArgs,
}

#[derive(Clone, Debug, Args)]
pub struct MaintenanceArgs {
    #[arg(value_enum)]
    pub what: Switch,
    /// For how long it is expected to last: shown to customers. It lasts until it is ended all the same
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..100_000))]
    pub minutes: Option<u32>,
    #[command(flatten)]
    pub database: DatabaseArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    Begin,
    End,
}

#[derive(Clone, Debug, Args)]
pub struct FsckArgs {
    #[command(flatten)]
    pub database: DatabaseArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum RoleArg {
    Customer,
    Support,
    Admin,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Customer => Self::Customer,
            RoleArg::Support => Self::Support,
            RoleArg::Admin => Self::Admin,
        }
    }
}
