//! Rows for measurements and campaigns: many customers with many queued jobs, made in a few statements. Nothing that a
//! product does.

use domain::kind::Kind;
use serde_json::{Value, json};

use crate::{
    admission::admit,
    db::Store,
    dialect::{Sql, rows},
    error::Result,
    events,
    row::Columns,
};

/// What to make.
#[derive(Clone, Debug)]
pub struct Load {
    pub customers: usize,
    pub jobs_each: usize,
    /// The kinds of a customer's jobs, over and over.
    pub kinds: Vec<Kind>,
    pub steps: Vec<&'static str>,
}

const ACCOUNTS: Sql = rows!(
    "INSERT INTO account (id, email, name, role, password_hash, created_at)
     SELECT t.id, t.id, 'load', 'customer', '-', 0 FROM ",
    ["id" TEXT],
    " WHERE t.id <> ''"
);
const CONTEXTS: Sql = rows!(
    "INSERT INTO context (customer_id, last_seq, version) SELECT t.id, t.jobs, 1 FROM ",
    ["id" TEXT, "jobs" BIGINT],
    " WHERE t.id <> ''"
);
const JOBS: Sql = rows!(
    "INSERT INTO job (id, number, context_id, seq, kind, params, shape, state, hold_on_failure, requested_by, request_id,
                      created_at)
     SELECT t.id, t.number, t.context, t.seq, t.kind, '{}', 1, 'queued', 'none', t.context, 'load', 0 FROM ",
    ["id" TEXT, "number" BIGINT, "context" TEXT, "seq" BIGINT, "kind" TEXT],
    " WHERE t.id <> ''"
);
const STEPS: Sql = rows!(
    "INSERT INTO job_step (job_id, ord, key, state) SELECT t.job, t.ord, t.key, 'pending' FROM ",
    ["job" TEXT, "ord" BIGINT, "key" TEXT],
    " WHERE t.ord >= 0"
);
/// Rows of one statement.
const CHUNK: usize = 5_000;

impl Store {
    /// How many jobs are in a state.
    pub async fn jobs_in(&self, state: &str) -> Result<i64> {
        let row = sqlx::query("SELECT COUNT(*) AS n FROM job WHERE state = $1").bind(state);
        row.fetch_one(&self.pool).await?.int("n")
    }

