//! Accepting work: an order, a termination, a cancellation. Each is one transaction, whole or not at all.

use domain::{
    AccountId, CustomerId, DraftId, JobId, ServerId,
    kind::{Kind, Scope},
    state::ServerState,
};
use secrecy::SecretString;
use serde_json::Value;

use crate::{
    admission::{admit, scope_text},
    db::{Conn, Store},
    dialect::{Sql, rows},
    edges,
    error::{Error, Result},
    events,
    panels::{drop_panel, licences_left},
    parking::next_seq,
    row::Columns,
    servers::{Server, family_text},
};

/// A job to be queued.
#[derive(Clone, Debug)]
pub struct NewJob {
    pub id: JobId,
    pub kind: Kind,
    pub server: ServerId,
    /// The cloud it works on.
    pub provider: &'static str,
    /// An earlier job that must succeed first.
    pub needs: Option<JobId>,
    pub params: Value,
    pub shape: i64,
    /// The keys of its steps, in their order.
    pub steps: Vec<&'static str>,
    pub hold_on_failure: Scope,
    pub requested_by: AccountId,
    pub request_id: String,
}

/// What makes a repeat of a form recognisable.
#[derive(Clone, Debug)]
pub struct Idempotency {
    pub key: String,
    /// A digest of everything that was asked for.
    pub body_hash: String,
}

/// Passwords that come with an order.
#[derive(Debug, Default)]
pub struct OrderSecrets {
    /// For the job; wiped when it succeeds.
    pub job: Option<SecretString>,
    /// To be shown once, until this time (ms).
    pub reveal: Option<(SecretString, i64)>,
}

/// A server to be made.
#[derive(Debug)]
pub struct NewServer {
    pub server: Server,
    pub secrets: OrderSecrets,
    pub activate: NewJob,
    /// The installation of its panel, which needs the other.
    pub panel: Option<NewJob>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// Queued by this call.
    New(JobId),
    /// Queued by an earlier call with the same key.
    Before(JobId),
    /// The same key came with other values before.
    OtherValues(JobId),
    /// Too many open jobs.
    TooMany { limit: i64 },
    /// Fewer licences are left than are needed.
    SoldOut { left: u32 },
    /// What it was about is gone or has changed meanwhile.
    Gone,
}

impl Store {
    /// Turns a draft into servers, each with its jobs, if the draft was last changed when the caller says. All of them or
    /// none. `licences` is how many there are in all of the panel that is ordered, where they are counted.
    pub async fn order_accept(
        &self,
        (draft, updated_at): (DraftId, i64),
        orders: &[NewServer],
        licences: Option<u32>,
        idempotency: &Idempotency,
        now: i64,
    ) -> Result<Accepted> {
        let Some(first) = orders.first() else { return Ok(Accepted::Gone) };
        let (customer, first_job) = (first.server.customer, &first.activate);
        let jobs = orders.iter().map(|o| 1 + usize::from(o.panel.is_some())).sum();
        let mut tx = self.write().await?;
        if let Some(answer) = self.begin(&mut tx, customer, idempotency, jobs).await? {
            self.give_up(tx).await?;
            return Ok(answer);
        }
        if let (Some(all), Some(panel)) = (licences, &first.server.panel) {
            let left = licences_left(&mut tx, &panel.id, all).await?;
            if (left as usize) < orders.len() {
                self.give_up(tx).await?;
                return Ok(Accepted::SoldOut { left });
            }
        }
        let taken = sqlx::query(
            "UPDATE draft SET ordered_job_id = $1, sealed_password = NULL, updated_at = $2
             WHERE id = $3 AND customer_id = $4 AND ordered_job_id IS NULL AND updated_at = $5",
        )
        .bind(first_job.id.to_string())
        .bind(now)
        .bind(draft.to_string())
        .bind(customer.to_string())
        .bind(updated_at)
        .execute(&mut *tx)
        .await?;
        if taken.rows_affected() == 0 {
            self.give_up(tx).await?;
            return Ok(Accepted::Gone);
        }
        for NewServer { server, secrets, activate, panel } in orders {
            insert_server(&mut tx, server, now).await?;
            self.keep_secrets(&mut tx, server.id, secrets, activate.id).await?;
            self.insert_job(&mut tx, customer, activate, now).await?;
            if let Some(panel) = panel {
                self.insert_job(&mut tx, customer, panel, now).await?;
            }
        }
        self.remember(&mut tx, customer, first_job.id, idempotency, now).await?;
        admit(self, &mut tx, customer, now).await?;
        self.commit(tx, customer).await?;
        Ok(Accepted::New(first_job.id))
    }

