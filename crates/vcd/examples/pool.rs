//! Lists the edges of a VDC with their networks and speed.
//!
//!     VCD_URL=http://127.0.0.1:8480 VCD_ORG=acme VCD_USER=acme-admin VCD_PASSWORD=simulator VCD_VDC=acme-vdc \
//!         cargo run -p vcd --example pool
#![allow(clippy::print_stdout)]

mod from_env;

use std::collections::HashMap;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, vdc) = from_env::client().await?;
    let edges = client.edges(vdc).await?;
    let manager = edges.first().and_then(|e| e.manager).ok_or("no edge names its network manager")?;
    let profiles = client.qos_profiles(manager).await?;
    let speeds: HashMap<_, _> = profiles.into_iter().map(|p| (p.id, p.committed_mbit)).collect();
    for edge in edges.into_iter().take(10) {
        let networks = client.networks_of_edge(edge.id).await?;
        let names: Vec<&str> = networks.iter().map(|n| n.name.as_str()).collect();
        let speed = match client.edge_qos(edge.id).await?.egress {
            Some(profile) => format!("{} Mb/s", speeds.get(&profile).copied().unwrap_or_default()),
            None => "unlimited".into(),
        };
        println!("{:<12} {:<10} {speed:<10} {}", edge.name, edge.status, names.join(", "));
    }
    Ok(())
}
