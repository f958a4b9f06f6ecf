//! Versions, and the session that every request is sent under.

use std::{
    fmt,
    str::FromStr,
    sync::PoisonError,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{
    Method, RequestBuilder, Response,
    header::{ACCEPT, CONTENT_TYPE},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tracing::{Instrument, debug, field, info_span};
use uuid::Uuid;

use crate::{
    answer::{error_in, read_answer},
    client::{CLIENT_REQUEST_ID_HEADER, Client, Family, accept, transport},
    config::Credentials,
    error::{Effect, Error, ErrorKind, Result},
    xml,
};

const TOKEN_HEADER: &str = "x-vmware-vcloud-access-token";
/// A session that ends within this time is replaced before it is used.
const MARGIN: Duration = Duration::from_secs(30);

/// A version of the API that this client knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiVersion {
    major: u16,
    minor: u16,
    text: &'static str,
}

const fn version(major: u16, minor: u16, text: &'static str) -> ApiVersion {
    ApiVersion { major, minor, text }
}

impl ApiVersion {
    /// Those known, oldest first. 36.3 came with vCD 10.3.3, 37.x with 10.4, 38.x with 10.5, 39.x with 10.6
    /// **\[doc\]**.
    pub const KNOWN: &[Self] = &[
        version(36, 3, "36.3"),
        version(37, 0, "37.0"),
        version(37, 1, "37.1"),
        version(37, 2, "37.2"),
        version(38, 0, "38.0"),
        version(38, 1, "38.1"),
        version(39, 0, "39.0"),
        version(39, 1, "39.1"),
    ];

    /// As it is written in headers.
    pub const fn as_str(self) -> &'static str {
        self.text
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

impl FromStr for ApiVersion {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let known = Self::KNOWN.iter().find(|v| v.text == text);
        known.copied().ok_or_else(|| format!("{text:?} is no version that is known here"))
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) version: ApiVersion,
    pub(crate) token: SecretString,
    /// When it ends, where that is known.
    ends: Option<SystemTime>,
}

impl Session {
    fn is_ending(&self, now: SystemTime) -> bool {
        self.ends.is_some_and(|ends| now + MARGIN >= ends)
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: Option<u64>,
}

impl Client {
    /// The version that is spoken: the newest that both sides know. Signs in if that has not happened yet.
    pub async fn api_version(&self) -> Result<ApiVersion> {
        Ok(self.session(None).await?.version)
    }

    /// Signs in now, so that wrong credentials show at the start of a program and not at its first request.
    pub async fn sign_in(&self) -> Result<()> {
        self.session(None).await.map(drop)
    }

    /// Ends the session at the service. The next request signs in again.
    pub async fn sign_out(&self) -> Result<()> {
        let Some(session) = self.0.session.lock().await.take() else { return Ok(()) };
        let path = "/cloudapi/1.0.0/sessions/current";
        let request = self
            .0
            .http
            .delete(self.url(path)?)
            .header(ACCEPT, accept(Family::Json, session.version.as_str()))
            .bearer_auth(session.token.expose_secret());
        self.outside(Method::DELETE, path, request).await.map(drop)
    }

    /// Sends a request that no session covers, under a span and an id as the others have.
    async fn outside(&self, method: Method, route: &str, request: RequestBuilder) -> Result<Response> {
        let id = Uuid::new_v4().simple().to_string();
        let span = info_span!("vcd", %method, route, id = id.as_str(), status = field::Empty);
        async {
            let sent = request.header(CLIENT_REQUEST_ID_HEADER, &id).send().await;
            let response = sent.map_err(|e| Error { request_id: Some(id.clone()), ..transport(&e) })?;
            tracing::Span::current().record("status", response.status().as_u16());
            debug!(status = response.status().as_u16(), "answered");
            Ok(response)
        }
        .instrument(span)
        .await
    }

    /// The session. `refused` is one that the service does not know any more: it is replaced, once, however many requests
    /// ask for it at the same time.
    pub(crate) async fn session(&self, refused: Option<&Session>) -> Result<Session> {
        let asked = Instant::now();
        let mut held = self.0.session.lock().await;
        if let Some(session) = held.as_ref() {
            let same = refused.is_some_and(|r| r.token.expose_secret() == session.token.expose_secret());
            if !same && !session.is_ending(SystemTime::now()) {
                return Ok(session.clone());
            }
        }
        // Whoever waited here while another was refused gets that answer: a thousand wrong passwords lock an account.
        let failed = self.0.refused_sign_in.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, error)) = failed.filter(|(at, _)| *at >= asked) {
            return Err(error);
        }
        *held = None;
        match self.open_session().await {
            Ok(session) => {
                *held = Some(session.clone());
                Ok(session)
            }
            Err(error) => {
                let failed = Some((Instant::now(), error.clone()));
                *self.0.refused_sign_in.lock().unwrap_or_else(PoisonError::into_inner) = failed;
                Err(error)
            }
        }
    }

    async fn open_session(&self) -> Result<Session> {
        let version = match self.0.config.api_version {
            Some(version) => version,
            None => self.negotiate().await?,
        };
        let (token, ends) = match &self.0.config.credentials {
            Credentials::Password { user, org, password } => {
                self.by_password(version, user, org, password).await?
            }
            Credentials::ApiToken { org, token } => self.by_token(org, token).await?,
        };
        Ok(Session { version, token, ends })
    }

    async fn by_password(
        &self,
        version: ApiVersion,
        user: &str,
        org: &str,
        password: &SecretString,
    ) -> Result<(SecretString, Option<SystemTime>)> {
        let provider = self.0.config.credentials.is_provider();
        let path = if provider { "/cloudapi/1.0.0/sessions/provider" } else { "/cloudapi/1.0.0/sessions" };
        let request = self
            .0
            .http
            .post(self.url(path)?)
            .header(ACCEPT, accept(Family::Json, version.as_str()))
            .basic_auth(format!("{user}@{org}"), Some(password.expose_secret()));
        let response = self.outside(Method::POST, path, request).await?;
        let token = response.headers().get(TOKEN_HEADER).and_then(|v| v.to_str().ok()).map(str::to_owned);
        self.signed_in(response, &format!("{user}@{org}")).await?;
        let token = token.ok_or_else(|| Error::protocol("signing in was answered without a token"))?;
        let ends = expiry(&token);
        Ok((token.into(), ends))
    }

    async fn by_token(&self, org: &str, token: &SecretString) -> Result<(SecretString, Option<SystemTime>)> {
        let path = if self.0.config.credentials.is_provider() {
            "/oauth/provider/token".to_owned()
        } else {
            format!("/oauth/tenant/{}/token", crate::query::encode(org))
        };
        let form =
            format!("grant_type=refresh_token&refresh_token={}", crate::query::encode(token.expose_secret()));
        let request = self
            .0
            .http
            .post(self.url(&path)?)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        let response = self.outside(Method::POST, "/oauth/{org}/token", request).await?;
        let body = self.signed_in(response, &format!("the token of {org}")).await?;
        // What is in there must not reach an error's text.
        let granted: Granted = serde_json::from_str(&body)
            .map_err(|_| Error::protocol("the token was exchanged for something else than a session"))?;
        let ends = granted.expires_in.and_then(|s| SystemTime::now().checked_add(Duration::from_secs(s)));
        Ok((granted.access_token.into(), ends))
    }

    /// The body of an answer to a sign-in, or why it was none.
    async fn signed_in(&self, response: Response, who: &str) -> Result<String> {
        let status = response.status().as_u16();
        let answer = read_answer(response, self.0.config.max_answer_bytes).await?;
        match status {
            200 => Ok(answer.body),
            401 | 403 => {
                Err(Error::new(ErrorKind::Denied, Effect::Refused, format!("the platform refuses {who}")))
            }
            // How a bad API token is answered **[iss]**.
            400 if error_in(Family::Json, &answer.body).0 == "invalid_grant" => {
                Err(Error::new(ErrorKind::Denied, Effect::Refused, format!("the platform refuses {who}")))
            }
            429 | 500.. => Err(Error::new(
                ErrorKind::Service,
                Effect::Refused,
                format!("signing in was answered with {status}"),
            )),
            _ => Err(Error::protocol(format!("signing in was answered with {status}"))),
        }
    }

    async fn negotiate(&self) -> Result<ApiVersion> {
        let path = "/api/versions";
        let response = self.outside(Method::GET, path, self.0.http.get(self.url(path)?)).await?;
        let status = response.status();
        let answer = read_answer(response, self.0.config.max_answer_bytes).await?;
        if !status.is_success() {
            let text = format!("/api/versions answered {status}");
            return Err(Error::new(ErrorKind::Service, Effect::Refused, text));
        }
        newest_common(&answer.body)
    }
}

