//! Roads into a guest: how it is seen from outside whether it answers.
//!
//! Real guests are asked over the network, at the port they are signed in to by. The simulated cloud has no real guests: it
//! says itself how they are.

use std::{sync::LazyLock, time::Duration};

use domain::catalogue::Family;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;
use tokio::{net::TcpStream, time::timeout};
use uuid::Uuid;

use crate::{
    ansible::Ansible,
    provider::{Access, GuestLogin, GuestSeen, ProviderError, ProviderErrorKind, Result},
    ssh,
};

/// How guests are reached.
#[derive(Clone, Debug)]
pub enum Roads {
    /// What panels are installed by, where they can be.
    Network(Option<Ansible>),
    /// The address of the simulated cloud.
    Simulated(String),
}

/// A port that is open is open at once.
const PATIENCE: Duration = Duration::from_secs(3);

impl Roads {
    /// Whether the guest of this machine answers under this address.
    pub(crate) async fn answers(&self, machine: Uuid, family: Family, address: &str) -> Result<bool> {
        match self {
            Self::Network(_) => {
                let port = match family {
                    Family::Linux => 22,
                    Family::Windows => 3389,
                };
                let connected = timeout(PATIENCE, TcpStream::connect((address, port))).await;
                Ok(matches!(connected, Ok(Ok(_))))
            }
            Self::Simulated(cloud) => {
                let guest = simulated(cloud, machine).await?;
                Ok(guest.state == "up" && guest.addresses.iter().any(|a| a == address))
            }
        }
    }

    /// Whether the guest lets in with this. Over the network a Windows guest is only asked whether its door is there.
    pub async fn lets_in(
        &self,
        machine: Uuid,
        family: Family,
        address: &str,
        login: &GuestLogin,
    ) -> Result<Access> {
        match (self, family) {
            (Self::Network(_), Family::Linux) => ssh::lets_in(address, login).await,
            (Self::Network(_), Family::Windows) => Ok(match self.answers(machine, family, address).await? {
                true => Access::LetsIn { hostname: None, addresses: None },
                false => Access::Silent,
            }),
            (Self::Simulated(cloud), _) => simulated_login(cloud, machine, address, login).await,
        }
    }

    /// What a guest that is up looks like from inside. Over the network that needs a login, which only jobs have.
    pub(crate) async fn look_inside(&self, machine: Uuid) -> Result<Option<GuestSeen>> {
        match self {
            Self::Network(_) => Ok(None),
            Self::Simulated(cloud) => {
                let guest = simulated(cloud, machine).await?;
                let up = guest.state == "up";
                Ok(up.then_some(GuestSeen { hostname: guest.hostname, addresses: guest.addresses }))
            }
        }
    }
}

#[derive(Deserialize)]
struct Guest {
    state: String,
    hostname: String,
    addresses: Vec<String>,
}

/// Asks the simulated guests. Each of its kind reads the certificates of the machine, which takes longer than the asking.
pub(crate) static GUESTS: LazyLock<reqwest::Client> = LazyLock::new(|| {
    // A kept connection would outlive the runtime it belongs to where a process has several.
    reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("the certificates can be read")
});

async fn simulated(cloud: &str, machine: Uuid) -> Result<Guest> {
    let failed = |e: reqwest::Error| ProviderError::new(ProviderErrorKind::Transient, e.to_string());
    let url = format!("{}/sim/guests/{machine}", cloud.trim_end_matches('/'));
    let answer = GUESTS.get(url).send().await.map_err(failed)?.text().await.map_err(failed)?;
    serde_json::from_str(&answer).map_err(|e| ProviderError::new(ProviderErrorKind::Transient, e.to_string()))
}

async fn simulated_login(cloud: &str, machine: Uuid, address: &str, login: &GuestLogin) -> Result<Access> {
    let failed = |e: reqwest::Error| ProviderError::new(ProviderErrorKind::Transient, e.to_string());
    let url = format!("{}/sim/guests/{machine}/login", cloud.trim_end_matches('/'));
    let tries: Vec<serde_json::Value> = match &login.password {
        Some(password) => vec![json!({"password": password.expose_secret()})],
        None => login.ssh_keys.iter().map(|key| json!({"key": key})).collect(),
    };
    let mut access = Access::Refused;
    for mut with in tries {
        (with["login"], with["address"]) = (json!(login.login), json!(address));
        let answer = GUESTS.post(&url).json(&with).send().await.map_err(failed)?;
        match answer.status().as_u16() {
            200 => {}
            401 => return Ok(Access::Refused),
            503 => return Ok(Access::Silent),
            other => {
                let text = format!("the simulated guest answered {other}");
                return Err(ProviderError::new(ProviderErrorKind::Transient, text));
            }
        }
        let guest = simulated(cloud, machine).await?;
        access = Access::LetsIn { hostname: Some(guest.hostname), addresses: Some(guest.addresses) };
    }
    Ok(access)
}
