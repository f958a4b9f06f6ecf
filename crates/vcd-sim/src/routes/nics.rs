//! The cards of a machine.

use axum::{extract::Path, response::Response};
use roxmltree::Node;
use uuid::Uuid;

use super::{
    Ask, id_of, number, parse, sections,
    vapps::is_true,
    vms::{alone, idle_vm, is_held, update},
};
use crate::{
    effects::Effect,
    errors::Refusal,
    model::{ADAPTERS, Nic, ip_number, new_mac, vmxnet3},
    world::World,
    xml::Read,
};

pub(super) async fn get(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let result = id_of(&id)
        .and_then(|id| world.vm(id))
        .map(|vm| alone(sections::network_connection_section(vm, ask.base(), !is_held(&world, vm))));
    ask.xml(200, "networkConnectionSection", result)
}

/// Replaces all cards. What is inside the guest does not change by that.
pub(super) async fn put(ask: Ask, Path(id): Path<String>, body: String) -> Response {
    let result = ask
        .change(|c| {
            let vm = idle_vm(c.world, &id)?;
            let doc = parse(c.world, &body, "NetworkConnectionSection")?;
            let nics = read_nics(c.world, vm.vapp, doc.root_element(), &vm.nics, false)?;
            let primary = vm.primary_nic().map(|n| n.index);
            if vm.powered_on && primary.is_some_and(|p| nics.iter().all(|n| n.index != p)) {
                return Err(Refusal::bad(
                    "The primary network connection of a running VM cannot be removed.",
                ));
            }
            update(c, &vm, "vappUpdateVm section", Effect::Nics { vm: vm.id, nics })
        })
        .await;
    ask.task(result)
}

/// A card as somebody asks for it.
pub(super) struct Asked {
    pub(super) index: u32,
    pub(super) network: String,
    pub(super) mode: String,
    pub(super) address: Option<String>,
    pub(super) connected: bool,
    pub(super) needs_customization: bool,
    /// A hardware address that is asked for; without one the card keeps its own, or is given one.
    pub(super) mac: Option<String>,
    pub(super) adapter: Option<String>,
}

/// Reads a NetworkConnectionSection. `before` are the cards that the machine has: those keep their hardware address.
/// One client cannot name an address together with `MANUAL` when it adds a machine: `lenient` leaves it open.
pub(super) fn read_nics(
    world: &World,
    vapp: Uuid,
    section: Node<'_, '_>,
    before: &[Nic],
    lenient: bool,
) -> Result<Vec<Nic>, Refusal> {
    let asked = |connection: Node<'_, '_>| {
        let index = connection.value("NetworkConnectionIndex").map(|t| number(t, "NetworkConnectionIndex"));
        Ok(Asked {
            index: index.transpose()?.unwrap_or(0),
            network: connection.attribute("network").unwrap_or("none").to_owned(),
            mode: connection.value("IpAddressAllocationMode").unwrap_or("NONE").trim().to_owned(),
            address: connection.value("IpAddress").map(|a| a.trim().to_owned()),
            connected: connection.flag("IsConnected"),
            needs_customization: is_true(connection, "needsCustomization", false),
            mac: connection.value("MACAddress").map(|m| m.trim().to_owned()).filter(|m| !m.is_empty()),
            adapter: connection.value("NetworkAdapterType").map(|a| a.trim().to_owned()),
        })
    };
    let asked = section.all("NetworkConnection").into_iter().map(asked).collect::<Result<Vec<_>, _>>()?;
    let mut nics = given(world, vapp, asked, before, lenient)?;
    if let Some(text) = section.value("PrimaryNetworkConnectionIndex") {
        let primary: u32 = number(text, "PrimaryNetworkConnectionIndex")?;
        if !nics.is_empty() && nics.iter().all(|n| n.index != primary) {
            return Err(Refusal::bad(format!(
                "validation error on field 'PrimaryNetworkConnectionIndex': there is no card {primary}"
            )));
        }
        nics.iter_mut().for_each(|n| n.primary = n.index == primary);
    }
    Ok(nics)
}

