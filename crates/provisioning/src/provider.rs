//! The provider port: what the control plane needs of a cloud, in nobody's vocabulary but ours.
//!
//! Its meaning: whatever creates something takes the caller's name, and the same name is found again; changes answer
//! at once with a task that can be observed by id from any process; an error says whether the effect is known. A
//! **group** is what a customer's servers live in; an **edge** carries one server's network.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use domain::catalogue::Family;
pub use guest::{GuestSettings, GuestSetup, JobWay};
use secrecy::SecretString;
use tokio::sync::mpsc::UnboundedSender;

use crate::ansible::{PlayEnd, PlayEvent};

macro_rules! reference {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(pub String);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

reference! {
    /// The provider's reference of an edge.
    EdgeRef,
    NetworkRef,
    GroupRef,
    MachineRef,
    /// A task under way at the provider.
    TaskRef,
}

/// What went wrong, by what the caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderErrorKind {
    /// The object is held by another operation; nothing was done.
    Busy,
    /// It is not there.
    NotFound,
    /// A limit of the provider was hit.
    Quota,
    /// It did not answer, or cannot right now; nothing was done.
    Transient,
    /// It is not, or no longer, as it was seen: nothing was done, and another look may show why. What an earlier try of ours had
    /// begun can end between a look and the change that follows it.
    Changed,
    /// It says no, for good.
    Permanent,
    /// The credentials are refused.
    Denied,
    /// A task ended badly.
    TaskFailed,
    /// A task did not end in the time allowed.
    Timeout,
    /// It was sent and no answer came: read before sending again.
    UnknownOutcome,
}

#[derive(Clone, Debug)]
pub struct ProviderError {
    pub kind: ProviderErrorKind,
    /// For staff. Never holds a secret.
    pub message: String,
}

impl ProviderError {
    pub fn new(kind: ProviderErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ProviderError {}

pub type Result<T> = std::result::Result<T, ProviderError>;

/// Something that is not there is no error to whoever only looks.
pub(crate) fn gone<T>(e: ProviderError) -> Result<Option<T>> {
    if e.kind == ProviderErrorKind::NotFound { Ok(None) } else { Err(e) }
}

/// An edge of the pool.
#[derive(Clone, Debug)]
pub struct EdgeFound {
    pub edge: EdgeRef,
    pub name: String,
    /// The public block routed to it.
    pub block: Block,
    pub networks: i64,
}

/// A block of addresses: its gateway and what servers may carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub gateway: String,
    pub prefix_length: u8,
    pub first_address: String,
    pub last_address: String,
}

/// What an edge is limited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdgeSpeed {
    Unlimited,
    /// Mbit/s, in both directions.
    Mbit(u32),
    /// Something that is none of our speeds.
    Other,
}

#[derive(Clone, Debug)]
pub struct NetworkSpec {
    pub name: String,
    /// For people who look at the cloud: never used to find anything.
    pub label: String,
    pub edge: EdgeRef,
    pub block: Block,
    pub dns: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkFound {
    pub network: NetworkRef,
    pub ready: bool,
    /// Its making has failed half-way: it can only be deleted.
    pub broken: bool,
}

#[derive(Clone, Debug)]
pub struct Group {
    pub group: GroupRef,
    pub ready: bool,
    /// Its making has failed half-way: it can only be deleted.
    pub broken: bool,
    /// Some machine in it is running or holds resources of the provider.
    pub running: bool,
    pub networks: Vec<GroupNetwork>,
    pub machines: Vec<Machine>,
}

impl Group {
    pub fn has_network(&self, name: &str) -> bool {
        self.networks.iter().any(|n| n.name == name)
    }

    pub fn machine_named(&self, name: &str) -> Option<&Machine> {
        self.machines.iter().find(|m| m.name == name)
    }
}

/// A network that machines of a group can be attached to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupNetwork {
    pub name: String,
    /// `None` where nothing stands behind it.
    pub network: Option<NetworkRef>,
}

/// Why a machine cannot change its group as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It waits for an answer.
    Question,
    /// Its disks have a snapshot.
    Snapshot,
    /// Something is in its drive.
    Medium,
    /// Its making has failed half-way.
    Broken,
}

