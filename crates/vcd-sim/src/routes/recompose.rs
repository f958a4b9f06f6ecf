//! Recompose: machines added, moved in, deleted, in one task.

use axum::{extract::Path, response::Response};
use roxmltree::Node;
use uuid::Uuid;

use super::{
    Ask,
    copies::{clone_of, copy_of, empty, template_card},
    customization, id_of,
    nics::read_nics,
    number, parse,
    vapps::{is_true, start_of},
    vms::{check_size, known_placement, only, read_change, read_spec, small},
};
use crate::{
    durations,
    effects::{Effect, Move, Reconfiguration},
    errors::Refusal,
    model::{Capabilities, Nic, Vm},
    server::Change,
    tasks::{Entity, Start},
    xml::{Read, VCLOUD},
};

pub(super) async fn recompose(ask: Ask, Path(id): Path<String>, body: String) -> Response {
    let result = ask
        .change(|c| {
            let id = id_of(&id)?;
            let vapp = c.world.vapp(id)?.clone();
            c.world.require_idle(&c.world.vapp_and_vms(id))?;
            let doc = parse(c.world, &body, "RecomposeVAppParams")?;
            let root = doc.root_element();
            only(
                root,
                &[
                    "Description",
                    "SourcedItem",
                    "CreateItem",
                    "AllEULAsAccepted",
                    "ReconfigureItem",
                    "DeleteItem",
                ],
            )?;
            let (mut added, mut moved, mut holds) = (Vec::new(), Vec::new(), Vec::new());
            for item in sourced_items(c, id, root)? {
                match item {
                    Sourced::Copied { vm, from } => {
                        let held = from.filter(|_| c.world.knobs.copy_holds_source);
                        holds.extend(held.map(Entity::Vm));
                        added.push(*vm);
                    }
                    Sourced::Moved { from, machine } => {
                        holds.extend([Entity::Vm(machine.vm), Entity::Vapp(from)]);
                        moved.push(machine);
                    }
                }
            }
            let created = created_items(c, id, root, &added)?;
            added.extend(created);
            // The networks of new cards are held while they are given out.
            let networks = &vapp.networks;
            let cards = added.iter().flat_map(|vm: &Vm| &vm.nics);
            let used = cards.filter_map(|nic| networks.iter().find(|n| n.name == nic.network));
            holds.extend(used.map(|n| Entity::Network(n.parent)));
            holds.sort();
            holds.dedup();
            c.world.require_idle(&holds)?;
            let reconfigured = reconfigured_items(c, id, root)?;
            let deleted = deleted_items(c, id, root)?;
            let duration = [
                ("vdcRecomposeVapp copy", added.len()),
                ("vdcRecomposeVapp move", moved.len()),
                ("vdcRecomposeVapp delete", deleted.len()),
                ("vappUpdateVm size", reconfigured.len()),
            ]
            .iter()
            .filter(|(_, n)| *n > 0)
            .map(|(operation, n)| durations::of(operation, *n))
            .sum();
            let name = root.attribute("name").filter(|n| !n.is_empty());
            let renamed = (name.is_some() || root.find("Description").is_some()).then(|| {
                let description = root.value("Description").unwrap_or(&vapp.description);
                (name.unwrap_or(&vapp.name).to_owned(), description.to_owned())
            });
            let (deploy, power_on) = start_of(c, root);
            c.start(Start {
                operation: "vdcRecomposeVapp",
                duration,
                owner: Entity::Vapp(id),
                name: vapp.name,
                holds,
                effect: Effect::Recomposed {
                    vapp: id,
                    added,
                    moved,
                    deleted,
                    reconfigured,
                    renamed,
                    deploy,
                    power_on,
                },
            })
        })
        .await;
    ask.task(result)
}

fn deleted_items(c: &Change<'_>, vapp: Uuid, root: Node<'_, '_>) -> Result<Vec<Uuid>, Refusal> {
    root.all("DeleteItem")
        .into_iter()
        .map(|item| {
            let id = id_of(item.attribute("href").unwrap_or_default())?;
            let vm = c.world.vms.get(&id).filter(|v| v.vapp == vapp);
            let vm = vm.ok_or_else(|| Refusal::forbidden("vm", id))?;
            if vm.deployed { Err(Refusal::stop_vapp(400, &vm.name)) } else { Ok(id) }
        })
        .collect()
}

