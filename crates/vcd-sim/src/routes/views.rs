//! How entities are written.

use super::{hardware::Hardware, sections};
use crate::{
    clock::iso,
    model::{Vapp, VappNetwork, Vm},
    tasks::{Entity, Task, TaskStatus},
    world::World,
    xml::Element,
};

pub(super) fn media(name: &str) -> String {
    format!("application/vnd.vmware.vcloud.{name}+xml")
}

/// A link. Power and remove links have no type: some clients look for exactly that.
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

fn kind_of(entity: Entity) -> &'static str {
    match entity {
        Entity::Gateway(_) => "edgeGateway",
        Entity::Network(_) => "orgVdcNetwork",
        Entity::Vapp(_) => "vApp",
        Entity::Vm(_) => "vm",
    }
}

/// The word for where a task stands.
pub(super) fn task_status(world: &World, task: &Task, now: i64) -> &'static str {
    match task.status {
        // A task is queued for the first twentieth of its time, and being prepared for the second.
        TaskStatus::Running if !world.knobs.tasks_queue_first => "running",
        TaskStatus::Running => match (now - task.start) * 20 / (task.end - task.start).max(1) {
            0 => "queued",
            1 => "preRunning",
            _ => "running",
        },
        TaskStatus::Success => "success",
        TaskStatus::Error => "error",
        TaskStatus::Canceled => "canceled",
        TaskStatus::Aborted => "aborted",
    }
}

pub(super) fn task(world: &World, task: &Task, base: &str, now: i64) -> Element {
    let status = task_status(world, task, now);
    let own = format!("{base}/api/task/{}", task.id);
    let mut element = Element::vcloud("Task")
        .attr("cancelRequested", task.cancel_requested)
        .attr("startTime", iso(task.start))
        .attr("expiryTime", iso(task.start.saturating_add(world.knobs.task_expiry_ms)))
        .attr("serviceNamespace", "com.vmware.vcloud")
        .attr("operation", task.operation())
        .attr("operationName", &task.operation_name)
        .attr("status", status)
        .attr("name", "task")
        .attr("id", format!("urn:vcloud:task:{}", task.id))
        .attr("href", &own)
        .attr("type", media("task"));
    if task.is_running() {
        element = element.child(link("task:cancel", None, format!("{own}/action/cancel")));
    } else {
        element = element.attr("endTime", iso(task.end));
    }
    element = element.child(
        Element::new("Owner")
            .attr("href", href(base, task.owner))
            .attr("id", task.owner.urn())
            .attr("name", &task.owner_name)
            .attr("type", media(kind_of(task.owner))),
    );
    if let Some(error) = &task.error {
        element = element.child(
            Element::new("Error")
                .attr("majorErrorCode", error.status)
                .attr("minorErrorCode", &error.minor)
                .attr("message", format!("[ {} ] {}", task.id, error.message)),
        );
    }
    element
        .child(
            Element::new("User")
                .attr("href", format!("{base}/api/admin/user/{}", world.org.id))
                .attr("name", &task.user)
                .attr("type", "application/vnd.vmware.admin.user+xml"),
        )
        .child(
            Element::new("Organization")
                .attr("href", format!("{base}/api/org/{}", world.org.id))
                .attr("name", &world.org.name)
                .attr("type", media("org")),
        )
        .leaf("Progress", task.progress(now))
        .leaf("Details", "")
}

/// The tasks of an entity as they stand inside it: the running one, and the latest that failed.
pub(super) fn tasks_of(world: &World, entity: Entity, base: &str, now: i64) -> Vec<Element> {
    let running = world.task_on(entity).filter(|t| t.owner == entity);
    let failed = world.index.failed.get(&entity).into_iter().flatten().filter_map(|id| world.tasks.get(id));
    let shown = failed.filter(|t| !t.gone && now <= t.end.saturating_add(world.knobs.task_expiry_ms));
    let tasks: Vec<Element> = shown.chain(running).map(|t| task(world, t, base, now)).collect();
    if tasks.is_empty() { vec![] } else { vec![Element::new("Tasks").children(tasks)] }
}

