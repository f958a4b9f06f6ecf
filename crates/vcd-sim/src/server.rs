//! The running simulator: its state, its sessions, and the wrapping of every request.

use std::{
    collections::HashMap,
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use uuid::Uuid;

use crate::{clock::Clock, errors::Refusal, model::World, persist::Writer, routes, seed};

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

#[derive(Clone, Debug)]
pub struct Config {
    /// Where the state is kept; `None` keeps it in memory.
    pub state: Option<PathBuf>,
    /// Size of the pool on the first day.
    pub edges: u32,
    /// How many times as fast as the wall clock the cloud lives.
    pub speed: f64,
    /// After this long without a request a session is over.
    pub session_idle: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { state: None, edges: 130, speed: 1.0, session_idle: Duration::from_secs(30 * 60) }
    }
}

/// The cloud. Cheap to clone.
#[derive(Clone)]
pub struct Simulator(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    world: Mutex<World>,
    clock: Clock,
    writer: Option<Writer>,
    sessions: Mutex<HashMap<String, Session>>,
    session_idle: Duration,
}

#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) user: String,
    pub(crate) provider: bool,
    used: Instant,
}

impl Simulator {
    /// Opens the cloud: as it was saved, or new.
    pub fn open(config: Config) -> io::Result<Self> {
        let saved = match &config.state {
            Some(file) => match fs::read(file) {
                Ok(bytes) => Some(serde_json::from_slice::<World>(&bytes).map_err(|e| {
                    io::Error::new(io::ErrorKind::InvalidData, format!("{}: {e}", file.display()))
                })?),
                Err(e) if e.kind() == io::ErrorKind::NotFound => None,
                Err(e) => return Err(e),
            },
            None => None,
        };
        let (world, clock) = match saved {
            Some(world) => {
                let clock = Clock::resuming(world.anchor, config.speed);
                (world, clock)
            }
            None => {
                let clock = Clock::starting_now(config.speed);
                (seed::world(config.edges, &clock), clock)
            }
        };
        Ok(Self(Arc::new(Shared {
            world: Mutex::new(world),
            clock,
            writer: config.state.map(Writer::start),
            sessions: Mutex::default(),
            session_idle: config.session_idle,
        })))
    }

    /// The whole API.
    pub fn router(&self) -> Router {
        routes::router()
            .fallback(|| async { Refusal::new(404, "NOT_FOUND", "There is no such path.").into_xml("-") })
            .layer(from_fn_with_state(self.clone(), wrap))
            .with_state(self.clone())
    }

    /// Serves until the future is dropped.
    pub async fn serve(&self, listener: tokio::net::TcpListener) -> io::Result<()> {
        axum::serve(listener, self.router()).await
    }

    /// Ends every session: the next request of each client is refused with 401.
    pub fn expire_sessions(&self) {
        lock(&self.0.sessions).clear();
    }

    /// What exists, for tests: networks, vApps and VMs.
    pub fn census(&self) -> Census {
        let world = self.read();
        Census {
            networks: world.networks.values().map(|n| n.name.clone()).collect(),
            vapps: world.vapps.values().map(|a| a.name.clone()).collect(),
            vms: world.vms.values().map(|v| v.name.clone()).collect(),
            edges_used: world.edges.keys().filter(|id| world.networks_on(**id) > 0).count(),
            edges_doubled: world.edges.keys().filter(|id| world.networks_on(**id) > 1).count(),
        }
    }

