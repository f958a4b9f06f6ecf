//! Machines: size, guest customization, power (XML family).

use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    client::{Body, Client, Family},
    error::{Error, Result},
    ids::{TaskId, VmId},
    queries::parse,
    xml::{self, Find, Writer},
};

#[derive(Clone, Debug)]
pub struct Vm {
    pub id: VmId,
    pub name: String,
    /// 4 on, 8 off, 0 being made, -1 failed **[src]**.
    pub status: i64,
    pub deployed: bool,
    pub cpus: u64,
    pub memory_mb: u64,
    pub disks: Vec<Disk>,
    /// Addresses of its cards.
    pub addresses: Vec<String>,
}

impl Vm {
    pub fn is_on(&self) -> bool {
        self.status == 4
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    pub id: u64,
    pub size_mb: u64,
    pub unit: u64,
    pub bus: u64,
    pub adapter: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CustomizationStatus {
    /// Not begun, or under way.
    Pending,
    Complete,
    Failed,
}

/// What a guest is told at its next customization. The whole section is written at once.
#[derive(Clone, Debug)]
pub struct GuestCustomization {
    pub enabled: bool,
    pub computer_name: String,
    /// `None` leaves the guest's password alone.
    pub admin_password: Option<SecretString>,
    /// Ask for another password at the first login. On some platforms a change of size is refused without it.
    pub reset_password_required: bool,
    pub script: Option<SecretString>,
}

const VM: &str = "application/vnd.vmware.vcloud.vm+xml";
const CUSTOMIZATION: &str = "application/vnd.vmware.vcloud.guestCustomizationSection+xml";

impl Client {
    pub async fn vm(&self, id: VmId) -> Result<Vm> {
        let answer = self.get(Family::Xml, &format!("/api/vApp/vm-{}", id.uuid())).await?;
        read_vm(xml::parse(&answer.body)?.root_element())
    }

    /// Changes CPU and RAM, and grows the first disk. Only the sections named are sent, and the disk list always
    /// whole: a disk that is missing from it would be deleted **[src]**.
    pub async fn vm_resize(&self, vm: &Vm, cpus: u32, memory_mb: u64, first_disk_mb: u64) -> Result<TaskId> {
        let text = |n: u64| n.to_string();
        let content = Writer::root("Vm", &[("name", &vm.name)], |w| {
            w.element("VmSpecSection", &[("Modified", "true")], |w| {
                w.leaf("ovf:Info", "");
                w.leaf("NumCpus", cpus);
                w.leaf("NumCoresPerSocket", 1);
                w.element("MemoryResourceMb", &[], |w| w.leaf("Configured", memory_mb));
                if vm.disks.first().is_some_and(|d| d.size_mb < first_disk_mb) {
                    w.element("DiskSection", &[], |w| {
                        for (i, disk) in vm.disks.iter().enumerate() {
                            w.element("DiskSettings", &[], |w| {
                                w.leaf("DiskId", text(disk.id));
                                w.leaf("SizeMb", if i == 0 { first_disk_mb } else { disk.size_mb });
                                w.leaf("UnitNumber", disk.unit);
                                w.leaf("BusNumber", disk.bus);
                                w.leaf("AdapterType", disk.adapter);
                                w.leaf("overrideVmDefault", false);
                            });
                        }
                    });
                }
            });
        });
        let path = format!("/api/vApp/vm-{}/action/reconfigureVm", vm.id.uuid());
        self.send(Method::POST, Family::Xml, &path, Some(Body { media: VM, content })).await?.task_in_body()
    }

    /// Writes the customization section. Element order is the schema's **[doc]**.
    pub async fn vm_customize(&self, id: VmId, c: &GuestCustomization) -> Result<TaskId> {
        let content = Writer::root("GuestCustomizationSection", &[], |w| {
            w.leaf("ovf:Info", "");
            w.leaf("Enabled", c.enabled);
            w.leaf("ChangeSid", false);
            w.leaf("JoinDomainEnabled", false);
            w.leaf("UseOrgSettings", false);
            w.leaf("AdminPasswordEnabled", c.admin_password.is_some());
            w.leaf("AdminPasswordAuto", false);
            if let Some(password) = &c.admin_password {
                w.leaf("AdminPassword", password.expose_secret());
            }
            w.leaf("AdminAutoLogonEnabled", false);
            w.leaf("AdminAutoLogonCount", 0);
            w.leaf("ResetPasswordRequired", c.reset_password_required);
            if let Some(script) = &c.script {
                w.leaf("CustomizationScript", script.expose_secret());
            }
            w.leaf("ComputerName", &c.computer_name);
        });
        let path = format!("/api/vApp/vm-{}/guestCustomizationSection/", id.uuid());
        self.send(Method::PUT, Family::Xml, &path, Some(Body { media: CUSTOMIZATION, content }))
            .await?
            .task_in_body()
    }

    pub async fn vm_customization_status(&self, id: VmId) -> Result<CustomizationStatus> {
        let answer =
            self.get(Family::Xml, &format!("/api/vApp/vm-{}/guestcustomizationstatus", id.uuid())).await?;
        let doc = xml::parse(&answer.body)?;
        match doc.root_element().text_of("GuestCustStatus") {
            Some("GC_COMPLETE") => Ok(CustomizationStatus::Complete),
            Some("GC_FAILED") => Ok(CustomizationStatus::Failed),
            Some("GC_PENDING" | "REBOOT_PENDING" | "POST_GC_PENDING") => Ok(CustomizationStatus::Pending),
            other => Err(Error::protocol(format!("GuestCustStatus is {other:?}"))),
        }
    }

    /// Turns a machine on. A fresh one customizes itself; nothing is forced.
    pub async fn vm_power_on(&self, id: VmId) -> Result<TaskId> {
        let path = format!("/api/vApp/vm-{}/power/action/powerOn", id.uuid());
        self.send(Method::POST, Family::Xml, &path, None).await?.task_in_body()
    }

    /// Cuts a machine's power and undeploys it, which deleting it needs.
    pub async fn vm_undeploy(&self, id: VmId) -> Result<TaskId> {
        self.undeploy(&format!("vm-{}", id.uuid())).await
    }
}

pub(crate) fn read_vm(node: roxmltree::Node<'_, '_>) -> Result<Vm> {
    let spec = node.child("VmSpecSection");
    let disks = spec.and_then(|s| s.child("DiskSection"));
    let disk = |d: roxmltree::Node<'_, '_>| {
        let n =
            |name| d.number_of(name).ok_or_else(|| Error::protocol(format!("DiskSettings without {name}")));
        Ok(Disk {
            id: n("DiskId")?,
            size_mb: n("SizeMb")?,
            unit: n("UnitNumber")?,
            bus: n("BusNumber")?,
            adapter: n("AdapterType")?,
        })
    };
    Ok(Vm {
        id: parse(node.required("href")?)?,
        name: node.required("name")?.to_owned(),
        status: node.required("status")?.parse().map_err(|_| Error::protocol("status is no number"))?,
        deployed: node.attribute("deployed") == Some("true"),
        cpus: spec.and_then(|s| s.number_of("NumCpus")).unwrap_or(0),
        memory_mb: spec
            .and_then(|s| s.child("MemoryResourceMb"))
            .and_then(|m| m.number_of("Configured"))
            .unwrap_or(0),
        disks: disks.map_or(Ok(Vec::new()), |s| s.children_named("DiskSettings").map(disk).collect())?,
        addresses: node
            .child("NetworkConnectionSection")
            .map(|s| {
                s.children_named("NetworkConnection")
                    .filter_map(|n| n.text_of("IpAddress"))
                    .map(str::to_owned)
                    .collect()
            })
            .unwrap_or_default(),
    })
}
