//! What pages cost beside the same pages of SvelteKit: on the server (`bench pages`), and in a browser (`bench ui`).

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

use crate::{
    browser::chromium,
    build,
    run::{cargo, output, phase, root, run, target},
    tools,
};

const PEER: &str = "end2end/bench/peers/sveltekit";

/// Builds the peer. Returns its folder, in which its packages lie too.
fn peer() -> anyhow::Result<PathBuf> {
    let modules = tools::npm(PEER)?;
    let folder = modules.parent().context("packages lie in no folder")?.to_owned();
    phase("building the peer", || {
        let source = root().join(PEER);
        copy_tree(&source, &folder)?;
        let mut vite = Command::new(modules.join(".bin/vite"));
        output("vite", vite.arg("build").current_dir(&folder)).map(drop)
    })?;
    Ok(folder)
}

fn copy_tree(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_tree(&path, &to)?;
        } else {
            fs::copy(&path, &to)?;
        }
    }
    Ok(())
}

/// Requests, streams and memory of the release build.
pub(crate) fn server(what: &[String]) -> anyhow::Result<()> {
    tools::bench_programs()?;
    let peer = peer()?;
    let program = build::build(true)?;
    phase("building what is measured", || {
        run("cargo bench", cargo().args(["bench", "--bench", "pages", "--no-run"]))
    })?;
    // Run without its arguments it says so and ends; the newest of its builds is the one that was just made.
    let deps = target().join("release/deps");
    let ours = fs::read_dir(&deps)?.flatten().map(|e| e.path());
    let ours = ours.filter(|p| {
        let name = p.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        name.starts_with("pages-") && !name.contains('.')
    });
    let ours = ours.max_by_key(|p| fs::metadata(p).and_then(|m| m.modified()).ok());
    let script = peer.join("pages.mjs");
    fs::copy(root().join("end2end/bench/pages.mjs"), &script)?;
    let mut node = Command::new("taskset");
    node.args(["-c", "1", "node"]).arg(&script).args(what);
    let playwright = tools::npm("end2end")?;
    node.env("PLAYWRIGHT", playwright).env("CHROMIUM", chromium().context("there is no browser")?);
    node.env("PAGES", ours.context("the benchmark was not built")?).env("SLIPWAY", program);
    run("the benchmark", node.env("SITE", build::site_dir(true)).env("SVELTE", &peer))
}

/// Lighthouse over every page, and over the peer's wizard.
pub(crate) fn lighthouse(paths: &[String]) -> anyhow::Result<()> {
    const FOLDER: &str = "end2end/bench";
    let program = build::build(true)?;
    let peer = peer()?;
    let modules = tools::npm(FOLDER)?;
    // Beside its packages, where it finds them.
    let script = modules.parent().context("packages lie in no folder")?.join("lighthouse.mjs");
    fs::copy(root().join(FOLDER).join("lighthouse.mjs"), &script)?;
    let chromium =
        chromium().context("there is no browser: apt install chromium-headless-shell, or set CHROMIUM")?;
    let mut command = Command::new("node");
    command.arg(&script).args(paths).env("SLIPWAY", program).env("CHROMIUM", chromium).env("SVELTE", peer);
    run("lighthouse", command.env("SLIPWAY_SITE_DIR", build::site_dir(true)))
}
