//! Accepting work: an order, a termination, a cancellation. Each is one transaction, whole or not at all.

use domain::{
    AccountId, CustomerId, DraftId, JobId, ServerId,
    kind::{Kind, Scope},
};
use secrecy::SecretString;
use serde_json::Value;

use crate::{
    admission::admit,
    db::{Conn, Store},
    error::Result,
    events,
    order_rows::{insert_jobs, insert_secrets, insert_servers},
    panels::licences_left,
    row::Columns,
    servers::Server,
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
        let servers: Vec<&Server> = orders.iter().map(|o| &o.server).collect();
        let secrets: Vec<_> = orders.iter().map(|o| (o.server.id, &o.secrets, o.activate.id)).collect();
        let jobs: Vec<_> =
            orders.iter().flat_map(|o| [Some(&o.activate), o.panel.as_ref()]).flatten().collect();
        insert_servers(self, &mut tx, &servers, now).await?;
        insert_secrets(self, &mut tx, &secrets).await?;
        insert_jobs(self, &mut tx, customer, &jobs, now).await?;
        self.remember(&mut tx, customer, first_job.id, idempotency, now).await?;
        admit(self, &mut tx, customer, now).await?;
        self.commit(tx, customer).await?;
        Ok(Accepted::New(first_job.id))
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
        insert_secrets(self, &mut tx, &[(job.server, secrets, job.id)]).await?;
        let jobs: Vec<_> = [Some(job), then].into_iter().flatten().collect();
        insert_jobs(self, &mut tx, customer, &jobs, now).await?;
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