/// The one policy there is, as a reference.
pub(super) fn compute_policy(world: &World, base: &str) -> Element {
    let id = world.vdc.id;
    Element::new("ComputePolicy")
        .attr("href", format!("{base}/cloudapi/2.0.0/vdcComputePolicies/urn:vcloud:vdcComputePolicy:{id}"))
        .attr("id", format!("urn:vcloud:vdcComputePolicy:{id}"))
        .attr("name", "System Default")
        .attr("type", "application/json")
}

pub(super) fn storage_profile(world: &World, base: &str) -> Element {
    let profile = &world.storage_profile;
    Element::new("StorageProfile")
        .attr("href", format!("{base}/api/vdcStorageProfile/{}", profile.id))
        .attr("id", format!("urn:vcloud:vdcstorageProfile:{}", profile.id))
        .attr("name", &profile.name)
        .attr("type", media("vdcStorageProfile"))
}

pub(super) fn network_config_section(world: &World, vapp: &Vapp, base: &str) -> Element {
    let own = format!("{}/networkConfigSection/", href(base, Entity::Vapp(vapp.id)));
    let section = Element::new("NetworkConfigSection")
        .attr("type", media("networkConfigSection"))
        .attr("href", &own)
        .attr("ovf:required", false)
        .leaf("ovf:Info", "The configuration parameters for logical networks");
    let section = if world.is_busy(Entity::Vapp(vapp.id)) {
        section
    } else {
        section.child(link("edit", Some("networkConfigSection"), own))
    };
    section.children(vapp.networks.iter().map(|n| network_config(world, n, base)))
}

/// A network as an IpScope: inherited from the org network it is bridged to.
pub(super) fn ip_scope(n: &crate::model::Network, inherited: bool) -> Element {
    let ranges = n
        .ranges
        .iter()
        .map(|(first, last)| Element::new("IpRange").leaf("StartAddress", first).leaf("EndAddress", last));
    Element::new("IpScope")
        .leaf("IsInherited", inherited)
        .leaf("Gateway", &n.gateway)
        .leaf("Netmask", n.netmask())
        .leaf("SubnetPrefixLength", n.prefix_length)
        .leaf("Dns1", &n.dns[0])
        .leaf("Dns2", &n.dns[1])
        .leaf("IsEnabled", true)
        .child(Element::new("IpRanges").children(ranges))
}

fn network_config(world: &World, n: &VappNetwork, base: &str) -> Element {
    let parent = world.networks.get(&n.parent);
    let scopes = parent.map(|p| Element::new("IpScopes").child(ip_scope(p, true)));
    Element::new("NetworkConfig")
        .attr("networkName", &n.name)
        .child(link("repair", None, format!("{base}/api/admin/network/{}/action/reset", n.id)))
        .leaf("Description", "")
        .child(
            Element::new("Configuration")
                .children(scopes)
                .child(
                    Element::new("ParentNetwork")
                        .attr("href", href(base, Entity::Network(n.parent)))
                        .attr("id", Entity::Network(n.parent).urn())
                        .attr("name", parent.map_or(n.name.as_str(), |p| &p.name)),
                )
                .leaf("FenceMode", &n.fence_mode)
                .leaf("RetainNetInfoAcrossDeployments", false),
        )
        .leaf("IsDeployed", true)
}

/// What may be done with a vApp or a machine: one link for each action, none of them while a task holds it.
fn action_links(own: &str, on: bool, deployed: bool, suspended: bool) -> Vec<Element> {
    let power = |action: &str| link(&format!("power:{action}"), None, format!("{own}/power/action/{action}"));
    let deploy = || link("deploy", Some("deployVAppParams"), format!("{own}/action/deploy"));
    let mut links = Vec::new();
    if on {
        links.extend(["powerOff", "reboot", "reset", "shutdown", "suspend"].map(power));
    } else {
        links.push(power("powerOn"));
    }
    links.push(deploy());
    if deployed {
        links.push(link("undeploy", Some("undeployVAppParams"), format!("{own}/action/undeploy")));
    } else {
        links.push(link("remove", None, own.to_owned()));
    }
    if suspended {
        links.push(link("discardState", None, format!("{own}/action/discardSuspendedState")));
    }
    links.push(link("snapshot:create", Some("createSnapshotParams"), format!("{own}/action/createSnapshot")));
    links
}

