//! Two changes to one edge at once: the second is refused as busy, and a policy waits for the first and asks again. The
//! variables are those of the example `pool`.
#![allow(clippy::print_stdout)]

mod from_env;

use std::time::Duration;

use vcd::{EdgeQos, RetryPolicy, WaitOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, vdc) = from_env::client().await?;
    let edge = client.edges(vdc).await?.into_iter().next().ok_or("there is no edge")?;
    let (manager, edge) = (edge.manager.ok_or("the edge names no network manager")?, edge.id);
    let profiles = client.qos_profiles(manager).await?;
    let profile = profiles.first().ok_or("there is no speed profile")?;
    let first = client.edge_qos_set(edge, EdgeQos::both(profile.id)).await?;
    match client.edge_qos_set(edge, EdgeQos::UNLIMITED).await {
        Err(e) if e.is_busy() => println!("busy, as it should be: {e}"),
        other => println!("not busy: {other:?}"),
    }
    let policy = RetryPolicy { first: Duration::from_millis(100), ..RetryPolicy::default() };
    // Lifting a limit twice is the same as once: an unknown outcome may be tried again.
    let second = client.retrying(policy, true, || client.edge_qos_set(edge, EdgeQos::UNLIMITED)).await?;
    println!("taken after {first}: {second}");
    client.task_wait(second, WaitOptions::within(Duration::from_secs(60))).await?;
    Ok(())
}
