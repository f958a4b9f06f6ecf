//! The organisation, its VDC, its templates: read only.

use axum::{
    Extension,
    extract::{Path, State},
    response::Response,
};

use super::{
    id_of,
    views::{link, media},
    xml,
};
use crate::{
    errors::Refusal,
    server::{Around, Simulator},
    xml::Element,
};

pub(super) async fn org_list(State(sim): State<Simulator>, Extension(around): Extension<Around>) -> Response {
    let world = sim.read();
    let list = Element::vcloud("OrgList").child(
        Element::new("Org")
            .attr("name", &world.org.name)
            .attr("href", format!("{}/api/org/{}", around.base, world.org.id))
            .attr("type", media("org")),
    );
    xml(&around, 200, "orgList", Ok(list))
}

pub(super) async fn org(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Path(id): Path<String>,
) -> Response {
    let world = sim.read();
    let base = &around.base;
    let result = id_of(&id).and_then(|id| {
        if id != world.org.id {
            return Err(Refusal::forbidden("org", id));
        }
        Ok(Element::vcloud("Org")
            .attr("name", &world.org.name)
            .attr("id", format!("urn:vcloud:org:{id}"))
            .attr("href", format!("{base}/api/org/{id}"))
            .attr("type", media("org"))
            .child(link("down", Some("vdc"), format!("{base}/api/vdc/{}", world.vdc.id)))
            .child(link(
                "down",
                Some("query.records"),
                format!("{base}/api/query?type=orgVdc&format=records"),
            ))
            .leaf("Description", "")
            .leaf("FullName", &world.org.name))
    });
    xml(&around, 200, "org", result)
}

pub(super) async fn vdc(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Path(id): Path<String>,
) -> Response {
    let world = sim.read();
    let base = &around.base;
    let result = id_of(&id).and_then(|id| {
        if id != world.vdc.id {
            return Err(Refusal::forbidden("vdc", id));
        }
        let own = format!("{base}/api/vdc/{id}");
        Ok(Element::vcloud("Vdc")
            .attr("status", 1)
            .attr("name", &world.vdc.name)
            .attr("id", format!("urn:vcloud:vdc:{id}"))
            .attr("href", &own)
            .attr("type", media("vdc"))
            .child(link("up", Some("org"), format!("{base}/api/org/{}", world.org.id)))
            .child(link("add", Some("composeVAppParams"), format!("{own}/action/composeVApp")))
            .leaf("Description", "")
            .child(Element::new("ResourceEntities").children(world.vapps.values().map(|a| {
                Element::new("ResourceEntity")
                    .attr("type", media("vApp"))
                    .attr("name", &a.name)
                    .attr("id", format!("urn:vcloud:vapp:{}", a.id))
                    .attr("href", format!("{base}/api/vApp/vapp-{}", a.id))
            })))
            .leaf("IsEnabled", true))
    });
    xml(&around, 200, "vdc", result)
}

pub(super) async fn template(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Path(id): Path<String>,
) -> Response {
    let world = sim.read();
    let base = &around.base;
    let result = id_of(&id).and_then(|id| {
        let t = world.templates.get(&id).ok_or_else(|| Refusal::forbidden("vappTemplate", id))?;
        let vm = Element::new("Vm")
            .attr("name", &t.name)
            .attr("id", format!("urn:vcloud:vm:{}", t.vm))
            .attr("href", format!("{base}/api/vAppTemplate/vm-{}", t.vm))
            .attr("type", media("vm"))
            .child(
                Element::new("NetworkConnectionSection")
                    .leaf("ovf:Info", "")
                    .leaf("PrimaryNetworkConnectionIndex", 0)
                    .child(
                        Element::new("NetworkConnection")
                            .attr("network", "VM Network")
                            .leaf("NetworkConnectionIndex", 0)
                            .leaf("IsConnected", true)
                            .leaf("IpAddressAllocationMode", "DHCP"),
                    ),
            );
        Ok(Element::vcloud("VAppTemplate")
            .attr("status", 8)
            .attr("name", &t.name)
            .attr("id", format!("urn:vcloud:vapptemplate:{id}"))
            .attr("href", format!("{base}/api/vAppTemplate/vappTemplate-{id}"))
            .attr("type", media("vAppTemplate"))
            .leaf("Description", "")
            .child(Element::new("Children").child(vm)))
    });
    xml(&around, 200, "vAppTemplate", result)
}
