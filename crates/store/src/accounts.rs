//! Who can sign in.

use domain::{AccountId, state::Role};

use crate::{db::Store, error::Result, row::Columns};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    pub email: String,
    pub name: String,
    pub role: Role,
}

impl Store {
    /// Adds an account unless its e-mail is taken. Returns whether it was added.
    pub async fn account_add(&self, account: &Account, password_hash: &str, now: i64) -> Result<bool> {
        let done = sqlx::query(
            "INSERT INTO account (id, email, name, role, password_hash, created_at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (email) DO NOTHING",
        )
        .bind(account.id.to_string())
        .bind(account.email.to_lowercase())
        .bind(&account.name)
        .bind(account.role.as_str())
        .bind(password_hash)
        .bind(now)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// The account of an e-mail, with its password hash.
    pub async fn account_by_email(&self, email: &str) -> Result<Option<(Account, String)>> {
        let row = sqlx::query("SELECT id, email, name, role, password_hash FROM account WHERE email = $1")
            .bind(email.trim().to_lowercase())
            .fetch_optional(&self.pool)
            .await?;
        row.map(|r| Ok((account(&r)?, r.text("password_hash")?))).transpose()
    }

    /// Another name: how the account is spoken to.
    pub async fn account_rename(&self, id: AccountId, name: &str) -> Result<()> {
        let done = sqlx::query("UPDATE account SET name = $1 WHERE id = $2");
        done.bind(name).bind(id.to_string()).execute(&self.pool).await?;
        Ok(())
    }

    pub async fn account_password(&self, id: AccountId, password_hash: &str) -> Result<()> {
        let done = sqlx::query("UPDATE account SET password_hash = $1 WHERE id = $2");
        done.bind(password_hash).bind(id.to_string()).execute(&self.pool).await?;
        Ok(())
    }

    pub async fn account(&self, id: AccountId) -> Result<Option<Account>> {
        let row = sqlx::query("SELECT id, email, name, role FROM account WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(account).transpose()
    }
}

fn account(row: &sqlx::any::AnyRow) -> Result<Account> {
    Ok(Account {
        id: row.id("id")?,
        email: row.text("email")?,
        name: row.text("name")?,
        role: row.word("role")?,
    })
}
