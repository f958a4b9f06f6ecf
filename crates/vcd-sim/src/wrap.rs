//! What surrounds every request: its id, the version it asks for, who is asking, and the faults asked for.

use std::time::Duration;

use axum::{
    Extension,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use uuid::Uuid;

use crate::{
    errors::Refusal,
    faults::{self, Spoiled},
    server::{Cut, Session, Simulator},
};

/// The API versions of a "10.5.1": `true` where deprecated.
pub(crate) const VERSIONS: &[(&str, bool)] = &[
    ("36.0", true),
    ("36.1", true),
    ("36.2", true),
    ("36.3", true),
    ("37.0", false),
    ("37.1", false),
    ("37.2", false),
    ("38.0", false),
    ("38.1", false),
];

/// What a handler may ask of the request around it.
#[derive(Clone, Debug)]
pub(crate) struct Around {
    pub(crate) request_id: String,
    /// `http://host:port`
    pub(crate) base: String,
    pub(crate) session: Option<Session>,
    /// Rows that disappeared in front of this page.
    pub(crate) page_shift: usize,
}

impl Around {
    pub(crate) fn user(&self) -> &str {
        self.session.as_ref().map_or("", |s| &s.user)
    }

    pub(crate) fn is_provider(&self) -> bool {
        self.session.as_ref().is_some_and(|s| s.provider)
    }
}

/// Which of the surface's parts a path belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Xml,
    Json,
    /// The token endpoint: JSON, before any session.
    OAuth,
    /// The simulator's own pages and controls.
    Own,
}

fn part(path: &str) -> Part {
    if path.starts_with("/cloudapi") {
        Part::Json
    } else if path.starts_with("/oauth") {
        Part::OAuth
    } else if path == "/" || path.starts_with("/sim") || path.starts_with("/443;") {
        Part::Own
    } else {
        Part::Xml
    }
}

pub(crate) async fn wrap(State(sim): State<Simulator>, mut request: Request, next: Next) -> Response {
    sim.count_request();
    let headers = request.headers();
    let fresh = Uuid::new_v4().to_string();
    let request_id = headers
        .get("x-vmware-vcloud-client-request-id")
        .and_then(|v| v.to_str().ok())
        .filter(|v| v.len() <= 128)
        .map_or(fresh.clone(), |theirs| format!("{}-{fresh}", theirs.trim_end_matches('-')));
    let host = headers.get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or("localhost");
    let mut around = Around {
        request_id: request_id.clone(),
        base: format!("http://{host}"),
        session: sim.session(headers),
        page_shift: 0,
    };
    let path = request.uri().path().to_owned();
    let part = part(&path);
    let spoiled = match part {
        Part::Own => None,
        _ => faults::take(&mut sim.request_faults(), request.method().as_str(), &path),
    };
    let open = part == Part::OAuth
        || part == Part::Own
        || path == "/api/versions"
        || path == "/api/sessions"
        || path.starts_with("/cloudapi/1.0.0/sessions");
    let mut response = if let Some(refusal) = spoiled.as_ref().and_then(refusal_of) {
        spoiled_before(&sim, &spoiled, refuse(&path, refusal, &request_id))
    } else if matches!(spoiled, Some(Spoiled::CutBefore)) {
        return cut(&mut request);
    } else if !open && around.session.is_none() {
        // 401 has an empty body: neither XML nor JSON.
        StatusCode::UNAUTHORIZED.into_response()
    } else if let Some(refusal) =
        (part != Part::Own && part != Part::OAuth).then(|| refuse_version(&path, headers)).flatten()
    {
        refuse(&path, refusal, &request_id)
    } else if let Some(refusal) = refuse_media(part, headers) {
        refuse(&path, refusal, &request_id)
    } else {
        around.page_shift = usize::from(matches!(spoiled, Some(Spoiled::PageShift)));
        request.extensions_mut().insert(around);
        let connection = request.extensions().get::<ConnectInfo<Cut>>().cloned();
        let response = own_words(next.run(request).await, &path, &request_id).await;
        spoil_after(spoiled, response, connection).await
    };
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-vmware-vcloud-request-id", value);
    }
    response
}

/// A body that is no text, too long or no form is refused by the framework in a bare line: it is said in the API's words.
async fn own_words(response: Response, path: &str, request_id: &str) -> Response {
    let status = response.status().as_u16();
    let plain =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(b"text/plain"));
    if !(400..500).contains(&status) || !plain {
        return response;
    }
    let bytes = to_bytes(response.into_body(), 4096).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let minor = if status == 413 { "PAYLOAD_TOO_LARGE" } else { "BAD_REQUEST" };
    refuse(path, Refusal::new(status, minor, text), request_id)
}

