//! Recompose: machines added to a vApp, moved into it, deleted from it, in one task (XML family).

use reqwest::Method;

use crate::{
    client::Client,
    error::Result,
    ids::{StorageProfileId, TaskId, TemplateVmId, VappId, VmId},
    nics::{Nic, write_nics},
    xml::Writer,
};

/// What a machine is copied from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VmSource {
    /// The machine in a template.
    Template(TemplateVmId),
    /// A machine of a vApp, which is held meanwhile **\[inf\]**.
    Vm(VmId),
}

impl From<TemplateVmId> for VmSource {
    fn from(id: TemplateVmId) -> Self {
        Self::Template(id)
    }
}

impl From<VmId> for VmSource {
    fn from(id: VmId) -> Self {
        Self::Vm(id)
    }
}

/// A machine to be copied from a template or from another machine: off, and to be customized at its first start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVm {
    /// Its name, which no other machine of the vApp has.
    pub name: String,
    /// What it is said to be.
    pub description: String,
    /// What it is copied from.
    pub source: VmSource,
    /// Its cards, on networks of the vApp.
    pub nics: Vec<Nic>,
    /// Its storage profile; `None` takes the VDC's default.
    pub storage_profile: Option<StorageProfileId>,
}

/// A machine to be moved from another vApp of the same VDC. It keeps running, and keeps its cards, addresses and disks.
/// Whether it keeps its id is not documented: find it by its name afterwards **\[inf\]**.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveVm {
    /// Which.
    pub vm: VmId,
    /// Networks it is on that are called otherwise in the target: from, to. The others must be there under their names.
    pub networks: Vec<(String, String)>,
}

/// What is to become of a vApp. Everything in one request is one task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recompose {
    /// Machines to copy in.
    pub add: Vec<NewVm>,
    /// Machines to move in.
    pub move_in: Vec<MoveVm>,
    /// Machines to delete. Each must be undeployed.
    pub delete: Vec<VmId>,
    /// Another name for the vApp.
    pub rename: Option<String>,
}

impl Recompose {
    /// The document that is sent, with references to the service at `base`.
    pub fn to_xml(&self, base: &str) -> String {
        write(self, base)
    }
}

const RECOMPOSE: &str = "application/vnd.vmware.vcloud.recomposeVAppParams+xml";

impl Client {
    /// Recomposes a vApp. The task is the vApp's and does not name what it made **\[src\]**: read the vApp afterwards.
    pub async fn vapp_recompose(&self, id: VappId, change: &Recompose) -> Result<TaskId> {
        let content = change.to_xml(&self.base());
        let path = format!("/api/vApp/vapp-{}/action/recomposeVApp", id.uuid());
        self.change(Method::POST, &path, RECOMPOSE, content).await
    }
}

/// A machine to be copied, as compose and recompose have it.
pub(crate) fn write_new(w: &mut Writer, base: &str, vm: &NewVm) {
    w.element("SourcedItem", &[("sourceDelete", "false")], |w| {
        let href = match vm.source {
            VmSource::Template(id) => format!("{base}/api/vAppTemplate/vm-{}", id.uuid()),
            VmSource::Vm(id) => format!("{base}/api/vApp/vm-{}", id.uuid()),
        };
        w.element("Source", &[("href", &href)], |_| {});
        w.element("VmGeneralParams", &[], |w| {
            w.leaf("Name", &vm.name);
            w.leaf("Description", &vm.description);
            w.leaf("NeedsCustomization", true);
        });
        w.element("InstantiationParams", &[], |w| {
            w.element("NetworkConnectionSection", &[], |w| write_nics(w, &vm.nics));
        });
        if let Some(profile) = vm.storage_profile {
            let href = format!("{base}/api/vdcStorageProfile/{}", profile.uuid());
            w.element("StorageProfile", &[("href", &href)], |_| {});
        }
    });
}

/// `deploy` and `powerOn` are said to be false, as they are true where nothing is said **\[doc\]**. They are about new
/// machines only: what is moved keeps running.
pub(crate) fn write(change: &Recompose, base: &str) -> String {
    let mut attrs = vec![("deploy", "false"), ("powerOn", "false")];
    attrs.extend(change.rename.as_deref().map(|name| ("name", name)));
    Writer::root("RecomposeVAppParams", &attrs, |w| {
        for vm in &change.add {
            write_new(w, base, vm);
        }
        for vm in &change.move_in {
            w.element("SourcedItem", &[("sourceDelete", "true")], |w| {
                let href = format!("{base}/api/vApp/vm-{}", vm.vm.uuid());
                w.element("Source", &[("href", &href)], |_| {});
                for (from, to) in &vm.networks {
                    let attrs = [("innerNetwork", from.as_str()), ("containerNetwork", to.as_str())];
                    w.element("NetworkAssignment", &attrs, |_| {});
                }
            });
        }
        if !change.add.is_empty() {
            w.leaf("AllEULAsAccepted", true);
        }
        for vm in &change.delete {
            let href = format!("{base}/api/vApp/vm-{}", vm.uuid());
            w.element("DeleteItem", &[("href", &href)], |_| {});
        }
    })
}
