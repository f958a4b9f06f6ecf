//! vApps: compose, recompose, networks, delete.

use axum::{
    Extension,
    extract::{Path, State},
    response::Response,
};
use uuid::Uuid;

use super::{id_of, parse, task_answer, views, xml};
use crate::{
    errors::Refusal,
    model::{Customization, Disk, Nic, Vapp, VappNetwork, Vm, World},
    server::{Around, Simulator},
    tasks::{Effect, Entity, takes},
    xml::{Element, Read, check_order},
};

pub(super) async fn compose(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Path(_vdc): Path<String>,
    body: String,
) -> Response {
    let result = sim
        .change(|world, now| {
            let doc = parse(&body, "ComposeVAppParams")?;
            let root = doc.root_element();
            let order = [
                "Description",
                "VAppParent",
                "InstantiationParams",
                "SourcedItem",
                "CreateItem",
                "AllEULAsAccepted",
            ];
            check_order(root, &order).map_err(Refusal::bad)?;
            let name = root.attribute("name").unwrap_or_default();
            if name.is_empty() {
                return Err(Refusal::bad("validation error on field 'name'"));
            }
            let section = root.find("InstantiationParams").and_then(|p| p.find("NetworkConfigSection"));
            let networks = section.map_or(Ok(Vec::new()), |s| read_networks(world, s, &[]))?;
            let vapp = Vapp {
                id: Uuid::new_v4(),
                name: name.into(),
                description: root.value("Description").unwrap_or_default().into(),
                ready: false,
                networks,
                created: now,
            };
            let (id, name) = (vapp.id, vapp.name.clone());
            world.vapps.insert(id, vapp);
            world.start_task(
                now,
                takes::COMPOSE,
                "vdcComposeVapp",
                Entity::Vapp(id),
                &name,
                Effect::VappReady(id),
            );
            Ok(id)
        })
        .await;
    let result = result.and_then(|id| view(&sim, &around, id));
    xml(&around, 201, "vApp", result)
}

fn view(sim: &Simulator, around: &Around, id: Uuid) -> Result<Element, Refusal> {
    let world = sim.read();
    let vapp = find(&world, id)?;
    Ok(views::vapp(&world, vapp, &around.base, sim.now()))
}

fn find(world: &World, id: Uuid) -> Result<&Vapp, Refusal> {
    world.vapps.get(&id).ok_or_else(|| Refusal::forbidden("vapp", id))
}

/// `/api/vApp/vapp-U` and `/api/vApp/vm-U` share their path.
pub(super) async fn get(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Path(id): Path<String>,
) -> Response {
    if id.starts_with("vm-") {
        let result = id_of(&id).and_then(|id| {
            let world = sim.read();
            let vm = world.vms.get(&id).ok_or_else(|| Refusal::forbidden("vm", id))?;
            Ok(views::vm(&world, vm, &around.base, sim.now()))
        });
        return xml(&around, 200, "vm", result);
    }
    let result = id_of(&id).and_then(|id| view(&sim, &around, id));
    xml(&around, 200, "vApp", result)
}

pub(super) async fn delete(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Path(id): Path<String>,
) -> Response {
    let result = sim
        .change(|world, now| {
            let uuid = id_of(&id)?;
            if id.starts_with("vm-") {
                let vm = world.vms.get(&uuid).ok_or_else(|| Refusal::forbidden("vm", uuid))?;
                world.require_idle(&[Entity::Vm(uuid), Entity::Vapp(vm.vapp)])?;
                if vm.deployed {
                    return Err(Refusal::stop_vapp(400, &vm.name));
                }
                let name = vm.name.clone();
                return Ok(world.start_task(
                    now,
                    takes::DELETE_VM,
                    "vappDeleteVm",
                    Entity::Vm(uuid),
                    &name,
                    Effect::VmDeleted(uuid),
                ));
            }
            let name = find(world, uuid)?.name.clone();
            world.require_idle(&world.vapp_and_vms(uuid))?;
            if world.vapp_deployed(uuid) {
                return Err(Refusal::stop_vapp(400, &name));
            }
            Ok(world.start_task(
                now,
                takes::DELETE_VAPP,
                "vdcDeleteVapp",
                Entity::Vapp(uuid),
                &name,
                Effect::VappDeleted(uuid),
            ))
        })
        .await;
    task_answer(&sim, &around, result)
}

