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
    error::{Error, Result},
    events,
    panels::licences_left,
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
