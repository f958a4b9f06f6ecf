//! Machines: reconfiguration, capabilities, properties.

use axum::{extract::Path, response::Response};
use roxmltree::Node;
use uuid::Uuid;

use super::{Ask, customization, id_of, nics::read_nics, number, parse, sections, vapps::is_true};
use crate::{
    durations,
    effects::{Effect, Reconfiguration},
    errors::Refusal,
    model::{Capabilities, Disk, Vm},
    server::Change,
    tasks::{Entity, Start},
    world::World,
    xml::{Element, OVF, Read, VCLOUD},
};

/// Whether a task holds a machine: one of its own, or one of its vApp.
pub(super) fn is_held(world: &World, vm: &Vm) -> bool {
    world.is_busy(Entity::Vm(vm.id)) || world.is_busy(Entity::Vapp(vm.vapp))
}

/// A machine that nothing holds.
pub(super) fn idle_vm(world: &World, id: &str) -> Result<Vm, Refusal> {
    let vm = world.vm(id_of(id)?)?;
    world.require_idle(&[Entity::Vm(vm.id), Entity::Vapp(vm.vapp)])?;
    Ok(vm.clone())
}

/// Starts a task that changes one machine.
pub(super) fn update(
    c: &mut Change<'_>,
    vm: &Vm,
    duration: &'static str,
    effect: Effect,
) -> Result<Uuid, Refusal> {
    c.start(Start {
        operation: "vappUpdateVm",
        duration: durations::of(duration, 1),
        owner: Entity::Vm(vm.id),
        name: vm.name.clone(),
        holds: vec![],
        effect,
    })
}

/// Refuses what would otherwise be taken and not done: a client must not believe that it was.
pub(super) fn only(node: Node<'_, '_>, understood: &[&str]) -> Result<(), Refusal> {
    let other = node.children().filter(Node::is_element).find(|c| !understood.contains(&c.tag_name().name()));
    match other {
        None => Ok(()),
        Some(other) => Err(Refusal::bad(format!(
            "<{}> in <{}> is not offered by this simulator.",
            other.tag_name().name(),
            node.tag_name().name()
        ))),
    }
}

/// Changes what the body holds, and nothing else.
pub(super) async fn reconfigure(ask: Ask, Path(id): Path<String>, body: String) -> Response {
    let result = ask
        .change(|c| {
            let vm = idle_vm(c.world, &id)?;
            let doc = parse(c.world, &body, "Vm")?;
            let change = read_change(c.world, &vm, doc.root_element())?;
            update(c, &vm, "vappUpdateVm size", Effect::Reconfigured { vm: vm.id, change: Box::new(change) })
        })
        .await;
    ask.task(result)
}

/// What a machine's body asks to be changed: the sections it has. What is asked for has to be possible.
pub(super) fn read_change(world: &World, vm: &Vm, root: Node<'_, '_>) -> Result<Reconfiguration, Refusal> {
    let name = root.attribute("name").filter(|n| !n.is_empty());
    let name = name.ok_or_else(|| Refusal::bad("validation error on field 'name'"))?;
    only(root, &[CHANGED, AS_IT_IS, READ_ONLY].concat())?;
    unchanged(world, vm, root)?;
    // A section that says it was not modified is one that was read and sent back.
    let mut change = match root.find("VmSpecSection").filter(|s| is_true(*s, "Modified", true)) {
        Some(spec) => read_spec(spec, vm)?,
        None => Reconfiguration::default(),
    };
    change.name = (name != vm.name).then(|| name.to_owned());
    change.description = root.value("Description").map(str::to_owned);
    if let Some(section) = root.find("NetworkConnectionSection") {
        change.nics = Some(read_nics(world, vm.vapp, section, &vm.nics, false)?);
    }
    if let Some(section) = root.find("GuestCustomizationSection") {
        change.customization = Some(customization::read(vm, section)?);
    }
    check_size(world, vm, &change)?;
    Ok(change)
}

