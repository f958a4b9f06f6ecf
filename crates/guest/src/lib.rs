//! What guests are told, and the scripts that they run: rendered here, with every value as data.
//!
//! Pure: no network, no clock, no file. The scripts themselves are `automation/guest`, in the languages that guests have. What is
//! deliberately not here: how a guest is reached, and what is installed on it later.

pub mod linux;
pub mod windows;

use domain::catalogue::Family;
use secrecy::SecretString;

/// What a guest is told at its first boot.
#[derive(Debug)]
pub struct GuestSetup {
    pub family: Family,
    pub hostname: String,
    pub login: String,
    pub password: Option<SecretString>,
    /// `authorized_keys` lines.
    pub ssh_keys: Vec<String>,
    /// By which a job of ours comes in later, and which it takes out again.
    pub way: Option<JobWay>,
}

/// Who an AlmaLinux says it is while nothing borrows anything: what its platform's customization knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Identity {
    /// Itself. Nothing is touched.
    #[default]
    Own,
    /// CentOS, on a platform that is too old to know AlmaLinux.
    CentOs,
}

/// What a guest is to know of a way in.
#[derive(Debug)]
pub enum JobWay {
    /// The public half of a key, as a line of `authorized_keys`.
    Key(String),
    /// An account of its own, on Windows.
    Account { login: String, password: SecretString },
}

/// What a guest puts right by itself at each start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestSettings {
    pub hostname: String,
    pub address: String,
    pub gateway: String,
    pub prefix_length: u8,
    pub dns: Vec<String>,
}

/// Renders the script of a first boot. A platform takes 49,000 characters of it.
pub fn first_boot(setup: &GuestSetup, rests_as: Identity) -> SecretString {
    match setup.family {
        Family::Linux => linux::first_boot(setup, rests_as),
        Family::Windows => windows::first_boot(setup),
    }
}

/// The OVF properties that the installed script reads at each start. Never a secret.
pub fn properties(settings: &GuestSettings) -> [(&'static str, String); 5] {
    [
        ("slipway.hostname", settings.hostname.clone()),
        ("slipway.address", settings.address.clone()),
        ("slipway.prefix", settings.prefix_length.to_string()),
        ("slipway.gateway", settings.gateway.clone()),
        ("slipway.dns", settings.dns.join(",")),
    ]
}
