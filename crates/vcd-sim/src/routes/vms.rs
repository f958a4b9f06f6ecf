//! Machines: size, customization, power.

use axum::{
    Extension,
    extract::{Path, State},
    response::Response,
};
use uuid::Uuid;

use super::{id_of, parse, task_answer, views, xml};
use crate::{
    errors::Refusal,
    model::{Customization, Vm, World},
    server::{Around, Simulator},
    tasks::{Effect, Entity, takes},
    xml::{Element, Read, check_order},
};

fn find(world: &World, id: &str) -> Result<Vm, Refusal> {
    let id = id_of(id)?;
    world.vms.get(&id).cloned().ok_or_else(|| Refusal::forbidden("vm", id))
}

fn idle(world: &World, vm: &Vm) -> Result<(), Refusal> {
    world.require_idle(&[Entity::Vm(vm.id), Entity::Vapp(vm.vapp)])
}

pub(super) async fn reconfigure(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Path(id): Path<String>,
    body: String,
) -> Response {
    let result = sim
        .change(|world, now| {
            let vm = find(world, &id)?;
            idle(world, &vm)?;
            let doc = parse(&body, "Vm")?;
            let spec = doc
                .root_element()
                .find("VmSpecSection")
                .ok_or_else(|| Refusal::bad("VmSpecSection is missing"))?;
            let order = [
                "Info",
                "OsType",
                "Firmware",
                "NumCpus",
                "NumCoresPerSocket",
                "CpuResourceMhz",
                "MemoryResourceMb",
                "MediaSection",
                "DiskSection",
                "HardwareVersion",
                "VmToolsVersion",
                "ToolsGuestOsId",
                "VirtualCpuType",
                "TimeSyncWithHost",
            ];
            check_order(spec, &order).map_err(Refusal::bad)?;
            // Seen on the platform: a change of size is refused unless the first-login flag is set.
            if !vm.customization.reset_password_required {
                return Err(Refusal::bad(
                    "The size cannot be changed unless the guest customization requires a password change.",
                ));
            }
            let effect = read_spec(&vm, spec)?;
            Ok(world.start_task(now, takes::RECONFIGURE, "vappUpdateVm", Entity::Vm(vm.id), &vm.name, effect))
        })
        .await;
    task_answer(&sim, &around, result)
}

fn read_spec(vm: &Vm, spec: roxmltree::Node<'_, '_>) -> Result<Effect, Refusal> {
    let number = |node: roxmltree::Node<'_, '_>, name: &str| -> Result<Option<u64>, Refusal> {
        node.value(name)
            .map(|t| {
                t.trim().parse().map_err(|_| Refusal::bad(format!("validation error on field '{name}'")))
            })
            .transpose()
    };
    let cpus = match (number(spec, "NumCpus")?, number(spec, "NumCoresPerSocket")?) {
        (Some(n), cores) => {
            let cores = cores.unwrap_or(1).max(1);
            if n == 0 || n % cores != 0 {
                return Err(Refusal::bad("NumCpus must be divisible by NumCoresPerSocket"));
            }
            Some((n as u32, cores as u32))
        }
        _ => None,
    };
    let memory_mb = spec.find("MemoryResourceMb").map(|m| number(m, "Configured")).transpose()?.flatten();
    if vm.powered_on && (cpus.is_some_and(|c| c.0 != vm.cpus) || memory_mb.is_some_and(|m| m != vm.memory_mb))
    {
        return Err(Refusal::new(
            400,
            "INVALID_STATE",
            "The operation cannot be performed while the VM is powered on.",
        ));
    }
    let disks = match spec.find("DiskSection") {
        None => None,
        Some(section) => {
            let mut disks = Vec::new();
            for settings in section.all("DiskSettings") {
                let id = number(settings, "DiskId")?.ok_or_else(|| Refusal::bad("DiskId is missing"))? as u32;
                let size = number(settings, "SizeMb")?.ok_or_else(|| Refusal::bad("SizeMb is missing"))?;
                if vm.disks.iter().any(|d| d.id == id && d.size_mb > size) {
                    return Err(Refusal::bad("A disk cannot be made smaller."));
                }
                disks.push((id, size));
            }
            Some(disks)
        }
    };
    Ok(Effect::Reconfigured { vm: vm.id, cpus, memory_mb, disks })
}

pub(super) async fn customization_get(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Path(id): Path<String>,
) -> Response {
    let world = sim.read();
    let result = find(&world, &id).map(|vm| {
        views::customization(vm.id, &vm.customization, &around.base)
            .attr("xmlns", crate::xml::VCLOUD)
            .attr("xmlns:ovf", crate::xml::OVF)
    });
    xml(&around, 200, "guestCustomizationSection", result)
}

