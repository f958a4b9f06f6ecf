//! Building: the server, the WASM of the islands, the style; and where each ends up.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

use crate::{
    run::{cargo, output, phase, root, run, target},
    tools,
};

/// Builds everything. Returns the program; its site lies beside it.
pub(crate) fn build(release: bool) -> anyhow::Result<PathBuf> {
    tools::basics()?;
    let program = server(release)?;
    site(release)?;
    Ok(program)
}

/// The folder of the built site.
pub(crate) fn site_dir(release: bool) -> PathBuf {
    target().join(profile(release)).join("site")
}

fn profile(release: bool) -> &'static str {
    if release { "release" } else { "debug" }
}

pub(crate) fn server(release: bool) -> anyhow::Result<PathBuf> {
    phase("building the server", || {
        let mut command = cargo();
        command.args(["build", "--package", "slipway", "--bin", "slipway"]);
        if release {
            command.arg("--release");
        }
        run("cargo build", &mut command)
    })?;
    Ok(target().join(profile(release)).join("slipway"))
}

/// The program that `cargo test` has built. To build it by itself is to build most of it again: what it stands on has fewer
/// features then.
pub(crate) fn tested_server() -> PathBuf {
    target().join(profile(false)).join("slipway")
}

/// Builds what browsers load.
pub(crate) fn site(release: bool) -> anyhow::Result<()> {
    tools::wasm_target()?;
    let modules = &tools::npm("xtask/tools")?;
    let site = site_dir(release);
    let pkg = site.join("pkg");
    fs::create_dir_all(&pkg)?;
    let wasm = phase("building the islands", || islands(release))?;
    phase("binding them", || bind(&wasm, &pkg, release, modules))?;
    phase("bundling the style", || style(&pkg, release, modules))?;
    phase("bundling the screen", || screen(&pkg, modules))?;
    copy_dir(&root().join("public"), &site)?;
    if release {
        phase("compressing", || compress(&pkg))?;
    }
    Ok(())
}

fn islands(release: bool) -> anyhow::Result<PathBuf> {
    let mut command = cargo();
    command.args(["build", "--package", "frontend", "--target", "wasm32-unknown-unknown"]);
    if release {
        command.args(["--profile", "wasm-release"]);
    }
    run("cargo build", &mut command)?;
    let folder = if release { "wasm-release" } else { "debug" };
    Ok(target().join("wasm32-unknown-unknown").join(folder).join("frontend.wasm"))
}

/// The glue between WASM and the browser; unchanged input is not bound again.
fn bind(wasm: &Path, pkg: &Path, release: bool, modules: &Path) -> anyhow::Result<()> {
    let (out, glue) = (pkg.join("slipway_bg.wasm"), pkg.join("slipway.js"));
    let newer = |a: &Path, b: &Path| match (fs::metadata(a), fs::metadata(b)) {
        (Ok(a), Ok(b)) => a.modified().ok() >= b.modified().ok(),
        _ => false,
    };
    if newer(&out, wasm) && glue.is_file() {
        return Ok(());
    }
    wasm_bindgen_cli_support::Bindgen::new()
        .input_path(wasm)
        .out_name("slipway")
        .web(true)?
        .typescript(false)
        .generate(pkg)
        .context("wasm-bindgen")?;
    if release {
        let plain = pkg.join("slipway_bg.plain.wasm");
        fs::rename(&out, &plain)?;
        let mut optimise = Command::new("node");
        optimise.arg(modules.join("binaryen/bin/wasm-opt"));
        // What every browser of the style's targets has, and no proposal beyond it.
        optimise.args([
            "--enable-bulk-memory",
            "--enable-bulk-memory-opt",
            "--enable-nontrapping-float-to-int",
        ]);
        optimise.args(["--enable-sign-ext", "--enable-mutable-globals", "--enable-reference-types"]);
        optimise.args(["--enable-multivalue", "-Oz", "--strip-producers", "-o"]).arg(&out).arg(&plain);
        output("wasm-opt", &mut optimise)?;
        fs::remove_file(&plain)?;
        let mut minify = esbuild(modules);
        minify.arg(&glue).args(["--minify", "--format=esm", "--allow-overwrite"]);
        minify.arg(format!("--outfile={}", glue.display()));
        output("esbuild", &mut minify)?;
    }
    Ok(())
}

fn style(pkg: &Path, release: bool, modules: &Path) -> anyhow::Result<()> {
    let mut bundle = esbuild(modules);
    bundle.arg(root().join("style/main.css")).args(["--bundle", "--target=chrome123,firefox125,safari17.5"]);
    bundle.arg(format!("--outfile={}", pkg.join("slipway.css").display()));
    if release {
        bundle.arg("--minify");
    }
    output("esbuild", &mut bundle).map(drop)
}

/// What draws a server's screen: the one page that needs it loads it.
fn screen(pkg: &Path, modules: &Path) -> anyhow::Result<()> {
    let mut bundle = esbuild(modules);
    bundle.arg(root().join("xtask/tools/screen.js")).args(["--bundle", "--minify", "--format=esm"]);
    // What is imported later is a file of its own.
    bundle.args(["--splitting", "--chunk-names=screen-[name]"]);
    bundle.arg("--banner:js=/* noVNC, MPL 2.0, https://github.com/novnc/noVNC */");
    // The entry is ours and lies in the tree; what it imports lies where npm was told to put it.
    bundle.env("NODE_PATH", modules).arg(format!("--outdir={}", pkg.display()));
    output("esbuild", &mut bundle).map(drop)
}

fn esbuild(modules: &Path) -> Command {
    let mut command = Command::new(modules.join(".bin/esbuild"));
    command.args(["--log-level=warning"]);
    command
}

/// Lays a brotli file beside each, for browsers that take it.
fn compress(pkg: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(pkg)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "wasm" || e == "js" || e == "css") {
            let name = format!("{}.br", path.display());
            fs::write(name, brotli(&fs::read(&path)?)?)?;
        }
    }
    Ok(())
}

pub(crate) fn brotli(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut out = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality: 11, ..Default::default() };
    brotli::BrotliCompress(&mut &bytes[..], &mut out, &params)?;
    Ok(out)
}

fn copy_dir(from: &Path, to: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}
