//! Org VDC networks (JSON family).

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use crate::{
    client::{Body, Client, Family},
    error::Result,
    ids::{EdgeId, NetworkId, TaskId, VdcId},
    queries::{encode, parse},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkStatus {
    /// Being made.
    Configuring,
    Realized,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    pub id: NetworkId,
    pub name: String,
    pub status: NetworkStatus,
    pub edge: Option<EdgeId>,
}

/// A routed network to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkSpec {
    pub name: String,
    pub description: String,
    pub edge: EdgeId,
    pub gateway: String,
    pub prefix_length: u8,
    pub first_address: String,
    pub last_address: String,
    pub dns: Vec<String>,
}

#[derive(Deserialize)]
struct NetworkJson {
    id: String,
    name: String,
    status: String,
    #[serde(default)]
    connection: Option<Connection>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    router_ref: Ref,
}

#[derive(Deserialize)]
struct Ref {
    id: String,
}

/// Larger pages of this list are refused **[src]**.
const PAGE: usize = 32;

impl Client {
    pub async fn network_by_name(&self, vdc: VdcId, name: &str) -> Result<Option<Network>> {
        let filter = format!("ownerRef.id=={vdc};name=={name}");
        Ok(self.networks(&filter).await?.into_iter().next())
    }

    /// The networks on an edge: the sure sign of whether it is free.
    pub async fn networks_of_edge(&self, edge: EdgeId) -> Result<Vec<Network>> {
        self.networks(&format!("connection.routerRef.id=={edge}")).await
    }

    async fn networks(&self, filter: &str) -> Result<Vec<Network>> {
        let rows: Vec<NetworkJson> = self.pages("orgVdcNetworks", PAGE, Some(&encode(filter))).await?;
        rows.into_iter()
            .map(|n| {
                Ok(Network {
                    id: parse(&n.id)?,
                    name: n.name,
                    status: match n.status.as_str() {
                        "REALIZED" => NetworkStatus::Realized,
                        "REALIZATION_FAILED" => NetworkStatus::Failed,
                        _ => NetworkStatus::Configuring,
                    },
                    edge: n.connection.map(|c| parse(&c.router_ref.id)).transpose()?,
                })
            })
            .collect()
    }

    /// Makes a routed network. Locks its edge while it lasts.
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

    /// Deletes a network. Refused while a vApp still refers to it.
    pub async fn network_delete(&self, id: NetworkId) -> Result<TaskId> {
        let path = format!("/cloudapi/1.0.0/orgVdcNetworks/{id}");
        self.send(Method::DELETE, Family::Json, &path, None).await?.task_location()
    }
}
