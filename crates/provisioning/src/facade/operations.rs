//! Operations as customers see them: a list of rows with states, and why one waits.

use domain::{
    CustomerId, JobId,
    cause::Cause,
    kind::Kind,
    permission::{Denial, can_cancel, can_give_up, can_retry},
    state::{JobState, StepState},
};
use secrecy::SecretString;
use store::{
    Reason, Result,
    interventions::Intervention,
    jobs::{History, Job, JobStep},
    secrets::Reveal,
    servers::Server,
};

use super::{Facade, REVEAL_GRACE_MS, Viewer};

/// A job that another waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocker {
    pub job: JobId,
    pub number: i64,
    /// What it does: its kind, or one of the things that its kind can do.
    pub word: String,
    pub server_name: String,
    pub state: JobState,
    /// "Step 4 of 9", once it has started.
    pub step: Option<(usize, usize)>,
    pub retry_at: Option<i64>,
}

/// What a job does, as the last part of message ids: `activate`, `power-start`.
pub fn job_word(job: &Job) -> String {
    match &job.action {
        Some(action) => format!("{}-{action}", job.kind),
        None => job.kind.to_string(),
    }
}

impl Blocker {
    pub(super) fn of(job: &Job) -> Self {
        Self {
            job: job.id,
            number: job.number,
            word: job_word(job),
            server_name: job.server_name.clone().unwrap_or_default(),
            state: job.state,
            step: (!job.state.is_waiting()).then(|| progress(job)),
            retry_at: job.next_attempt_at,
        }
    }
}

/// Why a queued job is not running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Nothing is in the way: it starts as soon as a worker takes it.
    Free,
    Blocked {
        position: u32,
        blockers: Vec<Blocker>,
    },
    Parked,
    Needs(Option<Blocker>),
    /// Nothing is taken up until then, or until somebody says so.
    Maintenance {
        until: Option<i64>,
    },
    /// Nothing of its customer's is in the way, and every place is taken.
    Full,
    /// Between two tries.
    BackOff {
        until: i64,
    },
}

/// Everything the page of an operation shows.
#[derive(Clone, Debug)]
pub struct OperationView {
    pub job: Job,
    /// The installation of its server's panel, which follows it and is shown with it as one list.
    pub panel: Option<Job>,
    pub server: Option<Server>,
    /// Set while it is queued or waits to be tried again.
    pub waiting: Option<Waiting>,
    pub reveal: Reveal,
    pub can_cancel: std::result::Result<(), Denial>,
    /// It failed by something that may pass.
    pub can_retry: bool,
    /// It failed before there was a machine.
    pub can_give_up: bool,
    /// It takes longer than all but one of a hundred.
    pub slow: bool,
    /// How long its kind usually takes, ms.
    pub usual: Option<i64>,
    /// The viewer owns it; staff only look.
    pub own: bool,
    /// The version of the context that this view contains.
    pub version: i64,
}

/// What was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// Nothing had begun.
    Request,
    /// An order that failed: what there was of it is being removed.
    Order,
}

/// A password to be shown.
#[derive(Debug)]
pub struct PasswordView {
    pub server: Server,
    pub password: SecretString,
}

impl Facade {
    /// An operation, for its owner and for staff.
    pub async fn operation(&self, viewer: &Viewer, id: JobId) -> Result<Option<OperationView>> {
        let Some(head) = self.store.job(id).await?.filter(|j| viewer.may_see(j.customer)) else {
            return Ok(None);
        };
        // The version first: what is read after it is at least as new.
        let version = self.store.context_version(head.customer).await?;
        let Some((job, panel)) = self.job_and_panel(id).await? else { return Ok(None) };
        let at = under_way(&job, panel.as_ref());
        let waiting = self.waiting_of(at).await?;
        let server = match job.server {
            Some(server) => self.store.server(server).await?,
            None => None,
        };
        let reveal = match &server {
            Some(server) => self.store.secret_reveal_state(server.id, job.id).await?,
            None => Reveal::Gone,
        };
        let can_cancel = can_cancel(viewer.role(), at.kind, at.state);
        let own = viewer.owns(job.customer);
        let can_retry = can_retry(viewer.role(), at.kind, at.state, cause(at)) && self.is_newest(at).await?;
        let can_give_up = can_give_up(viewer.role(), at.kind, at.state, machine_begun(at));
        let durations = self.usual().await?;
        let usual = durations.median(at.kind);
        let running = matches!(at.state, JobState::Running | JobState::RetryWait);
        let took = at.started_at.filter(|_| running).map(|start| self.now_ms() - start);
        let slow = took.zip(durations.slow(at.kind)).is_some_and(|(took, slow)| took > slow);
        Ok(Some(OperationView {
            job,
            panel,
            server,
            waiting,
            reveal,
            can_cancel,
            can_retry,
            can_give_up,
            slow,
            usual,
            own,
            version,
        }))
    }

