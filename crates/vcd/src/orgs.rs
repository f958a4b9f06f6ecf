//! Organisations and their VDCs.

use crate::{
    client::{Client, Family},
    error::{Error, Result},
    ids::{NetworkId, OrgId, StorageProfileId, VappId, VdcId},
    query::{Query, parse},
    xml::{self, Find},
};

/// Something by its id and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<I> {
    /// Its id.
    pub id: I,
    /// Its name.
    pub name: String,
}

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Org {
    /// Its id.
    pub id: OrgId,
    /// Its name, as it is signed in with.
    pub name: String,
    /// Its name for people.
    pub full_name: String,
}

/// An organisation VDC: what everything is made in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vdc {
    /// Its id.
    pub id: VdcId,
    /// Its name.
    pub name: String,
    /// 1 when it can be used **\[src\]**.
    pub status: i64,
    /// The provider lets it be used.
    pub enabled: bool,
    /// Its vApps.
    pub vapps: Vec<Named<VappId>>,
    /// The org VDC networks that vApps in it can be attached to.
    pub networks: Vec<Named<NetworkId>>,
    /// Its storage profiles.
    pub storage_profiles: Vec<Named<StorageProfileId>>,
}

impl Client {
    /// The organisations that the account sees.
    pub async fn orgs(&self) -> Result<Vec<Named<OrgId>>> {
        let answer = self.get(Family::Xml, "/api/org").await?;
        let doc = xml::parse(&answer.body)?;
        doc.root_element()
            .children_named("Org")
            .map(|o| Ok(Named { id: parse(o.required("href")?)?, name: o.required("name")?.to_owned() }))
            .collect()
    }

    /// An organisation.
    pub async fn org(&self, id: OrgId) -> Result<Org> {
        let answer = self.get(Family::Xml, &format!("/api/org/{}", id.uuid())).await?;
        let doc = xml::parse(&answer.body)?;
        let root = doc.root_element();
        Ok(Org {
            id,
            name: root.required("name")?.to_owned(),
            full_name: root.text_of("FullName").unwrap_or_default().to_owned(),
        })
    }

    /// The VDCs of the account's organisation.
    pub async fn vdcs(&self) -> Result<Vec<Named<VdcId>>> {
        let records = self.query(&Query::new("orgVdc").sort_asc("name")).await?;
        records.iter().map(|r| Ok(Named { id: parse(r.reference())?, name: r.name().to_owned() })).collect()
    }

    /// A VDC with what is in it.
    pub async fn vdc(&self, id: VdcId) -> Result<Vdc> {
        let answer = self.get(Family::Xml, &format!("/api/vdc/{}", id.uuid())).await?;
        read_vdc(xml::parse(&answer.body)?.root_element())
    }
}

pub(crate) fn read_vdc(root: roxmltree::Node<'_, '_>) -> Result<Vdc> {
    let vapps = root.child("ResourceEntities").map(|e| {
        e.children_named("ResourceEntity")
            .filter(|r| r.attribute("type").is_some_and(|t| t.eq_ignore_ascii_case(VAPP)))
            .map(|r| Ok(Named { id: parse(r.required("href")?)?, name: r.required("name")?.to_owned() }))
            .collect::<Result<Vec<_>>>()
    });
    let networks = root.child("AvailableNetworks").map(|e| {
        e.children_named("Network")
            .map(|r| Ok(Named { id: parse(r.required("href")?)?, name: r.required("name")?.to_owned() }))
            .collect::<Result<Vec<_>>>()
    });
    let profiles = root.child("VdcStorageProfiles").map(|e| {
        e.children_named("VdcStorageProfile")
            .map(|r| Ok(Named { id: parse(r.required("href")?)?, name: r.required("name")?.to_owned() }))
            .collect::<Result<Vec<_>>>()
    });
    Ok(Vdc {
        id: parse(root.required("href")?)?,
        name: root.required("name")?.to_owned(),
        status: root.required("status")?.parse().map_err(|_| Error::protocol("status is no number"))?,
        enabled: root.text_of("IsEnabled").is_none_or(|t| t.trim() == "true"),
        vapps: vapps.transpose()?.unwrap_or_default(),
        networks: networks.transpose()?.unwrap_or_default(),
        storage_profiles: profiles.transpose()?.unwrap_or_default(),
    })
}

const VAPP: &str = "application/vnd.vmware.vcloud.vApp+xml";
