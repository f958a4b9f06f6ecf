//! The sections of a machine: as they stand in its body, and by themselves.

use uuid::Uuid;

use super::views::{href, link, media};
use crate::{
    clock::iso,
    model::{Customization, Nic, Vm},
    tasks::Entity,
    xml::Element,
};

/// What the guest is told from outside, while it runs.
pub(super) fn environment(vm: &Vm) -> Element {
    let property = |p: &crate::model::Property| {
        Element::new("ovfenv:Property").attr("ovfenv:key", &p.key).attr("ovfenv:value", &p.value)
    };
    Element::new("ovfenv:Environment")
        .attr("xmlns:ovfenv", "http://schemas.dmtf.org/ovf/environment/1")
        .attr("ovfenv:id", "")
        .child(Element::new("ovfenv:PropertySection").children(vm.properties.iter().map(property)))
}

pub(super) fn capabilities(vm: &Vm, base: &str) -> Element {
    Element::new("VmCapabilities")
        .attr("href", format!("{}/vmCapabilities/", href(base, Entity::Vm(vm.id))))
        .attr("type", media("vmCapabilitiesSection"))
        .leaf("MemoryHotAddEnabled", vm.capabilities.memory_hot_add)
        .leaf("CpuHotAddEnabled", vm.capabilities.cpu_hot_add)
}

pub(super) fn network_connection_section(vm: &Vm, base: &str, editable: bool) -> Element {
    let own = format!("{}/networkConnectionSection/", href(base, Entity::Vm(vm.id)));
    let connection = |n: &Nic| {
        let mut nic = Element::new("NetworkConnection")
            .attr("network", &n.network)
            .attr("needsCustomization", n.needs_customization)
            .leaf("NetworkConnectionIndex", n.index);
        if let Some(ip) = &n.ip {
            nic = nic.leaf("IpAddress", ip);
        }
        nic.leaf("IsConnected", n.connected)
            .leaf("MACAddress", &n.mac)
            .leaf("IpAddressAllocationMode", &n.mode)
            .leaf("NetworkAdapterType", &n.adapter)
    };
    let section = Element::new("NetworkConnectionSection")
        .attr("type", media("networkConnectionSection"))
        .attr("href", &own)
        .attr("ovf:required", false)
        .leaf("ovf:Info", "Specifies the available VM network connections")
        .leaf("PrimaryNetworkConnectionIndex", vm.primary_nic().map_or(0, |n| n.index))
        .children(vm.nics.iter().map(connection));
    if editable { section.child(link("edit", Some("networkConnectionSection"), own)) } else { section }
}

pub(super) fn spec_section(vm: &Vm, base: &str) -> Element {
    let disks = vm.disks.iter().map(|d| {
        Element::new("DiskSettings")
            .leaf("DiskId", d.id)
            .leaf("SizeMb", d.size_mb)
            .leaf("UnitNumber", d.unit)
            .leaf("BusNumber", d.bus)
            .leaf("AdapterType", d.adapter)
            .leaf("ThinProvisioned", true)
            .leaf("overrideVmDefault", false)
            .leaf("VirtualQuantityUnit", "byte")
            .leaf("VirtualQuantity", d.size_mb * 1024 * 1024)
    });
    let medium = vm.medium.iter().map(|name| {
        let settings = Element::new("MediaSettings")
            .leaf("DeviceId", 3002)
            .child(Element::new("MediaImage").attr("name", name).attr("type", media("media")))
            .leaf("MediaType", "ISO")
            .leaf("MediaState", "CONNECTED")
            .leaf("UnitNumber", 0)
            .leaf("BusNumber", 0)
            .leaf("AdapterType", 1);
        Element::new("MediaSection").child(settings)
    });
    Element::new("VmSpecSection")
        .attr("Modified", false)
        .leaf("ovf:Info", "Virtual Machine specification")
        .leaf("OsType", &vm.os)
        .leaf("NumCpus", vm.cpus)
        .leaf("NumCoresPerSocket", vm.cores_per_socket)
        .child(Element::new("MemoryResourceMb").leaf("Configured", vm.memory_mb))
        .children(medium)
        .child(Element::new("DiskSection").children(disks))
        .child(
            Element::new("HardwareVersion").attr("href", format!("{base}/api/vdc/hwv/vmx-19")).text("vmx-19"),
        )
        .leaf("VirtualCpuType", "VM64")
        .leaf("TimeSyncWithHost", false)
}

pub(super) fn snapshot_section(vm: &Vm, base: &str) -> Element {
    let section = Element::new("SnapshotSection")
        .attr("type", media("snapshotSection"))
        .attr("href", format!("{}/snapshotSection", href(base, Entity::Vm(vm.id))))
        .attr("ovf:required", false)
        .leaf("ovf:Info", "Snapshot information section");
    match &vm.snapshot {
        None => section,
        Some(s) => section.child(
            Element::new("Snapshot")
                .attr("created", iso(s.created))
                .attr("poweredOn", s.powered_on)
                .attr("size", s.disks.iter().map(|d| d.size_mb * 1024 * 1024).sum::<u64>()),
        ),
    }
}

/// Settings that are only kept, under their elements' names.
fn others(c: &Customization, names: &[&str], default: Option<&str>) -> Vec<Element> {
    let value = |name: &str| c.other.get(name).map(String::as_str).or(default);
    names.iter().filter_map(|name| Some(Element::new(name).text(value(name)?))).collect()
}

pub(super) fn customization(vm: Uuid, c: &Customization, base: &str, editable: bool) -> Element {
    let own = format!("{}/guestCustomizationSection/", href(base, Entity::Vm(vm)));
    let mut e = Element::new("GuestCustomizationSection")
        .attr("type", media("guestCustomizationSection"))
        .attr("href", &own)
        .attr("ovf:required", false)
        .leaf("ovf:Info", "Specifies Guest OS Customization Settings")
        .leaf("Enabled", c.enabled)
        .leaf("ChangeSid", c.change_sid)
        .leaf("VirtualMachineId", vm)
        .children(others(c, &["JoinDomainEnabled", "UseOrgSettings"], Some("false")))
        .children(others(c, &["DomainName", "DomainUserName", "DomainUserPassword", "MachineObjectOU"], None))
        .leaf("AdminPasswordEnabled", c.admin_password_enabled)
        .leaf("AdminPasswordAuto", c.admin_password_auto);
    if let Some(password) = &c.admin_password {
        e = e.leaf("AdminPassword", password);
    }
    e = e
        .children(others(c, &["AdminAutoLogonEnabled"], Some("false")))
        .children(others(c, &["AdminAutoLogonCount"], Some("0")))
        .leaf("ResetPasswordRequired", c.reset_password_required);
    if let Some(script) = &c.script {
        e = e.leaf("CustomizationScript", script);
    }
    e = e.leaf("ComputerName", &c.computer_name);
    if editable { e.child(link("edit", Some("guestCustomizationSection"), own)) } else { e }
}