    /// A job and the installation of a panel that follows it, by the id of either.
    async fn job_and_panel(&self, id: JobId) -> Result<Option<(Job, Option<Job>)>> {
        let Some(job) = self.store.job(id).await? else { return Ok(None) };
        if let (Kind::InstallPanel, Some(first)) = (job.kind, job.needs) {
            return Ok(match self.store.job(first).await? {
                Some(first) => Some((first, Some(job))),
                None => Some((job, None)),
            });
        }
        let panel = match job.kind {
            Kind::Activate | Kind::Reinstall => self.store.job_needing(job.id).await?,
            _ => None,
        };
        let panel = match panel {
            Some(id) => self.store.job(id).await?.filter(|p| p.kind == Kind::InstallPanel),
            None => None,
        };
        Ok(Some((job, panel)))
    }

    /// Why a job is not running, if it is to run.
    pub(super) async fn waiting_of(&self, job: &Job) -> Result<Option<Waiting>> {
        match job.state {
            s if s.is_waiting() || s == JobState::RetryWait => self.waiting(job.customer, job.id).await,
            _ => Ok(None),
        }
    }

    /// Why one of a customer's jobs is not running.
    pub(super) async fn waiting(&self, customer: CustomerId, id: JobId) -> Result<Option<Waiting>> {
        Ok(self.waits(customer).await?.into_iter().find(|(job, _)| *job == id).map(|(_, w)| w))
    }

    /// Why each of a customer's queued jobs is not running.
    pub async fn waits(&self, customer: CustomerId) -> Result<Vec<(JobId, Waiting)>> {
        let jobs = self.store.jobs_unfinished(customer).await?;
        let blocker = |key: u128| jobs.iter().find(|j| j.id.0.as_u128() == key).map(Blocker::of);
        let reasons = self.store.reasons(customer, self.now_ms()).await?;
        let paused = reasons.iter().any(|(_, reason)| *reason == Reason::Maintenance);
        let until = match paused {
            true => self.store.maintenance().await?.and_then(|m| m.until),
            false => None,
        };
        Ok(reasons
            .into_iter()
            .filter_map(|(id, reason)| {
                let waiting = match reason {
                    Reason::Free => Waiting::Free,
                    Reason::Parked => Waiting::Parked,
                    Reason::Needs(need) => Waiting::Needs(blocker(need)),
                    Reason::Blocked { position, waiting_for } => Waiting::Blocked {
                        position,
                        blockers: waiting_for.into_iter().filter_map(blocker).collect(),
                    },
                    Reason::Maintenance => Waiting::Maintenance { until },
                    Reason::Full => Waiting::Full,
                    Reason::BackOff { until } => Waiting::BackOff { until },
                    Reason::Started | Reason::Holding => return None,
                };
                Some((id, waiting))
            })
            .collect())
    }

    /// A customer's unfinished operations, in queue order.
    pub async fn operations_open(&self, customer: CustomerId) -> Result<Vec<Job>> {
        self.store.jobs_unfinished(customer).await
    }

    pub async fn operations_open_count(&self, customer: CustomerId) -> Result<i64> {
        self.store.jobs_unfinished_count(customer).await
    }

    /// A page of a customer's finished operations, newest first.
    pub async fn operations_done(
        &self,
        customer: CustomerId,
        history: &History,
        limit: i64,
    ) -> Result<Vec<Job>> {
        self.store.jobs_finished(customer, history, limit).await
    }

    /// The operations that an order was accepted as, by any of them.
    pub async fn operations_of_order(&self, customer: CustomerId, one: JobId) -> Result<Vec<JobId>> {
        self.store.jobs_of_order(customer, one).await
    }

