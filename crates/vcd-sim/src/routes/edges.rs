//! Edge gateways and their QoS profiles (JSON family).

use axum::{
    body::Bytes,
    extract::{Path, Query},
    http::{HeaderValue, header},
    response::Response,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Ask, Params, id_of, number};
use crate::{
    durations,
    effects::Effect,
    errors::Refusal,
    filter::{check, matches},
    model::{Edge, Realization},
    tasks::{Entity, Start},
    world::World,
};

const PAGE_MAX: usize = 128;

/// What edges can be filtered by.
const FIELDS: &[&str] =
    &["name", "id", "ownerRef.id", "orgVdc.id", "orgRef.id", "gatewayBacking.gatewayType"];

/// The name of a page's type, as the link to the next one bears it: `EdgeGateways` of `edgeGateways`.
fn model(path: &str) -> String {
    let last = path.rsplit('/').next().unwrap_or(path);
    last.chars().enumerate().map(|(i, c)| if i == 0 { c.to_ascii_uppercase() } else { c }).collect()
}

/// One page of rows, with the header that leads to the next. A larger page than the largest is refused.
pub(super) fn page(
    ask: &Ask,
    path: &str,
    params: &Params,
    page_max: usize,
    rows: Result<Vec<Value>, Refusal>,
) -> Response {
    let count = |name: &str, default: usize| -> Result<usize, Refusal> {
        match params.get(name) {
            None => Ok(default),
            Some(text) => match number(text, name)? {
                0 => Err(Refusal::bad(format!("validation error on field '{name}': 0"))),
                n => Ok(n),
            },
        }
    };
    let paged = rows.and_then(|rows| {
        let (page, size) = (count("page", 1)?, count("pageSize", 25)?);
        if size > page_max {
            return Err(Refusal::bad(format!("validation error on field 'pageSize': at most {page_max}")));
        }
        Ok((page, size, rows))
    });
    let (page, size, rows) = match paged {
        Ok(p) => p,
        Err(r) => return ask.json(Err(r)),
    };
    let total = rows.len();
    let pages = total.div_ceil(size);
    let from = (page - 1).saturating_mul(size) + ask.around.page_shift;
    let values: Vec<Value> = rows.into_iter().skip(from).take(size).collect();
    let body = json!({
        "resultTotal": total - ask.around.page_shift.min(total), "pageCount": pages, "page": page,
        "pageSize": size, "associations": null, "values": values,
    });
    let mut response = ask.json(Ok(body));
    if page < pages {
        // Everything the reader asked for goes on to the next page.
        let mut rest: Vec<String> = params
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "page" | "pageSize"))
            .map(|(name, value)| format!("&{name}={}", super::query::encode(value)))
            .collect();
        rest.sort();
        let next = format!(
            "<{}/cloudapi/{path}?page={}&pageSize={size}{}>;rel=\"nextPage\";type=\"application/json\";model=\"{}\"",
            ask.base(),
            page + 1,
            rest.concat(),
            model(path)
        );
        if let Ok(next) = HeaderValue::from_str(&next) {
            response.headers_mut().insert(header::LINK, next);
        }
    }
    response
}

pub(super) async fn list(ask: Ask, Query(params): Query<Params>) -> Response {
    if let Err(text) = check(params.get("filter").map(String::as_str), FIELDS) {
        return ask.json(Err(Refusal::bad(text)));
    }
    let (world, now) = (ask.read(), ask.now());
    let owner = format!("urn:vcloud:vdc:{}", world.vdc.id);
    let org = format!("urn:vcloud:org:{}", world.org.id);
    let mut edges: Vec<&Edge> = world.edges.values().collect();
    edges.sort_by(|a, b| a.name.cmp(&b.name));
    let rows = edges
        .into_iter()
        .filter_map(|e| {
            let id = Entity::Gateway(e.id).urn();
            let field = |name: &str| match name {
                "name" => Some(e.name.as_str()),
                "id" => Some(id.as_str()),
                "ownerRef.id" | "orgVdc.id" => Some(owner.as_str()),
                "orgRef.id" => Some(org.as_str()),
                "gatewayBacking.gatewayType" => Some("NSXT_BACKED"),
                _ => None,
            };
            match matches(params.get("filter").map(String::as_str), field) {
                Ok(true) => Some(Ok(view(&world, e, now))),
                Ok(false) => None,
                Err(text) => Some(Err(Refusal::bad(text))),
            }
        })
        .collect();
    page(&ask, "1.0.0/edgeGateways", &params, PAGE_MAX, rows)
}

