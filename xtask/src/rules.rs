//! The rules of the fields, in the browser's program and in ours: the same verdicts over the same inputs.

use std::process::Command;

use anyhow::{Context, bail};

use crate::{
    run::{cargo, output, phase, run, target},
    tools,
};

const INPUTS: u32 = 1_000_000;
const SEED: u32 = 20_261_126;

pub(crate) fn compare() -> anyhow::Result<()> {
    tools::wasm_target()?;
    phase("building the rules for the browser", || {
        let mut command = cargo();
        command.args(["build", "--package", "rules", "--target", "wasm32-unknown-unknown"]);
        run("cargo build", command.args(["--profile", "wasm-release"]))
    })?;
    let folder = target().join("rules");
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    wasm_bindgen_cli_support::Bindgen::new()
        .input_path(target().join("wasm32-unknown-unknown/wasm-release/rules.wasm"))
        .out_name("rules")
        .nodejs(true)?
        .typescript(false)
        .generate(&folder)
        .context("wasm-bindgen")?;
    let script = format!("process.stdout.write(require('./rules.js').verdicts({SEED}, {INPUTS}))");
    let theirs = output("node", Command::new("node").current_dir(&folder).args(["-e", &script]))?;
    let ours = rules::verdicts(SEED, INPUTS);
    print!("{ours}");
    for (ours, theirs) in ours.lines().zip(theirs.lines()) {
        if ours != theirs {
            bail!("the browser's program says otherwise\n  ours:   {ours}\n  theirs: {theirs}");
        }
    }
    if ours.lines().count() != theirs.lines().count() {
        bail!("the browser's program says {theirs:?}");
    }
    println!("{INPUTS} inputs: the same verdicts in both");
    Ok(())
}
