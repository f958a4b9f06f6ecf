//! The screen of a server: a WebSocket of the page, joined to the one the cloud gives for a ticket.
//!
//! The ticket is fetched when the socket opens and never reaches the page. Whose the server is is asked when it opens;
//! that its reader is still signed in, again and again. What goes through is neither read nor kept.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::{Context, bail};
use app::request::{Around, Product};
use axum::{
    Extension,
    extract::{
        Path, State, WebSocketUpgrade,
        ws::{Message, WebSocket, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{AccountId, ServerId};
use futures::{SinkExt, StreamExt};
use provisioning::ConsoleAnswer;
use rustls::ClientConfig;
use rustls_platform_verifier::ConfigVerifierExt;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async_tls_with_config,
    tungstenite::{self, client::IntoClientRequest, protocol::WebSocketConfig},
};

use crate::{
    origin,
    stream::{Place, Streams, session_reloaded},
};

/// What the cloud's console speaks inside the socket.
const PROTOCOL: &str = "binary";
/// How long the cloud may take to open its end.
const OPEN_WITHIN: Duration = Duration::from_secs(10);
/// How often is asked whether the reader is still signed in.
const RECHECK: Duration = Duration::from_secs(15);
/// A reader sends keys and what was pasted.
const FROM_READER_MAX: usize = 256 * 1024;
/// A screen is sent in parts.
const FROM_CLOUD_MAX: usize = 32 * 1024 * 1024;

type Upstream = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(crate) async fn console(
    State((product, streams)): State<(Product, Streams)>,
    Extension(around): Extension<Around>,
    Path(id): Path<String>,
    headers: HeaderMap,
    socket: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    // A socket is opened by a GET that any page may make: only ours gets one.
    if !origin::own(&headers) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let (Some(viewer), Ok(id)) = (&around.viewer, id.parse::<ServerId>()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let answer = match product.facade.server_console(viewer, id).await {
        Ok(answer) => answer,
        Err(e) => {
            tracing::error!(server = %id, "a screen was not opened: {e}");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let ticket = match answer {
        ConsoleAnswer::Ticket(ticket) => ticket,
        ConsoleAnswer::Denied(_) => return StatusCode::CONFLICT.into_response(),
        ConsoleAnswer::Unavailable => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        ConsoleAnswer::Gone => return StatusCode::NOT_FOUND.into_response(),
    };
    let socket = match socket {
        Ok(socket) => socket,
        Err(rejection) => return rejection.into_response(),
    };
    let account = viewer.account.id;
    let Some(place) = streams.take(account) else { return StatusCode::TOO_MANY_REQUESTS.into_response() };
    let upstream = match tokio::time::timeout(OPEN_WITHIN, dial(&ticket.address)).await {
        Ok(Ok(upstream)) => upstream,
        Ok(Err(e)) => {
            tracing::warn!(server = %id, "the screen did not open: {e:#}");
            return StatusCode::BAD_GATEWAY.into_response();
        }
        Err(_) => return StatusCode::GATEWAY_TIMEOUT.into_response(),
    };
    let joined = Joined { around, account, upstream, _place: place };
    socket
        .protocols([PROTOCOL])
        .max_message_size(FROM_READER_MAX)
        .max_frame_size(FROM_READER_MAX)
        .on_upgrade(|socket| joined.run(socket))
}

/// Opens the cloud's end. The address is a secret: no error repeats it.
async fn dial(address: &SecretString) -> anyhow::Result<Upstream> {
    let mut request = address.expose_secret().into_client_request().ok().context("the address is none")?;
    request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
    let uri = request.uri();
    let Some(host) = uri.host().map(str::to_owned) else { bail!("the address has no host") };
    let secure = uri.scheme_str() == Some("wss");
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    stream.set_nodelay(true)?;
    let limits = WebSocketConfig::default()
        .max_message_size(Some(FROM_CLOUD_MAX))
        .max_frame_size(Some(FROM_CLOUD_MAX));
    let connector = if secure {
        tokio_tungstenite::Connector::Rustls(tls()?)
    } else {
        tokio_tungstenite::Connector::Plain
    };
    match client_async_tls_with_config(request, stream, Some(limits), Some(connector)).await {
        Ok((upstream, _)) => Ok(upstream),
        Err(tungstenite::Error::Http(answer)) => bail!("answered {}", answer.status()),
        Err(tungstenite::Error::Url(_)) => bail!("the address is none"),
        Err(e) => Err(e.into()),
    }
}

/// Certificates are judged as for every other call to the cloud: by what the machine trusts.
fn tls() -> anyhow::Result<Arc<ClientConfig>> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(config.clone());
    }
    let config = Arc::new(ClientConfig::with_platform_verifier()?);
    Ok(CONFIG.get_or_init(|| config).clone())
}

/// Both ends of an open screen.
struct Joined {
    around: Around,
    account: AccountId,
    upstream: Upstream,
    _place: Place,
}

impl Joined {
    /// Carries what comes from either end to the other until one closes, or nobody is signed in any more.
    async fn run(self, socket: WebSocket) {
        let (mut to_reader, mut from_reader) = socket.split();
        let (mut to_cloud, mut from_cloud) = self.upstream.split();
        let keys = async {
            while let Some(Ok(message)) = from_reader.next().await {
                let Message::Binary(bytes) = message else { continue };
                if to_cloud.send(tungstenite::Message::Binary(bytes)).await.is_err() {
                    break;
                }
            }
            let _ = to_cloud.close().await;
        };
        let picture = async {
            while let Some(Ok(message)) = from_cloud.next().await {
                let tungstenite::Message::Binary(bytes) = message else { continue };
                if to_reader.send(Message::Binary(bytes)).await.is_err() {
                    break;
                }
            }
            let _ = to_reader.close().await;
        };
        let signed_out = async {
            loop {
                tokio::time::sleep(RECHECK).await;
                // A database that hiccups signs nobody out.
                if matches!(session_reloaded(&self.around).await, Ok(account) if account != Some(self.account))
                {
                    return;
                }
            }
        };
        tokio::select! {
            () = keys => {}
            () = picture => {}
            () = signed_out => {}
        }
    }
}
