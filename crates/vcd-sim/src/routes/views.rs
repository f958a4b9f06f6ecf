//! How entities are written.

use uuid::Uuid;

use crate::{
    clock::iso,
    model::{Customization, Vapp, VappNetwork, Vm, World},
    tasks::{Entity, Task, TaskStatus},
    xml::Element,
};

pub(super) fn media(name: &str) -> String {
    format!("application/vnd.vmware.vcloud.{name}+xml")
}

pub(super) fn link(rel: &str, kind: Option<&str>, href: String) -> Element {
    let link = Element::new("Link").attr("rel", rel).attr("href", href);
    match kind {
        Some(kind) => link.attr("type", media(kind)),
        None => link,
    }
}

pub(super) fn href(base: &str, entity: Entity) -> String {
    match entity {
        Entity::Gateway(id) => format!("{base}/api/admin/edgeGateway/{id}"),
        Entity::Network(id) => format!("{base}/api/network/{id}"),
        Entity::Vapp(id) => format!("{base}/api/vApp/vapp-{id}"),
        Entity::Vm(id) => format!("{base}/api/vApp/vm-{id}"),
    }
}

fn urn(entity: Entity) -> String {
    format!("urn:vcloud:{}:{}", entity.word(), entity.id())
}

pub(super) fn task(task: &Task, base: &str, now: i64) -> Element {
    let (status, progress) = match task.status {
        // A task is queued for the first twentieth of its time.
        TaskStatus::Running if (now - task.start) * 20 < task.end - task.start => ("queued", 0),
        TaskStatus::Running => ("running", 100 * (now - task.start) / (task.end - task.start).max(1)),
        TaskStatus::Success => ("success", 100),
        TaskStatus::Error => ("error", 100),
    };
    let own = format!("{base}/api/task/{}", task.id);
    let mut element = Element::vcloud("Task")
        .attr("cancelRequested", false)
        .attr("startTime", iso(task.start))
        .attr("expiryTime", iso(task.start + 90 * 86_400_000))
        .attr("serviceNamespace", "com.vmware.vcloud")
        .attr("operation", &task.operation)
        .attr("operationName", &task.operation_name)
        .attr("status", status)
        .attr("name", "task")
        .attr("id", format!("urn:vcloud:task:{}", task.id))
        .attr("href", &own)
        .attr("type", media("task"));
    if task.status == TaskStatus::Running {
        element = element.child(link("task:cancel", None, format!("{own}/action/cancel")));
    } else {
        element = element.attr("endTime", iso(task.end));
    }
    element = element.child(
        Element::new("Owner")
            .attr("href", href(base, task.owner))
            .attr("id", urn(task.owner))
            .attr("name", &task.owner_name)
            .attr(
                "type",
                media(match task.owner {
                    Entity::Gateway(_) => "edgeGateway",
                    Entity::Network(_) => "orgVdcNetwork",
                    Entity::Vapp(_) => "vApp",
                    Entity::Vm(_) => "vm",
                }),
            ),
    );
    if let Some((major, minor, message)) = &task.error {
        element = element.child(
            Element::new("Error")
                .attr("majorErrorCode", major)
                .attr("minorErrorCode", minor)
                .attr("message", format!("[ {} ] {message}", task.id)),
        );
    }
    element.leaf("Progress", progress.clamp(0, 100))
}

/// The tasks that run on an entity, as they stand inside it.
fn tasks_of(world: &World, entity: Entity, base: &str, now: i64) -> Vec<Element> {
    let tasks: Vec<Element> = world
        .tasks
        .values()
        .filter(|t| t.owner == entity && t.status == TaskStatus::Running)
        .map(|t| task(t, base, now))
        .collect();
    if tasks.is_empty() { vec![] } else { vec![Element::new("Tasks").children(tasks)] }
}

pub(super) fn network_config_section(vapp: &Vapp, base: &str) -> Element {
    Element::new("NetworkConfigSection")
        .attr("type", media("networkConfigSection"))
        .attr("href", format!("{base}/api/vApp/vapp-{}/networkConfigSection/", vapp.id))
        .attr("ovf:required", false)
        .leaf("ovf:Info", "The configuration parameters for logical networks")
        .children(vapp.networks.iter().map(|n| network_config(n, base)))
}

fn network_config(n: &VappNetwork, base: &str) -> Element {
    Element::new("NetworkConfig")
        .attr("networkName", &n.name)
        .child(link("repair", None, format!("{base}/api/admin/network/{}/action/reset", n.id)))
        .leaf("Description", "")
        .child(
            Element::new("Configuration")
                .child(
                    Element::new("ParentNetwork")
                        .attr("href", href(base, Entity::Network(n.parent)))
                        .attr("id", urn(Entity::Network(n.parent)))
                        .attr("name", &n.name),
                )
                .leaf("FenceMode", &n.fence_mode),
        )
        .leaf("IsDeployed", true)
}

