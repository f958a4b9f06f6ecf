//! What was seen of a customer's group on the platform last, and the wish that somebody looks again now.

use domain::CustomerId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    db::Store,
    dialect::{Sql, rows},
    error::{Error, Result},
    row::Columns,
};

/// A group as the platform holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSeen {
    /// Its name there.
    pub name: String,
    pub running: bool,
    pub machines: Vec<MachineSeen>,
    /// Networks that its machines can be attached to, by name.
    pub networks: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineSeen {
    pub name: String,
    pub on: bool,
    /// The network that its card is on.
    pub network: Option<String>,
    /// What keeps it where it is, in a few words.
    pub obstacle: Option<String>,
}

const SEEN: Sql = rows!(
    "UPDATE server_group SET seen = t.seen, observed_machines = t.machines, observed_networks = t.networks,
         observed_at = $2
     FROM ",
    ["id" TEXT, "seen" TEXT, "machines" BIGINT, "networks" BIGINT],
    " WHERE server_group.customer_id = t.id"
);

impl Store {
    /// Writes down what a look has seen of all groups that belong to somebody.
    pub async fn groups_seen(&self, seen: &[(CustomerId, GroupSeen)], now: i64) -> Result<()> {
        let row = |(customer, seen): &(CustomerId, GroupSeen)| {
            let text = serde_json::to_string(seen).unwrap_or_default();
            json!({"id": customer.to_string(), "seen": text, "machines": seen.machines.len(),
                   "networks": seen.networks.len()})
        };
        let rows = Value::Array(seen.iter().map(row).collect()).to_string();
        sqlx::query(SEEN.of(self.is_embedded())).bind(rows).bind(now).execute(&self.pool).await?;
        Ok(())
    }

    pub async fn group_seen(&self, customer: CustomerId) -> Result<Option<GroupSeen>> {
        let row =
            sqlx::query("SELECT seen FROM server_group WHERE customer_id = $1").bind(customer.to_string());
        let Some(row) = row.fetch_optional(&self.pool).await? else { return Ok(None) };
        let text = row.text_opt("seen")?;
        let read = text.map(|text| serde_json::from_str(&text)).transpose();
        read.map_err(|e| Error::Corrupt(format!("seen: {e}")))
    }

    /// Somebody wants the platform to be looked at now.
    pub async fn look_wanted(&self, now: i64) -> Result<()> {
        self.setting_put("look_wanted", &now.to_string()).await?;
        self.tell_staff();
        Ok(())
    }

    /// Since when a look is wanted that has not been had.
    pub async fn look_wanted_since(&self) -> Result<Option<i64>> {
        let wanted: Option<i64> = self.setting("look_wanted").await?.and_then(|t| t.parse().ok());
        let Some(wanted) = wanted else { return Ok(None) };
        let seen = self.platform_answer().await?;
        Ok(Some(wanted).filter(|wanted| seen.is_none_or(|seen| seen.at - seen.took < *wanted)))
    }
}
