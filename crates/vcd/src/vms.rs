//! Machines, as they are read (XML family).

use reqwest::Method;

use crate::{
    client::{Client, Family},
    error::{Error, Result},
    ids::{TaskId, VmId},
    nics::{Nic, read_nics},
    query::parse,
    task::running_tasks,
    xml::{self, Find, Writer},
};

/// A machine.
#[derive(Clone, Debug)]
pub struct Vm {
    /// Its id.
    pub id: VmId,
    /// Its name on the platform, which is not the guest's.
    pub name: String,
    /// 4 on, 8 off, 3 suspended, 5 waiting for an answer, 0 being made, -1 its creation failed, 20 off but deployed
    /// **\[src\]**.
    pub status: i64,
    /// It holds resources: after a shutdown too, until it is undeployed **\[src\]**.
    pub deployed: bool,
    /// Its next start customizes it.
    pub needs_customization: bool,
    /// vCPUs in all.
    pub cpus: u64,
    /// vCPUs of one socket.
    pub cores_per_socket: u64,
    /// MiB.
    pub memory_mb: u64,
    /// Its disks, all of them.
    pub disks: Vec<Disk>,
    /// Its cards.
    pub nics: Vec<Nic>,
    /// What may grow while it runs, where the platform says.
    pub capabilities: Option<Capabilities>,
    /// It has a snapshot: its disks cannot change.
    pub has_snapshot: bool,
    /// What is in its drive: the name of an image, where there is one **\[src\]**.
    pub medium: Option<String>,
    /// Version of the guest's tools, while they report.
    pub tools: Option<String>,
    /// Tasks that run on it.
    pub tasks: Vec<TaskId>,
}

impl Vm {
    /// It is on.
    pub fn is_on(&self) -> bool {
        self.status == 4
    }

    /// The addresses of its cards.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.nics.iter().filter_map(|n| n.address.as_deref())
    }
}

/// A disk of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Its id within the machine.
    pub id: u64,
    /// MiB.
    pub size_mb: u64,
    /// Its unit on the bus.
    pub unit: u64,
    /// Its bus.
    pub bus: u64,
    /// 1 IDE, 3 LsiLogic, 4 LsiLogicSAS, 5 paravirtual, 6 SATA, 7 NVMe **\[inf\]**.
    pub adapter: u64,
}

/// What may grow while a machine runs. Changed only while it is off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// vCPUs.
    pub cpu_hot_add: bool,
    /// Memory.
    pub memory_hot_add: bool,
}

const CAPABILITIES: &str = "application/vnd.vmware.vcloud.vmCapabilitiesSection+xml";

impl Client {
    /// A machine.
    pub async fn vm(&self, id: VmId) -> Result<Vm> {
        let answer = self.get(Family::Xml, &format!("/api/vApp/vm-{}", id.uuid())).await?;
        read_vm(xml::parse(&answer.body)?.root_element())
    }

    /// Deletes a machine. Refused as [`stop_required`](crate::Error::stop_required) while it is deployed **\[iss\]**.
    pub async fn vm_delete(&self, id: VmId) -> Result<TaskId> {
        let path = format!("/api/vApp/vm-{}", id.uuid());
        self.send(Method::DELETE, Family::Xml, &path, None).await?.task_in_body()
    }

    /// What may grow while a machine runs.
    pub async fn vm_capabilities(&self, id: VmId) -> Result<Capabilities> {
        let answer = self.get(Family::Xml, &format!("/api/vApp/vm-{}/vmCapabilities", id.uuid())).await?;
        Ok(read_capabilities(xml::parse(&answer.body)?.root_element()))
    }

    /// Sets what may grow while a machine runs. The machine must be off **\[src\]**.
    pub async fn vm_capabilities_set(&self, id: VmId, capabilities: Capabilities) -> Result<TaskId> {
        let content = Writer::root("VmCapabilities", &[], |w| {
            w.leaf("MemoryHotAddEnabled", capabilities.memory_hot_add);
            w.leaf("CpuHotAddEnabled", capabilities.cpu_hot_add);
        });
        let path = format!("/api/vApp/vm-{}/vmCapabilities", id.uuid());
        self.change(Method::PUT, &path, CAPABILITIES, content).await
    }
}

fn read_capabilities(section: roxmltree::Node<'_, '_>) -> Capabilities {
    let flag = |name| section.text_of(name).is_some_and(|t| t.trim() == "true");
    Capabilities { cpu_hot_add: flag("CpuHotAddEnabled"), memory_hot_add: flag("MemoryHotAddEnabled") }
}

pub(crate) fn read_vm(node: roxmltree::Node<'_, '_>) -> Result<Vm> {
    let spec = node.child("VmSpecSection");
    let disks = spec.and_then(|s| s.child("DiskSection"));
    let number = |name| spec.and_then(|s| s.number_of(name)).unwrap_or(0);
    let memory = spec.and_then(|s| s.child("MemoryResourceMb")).and_then(|m| m.number_of("Configured"));
    Ok(Vm {
        id: parse(node.required("href")?)?,
        name: node.required("name")?.to_owned(),
        status: node.required("status")?.parse().map_err(|_| Error::protocol("status is no number"))?,
        deployed: node.attribute("deployed") == Some("true"),
        needs_customization: node.attribute("needsCustomization") == Some("true"),
        cpus: number("NumCpus"),
        cores_per_socket: number("NumCoresPerSocket"),
        memory_mb: memory.unwrap_or(0),
        disks: disks.map_or(Ok(Vec::new()), |s| s.children_named("DiskSettings").map(read_disk).collect())?,
        nics: node.child("NetworkConnectionSection").map_or(Ok(Vec::new()), read_nics)?,
        capabilities: node.child("VmCapabilities").map(read_capabilities),
        has_snapshot: node.child("SnapshotSection").is_some_and(|s| s.child("Snapshot").is_some()),
        medium: spec.and_then(|s| s.child("MediaSection")).and_then(read_medium),
        tools: node
            .child("RuntimeInfoSection")
            .and_then(|r| r.child("VMWareTools"))
            .and_then(|t| t.attribute("version"))
            .map(str::to_owned),
        tasks: running_tasks(node)?,
    })
}

/// A drive without an image is listed too, and is empty.
fn read_medium(section: roxmltree::Node<'_, '_>) -> Option<String> {
    let image = section.children_named("MediaSettings").find_map(|s| s.child("MediaImage"))?;
    Some(image.attribute("name").unwrap_or_default().to_owned())
}

pub(crate) fn read_disk(d: roxmltree::Node<'_, '_>) -> Result<Disk> {
    let n = |name| d.number_of(name).ok_or_else(|| Error::protocol(format!("DiskSettings without {name}")));
    Ok(Disk {
        id: n("DiskId")?,
        size_mb: n("SizeMb")?,
        unit: n("UnitNumber")?,
        bus: n("BusNumber")?,
        adapter: n("AdapterType")?,
    })
}
