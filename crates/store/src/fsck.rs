//! Checks a database against what must always hold: for tests after every schedule, and for operators.
//!
//! It only reads. A finding is a mistake of ours or a row that somebody changed by hand; none is expected, ever.

use std::collections::BTreeMap;

use domain::{CustomerId, JobId};
use synchronizer::{Entry, Phase};

use crate::{admission, db::Store, error::Result, row::Columns};

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule that is broken, by its name in the contract.
    pub rule: &'static str,
    /// Where, for people.
    pub what: String,
}

/// A rule that one query finds the breaches of: each row has a text `what`.
struct Rule {
    name: &'static str,
    breaches: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        name: "an edge carries one server",
        breaches: "SELECT 'server ' || server_id || ' stands on ' || COUNT(*) || ' edges' AS what FROM edge
                   WHERE server_id IS NOT NULL GROUP BY server_id HAVING COUNT(*) > 1",
    },
    Rule {
        name: "an edge belongs to a server that exists",
        breaches: "SELECT 'edge ' || edge.name || ' is ' || edge.state || ' for a server that has ended' AS what
                   FROM edge JOIN server ON server.id = edge.server_id
                   WHERE server.terminated_at IS NOT NULL AND edge.held IS NULL AND edge.state <> 'quarantined'",
    },
    Rule {
        name: "a job that succeeded did every step",
        breaches: "SELECT 'job ' || job.number || ' succeeded without ' || job_step.key AS what
                   FROM job JOIN job_step ON job_step.job_id = job.id
                   WHERE job.state = 'succeeded' AND job_step.state NOT IN ('done', 'skipped')",
    },
    Rule {
        name: "a job that was taken back left nothing",
        breaches: "SELECT 'job ' || job.number || ' was taken back but for ' || job_step.key AS what
                   FROM job JOIN job_step ON job_step.job_id = job.id
                   WHERE job.state = 'rolled_back' AND job_step.state NOT IN ('pending', 'undone', 'skipped')",
    },
    Rule {
        name: "what is over has an end, and what is not has none",
        breaches: "SELECT 'job ' || number || ' is ' || state AS what FROM job
                   WHERE (state IN ('succeeded', 'cancelled', 'rolled_back')) <> (finished_at IS NOT NULL)
                     AND state <> 'failed'",
    },
    Rule {
        name: "a running job has a claim",
        breaches: "SELECT 'job ' || number || ' is ' || state || ' for nobody' AS what FROM job
                   WHERE state IN ('running', 'rolling_back') AND (claim_owner IS NULL OR claim_expires_at IS NULL)",
    },
    Rule {
        name: "an edge that is being left is being changed",
        breaches: "SELECT 'edge ' || edge.name || ' is left by a server that nothing is done to' AS what FROM edge
                   WHERE edge.leaving_id IS NOT NULL AND NOT EXISTS (
                       SELECT 1 FROM job WHERE job.server_id = edge.leaving_id AND job.kind = 'change_edge'
                           AND job.finished_at IS NULL)",
    },
    Rule {
        name: "a parked job holds no edge",
        breaches: "SELECT 'job ' || job.number || ' is parked and has ' || edge.name AS what
                   FROM job JOIN edge ON edge.server_id = job.server_id WHERE job.state = 'parked'",
    },
    Rule {
        name: "nothing is sealed for a server that has ended",
        breaches: "SELECT 'server ' || secret.server_id || ' still has a secret' AS what
                   FROM secret JOIN server ON server.id = secret.server_id WHERE server.terminated_at IS NOT NULL",
    },
    Rule {
        name: "no event has a version that its context has not reached",
        breaches: "SELECT 'customer ' || job_event.context_id || ' has event ' || MAX(job_event.version) AS what
                   FROM job_event JOIN context ON context.customer_id = job_event.context_id
                   GROUP BY job_event.context_id, context.version HAVING MAX(job_event.version) > context.version",
    },
    Rule {
        name: "a job that needs another does not run before it has succeeded",
        breaches: "SELECT 'job ' || job.number || ' runs before job ' || need.number AS what
                   FROM job JOIN job AS need ON need.id = job.needs_job_id
                   WHERE job.state IN ('running', 'retry_wait', 'succeeded') AND need.state <> 'succeeded'",
    },
];

impl Store {
    /// Everything that is not as it must be.
    pub async fn fsck(&self) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for rule in RULES {
            for row in sqlx::query(rule.breaches).fetch_all(&self.pool).await? {
                findings.push(Finding { rule: rule.name, what: row.text("what")? });
            }
        }
        findings.extend(self.exclusion().await?);
        Ok(findings)
    }

    /// Conflicting jobs of one customer that are under way at once.
    async fn exclusion(&self) -> Result<Vec<Finding>> {
        let rows = sqlx::query(
            "SELECT context_id, id, number FROM job WHERE state IN ('running', 'retry_wait', 'rolling_back')",
        )
        .fetch_all(&self.pool)
        .await?;
        let mut numbers = BTreeMap::new();
        let mut customers: Vec<CustomerId> = Vec::new();
        for row in &rows {
            numbers.insert(row.id::<JobId>("id")?.0.as_u128(), row.int("number")?);
            customers.push(row.id("context_id")?);
        }
        customers.sort();
        customers.dedup();
        let mut findings = Vec::new();
        for customer in customers {
            let mut conn = self.pool.acquire().await?;
            let jobs = admission::standing(self, &mut conn, &[customer]).await?;
            let entries: Vec<Entry> = jobs.iter().map(|s| s.entry).collect();
            let started: Vec<&Entry> = entries.iter().filter(|e| e.phase == Phase::Started).collect();
            for (i, a) in started.iter().enumerate() {
                for b in &started[..i] {
                    if synchronizer::conflict(self.matrix, a, b) {
                        let number = |e: &Entry| numbers.get(&e.key).copied().unwrap_or_default();
                        let what =
                            format!("jobs {} and {} of one customer run at once", number(b), number(a));
                        findings.push(Finding { rule: "conflicting jobs never run at once", what });
                    }
                }
            }
        }
        Ok(findings)
    }
}
