//! Snapshots: one a machine; another replaces it **[inf]** (XML family).

use reqwest::Method;

use crate::{
    client::{Client, Family},
    error::Result,
    ids::{TaskId, VappId, VmId},
    xml::{self, Find, Writer},
};

/// A machine's snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// When it was taken, ISO 8601.
    pub created: String,
    /// The machine was on.
    pub powered_on: bool,
    /// Bytes.
    pub size: u64,
}

const CREATE: &str = "application/vnd.vmware.vcloud.createSnapshotParams+xml";

impl Client {
    /// The snapshot of a machine, if it has one.
    pub async fn vm_snapshot(&self, id: VmId) -> Result<Option<Snapshot>> {
        let path = format!("/api/vApp/vm-{}/snapshotSection", id.uuid());
        let answer = self.get(Family::Xml, &path).await?;
        let doc = xml::parse(&answer.body)?;
        let Some(s) = doc.root_element().child("Snapshot") else { return Ok(None) };
        Ok(Some(Snapshot {
            created: s.required("created")?.to_owned(),
            powered_on: s.attribute("poweredOn") == Some("true"),
            size: s.attribute("size").and_then(|n| n.parse().ok()).unwrap_or(0),
        }))
    }

    /// Takes a snapshot, with memory or without. Quiescing needs the guest's tools.
    pub async fn vm_snapshot_create(&self, id: VmId, memory: bool, quiesce: bool) -> Result<TaskId> {
        self.snapshot_create(&format!("vm-{}", id.uuid()), memory, quiesce).await
    }

    async fn snapshot_create(&self, entity: &str, memory: bool, quiesce: bool) -> Result<TaskId> {
        let (memory, quiesce) = (memory.to_string(), quiesce.to_string());
        let attrs = [("memory", memory.as_str()), ("quiesce", quiesce.as_str())];
        let content = Writer::root("CreateSnapshotParams", &attrs, |_| {});
        let path = format!("/api/vApp/{entity}/action/createSnapshot");
        self.change(Method::POST, &path, CREATE, content).await
    }

    /// Puts a machine back to its snapshot. One without memory leaves it off **\[inf\]**.
    pub async fn vm_snapshot_revert(&self, id: VmId) -> Result<TaskId> {
        self.act(&format!("/api/vApp/vm-{}/action/revertToCurrentSnapshot", id.uuid())).await
    }

    /// Takes a snapshot of every machine of a vApp, as [`Client::vm_snapshot_create`] does of one.
    pub async fn vapp_snapshot_create(&self, id: VappId, memory: bool, quiesce: bool) -> Result<TaskId> {
        self.snapshot_create(&format!("vapp-{}", id.uuid()), memory, quiesce).await
    }

    /// Puts every machine of a vApp back to its snapshot.
    pub async fn vapp_snapshot_revert(&self, id: VappId) -> Result<TaskId> {
        self.act(&format!("/api/vApp/vapp-{}/action/revertToCurrentSnapshot", id.uuid())).await
    }

    /// Removes the snapshots of every machine of a vApp.
    pub async fn vapp_snapshot_remove(&self, id: VappId) -> Result<TaskId> {
        self.act(&format!("/api/vApp/vapp-{}/action/removeAllSnapshots", id.uuid())).await
    }

    /// Removes a machine's snapshot.
    pub async fn vm_snapshot_remove(&self, id: VmId) -> Result<TaskId> {
        self.act(&format!("/api/vApp/vm-{}/action/removeAllSnapshots", id.uuid())).await
    }
}
