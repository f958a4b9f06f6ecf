//! The organisation and what belongs to it: VDC, catalogue, templates, storage. Read only.

use axum::{
    extract::{Path, Query},
    response::Response,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    Ask, Params,
    edges::page,
    id_of,
    views::{href, link, media},
};
use crate::{
    errors::Refusal,
    filter::{check, matches},
    model::{TEMPLATE_NETWORK, Template},
    tasks::Entity,
    world::World,
    xml::Element,
};

pub(super) async fn list(ask: Ask) -> Response {
    let world = ask.read();
    let list = Element::vcloud("OrgList").child(
        Element::new("Org")
            .attr("name", &world.org.name)
            .attr("id", format!("urn:vcloud:org:{}", world.org.id))
            .attr("href", format!("{}/api/org/{}", ask.base(), world.org.id))
            .attr("type", media("org")),
    );
    ask.xml(200, "orgList", Ok(list))
}

fn own(id: &str, known: Uuid, kind: &str) -> Result<Uuid, Refusal> {
    let id = id_of(id)?;
    if id == known { Ok(id) } else { Err(Refusal::forbidden(kind, id)) }
}

pub(super) async fn org(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let result = own(&id, world.org.id, "org").map(|_| org_body(&world, ask.base(), "Org"));
    ask.xml(200, "org", result)
}

pub(super) async fn admin_org(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let result = own(&id, world.org.id, "org").map(|_| {
        org_body(&world, ask.base(), "AdminOrg")
            .leaf("IsEnabled", true)
            .child(
                Element::new("Catalogs").child(
                    Element::new("CatalogReference")
                        .attr("href", format!("{}/api/admin/catalog/{}", ask.base(), world.catalog.id))
                        .attr("name", &world.catalog.name)
                        .attr("type", "application/vnd.vmware.admin.catalog+xml"),
                ),
            )
            .child(
                Element::new("Vdcs").child(
                    Element::new("Vdc")
                        .attr("href", format!("{}/api/admin/vdc/{}", ask.base(), world.vdc.id))
                        .attr("name", &world.vdc.name)
                        .attr("type", "application/vnd.vmware.admin.vdc+xml"),
                ),
            )
    });
    ask.xml(200, "organization", result)
}

/// Clients of API 33 and later find VDCs and catalogues through the first records link whose address contains the word:
/// the VDC's own link comes before any that contains it by chance.
fn org_body(world: &World, base: &str, root: &str) -> Element {
    let (id, vdc, catalog) = (world.org.id, &world.vdc, &world.catalog);
    let records =
        |kind| link("down", Some("query.records"), format!("{base}/api/query?type={kind}&format=records"));
    Element::vcloud(root)
        .attr("name", &world.org.name)
        .attr("id", format!("urn:vcloud:org:{id}"))
        .attr("href", format!("{base}/api/org/{id}"))
        .attr("type", media("org"))
        .child(records("orgVdc"))
        .child(records("catalog"))
        .child(records("orgVdcNetwork"))
        .child(link("down", Some("vdc"), format!("{base}/api/vdc/{}", vdc.id)).attr("name", &vdc.name))
        .child(
            link("down", Some("catalog"), format!("{base}/api/catalog/{}", catalog.id))
                .attr("name", &catalog.name),
        )
        .child(link("down", Some("metadata"), format!("{base}/api/org/{id}/metadata")))
        .leaf("Description", "")
        .leaf("FullName", &world.org.name)
}

pub(super) async fn admin(ask: Ask) -> Response {
    let base = ask.base();
    let world = ask.read();
    let body = Element::vcloud("VCloud")
        .attr("name", "VMware Cloud Director")
        .attr("href", format!("{base}/api/admin/"))
        .attr("type", "application/vnd.vmware.admin.vcloud+xml")
        .leaf("Description", "10.5.1.0 Thu Nov 30 2023")
        .child(
            Element::new("OrganizationReferences").child(
                Element::new("OrganizationReference")
                    .attr("href", format!("{base}/api/admin/org/{}", world.org.id))
                    .attr("name", &world.org.name)
                    .attr("type", "application/vnd.vmware.admin.organization+xml"),
            ),
        );
    ask.xml(200, "vcloud", Ok(body))
}

pub(super) async fn vdc(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let result = own(&id, world.vdc.id, "vdc").map(|_| vdc_body(&world, ask.base()));
    ask.xml(200, "vdc", result)
}