fn snapshot_links(own: &str) -> [Element; 2] {
    let action = |rel: &str, action: &str| link(rel, None, format!("{own}/action/{action}"));
    [
        action("snapshot:revertToCurrent", "revertToCurrentSnapshot"),
        action("snapshot:removeAll", "removeAllSnapshots"),
    ]
}

pub(super) fn vapp(world: &World, vapp: &Vapp, base: &str, now: i64) -> Element {
    let entity = Entity::Vapp(vapp.id);
    let own = href(base, entity);
    let vms: Vec<&Vm> = world.vms_of(vapp.id).collect();
    let any = |f: fn(&Vm) -> bool| vms.iter().any(|vm| f(vm));
    let mut links = Vec::new();
    if !world.is_busy(entity) {
        links = action_links(&own, any(|v| v.powered_on), any(|v| v.deployed), any(|v| v.suspended));
        links.push(link("recompose", Some("recomposeVAppParams"), format!("{own}/action/recomposeVApp")));
        links.push(link("edit", Some("vApp"), own.clone()));
        if any(|v| v.snapshot.is_some()) {
            links.extend(snapshot_links(&own));
        }
    }
    for n in &vapp.networks {
        let to = format!("{base}/api/network/{}", n.id);
        links.push(link("down", Some("vAppNetwork"), to).attr("name", &n.name));
    }
    links.push(link("down", Some("controlAccess"), format!("{own}/controlAccess/")));
    links.push(link("controlAccess", Some("controlAccess"), format!("{own}/action/controlAccess")));
    links.push(link("up", Some("vdc"), format!("{base}/api/vdc/{}", world.vdc.id)));
    links.push(link("down", Some("owner"), format!("{own}/owner")));
    links.push(link("down", Some("metadata"), format!("{own}/metadata")));
    links.push(link("down", Some("productSections"), format!("{own}/productSections/")));
    links.push(link("ovf", None, format!("{own}/ovf")).attr("type", "text/xml"));
    let lease = Element::new("LeaseSettingsSection")
        .attr("type", media("leaseSettingsSection"))
        .attr("href", format!("{own}/leaseSettingsSection/"))
        .attr("ovf:required", false)
        .leaf("ovf:Info", "Lease settings section")
        .leaf("DeploymentLeaseInSeconds", 0)
        .leaf("StorageLeaseInSeconds", 0);
    let startup = Element::new("ovf:StartupSection").leaf("ovf:Info", "VApp startup section");
    let networks =
        Element::new("ovf:NetworkSection").leaf("ovf:Info", "The list of logical networks").children(
            vapp.networks
                .iter()
                .map(|n| Element::new("ovf:Network").attr("ovf:name", &n.name).leaf("ovf:Description", "")),
        );
    Element::vcloud("VApp")
        .attr("ovfDescriptorUploaded", true)
        .attr("deployed", any(|v| v.deployed))
        .attr("status", world.vapp_status(vapp))
        .attr("name", &vapp.name)
        .attr("id", entity.urn())
        .attr("href", &own)
        .attr("type", media("vApp"))
        .children(links)
        .leaf("Description", &vapp.description)
        .children(tasks_of(world, entity, base, now))
        .child(lease)
        .child(startup)
        .child(networks)
        .child(network_config_section(world, vapp, base))
        .leaf("DateCreated", iso(vapp.created))
        .child(
            Element::new("Owner").attr("type", media("owner")).child(
                Element::new("User")
                    .attr("href", format!("{base}/api/admin/user/{}", world.org.id))
                    .attr("name", &vapp.owner)
                    .attr("type", "application/vnd.vmware.admin.user+xml"),
            ),
        )
        .leaf("autoNature", false)
        .leaf("InMaintenanceMode", false)
        .child(Element::new("Children").children(vms.into_iter().map(|v| vm(world, v, base, now))))
}