    async fn keep_secrets(
        &self,
        tx: &mut Conn,
        server: ServerId,
        secrets: &OrderSecrets,
        job: JobId,
    ) -> Result<()> {
        if let Some(secret) = &secrets.job {
            let sealed = self.sealer.seal(server.0, secret)?;
            insert_secret(tx, server, "job", &sealed, None, job).await?;
        }
        if let Some((secret, until)) = &secrets.reveal {
            let sealed = self.sealer.seal(server.0, secret)?;
            insert_secret(tx, server, "reveal", &sealed, Some(*until), job).await?;
        }
        Ok(())
    }

    /// Queues a job on a server that exists.
    pub async fn job_accept(
        &self,
        customer: CustomerId,
        job: &NewJob,
        idempotency: &Idempotency,
        now: i64,
    ) -> Result<Accepted> {
        self.job_accept_with(customer, job, None, &OrderSecrets::default(), idempotency, now).await
    }

    /// The same with passwords that come with it, which take the place of earlier ones of the server, and with a job that
    /// needs it.
    pub async fn job_accept_with(
        &self,
        customer: CustomerId,
        job: &NewJob,
        then: Option<&NewJob>,
        secrets: &OrderSecrets,
        idempotency: &Idempotency,
        now: i64,
    ) -> Result<Accepted> {
        let mut tx = self.write().await?;
        if let Some(answer) =
            self.begin(&mut tx, customer, idempotency, 1 + usize::from(then.is_some())).await?
        {
            self.give_up(tx).await?;
            return Ok(answer);
        }
        // Checked under the context's lock: a second terminate cannot slip in between.
        let row = sqlx::query(
            "SELECT COUNT(*) AS n FROM server WHERE id = $1 AND customer_id = $2 AND terminated_at IS NULL
               AND NOT EXISTS (SELECT 1 FROM job WHERE job.server_id = server.id AND job.kind = 'terminate'
                               AND job.finished_at IS NULL)",
        )
        .bind(job.server.to_string())
        .bind(customer.to_string())
        .fetch_one(&mut *tx)
        .await?;
        if row.int("n")? == 0 {
            self.give_up(tx).await?;
            return Ok(Accepted::Gone);
        }
        if job.kind == Kind::Refresh
            && let Some(queued) = queued_refresh(&mut tx, customer).await?
        {
            // It has not looked yet: it will see whatever this one would.
            self.give_up(tx).await?;
            return Ok(Accepted::Before(queued));
        }
        if job.kind == Kind::Terminate {
            self.take_back_parked(&mut tx, customer, job, now).await?;
        }
        self.keep_secrets(&mut tx, job.server, secrets, job.id).await?;
        self.insert_job(&mut tx, customer, job, now).await?;
        if let Some(then) = then {
            self.insert_job(&mut tx, customer, then, now).await?;
        }
        self.remember(&mut tx, customer, job.id, idempotency, now).await?;
        admit(self, &mut tx, customer, now).await?;
        self.commit(tx, customer).await?;
        Ok(Accepted::New(job.id))
    }

    /// The job that a form with this key and these values was answered with before.
    pub async fn accepted_before(
        &self,
        customer: CustomerId,
        idempotency: &Idempotency,
    ) -> Result<Option<JobId>> {
        let row = sqlx::query(
            "SELECT job_id FROM idempotency WHERE customer_id = $1 AND key = $2 AND body_hash = $3",
        )
        .bind(customer.to_string())
        .bind(&idempotency.key)
        .bind(&idempotency.body_hash)
        .fetch_optional(&self.pool)
        .await?;
        row.map(|r| r.id("job_id")).transpose()
    }

    /// An order that waits for an edge stands in nobody's way, and so not in that of its server's end: it is taken back with
    /// it. Nothing of it was made, and nothing shall be.
    async fn take_back_parked(
        &self,
        tx: &mut Conn,
        customer: CustomerId,
        job: &NewJob,
        now: i64,
    ) -> Result<()> {
        let rows = sqlx::query(
            "UPDATE job SET state = 'cancelled', finished_at = $1, parked_at = NULL
             WHERE server_id = $2 AND context_id = $3 AND kind = 'activate' AND state = 'parked' RETURNING id",
        )
        .bind(now)
        .bind(job.server.to_string())
        .bind(customer.to_string())
        .fetch_all(&mut *tx)
        .await?;
        for row in rows {
            let by = job.requested_by.to_string();
            let id: JobId = row.id("id")?;
            events::record(tx, customer, id, "cancelled", None, Some(&by), now).await?;
            cancel_needing_told(tx, customer, id, now).await?;
        }
        Ok(())
    }

