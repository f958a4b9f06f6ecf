//! The rows that an order adds: servers, their passwords, their jobs. Each kind of row in one statement, however many are
//! ordered: the customer's context is locked meanwhile.

use domain::{CustomerId, JobId, ServerId, state::ServerState};
use serde_json::{Value, json};

use crate::{
    admission::scope_text,
    db::{Conn, Store},
    dialect::{Sql, rows},
    error::Result,
    orders::{NewJob, OrderSecrets},
    row::Columns,
    servers::{Server, family_text},
};

const SERVERS: Sql = rows!(
    "INSERT INTO server (id, customer_id, name, hostname, template_id, template_name, family, vcpu, ram_gb, disk_gb,
                         bandwidth_mbit, price_minor, method, guest_login, own_password, ssh_keys, state, created_at,
                         panel_id, panel_name, panel_minor)
     SELECT t.id, t.customer, t.name, t.hostname, t.template, t.template_name, t.family, t.vcpu, t.ram, t.disk,
            t.bandwidth, t.price, t.method, t.login, t.own, t.keys, t.state, t.at, t.panel, t.panel_name, t.panel_price FROM ",
    [
        "id" TEXT, "customer" TEXT, "name" TEXT, "hostname" TEXT, "template" TEXT, "template_name" TEXT, "family" TEXT,
        "vcpu" BIGINT, "ram" BIGINT, "disk" BIGINT, "bandwidth" BIGINT, "price" BIGINT, "method" TEXT, "login" TEXT,
        "own" BIGINT, "keys" TEXT, "state" TEXT, "at" BIGINT, "panel" TEXT, "panel_name" TEXT, "panel_price" BIGINT
    ],
    ""
);

pub(crate) async fn insert_servers(
    store: &Store,
    tx: &mut Conn,
    servers: &[&Server],
    now: i64,
) -> Result<()> {
    let row = |s: &&Server| {
        json!({
            "id": s.id.to_string(),
            "customer": s.customer.to_string(),
            "name": s.name,
            "hostname": s.hostname,
            "template": s.template_id,
            "template_name": s.template_name,
            "family": family_text(s.family),
            "vcpu": s.size.vcpu,
            "ram": s.size.ram_gb,
            "disk": s.size.disk_gb,
            "bandwidth": s.size.bandwidth_mbit,
            "price": s.price_minor,
            "method": s.method.as_str(),
            "login": s.guest_login,
            "own": i64::from(s.own_password),
            // Kept as JSON text.
            "keys": json!(s.ssh_keys).to_string(),
            "state": ServerState::Ordered.as_str(),
            "at": now,
            "panel": s.panel.as_ref().map(|p| &p.id),
            "panel_name": s.panel.as_ref().map(|p| &p.name),
            "panel_price": s.panel.as_ref().map_or(0, |p| p.price_minor),
        })
    };
    insert(store, tx, SERVERS, servers.iter().map(row).collect()).await
}

const SECRETS: Sql = rows!(
    "INSERT INTO secret (server_id, purpose, sealed, expires_at, job_id, reveal_of)
     SELECT t.server, t.purpose, t.sealed, t.until, t.needed_by, t.shown_by FROM ",
    ["server" TEXT, "purpose" TEXT, "sealed" TEXT, "until" BIGINT, "needed_by" TEXT, "shown_by" TEXT],
    " WHERE t.server <> '' ON CONFLICT (server_id, purpose) DO UPDATE SET sealed = excluded.sealed,
          expires_at = excluded.expires_at, job_id = excluded.job_id, reveal_of = excluded.reveal_of, revealed_at = NULL"
);

/// Keeps the passwords of servers, each with the job it came with, in the place of earlier ones.
pub(crate) async fn insert_secrets(
    store: &Store,
    tx: &mut Conn,
    servers: &[(ServerId, &OrderSecrets, JobId)],
) -> Result<()> {
    let mut rows = Vec::new();
    for (server, secrets, job) in servers {
        // What the job needs goes when the job is over; what is to be shown stays, and only that job shows it.
        if let Some(secret) = &secrets.job {
            let sealed = store.sealer.seal(server.0, secret)?;
            rows.push(json!({
                "server": server.to_string(), "purpose": "job", "sealed": sealed, "needed_by": job.to_string(),
            }));
        }
        if let Some((secret, until)) = &secrets.reveal {
            let sealed = store.sealer.seal(server.0, secret)?;
            rows.push(json!({
                "server": server.to_string(), "purpose": "reveal", "sealed": sealed, "until": until,
                "shown_by": job.to_string(),
            }));
        }
    }
    if rows.is_empty() { Ok(()) } else { insert(store, tx, SECRETS, rows).await }
}