pub(super) async fn get(ask: Ask, Path(id): Path<String>) -> Response {
    let (world, now) = (ask.read(), ask.now());
    ask.json(id_of(&id).and_then(|id| world.edge(id)).map(|e| view(&world, e, now)))
}

/// What is asked of an edge: its name, its description, and whose it is to be.
struct Asked {
    name: String,
    description: String,
}

/// Edges are the operator's to make, to change and to take away.
fn read(ask: &Ask, body: &[u8]) -> Result<Asked, Refusal> {
    operator(ask)?;
    let v: Value = serde_json::from_slice(body).map_err(|e| Refusal::bad(format!("Bad request: {e}")))?;
    let name = v["name"].as_str().map(str::trim).filter(|n| !n.is_empty() && n.chars().count() <= 128);
    let name = name.ok_or_else(|| Refusal::bad("validation error on field 'name'"))?;
    let owner = id_of(v["ownerRef"]["id"].as_str().unwrap_or_default())?;
    let vdc = ask.read().vdc.id;
    if owner != vdc {
        return Err(Refusal::forbidden("vdc", owner));
    }
    Ok(Asked { name: name.into(), description: v["description"].as_str().unwrap_or_default().into() })
}

fn operator(ask: &Ask) -> Result<(), Refusal> {
    match ask.around.is_provider() {
        true => Ok(()),
        false => Err(Refusal::new(403, "ACCESS_TO_RESOURCE_IS_FORBIDDEN", "This operation is denied.")),
    }
}

fn is_free(world: &World, name: &str, but: Option<Uuid>) -> Result<(), Refusal> {
    if world.edges.values().any(|e| e.name == name && Some(e.id) != but) {
        let text = format!("The name \"{name}\" is already in use by another edge gateway.");
        return Err(Refusal::new(400, "DUPLICATE_NAME", text));
    }
    Ok(())
}

/// A further edge of the pool. It takes networks once it is realized.
pub(super) async fn create(ask: Ask, body: Bytes) -> Response {
    let asked = match read(&ask, &body) {
        Ok(asked) => asked,
        Err(refusal) => return ask.json(Err(refusal)),
    };
    let result = ask
        .change(|c| {
            is_free(c.world, &asked.name, None)?;
            let edge = Edge {
                id: Uuid::new_v4(),
                name: asked.name.clone(),
                description: asked.description,
                status: Realization::Configuring,
                uplink: c.world.free_uplink(),
                ingress: None,
                egress: None,
                lag: None,
            };
            let id = edge.id;
            c.world.edges.insert(id, edge);
            let started = c.start(Start {
                operation: "orgVdcGatewayCreate",
                duration: durations::of("orgVdcGatewayCreate", 1),
                owner: Entity::Gateway(id),
                name: asked.name,
                holds: vec![],
                effect: Effect::EdgeMade(id),
            });
            if started.is_err() {
                c.world.edges.remove(&id);
            }
            started
        })
        .await;
    ask.accepted(result)
}