/// Machines of this vApp that are changed on the way, each by a machine's body with its address.
fn reconfigured_items(
    c: &Change<'_>,
    vapp: Uuid,
    root: Node<'_, '_>,
) -> Result<Vec<(Uuid, Reconfiguration)>, Refusal> {
    root.all("ReconfigureItem")
        .into_iter()
        .map(|item| {
            let id = id_of(item.attribute("href").unwrap_or_default())?;
            let vm = c.world.vms.get(&id).filter(|v| v.vapp == vapp);
            let vm = vm.ok_or_else(|| Refusal::forbidden("vm", id))?;
            Ok((id, read_change(c.world, vm, item)?))
        })
        .collect()
}

/// Machines made from nothing: with empty disks, and a system that somebody has to install.
pub(super) fn created_items(
    c: &Change<'_>,
    vapp: Uuid,
    root: Node<'_, '_>,
    copied: &[Vm],
) -> Result<Vec<Vm>, Refusal> {
    room_for(c, copied.len() + root.all("CreateItem").len())?;
    let mut taken: Vec<String> = c.world.vms_of(vapp).chain(copied).map(|vm| vm.name.clone()).collect();
    root.all("CreateItem")
        .into_iter()
        .map(|item| {
            let name = item.attribute("name").unwrap_or_default().to_owned();
            if taken.contains(&name) {
                return Err(name_in_use(&name));
            }
            let spec = item.find("VmSpecSection").ok_or_else(|| Refusal::bad("VmSpecSection is missing"))?;
            let os = spec.value("OsType").unwrap_or("otherGuest64").to_owned();
            let mut vm = empty(vapp, &name, os, c.now);
            let change = read_spec(spec, &vm)?;
            resized_when_made(c, &mut vm, change)?;
            only(
                item,
                &[
                    "Description",
                    "GuestCustomizationSection",
                    "NetworkConnectionSection",
                    "VmSpecSection",
                    "StorageProfile",
                    "VdcComputePolicy",
                    "ComputePolicy",
                ],
            )?;
            known_placement(c.world, item)?;
            vm.description = item.value("Description").unwrap_or_default().to_owned();
            if let Some(section) = item.find("NetworkConnectionSection") {
                vm.nics = read_nics(c.world, vapp, section, &[], true)?;
            }
            if let Some(section) = item.find("GuestCustomizationSection") {
                vm.customization = customization::read(&vm, section)?;
            }
            if name.is_empty() {
                return Err(Refusal::bad("validation error on field 'name'"));
            }
            taken.push(name);
            Ok(vm)
        })
        .collect()
}

fn name_in_use(name: &str) -> Refusal {
    Refusal::new(400, "DUPLICATE_NAME", format!("The VM name \"{name}\" is already in use in this vApp."))
}

/// What a `SourcedItem` brings.
pub(super) enum Sourced {
    Copied { vm: Box<Vm>, from: Option<Uuid> },
    Moved { from: Uuid, machine: Move },
}

impl Sourced {
    /// The machine that is copied, where it is no template.
    pub(super) fn source(&self) -> Option<Uuid> {
        match self {
            Self::Copied { from, .. } => *from,
            Self::Moved { .. } => None,
        }
    }

    pub(super) fn copied(self) -> Option<Vm> {
        match self {
            Self::Copied { vm, .. } => Some(*vm),
            Self::Moved { .. } => None,
        }
    }
}

/// Whether the VDC takes so many machines more.
pub(super) fn room_for(c: &Change<'_>, machines: usize) -> Result<(), Refusal> {
    let quota = c.world.knobs.vm_quota;
    if quota > 0 && c.world.vms.len() + machines > quota {
        return Err(Refusal::bad("The requested operation would exceed the VDC's VM quota."));
    }
    Ok(())
}

