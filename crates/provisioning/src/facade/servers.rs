//! A customer's servers: looking, turning one on and off, and taking one down. What changes one stands in `changes`.

use domain::{
    CustomerId, JobId, ServerId,
    field::{Code, Field, FieldError},
    kind::Kind,
    permission::{Action, Denial, Subject, can_power, can_server},
    power::PowerAction,
    resize::Growth,
    state::{JobState, Role, ServerState},
};
use store::{
    Error, Result,
    jobs::Job,
    orders::{Accepted, Idempotency, NewJob, OrderSecrets},
    servers::Server,
};

use super::{Facade, Viewer, Waiting, orders::body_hash, rows::progress};
use crate::workflows::FORCE_OFF;

/// A server and what is being done to it.
#[derive(Clone, Debug)]
pub struct ServerView {
    pub server: Server,
    /// Its first unfinished operation.
    pub current: Option<Job>,
    /// Why that operation waits, if it is queued.
    pub waiting: Option<Waiting>,
    pub own: bool,
    role: Role,
    terminating: bool,
}

impl ServerView {
    fn subject(&self) -> Subject {
        Subject {
            state: self.server.state,
            terminating: self.terminating,
            has_snapshot: self.server.snapshot_at.is_some(),
            has_password: self.server.method.uses_password(),
        }
    }

    /// Whether the viewer may have this done now.
    pub fn can(&self, action: Action) -> std::result::Result<(), Denial> {
        can_server(action, self.role, self.subject())
    }

    pub fn can_power(&self, action: PowerAction) -> std::result::Result<(), Denial> {
        can_power(action, self.role, self.subject())
    }

    /// What a change of size would mean now, as far as is known.
    pub fn growth(&self) -> Growth {
        Growth {
            on: self.server.state != ServerState::Stopped,
            cpu_hot_add: self.server.cpu_hot_add,
            ram_hot_add: self.server.ram_hot_add,
            has_snapshot: self.server.snapshot_at.is_some(),
        }
    }

    /// Row and number of rows of the operation under way.
    pub fn progress(&self) -> Option<(usize, usize)> {
        self.current.as_ref().filter(|j| j.state.is_started()).map(progress)
    }
}

/// How a request about a server ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerAnswer {
    Accepted(JobId),
    /// The form was already sent with other values.
    OtherValues(JobId),
    Refused(Vec<FieldError>),
    Denied(Denial),
    TooMany {
        limit: i64,
    },
    Gone,
}

impl Facade {
    /// A customer's servers, newest first.
    pub async fn servers(&self, viewer: &Viewer) -> Result<Vec<ServerView>> {
        let Some(customer) = viewer.customer() else { return Ok(Vec::new()) };
        let servers = self.store.servers_of(customer).await?;
        self.views(viewer, customer, servers).await
    }

    /// One server, for its owner and for staff.
    pub async fn server(&self, viewer: &Viewer, id: ServerId) -> Result<Option<ServerView>> {
        let Some(server) = self.store.server(id).await?.filter(|s| viewer.may_see(s.customer)) else {
            return Ok(None);
        };
        let customer = server.customer;
        Ok(self.views(viewer, customer, vec![server]).await?.pop())
    }

    /// The newest operations of a server that the viewer may see.
    pub async fn server_activity(&self, viewer: &Viewer, server: &Server, limit: i64) -> Result<Vec<Job>> {
        if !viewer.may_see(server.customer) {
            return Ok(Vec::new());
        }
        self.store.jobs_of_server(server.id, limit).await
    }

    async fn views(
        &self,
        viewer: &Viewer,
        customer: CustomerId,
        servers: Vec<Server>,
    ) -> Result<Vec<ServerView>> {
        let jobs = self.store.jobs_unfinished(customer).await?;
        let waits = self.waits(customer).await?;
        Ok(servers
            .into_iter()
            .map(|server| {
                let own_jobs: Vec<&Job> = jobs.iter().filter(|j| j.server == Some(server.id)).collect();
                let terminating = own_jobs.iter().any(|j| j.kind == Kind::Terminate);
                let current = own_jobs.first().map(|j| (*j).clone());
                let waiting = current
                    .as_ref()
                    .and_then(|j| waits.iter().find(|(id, _)| *id == j.id))
                    .map(|(_, w)| w.clone());
                let own = viewer.owns(server.customer);
                ServerView { server, current, waiting, own, role: viewer.acts_as(), terminating }
            })
            .collect())
    }

