//! What was done by hand: by whom, to what, when and why. Written with what it tells of, in one transaction wherever that is
//! a transaction of its own; never changed, never taken away.

use domain::{AccountId, JobId};
use uuid::Uuid;

use crate::{
    db::{Conn, Store},
    error::Result,
    row::Columns,
};

/// What something was done to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject<'s> {
    /// `edge`, `job`, `server`, `customer`, `group`, `catalogue`, `system`.
    pub kind: &'s str,
    pub id: String,
    /// As people know it.
    pub name: String,
}

/// A line of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    pub id: String,
    pub at: i64,
    /// Nobody: the command line.
    pub by: Option<AccountId>,
    pub by_name: Option<String>,
    pub what: String,
    pub subject: String,
    pub subject_id: String,
    pub name: String,
    pub detail: String,
}

/// Which lines are asked for; what is not given does not narrow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    pub by: Option<AccountId>,
    pub what: Option<String>,
    pub subject_id: Option<String>,
    /// Older than this line.
    pub before: Option<String>,
}

macro_rules! lines_where {
    ($narrowed:literal) => {
        concat!(
            "SELECT audit.id, audit.at, audit.account_id, account.name AS by_name, audit.what, audit.subject,
                    audit.subject_id, audit.name, audit.detail
             FROM audit LEFT JOIN account ON account.id = audit.account_id WHERE audit.id < $1 AND ",
            $narrowed,
            " ORDER BY audit.id DESC LIMIT $5"
        )
    };
}

pub(crate) async fn record(
    tx: &mut Conn,
    by: Option<AccountId>,
    what: &str,
    subject: &Subject<'_>,
    detail: &str,
    now: i64,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO audit (id, at, account_id, what, subject, subject_id, name, detail)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(Uuid::now_v7().to_string())
    .bind(now)
    .bind(by.map(|b| b.to_string()))
    .bind(what)
    .bind(subject.kind)
    .bind(&subject.id)
    .bind(&subject.name)
    .bind(detail)
    .execute(tx)
    .await?;
    Ok(())
}

/// The same of a job, which is known by its number.
pub(crate) async fn record_job(
    tx: &mut Conn,
    by: AccountId,
    what: &str,
    job: JobId,
    detail: &str,
    now: i64,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO audit (id, at, account_id, what, subject, subject_id, name, detail)
         SELECT $1, $2, $3, $4, 'job', id, '#' || CAST(number AS TEXT), $5 FROM job WHERE id = $6",
    )
    .bind(Uuid::now_v7().to_string())
    .bind(now)
    .bind(by.to_string())
    .bind(what)
    .bind(detail)
    .bind(job.to_string())
    .execute(tx)
    .await?;
    Ok(())
}

impl Store {
    /// Writes down what was done elsewhere.
    pub async fn audit_add(
        &self,
        by: Option<AccountId>,
        what: &str,
        subject: &Subject<'_>,
        detail: &str,
        now: i64,
    ) -> Result<()> {
        let mut tx = self.write().await?;
        record(&mut tx, by, what, subject, detail, now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Lines, the newest first.
    pub async fn audit(&self, filter: &AuditFilter, limit: i64) -> Result<Vec<AuditLine>> {
        // One statement for each narrowing index; what else is asked is judged on the rows that it finds.
        let sql = match (&filter.subject_id, &filter.by, &filter.what) {
            (Some(_), _, _) => {
                lines_where!("subject_id = $2 AND ($3 = '' OR account_id = $3) AND ($4 = '' OR what = $4)")
            }
            (None, Some(_), _) => lines_where!("$2 = '' AND account_id = $3 AND ($4 = '' OR what = $4)"),
            (None, None, Some(_)) => lines_where!("$2 = '' AND $3 = '' AND what = $4"),
            (None, None, None) => lines_where!("$2 = '' AND $3 = '' AND $4 = ''"),
        };
        let rows = sqlx::query(sql)
            // Above every id of its kind.
            .bind(filter.before.as_deref().unwrap_or("~"))
            .bind(filter.subject_id.as_deref().unwrap_or_default())
            .bind(filter.by.map(|b| b.to_string()).unwrap_or_default())
            .bind(filter.what.as_deref().unwrap_or_default())
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(AuditLine {
                    id: row.text("id")?,
                    at: row.int("at")?,
                    by: row.id_opt("account_id")?,
                    by_name: row.text_opt("by_name")?,
                    what: row.text("what")?,
                    subject: row.text("subject")?,
                    subject_id: row.text("subject_id")?,
                    name: row.text("name")?,
                    detail: row.text("detail")?,
                })
            })
            .collect()
    }
}