pub(super) fn vm(world: &World, vm: &Vm, base: &str, now: i64) -> Element {
    let entity = Entity::Vm(vm.id);
    let own = href(base, entity);
    // A task of its vApp holds it too.
    let busy = super::vms::is_held(world, vm);
    let mut links = Vec::new();
    if !busy {
        links = action_links(&own, vm.powered_on, vm.deployed, vm.suspended);
        links.push(link("edit", Some("vm"), own.clone()));
        links.push(link("reconfigureVm", Some("vm"), format!("{own}/action/reconfigureVm")));
        links.push(link(
            "disk:attach",
            Some("diskAttachOrDetachParams"),
            format!("{own}/disk/action/attach"),
        ));
        links.push(link(
            "disk:detach",
            Some("diskAttachOrDetachParams"),
            format!("{own}/disk/action/detach"),
        ));
        if vm.snapshot.is_some() {
            links.extend(snapshot_links(&own));
        }
        let media_params = |rel: &str, action: &str| {
            link(rel, Some("mediaInsertOrEjectParams"), format!("{own}/media/action/{action}"))
        };
        links.push(media_params("media:insertMedia", "insertMedia"));
        links.push(media_params("media:ejectMedia", "ejectMedia"));
        if vm.question.is_some() {
            links.push(link("question", Some("vmPendingQuestion"), format!("{own}/question")));
        }
        if vm.powered_on {
            links.push(link("installVmwareTools", None, format!("{own}/action/installVMwareTools")));
            links.push(link("screen:acquireTicket", None, format!("{own}/screen/action/acquireTicket")));
            let mks = format!("{own}/screen/action/acquireMksTicket");
            links.push(link("screen:acquireMksTicket", Some("mksTicket"), mks));
        }
    }
    links.push(link("customizeAtNextPowerOn", None, format!("{own}/action/customizeAtNextPowerOn")));
    links.push(link("down", Some("metadata"), format!("{own}/metadata")));
    links.push(link("down", Some("productSections"), format!("{own}/productSections/")));
    links.push(link("screen:thumbnail", None, format!("{own}/screen")));
    links.push(link("up", Some("vApp"), href(base, Entity::Vapp(vm.vapp))));
    let hardware = Hardware {
        cpus: vm.cpus,
        cores: vm.cores_per_socket,
        memory_mb: vm.memory_mb,
        disks: &vm.disks,
        nics: &vm.nics,
    };
    let operating_system = Element::new("ovf:OperatingSystemSection")
        .attr("ovf:id", 100)
        .attr("vmw:osType", &vm.os)
        .attr("xmlns:vmw", "http://www.vmware.com/schema/ovf")
        .leaf("ovf:Info", "Specifies the operating system installed")
        .leaf("ovf:Description", &vm.os);
    let runtime = Element::new("RuntimeInfoSection").leaf("ovf:Info", "Specifies Runtime info");
    let runtime = if world.knobs.guest_tools && vm.inside.is_up(vm, now) {
        runtime.child(Element::new("VMWareTools").attr("version", 12352))
    } else {
        runtime
    };
    Element::vcloud("Vm")
        .attr("needsCustomization", vm.needs_customization)
        .attr("nestedHypervisorEnabled", false)
        .attr("deployed", vm.deployed)
        .attr("status", vm.status())
        .attr("name", &vm.name)
        .attr("id", entity.urn())
        .attr("href", &own)
        .attr("type", media("vm"))
        .children(links)
        .leaf("Description", &vm.description)
        .children(tasks_of(world, entity, base, now))
        .child(sections::spec_section(vm, base))
        .child(hardware.section(&own, &vm.name, !busy))
        .child(operating_system)
        .child(sections::network_connection_section(vm, base, !busy))
        .child(sections::customization(vm.id, &vm.customization, base, !busy))
        .child(runtime)
        .child(sections::snapshot_section(vm, base))
        .leaf("DateCreated", iso(vm.created))
        .leaf("VAppScopedLocalId", vm.id)
        .children(vm.powered_on.then(|| sections::environment(vm)))
        .child(sections::capabilities(vm, base))
        .child(storage_profile(world, base))
        .child(Element::new("ComputePolicy").child(compute_policy(world, base).renamed("VmSizingPolicy")))
        .leaf("IsComputePolicyCompliant", true)
}
