//! Edge gateways and the speed profiles on them (JSON family).

use reqwest::Method;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    client::{Body, Client, Family},
    error::{Error, Result},
    ids::{EdgeId, QosProfileId, TaskId, VdcId},
    query::{encode, parse, settled},
};

/// An edge gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Its id.
    pub id: EdgeId,
    /// Its name.
    pub name: String,
    /// What it is said to be.
    pub description: String,
    /// `REALIZED` when it can be used **\[src\]**.
    pub status: String,
    /// Networks attached to it. Lags behind by seconds **\[inf\]**: never a proof that it is free, see
    /// [`Client::networks_of_edge`].
    pub networks: i64,
}

impl Edge {
    /// Reads a recorded page of edges.
    pub fn page_from_json(body: &str) -> Result<Vec<Self>> {
        let page: Page<EdgeJson> =
            serde_json::from_str(body).map_err(|e| Error::protocol(format!("edges: {e}")))?;
        page.values.into_iter().map(EdgeJson::read).collect()
    }
}

/// A speed limit that an edge can carry (API 36.2) **\[src\]**. It has to exist in the network manager first
/// **\[iss\]**.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QosProfile {
    /// Its id.
    pub id: QosProfileId,
    /// Its name.
    pub name: String,
    /// Mb/s **\[doc\]**.
    pub committed_mbit: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    result_total: usize,
    values: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EdgeJson {
    id: String,
    name: String,
    #[serde(default)]
    description: Option<String>,
    status: String,
    #[serde(default)]
    org_vdc_network_count: Option<i64>,
}

impl EdgeJson {
    fn read(self) -> Result<Edge> {
        Ok(Edge {
            id: parse(&self.id)?,
            name: self.name,
            description: self.description.unwrap_or_default(),
            status: self.status,
            networks: self.org_vdc_network_count.unwrap_or(0),
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProfileJson {
    id: String,
    display_name: String,
    committed_bandwidth: u32,
}

/// The largest page the service takes **\[src\]**.
const PAGE: usize = 128;
/// No list is longer than this: a service that pages for ever is not followed for ever.
const PAGES_MAX: usize = 200;
/// So often a list that changes while it is being read is read anew.
const READS: usize = 3;

impl Client {
    /// All edges of a VDC.
    pub async fn edges(&self, vdc: VdcId) -> Result<Vec<Edge>> {
        let filter = encode(&format!("ownerRef.id=={vdc}"));
        let rows: Vec<EdgeJson> = self.pages("edgeGateways", PAGE, Some(&filter)).await?;
        rows.into_iter().map(EdgeJson::read).collect()
    }

    /// An edge.
    pub async fn edge(&self, id: EdgeId) -> Result<Edge> {
        let answer = self.get(Family::Json, &format!("/cloudapi/1.0.0/edgeGateways/{id}")).await?;
        answer.json::<EdgeJson>()?.read()
    }

    /// The speed profiles. Some providers keep the list from tenants **\[inf\]**.
    pub async fn qos_profiles(&self) -> Result<Vec<QosProfile>> {
        let rows: Vec<ProfileJson> = self.pages("nsxTResources/gatewayQoSProfiles", PAGE, None).await?;
        rows.into_iter()
            .map(|p| {
                Ok(QosProfile {
                    id: parse(&p.id)?,
                    name: p.display_name,
                    committed_mbit: p.committed_bandwidth,
                })
            })
            .collect()
    }

    /// The profile an edge carries, if it is the same in both directions.
    pub async fn edge_qos(&self, edge: EdgeId) -> Result<Option<QosProfileId>> {
        let answer = self.get(Family::Json, &format!("/cloudapi/1.0.0/edgeGateways/{edge}/qos")).await?;
        let body: serde_json::Value = answer.json()?;
        let side = |name: &str| body[name]["id"].as_str().map(parse::<QosProfileId>).transpose();
        let (ingress, egress) = (side("ingressProfile")?, side("egressProfile")?);
        Ok(ingress.filter(|i| Some(*i) == egress))
    }

    /// Puts one profile on both directions; `None` lifts the limit. Locks the edge while it lasts.
    pub async fn edge_qos_set(&self, edge: EdgeId, profile: Option<&QosProfile>) -> Result<TaskId> {
        let value = profile.map(|p| json!({"id": p.id.uuid(), "name": p.name}));
        let body = json!({"ingressProfile": value, "egressProfile": value});
        let path = format!("/cloudapi/1.0.0/edgeGateways/{edge}/qos");
        let body = Body { media: "application/json", content: body.to_string() };
        self.send(Method::PUT, Family::Json, &path, Some(body)).await?.task_location()
    }

    /// Reads a paged list whole, with a hard stop. One that changes meanwhile is read anew.
    pub(crate) async fn pages<T: DeserializeOwned>(
        &self,
        resource: &str,
        size: usize,
        filter: Option<&str>,
    ) -> Result<Vec<T>> {
        let filter = filter.map(|f| format!("&filter={f}")).unwrap_or_default();
        for _ in 0..READS {
            let (mut all, mut totals) = (Vec::<Value>::new(), Vec::new());
            for page in 1..=PAGES_MAX {
                let path = format!("/cloudapi/1.0.0/{resource}?page={page}&pageSize={size}{filter}");
                let page: Page<Value> = self.get(Family::Json, &path).await?.json()?;
                let empty = page.values.is_empty();
                all.extend(page.values);
                totals.push(page.result_total);
                if all.len() >= page.result_total || empty {
                    break;
                }
            }
            let id = |v: &Value| v["id"].as_str().unwrap_or_default().to_owned();
            if let Some(all) = settled(all, &totals, id) {
                let read = |v| serde_json::from_value(v);
                let rows = all.into_iter().map(read).collect::<std::result::Result<Vec<T>, _>>();
                return rows.map_err(|e| Error::protocol(format!("{resource}: {e}")));
            }
        }
        Err(Error::protocol(format!("the list of {resource} changes while it is being read, or never ends")))
    }
}