    /// Takes a waiting job back, and with it the jobs that need it. Returns whether it was still waiting.
    pub async fn job_cancel(
        &self,
        customer: CustomerId,
        job: JobId,
        by: AccountId,
        now: i64,
    ) -> Result<bool> {
        let mut tx = self.write().await?;
        events::next_version(&mut tx, customer).await?;
        let row = sqlx::query(
            "UPDATE job SET state = 'cancelled', finished_at = $1
             WHERE id = $2 AND context_id = $3 AND undo = 0 AND state IN ('queued', 'parked')
               AND NOT EXISTS (SELECT 1 FROM job_step WHERE job_step.job_id = job.id
                               AND job_step.state NOT IN ('pending', 'skipped', 'undone')
                               AND job_step.key <> 'order_check')
               AND NOT EXISTS (SELECT 1 FROM job_way WHERE job_way.job_id = job.id)
             RETURNING kind, server_id",
        )
        .bind(now)
        .bind(job.to_string())
        .bind(customer.to_string())
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else {
            // One that was begun before and queued again has something to take back.
            let turned = self.turn_queued_back(&mut tx, customer, job, by, now).await?;
            match turned {
                true => self.commit(tx, customer).await?,
                false => self.give_up(tx).await?,
            }
            return Ok(turned);
        };
        sqlx::query("DELETE FROM secret WHERE job_id = $1 OR reveal_of = $1")
            .bind(job.to_string())
            .execute(&mut *tx)
            .await?;
        drop_panel(&mut tx, customer, job).await?;
        if row.word::<Kind>("kind")? == Kind::Activate
            && let Some(server) = row.id_opt::<ServerId>("server_id")?
        {
            drop_unmade_server(&mut tx, server, now).await?;
            self.edges_changed.store(true, std::sync::atomic::Ordering::Relaxed);
        }
        events::record(&mut tx, customer, job, "cancelled", None, Some(&by.to_string()), now).await?;
        cancel_needing_told(&mut tx, customer, job, now).await?;
        admit(self, &mut tx, customer, now).await?;
        self.commit(tx, customer).await?;
        Ok(true)
    }

    /// A queued job that was begun before takes back what it did, in its place of the queue.
    async fn turn_queued_back(
        &self,
        tx: &mut Conn,
        customer: CustomerId,
        job: JobId,
        by: AccountId,
        now: i64,
    ) -> Result<bool> {
        let done = sqlx::query(
            "UPDATE job SET undo = 1, cancel_requested_by = $1
             WHERE id = $2 AND context_id = $3 AND undo = 0 AND state IN ('queued', 'parked')",
        )
        .bind(by.to_string())
        .bind(job.to_string())
        .bind(customer.to_string())
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        // One that was parked leaves its waiting for an edge.
        sqlx::query("UPDATE job SET state = 'queued', parked_at = NULL WHERE id = $1 AND state = 'parked'")
            .bind(job.to_string())
            .execute(&mut *tx)
            .await?;
        // Where a way in was made for it, that is to be closed, though none of its steps was tried.
        sqlx::query(
            "UPDATE job_step SET retries = 0, waited_ms = 0,
                 state = CASE WHEN state = 'pending' AND ord = 0
                                   AND EXISTS (SELECT 1 FROM job_way WHERE job_way.job_id = job_step.job_id)
                              THEN 'failed' ELSE state END
             WHERE job_id = $1",
        )
        .bind(job.to_string())
        .execute(&mut *tx)
        .await?;
        events::record(tx, customer, job, "stop_asked", None, Some(&by.to_string()), now).await?;
        admit(self, tx, customer, now).await?;
        Ok(true)
    }

