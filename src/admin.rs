//! Commands that change something while a process may own the data folder.
//!
//! With an embedded database one process owns the folder. It listens on a socket in it, which only its own user may open,
//! and does what it is asked; a command opens the database itself only when nobody does. On PostgreSQL a command is a node
//! like every other. A request is one line of JSON, and so is its answer.

use std::{io::Read, path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use domain::state::{Role, StepState};
use jobs::{Clock, SystemClock};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::{
    Maintenance, Store,
    interventions::{Intervention, Rerun},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    task::JoinHandle,
};
use tracing::warn;

use crate::{
    config::{AccountArgs, DatabaseArgs, JobsArgs, JobsWhat, MaintenanceArgs, Switch},
    data_dir::DataDir,
    say::say,
    serve,
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command", deny_unknown_fields)]
enum Request {
    AccountAdd { email: String, name: String, role: Role, password: String },
    MaintenanceBegin { until: Option<i64> },
    MaintenanceEnd,
    Orphans,
    JobShow { number: i64 },
    JobRerun { number: i64, by: String, why: String, inputs: Map<String, Value> },
    JobRollBack { number: i64, by: String, why: String },
}

/// What was done, or why it was not, in a sentence.
type Answer = Result<String, String>;

const SOCKET: &str = "socket";
/// A request is short.
const REQUEST_MAX: u64 = 64 << 10;
const PATIENCE: Duration = Duration::from_secs(10);

async fn carry_out(store: &Store, request: Request) -> Answer {
    let failed = |e: store::Error| e.to_string();
    match request {
        Request::AccountAdd { email, name, role, password } => {
            let password = SecretString::from(password);
            match provisioning::account_add(store, &email, &name, role, password).await? {
                true => Ok(format!("{email} can sign in.")),
                false => Err("there is an account with this e-mail already".into()),
            }
        }
        Request::MaintenanceBegin { until } => {
            store.maintenance_begin(Maintenance { until }).await.map_err(failed)?;
            Ok("Nothing more is taken up. What is under way goes on.".into())
        }
        Request::Orphans => list_orphans(store).await,
        Request::JobShow { number } => show_job(store, number).await,
        Request::JobRerun { number, by, why, inputs } => {
            let (job, by) = staff(store, number, &by, false).await?;
            let how = Intervention { by, why: &why, now: SystemClock.now_ms() };
            if !inputs.is_empty() {
                return rerun_with(store, (number, job), &inputs, how).await;
            }
            match store.job_rerun(job, how).await.map_err(failed)? {
                true => Ok(format!("Job {number} is queued again, from the step that failed.")),
                false => Err(format!("job {number} has not failed: there is nothing to run again")),
            }
        }
        Request::JobRollBack { number, by, why } => {
            let (job, by) = staff(store, number, &by, true).await?;
            let how = Intervention { by, why: &why, now: SystemClock.now_ms() };
            match store.job_roll_back(job, how).await.map_err(failed)? {
                true => Ok(format!("Job {number} takes back what it has done.")),
                false => Err(format!("job {number} has not failed: there is nothing to take back")),
            }
        }
        Request::MaintenanceEnd => {
            store.maintenance_end().await.map_err(failed)?;
            Ok("Jobs are taken up again.".into())
        }
    }
}

/// Runs a job again with other inputs, where the step that failed takes them.
async fn rerun_with(
    store: &Store,
    (number, id): (i64, domain::JobId),
    inputs: &Map<String, Value>,
    how: Intervention<'_>,
) -> Answer {
    let failed = |e: store::Error| e.to_string();
    let job = store.job(id).await.map_err(failed)?.ok_or_else(|| format!("there is no job {number}"))?;
    let step = job.steps.iter().find(|s| s.state == StepState::Failed);
    let takes = step.map_or(&[][..], |s| provisioning::inputs_of(job.kind, &s.key));
    match store.job_rerun_with(id, inputs, takes, how).await.map_err(failed)? {
        Rerun::Queued => {
            Ok(format!("Job {number} is queued again, from the step that failed, with other inputs."))
        }
        Rerun::NotFailed => Err(format!("job {number} has not failed: there is nothing to run again")),
        Rerun::NotAllowed(name) => {
            let takes = if takes.is_empty() { "none".to_owned() } else { takes.join(", ") };
            Err(format!("the step that failed does not take {name:?}; it takes {takes}"))
        }
    }
}

async fn numbered(store: &Store, number: i64) -> Result<domain::JobId, String> {
    let found = store.job_numbered(number).await.map_err(|e| e.to_string())?;
    found.ok_or_else(|| format!("there is no job {number}"))
}

/// The job, and the account of whoever wants something done to it. Taking back is an administrator's.
async fn staff(
    store: &Store,
    number: i64,
    by: &str,
    admin: bool,
) -> Result<(domain::JobId, domain::AccountId), String> {
    let found = store.account_by_email(by).await.map_err(|e| e.to_string())?;
    let (account, _) = found.ok_or_else(|| format!("there is no account {by:?}"))?;
    match account.role {
        Role::Admin => {}
        Role::Support if !admin => {}
        _ => return Err(format!("{by} may not do this")),
    }
    Ok((numbered(store, number).await?, account.id))
}

/// One line each: its name, what it is, and for how long it has been seen.
async fn list_orphans(store: &Store) -> Answer {
    let all = store.drift(None).await.map_err(|e| e.to_string())?;
    let now = SystemClock.now_ms();
    let lines: Vec<String> = all
        .iter()
        .filter(|d| d.seen.server.is_none())
        .map(|d| {
            let minutes = (now - d.first_seen) / 60_000;
            format!("{:<48} {:<16} seen for {minutes} min", d.seen.subject, d.seen.kind.as_str())
        })
        .collect();
    Ok(if lines.is_empty() { "Nothing in the cloud is without an owner.".into() } else { lines.join("\n") })
}

/// The steps of a job with their times; a star marks those that its duration is made of.
async fn show_job(store: &Store, number: i64) -> Answer {
    let id = numbered(store, number).await?;
    let job = store.job(id).await.map_err(|e| e.to_string())?;
    let job = job.ok_or_else(|| format!("there is no job {number}"))?;
    let seconds = |from: Option<i64>, to: Option<i64>| match (from, to) {
        (Some(from), Some(to)) => format!("{:8.1} s", (to - from) as f64 / 1000.0),
        _ => "         –".into(),
    };
    let path: Vec<&str> = provisioning::critical_path(&job).iter().map(|s| s.key.as_str()).collect();
    let name = job.server_name.clone().unwrap_or_default();
    let all = seconds(Some(job.created_at), job.finished_at);
    let mut text = format!("Job {number}: {} {name}, {}, {}\n", job.kind, job.state, all.trim());
    if let (Some(cause), detail) = (&job.cause, job.detail.clone().unwrap_or_default()) {
        text += &format!("  {cause}: {detail}\n");
    }
    for step in &job.steps {
        let star = if path.contains(&step.key.as_str()) { '*' } else { ' ' };
        let started = seconds(Some(job.created_at), step.started_at);
        let took = seconds(step.started_at, step.finished_at);
        text += &format!("{star} {:<18} {:<10} from {started} took {took}", step.key, step.state.as_str());
        if step.attempt > 1 {
            text += &format!(", {} tries", step.attempt);
        }
        if let Some(cause) = &step.cause {
            text += &format!("  {cause}");
        }
        text += "\n";
    }
    text += "* what its duration is made of";
    Ok(text)
}

/// The owner's end of the socket, for as long as this lives.
pub(crate) struct Listening {
    task: Option<JoinHandle<()>>,
    path: PathBuf,
}

impl Listening {
    /// Listens where this process owns the folder.
    pub(crate) fn start(dir: &DataDir, store: &Store) -> anyhow::Result<Self> {
        let path = dir.file(SOCKET);
        if !store.is_embedded() {
            return Ok(Self { task: None, path });
        }
        // Whoever left it is gone: this process holds the folder's lock.
        let _ = std::fs::remove_file(&path);
        let listener = bind_private(&path)?;
        let store = store.clone();
        let task = tokio::spawn(async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        let store = store.clone();
                        tokio::spawn(async move {
                            let answered = tokio::time::timeout(PATIENCE, answer(&store, stream)).await;
                            if !matches!(answered, Ok(Ok(()))) {
                                warn!("a command on the socket was not answered");
                            }
                        });
                    }
                    Err(e) => {
                        warn!("the socket in the data folder: {e}");
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                }
            }
        });
        Ok(Self { task: Some(task), path })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Only this user may connect.
fn bind_private(path: &PathBuf) -> anyhow::Result<UnixListener> {
    use std::os::unix::fs::PermissionsExt;
    let listener = UnixListener::bind(path).with_context(|| format!("{} cannot be made", path.display()))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
        .with_context(|| format!("{} cannot be closed to others", path.display()))?;
    Ok(listener)
}

async fn answer(store: &Store, mut stream: UnixStream) -> std::io::Result<()> {
    let (reading, mut writing) = stream.split();
    let mut line = String::new();
    BufReader::new(reading.take(REQUEST_MAX)).read_line(&mut line).await?;
    let answer = match serde_json::from_str(&line) {
        Ok(request) => carry_out(store, request).await,
        // The text of the error would repeat what was sent, a password perhaps.
        Err(_) => Err("this command is not known here: is the other program of another version?".into()),
    };
    writing.write_all(format!("{}\n", serde_json::json!(answer)).as_bytes()).await
}

/// Asks the process that owns the folder, or does it here where there is none.
async fn ask(database: &DatabaseArgs, request: Request) -> anyhow::Result<()> {
    say(&answer_to(database, request).await?);
    Ok(())
}

async fn answer_to(database: &DatabaseArgs, request: Request) -> anyhow::Result<String> {
    let answer = match connect(database).await {
        Some(stream) => tokio::time::timeout(PATIENCE, ask_owner(stream, &request))
            .await
            .context("the process that owns the data folder does not answer")??,
        None => {
            let (_dir, store) = serve::open(database).await?;
            carry_out(&store, request).await
        }
    };
    answer.map_err(anyhow::Error::msg)
}

/// The list of `slipway orphans`.
pub(crate) async fn orphans(database: &DatabaseArgs) -> anyhow::Result<String> {
    answer_to(database, Request::Orphans).await
}

async fn connect(database: &DatabaseArgs) -> Option<UnixStream> {
    if database.database_url.is_some() {
        return None;
    }
    UnixStream::connect(database.data_dir.join(SOCKET)).await.ok()
}

async fn ask_owner(mut stream: UnixStream, request: &Request) -> anyhow::Result<Answer> {
    stream.write_all(format!("{}\n", serde_json::to_string(request)?).as_bytes()).await?;
    let mut line = String::new();
    BufReader::new(stream.take(REQUEST_MAX)).read_line(&mut line).await?;
    serde_json::from_str(&line).context("the process that owns the data folder answers nonsense")
}

/// `slipway account-add`
pub async fn account_add(args: AccountArgs) -> anyhow::Result<()> {
    let mut password = String::new();
    std::io::stdin().take(1024).read_to_string(&mut password)?;
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    let AccountArgs { email, name, role, database } = args;
    ask(&database, Request::AccountAdd { email, name, role: role.into(), password }).await
}

/// `slipway maintenance begin` and `end`
pub async fn maintenance(args: MaintenanceArgs) -> anyhow::Result<()> {
    let until = args.minutes.map(|m| SystemClock.now_ms() + i64::from(m) * 60_000);
    let request = match args.what {
        Switch::Begin => Request::MaintenanceBegin { until },
        Switch::End if args.minutes.is_some() => bail!("--minutes goes with begin"),
        Switch::End => Request::MaintenanceEnd,
    };
    ask(&args.database, request).await
}

/// `slipway jobs show`, `rerun` and `roll-back`
pub async fn jobs(args: JobsArgs) -> anyhow::Result<()> {
    let JobsArgs { what, number, by, why, set, database } = args;
    let inputs = set.iter().map(|s| input(s)).collect::<anyhow::Result<Map<_, _>>>()?;
    if !inputs.is_empty() && what != JobsWhat::Rerun {
        bail!("--set goes with rerun");
    }
    let by = || by.clone().context("say who asks: --by EMAIL");
    let request = match what {
        JobsWhat::Show => Request::JobShow { number },
        JobsWhat::Rerun => Request::JobRerun { number, by: by()?, why, inputs },
        JobsWhat::RollBack => Request::JobRollBack { number, by: by()?, why },
    };
    ask(&database, request).await
}

fn input(text: &str) -> anyhow::Result<(String, Value)> {
    let (name, value) = text.split_once('=').with_context(|| format!("{text:?} is not NAME=VALUE"))?;
    // What is no JSON is a text as it stands.
    Ok((name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| Value::from(value))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(dir: &std::path::Path) -> DatabaseArgs {
        let data_dir = dir.to_owned();
        DatabaseArgs {
            data_dir,
            database_url: None,
            matrix: None,
            catalogue: None,
            jobs_at_once: 8,
            cloud_jobs_at_once: None,
        }
    }

    fn add(email: &str) -> Request {
        let (name, password) = ("Anna".to_owned(), "correct horse battery".to_owned());
        Request::AccountAdd { email: email.into(), name, role: Role::Support, password }
    }

    #[tokio::test]
    async fn commands_reach_the_owner_and_open_the_database_only_without_one() {
        let dir = tempfile::tempdir().unwrap();
        let args = database(dir.path());
        ask(&args, add("one@test")).await.unwrap();
        let (owned, store) = serve::open(&args).await.unwrap();
        let listening = Listening::start(&owned, &store).unwrap();
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(dir.path().join(SOCKET)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        ask(&args, Request::MaintenanceBegin { until: Some(7) }).await.unwrap();
        assert_eq!(store.maintenance().await.unwrap(), Some(Maintenance { until: Some(7) }));
        ask(&args, Request::MaintenanceBegin { until: None }).await.unwrap();
        assert_eq!(store.maintenance().await.unwrap(), Some(Maintenance { until: None }));
        ask(&args, Request::MaintenanceEnd).await.unwrap();
        assert_eq!(store.maintenance().await.unwrap(), None);
        ask(&args, add("two@test")).await.unwrap();
        let twice = ask(&args, add("one@test")).await.unwrap_err().to_string();
        assert!(twice.contains("already"), "{twice}");

        // Nonsense is answered, and does not repeat what was sent.
        let mut stream = UnixStream::connect(dir.path().join(SOCKET)).await.unwrap();
        stream.write_all(b"{\"command\":\"account_add\",\"password\":\"hunter2\"}\n").await.unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        assert!(said.contains("not known here") && !said.contains("hunter2"), "{said}");

        // What nobody owns is listed once it was seen twice.
        let lost = store::drift::DriftSeen {
            kind: domain::drift::DriftKind::OrphanNetwork,
            subject: "net-lost".into(),
            customer: None,
            server: None,
            desired: None,
            observed: None,
        };
        store.drift_write(std::slice::from_ref(&lost), &[], 1).await.unwrap();
        assert!(orphans(&args).await.unwrap().contains("Nothing"));
        store.drift_write(&[lost], &[], 2).await.unwrap();
        assert!(orphans(&args).await.unwrap().starts_with("net-lost "));

        // A job that is not there, and one who may not.
        let show = |number| Request::JobShow { number };
        let missing = ask(&args, show(7)).await.unwrap_err().to_string();
        assert!(missing.contains("no job 7"), "{missing}");
        let rerun = Request::JobRollBack { number: 7, by: "one@test".into(), why: "x".into() };
        let refused = ask(&args, rerun).await.unwrap_err().to_string();
        assert!(refused.contains("may not"), "taking back is not for support: {refused}");

        drop(listening);
        let refused = ask(&args, Request::MaintenanceEnd).await.unwrap_err().to_string();
        assert!(refused.contains("another slipway"), "the folder is still owned: {refused}");
        drop((store, owned));
        ask(&args, add("three@test")).await.unwrap();
    }
}
