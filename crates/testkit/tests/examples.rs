//! The SDK's examples, run as their reader would, against the simulator.

use std::process::{Command, Output};

use vcd_sim::{Config, Simulator};

async fn example(name: &'static str) -> String {
    let sim = Simulator::open(Config { speed: 600.0, ..Config::default() }).unwrap();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { sim.serve(listener).await });
    let run = move || -> Output {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["run", "--quiet", "--package", "vcd", "--example", name]);
        command.envs([("VCD_URL", url.as_str()), ("VCD_ORG", "acme"), ("VCD_USER", "acme-admin")]);
        command.envs([("VCD_PASSWORD", "simulator"), ("VCD_VDC", "acme-vdc")]).output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_runs() {
    assert!(example("pool").await.contains("edge-001"));
    let machine = example("machine").await;
    assert!(machine.contains("example-1 has 2 vCPU at [\"192.168.77.10\"]"), "{machine}");
    assert!(example("busy").await.contains("busy, as it should be"));
}
