//! vApps: making one, its networks, adding machines, deleting it (XML family).

use reqwest::Method;

use crate::{
    client::{Body, Client, Family},
    error::{Error, Result},
    ids::{NetworkId, TaskId, TemplateVmId, VappId, VdcId, VmId},
    queries::parse,
    vms::{Vm, read_vm},
    xml::{self, Find, Writer},
};

#[derive(Clone, Debug)]
pub struct Vapp {
    pub id: VappId,
    pub name: String,
    /// 0 while it is being made, 1 empty, 4 on, 8 off, 10 mixed, -1 a failed shell **[src]**.
    pub status: i64,
    pub deployed: bool,
    /// Its networks by name, with the org VDC network behind each.
    pub networks: Vec<(String, NetworkId)>,
    pub vms: Vec<Vm>,
    /// Tasks that run on it.
    pub tasks: Vec<TaskId>,
}

/// A machine to be copied from a template.
#[derive(Clone, Debug)]
pub struct NewVm {
    pub name: String,
    pub template: TemplateVmId,
    /// A network of the vApp, by name.
    pub network: String,
    pub address: String,
}

const COMPOSE: &str = "application/vnd.vmware.vcloud.composeVAppParams+xml";
const RECOMPOSE: &str = "application/vnd.vmware.vcloud.recomposeVAppParams+xml";
const NETWORKS: &str = "application/vnd.vmware.vcloud.networkConfigSection+xml";
const UNDEPLOY: &str = "application/vnd.vmware.vcloud.undeployVAppParams+xml";

impl Client {
    /// Makes a vApp with these networks and no machines.
    pub async fn vapp_compose(
        &self,
        vdc: VdcId,
        name: &str,
        description: &str,
        networks: &[(&str, NetworkId)],
    ) -> Result<TaskId> {
        let base = self.base();
        let content = Writer::root(
            "ComposeVAppParams",
            &[("name", name), ("deploy", "false"), ("powerOn", "false")],
            |w| {
                w.leaf("Description", description);
                w.element("InstantiationParams", &[], |w| {
                    w.element("NetworkConfigSection", &[], |w| {
                        w.leaf("ovf:Info", "");
                        for (name, id) in networks {
                            network_config(w, &base, name, *id);
                        }
                    });
                });
                w.leaf("AllEULAsAccepted", true);
            },
        );
        let path = format!("/api/vdc/{}/action/composeVApp", vdc.uuid());
        self.send(Method::POST, Family::Xml, &path, Some(Body { media: COMPOSE, content }))
            .await?
            .task_in_body()
    }

    pub async fn vapp(&self, id: VappId) -> Result<Vapp> {
        let answer = self.get(Family::Xml, &format!("/api/vApp/vapp-{}", id.uuid())).await?;
        let doc = xml::parse(&answer.body)?;
        let root = doc.root_element();
        Ok(Vapp {
            id,
            name: root.required("name")?.to_owned(),
            status: root.required("status")?.parse().map_err(|_| Error::protocol("status is no number"))?,
            deployed: root.attribute("deployed") == Some("true"),
            networks: root.child("NetworkConfigSection").map_or(Ok(Vec::new()), read_networks)?,
            vms: root
                .child("Children")
                .map_or(Ok(Vec::new()), |c| c.children_named("Vm").map(read_vm).collect())?,
            tasks: running_tasks(root)?,
        })
    }

    /// Adds networks to a vApp, keeping those it has. A read-modify-write: the caller keeps others away meanwhile.
    pub async fn vapp_networks_add(&self, vapp: &Vapp, added: &[(&str, NetworkId)]) -> Result<TaskId> {
        let base = self.base();
        let kept = vapp.networks.iter().map(|(n, id)| (n.as_str(), *id));
        let all: Vec<(&str, NetworkId)> = kept
            .chain(added.iter().copied().filter(|(n, _)| !vapp.networks.iter().any(|(k, _)| k == n)))
            .collect();
        let content = Writer::root("NetworkConfigSection", &[], |w| {
            w.leaf("ovf:Info", "");
            for (name, id) in all {
                network_config(w, &base, name, id);
            }
        });
        let path = format!("/api/vApp/vapp-{}/networkConfigSection/", vapp.id.uuid());
        self.send(Method::PUT, Family::Xml, &path, Some(Body { media: NETWORKS, content }))
            .await?
            .task_in_body()
    }

