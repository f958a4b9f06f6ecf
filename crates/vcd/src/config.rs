//! What a client is told.

use std::{fmt, time::Duration};

use secrecy::SecretString;

use crate::ids::OrgId;

/// How to sign in. The organisation `System` (in any case) is the provider's.
#[derive(Clone)]
pub enum Credentials {
    /// A user of an organisation. From API 33.0 by `/cloudapi/1.0.0/sessions` **\[doc\]**.
    Password {
        /// The user's name, without the organisation.
        user: String,
        /// The organisation's name.
        org: String,
        /// The user's password.
        password: SecretString,
    },
    /// An API token of a user (API 36.1): exchanged for a session at `/oauth/…/token` **\[src\]**.
    ApiToken {
        /// The organisation's name.
        org: String,
        /// The refresh token.
        token: SecretString,
    },
}

impl Credentials {
    /// A user of an organisation.
    pub fn password(user: &str, org: &str, password: SecretString) -> Self {
        Self::Password { user: user.into(), org: org.into(), password }
    }

    /// An API token of an organisation's user.
    pub fn api_token(org: &str, token: SecretString) -> Self {
        Self::ApiToken { org: org.into(), token }
    }

    pub(crate) fn is_provider(&self) -> bool {
        let (Self::Password { org, .. } | Self::ApiToken { org, .. }) = self;
        org.eq_ignore_ascii_case("system")
    }
}

/// Names who signs in, never with what.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password { user, org, .. } => write!(f, "Credentials({user}@{org})"),
            Self::ApiToken { org, .. } => write!(f, "Credentials(token of {org})"),
        }
    }
}

/// A tenant that a provider's session acts in: sent as `X-VMWARE-VCLOUD-TENANT-CONTEXT` and `-AUTH-CONTEXT`
/// **\[src\]**.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantContext {
    /// The organisation.
    pub org: OrgId,
    /// Its name.
    pub name: String,
}

/// Everything a [`Client`](crate::Client) is told. Begin with [`ClientConfig::new`] and change what differs.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Scheme and host, for example `https://vcd.example.net`; `/api` and `/cloudapi` are added.
    pub url: String,
    /// How to sign in.
    pub credentials: Credentials,
    /// The tenant to act in, for a provider's session.
    pub tenant: Option<TenantContext>,
    /// Speak exactly this version, whatever is offered.
    pub api_version: Option<crate::ApiVersion>,
    /// For a connection to be made.
    pub connect_timeout: Duration,
    /// For one request and its answer. Changes are answered by a task at once, so this is no limit on them.
    pub timeout: Duration,
    /// A larger answer is refused unread.
    pub max_answer_bytes: usize,
}

impl ClientConfig {
    /// Ten seconds to connect, a minute for an answer of at most 64 MiB.
    pub fn new(url: &str, credentials: Credentials) -> Self {
        Self {
            url: url.into(),
            credentials,
            tenant: None,
            api_version: None,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
            max_answer_bytes: 64 << 20,
        }
    }
}