    /// The state as it is now.
    pub(crate) fn read(&self) -> MutexGuard<'_, World> {
        let mut world = lock(&self.0.world);
        world.advance(self.0.clock.now());
        world
    }

    pub(crate) fn now(&self) -> i64 {
        self.0.clock.now()
    }

    /// Makes a change and answers once it is saved.
    pub(crate) async fn change<T>(
        &self,
        f: impl FnOnce(&mut World, i64) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let (answer, bytes) = {
            let mut world = lock(&self.0.world);
            let now = self.0.clock.now();
            world.advance(now);
            let answer = f(&mut world, now)?;
            world.anchor = self.0.clock.anchor_now();
            let bytes = self.0.writer.is_some().then(|| serde_json::to_vec(&*world));
            (answer, bytes)
        };
        if let (Some(writer), Some(bytes)) = (&self.0.writer, bytes) {
            let internal = |e: String| Refusal::new(500, "INTERNAL_SERVER_ERROR", e);
            let bytes = bytes.map_err(|e| internal(e.to_string()))?;
            writer.save(bytes).await.map_err(|e| internal(e.to_string()))?;
        }
        Ok(answer)
    }

    pub(crate) fn session_open(&self, user: &str, provider: bool) -> Result<String, Refusal> {
        let mut bytes = [0; 48];
        getrandom::fill(&mut bytes).map_err(|e| Refusal::new(500, "INTERNAL_SERVER_ERROR", e.to_string()))?;
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        let token = format!("eyJhbGciOiJub25lIn0.{}", URL_SAFE_NO_PAD.encode(bytes));
        lock(&self.0.sessions)
            .insert(token.clone(), Session { user: user.into(), provider, used: Instant::now() });
        Ok(token)
    }

    pub(crate) fn session_close(&self, headers: &HeaderMap) {
        if let Some(token) = bearer(headers) {
            lock(&self.0.sessions).remove(&token);
        }
    }

    fn session(&self, headers: &HeaderMap) -> Option<Session> {
        let token = bearer(headers)?;
        let mut sessions = lock(&self.0.sessions);
        let session = sessions.get_mut(&token)?;
        if session.used.elapsed() > self.0.session_idle {
            sessions.remove(&token);
            return None;
        }
        session.used = Instant::now();
        Some(session.clone())
    }
}

/// Counts for tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Census {
    pub networks: Vec<String>,
    pub vapps: Vec<String>,
    pub vms: Vec<String>,
    pub edges_used: usize,
    pub edges_doubled: usize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while the lock was held leaves data that is still whole: every change is made in one go.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers
        .get(header::AUTHORIZATION)
        .or_else(|| headers.get("x-vmware-vcloud-access-token"))?
        .to_str()
        .ok()?;
    let token = value.get(..7).filter(|p| p.eq_ignore_ascii_case("bearer ")).map_or(value, |_| &value[7..]);
    Some(token.to_owned())
}

/// What a handler may ask of the request around it.
#[derive(Clone, Debug)]
pub(crate) struct Around {
    pub(crate) request_id: String,
    /// `http://host:port`
    pub(crate) base: String,
    pub(crate) session: Option<Session>,
}

/// Request id, version negotiation, authentication.
async fn wrap(State(sim): State<Simulator>, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    let fresh = Uuid::new_v4().to_string();
    let request_id = headers
        .get("x-vmware-vcloud-client-request-id")
        .and_then(|v| v.to_str().ok())
        .map_or(fresh.clone(), |theirs| format!("{theirs}-{fresh}"));
    let host = headers.get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or("localhost");
    let around = Around {
        request_id: request_id.clone(),
        base: format!("http://{host}"),
        session: sim.session(headers),
    };
    let path = request.uri().path().to_owned();
    let open = path == "/api/versions" || path.starts_with("/cloudapi/1.0.0/sessions");
    let mut response = if !open && around.session.is_none() {
        // 401 has an empty body: neither XML nor JSON.
        axum::http::StatusCode::UNAUTHORIZED.into_response()
    } else if let Some(refusal) = refuse_version(&path, headers) {
        refuse(&path, refusal, &request_id)
    } else {
        request.extensions_mut().insert(around);
        next.run(request).await
    };
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-vmware-vcloud-request-id", value);
    }
    response
}

fn refuse_version(path: &str, headers: &HeaderMap) -> Option<Refusal> {
    if path == "/api/versions" {
        return None;
    }
    let asked = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .find_map(|v| v.split(';').find_map(|part| part.trim().strip_prefix("version=")));
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

/// Answers a refusal in the family of the path.
pub(crate) fn refuse(path: &str, refusal: Refusal, request_id: &str) -> Response {
    if path.starts_with("/cloudapi") { refusal.into_json(request_id) } else { refusal.into_xml(request_id) }
}