/// The operator's view of the same VDC.
pub(super) async fn admin_vdc(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let result = own(&id, world.vdc.id, "vdc").map(|id| {
        vdc_body(&world, ask.base())
            .renamed("AdminVdc")
            .attr("href", format!("{}/api/admin/vdc/{id}", ask.base()))
            .attr("type", "application/vnd.vmware.admin.vdc+xml")
            .leaf("ResourceGuaranteedMemory", 0)
            .leaf("ResourceGuaranteedCpu", 0)
            .leaf("VCpuInMhz", 1000)
            .leaf("IsThinProvision", true)
            .leaf("UsesFastProvisioning", false)
    });
    ask.xml(200, "vdc", result)
}

fn vdc_body(world: &World, base: &str) -> Element {
    let id = world.vdc.id;
    let own = format!("{base}/api/vdc/{id}");
    let admin = format!("{base}/api/admin/vdc/{id}");
    let add = |kind: &str, to: String| link("add", Some(kind), to);
    let entity = |kind: &str, name: &str, urn: String, href: String| {
        Element::new("ResourceEntity")
            .attr("type", media(kind))
            .attr("name", name)
            .attr("id", urn)
            .attr("href", href)
    };
    let vapps = world
        .vapps
        .values()
        .map(|a| entity("vApp", &a.name, Entity::Vapp(a.id).urn(), href(base, Entity::Vapp(a.id))));
    let templates = world.templates.values().map(|t| {
        let href = format!("{base}/api/vAppTemplate/vappTemplate-{}", t.id);
        entity("vAppTemplate", &t.name, format!("urn:vcloud:vapptemplate:{}", t.id), href)
    });
    let networks = world.networks.values().map(|n| {
        Element::new("Network")
            .attr("type", media("network"))
            .attr("name", &n.name)
            .attr("id", Entity::Network(n.id).urn())
            .attr("href", href(base, Entity::Network(n.id)))
    });
    let capacity = |unit: &str| {
        Element::new("X")
            .leaf("Units", unit)
            .leaf("Allocated", 0)
            .leaf("Limit", 0)
            .leaf("Reserved", 0)
            .leaf("Used", 0)
    };
    Element::vcloud("Vdc")
        .attr("status", 1)
        .attr("name", &world.vdc.name)
        .attr("id", format!("urn:vcloud:vdc:{id}"))
        .attr("href", &own)
        .attr("type", media("vdc"))
        .child(link("up", Some("org"), format!("{base}/api/org/{}", world.org.id)))
        .child(link("down", Some("metadata"), format!("{own}/metadata")))
        .child(add("uploadVAppTemplateParams", format!("{own}/action/uploadVAppTemplate")))
        .child(add("media", format!("{own}/media")))
        .child(add("instantiateVAppTemplateParams", format!("{own}/action/instantiateVAppTemplate")))
        .child(add("cloneVAppParams", format!("{own}/action/cloneVApp")))
        .child(add("composeVAppParams", format!("{own}/action/composeVApp")))
        .child(add("captureVAppParams", format!("{own}/action/captureVApp")))
        .child(add("diskCreateParams", format!("{own}/disk")))
        .child(link("edgeGateways", Some("query.records"), format!("{admin}/edgeGateways")))
        .child(add("orgVdcNetwork", format!("{admin}/networks")))
        .child(link("orgVdcNetworks", Some("query.records"), format!("{admin}/networks")))
        .leaf("Description", "")
        .leaf("AllocationModel", "AllocationVApp")
        .child(capacity("MB").renamed("StorageCapacity"))
        .child(
            Element::new("ComputeCapacity")
                .child(capacity("MHz").renamed("Cpu"))
                .child(capacity("MB").renamed("Memory")),
        )
        .child(Element::new("ResourceEntities").children(vapps).children(templates))
        .child(Element::new("AvailableNetworks").children(networks))
        .child(
            Element::new("Capabilities")
                .child(Element::new("SupportedHardwareVersions").leaf("SupportedHardwareVersion", "vmx-19")),
        )
        .leaf("NicQuota", 0)
        .leaf("NetworkQuota", world.knobs.network_quota)
        .leaf("UsedNetworkCount", world.networks.len())
        .leaf("VmQuota", world.knobs.vm_quota)
        .leaf("IsEnabled", true)
        .child(
            Element::new("VdcStorageProfiles")
                .child(super::views::storage_profile(world, base).renamed("VdcStorageProfile")),
        )
        .children(
            ["DefaultComputePolicy", "MaxComputePolicy"]
                .map(|name| super::views::compute_policy(world, base).renamed(name)),
        )
        .leaf("VCpuInMhz2", 1000)
}

