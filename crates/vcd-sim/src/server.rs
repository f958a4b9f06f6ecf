//! The running simulator: its state, its sessions, and how it is served.

use std::{
    collections::HashMap,
    fs, io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    extract::connect_info::Connected,
    http::{HeaderMap, header},
    middleware::from_fn_with_state,
    serve::{IncomingStream, Listener},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use uuid::Uuid;

use crate::{
    clock::Clock,
    config::{Account, Config},
    console,
    errors::Refusal,
    faults::RequestFault,
    persist::{self, Writer},
    routes, seed,
    tasks::Start,
    world::World,
    wrap,
};

/// The cloud. Cheap to clone.
#[derive(Clone)]
pub struct Simulator(Arc<Shared>);

struct Shared {
    world: Mutex<World>,
    clock: Clock,
    writer: Option<Writer>,
    /// Held while the file is ours.
    _lock: Option<fs::File>,
    accounts: Vec<Account>,
    sessions: Mutex<HashMap<String, Session>>,
    session_idle: Duration,
    request_faults: Mutex<Vec<RequestFault>>,
    /// Of consoles, given out and not used.
    tickets: Mutex<Vec<console::Ticket>>,
    requests: AtomicU64,
}

#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) user: String,
    pub(crate) org: String,
    pub(crate) provider: bool,
    used: Instant,
    ends: Instant,
}

/// A change under way: the world, its time, and who asked.
pub(crate) struct Change<'w> {
    pub(crate) world: &'w mut World,
    pub(crate) now: i64,
    pub(crate) user: &'w str,
}

impl Change<'_> {
    pub(crate) fn start(&mut self, start: Start) -> Result<Uuid, Refusal> {
        self.world.start_task(self.now, self.user, start)
    }
}

impl Simulator {
    /// Opens the cloud: as it was saved, or new.
    pub fn open(config: Config) -> io::Result<Self> {
        let invalid = |text: String| io::Error::new(io::ErrorKind::InvalidData, text);
        config.check().map_err(invalid)?;
        let lock = config.state.as_deref().map(persist::lock).transpose()?;
        let saved = match &config.state {
            Some(file) => match fs::read(file) {
                Ok(bytes) => Some(serde_json::from_slice::<World>(&bytes).map_err(|e| {
                    invalid(format!(
                        "{}: {e}. It may be of another version: move it away to begin with a new cloud",
                        file.display()
                    ))
                })?),
                Err(e) if e.kind() == io::ErrorKind::NotFound => None,
                Err(e) => return Err(e),
            },
            None => None,
        };
        let clock = Clock::new(saved.as_ref().map(|w| w.anchor), config.speed, config.stepped);
        let mut world = saved.unwrap_or_else(|| seed::world(config.edges, config.knobs, &clock));
        for change in &config.knob_changes {
            world.knobs.set_text(change).map_err(invalid)?;
        }
        world.reindex();
        if let Some(file) = &config.state {
            // Found out now, and not at the first change.
            let bytes = serde_json::to_vec(&world).map_err(|e| invalid(e.to_string()))?;
            persist::replace(file, &bytes)?;
        }
        Ok(Self(Arc::new(Shared {
            world: Mutex::new(world),
            clock,
            writer: config.state.map(Writer::start),
            _lock: lock,
            accounts: config.accounts,
            sessions: Mutex::default(),
            session_idle: config.session_idle,
            request_faults: Mutex::default(),
            tickets: Mutex::default(),
            requests: AtomicU64::new(0),
        })))
    }

    /// The whole API.
    pub fn router(&self) -> Router {
        routes::router()
            .fallback(wrap::no_such_path)
            .method_not_allowed_fallback(wrap::no_such_method)
            // A recompose of many machines is long.
            .layer(axum::extract::DefaultBodyLimit::max(8 << 20))
            .layer(from_fn_with_state(self.clone(), wrap::wrap))
            .with_state(self.clone())
    }

    /// Serves until the future is dropped.
    pub async fn serve(&self, listener: TcpListener) -> io::Result<()> {
        let service = self.router().into_make_service_with_connect_info::<Cut>();
        axum::serve(CuttableListener(listener), service).await
    }

