//! Edge gateways and the speed profiles on them (JSON family).

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use crate::{
    client::{Body, Client, Family},
    error::{Error, Result},
    ids::{EdgeId, QosProfileId, TaskId, VdcId},
    queries::{encode, parse},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    pub id: EdgeId,
    pub name: String,
    pub description: String,
    /// `REALIZED` when it can be used.
    pub status: String,
    /// Networks attached to it. Lags behind by seconds **[inf]**: never a proof that it is free.
    pub networks: i64,
}

/// A speed limit that an edge can carry. Needs API 36.2 **[src]**.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QosProfile {
    pub id: QosProfileId,
    pub name: String,
    /// Mb/s **[doc]**.
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProfileJson {
    id: String,
    display_name: String,
    committed_bandwidth: u32,
}

/// The largest page the service takes **[src]**.
const PAGE: usize = 128;
/// No list is longer than this: a service that pages for ever is not followed for ever.
const PAGES_MAX: usize = 100;

impl Client {
    /// All edges of a VDC.
    pub async fn edges(&self, vdc: VdcId) -> Result<Vec<Edge>> {
        let filter = encode(&format!("ownerRef.id=={vdc}"));
        let rows: Vec<EdgeJson> = self.pages("edgeGateways", PAGE, Some(&filter)).await?;
        rows.into_iter()
            .map(|e| {
                Ok(Edge {
                    id: parse(&e.id)?,
                    name: e.name,
                    description: e.description.unwrap_or_default(),
                    status: e.status,
                    networks: e.org_vdc_network_count.unwrap_or(0),
                })
            })
            .collect()
    }

    /// The speed profiles. Some providers keep the list from tenants **[inf]**.
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

    /// Reads a paged list whole, with a hard stop.
    pub(crate) async fn pages<T: serde::de::DeserializeOwned>(
        &self,
        resource: &str,
        size: usize,
        filter: Option<&str>,
    ) -> Result<Vec<T>> {
        let filter = filter.map(|f| format!("&filter={f}")).unwrap_or_default();
        let mut all = Vec::new();
        for page in 1..=PAGES_MAX {
            let path = format!("/cloudapi/1.0.0/{resource}?page={page}&pageSize={size}{filter}");
            let page: Page<T> = self.get(Family::Json, &path).await?.json()?;
            let empty = page.values.is_empty();
            all.extend(page.values);
            if all.len() >= page.result_total || empty {
                return Ok(all);
            }
        }
        Err(Error::protocol(format!("{resource} has more than {PAGES_MAX} pages")))
    }
}
