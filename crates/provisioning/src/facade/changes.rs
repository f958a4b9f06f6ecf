//! What an owner may have changed of a server: its size, its address, its system, its password, its snapshot, its name.

use domain::{
    ServerId,
    catalogue::Limits,
    field::{Code, Field, FieldError},
    hostname::check_name,
    kind::Kind,
    panel::Panel,
    permission::Action,
    price::{Item, Quote, quote},
    resize::{Effects, Impossible, effects},
    size::{Size, check_size_of},
    snapshot::SnapshotAction,
};
use serde_json::json;
use store::{
    Error, Result,
    drift::Drift,
    orders::{Idempotency, NewJob, OrderSecrets},
    servers::Server,
};

use super::{Facade, REVEAL_WAIT_MS, ServerAnswer, ServerView, Viewer, orders::body_hash};
use crate::{passwords, workflows::Wanted};

/// What a change of size would mean.
#[derive(Clone, Debug, PartialEq)]
pub struct ResizePreview {
    pub size: Size,
    pub effects: Effects,
    pub quote: Quote,
}

/// A form as it was sent.
#[derive(Clone, Copy, Debug)]
pub struct Form<'f> {
    /// Made when it was rendered: the same form sent twice is one request.
    pub key: &'f str,
    pub request_id: &'f str,
}

impl Facade {
    /// A server's panel, as the catalogue has it.
    pub(super) fn panel_on(&self, server: &Server) -> Option<&Panel> {
        self.catalogue.panel(&server.panel.as_ref()?.id)
    }

    /// The limits of a server's size: those of its template, and never less disk than it has.
    pub fn resize_limits(&self, view: &ServerView) -> Option<Limits> {
        let template = self.catalogue.template(&view.server.template_id)?;
        let mut limits = self.catalogue.limits(template, self.panel_on(&view.server));
        limits.disk_gb.min = limits.disk_gb.min.max(view.server.size.disk_gb);
        Some(limits)
    }

    /// What this size would mean for a server: for each parameter, and for the price. Errors name the field and whose
    /// limit it is.
    pub fn resize_preview(
        &self,
        view: &ServerView,
        typed: [&str; 4],
    ) -> std::result::Result<ResizePreview, Vec<FieldError>> {
        let gone = || {
            vec![
                FieldError::new(Field::Template, Code::TemplateGone)
                    .with("system", &view.server.template_name),
            ]
        };
        let template = self.catalogue.template(&view.server.template_id).ok_or_else(gone)?;
        let panel = self.panel_on(&view.server);
        let size = check_size_of(typed, &self.catalogue, template, panel)?;
        let effects = effects(view.server.size, size, view.growth());
        let now = view.server.size.disk_gb;
        match effects.impossible() {
            Some(Impossible::DiskShrinks) => {
                return Err(vec![FieldError::new(Field::Disk, Code::DiskShrinks).with("now", now)]);
            }
            Some(Impossible::SnapshotInTheWay) => {
                return Err(vec![FieldError::new(Field::Disk, Code::DiskSnapshot)]);
            }
            None => {}
        }
        if effects.is_nothing() {
            return Err(vec![FieldError::new(Field::Size, Code::NothingChanged)]);
        }
        Ok(ResizePreview { size, effects, quote: quote(&self.catalogue.prices, template, panel, size) })
    }

    /// Asks for another size. `seen_minor` is the price that was shown.
    pub async fn server_resize(
        &self,
        viewer: &Viewer,
        id: ServerId,
        typed: [&str; 4],
        seen_minor: Option<i64>,
        form: Form<'_>,
    ) -> Result<ServerAnswer> {
        let Some(view) = self.server(viewer, id).await?.filter(|v| v.own) else {
            return Ok(ServerAnswer::Gone);
        };
        let idempotency = Idempotency {
            key: form.key.to_owned(),
            body_hash: body_hash(&format!("resize {id} {}", typed.join(" "))),
        };
        if let Some(job) = self.store.accepted_before(view.server.customer, &idempotency).await? {
            return Ok(ServerAnswer::Accepted(job));
        }
        if let Err(denial) = view.can(Action::Resize) {
            return Ok(ServerAnswer::Denied(denial));
        }
        let preview = match self.resize_preview(&view, typed) {
            Ok(preview) => preview,
            Err(errors) => return Ok(ServerAnswer::Refused(errors)),
        };
        let price_minor = preview.quote.total_minor;
        if seen_minor.is_some_and(|seen| seen != price_minor) {
            return Ok(ServerAnswer::Refused(vec![FieldError::new(Field::Price, Code::PriceStale)]));
        }
        let alone = preview.effects.is_bandwidth_alone();
        let kind = if alone { Kind::ChangeBandwidth } else { Kind::Resize };
        let mut job = self.job_of(kind, viewer, id, form.request_id)?;
        job.params = serde_json::to_value(Wanted {
            size: preview.size,
            price_minor,
            panel_minor: preview.quote.of(Item::Panel),
        })
        .map_err(|e| Error::Corrupt(e.to_string()))?;
        self.accept(&view.server, &job, &OrderSecrets::default(), &idempotency).await
    }