pub(super) async fn customization_put(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Path(id): Path<String>,
    body: String,
) -> Response {
    let result = sim
        .change(|world, now| {
            let vm = find(world, &id)?;
            idle(world, &vm)?;
            let doc = parse(&body, "GuestCustomizationSection")?;
            let root = doc.root_element();
            let order = [
                "Info",
                "Enabled",
                "ChangeSid",
                "VirtualMachineId",
                "JoinDomainEnabled",
                "UseOrgSettings",
                "DomainName",
                "DomainUserName",
                "DomainUserPassword",
                "MachineObjectOU",
                "AdminPasswordEnabled",
                "AdminPasswordAuto",
                "AdminPassword",
                "AdminAutoLogonEnabled",
                "AdminAutoLogonCount",
                "ResetPasswordRequired",
                "CustomizationScript",
                "ComputerName",
                "Link",
            ];
            check_order(root, &order).map_err(Refusal::bad)?;
            let section = Customization {
                enabled: root.flag("Enabled"),
                admin_password_enabled: root.flag("AdminPasswordEnabled"),
                admin_password_auto: root.flag("AdminPasswordAuto"),
                admin_password: root.value("AdminPassword").filter(|p| !p.is_empty()).map(str::to_owned),
                reset_password_required: root.flag("ResetPasswordRequired"),
                script: root.value("CustomizationScript").filter(|s| !s.is_empty()).map(str::to_owned),
                computer_name: root.value("ComputerName").unwrap_or_default().into(),
            };
            if section.admin_password_auto && section.admin_password.is_some() {
                return Err(Refusal::bad(
                    "'AdminPassword' should either be reset or remain unchanged when auto is set.",
                ));
            }
            let name = &section.computer_name;
            let windows = vm.os.starts_with("windows");
            let legal = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            if name.is_empty() || !legal || (windows && name.len() > 15) || name.len() > 63 {
                return Err(Refusal::bad("validation error on field 'ComputerName'"));
            }
            let effect = Effect::Customized { vm: vm.id, section };
            Ok(world.start_task(
                now,
                takes::CUSTOMIZATION,
                "vappUpdateVm",
                Entity::Vm(vm.id),
                &vm.name,
                effect,
            ))
        })
        .await;
    task_answer(&sim, &around, result)
}

pub(super) async fn customization_status(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Path(id): Path<String>,
) -> Response {
    let world = sim.read();
    let now = sim.now();
    let result = find(&world, &id).map(|vm| {
        Element::vcloud("GuestCustomizationStatusSection")
            .leaf("GuestCustStatus", vm.customization_status(now))
    });
    xml(&around, 200, "guestCustomizationStatusSection", result)
}

pub(super) async fn power_on(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Path(id): Path<String>,
) -> Response {
    let result = sim.change(|world, now| start(world, now, &find(world, &id)?, false)).await;
    task_answer(&sim, &around, result)
}

pub(super) async fn deploy(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Path(id): Path<String>,
    body: String,
) -> Response {
    let result = sim
        .change(|world, now| {
            let doc = parse(&body, "DeployVAppParams")?;
            let force = doc
                .root_element()
                .attribute("forceCustomization")
                .is_some_and(|v| v.eq_ignore_ascii_case("true"));
            start(world, now, &find(world, &id)?, force)
        })
        .await;
    task_answer(&sim, &around, result)
}

fn start(world: &mut World, now: i64, vm: &Vm, force_customization: bool) -> Result<Uuid, Refusal> {
    idle(world, vm)?;
    if force_customization && vm.deployed {
        return Err(Refusal::new(
            400,
            "INVALID_STATE",
            "Customization can be forced only while the VM is not deployed.",
        ));
    }
    if vm.powered_on {
        return Err(Refusal::new(400, "INVALID_STATE", format!("VM \"{}\" is already running.", vm.name)));
    }
    let effect = Effect::PoweredOn { vm: vm.id, force_customization };
    Ok(world.start_task(now, takes::POWER_ON, "vappDeploy", Entity::Vm(vm.id), &vm.name, effect))
}

/// Undeploys a machine, or all machines of a vApp.
pub(super) async fn undeploy(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Path(id): Path<String>,
    body: String,
) -> Response {
    let result = sim
        .change(|world, now| {
            parse(&body, "UndeployVAppParams")?;
            if id.starts_with("vm-") {
                let vm = find(world, &id)?;
                idle(world, &vm)?;
                if !vm.deployed {
                    return Err(Refusal::not_running(&vm.name));
                }
                let effect = Effect::Undeployed { vms: vec![vm.id] };
                return Ok(world.start_task(
                    now,
                    takes::UNDEPLOY,
                    "vappUndeployPowerOff",
                    Entity::Vm(vm.id),
                    &vm.name,
                    effect,
                ));
            }
            let id = id_of(&id)?;
            let name = world.vapps.get(&id).ok_or_else(|| Refusal::forbidden("vapp", id))?.name.clone();
            world.require_idle(&world.vapp_and_vms(id))?;
            let vms: Vec<Uuid> = world.vms_of(id).filter(|v| v.deployed).map(|v| v.id).collect();
            if vms.is_empty() {
                return Err(Refusal::not_running(&name));
            }
            Ok(world.start_task(
                now,
                takes::UNDEPLOY,
                "vappUndeployPowerOff",
                Entity::Vapp(id),
                &name,
                Effect::Undeployed { vms },
            ))
        })
        .await;
    task_answer(&sim, &around, result)
}
