//! A customer's group of servers on the platform (vCD's vApp).

use domain::{CustomerId, ServerId, kind::Scope};
use jobs::Fence;
use serde_json::{Value, json};
use sqlx::any::AnyRow;

use crate::{
    db::Store,
    dialect::{Sql, rows},
    error::{Error, Result},
    fence,
    row::Columns,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub customer: CustomerId,
    pub name: String,
    /// The provider's reference; `None` while it does not exist.
    pub group_ref: Option<String>,
    pub machines: Option<i64>,
    pub networks: Option<i64>,
    /// When it was last read from the platform.
    pub observed_at: Option<i64>,
    /// The move to another group that is planned or under way.
    pub migration: Option<Migration>,
}

/// A plan to move what stays of a customer's servers to a new group, so that the others' networks can go with the old one.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Migration {
    /// Servers whose machine and network stay behind.
    pub leaving: Vec<ServerId>,
    /// The provider's reference of the group that is given up.
    pub old: Option<String>,
    /// There is something to be moved; otherwise the old group just goes.
    pub moves: bool,
    /// Whose jobs this is about: the servers that leave, or one whose network does.
    #[serde(default)]
    pub of: Vec<ServerId>,
    /// Networks that stay behind.
    #[serde(default)]
    pub networks: Vec<String>,
    /// Why what stays cannot be moved. The machines that leave go alone, and their networks stay where they are.
    #[serde(default)]
    pub stuck: Option<String>,
}

const MOVED: Sql = rows!(
    "UPDATE server SET machine_ref = t.machine FROM ",
    ["id" TEXT, "machine" TEXT],
    " WHERE server.id = t.id AND server.customer_id = $2"
);

/// A row of the staff's table.
#[derive(Clone, Debug)]
pub struct GroupRow {
    pub group: Group,
    pub customer_email: String,
    /// Servers that our record places in it.
    pub servers: i64,
}

impl Store {
    pub async fn group(&self, customer: CustomerId) -> Result<Option<Group>> {
        let row = sqlx::query(
            "SELECT customer_id, name, group_ref, observed_machines, observed_networks, observed_at, migration
             FROM server_group WHERE customer_id = $1",
        )
        .bind(customer.to_string())
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(group).transpose()
    }

    /// Records the group's name before it is made, so that a repeat finds its earlier self.
    pub async fn group_intend(&self, fence: Fence, name: &str) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        sqlx::query(
            "INSERT INTO server_group (customer_id, name) VALUES ($1, $2)
             ON CONFLICT (customer_id) DO UPDATE SET name = excluded.name",
        )
        .bind(customer.to_string())
        .bind(name)
        .execute(&mut *tx)
        .await?;
        self.commit(tx, customer).await
    }

    pub async fn group_set_ref(&self, fence: Fence, group_ref: Option<&str>) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        sqlx::query("UPDATE server_group SET group_ref = $1 WHERE customer_id = $2")
            .bind(group_ref)
            .bind(customer.to_string())
            .execute(&mut *tx)
            .await?;
        self.commit(tx, customer).await
    }

    /// Records what is to be moved, or that nothing is any more.
    pub async fn group_plan(&self, fence: Fence, name: &str, plan: Option<&Migration>) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        let plan = plan.map(serde_json::to_string).transpose();
        let plan = plan.map_err(|e| Error::Corrupt(format!("migration: {e}")))?;
        sqlx::query(
            "INSERT INTO server_group (customer_id, name, migration) VALUES ($1, $2, $3)
             ON CONFLICT (customer_id) DO UPDATE SET migration = excluded.migration",
        )
        .bind(customer.to_string())
        .bind(name)
        .bind(plan)
        .execute(&mut *tx)
        .await?;
        self.commit(tx, customer).await
    }

    /// The customer's machines are in another group from now on, each under its reference there.
    pub async fn group_moved(
        &self,
        fence: Fence,
        group_ref: &str,
        machines: &[(ServerId, String)],
    ) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        sqlx::query("UPDATE server_group SET group_ref = $1 WHERE customer_id = $2")
            .bind(group_ref)
            .bind(customer.to_string())
            .execute(&mut *tx)
            .await?;
        let rows: Vec<_> = machines
            .iter()
            .map(|(server, machine)| json!({"id": server.to_string(), "machine": machine}))
            .collect();
        sqlx::query(MOVED.of(self.is_embedded()))
            .bind(Value::Array(rows).to_string())
            .bind(customer.to_string())
            .execute(&mut *tx)
            .await?;
        self.commit(tx, customer).await
    }

    /// How widely a job keeps its place should it fail from here on.
    pub async fn job_set_hold(&self, fence: Fence, hold: Scope) -> Result<()> {
        let mut tx = self.write().await?;
        let (job, customer) = fence::hold(&mut tx, fence).await?;
        sqlx::query("UPDATE job SET hold_on_failure = $1 WHERE id = $2")
            .bind(crate::admission::scope_text(hold))
            .bind(job.to_string())
            .execute(&mut *tx)
            .await?;
        self.commit(tx, customer).await
    }

    /// Records what was seen of a group.
    pub async fn group_observed(&self, fence: Fence, machines: i64, networks: i64, now: i64) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        sqlx::query(
            "UPDATE server_group SET observed_machines = $1, observed_networks = $2, observed_at = $3
             WHERE customer_id = $4",
        )
        .bind(machines)
        .bind(networks)
        .bind(now)
        .bind(customer.to_string())
        .execute(&mut *tx)
        .await?;
        self.commit(tx, customer).await
    }

    pub async fn groups(&self) -> Result<Vec<GroupRow>> {
        let rows = sqlx::query(
            "SELECT g.customer_id, g.name, g.group_ref, g.observed_machines, g.observed_networks, g.observed_at,
                    g.migration, account.email,
                    (SELECT COUNT(*) FROM server WHERE server.customer_id = g.customer_id
                        AND server.terminated_at IS NULL AND server.machine_ref IS NOT NULL) AS servers
             FROM server_group AS g JOIN account ON account.id = g.customer_id ORDER BY account.email LIMIT 500",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(GroupRow {
                    group: group(row)?,
                    customer_email: row.text("email")?,
                    servers: row.int("servers")?,
                })
            })
            .collect()
    }
}

fn group(row: &AnyRow) -> Result<Group> {
    Ok(Group {
        customer: row.id("customer_id")?,
        name: row.text("name")?,
        group_ref: row.text_opt("group_ref")?,
        machines: row.int_opt("observed_machines")?,
        networks: row.int_opt("observed_networks")?,
        observed_at: row.int_opt("observed_at")?,
        migration: row
            .text_opt("migration")?
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|e| Error::Corrupt(format!("migration: {e}")))?,
    })
}
