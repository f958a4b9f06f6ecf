//! A real PostgreSQL for tests: the server named by `TEST_DATABASE_URL`, or a throw-away one from the installed programs.
//!
//! The throw-away server belongs to the process that started it and ends with it, however that ends: it waits on a pipe
//! that closes. Nothing it holds survives, so it does not wait for disks, and keeps little of its log.

use std::{
    fs, io,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use uuid::Uuid;

/// An empty database of its own. Returns its address.
pub async fn database() -> String {
    let server = tokio::task::spawn_blocking(server).await.expect("no server");
    database_on(&server).await
}

/// An empty database on this server.
pub async fn database_on(server: &str) -> String {
    let server = server.to_owned();
    let made = tokio::task::spawn_blocking(move || {
        let name = format!("t{}", Uuid::new_v4().simple());
        let createdb = programs().map_or_else(|| PathBuf::from("createdb"), |p| p.join("createdb"));
        run(Command::new(createdb).arg(format!("--maintenance-db={server}")).arg(&name))
            .unwrap_or_else(|e| panic!("no database could be made: {e}"));
        let (base, _) = server.rsplit_once('/').expect("an address with a database");
        format!("{base}/{name}")
    });
    made.await.expect("no database")
}

/// Drops a database that [`database`] made. For tests that make hundreds: each takes 8 MB until the server ends.
pub async fn drop_database(address: &str) {
    let (server, name) = address.rsplit_once('/').expect("an address with a database");
    let (server, name) = (format!("{server}/postgres"), name.to_owned());
    let dropped = tokio::task::spawn_blocking(move || {
        let dropdb = programs().map_or_else(|| PathBuf::from("dropdb"), |p| p.join("dropdb"));
        let mut command = Command::new(dropdb);
        run(command.arg("--force").arg(format!("--maintenance-db={server}")).arg(name))
    });
    dropped.await.expect("not waited for").unwrap_or_else(|e| panic!("the database stays: {e}"));
}

/// The address of a server, with a database to begin at.
fn server() -> String {
    static SERVER: OnceLock<String> = OnceLock::new();
    SERVER
        .get_or_init(|| match std::env::var("TEST_DATABASE_URL") {
            Ok(url) => url,
            Err(_) => throw_away().unwrap_or_else(|e| panic!("{e}")),
        })
        .clone()
}

const MISSING: &str = "the tests need PostgreSQL: apt install postgresql, or set TEST_DATABASE_URL to a server where \
                       databases may be made";

fn throw_away() -> io::Result<String> {
    // Held until the process ends: its input is what the server waits on.
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    let cluster = Cluster::start()?;
    let address = cluster.address.clone();
    let _ = CLUSTER.set(cluster);
    Ok(address)
}

/// A throw-away server of one's own, which may be broken. It ends with this.
pub struct Cluster {
    pub address: String,
    dir: PathBuf,
    port: u16,
    /// Its input is what the server waits on.
    _child: Child,
}

impl Cluster {
    pub fn start() -> io::Result<Self> {
        let programs = programs().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, MISSING))?;
        let dir = std::env::temp_dir().join(format!("slipway-pg-{}", Uuid::new_v4().simple()));
        fs::create_dir(&dir)?;
        let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        // `cat` ends when this process does, and the server with it.
        let script = format!(
            "cd '{dir}' && '{bin}/initdb' -D '{dir}/data' -A trust -U slipway -E UTF8 --no-sync >log 2>&1 && \
             '{bin}/pg_ctl' -D '{dir}/data' -l '{dir}/log' -w -o \"-p {port} -k '{dir}' -c listen_addresses=127.0.0.1 -c fsync=off \
             -c full_page_writes=off -c max_connections=300 -c min_wal_size=32MB -c max_wal_size=128MB\" start >>log 2>&1; \
             cat >/dev/null; '{bin}/pg_ctl' -D data -m immediate stop >>log 2>&1; rm -rf '{dir}'",
            dir = dir.display(),
            bin = programs.display(),
        );
        if is_root() {
            // The server refuses to run as root.
            run(Command::new("chown").arg("postgres").arg(&dir))?;
        }
        let mut command = as_server("sh");
        command.args(["-c", &script]);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let cluster = Self {
            address: format!("postgres://slipway@127.0.0.1:{port}/postgres"),
            dir,
            port,
            _child: child,
        };
        cluster.wait()?;
        Ok(cluster)
    }

    /// Ends the server as a power cut would, and starts it again.
    pub fn restart(&self) -> io::Result<()> {
        let pg_ctl = programs().unwrap_or_default().join("pg_ctl");
        let mut command = as_server(&pg_ctl.display().to_string());
        // Its log is a file: a pipe would stay open for as long as the server lives.
        command.arg("-D").arg(self.dir.join("data")).arg("-l").arg(self.dir.join("log"));
        command.args(["-m", "immediate", "-w", "restart"]).stdout(Stdio::null()).stderr(Stdio::null());
        run(&mut command)?;
        self.wait()
    }

    fn wait(&self) -> io::Result<()> {
        let until = Instant::now() + Duration::from_secs(60);
        // One that listens may be starting still, and refuse.
        let pg_isready = programs().unwrap_or_default().join("pg_isready");
        let ready = || {
            let port = self.port.to_string();
            let asked = Command::new(&pg_isready).args(["-q", "-h", "127.0.0.1", "-p", &port]).status();
            match asked {
                Ok(status) => status.success(),
                Err(_) => TcpStream::connect(("127.0.0.1", self.port)).is_ok(),
            }
        };
        while !ready() {
            if Instant::now() > until {
                let log = fs::read_to_string(self.dir.join("log")).unwrap_or_default();
                return Err(io::Error::other(format!("PostgreSQL did not start:\n{log}")));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

/// A program run as whoever may run the server.
fn as_server(program: &str) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--", program]);
    command
}

/// The folder of the server's programs. Debian keeps them out of the PATH, one folder a version.
fn programs() -> Option<PathBuf> {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = debian.map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders.reverse();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    let has = |folder: &Path, name: &str| folder.join(name).is_file();
    folders.into_iter().find(|f| has(f, "initdb") && has(f, "postgres"))
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|o| String::from_utf8_lossy(&o.stdout).trim() == "0")
}

fn run(command: &mut Command) -> io::Result<()> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{command:?}: {status}"))) }
}