/// Of the organisation and its VDC: nobody has attached any, and tenants cannot.
pub(super) async fn no_metadata(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let result = own(&id, world.org.id, "org").or_else(|_| own(&id, world.vdc.id, "vdc"));
    ask.xml(200, "metadata", result.map(|_| Element::vcloud("Metadata").attr("type", media("metadata"))))
}

pub(super) async fn catalog(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let base = ask.base();
    let result = own(&id, world.catalog.id, "catalog").map(|id| {
        let items = world.templates.values().map(|t| {
            Element::new("CatalogItem")
                .attr("href", format!("{base}/api/catalogItem/{}", t.item))
                .attr("id", t.item)
                .attr("name", &t.name)
                .attr("type", media("catalogItem"))
        });
        Element::vcloud("Catalog")
            .attr("name", &world.catalog.name)
            .attr("id", format!("urn:vcloud:catalog:{id}"))
            .attr("href", format!("{base}/api/catalog/{id}"))
            .attr("type", media("catalog"))
            .child(link("up", Some("org"), format!("{base}/api/org/{}", world.org.id)))
            .leaf("Description", "")
            .child(Element::new("CatalogItems").children(items))
            .leaf("IsPublished", false)
            .leaf("DateCreated", crate::clock::iso(0))
            .leaf("VersionNumber", 1)
    });
    ask.xml(200, "catalog", result)
}

pub(super) async fn catalog_item(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let base = ask.base();
    let result = id_of(&id).and_then(|id| {
        let found = world.templates.values().find(|t| t.item == id);
        let t = found.ok_or_else(|| Refusal::forbidden("catalogItem", id))?;
        Ok(Element::vcloud("CatalogItem")
            .attr("name", &t.name)
            .attr("id", format!("urn:vcloud:catalogitem:{id}"))
            .attr("href", format!("{base}/api/catalogItem/{id}"))
            .attr("type", media("catalogItem"))
            .child(link("up", Some("catalog"), format!("{base}/api/catalog/{}", world.catalog.id)))
            .leaf("Description", "")
            .child(
                Element::new("Entity")
                    .attr("href", format!("{base}/api/vAppTemplate/vappTemplate-{}", t.id))
                    .attr("name", &t.name)
                    .attr("type", media("vAppTemplate")),
            ))
    });
    ask.xml(200, "catalogItem", result)
}

/// `/api/vAppTemplate/vappTemplate-U` and the machine inside it, `/api/vAppTemplate/vm-U`.
pub(super) async fn template(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let base = ask.base();
    let result = id_of(&id).and_then(|uuid| {
        if id.starts_with("vm-") {
            let found = world.templates.values().find(|t| t.vm == uuid);
            return Ok(template_vm(found.ok_or_else(|| Refusal::forbidden("vm", uuid))?, base));
        }
        let t = world.templates.get(&uuid).ok_or_else(|| Refusal::forbidden("vappTemplate", uuid))?;
        Ok(Element::vcloud("VAppTemplate")
            .attr("goldMaster", false)
            .attr("ovfDescriptorUploaded", true)
            .attr("status", 8)
            .attr("name", &t.name)
            .attr("id", format!("urn:vcloud:vapptemplate:{uuid}"))
            .attr("href", format!("{base}/api/vAppTemplate/vappTemplate-{uuid}"))
            .attr("type", media("vAppTemplate"))
            .child(link("catalogItem", Some("catalogItem"), format!("{base}/api/catalogItem/{}", t.item)))
            .leaf("Description", "")
            .children(t.eula.then(|| {
                Element::new("ovf:EulaSection")
                    .leaf("ovf:Info", "Licence of the system")
                    .leaf("ovf:License", "Whoever copies this accepts the licence of its vendor.")
            }))
            .child(Element::new("Children").child(template_vm(t, base))))
    });
    ask.xml(200, "vAppTemplate", result)
}

