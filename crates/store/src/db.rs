//! The pool, its settings, and who is told of changes.

use std::{path::Path, sync::Arc, time::Duration};

use domain::CustomerId;
use sqlx::{
    AnyConnection, AnyPool, Executor,
    any::{AnyPoolOptions, install_default_drivers},
};
use synchronizer::Matrix;
use tokio::sync::{Notify, broadcast};

use crate::{
    error::{Error, Result},
    notify,
    row::Columns,
    seal::Sealer,
};

pub(crate) type Tx = sqlx::Transaction<'static, sqlx::Any>;
pub(crate) type Conn = AnyConnection;

/// Something was committed: about this customer, or, where that is not known, about anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub customer: Option<CustomerId>,
}

impl Change {
    /// Whether it may be about this customer.
    pub fn concerns(self, customer: CustomerId) -> bool {
        self.customer.is_none_or(|c| c == customer)
    }
}

/// What a cloud takes without complaining.
const CAP: i64 = 64;

#[derive(Clone)]
pub struct Store {
    pub(crate) pool: AnyPool,
    pub(crate) sealer: Sealer,
    pub(crate) matrix: &'static Matrix,
    sqlite: bool,
    changes: broadcast::Sender<Change>,
    wake: Arc<Notify>,
    /// Jobs under way at once, on all nodes together.
    pub(crate) cap: i64,
    /// The other nodes, where there may be some.
    others: Option<notify::Sender>,
}

impl Store {
    /// Opens a SQLite file, creating it if need be, and brings it up to date.
    pub async fn open_sqlite(file: &Path, sealer: Sealer) -> Result<Self> {
        Self::open(&format!("sqlite://{}?mode=rwc", file.display()), sealer).await
    }

    /// Opens a PostgreSQL database, which other nodes may be using too, and brings it up to date.
    pub async fn open_postgres(url: &str, sealer: Sealer) -> Result<Self> {
        let mut store = Self::open(url, sealer).await?;
        let (pool, changes, wake) = (store.pool.clone(), store.changes.clone(), store.wake.clone());
        store.others = Some(notify::start(url.to_owned(), pool, changes, wake));
        Ok(store)
    }

    async fn open(url: &str, sealer: Sealer) -> Result<Self> {
        install_default_drivers();
        let sqlite = url.starts_with("sqlite:");
        let pool = AnyPoolOptions::new()
            .max_connections(8)
            .acquire_timeout(Duration::from_secs(10))
            .after_connect(move |conn, _| {
                Box::pin(async move {
                    if sqlite {
                        // FULL: an accepted order survives a power cut.
                        conn.execute(
                            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
                             PRAGMA busy_timeout = 10000;",
                        )
                        .await?;
                    }
                    Ok(())
                })
            })
            .connect(url)
            .await?;
        sqlx::migrate!("../../migrations").run(&pool).await?;
        check_key(&pool, &sealer).await?;
        let (changes, _) = broadcast::channel(1024);
        Ok(Self {
            pool,
            sealer,
            matrix: Matrix::shipped(),
            sqlite,
            changes,
            wake: Arc::default(),
            cap: CAP,
            others: None,
        })
    }

    /// The same store with another limit of jobs under way at once, on all nodes together.
    #[must_use]
    pub fn with_cap(mut self, cap: u32) -> Self {
        self.cap = i64::from(cap.max(1));
        self
    }

    /// The same store under another matrix. It stays for as long as the process does.
    #[must_use]
    pub fn with_matrix(mut self, matrix: Matrix) -> Self {
        self.matrix = Box::leak(Box::new(matrix));
        self
    }

    /// One process owns the database: nobody else can hold a claim in it.
    pub fn is_embedded(&self) -> bool {
        self.sqlite
    }

    /// A transaction that will write. On SQLite it takes the write lock at once, so that it cannot fail halfway.
    pub(crate) async fn write(&self) -> Result<Tx> {
        Ok(if self.sqlite {
            self.pool.begin_with("BEGIN IMMEDIATE").await?
        } else {
            self.pool.begin().await?
        })
    }

    /// Commits, then tells whoever waits: workers, and pages that show this customer.
    pub(crate) async fn commit(&self, tx: Tx, customer: CustomerId) -> Result<()> {
        tx.commit().await?;
        self.wake.notify_one();
        // Nobody listening is fine: pages that open later read the new state.
        let _ = self.changes.send(Change { customer: Some(customer) });
        if let Some(others) = &self.others {
            let _ = others.send(customer);
        }
        Ok(())
    }

    /// Changes as they are committed. A slow reader is told that it missed some, and reads the state anew.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// Notified after each commit that may have made a job runnable.
    pub fn wake(&self) -> Arc<Notify> {
        self.wake.clone()
    }

    pub fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// Answers once the database does.
    pub async fn ping(&self) -> Result<()> {
        self.pool.execute("SELECT 1").await?;
        Ok(())
    }
}

/// The first key a database is opened with is its key. With another one nothing would open, and what is sealed anew would
/// open nowhere else.
async fn check_key(pool: &AnyPool, sealer: &Sealer) -> Result<()> {
    sqlx::query("INSERT INTO setting (name, value) VALUES ('key', $1) ON CONFLICT (name) DO NOTHING")
        .bind(sealer.fingerprint())
        .execute(pool)
        .await?;
    let row = sqlx::query("SELECT value FROM setting WHERE name = 'key'").fetch_one(pool).await?;
    if row.text("value")? == sealer.fingerprint() { Ok(()) } else { Err(Error::WrongKey) }
}
