//! Sending requests: versions, sessions, and what an answer means.

use std::{sync::Arc, time::Duration};

use reqwest::{
    Method, StatusCode, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tracing::{Instrument, debug, info_span};
use uuid::Uuid;

use crate::{
    error::{Effect, Error, ErrorKind, Result, classify},
    ids::TaskId,
    xml,
};

/// Versions this client knows, newest first. The first that the service offers is used.
const KNOWN: &[&str] = &["39.1", "39.0", "38.1", "38.0", "37.2", "37.1", "37.0", "36.3"];
const TOKEN_HEADER: &str = "x-vmware-vcloud-access-token";
const REQUEST_ID_HEADER: &str = "x-vmware-vcloud-request-id";
const CLIENT_REQUEST_ID_HEADER: &str = "x-vmware-vcloud-client-request-id";

/// Who signs in, and where. The organisation `System` signs in as the provider.
#[derive(Clone)]
pub struct Credentials {
    pub user: String,
    pub org: String,
    pub password: SecretString,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({}@{})", self.user, self.org)
    }
}

/// A client of one service under one account. Cheap to clone; clones share the session.
#[derive(Clone, Debug)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    http: reqwest::Client,
    base: Url,
    credentials: Credentials,
    session: Mutex<Option<Session>>,
}

#[derive(Clone, Debug)]
struct Session {
    version: &'static str,
    token: SecretString,
}

/// Which of the two API families a request belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Xml,
    Json,
}

/// A body and its media type.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) media: &'static str,
    pub(crate) content: String,
}

/// A successful answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) body: String,
    pub(crate) headers: HeaderMap,
}

impl Client {
    /// A client for the service at `base` (scheme and host; `/api` is added). Nothing is sent yet.
    pub fn new(base: &str, credentials: Credentials) -> Result<Self> {
        // Harmless when the program has chosen a provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let not_sent = |e: String| Error::new(ErrorKind::Invalid, Effect::NotSent, e);
        let base = Url::parse(base).map_err(|e| not_sent(format!("{base:?}: {e}")))?;
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(60))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|e| not_sent(e.to_string()))?;
        Ok(Self(Arc::new(Inner { http, base, credentials, session: Mutex::new(None) })))
    }

    pub(crate) async fn get(&self, family: Family, path: &str) -> Result<Answer> {
        self.send(Method::GET, family, path, None).await
    }

    /// Sends a request under the session, signing in first where there is none, and once more where it has ended: a
    /// 401 proves that nothing was done.
    pub(crate) async fn send(
        &self,
        method: Method,
        family: Family,
        path: &str,
        body: Option<Body>,
    ) -> Result<Answer> {
        let id = Uuid::new_v4().simple().to_string();
        let span = info_span!("vcd", %method, path, id);
        async {
            let session = self.session(None).await?;
            match self.send_once(&method, family, path, body.as_ref(), &session, &id).await {
                Err(e) if e.kind == ErrorKind::Denied => {
                    debug!("the session has ended; signing in again");
                    let session = self.session(Some(&session)).await?;
                    self.send_once(&method, family, path, body.as_ref(), &session, &id).await
                }
                other => other,
            }
        }
        .instrument(span)
        .await
    }

    /// The session. `ended` is one that was refused: it is replaced, once, however many requests ask for it.
    async fn session(&self, ended: Option<&Session>) -> Result<Session> {
        let mut held = self.0.session.lock().await;
        if let Some(session) = held.as_ref() {
            let same = ended.is_some_and(|e| e.token.expose_secret() == session.token.expose_secret());
            if !same {
                return Ok(session.clone());
            }
        }
        *held = None;
        let session = self.sign_in().await?;
        *held = Some(session.clone());
        Ok(session)
    }

    async fn sign_in(&self) -> Result<Session> {
        let version = self.negotiate().await?;
        let Credentials { user, org, password } = &self.0.credentials;
        let path = if org.eq_ignore_ascii_case("system") {
            "/cloudapi/1.0.0/sessions/provider"
        } else {
            "/cloudapi/1.0.0/sessions"
        };
        let response = self
            .0
            .http
            .post(self.url(path)?)
            .header(ACCEPT, accept(Family::Json, version))
            .basic_auth(format!("{user}@{org}"), Some(password.expose_secret()))
            .send()
            .await
            .map_err(|e| transport(&e))?;
        let status = response.status();
        let token =
            response.headers().get(TOKEN_HEADER).and_then(|v| v.to_str().ok()).map(SecretString::from);
        match (status.as_u16(), token) {
            (200, Some(token)) => Ok(Session { version, token }),
            (401 | 403, _) => {
                let text = format!("the platform refuses {user}@{org}");
                Err(Error::new(ErrorKind::Denied, Effect::Refused, text))
            }
            (s, _) if s >= 500 => Err(Error::new(
                ErrorKind::Service,
                Effect::Refused,
                format!("signing in was answered with {s}"),
            )),
            (s, _) => Err(Error::protocol(format!("signing in was answered with {s} and no token"))),
        }
    }

    async fn negotiate(&self) -> Result<&'static str> {
        let response = self.0.http.get(self.url("/api/versions")?).send().await.map_err(|e| transport(&e))?;
        let status = response.status();
        let body = response.text().await.map_err(|e| transport(&e))?;
        if !status.is_success() {
            return Err(Error::new(
                ErrorKind::Service,
                Effect::Refused,
                format!("/api/versions answered {status}"),
            ));
        }
        let doc = xml::parse(&body)?;
        let offered: Vec<&str> =
            doc.descendants().filter(|n| n.tag_name().name() == "Version").filter_map(|n| n.text()).collect();
        KNOWN.iter().copied().find(|v| offered.contains(v)).ok_or_else(|| {
            Error::protocol(format!("no common API version: the service offers {}", offered.join(", ")))
        })
    }

    /// Scheme and host, for the references inside XML bodies.
    pub(crate) fn base(&self) -> String {
        self.0.base.as_str().trim_end_matches('/').to_owned()
    }

    fn url(&self, path: &str) -> Result<Url> {
        self.0
            .base
            .join(path)
            .map_err(|e| Error::new(ErrorKind::Invalid, Effect::NotSent, format!("{path:?}: {e}")))
    }

    async fn send_once(
        &self,
        method: &Method,
        family: Family,
        path: &str,
        body: Option<&Body>,
        session: &Session,
        id: &str,
    ) -> Result<Answer> {
        let mut request = self
            .0
            .http
            .request(method.clone(), self.url(path)?)
            .header(ACCEPT, accept(family, session.version))
            .header(CLIENT_REQUEST_ID_HEADER, id);
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", session.token.expose_secret()))
            .map_err(|_| Error::protocol("the token is no header value"))?;
        bearer.set_sensitive(true);
        request = request.header(AUTHORIZATION, bearer);
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, body.media).body(body.content.clone());
        }
        let response = request.send().await.map_err(|e| transport(&e))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.text().await.map_err(|e| {
            // The service has answered, but not whole: a change may have been made.
            Error::new(ErrorKind::Transport, Effect::MaybeDone, e.without_url().to_string())
        })?;
        debug!(status = status.as_u16(), "answered");
        if matches!(status.as_u16(), 200 | 201 | 202 | 204) {
            Ok(Answer { body, headers })
        } else {
            Err(refusal(family, status, &headers, &body))
        }
    }
}

