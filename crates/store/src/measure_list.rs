//! Rows for measuring the list of jobs: two years of orders by two thousand customers, one of whom has a hundredth of all. Most
//! succeeded, one in a thousand failed, the last 300 are under way; the newest, and those that failed, have their steps. Nothing
//! that a product does.

use crate::{db::Store, dialect::Sql, error::Result};

const CUSTOMERS: i64 = 2_000;
const SERVERS: i64 = 10_000;
const UNDER_WAY: i64 = 300;
const WITH_STEPS: i64 = 200_000;
/// Jobs of one statement.
const CHUNK: i64 = 250_000;

/// A text over the numbers from `$1` to `$2`, as `n`, with the id of a number.
macro_rules! numbered {
    ($($before:literal, $id:tt),+; $after:literal) => {
        Sql {
            sqlite: concat!(
                $($before, "printf('00000000-0000-7000-8000-%012d', ", $id, ")",)+ $after,
                " FROM (WITH RECURSIVE c(n) AS (SELECT $1 UNION ALL SELECT n + 1 FROM c WHERE n < $2) SELECT n FROM c) AS c"
            ),
            postgres: concat!(
                $($before, "('00000000-0000-7000-8000-' || lpad(CAST(", $id, " AS TEXT), 12, '0'))",)+ $after,
                " FROM generate_series(CAST($1 AS BIGINT), CAST($2 AS BIGINT)) AS c(n)"
            ),
        }
    };
}

const ACCOUNTS: Sql = numbered!(
    "INSERT INTO account (id, email, name, role, password_hash, created_at) SELECT ", "n";
    ", 'customer' || n || '@shop' || (n % 50) || '.test', 'Customer ' || n, 'customer', '-', 0"
);
const SERVER_ROWS: Sql = numbered!(
    "INSERT INTO server (id, customer_id, name, hostname, template_id, template_name, family, vcpu, ram_gb, disk_gb,
       bandwidth_mbit, price_minor, method, guest_login, own_password, ssh_keys, state, created_at) SELECT ", "n",
    ", ", "(1 + n % 2000)";
    ", 'web-' || n, 'web', 'debian', 'Debian', 'debian', 1, 1, 10, 100, 1, 'generated', 'root', 0, '[]', 'running', 0"
);
/// `$3` is the last that is over, `$4` the last of all, `$5` now.
const JOBS: Sql = numbered!(
    "INSERT INTO job (id, context_id, server_id, requested_by, number, seq, kind, params, shape, state, hold_on_failure,
       request_id, created_at, started_at, finished_at, claim_owner, claim_expires_at, cause, detail) SELECT ", "n",
    ", ", "(CASE WHEN n % 100 = 0 THEN 1 ELSE 2 + n % 1999 END)",
    ", ", "(1 + n % 10000)",
    ", ", "(CASE WHEN n % 100 = 0 THEN 1 ELSE 2 + n % 1999 END)";
    ", n, n, CASE WHEN n % 100000 = 1 THEN 'migrate' WHEN n % 10 < 5 THEN 'power' WHEN n % 10 < 7 THEN 'activate'
                  WHEN n % 10 < 9 THEN 'resize' ELSE 'snapshot' END, '{}', 1,
      CASE WHEN n > $3 THEN (CASE WHEN n % 10 < 6 THEN 'queued' WHEN n % 10 < 8 THEN 'running'
                                  WHEN n % 10 = 8 THEN 'retry_wait' ELSE 'parked' END)
           WHEN n % 1000 = 7 THEN 'failed' WHEN n % 100000 = 9 THEN 'stuck' WHEN n % 200 = 3 THEN 'rolled_back'
           WHEN n % 100 = 5 THEN 'cancelled' ELSE 'succeeded' END, 'none', 'load', $5 - ($4 - n) * 6300,
      CASE WHEN n <= $3 OR n % 10 IN (6, 7) THEN $5 - ($4 - n) * 6300 END,
      CASE WHEN n <= $3 THEN $5 - ($4 - n) * 6300 + 60000 END,
      CASE WHEN n > $3 AND n % 10 IN (6, 7) THEN 'w1' END,
      CASE WHEN n > $3 AND n % 10 IN (6, 7) THEN $5 + 60000 END,
      CASE WHEN n % 1000 = 7 THEN 'timed_out' END,
      CASE WHEN n % 1000 = 7 THEN 'task ' || n || ' has not ended in time' END"
);
const STEPS: &str = "INSERT INTO job_step (job_id, ord, key, state, attempt, started_at, finished_at)
     SELECT job.id, s.ord, 'step_' || s.ord, CASE WHEN s.ord < 3 OR job.state = 'succeeded' THEN 'done'
         WHEN job.state = 'failed' THEN 'failed' WHEN job.state = 'running' THEN 'running' ELSE 'pending' END, 1,
         job.created_at, job.created_at + 1000
     FROM job CROSS JOIN (SELECT 1 AS ord UNION ALL SELECT 2 UNION ALL SELECT 3) AS s
     WHERE job.number > $1 OR job.state = 'failed'";

impl Store {
    /// Fills an empty database.
    pub async fn fill_with_jobs(&self, jobs: i64, now: i64) -> Result<()> {
        for (sql, n) in [(ACCOUNTS, CUSTOMERS), (SERVER_ROWS, SERVERS)] {
            sqlx::query(sql.of(self.is_embedded())).bind(1_i64).bind(n).execute(&self.pool).await?;
        }
        sqlx::query("INSERT INTO context (customer_id) SELECT id FROM account").execute(&self.pool).await?;
        let mut from = 1;
        while from <= jobs {
            sqlx::query(JOBS.of(self.is_embedded()))
                .bind(from)
                .bind(jobs.min(from + CHUNK - 1))
                .bind(jobs - UNDER_WAY)
                .bind(jobs)
                .bind(now)
                .execute(&self.pool)
                .await?;
            from += CHUNK;
        }
        sqlx::query(STEPS).bind(jobs - WITH_STEPS).execute(&self.pool).await?;
        if !self.is_embedded() {
            // What its own housekeeping does in its time.
            sqlx::query("VACUUM ANALYZE").execute(&self.pool).await?;
        }
        Ok(())
    }
}
