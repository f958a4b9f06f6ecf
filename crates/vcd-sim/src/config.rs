//! How a simulator is started.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;

use crate::knobs::Knobs;

/// Somebody who may sign in. The organisation `System` is the provider's.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    pub user: String,
    pub org: String,
    pub password: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.user, self.org)
    }
}

impl Account {
    pub(crate) fn is_provider(&self) -> bool {
        self.org.eq_ignore_ascii_case("system")
    }

    /// Reads `user@org:password`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split_once('@').and_then(|(user, rest)| Some((user, rest.split_once(':')?)));
        match parts {
            Some((user, (org, password))) if !user.is_empty() && !org.is_empty() => {
                Ok(Self { user: user.into(), org: org.into(), password: password.into() })
            }
            _ => Err("an account is given as user@org:password".into()),
        }
    }

    /// Reads a JSON list of `{"user", "org", "password"}`.
    pub fn parse_list(json: &str) -> Result<Vec<Self>, String> {
        serde_json::from_str(json).map_err(|e| format!("the list of accounts: {e}"))
    }

    fn new(user: &str, org: &str) -> Self {
        Self { user: user.into(), org: org.into(), password: "simulator".into() }
    }
}

#[derive(Clone, Debug)]
pub struct Config {
    /// Where the state is kept; `None` keeps it in memory.
    pub state: Option<PathBuf>,
    /// Size of the pool on the first day.
    pub edges: u32,
    /// How many times as fast as the wall clock the cloud lives.
    pub speed: f64,
    /// Time stands still and is moved by `POST /sim/clock`.
    pub stepped: bool,
    /// After this long without a request a session is over.
    pub session_idle: Duration,
    pub accounts: Vec<Account>,
    /// Of a new cloud; a saved one keeps its own, changed by `knob_changes`.
    pub knobs: Knobs,
    /// `name=value`, set at each start.
    pub knob_changes: Vec<String>,
}

/// The blocks of 198.18.0.0/15 that edges are given.
const EDGES_MAX: u32 = 16_383;

impl Config {
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.edges > EDGES_MAX {
            return Err(format!("{} edges: there are addresses for {EDGES_MAX}", self.edges));
        }
        if self.accounts.is_empty() {
            return Err("without an account nobody could sign in".into());
        }
        for (n, account) in self.accounts.iter().enumerate() {
            if !account.is_provider() && !account.org.eq_ignore_ascii_case("acme") {
                return Err(format!("{account:?}: the organisations are System and acme"));
            }
            if self.accounts[..n].iter().any(|a| a.user == account.user && a.org == account.org) {
                return Err(format!("{account:?} is given twice"));
            }
        }
        Ok(())
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            state: None,
            edges: 130,
            speed: 1.0,
            stepped: false,
            session_idle: Duration::from_secs(30 * 60),
            accounts: vec![Account::new("administrator", "System"), Account::new("acme-admin", "acme")],
            knobs: Knobs::default(),
            knob_changes: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Account, Config};

    #[test]
    fn an_account_from_text() {
        let a = Account::parse("ann@acme:pass:word@1").unwrap();
        assert_eq!((a.user.as_str(), a.org.as_str(), a.password.as_str()), ("ann", "acme", "pass:word@1"));
        assert!(Account::parse("ann:acme").is_err());
        let accounts = |list: &[&str]| Config {
            accounts: list.iter().map(|a| Account::parse(a).unwrap()).collect(),
            ..Config::default()
        };
        assert!(accounts(&["a@acme:1", "a@System:1"]).check().is_ok());
        for bad in [&["a@other:1"][..], &["a@acme:1", "a@acme:2"], &[]] {
            assert!(accounts(bad).check().is_err(), "{bad:?}");
        }
        assert_eq!(format!("{a:?}"), "ann@acme", "never the password");
    }
}
