//! The pool, its settings, and who is told of changes.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use domain::CustomerId;
use sqlx::{
    AnyConnection, AnyPool, Connection, Executor, Row,
    any::{AnyPoolOptions, install_default_drivers},
    migrate::Migrator,
};
use synchronizer::Matrix;
use tokio::sync::{Notify, broadcast};

use crate::{
    error::{Error, Result},
    memory::Memory,
    notify,
    row::Columns,
    seal::Sealer,
    to_its_end::ToItsEnd,
};

pub(crate) type Tx = sqlx::Transaction<'static, sqlx::Any>;
pub(crate) type Conn = AnyConnection;

/// Something was committed: about this customer, or, where that is not known, about anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub customer: Option<CustomerId>,
    /// When it was told, after it was committed: whoever reads later sees it.
    pub told: Instant,
}

impl Change {
    pub(crate) fn now(customer: Option<CustomerId>) -> Self {
        Self { customer, told: Instant::now() }
    }

    /// Whether it may be about this customer.
    pub fn concerns(self, customer: CustomerId) -> bool {
        self.customer.is_none_or(|c| c == customer)
    }
}

/// What a cloud takes without complaining.
const CAP: i64 = 128;
/// More than anybody has use for, and few enough to be looked at together.
const OPEN_JOBS: i64 = 500;

/// How many jobs may be under way at once, on all nodes together.
#[derive(Clone, Debug)]
pub(crate) struct Caps {
    pub(crate) all: i64,
    /// Of those, on one cloud; one that is not named takes as many as there are.
    pub(crate) each: BTreeMap<String, i64>,
}

