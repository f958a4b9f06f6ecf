//! Edge gateways and the speed profiles on them (JSON family).

use reqwest::Method;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    client::{Body, Client, Family},
    error::{Error, Result},
    ids::{EdgeId, ManagerId, QosProfileId, TaskId, VdcId},
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
    /// Networks attached to it, where the service counts them. Lags behind by seconds **\[inf\]**: never a proof that it is free, see
    /// [`Client::networks_of_edge`].
    pub networks: Option<i64>,
    /// The network manager behind it: whose speed profiles it can carry.
    pub manager: Option<ManagerId>,
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

/// What limits an edge, towards it and away from it. Nothing: as fast as the uplink is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EdgeQos {
    /// Of what comes in.
    pub ingress: Option<QosProfileId>,
    /// Of what goes out.
    pub egress: Option<QosProfileId>,
}

impl EdgeQos {
    /// No limit in either direction.
    pub const UNLIMITED: Self = Self { ingress: None, egress: None };

    /// The same limit in both directions.
    pub const fn both(profile: QosProfileId) -> Self {
        Self { ingress: Some(profile), egress: Some(profile) }
    }
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
    #[serde(default)]
    gateway_backing: Option<Backing>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Backing {
    #[serde(default)]
    network_provider: Option<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    id: String,
}

impl EdgeJson {
    fn read(self) -> Result<Edge> {
        Ok(Edge {
            id: parse(&self.id)?,
            name: self.name,
            description: self.description.unwrap_or_default(),
            status: self.status,
            networks: self.org_vdc_network_count,
            manager: self.gateway_backing.and_then(|b| b.network_provider).and_then(|p| p.id.parse().ok()),
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

    /// The speed profiles of a network manager: see [`Edge::manager`]. The service refuses to list those of all
    /// **\[src\]**; some providers keep the list from tenants **\[inf\]**.
    pub async fn qos_profiles(&self, manager: ManagerId) -> Result<Vec<QosProfile>> {
        let filter = encode(&format!("nsxTManagerRef.id=={manager}"));
        let rows: Vec<ProfileJson> =
            self.pages("nsxTResources/gatewayQoSProfiles", PAGE, Some(&filter)).await?;
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

    /// The profiles an edge carries.
    pub async fn edge_qos(&self, edge: EdgeId) -> Result<EdgeQos> {
        let answer = self.get(Family::Json, &format!("/cloudapi/1.0.0/edgeGateways/{edge}/qos")).await?;
        let body: serde_json::Value = answer.json()?;
        let side = |name: &str| body[name]["id"].as_str().map(parse::<QosProfileId>).transpose();
        Ok(EdgeQos { ingress: side("ingressProfile")?, egress: side("egressProfile")? })
    }

    /// Puts a profile on each direction, or lifts its limit. Locks the edge while it lasts.
    pub async fn edge_qos_set(&self, edge: EdgeId, qos: EdgeQos) -> Result<TaskId> {
        let value = |id: Option<QosProfileId>| id.map(|id| json!({"id": id.uuid()}));
        let body = json!({"ingressProfile": value(qos.ingress), "egressProfile": value(qos.egress)});
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
            // Where rows have no ids of their own, all that one says tells it from the others.
            let key = |v: &Value| v["id"].as_str().map_or_else(|| v.to_string(), str::to_owned);
            if let Some(all) = settled(all, &totals, key) {
                let read = |v| serde_json::from_value(v);
                let rows = all.into_iter().map(read).collect::<std::result::Result<Vec<T>, _>>();
                return rows.map_err(|e| Error::protocol(format!("{resource}: {e}")));
            }
        }
        Err(Error::protocol(format!("the list of {resource} changes while it is being read, or never ends")))
    }
}
