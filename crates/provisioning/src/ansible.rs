//! Playbooks: run by `ansible-playbook` against one server, their events as they happen, and a clean stop.
//!
//! The playbooks are part of the program (`automation/ansible`) and are written out for each run into a folder that only this
//! process's user can read, with the key and the values of the run; it is gone afterwards. Nothing of a run is in arguments
//! or in the environment. So many run at once as the operator allows; the rest wait in the order in which they came.
//! Ansible itself lives in a virtual environment that the program makes ([`Ansible::install`]). What a play does stays in
//! its playbook; deliberately not here: which panel runs where, and what customers read.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::catalogue::Family;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, Command},
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use crate::private::{self, PrivateFolder};

/// What is written out for a run.
const FILES: &[(&str, &str)] = &[
    ("panel.yml", include_str!("../../../automation/ansible/panel.yml")),
    ("panel-windows.yml", include_str!("../../../automation/ansible/panel-windows.yml")),
    ("leave-windows.yml", include_str!("../../../automation/ansible/leave-windows.yml")),
    ("leave.yml", include_str!("../../../automation/ansible/leave.yml")),
    ("roles/cpanel/tasks/main.yml", include_str!("../../../automation/ansible/roles/cpanel/tasks/main.yml")),
    ("roles/plesk/tasks/main.yml", include_str!("../../../automation/ansible/roles/plesk/tasks/main.yml")),
    (
        "roles/ispmanager/tasks/main.yml",
        include_str!("../../../automation/ansible/roles/ispmanager/tasks/main.yml"),
    ),
    ("tasks/packages.yml", include_str!("../../../automation/ansible/tasks/packages.yml")),
    ("tasks/selinux.yml", include_str!("../../../automation/ansible/tasks/selinux.yml")),
    ("tasks/install.yml", include_str!("../../../automation/ansible/tasks/install.yml")),
    ("files/slipway-identity", include_str!("../../../automation/guest/slipway-identity")),
    ("callback_plugins/slipway.py", include_str!("../../../automation/ansible/callback_plugins/slipway.py")),
];
/// Versions that go together. Ansible 2.16 is the last that works on the Python of CentOS 7 and AlmaLinux 8.
const REQUIREMENTS: &str = include_str!("../../../automation/ansible/requirements.txt");
/// A server that does not answer is given up after so many seconds, three times.
const SETTINGS: &str = "[defaults]
stdout_callback = slipway
callback_plugins = callback_plugins
host_key_checking = False
retry_files_enabled = False
nocows = True
timeout = 20
local_tmp = local
[connection]
pipelining = True
[ssh_connection]
retries = 2
control_path = %(directory)s/c
ssh_args = -o ControlMaster=auto -o ControlPersist=5s -o ServerAliveInterval=10 -o ServerAliveCountMax=3 -o UserKnownHostsFile=/dev/null -o IdentitiesOnly=yes -o IdentityAgent=none
";

const PYTHONS: [&str; 3] = ["/usr/bin/python3", "/usr/libexec/platform-python", "/usr/bin/python"];
/// What the folder of a run is called.
const RUN: &str = "slipway-play";
/// Whoever waits is told so often how many come first.
const SAY_EVERY: Duration = Duration::from_secs(1);

/// A play against one server.
pub struct Play<'a> {
    pub playbook: &'a str,
    pub address: &'a str,
    pub door: Door<'a>,
    /// What the playbook is given. It is written to a private file, so it may hold secrets.
    pub values: &'a Map<String, Value>,
    pub deadline: Duration,
    /// It waits for a place among those who run at once. What closes a door does not.
    pub waits: bool,
}

/// How a play comes into its server.
pub enum Door<'a> {
    Ssh {
        login: &'a str,
        /// A private key that the server lets in with, as OpenSSH writes it.
        key: &'a SecretString,
        /// The server's Python, where it is not the one that Ansible finds.
        python: Option<&'a str>,
    },
    /// Over TLS. Whose the certificate is cannot be known, as the guest has made it itself; the password is not told in it.
    WinRm { login: &'a str, password: &'a SecretString, port: u16 },
}

/// Where Windows is told things over TLS.
pub const WINRM_PORT: u16 = 5986;

/// What happens in a play.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum PlayEvent {
    /// All places are taken: so many come first.
    Waits {
        ahead: u32,
    },
    /// Nothing of it is real.
    Simulated,
    Task {
        name: String,
    },
    Ok(TaskEnd),
    Changed(TaskEnd),
    Skipped(TaskEnd),
    Failed(TaskEnd),
    Unreachable(TaskEnd),
    Stats {
        changed: u32,
        failures: u32,
        unreachable: u32,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TaskEnd {
    pub name: String,
    pub message: String,
    /// The end of what it printed.
    pub lines: Vec<String>,
}

/// How a play ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlayEnd {
    Done {
        changed: u32,
    },
    /// A task failed on the server, for good.
    Failed(TaskEnd),
    /// The server did not answer, or stopped answering.
    Unreachable(String),
    TooLong,
    /// The program itself did not work.
    Broken(String),
}

