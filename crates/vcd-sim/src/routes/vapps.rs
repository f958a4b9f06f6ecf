//! vApps: compose, instantiate, clone, read, rename, delete.

use axum::{extract::Path, response::Response};
use roxmltree::Node;
use uuid::Uuid;

use super::{
    Ask, copies, id_of, parse,
    recompose::{Sourced, created_items, room_for, sourced_items},
    vapp_networks::read_networks,
    views,
    vms::{known_placement, only},
};
use crate::{
    durations,
    effects::Effect,
    errors::Refusal,
    model::{Access, Vapp, VappNetwork, Vm},
    server::Change,
    tasks::{Entity, Start},
    xml::{Element, Read},
};

/// A new vApp that is being made: visible at once, ready when its task ends.
struct New {
    operation: &'static str,
    counted: usize,
    name: String,
    description: String,
    networks: Vec<VappNetwork>,
}

impl New {
    fn of(operation: &'static str, root: Node<'_, '_>, networks: Vec<VappNetwork>) -> Result<Self, Refusal> {
        let name = root.attribute("name").unwrap_or_default();
        if name.is_empty() || name.chars().count() > 128 {
            return Err(Refusal::bad("validation error on field 'name': must be 1 to 128 characters"));
        }
        let description = root.value("Description").unwrap_or_default().to_owned();
        Ok(Self { operation, counted: 0, name: name.into(), description, networks })
    }