    /// Takes a queued operation back, and what follows it. Once that has been made what is taken back is the installation of
    /// the panel. `None` where it is not the viewer's; else what stood in the way, if anything.
    pub async fn operation_cancel(
        &self,
        viewer: &Viewer,
        id: JobId,
    ) -> Result<Option<std::result::Result<Cancelled, Denial>>> {
        let both = self.job_and_panel(id).await?.filter(|(j, _)| viewer.owns(j.customer));
        let Some((job, panel)) = both else { return Ok(None) };
        let job = under_way(&job, panel.as_ref());
        if can_give_up(viewer.role(), job.kind, job.state, machine_begun(job)) {
            let how = Intervention { by: viewer.account.id, why: "given up", now: self.now_ms() };
            let done = self.store.job_roll_back(job.id, how).await?;
            return Ok(Some(if done { Ok(Cancelled::Order) } else { Err(Denial::AlreadyStarted) }));
        }
        if let Err(denial) = can_cancel(viewer.role(), job.kind, job.state) {
            return Ok(Some(Err(denial)));
        }
        let done = self.store.job_cancel(job.customer, job.id, viewer.account.id, self.now_ms()).await?;
        // It may have started between the look and the statement, which looked again.
        Ok(Some(if done { Ok(Cancelled::Request) } else { Err(Denial::AlreadyStarted) }))
    }

    /// Nothing was asked of its server later: what it would do is still what is wanted.
    async fn is_newest(&self, job: &Job) -> Result<bool> {
        let Some(server) = job.server else { return Ok(true) };
        let counts = |j: &Job| j.needs != Some(job.id) && j.state != JobState::Cancelled;
        let newest = self.store.jobs_of_server(server, 5).await?.into_iter().find(counts);
        Ok(newest.is_none_or(|newest| newest.number <= job.number))
    }

    /// Tries a failed operation again from the step that failed. `None` where it is not the viewer's; false where it is not
    /// theirs to try, or somebody was faster.
    pub async fn operation_retry(&self, viewer: &Viewer, id: JobId) -> Result<Option<bool>> {
        let both = self.job_and_panel(id).await?.filter(|(j, _)| viewer.owns(j.customer));
        let Some((job, panel)) = both else { return Ok(None) };
        let job = under_way(&job, panel.as_ref());
        if !can_retry(viewer.role(), job.kind, job.state, cause(job)) || !self.is_newest(job).await? {
            return Ok(Some(false));
        }
        let how = Intervention { by: viewer.account.id, why: "tried again", now: self.now_ms() };
        Ok(Some(self.store.job_rerun(job.id, how).await?))
    }

    /// Takes the one right to see a generated password. `None` where the operation is not the viewer's.
    pub async fn password_reveal(&self, viewer: &Viewer, id: JobId) -> Result<Option<bool>> {
        let Some(job) = self.store.job(id).await?.filter(|j| viewer.owns(j.customer)) else {
            return Ok(None);
        };
        let (Some(server), JobState::Succeeded) = (job.server, job.state) else { return Ok(Some(false)) };
        Ok(Some(self.store.secret_reveal(server, id, self.now_ms()).await?))
    }

    /// The password, while the grant of its reveal lasts.
    pub async fn password_revealed(&self, viewer: &Viewer, id: JobId) -> Result<Option<PasswordView>> {
        let Some(job) = self.store.job(id).await?.filter(|j| viewer.owns(j.customer)) else {
            return Ok(None);
        };
        let Some(server) = job.server else { return Ok(None) };
        let since = self.now_ms() - REVEAL_GRACE_MS;
        let password = self.store.secret_revealed(server, id, since).await?;
        let server = self.store.server(server).await?;
        Ok(password.zip(server).map(|(password, server)| PasswordView { server, password }))
    }
}

/// Of a job and what follows it, the one that is under way, or that it ended with.
fn under_way<'a>(job: &'a Job, panel: Option<&'a Job>) -> &'a Job {
    panel.filter(|_| job.state == JobState::Succeeded).unwrap_or(job)
}

fn cause(job: &Job) -> Option<Cause> {
    job.cause.as_deref()?.parse().ok()
}

