//! What the cloud holds. Plain data, saved as it stands.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::guest::Guest;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Named {
    pub(crate) id: Uuid,
    pub(crate) name: String,
}

impl Named {
    pub(crate) fn new(name: &str) -> Self {
        Self { id: Uuid::new_v4(), name: name.into() }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Edge {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    /// The block the operator routes to it, as its description says: `routed 198.18.0.8/29`.
    pub(crate) description: String,
    #[serde(default)]
    pub(crate) status: Realization,
    /// Its address on the uplink.
    #[serde(default = "no_address")]
    pub(crate) uplink: Ipv4Addr,
    pub(crate) ingress: Option<Uuid>,
    pub(crate) egress: Option<Uuid>,
    /// The count of networks that is still shown, although it has changed.
    #[serde(default)]
    pub(crate) lag: Option<Lag>,
}

/// Of an edge that was saved before its address was: it is given one when the state is read.
pub(crate) const fn no_address() -> Ipv4Addr {
    Ipv4Addr::UNSPECIFIED
}

/// An old value, shown until then.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Lag {
    pub(crate) count: usize,
    pub(crate) until: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct QosProfile {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    /// Mb/s.
    pub(crate) committed: u32,
}

/// The network that the card of a template stands on.
pub(crate) const TEMPLATE_NETWORK: &str = "VM Network";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Template {
    pub(crate) id: Uuid,
    /// The catalogue item that points to it.
    #[serde(default = "Uuid::new_v4")]
    pub(crate) item: Uuid,
    pub(crate) vm: Uuid,
    pub(crate) name: String,
    pub(crate) os: String,
    pub(crate) disk_mb: u64,
    /// Whether CPU and memory may be added to a running copy.
    #[serde(default)]
    pub(crate) hot_add: bool,
    /// It comes with a licence that whoever copies it has to accept.
    #[serde(default)]
    pub(crate) eula: bool,
}

/// How far a network or an edge is with being made below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Realization {
    Configuring,
    #[default]
    Realized,
    Failed,
}

impl Realization {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Configuring => "CONFIGURING",
            Self::Realized => "REALIZED",
            Self::Failed => "REALIZATION_FAILED",
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Network {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) edge: Uuid,
    pub(crate) gateway: String,
    pub(crate) prefix_length: u8,
    pub(crate) dns: [String; 2],
    pub(crate) ranges: Vec<(String, String)>,
    pub(crate) status: Realization,
    #[serde(default)]
    pub(crate) shared: bool,
}

impl Network {
    /// How many addresses its ranges hold.
    pub(crate) fn addresses(&self) -> u32 {
        let count =
            |(first, last): &(String, String)| Some(ip_number(last)?.checked_sub(ip_number(first)?)? + 1);
        self.ranges.iter().filter_map(count).sum()
    }

    pub(crate) fn netmask(&self) -> String {
        let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix_length)).unwrap_or(0);
        std::net::Ipv4Addr::from(mask).to_string()
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Vapp {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) description: String,
    /// Status 0 until its compose task has ended.
    pub(crate) ready: bool,
    /// A compose that failed leaves a shell of status -1.
    #[serde(default)]
    pub(crate) failed: bool,
    pub(crate) networks: Vec<VappNetwork>,
    pub(crate) created: i64,
    #[serde(default)]
    pub(crate) owner: String,
    #[serde(default)]
    pub(crate) properties: Vec<Property>,
    #[serde(default)]
    pub(crate) access: Access,
}

/// Who else may use a vApp. Kept and told; there is one organisation here, whose members may do everything anyway.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Access {
    /// `ReadOnly`, `Change` or `FullControl`, where it is shared with everybody.
    pub(crate) everyone: Option<String>,
    pub(crate) settings: Vec<AccessSetting>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AccessSetting {
    pub(crate) href: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) level: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VappNetwork {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) parent: Uuid,
    pub(crate) fence_mode: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Disk {
    pub(crate) id: u32,
    pub(crate) size_mb: u64,
    #[serde(default)]
    pub(crate) unit: u32,
    #[serde(default)]
    pub(crate) bus: u32,
    #[serde(default = "paravirtual")]
    pub(crate) adapter: u32,
}