/// Runs plays, so many at once.
#[derive(Clone, Debug)]
pub struct Ansible {
    program: PathBuf,
    places: Arc<Semaphore>,
    line: Arc<Mutex<Line>>,
}

/// Those who wait for a place, in the order in which they came.
#[derive(Debug, Default)]
struct Line {
    next: u64,
    waiting: BTreeSet<u64>,
}

/// A place in the line; it is left when this is dropped.
struct Number {
    line: Arc<Mutex<Line>>,
    number: u64,
}

impl Number {
    fn take(line: &Arc<Mutex<Line>>) -> Self {
        let mut all = line.lock().unwrap_or_else(PoisonError::into_inner);
        let number = all.next;
        all.next += 1;
        all.waiting.insert(number);
        Self { line: line.clone(), number }
    }

    fn ahead(&self) -> u32 {
        let all = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        u32::try_from(all.waiting.range(..self.number).count()).unwrap_or(u32::MAX)
    }
}

impl Drop for Number {
    fn drop(&mut self) {
        self.line.lock().unwrap_or_else(PoisonError::into_inner).waiting.remove(&self.number);
    }
}

/// The role of a panel, where it has one: what it needs of a Linux system before its installer runs.
pub(crate) fn role_of(panel: &str) -> Option<&str> {
    let file = format!("roles/{panel}/tasks/main.yml");
    FILES.iter().any(|(name, _)| *name == file).then_some(panel)
}

