//! Sending requests under a session.

use std::sync::Arc;

use reqwest::{
    Method, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use secrecy::ExposeSecret;
use tokio::sync::Mutex;
use tracing::{Instrument, debug, field, info_span};
use uuid::Uuid;

use crate::{
    answer::{Answer, read_answer},
    config::ClientConfig,
    error::{Effect, Error, ErrorKind, Result},
    session::Session,
};

pub(crate) const CLIENT_REQUEST_ID_HEADER: &str = "x-vmware-vcloud-client-request-id";
const TENANT_HEADER: &str = "x-vmware-vcloud-tenant-context";
const AUTH_HEADER: &str = "x-vmware-vcloud-auth-context";

/// A client of one service under one account. Cheap to clone; clones share the session.
///
/// Every request runs in a `tracing` span named `vcd` with its method, its route (ids left out), its id, and, once it is
/// answered, the status. The id is sent along, and the service's own id begins with it: errors carry that.
#[derive(Clone, Debug)]
pub struct Client(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) http: reqwest::Client,
    pub(crate) base: Url,
    pub(crate) config: ClientConfig,
    pub(crate) session: Mutex<Option<Session>>,
    /// When signing in failed last, and how.
    pub(crate) refused_sign_in: std::sync::Mutex<Option<(std::time::Instant, Error)>>,
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

impl Client {
    /// A client for the service of a configuration. Nothing is sent yet.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] where the address is none.
    pub fn new(config: ClientConfig) -> Result<Self> {
        // Harmless when the program has chosen a provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let not_sent = |e: String| Error::new(ErrorKind::Invalid, Effect::NotSent, e);
        let base = Url::parse(&config.url).map_err(|e| not_sent(format!("{:?}: {e}", config.url)))?;
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            return Err(not_sent(format!("{:?} is no address of a service", config.url)));
        }
        let http = reqwest::Client::builder()
            .connect_timeout(config.connect_timeout)
            .timeout(config.timeout)
            // A redirect could carry the session to another host: it is an error instead.
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true)
            .build()
            .map_err(|e| not_sent(e.to_string()))?;
        Ok(Self(Arc::new(Inner {
            http,
            base,
            config,
            session: Mutex::new(None),
            refused_sign_in: Default::default(),
        })))
    }

    pub(crate) async fn get(&self, family: Family, path: &str) -> Result<Answer> {
        self.send(Method::GET, family, path, None).await
    }

    /// Sends a request under the session, signing in first where there is none, and once more where it has ended: a 401
    /// proves that nothing was done.
    pub(crate) async fn send(
        &self,
        method: Method,
        family: Family,
        path: &str,
        body: Option<Body>,
    ) -> Result<Answer> {
        let id = Uuid::new_v4().simple().to_string();
        let span = info_span!("vcd", %method, route = route(path), id = id.as_str(), status = field::Empty);
        async {
            // While signing in fails, nothing was sent of what was asked for.
            let unsent = |e: Error| Error { effect: Effect::NotSent, ..e };
            let session = self.session(None).await.map_err(unsent)?;
            match self.send_once(&method, family, path, body.as_ref(), &session, &id).await {
                Err(e) if e.kind == ErrorKind::Denied => {
                    debug!("the session has ended; signing in again");
                    let session = self.session(Some(&session)).await.map_err(unsent)?;
                    self.send_once(&method, family, path, body.as_ref(), &session, &id).await
                }
                other => other,
            }
        }
        .instrument(span)
        .await
        // Where the service named none, ours is what its logs can be searched by.
        .map_err(|e| Error { request_id: e.request_id.clone().or_else(|| Some(id.clone())), ..e })
    }

    /// Scheme and host, for the references inside XML bodies.
    pub(crate) fn base(&self) -> String {
        self.0.base.as_str().trim_end_matches('/').to_owned()
    }

    /// Whether the service is reached over TLS; its consoles are reached as it is.
    pub fn is_secure(&self) -> bool {
        self.0.base.scheme() == "https"
    }

    pub(crate) fn url(&self, path: &str) -> Result<Url> {
        let invalid = |e: String| Error::new(ErrorKind::Invalid, Effect::NotSent, format!("{path:?}: {e}"));
        let url = self.0.base.join(path).map_err(|e| invalid(e.to_string()))?;
        // The session is never carried to another host.
        if url.origin() != self.0.base.origin() {
            return Err(invalid("it leads to another host".into()));
        }
        Ok(url)
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
        let config = &self.0.config;
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", session.token.expose_secret()))
            .map_err(|_| Error::protocol("the token is no header value"))?;
        bearer.set_sensitive(true);
        let mut request = self
            .0
            .http
            .request(method.clone(), self.url(path)?)
            .header(ACCEPT, accept(family, session.version.as_str()))
            .header(CLIENT_REQUEST_ID_HEADER, id)
            .header(AUTHORIZATION, bearer);
        if let Some(tenant) = &config.tenant {
            request = request
                .header(TENANT_HEADER, tenant.org.uuid().to_string())
                .header(AUTH_HEADER, tenant.name.as_str());
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, body.media).body(body.content.clone());
        }
        let response = request.send().await.map_err(|e| transport(&e))?;
        let status = response.status().as_u16();
        tracing::Span::current().record("status", status);
        let answer = read_answer(response, config.max_answer_bytes).await;
        debug!(status, "answered");
        match answer {
            Ok(answer) if matches!(status, 200 | 201 | 202 | 204) => Ok(answer),
            // Something was done, and it is not known what.
            Ok(_) if (200..300).contains(&status) => {
                Err(Error::protocol(format!("the answer has the status {status}")))
            }
            Ok(answer) => Err(answer.refusal(family, status, *method == Method::GET)),
            Err(e) => Err(e),
        }
    }
}

