//! `slipway orphans`: what bears one of our names in the cloud and belongs to nobody, and its removal, after a question.
//!
//! Whatever is deleted was listed before: seen twice by whoever looks, and named by no row. A machine that runs is said so in
//! the question. Nothing is deleted without a "yes", or `--yes`.

use std::io::Write;

use anyhow::{Context, bail};
use provisioning::{Orphan, VcdProvider, orphan_delete, orphan_find};

use crate::{admin, config::OrphansArgs, say::say, serve::configured_vcd};

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
    let orphan = orphan_find(&provider, name).await?.context("it is gone already")?;
    let what = match &orphan {
        Orphan::Network(_) => format!("the network {name}"),
        Orphan::Group { machines, running, .. } => {
            let running = if *running { ", running" } else { "" };
            let inside = if machines.is_empty() { "empty".into() } else { machines.join(", ") };
            format!("the vApp {name} ({inside}{running})")
        }
        Orphan::Machine { on, .. } => {
            let running = if *on { ", which is running" } else { "" };
            format!("the machine {name}{running}")
        }
    };
    ask(&args, &format!("Delete {what}?"))?;
    orphan_delete(&provider, &orphan).await?;
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
