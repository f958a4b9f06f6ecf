//! Other queues at the same work, on the same server in the same run: `peers/peers.mjs`, run by Node.

use std::{path::PathBuf, process::Command};

/// Where the packages are: `cargo xtask bench queue` installs them and says so.
pub(crate) fn installed() -> Option<PathBuf> {
    std::env::var_os("BENCH_PEERS").map(PathBuf::from)
}

/// Runs one of them on a database of its own. Returns one of the figures it prints; `None`, and why, where it failed.
pub(crate) async fn figures(who: &str, what: &str, numbers: &[usize]) -> Option<serde_json::Value> {
    let folder = installed()?;
    let url = match std::env::var("BENCH_DATABASE_URL") {
        Ok(server) => testkit::postgres::database_on(&server).await,
        Err(_) => testkit::postgres::database().await,
    };
    let mut command = Command::new("node");
    command.current_dir(&folder).arg(folder.join("peers.mjs")).args([who, what]);
    command.args(numbers.iter().map(usize::to_string)).env("DATABASE_URL", url);
    let output = tokio::task::spawn_blocking(move || command.output()).await.ok()?.ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find(|l| l.starts_with('{')).and_then(|l| serde_json::from_str(l).ok());
    if line.is_none() {
        eprintln!("{who} {what} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    line
}

pub(crate) async fn figure(who: &str, what: &str, numbers: &[usize], name: &str) -> Option<f64> {
    figures(who, what, numbers).await?[name].as_f64()
}
