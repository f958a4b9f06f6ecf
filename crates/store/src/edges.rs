//! The pool of edges. A claim is one conditional statement; a double one is impossible by constraint.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use domain::{CustomerId, EdgeId, JobId, ServerId, edge_action::EdgeSubject, state::EdgeState};
use jobs::Fence;
use sqlx::any::AnyRow;

use crate::{
    db::{Conn, Store},
    edge_log,
    error::Result,
    fence,
    parking::take_free_edge,
    row::Columns,
};

/// An edge as the platform describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeFacts {
    pub provider_ref: String,
    pub name: String,
    pub gateway: String,
    pub prefix_length: i64,
    pub first_address: String,
    pub last_address: String,
    /// Networks attached to it, as last seen.
    pub networks: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    pub id: EdgeId,
    pub facts: EdgeFacts,
    pub state: EdgeState,
    pub server: Option<ServerId>,
    pub job: Option<JobId>,
    /// Since when it is in this state, ms.
    pub since: i64,
    pub bandwidth_mbit: Option<i64>,
    pub network_name: Option<String>,
    pub observed_at: Option<i64>,
    /// Why it stays out of the pool.
    pub held: Option<String>,
    /// The server that is leaving it for another edge.
    pub leaving: Option<ServerId>,
}

/// Why an edge that is left does not come back to the pool.
#[derive(Clone, Copy, Debug)]
pub struct Held<'w> {
    pub why: &'w str,
    /// Staff keep it out: also once its network is gone.
    pub keep_out: bool,
    /// Its network is still in a group.
    pub network_stays: bool,
}

/// A row of the staff's table.
#[derive(Clone, Debug)]
pub struct EdgeRow {
    pub edge: Edge,
    pub server_name: Option<String>,
    pub customer: Option<CustomerId>,
    pub customer_email: Option<String>,
    pub job_number: Option<i64>,
    /// Its server is there and has its network on it.
    pub serves: bool,
    /// The job that is not over, of those that hold it and of its server's.
    pub lives: Option<i64>,
}

impl EdgeRow {
    /// Our record and the platform do not agree on whether a network is on it. What is just being done is left out: the platform's
    /// counts lag behind it.
    pub fn disagrees(&self) -> bool {
        let seen = self.edge.facts.networks;
        match self.edge.state {
            _ if seen > 1 => true,
            EdgeState::Bound => seen == 0,
            EdgeState::Free => seen > 0,
            _ => false,
        }
    }

    /// What a verdict about it is about.
    pub fn subject(&self) -> EdgeSubject {
        EdgeSubject {
            state: self.edge.state,
            job_lives: self.lives.is_some(),
            serves: self.serves || self.edge.leaving.is_some(),
            networks: self.edge.facts.networks > 0,
        }
    }
}

macro_rules! edge_columns {
    () => {
        "edge.id, edge.name, edge.provider_ref, edge.state, edge.server_id, edge.job_id, edge.since, edge.gateway, \
         edge.prefix_length, edge.first_address, edge.last_address, edge.bandwidth_mbit, edge.network_name, \
         edge.observed_networks, edge.observed_at, edge.held, edge.leaving_id"
    };
}
pub(crate) use edge_columns;

macro_rules! edge_rows {
    ($which:literal) => {
        concat!(
            "SELECT ",
            edge_columns!(),
            ", server.name AS server_name, server.customer_id, account.email, job.number,
               CASE WHEN server.terminated_at IS NULL AND server.network_ref IS NOT NULL THEN 1 ELSE 0 END AS serves,
               (SELECT other.number FROM job AS other WHERE other.server_id = COALESCE(edge.server_id, edge.leaving_id)
                   AND other.finished_at IS NULL ORDER BY other.number LIMIT 1) AS lives,
               CASE WHEN job.finished_at IS NULL THEN job.number END AS claims
             FROM edge LEFT JOIN server ON server.id = COALESCE(edge.server_id, edge.leaving_id)
             LEFT JOIN account ON account.id = server.customer_id
             LEFT JOIN job ON job.id = edge.job_id ",
            $which
        )
    };
}
pub(crate) use edge_rows;