#[derive(Clone)]
pub struct Store {
    pub(crate) pool: AnyPool,
    pub(crate) sealer: Sealer,
    pub(crate) matrix: &'static Matrix,
    sqlite: bool,
    changes: broadcast::Sender<Change>,
    wake: Arc<Notify>,
    pub(crate) caps: Caps,
    /// Open jobs of one customer.
    pub(crate) open_jobs: i64,
    /// Claims are measured by this process's clock even where the database has one: for tests that hold it.
    pub(crate) own_clock: bool,
    /// An edge may have become free: parked jobs are looked at before the next claim.
    pub(crate) edges_changed: Arc<AtomicBool>,
    /// When somebody looked last no more than one customer had something to start.
    pub(crate) quiet: Arc<AtomicBool>,
    /// What this process knows of contexts from its last turns.
    pub(crate) memory: Arc<Memory>,
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
        let (edges_changed, memory) = (store.edges_changed.clone(), store.memory.clone());
        store.others = Some(notify::start(url.to_owned(), pool, changes, wake, edges_changed, memory));
        Ok(store)
    }

    /// Opens a database that may be in use, to look at it only: nothing is created, brought up to date or written, and
    /// nothing can be. Refused unless its schema is this program's.
    pub async fn open_to_look(url: &str) -> Result<Self> {
        let pool = connect(url, true).await?;
        let sqlite = url.starts_with("sqlite:");
        let row = sqlx::query("SELECT MAX(version) AS version FROM _sqlx_migrations").fetch_one(&pool).await;
        let (has, newest) =
            (row.and_then(|r| r.try_get("version")), MIGRATIONS.iter().map(|m| m.version).max());
        if has.ok() != newest {
            return Err(Error::OtherSchema);
        }
        // Nothing is unsealed by looking.
        Ok(Self::over(pool, Sealer::new(&[0; 32]), sqlite))
    }

    async fn open(url: &str, sealer: Sealer) -> Result<Self> {
        let pool = connect(url, false).await?;
        MIGRATIONS.run(&pool).await?;
        if !url.starts_with("sqlite:") {
            pool.execute(JOB_NUMBERS).await?;
        }
        check_key(&pool, &sealer).await?;
        Ok(Self::over(pool, sealer, url.starts_with("sqlite:")))
    }

    fn over(pool: AnyPool, sealer: Sealer, sqlite: bool) -> Self {
        let (changes, _) = broadcast::channel(1024);
        Self {
            pool,
            sealer,
            matrix: Matrix::shipped(),
            sqlite,
            changes,
            wake: Arc::default(),
            caps: Caps { all: CAP, each: BTreeMap::new() },
            open_jobs: OPEN_JOBS,
            own_clock: false,
            edges_changed: Arc::new(AtomicBool::new(true)),
            quiet: Arc::new(AtomicBool::new(true)),
            memory: Arc::default(),
            others: None,
        }
    }

    /// The same store with another limit of jobs under way at once, on all nodes together.
    #[must_use]
    pub fn with_cap(mut self, cap: u32) -> Self {
        self.caps.all = i64::from(cap.max(1));
        self
    }

    /// The same store with a limit of its own for the jobs of one cloud, on all nodes together.
    #[must_use]
    pub fn with_provider_cap(mut self, provider: &str, cap: u32) -> Self {
        self.caps.each.insert(provider.to_owned(), i64::from(cap.max(1)));
        self
    }

    /// Jobs under way at once, on all nodes together.
    pub fn cap(&self) -> usize {
        self.caps.all as usize
    }

    /// How many unfinished jobs a customer may have.
    pub fn open_limit(&self) -> i64 {
        self.open_jobs
    }

    /// The same store with another limit of open jobs for one customer.
    #[must_use]
    pub fn with_open_jobs(mut self, most: u32) -> Self {
        self.open_jobs = i64::from(most.max(1));
        self
    }

    /// The same store, with claims measured by this process's clock. For tests that hold it.
    #[must_use]
    pub fn with_own_clock(mut self) -> Self {
        self.own_clock = true;
        self
    }

    /// The same store under another matrix. It stays for as long as the process does.
    #[must_use]
    pub fn with_matrix(mut self, matrix: Matrix) -> Self {
        self.matrix = Box::leak(Box::new(matrix));
        self
    }

    /// Makes the database agree with this process's matrix. Another one is taken over only while nobody works under the old:
    /// two nodes with two matrices would let run at once what must not.
    pub async fn matrix_agree(&self, now: i64) -> Result<()> {
        let ours = self.matrix.fingerprint();
        let mut tx = self.write().await?;
        sqlx::query("INSERT INTO setting (name, value) VALUES ('matrix', $1) ON CONFLICT (name) DO NOTHING")
            .bind(&ours)
            .execute(&mut *tx)
            .await?;
        let row = sqlx::query("SELECT value FROM setting WHERE name = 'matrix'").fetch_one(&mut *tx).await?;
        if row.text("value")? == ours {
            tx.commit().await?;
            return Ok(());
        }
        let working = sqlx::query(
            "SELECT COUNT(*) AS n FROM job WHERE state IN ('running', 'rolling_back') AND claim_expires_at > $1",
        );
        if working.bind(now).fetch_one(&mut *tx).await?.int("n")? > 0 {
            return Err(Error::OtherMatrix);
        }
        sqlx::query("UPDATE setting SET value = $1 WHERE name = 'matrix'")
            .bind(&ours)
            .execute(&mut *tx)
            .await?;
        let open =
            sqlx::query("SELECT DISTINCT context_id FROM job WHERE finished_at IS NULL ORDER BY context_id");
        let customers: Vec<CustomerId> =
            open.fetch_all(&mut *tx).await?.iter().map(|r| r.id("context_id")).collect::<Result<_>>()?;
        for customer in customers {
            crate::events::next_version(&mut tx, customer).await?;
            crate::admission::admit(self, &mut tx, customer, now).await?;
        }
        tx.commit().await?;
        self.tell_all();
        Ok(())
    }

    /// One process owns the database: nobody else can hold a claim in it.
    pub fn is_embedded(&self) -> bool {
        self.sqlite
    }

    /// A transaction that will write. On SQLite it takes the write lock at once, so that it cannot fail halfway.
    pub(crate) async fn write(&self) -> Result<Tx> {
        let (pool, sqlite) = (self.pool.clone(), self.sqlite);
        let begin =
            async move { if sqlite { pool.begin_with("BEGIN IMMEDIATE").await } else { pool.begin().await } };
        Ok(ToItsEnd::new(begin).await?)
    }

    /// Commits, then tells whoever waits: workers, and pages that show this customer.
    pub(crate) async fn commit(&self, tx: Tx, customer: CustomerId) -> Result<()> {
        tx.commit().await?;
        self.tell(&[customer], true);
        Ok(())
    }

    /// Ends a transaction that is not to be committed. Workers pass over a context whose lock is held and rely on being told when
    /// it is let go: they are, also by one that has changed nothing.
    pub(crate) async fn give_up(&self, tx: Tx) -> Result<()> {
        tx.rollback().await?;
        self.tell_all();
        Ok(())
    }

    /// Tells pages that something was committed about these customers, and with `wake` workers that there may be work.
    pub(crate) fn tell(&self, customers: &[CustomerId], wake: bool) {
        if wake {
            self.wake.notify_one();
        }
        for customer in customers {
            // Nobody listening is fine: pages that open later read the new state.
            let _ = self.changes.send(Change::now(Some(*customer)));
            if let Some(others) = &self.others {
                let _ = others.send(*customer);
            }
        }
    }

    /// Tells everybody that there may be work, whoever's it is.
    pub(crate) fn tell_all(&self) {
        self.wake.notify_one();
        if let Some(others) = &self.others {
            let _ = others.send(CustomerId(uuid::Uuid::nil()));
        }
    }

    /// Tells whoever looks at all customers that something was committed that is nobody's: of the pool, or of the system.
    pub(crate) fn tell_staff(&self) {
        self.tell(&[CustomerId(uuid::Uuid::nil())], false);
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

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");

/// What only PostgreSQL has, and no migration for both can make: the numbers of jobs, from where they were counted in a row.
/// Nodes may be starting together.
const JOB_NUMBERS: &str = "DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('slipway job_number'));
    IF to_regclass('job_number') IS NULL THEN
        CREATE SEQUENCE job_number;
        PERFORM setval('job_number', GREATEST(
            (SELECT value FROM counter WHERE name = 'job_number'), (SELECT MAX(number) FROM job)));
    END IF;
END $$";

/// A connection that was given back so lately is taken to stand.
const IDLE_TRUSTED: Duration = Duration::from_secs(1);

async fn connect(url: &str, to_look: bool) -> Result<AnyPool> {
    install_default_drivers();
    let settings = match (url.starts_with("sqlite:"), to_look) {
        // FULL: an accepted order survives a power cut.
        (true, false) => {
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 10000;"
        }
        (true, true) => "PRAGMA busy_timeout = 10000; PRAGMA query_only = ON;",
        // Statements are few and look rows up by their keys: planning each anew costs more than it saves. And a node that stands still
        // inside a transaction loses it, as it loses its claims: else it would keep its customers' rows from all others.
        (false, false) => {
            "SET plan_cache_mode = force_generic_plan; SET jit = off; SET idle_in_transaction_session_timeout = '8s';"
        }
        (false, true) => "SET default_transaction_read_only = on;",
    };
    let options = AnyPoolOptions::new().max_connections(8).acquire_timeout(Duration::from_secs(10));
    // A round trip before every use would cost as much as the use; one that was idle is asked whether it still stands.
    let options = options.test_before_acquire(false).before_acquire(|conn, meta| {
        Box::pin(async move {
            if meta.idle_for > IDLE_TRUSTED {
                conn.ping().await?;
            }
            Ok(true)
        })
    });
    let options = options.after_connect(move |conn, _| {
        Box::pin(async move {
            conn.execute(settings).await?;
            Ok(())
        })
    });
    Ok(options.connect(url).await?)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Else a statement with a bound limit is compiled anew whenever it is run (`.cargo/config.toml`).
    #[tokio::test]
    async fn the_plans_of_sqlite_are_stable() {
        let folder = tempfile::tempdir().unwrap();
        let sealer = Sealer::from_file(&folder.path().join("key")).unwrap();
        let store = Store::open_sqlite(&folder.path().join("slipway.db"), sealer).await.unwrap();
        let options = sqlx::query("PRAGMA compile_options").fetch_all(&store.pool).await.unwrap();
        let options: Vec<String> = options.iter().map(|o| o.text("compile_options").unwrap()).collect();
        assert!(options.iter().any(|o| o == "ENABLE_QPSG"), "{options:?}");
    }
}
