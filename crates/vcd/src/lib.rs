//! A client for VMware Cloud Director's API.
//!
//! Both families are spoken: XML under `/api`, JSON under `/cloudapi`. Ids are typed, errors say what is known of the
//! effect, waiting for a task has a deadline. The client logs in when it must, and once more when its session has
//! ended; it never repeats a change whose outcome it does not know: that decision belongs to the caller, who can read
//! before sending again. Where a fact about the API is not obvious its source is named: **[src]** read in other
//! clients' source, **[doc]** vendor documentation, **[iss]** reported in an issue, **[inf]** inferred.

mod client;
mod edges;
mod error;
mod ids;
mod networks;
mod queries;
mod task;
mod vapps;
mod vms;
mod xml;

pub use client::{Client, Credentials};
pub use edges::{Edge, QosProfile};
pub use error::{Effect, Error, ErrorKind, Result};
pub use ids::{EdgeId, NetworkId, ParseIdError, QosProfileId, TaskId, TemplateVmId, VappId, VdcId, VmId};
pub use networks::{Network, NetworkSpec, NetworkStatus};
pub use queries::TemplateVm;
pub use task::{Task, TaskStatus};
pub use vapps::{NewVm, Vapp};
pub use vms::{CustomizationStatus, Disk, GuestCustomization, Vm};