    /// `vms` builds the machines, given the id of the vApp they are for, and says what is held while they are copied.
    fn make(
        self,
        c: &mut Change<'_>,
        root: Node<'_, '_>,
        vms: impl FnOnce(&mut Change<'_>, Uuid) -> Result<(Vec<Vm>, Vec<Entity>), Refusal>,
    ) -> Result<Uuid, Refusal> {
        let mut holds: Vec<Entity> = self.networks.iter().map(|n| Entity::Network(n.parent)).collect();
        c.world.require_idle(&holds)?;
        let vapp = Vapp {
            id: Uuid::new_v4(),
            name: self.name.clone(),
            description: self.description,
            ready: false,
            failed: false,
            networks: self.networks,
            created: c.now,
            owner: c.user.to_owned(),
            properties: Vec::new(),
            access: Access::default(),
        };
        let id = vapp.id;
        c.world.vapps.insert(id, vapp);
        let vms = match vms(c, id) {
            Ok((vms, sources)) => {
                if c.world.knobs.copy_holds_source {
                    holds.extend(sources);
                }
                vms
            }
            Err(refusal) => {
                c.world.vapps.remove(&id);
                return Err(refusal);
            }
        };
        let counted = self.counted + vms.len();
        let duration = match (self.operation, vms.len()) {
            ("vdcComposeVapp", n) if n > 0 => {
                durations::of("vdcComposeVapp", self.counted) + durations::of("vdcRecomposeVapp copy", n)
            }
            (operation, _) => durations::of(operation, counted),
        };
        let (deploy, power_on) = start_of(c, root);
        let started = c.start(Start {
            operation: self.operation,
            duration,
            owner: Entity::Vapp(id),
            name: self.name,
            holds,
            effect: Effect::VappMade { id, vms, deploy, power_on },
        });
        if started.is_err() {
            c.world.vapps.remove(&id);
        }
        started.map(|_| id)
    }
}

/// An attribute that is a truth, in any capitalisation.
pub(super) fn is_true(node: Node<'_, '_>, name: &str, default: bool) -> bool {
    node.attribute(name).map_or(default, |v| v.eq_ignore_ascii_case("true"))
}

/// Whether new machines are deployed, and whether they are turned on too. By the schema both are true where nothing is
/// said; inferred.
pub(super) fn start_of(c: &Change<'_>, root: Node<'_, '_>) -> (bool, bool) {
    let default = c.world.knobs.power_on_by_default;
    let deploy = is_true(root, "deploy", default);
    (deploy, deploy && is_true(root, "powerOn", default))
}

fn wanted_networks(c: &Change<'_>, root: Node<'_, '_>) -> Result<Vec<VappNetwork>, Refusal> {
    let section = root.find("InstantiationParams").and_then(|p| p.find("NetworkConfigSection"));
    section.map_or(Ok(Vec::new()), |s| read_networks(c.world, s, &[]))
}

pub(super) async fn compose(ask: Ask, Path(vdc): Path<String>, body: String) -> Response {
    let result = ask
        .change(|c| {
            own_vdc(c, &vdc)?;
            let doc = parse(c.world, &body, "ComposeVAppParams")?;
            let root = doc.root_element();
            let networks = wanted_networks(c, root)?;
            let mut new = New::of("vdcComposeVapp", root, networks)?;
            new.counted = new.networks.len();
            new.make(c, root, |c, id| {
                let sourced = sourced_items(c, id, root)?;
                if sourced.iter().any(|s| matches!(s, Sourced::Moved { .. })) {
                    return Err(Refusal::bad("A machine is moved by a recompose, not by a compose."));
                }
                let (mut vms, sources) = split(sourced);
                vms.extend(created_items(c, id, root, &vms)?);
                Ok((vms, sources))
            })
        })
        .await;
    answer_new(&ask, result)
}

/// The machines that are copied, and those they are copied from.
fn split(items: Vec<Sourced>) -> (Vec<Vm>, Vec<Entity>) {
    let mut sources: Vec<Entity> = items.iter().filter_map(Sourced::source).map(Entity::Vm).collect();
    sources.sort();
    sources.dedup();
    (items.into_iter().filter_map(Sourced::copied).collect(), sources)
}

fn own_vdc(c: &Change<'_>, vdc: &str) -> Result<(), Refusal> {
    let id = id_of(vdc)?;
    if id == c.world.vdc.id { Ok(()) } else { Err(Refusal::forbidden("vdc", id)) }
}

fn answer_new(ask: &Ask, result: Result<Uuid, Refusal>) -> Response {
    let result = result.and_then(|id| view(ask, id));
    ask.xml(201, "vApp", result)
}

/// A whole template as a new vApp: its machine under the vApp's own settings.
pub(super) async fn instantiate(ask: Ask, Path(vdc): Path<String>, body: String) -> Response {
    let result = ask
        .change(|c| {
            own_vdc(c, &vdc)?;
            let doc = parse(c.world, &body, "InstantiateVAppTemplateParams")?;
            let root = doc.root_element();
            not_offered(c, root)?;
            let source = root.find("Source").and_then(|s| s.attribute("href")).unwrap_or_default();
            let source = id_of(source)?;
            let template = c.world.templates.get(&source).cloned();
            let template = template.ok_or_else(|| Refusal::forbidden("vappTemplate", source))?;
            let networks = wanted_networks(c, root)?;
            New::of("vdcInstantiateVapp", root, networks)?.make(c, root, |c, id| {
                let asked = split(sourced_items(c, id, root)?);
                if !asked.0.is_empty() {
                    return Ok(asked);
                }
                room_for(c, 1)?;
                if template.eula && !root.flag("AllEULAsAccepted") {
                    return Err(Refusal::bad(
                        "All EULAs of the template have to be accepted (AllEULAsAccepted).",
                    ));
                }
                Ok((vec![copies::copy_of(&template, id, &template.name, c.now)], vec![]))
            })
        })
        .await;
    answer_new(&ask, result)
}

/// A copy of a vApp with copies of its machines.
pub(super) async fn clone(ask: Ask, Path(vdc): Path<String>, body: String) -> Response {
    let result = ask
        .change(|c| {
            own_vdc(c, &vdc)?;
            let doc = parse(c.world, &body, "CloneVAppParams")?;
            let root = doc.root_element();
            let source = id_of(root.find("Source").and_then(|s| s.attribute("href")).unwrap_or_default())?;
            let original = c.world.vapp(source)?.clone();
            c.world.require_idle(&c.world.vapp_and_vms(source))?;
            not_offered(c, root)?;
            if root.find("SourcedItem").is_some() {
                return Err(Refusal::bad("Cloning with SourcedItem is not offered by this simulator."));
            }
            let networks =
                original.networks.iter().map(|n| VappNetwork { id: Uuid::new_v4(), ..n.clone() }).collect();
            New::of("vdcCopyVapp", root, networks)?.make(c, root, |c, id| {
                room_for(c, c.world.vms_of(source).count())?;
                let originals = c.world.vms_of(source);
                let vms = originals.map(|vm| copies::clone_of(vm, id, &vm.name, c.now)).collect();
                Ok((vms, c.world.vapp_and_vms(source)))
            })
        })
        .await;
    answer_new(&ask, result)
}

/// Refuses what would be taken and not done. Of single machines of the source their storage may be said, as there is one.
fn not_offered(c: &Change<'_>, root: Node<'_, '_>) -> Result<(), Refusal> {
    if root.flag("IsSourceDelete") {
        let root = root.tag_name().name();
        return Err(Refusal::bad(format!("IsSourceDelete in {root} is not offered by this simulator.")));
    }
    root.all("SourcedVmInstantiationParams").into_iter().try_for_each(|params| {
        only(params, &["Source", "StorageProfile"])?;
        known_placement(c.world, params)
    })
}

fn view(ask: &Ask, id: Uuid) -> Result<Element, Refusal> {
    let world = ask.read();
    Ok(views::vapp(&world, world.vapp(id)?, ask.base(), ask.now()))
}

/// `/api/vApp/vapp-U` and `/api/vApp/vm-U` share their path.
pub(super) async fn get(ask: Ask, Path(id): Path<String>) -> Response {
    if id.starts_with("vm-") {
        let result = id_of(&id).and_then(|id| {
            let world = ask.read();
            Ok(views::vm(&world, world.vm(id)?, ask.base(), ask.now()))
        });
        return ask.xml(200, "vm", result);
    }
    let result = id_of(&id).and_then(|id| view(&ask, id));
    ask.xml(200, "vApp", result)
}

/// Name and description. Of a machine, through its own reconfiguration only.
pub(super) async fn update(ask: Ask, Path(id): Path<String>, body: String) -> Response {
    let result = ask
        .change(|c| {
            let uuid = id_of(&id)?;
            let vapp = c.world.vapp(uuid)?.clone();
            c.world.require_idle(&[Entity::Vapp(uuid)])?;
            let doc = parse(c.world, &body, "VApp")?;
            let root = doc.root_element();
            let name = root.attribute("name").filter(|n| !n.is_empty()).unwrap_or(&vapp.name).to_owned();
            let description = root.value("Description").map_or(vapp.description, str::to_owned);
            c.start(Start {
                operation: "vdcUpdateVapp",
                duration: durations::of("vdcUpdateVapp", 1),
                owner: Entity::Vapp(uuid),
                name: vapp.name,
                holds: vec![],
                effect: Effect::VappUpdated { id: uuid, name, description },
            })
        })
        .await;
    ask.task(result)
}

pub(super) async fn delete(ask: Ask, Path(id): Path<String>) -> Response {
    let result = ask
        .change(|c| {
            let uuid = id_of(&id)?;
            if id.starts_with("vm-") { delete_vm(c, uuid) } else { delete_vapp(c, uuid) }
        })
        .await;
    ask.task(result)
}

fn delete_vm(c: &mut Change<'_>, id: Uuid) -> Result<Uuid, Refusal> {
    let vm = c.world.vm(id)?;
    c.world.require_idle(&[Entity::Vm(id), Entity::Vapp(vm.vapp)])?;
    if vm.deployed {
        return Err(Refusal::stop_vapp(400, &vm.name));
    }
    let name = vm.name.clone();
    c.start(Start {
        operation: "vappDeleteVm",
        duration: durations::of("vappDeleteVm", 1),
        owner: Entity::Vm(id),
        name,
        holds: vec![],
        effect: Effect::VmDeleted(id),
    })
}

fn delete_vapp(c: &mut Change<'_>, id: Uuid) -> Result<Uuid, Refusal> {
    let name = c.world.vapp(id)?.name.clone();
    let all = c.world.vapp_and_vms(id);
    c.world.require_idle(&all)?;
    if c.world.vapp_deployed(id) {
        return Err(Refusal::stop_vapp(400, &name));
    }
    c.start(Start {
        operation: "vdcDeleteVapp",
        duration: durations::of("vdcDeleteVapp", all.len() - 1),
        owner: Entity::Vapp(id),
        name,
        holds: all[1..].to_vec(),
        effect: Effect::VappDeleted(id),
    })
}
