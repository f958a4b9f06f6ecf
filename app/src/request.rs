//! What is known of the request being answered, and what is remembered between two of them.

use std::collections::BTreeMap;

use domain::{AccountId, field::FieldError};
use leptos::prelude::{expect_context, use_context};
use provisioning::{Facade, Viewer};
use serde::{Deserialize, Serialize};
use tower_sessions::Session;

use crate::i18n::Lang;

/// Put into the request by the edge, before any page or function runs.
#[derive(Clone, Debug)]
pub struct Around {
    pub viewer: Option<Viewer>,
    /// Whose session it is: the viewer's own account, or that of the staff who look as a customer does.
    pub signed_in: Option<AccountId>,
    pub session: Session,
    pub lang: Lang,
    pub theme: Theme,
    /// The zone in which times are shown, where one was chosen.
    pub zone: Option<&'static str>,
    /// Single letters are shortcuts.
    pub keys: bool,
    /// Short id of the request, for messages and logs.
    pub request_id: String,
    /// Path and query.
    pub path: String,
    /// The viewer's role is not enough for this page.
    pub forbidden: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    pub const fn code(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.code() == code)
    }
}

/// A zone that is offered, by its name.
pub fn zone(name: &str) -> Option<&'static str> {
    crate::format::ZONES.iter().copied().find(|z| *z == name)
}

/// Given to every page and function by the edge.
#[derive(Clone)]
pub struct Product {
    pub facade: Facade,
    /// The accounts printed under the sign-in form, with their password.
    pub demo: Option<Demo>,
    pub version: &'static str,
    /// How the installation is configured, for administrators to read: name, and value without secrets.
    pub config: Vec<(&'static str, String)>,
}

#[derive(Clone, Debug)]
pub struct Demo {
    pub accounts: Vec<String>,
    pub password: String,
}

/// The current request, inside a page or a server function.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) around: Around,
    pub(crate) product: Product,
}

impl Request {
    /// `None` outside of a request: while the routes are being listed at start.
    pub(crate) fn current() -> Option<Self> {
        let parts = use_context::<http::request::Parts>()?;
        let around = parts.extensions.get::<Around>()?.clone();
        let product = expect_context::<Product>();
        Some(Self { around, product: Product { facade: product.facade.at_hand(), ..product } })
    }

    pub(crate) fn facade(&self) -> &Facade {
        &self.product.facade
    }

    pub(crate) fn lang(&self) -> Lang {
        self.around.lang
    }

    pub(crate) fn query(&self, name: &str) -> Option<String> {
        query(&self.around.path, name)
    }

    /// Every value of a name that stands more than once.
    pub(crate) fn query_all(&self, name: &str) -> Vec<String> {
        query_all(&self.around.path, name).collect()
    }

    /// The id of the browser's session; nothing where it has none yet.
    pub(crate) fn session_id(&self) -> Vec<u8> {
        self.around.session.id().map(|id| id.0.to_be_bytes().to_vec()).unwrap_or_default()
    }
}

/// A value of a query string: the first, where there are several.
pub(crate) fn query(path: &str, name: &str) -> Option<String> {
    query_all(path, name).next()
}