pub(super) async fn networks_get(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Path(id): Path<String>,
) -> Response {
    let world = sim.read();
    let result = id_of(&id).and_then(|id| {
        let section = views::network_config_section(find(&world, id)?, &around.base);
        Ok(section.attr("xmlns", crate::xml::VCLOUD).attr("xmlns:ovf", crate::xml::OVF))
    });
    xml(&around, 200, "networkConfigSection", result)
}

pub(super) async fn networks_put(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Path(id): Path<String>,
    body: String,
) -> Response {
    let result = sim
        .change(|world, now| {
            let id = id_of(&id)?;
            let vapp = find(world, id)?.clone();
            world.require_idle(&world.vapp_and_vms(id))?;
            let doc = parse(&body, "NetworkConfigSection")?;
            let networks = read_networks(world, doc.root_element(), &vapp.networks)?;
            let gone: Vec<&VappNetwork> =
                vapp.networks.iter().filter(|n| !networks.iter().any(|m| m.name == n.name)).collect();
            if !gone.is_empty() {
                // Since API 37.1 a network cannot leave a running vApp.
                if world.vapp_deployed(id) {
                    return Err(Refusal::stop_vapp(409, &vapp.name));
                }
                if let Some(vm) = world
                    .vms_of(id)
                    .find(|vm| vm.nics.iter().any(|n| gone.iter().any(|g| g.name == n.network)))
                {
                    return Err(Refusal::bad(format!(
                        "The network is in use by virtual machine \"{}\".",
                        vm.name
                    )));
                }
            }
            let effect = Effect::VappNetworks { vapp: id, networks };
            Ok(world.start_task(
                now,
                takes::SECTION,
                "vdcUpdateVappNetworkSection",
                Entity::Vapp(id),
                &vapp.name,
                effect,
            ))
        })
        .await;
    task_answer(&sim, &around, result)
}

/// Reads a NetworkConfigSection; networks that stay keep their ids.
fn read_networks(
    world: &World,
    section: roxmltree::Node<'_, '_>,
    before: &[VappNetwork],
) -> Result<Vec<VappNetwork>, Refusal> {
    section
        .all("NetworkConfig")
        .into_iter()
        .map(|config| {
            let name = config.attribute("networkName").unwrap_or_default().to_owned();
            let inner =
                config.find("Configuration").ok_or_else(|| Refusal::bad("Configuration is missing"))?;
            let parent = inner
                .find("ParentNetwork")
                .and_then(|p| p.attribute("href"))
                .ok_or_else(|| Refusal::bad("ParentNetwork is missing"))?;
            let parent = id_of(parent)?;
            if !world.networks.contains_key(&parent) {
                return Err(Refusal::forbidden("network", parent));
            }
            let id = before.iter().find(|n| n.name == name).map_or_else(Uuid::new_v4, |n| n.id);
            Ok(VappNetwork {
                id,
                name,
                parent,
                fence_mode: inner.value("FenceMode").unwrap_or("bridged").into(),
            })
        })
        .collect()
}