/// A machine was begun with: there may be one.
fn machine_begun(job: &Job) -> bool {
    job.steps.iter().any(|s| s.key == "machine_create" && s.attempt > 0)
}

/// What of an order is there already, as the last part of message ids.
pub fn what_exists(job: &Job) -> Vec<&'static str> {
    let rows = [
        ("edge_claim", "edge-claim"),
        ("group_ensure", "group"),
        ("network_create", "network"),
        ("machine_create", "copy"),
    ];
    let there = |key: &str| job.steps.iter().any(|s| s.key == key && s.state == StepState::Done);
    rows.into_iter().filter(|(key, _)| there(key)).map(|(_, row)| row).collect()
}

/// The rows that customers read: several steps may be one row.
const ACTIVATE_ROWS: &[(&str, &[&str])] = &[
    ("order-check", &["order_check"]),
    ("edge-claim", &["edge_claim"]),
    ("network", &["network_create", "qos_apply"]),
    ("group", &["group_ensure"]),
    ("copy", &["machine_create"]),
    ("size", &["machine_resize"]),
    ("customize", &["guest_customize"]),
    ("start", &["power_on", "guest_wait"]),
    ("access", &["access_verify"]),
    ("finish", &["secrets_clear", "ready"]),
];

const TERMINATE_ROWS: &[(&str, &[&str])] = &[
    ("terminate-check", &["terminate_check", "migration_plan"]),
    ("neighbours-move", &["group_compose", "machines_move"]),
    ("stop", &["group_stop"]),
    ("delete", &["group_delete", "group_rename"]),
    ("network-delete", &["network_delete"]),
    ("edge-clear", &["edge_clear", "terminated"]),
];

const POWER_ROWS: &[(&str, &[&str])] = &[
    ("terminate-check", &["power_check"]),
    ("power", &["power_change"]),
    ("power-observe", &["power_observe"]),
];

const RESIZE_ROWS: &[(&str, &[&str])] = &[
    ("terminate-check", &["resize_check"]),
    ("shut-down", &["machine_off"]),
    ("size", &["size_prepare", "size_apply", "size_finish"]),
    ("start", &["machine_on"]),
    ("speed", &["speed_apply"]),
    ("finish", &["resized"]),
];

const SPEED_ROWS: &[(&str, &[&str])] =
    &[("terminate-check", &["resize_check"]), ("speed", &["speed_apply"]), ("finish", &["resized"])];

const ADDRESS_ROWS: &[(&str, &[&str])] = &[
    ("address-reserve", &["address_check", "address_reserve"]),
    ("address", &["address_apply"]),
    ("restart", &["guest_restart"]),
    ("address-answers", &["address_answers"]),
    ("finish", &["address_switched"]),
];

const EDGE_ROWS: &[(&str, &[&str])] = &[
    ("edge-claim", &["address_check", "edge_claim"]),
    ("network", &["network_create", "qos_apply", "group_ensure"]),
    ("address", &["address_reserve", "address_apply"]),
    ("restart", &["guest_restart"]),
    ("address-answers", &["address_answers", "address_switched"]),
    ("neighbours-move", &["migration_plan", "group_compose", "machines_move"]),
    ("network-delete", &["group_stop", "group_delete", "group_rename"]),
    ("edge-clear", &["edge_clear"]),
];

const MIGRATE_ROWS: &[(&str, &[&str])] = &[
    ("neighbours-move", &["migration_plan", "group_compose", "machines_move"]),
    ("network-delete", &["group_stop", "group_delete", "group_rename"]),
];

const REINSTALL_ROWS: &[(&str, &[&str])] = &[
    ("terminate-check", &["reinstall_check"]),
    ("remove", &["machine_remove"]),
    ("copy", &["machine_create"]),
    ("size", &["machine_resize"]),
    ("customize", &["guest_customize"]),
    ("start", &["power_on", "guest_wait"]),
    ("access", &["access_verify"]),
    ("finish", &["secrets_clear", "ready"]),
];

const PASSWORD_ROWS: &[(&str, &[&str])] = &[
    ("terminate-check", &["password_check"]),
    ("password", &["password_write"]),
    ("shut-down", &["machine_off"]),
    ("start", &["guest_customize", "guest_wait"]),
    ("access", &["access_verify"]),
    ("finish", &["secrets_clear", "password_done"]),
];