impl Obstacle {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Question => "it waits for an answer",
            Self::Snapshot => "it has a snapshot",
            Self::Medium => "there is a medium in its drive",
            Self::Broken => "it was never made whole",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Machine {
    pub machine: MachineRef,
    pub name: String,
    pub on: bool,
    /// It holds resources: it cannot be deleted.
    pub deployed: bool,
    pub vcpu: u64,
    pub ram_mb: u64,
    pub disk_mb: u64,
    pub addresses: Vec<String>,
    /// The network that its card is on.
    pub network: Option<String>,
    /// What keeps it where it is.
    pub obstacle: Option<Obstacle>,
    /// vCPUs can be added while it runs.
    pub cpu_hot_add: bool,
    /// Memory can.
    pub ram_hot_add: bool,
    pub has_snapshot: bool,
}

#[derive(Clone, Debug)]
pub struct MachineSpec {
    pub name: String,
    /// For people who look at the cloud.
    pub label: String,
    /// The template by the platform's own name.
    pub template: String,
    pub network: String,
    pub address: String,
}

/// A guest as it is inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestSeen {
    pub hostname: String,
    pub addresses: Vec<String>,
}

/// The way to the screen of a machine, good once: a WebSocket that carries RFB in binary frames. Whoever has the address is
/// let in.
#[derive(Clone, Debug)]
pub struct ConsoleTicket {
    pub address: SecretString,
}

/// How a job of ours comes into a guest.
#[derive(Debug)]
pub struct GuestWay<'a> {
    pub family: Family,
    pub address: &'a str,
    /// Where it goes by a key, the login of the server's owner; else one of its own.
    pub login: &'a str,
    /// What the guest knows of a key.
    pub public: &'a str,
    /// A private key, as OpenSSH writes it, or a password.
    pub private: &'a SecretString,
}

/// A control panel to be installed.
#[derive(Clone, Debug)]
pub struct PanelSpec {
    pub id: String,
    /// Where its installer comes from, and what that is told.
    pub installer: String,
    pub arguments: Vec<String>,
    pub port: u16,
    /// The systems that it runs on, by name.
    pub systems: Vec<String>,
    pub needs_domain: bool,
    /// How long its installation usually takes.
    pub usual: Duration,
    /// When it is given up.
    pub deadline: Duration,
}

/// What a customer signs in to a guest with: a password, or else keys.
#[derive(Debug)]
pub struct GuestLogin {
    pub login: String,
    pub password: Option<SecretString>,
    pub ssh_keys: Vec<String>,
}

