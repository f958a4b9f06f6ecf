//! A server that changes its edge stands on two for a while: the new one is its edge from the moment it is reserved, the old one
//! is out of the pool, and named as being left, until its network is gone. And edges that stay out of the pool for a reason.

use std::sync::atomic::Ordering;

use domain::{EdgeId, ServerId};
use jobs::Fence;

use crate::{
    db::Store,
    edge_log,
    edges::{Edge, Held, edge, edge_columns},
    error::Result,
    fence,
    parking::take_free_edge,
};

impl Store {
    /// Reserves another edge for a server, or returns the one that it has reserved already. `None` when none is free.
    pub async fn edge_reserve(&self, fence: Fence, server: ServerId, now: i64) -> Result<Option<()>> {
        let mut tx = self.write().await?;
        let (job, customer) = fence::hold(&mut tx, fence).await?;
        let left = sqlx::query("SELECT id FROM edge WHERE leaving_id = $1")
            .bind(server.to_string())
            .fetch_optional(&mut *tx)
            .await?;
        if left.is_some() {
            self.give_up(tx).await?;
            return Ok(Some(()));
        }
        let changed = sqlx::query(
            "UPDATE edge SET state = 'quarantined', server_id = NULL, leaving_id = $1, job_id = $2, since = $3
             WHERE server_id = $1 AND state = 'bound'
             RETURNING id",
        )
        .bind(server.to_string())
        .bind(job.to_string())
        .bind(now)
        .fetch_all(&mut *tx)
        .await?;
        edge_log::record(&mut tx, &changed, now).await?;
        // Whoever is parked was here first.
        let parked = sqlx::query("SELECT 1 AS one FROM job WHERE state = 'parked' LIMIT 1");
        if parked.fetch_optional(&mut *tx).await?.is_some()
            || take_free_edge(self, &mut tx, job, server, now).await?.is_none()
        {
            self.give_up(tx).await?;
            return Ok(None);
        }
        self.commit(tx, customer).await?;
        Ok(Some(()))
    }

