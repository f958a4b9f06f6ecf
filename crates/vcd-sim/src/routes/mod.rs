//! The surface: who answers which path, and what every handler has at hand.

mod access;
mod auth;
mod control;
mod copies;
mod customization;
mod edges;
mod fields;
mod guests;
mod hardware;
mod legacy_networks;
mod metadata;
mod networks;
mod nics;
mod orgs;
mod page;
mod power;
mod properties;
mod query;
mod recompose;
mod records;
mod screen;
mod sections;
mod snapshots;
mod tasks;
mod vapp_networks;
mod vapps;
mod views;
mod vms;

use std::{collections::HashMap, sync::MutexGuard};

use axum::{
    Router,
    extract::FromRequestParts,
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{MethodRouter, delete, get, post, put},
};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    errors::{Refusal, respond},
    schema,
    server::{Change, Simulator},
    world::World,
    wrap::Around,
    xml::Element,
};

/// The request at hand, and the ways to answer it.
pub(super) struct Ask {
    sim: Simulator,
    around: Around,
}

impl FromRequestParts<Simulator> for Ask {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, sim: &Simulator) -> Result<Self, StatusCode> {
        let around = parts.extensions.get::<Around>().cloned().ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
        Ok(Self { sim: sim.clone(), around })
    }
}

impl Ask {
    fn read(&self) -> MutexGuard<'_, World> {
        self.sim.read()
    }

    fn now(&self) -> i64 {
        self.sim.now()
    }

    fn base(&self) -> &str {
        &self.around.base
    }

    async fn change<T>(&self, f: impl FnOnce(&mut Change<'_>) -> Result<T, Refusal>) -> Result<T, Refusal> {
        self.sim.change(self.around.user(), f).await
    }

    /// Answers XML of this type, or the refusal in XML.
    fn xml(&self, status: u16, media: &str, result: Result<Element, Refusal>) -> Response {
        match result {
            Ok(element) => {
                let mut response = respond(status, "application/xml", element.document());
                // The real one writes the subtype in lower case here, and nowhere else.
                let value = format!("application/vnd.vmware.vcloud.{}+xml", media.to_lowercase());
                if let Ok(value) = HeaderValue::from_str(&value) {
                    response.headers_mut().insert(header::CONTENT_TYPE, value);
                }
                response
            }
            Err(refusal) => refusal.into_xml(&self.around.request_id),
        }
    }

    /// Answers JSON, or the refusal in JSON.
    fn json(&self, result: Result<Value, Refusal>) -> Response {
        match result {
            Ok(value) => respond(200, "application/json", value.to_string()),
            Err(refusal) => refusal.into_json(&self.around.request_id),
        }
    }

    /// 202, an empty body, and where the task is: how the JSON family answers changes.
    fn accepted(&self, result: Result<Uuid, Refusal>) -> Response {
        match result {
            Ok(task) => {
                let location = format!("{}/api/task/{task}", self.base());
                (StatusCode::ACCEPTED, [(header::LOCATION, location)]).into_response()
            }
            Err(refusal) => refusal.into_json(&self.around.request_id),
        }
    }

    /// 202 with the task as its body: how the XML family answers changes.
    fn task(&self, result: Result<Uuid, Refusal>) -> Response {
        let result = result.and_then(|id| {
            let world = self.read();
            let task = world.tasks.get(&id).ok_or_else(|| Refusal::forbidden("task", id))?;
            Ok(views::task(&world, task, self.base(), self.now()))
        });
        let mut response = self.xml(202, "task", result.clone());
        if let Ok(task) = result
            && let Some(href) = task.attribute("href").and_then(|h| HeaderValue::from_str(h).ok())
        {
            response.headers_mut().insert(header::LOCATION, href);
        }
        response
    }
}

/// A path with and without its last slash: clients write both.
trait BothWays {
    fn both(self, path: &str, handler: MethodRouter<Simulator>) -> Self;
}

impl BothWays for Router<Simulator> {
    fn both(self, path: &str, handler: MethodRouter<Simulator>) -> Self {
        self.route(path, handler.clone()).route(&format!("{path}/"), handler)
    }
}

pub(crate) fn router() -> Router<Simulator> {
    Router::new()
        .merge(sessions())
        .merge(organisation())
        .merge(vapps())
        .merge(machines())
        .merge(openapi())
        .merge(own())
}

fn sessions() -> Router<Simulator> {
    Router::new()
        .route("/api/versions", get(auth::versions))
        .route("/api/sessions", post(auth::legacy_login))
        .route("/cloudapi/1.0.0/sessions", post(auth::tenant_login).delete(auth::logout))
        .route("/cloudapi/1.0.0/sessions/provider", post(auth::provider_login))
        .route("/cloudapi/1.0.0/sessions/current", get(auth::current).delete(auth::logout))
        .route("/api/session", get(auth::session).delete(auth::logout))
        .route("/oauth/provider/token", post(auth::provider_token))
        .route("/oauth/tenant/{org}/token", post(auth::tenant_token))
        .route("/oauth/provider/register", post(auth::register))
        .route("/oauth/tenant/{org}/register", post(auth::register))
}