impl Store {
    /// Takes over what the platform says of the pool. New edges are free unless they carry networks we did not make.
    pub async fn edges_import(&self, found: &[(EdgeId, EdgeFacts)], now: i64) -> Result<()> {
        let mut tx = self.write().await?;
        for (id, f) in found {
            let state = if f.networks == 0 { EdgeState::Free } else { EdgeState::Quarantined };
            let row = sqlx::query(
                "INSERT INTO edge (id, name, provider_ref, state, since, gateway, prefix_length, first_address,
                                   last_address, observed_networks, observed_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $5)
                 ON CONFLICT (provider_ref) DO UPDATE SET
                     name = excluded.name, observed_networks = excluded.observed_networks, observed_at = excluded.observed_at,
                     -- One that somebody else has put a network on leaves the pool, once that was seen twice: counts lag. It
                     -- comes back when the network is gone.
                     since = CASE WHEN edge.server_id IS NULL AND excluded.observed_networks > 0
                                       AND edge.observed_networks > 0 AND edge.state = 'free' THEN excluded.since
                                  WHEN edge.server_id IS NULL AND edge.held IS NULL AND edge.leaving_id IS NULL
                                       AND excluded.observed_networks = 0
                                       AND edge.observed_networks = 0 AND edge.state = 'quarantined' THEN excluded.since
                                  ELSE edge.since END,
                     state = CASE WHEN edge.server_id IS NULL AND excluded.observed_networks > 0
                                       AND edge.observed_networks > 0 AND edge.state = 'free' THEN 'quarantined'
                                  WHEN edge.server_id IS NULL AND edge.held IS NULL AND edge.leaving_id IS NULL
                                       AND excluded.observed_networks = 0
                                       AND edge.observed_networks = 0 AND edge.state = 'quarantined' THEN 'free'
                                  ELSE edge.state END
                 RETURNING id, since",
            )
            .bind(id.to_string())
            .bind(&f.name)
            .bind(&f.provider_ref)
            .bind(state.as_str())
            .bind(now)
            .bind(&f.gateway)
            .bind(f.prefix_length)
            .bind(&f.first_address)
            .bind(&f.last_address)
            .bind(f.networks)
            .fetch_one(&mut *tx)
            .await?;
            if row.int("since")? == now {
                edge_log::record_one(&mut tx, row.id("id")?, now).await?;
            }
        }
        tx.commit().await?;
        self.edges_changed.store(true, Ordering::Relaxed);
        self.tell_all();
        self.tell_staff();
        Ok(())
    }

    /// The edge of a server.
    pub async fn edge_of(&self, server: ServerId) -> Result<Option<Edge>> {
        let row = sqlx::query(concat!("SELECT ", edge_columns!(), " FROM edge WHERE server_id = $1"))
            .bind(server.to_string())
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(edge).transpose()
    }

    /// The edges of all servers that have one.
    pub async fn edges_of_servers(&self) -> Result<BTreeMap<ServerId, Edge>> {
        let rows = sqlx::query(concat!("SELECT ", edge_columns!(), " FROM edge WHERE server_id IS NOT NULL"))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| Ok((row.id("server_id")?, edge(row)?))).collect()
    }

    /// Claims a free edge for a server, or returns the one it already has. `None` when none is free for it.
    pub async fn edge_claim(&self, fence: Fence, server: ServerId, now: i64) -> Result<Option<Edge>> {
        let mut tx = self.write().await?;
        let (job, customer) = fence::hold(&mut tx, fence).await?;
        let held = sqlx::query(concat!("SELECT ", edge_columns!(), " FROM edge WHERE server_id = $1"))
            .bind(server.to_string())
            .fetch_optional(&mut *tx)
            .await?;
        if let Some(row) = held {
            self.give_up(tx).await?;
            return Ok(Some(edge(&row)?));
        }
        // Whoever is parked was here first.
        let parked = sqlx::query("SELECT 1 AS one FROM job WHERE state = 'parked' LIMIT 1")
            .fetch_optional(&mut *tx)
            .await?;
        if parked.is_some() || take_free_edge(self, &mut tx, job, server, now).await?.is_none() {
            self.give_up(tx).await?;
            return Ok(None);
        }
        let row = sqlx::query(concat!("SELECT ", edge_columns!(), " FROM edge WHERE server_id = $1"))
            .bind(server.to_string())
            .fetch_one(&mut *tx)
            .await?;
        let claimed = edge(&row)?;
        self.commit(tx, customer).await?;
        Ok(Some(claimed))
    }

    /// The server stands on its edge: from now on the edge is in use.
    pub async fn edge_bound(
        &self,
        fence: Fence,
        server: ServerId,
        network: &str,
        mbit: i64,
        now: i64,
    ) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        let changed = sqlx::query(
            "UPDATE edge SET since = CASE WHEN state = 'bound' THEN since ELSE $1 END, state = 'bound',
                 network_name = $2, bandwidth_mbit = $3, observed_networks = 1
             WHERE server_id = $4 AND state IN ('claimed', 'bound')
             RETURNING id",
        )
        .bind(now)
        .bind(network)
        .bind(mbit)
        .bind(server.to_string())
        .fetch_all(&mut *tx)
        .await?;
        edge_log::record(&mut tx, &changed, now).await?;
        self.commit(tx, customer).await
    }

    /// The server is leaving its edge.
    pub async fn edge_draining(&self, fence: Fence, server: ServerId, now: i64) -> Result<()> {
        let mut tx = self.write().await?;
        let (job, customer) = fence::hold(&mut tx, fence).await?;
        let changed = sqlx::query(
            "UPDATE edge SET state = 'draining', job_id = $1, since = $2
             WHERE server_id = $3 AND state IN ('claimed', 'bound')
             RETURNING id",
        )
        .bind(job.to_string())
        .bind(now)
        .bind(server.to_string())
        .fetch_all(&mut *tx)
        .await?;
        edge_log::record(&mut tx, &changed, now).await?;
        self.commit(tx, customer).await
    }

    /// The server stays on its edge after all.
    pub async fn edge_kept(&self, fence: Fence, server: ServerId, now: i64) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        let changed = sqlx::query(
            "UPDATE edge SET state = 'bound', since = $1 WHERE server_id = $2 AND state = 'draining'
             RETURNING id",
        )
        .bind(now)
        .bind(server.to_string())
        .fetch_all(&mut *tx)
        .await?;
        edge_log::record(&mut tx, &changed, now).await?;
        self.commit(tx, customer).await
    }

    /// The edge is clean and belongs to nobody again.
    pub async fn edge_freed(&self, fence: Fence, server: ServerId, now: i64) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        let changed = sqlx::query(
            "UPDATE edge SET state = 'free', server_id = NULL, job_id = NULL, since = $1, bandwidth_mbit = NULL,
                 network_name = NULL, observed_networks = 0
             WHERE server_id = $2 AND state = 'draining' AND held IS NULL
             RETURNING id",
        )
        .bind(now)
        .bind(server.to_string())
        .fetch_all(&mut *tx)
        .await?;
        edge_log::record(&mut tx, &changed, now).await?;
        self.edges_changed.store(true, Ordering::Relaxed);
        self.commit(tx, customer).await
    }

    /// How many edges nobody holds.
    pub async fn edges_free(&self) -> Result<i64> {
        let row =
            sqlx::query("SELECT COUNT(*) AS n FROM edge WHERE state = 'free'").fetch_one(&self.pool).await?;
        row.int("n")
    }

    /// The whole pool by name: it is small by nature.
    pub async fn edges(&self) -> Result<Vec<EdgeRow>> {
        let rows = sqlx::query(edge_rows!("ORDER BY edge.name")).fetch_all(&self.pool).await?;
        rows.iter().map(edge_row).collect()
    }

    /// One of it.
    pub async fn edge(&self, id: EdgeId) -> Result<Option<EdgeRow>> {
        let row = sqlx::query(edge_rows!("WHERE edge.id = $1")).bind(id.to_string());
        row.fetch_optional(&self.pool).await?.as_ref().map(edge_row).transpose()
    }

    /// Servers that stand on more than one edge, and edges that two servers claim: must be 0, and is counted.
    pub async fn edge_conflicts(&self) -> Result<i64> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS n FROM (SELECT server_id FROM edge WHERE server_id IS NOT NULL
                                        GROUP BY server_id HAVING COUNT(*) > 1) AS doubled",
        )
        .fetch_one(&self.pool)
        .await?;
        let over = sqlx::query("SELECT COUNT(*) AS n FROM edge WHERE observed_networks > 1")
            .fetch_one(&self.pool)
            .await?;
        Ok(row.int("n")? + over.int("n")?)
    }
}

