//! Versions, sessions, API tokens.

use axum::{
    Form, Json,
    extract::{Path, Query},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{Ask, Params, edges::page, views::link};
use crate::{
    config::Account,
    errors::{Refusal, respond},
    filter::{check, matches},
    model::ApiToken,
    server::random_token,
    wrap::VERSIONS,
    xml::Element,
};

pub(super) async fn versions(ask: Ask) -> Response {
    let base = ask.base();
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

/// Whose credentials the `Authorization: Basic` header holds.
fn signed_in(ask: &Ask, headers: &HeaderMap) -> Option<Account> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let encoded = value.get(..6).filter(|p| p.eq_ignore_ascii_case("basic ")).map(|_| &value[6..])?;
    let given = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (name, password) = given.split_once(':')?;
    let (user, org) = name.rsplit_once('@')?;
    ask.sim.account(user, org, password).cloned()
}

pub(super) async fn tenant_login(ask: Ask, headers: HeaderMap) -> Response {
    login(&ask, signed_in(&ask, &headers).filter(|a| !a.is_provider()))
}

pub(super) async fn provider_login(ask: Ask, headers: HeaderMap) -> Response {
    login(&ask, signed_in(&ask, &headers).filter(Account::is_provider))
}

fn login(ask: &Ask, account: Option<Account>) -> Response {
    let Some(account) = account else { return StatusCode::UNAUTHORIZED.into_response() };
    let opened = ask.sim.session_open(&account);
    let token = opened.as_ref().ok().and_then(|t| HeaderValue::from_str(t).ok());
    let mut response = ask.json(opened.map(|_| describe(ask, &account.user, &account.org)));
    if let Some(token) = token {
        response.headers_mut().insert("x-vmware-vcloud-access-token", token);
        response.headers_mut().insert("x-vmware-vcloud-token-type", HeaderValue::from_static("Bearer"));
    }
    response
}

/// The login of versions before 33: the session in XML and a short token in a header.
pub(super) async fn legacy_login(ask: Ask, headers: HeaderMap) -> Response {
    let Some(account) = signed_in(&ask, &headers) else { return StatusCode::UNAUTHORIZED.into_response() };
    let token = uuid::Uuid::new_v4().simple().to_string();
    ask.sim.session_insert(token.clone(), &account);
    let mut response = ask.xml(200, "session", Ok(session_of(&ask, &account.user, &account.org)));
    if let Ok(token) = HeaderValue::from_str(&token) {
        response.headers_mut().insert("x-vcloud-authorization", token);
    }
    response
}

fn describe(ask: &Ask, user: &str, org: &str) -> Value {
    let world = ask.read();
    let id = world.org.id;
    let role = role(org);
    json!({
        "id": format!("urn:vcloud:session:{id}"),
        "user": {"name": user, "id": format!("urn:vcloud:user:{id}")},
        "org": {"name": org, "id": format!("urn:vcloud:org:{id}")},
        "location": format!("{id}@{id}"),
        "roles": [role],
        "roleRefs": [{"name": role, "id": format!("urn:vcloud:role:{id}")}],
        "sessionIdleTimeoutMinutes": 30,
    })
}

fn role(org: &str) -> &'static str {
    if org.eq_ignore_ascii_case("system") { "System Administrator" } else { "Organization Administrator" }
}

