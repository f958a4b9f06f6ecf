//! Org VDC networks (JSON family), and the rules that both families share.

use axum::{
    body::Bytes,
    extract::{Path, Query},
    response::Response,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Ask, Params, edges::page, id_of};
use crate::{
    durations,
    effects::Effect,
    errors::Refusal,
    filter::{check, matches},
    model::{Network, Realization, ip_number},
    server::Change,
    tasks::{Entity, Start},
    world::World,
};

const PAGE_MAX: usize = 32;

/// What networks can be filtered by.
const FIELDS: &[&str] = &["name", "id", "ownerRef.id", "orgRef.id", "networkType", "connection.routerRef.id"];

pub(super) async fn list(ask: Ask, Query(params): Query<Params>) -> Response {
    if let Err(text) = check(params.get("filter").map(String::as_str), FIELDS) {
        return ask.json(Err(Refusal::bad(text)));
    }
    let world = ask.read();
    let owner = format!("urn:vcloud:vdc:{}", world.vdc.id);
    let org = format!("urn:vcloud:org:{}", world.org.id);
    let rows = world
        .networks
        .values()
        .filter_map(|n| {
            let (id, edge) = (Entity::Network(n.id).urn(), Entity::Gateway(n.edge).urn());
            let field = |name: &str| match name {
                "name" => Some(n.name.as_str()),
                "id" => Some(id.as_str()),
                "ownerRef.id" => Some(owner.as_str()),
                "orgRef.id" => Some(org.as_str()),
                "networkType" => Some("NAT_ROUTED"),
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
    page(&ask, "1.0.0/orgVdcNetworks", &params, PAGE_MAX, rows)
}

pub(super) async fn get(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let result = id_of(&id).and_then(|id| world.network(id)).map(|n| view(&world, n));
    ask.json(result)
}

fn view(world: &World, n: &Network) -> Value {
    let edge_name = world.edges.get(&n.edge).map_or("", |e| &e.name);
    let ranges: Vec<Value> =
        n.ranges.iter().map(|(a, b)| json!({"startAddress": a, "endAddress": b})).collect();
    let used = world.addresses_on(n.id).len();
    let vdc = json!({"name": world.vdc.name, "id": format!("urn:vcloud:vdc:{}", world.vdc.id)});
    json!({
        "id": Entity::Network(n.id).urn(),
        "name": n.name,
        "description": n.description,
        "status": n.status.word(),
        "subnets": {"values": [{"gateway": n.gateway, "prefixLength": n.prefix_length,
                                "dnsServer1": n.dns[0], "dnsServer2": n.dns[1], "dnsSuffix": "",
                                "ipRanges": {"values": ranges}, "enabled": true, "usedIpCount": used, "totalIpCount": n.addresses()}]},
        "backingNetworkId": n.id,
        "backingNetworkType": "NSXT_FLEXIBLE_SEGMENT",
        "parentNetworkId": null,
        "networkType": "NAT_ROUTED",
        "ownerRef": vdc,
        "orgVdc": vdc,
        "orgRef": {"name": world.org.name, "id": format!("urn:vcloud:org:{}", world.org.id)},
        "orgVdcIsNsxTBacked": true,
        "connection": {"routerRef": {"name": edge_name, "id": Entity::Gateway(n.edge).urn()},
                       "connectionType": "INTERNAL", "connectionTypeValue": "INTERNAL", "connected": true},
        "isDefaultNetwork": false,
        "shared": n.shared,
        "enableDualSubnetNetwork": false,
        "guestVlanTaggingAllowed": null,
        "lastTaskFailureMessage": null,
        "usedIpCount": used,
        "totalIpCount": n.addresses(),
    })
}

pub(super) async fn create(ask: Ask, body: Bytes) -> Response {
    let result = ask.change(|c| read(c.world, &body).and_then(|network| add(c, network))).await;
    ask.accepted(result)
}

/// Starts the making of a routed network. Its edge accepts nothing else meanwhile; a second network on an edge is no
/// mistake to the platform.
pub(super) fn add(c: &mut Change<'_>, network: Network) -> Result<Uuid, Refusal> {
    let edge = c.world.edge(network.edge)?;
    let (edge, realized) = (edge.id, edge.status == Realization::Realized);
    c.world.require_idle(&[Entity::Gateway(edge)])?;
    check_subnet(&network)?;
    if !realized {
        return Err(Refusal::new(400, "INVALID_STATE", "The edge gateway is not realized."));
    }
    is_free(c.world, &network)?;
    let quota = c.world.knobs.network_quota;
    if quota > 0 && c.world.networks.len() >= quota {
        return Err(Refusal::bad("The requested operation would exceed the VDC's network quota."));
    }
    let (id, name) = (network.id, network.name.clone());
    let duration = durations::of("networkCreateOrgVdcNetwork", 1);
    c.world.lag_count(edge, (c.now + duration).saturating_add(c.world.knobs.lag_ms()));
    c.world.networks.insert(id, network);
    let started = c.start(Start {
        operation: "networkCreateOrgVdcNetwork",
        duration,
        owner: Entity::Network(id),
        name,
        holds: vec![Entity::Gateway(edge)],
        effect: Effect::NetworkMade(id),
    });
    if started.is_err() {
        c.world.networks.remove(&id);
    }
    started
}

/// A name, and addresses that lie in the subnet.
fn check_subnet(network: &Network) -> Result<(), Refusal> {
    if network.name.trim().is_empty() || network.name.chars().count() > 128 {
        return Err(Refusal::bad("validation error on field 'name'"));
    }
    let (Some(gateway), 1..=30) = (ip_number(&network.gateway), network.prefix_length) else {
        return Err(Refusal::bad("validation error on field 'subnets': gateway and prefix length"));
    };
    let mask = u32::MAX << (32 - u32::from(network.prefix_length));
    for (first, last) in &network.ranges {
        let inside = |n: u32| n & mask == gateway & mask;
        match (ip_number(first), ip_number(last)) {
            (Some(first), Some(last)) if first <= last && inside(first) && inside(last) => {}
            _ => return Err(Refusal::bad("validation error on field 'ipRanges': not inside the subnet")),
        }
    }
    Ok(())
}

/// Neither its name nor its addresses are another's.
fn is_free(world: &World, network: &Network) -> Result<(), Refusal> {
    let mut others = world.networks.values().filter(|n| n.id != network.id);
    if others.clone().any(|n| n.name == network.name) {
        let text = format!("The name \"{}\" is already in use by another network.", network.name);
        return Err(Refusal::new(400, "DUPLICATE_NAME", text));
    }
    match others.find(|n| overlap(n, network)).filter(|_| world.knobs.subnets_must_differ) {
        Some(other) => Err(Refusal::bad(format!("The subnet overlaps that of network \"{}\".", other.name))),
        None => Ok(()),
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

fn read(world: &World, body: &[u8]) -> Result<Network, Refusal> {
    let v: Value = serde_json::from_slice(body).map_err(|e| Refusal::bad(format!("Bad request: {e}")))?;
    let text = |v: &Value, field: &str| -> Result<String, Refusal> {
        v[field]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| Refusal::bad(format!("validation error on field '{field}'")))
    };
    // An edge that is held refuses before anything is said about the rest.
    let edge = id_of(&text(&v["connection"]["routerRef"], "id")?)?;
    world.require_idle(&[Entity::Gateway(edge)])?;
    if v["networkType"] != "NAT_ROUTED" {
        return Err(Refusal::bad("validation error on field 'networkType': only NAT_ROUTED is offered here"));
    }
    let owner = id_of(&text(&v["ownerRef"], "id")?)?;
    if owner != world.vdc.id {
        return Err(Refusal::forbidden("vdc", owner));
    }
    let kind = |name: &str| v["connection"][name].as_str().is_none_or(|t| t.eq_ignore_ascii_case("INTERNAL"));
    if !kind("connectionType") || !kind("connectionTypeValue") {
        return Err(Refusal::bad(
            "validation error on field 'connectionType': only INTERNAL is offered here",
        ));
    }
    if v["subnets"]["values"].as_array().is_some_and(|subnets| subnets.len() > 1) {
        return Err(Refusal::bad("validation error on field 'subnets': one is offered here"));
    }
    let subnet = &v["subnets"]["values"][0];
    let prefix = subnet["prefixLength"].as_u64().and_then(|p| u8::try_from(p).ok());
    let ranges = subnet["ipRanges"]["values"].as_array().cloned().unwrap_or_default();
    Ok(Network {
        id: Uuid::new_v4(),
        name: text(&v, "name")?,
        description: v["description"].as_str().unwrap_or_default().into(),
        edge,
        gateway: text(subnet, "gateway")?,
        prefix_length: prefix.ok_or_else(|| Refusal::bad("validation error on field 'prefixLength'"))?,
        dns: ["dnsServer1", "dnsServer2"].map(|field| subnet[field].as_str().unwrap_or_default().to_owned()),
        ranges: ranges
            .iter()
            .map(|r| Ok((text(r, "startAddress")?, text(r, "endAddress")?)))
            .collect::<Result<_, Refusal>>()?,
        status: Realization::Configuring,
        shared: v["shared"].as_bool().unwrap_or(false),
    })
}

/// Name, description, name servers, ranges, sharing: what may change while machines use it.
pub(super) async fn put(ask: Ask, Path(id): Path<String>, body: Bytes) -> Response {
    let result = ask
        .change(|c| {
            let id = id_of(&id)?;
            let network = c.world.network(id)?.clone();
            c.world.require_idle(&[Entity::Gateway(network.edge), Entity::Network(id)])?;
            let wanted = read(c.world, &body)?;
            let fixed = |n: &Network| (n.edge, n.gateway.clone(), n.prefix_length);
            if fixed(&wanted) != fixed(&network) {
                return Err(Refusal::bad("The edge and the subnet of a network cannot be changed."));
            }
            let wanted = Network { id, status: network.status, ..wanted };
            check_subnet(&wanted)?;
            is_free(c.world, &wanted)?;
            c.start(Start {
                operation: "networkUpdateNetwork",
                duration: durations::of("networkUpdateNetwork", 1),
                owner: Entity::Network(id),
                name: network.name,
                holds: vec![Entity::Gateway(network.edge)],
                effect: Effect::NetworkUpdated(Box::new(wanted)),
            })
        })
        .await;
    ask.accepted(result)
}

pub(super) async fn delete(ask: Ask, Path(id): Path<String>) -> Response {
    let result = ask.change(|c| id_of(&id).and_then(|id| remove(c, id))).await;
    ask.accepted(result)
}

/// Starts the end of a network that no vApp refers to.
pub(super) fn remove(c: &mut Change<'_>, id: Uuid) -> Result<Uuid, Refusal> {
    let network = c.world.network(id)?.clone();
    c.world.require_idle(&[Entity::Gateway(network.edge), Entity::Network(id)])?;
    let users: Vec<&str> = c.world.users_of_network(id).iter().map(|a| a.name.as_str()).collect();
    if !users.is_empty() {
        return Err(Refusal::bad(format!(
            "Network {} cannot be deleted, because it is in use by the following vApp(s): {}",
            network.name,
            users.join(", ")
        )));
    }
    c.start(Start {
        operation: "networkDelete",
        duration: durations::of("networkDelete", 1),
        owner: Entity::Network(id),
        name: network.name,
        holds: vec![Entity::Gateway(network.edge)],
        effect: Effect::NetworkDeleted(id),
    })
}