pub(crate) fn edge_row(row: &AnyRow) -> Result<EdgeRow> {
    Ok(EdgeRow {
        edge: edge(row)?,
        server_name: row.text_opt("server_name")?,
        customer: row.id_opt("customer_id")?,
        customer_email: row.text_opt("email")?,
        job_number: row.int_opt("number")?,
        serves: row.int("serves")? == 1,
        lives: row.int_opt("claims")?.or(row.int_opt("lives")?),
    })
}

pub(crate) fn edge(row: &AnyRow) -> Result<Edge> {
    Ok(Edge {
        id: row.id("id")?,
        facts: EdgeFacts {
            provider_ref: row.text("provider_ref")?,
            name: row.text("name")?,
            gateway: row.text("gateway")?,
            prefix_length: row.int("prefix_length")?,
            first_address: row.text("first_address")?,
            last_address: row.text("last_address")?,
            networks: row.int_opt("observed_networks")?.unwrap_or(0),
        },
        state: row.word("state")?,
        server: row.id_opt("server_id")?,
        job: row.id_opt("job_id")?,
        since: row.int("since")?,
        bandwidth_mbit: row.int_opt("bandwidth_mbit")?,
        network_name: row.text_opt("network_name")?,
        observed_at: row.int_opt("observed_at")?,
        held: row.text_opt("held")?,
        leaving: row.id_opt("leaving_id")?,
    })
}

/// Gives back the edge that a server was granted and never used.
pub(crate) async fn free_unused(tx: &mut Conn, server: ServerId, now: i64) -> Result<()> {
    let changed = sqlx::query(
        "UPDATE edge SET state = 'free', server_id = NULL, job_id = NULL, since = $1
         WHERE server_id = $2 AND state = 'claimed'
             RETURNING id",
    )
    .bind(now)
    .bind(server.to_string())
    .fetch_all(&mut *tx)
    .await?;
    edge_log::record(tx, &changed, now).await?;
    Ok(())
}
