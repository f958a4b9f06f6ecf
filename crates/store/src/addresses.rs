//! Addresses of the edges' blocks: which a server carries, which it is about to get, and which rest.

use std::net::Ipv4Addr;

use domain::ServerId;
use jobs::Fence;

use crate::{
    db::{Conn, Store},
    edges::Edge,
    error::{Error, Result},
    fence,
    row::Columns,
};

impl Store {
    /// The lowest address of an edge's block that nobody carries or is about to get, and that does not rest.
    pub async fn address_free(&self, edge: &Edge, now: i64) -> Result<Option<String>> {
        let mut tx = self.pool.acquire().await?;
        free(&mut tx, edge, now).await
    }

    /// Reserves another address of its edge's block for a server, or returns the one it has reserved already.
    pub async fn address_reserve(
        &self,
        fence: Fence,
        server: ServerId,
        edge: &Edge,
        now: i64,
    ) -> Result<Option<String>> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        let row = sqlx::query("SELECT next_address FROM server WHERE id = $1")
            .bind(server.to_string())
            .fetch_one(&mut *tx)
            .await?;
        if let Some(reserved) = row.text_opt("next_address")? {
            self.give_up(tx).await?;
            return Ok(Some(reserved));
        }
        let Some(address) = free(&mut tx, edge, now).await? else {
            self.give_up(tx).await?;
            return Ok(None);
        };
        sqlx::query("UPDATE server SET next_address = $1 WHERE id = $2")
            .bind(&address)
            .bind(server.to_string())
            .execute(&mut *tx)
            .await?;
        self.commit(tx, customer).await?;
        Ok(Some(address))
    }

    /// The server carries its next address from now on; the old one rests until then.
    pub async fn address_switched(
        &self,
        fence: Fence,
        server: ServerId,
        edge: &Edge,
        rests_until: i64,
    ) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        let row = sqlx::query("SELECT address, next_address FROM server WHERE id = $1")
            .bind(server.to_string())
            .fetch_one(&mut *tx)
            .await?;
        if let (Some(old), Some(_)) = (row.text_opt("address")?, row.text_opt("next_address")?) {
            sqlx::query(
                "INSERT INTO address_rest (edge_id, address, until) VALUES ($1, $2, $3)
                 ON CONFLICT (edge_id, address) DO UPDATE SET until = excluded.until",
            )
            .bind(edge.id.to_string())
            .bind(old)
            .bind(rests_until)
            .execute(&mut *tx)
            .await?;
            sqlx::query("UPDATE server SET address = next_address, next_address = NULL WHERE id = $1")
                .bind(server.to_string())
                .execute(&mut *tx)
                .await?;
        }
        self.commit(tx, customer).await
    }

    /// The server keeps the address that it has.
    pub async fn address_kept(&self, fence: Fence, server: ServerId) -> Result<()> {
        let mut tx = self.write().await?;
        let (_, customer) = fence::hold(&mut tx, fence).await?;
        sqlx::query("UPDATE server SET next_address = NULL WHERE id = $1")
            .bind(server.to_string())
            .execute(&mut *tx)
            .await?;
        self.commit(tx, customer).await
    }

    /// Forgets addresses that have rested long enough.
    pub async fn addresses_rested(&self, now: i64) -> Result<u64> {
        let done = sqlx::query("DELETE FROM address_rest WHERE until <= $1").bind(now);
        Ok(done.execute(&self.pool).await?.rows_affected())
    }
}

async fn free(tx: &mut Conn, edge: &Edge, now: i64) -> Result<Option<String>> {
    let rows = sqlx::query(
        "SELECT address FROM address_rest WHERE edge_id = $1 AND until > $2
         UNION SELECT address FROM server WHERE id = $3 AND address IS NOT NULL
         UNION SELECT next_address FROM server WHERE id = $3 AND next_address IS NOT NULL",
    )
    .bind(edge.id.to_string())
    .bind(now)
    .bind(edge.server.map_or(String::new(), |s| s.to_string()))
    .fetch_all(tx)
    .await?;
    let taken = rows.iter().map(|r| r.text("address")).collect::<Result<Vec<_>>>()?;
    let number = |text: &str| -> Result<u32> {
        text.parse::<Ipv4Addr>().map(u32::from).map_err(|_| Error::Corrupt(format!("address {text:?}")))
    };
    let (first, last) = (number(&edge.facts.first_address)?, number(&edge.facts.last_address)?);
    let all = (first..=last).map(|n| Ipv4Addr::from(n).to_string());
    Ok(all.into_iter().find(|a| *a != edge.facts.gateway && !taken.contains(a)))
}
