//! Placing an order: the draft becomes a server and a job, in one transaction.

use domain::{
    CustomerId, DraftId, JobId, ServerId,
    access::PasswordSource,
    draft::{OrderSpec, sold_out},
    field::{Code, Field, FieldError},
    kind::Kind,
    price::quote,
    state::ServerState,
};
use store::{
    Error, Result,
    drafts::Draft,
    orders::{Accepted, Idempotency, NewJob, NewServer, OrderSecrets},
    servers::{Server, ServerPanel},
};
use uuid::Uuid;

use super::{Facade, REVEAL_WAIT_MS, Viewer, operations::Blocker};
use crate::{passwords, workflows};

/// How placing an order ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderPlaced {
    /// Accepted now, or by an earlier post of the same draft.
    Accepted(JobId),
    /// Accepted now: so many servers, each with a job of its own.
    Several { first: JobId, servers: usize },
    /// Not accepted; nothing was stored.
    Refused(Vec<FieldError>),
    /// The customer has too many open jobs.
    TooMany { limit: i64 },
    /// There is no such draft.
    Gone,
}

/// What the customer was shown when pressing the button.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub total_minor: i64,
    /// Of everything chosen: see [`draft_digest`].
    pub digest: String,
}

/// Changes when anything in the draft does.
pub fn draft_digest(draft: &Draft) -> String {
    body_hash(&serde_json::to_string(&draft.values).unwrap_or_default())
}

/// What an order would wait for if it were placed now.
#[derive(Clone, Debug)]
pub struct QueuePreview {
    pub blockers: Vec<Blocker>,
    pub free_edges: i64,
    /// How many more operations the customer may have unfinished.
    pub room: i64,
    /// Nothing was ordered before.
    pub first: bool,
}

impl Facade {
    /// Places the order of a draft, if it is still what the customer was shown.
    pub async fn order_place(
        &self,
        viewer: &Viewer,
        draft: DraftId,
        accepts_terms: bool,
        seen: &Seen,
        request_id: &str,
    ) -> Result<OrderPlaced> {
        let Some(customer) = viewer.customer().filter(|c| viewer.owns(*c)) else {
            return Ok(OrderPlaced::Gone);
        };
        let Some(found) = self.store.draft(draft, customer).await? else { return Ok(OrderPlaced::Gone) };
        if let Some(job) = found.ordered {
            return Ok(OrderPlaced::Accepted(job));
        }
        let now = self.now_ms();
        if found.expires_at <= now {
            return Ok(OrderPlaced::Gone);
        }
        let (today, left) = (self.today(), self.licences_left().await?);
        let spec = match found.values.check(self.offer(&today, &left), found.password_kept) {
            Ok(spec) => spec,
            Err(errors) => return Ok(OrderPlaced::Refused(errors)),
        };
        let each = quote(&self.catalogue.prices, &spec.template, spec.panel.as_ref(), spec.size).total_minor;
        let total = each * spec.servers.len() as i64;
        let mut orders = Vec::with_capacity(spec.servers.len());
        for named in &spec.servers {
            let server = server_row(customer, &spec, named, each, now);
            let Some(activate) = self.new_job(Kind::Activate, viewer, server.id, request_id) else {
                return Err(Error::Corrupt("there is no workflow for activate".into()));
            };
            let panel = self.panel_job(viewer, &server, &activate);
            let secrets = self.order_secrets(draft, customer, &spec, now).await?;
            orders.push(NewServer { server, secrets, activate, panel });
        }
        let own = orders.first().and_then(|order| order.secrets.job.as_ref());
        let mut errors = Vec::new();
        if let (PasswordSource::Own, Some(password)) = (spec.password_source, own) {
            errors.extend(self.password_errors(&found.values, password));
        }
        // Accepted once, they hold for what follows.
        if !accepts_terms && !self.store.has_ordered(customer).await? {
            errors.push(FieldError::new(Field::Terms, Code::TermsMissing));
        }
        if total != seen.total_minor {
            errors.push(FieldError::new(Field::Price, Code::PriceStale));
        }
        if draft_digest(&found) != seen.digest {
            errors.push(FieldError::new(Field::Price, Code::OrderChanged));
        }
        if !errors.is_empty() {
            return Ok(OrderPlaced::Refused(errors));
        }
        let idempotency = Idempotency { key: draft.to_string(), body_hash: draft_digest(&found) };
        let draft_seen = (draft, found.updated_at);
        let licences = spec.panel.as_ref().and_then(|p| p.licences);
        Ok(match self.store.order_accept(draft_seen, &orders, licences, &idempotency, now).await? {
            Accepted::New(first) if orders.len() > 1 => OrderPlaced::Several { first, servers: orders.len() },
            Accepted::New(job) | Accepted::Before(job) | Accepted::OtherValues(job) => {
                OrderPlaced::Accepted(job)
            }
            Accepted::TooMany { limit } => OrderPlaced::TooMany { limit },
            Accepted::SoldOut { left } => {
                let wanted = spec.servers.len() as u32;
                OrderPlaced::Refused(spec.panel.iter().map(|p| sold_out(p, left, wanted)).collect())
            }
            // Another post of the same draft was faster: it was ordered, or changed.
            Accepted::Gone => match self.store.draft(draft, customer).await? {
                Some(Draft { ordered: Some(job), .. }) => OrderPlaced::Accepted(job),
                Some(_) => OrderPlaced::Refused(vec![FieldError::new(Field::Price, Code::OrderChanged)]),
                None => OrderPlaced::Gone,
            },
        })
    }

