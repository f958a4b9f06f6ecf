//! An unfinished order: what was typed, kept as it was typed, and the rules that turn it into an order.

use serde::{Deserialize, Serialize};

use crate::{
    access::{Method, PasswordSource, check_login},
    catalogue::{Catalogue, Family, Template},
    field::{Code, Field, FieldError},
    hostname::{check_hostname, check_name},
    keys::check_keys,
    kind::closed_list,
    size::{Size, check_size},
};

closed_list! {
    /// The steps of the wizard, in their order. The address of a step is its text.
    WizardStep { Os = "os", Size = "size", Access = "access", Review = "review" }
}

impl WizardStep {
    pub fn next(self) -> Option<Self> {
        Self::ALL.iter().copied().skip_while(|s| *s != self).nth(1)
    }

    pub fn previous(self) -> Option<Self> {
        Self::ALL.iter().copied().take_while(|s| *s != self).last()
    }
}

/// Everything typed so far, never a secret. A wrong value stays here until it is put right.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DraftValues {
    pub template: String,
    pub vcpu: String,
    pub ram: String,
    pub disk: String,
    pub bandwidth: String,
    pub name: String,
    pub hostname: String,
    pub method: String,
    pub guest_login: String,
    pub password_source: String,
    pub ssh_keys: String,
    /// The steps that were posted at least once: only their errors are shown.
    pub visited: Vec<WizardStep>,
    /// What was wrong with a password that was posted and, being a secret, not kept.
    pub password_errors: Vec<FieldError>,
}

/// A draft in which every rule holds.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderSpec {
    pub template: Template,
    pub size: Size,
    pub name: String,
    pub hostname: String,
    pub method: Method,
    pub guest_login: String,
    pub password_source: PasswordSource,
    /// `authorized_keys` lines.
    pub ssh_keys: Vec<String>,
}

impl DraftValues {
    /// Working defaults for somebody who has nothing special to say.
    pub fn start(catalogue: &Catalogue, name: &str) -> Self {
        let mut values = Self {
            name: name.to_owned(),
            hostname: name.to_owned(),
            password_source: PasswordSource::Generated.as_str().into(),
            ..Self::default()
        };
        if let Some(template) = catalogue.template(&catalogue.default_template) {
            values.template = template.id.clone();
            values.fill_size(catalogue.default_size(template));
            values.fill_family(template.family);
        }
        values
    }

    /// Writes the four parameters as if they had been typed.
    pub fn fill_size(&mut self, size: Size) {
        self.vcpu = size.vcpu.to_string();
        self.ram = size.ram_gb.to_string();
        self.disk = size.disk_gb.to_string();
        self.bandwidth = size.bandwidth_mbit.to_string();
    }

    /// Puts login and method to what the family takes by default.
    pub fn fill_family(&mut self, family: Family) {
        self.method = Method::Password.as_str().into();
        self.guest_login = match family {
            Family::Linux => "root".into(),
            Family::Windows => "Administrator".into(),
        };
    }

    pub fn family(&self, catalogue: &Catalogue) -> Family {
        catalogue.template(&self.template).map_or(Family::Linux, |t| t.family)
    }

