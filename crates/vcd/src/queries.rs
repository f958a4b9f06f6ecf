//! Finding things by name.

use crate::{
    client::{Client, Family},
    error::{Error, Result},
    ids::{TemplateVmId, VappId, VdcId},
    xml::{self, Find},
};

/// The machine of a template that new ones are copied from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateVm {
    pub id: TemplateVmId,
    pub name: String,
}

impl Client {
    /// The VDC of this name in the organisation.
    pub async fn vdc_by_name(&self, name: &str) -> Result<Option<VdcId>> {
        self.record("orgVdc", &format!("name=={}", escape(name))).await?.map(|h| parse(&h)).transpose()
    }

    /// The vApp of this name in a VDC. Names are not unique by the platform's rule; the caller's naming makes them so.
    pub async fn vapp_by_name(&self, vdc: VdcId, name: &str) -> Result<Option<VappId>> {
        let filter = format!("vdc=={};name=={}", vdc.uuid(), escape(name));
        self.record("vApp", &filter).await?.map(|h| parse(&h)).transpose()
    }

    /// The machine inside the template of this name. `None` where there is no such template.
    pub async fn template_vm(&self, name: &str) -> Result<Option<TemplateVm>> {
        let filter = format!("name=={}", escape(name));
        let Some(href) = self.record("vAppTemplate", &filter).await? else { return Ok(None) };
        let path = href.find("/api/").map_or(href.as_str(), |at| &href[at..]);
        let answer = self.get(Family::Xml, path).await?;
        let doc = xml::parse(&answer.body)?;
        let vm = doc
            .root_element()
            .child("Children")
            .and_then(|c| c.child("Vm"))
            .ok_or_else(|| Error::protocol(format!("template {name:?} holds no machine")))?;
        Ok(Some(TemplateVm { id: parse(vm.required("href")?)?, name: vm.required("name")?.to_owned() }))
    }

    /// The href of the first record of a query.
    async fn record(&self, kind: &str, filter: &str) -> Result<Option<String>> {
        let path =
            format!("/api/query?type={kind}&format=records&page=1&pageSize=25&filter={}", encode(filter));
        let answer = self.get(Family::Xml, &path).await?;
        let doc = xml::parse(&answer.body)?;
        let found = doc
            .root_element()
            .children()
            .filter(|n| n.is_element() && n.tag_name().name() != "Link")
            .find_map(|n| n.attribute("href"));
        Ok(found.map(str::to_owned))
    }
}

pub(crate) fn parse<T: std::str::FromStr<Err = crate::ids::ParseIdError>>(text: &str) -> Result<T> {
    text.parse().map_err(|e: crate::ids::ParseIdError| Error::protocol(e.to_string()))
}

/// Characters with a meaning in filters are escaped by a backslash **[src]**.
fn escape(value: &str) -> String {
    let mut out = String::new();
    for c in value.chars() {
        if matches!(c, '(' | ')' | ';' | ',') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Percent-encodes a query value.
pub(crate) fn encode(value: &str) -> String {
    let mut out = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
