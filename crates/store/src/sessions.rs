//! Browser sessions. The key is a hash: a stolen database opens no session.

use sha2::{Digest, Sha256};

use crate::{db::Store, error::Result, row::Columns};

fn hash(id: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(Sha256::digest(id))
}

impl Store {
    /// Adds a session. Returns whether the id was new.
    pub async fn session_add(&self, id: &[u8], data: &str, expires_at: i64) -> Result<bool> {
        let done = sqlx::query(
            "INSERT INTO session (id_hash, data, expires_at) VALUES ($1, $2, $3) ON CONFLICT (id_hash) DO NOTHING",
        )
        .bind(hash(id))
        .bind(data)
        .bind(expires_at)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    pub async fn session_save(&self, id: &[u8], data: &str, expires_at: i64) -> Result<()> {
        sqlx::query(
            "INSERT INTO session (id_hash, data, expires_at) VALUES ($1, $2, $3)
             ON CONFLICT (id_hash) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at",
        )
        .bind(hash(id))
        .bind(data)
        .bind(expires_at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The data of a session that has not expired.
    pub async fn session_load(&self, id: &[u8], now: i64) -> Result<Option<String>> {
        let row = sqlx::query("SELECT data FROM session WHERE id_hash = $1 AND expires_at > $2")
            .bind(hash(id))
            .bind(now)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|r| r.text("data")).transpose()
    }

    pub async fn session_delete(&self, id: &[u8]) -> Result<()> {
        sqlx::query("DELETE FROM session WHERE id_hash = $1").bind(hash(id)).execute(&self.pool).await?;
        Ok(())
    }

    pub async fn sessions_purge(&self, now: i64) -> Result<u64> {
        let done =
            sqlx::query("DELETE FROM session WHERE expires_at <= $1").bind(now).execute(&self.pool).await?;
        Ok(done.rows_affected())
    }
}