    pub fn check_os<'c>(&self, catalogue: &'c Catalogue) -> Result<&'c Template, Vec<FieldError>> {
        let code = if self.template.is_empty() { Code::TemplateMissing } else { Code::TemplateGone };
        catalogue.template(&self.template).ok_or_else(|| vec![FieldError::new(Field::Template, code)])
    }

    pub fn check_size(&self, catalogue: &Catalogue) -> Result<Size, Vec<FieldError>> {
        // With no template yet, any will do to read the numbers: the OS step reports itself.
        let Some(template) = catalogue.template(&self.template).or(catalogue.templates.first()) else {
            return Err(self.check_os(catalogue).err().unwrap_or_default());
        };
        let typed = [&*self.vcpu, &*self.ram, &*self.disk, &*self.bandwidth];
        check_size(typed, &catalogue.limits(template), &catalogue.bandwidth_mbit)
    }

    /// The access step. `password_kept` says whether a password of the customer's own is already sealed.
    pub fn check_access(
        &self,
        catalogue: &Catalogue,
        password_kept: bool,
    ) -> Result<Access, Vec<FieldError>> {
        let family = self.family(catalogue);
        let mut errors = Vec::new();
        let mut keep = |e: FieldError| errors.push(e);

        let name = check_name(&self.name).map_err(&mut keep).ok();
        let hostname =
            check_hostname(&self.hostname, family).map_err(|es| es.into_iter().for_each(&mut keep)).ok();
        let method = match self.method.parse::<Method>() {
            Ok(m) if family == Family::Windows && m.uses_key() => {
                keep(FieldError::new(Field::Method, Code::MethodWindows));
                None
            }
            Ok(m) => Some(m),
            Err(_) => {
                keep(FieldError::new(Field::Method, Code::MethodMissing));
                None
            }
        };
        let login = check_login(&self.guest_login, family, self.hostname.trim()).map_err(&mut keep).ok();
        let source = self.password_source.parse().unwrap_or(PasswordSource::Generated);
        if method.is_some_and(Method::uses_password) && source == PasswordSource::Own {
            if !self.password_errors.is_empty() {
                self.password_errors.iter().cloned().for_each(&mut keep);
            } else if !password_kept {
                keep(FieldError::new(Field::GuestPassword, Code::PasswordMissing));
            }
        }
        let mut ssh_keys = Vec::new();
        if method.is_some_and(Method::uses_key) {
            match check_keys(&self.ssh_keys) {
                Ok(keys) if keys.is_empty() => keep(FieldError::new(Field::SshKeys, Code::KeyMissing)),
                Ok(keys) => ssh_keys = keys.into_iter().map(|k| k.line).collect(),
                Err(es) => es.into_iter().for_each(&mut keep),
            }
        }
        match (name, hostname, method, login) {
            (Some(name), Some(hostname), Some(method), Some(guest_login)) if errors.is_empty() => {
                Ok(Access { name, hostname, method, guest_login, password_source: source, ssh_keys })
            }
            _ => Err(errors),
        }
    }

    /// What is wrong with one step.
    pub fn errors(&self, step: WizardStep, catalogue: &Catalogue, password_kept: bool) -> Vec<FieldError> {
        match step {
            WizardStep::Os => self.check_os(catalogue).err(),
            WizardStep::Size => self.check_size(catalogue).err(),
            WizardStep::Access => self.check_access(catalogue, password_kept).err(),
            WizardStep::Review => None,
        }
        .unwrap_or_default()
    }

    /// The first step that is not in order, if any.
    pub fn first_faulty(&self, catalogue: &Catalogue, password_kept: bool) -> Option<WizardStep> {
        WizardStep::ALL.iter().copied().find(|s| !self.errors(*s, catalogue, password_kept).is_empty())
    }

    /// The whole draft, if every rule holds.
    pub fn check(&self, catalogue: &Catalogue, password_kept: bool) -> Result<OrderSpec, Vec<FieldError>> {
        let os = self.check_os(catalogue);
        let size = self.check_size(catalogue);
        let access = self.check_access(catalogue, password_kept);
        match (os, size, access) {
            (Ok(template), Ok(size), Ok(access)) => Ok(OrderSpec {
                template: template.clone(),
                size,
                name: access.name,
                hostname: access.hostname,
                method: access.method,
                guest_login: access.guest_login,
                password_source: access.password_source,
                ssh_keys: access.ssh_keys,
            }),
            (os, size, access) => {
                let mut errors = os.err().unwrap_or_default();
                errors.extend(size.err().unwrap_or_default());
                errors.extend(access.err().unwrap_or_default());
                Err(errors)
            }
        }
    }
}

/// The access step in which every rule holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    pub name: String,
    pub hostname: String,
    pub method: Method,
    pub guest_login: String,
    pub password_source: PasswordSource,
    pub ssh_keys: Vec<String>,
}
