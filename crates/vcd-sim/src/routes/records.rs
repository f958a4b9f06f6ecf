//! The rows of the typed queries: for every type, what its records hold.

use super::fields::*;
use crate::{
    clock::iso,
    model::{Realization, Vm},
    tasks::{Entity, Task},
    world::World,
};

/// One row: its address, its URN, its name, and its attributes.
pub(super) struct Row {
    pub(super) href: String,
    pub(super) urn: String,
    pub(super) attrs: Vec<(&'static str, String)>,
}

impl Row {
    /// The value of a field as filters name it.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        match name {
            "href" => Some(&self.href),
            "id" => Some(&self.urn),
            _ => self.attrs.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str()),
        }
    }
}

/// A type of query: its name, the element of its records, the media type of what it refers to.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) record: &'static str,
    pub(super) media: &'static str,
    /// What its records can be filtered and sorted by, beside `href` and `id`.
    pub(super) fields: &'static [&'static str],
    pub(super) rows: fn(&World, &str, i64) -> Vec<Row>,
}

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "organization",
        record: "OrgRecord",
        media: "org",
        fields: ORGANIZATIONS,
        rows: organizations,
    },
    Kind { name: "orgVdc", record: "OrgVdcRecord", media: "vdc", fields: VDCS, rows: vdcs },
    Kind { name: "adminOrgVdc", record: "AdminVdcRecord", media: "vdc", fields: VDCS, rows: vdcs },
    Kind { name: "catalog", record: "CatalogRecord", media: "catalog", fields: CATALOGS, rows: catalogs },
    Kind {
        name: "adminCatalog",
        record: "AdminCatalogRecord",
        media: "catalog",
        fields: CATALOGS,
        rows: catalogs,
    },
    Kind {
        name: "catalogItem",
        record: "CatalogItemRecord",
        media: "catalogItem",
        fields: CATALOG_ITEMS,
        rows: catalog_items,
    },
    Kind {
        name: "vAppTemplate",
        record: "VAppTemplateRecord",
        media: "vAppTemplate",
        fields: TEMPLATES,
        rows: templates,
    },
    Kind {
        name: "adminVAppTemplate",
        record: "AdminVAppTemplateRecord",
        media: "vAppTemplate",
        fields: TEMPLATES,
        rows: templates,
    },
    Kind { name: "vApp", record: "VAppRecord", media: "vApp", fields: VAPPS, rows: vapps },
    Kind { name: "adminVApp", record: "AdminVAppRecord", media: "vApp", fields: VAPPS, rows: vapps },
    Kind { name: "vm", record: "VMRecord", media: "vm", fields: VMS, rows: vms },
    Kind { name: "adminVM", record: "AdminVMRecord", media: "vm", fields: VMS, rows: vms },
    Kind {
        name: "orgVdcNetwork",
        record: "OrgVdcNetworkRecord",
        media: "orgVdcNetwork",
        fields: NETWORKS,
        rows: networks,
    },
    Kind {
        name: "vAppNetwork",
        record: "VAppNetworkRecord",
        media: "vAppNetwork",
        fields: VAPP_NETWORKS,
        rows: vapp_networks,
    },
    Kind {
        name: "vAppOrgVdcNetworkRelation",
        record: "VAppOrgVdcNetworkRelationRecord",
        media: "vApp",
        fields: RELATIONS,
        rows: relations,
    },
    Kind {
        name: "edgeGateway",
        record: "EdgeGatewayRecord",
        media: "edgeGateway",
        fields: EDGES,
        rows: edges,
    },
    Kind {
        name: "orgVdcStorageProfile",
        record: "OrgVdcStorageProfileRecord",
        media: "vdcStorageProfile",
        fields: STORAGE,
        rows: storage,
    },
    Kind { name: "task", record: "TaskRecord", media: "task", fields: TASKS, rows: tasks },
    Kind { name: "adminTask", record: "AdminTaskRecord", media: "task", fields: TASKS, rows: tasks },
];

