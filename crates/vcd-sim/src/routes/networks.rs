//! Org VDC networks (JSON family).

use std::collections::HashMap;

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, Query, State},
    response::Response,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{accepted, edges::page, id_of, json as answer};
use crate::{
    errors::Refusal,
    filter::matches,
    model::{Network, NetworkStatus, World, ip_number},
    server::{Around, Simulator},
    tasks::{Effect, Entity, takes},
};

const PAGE_MAX: usize = 32;

pub(super) async fn list(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Query(params): Query<HashMap<String, String>>,
) -> Response {
    let world = sim.read();
    let owner = format!("urn:vcloud:vdc:{}", world.vdc.id);
    let rows = world
        .networks
        .values()
        .filter_map(|n| {
            let (id, edge) =
                (format!("urn:vcloud:network:{}", n.id), format!("urn:vcloud:gateway:{}", n.edge));
            let field = |name: &str| match name {
                "name" => Some(n.name.as_str()),
                "id" => Some(id.as_str()),
                "ownerRef.id" => Some(owner.as_str()),
                "connection.routerRef.id" => Some(edge.as_str()),
                _ => None,
            };
            match matches(params.get("filter").map(String::as_str), field) {
                Ok(true) => Some(Ok(view(&world, n))),
                Ok(false) => None,
                Err(text) => Some(Err(Refusal::bad(text))),
            }
        })
        .collect();
    page(&around, "orgVdcNetworks", &params, PAGE_MAX, rows)
}

pub(super) async fn get(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Path(id): Path<String>,
) -> Response {
    let world = sim.read();
    let result = id_of(&id)
        .and_then(|id| world.networks.get(&id).ok_or_else(|| Refusal::forbidden("network", id)))
        .map(|n| view(&world, n));
    answer(&around, result)
}

fn view(world: &World, n: &Network) -> Value {
    let edge_name = world.edges.get(&n.edge).map_or("", |e| &e.name);
    let ranges: Vec<Value> =
        n.ranges.iter().map(|(a, b)| json!({"startAddress": a, "endAddress": b})).collect();
    json!({
        "id": format!("urn:vcloud:network:{}", n.id),
        "name": n.name,
        "description": n.description,
        "status": match n.status { NetworkStatus::Configuring => "CONFIGURING", NetworkStatus::Realized => "REALIZED" },
        "subnets": {"values": [{"gateway": n.gateway, "prefixLength": n.prefix_length,
                                "dnsServer1": n.dns[0], "dnsServer2": n.dns[1], "dnsSuffix": "",
                                "ipRanges": {"values": ranges}, "enabled": true}]},
        "backingNetworkType": "NSXT_FLEXIBLE_SEGMENT",
        "networkType": "NAT_ROUTED",
        "ownerRef": {"name": world.vdc.name, "id": format!("urn:vcloud:vdc:{}", world.vdc.id)},
        "connection": {"routerRef": {"name": edge_name, "id": format!("urn:vcloud:gateway:{}", n.edge)},
                       "connectionType": "INTERNAL", "connectionTypeValue": "INTERNAL", "connected": true},
    })
}

pub(super) async fn create(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    body: Bytes,
) -> Response {
    let result = sim
        .change(|world, now| {
            let network = read(&body)?;
            let edge =
                world.edges.get(&network.edge).ok_or_else(|| Refusal::forbidden("gateway", network.edge))?;
            world.require_idle(&[Entity::Gateway(edge.id)])?;
            if world.networks.values().any(|n| n.name == network.name) {
                let text = format!("The name \"{}\" is already in use by another network.", network.name);
                return Err(Refusal::new(400, "DUPLICATE_NAME", text));
            }
            if let Some(other) = world.networks.values().find(|n| overlap(n, &network)) {
                return Err(Refusal::bad(format!("The subnet overlaps that of network \"{}\".", other.name)));
            }
            let (id, name, edge) = (network.id, network.name.clone(), network.edge);
            world.networks.insert(id, network);
            if let Some(edge) = world.edges.get_mut(&edge) {
                edge.shown_until = now + takes::NETWORK + takes::COUNT_LAG;
            }
            // The task belongs to the network and holds the edge as well.
            let task = world.start_task(
                now,
                takes::NETWORK,
                "networkCreateOrgVdcNetwork",
                Entity::Network(id),
                &name,
                Effect::NetworkRealized(id),
            );
            hold_edge(world, edge, now, takes::NETWORK);
            Ok(task)
        })
        .await;
    accepted(&around, result)
}

