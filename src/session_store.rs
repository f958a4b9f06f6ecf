//! The session store under tower-sessions. Ids are hashed before they reach the database.

use std::collections::HashMap;

use async_trait::async_trait;
use serde_json::Value;
use store::{Store, sessions::SessionFacts};
use tower_sessions::{
    SessionStore,
    cookie::time::OffsetDateTime,
    session::{Id, Record},
    session_store::{Error, Result},
};

#[derive(Clone)]
pub(crate) struct DatabaseSessions(pub(crate) Store);

impl std::fmt::Debug for DatabaseSessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DatabaseSessions")
    }
}

fn key(id: Id) -> [u8; 16] {
    id.0.to_be_bytes()
}

fn ms(time: OffsetDateTime) -> i64 {
    (time.unix_timestamp_nanos() / 1_000_000) as i64
}

/// What its owner sees of a session, out of what it remembers.
fn facts(data: &HashMap<String, Value>) -> SessionFacts<'_> {
    SessionFacts {
        account: data.get(app::request::ACCOUNT).and_then(Value::as_str),
        device: data.get(app::request::DEVICE).and_then(Value::as_str),
        since: data.get(app::request::SINCE).and_then(Value::as_i64),
    }
}

fn backend(e: store::Error) -> Error {
    Error::Backend(e.to_string())
}

impl DatabaseSessions {
    /// Whether a record differs from what is kept by the moment of its extension alone.
    async fn only_extended(&self, record: &Record) -> bool {
        let rest = |data: &HashMap<String, Value>| {
            let mut rest = data.clone();
            rest.remove(app::request::EXTENDED);
            rest
        };
        let before = self.load(&record.id).await.ok().flatten();
        before.is_some_and(|before| rest(&before.data) == rest(&record.data))
    }
}

#[async_trait]
impl SessionStore for DatabaseSessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let data = encode(record)?;
        // An id that is taken would give one browser another's session.
        while !self
            .0
            .session_add(&key(record.id), &data, facts(&record.data), ms(record.expiry_date))
            .await
            .map_err(backend)?
        {
            record.id = Id::default();
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let data = encode(record)?;
        let id = key(record.id);
        let saved = self.0.session_save(&id, &data, facts(&record.data), ms(record.expiry_date)).await;
        match saved {
            // Pages are read from a database that takes no writes, too: a session that does not live longer is no error.
            Err(e) if self.only_extended(record).await => {
                tracing::warn!("a session was not extended: {e}");
                Ok(())
            }
            other => other.map_err(backend),
        }
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let now = ms(OffsetDateTime::now_utc());
        let Some(text) = self.0.session_load(&key(*id), now).await.map_err(backend)? else { return Ok(None) };
        let (expires, data): (i64, HashMap<String, Value>) =
            serde_json::from_str(&text).map_err(|e| Error::Decode(e.to_string()))?;
        let expiry_date = OffsetDateTime::from_unix_timestamp_nanos(i128::from(expires) * 1_000_000)
            .map_err(|e| Error::Decode(e.to_string()))?;
        Ok(Some(Record { id: *id, data, expiry_date }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.0.session_delete(&key(*id)).await.map_err(backend)
    }
}

fn encode(record: &Record) -> Result<String> {
    serde_json::to_string(&(ms(record.expiry_date), &record.data)).map_err(|e| Error::Encode(e.to_string()))
}
