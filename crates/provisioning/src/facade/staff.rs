//! What staff look at: a job, and what differs. The pool is in
//! [`pool`](super::pool), groups are in [`groups`](super::groups). Each call answers `None` to anybody else. The list of jobs is in
//! [`staff_jobs`](super::staff_jobs).

use domain::{
    JobId, ServerId,
    drift::{Acceptable, DriftKind},
    field::{Code, Field, FieldError},
    kind::Kind,
    permission::Action,
    price::Item,
    size::Size,
    state::Role,
};
use store::{
    Event, Result,
    accounts::Account,
    audit::Subject,
    drift::Drift,
    jobs::Job,
    orders::{Idempotency, OrderSecrets},
    progress::LogLine,
    servers::{Price, Server},
};

use super::{ByHand, Facade, Form, ServerAnswer, Viewer, Waiting, orders::body_hash};
use crate::workflows::WantedEdge;

/// A job with everything known of it.
#[derive(Clone, Debug)]
pub struct StaffJob {
    pub job: Job,
    pub server: Option<Server>,
    pub customer_email: String,
    pub requester: String,
    /// Who looks after it.
    pub assignee: Option<Account>,
    pub waiting: Option<Waiting>,
    pub events: Vec<Event>,
    /// Who did what of it by hand.
    pub hands: Vec<ByHand>,
    /// The end of what its steps have said.
    pub log: Vec<LogLine>,
    pub version: i64,
}

/// Lines of the log that are shown.
const LOG_SHOWN: i64 = 300;
const EVENTS_SHOWN: i64 = 200;
/// Lines that are written into a file: more than any job has said.
const LOG_WHOLE: i64 = 100_000;
/// A reason says something, and no more than fits a line.
const WHY_MIN: usize = 10;
const WHY_MAX: usize = 200;

/// A reason as it is kept, or why it is none.
pub(super) fn reason(why: &str) -> std::result::Result<String, Vec<FieldError>> {
    let why: String = why.trim().chars().take(WHY_MAX).collect();
    if why.chars().count() < WHY_MIN {
        return Err(vec![FieldError::new(Field::Why, Code::WhyShort)]);
    }
    Ok(why)
}

impl Facade {
    pub async fn staff_job(&self, viewer: &Viewer, id: JobId) -> Result<Option<StaffJob>> {
        if !viewer.role().is_staff() {
            return Ok(None);
        }
        let Some(head) = self.store.job(id).await? else { return Ok(None) };
        // The version first: what is read after it is at least as new.
        let version = self.store.context_version(head.customer).await?;
        let Some(job) = self.store.job(id).await? else { return Ok(None) };
        let server = match job.server {
            Some(server) => self.store.server(server).await?,
            None => None,
        };
        let waiting = self.waiting_of(&job).await?;
        let email = |id| async move {
            Ok::<_, store::Error>(self.store.account(id).await?.map(|a| a.email).unwrap_or_default())
        };
        let customer_email = email(domain::AccountId(job.customer.0)).await?;
        let requester = email(job.requested_by).await?;
        let assignee = match job.assignee {
            Some(id) => self.store.account(id).await?,
            None => None,
        };
        let events = self.store.job_events(id, EVENTS_SHOWN).await?;
        let log = self.store.job_log(id, LOG_SHOWN).await?;
        let hands = self.hands(&events).await?;
        Ok(Some(StaffJob {
            job,
            server,
            customer_email,
            requester,
            assignee,
            waiting,
            events,
            hands,
            log,
            version,
        }))
    }

    /// A job's number, and everything that happened to it and that its steps have said, in order.
    pub async fn staff_job_log(&self, viewer: &Viewer, id: JobId) -> Result<Option<(i64, Vec<LogLine>)>> {
        if !viewer.role().is_staff() {
            return Ok(None);
        }
        let Some(job) = self.store.job(id).await? else { return Ok(None) };
        let events = self.store.job_events(id, LOG_WHOLE).await?;
        let hands = self.hands(&events).await?;
        let mut lines: Vec<LogLine> = events
            .into_iter()
            .map(|event| {
                let by_hand = hands.iter().find(|hand| hand.version == event.version);
                let said = match by_hand {
                    Some(hand) => format!("{}: {}", hand.by, hand.why),
                    None => event.detail.unwrap_or_default(),
                };
                let text = format!("{} {said}", event.what);
                let text = text.trim_end().to_owned();
                LogLine { line: event.version, at: event.at, step: event.step.unwrap_or_default(), text }
            })
            .collect();
        lines.extend(self.store.job_log(id, LOG_WHOLE).await?);
        // Each of both is in order already, and stays so.
        lines.sort_by_key(|line| line.at);
        Ok(Some((job.number, lines)))
    }