fn template_vm(t: &Template, base: &str) -> Element {
    let connection = Element::new("NetworkConnection")
        .attr("network", TEMPLATE_NETWORK)
        .attr("needsCustomization", false)
        .leaf("NetworkConnectionIndex", 0)
        .leaf("IsConnected", true)
        .leaf("MACAddress", "00:50:56:00:00:01")
        .leaf("IpAddressAllocationMode", "DHCP")
        .leaf("NetworkAdapterType", "VMXNET3");
    let hardware = super::hardware::Hardware {
        cpus: 1,
        cores: 1,
        memory_mb: 1024,
        disks: &[crate::model::Disk { id: 2000, size_mb: t.disk_mb, unit: 0, bus: 0, adapter: 5 }],
        nics: &[],
    };
    let own = format!("{base}/api/vAppTemplate/vm-{}", t.vm);
    Element::vcloud("Vm")
        .attr("name", &t.name)
        .attr("id", format!("urn:vcloud:vm:{}", t.vm))
        .attr("href", &own)
        .attr("type", media("vm"))
        .attr("status", 8)
        .leaf("Description", "")
        .child(
            Element::new("NetworkConnectionSection")
                .leaf("ovf:Info", "Specifies the available VM network connections")
                .leaf("PrimaryNetworkConnectionIndex", 0)
                .child(connection),
        )
        .child(hardware.section(&own, &t.name, false))
        .leaf("VAppScopedLocalId", t.vm)
}

pub(super) async fn storage_profile(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let result = own(&id, world.storage_profile.id, "vdcstorageProfile").map(|_| {
        super::views::storage_profile(&world, ask.base())
            .renamed("VdcStorageProfile")
            .vcloud_root()
            .leaf("Enabled", true)
            .leaf("Units", "MB")
            .leaf("Limit", 0)
            .leaf("Default", true)
    });
    ask.xml(200, "vdcStorageProfile", result)
}

/// Where an entity of this URN is found.
pub(super) async fn entity(ask: Ask, Path(urn): Path<String>) -> Response {
    let world = ask.read();
    let base = ask.base();
    let result = id_of(&urn).and_then(|id| {
        let (kind, target) = if world.vms.contains_key(&id) {
            ("vm", href(base, Entity::Vm(id)))
        } else if world.vapps.contains_key(&id) {
            ("vApp", href(base, Entity::Vapp(id)))
        } else if world.networks.contains_key(&id) {
            ("orgVdcNetwork", href(base, Entity::Network(id)))
        } else if world.edges.contains_key(&id) {
            ("edgeGateway", href(base, Entity::Gateway(id)))
        } else if id == world.vdc.id {
            ("vdc", format!("{base}/api/vdc/{id}"))
        } else if id == world.org.id {
            ("org", format!("{base}/api/org/{id}"))
        } else if id == world.catalog.id {
            ("catalog", format!("{base}/api/catalog/{id}"))
        } else if id == world.storage_profile.id {
            ("vdcStorageProfile", format!("{base}/api/vdcStorageProfile/{id}"))
        } else if world.tasks.get(&id).is_some_and(|t| !t.gone) {
            ("task", format!("{base}/api/task/{id}"))
        } else if let Some(t) = world.templates.values().find(|t| [t.id, t.vm, t.item].contains(&id)) {
            match id {
                _ if id == t.id => ("vAppTemplate", format!("{base}/api/vAppTemplate/vappTemplate-{id}")),
                _ if id == t.vm => ("vm", format!("{base}/api/vAppTemplate/vm-{id}")),
                _ => ("catalogItem", format!("{base}/api/catalogItem/{id}")),
            }
        } else {
            return Err(Refusal::forbidden("entity", id));
        };
        Ok(Element::vcloud("Entity")
            .attr("id", &urn)
            .attr("href", format!("{base}/api/entity/{urn}"))
            .attr("type", media("entity"))
            .child(link("alternate", Some(kind), target)))
    });
    ask.xml(200, "entity", result)
}

/// Sizing is by single parameters here: there are no policies beyond the VDC's own.
pub(super) async fn compute_policies(ask: Ask, Query(params): Query<Params>) -> Response {
    let filter = params.get("filter").map(String::as_str);
    if let Err(text) = check(filter, &["name", "id", "isSizingOnly"]) {
        return ask.json(Err(Refusal::bad(text)));
    }
    let id = format!("urn:vcloud:vdcComputePolicy:{}", ask.read().vdc.id);
    let field = |name: &str| match name {
        "name" => Some("System Default"),
        "id" => Some(id.as_str()),
        "isSizingOnly" => Some("true"),
        _ => None,
    };
    let policy = json!({"id": id, "name": "System Default", "isSizingOnly": true});
    let rows = matches(filter, field).map(|is| if is { vec![policy] } else { vec![] });
    page(&ask, "2.0.0/vdcComputePolicies", &params, 128, rows.map_err(Refusal::bad))
}