    /// Asks for another address of the block.
    pub async fn server_change_ip(
        &self,
        viewer: &Viewer,
        id: ServerId,
        accepts_dns: bool,
        form: Form<'_>,
    ) -> Result<ServerAnswer> {
        if !accepts_dns {
            return self
                .owned(viewer, id, |_| {
                    ServerAnswer::Refused(vec![FieldError::new(Field::Dns, Code::DnsMissing)])
                })
                .await;
        }
        let job = |facade: &Self| facade.job_of(Kind::ChangeIp, viewer, id, form.request_id);
        self.asked(viewer, id, Action::ChangeIp, form, "change_ip", OrderSecrets::default(), job).await
    }

    /// Asks for a new password. It is made here, and shown once when it is set.
    pub async fn server_reset_password(
        &self,
        viewer: &Viewer,
        id: ServerId,
        form: Form<'_>,
    ) -> Result<ServerAnswer> {
        let secrets = self.generated()?;
        let job = |facade: &Self| facade.job_of(Kind::ResetPassword, viewer, id, form.request_id);
        self.asked(viewer, id, Action::ResetPassword, form, "reset_password", secrets, job).await
    }

    pub async fn server_snapshot(
        &self,
        viewer: &Viewer,
        id: ServerId,
        action: SnapshotAction,
        form: Form<'_>,
    ) -> Result<ServerAnswer> {
        let job = |facade: &Self| {
            let mut job = facade.job_of(Kind::Snapshot, viewer, id, form.request_id)?;
            job.params = json!({ "action": action });
            Ok(job)
        };
        let what = format!("snapshot {action}");
        self.asked(viewer, id, action.action(), form, &what, OrderSecrets::default(), job).await
    }

    /// What of a server is otherwise than it should be, for its owner and for staff.
    pub async fn server_drift(&self, viewer: &Viewer, server: &Server) -> Result<Vec<Drift>> {
        if !viewer.may_see(server.customer) {
            return Ok(Vec::new());
        }
        self.store.drift(Some(server.id)).await
    }

    /// Asks for everything that is otherwise to be put right now, with a restart.
    pub async fn server_repair(&self, viewer: &Viewer, id: ServerId, form: Form<'_>) -> Result<ServerAnswer> {
        let job = |facade: &Self| {
            let mut job = facade.job_of(Kind::Repair, viewer, id, form.request_id)?;
            job.params = json!({ "restart": true });
            Ok(job)
        };
        self.asked(viewer, id, Action::Repair, form, "repair", OrderSecrets::default(), job).await
    }

    /// Gives a server another name: a label, changed at once.
    pub async fn server_rename(
        &self,
        viewer: &Viewer,
        id: ServerId,
        typed: &str,
    ) -> Result<std::result::Result<(), Option<FieldError>>> {
        let Some(view) = self.server(viewer, id).await?.filter(|v| v.own) else { return Ok(Err(None)) };
        if view.can(Action::Rename).is_err() {
            return Ok(Err(None));
        }
        let name = match check_name(typed) {
            Ok(name) => name,
            Err(error) => return Ok(Err(Some(error))),
        };
        let done = self.store.server_rename(view.server.customer, id, &name).await?;
        Ok(if done { Ok(()) } else { Err(None) })
    }

    async fn owned(
        &self,
        viewer: &Viewer,
        id: ServerId,
        answer: impl FnOnce(&ServerView) -> ServerAnswer,
    ) -> Result<ServerAnswer> {
        let view = self.server(viewer, id).await?.filter(|v| v.own);
        Ok(view.map_or(ServerAnswer::Gone, |view| answer(&view)))
    }

    /// One more operation on a server, if its owner asks and it may be done.
    #[allow(clippy::too_many_arguments, reason = "one form, one call")]
    pub(super) async fn asked(
        &self,
        viewer: &Viewer,
        id: ServerId,
        action: Action,
        form: Form<'_>,
        what: &str,
        secrets: OrderSecrets,
        job: impl FnOnce(&Self) -> Result<NewJob>,
    ) -> Result<ServerAnswer> {
        let Some(view) = self.server(viewer, id).await?.filter(|v| v.own) else {
            return Ok(ServerAnswer::Gone);
        };
        let idempotency =
            Idempotency { key: form.key.to_owned(), body_hash: body_hash(&format!("{what} {id}")) };
        // A repeat of an accepted form is answered by the acceptance, whatever has changed since.
        if let Some(job) = self.store.accepted_before(view.server.customer, &idempotency).await? {
            return Ok(ServerAnswer::Accepted(job));
        }
        if let Err(denial) = view.can(action) {
            return Ok(ServerAnswer::Denied(denial));
        }
        self.accept(&view.server, &job(self)?, &secrets, &idempotency).await
    }

    pub(super) fn generated(&self) -> Result<OrderSecrets> {
        let password = passwords::generate().map_err(|_| Error::Sealed)?;
        let until = self.now_ms() + REVEAL_WAIT_MS;
        Ok(OrderSecrets { job: Some(password.clone()), reveal: Some((password, until)) })
    }
}