/// The newest version that is offered and known. Alpha versions are offered under another element **\[doc\]** and so are
/// not seen.
pub(crate) fn newest_common(versions: &str) -> Result<ApiVersion> {
    let doc = xml::parse(versions)?;
    let offered: Vec<&str> = doc
        .descendants()
        .filter(|n| n.tag_name().name() == "VersionInfo")
        .filter_map(|n| n.children().find(|c| c.tag_name().name() == "Version"))
        .filter_map(|n| n.text())
        .map(str::trim)
        .collect();
    let newest = ApiVersion::KNOWN.iter().rev().find(|v| offered.contains(&v.text));
    newest.copied().ok_or_else(|| {
        Error::protocol(format!("no common API version: the service offers {}", offered.join(", ")))
    })
}

/// When a JWT ends, where it says so.
fn expiry(token: &str) -> Option<SystemTime> {
    #[derive(Deserialize)]
    struct Claims {
        exp: Option<u64>,
    }
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?.trim_end_matches('=')).ok()?;
    let claims: Claims = serde_json::from_slice(&payload).ok()?;
    UNIX_EPOCH.checked_add(Duration::from_secs(claims.exp?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        let v = |text: &str| text.parse::<ApiVersion>().unwrap();
        assert!(v("36.3") < v("37.0") && v("37.2") < v("38.0"));
        assert!("41.0".parse::<ApiVersion>().is_err());
        assert!(ApiVersion::KNOWN.is_sorted());
    }

    #[test]
    fn the_newest_common_version_and_no_alpha() {
        let offer = |versions: &[&str]| {
            let list: String = versions
                .iter()
                .map(|v| format!("<VersionInfo deprecated=\"true\"><Version>{v}</Version></VersionInfo>"))
                .collect();
            format!(
                "<SupportedVersions xmlns=\"http://www.vmware.com/vcloud/versions\">{list}<AlphaVersion>\
                 <Version>39.1</Version></AlphaVersion></SupportedVersions>"
            )
        };
        assert_eq!(newest_common(&offer(&["5.5", "37.0", "38.0", "36.3"])).unwrap().as_str(), "38.0");
        let error = newest_common(&offer(&["9.0", "40.1"])).unwrap_err();
        assert!(error.message.contains("9.0, 40.1"), "{error}");
    }

    #[test]
    fn a_session_is_replaced_before_it_ends() {
        let claims = URL_SAFE_NO_PAD.encode(r#"{"sub":"u","exp":2000000000}"#);
        let ends = expiry(&format!("e30.{claims}.sig"));
        assert_eq!(ends, Some(UNIX_EPOCH + Duration::from_secs(2_000_000_000)));
        let session = Session { version: ApiVersion::KNOWN[0], token: "t".to_owned().into(), ends };
        let at = |s| UNIX_EPOCH + Duration::from_secs(s);
        assert!(!session.is_ending(at(1_999_999_000)));
        assert!(session.is_ending(at(1_999_999_980)));
        for opaque in ["", "a", "a.b", "e30.e30.x", "a.!!.c"] {
            assert_eq!(expiry(opaque), None, "{opaque:?}");
        }
    }
}