/// All `SourcedItem`s of a request, for this vApp.
pub(super) fn sourced_items(c: &Change<'_>, vapp: Uuid, root: Node<'_, '_>) -> Result<Vec<Sourced>, Refusal> {
    let mut names: Vec<String> = c.world.vms_of(vapp).map(|vm| vm.name.clone()).collect();
    let items = root.all("SourcedItem");
    let copies = items.iter().filter(|i| !is_true(**i, "sourceDelete", false)).count();
    room_for(c, copies)?;
    items
        .into_iter()
        .map(|item| {
            let (name, sourced) = sourced_item(c, vapp, item)?;
            if names.contains(&name) {
                return Err(name_in_use(&name));
            }
            names.push(name);
            Ok(sourced)
        })
        .collect()
}

fn sourced_item(c: &Change<'_>, vapp: Uuid, item: Node<'_, '_>) -> Result<(String, Sourced), Refusal> {
    let source = item.find("Source").ok_or_else(|| Refusal::bad("Source is missing"))?;
    let id = id_of(source.attribute("href").unwrap_or_default())?;
    let general = item.find("VmGeneralParams");
    // An older client names the new machine on the source itself.
    let asked = general.and_then(|g| g.value("Name")).or_else(|| source.attribute("name")).map(str::to_owned);
    if let Some(vm) = c.world.vms.get(&id) {
        c.world.require_idle(&[Entity::Vm(id), Entity::Vapp(vm.vapp)])?;
        if is_true(item, "sourceDelete", false) {
            return moved(c, vapp, item, vm, asked);
        }
        let name = asked.unwrap_or_else(|| vm.name.clone());
        let mut copy = clone_of(vm, vapp, &name, c.now);
        instantiate(c, vapp, item, &mut copy)?;
        return Ok((name, Sourced::Copied { vm: Box::new(copy), from: Some(id) }));
    }
    let template = c.world.templates.values().find(|t| t.vm == id || t.id == id);
    let template = template.ok_or_else(|| Refusal::forbidden("vm", id))?;
    if template.eula && !item.parent().is_some_and(|root| root.flag("AllEULAsAccepted")) {
        return Err(Refusal::bad("All EULAs of the template have to be accepted (AllEULAsAccepted)."));
    }
    let name = asked.unwrap_or_else(|| template.name.clone());
    let mut vm = copy_of(template, vapp, &name, c.now);
    instantiate(c, vapp, item, &mut vm)?;
    Ok((name, Sourced::Copied { vm: Box::new(vm), from: None }))
}

/// A machine of another vApp comes over as it is. Every network of its cards must be in this vApp already, under the
/// same name or under the one it is assigned to.
fn moved(
    c: &Change<'_>,
    vapp: Uuid,
    item: Node<'_, '_>,
    vm: &Vm,
    asked: Option<String>,
) -> Result<(String, Sourced), Refusal> {
    if vm.vapp == vapp {
        return Err(Refusal::bad(format!("The VM \"{}\" is in this vApp already.", vm.name)));
    }
    let mut nics = vm.nics.clone();
    assign(c, vapp, item, &mut nics)?;
    let name = asked.unwrap_or_else(|| vm.name.clone());
    let machine = Move { vm: vm.id, name: name.clone(), nics };
    Ok((name, Sourced::Moved { from: vm.vapp, machine }))
}

/// Puts cards on the networks of this vApp: those they are assigned to, or those of the same name.
fn assign(c: &Change<'_>, vapp: Uuid, item: Node<'_, '_>, nics: &mut [Nic]) -> Result<(), Refusal> {
    let networks = &c.world.vapp(vapp)?.networks;
    let known = |name: &str| match name == "none" || networks.iter().any(|n| n.name == name) {
        true => Ok(()),
        false => Err(Refusal::bad(format!("The target vApp has no network \"{name}\"."))),
    };
    let assignments = item.all("NetworkAssignment");
    let target = |a: &Node<'_, '_>| a.attribute("containerNetwork").unwrap_or_default().to_owned();
    assignments.iter().try_for_each(|a| known(&target(a)))?;
    for nic in nics {
        let own = assignments.iter().find(|a| a.attribute("innerNetwork") == Some(nic.network.as_str()));
        nic.network = own.map_or_else(|| nic.network.clone(), target);
        known(&nic.network)?;
    }
    Ok(())
}