    /// Copies machines into a vApp, off and waiting to be customized. They appear when the task has ended, and are
    /// found by name: the task does not name them **[src]**.
    pub async fn vapp_add_vms(&self, vapp: VappId, vms: &[NewVm]) -> Result<TaskId> {
        let base = self.base();
        let content =
            Writer::root("RecomposeVAppParams", &[("deploy", "false"), ("powerOn", "false")], |w| {
                for vm in vms {
                    w.element("SourcedItem", &[("sourceDelete", "false")], |w| {
                        let href = format!("{base}/api/vAppTemplate/vm-{}", vm.template.uuid());
                        w.element("Source", &[("href", &href)], |_| {});
                        w.element("VmGeneralParams", &[], |w| {
                            w.leaf("Name", &vm.name);
                            w.leaf("NeedsCustomization", true);
                        });
                        w.element("InstantiationParams", &[], |w| {
                            w.element("NetworkConnectionSection", &[], |w| {
                                w.leaf("ovf:Info", "");
                                w.leaf("PrimaryNetworkConnectionIndex", 0);
                                w.element("NetworkConnection", &[("network", &vm.network)], |w| {
                                    w.leaf("NetworkConnectionIndex", 0);
                                    w.leaf("IpAddress", &vm.address);
                                    w.leaf("IsConnected", true);
                                    w.leaf("IpAddressAllocationMode", "MANUAL");
                                });
                            });
                        });
                    });
                }
                w.leaf("AllEULAsAccepted", true);
            });
        self.recompose(vapp, content).await
    }

    /// Deletes machines from a vApp. Each must be undeployed.
    pub async fn vapp_delete_vms(&self, vapp: VappId, vms: &[VmId]) -> Result<TaskId> {
        let base = self.base();
        let content = Writer::root("RecomposeVAppParams", &[], |w| {
            for vm in vms {
                let href = format!("{base}/api/vApp/vm-{}", vm.uuid());
                w.element("DeleteItem", &[("href", &href)], |_| {});
            }
        });
        self.recompose(vapp, content).await
    }

    async fn recompose(&self, vapp: VappId, content: String) -> Result<TaskId> {
        let path = format!("/api/vApp/vapp-{}/action/recomposeVApp", vapp.uuid());
        self.send(Method::POST, Family::Xml, &path, Some(Body { media: RECOMPOSE, content }))
            .await?
            .task_in_body()
    }

    /// Deletes a vApp and every machine in it. It must be undeployed.
    pub async fn vapp_delete(&self, id: VappId) -> Result<TaskId> {
        let path = format!("/api/vApp/vapp-{}", id.uuid());
        self.send(Method::DELETE, Family::Xml, &path, None).await?.task_in_body()
    }

    /// Cuts the power of every machine of a vApp and undeploys it.
    pub async fn vapp_undeploy(&self, id: VappId) -> Result<TaskId> {
        self.undeploy(&format!("vapp-{}", id.uuid())).await
    }

    pub(crate) async fn undeploy(&self, entity: &str) -> Result<TaskId> {
        let content = Writer::root("UndeployVAppParams", &[], |w| w.leaf("UndeployPowerAction", "powerOff"));
        let path = format!("/api/vApp/{entity}/action/undeploy");
        self.send(Method::POST, Family::Xml, &path, Some(Body { media: UNDEPLOY, content }))
            .await?
            .task_in_body()
    }
}

fn network_config(w: &mut Writer, base: &str, name: &str, id: NetworkId) {
    w.element("NetworkConfig", &[("networkName", name)], |w| {
        w.element("Configuration", &[], |w| {
            let href = format!("{base}/api/network/{}", id.uuid());
            w.element("ParentNetwork", &[("href", &href)], |_| {});
            w.leaf("FenceMode", "bridged");
        });
        w.leaf("IsDeployed", false);
    });
}

fn read_networks(section: roxmltree::Node<'_, '_>) -> Result<Vec<(String, NetworkId)>> {
    section
        .children_named("NetworkConfig")
        .filter(|c| c.attribute("networkName") != Some("none"))
        .map(|c| {
            let parent = c
                .child("Configuration")
                .and_then(|c| c.child("ParentNetwork"))
                .and_then(|p| p.attribute("href"))
                .ok_or_else(|| Error::protocol("a NetworkConfig without ParentNetwork"))?;
            Ok((c.required("networkName")?.to_owned(), parse(parent)?))
        })
        .collect()
}

/// The running tasks listed in an entity. Finished ones stay listed too and do not count **[src]**.
fn running_tasks(root: roxmltree::Node<'_, '_>) -> Result<Vec<TaskId>> {
    let Some(tasks) = root.child("Tasks") else { return Ok(Vec::new()) };
    tasks
        .children_named("Task")
        .filter(|t| {
            matches!(t.attribute("status"), Some("queued" | "preRunning" | "running" | "postRunning"))
        })
        .map(|t| parse(t.required("href")?))
        .collect()
}