/// What clients send back as they read it is taken and changes nothing; what they changed in it has another address, or is not
/// offered, and is refused rather than forgotten.
const CHANGED: &[&str] =
    &["Description", "VmSpecSection", "NetworkConnectionSection", "GuestCustomizationSection"];
const AS_IT_IS: &[&str] =
    &["VirtualHardwareSection", "VmCapabilities", "StorageProfile", "VdcComputePolicy", "ComputePolicy"];
const READ_ONLY: &[&str] = &[
    "Link",
    "Tasks",
    "DateCreated",
    "VAppScopedLocalId",
    "OperatingSystemSection",
    "RuntimeInfoSection",
    "SnapshotSection",
    "Environment",
    "IsComputePolicyCompliant",
];

fn unchanged(world: &World, vm: &Vm, root: Node<'_, '_>) -> Result<(), Refusal> {
    if let Some(section) = root.children().find(|n| n.has_tag_name((OVF, "VirtualHardwareSection"))) {
        let mut disks = 0;
        for item in section.children().filter(|n| n.tag_name().name() == "Item") {
            let quantity = item_value(item, "VirtualQuantity");
            let is = match item_value(item, "ResourceType") {
                Some("3") => vm.cpus.to_string(),
                Some("4") => vm.memory_mb.to_string(),
                Some("17") => {
                    disks += 1;
                    let disk = vm.disks.get(disks - 1);
                    disk.map(|d| (d.size_mb * 1024 * 1024).to_string()).unwrap_or_default()
                }
                _ => continue,
            };
            if quantity != Some(is.as_str()) {
                return Err(Refusal::bad(
                    "The hardware of a machine is changed by its VmSpecSection, or under virtualHardwareSection/.",
                ));
            }
        }
    }
    if let Some(wanted) = root.find("VmCapabilities")
        && (wanted.flag("CpuHotAddEnabled"), wanted.flag("MemoryHotAddEnabled"))
            != (vm.capabilities.cpu_hot_add, vm.capabilities.memory_hot_add)
    {
        return Err(Refusal::bad("Hot add is changed under vmCapabilities/."));
    }
    known_placement(world, root)
}

/// A field of a hardware item, which stands in a namespace of its own.
fn item_value<'a>(item: Node<'a, '_>, name: &str) -> Option<&'a str> {
    item.children().find(|n| n.tag_name().name() == name).and_then(|n| n.text()).map(str::trim)
}