    /// What an order placed now would wait for.
    pub async fn order_preview(&self, customer: CustomerId) -> Result<QueuePreview> {
        let jobs = self.store.jobs_unfinished(customer).await?;
        // An activate conflicts with everything of its customer but a refresh.
        let blockers = jobs.iter().filter(|j| j.kind != Kind::Refresh).map(Blocker::of).collect();
        Ok(QueuePreview {
            blockers,
            free_edges: self.store.edges_free().await?,
            room: (self.store.open_limit() - jobs.len() as i64).max(0),
            first: !self.store.has_ordered(customer).await?,
        })
    }

    /// A job row for the store, with the steps and shape of its workflow.
    pub(super) fn new_job(
        &self,
        kind: Kind,
        viewer: &Viewer,
        server: ServerId,
        request_id: &str,
    ) -> Option<NewJob> {
        let (steps, shape) = workflows::plan(kind)?;
        Some(NewJob {
            id: JobId(Uuid::now_v7()),
            kind,
            server,
            provider: crate::provider_vcd::NAME,
            needs: None,
            params: serde_json::json!({}),
            shape,
            steps,
            hold_on_failure: workflows::hold_on_failure(kind),
            requested_by: viewer.account.id,
            request_id: request_id.to_owned(),
        })
    }

    /// The job that installs a server's panel once this one has made its system, where it has a panel.
    pub(super) fn panel_job(&self, viewer: &Viewer, server: &Server, first: &NewJob) -> Option<NewJob> {
        let panel = server.panel.as_ref()?;
        let job = self.new_job(Kind::InstallPanel, viewer, server.id, &first.request_id)?;
        let params = serde_json::json!({"panel_name": panel.name});
        Some(NewJob { needs: Some(first.id), params, ..job })
    }

    async fn order_secrets(
        &self,
        draft: DraftId,
        customer: CustomerId,
        spec: &OrderSpec,
        now: i64,
    ) -> Result<OrderSecrets> {
        if !spec.method.uses_password() {
            return Ok(OrderSecrets::default());
        }
        match spec.password_source {
            PasswordSource::Own => {
                Ok(OrderSecrets { job: self.store.draft_password(draft, customer).await?, reveal: None })
            }
            PasswordSource::Generated => {
                let password = passwords::generate().map_err(|_| Error::Sealed)?;
                Ok(OrderSecrets {
                    job: Some(password.clone()),
                    reveal: Some((password, now + REVEAL_WAIT_MS)),
                })
            }
        }
    }
}

fn server_row(
    customer: CustomerId,
    spec: &OrderSpec,
    (name, hostname): &(String, String),
    price_minor: i64,
    now: i64,
) -> Server {
    Server {
        id: ServerId(Uuid::now_v7()),
        customer,
        name: name.clone(),
        hostname: hostname.clone(),
        template_id: spec.template.id.clone(),
        template_name: spec.template.name.clone(),
        family: spec.template.family,
        size: spec.size,
        price_minor,
        method: spec.method,
        guest_login: spec.guest_login.clone(),
        own_password: spec.method.uses_password() && spec.password_source == PasswordSource::Own,
        ssh_keys: spec.ssh_keys.clone(),
        state: ServerState::Ordered,
        address: None,
        machine_ref: None,
        network_ref: None,
        observed_at: None,
        created_at: now,
        terminated_at: None,
        cpu_hot_add: false,
        ram_hot_add: false,
        snapshot_at: None,
        next_address: None,
        network_turn: 0,
        panel: spec.panel.as_ref().map(|p| ServerPanel {
            id: p.id.clone(),
            name: p.name.clone(),
            price_minor: p.licence_minor,
            since: None,
        }),
    }
}

/// A digest of what was asked for, to tell a repeat from another request under the same key.
pub(super) fn body_hash(body: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(body.as_bytes()).iter().map(|b| format!("{b:02x}")).collect()
}