    /// Locks the context and answers at once where there is nothing to do.
    async fn begin(
        &self,
        tx: &mut Conn,
        customer: CustomerId,
        idempotency: &Idempotency,
        jobs: usize,
    ) -> Result<Option<Accepted>> {
        events::next_version(tx, customer).await?;
        let before =
            sqlx::query("SELECT body_hash, job_id FROM idempotency WHERE customer_id = $1 AND key = $2")
                .bind(customer.to_string())
                .bind(&idempotency.key)
                .fetch_optional(&mut *tx)
                .await?;
        if let Some(row) = before {
            let job = row.id("job_id")?;
            let same = row.text("body_hash")? == idempotency.body_hash;
            return Ok(Some(if same { Accepted::Before(job) } else { Accepted::OtherValues(job) }));
        }
        let open = sqlx::query("SELECT COUNT(*) AS n FROM job WHERE context_id = $1 AND finished_at IS NULL")
            .bind(customer.to_string())
            .fetch_one(&mut *tx)
            .await?
            .int("n")?;
        let limit = self.open_jobs;
        Ok((open + jobs as i64 > limit).then_some(Accepted::TooMany { limit }))
    }

    async fn insert_job(&self, tx: &mut Conn, customer: CustomerId, job: &NewJob, now: i64) -> Result<()> {
        let seq = next_seq(tx, customer).await?;
        let number = next_number(tx).await?;
        sqlx::query(
            "INSERT INTO job (id, number, context_id, seq, kind, server_id, params, shape, state, hold_on_failure,
                              requested_by, request_id, created_at, needs_job_id, provider)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'queued', $9, $10, $11, $12, $13, $14)",
        )
        .bind(job.id.to_string())
        .bind(number)
        .bind(customer.to_string())
        .bind(seq)
        .bind(job.kind.as_str())
        .bind(job.server.to_string())
        .bind(job.params.to_string())
        .bind(job.shape)
        .bind(scope_text(job.hold_on_failure))
        .bind(job.requested_by.to_string())
        .bind(&job.request_id)
        .bind(now)
        .bind(job.needs.map(|n| n.to_string()))
        .bind(job.provider)
        .execute(&mut *tx)
        .await?;
        insert_steps(self, tx, job.id, &job.steps).await?;
        events::record(tx, customer, job.id, "accepted", None, None, now).await
    }

    /// A form that comes again is answered with this job.
    async fn remember(
        &self,
        tx: &mut Conn,
        customer: CustomerId,
        job: JobId,
        idempotency: &Idempotency,
        now: i64,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO idempotency (customer_id, key, body_hash, job_id, created_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(customer.to_string())
        .bind(&idempotency.key)
        .bind(&idempotency.body_hash)
        .bind(job.to_string())
        .bind(now)
        .execute(tx)
        .await?;
        Ok(())
    }
}

/// At most one refresh of a customer is queued.
async fn queued_refresh(tx: &mut Conn, customer: CustomerId) -> Result<Option<JobId>> {
    let row = sqlx::query(
        "SELECT id FROM job WHERE context_id = $1 AND finished_at IS NULL AND kind = 'refresh' AND state = 'queued'
         ORDER BY seq LIMIT 1",
    );
    let row = row.bind(customer.to_string()).fetch_optional(tx).await?;
    row.map(|r| r.id("id")).transpose()
}

pub(crate) async fn next_number(tx: &mut Conn) -> Result<i64> {
    sqlx::query("UPDATE counter SET value = value + 1 WHERE name = 'job_number' RETURNING value")
        .fetch_one(tx)
        .await?
        .int("value")
}

const INSERT_STEPS: Sql = rows!(
    "INSERT INTO job_step (job_id, ord, key, state) SELECT t.job, t.ord, t.key, 'pending' FROM ",
    ["job" TEXT, "ord" BIGINT, "key" TEXT],
    " WHERE t.ord >= 0"
);

