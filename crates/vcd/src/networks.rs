//! Org VDC networks (JSON family).

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use crate::{
    client::{Body, Client, Family},
    error::{Error, Result},
    ids::{EdgeId, NetworkId, TaskId, VdcId},
    query::{encode, escape, parse},
};

/// How a network stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkStatus {
    /// Being made: `PENDING` or `CONFIGURING`, also for a while after its task has succeeded **\[inf\]**.
    Configuring,
    /// `REALIZED`: it can be used.
    Realized,
    /// `REALIZATION_FAILED`: it has to be deleted.
    Failed,
}

/// An org VDC network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its id.
    pub id: NetworkId,
    /// Its name, unique in its VDC.
    pub name: String,
    /// How it stands.
    pub status: NetworkStatus,
    /// The edge it is routed by.
    pub edge: Option<EdgeId>,
    /// What it is said to be.
    pub description: String,
    /// Its subnets; one, unless somebody gave it two.
    pub subnets: Vec<Subnet>,
}

/// Addresses of a network.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subnet {
    /// The edge's address in it.
    pub gateway: String,
    /// Length of its prefix.
    pub prefix_length: u8,
    /// Empty where there is none.
    #[serde(default, rename = "dnsServer1", deserialize_with = "text")]
    pub dns1: String,
    /// Empty where there is none.
    #[serde(default, rename = "dnsServer2", deserialize_with = "text")]
    pub dns2: String,
    #[serde(default)]
    ip_ranges: Values<Range>,
}

impl Subnet {
    /// First and last address of each range of its pool.
    pub fn ranges(&self) -> impl Iterator<Item = (&str, &str)> {
        self.ip_ranges.values.iter().map(|r| (r.start_address.as_str(), r.end_address.as_str()))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Range {
    start_address: String,
    end_address: String,
}

/// Lists stand in an object of their own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Values<T> {
    values: Vec<T>,
}

impl<T> Default for Values<T> {
    fn default() -> Self {
        Self { values: Vec::new() }
    }
}

/// A text that may be null.
fn text<'de, D: serde::Deserializer<'de>>(d: D) -> std::result::Result<String, D::Error> {
    Option::<String>::deserialize(d).map(Option::unwrap_or_default)
}

/// A routed network to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkSpec {
    /// Its name: the way to find it again when an answer is lost.
    pub name: String,
    /// What it is said to be.
    pub description: String,
    /// The edge it is routed by.
    pub edge: EdgeId,
    /// The edge's address in it.
    pub gateway: String,
    /// Length of its prefix.
    pub prefix_length: u8,
    /// First address of its pool.
    pub first_address: String,
    /// Last address of its pool.
    pub last_address: String,
    /// At most two.
    pub dns: Vec<String>,
}

#[derive(Deserialize)]
struct NetworkJson {
    id: String,
    name: String,
    status: String,
    #[serde(default, deserialize_with = "text")]
    description: String,
    #[serde(default)]
    subnets: Option<Values<Subnet>>,
    #[serde(default)]
    connection: Option<Connection>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    /// Absent where the network is not routed by an edge.
    #[serde(default)]
    router_ref: Option<Ref>,
}

#[derive(Deserialize)]
struct Ref {
    id: String,
}

/// Larger pages of this list are refused **\[src\]**.
const PAGE: usize = 32;

/// Reads a page of networks.
pub(crate) fn page_from_json(body: &str) -> Result<Vec<Network>> {
    #[derive(Deserialize)]
    struct Page {
        values: Vec<NetworkJson>,
    }
    let page: Page = serde_json::from_str(body).map_err(|e| Error::protocol(format!("networks: {e}")))?;
    page.values.into_iter().map(NetworkJson::read).collect()
}

impl NetworkJson {
    fn read(self) -> Result<Network> {
        Ok(Network {
            id: parse(&self.id)?,
            name: self.name,
            status: match self.status.as_str() {
                "REALIZED" => NetworkStatus::Realized,
                "REALIZATION_FAILED" => NetworkStatus::Failed,
                _ => NetworkStatus::Configuring,
            },
            description: self.description,
            subnets: self.subnets.map(|s| s.values).unwrap_or_default(),
            edge: self.connection.and_then(|c| c.router_ref).map(|r| parse(&r.id)).transpose()?,
        })
    }
}

impl Client {
    /// The networks of a VDC.
    pub async fn networks(&self, vdc: VdcId) -> Result<Vec<Network>> {
        self.networks_where(&format!("ownerRef.id=={vdc}")).await
    }

    /// A network.
    pub async fn network(&self, id: NetworkId) -> Result<Network> {
        let answer = self.get(Family::Json, &format!("/cloudapi/1.0.0/orgVdcNetworks/{id}")).await?;
        answer.json::<NetworkJson>()?.read()
    }

    /// The network of this name in a VDC.
    pub async fn network_by_name(&self, vdc: VdcId, name: &str) -> Result<Option<Network>> {
        let filter = format!("ownerRef.id=={vdc};name=={}", escape(name));
        Ok(self.networks_where(&filter).await?.into_iter().find(|n| n.name == name))
    }

    /// The networks on an edge: the sure sign of whether it is free.
    pub async fn networks_of_edge(&self, edge: EdgeId) -> Result<Vec<Network>> {
        self.networks_where(&format!("connection.routerRef.id=={edge}")).await
    }

    async fn networks_where(&self, filter: &str) -> Result<Vec<Network>> {
        let rows: Vec<NetworkJson> = self.pages("orgVdcNetworks", PAGE, Some(&encode(filter))).await?;
        rows.into_iter().map(NetworkJson::read).collect()
    }

    /// Makes a routed network. Its edge accepts nothing else while it lasts **\[iss\]**. The task's owner is the network.
    pub async fn network_create(&self, vdc: VdcId, spec: &NetworkSpec) -> Result<TaskId> {
        let dns = |i: usize| spec.dns.get(i).map(String::as_str).unwrap_or_default();
        let body = json!({
            "name": spec.name,
            "description": spec.description,
            "ownerRef": {"id": vdc.to_string()},
            "networkType": "NAT_ROUTED",
            "connection": {"routerRef": {"id": spec.edge.to_string()}, "connectionType": "INTERNAL"},
            "subnets": {"values": [{
                "gateway": spec.gateway,
                "prefixLength": spec.prefix_length,
                "dnsServer1": dns(0),
                "dnsServer2": dns(1),
                "dnsSuffix": "",
                "ipRanges": {"values": [{"startAddress": spec.first_address, "endAddress": spec.last_address}]},
            }]},
        });
        let body = Body { media: "application/json", content: body.to_string() };
        self.send(Method::POST, Family::Json, "/cloudapi/1.0.0/orgVdcNetworks", Some(body))
            .await?
            .task_location()
    }

    /// Deletes a network. Refused while a vApp refers to it; its edge accepts nothing else while it lasts **\[iss\]**.
    pub async fn network_delete(&self, id: NetworkId) -> Result<TaskId> {
        let path = format!("/cloudapi/1.0.0/orgVdcNetworks/{id}");
        self.send(Method::DELETE, Family::Json, &path, None).await?.task_location()
    }
}
