//! What the cloud holds otherwise than it should. Written by whoever looks; a look replaces what the last one saw.

use domain::{AccountId, CustomerId, ServerId, drift::DriftKind};
use serde_json::{Value, json};
use sqlx::any::AnyRow;

use crate::{
    audit::{self, Subject},
    db::Store,
    dialect::{Sql, list, listed, rows},
    error::Result,
    events,
    interventions::Intervention,
    row::Columns,
    servers::{Price, Seen, Server, write_seen},
};

/// Something that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriftSeen {
    pub kind: DriftKind,
    /// What it is about, by the platform's name.
    pub subject: String,
    pub customer: Option<CustomerId>,
    pub server: Option<ServerId>,
    pub desired: Option<String>,
    pub observed: Option<String>,
}

/// The same with when and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    pub seen: DriftSeen,
    pub first_seen: i64,
    pub last_seen: i64,
    pub times: i64,
    pub clearing: Option<Clearing>,
}

/// It is to be taken away: somebody has said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clearing {
    pub by: AccountId,
    pub at: i64,
    /// What the last try came to, where it did not work.
    pub error: Option<String>,
}

impl Drift {
    /// Seen often enough to count.
    pub fn counts(&self) -> bool {
        self.times >= self.seen.kind.counts_after()
    }
}

const SEEN: Sql = rows!(
    "INSERT INTO drift (kind, subject, customer_id, server_id, desired, observed, first_seen, last_seen, times)
     SELECT t.kind, t.subject, t.customer, t.server, t.desired, t.observed, $2, $2, 1 FROM ",
    [
        "kind" TEXT, "subject" TEXT, "customer" TEXT, "server" TEXT, "desired" TEXT, "observed" TEXT,
    ],
    " WHERE t.kind <> ''
     ON CONFLICT (kind, subject) DO UPDATE SET desired = excluded.desired, observed = excluded.observed,
         last_seen = excluded.last_seen, times = drift.times + 1"
);
const GONE: Sql = listed!("DELETE FROM drift WHERE server_id IN ", " AND last_seen < $2");
// A look that finds a server as it was says so by its time alone.
const AS_IT_WAS: Sql = listed!("UPDATE server SET observed_at = $2 WHERE id IN ", " AND observed_at < $2");

