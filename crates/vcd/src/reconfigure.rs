//! Changing the size of a machine (XML family).

use reqwest::Method;

use crate::{
    client::{Client, Family},
    error::{Effect, Error, ErrorKind, Result},
    ids::{TaskId, VmId},
    vms::{Disk, read_disk},
    xml::{self, Find, Writer},
};

/// A change to the list of disks. The list is always sent whole, as a disk that is missing from it would be deleted
/// **\[src\]**: a disk leaves it by [`DiskEdit::remove`] and in no other way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiskEdit {
    grown: Vec<(u64, u64)>,
    added: Vec<Disk>,
    removed: Vec<u64>,
}

impl DiskEdit {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a disk at least this large, in MiB. One that is larger already stays as it is; none ever shrinks.
    #[must_use]
    pub fn grow(mut self, id: u64, size_mb: u64) -> Self {
        self.grown.push((id, size_mb));
        self
    }

    /// Adds a disk of so many MiB at a free unit of a bus; its id is the platform's to give.
    #[must_use]
    pub fn add(mut self, size_mb: u64, bus: u64, unit: u64, adapter: u64) -> Self {
        self.added.push(Disk { id: 0, size_mb, unit, bus, adapter });
        self
    }

    /// Deletes a disk and what is on it.
    #[must_use]
    pub fn remove(mut self, id: u64) -> Self {
        self.removed.push(id);
        self
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A change of size. What is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconfigure {
    /// Another name on the platform.
    pub name: Option<String>,
    /// vCPUs. More while it runs only with CPU hot add; fewer only while it is off **\[src\]**.
    pub cpus: Option<u32>,
    /// vCPUs of one socket: a divisor of all of them, changed only while it is off. With `cpus` it defaults to what the
    /// machine has, or to 1 where that does not divide.
    pub cores_per_socket: Option<u32>,
    /// MiB. As with vCPUs.
    pub memory_mb: Option<u64>,
    /// Changes to the disks.
    pub disks: DiskEdit,
}

const VM: &str = "application/vnd.vmware.vcloud.vm+xml";

impl Client {
    /// Changes the size of a machine. Only the sections that change are sent: a machine that is sent whole loses guest
    /// properties **\[iss\]**. The machine is read for it, at once before: the API has no versions of a document, so a disk
    /// that somebody else adds between the two is lost. Nobody else may edit the same machine.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`], with nothing sent, where a disk is named that is not there; [`ErrorKind::Protocol`], with
    /// nothing sent, where the machine's document does not list its disks.
    pub async fn vm_reconfigure(&self, id: VmId, change: &Reconfigure) -> Result<TaskId> {
        let path = format!("/api/vApp/vm-{}", id.uuid());
        let answer = self.get(Family::Xml, &path).await.map_err(Error::before_sending)?;
        let content = xml::parse(&answer.body)
            .and_then(|doc| write(doc.root_element(), change))
            .map_err(Error::before_sending)?;
        self.change(Method::POST, &format!("{path}/action/reconfigureVm"), VM, content).await
    }
}

pub(crate) fn write(vm: roxmltree::Node<'_, '_>, change: &Reconfigure) -> Result<String> {
    let spec =
        vm.child("VmSpecSection").ok_or_else(|| Error::protocol("the machine has no VmSpecSection"))?;
    let name = change.name.as_deref().unwrap_or(vm.required("name")?);
    let disks = if change.disks.is_empty() { None } else { Some(edited(spec, &change.disks)?) };
    // They have to come together **[src]**.
    let number = |name| spec.number_of(name).and_then(|n| u32::try_from(n).ok());
    let processors = match (change.cpus, change.cores_per_socket) {
        (None, None) => None,
        (cpus, cores) => {
            let cpus = cpus
                .or_else(|| number("NumCpus"))
                .ok_or_else(|| Error::protocol("the machine has no NumCpus"))?;
            let now = number("NumCoresPerSocket").unwrap_or(1).max(1);
            Some((cpus, cores.unwrap_or(if cpus.is_multiple_of(now) { now } else { 1 })))
        }
    };
    Ok(Writer::root("Vm", &[("name", name)], |w| {
        w.element("VmSpecSection", &[("Modified", "true")], |w| {
            w.leaf("ovf:Info", "");
            if let Some((cpus, cores)) = processors {
                w.leaf("NumCpus", cpus);
                w.leaf("NumCoresPerSocket", cores);
            }
            if let Some(memory) = change.memory_mb {
                w.element("MemoryResourceMb", &[], |w| w.leaf("Configured", memory));
            }
            if let Some(disks) = &disks {
                w.element("DiskSection", &[], |w| disks.iter().for_each(|d| write_disk(w, d)));
            }
        });
    }))
}

/// A disk as it was read, with what else its element holds.
struct Listed<'a, 'i> {
    disk: Disk,
    node: Option<roxmltree::Node<'a, 'i>>,
}

/// The whole list after the edit. Every disk that was there is there, unless it was named to be removed.
fn edited<'a, 'i>(spec: roxmltree::Node<'a, 'i>, edit: &DiskEdit) -> Result<Vec<Listed<'a, 'i>>> {
    let invalid = |text: String| Error::new(ErrorKind::Invalid, Effect::NotSent, text);
    // A list that is not there is not known to be empty: sent anew, it would delete every disk.
    let section = spec.child("DiskSection").ok_or_else(|| {
        let text = "the machine's disks are not in its document; nothing was sent";
        Error::new(ErrorKind::Protocol, Effect::NotSent, text)
    })?;
    let nodes: Vec<_> = section.children_named("DiskSettings").collect();
    let mut list = Vec::with_capacity(nodes.len() + edit.added.len());
    for node in nodes {
        list.push(Listed { disk: read_disk(node)?, node: Some(node) });
    }
    let known = |list: &[Listed<'_, '_>], id: u64| {
        let found = list.iter().position(|l| l.disk.id == id);
        found.ok_or_else(|| invalid(format!("the machine has no disk {id}")))
    };
    for (id, size) in &edit.grown {
        let at = known(&list, *id)?;
        list[at].disk.size_mb = list[at].disk.size_mb.max(*size);
    }
    for id in &edit.removed {
        let at = known(&list, *id)?;
        list.remove(at);
    }
    list.extend(edit.added.iter().map(|disk| Listed { disk: *disk, node: None }));
    Ok(list)
}

fn write_disk(w: &mut Writer, listed: &Listed<'_, '_>) {
    let Listed { disk, node } = listed;
    w.element("DiskSettings", &[], |w| {
        // A new one has no id yet.
        if node.is_some() {
            w.leaf("DiskId", disk.id);
        }
        w.leaf("SizeMb", disk.size_mb);
        w.leaf("UnitNumber", disk.unit);
        w.leaf("BusNumber", disk.bus);
        w.leaf("AdapterType", disk.adapter);
        // Its storage stays where it is; the size in bytes is left out, as the two could disagree.
        for kept in [
            "ThinProvisioned",
            "Disk",
            "StorageProfile",
            "overrideVmDefault",
            "iops",
            "IopsAllocation",
            "VirtualQuantityUnit",
            "resizable",
            "encrypted",
            "shareable",
            "sharingType",
        ] {
            match node.and_then(|n| n.child(kept)) {
                Some(child) => w.copy(child),
                None if kept == "overrideVmDefault" => w.leaf(kept, false),
                None => {}
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const VM_BODY: &str = r#"<Vm xmlns="http://www.vmware.com/vcloud/v1.5" name="web" status="8"
        href="https://h/api/vApp/vm-3f2504e0-4f89-11d3-9a0c-0305e82c3301"><VmSpecSection><NumCpus>4</NumCpus>
        <NumCoresPerSocket>2</NumCoresPerSocket><DiskSection>
        <DiskSettings><DiskId>2000</DiskId><SizeMb>10240</SizeMb><UnitNumber>0</UnitNumber><BusNumber>0</BusNumber>
        <AdapterType>5</AdapterType><ThinProvisioned>true</ThinProvisioned>
        <StorageProfile href="https://h/api/vdcStorageProfile/x" name="fast"/></DiskSettings>
        <DiskSettings><DiskId>2016</DiskId><SizeMb>5</SizeMb><UnitNumber>1</UnitNumber><BusNumber>0</BusNumber>
        <AdapterType>5</AdapterType></DiskSettings></DiskSection></VmSpecSection></Vm>"#;

    fn written(change: &Reconfigure) -> Result<String> {
        write(xml::parse(VM_BODY)?.root_element(), change)
    }

    fn disks(body: &str) -> Vec<(Option<u64>, u64)> {
        let doc = xml::parse(body).unwrap();
        let settings = doc.descendants().filter(|n| n.tag_name().name() == "DiskSettings");
        settings.map(|d| (d.number_of("DiskId"), d.number_of("SizeMb").unwrap())).collect()
    }

    #[test]
    fn no_disk_is_ever_lost_or_made_smaller() {
        let edit = |disks| Reconfigure { disks, ..Reconfigure::default() };
        let grown = written(&edit(DiskEdit::new().grow(2000, 20480).grow(2016, 1))).unwrap();
        assert_eq!(disks(&grown), [(Some(2000), 20480), (Some(2016), 5)]);
        assert!(grown.contains("vdcStorageProfile/x") && grown.contains("<ThinProvisioned>true"), "{grown}");
        let added = written(&edit(DiskEdit::new().add(7, 0, 2, 5))).unwrap();
        assert_eq!(disks(&added), [(Some(2000), 10240), (Some(2016), 5), (None, 7)]);
        let removed = written(&edit(DiskEdit::new().remove(2016))).unwrap();
        assert_eq!(disks(&removed), [(Some(2000), 10240)]);
        let error = written(&edit(DiskEdit::new().grow(7, 7))).unwrap_err();
        assert_eq!((error.kind, error.effect), (ErrorKind::Invalid, Effect::NotSent));
    }

    #[test]
    fn a_machine_whose_disks_are_not_listed_is_not_touched() {
        for broken in [
            VM_BODY.replace("DiskSection", "OtherSection"),
            VM_BODY.replace("<DiskSection>", "<x>").replace("</DiskSection>", "</x>"),
        ] {
            let doc = xml::parse(&broken).unwrap();
            let change = Reconfigure { disks: DiskEdit::new().add(7, 0, 2, 5), ..Reconfigure::default() };
            let error = write(doc.root_element(), &change).unwrap_err();
            assert_eq!((error.kind, error.effect), (ErrorKind::Protocol, Effect::NotSent));
        }
    }

    #[test]
    fn only_what_changes_is_sent() {
        let memory = Reconfigure { memory_mb: Some(2048), ..Reconfigure::default() };
        let body = written(&memory).unwrap();
        assert!(!body.contains("Disk") && !body.contains("NumC") && body.contains("name=\"web\""), "{body}");
        let cores = |cpus| {
            let body = written(&Reconfigure { cpus: Some(cpus), ..Reconfigure::default() }).unwrap();
            let doc = xml::parse(&body).unwrap();
            let spec = doc.root_element().child("VmSpecSection").unwrap();
            (spec.number_of("NumCpus").unwrap(), spec.number_of("NumCoresPerSocket").unwrap())
        };
        assert_eq!((cores(8), cores(3)), ((8, 2), (3, 1)));
        let body = written(&Reconfigure { cores_per_socket: Some(4), ..Reconfigure::default() }).unwrap();
        assert!(body.contains("<NumCpus>4</NumCpus><NumCoresPerSocket>4"), "{body}");
    }
}
