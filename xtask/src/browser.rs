//! The browser tests: Playwright against the release build, with the system's Chromium.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

use crate::{
    build,
    run::{root, run, target},
    tools,
};

/// The browser: the one that `CHROMIUM` names, or the system's. The one without windows takes a sixth less of the machine.
pub(crate) fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    named
        .into_iter()
        .chain(
            ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]
                .map(|name| Path::new("/usr/bin").join(name)),
        )
        .find(|p| p.is_file())
}

/// Runs every journey. The slow run repeats each, which is what finds a race that one run in ten loses.
pub(crate) fn journeys(program: &Path, slow: bool, names: &[String]) -> anyhow::Result<()> {
    let mut command = playwright(program, names)?;
    if slow {
        command.arg("--repeat-each=5");
    }
    run("playwright", &mut command)
}

/// Pictures of every page, beside those that were kept; with `keep` these are the ones to go by from now on.
pub(crate) fn looks(program: &Path, keep: bool, names: &[String]) -> anyhow::Result<()> {
    let kept = target().join("end2end/looks");
    anyhow::ensure!(
        keep || kept.is_dir(),
        "there is nothing to compare with: `cargo xtask looks keep` before the change"
    );
    let mut command = playwright(program, &[])?;
    command.args(["--config", "looks.config.ts", "--update-snapshots", if keep { "all" } else { "none" }]);
    if !names.is_empty() {
        command.args(["--grep", &names.join("|")]);
    }
    run("playwright", &mut command)
}

/// Playwright in its folder. `program` is the built server; it serves the release build of the site.
fn playwright(program: &Path, names: &[String]) -> anyhow::Result<Command> {
    let modules = tools::npm("end2end")?;
    let end2end = root().join("end2end");
    link(&modules, &end2end.join("node_modules"))?;
    let chromium =
        chromium().context("there is no browser: apt install chromium-headless-shell, or set CHROMIUM")?;
    let mut command = Command::new("node");
    command.current_dir(&end2end).arg(modules.join("@playwright/test/cli.js")).arg("test").args(names);
    command
        .env("CHROMIUM", chromium)
        .env("SLIPWAY", program)
        .env("SLIPWAY_SITE_DIR", build::site_dir(true))
        .env("RESULTS", target().join("end2end"));
    Ok(command)
}

/// The tests find their packages beside themselves; the packages lie under `target/`.
fn link(modules: &Path, at: &Path) -> anyhow::Result<()> {
    if fs::read_link(at).is_ok_and(|to| to == modules) {
        return Ok(());
    }
    let _ = fs::remove_file(at);
    std::os::unix::fs::symlink(modules, at).with_context(|| format!("{} cannot be linked", at.display()))
}
