//! Drafts of orders: begun, saved step by step, discarded.

use domain::{
    AccountId, CustomerId, DraftId, JobId,
    access::{Method, PasswordSource, check_password},
    catalogue::Family,
    draft::{DraftValues, Offer, WizardStep},
    field::{Code, Field, FieldError},
    hostname::check_hostname,
    keys::{private_key_line, without_private_keys},
    price::{Quote, quote},
    size::Size,
};
use secrecy::{ExposeSecret, SecretString};
use store::{
    Result,
    drafts::{Draft, DraftPassword},
};
use uuid::Uuid;

use super::Facade;
use crate::passwords;

/// Drafts live this long after the start, ms.
const LIFE_MS: i64 = 14 * 86_400_000;
/// Values longer than this are cut before they are kept: no rule allows them anyway.
const VALUE_MAX: usize = 32 * 1024;
const SHORT_MAX: usize = 300;

/// A draft, and what is wrong with it now.
#[derive(Clone, Debug)]
pub struct JudgedDraft {
    pub draft: Draft,
    /// The steps that are not in order, and why.
    pub faults: Vec<(WizardStep, Vec<FieldError>)>,
    /// How many licences are left of the panels whose licences are counted.
    pub left: Vec<(String, u32)>,
    /// The day on which it was looked at, an ISO date.
    pub today: String,
}

impl JudgedDraft {
    pub fn errors(&self, step: WizardStep) -> &[FieldError] {
        self.faults.iter().find(|(s, _)| *s == step).map_or(&[], |(_, errors)| errors)
    }

    /// The first step that is not in order, if any.
    pub fn first_faulty(&self) -> Option<WizardStep> {
        self.faults.first().map(|(step, _)| *step)
    }
}

/// How saving a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DraftSaved {
    /// Saved, and the step is in order.
    InOrder,
    /// Saved as typed, and something is wrong with it.
    WithErrors,
    /// It became an order before.
    Ordered(JobId),
    /// Its time is over.
    Expired,
    /// There is no such draft.
    Gone,
}

impl Facade {
    /// Begins an order with working defaults in every step.
    pub async fn draft_start(&self, customer: CustomerId) -> Result<DraftId> {
        let number = self.store.name_number(customer).await?;
        let mut values = DraftValues::start(&self.catalogue, &format!("web-{number:02}"));
        // The system of last time, if it is still offered.
        let before = self.store.servers_of(customer).await?.into_iter().next();
        if let Some(template) = before.and_then(|s| self.catalogue.offer(&s.template_id)) {
            values.template = template.id.clone();
            values.fill_size(self.catalogue.default_size(template));
            values.fill_family(template.family);
        }
        let keys = self.store.ssh_keys(AccountId(customer.0)).await?;
        let preset: Vec<String> = keys.into_iter().filter(|k| k.preset).map(|k| k.line).collect();
        if !preset.is_empty() && values.family(&self.catalogue) == Family::Linux {
            values.method = Method::Key.as_str().into();
            values.ssh_keys = preset.join("\n");
        }
        values.remember_offer(&self.catalogue, None);
        let (id, now) = (DraftId(Uuid::now_v7()), self.now_ms());
        self.store.draft_add(id, customer, &values, now, now + LIFE_MS).await?;
        Ok(id)
    }

    /// The size of the newest server that is still there.
    pub async fn size_before(&self, customer: CustomerId) -> Result<Option<Size>> {
        Ok(self.store.servers_of(customer).await?.first().map(|s| s.size))
    }

    pub async fn draft(&self, id: DraftId, customer: CustomerId) -> Result<Option<JudgedDraft>> {
        let Some(draft) = self.store.draft(id, customer).await? else { return Ok(None) };
        let left = self.licences_left().await?;
        Ok(Some(self.judge(draft, &self.today(), left)))
    }