/// The settings that a source gets on its way: cards, customization.
fn instantiate(c: &Change<'_>, vapp: Uuid, item: Node<'_, '_>, vm: &mut Vm) -> Result<(), Refusal> {
    let general = item.find("VmGeneralParams");
    vm.needs_customization = general.is_some_and(|g| g.flag("NeedsCustomization"));
    vm.description = general.and_then(|g| g.value("Description")).unwrap_or_default().to_owned();
    known_placement(c.world, item)?;
    if let Some(wanted) = item.find("VmCapabilities") {
        vm.capabilities = Capabilities {
            cpu_hot_add: wanted.flag("CpuHotAddEnabled"),
            memory_hot_add: wanted.flag("MemoryHotAddEnabled"),
        };
    }
    let params = item.find("InstantiationParams");
    if params.and_then(|p| p.find("NetworkConnectionSection")).is_none() {
        // The card of a template stands on a network of the template's, until it is assigned to one.
        let assigned = item.find("NetworkAssignment").is_some();
        if vm.nics.is_empty() && assigned {
            vm.nics.push(template_card());
        }
        assign(c, vapp, item, &mut vm.nics)?;
    }
    let Some(params) = params else { return Ok(()) };
    only(params, &["NetworkConnectionSection", "GuestCustomizationSection", "VirtualHardwareSection"])?;
    if let Some(section) = params.find("VirtualHardwareSection") {
        hardware(c, vm, section)?;
    }
    if let Some(section) = params.find("NetworkConnectionSection") {
        vm.nics = read_nics(c.world, vapp, section, &[], true)?;
    }
    if let Some(section) = params.find("GuestCustomizationSection") {
        vm.customization = customization::read(vm, section)?;
    }
    Ok(())
}

/// The size that a source gets on its way, in the older form: items by their kind (3 processors, 4 memory in MiB, 17 disks).
fn hardware(c: &Change<'_>, vm: &mut Vm, section: Node<'_, '_>) -> Result<(), Refusal> {
    let mut change = Reconfiguration::default();
    for item in section.children().filter(|n| n.tag_name().name() == "Item") {
        let value = |name: &str| item.children().find(|n| n.tag_name().name() == name).and_then(|n| n.text());
        let quantity =
            || number::<u64>(value("VirtualQuantity").unwrap_or_default().trim(), "VirtualQuantity");
        match value("ResourceType").map(str::trim) {
            Some("3") => change.cpus = Some(small(quantity()?, "VirtualQuantity")?),
            Some("4") => change.memory_mb = Some(quantity()?),
            Some("17") => {
                let host = item.children().find(|n| n.tag_name().name() == "HostResource");
                let capacity = host.and_then(|h| h.attribute((VCLOUD, "capacity")));
                let size_mb = number::<u64>(capacity.unwrap_or_default(), "capacity")?;
                let mut disks = vm.disks.clone();
                if let Some(first) = disks.first_mut() {
                    first.size_mb = size_mb;
                }
                change.disks = Some(disks);
            }
            _ => {}
        }
    }
    resized_when_made(c, vm, change)
}

/// A machine that is being made is resized without the quirk of one that is there.
fn resized_when_made(c: &Change<'_>, vm: &mut Vm, change: Reconfiguration) -> Result<(), Refusal> {
    let mut allowed = vm.clone();
    allowed.customization.reset_password_required = true;
    check_size(c.world, &allowed, &change)?;
    vm.cpus = change.cpus.unwrap_or(vm.cpus);
    vm.cores_per_socket = change.cores_per_socket.unwrap_or(vm.cores_per_socket);
    vm.memory_mb = change.memory_mb.unwrap_or(vm.memory_mb);
    vm.os = change.os.unwrap_or_else(|| std::mem::take(&mut vm.os));
    vm.disks = change.disks.unwrap_or_else(|| std::mem::take(&mut vm.disks));
    Ok(())
}
