//! Customers as staff see them: who they are, how many servers they have and what is open, and what staff tell each other of
//! them.

use domain::{AccountId, CustomerId};
use uuid::Uuid;

use crate::{db::Store, dialect::Sql, error::Result, interventions::Intervention, row::Columns};

/// A row of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerRow {
    pub id: CustomerId,
    pub email: String,
    pub name: String,
    pub since: i64,
    pub servers: i64,
    /// Operations that are not over; of them, those that have failed.
    pub open: i64,
    pub failed: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub at: i64,
    pub by: AccountId,
    pub by_name: String,
    pub text: String,
}

macro_rules! customers {
    ($position:literal) => {
        concat!(
            "SELECT a.id, a.email, a.name, a.created_at,
                    (SELECT COUNT(*) FROM server WHERE customer_id = a.id AND terminated_at IS NULL) AS servers,
                    (SELECT COUNT(*) FROM job WHERE context_id = a.id AND finished_at IS NULL) AS open,
                    (SELECT COUNT(*) FROM job WHERE context_id = a.id AND finished_at IS NULL
                        AND state IN ('failed', 'stuck')) AS failed
             FROM (SELECT id, email, name, created_at FROM account WHERE role = 'customer' AND email > $1
                   AND ($2 = '' OR ",
            $position,
            "(LOWER(email), $2) > 0 OR ",
            $position,
            "(LOWER(name), $2) > 0) AND ($3 = '' OR id = $3) ORDER BY email LIMIT $4) AS a ORDER BY a.email"
        )
    };
}
const CUSTOMERS: Sql = Sql { sqlite: customers!("INSTR"), postgres: customers!("STRPOS") };

impl Store {
    /// By e-mail, those after one; `part` is of the e-mail or the name, in small letters.
    pub async fn customers(&self, part: &str, after: &str, limit: i64) -> Result<Vec<CustomerRow>> {
        self.customers_where(part, after, None, limit).await
    }

    pub async fn customer(&self, id: CustomerId) -> Result<Option<CustomerRow>> {
        Ok(self.customers_where("", "", Some(id), 1).await?.pop())
    }

    async fn customers_where(
        &self,
        part: &str,
        after: &str,
        id: Option<CustomerId>,
        limit: i64,
    ) -> Result<Vec<CustomerRow>> {
        let rows = sqlx::query(CUSTOMERS.of(self.is_embedded()))
            .bind(after)
            .bind(part)
            .bind(id.map(|id| id.to_string()).unwrap_or_default())
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(CustomerRow {
                    id: row.id("id")?,
                    email: row.text("email")?,
                    name: row.text("name")?,
                    since: row.int("created_at")?,
                    servers: row.int("servers")?,
                    open: row.int("open")?,
                    failed: row.int("failed")?,
                })
            })
            .collect()
    }

    /// What staff have written of a customer, the newest first.
    pub async fn customer_notes(&self, customer: CustomerId, limit: i64) -> Result<Vec<Note>> {
        let rows = sqlx::query(
            "SELECT n.at, n.account_id, n.text, account.name FROM customer_note AS n
             JOIN account ON account.id = n.account_id WHERE n.customer_id = $1 ORDER BY n.id DESC LIMIT $2",
        )
        .bind(customer.to_string())
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Note {
                    at: row.int("at")?,
                    by: row.id("account_id")?,
                    by_name: row.text("name")?,
                    text: row.text("text")?,
                })
            })
            .collect()
    }

    pub async fn customer_note_add(&self, customer: CustomerId, how: Intervention<'_>) -> Result<()> {
        sqlx::query(
            "INSERT INTO customer_note (id, customer_id, account_id, at, text) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(Uuid::now_v7().to_string())
        .bind(customer.to_string())
        .bind(how.by.to_string())
        .bind(how.now)
        .bind(how.why)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