    pub async fn drafts_open(&self, customer: CustomerId) -> Result<Vec<JudgedDraft>> {
        let drafts = self.store.drafts_open(customer, self.now_ms()).await?;
        let (left, today) = (self.licences_left().await?, self.today());
        Ok(drafts.into_iter().map(|d| self.judge(d, &today, left.clone())).collect())
    }

    fn judge(&self, draft: Draft, today: &str, left: Vec<(String, u32)>) -> JudgedDraft {
        let offer = self.offer(today, &left);
        let fault = |step: &WizardStep| (*step, draft.values.errors(*step, offer, draft.password_kept));
        let faults = WizardStep::ALL.iter().map(fault).filter(|(_, errors)| !errors.is_empty()).collect();
        JudgedDraft { draft, faults, left, today: today.to_owned() }
    }

    /// What drafts are held against now.
    pub(super) fn offer<'a>(&'a self, today: &'a str, left: &'a [(String, u32)]) -> Offer<'a> {
        Offer { catalogue: &self.catalogue, today, left }
    }

    /// How many licences are left of each panel whose licences are counted.
    pub(super) async fn licences_left(&self) -> Result<Vec<(String, u32)>> {
        let counted: Vec<_> =
            self.catalogue.panels.iter().filter_map(|p| Some((&p.id, p.licences?))).collect();
        if counted.is_empty() {
            return Ok(Vec::new());
        }
        let used = self.store.licences_used().await?;
        let used = |id: &str| used.iter().find(|(of, _)| of == id).map_or(0, |(_, n)| *n);
        let left = |(id, all): (&String, u32)| {
            (id.clone(), all.saturating_sub(u32::try_from(used(id)).unwrap_or(u32::MAX)))
        };
        Ok(counted.into_iter().map(left).collect())
    }

    pub async fn draft_discard(&self, id: DraftId, customer: CustomerId) -> Result<bool> {
        self.store.draft_discard(id, customer).await
    }

    /// Saves one step of a draft. `change` writes what was typed; everything typed is kept, right or wrong.
    pub async fn draft_save(
        &self,
        id: DraftId,
        customer: CustomerId,
        step: WizardStep,
        password: Option<SecretString>,
        change: impl FnOnce(&mut DraftValues),
    ) -> Result<DraftSaved> {
        let draft = match self.store.draft(id, customer).await? {
            None => return Ok(DraftSaved::Gone),
            Some(Draft { ordered: Some(job), .. }) => return Ok(DraftSaved::Ordered(job)),
            Some(draft) if draft.expires_at <= self.now_ms() => return Ok(DraftSaved::Expired),
            Some(draft) => draft,
        };
        let mut values = draft.values;
        let family_before = values.family(&self.catalogue);
        // Told once more by the next page, unless this page told it already.
        let told = values.offered.as_ref().and_then(|o| o.change.clone());
        let price_change = values.price_change(&self.catalogue).filter(|c| Some(c) != told.as_ref());
        change(&mut values);
        cut(&mut values);
        if values.family(&self.catalogue) != family_before {
            values.fill_family(values.family(&self.catalogue));
        }
        if matches!(step, WizardStep::Os | WizardStep::Panel) {
            self.lift_size(&mut values);
        }
        let kept = match password.filter(|p| !p.expose_secret().is_empty()) {
            Some(password) if values.password_source == PasswordSource::Own.as_str() => {
                values.password_errors = self.password_errors(&values, &password);
                if values.password_errors.is_empty() {
                    DraftPassword::Set(password)
                } else {
                    DraftPassword::Forget
                }
            }
            // What was in order under another system, login or host name may not be any more.
            _ if values.password_source == PasswordSource::Own.as_str() => {
                match self.store.draft_password(id, customer).await? {
                    None => DraftPassword::Keep,
                    Some(kept) => {
                        values.password_errors = self.password_errors(&values, &kept);
                        if values.password_errors.is_empty() {
                            DraftPassword::Keep
                        } else {
                            DraftPassword::Forget
                        }
                    }
                }
            }
            _ => {
                values.password_errors.clear();
                DraftPassword::Forget
            }
        };
        let password_kept = match &kept {
            DraftPassword::Keep => draft.password_kept,
            DraftPassword::Set(_) => true,
            DraftPassword::Forget => false,
        };
        // A private key is refused and never stored; its line stays named in the error.
        if private_key_line(&values.ssh_keys).is_some() {
            values.ssh_keys = without_private_keys(&values.ssh_keys);
        }
        if !values.visited.contains(&step) {
            values.visited.push(step);
        }
        values.remember_offer(&self.catalogue, price_change);
        if !self.store.draft_save(id, customer, &values, kept, self.now_ms()).await? {
            return Ok(DraftSaved::Gone);
        }
        let left = self.licences_left().await?;
        let today = self.today();
        let errors = values.errors(step, self.offer(&today, &left), password_kept);
        Ok(if errors.is_empty() { DraftSaved::InOrder } else { DraftSaved::WithErrors })
    }

    /// The price of a draft as it stands, if its size can be read.
    pub fn draft_quote(&self, values: &DraftValues) -> Option<(Size, Quote)> {
        values.quote(&self.catalogue)
    }

    /// The price of one template, panel and size, for the size rows while somebody types.
    pub fn quote(
        &self,
        (template, panel): (&str, &str),
        typed: [&str; 4],
        servers: &str,
    ) -> std::result::Result<Quote, Vec<FieldError>> {
        let values = DraftValues {
            template: template.into(),
            panel: panel.into(),
            vcpu: typed[0].into(),
            ram: typed[1].into(),
            disk: typed[2].into(),
            bandwidth: typed[3].into(),
            quantity: servers.into(),
            ..DraftValues::default()
        };
        let template = values.check_os(&self.catalogue)?;
        let size = values.check_size(&self.catalogue)?;
        let servers = values.check_quantity().unwrap_or(1);
        let panel = values.panel_of(&self.catalogue);
        Ok(quote(&self.catalogue.prices, template, panel, size).times(servers))
    }

    /// Another system or panel may need more: raises what was left at a smaller minimum, and only that.
    fn lift_size(&self, values: &mut DraftValues) {
        if let (Some(template), Ok(vcpu), Ok(ram), Ok(disk), Ok(bandwidth)) = (
            self.catalogue.template(&values.template),
            values.vcpu.parse(),
            values.ram.parse(),
            values.disk.parse(),
            values.bandwidth.parse(),
        ) {
            let size = Size { vcpu, ram_gb: ram, disk_gb: disk, bandwidth_mbit: bandwidth };
            let panel = values.panel_of(&self.catalogue);
            values.fill_size(self.catalogue.limits(template, panel).lift(size));
        }
    }

    pub(super) fn password_errors(&self, values: &DraftValues, password: &SecretString) -> Vec<FieldError> {
        let family = values.family(&self.catalogue);
        let hostname = check_hostname(&values.hostname, family).unwrap_or_default();
        let (password, login) = (password.expose_secret(), values.guest_login.trim());
        let mut errors = check_password(password, login, &hostname, family);
        if errors.is_empty() && passwords::is_weak(password, login, &hostname) {
            errors.push(FieldError::new(Field::GuestPassword, Code::PasswordWeak));
        }
        errors
    }
}

/// Keeps typed values from growing without bound, on a character's boundary.
pub(super) fn cut(values: &mut DraftValues) {
    let shorten = |text: &mut String, max: usize| {
        if text.len() > max {
            let end = (0..=max).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
            text.truncate(end);
        }
    };
    for text in [
        &mut values.template,
        &mut values.panel,
        &mut values.vcpu,
        &mut values.ram,
        &mut values.disk,
        &mut values.bandwidth,
        &mut values.name,
        &mut values.hostname,
        &mut values.method,
        &mut values.guest_login,
        &mut values.password_source,
    ] {
        shorten(text, SHORT_MAX);
    }
    shorten(&mut values.ssh_keys, VALUE_MAX);
}
