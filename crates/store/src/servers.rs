//! Servers: what was ordered, where it is, what was last seen of it.

use domain::{CustomerId, ServerId, access::Method, catalogue::Family, size::Size, state::ServerState};
use jobs::Fence;
use sqlx::any::AnyRow;

use crate::{
    db::Store,
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
}

macro_rules! select_server {
    ($rest:literal) => {
        concat!(
            "SELECT id, customer_id, name, hostname, template_id, template_name, family, vcpu, ram_gb, disk_gb, ",
            "bandwidth_mbit, price_minor, method, guest_login, own_password, ssh_keys, state, address, machine_ref, ",
            "network_ref, observed_at, created_at, terminated_at FROM server ",
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

    /// Records what the platform said about the server's power.
    pub async fn server_observed(
        &self,
        fence: Fence,
        server: ServerId,
        state: ServerState,
        now: i64,
    ) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        sqlx::query("UPDATE server SET state = $1, observed_power = $1, observed_at = $2 WHERE id = $3")
            .bind(state.as_str())
            .bind(now)
            .bind(server.to_string())
            .execute(&mut *tx)
            .await?;
        self.commit(tx, customer).await
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
        // An order for it that was parked while this ran, or has been granted an edge since, is not made any more.
        let waiting = sqlx::query(
            "UPDATE job SET state = 'cancelled', finished_at = $1, parked_at = NULL
             WHERE server_id = $2 AND kind = 'activate' AND state IN ('parked', 'queued') RETURNING id",
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
    })
}
