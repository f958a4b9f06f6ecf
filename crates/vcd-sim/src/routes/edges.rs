//! Edge gateways and their QoS profiles (JSON family).

use std::collections::HashMap;

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderValue, header},
    response::Response,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{accepted, id_of, json as answer};
use crate::{
    errors::Refusal,
    filter::matches,
    model::{Edge, World},
    server::{Around, Simulator},
    tasks::{Effect, Entity, takes},
};

const PAGE_MAX: usize = 128;

/// One page of rows, with the header that leads to the next.
pub(super) fn page(
    around: &Around,
    path: &str,
    params: &HashMap<String, String>,
    page_max: usize,
    rows: Result<Vec<Value>, Refusal>,
) -> Response {
    let number = |name: &str, default: usize| {
        params.get(name).map_or(Ok(default), |t| {
            t.parse::<usize>()
                .ok()
                .filter(|n| *n > 0)
                .ok_or_else(|| Refusal::bad(format!("validation error on field '{name}': {t}")))
        })
    };
    let paged = rows.and_then(|rows| {
        let (page, size) = (number("page", 1)?, number("pageSize", 25.min(page_max))?);
        if size > page_max {
            return Err(Refusal::bad(format!("validation error on field 'pageSize': at most {page_max}")));
        }
        Ok((page, size, rows))
    });
    let (page, size, rows) = match paged {
        Ok(p) => p,
        Err(r) => return answer(around, Err(r)),
    };
    let total = rows.len();
    let pages = total.div_ceil(size);
    let values: Vec<Value> = rows.into_iter().skip((page - 1) * size).take(size).collect();
    let body = json!({
        "resultTotal": total, "pageCount": pages, "page": page, "pageSize": size, "associations": null, "values": values,
    });
    let mut response = answer(around, Ok(body));
    if page < pages {
        let next = format!(
            "<{}/cloudapi/1.0.0/{path}?page={}&pageSize={size}>;rel=\"nextPage\";type=\"application/json\"",
            around.base,
            page + 1
        );
        if let Ok(next) = HeaderValue::from_str(&next) {
            response.headers_mut().insert(header::LINK, next);
        }
    }
    response
}

pub(super) async fn list(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Query(params): Query<HashMap<String, String>>,
) -> Response {
    let world = sim.read();
    let owner = format!("urn:vcloud:vdc:{}", world.vdc.id);
    let mut edges: Vec<&Edge> = world.edges.values().collect();
    edges.sort_by(|a, b| a.name.cmp(&b.name));
    let rows = edges
        .into_iter()
        .filter_map(|e| {
            let id = format!("urn:vcloud:gateway:{}", e.id);
            let field = |name: &str| match name {
                "name" => Some(e.name.as_str()),
                "id" => Some(id.as_str()),
                "ownerRef.id" => Some(owner.as_str()),
                _ => None,
            };
            match matches(params.get("filter").map(String::as_str), field) {
                Ok(true) => Some(Ok(view(&world, e))),
                Ok(false) => None,
                Err(text) => Some(Err(Refusal::bad(text))),
            }
        })
        .collect();
    page(&around, "edgeGateways", &params, PAGE_MAX, rows)
}

fn find(world: &World, id: &str) -> Result<Edge, Refusal> {
    let id = id_of(id)?;
    world.edges.get(&id).cloned().ok_or_else(|| Refusal::forbidden("gateway", id))
}

pub(super) async fn get(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Path(id): Path<String>,
) -> Response {
    let world = sim.read();
    answer(&around, find(&world, &id).map(|e| view(&world, &e)))
}

fn view(world: &World, e: &Edge) -> Value {
    let vdc = json!({"name": world.vdc.name, "id": format!("urn:vcloud:vdc:{}", world.vdc.id)});
    json!({
        "id": format!("urn:vcloud:gateway:{}", e.id),
        "name": e.name,
        "description": e.description,
        "status": "REALIZED",
        "ownerRef": vdc,
        "orgVdc": vdc,
        "orgRef": {"name": world.org.name, "id": format!("urn:vcloud:org:{}", world.org.id)},
        "gatewayBacking": {"backingId": e.id, "gatewayType": "NSXT_BACKED"},
        "orgVdcNetworkCount": e.shown_networks,
        "edgeGatewayUplinks": [{
            "uplinkId": "urn:vcloud:network:00000000-0000-4000-8000-000000000001", "uplinkName": "t0",
            "connected": true, "dedicated": false,
            "subnets": {"values": [{"gateway": "100.64.0.1", "prefixLength": 16, "enabled": true,
                                    "totalIpCount": 1, "usedIpCount": 1}]},
        }],
    })
}

pub(super) async fn qos_get(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Path(id): Path<String>,
) -> Response {
    let world = sim.read();
    let profile = |p: Option<Uuid>| {
        p.and_then(|id| world.qos_profiles.iter().find(|q| q.id == id))
            .map_or(Value::Null, |q| json!({"id": q.id, "name": q.name}))
    };
    answer(
        &around,
        find(&world, &id)
            .map(|e| json!({"ingressProfile": profile(e.ingress), "egressProfile": profile(e.egress)})),
    )
}

pub(super) async fn qos_put(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let result = sim
        .change(|world, now| {
            let edge = find(world, &id)?;
            world.require_idle(&[Entity::Gateway(edge.id)])?;
            let body: Value = serde_json::from_slice(&body).map_err(|e| Refusal::bad(e.to_string()))?;
            let profile = |name: &str| -> Result<Option<Uuid>, Refusal> {
                match &body[name] {
                    Value::Null => Ok(None),
                    p => {
                        let id = id_of(p["id"].as_str().unwrap_or_default())?;
                        let known = world.qos_profiles.iter().any(|q| q.id == id);
                        known
                            .then_some(Some(id))
                            .ok_or_else(|| Refusal::bad(format!("Unknown QoS profile {id}")))
                    }
                }
            };
            let effect = Effect::Qos {
                edge: edge.id,
                ingress: profile("ingressProfile")?,
                egress: profile("egressProfile")?,
            };
            Ok(world.start_task(
                now,
                takes::QOS,
                "orgVdcGatewayUpdate",
                Entity::Gateway(edge.id),
                &edge.name,
                effect,
            ))
        })
        .await;
    accepted(&around, result)
}

pub(super) async fn profiles(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Query(params): Query<HashMap<String, String>>,
) -> Response {
    let world = sim.read();
    let rows = world
        .qos_profiles
        .iter()
        .map(|q| {
            json!({"id": q.id, "displayName": q.name, "description": "", "burstSize": 1,
                   "committedBandwidth": q.committed, "excessAction": "DROP"})
        })
        .collect();
    page(&around, "nsxTResources/gatewayQoSProfiles", &params, PAGE_MAX, Ok(rows))
}
