//! Servers: what was ordered, where it is, what was last seen of it.

use domain::{
    CustomerId, ServerId, access::Method, catalogue::Family, reinstall::System, size::Size,
    state::ServerState,
};
use jobs::Fence;
use sqlx::any::AnyRow;

use crate::{
    db::{Conn, Store},
    edges,
    error::{Error, Result},
    events, fence,
    row::Columns,
};

#[derive(Clone, Debug)]
pub struct Server {
    pub id: ServerId,
    pub customer: CustomerId,
    pub name: String,
    pub hostname: String,
    pub template_id: String,
    pub template_name: String,
    pub family: Family,
    pub size: Size,
    /// Per month, minor units.
    pub price_minor: i64,
    pub method: Method,
    pub guest_login: String,
    /// The customer chose the password; otherwise it was generated.
    pub own_password: bool,
    pub ssh_keys: Vec<String>,
    pub state: ServerState,
    pub address: Option<String>,
    /// The provider's reference of its machine; a migration changes it.
    pub machine_ref: Option<String>,
    pub network_ref: Option<String>,
    /// When its state was last read from the platform.
    pub observed_at: Option<i64>,
    pub created_at: i64,
    pub terminated_at: Option<i64>,
    /// vCPUs can be added while it runs, as last seen.
    pub cpu_hot_add: bool,
    /// Memory can.
    pub ram_hot_add: bool,
    /// Since when it has a snapshot.
    pub snapshot_at: Option<i64>,
    /// The address that it is about to get.
    pub next_address: Option<String>,
    /// How often it has changed its edge.
    pub network_turn: i64,
    /// The control panel that was ordered with it.
    pub panel: Option<ServerPanel>,
}

/// What a server costs per month, minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    pub minor: i64,
    /// Its panel's part, which goes where it has lost its panel meanwhile.
    pub panel_minor: i64,
}

/// A server's control panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerPanel {
    /// In the catalogue.
    pub id: String,
    pub name: String,
    /// Its part of the price, per month, minor units.
    pub price_minor: i64,
    /// Since when it is there; `None` until it is installed.
    pub since: Option<i64>,
}

/// What was seen of a server on the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub state: ServerState,
    pub cpu_hot_add: bool,
    pub ram_hot_add: bool,
    pub has_snapshot: bool,
}

/// The row says from now on what was seen.
pub(crate) async fn write_seen(tx: &mut Conn, server: ServerId, seen: Seen, now: i64) -> Result<()> {
    sqlx::query(
        "UPDATE server SET state = $1, observed_power = $1, observed_at = $2, cpu_hot_add = $3, ram_hot_add = $4,
             snapshot_at = CASE WHEN $5 = 1 THEN COALESCE(snapshot_at, $2) END
         WHERE id = $6",
    )
    .bind(seen.state.as_str())
    .bind(now)
    .bind(i64::from(seen.cpu_hot_add))
    .bind(i64::from(seen.ram_hot_add))
    .bind(i64::from(seen.has_snapshot))
    .bind(server.to_string())
    .execute(tx)
    .await?;
    Ok(())
}

impl Server {
    /// What was last seen of it.
    pub fn seen(&self) -> Seen {
        Seen {
            state: self.state,
            cpu_hot_add: self.cpu_hot_add,
            ram_hot_add: self.ram_hot_add,
            has_snapshot: self.snapshot_at.is_some(),
        }
    }
}

macro_rules! select_server {
    ($rest:literal) => {
        concat!(
            "SELECT id, customer_id, name, hostname, template_id, template_name, family, vcpu, ram_gb, disk_gb, ",
            "bandwidth_mbit, price_minor, method, guest_login, own_password, ssh_keys, state, address, machine_ref, ",
            "network_ref, observed_at, created_at, terminated_at, cpu_hot_add, ram_hot_add, snapshot_at, ",
            "next_address, network_turn, panel_id, panel_name, panel_minor, panel_at FROM server ",
            $rest
        )
    };
}

impl Store {
    /// A server, whoever owns it: for workers and staff.
    pub async fn server(&self, id: ServerId) -> Result<Option<Server>> {
        let row = sqlx::query(select_server!("WHERE id = $1"))
            .bind(id.to_string())
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(server).transpose()
    }

    /// A customer's servers that exist, newest first.
    pub async fn servers_of(&self, customer: CustomerId) -> Result<Vec<Server>> {
        let rows = sqlx::query(select_server!(
            "WHERE customer_id = $1 AND terminated_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 200"
        ))
        .bind(customer.to_string())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(server).collect()
    }