fn organisation() -> Router<Simulator> {
    Router::new()
        .both("/api/org", get(orgs::list))
        .route("/api/org/{id}", get(orgs::org))
        .both("/api/admin", get(orgs::admin))
        .route("/api/admin/org/{id}", get(orgs::admin_org))
        .route("/api/vdc/{id}", get(orgs::vdc))
        .route("/api/admin/vdc/{id}", get(orgs::admin_vdc))
        .both("/api/vdc/{id}/metadata", get(orgs::no_metadata))
        .both("/api/org/{id}/metadata", get(orgs::no_metadata))
        .route("/api/admin/vdc/{id}/edgeGateways", get(query::edges_of_vdc))
        .route("/api/admin/vdc/{id}/networks", get(query::networks_of_vdc).post(legacy_networks::create))
        .route("/api/admin/edgeGateway/{id}", get(legacy_networks::edge))
        .route("/api/catalog/{id}", get(orgs::catalog))
        .route("/api/admin/catalog/{id}", get(orgs::catalog))
        .route("/api/catalogItem/{id}", get(orgs::catalog_item))
        .route("/api/vAppTemplate/{id}", get(orgs::template))
        .route("/api/vdcStorageProfile/{id}", get(orgs::storage_profile))
        .route("/api/entity/{urn}", get(orgs::entity))
        .both("/api/query", get(query::query))
        .route("/api/task/{id}", get(tasks::get))
        .route("/api/task/{id}/action/cancel", post(tasks::cancel))
        .route("/api/network/{id}", get(legacy_networks::get).delete(legacy_networks::delete))
        .route("/api/admin/network/{id}", get(legacy_networks::get).delete(legacy_networks::delete))
}

fn vapps() -> Router<Simulator> {
    Router::new()
        .route("/api/vdc/{id}/action/composeVApp", post(vapps::compose))
        .route("/api/vdc/{id}/action/instantiateVAppTemplate", post(vapps::instantiate))
        .route("/api/vdc/{id}/action/cloneVApp", post(vapps::clone))
        .route("/api/vApp/{id}", get(vapps::get).put(vapps::update).delete(vapps::delete))
        .route("/api/vApp/{id}/action/recomposeVApp", post(recompose::recompose))
        .both("/api/vApp/{id}/networkConfigSection", get(vapp_networks::get).put(vapp_networks::put))
        .both("/api/vApp/{id}/controlAccess", get(access::get))
        .route("/api/vApp/{id}/action/controlAccess", post(access::put))
        .both("/api/vApp/{id}/productSections", get(properties::get).put(properties::put))
        .both("/api/vApp/{id}/metadata", get(metadata::list).post(metadata::add))
        .route(
            "/api/vApp/{id}/metadata/{domain}/{key}",
            get(metadata::get_in).put(metadata::put_in).delete(metadata::delete_in),
        )
        .route(
            "/api/vApp/{id}/metadata/{key}",
            get(metadata::get).put(metadata::put).delete(metadata::delete),
        )
}

fn machines() -> Router<Simulator> {
    let power = |what| post(move |ask, path| power::power(ask, path, what));
    Router::new()
        .route("/api/vApp/{id}/action/deploy", post(power::deploy))
        .route("/api/vApp/{id}/action/undeploy", post(power::undeploy))
        .route("/api/vApp/{id}/action/discardSuspendedState", power(power::Power::Discard))
        .route("/api/vApp/{id}/power/action/powerOn", power(power::Power::On))
        .route("/api/vApp/{id}/power/action/powerOff", power(power::Power::Off))
        .route("/api/vApp/{id}/power/action/reset", power(power::Power::Reset))
        .route("/api/vApp/{id}/power/action/reboot", power(power::Power::Reboot))
        .route("/api/vApp/{id}/power/action/shutdown", power(power::Power::Shutdown))
        .route("/api/vApp/{id}/power/action/suspend", power(power::Power::Suspend))
        .route("/api/vApp/{id}/action/createSnapshot", post(snapshots::create))
        .route("/api/vApp/{id}/action/revertToCurrentSnapshot", post(snapshots::revert))
        .route("/api/vApp/{id}/action/removeAllSnapshots", post(snapshots::remove))
        .both("/api/vApp/{id}/snapshotSection", get(snapshots::section))
        .route("/api/vApp/{id}/action/reconfigureVm", post(vms::reconfigure))
        .both("/api/vApp/{id}/vmCapabilities", get(vms::capabilities_get).put(vms::capabilities_put))
        .both("/api/vApp/{id}/networkConnectionSection", get(nics::get).put(nics::put))
        .both("/api/vApp/{id}/guestCustomizationSection", get(customization::get).put(customization::put))
        .both("/api/vApp/{id}/guestcustomizationstatus", get(customization::status))
        .route("/api/vApp/{id}/action/customizeAtNextPowerOn", post(customization::at_next_power_on))
        .both("/api/vApp/{id}/virtualHardwareSection", get(hardware::section))
        .route("/api/vApp/{id}/virtualHardwareSection/{part}", get(hardware::get).put(hardware::put))
        .route("/api/vApp/{id}/screen/action/acquireMksTicket", post(screen::mks_ticket))
        .route("/api/vApp/{id}/screen/action/acquireTicket", post(screen::ticket))
        .route("/api/vApp/{id}/question", get(screen::question))
        .route("/api/vApp/{id}/question/action/answer", post(screen::answer))
}