/// Its name and its description.
pub(super) async fn put(ask: Ask, Path(id): Path<String>, body: Bytes) -> Response {
    let idle = |id| {
        let world = ask.read();
        world.edge(id)?;
        world.require_idle(&[Entity::Gateway(id)])
    };
    let asked = match id_of(&id).and_then(idle).and_then(|()| read(&ask, &body)) {
        Ok(asked) => asked,
        Err(refusal) => return ask.json(Err(refusal)),
    };
    let result = ask
        .change(|c| {
            let edge = c.world.edge(id_of(&id)?)?.clone();
            c.world.require_idle(&[Entity::Gateway(edge.id)])?;
            is_free(c.world, &asked.name, Some(edge.id))?;
            c.start(Start {
                operation: "orgVdcGatewayUpdate",
                duration: durations::of("orgVdcGatewayUpdate", 1),
                owner: Entity::Gateway(edge.id),
                name: edge.name,
                holds: vec![],
                effect: Effect::EdgeUpdated { id: edge.id, name: asked.name, description: asked.description },
            })
        })
        .await;
    ask.accepted(result)
}

/// Refused while a network is on it.
pub(super) async fn delete(ask: Ask, Path(id): Path<String>) -> Response {
    if let Err(refusal) = operator(&ask) {
        return ask.json(Err(refusal));
    }
    let result = ask
        .change(|c| {
            let edge = c.world.edge(id_of(&id)?)?.clone();
            c.world.require_idle(&[Entity::Gateway(edge.id)])?;
            let networks = c.world.networks_on(edge.id);
            if networks > 0 {
                let text = format!(
                    "The edge gateway \"{}\" cannot be deleted: {networks} org VDC network(s) are connected to it.",
                    edge.name
                );
                return Err(Refusal::bad(text));
            }
            c.start(Start {
                operation: "orgVdcGatewayDelete",
                duration: durations::of("orgVdcGatewayDelete", 1),
                owner: Entity::Gateway(edge.id),
                name: edge.name,
                holds: vec![],
                effect: Effect::EdgeDeleted(edge.id),
            })
        })
        .await;
    ask.accepted(result)
}

fn view(world: &World, e: &Edge, now: i64) -> Value {
    let vdc = json!({"name": world.vdc.name, "id": format!("urn:vcloud:vdc:{}", world.vdc.id)});
    let primary = e.uplink;
    json!({
        "id": Entity::Gateway(e.id).urn(),
        "name": e.name,
        "description": e.description,
        "status": e.status.word(),
        "ownerRef": vdc,
        "orgVdc": vdc,
        "orgRef": {"name": world.org.name, "id": format!("urn:vcloud:org:{}", world.org.id)},
        "gatewayBacking": {"backingId": e.id, "gatewayType": "NSXT_BACKED", "networkProvider": {"id": manager(world), "name": "nsx"}},
        "orgVdcNetworkCount": world.networks_shown(e, now),
        "distributedRoutingEnabled": false,
        "edgeGatewayUplinks": [{
            "uplinkId": "urn:vcloud:network:00000000-0000-4000-8000-000000000001", "uplinkName": "t0",
            "connected": true, "dedicated": false, "backingType": "NSXT_TIER0",
            "subnets": {"values": [{"gateway": "100.64.0.1", "prefixLength": 16, "enabled": true,
                                    "totalIpCount": 1, "usedIpCount": 1, "primaryIp": primary,
                                    "ipRanges": {"values": [{"startAddress": primary, "endAddress": primary}]}}]},
        }],
    })
}

/// Addresses of the uplink that are in use: the edge's own.
pub(super) async fn used_addresses(
    ask: Ask,
    Path(id): Path<String>,
    Query(params): Query<Params>,
) -> Response {
    if let Err(text) = check(params.get("filter").map(String::as_str), &["category", "ipAddress"]) {
        return ask.json(Err(Refusal::bad(text)));
    }
    let world = ask.read();
    let rows = id_of(&id)
        .and_then(|id| world.edge(id))
        .map(|e| vec![json!({"category": "PRIMARY_IP", "ipAddress": e.uplink, "networkRef": null})]);
    page(&ask, &format!("1.0.0/edgeGateways/{id}/usedIpAddresses"), &params, PAGE_MAX, rows)
}

pub(super) async fn qos_get(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let profile = |p: Option<Uuid>| {
        p.and_then(|id| world.qos_profiles.iter().find(|q| q.id == id))
            .map_or(Value::Null, |q| json!({"id": q.id, "name": q.name}))
    };
    let result = id_of(&id).and_then(|id| world.edge(id));
    ask.json(
        result.map(|e| json!({"ingressProfile": profile(e.ingress), "egressProfile": profile(e.egress)})),
    )
}

