//! The `slipway` program.

#![recursion_limit = "512"]

use std::{io::IsTerminal, process::ExitCode};

use clap::Parser;
use slipway::{
    admin, ansible,
    config::{Cli, Command},
    memory, orphans, serve, sim,
};
use tracing_subscriber::EnvFilter;

/// Each sign-in borrows 19 MB to hash a password; this allocator gives it back to the system, glibc's keeps it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    memory::in_small_pages();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            // What went wrong and why, in one line: a backtrace would say nothing to whoever mistyped an option.
            eprintln!("slipway: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_env("SLIPWAY_LOG").unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    // One provider for everything that speaks TLS.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match cli.command {
            Command::Serve(args) => serve::run(args).await,
            Command::Web(args) => serve::web(args).await,
            Command::Worker(args) => serve::worker(args).await,
            Command::Fsck(args) => serve::fsck(args).await,
            Command::Sim(args) => sim::run(args).await,
            Command::AccountAdd(args) => admin::account_add(args).await,
            Command::Maintenance(args) => admin::maintenance(args).await,
            Command::Jobs(args) => admin::jobs(args).await,
            Command::Orphans(args) => orphans::run(args).await,
            Command::Ansible(args) => ansible::run(args).await,
        }
    })
}
