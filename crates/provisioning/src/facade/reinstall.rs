//! A fresh system in place of the old one: the same, or another that fits the server, and another way to sign in.

use domain::{
    ServerId,
    access::PasswordSource,
    catalogue::Template,
    draft::DraftValues,
    field::{Code, Field, FieldError},
    keys::{private_key_line, without_private_keys},
    kind::Kind,
    permission::Action,
    reinstall::{Kept, System, Unfit, fits},
};
use secrecy::{ExposeSecret, SecretString};
use store::{
    Error, Result,
    orders::{Idempotency, OrderSecrets},
};

use super::{Facade, Form, ServerAnswer, ServerView, Viewer, drafts::cut, orders::body_hash};

/// What was typed into the form.
#[derive(Debug, Default)]
pub struct ReinstallWish {
    pub template: String,
    pub method: String,
    pub guest_login: String,
    pub password_source: String,
    pub password: Option<SecretString>,
    pub ssh_keys: String,
    pub confirm_name: String,
}

impl Facade {
    /// Every system, and why it does not fit this server.
    pub fn reinstall_systems(&self, view: &ServerView) -> Vec<(&Template, Option<Unfit>)> {
        let fit = |t| self.fits(view, t).err();
        self.catalogue.offered().map(|t| (t, fit(t))).collect()
    }

    fn fits(&self, view: &ServerView, template: &Template) -> std::result::Result<(), Unfit> {
        let s = &view.server;
        let kept = Kept {
            template: &s.template_id,
            panel: self.panel_on(s),
            size: s.size,
            hostname: &s.hostname,
            price_minor: s.price_minor,
        };
        fits(&self.catalogue, template, kept, &self.today())
    }

    /// The form as it is before anything is typed: what the server has.
    pub fn reinstall_values(&self, view: &ServerView) -> DraftValues {
        let s = &view.server;
        DraftValues {
            template: s.template_id.clone(),
            method: s.method.as_str().into(),
            guest_login: s.guest_login.clone(),
            password_source: PasswordSource::Generated.as_str().into(),
            ssh_keys: s.ssh_keys.join("\n"),
            ..DraftValues::default()
        }
    }

    /// What of pasted keys may be shown again: a private one is not.
    pub fn without_private_keys(&self, pasted: &str) -> String {
        if private_key_line(pasted).is_some() { without_private_keys(pasted) } else { pasted.to_owned() }
    }

    /// Asks for a fresh machine in place of the server's. Its name must be typed as it is.
    pub async fn server_reinstall(
        &self,
        viewer: &Viewer,
        id: ServerId,
        wish: ReinstallWish,
        form: Form<'_>,
    ) -> Result<ServerAnswer> {
        let Some(view) = self.server(viewer, id).await?.filter(|v| v.own) else {
            return Ok(ServerAnswer::Gone);
        };
        let server = &view.server;
        let mut values = DraftValues {
            template: wish.template,
            name: server.name.clone(),
            hostname: server.hostname.clone(),
            method: wish.method,
            guest_login: wish.guest_login,
            password_source: wish.password_source,
            ssh_keys: wish.ssh_keys,
            ..DraftValues::default()
        };
        cut(&mut values);
        let typed = [
            &*values.template,
            &values.method,
            &values.guest_login,
            &values.password_source,
            &values.ssh_keys,
        ];
        let what = format!("reinstall {id} {}", typed.join(" "));
        let idempotency = Idempotency { key: form.key.to_owned(), body_hash: body_hash(&what) };
        // A repeat of an accepted form is answered by the acceptance, whatever has changed since.
        if let Some(job) = self.store.accepted_before(server.customer, &idempotency).await? {
            return Ok(ServerAnswer::Accepted(job));
        }
        if let Err(denial) = view.can(Action::Reinstall) {
            return Ok(ServerAnswer::Denied(denial));
        }
        let password = wish.password.filter(|p| !p.expose_secret().is_empty());
        let mut errors = Vec::new();
        if wish.confirm_name.trim().to_lowercase() != server.name.to_lowercase() {
            errors.push(FieldError::new(Field::ConfirmName, Code::ConfirmNameWrong));
        }
        let system = self.chosen_system(&view, &mut values, password.as_ref());
        let system = system.map_err(|wrong| errors.splice(0..0, wrong));
        let Ok(system) = system.map_err(drop) else { return Ok(ServerAnswer::Refused(errors)) };
        if !errors.is_empty() {
            return Ok(ServerAnswer::Refused(errors));
        }
        let secrets = match (system.method.uses_password(), system.own_password) {
            (false, _) => OrderSecrets::default(),
            (true, true) => OrderSecrets { job: password, reveal: None },
            (true, false) => self.generated()?,
        };
        let mut job = self.job_of(Kind::Reinstall, viewer, id, form.request_id)?;
        job.params = serde_json::to_value(&system).map_err(|e| Error::Corrupt(e.to_string()))?;
        let panel = self.panel_job(viewer, server, &job);
        self.accept_with(server, &job, panel.as_ref(), &secrets, &idempotency).await
    }

    /// The system that was typed, if every rule holds.
    fn chosen_system(
        &self,
        view: &ServerView,
        values: &mut DraftValues,
        password: Option<&SecretString>,
    ) -> std::result::Result<System, Vec<FieldError>> {
        let template = values.check_os(&self.catalogue)?.clone();
        if let Err(unfit) = self.fits(view, &template) {
            return Err(vec![
                FieldError::new(Field::Template, Code::TemplateUnfit).with("why", unfit.as_str()),
            ]);
        }
        if let Some(password) = password {
            values.password_errors = self.password_errors(values, password);
        }
        let access = values.check_access(&self.catalogue, password.is_some())?;
        let own = access.method.uses_password() && access.password_source == PasswordSource::Own;
        Ok(System {
            template_id: template.id,
            template_name: template.name,
            family: template.family,
            method: access.method,
            guest_login: access.guest_login,
            own_password: own,
            ssh_keys: access.ssh_keys,
        })
    }
}
