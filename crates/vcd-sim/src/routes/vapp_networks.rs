//! The networks of a vApp: a section that is always written whole.

use axum::{extract::Path, response::Response};
use roxmltree::Node;
use uuid::Uuid;

use super::{Ask, id_of, parse, views};
use crate::{
    durations,
    effects::Effect,
    errors::Refusal,
    model::VappNetwork,
    server::Change,
    tasks::{Entity, Start},
    world::World,
    xml::{OVF, Read, VCLOUD},
};

pub(super) async fn get(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let result = id_of(&id).and_then(|id| {
        let section = views::network_config_section(&world, world.vapp(id)?, ask.base());
        Ok(section.attr("xmlns", VCLOUD).attr("xmlns:ovf", OVF))
    });
    ask.xml(200, "networkConfigSection", result)
}

pub(super) async fn put(ask: Ask, Path(id): Path<String>, body: String) -> Response {
    let result = ask
        .change(|c| {
            let id = id_of(&id)?;
            let before = c.world.vapp(id)?.networks.clone();
            c.world.require_idle(&c.world.vapp_and_vms(id))?;
            let doc = parse(c.world, &body, "NetworkConfigSection")?;
            let networks = read_networks(c.world, doc.root_element(), &before)?;
            replace(c, id, networks)
        })
        .await;
    ask.task(result)
}

/// Starts the task that gives a vApp these networks, if it may lose those it would lose.
pub(super) fn replace(c: &mut Change<'_>, id: Uuid, networks: Vec<VappNetwork>) -> Result<Uuid, Refusal> {
    let vapp = c.world.vapp(id)?.clone();
    // One that is connected to something else under its name is another network.
    let same = |a: &VappNetwork, b: &VappNetwork| {
        a.name == b.name && a.parent == b.parent && a.fence_mode == b.fence_mode
    };
    let gone: Vec<&VappNetwork> =
        vapp.networks.iter().filter(|n| !networks.iter().any(|m| same(m, n))).collect();
    if !gone.is_empty() {
        // Since API 37.1 a network cannot leave a vApp that is running, whether anything uses it or not.
        let runs = c.world.vapp_deployed(id) || c.world.vms_of(id).any(|vm| vm.suspended);
        if runs && !c.world.knobs.network_leaves_running_vapp {
            return Err(Refusal::stop_vapp(409, &vapp.name));
        }
        let user = c
            .world
            .vms_of(id)
            .find(|vm| vm.nics.iter().any(|nic| gone.iter().any(|g| g.name == nic.network)));
        if let Some(vm) = user.filter(|_| c.world.knobs.card_keeps_network) {
            return Err(Refusal::bad(format!("The network is in use by virtual machine \"{}\".", vm.name)));
        }
    }
    let parents: Vec<Entity> = networks
        .iter()
        .filter(|n| !vapp.networks.iter().any(|m| same(m, n)))
        .map(|n| Entity::Network(n.parent))
        .collect();
    c.world.require_idle(&parents)?;
    c.start(Start {
        operation: "vdcUpdateVappNetworkSection",
        duration: durations::of("vdcUpdateVappNetworkSection", 1),
        owner: Entity::Vapp(id),
        name: vapp.name,
        holds: parents,
        effect: Effect::VappNetworks { vapp: id, networks },
    })
}

/// Reads a NetworkConfigSection; networks that stay keep their ids.
pub(super) fn read_networks(
    world: &World,
    section: Node<'_, '_>,
    before: &[VappNetwork],
) -> Result<Vec<VappNetwork>, Refusal> {
    let mut networks: Vec<VappNetwork> = Vec::new();
    for config in section.all("NetworkConfig") {
        let name = config.attribute("networkName").unwrap_or_default().to_owned();
        if name == "none" {
            continue;
        }
        if name.is_empty() || networks.iter().any(|n| n.name == name) {
            return Err(Refusal::bad("validation error on field 'networkName'"));
        }
        let inner = config.find("Configuration").ok_or_else(|| Refusal::bad("Configuration is missing"))?;
        let parent = inner
            .find("ParentNetwork")
            .and_then(|p| p.attribute("href"))
            .ok_or_else(|| Refusal::bad("ParentNetwork is missing"))?;
        let parent = id_of(parent)?;
        world.network(parent)?;
        let fence_mode = inner.value("FenceMode").unwrap_or("bridged");
        if !["bridged", "natRouted", "isolated"].contains(&fence_mode) {
            return Err(Refusal::bad("validation error on field 'FenceMode'"));
        }
        let id = before.iter().find(|n| n.name == name).map_or_else(Uuid::new_v4, |n| n.id);
        networks.push(VappNetwork { id, name, parent, fence_mode: fence_mode.into() });
    }
    Ok(networks)
}