const JOBS: Sql = rows!(
    "INSERT INTO job (id, number, context_id, seq, kind, server_id, params, shape, state, hold_on_failure, requested_by,
                      request_id, created_at, needs_job_id, provider)
     SELECT t.id, t.number, t.context, t.seq, t.kind, t.server, t.params, t.shape, 'queued', t.hold, t.requester,
            t.request, t.at, t.needs, t.provider FROM ",
    [
        "id" TEXT, "number" BIGINT, "context" TEXT, "seq" BIGINT, "kind" TEXT, "server" TEXT, "params" TEXT, "shape" BIGINT,
        "hold" TEXT, "requester" TEXT, "request" TEXT, "at" BIGINT, "needs" TEXT, "provider" TEXT
    ],
    ""
);
const ACCEPTED: Sql = rows!(
    "INSERT INTO job_event (context_id, version, job_id, at, what) SELECT t.context, t.version, t.job, t.at, 'accepted' FROM ",
    ["context" TEXT, "version" BIGINT, "job" TEXT, "at" BIGINT],
    ""
);

/// Queues jobs of one customer behind all others, in their order.
pub(crate) async fn insert_jobs(
    store: &Store,
    tx: &mut Conn,
    customer: CustomerId,
    jobs: &[&NewJob],
    now: i64,
) -> Result<()> {
    let many = jobs.len() as i64;
    let places = sqlx::query(
        "UPDATE context SET last_seq = last_seq + $1, version = version + $1 WHERE customer_id = $2
         RETURNING last_seq, version",
    );
    let places = places.bind(many).bind(customer.to_string()).fetch_one(&mut *tx).await?;
    let (last_seq, last_version) = (places.int("last_seq")?, places.int("version")?);
    let numbers = next_numbers(store, tx, many).await?;
    let (mut rows, mut events) = (Vec::new(), Vec::new());
    for (at, (job, number)) in jobs.iter().zip(numbers).enumerate() {
        let behind = many - 1 - at as i64;
        rows.push(json!({
            "id": job.id.to_string(),
            "number": number,
            "context": customer.to_string(),
            "seq": last_seq - behind,
            "kind": job.kind.as_str(),
            "server": job.server.to_string(),
            // Kept as JSON text.
            "params": job.params.to_string(),
            "shape": job.shape,
            "hold": scope_text(job.hold_on_failure),
            "requester": job.requested_by.to_string(),
            "request": job.request_id,
            "at": now,
            "needs": job.needs.map(|n| n.to_string()),
            "provider": job.provider,
        }));
        events.push(json!({
            "context": customer.to_string(), "version": last_version - behind, "job": job.id.to_string(), "at": now,
        }));
    }
    insert(store, tx, JOBS, rows).await?;
    let steps: Vec<_> = jobs.iter().map(|j| (j.id, j.steps.as_slice())).collect();
    insert_steps(store, tx, &steps).await?;
    insert(store, tx, ACCEPTED, events).await
}

/// On PostgreSQL not a row that is counted up: its lock would be held until the order is committed, and everybody's orders
/// would be taken one after another. A number may be left out where an order is given up.
const NUMBERS: Sql = Sql {
    sqlite: "UPDATE counter SET value = value + $1 WHERE name = 'job_number' RETURNING value",
    postgres: "SELECT nextval('job_number') AS value FROM generate_series(CAST(1 AS BIGINT), $1)",
};

/// So many numbers, which no other job has.
pub(crate) async fn next_numbers(store: &Store, tx: &mut Conn, many: i64) -> Result<Vec<i64>> {
    let rows = sqlx::query(NUMBERS.of(store.is_embedded())).bind(many).fetch_all(tx).await?;
    let mut numbers = rows.iter().map(|row| row.int("value")).collect::<Result<Vec<_>>>()?;
    if store.is_embedded() {
        // Its one writer has taken all of them by raising the last.
        let last = numbers.pop().unwrap_or_default();
        return Ok((last - many + 1..=last).collect());
    }
    numbers.sort_unstable();
    Ok(numbers)
}

const STEPS: Sql = rows!(
    "INSERT INTO job_step (job_id, ord, key, state) SELECT t.job, t.ord, t.key, 'pending' FROM ",
    ["job" TEXT, "ord" BIGINT, "key" TEXT],
    ""
);

pub(crate) async fn insert_steps(store: &Store, tx: &mut Conn, jobs: &[(JobId, &[&str])]) -> Result<()> {
    let rows = jobs.iter().flat_map(|(job, keys)| {
        keys.iter().enumerate().map(move |(ord, key)| json!({"job": job.to_string(), "ord": ord, "key": key}))
    });
    insert(store, tx, STEPS, rows.collect()).await
}

async fn insert(store: &Store, tx: &mut Conn, sql: Sql, rows: Vec<Value>) -> Result<()> {
    let rows = Value::from(rows).to_string();
    sqlx::query(sql.of(store.is_embedded())).bind(rows).execute(tx).await?;
    Ok(())
}
