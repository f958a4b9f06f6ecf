//! Org networks, vApp networks and edges in the XML family: one address space for both kinds of network.

use axum::{extract::Path, response::Response};
use uuid::Uuid;

use super::{
    Ask, id_of, networks, number, parse, vapp_networks,
    views::{self, href, link, media},
};
use crate::{
    errors::Refusal,
    model::{Network, Realization, VappNetwork},
    tasks::Entity,
    world::World,
    xml::{Element, Read},
};

pub(super) async fn get(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let result = id_of(&id).and_then(|id| match vapp_network(&world, id) {
        Some((vapp, n)) => {
            let parent = world.network(n.parent)?;
            Ok(Element::vcloud("VAppNetwork")
                .attr("name", &n.name)
                .attr("id", Entity::Network(n.id).urn())
                .attr("href", format!("{}/api/network/{}", ask.base(), n.id))
                .attr("type", media("vAppNetwork"))
                .attr("deployed", world.vapp_deployed(vapp))
                .child(link("up", Some("vApp"), href(ask.base(), Entity::Vapp(vapp))))
                .leaf("Description", "")
                .child(configuration(parent, ask.base(), Some(&n.fence_mode))))
        }
        None => Ok(org_network(&world, world.network(id)?, ask.base(), ask.now())),
    });
    ask.xml(200, "orgVdcNetwork", result)
}

fn vapp_network(world: &World, id: Uuid) -> Option<(Uuid, &VappNetwork)> {
    world.vapps.values().find_map(|a| a.networks.iter().find(|n| n.id == id).map(|n| (a.id, n)))
}

fn configuration(n: &Network, base: &str, fence: Option<&str>) -> Element {
    let element = Element::new("Configuration")
        .child(Element::new("IpScopes").child(views::ip_scope(n, fence.is_some())));
    let element = match fence {
        None => element,
        Some(_) => element.child(
            Element::new("ParentNetwork")
                .attr("href", href(base, Entity::Network(n.id)))
                .attr("name", &n.name),
        ),
    };
    element.leaf("FenceMode", fence.unwrap_or("natRouted")).leaf("RetainNetInfoAcrossDeployments", false)
}

pub(super) fn org_network(world: &World, n: &Network, base: &str, now: i64) -> Element {
    let entity = Entity::Network(n.id);
    let own = href(base, entity);
    let mut links = vec![link("up", Some("vdc"), format!("{base}/api/vdc/{}", world.vdc.id))];
    let running = world.task_on(entity).filter(|t| t.owner == entity);
    // A compose that gives out its addresses holds it too.
    if !world.is_busy(entity) {
        links.push(link("remove", None, format!("{base}/api/admin/network/{}", n.id)));
        links.push(link("edit", Some("orgVdcNetwork"), format!("{base}/api/admin/network/{}", n.id)));
    }
    let tasks = running.map(|t| Element::new("Tasks").child(views::task(world, t, base, now)));
    Element::vcloud("OrgVdcNetwork")
        .attr("status", i32::from(n.status == Realization::Realized))
        .attr("name", &n.name)
        .attr("id", entity.urn())
        .attr("href", own)
        .attr("type", media("orgVdcNetwork"))
        .children(links)
        .leaf("Description", &n.description)
        .children(tasks)
        .child(configuration(n, base, None))
        .child(Element::new("EdgeGateway").attr("href", href(base, Entity::Gateway(n.edge))))
        .leaf("IsShared", n.shared)
}