/// The storage profile and the policies of a machine are the VDC's only ones.
pub(super) fn known_placement(world: &World, root: Node<'_, '_>) -> Result<(), Refusal> {
    let named = |node: Node<'_, '_>, kind: &str, known: Uuid| match node.attribute("href").map(id_of) {
        Some(Ok(id)) if id == known => Ok(()),
        Some(Ok(id)) => Err(Refusal::forbidden(kind, id)),
        Some(Err(refusal)) => Err(refusal),
        None => Ok(()),
    };
    for child in root.children().filter(Node::is_element) {
        match child.tag_name().name() {
            "StorageProfile" => named(child, "vdcstorageProfile", world.storage_profile.id)?,
            "VdcComputePolicy" => named(child, "vdcComputePolicy", world.vdc.id)?,
            "ComputePolicy" => {
                for policy in child.children().filter(Node::is_element) {
                    named(policy, "vdcComputePolicy", world.vdc.id)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Reservations and limits are the operator's tariff, and the rest of this is what the platform gives every machine.
fn as_given(spec: Node<'_, '_>, vm: &Vm) -> Result<(), Refusal> {
    let other = |field: &str, value: &str| {
        let text = format!("validation error on field '{field}': {value} is not offered by this simulator");
        Err(Refusal::bad(text))
    };
    for resource in ["CpuResourceMhz", "MemoryResourceMb"].iter().filter_map(|name| spec.find(name)) {
        for (field, given) in [("Reservation", "0"), ("Limit", "-1")] {
            match resource.value(field).map(str::trim) {
                Some(value) if value != given && value != "0" => return other(field, value),
                _ => {}
            }
        }
    }
    match spec.value("Firmware").map(str::trim) {
        Some(value) if !value.eq_ignore_ascii_case("bios") => return other("Firmware", value),
        _ => {}
    }
    match spec.value("HardwareVersion").map(str::trim) {
        Some(value) if value != "vmx-19" => return other("HardwareVersion", value),
        _ => {}
    }
    let medium = spec.find("MediaSection").and_then(|m| m.find("MediaSettings"));
    let medium = medium.and_then(|m| m.find("MediaImage")).and_then(|m| m.attribute("name"));
    match medium {
        Some(name) if vm.medium.as_deref() != Some(name) => other("MediaSection", name),
        _ => Ok(()),
    }
}

pub(super) fn read_spec(spec: Node<'_, '_>, vm: &Vm) -> Result<Reconfiguration, Refusal> {
    as_given(spec, vm)?;
    let optional =
        |node: Node<'_, '_>, name: &str| node.value(name).map(|t| number::<u64>(t, name)).transpose();
    let disks = spec.find("DiskSection").map(|section| {
        let settings = section.all("DiskSettings");
        let named = settings.iter().filter_map(|s| s.value("DiskId")?.trim().parse::<u32>().ok());
        let present = vm.disks.iter().map(|d| d.id);
        let mut next = named.chain(present).max().map_or(2000, |highest| highest.saturating_add(1));
        section
            .all("DiskSettings")
            .into_iter()
            .map(|settings| {
                let required = |name: &str| {
                    optional(settings, name)?.ok_or_else(|| Refusal::bad(format!("{name} is missing")))
                };
                // Without an id it is a new disk, which gets the next.
                let id = optional(settings, "DiskId")?.map_or(Ok(next), |id| small(id, "DiskId"))?;
                next = next.max(id.saturating_add(1));
                Ok(Disk {
                    id,
                    size_mb: required("SizeMb")?,
                    unit: small(required("UnitNumber")?, "UnitNumber")?,
                    bus: small(required("BusNumber")?, "BusNumber")?,
                    adapter: small(required("AdapterType")?, "AdapterType")?,
                })
            })
            .collect::<Result<Vec<_>, Refusal>>()
    });
    let memory = spec.find("MemoryResourceMb").map(|m| optional(m, "Configured"));
    Ok(Reconfiguration {
        cpus: optional(spec, "NumCpus")?.map(|n| small(n, "NumCpus")).transpose()?,
        cores_per_socket: optional(spec, "NumCoresPerSocket")?
            .map(|n| small(n, "NumCoresPerSocket"))
            .transpose()?,
        memory_mb: memory.transpose()?.flatten(),
        os: spec.value("OsType").map(str::trim).filter(|os| *os != vm.os).map(str::to_owned),
        disks: disks.transpose()?,
        ..Reconfiguration::default()
    })
}

/// A number that has to fit where it goes.
pub(super) fn small(number: u64, field: &str) -> Result<u32, Refusal> {
    u32::try_from(number)
        .ok()
        .filter(|n| *n <= i32::MAX as u32)
        .ok_or_else(|| Refusal::bad(format!("validation error on field '{field}': {number} is too large")))
}

/// 62 TB, the largest disk of the platform below.
const DISK_MAX_MB: u64 = 62 << 20;
/// Adapters that take nothing while the machine runs.
const IDE: u32 = 1;
const SATA: u32 = 6;
const CPUS_MAX: u32 = 128;
const MEMORY_MAX_MB: u64 = 6 << 20;

/// Refuses a change of size that the platform would refuse: hot and cold rules, disks that shrink, snapshots.
pub(super) fn check_size(world: &World, vm: &Vm, change: &Reconfiguration) -> Result<(), Refusal> {
    let (cpus, cores) =
        (change.cpus.unwrap_or(vm.cpus), change.cores_per_socket.unwrap_or(vm.cores_per_socket));
    let memory = change.memory_mb.unwrap_or(vm.memory_mb);
    let disks = change.disks.as_deref().unwrap_or(&vm.disks);
    if (cpus, cores, memory) == (vm.cpus, vm.cores_per_socket, vm.memory_mb)
        && disks == vm.disks
        && change.os.is_none()
    {
        return Ok(());
    }
    if world.knobs.resize_needs_first_login_flag && !vm.customization.reset_password_required {
        return Err(Refusal::bad(
            "The size cannot be changed unless the guest customization requires a password change.",
        ));
    }
    if !(1..=CPUS_MAX).contains(&cpus) {
        return Err(Refusal::bad(format!(
            "validation error on field 'NumCpus': 1 to {CPUS_MAX} are expected"
        )));
    }
    if cores == 0 || cpus % cores != 0 {
        return Err(Refusal::bad("NumCpus must be divisible by NumCoresPerSocket"));
    }
    if !(4..=MEMORY_MAX_MB).contains(&memory) || !memory.is_multiple_of(4) {
        let text = format!(
            "validation error on field 'MemoryResourceMb': a multiple of 4 up to {MEMORY_MAX_MB} is expected"
        );
        return Err(Refusal::bad(text));
    }
    let cold = |what: &str| {
        let text = format!("The operation cannot be performed while the VM is powered on: {what}.");
        Err(Refusal::new(400, "INVALID_STATE", text))
    };
    if vm.powered_on {
        if cores != vm.cores_per_socket {
            return cold("cores per socket");
        }
        if cpus < vm.cpus || (cpus > vm.cpus && !vm.capabilities.cpu_hot_add) {
            return cold("CPU");
        }
        if change.os.is_some() {
            return cold("the operating system");
        }
        if memory < vm.memory_mb || (memory > vm.memory_mb && !vm.capabilities.memory_hot_add) {
            return cold("memory");
        }
    }
    for disk in disks {
        let before = vm.disks.iter().find(|d| d.id == disk.id);
        if before.is_some_and(|d| d.size_mb > disk.size_mb) {
            return Err(Refusal::bad("A disk cannot be made smaller."));
        }
        if vm.powered_on && [IDE, SATA].contains(&disk.adapter) && before != Some(disk) {
            return cold("a disk that is not on SCSI");
        }
        if disk.size_mb == 0 || disk.size_mb > DISK_MAX_MB {
            return Err(Refusal::bad("validation error on field 'SizeMb'"));
        }
    }
    if disks != vm.disks && vm.snapshot.is_some() && world.knobs.snapshot_blocks_resize {
        return Err(Refusal::bad("A disk of a VM with a snapshot cannot be changed."));
    }
    Ok(())
}

pub(super) async fn capabilities_get(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let result = id_of(&id).and_then(|id| world.vm(id));
    let result = result.map(|vm| sections::capabilities(vm, ask.base()).vcloud_root());
    ask.xml(200, "vmCapabilitiesSection", result)
}

pub(super) async fn capabilities_put(ask: Ask, Path(id): Path<String>, body: String) -> Response {
    let result = ask
        .change(|c| {
            let vm = idle_vm(c.world, &id)?;
            let doc = parse(c.world, &body, "VmCapabilities")?;
            let root = doc.root_element();
            let capabilities = Capabilities {
                cpu_hot_add: root.flag("CpuHotAddEnabled"),
                memory_hot_add: root.flag("MemoryHotAddEnabled"),
            };
            if vm.powered_on && capabilities != vm.capabilities {
                let text = "The operation cannot be performed while the VM is powered on: hot add.";
                return Err(Refusal::new(400, "INVALID_STATE", text));
            }
            update(c, &vm, "vappUpdateVm section", Effect::Capabilities { vm: vm.id, capabilities })
        })
        .await;
    ask.task(result)
}

/// A section of a machine as the root of a document.
pub(super) fn alone(section: Element) -> Element {
    section.attr("xmlns", VCLOUD).attr("xmlns:ovf", OVF)
}