pub(crate) async fn insert_steps(
    store: &Store,
    tx: &mut Conn,
    job: JobId,
    steps: &[&'static str],
) -> Result<()> {
    let row =
        |(ord, key): (usize, &&str)| serde_json::json!({"job": job.to_string(), "ord": ord, "key": key});
    let rows: Vec<Value> = steps.iter().enumerate().map(row).collect();
    let rows = Value::from(rows).to_string();
    sqlx::query(INSERT_STEPS.of(store.is_embedded())).bind(rows).execute(tx).await?;
    Ok(())
}

/// Takes back the jobs that need one which will never succeed. What needs one of these goes with it, and so on: a
/// need always points to an earlier job, so this ends. Returns those that went.
pub(crate) async fn cancel_needing(
    tx: &mut Conn,
    customer: CustomerId,
    job: JobId,
    now: i64,
) -> Result<Vec<JobId>> {
    let (mut gone, mut all) = (vec![job], Vec::new());
    while let Some(job) = gone.pop() {
        let rows = sqlx::query(
            "UPDATE job SET state = 'cancelled', finished_at = $1
             WHERE needs_job_id = $2 AND context_id = $3 AND state IN ('queued', 'parked') RETURNING id",
        )
        .bind(now)
        .bind(job.to_string())
        .bind(customer.to_string())
        .fetch_all(&mut *tx)
        .await?;
        for row in rows {
            let id: JobId = row.id("id")?;
            drop_panel(tx, customer, id).await?;
            gone.push(id);
            all.push(id);
        }
    }
    Ok(all)
}

/// The same, each with its event.
pub(crate) async fn cancel_needing_told(
    tx: &mut Conn,
    customer: CustomerId,
    job: JobId,
    now: i64,
) -> Result<()> {
    for id in cancel_needing(tx, customer, job, now).await? {
        events::record(tx, customer, id, "cancelled", None, Some(&format!("needs {job}")), now).await?;
    }
    Ok(())
}

async fn insert_server(tx: &mut Conn, s: &Server, now: i64) -> Result<()> {
    let keys = serde_json::to_string(&s.ssh_keys).map_err(|e| Error::Corrupt(e.to_string()))?;
    sqlx::query(
        "INSERT INTO server (id, customer_id, name, hostname, template_id, template_name, family, vcpu, ram_gb,
                             disk_gb, bandwidth_mbit, price_minor, method, guest_login, own_password, ssh_keys,
                             state, created_at, panel_id, panel_name, panel_minor)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)",
    )
    .bind(s.id.to_string())
    .bind(s.customer.to_string())
    .bind(&s.name)
    .bind(&s.hostname)
    .bind(&s.template_id)
    .bind(&s.template_name)
    .bind(family_text(s.family))
    .bind(i64::from(s.size.vcpu))
    .bind(i64::from(s.size.ram_gb))
    .bind(i64::from(s.size.disk_gb))
    .bind(i64::from(s.size.bandwidth_mbit))
    .bind(s.price_minor)
    .bind(s.method.as_str())
    .bind(&s.guest_login)
    .bind(i64::from(s.own_password))
    .bind(keys)
    .bind(ServerState::Ordered.as_str())
    .bind(now)
    .bind(s.panel.as_ref().map(|p| p.id.clone()))
    .bind(s.panel.as_ref().map(|p| p.name.clone()))
    .bind(s.panel.as_ref().map_or(0, |p| p.price_minor))
    .execute(tx)
    .await?;
    Ok(())
}

async fn insert_secret(
    tx: &mut Conn,
    server: ServerId,
    purpose: &str,
    sealed: &str,
    expires_at: Option<i64>,
    job: JobId,
) -> Result<()> {
    // What the job needs goes when the job is over; what is to be shown stays, and only that job shows it.
    let (needed_by, shown_by) = if purpose == "job" { (Some(job), None) } else { (None, Some(job)) };
    sqlx::query(
        "INSERT INTO secret (server_id, purpose, sealed, expires_at, job_id, reveal_of) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (server_id, purpose) DO UPDATE SET sealed = excluded.sealed, expires_at = excluded.expires_at,
             job_id = excluded.job_id, reveal_of = excluded.reveal_of, revealed_at = NULL",
    )
    .bind(server.to_string())
    .bind(purpose)
    .bind(sealed)
    .bind(expires_at)
    .bind(needed_by.map(|j| j.to_string()))
    .bind(shown_by.map(|j| j.to_string()))
    .execute(tx)
    .await?;
    Ok(())
}

/// A server whose create was taken back before it began: nothing of it was ever made.
pub(crate) async fn drop_unmade_server(tx: &mut Conn, server: ServerId, now: i64) -> Result<()> {
    sqlx::query("UPDATE server SET state = 'terminated', terminated_at = $1 WHERE id = $2")
        .bind(now)
        .bind(server.to_string())
        .execute(&mut *tx)
        .await?;
    edges::free_unused(&mut *tx, server, now).await?;
    sqlx::query("DELETE FROM secret WHERE server_id = $1").bind(server.to_string()).execute(tx).await?;
    Ok(())
}
