//! A client for VMware Cloud Director's API.
//!
//! Both families are spoken: XML under `/api`, JSON under `/cloudapi`. Ids are typed, errors say what is known of the
//! effect, waiting for a task has a deadline. The client signs in when it must, before its session runs out where that is
//! known, and once more when the service says that it has. It never repeats a change whose outcome it does not know: that
//! decision belongs to the caller, who can read before sending again ([`RetryPolicy`] says when that is so).
//!
//! ```no_run
//! # async fn example() -> vcd::Result<()> {
//! use vcd::{Client, ClientConfig, Credentials};
//! let credentials = Credentials::password("user", "org", "secret".to_owned().into());
//! let client = Client::new(ClientConfig::new("https://vcd.example.net", credentials))?;
//! for vdc in client.vdcs().await? {
//!     println!("{} {}", vdc.name, vdc.id);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Where a fact about the API is not obvious its source is named: **\[src\]** read in the source of other clients,
//! **\[doc\]** vendor documentation, **\[cap\]** seen in captured answers, **\[iss\]** reported in an issue, **\[inf\]**
//! inferred. Versions 36.3 to 39.1 are known; what needs a newer one than 36.0 says so.
//!
//! # Errors
//! Every call can end in [`ErrorKind::Transport`], [`ErrorKind::Service`], [`ErrorKind::Denied`] and
//! [`ErrorKind::Protocol`]; one that names an object in [`ErrorKind::NotFound`] as well; one that changes something also in
//! [`ErrorKind::Busy`], [`ErrorKind::Limit`], [`ErrorKind::Forbidden`], [`ErrorKind::Invalid`],
//! [`ErrorKind::State`] and, where it gives a name, [`ErrorKind::Duplicate`]. What can happen besides is said at the call. Sizes are MiB (2^20), speeds Mbit/s (10^6), times
//! [`Duration`](std::time::Duration)s.
//!
//! Not here: media, independent disks, firewall and NAT, users and roles.
#![deny(missing_docs)]

mod answer;
mod client;
mod config;
mod console;
mod customization;
#[doc(hidden)]
pub mod decoders;
mod edges;
mod error;
mod ids;
mod metadata;
mod networks;
mod nics;
mod orgs;
mod power;
mod properties;
mod query;
mod recompose;
mod reconfigure;
mod retry;
mod session;
mod snapshots;
mod task;
mod templates;
mod vapp_networks;
mod vapps;
mod vms;
mod waits;
mod xml;

pub use client::Client;
pub use config::{ClientConfig, Credentials, TenantContext};
pub use console::{ConsoleTicket, Question};
pub use customization::{CustomizationStatus, GuestCustomization, OtherSettings};
pub use edges::{Edge, EdgeQos, QosProfile};
pub use error::{Effect, Error, ErrorKind, Result};
pub use ids::{
    CatalogId, EdgeId, ManagerId, NetworkId, OrgId, ParseIdError, QosProfileId, StorageProfileId, TaskId,
    TemplateId, TemplateVmId, VappId, VdcId, VmId,
};
pub use networks::{Network, NetworkSpec, NetworkStatus, Subnet};
pub use nics::{AddressMode, Nic};
pub use orgs::{Named, Org, Vdc};
pub use power::UndeployAction;
pub use query::{Query, Record};
pub use recompose::{MoveVm, NewVm, Recompose, VmSource};
pub use reconfigure::{DiskEdit, Reconfigure};
pub use retry::{Next, RetryPolicy};
pub use session::ApiVersion;
pub use snapshots::Snapshot;
pub use task::{Task, TaskStatus, WaitOptions};
pub use templates::{Catalog, Template, TemplateVm};
pub use vapp_networks::VappNetwork;
pub use vapps::{NewVapp, Vapp};
pub use vms::{Capabilities, Disk, Vm};