const fn paravirtual() -> u32 {
    5
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Nic {
    pub(crate) index: u32,
    pub(crate) network: String,
    pub(crate) ip: Option<String>,
    pub(crate) mode: String,
    pub(crate) connected: bool,
    pub(crate) mac: String,
    /// The one the default route goes by. Of a machine without one it is the first.
    #[serde(default)]
    pub(crate) primary: bool,
    /// Its settings are to reach the guest at the next start.
    #[serde(default)]
    pub(crate) needs_customization: bool,
    #[serde(default = "vmxnet3")]
    pub(crate) adapter: String,
}

/// The card that one is where nothing else is said.
pub(crate) fn vmxnet3() -> String {
    "VMXNET3".into()
}

/// What cards there are.
pub(crate) const ADAPTERS: &[&str] =
    &["VMXNET3", "E1000", "E1000E", "VMXNET", "VMXNET2", "PCNet32", "SRIOVETHERNETCARD"];

/// An address for a card, from nothing but chance, under the vendor's prefix.
pub(crate) fn new_mac() -> String {
    let id = Uuid::new_v4().as_u128();
    format!("00:50:56:{:02x}:{:02x}:{:02x}", id as u8, (id >> 8) as u8, (id >> 16) as u8)
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Customization {
    /// Domain and automatic sign-in, by their elements' names: kept and told, there is no domain here.
    #[serde(default)]
    pub(crate) other: std::collections::BTreeMap<String, String>,
    pub(crate) enabled: bool,
    #[serde(default)]
    pub(crate) change_sid: bool,
    pub(crate) admin_password_enabled: bool,
    pub(crate) admin_password_auto: bool,
    pub(crate) admin_password: Option<String>,
    pub(crate) reset_password_required: bool,
    pub(crate) script: Option<String>,
    pub(crate) computer_name: String,
}

/// A guest customizing itself.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct GuestRun {
    pub(crate) started: i64,
    pub(crate) ends: i64,
    pub(crate) fails: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Capabilities {
    pub(crate) cpu_hot_add: bool,
    pub(crate) memory_hot_add: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    pub(crate) created: i64,
    pub(crate) powered_on: bool,
    #[serde(default)]
    pub(crate) memory: bool,
    pub(crate) disks: Vec<Disk>,
}

/// Something the machine waits to be told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Question {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) choices: Vec<String>,
}

/// An OVF property that the guest can read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Property {
    pub(crate) key: String,
    pub(crate) value: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Vm {
    pub(crate) id: Uuid,
    pub(crate) vapp: Uuid,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: String,
    pub(crate) os: String,
    pub(crate) cpus: u32,
    pub(crate) cores_per_socket: u32,
    pub(crate) memory_mb: u64,
    pub(crate) disks: Vec<Disk>,
    pub(crate) nics: Vec<Nic>,
    pub(crate) powered_on: bool,
    #[serde(default)]
    pub(crate) suspended: bool,
    pub(crate) deployed: bool,
    pub(crate) needs_customization: bool,
    /// Its creation failed half-way: it is listed, and can only be deleted.
    #[serde(default)]
    pub(crate) failed: bool,
    pub(crate) customization: Customization,
    #[serde(default)]
    pub(crate) capabilities: Capabilities,
    #[serde(default)]
    pub(crate) snapshot: Option<Snapshot>,
    /// The medium in its drive, by name.
    #[serde(default)]
    pub(crate) medium: Option<String>,
    #[serde(default)]
    pub(crate) question: Option<Question>,
    /// The status it is shown with, whatever it is: the platform has lost sight of it, or is between two states.
    #[serde(default)]
    pub(crate) shown_as: Option<i32>,
    #[serde(default)]
    pub(crate) properties: Vec<Property>,
    /// Its latest customization, under way or over.
    #[serde(rename = "guest")]
    pub(crate) run: Option<GuestRun>,
    /// What runs inside.
    #[serde(default)]
    pub(crate) inside: Guest,
    pub(crate) created: i64,
    /// Since when it runs without interruption.
    pub(crate) powered_on_at: Option<i64>,
}

impl Vm {
    /// The integer status of an entity body.
    pub(crate) fn status(&self) -> i32 {
        match self {
            Self { shown_as: Some(status), .. } => *status,
            Self { failed: true, .. } => -1,
            Self { question: Some(_), .. } => 5,
            Self { suspended: true, .. } => 3,
            Self { powered_on: true, .. } => 4,
            _ => 8,
        }
    }

    pub(crate) fn primary_nic(&self) -> Option<&Nic> {
        self.nics.iter().find(|n| n.primary).or(self.nics.first())
    }

    /// Whether its next start customizes the guest, if customization is enabled at all.
    pub(crate) fn customization_is_due(&self) -> bool {
        self.needs_customization || self.nics.iter().any(|n| n.needs_customization)
    }

    pub(crate) fn is_windows(&self) -> bool {
        self.os.starts_with("windows")
    }

    /// `GC_PENDING` and so on, as the guest stands at `now`.
    pub(crate) fn customization_status(&self, now: i64) -> &'static str {
        match self.run {
            None => "GC_PENDING",
            Some(run) if now >= run.ends => {
                if run.fails {
                    "GC_FAILED"
                } else {
                    "GC_COMPLETE"
                }
            }
            Some(run) if now >= run.started + (run.ends - run.started) / 2 => "REBOOT_PENDING",
            Some(_) => "GC_PENDING",
        }
    }
}

/// A value somebody attached to an entity.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Metadata {
    /// `MetadataStringValue` and so on.
    pub(crate) kind: String,
    pub(crate) value: String,
}

/// A refresh token and whose it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ApiToken {
    pub(crate) token: String,
    pub(crate) name: String,
    pub(crate) user: String,
    pub(crate) provider: bool,
}

pub(crate) fn ip_number(text: &str) -> Option<u32> {
    text.parse::<std::net::Ipv4Addr>().ok().map(u32::from)
}