impl Store {
    /// Writes down what one look at the cloud has seen. What was seen before and is not any more is gone. Things of servers
    /// that were not looked at stay as they are.
    pub async fn drift_write(&self, seen: &[DriftSeen], looked_at: &[ServerId], now: i64) -> Result<()> {
        let rows: Vec<_> = seen
            .iter()
            .map(|d| {
                json!({"kind": d.kind.as_str(), "subject": d.subject, "desired": d.desired, "observed": d.observed,
                       "customer": d.customer.map(|c| c.to_string()), "server": d.server.map(|s| s.to_string())})
            })
            .collect();
        let embedded = self.is_embedded();
        let mut tx = self.write().await?;
        sqlx::query(SEEN.of(embedded))
            .bind(Value::Array(rows).to_string())
            .bind(now)
            .execute(&mut *tx)
            .await?;
        sqlx::query("DELETE FROM drift WHERE server_id IS NULL AND last_seen < $1")
            .bind(now)
            .execute(&mut *tx)
            .await?;
        sqlx::query(GONE.of(embedded)).bind(list(looked_at)).bind(now).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Servers that were seen as they are written down: only when they were seen is new.
    pub async fn servers_as_they_were(&self, servers: &[ServerId], now: i64) -> Result<()> {
        let mut tx = self.write().await?;
        sqlx::query(AS_IT_WAS.of(self.is_embedded())).bind(list(servers)).bind(now).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Writes down what was seen of a server at rest. Not, where something has been begun meanwhile.
    pub async fn server_seen(&self, server: &Server, seen: Seen, now: i64) -> Result<()> {
        let mut tx = self.write().await?;
        events::next_version(&mut tx, server.customer).await?;
        // The context is held: nothing of this customer begins before this is written.
        let as_it_was = sqlx::query(
            "SELECT 1 AS one FROM server WHERE id = $1 AND state = $2
               AND NOT EXISTS (SELECT 1 FROM job WHERE job.server_id = server.id AND job.finished_at IS NULL)",
        )
        .bind(server.id.to_string())
        .bind(server.state.as_str())
        .fetch_optional(&mut *tx)
        .await?;
        if as_it_was.is_none() {
            return self.give_up(tx).await;
        }
        write_seen(&mut tx, server.id, seen, now).await?;
        self.commit(tx, server.customer).await
    }

    /// Everything that counts, the oldest first; of one server, or of all.
    pub async fn drift(&self, server: Option<ServerId>) -> Result<Vec<Drift>> {
        let rows = sqlx::query(
            "SELECT kind, subject, customer_id, server_id, desired, observed, first_seen, last_seen, times, clear_by, clear_at,
                    clear_error
             FROM drift WHERE $1 = '' OR server_id = $1 ORDER BY first_seen, kind, subject LIMIT 500",
        )
        .bind(server.map_or(String::new(), |s| s.to_string()))
        .fetch_all(&self.pool)
        .await?;
        let all = rows.iter().map(drift).collect::<Result<Vec<_>>>()?;
        Ok(all.into_iter().filter(Drift::counts).collect())
    }

    /// What nobody owns is to be taken away by whoever looks next. Returns whether it is there, and nobody has said so before.
    pub async fn drift_clear(&self, kind: DriftKind, subject: &str, how: Intervention<'_>) -> Result<bool> {
        let mut tx = self.write().await?;
        let done = sqlx::query(
            "UPDATE drift SET clear_by = $1, clear_at = $2, clear_why = $3, clear_error = NULL
             WHERE kind = $4 AND subject = $5 AND server_id IS NULL AND clear_by IS NULL AND times >= $6",
        )
        .bind(how.by.to_string())
        .bind(how.now)
        .bind(how.why)
        .bind(kind.as_str())
        .bind(subject)
        .bind(kind.counts_after())
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            self.give_up(tx).await?;
            return Ok(false);
        }
        let what = Subject { kind: "orphan", id: subject.to_owned(), name: subject.to_owned() };
        audit::record(&mut tx, Some(how.by), "orphan_delete", &what, how.why, how.now).await?;
        tx.commit().await?;
        self.tell_staff();
        Ok(true)
    }

    /// A try to take it away has not worked; the next look tries again.
    pub async fn drift_clear_failed(&self, kind: DriftKind, subject: &str, error: &str) -> Result<()> {
        sqlx::query("UPDATE drift SET clear_error = $1 WHERE kind = $2 AND subject = $3")
            .bind(error)
            .bind(kind.as_str())
            .bind(subject)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Names by which the cloud's things are known to be ours, terminated servers not counted.
    pub async fn servers_known(&self) -> Result<Vec<(ServerId, CustomerId)>> {
        let rows = sqlx::query("SELECT id, customer_id FROM server WHERE terminated_at IS NULL")
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|r| Ok((r.id("id")?, r.id("customer_id")?))).collect()
    }

    /// The size that was seen becomes the one that is wanted, at its price.
    pub async fn server_accept_size(
        &self,
        customer: CustomerId,
        server: ServerId,
        size: domain::size::Size,
        price: Price,
    ) -> Result<()> {
        let mut tx = self.write().await?;
        events::next_version(&mut tx, customer).await?;
        sqlx::query(
            "UPDATE server SET vcpu = $1, ram_gb = $2, disk_gb = $3, bandwidth_mbit = $4,
                 price_minor = CASE WHEN panel_id IS NULL THEN $5 - $6 ELSE $5 END,
                 panel_minor = CASE WHEN panel_id IS NULL THEN 0 ELSE $6 END
             WHERE id = $7 AND customer_id = $8",
        )
        .bind(i64::from(size.vcpu))
        .bind(i64::from(size.ram_gb))
        .bind(i64::from(size.disk_gb))
        .bind(i64::from(size.bandwidth_mbit))
        .bind(price.minor)
        .bind(price.panel_minor)
        .bind(server.to_string())
        .bind(customer.to_string())
        .execute(&mut *tx)
        .await?;
        sqlx::query("DELETE FROM drift WHERE server_id = $1 AND kind IN ('size', 'speed')")
            .bind(server.to_string())
            .execute(&mut *tx)
            .await?;
        self.commit(tx, customer).await
    }

    /// The host name that was seen becomes the one that is wanted.
    pub async fn server_set_hostname(
        &self,
        customer: CustomerId,
        server: ServerId,
        hostname: &str,
    ) -> Result<()> {
        let mut tx = self.write().await?;
        events::next_version(&mut tx, customer).await?;
        sqlx::query("UPDATE server SET hostname = $1 WHERE id = $2 AND customer_id = $3")
            .bind(hostname)
            .bind(server.to_string())
            .bind(customer.to_string())
            .execute(&mut *tx)
            .await?;
        sqlx::query("DELETE FROM drift WHERE server_id = $1 AND kind = 'hostname'")
            .bind(server.to_string())
            .execute(&mut *tx)
            .await?;
        self.commit(tx, customer).await
    }
}

fn drift(row: &AnyRow) -> Result<Drift> {
    Ok(Drift {
        seen: DriftSeen {
            kind: row.word("kind")?,
            subject: row.text("subject")?,
            customer: row.id_opt("customer_id")?,
            server: row.id_opt("server_id")?,
            desired: row.text_opt("desired")?,
            observed: row.text_opt("observed")?,
        },
        first_seen: row.int("first_seen")?,
        last_seen: row.int("last_seen")?,
        times: row.int("times")?,
        clearing: match (row.id_opt("clear_by")?, row.int_opt("clear_at")?) {
            (Some(by), Some(at)) => Some(Clearing { by, at, error: row.text_opt("clear_error")? }),
            _ => None,
        },
    })
}
