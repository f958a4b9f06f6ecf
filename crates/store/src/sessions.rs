//! Browser sessions. The key is a hash: a stolen database opens no session.

use domain::AccountId;
use sha2::{Digest, Sha256};

use crate::{db::Store, error::Result, row::Columns};

/// What a session is known by here, and to its owner.
pub fn session_key(id: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(Sha256::digest(id))
}

/// What is kept of a session besides its data.
#[derive(Clone, Copy, Debug, Default)]
pub struct SessionFacts<'a> {
    /// Whose it is, once somebody has signed in.
    pub account: Option<&'a str>,
    /// What it was opened with.
    pub device: Option<&'a str>,
    /// When it was signed in, ms.
    pub since: Option<i64>,
}

/// A session as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenSession {
    pub key: String,
    pub device: String,
    pub since: i64,
    pub expires_at: i64,
}

impl Store {
    /// Adds a session. Returns whether the id was new.
    pub async fn session_add(
        &self,
        id: &[u8],
        data: &str,
        facts: SessionFacts<'_>,
        expires_at: i64,
    ) -> Result<bool> {
        let done = sqlx::query(
            "INSERT INTO session (id_hash, data, expires_at, account_id, device, since) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (id_hash) DO NOTHING",
        )
        .bind(session_key(id))
        .bind(data)
        .bind(expires_at)
        .bind(facts.account)
        .bind(facts.device)
        .bind(facts.since)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Writes a session that is there. One that was ended meanwhile stays ended.
    pub async fn session_save(
        &self,
        id: &[u8],
        data: &str,
        facts: SessionFacts<'_>,
        expires_at: i64,
    ) -> Result<()> {
        sqlx::query(
            "UPDATE session SET data = $2, expires_at = $3, account_id = $4, device = $5, since = $6 WHERE id_hash = $1",
        )
        .bind(session_key(id))
        .bind(data)
        .bind(expires_at)
        .bind(facts.account)
        .bind(facts.device)
        .bind(facts.since)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The data of a session that has not expired.
    pub async fn session_load(&self, id: &[u8], now: i64) -> Result<Option<String>> {
        let row = sqlx::query("SELECT data FROM session WHERE id_hash = $1 AND expires_at > $2")
            .bind(session_key(id))
            .bind(now)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|r| r.text("data")).transpose()
    }

    pub async fn session_delete(&self, id: &[u8]) -> Result<()> {
        sqlx::query("DELETE FROM session WHERE id_hash = $1")
            .bind(session_key(id))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The open sessions of an account, newest first.
    pub async fn sessions_of(&self, account: AccountId, now: i64) -> Result<Vec<OpenSession>> {
        let rows = sqlx::query(
            "SELECT id_hash, device, since, expires_at FROM session
             WHERE account_id = $1 AND expires_at > $2 ORDER BY since DESC LIMIT 100",
        )
        .bind(account.to_string())
        .bind(now)
        .fetch_all(&self.pool)
        .await?;
        let open = |r: &sqlx::any::AnyRow| {
            Ok(OpenSession {
                key: r.text("id_hash")?,
                device: r.text_opt("device")?.unwrap_or_default(),
                since: r.int_opt("since")?.unwrap_or_default(),
                expires_at: r.int("expires_at")?,
            })
        };
        rows.iter().map(open).collect()
    }

    /// Ends one of an account's sessions. Returns whether it was there.
    pub async fn session_revoke(&self, account: AccountId, key: &str) -> Result<bool> {
        let done = sqlx::query("DELETE FROM session WHERE id_hash = $1 AND account_id = $2")
            .bind(key)
            .bind(account.to_string())
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Ends all of an account's sessions but this one. Returns how many there were.
    pub async fn sessions_revoke_others(&self, account: AccountId, keep: &str) -> Result<u64> {
        let done = sqlx::query("DELETE FROM session WHERE account_id = $1 AND id_hash <> $2")
            .bind(account.to_string())
            .bind(keep)
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected())
    }

    pub async fn sessions_purge(&self, now: i64) -> Result<u64> {
        let done =
            sqlx::query("DELETE FROM session WHERE expires_at <= $1").bind(now).execute(&self.pool).await?;
        Ok(done.rows_affected())
    }
}
