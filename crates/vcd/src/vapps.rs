//! vApps: making one, reading it, renaming and deleting it (XML family).

use reqwest::Method;

use crate::{
    client::{Body, Client, Family},
    error::{Error, Result},
    ids::{NetworkId, TaskId, VappId, VdcId},
    query::parse,
    recompose::{NewVm, write_new},
    task::running_tasks,
    vapp_networks::{VappNetwork, network_config, read_networks},
    vms::{Vm, read_vm},
    xml::{self, Find, Writer},
};

/// A vApp with everything in it.
#[derive(Clone, Debug)]
pub struct Vapp {
    /// Its id.
    pub id: VappId,
    /// Its name.
    pub name: String,
    /// What it is said to be.
    pub description: String,
    /// 0 while it is being made, 1 empty, 3 suspended, 4 on, 8 off, 10 mixed, -1 a shell whose creation failed
    /// **\[src\]**.
    pub status: i64,
    /// It holds resources. A network cannot leave it meanwhile (API 37.1) **\[iss\]**.
    pub deployed: bool,
    /// Its networks.
    pub networks: Vec<VappNetwork>,
    /// Its machines, read whole.
    pub vms: Vec<Vm>,
    /// Tasks that run on it. It is not ready before there are none **\[iss\]**.
    pub tasks: Vec<TaskId>,
}

impl Vapp {
    /// Reads a recorded `VApp` document.
    pub fn from_xml(body: &str) -> Result<Self> {
        read_vapp(xml::parse(body)?.root_element())
    }

    /// Made, and held by nothing.
    pub fn is_ready(&self) -> bool {
        self.status > 0 && self.tasks.is_empty()
    }

    /// Its machine of this name. A recompose does not say what it made: that is how it is found **\[src\]**.
    pub fn vm_named(&self, name: &str) -> Option<&Vm> {
        self.vms.iter().find(|vm| vm.name == name)
    }
}

/// A vApp to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewVapp {
    /// Its name. Names are not unique by the platform's rule **\[src\]**.
    pub name: String,
    /// What it is said to be.
    pub description: String,
    /// Org VDC networks that it is attached to, and what they are called in it.
    pub networks: Vec<(String, NetworkId)>,
    /// Machines to copy into it, in the same task.
    pub machines: Vec<NewVm>,
}

const COMPOSE: &str = "application/vnd.vmware.vcloud.composeVAppParams+xml";
const VAPP: &str = "application/vnd.vmware.vcloud.vApp+xml";

impl Client {
    /// Makes a vApp. Returns its id with the task.
    pub async fn vapp_compose(&self, vdc: VdcId, new: &NewVapp) -> Result<(VappId, TaskId)> {
        let base = self.base();
        let attrs = [("name", new.name.as_str()), ("deploy", "false"), ("powerOn", "false")];
        let content = Writer::root("ComposeVAppParams", &attrs, |w| {
            w.leaf("Description", &new.description);
            w.element("InstantiationParams", &[], |w| {
                w.element("NetworkConfigSection", &[], |w| {
                    w.leaf("ovf:Info", "");
                    for (name, id) in &new.networks {
                        network_config(w, &base, name, *id);
                    }
                });
            });
            for vm in &new.machines {
                write_new(w, &base, vm);
            }
            w.leaf("AllEULAsAccepted", true);
        });
        let path = format!("/api/vdc/{}/action/composeVApp", vdc.uuid());
        let body = Some(Body { media: COMPOSE, content });
        let answer = self.send(Method::POST, Family::Xml, &path, body).await?;
        let vapp = parse(xml::parse(&answer.body)?.root_element().required("href")?)?;
        Ok((vapp, answer.task_in_body()?))
    }

    /// A vApp with its machines.
    pub async fn vapp(&self, id: VappId) -> Result<Vapp> {
        let answer = self.get(Family::Xml, &format!("/api/vApp/vapp-{}", id.uuid())).await?;
        read_vapp(xml::parse(&answer.body)?.root_element())
    }

    /// Gives a vApp another name and description. Leases and metadata are its own still.
    pub async fn vapp_rename(&self, id: VappId, name: &str, description: &str) -> Result<TaskId> {
        let content = Writer::root("VApp", &[("name", name)], |w| w.leaf("Description", description));
        let path = format!("/api/vApp/vapp-{}", id.uuid());
        self.change(Method::PUT, &path, VAPP, content).await
    }

    /// Deletes a vApp and every machine in it. Refused as [`stop_required`](crate::Error::stop_required) while it is
    /// deployed **\[iss\]**.
    pub async fn vapp_delete(&self, id: VappId) -> Result<TaskId> {
        let path = format!("/api/vApp/vapp-{}", id.uuid());
        self.send(Method::DELETE, Family::Xml, &path, None).await?.task_in_body()
    }

    /// Sends an XML body and reads the task it is carried out by.
    pub(crate) async fn change(
        &self,
        method: Method,
        path: &str,
        media: &'static str,
        content: String,
    ) -> Result<TaskId> {
        self.send(method, Family::Xml, path, Some(Body { media, content })).await?.task_in_body()
    }

    /// Sends an action without a body.
    pub(crate) async fn act(&self, path: &str) -> Result<TaskId> {
        self.send(Method::POST, Family::Xml, path, None).await?.task_in_body()
    }
}

pub(crate) fn read_vapp(root: roxmltree::Node<'_, '_>) -> Result<Vapp> {
    Ok(Vapp {
        id: parse(root.required("href")?)?,
        name: root.required("name")?.to_owned(),
        description: root.text_of("Description").unwrap_or_default().to_owned(),
        status: root.required("status")?.parse().map_err(|_| Error::protocol("status is no number"))?,
        deployed: root.attribute("deployed") == Some("true"),
        networks: root.child("NetworkConfigSection").map_or(Ok(Vec::new()), read_networks)?,
        vms: root
            .child("Children")
            .map_or(Ok(Vec::new()), |c| c.children_named("Vm").map(read_vm).collect())?,
        tasks: running_tasks(root)?,
    })
}
