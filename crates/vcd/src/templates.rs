//! Catalogues and the templates in them.

use crate::{
    client::{Client, Family},
    error::{Error, Result},
    ids::{CatalogId, TemplateId, TemplateVmId},
    orgs::Named,
    query::{Query, parse},
    xml::{self, Find},
};

/// A catalogue and the names in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalog {
    /// Its id.
    pub id: CatalogId,
    /// Its name.
    pub name: String,
    /// The names of its items.
    pub items: Vec<String>,
}

/// A vApp template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its id.
    pub id: TemplateId,
    /// Its name.
    pub name: String,
    /// 8 when it can be copied **\[src\]**.
    pub status: i64,
    /// The machines in it.
    pub vms: Vec<TemplateVm>,
}

/// The machine of a template that new ones are copied from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateVm {
    /// Its id.
    pub id: TemplateVmId,
    /// Its name.
    pub name: String,
}

impl Client {
    /// The catalogues that the account sees.
    pub async fn catalogs(&self) -> Result<Vec<Named<CatalogId>>> {
        let records = self.query(&Query::new("catalog").sort_asc("name")).await?;
        records.iter().map(|r| Ok(Named { id: parse(r.reference())?, name: r.name().to_owned() })).collect()
    }

    /// A catalogue.
    pub async fn catalog(&self, id: CatalogId) -> Result<Catalog> {
        let answer = self.get(Family::Xml, &format!("/api/catalog/{}", id.uuid())).await?;
        let doc = xml::parse(&answer.body)?;
        let root = doc.root_element();
        let items = root.child("CatalogItems").map(|items| {
            items.children_named("CatalogItem").map(|i| Ok(i.required("name")?.to_owned())).collect()
        });
        Ok(Catalog {
            id,
            name: root.required("name")?.to_owned(),
            items: items.transpose()?.unwrap_or_default(),
        })
    }

    /// The templates of a catalogue, by its name.
    pub async fn templates(&self, catalog: &str) -> Result<Vec<Named<TemplateId>>> {
        let query = Query::new("vAppTemplate").equals("catalogName", catalog).sort_asc("name");
        let records = self.query(&query).await?;
        records.iter().map(|r| Ok(Named { id: parse(r.reference())?, name: r.name().to_owned() })).collect()
    }

    /// A template with its machines.
    pub async fn template(&self, id: TemplateId) -> Result<Template> {
        let answer = self.get(Family::Xml, &format!("/api/vAppTemplate/vappTemplate-{}", id.uuid())).await?;
        read_template(xml::parse(&answer.body)?.root_element())
    }

    /// The machine inside the template of this name. `None` where there is no such template.
    pub async fn template_vm(&self, name: &str) -> Result<Option<TemplateVm>> {
        let Some(id) = self.template_by_name(name).await? else { return Ok(None) };
        let first = self.template(id).await?.vms.into_iter().next();
        first.map(Some).ok_or_else(|| Error::protocol(format!("template {name:?} holds no machine")))
    }
}

pub(crate) fn read_template(root: roxmltree::Node<'_, '_>) -> Result<Template> {
    let vms = root.child("Children").map(|c| {
        c.children_named("Vm")
            .map(|vm| {
                Ok(TemplateVm { id: parse(vm.required("href")?)?, name: vm.required("name")?.to_owned() })
            })
            .collect()
    });
    Ok(Template {
        id: parse(root.required("href")?)?,
        name: root.required("name")?.to_owned(),
        status: root.required("status")?.parse().map_err(|_| Error::protocol("status is no number"))?,
        vms: vms.transpose()?.unwrap_or_default(),
    })
}