pub(super) async fn current(ask: Ask) -> Response {
    match ask.around.session.clone() {
        Some(s) => ask.json(Ok(describe(&ask, &s.user, &s.org))),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

pub(super) async fn session(ask: Ask) -> Response {
    match ask.around.session.clone() {
        Some(s) => ask.xml(200, "session", Ok(session_of(&ask, &s.user, &s.org))),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

/// One link for each pair of rel and type: clients stumble over a second.
fn session_of(ask: &Ask, user: &str, org: &str) -> Element {
    let (base, world) = (ask.base(), ask.read());
    let id = world.org.id;
    Element::vcloud("Session")
        .attr("org", org)
        .attr("roles", role(org))
        .attr("user", user)
        .attr("userId", format!("urn:vcloud:user:{id}"))
        .attr("locationId", format!("{id}@{id}"))
        .attr("href", format!("{base}/api/session"))
        .attr("type", "application/vnd.vmware.vcloud.session+xml")
        .child(link("down", Some("orgList"), format!("{base}/api/org/")))
        .child(link("remove", None, format!("{base}/api/session")))
        .child(
            Element::new("Link")
                .attr("rel", "down")
                .attr("href", format!("{base}/api/admin/"))
                .attr("type", "application/vnd.vmware.admin.vcloud+xml"),
        )
        .child(link("down", Some("org"), format!("{base}/api/org/{id}")).attr("name", &world.org.name))
        .child(link("down", Some("query.queryList"), format!("{base}/api/query")))
        .child(link("entityResolver", Some("entity"), format!("{base}/api/entity/")))
        .child(link("down:extensibility", Some("apiextensibility"), format!("{base}/api/extensibility")))
        .child(
            Element::new("Link")
                .attr("rel", "openapi")
                .attr("href", format!("{base}/cloudapi"))
                .attr("type", "application/json"),
        )
}

pub(super) async fn logout(ask: Ask, headers: HeaderMap) -> Response {
    ask.sim.session_close(&headers);
    StatusCode::NO_CONTENT.into_response()
}

pub(super) async fn tenant_token(ask: Ask, Path(_org): Path<String>, Form(form): Form<Params>) -> Response {
    token(&ask, &form, false).await
}

pub(super) async fn provider_token(ask: Ask, Form(form): Form<Params>) -> Response {
    token(&ask, &form, true).await
}

/// Exchanges a refresh token, or the assertion of a signed-in user for a new refresh token.
async fn token(ask: &Ask, form: &Params, provider: bool) -> Response {
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let invalid = || Refusal::new(400, "invalid_grant", "The token is not valid.");
    let (account, refresh) = match field("grant_type") {
        "refresh_token" => {
            let asked = field("refresh_token");
            let found = ask.read().api_tokens.iter().find(|t| t.token == asked).cloned();
            (found.and_then(|t| ask.sim.knows(&t.user, t.provider).cloned()), None)
        }
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
            let mut headers = HeaderMap::new();
            let bearer = HeaderValue::from_str(&format!("Bearer {}", field("assertion")));
            headers.extend(bearer.ok().map(|v| (header::AUTHORIZATION, v)));
            let session = ask.sim.session(&headers);
            (session.and_then(|s| ask.sim.knows(&s.user, s.provider).cloned()), random_token().ok())
        }
        _ => return ask.json(Err(Refusal::new(400, "unsupported_grant_type", "Unknown grant_type."))),
    };
    let Some(account) = account.filter(|a| a.is_provider() == provider) else {
        return ask.json(Err(invalid()));
    };
    if let Some(refresh) = &refresh {
        let token = ApiToken {
            token: refresh.clone(),
            name: field("client_id").to_owned(),
            user: account.user.clone(),
            provider,
        };
        if let Err(refusal) = ask
            .change(|c| {
                c.world.api_tokens.push(token);
                Ok(())
            })
            .await
        {
            return ask.json(Err(refusal));
        }
    }
    let opened = ask.sim.session_open(&account);
    ask.json(opened.map(|access| {
        json!({"access_token": access, "token_type": "Bearer", "expires_in": ask.sim.session_length().as_secs(), "refresh_token": refresh})
    }))
}

/// The first half of making an API token: a client id for its name.
pub(super) async fn register(ask: Ask, Json(body): Json<Value>) -> Response {
    let name = body["client_name"].as_str().unwrap_or_default().to_owned();
    ask.json(if ask.around.session.is_none() {
        Err(Refusal::new(401, "UNAUTHORIZED", "No session."))
    } else if name.is_empty() {
        Err(Refusal::bad("validation error on field 'client_name'"))
    } else {
        Ok(json!({"client_id": name, "client_name": name, "scope": ""}))
    })
}

pub(super) async fn tokens(ask: Ask, Query(params): Query<Params>) -> Response {
    let filter = params.get("filter").map(String::as_str);
    let world = ask.read();
    let meant = |name: &str| matches(filter, |field| (field == "name").then_some(name)).map_err(Refusal::bad);
    let own = world
        .api_tokens
        .iter()
        .filter(|t| t.user == ask.around.user())
        .filter_map(|t| {
            let row =
                json!({"id": format!("urn:vcloud:token:{}", t.name), "name": t.name, "type": "REFRESH"});
            meant(&t.name).map(|is| is.then_some(row)).transpose()
        })
        .collect();
    if let Err(text) = check(filter, &["name"]) {
        return ask.json(Err(Refusal::bad(text)));
    }
    page(&ask, "1.0.0/tokens", &params, 128, own)
}

pub(super) async fn token_delete(ask: Ask, Path(id): Path<String>) -> Response {
    let name = id.trim_start_matches("urn:vcloud:token:").to_owned();
    let result = ask
        .change(|c| {
            let user = c.user.to_owned();
            let before = c.world.api_tokens.len();
            c.world.api_tokens.retain(|t| t.name != name || t.user != user);
            let gone = c.world.api_tokens.len() < before;
            gone.then_some(()).ok_or_else(|| Refusal::new(404, "NOT_FOUND", "There is no such token."))
        })
        .await;
    match result {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => refusal.into_json(&ask.around.request_id),
    }
}
