//! The router: built from the policy table, so that what has no policy has no route.

use std::path::Path;

use app::{App, policy, request::Product, routes};
use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use leptos::prelude::provide_context;
use store::Store;
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer, limit::RequestBodyLimitLayer};
use tower_sessions::{
    Expiry, SessionManagerLayer,
    cookie::{SameSite, time::Duration},
};

use crate::{
    console, files, guard, headers, markup,
    patience::{Late, patience},
    session_store::DatabaseSessions,
    static_files,
    stream::{self, Streams},
};

/// No form of ours is longer.
const BODY_MAX: usize = 64 * 1024;
const SESSION_DAYS: i64 = 14;

/// Where pages are served, and how.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    /// Served behind TLS: cookies are `Secure` and browsers are told to stay with it.
    pub secure: bool,
}

pub fn build(product: &Product, store: &Store, site: &Path, edge: Edge) -> Result<Router, String> {
    check_registered()?;
    // Set once a process; a second router (in tests) finds it set.
    let _ = any_spawner::Executor::init_tokio();
    let context = {
        let product = product.clone();
        move || provide_context(product.clone())
    };
    let page = leptos_axum::render_app_async_with_context(context.clone(), App);
    let function = {
        let context = context.clone();
        move |request: Request| leptos_axum::handle_server_fns_with_context(context.clone(), request)
    };
    let streams = Streams::default();

    let mut pages = Router::new();
    for (path, _) in policy::PAGES {
        pages = pages.route(path, get(page.clone()));
    }
    for (path, _) in policy::FUNCTIONS {
        pages = pages.route(path, post(function.clone()));
    }
    for (path, _) in policy::FILES {
        let file = match *path {
            routes::SERVER_RDP => get(files::rdp),
            routes::STAFF_JOB_LOG => get(files::job_log),
            routes::STAFF_AUDIT_CSV => get(files::audit_csv),
            routes::STAFF_AUDIT_JSON => get(files::audit_json),
            other => return Err(format!("nothing makes the file {other}")),
        };
        pages = pages.route(path, file.with_state(product.clone()));
    }
    let not_found = page.clone();
    let pages = pages.fallback(move |request: Request| not_found_page(not_found.clone(), request));
    let mut live = Router::new();
    for (path, _) in policy::STREAMS {
        live = live.route(path, get(stream::stream).with_state((product.clone(), streams.clone())));
    }
    for (path, _) in policy::SOCKETS {
        live = live.route(path, get(console::console).with_state((product.clone(), streams.clone())));
    }
    let guarded = |router: Router| {
        router
            .layer(from_fn_with_state(product.clone(), guard::guard))
            .layer(from_fn(markup::valid))
            .layer(sessions(store, edge))
    };
    // What may be packed is kept from streams: each would hold room for the largest packer from its beginning to its end.
    let packed = CompressionLayer::new().br(true).gzip(true);
    let pages = guarded(pages).layer(from_fn_with_state(Late::default(), patience));
    let packed = Router::new().merge(static_files::router(site)).merge(pages).layer(packed);

    Ok(Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready).with_state(product.clone()))
        .merge(packed)
        .merge(guarded(live))
        .layer(RequestBodyLimitLayer::new(BODY_MAX))
        .layer(from_fn(too_long))
        .layer(from_fn_with_state(edge.secure, headers::add))
        .layer(CatchPanicLayer::custom(|_| {
            guard::error(Default::default(), StatusCode::INTERNAL_SERVER_ERROR, "-")
        }))
        .layer(from_fn(trace)))
}

async fn not_found_page<F, Fut>(page: F, request: Request) -> Response
where
    F: FnOnce(Request) -> Fut,
    Fut: Future<Output = Response>,
{
    if request.method() == axum::http::Method::GET {
        page(request).await
    } else {
        guard::error(guard::language(request.headers()), StatusCode::NOT_FOUND, "-")
    }
}

/// A form that is too long gets a page that says so: the limit itself answers in one bare line.
async fn too_long(request: Request, next: axum::middleware::Next) -> Response {
    let lang = guard::language(request.headers());
    let response = next.run(request).await;
    let html = response
        .headers()
        .get(axum::http::header::CONTENT_TYPE)
        .is_some_and(|t| t.as_bytes().starts_with(b"text/html"));
    if response.status() == StatusCode::PAYLOAD_TOO_LARGE && !html {
        return guard::error(lang, StatusCode::PAYLOAD_TOO_LARGE, "-");
    }
    response
}

async fn ready(State(product): State<Product>) -> Response {
    match product.facade.ping().await {
        Ok(()) => "ready\n".into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response(),
    }
}

fn sessions(store: &Store, edge: Edge) -> SessionManagerLayer<DatabaseSessions> {
    SessionManagerLayer::new(DatabaseSessions(store.clone()))
        .with_name(if edge.secure { "__Host-slipway" } else { "slipway" })
        .with_secure(edge.secure)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(Duration::days(SESSION_DAYS)))
}

/// Every function the framework knows is in the policy table, and the other way round.
fn check_registered() -> Result<(), String> {
    let registered: Vec<&str> = server_fn::axum::server_fn_paths().map(|(path, _)| path).collect();
    if let Some(bare) = registered.iter().find(|path| policy::of(path).is_none()) {
        return Err(format!("the server function {bare} has no policy"));
    }
    match policy::FUNCTIONS.iter().find(|(path, _)| !registered.contains(path)) {
        Some((path, _)) => Err(format!("the policy table names {path}, which is no server function")),
        None => Ok(()),
    }
}

/// One line per answer that is worth one. Never a query: it may hold what somebody searched for.
async fn trace(request: Request, next: axum::middleware::Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let started = std::time::Instant::now();
    let response = next.run(request).await;
    let status = response.status();
    let ms = started.elapsed().as_millis() as u64;
    if status.is_server_error() {
        tracing::warn!(%method, path, status = status.as_u16(), ms, "answered");
    } else {
        tracing::debug!(%method, path, status = status.as_u16(), ms, "answered");
    }
    response
}