/// The edge's own part in a change of its networks: it accepts nothing else meanwhile.
fn hold_edge(world: &mut World, edge: Uuid, now: i64, duration: i64) {
    if let Some(e) = world.edges.get(&edge) {
        let (name, effect) = (e.name.clone(), Effect::Qos { edge, ingress: e.ingress, egress: e.egress });
        world.start_task(now, duration, "orgVdcGatewayUpdate", Entity::Gateway(edge), &name, effect);
    }
}

fn overlap(a: &Network, b: &Network) -> bool {
    let prefix = a.prefix_length.min(b.prefix_length);
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
    match (ip_number(&a.gateway), ip_number(&b.gateway)) {
        (Some(a), Some(b)) => a & mask == b & mask,
        _ => false,
    }
}

fn read(body: &[u8]) -> Result<Network, Refusal> {
    let v: Value = serde_json::from_slice(body).map_err(|e| Refusal::bad(e.to_string()))?;
    let text = |v: &Value, field: &str| -> Result<String, Refusal> {
        v[field]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| Refusal::bad(format!("validation error on field '{field}'")))
    };
    if v["networkType"] != "NAT_ROUTED" {
        return Err(Refusal::bad("validation error on field 'networkType'"));
    }
    id_of(&text(&v["ownerRef"], "id")?)?;
    let subnet = &v["subnets"]["values"][0];
    let prefix = subnet["prefixLength"].as_u64().and_then(|p| u8::try_from(p).ok()).filter(|p| *p <= 30);
    let ranges = subnet["ipRanges"]["values"].as_array().cloned().unwrap_or_default();
    Ok(Network {
        id: Uuid::new_v4(),
        name: text(&v, "name")?,
        description: v["description"].as_str().unwrap_or_default().into(),
        edge: id_of(&text(&v["connection"]["routerRef"], "id")?)?,
        gateway: text(subnet, "gateway").and_then(|g| {
            ip_number(&g).map(|_| g).ok_or_else(|| Refusal::bad("validation error on field 'gateway'"))
        })?,
        prefix_length: prefix.ok_or_else(|| Refusal::bad("validation error on field 'prefixLength'"))?,
        dns: [
            subnet["dnsServer1"].as_str().unwrap_or_default().into(),
            subnet["dnsServer2"].as_str().unwrap_or_default().into(),
        ],
        ranges: ranges
            .iter()
            .map(|r| Ok((text(r, "startAddress")?, text(r, "endAddress")?)))
            .collect::<Result<_, Refusal>>()?,
        status: NetworkStatus::Configuring,
    })
}

pub(super) async fn delete(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Path(id): Path<String>,
) -> Response {
    let result = sim
        .change(|world, now| {
            let id = id_of(&id)?;
            let network =
                world.networks.get(&id).cloned().ok_or_else(|| Refusal::forbidden("network", id))?;
            world.require_idle(&[Entity::Gateway(network.edge), Entity::Network(id)])?;
            let users: Vec<&str> = world.users_of_network(id).iter().map(|a| a.name.as_str()).collect();
            if !users.is_empty() {
                return Err(Refusal::bad(format!(
                    "Network {} cannot be deleted, because it is in use by the following vApp(s): {}",
                    network.name,
                    users.join(", ")
                )));
            }
            let task = world.start_task(
                now,
                takes::NETWORK,
                "networkDelete",
                Entity::Network(id),
                &network.name,
                Effect::NetworkDeleted(id),
            );
            hold_edge(world, network.edge, now, takes::NETWORK);
            Ok(task)
        })
        .await;
    accepted(&around, result)
}
