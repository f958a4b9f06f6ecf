//! The surface: who answers which path.

mod auth;
mod edges;
mod entities;
mod networks;
mod query;
mod tasks;
mod vapps;
mod views;
mod vms;

use axum::{
    Router,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use uuid::Uuid;

use crate::{
    errors::{Refusal, respond},
    server::{Around, Simulator},
    xml::Element,
};

pub(crate) fn router() -> Router<Simulator> {
    Router::new()
        .route("/api/versions", get(auth::versions))
        .route("/cloudapi/1.0.0/sessions", post(auth::tenant_login).delete(auth::logout))
        .route("/cloudapi/1.0.0/sessions/provider", post(auth::provider_login))
        .route("/cloudapi/1.0.0/sessions/current", get(auth::current).delete(auth::logout))
        .route("/api/session", get(auth::session).delete(auth::logout))
        .route("/api/org", get(entities::org_list))
        .route("/api/org/", get(entities::org_list))
        .route("/api/org/{id}", get(entities::org))
        .route("/api/vdc/{id}", get(entities::vdc))
        .route("/api/query", get(query::query))
        .route("/api/vAppTemplate/{id}", get(entities::template))
        .route("/api/vdc/{id}/action/composeVApp", post(vapps::compose))
        .route("/api/vApp/{id}", get(vapps::get).delete(vapps::delete))
        .route("/api/vApp/{id}/action/recomposeVApp", post(vapps::recompose))
        .route("/api/vApp/{id}/networkConfigSection", get(vapps::networks_get).put(vapps::networks_put))
        .route("/api/vApp/{id}/networkConfigSection/", get(vapps::networks_get).put(vapps::networks_put))
        .route("/api/vApp/{id}/action/deploy", post(vms::deploy))
        .route("/api/vApp/{id}/action/undeploy", post(vms::undeploy))
        .route("/api/vApp/{id}/power/action/powerOn", post(vms::power_on))
        .route("/api/vApp/{id}/action/reconfigureVm", post(vms::reconfigure))
        .route(
            "/api/vApp/{id}/guestCustomizationSection",
            get(vms::customization_get).put(vms::customization_put),
        )
        .route(
            "/api/vApp/{id}/guestCustomizationSection/",
            get(vms::customization_get).put(vms::customization_put),
        )
        .route("/api/vApp/{id}/guestcustomizationstatus", get(vms::customization_status))
        .route("/api/vApp/{id}/guestcustomizationstatus/", get(vms::customization_status))
        .route("/api/task/{id}", get(tasks::get))
        .route("/cloudapi/1.0.0/edgeGateways", get(edges::list))
        .route("/cloudapi/1.0.0/edgeGateways/", get(edges::list))
        .route("/cloudapi/1.0.0/edgeGateways/{id}", get(edges::get))
        .route("/cloudapi/1.0.0/edgeGateways/{id}/qos", get(edges::qos_get).put(edges::qos_put))
        .route("/cloudapi/1.0.0/nsxTResources/gatewayQoSProfiles", get(edges::profiles))
        .route("/cloudapi/1.0.0/orgVdcNetworks", get(networks::list).post(networks::create))
        .route("/cloudapi/1.0.0/orgVdcNetworks/", get(networks::list).post(networks::create))
        .route("/cloudapi/1.0.0/orgVdcNetworks/{id}", get(networks::get).delete(networks::delete))
}

/// Answers XML, or the refusal in XML.
fn xml(around: &Around, status: u16, media: &str, result: Result<Element, Refusal>) -> Response {
    match result {
        Ok(element) => {
            let mut response = respond(status, "application/xml", element.document());
            let value = format!("application/vnd.vmware.vcloud.{}+xml", media.to_lowercase());
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(header::CONTENT_TYPE, value);
            }
            response
        }
        Err(refusal) => refusal.into_xml(&around.request_id),
    }
}

/// Answers JSON, or the refusal in JSON.
fn json(around: &Around, result: Result<serde_json::Value, Refusal>) -> Response {
    match result {
        Ok(value) => respond(200, "application/json", value.to_string()),
        Err(refusal) => refusal.into_json(&around.request_id),
    }
}

/// 202, an empty body, and where the task is: how the JSON family answers changes.
fn accepted(around: &Around, result: Result<Uuid, Refusal>) -> Response {
    match result {
        Ok(task) => {
            let location = format!("{}/api/task/{task}", around.base);
            (StatusCode::ACCEPTED, [(header::LOCATION, location)]).into_response()
        }
        Err(refusal) => refusal.into_json(&around.request_id),
    }
}

/// 202 with the task as its body: how the XML family answers changes.
fn task_answer(sim: &Simulator, around: &Around, result: Result<Uuid, Refusal>) -> Response {
    let result = result.and_then(|id| {
        let world = sim.read();
        let task = world.tasks.get(&id).ok_or_else(|| Refusal::forbidden("task", id))?;
        Ok(views::task(task, &around.base, sim.now()))
    });
    let mut response = xml(around, 202, "task", result.clone());
    if let Ok(task) = result
        && let Some(href) = task.attribute("href").and_then(|h| HeaderValue::from_str(h).ok())
    {
        response.headers_mut().insert(header::LOCATION, href);
    }
    response
}

/// The UUID of `urn:vcloud:gateway:U`, `vapp-U`, `vm-U`, `vappTemplate-U`, or plain.
fn id_of(text: &str) -> Result<Uuid, Refusal> {
    let start = text.len().saturating_sub(36);
    text.get(start..)
        .and_then(|t| t.parse().ok())
        .ok_or_else(|| Refusal::bad(format!("validation error on field 'id': {text}")))
}

/// Parses a request body as XML with the given root element.
fn parse<'b>(body: &'b str, root: &str) -> Result<roxmltree::Document<'b>, Refusal> {
    let doc = roxmltree::Document::parse(body).map_err(|e| Refusal::bad(format!("Bad request: {e}")))?;
    if doc.root_element().has_tag_name((crate::xml::VCLOUD, root)) {
        Ok(doc)
    } else {
        Err(Refusal::bad(format!(
            "Cannot find the declaration of element '{}'.",
            doc.root_element().tag_name().name()
        )))
    }
}