/// What a fault refuses before anything is done.
fn refusal_of(spoiled: &Spoiled) -> Option<Refusal> {
    match spoiled {
        Spoiled::Status { status, .. } => {
            let minor = match status {
                429 => "TOO_MANY_REQUESTS",
                503 => "SERVICE_UNAVAILABLE",
                _ => "INTERNAL_SERVER_ERROR",
            };
            Some(Refusal::new(*status, minor, "Asked for by a fault."))
        }
        Spoiled::Unauthorized => Some(Refusal::new(401, "", "")),
        Spoiled::Quota => Some(Refusal::new(
            400,
            "BAD_REQUEST",
            "The requested operation would exceed the organization's quota.",
        )),
        Spoiled::Busy => Some(faults::foreign_busy()),
        _ => None,
    }
}

fn spoiled_before(sim: &Simulator, spoiled: &Option<Spoiled>, mut response: Response) -> Response {
    match spoiled {
        Some(Spoiled::Status { retry_after: Some(seconds), .. }) => {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
        }
        Some(Spoiled::Unauthorized) => {
            sim.expire_sessions();
            return StatusCode::UNAUTHORIZED.into_response();
        }
        _ => {}
    }
    response
}

fn cut(request: &mut Request) -> Response {
    if let Some(ConnectInfo(cut)) = request.extensions().get::<ConnectInfo<Cut>>() {
        cut.now();
    }
    StatusCode::NO_CONTENT.into_response()
}

async fn spoil_after(
    spoiled: Option<Spoiled>,
    response: Response,
    connection: Option<ConnectInfo<Cut>>,
) -> Response {
    match spoiled {
        Some(Spoiled::AnswerLost) => {
            if let Some(ConnectInfo(cut)) = connection {
                cut.now();
            }
            response
        }
        Some(Spoiled::StatusAfter { status }) => {
            StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY).into_response()
        }
        Some(Spoiled::Malformed) => {
            let (mut parts, body) = response.into_parts();
            let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, Body::from(bytes.slice(..bytes.len() / 2)))
        }
        Some(Spoiled::Slow { ms }) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            response
        }
        _ => response,
    }
}

fn refuse_version(path: &str, headers: &HeaderMap) -> Option<Refusal> {
    if path == "/api/versions" {
        return None;
    }
    // Some clients send a second, malformed value: the first that names a version counts.
    let asked = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split([';', ',']))
        .find_map(|part| part.trim().strip_prefix("version="));
    if asked.is_some_and(|v| VERSIONS.iter().any(|(known, _)| *known == v)) {
        return None;
    }
    let list: Vec<String> =
        VERSIONS.iter().rev().map(|(v, old)| format!("{v}{}", if *old { "[D]" } else { "" })).collect();
    let text = format!(
        "The request has invalid accept header: {}. Supported versions: {}",
        asked.unwrap_or("no version"),
        list.join(", ")
    );
    Some(Refusal::new(406, "NOT_ACCEPTABLE", text))
}

/// A body is in the language of its family, and says so.
fn refuse_media(part: Part, headers: &HeaderMap) -> Option<Refusal> {
    let empty = match headers.get(header::CONTENT_LENGTH) {
        Some(length) => length.as_bytes() == b"0",
        None => !headers.contains_key(header::TRANSFER_ENCODING),
    };
    if empty {
        return None;
    }
    let media = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    // One client sends a body without saying what it is; that is taken for what the family has.
    let known = essence.is_empty()
        || match part {
            Part::Xml => {
                matches!(essence.as_str(), "application/xml" | "text/xml") || essence.ends_with("+xml")
            }
            Part::Json => essence == "application/json" || essence.ends_with("+json"),
            Part::OAuth | Part::Own => true,
        };
    (!known).then(|| {
        let text = format!("The content type \"{media}\" is not supported here.");
        Refusal::new(415, "UNSUPPORTED_MEDIA_TYPE", text)
    })
}

/// Answers a refusal in the family of the path.
pub(crate) fn refuse(path: &str, refusal: Refusal, request_id: &str) -> Response {
    match part(path) {
        Part::Xml => refusal.into_xml(request_id),
        Part::Json | Part::OAuth | Part::Own => refusal.into_json(request_id),
    }
}

pub(crate) async fn no_such_path(Extension(around): Extension<Around>, uri: Uri) -> Response {
    let text = format!("There is no {}.", uri.path());
    refuse(uri.path(), Refusal::new(404, "NOT_FOUND", text), &around.request_id)
}

pub(crate) async fn no_such_method(Extension(around): Extension<Around>, uri: Uri) -> Response {
    let text = format!("{} does not take this method.", uri.path());
    refuse(uri.path(), Refusal::new(405, "METHOD_NOT_ALLOWED", text), &around.request_id)
}