    /// What is kept of every session, as it is kept.
    pub async fn session_texts(&self) -> Result<Vec<String>> {
        let rows = sqlx::query("SELECT data, expires_at FROM session ORDER BY id_hash")
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|r| Ok(format!("{} until {}", r.text("data")?, r.int("expires_at")?))).collect()
    }

    /// The job that has waited longest for an edge.
    pub async fn parked_longest(&self) -> Result<Option<domain::JobId>> {
        let row = sqlx::query("SELECT id FROM job WHERE state = 'parked' ORDER BY parked_at, number LIMIT 1");
        row.fetch_optional(&self.pool).await?.map(|r| r.id("id")).transpose()
    }

    /// Makes customers with queued jobs. Returns the customers.
    pub async fn load(&self, load: &Load, first_number: i64) -> Result<Vec<domain::CustomerId>> {
        let id = || uuid::Uuid::now_v7().to_string();
        let customers: Vec<String> = (0..load.customers).map(|_| id()).collect();
        let account = customers.iter().map(|c| json!({"id": c})).collect();
        self.insert(ACCOUNTS, account).await?;
        let context = customers.iter().map(|c| json!({"id": c, "jobs": load.jobs_each})).collect();
        self.insert(CONTEXTS, context).await?;
        let (mut jobs, mut steps) = (Vec::new(), Vec::new());
        let mut number = first_number;
        for seq in 0..load.jobs_each {
            for customer in &customers {
                let job = id();
                let kind = load.kinds[seq % load.kinds.len()].as_str();
                for (ord, key) in load.steps.iter().enumerate() {
                    steps.push(json!({"job": job, "ord": ord, "key": key}));
                }
                jobs.push(
                    json!({"id": job, "number": number, "context": customer, "seq": seq + 1, "kind": kind}),
                );
                number += 1;
            }
            if jobs.len() >= CHUNK || seq + 1 == load.jobs_each {
                self.insert(JOBS, std::mem::take(&mut jobs)).await?;
                self.insert(STEPS, std::mem::take(&mut steps)).await?;
            }
        }
        // A planner that knows of no rows would read all of them for each customer.
        self.analyze().await?;
        let ids: Vec<domain::CustomerId> = customers.iter().filter_map(|c| c.parse().ok()).collect();
        for customers in ids.chunks(200) {
            let mut tx = self.write().await?;
            for customer in customers {
                admit(self, &mut tx, *customer, 0).await?;
            }
            tx.commit().await?;
        }
        Ok(ids)
    }

    /// Accepts one more job of a customer that [`Store::load`] has made, as an order would be.
    pub async fn load_more(
        &self,
        customer: domain::CustomerId,
        kind: Kind,
        steps: &[&'static str],
        now: i64,
    ) -> Result<domain::JobId> {
        let mut tx = self.write().await?;
        events::next_version(&mut tx, customer).await?;
        let seq = crate::parking::next_seq(&mut tx, customer).await?;
        let number = crate::order_rows::next_numbers(self, &mut tx, 1).await?[0];
        let job = domain::JobId(uuid::Uuid::now_v7());
        let row = json!({"id": job.to_string(), "number": number, "context": customer.to_string(), "seq": seq, "kind": kind.as_str()});
        sqlx::query(JOBS.of(self.is_embedded()))
            .bind(Value::from(vec![row]).to_string())
            .execute(&mut *tx)
            .await?;
        crate::order_rows::insert_steps(self, &mut tx, &[(job, steps)]).await?;
        events::record(&mut tx, customer, job, "accepted", None, None, now).await?;
        admit(self, &mut tx, customer, now).await?;
        self.commit(tx, customer).await?;
        Ok(job)
    }

    async fn insert(&self, sql: Sql, rows: Vec<Value>) -> Result<()> {
        for chunk in rows.chunks(CHUNK) {
            let text = Value::from(chunk.to_vec()).to_string();
            sqlx::query(sql.of(self.is_embedded())).bind(text).execute(&self.pool).await?;
        }
        Ok(())
    }

    /// Hides what may start from whoever looks for work: it stays queued.
    pub async fn load_hidden(&self) -> Result<()> {
        sqlx::query("UPDATE context SET ready_at = NULL").execute(&self.pool).await?;
        Ok(())
    }

    /// Holds a snapshot of everything, as a long report does, until it is dropped.
    pub async fn hold_a_snapshot(&self) -> Result<HeldSnapshot> {
        let mut tx = self.pool.begin().await?;
        sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").execute(&mut *tx).await?;
        sqlx::query("SET LOCAL idle_in_transaction_session_timeout = 0").execute(&mut *tx).await?;
        sqlx::query("SELECT COUNT(*) AS n FROM job").fetch_one(&mut *tx).await?;
        Ok(HeldSnapshot { _tx: tx })
    }

    /// Transactions that a PostgreSQL database has committed, once it has counted them.
    pub async fn commits(&self) -> Result<i64> {
        // What each connection has done is counted with a delay.
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        let row = sqlx::query("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()");
        row.fetch_one(&self.pool).await?.int("xact_commit")
    }

    /// Brings the planner's figures up to date, as after a load.
    pub async fn analyze(&self) -> Result<()> {
        sqlx::query("ANALYZE").execute(&self.pool).await?;
        Ok(())
    }
}

impl Store {
    /// Jobs of one customer and an exclusive kind that ran at once, or out of their order: by the versions of their claims and
    /// ends.
    pub async fn serial_breaches(&self) -> Result<Vec<String>> {
        use crate::row::Columns;
        let rows = sqlx::query(
            "SELECT a.id AS a, b.id AS b FROM job AS a
             JOIN job AS b ON b.context_id = a.context_id AND b.seq = a.seq + 1
             JOIN job_event AS ended ON ended.job_id = a.id AND ended.what = 'succeeded'
             JOIN job_event AS began ON began.job_id = b.id AND began.what = 'claimed'
             WHERE a.kind = 'migrate' AND b.kind = 'migrate' AND began.version < ended.version LIMIT 20",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|r| Ok(format!("{} began before {} ended", r.text("b")?, r.text("a")?))).collect()
    }
}

/// See [`Store::hold_a_snapshot`].
pub struct HeldSnapshot {
    _tx: crate::db::Tx,
}
