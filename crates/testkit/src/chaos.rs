//! A proxy in front of PostgreSQL that cuts what goes through it: all of it at once, or one COMMIT, before the server gets
//! it or after the server has carried it out and before its answer is passed on. Or from a COMMIT on nothing passes, and
//! nothing is cut either, as where a node stands still.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// What happens to the COMMIT that is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The server never sees it.
    Before,
    /// The server has carried it out; nobody is told.
    After,
    /// It and everything after it waits, on every connection, until [`Proxy::go_on`]. Only one that ends a transaction.
    Still,
}

struct Shared {
    server: String,
    /// How many COMMITs still pass before the one that is cut; below zero none is.
    countdown: AtomicI64,
    cut: Mutex<Cut>,
    /// The answer to each statement is held back for so long, ms.
    slow: AtomicU64,
    /// Counts the moments at which every connection is cut.
    moment: watch::Sender<u64>,
    /// Nothing passes.
    still: watch::Sender<bool>,
}

/// Lives as long as its process.
#[derive(Clone)]
pub struct Proxy {
    shared: Arc<Shared>,
    address: SocketAddr,
}

/// What a message that has a statement carried out begins with: its values, or all of it as text.
const BIND: u8 = b'B';
const QUERY: u8 = b'Q';
/// As simple queries have them on the wire.
const BEGIN: &[u8] = b"BEGIN\0";
const COMMIT: &[u8] = b"COMMIT\0";
/// In the log of a worker's turn. Outside a transaction the statement that writes it commits by itself.
const TURN: [&[u8]; 2] = [b"step_started", b"step_done"];

impl Proxy {
    /// In front of the server of this address.
    pub async fn start(database: &str) -> Self {
        let rest = database.split_once('@').expect("an address with a user").1;
        let server = rest.split('/').next().expect("an address with a host").to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            server,
            countdown: AtomicI64::new(-1),
            cut: Mutex::new(Cut::Before),
            slow: AtomicU64::new(0),
            moment: watch::channel(0).0,
            still: watch::channel(false).0,
        });
        let serves = shared.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(serves.clone(), client));
            }
        });
        Self { shared, address }
    }

    /// The same database, through the proxy.
    pub fn over(&self, database: &str) -> String {
        database.replace(&self.shared.server, &self.address.to_string())
    }

    /// Cuts the n-th COMMIT from now, or statement that is one by itself, 0 being the next.
    pub fn cut_commit(&self, n: u32, cut: Cut) {
        *self.shared.cut.lock().unwrap() = cut;
        self.shared.countdown.store(i64::from(n), Ordering::SeqCst);
    }

    /// Whether the COMMIT that was to be cut has been.
    pub fn has_cut(&self) -> bool {
        self.shared.countdown.load(Ordering::SeqCst) < 0
    }

    /// From now on each statement is answered so much later. Asking whether a connection stands, or for a plan, is none.
    pub fn slow(&self, by: Duration) {
        self.shared.slow.store(by.as_millis() as u64, Ordering::SeqCst);
    }

    /// Whether nothing passes.
    pub fn is_still(&self) -> bool {
        *self.shared.still.borrow()
    }

    /// What has waited passes.
    pub fn go_on(&self) {
        self.shared.still.send_replace(false);
    }

    /// Cuts every connection now.
    pub fn cut_all(&self) {
        self.shared.moment.send_modify(|n| *n += 1);
    }
}

async fn pass(shared: Arc<Shared>, mut client: TcpStream) {
    let Ok(mut server) = TcpStream::connect(&shared.server).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (mut cuts, mut still) = (shared.moment.subscribe(), shared.still.subscribe());
    let (mut asked, mut answered) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    // Set while the answer to the chosen COMMIT is on its way.
    let mut swallow = false;
    let mut in_transaction = false;
    // Set while a statement is under way.
    let mut executes = false;
    loop {
        if !goes_on(&mut still, &mut cuts).await {
            return;
        }
        tokio::select! {
            _ = cuts.changed() => return,
            _ = still.changed() => {}
            read = client.read(&mut asked) => {
                let Ok(n @ 1..) = read else { return };
                executes |= matches!(asked[0], BIND | QUERY);
                let has = |what: &[u8]| asked[..n].windows(what.len()).any(|w| w == what);
                let cut = *shared.cut.lock().unwrap();
                let by_itself = cut != Cut::Still && !in_transaction && TURN.iter().any(|word| has(word));
                let commits = has(COMMIT) || by_itself;
                in_transaction = (in_transaction || has(BEGIN)) && !commits;
                if commits && shared.countdown.fetch_sub(1, Ordering::SeqCst) == 0 {
                    match cut {
                        Cut::Before => return,
                        Cut::After => swallow = true,
                        Cut::Still => {
                            shared.still.send_replace(true);
                            if !goes_on(&mut still, &mut cuts).await {
                                return;
                            }
                        }
                    }
                }
                if server.write_all(&asked[..n]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(n @ 1..) = read else { return };
                // Only where an answer begins: a long one comes in several reads.
                let slow = if std::mem::take(&mut executes) { shared.slow.load(Ordering::SeqCst) } else { 0 };
                if slow > 0 {
                    tokio::select! {
                        _ = cuts.changed() => return,
                        () = tokio::time::sleep(Duration::from_millis(slow)) => {}
                    }
                }
                if swallow || client.write_all(&answered[..n]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Waits while nothing is to pass. Whether the connection stands after that.
async fn goes_on(still: &mut watch::Receiver<bool>, cuts: &mut watch::Receiver<u64>) -> bool {
    tokio::select! {
        _ = cuts.changed() => false,
        gone = still.wait_for(|still| !still) => gone.is_ok(),
    }
}