    /// Whether a customer has ever ordered anything.
    pub async fn has_ordered(&self, customer: CustomerId) -> Result<bool> {
        let row = sqlx::query("SELECT 1 AS one FROM server WHERE customer_id = $1 LIMIT 1")
            .bind(customer.to_string())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_some())
    }

    /// Every server that has, or should have, a machine, and that nothing is being done to: none of its own jobs, and none of
    /// its customer's that may move it.
    pub async fn servers_at_rest(&self) -> Result<Vec<Server>> {
        let rows = sqlx::query(select_server!(
            "WHERE terminated_at IS NULL AND machine_ref IS NOT NULL AND state IN ('running', 'stopped', 'unknown')
               AND NOT EXISTS (SELECT 1 FROM job WHERE job.context_id = server.customer_id
                               AND job.finished_at IS NULL AND job.state <> 'parked'
                               AND (job.server_id = server.id OR job.kind IN ('activate', 'terminate', 'migrate',
                                                                              'change_edge')))
             ORDER BY customer_id, id"
        ))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(server).collect()
    }

    /// How many other servers of the same customer have, or may soon have, a machine in the group.
    pub async fn server_neighbours(&self, customer: CustomerId, except: ServerId) -> Result<i64> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS n FROM server
             WHERE customer_id = $1 AND id <> $2 AND terminated_at IS NULL AND machine_ref IS NOT NULL",
        )
        .bind(customer.to_string())
        .bind(except.to_string())
        .fetch_one(&self.pool)
        .await?;
        row.int("n")
    }

    pub async fn server_set_state(&self, fence: Fence, server: ServerId, state: ServerState) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        sqlx::query("UPDATE server SET state = $1 WHERE id = $2")
            .bind(state.as_str())
            .bind(server.to_string())
            .execute(&mut *tx)
            .await?;
        self.commit(tx, customer).await
    }

    /// Records the network that was made for the server, and the address it will carry.
    pub async fn server_set_network(
        &self,
        fence: Fence,
        server: ServerId,
        network_ref: &str,
        address: &str,
    ) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        sqlx::query("UPDATE server SET network_ref = $1, address = $2 WHERE id = $3")
            .bind(network_ref)
            .bind(address)
            .bind(server.to_string())
            .execute(&mut *tx)
            .await?;
        self.commit(tx, customer).await
    }

    /// It is made from another template, as long as there is no machine of it.
    pub async fn server_set_template(
        &self,
        fence: Fence,
        server: ServerId,
        id: &str,
        name: &str,
    ) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        sqlx::query(
            "UPDATE server SET template_id = $1, template_name = $2 WHERE id = $3 AND machine_ref IS NULL",
        )
        .bind(id)
        .bind(name)
        .bind(server.to_string())
        .execute(&mut *tx)
        .await?;
        self.commit(tx, customer).await
    }

    pub async fn server_set_machine(
        &self,
        fence: Fence,
        server: ServerId,
        machine_ref: Option<&str>,
    ) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        sqlx::query("UPDATE server SET machine_ref = $1 WHERE id = $2")
            .bind(machine_ref)
            .bind(server.to_string())
            .execute(&mut *tx)
            .await?;
        self.commit(tx, customer).await
    }

    /// Records what was seen of the server on the platform.
    pub async fn server_observed(&self, fence: Fence, server: ServerId, seen: Seen, now: i64) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        write_seen(&mut tx, server, seen, now).await?;
        self.commit(tx, customer).await
    }

    /// A snapshot was taken now, in place of any other.
    pub async fn server_snapshot_taken(&self, fence: Fence, server: ServerId, now: i64) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        sqlx::query("UPDATE server SET snapshot_at = $1 WHERE id = $2")
            .bind(now)
            .bind(server.to_string())
            .execute(&mut *tx)
            .await?;
        self.commit(tx, customer).await
    }

    /// The server has this size from now on, at this price.
    pub async fn server_resized(
        &self,
        fence: Fence,
        server: ServerId,
        size: Size,
        price: Price,
    ) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        sqlx::query(
            "UPDATE server SET vcpu = $1, ram_gb = $2, disk_gb = $3, bandwidth_mbit = $4,
                 price_minor = CASE WHEN panel_id IS NULL THEN $5 - $6 ELSE $5 END,
                 panel_minor = CASE WHEN panel_id IS NULL THEN 0 ELSE $6 END
             WHERE id = $7",
        )
        .bind(i64::from(size.vcpu))
        .bind(i64::from(size.ram_gb))
        .bind(i64::from(size.disk_gb))
        .bind(i64::from(size.bandwidth_mbit))
        .bind(price.minor)
        .bind(price.panel_minor)
        .bind(server.to_string())
        .execute(&mut *tx)
        .await?;
        sqlx::query("UPDATE edge SET bandwidth_mbit = $1 WHERE server_id = $2")
            .bind(i64::from(size.bandwidth_mbit))
            .bind(server.to_string())
            .execute(&mut *tx)
            .await?;
        self.commit(tx, customer).await
    }

    /// Its password was made by us, not chosen.
    pub async fn server_password_made(&self, fence: Fence, server: ServerId) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        sqlx::query("UPDATE server SET own_password = 0 WHERE id = $1")
            .bind(server.to_string())
            .execute(&mut *tx)
            .await?;
        self.commit(tx, customer).await
    }

    /// The system and the way to sign in that the server is to have from now on.
    pub async fn server_system(&self, fence: Fence, server: ServerId, system: &System) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        let keys = serde_json::to_string(&system.ssh_keys).map_err(|e| Error::Corrupt(e.to_string()))?;
        sqlx::query(
            "UPDATE server SET template_id = $1, template_name = $2, family = $3, method = $4, guest_login = $5,
                 own_password = $6, ssh_keys = $7, panel_at = NULL
             WHERE id = $8",
        )
        .bind(&system.template_id)
        .bind(&system.template_name)
        .bind(family_text(system.family))
        .bind(system.method.as_str())
        .bind(&system.guest_login)
        .bind(i64::from(system.own_password))
        .bind(keys)
        .bind(server.to_string())
        .execute(&mut *tx)
        .await?;
        // What opened the old guest opens nothing any more.
        sqlx::query("DELETE FROM job_way WHERE server_id = $1")
            .bind(server.to_string())
            .execute(&mut *tx)
            .await?;
        self.commit(tx, customer).await
    }

    /// Another name for a server: a label, that changes nothing on the platform.
    pub async fn server_rename(&self, customer: CustomerId, server: ServerId, name: &str) -> Result<bool> {
        let mut tx = self.write().await?;
        events::next_version(&mut tx, customer).await?;
        let done = sqlx::query(
            "UPDATE server SET name = $1 WHERE id = $2 AND customer_id = $3 AND terminated_at IS NULL",
        )
        .bind(name)
        .bind(server.to_string())
        .bind(customer.to_string())
        .execute(&mut *tx)
        .await?;
        self.commit(tx, customer).await?;
        Ok(done.rows_affected() == 1)
    }

    /// The end of a server: its row stays, its references go.
    pub async fn server_terminated(&self, fence: Fence, server: ServerId, now: i64) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        sqlx::query(
            "UPDATE server SET state = 'terminated', terminated_at = $1, machine_ref = NULL, network_ref = NULL
             WHERE id = $2",
        )
        .bind(now)
        .bind(server.to_string())
        .execute(&mut *tx)
        .await?;
        sqlx::query("DELETE FROM secret WHERE server_id = $1")
            .bind(server.to_string())
            .execute(&mut *tx)
            .await?;
        for gone in [
            "DELETE FROM job_way WHERE server_id = $1",
            // What installers print may open what they have installed.
            "DELETE FROM job_log WHERE job_id IN (SELECT id FROM job WHERE server_id = $1)",
        ] {
            sqlx::query(gone).bind(server.to_string()).execute(&mut *tx).await?;
        }
        // An order for it that was parked while this ran, or has been granted an edge since, is not made any more.
        let waiting = sqlx::query(
            "UPDATE job SET state = 'cancelled', finished_at = $1, parked_at = NULL
             WHERE server_id = $2 AND kind IN ('activate', 'install_panel') AND state IN ('parked', 'queued')
             RETURNING id",
        )
        .bind(now)
        .bind(server.to_string())
        .fetch_all(&mut *tx)
        .await?;
        for row in &waiting {
            let why = Some("its server has been terminated");
            events::record(&mut tx, customer, row.id("id")?, "cancelled", None, why, now).await?;
        }
        edges::free_unused(&mut tx, server, now).await?;
        self.edges_changed.store(true, std::sync::atomic::Ordering::Relaxed);
        self.commit(tx, customer).await
    }
}

