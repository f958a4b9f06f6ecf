//! Operations as customers see them: a list of rows with states, and why one waits.

use domain::{
    CustomerId, JobId,
    cause::Cause,
    kind::Kind,
    permission::{Denial, can_cancel, can_give_up, can_retry},
    state::JobState,
};
use secrecy::SecretString;
use store::{
    Reason, Result,
    interventions::Intervention,
    jobs::{History, Job},
    secrets::Reveal,
    servers::Server,
};

use super::{Facade, REVEAL_GRACE_MS, Viewer, rows::progress};

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
        let can_cancel = can_cancel(viewer.acts_as(), at.kind, at.state);
        let own = viewer.owns(job.customer);
        let can_retry =
            can_retry(viewer.acts_as(), at.kind, at.state, cause(at)) && self.is_newest(at).await?;
        let can_give_up = can_give_up(viewer.acts_as(), at.kind, at.state, machine_begun(at));
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
        if can_give_up(viewer.acts_as(), job.kind, job.state, machine_begun(job)) {
            let how = Intervention { by: viewer.account.id, why: "given up", now: self.now_ms() };
            let done = self.store.job_roll_back(job.id, how).await?;
            return Ok(Some(if done { Ok(Cancelled::Order) } else { Err(Denial::AlreadyStarted) }));
        }
        if let Err(denial) = can_cancel(viewer.acts_as(), job.kind, job.state) {
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
        if !can_retry(viewer.acts_as(), job.kind, job.state, cause(job)) || !self.is_newest(job).await? {
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
