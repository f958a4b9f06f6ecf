//! Stands before every page, function and stream: who is asking, and may they.
//!
//! A route without a policy is answered as if it did not exist.

use app::{
    error_page,
    i18n::Lang,
    policy,
    request::{Around, Product, Theme, extend, session_account, session_looks_as},
};
use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tower_sessions::Session;

use crate::origin;

pub(crate) async fn guard(
    State(product): State<Product>,
    session: Session,
    mut request: Request,
    next: Next,
) -> Response {
    let request_id = new_request_id();
    let lang = language(request.headers());
    let route = request.extensions().get::<MatchedPath>().map(|m| m.as_str().to_owned());
    let is_function = route.as_deref().is_some_and(|r| r.starts_with("/do/"));
    if !origin::allowed(&request) {
        return error(lang, StatusCode::FORBIDDEN, &request_id);
    }
    let policy = match &route {
        Some(route) => policy::of(route),
        // Nothing matched: the page that says so is for everybody.
        None => Some(policy::Policy::Anyone),
    };
    let Some(policy) = policy else { return error(lang, StatusCode::NOT_FOUND, &request_id) };
    let viewer = match session_account(&session).await {
        None => None,
        Some(account) => match product.facade.viewer(account).await {
            Ok(viewer) => viewer,
            Err(e) => {
                tracing::error!(request = request_id, "the session could not be read: {e}");
                return error(lang, StatusCode::INTERNAL_SERVER_ERROR, &request_id);
            }
        },
    };
    let signed_in = viewer.as_ref().map(|v| v.account.id);
    let viewer = match looking(&product, &session, viewer).await {
        Ok(viewer) => viewer,
        Err(e) => {
            tracing::error!(request = request_id, "whom staff look as could not be read: {e}");
            return error(lang, StatusCode::INTERNAL_SERVER_ERROR, &request_id);
        }
    };
    let role = viewer.as_ref().map(provisioning::Viewer::role);
    // Who looks as a customer does changes nothing, and has no hand on a screen.
    let only_looks = viewer.as_ref().is_some_and(|v| v.seen_by.is_some());
    if only_looks && route.as_deref().is_some_and(|r| !policy::open_to_a_look(r)) {
        return error(lang, StatusCode::FORBIDDEN, &request_id);
    }
    let path = request.uri().path_and_query().map_or("/", |p| p.as_str()).to_owned();
    let granted = policy.allows(role);
    if !granted && route.as_deref().is_some_and(|r| r.starts_with("/live/")) {
        return if role.is_none() { StatusCode::UNAUTHORIZED } else { StatusCode::FORBIDDEN }.into_response();
    }
    if !granted && role.is_none() {
        return sign_in_first(&request, &path);
    }
    // A page says so itself.
    let is_page = route.as_deref().is_none_or(|r| policy::PAGES.iter().any(|(page, _)| *page == r));
    if !granted && !is_page {
        return error(lang, StatusCode::FORBIDDEN, &request_id);
    }
    if viewer.is_some() {
        extend(&session, product.facade.now_ms()).await;
    }
    let theme = cookie(request.headers(), "theme").and_then(|t| Theme::from_code(&t)).unwrap_or_default();
    let zone = cookie(request.headers(), "zone").and_then(|z| app::request::zone(&z));
    let keys = cookie(request.headers(), "keys").as_deref() != Some("off");
    let around = Around {
        viewer,
        signed_in,
        session,
        lang,
        theme,
        zone,
        keys,
        request_id: request_id.clone(),
        path,
        forbidden: !granted,
    };
    request.extensions_mut().insert(around);
    let response = next.run(request).await;
    if is_function { checked_answer(response, lang, &request_id) } else { response }
}

/// Somebody of the staff who looks as a customer does sees that customer's pages.
async fn looking(
    product: &Product,
    session: &Session,
    viewer: Option<provisioning::Viewer>,
) -> Result<Option<provisioning::Viewer>, store::Error> {
    let Some(staff) = viewer.as_ref().filter(|v| v.role().is_staff()) else { return Ok(viewer) };
    let Some(customer) = session_looks_as(session, product.facade.now_ms()).await else { return Ok(viewer) };
    Ok(product.facade.viewer_as(staff, customer).await?.or(viewer))
}

/// A function answers 303, or 200 to a script. Anything else is the framework's word for a form that cannot be read,
/// and becomes a page of ours; its own redirect would carry the error into an address.
fn checked_answer(response: Response, lang: Lang, request_id: &str) -> Response {
    match response.status() {
        StatusCode::SEE_OTHER => response,
        StatusCode::OK
            if response.headers().get(header::CONTENT_TYPE).is_some_and(|t| t == "application/json") =>
        {
            response
        }
        StatusCode::NOT_FOUND => error(lang, StatusCode::NOT_FOUND, request_id),
        named @ (StatusCode::PAYLOAD_TOO_LARGE | StatusCode::METHOD_NOT_ALLOWED) => {
            error(lang, named, request_id)
        }
        other => {
            tracing::warn!(request = request_id, status = other.as_u16(), "a form could not be read");
            error(lang, StatusCode::BAD_REQUEST, request_id)
        }
    }
}

/// Leads to the sign-in form and, after it, back to the page: for a post to the page its form stands on.
fn sign_in_first(request: &Request, path: &str) -> Response {
    let back = if request.method() == axum::http::Method::GET {
        Some(path.to_owned())
    } else {
        request
            .headers()
            .get(header::REFERER)
            .and_then(|v| v.to_str().ok())
            .and_then(|v| v.parse::<axum::http::Uri>().ok())
            .and_then(|u| u.path_and_query().map(|p| p.as_str().to_owned()))
    };
    let query = back
        .filter(|b| b != "/" && app::routes::local(b).is_some())
        .map(|b| format!("?back={}", percent(&b)))
        .unwrap_or_default();
    let location = format!("{}{query}", app::routes::LOGIN);
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(value) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() || b"-_.~/".contains(&b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

pub(crate) fn error(lang: Lang, status: StatusCode, request_id: &str) -> Response {
    let html = error_page(lang, status.as_u16(), request_id);
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

/// Cookie, else what the browser asks for, else English.
pub(crate) fn language(headers: &HeaderMap) -> Lang {
    cookie(headers, "lang")
        .and_then(|code| Lang::from_code(&code))
        .or_else(|| {
            headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).and_then(Lang::from_accept)
        })
        .unwrap_or_default()
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .find_map(|pair| pair.trim().split_once('=').filter(|(n, _)| *n == name).map(|(_, v)| v.to_owned()))
}

/// Short enough to read out on the telephone.
fn new_request_id() -> String {
    let mut bytes = [0; 4];
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().map(|b| format!("{b:02X}")).collect()
}
