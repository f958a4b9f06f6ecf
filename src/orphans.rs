//! `slipway orphans`: what bears one of our names in the cloud and belongs to nobody, and its removal, after a question.
//!
//! Whatever is deleted was listed before: seen twice by whoever looks, and named by no row. A machine that runs is said so in
//! the question. Nothing is deleted without a "yes", or `--yes`.

use std::io::Write;

use anyhow::{Context, bail};
use provisioning::{
    VcdProvider,
    provider::{Provider, TaskRef},
};

use crate::{admin, config::OrphansArgs, say::say, serve::configured_vcd};

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(600);

pub async fn run(args: OrphansArgs) -> anyhow::Result<()> {
    let listed = admin::orphans(&args.database).await?;
    let Some(name) = &args.delete else {
        say(&listed);
        return Ok(());
    };
    if !listed.lines().any(|line| line.split_whitespace().next() == Some(name)) {
        bail!("{name} is not among the orphans: `slipway orphans` lists them");
    }
    let provider = VcdProvider::new(configured_vcd(&args.vcd, &args.database.data_dir)?)?;
    let done = async |task: provisioning::provider::Result<TaskRef>| -> anyhow::Result<()> {
        provider.task_wait(&task?, PATIENCE).await?;
        Ok(())
    };
    if name.starts_with("net-") {
        let found = provider.network_find(name).await?.context("it is gone already")?;
        ask(&args, &format!("Delete the network {name}?"))?;
        done(provider.network_delete(&found.network).await).await?;
    } else if name.starts_with("cust-") {
        let group = provider.group_find(name).await?.context("it is gone already")?;
        let seen = provider.group(&group).await?;
        let machines: Vec<&str> = seen.machines.iter().map(|m| m.name.as_str()).collect();
        let running = if seen.running { ", running" } else { "" };
        let inside = if machines.is_empty() { "empty".into() } else { machines.join(", ") };
        ask(&args, &format!("Delete the vApp {name} ({inside}{running})?"))?;
        if seen.running {
            done(provider.group_stop(&group).await).await?;
        }
        done(provider.group_delete(&group).await).await?;
    } else {
        let mut found = None;
        for (_, group) in provider.groups_all().await? {
            let seen = provider.group(&group).await?;
            if let Some(machine) = seen.machine_named(name) {
                found = Some((group, machine.clone()));
            }
        }
        let (group, machine) = found.context("it is gone already")?;
        let running = if machine.on { ", which is running" } else { "" };
        ask(&args, &format!("Delete the machine {name}{running}?"))?;
        if machine.deployed {
            done(provider.machine_stop(&machine.machine).await).await?;
        }
        done(provider.machine_delete(&group, &machine.machine).await).await?;
    }
    say(&format!("{name} is deleted."));
    Ok(())
}

fn ask(args: &OrphansArgs, question: &str) -> anyhow::Result<()> {
    if args.yes {
        return Ok(());
    }
    let mut out = std::io::stdout();
    write!(out, "{question} Everything on it is lost. [yes/no] ")?;
    out.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    if answer.trim() == "yes" { Ok(()) } else { bail!("nothing was deleted") }
}