const PANEL_ROWS: &[(&str, &[&str])] =
    &[("panel", &["panel_check", "panel_install", "panel_record", "panel_leave"])];

const REPAIR_ROWS: &[(&str, &[&str])] = &[
    ("terminate-check", &["repair_check"]),
    ("repair", &["repair_machine", "repair_speed"]),
    ("restart", &["repair_restart"]),
    ("finish", &["repair_observe"]),
];

const SNAPSHOT_ROWS: &[(&str, &[&str])] = &[
    ("terminate-check", &["snapshot_check"]),
    ("snapshot", &["snapshot_change"]),
    ("finish", &["snapshot_observe"]),
];

fn rows_of(kind: Kind) -> &'static [(&'static str, &'static [&'static str])] {
    match kind {
        Kind::Power => POWER_ROWS,
        Kind::Terminate => TERMINATE_ROWS,
        Kind::Resize => RESIZE_ROWS,
        Kind::ChangeBandwidth => SPEED_ROWS,
        Kind::ChangeIp => ADDRESS_ROWS,
        Kind::ChangeEdge => EDGE_ROWS,
        Kind::Migrate => MIGRATE_ROWS,
        Kind::Reinstall => REINSTALL_ROWS,
        Kind::ResetPassword => PASSWORD_ROWS,
        Kind::Snapshot => SNAPSHOT_ROWS,
        Kind::Repair => REPAIR_ROWS,
        Kind::InstallPanel => PANEL_ROWS,
        _ => ACTIVATE_ROWS,
    }
}

/// A job's steps as rows: the message id of each, and its steps folded into one.
pub fn customer_rows(job: &Job) -> Vec<(&'static str, JobStep)> {
    rows_of(job.kind)
        .iter()
        .filter_map(|(row, keys)| {
            let steps: Vec<&JobStep> = job.steps.iter().filter(|s| keys.contains(&s.key.as_str())).collect();
            Some((*row, fold(&steps)?))
        })
        .collect()
}

/// The row that a step belongs to.
pub fn customer_row(kind: Kind, step: &str) -> Option<&'static str> {
    rows_of(kind).iter().find(|(_, keys)| keys.contains(&step)).map(|(row, _)| *row)
}

/// Several steps as one: worst state first, from the first start to the last end.
fn fold(steps: &[&JobStep]) -> Option<JobStep> {
    let first = *steps.first()?;
    let all = |state| steps.iter().all(|s| s.state == state);
    let any = |state| steps.iter().any(|s| s.state == state);
    let state = if any(StepState::Failed) {
        StepState::Failed
    } else if any(StepState::RetryWait) {
        StepState::RetryWait
    } else if all(StepState::Done) {
        StepState::Done
    } else if any(StepState::Running) || any(StepState::Done) {
        StepState::Running
    } else {
        StepState::Pending
    };
    Some(JobStep {
        state,
        started_at: steps.iter().filter_map(|s| s.started_at).min(),
        finished_at: if state == StepState::Done {
            steps.iter().filter_map(|s| s.finished_at).max()
        } else {
            None
        },
        retry_at: steps.iter().filter_map(|s| s.retry_at).min(),
        progress: steps.iter().filter_map(|s| s.progress.clone()).next_back(),
        ..first.clone()
    })
}

/// The first unfinished row, and how many there are.
pub(super) fn progress(job: &Job) -> (usize, usize) {
    let rows = customer_rows(job);
    let done = rows.iter().take_while(|(_, s)| s.state == StepState::Done).count();
    ((done + 1).min(rows.len().max(1)), rows.len())
}

impl OperationView {
    /// The job that is under way, or that it ended with.
    pub fn at(&self) -> &Job {
        under_way(&self.job, self.panel.as_ref())
    }

    /// The first unfinished row of both, and how many there are.
    pub fn progress(&self) -> (usize, usize) {
        let (step, rows) = progress(&self.job);
        match &self.panel {
            None => (step, rows),
            Some(panel) if self.job.state == JobState::Succeeded => {
                let (more, of) = progress(panel);
                (rows + more, rows + of)
            }
            Some(panel) => (step, rows + progress(panel).1),
        }
    }
}