pub(crate) fn accept(family: Family, version: &str) -> String {
    match family {
        Family::Xml => format!("application/*+xml;version={version}"),
        Family::Json => format!("application/json;version={version}"),
    }
}

/// A connection that was never made proves that nothing was sent; anything later proves nothing.
pub(crate) fn transport(e: &reqwest::Error) -> Error {
    let effect = if e.is_connect() || e.is_builder() { Effect::NotSent } else { Effect::MaybeDone };
    let mut text = String::from(if e.is_timeout() {
        "the platform did not answer in time"
    } else {
        "no answer from the platform"
    });
    let mut source = std::error::Error::source(e);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    Error::new(ErrorKind::Transport, effect, text)
}

/// A path without ids and values, so that spans of one kind of request are named alike and hold nobody's names.
fn route(path: &str) -> String {
    let path = path.split('?').next().unwrap_or(path);
    let part = |part: &str| {
        let is_id =
            part.len() >= 36 && part.get(part.len() - 36..).is_some_and(|tail| Uuid::parse_str(tail).is_ok());
        if !is_id {
            return part.to_owned();
        }
        // `vm-U` and `vapp-U` share a path, and are told apart.
        format!("{}{{id}}", &part[..part.len() - 36].trim_start_matches("urn:vcloud:"))
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Credentials;

    fn client(url: &str) -> Result<Client> {
        Client::new(ClientConfig::new(
            url,
            Credentials::password("u", "o", "hunter2-secret".to_owned().into()),
        ))
    }

    #[test]
    fn routes_hold_no_ids() {
        let u = "3f2504e0-4f89-11d3-9a0c-0305e82c3301";
        assert_eq!(route(&format!("/api/vApp/vm-{u}/action/deploy")), "/api/vApp/vm-{id}/action/deploy");
        assert_eq!(
            route(&format!("/cloudapi/1.0.0/edgeGateways/urn:vcloud:gateway:{u}/qos?x=anna")),
            "/cloudapi/1.0.0/edgeGateways/gateway:{id}/qos"
        );
        assert_eq!(route("/api/query?type=vm&filter=name==anna"), "/api/query");
    }

    #[test]
    fn nothing_shows_a_secret_and_nothing_leads_elsewhere() {
        let client = client("https://vcd.example.net/").unwrap();
        assert!(!format!("{client:?}").contains("hunter2"), "{client:?}");
        for path in ["https://evil.example/api", "//evil.example/api"] {
            assert_eq!(client.url(path).unwrap_err().kind, ErrorKind::Invalid, "{path}");
        }
        for bad in ["", "vcd", "ftp://h", "http://"] {
            assert!(super::tests::client(bad).is_err(), "{bad:?}");
        }
    }
}
