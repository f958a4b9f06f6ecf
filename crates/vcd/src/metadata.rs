//! Values attached to vApps and machines, by key (XML family).

use std::collections::BTreeMap;

use reqwest::Method;

use crate::{
    client::{Client, Family},
    error::Result,
    ids::{TaskId, VappId, VmId},
    query::encode,
    xml::{self, Find, Writer},
};

const METADATA: &str = "application/vnd.vmware.vcloud.metadata+xml";
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

impl Client {
    /// The metadata of a machine.
    pub async fn vm_metadata(&self, id: VmId) -> Result<BTreeMap<String, String>> {
        self.metadata(&format!("vm-{}", id.uuid())).await
    }

    /// The metadata of a vApp. It does not travel with machines that are moved elsewhere **\[inf\]**.
    pub async fn vapp_metadata(&self, id: VappId) -> Result<BTreeMap<String, String>> {
        self.metadata(&format!("vapp-{}", id.uuid())).await
    }

    /// Sets values of a machine, keeping its others.
    pub async fn vm_metadata_set(&self, id: VmId, values: &[(&str, &str)]) -> Result<TaskId> {
        self.metadata_set(&format!("vm-{}", id.uuid()), values).await
    }

    /// Sets values of a vApp, keeping its others.
    pub async fn vapp_metadata_set(&self, id: VappId, values: &[(&str, &str)]) -> Result<TaskId> {
        self.metadata_set(&format!("vapp-{}", id.uuid()), values).await
    }

    /// Deletes a value of a machine.
    pub async fn vm_metadata_delete(&self, id: VmId, key: &str) -> Result<TaskId> {
        let path = format!("/api/vApp/vm-{}/metadata/{}", id.uuid(), encode(key));
        self.send(Method::DELETE, Family::Xml, &path, None).await?.task_in_body()
    }

    /// Deletes a value of a vApp.
    pub async fn vapp_metadata_delete(&self, id: VappId, key: &str) -> Result<TaskId> {
        let path = format!("/api/vApp/vapp-{}/metadata/{}", id.uuid(), encode(key));
        self.send(Method::DELETE, Family::Xml, &path, None).await?.task_in_body()
    }

    async fn metadata(&self, entity: &str) -> Result<BTreeMap<String, String>> {
        let answer = self.get(Family::Xml, &format!("/api/vApp/{entity}/metadata")).await?;
        let doc = xml::parse(&answer.body)?;
        let root = doc.root_element();
        Ok(root
            .children_named("MetadataEntry")
            .filter_map(|e| {
                // Before 5.1 the value stood in the entry itself **[doc]**.
                let typed = e.child("TypedValue").and_then(|t| t.text_of("Value"));
                Some((e.text_of("Key")?.to_owned(), typed.or(e.text_of("Value"))?.to_owned()))
            })
            .collect())
    }

    async fn metadata_set(&self, entity: &str, values: &[(&str, &str)]) -> Result<TaskId> {
        let content = Writer::root("Metadata", &[("xmlns:xsi", XSI)], |w| {
            for (key, value) in values {
                w.element("MetadataEntry", &[], |w| {
                    w.leaf("Key", key);
                    w.element("TypedValue", &[("xsi:type", "MetadataStringValue")], |w| {
                        w.leaf("Value", value)
                    });
                });
            }
        });
        self.change(Method::POST, &format!("/api/vApp/{entity}/metadata"), METADATA, content).await
    }
}
