//! The networks of a vApp: a section that is always written whole.

use reqwest::Method;

use crate::{
    client::{Client, Family},
    error::{Effect, Error, ErrorKind, Result},
    ids::{NetworkId, TaskId, VappId},
    query::parse,
    xml::{self, Find, Writer},
};

/// A network of a vApp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VappNetwork {
    /// Its name: what the cards of machines refer to.
    pub name: String,
    /// The org VDC network behind it. An isolated one has none.
    pub parent: Option<NetworkId>,
    /// `bridged`, `natRouted` or `isolated` **\[src\]**.
    pub fence_mode: String,
    /// The vApp network's own id, from its repair link **\[src\]**.
    pub id: Option<NetworkId>,
}

const SECTION: &str = "application/vnd.vmware.vcloud.networkConfigSection+xml";

impl Client {
    /// Attaches org VDC networks to a vApp, keeping what it has.
    ///
    /// A read and a write: two at once would undo each other, so the caller keeps others away from the vApp meanwhile
    /// **\[src\]**. What the section holds beyond what is known here is written back as it was.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`], with nothing sent, where the vApp has a network of that name on another one.
    pub async fn vapp_networks_attach(&self, id: VappId, added: &[(&str, NetworkId)]) -> Result<TaskId> {
        let base = self.base();
        // The name is taken by another network: leaving that one there would look as if this were attached.
        let check = |has: &[VappNetwork]| {
            let other = added.iter().find(|(name, network)| {
                has.iter().any(|h| h.name == *name && h.parent.is_some_and(|parent| parent != *network))
            });
            match other {
                None => Ok(()),
                Some((name, _)) => {
                    let text = format!("the vApp has another network called {name}");
                    Err(Error::new(ErrorKind::Invalid, Effect::NotSent, text))
                }
            }
        };
        self.networks_edit(id, check, |section, w| {
            let mut kept = Vec::new();
            for config in section.children_named("NetworkConfig") {
                kept.push(config.attribute("networkName").unwrap_or_default());
                w.copy(config);
            }
            for (name, network) in added.iter().filter(|(n, _)| !kept.contains(n)) {
                network_config(w, &base, name, *network);
            }
        })
        .await
    }

    /// Takes networks out of a vApp, by their names there. Refused as
    /// [`stop_required`](crate::Error::stop_required) while the vApp is deployed (API 37.1) **\[iss\]**, and while a
    /// machine refers to one.
    pub async fn vapp_networks_detach(&self, id: VappId, removed: &[&str]) -> Result<TaskId> {
        self.networks_edit(
            id,
            |_| Ok(()),
            |section, w| {
                let stays = |c: &roxmltree::Node<'_, '_>| {
                    !c.attribute("networkName").is_some_and(|n| removed.contains(&n))
                };
                section.children_named("NetworkConfig").filter(stays).for_each(|c| w.copy(c));
            },
        )
        .await
    }

    async fn networks_edit(
        &self,
        id: VappId,
        check: impl FnOnce(&[VappNetwork]) -> Result<()>,
        write: impl FnOnce(roxmltree::Node<'_, '_>, &mut Writer),
    ) -> Result<TaskId> {
        let path = format!("/api/vApp/vapp-{}/networkConfigSection/", id.uuid());
        let answer = self.get(Family::Xml, &path).await.map_err(Error::before_sending)?;
        let content = {
            let doc = xml::parse(&answer.body).map_err(Error::before_sending)?;
            read_networks(doc.root_element()).and_then(|has| check(&has)).map_err(Error::before_sending)?;
            Writer::root("NetworkConfigSection", &[], |w| {
                w.leaf("ovf:Info", "");
                write(doc.root_element(), w);
            })
        };
        self.change(Method::PUT, &path, SECTION, content).await
    }
}

pub(crate) fn network_config(w: &mut Writer, base: &str, name: &str, id: NetworkId) {
    w.element("NetworkConfig", &[("networkName", name)], |w| {
        w.element("Configuration", &[], |w| {
            let href = format!("{base}/api/network/{}", id.uuid());
            w.element("ParentNetwork", &[("href", &href)], |_| {});
            w.leaf("FenceMode", "bridged");
        });
        w.leaf("IsDeployed", false);
    });
}

/// `none` is no network: it stands for cards that are attached to nothing **\[src\]**.
pub(crate) fn read_networks(section: roxmltree::Node<'_, '_>) -> Result<Vec<VappNetwork>> {
    section
        .children_named("NetworkConfig")
        .filter(|c| c.attribute("networkName") != Some("none"))
        .map(|c| {
            let configuration = c.child("Configuration");
            let parent =
                configuration.and_then(|c| c.child("ParentNetwork")).and_then(|p| p.attribute("href"));
            let repair = c.children_named("Link").find_map(|l| {
                let href = l.attribute("href")?;
                href.strip_suffix("/action/reset")
            });
            Ok(VappNetwork {
                name: c.required("networkName")?.to_owned(),
                parent: parent.map(parse).transpose()?,
                fence_mode: configuration.and_then(|c| c.text_of("FenceMode")).unwrap_or_default().to_owned(),
                id: repair.map(parse).transpose()?,
            })
        })
        .collect()
}