fn query_all(path: &str, name: &str) -> impl Iterator<Item = String> {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    query.split('&').filter_map(move |pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then(|| decode(value))
    })
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = bytes.get(i + 1..i + 3).and_then(|h| std::str::from_utf8(h).ok());
        match (bytes[i], hex.and_then(|h| u8::from_str_radix(h, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                i += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        i += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A value as it may stand in a query.
pub(crate) fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Whose the session is.
pub const ACCOUNT: &str = "account";
/// What it was opened with.
pub const DEVICE: &str = "device";
/// When it was signed in, ms.
pub const SINCE: &str = "since";
/// When its life was extended last, ms.
pub const EXTENDED: &str = "extended";
/// A session lives on while it is used. That is written once in so many ms, and not at every page.
const EXTEND_EVERY: i64 = 24 * 3_600_000;
/// As which customer somebody of the staff looks, and since when, ms.
const LOOKS_AS: &str = "looks_as";
/// Looking as a customer ends by itself.
const LOOKS_FOR: i64 = 3_600_000;
const BANNER: &str = "banner";
const FLASH: &str = "flash";

/// A message shown once on the next page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Banner {
    pub(crate) bad: bool,
    pub(crate) text: String,
}

/// What was typed into a form that was refused, and why. Never a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Flash {
    pub(crate) form: String,
    pub(crate) values: BTreeMap<String, String>,
    pub(crate) errors: Vec<FieldError>,
}

/// Lets a session that is in use live on.
pub async fn extend(session: &Session, now: i64) {
    let at = |name| async move { session.get::<i64>(name).await.ok().flatten() };
    let before = at(EXTENDED).await.or(at(SINCE).await).unwrap_or_default();
    if now - before >= EXTEND_EVERY
        && let Err(e) = session.insert(EXTENDED, now).await
    {
        tracing::warn!("a session was not extended: {e}");
    }
}

/// What the session remembers. A session that cannot be written loses a message, never an order: so errors are logged
/// and not passed on.
pub(crate) struct Memory<'a>(pub(crate) &'a Session);

impl Memory<'_> {
    pub(crate) async fn banner(&self, bad: bool, text: String) {
        self.put(BANNER, Banner { bad, text }).await;
    }

    pub(crate) async fn take_banner(&self) -> Option<Banner> {
        // What is not there is not taken: a session that was changed is written.
        self.0.get::<Banner>(BANNER).await.ok().flatten()?;
        self.0.remove(BANNER).await.ok().flatten()
    }

    pub(crate) async fn flash(&self, flash: Flash) {
        self.put(FLASH, flash).await;
    }

    pub(crate) async fn flash_of(&self, form: &str) -> Option<Flash> {
        self.0.get::<Flash>(FLASH).await.ok().flatten().filter(|f| f.form == form)
    }

    pub(crate) async fn clear_flash(&self) {
        let _ = self.0.remove::<Flash>(FLASH).await;
    }

    /// Signs in: a new session id, and nothing carried over but what pages remember.
    pub(crate) async fn sign_in(
        &self,
        account: AccountId,
        device: String,
        now: i64,
    ) -> Result<(), tower_sessions::session::Error> {
        self.0.cycle_id().await?;
        self.0.remove::<(AccountId, i64)>(LOOKS_AS).await?;
        self.0.insert(DEVICE, device).await?;
        self.0.insert(SINCE, now).await?;
        self.0.insert(ACCOUNT, account).await
    }

    /// From here on pages are shown as this customer sees them, or as one's own again.
    pub(crate) async fn look_as(&self, customer: Option<AccountId>, now: i64) {
        match customer {
            Some(customer) => self.put(LOOKS_AS, (customer, now)).await,
            None => {
                let _ = self.0.remove::<(AccountId, i64)>(LOOKS_AS).await;
            }
        }
    }

    async fn put(&self, key: &str, value: impl Serialize) {
        if let Err(e) = self.0.insert(key, value).await {
            tracing::warn!("the session could not be written: {e}");
        }
    }
}

/// The account that a session is signed in as.
pub async fn session_account(session: &Session) -> Option<AccountId> {
    session.get(ACCOUNT).await.ok().flatten()
}

/// As which customer the session looks at pages, if it does.
pub async fn session_looks_as(session: &Session, now: i64) -> Option<AccountId> {
    let looks = session.get::<(AccountId, i64)>(LOOKS_AS).await.ok().flatten();
    looks.filter(|(_, since)| now - since < LOOKS_FOR).map(|(customer, _)| customer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_read() {
        assert_eq!(query("/x?a=1&b=%D0%B0+b", "b").as_deref(), Some("а b"));
        assert_eq!(query("/x?a", "a").as_deref(), Some(""));
        assert_eq!(query("/x?a=%zz", "a").as_deref(), Some("%zz"));
        assert_eq!(query("/x", "a"), None);
    }
}