/// How many tasks there are in the installation of a panel, one after the other.
pub fn panel_tasks(family: Family, panel: &str) -> u32 {
    let text = |file: &str| FILES.iter().find(|(name, _)| *name == file).map_or("", |(_, text)| *text);
    let tasks = |file: &str| text(file).matches("- name: \"").count();
    let count = match family {
        Family::Windows => tasks("panel-windows.yml"),
        Family::Linux => {
            let role = role_of(panel).map(|role| format!("roles/{role}/tasks/main.yml")).unwrap_or_default();
            let shared = ["tasks/packages.yml", "tasks/selinux.yml"];
            let used = shared.iter().filter(|file| text(&role).contains(**file)).map(|file| tasks(file));
            tasks("panel.yml") + tasks("tasks/install.yml") + tasks(&role) + used.sum::<usize>()
        }
    };
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Ansible {
    /// `folder` is where [`Self::install`] has put it.
    pub fn new(folder: &Path, at_once: usize) -> Self {
        private::sweep(RUN);
        Self {
            program: folder.join("bin/ansible-playbook"),
            places: Arc::new(Semaphore::new(at_once)),
            line: Arc::default(),
        }
    }

    /// A place among those who run at once; it says meanwhile how many come first.
    async fn place(&self, on: &mut impl FnMut(&PlayEvent)) -> Option<SemaphorePermit<'_>> {
        if let Ok(place) = self.places.try_acquire() {
            return Some(place);
        }
        let number = Number::take(&self.line);
        let mut place = Box::pin(self.places.acquire());
        loop {
            on(&PlayEvent::Waits { ahead: number.ahead() });
            if let Ok(place) = timeout(SAY_EVERY, &mut place).await {
                return place.ok();
            }
        }
    }

    /// Makes the virtual environment, or brings an older one up to date. Needs `python3` with `venv`, and PyPI.
    pub async fn install(folder: &Path) -> io::Result<()> {
        let of = folder.to_owned();
        let _one =
            tokio::task::spawn_blocking(move || one_at_a_time(&of)).await.map_err(io::Error::other)??;
        let done = folder.join("installed");
        if fs::read_to_string(&done).is_ok_and(|before| before == REQUIREMENTS) {
            return Ok(());
        }
        fs::create_dir_all(folder)?;
        let wanted = folder.join("requirements.txt");
        fs::write(&wanted, REQUIREMENTS)?;
        let mut venv = Command::new("python3");
        succeed("python3 -m venv", venv.args(["-m", "venv", "--clear"]).arg(folder)).await?;
        fs::write(&wanted, REQUIREMENTS)?;
        let mut pip = Command::new(folder.join("bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(&wanted);
        succeed("pip install", &mut pip).await?;
        fs::write(&done, REQUIREMENTS)
    }

    /// Runs a play to its end. Dropped before that, it is stopped, with everything that it has started here.
    pub async fn run(&self, play: Play<'_>, mut on: impl FnMut(&PlayEvent)) -> PlayEnd {
        let _place = match play.waits {
            true => self.place(&mut on).await,
            false => None,
        };
        let deadline = play.deadline;
        let (run, child) = match self.start(&play) {
            Ok(started) => started,
            Err(e) => return PlayEnd::Broken(e.to_string()),
        };
        let ended = timeout(deadline, follow(child, &mut on)).await;
        drop(run);
        match ended {
            Ok(Ok(end)) => end,
            Ok(Err(e)) => PlayEnd::Broken(e.to_string()),
            Err(_) => PlayEnd::TooLong,
        }
    }

    fn start(&self, play: &Play<'_>) -> io::Result<(PrivateFolder, Group)> {
        let run = PrivateFolder::new(RUN)?;
        let write = |name: &str, text: &str| run.file(name, 0o600, text);
        for (name, text) in FILES {
            write(name, text)?;
        }
        write("ansible.cfg", SETTINGS)?;
        write("values.json", &Value::from(play.values.clone()).to_string())?;
        let host = match &play.door {
            Door::Ssh { login, key, python } => serde_json::json!({
                "ansible_host": play.address, "ansible_user": login,
                "ansible_ssh_private_key_file": write("key", key.expose_secret())?,
                "ansible_python_interpreter": python.unwrap_or("auto_silent"),
                // The systems' own, and none that their owners have brought.
                "ansible_interpreter_python_fallback": PYTHONS,
            }),
            Door::WinRm { login, password, port } => serde_json::json!({
                "ansible_host": play.address, "ansible_user": login, "ansible_password": password.expose_secret(),
                "ansible_connection": "winrm", "ansible_port": port, "ansible_winrm_transport": "ntlm",
                "ansible_winrm_server_cert_validation": "ignore",
                "ansible_winrm_operation_timeout_sec": 60, "ansible_winrm_read_timeout_sec": 90,
            }),
        };
        // Every JSON is YAML.
        write("hosts.yml", &serde_json::json!({"all": {"hosts": {"server": host}}}).to_string())?;
        let mut command = Command::new(&self.program);
        command.args(["--inventory", "hosts.yml", "--extra-vars", "@values.json", play.playbook]);
        command.current_dir(run.path()).env_clear().env("HOME", run.path()).env("LC_ALL", "C.UTF-8");
        command
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("ANSIBLE_CONFIG", run.path().join("ansible.cfg"));
        // One connection for all of a play; it outlives it by five seconds.
        command.env("ANSIBLE_SSH_CONTROL_PATH_DIR", run.path().join("control"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.process_group(0).kill_on_drop(true).spawn()?;
        Ok((run, Group(child)))
    }
}

/// Reads events until it ends.
async fn follow(mut group: Group, on: &mut impl FnMut(&PlayEvent)) -> io::Result<PlayEnd> {
    let (Some(out), Some(err)) = (group.0.stdout.take(), group.0.stderr.take()) else {
        return Err(io::Error::other("it says nothing"));
    };
    let errors = tokio::spawn(async move {
        let mut text = String::new();
        let _ = err.take(64 * 1024).read_to_string(&mut text).await;
        text
    });
    let (mut lines, mut end) = (BufReader::new(out).lines(), None);
    while let Some(line) = lines.next_line().await? {
        // What is no event is a warning of its own.
        let Ok(event) = serde_json::from_str::<PlayEvent>(&line) else { continue };
        on(&event);
        match event {
            PlayEvent::Failed(task) => end = end.or(Some(PlayEnd::Failed(task))),
            PlayEvent::Unreachable(task) => end = end.or(Some(PlayEnd::Unreachable(task.message))),
            PlayEvent::Stats { changed, failures: 0, unreachable: 0 } => {
                end = end.or(Some(PlayEnd::Done { changed }))
            }
            _ => {}
        }
    }
    let status = group.0.wait().await?;
    let errors = errors.await.unwrap_or_default();
    Ok(match end {
        Some(PlayEnd::Done { .. }) if !status.success() => PlayEnd::Broken(errors),
        Some(end) => end,
        None => PlayEnd::Broken(errors),
    })
}

/// The play's process and everything that it has started: all of it ends with this.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        let pid = self.0.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
    }
}

/// Held while one process makes the environment; another waits, and finds it made.
fn one_at_a_time(folder: &Path) -> io::Result<fs::File> {
    let beside = folder.with_extension("lock");
    if let Some(parent) = beside.parent() {
        fs::create_dir_all(parent)?;
    }
    let lock = fs::File::create(beside)?;
    lock.lock()?;
    Ok(lock)
}

async fn succeed(what: &str, command: &mut Command) -> io::Result<()> {
    let done = command.stdin(Stdio::null()).output().await?;
    if done.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("{what}: {}", String::from_utf8_lossy(&done.stderr))))
}