/// What came of trying to sign in to a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nobody answers at the address.
    Silent,
    /// Somebody answers, and does not let in with that.
    Refused,
    /// `None` is what no road can see.
    LetsIn { hostname: Option<String>, addresses: Option<Vec<String>> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuestProgress {
    UnderWay,
    Complete,
    Failed,
}

#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// How long to wait before something that is under way, and is no task, is looked at again.
    fn pause(&self) -> Duration;

    async fn edges(&self) -> Result<Vec<EdgeFound>>;

    async fn edge_speed(&self, edge: &EdgeRef) -> Result<EdgeSpeed>;
    /// Limits an edge to a speed in Mbit/s, or lifts the limit.
    async fn edge_set_speed(&self, edge: &EdgeRef, mbit: Option<u32>) -> Result<TaskRef>;

    /// The names of all networks of ours.
    async fn networks_all(&self) -> Result<Vec<String>>;
    async fn network_find(&self, name: &str) -> Result<Option<NetworkFound>>;
    async fn network_create(&self, spec: &NetworkSpec) -> Result<TaskRef>;
    async fn network_delete(&self, network: &NetworkRef) -> Result<TaskRef>;

    /// All groups of ours, with their names.
    async fn groups_all(&self) -> Result<Vec<(String, GroupRef)>>;
    /// Every group of this name, the oldest first: the platform lets several have one.
    async fn groups_named(&self, name: &str) -> Result<Vec<GroupRef>>;
    /// The group of this name; of several, the oldest.
    async fn group_find(&self, name: &str) -> Result<Option<GroupRef>> {
        Ok(self.groups_named(name).await?.into_iter().next())
    }
    async fn group(&self, group: &GroupRef) -> Result<Group>;
    async fn group_create(
        &self,
        name: &str,
        label: &str,
        networks: &[(&str, &NetworkRef)],
    ) -> Result<TaskRef>;
    async fn group_attach(&self, group: &GroupRef, networks: &[(&str, &NetworkRef)]) -> Result<TaskRef>;
    /// Takes a network out of it. Not while anything in it runs.
    async fn group_detach(&self, group: &GroupRef, network: &str) -> Result<TaskRef>;
    /// Cuts the power of everything in it.
    async fn group_stop(&self, group: &GroupRef) -> Result<TaskRef>;
    async fn group_delete(&self, group: &GroupRef) -> Result<TaskRef>;
    async fn group_rename(&self, group: &GroupRef, name: &str, label: &str) -> Result<TaskRef>;

    /// Makes these machines, in one change.
    async fn machines_create(&self, group: &GroupRef, specs: &[MachineSpec]) -> Result<TaskRef>;
    /// Takes machines of other groups into this one, in one change. They keep running, and keep their cards and addresses:
    /// the networks of those must be in the group. Whether they keep their references is not said: look for their names.
    async fn machines_move(&self, to: &GroupRef, machines: &[MachineRef]) -> Result<TaskRef>;
    /// Cuts the power of one, and takes its resources back.
    async fn machine_stop(&self, machine: &MachineRef) -> Result<TaskRef>;
    /// Deletes one that is stopped.
    async fn machine_delete(&self, group: &GroupRef, machine: &MachineRef) -> Result<TaskRef>;
    async fn machine(&self, machine: &MachineRef) -> Result<Machine>;
    /// Whether a machine is prepared for a change of its size; `None` where the platform wants no preparing.
    async fn machine_prepared(&self, machine: &MachineRef) -> Result<Option<bool>>;
    /// Prepares a machine for a change of its size, or puts back what was set for it.
    async fn machine_prepare(&self, machine: &MachineRef, prepared: bool) -> Result<TaskRef>;
    /// Changes the size of a machine. The disk only grows.
    async fn machine_resize(
        &self,
        machine: &MachineRef,
        vcpu: u32,
        ram_mb: u64,
        disk_mb: u64,
    ) -> Result<TaskRef>;
    async fn machine_customize(&self, machine: &MachineRef, setup: &GuestSetup) -> Result<TaskRef>;
    /// Takes every secret out of what the provider keeps of a customization.
    async fn machine_forget_secrets(&self, machine: &MachineRef, hostname: &str) -> Result<TaskRef>;
    /// Asks the guest to shut down, and takes the machine's resources back.
    async fn machine_shut_down(&self, machine: &MachineRef) -> Result<TaskRef>;
    /// Asks the guest to restart.
    async fn machine_reboot(&self, machine: &MachineRef) -> Result<TaskRef>;
    /// As by its button.
    async fn machine_reset(&self, machine: &MachineRef) -> Result<TaskRef>;
    async fn machine_power_on(&self, machine: &MachineRef) -> Result<TaskRef>;
    /// Turns on a machine that is stopped, and has its guest customized again.
    async fn machine_power_on_and_customize(&self, machine: &MachineRef) -> Result<TaskRef>;
    async fn machine_guest(&self, machine: &MachineRef) -> Result<GuestProgress>;

    /// Puts the machine's card on a network of its group, under an address. Its guest is not told by that.
    async fn machine_set_card(&self, machine: &MachineRef, network: &str, address: &str) -> Result<TaskRef>;
    /// What the guest is to put right at its next start.
    async fn machine_set_guest(&self, machine: &MachineRef, settings: &GuestSettings) -> Result<TaskRef>;
    /// Whether a guest is up and answers under an address.
    async fn guest_answers(&self, machine: &MachineRef, family: Family, address: &str) -> Result<bool>;

    /// Whether a guest lets in with what was ordered, and what it looks like then.
    async fn guest_lets_in(
        &self,
        machine: &MachineRef,
        family: Family,
        address: &str,
        login: &GuestLogin,
    ) -> Result<Access>;

    /// Installs a control panel, or sees that it is there. Dropped before its end, it is stopped here; what it has begun on
    /// the server goes on until [`Provider::guest_leave`].
    async fn guest_install_panel(
        &self,
        machine: &MachineRef,
        way: &GuestWay<'_>,
        panel: &PanelSpec,
        tell: &UnboundedSender<PlayEvent>,
    ) -> PlayEnd;
    /// Stops what is still being installed, takes the way in out of the guest, and leaves nothing else behind.
    async fn guest_leave(&self, machine: &MachineRef, way: &GuestWay<'_>, deadline: Duration) -> PlayEnd;

    /// What a guest that is up looks like from inside; `None` where no road leads there.
    async fn guest_seen(&self, machine: &MachineRef) -> Result<Option<GuestSeen>>;

    /// A way to the screen of a machine that is on: good once, and soon.
    async fn machine_console(&self, machine: &MachineRef) -> Result<ConsoleTicket>;

    /// Takes a snapshot; it replaces the one there is.
    async fn machine_snapshot(&self, machine: &MachineRef) -> Result<TaskRef>;
    /// Puts the machine back to its snapshot: it is off afterwards.
    async fn machine_snapshot_revert(&self, machine: &MachineRef) -> Result<TaskRef>;
    async fn machine_snapshot_remove(&self, machine: &MachineRef) -> Result<TaskRef>;

    /// Asks a task to end early. It may go on.
    async fn task_cancel(&self, task: &TaskRef) -> Result<()>;
    /// Waits until a task has ended well. Any process may ask.
    async fn task_wait(&self, task: &TaskRef, deadline: Duration) -> Result<()>;
}