pub(super) async fn recompose(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Path(id): Path<String>,
    body: String,
) -> Response {
    let result = sim
        .change(|world, now| {
            let id = id_of(&id)?;
            let name = find(world, id)?.name.clone();
            world.require_idle(&world.vapp_and_vms(id))?;
            let doc = parse(&body, "RecomposeVAppParams")?;
            let root = doc.root_element();
            let order = [
                "Description",
                "VAppParent",
                "InstantiationParams",
                "SourcedItem",
                "CreateItem",
                "AllEULAsAccepted",
                "ReconfigureItem",
                "DeleteItem",
            ];
            check_order(root, &order).map_err(Refusal::bad)?;
            let added = root
                .all("SourcedItem")
                .into_iter()
                .map(|item| sourced_vm(world, id, item, now))
                .collect::<Result<Vec<Vm>, _>>()?;
            let mut deleted = Vec::new();
            for item in root.all("DeleteItem") {
                let vm = id_of(item.attribute("href").unwrap_or_default())?;
                let vm = world
                    .vms
                    .get(&vm)
                    .filter(|v| v.vapp == id)
                    .ok_or_else(|| Refusal::forbidden("vm", vm))?;
                if vm.deployed {
                    return Err(Refusal::stop_vapp(400, &vm.name));
                }
                deleted.push(vm.id);
            }
            let duration = takes::COPY_VM * i64::from(!added.is_empty())
                + takes::DELETE_VM * i64::from(!deleted.is_empty());
            let effect = Effect::Recomposed { added, deleted };
            Ok(world.start_task(now, duration.max(1000), "vdcRecomposeVapp", Entity::Vapp(id), &name, effect))
        })
        .await;
    task_answer(&sim, &around, result)
}

/// One SourcedItem from a template, as the machine it will become.
fn sourced_vm(world: &World, vapp: Uuid, item: roxmltree::Node<'_, '_>, now: i64) -> Result<Vm, Refusal> {
    let order = [
        "Source",
        "VmGeneralParams",
        "VAppScopedLocalId",
        "InstantiationParams",
        "NetworkAssignment",
        "StorageProfile",
        "VdcComputePolicy",
        "ComputePolicy",
        "LocalityParams",
        "VmCapabilities",
    ];
    check_order(item, &order).map_err(Refusal::bad)?;
    let source = item.find("Source").and_then(|s| s.attribute("href")).unwrap_or_default();
    let source = id_of(source)?;
    let template =
        world.templates.values().find(|t| t.vm == source).ok_or_else(|| Refusal::forbidden("vm", source))?;
    let general = item.find("VmGeneralParams");
    let name = general.and_then(|g| g.value("Name")).unwrap_or(&template.name).to_owned();
    if world.vms_of(vapp).any(|vm| vm.name == name) {
        let text = format!("The VM name \"{name}\" is already in use in this vApp.");
        return Err(Refusal::new(400, "DUPLICATE_NAME", text));
    }
    let networks: Vec<&str> = world
        .vapps
        .get(&vapp)
        .map(|a| a.networks.iter().map(|n| n.name.as_str()).collect())
        .unwrap_or_default();
    let mut nics = Vec::new();
    if let Some(section) = item.find("InstantiationParams").and_then(|p| p.find("NetworkConnectionSection")) {
        for connection in section.all("NetworkConnection") {
            let network = connection.attribute("network").unwrap_or_default().to_owned();
            if network != "none" && !networks.contains(&network.as_str()) {
                return Err(Refusal::bad(format!("The vApp has no network \"{network}\".")));
            }
            let mode = connection.value("IpAddressAllocationMode").unwrap_or("NONE").to_owned();
            let ip = connection.value("IpAddress").map(str::to_owned);
            if mode == "MANUAL" && ip.is_none() {
                return Err(Refusal::bad("IpAddress is required with MANUAL"));
            }
            let id = Uuid::new_v4().as_u128();
            nics.push(Nic {
                index: connection.value("NetworkConnectionIndex").and_then(|i| i.parse().ok()).unwrap_or(0),
                network,
                ip,
                mode,
                connected: connection.flag("IsConnected"),
                mac: format!("00:50:56:{:02x}:{:02x}:{:02x}", id as u8, (id >> 8) as u8, (id >> 16) as u8),
            });
        }
    }
    Ok(Vm {
        id: Uuid::new_v4(),
        vapp,
        name,
        os: template.os.clone(),
        cpus: 1,
        cores_per_socket: 1,
        memory_mb: 1024,
        disks: vec![Disk { id: 2000, size_mb: template.disk_mb }],
        nics,
        powered_on: false,
        deployed: false,
        needs_customization: general.is_some_and(|g| g.flag("NeedsCustomization")),
        customization: Customization {
            computer_name: template.name.replace(' ', "-"),
            ..Customization::default()
        },
        guest: None,
        created: now,
        powered_on_at: None,
    })
}
