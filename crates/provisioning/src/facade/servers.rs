//! A customer's servers: looking, and taking one down.

use domain::{
    CustomerId, JobId, ServerId,
    field::{Code, Field, FieldError},
    kind::Kind,
    permission::{Action, Denial, can_server},
    power::PowerAction,
    state::{JobState, ServerState},
};
use store::{
    Error, Result,
    jobs::Job,
    orders::{Accepted, Idempotency, NewJob},
    servers::Server,
};

use crate::workflows::FORCE_OFF;

use super::{Facade, Viewer, Waiting, operations::progress, orders::body_hash};

/// A server and what is being done to it.
#[derive(Clone, Debug)]
pub struct ServerView {
    pub server: Server,
    /// Its first unfinished operation.
    pub current: Option<Job>,
    /// Why that operation waits, if it is queued.
    pub waiting: Option<Waiting>,
    pub can_terminate: std::result::Result<(), Denial>,
    /// Whether its power is anybody's to change, whatever it is doing.
    power: std::result::Result<(), Denial>,
    pub own: bool,
}

impl ServerView {
    /// Whether the viewer may have this done now.
    pub fn can_power(&self, action: PowerAction) -> std::result::Result<(), Denial> {
        self.power.and(action.allowed_in(self.server.state))
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
    Refused(FieldError),
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
                let can_terminate = can_server(Action::Terminate, viewer.role(), server.state, terminating);
                let power = can_server(Action::Power, viewer.role(), server.state, terminating);
                let own = viewer.owns(server.customer);
                ServerView { server, current, waiting, can_terminate, power, own }
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
        if let Err(denial) = view.can_terminate {
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
            return Ok(ServerAnswer::Refused(FieldError::new(Field::ConfirmName, Code::ConfirmNameWrong)));
        }
        let Some(job) = self.new_job(Kind::Terminate, viewer, id, request_id) else {
            return Err(Error::Corrupt("there is no workflow for terminate".into()));
        };
        self.accept(server, &job, &idempotency).await
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
        let Some(mut job) = self.new_job(Kind::Power, viewer, id, request_id) else {
            return Err(Error::Corrupt("there is no workflow for power".into()));
        };
        job.params = serde_json::json!({ "action": action });
        self.accept(&view.server, &job, &idempotency).await
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

    async fn accept(&self, server: &Server, job: &NewJob, idempotency: &Idempotency) -> Result<ServerAnswer> {
        Ok(match self.store.job_accept(server.customer, job, idempotency, self.now_ms()).await? {
            Accepted::New(job) | Accepted::Before(job) => ServerAnswer::Accepted(job),
            Accepted::OtherValues(job) => ServerAnswer::OtherValues(job),
            Accepted::TooMany { limit } => ServerAnswer::TooMany { limit },
            Accepted::Gone => ServerAnswer::Denied(Denial::Terminating),
        })
    }
}