pub(super) async fn qos_put(ask: Ask, Path(id): Path<String>, body: Bytes) -> Response {
    let result = ask
        .change(|c| {
            let edge = c.world.edge(id_of(&id)?)?.clone();
            c.world.require_idle(&[Entity::Gateway(edge.id)])?;
            let body: Value =
                serde_json::from_slice(&body).map_err(|e| Refusal::bad(format!("Bad request: {e}")))?;
            let profile = |name: &str| -> Result<Option<Uuid>, Refusal> {
                match &body[name] {
                    Value::Null => Ok(None),
                    p => {
                        let id = id_of(p["id"].as_str().unwrap_or_default())?;
                        let known = c.world.qos_profiles.iter().any(|q| q.id == id);
                        let unknown = || Refusal::bad(format!("Unknown QoS profile {id}"));
                        match known || !c.world.knobs.unknown_profile_refused {
                            true => Ok(known.then_some(id)),
                            false => Err(unknown()),
                        }
                    }
                }
            };
            let (ingress, egress) = (profile("ingressProfile")?, profile("egressProfile")?);
            c.start(Start {
                operation: "orgVdcGatewayUpdate",
                duration: durations::of("orgVdcGatewayUpdate", 1),
                owner: Entity::Gateway(edge.id),
                name: edge.name,
                holds: vec![],
                effect: Effect::Qos { edge: edge.id, ingress, egress },
            })
        })
        .await;
    ask.accepted(result)
}

/// The network manager behind the edges.
fn manager(world: &World) -> String {
    format!("urn:vcloud:nsxtmanager:{}", world.storage_profile.id)
}

/// The provider's list of network managers.
pub(super) async fn managers(ask: Ask, Query(params): Query<Params>) -> Response {
    if let Err(text) = check(params.get("filter").map(String::as_str), &["id", "name"]) {
        return ask.json(Err(Refusal::bad(text)));
    }
    let world = ask.read();
    let rows = if ask.around.is_provider() {
        Ok(vec![json!({"id": manager(&world), "name": "nsx", "networkProviderScope": null})])
    } else {
        Err(Refusal::new(403, "ACCESS_TO_RESOURCE_IS_FORBIDDEN", "This operation is denied."))
    };
    page(&ask, "1.0.0/nsxTResources/nsxTManagers", &params, PAGE_MAX, rows)
}

pub(super) async fn profiles(ask: Ask, Query(params): Query<Params>) -> Response {
    let world = ask.read();
    let filter = params.get("filter").map(String::as_str);
    let rows = if !filter.is_some_and(|f| f.contains("nsxTManagerRef.id==")) {
        // The list is the network manager's: which one's has to be said.
        Err(Refusal::bad("The filter nsxTManagerRef.id is required."))
    } else if ask.around.is_provider() || world.knobs.tenants_see_speed_profiles {
        let manager = manager(&world);
        let profile = |q: &crate::model::QosProfile| {
            let field = |name: &str| match name {
                "nsxTManagerRef.id" => Some(manager.as_str()),
                "displayName" => Some(q.name.as_str()),
                _ => None,
            };
            let row = json!({"id": q.id, "displayName": q.name, "description": "", "burstSize": 1,
                   "committedBandwidth": q.committed, "excessAction": "DROP",
                   "nsxTManagerRef": {"id": manager, "name": "nsx"}});
            matches(filter, field).map(|m| m.then_some(row)).map_err(Refusal::bad).transpose()
        };
        world.qos_profiles.iter().filter_map(profile).collect()
    } else {
        Err(Refusal::new(403, "ACCESS_TO_RESOURCE_IS_FORBIDDEN", "This operation is denied."))
    };
    page(&ask, "1.0.0/nsxTResources/gatewayQoSProfiles", &params, PAGE_MAX, rows)
}