pub(crate) const fn family_text(family: Family) -> &'static str {
    match family {
        Family::Linux => "linux",
        Family::Windows => "windows",
    }
}

fn server(row: &AnyRow) -> Result<Server> {
    Ok(Server {
        id: row.id("id")?,
        customer: row.id("customer_id")?,
        name: row.text("name")?,
        hostname: row.text("hostname")?,
        template_id: row.text("template_id")?,
        template_name: row.text("template_name")?,
        family: match row.text("family")?.as_str() {
            "linux" => Family::Linux,
            "windows" => Family::Windows,
            other => return Err(Error::Corrupt(format!("family: {other:?}"))),
        },
        size: Size {
            vcpu: row.uint("vcpu")?,
            ram_gb: row.uint("ram_gb")?,
            disk_gb: row.uint("disk_gb")?,
            bandwidth_mbit: row.uint("bandwidth_mbit")?,
        },
        price_minor: row.int("price_minor")?,
        method: row.word("method")?,
        guest_login: row.text("guest_login")?,
        own_password: row.int("own_password")? == 1,
        ssh_keys: row.json("ssh_keys")?,
        state: row.word("state")?,
        address: row.text_opt("address")?,
        machine_ref: row.text_opt("machine_ref")?,
        network_ref: row.text_opt("network_ref")?,
        observed_at: row.int_opt("observed_at")?,
        created_at: row.int("created_at")?,
        terminated_at: row.int_opt("terminated_at")?,
        cpu_hot_add: row.int("cpu_hot_add")? == 1,
        ram_hot_add: row.int("ram_hot_add")? == 1,
        snapshot_at: row.int_opt("snapshot_at")?,
        next_address: row.text_opt("next_address")?,
        network_turn: row.int("network_turn")?,
        panel: match row.text_opt("panel_id")? {
            None => None,
            Some(id) => Some(ServerPanel {
                id,
                name: row.text_opt("panel_name")?.unwrap_or_default(),
                price_minor: row.int("panel_minor")?,
                since: row.int_opt("panel_at")?,
            }),
        },
    })
}