/// Creates a routed network: the older way, still taken.
pub(super) async fn create(ask: Ask, Path(_): Path<String>, body: String) -> Response {
    let result = ask
        .change(|c| {
            let doc = parse(c.world, &body, "OrgVdcNetwork")?;
            let root = doc.root_element();
            let edge = root.find("EdgeGateway").and_then(|e| e.attribute("href")).unwrap_or_default();
            let edge = id_of(edge)?;
            c.world.require_idle(&[Entity::Gateway(edge)])?;
            let scope = root
                .find("Configuration")
                .and_then(|r| r.find("IpScopes"))
                .and_then(|s| s.find("IpScope"))
                .ok_or_else(|| Refusal::bad("IpScope is missing"))?;
            let text = |name: &str| scope.value(name).unwrap_or_default().trim().to_owned();
            let ranges = scope.find("IpRanges").map(|r| r.all("IpRange")).unwrap_or_default();
            let network = Network {
                id: Uuid::new_v4(),
                name: root.attribute("name").unwrap_or_default().into(),
                description: root.value("Description").unwrap_or_default().into(),
                edge,
                gateway: text("Gateway"),
                prefix_length: match scope.value("SubnetPrefixLength") {
                    Some(prefix) => number(prefix, "SubnetPrefixLength")?,
                    None => prefix_of(&text("Netmask"))?,
                },
                dns: [text("Dns1"), text("Dns2")],
                ranges: ranges
                    .into_iter()
                    .map(|r| {
                        let end = |name| r.value(name).unwrap_or_default().trim().to_owned();
                        (end("StartAddress"), end("EndAddress"))
                    })
                    .collect(),
                status: Realization::Configuring,
                shared: root.flag("IsShared"),
            };
            let id = network.id;
            networks::add(c, network)?;
            Ok(id)
        })
        .await;
    let result = result.and_then(|id| {
        let world = ask.read();
        Ok(org_network(&world, world.network(id)?, ask.base(), ask.now()))
    });
    ask.xml(201, "orgVdcNetwork", result)
}

fn prefix_of(netmask: &str) -> Result<u8, Refusal> {
    let bits = crate::model::ip_number(netmask).filter(|m| m.leading_ones() + m.trailing_zeros() == 32);
    let bits = bits.ok_or_else(|| Refusal::bad("validation error on field 'Netmask'"))?;
    Ok(bits.leading_ones() as u8)
}

/// Deletes an org network, or takes a vApp network out of its vApp.
pub(super) async fn delete(ask: Ask, Path(id): Path<String>) -> Response {
    let result = ask
        .change(|c| {
            let id = id_of(&id)?;
            let found = vapp_network(c.world, id).map(|(vapp, n)| (vapp, n.name.clone()));
            match found {
                None => networks::remove(c, id),
                Some((vapp, name)) => {
                    c.world.require_idle(&c.world.vapp_and_vms(vapp))?;
                    let mut rest = c.world.vapp(vapp)?.networks.clone();
                    rest.retain(|n| n.name != name);
                    vapp_networks::replace(c, vapp, rest)
                }
            }
        })
        .await;
    ask.task(result)
}

/// An edge as the older family writes it.
pub(super) async fn edge(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let base = ask.base();
    let result = id_of(&id).and_then(|id| world.edge(id)).map(|e| {
        Element::vcloud("EdgeGateway")
            .attr("status", 1)
            .attr("name", &e.name)
            .attr("id", Entity::Gateway(e.id).urn())
            .attr("href", href(base, Entity::Gateway(e.id)))
            .attr("type", "application/vnd.vmware.admin.edgeGateway+xml")
            .child(link("up", Some("vdc"), format!("{base}/api/vdc/{}", world.vdc.id)))
            .leaf("Description", &e.description)
            .children(views::tasks_of(&world, Entity::Gateway(e.id), base, ask.now()))
            .leaf("EdgeGatewayType", "NSXT_BACKED")
            .child(
                Element::new("Configuration").leaf("GatewayBackingConfig", "compact").child(
                    Element::new("GatewayInterfaces").child(
                        Element::new("GatewayInterface")
                            .leaf("Name", "t0")
                            .leaf("DisplayName", "t0")
                            .leaf("InterfaceType", "uplink"),
                    ),
                ),
            )
    });
    ask.xml(200, "edgeGateway", result)
}
