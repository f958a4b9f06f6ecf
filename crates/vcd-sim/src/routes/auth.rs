//! Versions, sessions.

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};

use super::{json, xml};
use crate::{
    errors::{Refusal, respond},
    server::{Around, Simulator, VERSIONS},
    xml::Element,
};

const TENANT: (&str, &str) = ("acme-admin", "simulator");
const PROVIDER: (&str, &str) = ("administrator", "simulator");

pub(super) async fn versions(Extension(around): Extension<Around>) -> Response {
    let base = &around.base;
    let body = Element::versions("SupportedVersions")
        .children(VERSIONS.iter().map(|(version, deprecated)| {
            Element::new("VersionInfo")
                .attr("deprecated", deprecated)
                .leaf("Version", version)
                .leaf("LoginUrl", format!("{base}/cloudapi/1.0.0/sessions"))
                .leaf("ProviderLoginUrl", format!("{base}/cloudapi/1.0.0/sessions/provider"))
        }))
        .leaf("SchemaRoot", format!("{base}/api/v1.5/schema/"));
    respond(200, "text/xml", body.document())
}

pub(super) async fn tenant_login(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    headers: HeaderMap,
) -> Response {
    login(&sim, &around, &headers, false)
}

pub(super) async fn provider_login(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    headers: HeaderMap,
) -> Response {
    login(&sim, &around, &headers, true)
}

fn login(sim: &Simulator, around: &Around, headers: &HeaderMap, provider: bool) -> Response {
    let org = if provider { "System".to_owned() } else { sim.read().org.name.clone() };
    let (user, password) = if provider { PROVIDER } else { TENANT };
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.strip_prefix("Basic "))
        .and_then(|v| STANDARD.decode(v).ok())
        .and_then(|v| String::from_utf8(v).ok());
    if given.is_none_or(|g| g != format!("{user}@{org}:{password}")) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let opened = sim.session_open(user, provider);
    let token = opened.as_ref().ok().and_then(|t| HeaderValue::from_str(t).ok());
    let mut response = json(around, opened.map(|_| describe(sim, user, &org)));
    if let Some(token) = token {
        response.headers_mut().insert("x-vmware-vcloud-access-token", token);
        response.headers_mut().insert("x-vmware-vcloud-token-type", HeaderValue::from_static("Bearer"));
    }
    response
}

fn describe(sim: &Simulator, user: &str, org: &str) -> serde_json::Value {
    let org_id = sim.read().org.id;
    serde_json::json!({
        "id": format!("urn:vcloud:session:{org_id}"),
        "user": {"name": user, "id": format!("urn:vcloud:user:{org_id}")},
        "org": {"name": org, "id": format!("urn:vcloud:org:{org_id}")},
        "roles": ["Organization Administrator"],
        "sessionIdleTimeoutMinutes": 30,
    })
}

pub(super) async fn current(State(sim): State<Simulator>, Extension(around): Extension<Around>) -> Response {
    let org = sim.read().org.name.clone();
    match &around.session {
        Some(s) => json(&around, Ok(describe(&sim, &s.user, if s.provider { "System" } else { &org }))),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

pub(super) async fn session(State(sim): State<Simulator>, Extension(around): Extension<Around>) -> Response {
    let world = sim.read();
    let result =
        around.session.as_ref().ok_or_else(|| Refusal::new(401, "UNAUTHORIZED", "No session")).map(|s| {
            let base = &around.base;
            Element::vcloud("Session")
                .attr("org", if s.provider { "System" } else { &world.org.name })
                .attr("user", &s.user)
                .attr("href", format!("{base}/api/session"))
                .attr("type", "application/vnd.vmware.vcloud.session+xml")
                .child(
                    Element::new("Link")
                        .attr("rel", "down")
                        .attr("type", "application/vnd.vmware.vcloud.orgList+xml")
                        .attr("href", format!("{base}/api/org/")),
                )
                .child(Element::new("Link").attr("rel", "remove").attr("href", format!("{base}/api/session")))
        });
    xml(&around, 200, "session", result)
}

pub(super) async fn logout(State(sim): State<Simulator>, headers: HeaderMap) -> Response {
    sim.session_close(&headers);
    StatusCode::NO_CONTENT.into_response()
}