fn row(href: String, urn: String, attrs: Vec<(&'static str, String)>) -> Row {
    Row { href, urn, attrs }
}

fn organizations(w: &World, base: &str, _: i64) -> Vec<Row> {
    let attrs =
        vec![("name", w.org.name.clone()), ("displayName", w.org.name.clone()), ("isEnabled", "true".into())];
    vec![row(format!("{base}/api/org/{}", w.org.id), format!("urn:vcloud:org:{}", w.org.id), attrs)]
}

fn vdc_href(w: &World, base: &str) -> String {
    format!("{base}/api/vdc/{}", w.vdc.id)
}

fn vdcs(w: &World, base: &str, _: i64) -> Vec<Row> {
    let running = w.vms.values().filter(|v| v.powered_on).count();
    let attrs = vec![
        ("name", w.vdc.name.clone()),
        ("orgName", w.org.name.clone()),
        ("org", format!("{base}/api/org/{}", w.org.id)),
        ("isEnabled", "true".into()),
        ("isBusy", "false".into()),
        ("status", "READY".into()),
        ("cpuLimitMhz", "0".into()),
        ("cpuUsedMhz", "0".into()),
        ("memoryLimitMB", "0".into()),
        (
            "memoryUsedMB",
            w.vms.values().filter(|v| v.powered_on).map(|v| v.memory_mb).sum::<u64>().to_string(),
        ),
        ("storageLimitMB", "0".into()),
        ("storageUsedMB", w.vms.values().flat_map(|v| &v.disks).map(|d| d.size_mb).sum::<u64>().to_string()),
        ("numberOfVApps", w.vapps.len().to_string()),
        ("numberOfVMs", w.vms.len().to_string()),
        ("numberOfRunningVMs", running.to_string()),
    ];
    vec![row(vdc_href(w, base), format!("urn:vcloud:vdc:{}", w.vdc.id), attrs)]
}

fn catalogs(w: &World, base: &str, _: i64) -> Vec<Row> {
    let attrs = vec![
        ("name", w.catalog.name.clone()),
        ("orgName", w.org.name.clone()),
        ("isPublished", "false".into()),
        ("isShared", "false".into()),
        ("numberOfVAppTemplates", w.templates.len().to_string()),
        ("numberOfMedia", "0".into()),
        ("ownerName", "system".into()),
        ("status", "READY".into()),
    ];
    let id = w.catalog.id;
    vec![row(format!("{base}/api/catalog/{id}"), format!("urn:vcloud:catalog:{id}"), attrs)]
}

fn catalog_items(w: &World, base: &str, _: i64) -> Vec<Row> {
    let item = |t: &crate::model::Template| {
        let attrs = vec![
            ("name", t.name.clone()),
            ("catalog", format!("{base}/api/catalog/{}", w.catalog.id)),
            ("catalogName", w.catalog.name.clone()),
            ("entity", format!("{base}/api/vAppTemplate/vappTemplate-{}", t.id)),
            ("entityName", t.name.clone()),
            ("entityType", "vapptemplate".into()),
            ("status", "RESOLVED".into()),
        ];
        row(format!("{base}/api/catalogItem/{}", t.item), format!("urn:vcloud:catalogitem:{}", t.item), attrs)
    };
    w.templates.values().map(item).collect()
}

fn templates(w: &World, base: &str, _: i64) -> Vec<Row> {
    let template = |t: &crate::model::Template| {
        let attrs = vec![
            ("name", t.name.clone()),
            ("catalogName", w.catalog.name.clone()),
            ("catalog", format!("{base}/api/catalog/{}", w.catalog.id)),
            ("catalogItem", format!("{base}/api/catalogItem/{}", t.item)),
            ("vdc", vdc_href(w, base)),
            ("vdcName", w.vdc.name.clone()),
            ("status", "RESOLVED".into()),
            ("numberOfVMs", "1".into()),
            ("storageKB", (t.disk_mb * 1024).to_string()),
        ];
        let href = format!("{base}/api/vAppTemplate/vappTemplate-{}", t.id);
        row(href, format!("urn:vcloud:vapptemplate:{}", t.id), attrs)
    };
    w.templates.values().map(template).collect()
}

fn vapps(w: &World, base: &str, now: i64) -> Vec<Row> {
    w.vapps
        .values()
        .map(|a| {
            let entity = Entity::Vapp(a.id);
            let vms: Vec<&Vm> = w.vms_of(a.id).collect();
            let task = w.task_on(entity);
            let sum = |f: fn(&Vm) -> u64| vms.iter().map(|v| f(v)).sum::<u64>().to_string();
            let attrs = vec![
                ("name", a.name.clone()),
                ("vdc", vdc_href(w, base)),
                ("vdcName", w.vdc.name.clone()),
                ("description", a.description.clone()),
                ("status", status_name(w.vapp_status(a)).into()),
                ("isBusy", w.is_busy(entity).to_string()),
                ("isEnabled", "true".into()),
                ("isPublic", "false".into()),
                ("isDeployed", w.vapp_deployed(a.id).to_string()),
                ("isInMaintenanceMode", "false".into()),
                ("isExpired", "false".into()),
                ("ownerName", a.owner.clone()),
                ("creationDate", iso(a.created)),
                ("numberOfVMs", vms.len().to_string()),
                ("numberOfCpus", sum(|v| u64::from(v.cpus))),
                ("memoryAllocationMB", sum(|v| v.memory_mb)),
                ("storageKB", sum(|v| v.disks.iter().map(|d| d.size_mb * 1024).sum())),
                ("snapshot", vms.iter().any(|v| v.snapshot.is_some()).to_string()),
                (
                    "snapshotCreated",
                    vms.iter()
                        .filter_map(|v| v.snapshot.as_ref())
                        .map(|s| s.created)
                        .max()
                        .map(iso)
                        .unwrap_or_default(),
                ),
                ("task", task.map_or(String::new(), |t| format!("{base}/api/task/{}", t.id))),
                ("taskStatus", task.map_or("", |t| super::views::task_status(w, t, now)).into()),
                ("taskStatusName", task.map_or(String::new(), |t| t.operation_name.clone())),
                ("taskDetails", task.map_or(String::new(), Task::operation)),
            ];
            row(super::views::href(base, entity), entity.urn(), attrs)
        })
        .collect()
}

/// Machines, those of templates included: a client has to tell them apart.
fn vms(w: &World, base: &str, now: i64) -> Vec<Row> {
    let of_vapps = w.vms.values().map(|v| {
        let entity = Entity::Vm(v.id);
        let vapp = w.vapps.get(&v.vapp);
        let nic = v.nics.first();
        let attrs = vec![
            ("name", v.name.clone()),
            ("container", super::views::href(base, Entity::Vapp(v.vapp))),
            ("containerName", vapp.map(|a| a.name.clone()).unwrap_or_default()),
            ("vdc", vdc_href(w, base)),
            ("ownerName", vapp.map(|a| a.owner.clone()).unwrap_or_default()),
            ("status", status_name(v.status()).into()),
            ("network", nic.map(|n| n.network.clone()).unwrap_or_default()),
            ("networkName", nic.map(|n| n.network.clone()).unwrap_or_default()),
            ("ipAddress", nic.and_then(|n| n.ip.clone()).unwrap_or_default()),
            ("isBusy", (w.is_busy(entity) || w.is_busy(Entity::Vapp(v.vapp))).to_string()),
            ("isDeployed", v.deployed.to_string()),
            ("isVAppTemplate", "false".into()),
            ("isDeleted", "false".into()),
            ("guestOs", v.os.clone()),
            ("numberOfCpus", v.cpus.to_string()),
            ("memoryMB", v.memory_mb.to_string()),
            ("hardwareVersion", "19".into()),
            ("isComputePolicyCompliant", "true".into()),
            ("vmSizingPolicyId", String::new()),
            ("vmPlacementPolicyId", String::new()),
            ("catalogName", String::new()),
            (
                "vmToolsVersion",
                if w.knobs.guest_tools && v.inside.is_up(v, now) { "12352" } else { "" }.into(),
            ),
            (
                "vmToolsStatus",
                if w.knobs.guest_tools && v.inside.is_up(v, now) { "OK" } else { "NOT_RUNNING" }.into(),
            ),
            ("storageProfileName", w.storage_profile.name.clone()),
            ("snapshot", v.snapshot.is_some().to_string()),
            ("gcStatus", v.customization_status(now).into()),
            ("dateCreated", iso(v.created)),
            ("totalStorageAllocatedMb", v.disks.iter().map(|d| d.size_mb).sum::<u64>().to_string()),
        ];
        row(super::views::href(base, entity), entity.urn(), attrs)
    });
    let of_templates = w.templates.values().map(|t| {
        let attrs = vec![
            ("name", t.name.clone()),
            ("container", format!("{base}/api/vAppTemplate/vappTemplate-{}", t.id)),
            ("containerName", t.name.clone()),
            ("vdc", vdc_href(w, base)),
            ("ownerName", "system".into()),
            ("status", "POWERED_OFF".into()),
            ("isBusy", "false".into()),
            ("network", String::new()),
            ("networkName", String::new()),
            ("ipAddress", String::new()),
            ("hardwareVersion", "19".into()),
            ("vmToolsStatus", String::new()),
            ("vmToolsVersion", String::new()),
            ("storageProfileName", w.storage_profile.name.clone()),
            ("snapshot", "false".into()),
            ("gcStatus", String::new()),
            ("dateCreated", String::new()),
            ("totalStorageAllocatedMb", t.disk_mb.to_string()),
            ("isComputePolicyCompliant", "true".into()),
            ("vmSizingPolicyId", String::new()),
            ("vmPlacementPolicyId", String::new()),
            ("isDeployed", "false".into()),
            ("isVAppTemplate", "true".into()),
            ("isDeleted", "false".into()),
            ("guestOs", t.os.clone()),
            ("numberOfCpus", "1".into()),
            ("memoryMB", "1024".into()),
            ("catalogName", w.catalog.name.clone()),
        ];
        row(format!("{base}/api/vAppTemplate/vm-{}", t.vm), format!("urn:vcloud:vm:{}", t.vm), attrs)
    });
    of_vapps.chain(of_templates).collect()
}

pub(super) fn networks(w: &World, base: &str, _: i64) -> Vec<Row> {
    w.networks
        .values()
        .map(|n| {
            let entity = Entity::Network(n.id);
            let attrs = vec![
                ("name", n.name.clone()),
                ("defaultGateway", n.gateway.clone()),
                ("netmask", n.netmask()),
                ("subnetPrefixLength", n.prefix_length.to_string()),
                ("dns1", n.dns[0].clone()),
                ("dns2", n.dns[1].clone()),
                ("dnsSuffix", String::new()),
                ("linkType", "2".into()),
                ("connectedTo", w.edges.get(&n.edge).map(|e| e.name.clone()).unwrap_or_default()),
                ("vdc", vdc_href(w, base)),
                ("vdcName", w.vdc.name.clone()),
                ("isBusy", w.is_busy(entity).to_string()),
                ("isShared", n.shared.to_string()),
                ("isIpScopeInherited", "false".into()),
                ("usedIpCount", w.addresses_on(n.id).len().to_string()),
                ("totalIpCount", n.addresses().to_string()),
                ("interfaceType", "INTERNAL".into()),
                ("crossVdcNetworkId", String::new()),
                ("vdcGroupId", String::new()),
            ];
            row(super::views::href(base, entity), entity.urn(), attrs)
        })
        .collect()
}

fn vapp_networks(w: &World, base: &str, _: i64) -> Vec<Row> {
    let networks = w.vapps.values().flat_map(|a| a.networks.iter().map(move |n| (a, n)));
    networks
        .map(|(a, n)| {
            let parent = w.networks.get(&n.parent);
            let attrs = vec![
                ("name", n.name.clone()),
                ("vApp", super::views::href(base, Entity::Vapp(a.id))),
                ("vAppName", a.name.clone()),
                ("gateway", parent.map(|p| p.gateway.clone()).unwrap_or_default()),
                ("netmask", parent.map(|p| p.netmask()).unwrap_or_default()),
                ("subnetPrefixLength", parent.map(|p| p.prefix_length.to_string()).unwrap_or_default()),
                ("dns1", parent.map(|p| p.dns[0].clone()).unwrap_or_default()),
                ("dns2", parent.map(|p| p.dns[1].clone()).unwrap_or_default()),
                ("dnsSuffix", String::new()),
                ("isIpScopeInherited", "true".into()),
                ("ipScopeId", String::new()),
                ("isLinked", "true".into()),
                ("isBusy", w.is_busy(Entity::Vapp(a.id)).to_string()),
            ];
            row(format!("{base}/api/network/{}", n.id), Entity::Network(n.id).urn(), attrs)
        })
        .collect()
}

/// Which vApp uses which network: the cheap way to ask who still holds one.
fn relations(w: &World, base: &str, _: i64) -> Vec<Row> {
    let networks = w.vapps.values().flat_map(|a| a.networks.iter().map(move |n| (a, n)));
    networks
        .map(|(a, n)| {
            let attrs = vec![
                ("entityType", "VAPP".into()),
                ("name", a.name.clone()),
                ("org", format!("{base}/api/org/{}", w.org.id)),
                ("orgVdcNetwork", super::views::href(base, Entity::Network(n.parent))),
                ("orgVdcNetworkName", w.networks.get(&n.parent).map(|p| p.name.clone()).unwrap_or_default()),
                ("status", status_name(w.vapp_status(a)).into()),
                ("ownerName", a.owner.clone()),
            ];
            row(super::views::href(base, Entity::Vapp(a.id)), Entity::Vapp(a.id).urn(), attrs)
        })
        .collect()
}

pub(super) fn edges(w: &World, base: &str, now: i64) -> Vec<Row> {
    let mut edges: Vec<&crate::model::Edge> = w.edges.values().collect();
    edges.sort_by(|a, b| a.name.cmp(&b.name));
    edges
        .into_iter()
        .map(|e| {
            let entity = Entity::Gateway(e.id);
            let attrs = vec![
                ("name", e.name.clone()),
                ("vdc", vdc_href(w, base)),
                ("orgVdcName", w.vdc.name.clone()),
                ("orgName", w.org.name.clone()),
                ("numberOfExtNetworks", "1".into()),
                ("numberOfOrgNetworks", w.networks_shown(e, now).to_string()),
                ("isBusy", w.is_busy(entity).to_string()),
                ("edgeGatewayType", "NSXT_BACKED".into()),
                ("gatewayStatus", gateway_status(e.status).into()),
                ("haStatus", "UP".into()),
                ("availableNetCount", "999".into()),
                ("advancedNetworkingEnabled", "true".into()),
                ("distributedRoutingEnabled", "false".into()),
                ("egressPointId", String::new()),
                ("vdcGroupId", String::new()),
                ("vdcGroupName", String::new()),
            ];
            row(super::views::href(base, entity), entity.urn(), attrs)
        })
        .collect()
}

fn storage(w: &World, base: &str, _: i64) -> Vec<Row> {
    let id = w.storage_profile.id;
    let attrs = vec![
        ("name", w.storage_profile.name.clone()),
        ("vdc", vdc_href(w, base)),
        ("vdcName", w.vdc.name.clone()),
        ("isDefaultStorageProfile", "true".into()),
        ("isEnabled", "true".into()),
        ("storageLimitMB", "0".into()),
    ];
    vec![row(
        format!("{base}/api/vdcStorageProfile/{id}"),
        format!("urn:vcloud:vdcstorageProfile:{id}"),
        attrs,
    )]
}

fn tasks(w: &World, base: &str, now: i64) -> Vec<Row> {
    w.tasks
        .values()
        // One that nobody may read any more is not listed either.
        .filter(|t| !t.gone && (t.is_running() || now <= t.end.saturating_add(w.knobs.task_expiry_ms)))
        .map(|t| {
            let attrs = vec![
                ("name", t.operation_name.clone()),
                ("operationFull", t.operation()),
                ("status", super::views::task_status(w, t, now).into()),
                ("progress", t.progress(now).to_string()),
                ("startDate", iso(t.start)),
                ("endDate", if t.is_running() { String::new() } else { iso(t.end) }),
                ("ownerName", t.user.clone()),
                ("object", super::views::href(base, t.owner)),
                ("objectType", t.owner.word().into()),
                ("objectName", t.owner_name.clone()),
                ("org", format!("{base}/api/org/{}", w.org.id)),
                ("orgName", w.org.name.clone()),
                ("message", t.error.as_ref().map(|e| e.message.clone()).unwrap_or_default()),
                ("serviceNamespace", "com.vmware.vcloud".into()),
            ];
            row(format!("{base}/api/task/{}", t.id), format!("urn:vcloud:task:{}", t.id), attrs)
        })
        .collect()
}

fn gateway_status(status: Realization) -> &'static str {
    match status {
        Realization::Configuring => "NOT_READY",
        Realization::Realized => "READY",
        Realization::Failed => "ERROR",
    }
}

pub(super) fn status_name(status: i32) -> &'static str {
    match status {
        -1 => "FAILED_CREATION",
        0 => "UNRESOLVED",
        1 => "RESOLVED",
        2 => "DEPLOYED",
        3 => "SUSPENDED",
        4 => "POWERED_ON",
        5 => "WAITING_FOR_INPUT",
        7 => "UNRECOGNIZED",
        8 => "POWERED_OFF",
        9 => "INCONSISTENT_STATE",
        10 => "MIXED",
        18 => "VAPP_UNDEPLOYED",
        19 => "VAPP_PARTIALLY_DEPLOYED",
        20 => "PARTIALLY_POWERED_OFF",
        21 => "PARTIALLY_SUSPENDED",
        _ => "UNKNOWN",
    }
}