    /// Ends every session: the next request of each client is refused with 401.
    pub fn expire_sessions(&self) {
        lock(&self.0.sessions).clear();
    }

    /// Moves a stepped clock by so many cloud ms, letting come true what is due on the way.
    pub fn step(&self, ms: i64) -> bool {
        let stepped = self.0.clock.step(ms);
        drop(self.read());
        stepped
    }

    /// Requests answered so far.
    pub fn requests(&self) -> u64 {
        self.0.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn count_request(&self) {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// What exists, for tests: networks, vApps and VMs.
    pub fn census(&self) -> Census {
        let world = self.read();
        Census {
            networks: world.networks.values().map(|n| n.name.clone()).collect(),
            vapps: world.vapps.values().map(|a| a.name.clone()).collect(),
            vms: world.vms.values().map(|v| v.name.clone()).collect(),
            edges_used: world.edges.keys().filter(|id| world.networks_on(**id) > 0).count(),
            tasks: world.tasks.values().map(|t| t.operation_name.clone()).collect(),
            edges_doubled: world.edges.keys().filter(|id| world.networks_on(**id) > 1).count(),
        }
    }

    /// When the cloud worked on something, cloud ms: each task, and each guest's first boot, with what it is called.
    pub fn spans(&self) -> Vec<(String, i64, i64)> {
        let world = self.read();
        let tasks = world.tasks.values().map(|t| (t.operation_name.clone(), t.start, t.end));
        let boots = world.vms.values().filter_map(|v| v.run);
        tasks.chain(boots.map(|run| ("guest first boot".into(), run.started, run.ends))).collect()
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
        user: &str,
        f: impl FnOnce(&mut Change<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let (answer, bytes) = {
            let mut world = lock(&self.0.world);
            let now = self.0.clock.now();
            world.advance(now);
            let answer = f(&mut Change { world: &mut world, now, user })?;
            world.anchor = self.0.clock.anchor_now();
            let bytes = self.0.writer.is_some().then(|| serde_json::to_vec(&*world));
            (answer, bytes)
        };
        if let (Some(writer), Some(bytes)) = (&self.0.writer, bytes) {
            let internal = |e: String| {
                let text = format!("Carried out, but not saved: {e}");
                Refusal::new(500, "INTERNAL_SERVER_ERROR", text)
            };
            let bytes = bytes.map_err(|e| internal(e.to_string()))?;
            writer.save(bytes).await.map_err(|e| internal(e.to_string()))?;
        }
        Ok(answer)
    }

    pub(crate) fn account(&self, user: &str, org: &str, password: &str) -> Option<&Account> {
        self.0.accounts.iter().find(|a| {
            a.user.eq_ignore_ascii_case(user) && a.org.eq_ignore_ascii_case(org) && a.password == password
        })
    }

    /// The account of a token: names are unique within an organisation only.
    pub(crate) fn knows(&self, user: &str, provider: bool) -> Option<&Account> {
        self.0.accounts.iter().find(|a| a.user == user && a.is_provider() == provider)
    }

    /// Opens a session. Its token is longer than 32 characters, as some clients tell kinds of tokens by that.
    pub(crate) fn session_open(&self, account: &Account) -> Result<String, Refusal> {
        let ends = SystemTime::now() + self.session_length();
        let ends = ends.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let claims = URL_SAFE_NO_PAD.encode(json!({"sub": account.user, "exp": ends}).to_string());
        let token = format!("eyJhbGciOiJub25lIn0.{claims}.{}", random_token()?);
        self.session_insert(token.clone(), account);
        Ok(token)
    }

    pub(crate) fn session_length(&self) -> Duration {
        Duration::from_millis(lock(&self.0.world).knobs.session_length_ms)
    }

    pub(crate) fn session_insert(&self, token: String, account: &Account) {
        let session = Session {
            user: account.user.clone(),
            org: account.org.clone(),
            provider: account.is_provider(),
            used: Instant::now(),
            ends: Instant::now() + self.session_length(),
        };
        lock(&self.0.sessions).insert(token, session);
    }

    pub(crate) fn session_close(&self, headers: &HeaderMap) {
        if let Some(token) = bearer(headers) {
            lock(&self.0.sessions).remove(&token);
        }
    }

    pub(crate) fn session(&self, headers: &HeaderMap) -> Option<Session> {
        let token = bearer(headers)?;
        let mut sessions = lock(&self.0.sessions);
        let session = sessions.get_mut(&token)?;
        if session.used.elapsed() > self.0.session_idle || session.ends <= Instant::now() {
            sessions.remove(&token);
            return None;
        }
        session.used = Instant::now();
        Some(session.clone())
    }

    /// A ticket for the console of a machine.
    pub(crate) fn console_ticket(&self, vm: Uuid) -> Result<String, Refusal> {
        let text = format!("{}{}", console::TICKET, random_token()?);
        let now = Instant::now();
        let mut tickets = lock(&self.0.tickets);
        tickets.retain(|t| t.until > now);
        tickets.push(console::Ticket { text: text.clone(), vm, until: now + console::GOOD_FOR });
        Ok(text)
    }

    /// The machine a ticket is for. It is used up.
    pub(crate) fn console_opened(&self, ticket: &str) -> Option<Uuid> {
        let mut tickets = lock(&self.0.tickets);
        let at = tickets.iter().position(|t| t.text == ticket && t.until > Instant::now())?;
        Some(tickets.swap_remove(at).vm)
    }

    /// The host name and the system of a machine that is on.
    pub(crate) fn screen(&self, vm: Uuid) -> Option<(String, String)> {
        let world = self.read();
        let vm = world.vms.get(&vm).filter(|vm| vm.powered_on)?;
        let inside = &vm.inside.hostname;
        let hostname = if inside.is_empty() { "localhost" } else { inside };
        Some((hostname.to_owned(), vm.os.clone()))
    }

    /// Whether a guest that is up lets somebody in by a password.
    pub(crate) fn lets_in(&self, vm: Uuid, login: &str, password: &str) -> bool {
        let (now, world) = (self.now(), self.read());
        let Some(vm) = world.vms.get(&vm) else { return false };
        vm.inside.is_up(vm, now) && vm.inside.login(vm, login, Some(password), None).is_some()
    }

    pub(crate) fn request_faults(&self) -> MutexGuard<'_, Vec<RequestFault>> {
        lock(&self.0.request_faults)
    }
}

pub(crate) fn random_token() -> Result<String, Refusal> {
    let mut bytes = [0; 48];
    getrandom::fill(&mut bytes).map_err(|e| Refusal::new(500, "INTERNAL_SERVER_ERROR", e.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Counts for tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Census {
    pub networks: Vec<String>,
    pub vapps: Vec<String>,
    pub vms: Vec<String>,
    pub edges_used: usize,
    pub edges_doubled: usize,
    /// The operations of all tasks that are known.
    pub tasks: Vec<String>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while the lock was held leaves data that is still whole: every change is made in one go.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The token of a request, in any of the three headers that clients use.
fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers
        .get(header::AUTHORIZATION)
        .or_else(|| headers.get("x-vmware-vcloud-access-token"))
        .or_else(|| headers.get("x-vcloud-authorization"))?
        .to_str()
        .ok()?;
    let token = value.get(..7).filter(|p| p.eq_ignore_ascii_case("bearer ")).map_or(value, |_| &value[7..]);
    Some(token.to_owned())
}

/// Cuts a connection: what is written to it afterwards fails, and the client sees it end without an answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cut(Arc<AtomicBool>);

impl Cut {
    pub(crate) fn now(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for Cut {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.io().cut.clone()
    }
}

struct CuttableListener(TcpListener);

impl Listener for CuttableListener {
    type Io = Cuttable;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Cuttable, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Small answers to many polls: waiting for more to send would cost 40 ms each.
        let _ = stream.set_nodelay(true);
        (Cuttable { stream, cut: Cut::default() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

struct Cuttable {
    stream: TcpStream,
    cut: Cut,
}

impl AsyncRead for Cuttable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Cuttable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.cut.0.load(Ordering::Relaxed) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