/// The cards that a machine of this vApp gets when it asks for these.
pub(super) fn given(
    world: &World,
    vapp: Uuid,
    asked: Vec<Asked>,
    before: &[Nic],
    lenient: bool,
) -> Result<Vec<Nic>, Refusal> {
    let networks = &world.vapp(vapp)?.networks;
    let mut nics: Vec<Nic> = Vec::new();
    for asked in asked {
        let Asked { index, network, mode, address, connected, needs_customization, mac, adapter } = asked;
        let parent = networks.iter().find(|n| n.name == network).and_then(|n| world.networks.get(&n.parent));
        if network != "none" && parent.is_none() {
            return Err(Refusal::bad(format!("The vApp has no network \"{network}\".")));
        }
        if nics.iter().any(|n| n.index == index) {
            return Err(Refusal::bad("validation error on field 'NetworkConnectionIndex'"));
        }
        if !["POOL", "MANUAL", "DHCP", "NONE"].contains(&mode.as_str()) {
            return Err(Refusal::bad("validation error on field 'IpAddressAllocationMode'"));
        }
        if mode == "NONE" && network != "none" && !lenient {
            return Err(Refusal::bad("A card of the mode NONE is connected to the network \"none\"."));
        }
        let old = before.iter().find(|n| n.index == index);
        let address = address.as_deref().filter(|a| !a.is_empty());
        let ip = match (mode.as_str(), address, parent) {
            ("MANUAL", None, _) if !lenient => {
                return Err(Refusal::bad("IpAddress is required with MANUAL"));
            }
            ("MANUAL", Some(address), Some(parent)) => {
                let inside = |a: &str| -> Option<bool> {
                    let mask = u32::MAX.checked_shl(32 - u32::from(parent.prefix_length)).unwrap_or(0);
                    Some(ip_number(a)? & mask == ip_number(&parent.gateway)? & mask)
                };
                if inside(address) != Some(true) {
                    return Err(Refusal::bad(format!(
                        "The address {address} is not in the network's subnet."
                    )));
                }
                let mine = before.iter().any(|n| n.ip.as_deref() == Some(address));
                let twice =
                    nics.iter().any(|n: &Nic| n.ip.as_deref() == Some(address) && n.network == network);
                let taken =
                    twice || address == parent.gateway || world.addresses_on(parent.id).contains(address);
                if world.knobs.addresses_are_unique && (twice || (taken && !mine)) {
                    return Err(Refusal::bad(format!("The address {address} is in use.")));
                }
                Some(address.to_owned())
            }
            // A card that stays keeps the address the pool gave it.
            ("POOL", ..) => {
                old.filter(|o| o.mode == "POOL" && o.network == network).and_then(|o| o.ip.clone())
            }
            _ => None,
        };
        let mac = hardware_address(world, before, old, mac)?;
        let adapter = match (adapter, old) {
            (None, old) => old.map_or_else(vmxnet3, |o| o.adapter.clone()),
            (Some(name), _) => {
                let known = ADAPTERS.iter().find(|a| a.eq_ignore_ascii_case(&name));
                let unknown = || Refusal::bad("validation error on field 'NetworkAdapterType'");
                (*known.ok_or_else(unknown)?).to_owned()
            }
        };
        let primary = old.is_some_and(|o| o.primary);
        nics.push(Nic { index, network, ip, mode, connected, mac, primary, needs_customization, adapter });
    }
    nics.sort_by_key(|n| n.index);
    Ok(nics)
}

/// The hardware address of a card: what is asked for, if it is one and no other machine's; what it has; a new one.
fn hardware_address(
    world: &World,
    before: &[Nic],
    old: Option<&Nic>,
    asked: Option<String>,
) -> Result<String, Refusal> {
    let Some(asked) = asked else { return Ok(old.map_or_else(new_mac, |o| o.mac.clone())) };
    let mut bytes = asked.split(':');
    let well_formed =
        bytes.clone().count() == 6 && bytes.all(|b| b.len() == 2 && b.bytes().all(|c| c.is_ascii_hexdigit()));
    if !well_formed {
        return Err(Refusal::bad("validation error on field 'MACAddress'"));
    }
    let is = |n: &Nic| n.mac.eq_ignore_ascii_case(&asked);
    if !before.iter().any(is) && world.vms.values().flat_map(|vm| &vm.nics).any(is) {
        return Err(Refusal::bad(format!("The MAC address {asked} is in use.")));
    }
    Ok(asked.to_ascii_lowercase())
}