    /// Asks for the end of a server. The name must be typed as it is.
    pub async fn server_terminate(
        &self,
        viewer: &Viewer,
        id: ServerId,
        typed_name: &str,
        key: &str,
        request_id: &str,
    ) -> Result<ServerAnswer> {
        let Some(view) = self.server(viewer, id).await?.filter(|v| v.own) else {
            return Ok(ServerAnswer::Gone);
        };
        let server = &view.server;
        let idempotency =
            Idempotency { key: key.to_owned(), body_hash: body_hash(&format!("terminate {id}")) };
        // A repeat of an accepted form is answered by the acceptance, whatever has changed since.
        if let Err(denial) = view.can(Action::Terminate) {
            let open = self.store.jobs_unfinished(server.customer).await?;
            let mine = open.iter().find(|j| j.kind == Kind::Terminate && j.server == Some(id));
            return Ok(match (denial, mine) {
                (Denial::Terminating, Some(job)) => ServerAnswer::Accepted(job.id),
                _ => ServerAnswer::Denied(denial),
            });
        }
        if server.state == ServerState::Terminated {
            return Ok(ServerAnswer::Gone);
        }
        if typed_name.trim().to_lowercase() != server.name.to_lowercase() {
            return Ok(ServerAnswer::Refused(vec![FieldError::new(
                Field::ConfirmName,
                Code::ConfirmNameWrong,
            )]));
        }
        let job = self.job_of(Kind::Terminate, viewer, id, request_id)?;
        self.accept(server, &job, &OrderSecrets::default(), &idempotency).await
    }

    /// Asks for a change of a server's power.
    pub async fn server_power(
        &self,
        viewer: &Viewer,
        id: ServerId,
        action: PowerAction,
        key: &str,
        request_id: &str,
    ) -> Result<ServerAnswer> {
        let Some(view) = self.server(viewer, id).await?.filter(|v| v.own) else {
            return Ok(ServerAnswer::Gone);
        };
        let body_hash = body_hash(&format!("power {action} {id}"));
        let idempotency = Idempotency { key: key.to_owned(), body_hash };
        if let Err(denial) = view.can_power(action) {
            // The form may be a repeat: what it asked for is under way, or done.
            return Ok(match self.store.accepted_before(view.server.customer, &idempotency).await? {
                Some(job) => ServerAnswer::Accepted(job),
                None => ServerAnswer::Denied(denial),
            });
        }
        if action == PowerAction::ForceOff
            && let Some(told) = self.force_shut_down(viewer, &view.server).await?
        {
            return Ok(ServerAnswer::Accepted(told));
        }
        let mut job = self.job_of(Kind::Power, viewer, id, request_id)?;
        job.params = serde_json::json!({ "action": action });
        self.accept(&view.server, &job, &OrderSecrets::default(), &idempotency).await
    }

    /// A shutdown that is under way is told to cut the power, instead of a second job waiting behind it.
    async fn force_shut_down(&self, viewer: &Viewer, server: &Server) -> Result<Option<JobId>> {
        let open = self.store.jobs_unfinished(server.customer).await?;
        let hanging = open.iter().find(|j| {
            j.server == Some(server.id)
                && j.action.as_deref() == Some(PowerAction::ShutDown.as_str())
                && matches!(j.state, JobState::Running | JobState::RetryWait)
        });
        let Some(job) = hanging else { return Ok(None) };
        let (customer, by) = (server.customer, viewer.account.id);
        let told = self.store.job_tell(customer, job.id, FORCE_OFF, by, self.now_ms()).await?;
        Ok(told.then_some(job.id))
    }

    pub(super) fn job_of(
        &self,
        kind: Kind,
        viewer: &Viewer,
        server: ServerId,
        request_id: &str,
    ) -> Result<NewJob> {
        let job = self.new_job(kind, viewer, server, request_id);
        job.ok_or_else(|| Error::Corrupt(format!("there is no workflow for {kind}")))
    }

    pub(super) async fn accept(
        &self,
        server: &Server,
        job: &NewJob,
        secrets: &OrderSecrets,
        idempotency: &Idempotency,
    ) -> Result<ServerAnswer> {
        self.accept_with(server, job, None, secrets, idempotency).await
    }

    /// The same, with a job that needs it.
    pub(super) async fn accept_with(
        &self,
        server: &Server,
        job: &NewJob,
        then: Option<&NewJob>,
        secrets: &OrderSecrets,
        idempotency: &Idempotency,
    ) -> Result<ServerAnswer> {
        let now = self.now_ms();
        Ok(match self.store.job_accept_with(server.customer, job, then, secrets, idempotency, now).await? {
            Accepted::New(job) | Accepted::Before(job) => ServerAnswer::Accepted(job),
            Accepted::OtherValues(job) => ServerAnswer::OtherValues(job),
            Accepted::TooMany { limit } => ServerAnswer::TooMany { limit },
            // Of a server that is there no licence is taken.
            Accepted::Gone | Accepted::SoldOut { .. } => ServerAnswer::Denied(Denial::Terminating),
        })
    }
}