fn openapi() -> Router<Simulator> {
    Router::new()
        .both("/cloudapi/1.0.0/edgeGateways", get(edges::list).post(edges::create))
        .route("/cloudapi/1.0.0/edgeGateways/{id}", get(edges::get).put(edges::put).delete(edges::delete))
        .route("/cloudapi/1.0.0/edgeGateways/{id}/usedIpAddresses", get(edges::used_addresses))
        .route("/cloudapi/1.0.0/edgeGateways/{id}/qos", get(edges::qos_get).put(edges::qos_put))
        .route("/cloudapi/1.0.0/nsxTResources/gatewayQoSProfiles", get(edges::profiles))
        .route("/cloudapi/1.0.0/nsxTResources/nsxTManagers", get(edges::managers))
        .both("/cloudapi/1.0.0/orgVdcNetworks", get(networks::list).post(networks::create))
        .route(
            "/cloudapi/1.0.0/orgVdcNetworks/{id}",
            get(networks::get).put(networks::put).delete(networks::delete),
        )
        .both("/cloudapi/1.0.0/tokens", get(auth::tokens))
        .route("/cloudapi/1.0.0/tokens/{id}", delete(auth::token_delete))
        .both("/cloudapi/2.0.0/vdcComputePolicies", get(orgs::compute_policies))
}

fn own() -> Router<Simulator> {
    Router::new()
        .route("/", get(page::page))
        .route("/443;{ticket}", get(screen::open))
        .route("/sim/durations", get(control::durations))
        .route("/sim/knobs", get(control::knobs).post(control::knobs_set))
        .route("/sim/clock", get(control::clock).post(control::step))
        .route("/sim/sessions", delete(control::sessions_end))
        .route("/sim/faults", get(control::faults).post(control::fault_add).delete(control::faults_clear))
        .route("/sim/busy", post(control::busy))
        .route("/sim/change", post(control::change))
        .route("/sim/tasks/{id}", post(control::task_end))
        .route("/sim/guests", get(guests::guests))
        .route("/sim/guests/{id}", get(guests::guest).put(guests::guest_change))
        .route("/sim/guests/{id}/login", post(guests::guest_login))
        .route("/sim/guests/{id}/panel", post(guests::guest_panel))
        .route("/sim/guests/{id}/leave", post(guests::guest_leave))
        .route("/sim/guests/{id}/question", put(guests::question))
}

type Params = HashMap<String, String>;

/// The UUID of `urn:vcloud:gateway:U`, `vapp-U`, `vm-U`, `vappTemplate-U`, an href, or plain.
fn id_of(text: &str) -> Result<Uuid, Refusal> {
    let text = text.trim_end_matches('/');
    let start = text.len().saturating_sub(36);
    text.get(start..)
        .and_then(|t| t.parse().ok())
        .ok_or_else(|| Refusal::bad(format!("validation error on field 'id': {text}")))
}

/// Parses a request body as XML with the given root element, its elements where the schema has them.
fn parse<'b>(world: &World, body: &'b str, root: &str) -> Result<roxmltree::Document<'b>, Refusal> {
    let doc = roxmltree::Document::parse(body).map_err(|e| Refusal::bad(format!("Bad request: {e}")))?;
    let found = doc.root_element();
    if !found.has_tag_name((crate::xml::VCLOUD, root)) {
        let name = found.tag_name().name();
        return Err(Refusal::bad(format!("Cannot find the declaration of element '{name}'.")));
    }
    if world.knobs.strict_order {
        schema::check(found).map_err(Refusal::bad)?;
    }
    Ok(doc)
}

/// A field that has to be a number.
fn number<T: std::str::FromStr>(text: &str, field: &str) -> Result<T, Refusal> {
    text.trim().parse().map_err(|_| Refusal::bad(format!("validation error on field '{field}': {text}")))
}