impl Answer {
    /// The task that a JSON change is carried out by: its `Location`.
    pub(crate) fn task_location(&self) -> Result<TaskId> {
        self.headers
            .get(LOCATION)
            .and_then(|v| v.to_str().ok())
            .ok_or_else(|| Error::protocol("202 without a Location"))?
            .parse()
            .map_err(|e| Error::protocol(format!("Location: {e}")))
    }

    /// The task in an XML answer: the root itself, or the first of its `Tasks`.
    pub(crate) fn task_in_body(&self) -> Result<TaskId> {
        let doc = xml::parse(&self.body)?;
        doc.descendants()
            .find(|n| n.tag_name().name() == "Task")
            .and_then(|n| n.attribute("href"))
            .ok_or_else(|| Error::protocol("the answer names no task"))?
            .parse()
            .map_err(|e| Error::protocol(format!("Task: {e}")))
    }

    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.body)
            .map_err(|e| Error::protocol(format!("the answer is not as expected: {e}")))
    }
}

fn accept(family: Family, version: &str) -> String {
    match family {
        Family::Xml => format!("application/*+xml;version={version}"),
        Family::Json => format!("application/json;version={version}"),
    }
}

/// A connection that was never made proves that nothing was sent; anything later proves nothing.
fn transport(e: &reqwest::Error) -> Error {
    let effect = if e.is_connect() || e.is_builder() { Effect::NotSent } else { Effect::MaybeDone };
    let mut text = String::from("no answer from the platform");
    let mut source = std::error::Error::source(e);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    Error::new(ErrorKind::Transport, effect, text)
}

fn refusal(family: Family, status: StatusCode, headers: &HeaderMap, body: &str) -> Error {
    let (minor, message) = match family {
        Family::Xml => roxmltree::Document::parse(body).ok().map(|doc| {
            let root = doc.root_element();
            let attr = |name| root.attribute(name).unwrap_or_default().to_owned();
            (attr("minorErrorCode"), attr("message"))
        }),
        Family::Json => serde_json::from_str::<serde_json::Value>(body).ok().map(|v| {
            let field = |name| v[name].as_str().unwrap_or_default().to_owned();
            (field("minorErrorCode"), field("message"))
        }),
    }
    .unwrap_or_default();
    let kind = classify(status.as_u16(), &minor, &message);
    // A service that fails may have begun; one that refuses has not.
    let effect = if kind == ErrorKind::Service && status != StatusCode::TOO_MANY_REQUESTS {
        Effect::MaybeDone
    } else {
        Effect::Refused
    };
    let message = if message.is_empty() { format!("the platform answered {status}") } else { message };
    let request_id = headers.get(REQUEST_ID_HEADER).and_then(|v| v.to_str().ok()).map(str::to_owned);
    Error { kind, effect, message, request_id }
}
