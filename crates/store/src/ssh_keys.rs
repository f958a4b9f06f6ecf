//! The keys that an account keeps for the servers that it orders.

use domain::AccountId;
use uuid::Uuid;

use crate::{db::Store, error::Result, row::Columns};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedKey {
    pub id: Uuid,
    pub name: String,
    /// As it goes into `authorized_keys`.
    pub line: String,
    /// `SHA256:…`
    pub fingerprint: String,
    /// New orders begin with it.
    pub preset: bool,
    pub created_at: i64,
}

impl Store {
    /// Keeps a key. Returns whether it was not there yet and fewer than `most` were.
    pub async fn ssh_key_add(&self, account: AccountId, key: &SavedKey, most: i64) -> Result<bool> {
        let done = sqlx::query(
            "INSERT INTO ssh_key (id, account_id, name, line, fingerprint, preset, created_at)
             SELECT $1, $2, $3, $4, $5, $6, $7
             WHERE (SELECT COUNT(*) FROM ssh_key WHERE account_id = $2) < $8
             ON CONFLICT (account_id, fingerprint) DO NOTHING",
        )
        .bind(key.id.to_string())
        .bind(account.to_string())
        .bind(&key.name)
        .bind(&key.line)
        .bind(&key.fingerprint)
        .bind(i64::from(key.preset))
        .bind(key.created_at)
        .bind(most)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// An account's keys, oldest first.
    pub async fn ssh_keys(&self, account: AccountId) -> Result<Vec<SavedKey>> {
        let rows = sqlx::query(
            "SELECT id, name, line, fingerprint, preset, created_at FROM ssh_key WHERE account_id = $1
             ORDER BY created_at, id",
        );
        let rows = rows.bind(account.to_string()).fetch_all(&self.pool).await?;
        let key = |r: &sqlx::any::AnyRow| {
            Ok(SavedKey {
                id: r.id("id")?,
                name: r.text("name")?,
                line: r.text("line")?,
                fingerprint: r.text("fingerprint")?,
                preset: r.int("preset")? == 1,
                created_at: r.int("created_at")?,
            })
        };
        rows.iter().map(key).collect()
    }

    pub async fn ssh_key_remove(&self, account: AccountId, key: Uuid) -> Result<bool> {
        let done = sqlx::query("DELETE FROM ssh_key WHERE id = $1 AND account_id = $2");
        let done = done.bind(key.to_string()).bind(account.to_string()).execute(&self.pool).await?;
        Ok(done.rows_affected() == 1)
    }

    /// New orders begin with it from now on, or no more.
    pub async fn ssh_key_preset(&self, account: AccountId, key: Uuid, preset: bool) -> Result<bool> {
        let done = sqlx::query("UPDATE ssh_key SET preset = $1 WHERE id = $2 AND account_id = $3")
            .bind(i64::from(preset))
            .bind(key.to_string())
            .bind(account.to_string())
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}
