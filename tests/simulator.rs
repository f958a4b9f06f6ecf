//! `slipway sim` by itself, driven by a client that nobody here wrote, as the documentation says.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

struct Sim {
    process: Child,
    url: String,
}

impl Sim {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_slipway"));
        command.args(["sim", "--listen", "127.0.0.1:0", "--speed", "400"]);
        let mut process =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let said =
            lines.map_while(Result::ok).find(|l| l.contains("http://")).expect("it never said where it is");
        let url = said.split_whitespace().find(|w| w.starts_with("http://")).unwrap().to_owned();
        Self { process, url }
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn python() -> PathBuf {
    let made = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/python/pyvcloud/bin/python");
    let python = std::env::var_os("PYVCLOUD_PYTHON").map_or(made, PathBuf::from);
    assert!(python.exists(), "{} is not there: `cargo xtask test` makes it", python.display());
    python
}

/// The Python of the documentation, word for word but for the address.
fn documented(url: &str) -> String {
    let page = include_str!("../docs/simulator.md");
    let (_, after) = page.split_once("```python\n").expect("the page shows no Python");
    let (code, _) = after.split_once("```").unwrap();
    assert!(code.contains("http://127.0.0.1:8480"), "the page names the default address");
    code.replace("http://127.0.0.1:8480", url)
}

#[test]
fn what_the_documentation_shows_works() {
    let sim = Sim::start();
    let code = documented(&sim.url)
        + "\nvapp.reload()\n\
           assert vapp.get_all_vms()[0].get('status') == '4', vapp.get_all_vms()[0].get('status')\nprint('seen running')\n";
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(python()).arg("-c").arg(code).current_dir(dir.path()).output().unwrap();
    let text =
        format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("seen running"), "{text}");
}

#[test]
fn the_whole_flow_of_an_independent_client_works() {
    let sim = Sim::start();
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("crates/vcd-sim/tests/pyvcloud/drive.py");
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(python()).arg(script).arg(&sim.url).current_dir(dir.path()).output().unwrap();
    let text =
        format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
}
