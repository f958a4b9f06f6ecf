//! A client that nobody here wrote drives the simulator: pyvcloud 23.0.4 from PyPI.

use std::{net::SocketAddr, path::PathBuf, process::Command};

use vcd_sim::{Config, Simulator};

/// The Python that has pyvcloud: made by `cargo xtask test` under `target/`, or named by `PYVCLOUD_PYTHON`.
fn python() -> PathBuf {
    let made = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/python/pyvcloud/bin/python");
    let python = std::env::var_os("PYVCLOUD_PYTHON").map_or(made, PathBuf::from);
    assert!(
        python.exists(),
        "{} is not there. `cargo xtask test` makes it; by hand: python3 -m venv target/python/pyvcloud && \
         target/python/pyvcloud/bin/pip install pyvcloud==23.0.4",
        python.display()
    );
    python
}

#[tokio::test(flavor = "multi_thread")]
async fn pyvcloud_runs_the_whole_flow() {
    let sim = Simulator::open(Config { speed: 400.0, ..Config::default() }).unwrap();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let served = sim.clone();
    tokio::spawn(async move { served.serve(listener).await });
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/pyvcloud/drive.py");
    // It writes its log where it stands.
    let dir = tempfile::tempdir().unwrap();
    let run = move || {
        let mut command = Command::new(python());
        command.arg(script).arg(format!("http://{address}")).current_dir(dir.path()).output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let text =
        format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
    let census = sim.census();
    assert_eq!((census.networks.len(), census.vapps.len(), census.vms.len()), (0, 0, 0), "{text}");
}