    /// The server stays on the edge that it was leaving; the one reserved for it is free again.
    pub async fn edge_unreserve(&self, fence: Fence, server: ServerId, now: i64) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        let left = sqlx::query("SELECT id FROM edge WHERE leaving_id = $1")
            .bind(server.to_string())
            .fetch_optional(&mut *tx)
            .await?;
        if left.is_none() {
            return self.give_up(tx).await;
        }
        for sql in [
            "UPDATE edge SET state = 'free', server_id = NULL, job_id = NULL, since = $1, bandwidth_mbit = NULL,
                 network_name = NULL, observed_networks = 0
             WHERE server_id = $2 RETURNING id",
            "UPDATE edge SET state = 'bound', server_id = $2, leaving_id = NULL, job_id = NULL, since = $1
             WHERE leaving_id = $2 RETURNING id",
        ] {
            let changed = sqlx::query(sql).bind(now).bind(server.to_string()).fetch_all(&mut *tx).await?;
            edge_log::record(&mut tx, &changed, now).await?;
        }
        self.edges_changed.store(true, Ordering::Relaxed);
        self.commit(tx, customer).await
    }

    /// A server that has nothing on its edge yet takes another; the one it had stays out of the pool. Returns whether another was
    /// free: if not, it has none, and whoever is parked longest is first.
    pub async fn edge_exchange(
        &self,
        fence: Fence,
        server: ServerId,
        left: EdgeId,
        why: &str,
        now: i64,
    ) -> Result<bool> {
        let mut tx = self.write().await?;
        let (job, customer) = fence::hold(&mut tx, fence).await?;
        let changed = sqlx::query(
            "UPDATE edge SET state = 'quarantined', server_id = NULL, job_id = NULL, held = $1, kept_out = 1, since = $2,
                 bandwidth_mbit = NULL, network_name = NULL
             WHERE id = $3 AND server_id = $4 RETURNING id",
        )
        .bind(why)
        .bind(now)
        .bind(left.to_string())
        .bind(server.to_string())
        .fetch_all(&mut *tx)
        .await?;
        edge_log::record(&mut tx, &changed, now).await?;
        let parked = sqlx::query("SELECT 1 AS one FROM job WHERE state = 'parked' LIMIT 1");
        let taken = parked.fetch_optional(&mut *tx).await?.is_none()
            && take_free_edge(self, &mut tx, job, server, now).await?.is_some();
        self.commit(tx, customer).await?;
        Ok(taken)
    }

    /// The edge that a server is leaving.
    pub async fn edge_left_by(&self, server: ServerId) -> Result<Option<Edge>> {
        let row = sqlx::query(concat!("SELECT ", edge_columns!(), " FROM edge WHERE leaving_id = $1"))
            .bind(server.to_string())
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(edge).transpose()
    }

    /// The server carries its next address, on its new network, from now on; the old address rests until then.
    pub async fn edge_switched(
        &self,
        fence: Fence,
        server: ServerId,
        network_ref: &str,
        rests_until: i64,
    ) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        sqlx::query(
            "INSERT INTO address_rest (edge_id, address, until)
             SELECT edge.id, server.address, $1 FROM edge JOIN server ON server.id = edge.leaving_id
             WHERE server.id = $2 AND server.address IS NOT NULL AND server.next_address IS NOT NULL
             ON CONFLICT (edge_id, address) DO UPDATE SET until = excluded.until",
        )
        .bind(rests_until)
        .bind(server.to_string())
        .execute(&mut *tx)
        .await?;
        // A repeat changes nothing: there is no next address any more.
        sqlx::query(
            "UPDATE server SET address = next_address, next_address = NULL, network_turn = network_turn + 1, network_ref = $1
             WHERE id = $2 AND next_address IS NOT NULL",
        )
        .bind(network_ref)
        .bind(server.to_string())
        .execute(&mut *tx)
        .await?;
        self.commit(tx, customer).await
    }

    /// The edge that a server was leaving is left. It is free, or stays out of the pool.
    pub async fn edge_left(
        &self,
        fence: Fence,
        server: ServerId,
        held: Option<Held<'_>>,
        now: i64,
    ) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        let network_stays = held.is_some_and(|h| h.network_stays);
        let changed = sqlx::query(
            "UPDATE edge SET state = CASE WHEN $1 IS NULL THEN 'free' ELSE 'quarantined' END, held = $1, kept_out = $2,
                 leaving_id = NULL, job_id = NULL, since = $3,
                 network_name = CASE WHEN $4 = 1 THEN network_name END,
                 bandwidth_mbit = CASE WHEN $4 = 1 THEN bandwidth_mbit END, observed_networks = $4
             WHERE leaving_id = $5
             RETURNING id",
        )
        .bind(held.map(|h| h.why.to_owned()))
        .bind(i64::from(held.is_some_and(|h| h.keep_out)))
        .bind(now)
        .bind(i64::from(network_stays))
        .bind(server.to_string())
        .fetch_all(&mut *tx)
        .await?;
        edge_log::record(&mut tx, &changed, now).await?;
        self.edges_changed.store(true, Ordering::Relaxed);
        self.commit(tx, customer).await
    }

    /// The network of a server that goes stays where it is: its edge drains, and says why.
    pub async fn edge_hold(
        &self,
        fence: Fence,
        server: ServerId,
        network: &str,
        why: &str,
        now: i64,
    ) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        let changed = sqlx::query(
            "UPDATE edge SET held = $1, network_name = $2, state = 'draining'
             WHERE server_id = $3 AND state IN ('claimed', 'bound', 'draining')
             RETURNING id",
        )
        .bind(why)
        .bind(network)
        .bind(server.to_string())
        .fetch_all(&mut *tx)
        .await?;
        edge_log::record(&mut tx, &changed, now).await?;
        self.commit(tx, customer).await
    }

    /// Edges that stay out of the pool for a network of ours that nobody uses.
    pub async fn edges_held(&self) -> Result<Vec<Edge>> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            edge_columns!(),
            " FROM edge WHERE held IS NOT NULL AND network_name IS NOT NULL AND leaving_id IS NULL"
        ))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(edge).collect()
    }

    /// The network is gone from an edge that was held for it: nobody has it any more, but for staff who keep it out.
    pub async fn edge_let_go(&self, fence: Fence, id: EdgeId, now: i64) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        let changed = sqlx::query(
            "UPDATE edge SET state = CASE WHEN kept_out = 1 THEN 'quarantined' ELSE 'free' END,
                 held = CASE WHEN kept_out = 1 THEN held END, server_id = NULL, job_id = NULL, since = $1,
                 bandwidth_mbit = NULL, network_name = NULL, observed_networks = 0
             WHERE id = $2 AND held IS NOT NULL
             RETURNING id",
        )
        .bind(now)
        .bind(id.to_string())
        .fetch_all(&mut *tx)
        .await?;
        edge_log::record(&mut tx, &changed, now).await?;
        self.edges_changed.store(true, Ordering::Relaxed);
        self.commit(tx, customer).await
    }
}
