//! OVF properties of machines, which a guest can read (XML family).

use std::collections::BTreeMap;

use reqwest::Method;
use roxmltree::Node;

use crate::{
    client::{Client, Family},
    error::{Error, Result},
    ids::{TaskId, VmId},
    xml::{self, Find, OVF, Writer},
};

const SECTIONS: &str = "application/vnd.vmware.vcloud.productSections+xml";

impl Client {
    /// The properties of a machine, by key. A guest sees them where its hardware section says how **\[src\]**.
    pub async fn vm_properties(&self, id: VmId) -> Result<BTreeMap<String, String>> {
        let answer = self.get(Family::Xml, &path(id)).await?;
        let doc = xml::parse(&answer.body)?;
        Ok(properties(doc.root_element())
            .filter_map(|p| Some((key(p)?.to_owned(), value(p).unwrap_or_default().to_owned())))
            .collect())
    }

    /// Sets properties of a machine, keeping its others, all in one section. The document is always written whole **\[src\]**: it is read at once
    /// before, so nobody else may change the same machine meanwhile. The guest sees the new ones at its next start.
    ///
    /// # Errors
    /// Those of the API; where the reading fails nothing was sent.
    pub async fn vm_properties_set(&self, id: VmId, values: &[(&str, &str)]) -> Result<TaskId> {
        let answer = self.get(Family::Xml, &path(id)).await.map_err(Error::before_sending)?;
        let content = {
            let doc = xml::parse(&answer.body).map_err(Error::before_sending)?;
            let kept: Vec<Node<'_, '_>> = properties(doc.root_element())
                .filter(|p| !values.iter().any(|(name, _)| key(*p) == Some(name)))
                .collect();
            Writer::root("ProductSectionList", &[], |w| {
                w.element("ovf:ProductSection", &[], |w| {
                    w.leaf("ovf:Info", "");
                    kept.into_iter().for_each(|p| w.copy(p));
                    for (name, value) in values {
                        let attrs =
                            [("ovf:key", *name), ("ovf:type", "string"), ("ovf:userConfigurable", "true")];
                        w.element("ovf:Property", &attrs, |w| {
                            w.leaf("ovf:Label", name);
                            w.element("ovf:Value", &[("ovf:value", value)], |_| {});
                        });
                    }
                });
            })
        };
        self.change(Method::PUT, &path(id), SECTIONS, content).await
    }
}

fn path(id: VmId) -> String {
    format!("/api/vApp/vm-{}/productSections/", id.uuid())
}

fn properties<'a, 'i>(root: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    let sections: Vec<Node<'a, 'i>> = root.children_named("ProductSection").collect();
    let all: Vec<Node<'a, 'i>> = sections.iter().flat_map(|s| s.children_named("Property")).collect();
    all.into_iter()
}

fn key<'a>(property: Node<'a, '_>) -> Option<&'a str> {
    property.attribute((OVF, "key"))
}

/// What was set, else the default.
fn value<'a>(property: Node<'a, '_>) -> Option<&'a str> {
    let set = property.child("Value").and_then(|v| v.attribute((OVF, "value")));
    set.or_else(|| property.attribute((OVF, "value")))
}