pub(super) fn vapp(world: &World, vapp: &Vapp, base: &str, now: i64) -> Element {
    let entity = Entity::Vapp(vapp.id);
    let own = href(base, entity);
    let busy = world.task_on(entity).is_some();
    let mut links = vec![
        link("down", Some("controlAccess"), format!("{own}/controlAccess/")),
        link("up", Some("vdc"), format!("{base}/api/vdc/{}", world.vdc.id)),
    ];
    if !busy {
        links.push(link("recompose", Some("recomposeVAppParams"), format!("{own}/action/recomposeVApp")));
        links.push(link("remove", None, own.clone()));
    }
    Element::vcloud("VApp")
        .attr("deployed", world.vapp_deployed(vapp.id))
        .attr("status", world.vapp_status(vapp))
        .attr("name", &vapp.name)
        .attr("id", urn(entity))
        .attr("href", &own)
        .attr("type", media("vApp"))
        .children(links)
        .leaf("Description", &vapp.description)
        .children(tasks_of(world, entity, base, now))
        .child(network_config_section(vapp, base))
        .leaf("DateCreated", iso(vapp.created))
        .leaf("InMaintenanceMode", false)
        .child(Element::new("Children").children(world.vms_of(vapp.id).map(|v| vm(world, v, base, now))))
}

pub(super) fn vm(world: &World, vm: &Vm, base: &str, now: i64) -> Element {
    let entity = Entity::Vm(vm.id);
    let own = href(base, entity);
    let busy = world.task_on(entity).is_some() || world.task_on(Entity::Vapp(vm.vapp)).is_some();
    let mut links = vec![link("up", Some("vApp"), href(base, Entity::Vapp(vm.vapp)))];
    if !busy {
        if vm.powered_on {
            for (rel, action) in
                [("power:powerOff", "powerOff"), ("power:reset", "reset"), ("power:shutdown", "shutdown")]
            {
                links.push(link(rel, None, format!("{own}/power/action/{action}")));
            }
            links.push(link("undeploy", Some("undeployVAppParams"), format!("{own}/action/undeploy")));
        } else {
            links.push(link("power:powerOn", None, format!("{own}/power/action/powerOn")));
            links.push(link("deploy", Some("deployVAppParams"), format!("{own}/action/deploy")));
            links.push(link("remove", None, own.clone()));
        }
        links.push(link("reconfigureVm", Some("vm"), format!("{own}/action/reconfigureVm")));
    }
    let nics = Element::new("NetworkConnectionSection")
        .leaf("ovf:Info", "Specifies the available VM network connections")
        .leaf("PrimaryNetworkConnectionIndex", 0)
        .children(vm.nics.iter().map(|n| {
            let mut nic = Element::new("NetworkConnection")
                .attr("network", &n.network)
                .attr("needsCustomization", false)
                .leaf("NetworkConnectionIndex", n.index);
            if let Some(ip) = &n.ip {
                nic = nic.leaf("IpAddress", ip);
            }
            nic.leaf("IsConnected", n.connected)
                .leaf("MACAddress", &n.mac)
                .leaf("IpAddressAllocationMode", &n.mode)
                .leaf("NetworkAdapterType", "VMXNET3")
        }));
    let disks = Element::new("DiskSection").children(vm.disks.iter().map(|d| {
        Element::new("DiskSettings")
            .leaf("DiskId", d.id)
            .leaf("SizeMb", d.size_mb)
            .leaf("UnitNumber", 0)
            .leaf("BusNumber", 0)
            .leaf("AdapterType", 5)
            .leaf("ThinProvisioned", true)
            .leaf("overrideVmDefault", false)
            .leaf("VirtualQuantityUnit", "byte")
            .leaf("VirtualQuantity", d.size_mb * 1024 * 1024)
    }));
    let spec = Element::new("VmSpecSection")
        .attr("Modified", false)
        .leaf("ovf:Info", "Virtual Machine specification")
        .leaf("OsType", &vm.os)
        .leaf("NumCpus", vm.cpus)
        .leaf("NumCoresPerSocket", vm.cores_per_socket)
        .child(Element::new("MemoryResourceMb").leaf("Configured", vm.memory_mb))
        .child(disks);
    Element::vcloud("Vm")
        .attr("needsCustomization", vm.needs_customization)
        .attr("deployed", vm.deployed)
        .attr("status", vm.status())
        .attr("name", &vm.name)
        .attr("id", urn(entity))
        .attr("href", &own)
        .attr("type", media("vm"))
        .children(links)
        .leaf("Description", "")
        .children(tasks_of(world, entity, base, now))
        .child(nics)
        .child(customization(vm.id, &vm.customization, base))
        .child(spec)
        .leaf("DateCreated", iso(vm.created))
}

pub(super) fn customization(vm: Uuid, c: &Customization, base: &str) -> Element {
    let own = format!("{base}/api/vApp/vm-{vm}/guestCustomizationSection/");
    let mut e = Element::new("GuestCustomizationSection")
        .attr("type", media("guestCustomizationSection"))
        .attr("href", &own)
        .attr("ovf:required", false)
        .leaf("ovf:Info", "Specifies Guest OS Customization Settings")
        .leaf("Enabled", c.enabled)
        .leaf("ChangeSid", false)
        .leaf("VirtualMachineId", vm)
        .leaf("JoinDomainEnabled", false)
        .leaf("UseOrgSettings", false)
        .leaf("AdminPasswordEnabled", c.admin_password_enabled)
        .leaf("AdminPasswordAuto", c.admin_password_auto);
    if let Some(password) = &c.admin_password {
        e = e.leaf("AdminPassword", password);
    }
    e = e
        .leaf("AdminAutoLogonEnabled", false)
        .leaf("AdminAutoLogonCount", 0)
        .leaf("ResetPasswordRequired", c.reset_password_required);
    if let Some(script) = &c.script {
        e = e.leaf("CustomizationScript", script);
    }
    e.leaf("ComputerName", &c.computer_name).child(link("edit", Some("guestCustomizationSection"), own))
}