    /// Everything that is otherwise than it should be, and what nobody owns, the oldest first.
    pub async fn staff_drift(&self, viewer: &Viewer) -> Result<Option<Vec<Drift>>> {
        if !viewer.role().is_staff() {
            return Ok(None);
        }
        self.store.drift(None).await.map(Some)
    }

    /// What is seen of a server becomes what is wanted of it. Returns whether that was possible.
    pub async fn drift_accept(&self, viewer: &Viewer, id: ServerId, kind: DriftKind) -> Result<bool> {
        if viewer.role() != Role::Admin {
            return Ok(false);
        }
        let Some(server) = self.store.server(id).await? else { return Ok(false) };
        let seen = self.store.drift(Some(id)).await?;
        let seen = seen.into_iter().find(|d| d.seen.kind == kind).and_then(|d| d.seen.observed);
        let size = match seen.and_then(|observed| kind.acceptable(&observed)) {
            Some(Acceptable::Hostname(name)) => {
                self.store.server_set_hostname(server.customer, id, &name).await?;
                self.audit_server(viewer, "drift_accept", &server, kind.as_str()).await?;
                return Ok(true);
            }
            Some(Acceptable::Hardware(has)) => has.size(server.size.bandwidth_mbit),
            Some(Acceptable::Speed(bandwidth_mbit)) => Some(Size { bandwidth_mbit, ..server.size }),
            None => None,
        };
        let Some(size) = size else { return Ok(false) };
        let Some(template) = self.catalogue.template(&server.template_id) else { return Ok(false) };
        let quote = domain::price::quote(&self.catalogue.prices, template, self.panel_on(&server), size);
        let price = Price { minor: quote.total_minor, panel_minor: quote.of(Item::Panel) };
        self.store.server_accept_size(server.customer, id, size, price).await?;
        self.audit_server(viewer, "drift_accept", &server, kind.as_str()).await?;
        Ok(true)
    }

    /// Moves a server to another edge: for an administrator, who says why, and whether the old edge stays out of the pool.
    pub async fn server_change_edge(
        &self,
        viewer: &Viewer,
        id: ServerId,
        why: &str,
        keep_out: bool,
        form: Form<'_>,
    ) -> Result<ServerAnswer> {
        if viewer.role() != Role::Admin {
            return Ok(ServerAnswer::Gone);
        }
        let Some(view) = self.server(viewer, id).await? else { return Ok(ServerAnswer::Gone) };
        let why = reason(why);
        let idempotency = Idempotency {
            key: form.key.to_owned(),
            body_hash: body_hash(&format!(
                "change_edge {id} {keep_out} {}",
                why.as_deref().unwrap_or_default()
            )),
        };
        if let Some(job) = self.store.accepted_before(view.server.customer, &idempotency).await? {
            return Ok(ServerAnswer::Accepted(job));
        }
        if let Err(denial) = view.can(Action::ChangeEdge) {
            return Ok(ServerAnswer::Denied(denial));
        }
        let why = match why {
            Ok(why) => why,
            Err(errors) => return Ok(ServerAnswer::Refused(errors)),
        };
        let mut job = self.job_of(Kind::ChangeEdge, viewer, id, form.request_id)?;
        job.params = serde_json::to_value(WantedEdge { why: why.clone(), keep_out })
            .map_err(|e| store::Error::Corrupt(e.to_string()))?;
        let answer = self.accept(&view.server, &job, &OrderSecrets::default(), &idempotency).await?;
        if let ServerAnswer::Accepted(_) = answer {
            self.audit_server(viewer, "server_change_edge", &view.server, &why).await?;
        }
        Ok(answer)
    }

    async fn audit_server(&self, viewer: &Viewer, what: &str, server: &Server, detail: &str) -> Result<()> {
        let subject = Subject { kind: "server", id: server.id.to_string(), name: server.name.clone() };
        self.store.audit_add(Some(viewer.account.id), what, &subject, detail, self.now_ms()).await
    }
}
