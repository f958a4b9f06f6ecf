//! An unfinished order: what was typed, kept as it was typed, and the rules that turn it into an order.

use serde::{Deserialize, Serialize};

use crate::{
    access::{Method, PasswordSource, check_login},
    catalogue::{Catalogue, Family, Range, Template},
    field::{Code, Field, FieldError},
    hostname::{check_hostname, check_name},
    keys::check_keys,
    kind::closed_list,
    panel::Panel,
    price::{Quote, quote},
    size::{Size, check_number, check_size_of},
};

closed_list! {
    /// The steps of the wizard, in their order. The address of a step is its text.
    WizardStep { Os = "os", Panel = "panel", Size = "size", Access = "access", Review = "review" }
}

impl WizardStep {
    pub fn next(self) -> Option<Self> {
        Self::ALL.iter().copied().skip_while(|s| *s != self).nth(1)
    }

    pub fn previous(self) -> Option<Self> {
        Self::ALL.iter().copied().take_while(|s| *s != self).last()
    }
}

/// What a draft is held against: the operator's catalogue, on a day, and what is left of it.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    pub catalogue: &'a Catalogue,
    /// An ISO date.
    pub today: &'a str,
    /// How many licences are left, by panel; of those that are not here any number.
    pub left: &'a [(String, u32)],
}

/// There are fewer licences than servers.
pub fn sold_out(panel: &Panel, left: u32, wanted: u32) -> FieldError {
    let code = if left == 0 { Code::PanelSoldOut } else { Code::PanelFew };
    FieldError::new(Field::Panel, code).with("panel", &panel.name).with("left", left).with("wanted", wanted)
}

/// How many servers one order may be for.
pub const QUANTITY: Range = Range { min: 1, max: 10, step: 1 };

/// The names of several servers: `web`, or `web-01`, as `web-01`, `web-02`, … Numbers go on from the one that is there. A
/// host name is numbered in its first part.
fn numbered(name: &str, quantity: u32) -> Vec<String> {
    if quantity == 1 {
        return vec![name.to_owned()];
    }
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &name[stem.len()..];
    // A name that is all digits, or too long a number, gets one of its own.
    let (stem, first, width) = match digits.parse::<u32>() {
        Ok(first) if !stem.is_empty() && digits.len() <= 4 => (stem.to_owned(), first, digits.len()),
        _ => (format!("{name}-"), 1, 2),
    };
    (0..quantity).map(|n| format!("{stem}{:0width$}", first + n)).collect()
}

/// Name and host name of each server of an order; every one of them by the rules.
fn numbered_servers(
    name: &str,
    hostname: &str,
    quantity: u32,
    family: Family,
) -> Result<Vec<(String, String)>, FieldError> {
    let (first, rest) = hostname.split_once('.').map_or((hostname, None), |(f, r)| (f, Some(r)));
    let names = numbered(name, quantity);
    let hosts = numbered(first, quantity).into_iter().map(|label| match rest {
        Some(rest) => format!("{label}.{rest}"),
        None => label,
    });
    let mut servers = Vec::with_capacity(names.len());
    for (name, host) in names.into_iter().zip(hosts) {
        check_name(&name)?;
        check_hostname(&host, family).map_err(|mut errors| errors.remove(0))?;
        servers.push((name, host));
    }
    Ok(servers)
}

/// Everything typed so far, never a secret. A wrong value stays here until it is put right.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DraftValues {
    pub template: String,
    /// Id of a control panel; nothing is none.
    pub panel: String,
    pub vcpu: String,
    pub ram: String,
    pub disk: String,
    pub bandwidth: String,
    pub name: String,
    pub hostname: String,
    /// How many servers; nothing typed is one.
    pub quantity: String,
    pub method: String,
    pub guest_login: String,
    pub password_source: String,
    pub ssh_keys: String,
    /// The steps that were posted at least once: only their errors are shown.
    pub visited: Vec<WizardStep>,
    /// What was wrong with a password that was posted and, being a secret, not kept.
    pub password_errors: Vec<FieldError>,
    /// How all this was offered when it was saved.
    pub offered: Option<Offered>,
}

/// What a draft was offered at when it was last saved: a catalogue that has changed since is told, and replaces nothing
/// silently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    /// What the system was called; one that is gone has no other name any more.
    pub system: String,
    pub panel: String,
    /// Monthly total, minor units; nothing where it could not be told.
    pub total_minor: Option<i64>,
    /// The catalogue changed before that save, and its page still has to say so.
    pub change: Option<PriceChange>,
}

/// The same choices have another price: monthly totals, minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceChange {
    pub from_minor: i64,
    pub to_minor: i64,
    /// ISO date, where the price list says it.
    pub since: Option<String>,
}

/// A draft in which every rule holds.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderSpec {
    pub template: Template,
    pub panel: Option<Panel>,
    pub size: Size,
    /// Name and host name of each server.
    pub servers: Vec<(String, String)>,
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
        let error = || match &self.offered {
            _ if self.template.is_empty() => FieldError::new(Field::Template, Code::TemplateMissing),
            Some(before) if !before.system.is_empty() => {
                FieldError::new(Field::Template, Code::TemplateGone).with("system", &before.system)
            }
            _ => FieldError::new(Field::Template, Code::TemplateGone).with("system", &self.template),
        };
        catalogue.offer(&self.template).ok_or_else(|| vec![error()])
    }

    /// The price as it stands, if the size can be read.
    pub fn quote(&self, catalogue: &Catalogue) -> Option<(Size, Quote)> {
        let template = catalogue.offer(&self.template)?;
        let size = self.check_size(catalogue).ok()?;
        let servers = self.check_quantity().unwrap_or(1);
        Some((size, quote(&catalogue.prices, template, self.panel_of(catalogue), size).times(servers)))
    }

    /// Another price than when this was saved, or one that its page has not told yet.
    pub fn price_change(&self, catalogue: &Catalogue) -> Option<PriceChange> {
        let before = self.offered.as_ref()?;
        let now = self.quote(catalogue).map(|(_, q)| q.total_minor);
        match (before.total_minor, now) {
            (Some(from_minor), Some(to_minor)) if from_minor != to_minor => {
                Some(PriceChange { from_minor, to_minor, since: catalogue.prices.since.clone() })
            }
            _ => before.change.clone(),
        }
    }

    /// Remembers how this is offered now. `change` is what the price did since the last time.
    pub fn remember_offer(&mut self, catalogue: &Catalogue, change: Option<PriceChange>) {
        let before = self.offered.take();
        let gone = |name: fn(Offered) -> String| before.clone().map(name).unwrap_or_default();
        self.offered = Some(Offered {
            system: catalogue.template(&self.template).map_or_else(|| gone(|o| o.system), |t| t.name.clone()),
            panel: self.panel_of(catalogue).map_or_else(|| gone(|o| o.panel), |p| p.name.clone()),
            total_minor: self.quote(catalogue).map(|(_, q)| q.total_minor),
            change,
        });
    }

    /// The chosen panel, if there is such a one; whether it fits is another question.
    pub fn panel_of<'c>(&self, catalogue: &'c Catalogue) -> Option<&'c Panel> {
        catalogue.panel(&self.panel)
    }

    pub fn check_panel(&self, offer: Offer<'_>) -> Result<Option<Panel>, Vec<FieldError>> {
        if self.panel.is_empty() {
            return Ok(None);
        }
        let name =
            || self.offered.as_ref().map(|o| &o.panel).filter(|p| !p.is_empty()).unwrap_or(&self.panel);
        let gone = || FieldError::new(Field::Panel, Code::PanelGone).with("panel", name());
        let panel = self.panel_of(offer.catalogue).ok_or_else(|| vec![gone()])?;
        if let Some(template) = offer.catalogue.template(&self.template) {
            panel.check(offer.catalogue, template, offer.today).map_err(|e| vec![e])?;
        }
        let wanted = self.check_quantity().unwrap_or(1);
        match offer.left.iter().find(|(id, _)| *id == panel.id) {
            Some((_, left)) if *left < wanted => Err(vec![sold_out(panel, *left, wanted)]),
            _ => Ok(Some(panel.clone())),
        }
    }

    pub fn check_size(&self, catalogue: &Catalogue) -> Result<Size, Vec<FieldError>> {
        // With no template yet, any will do to read the numbers: the OS step reports itself.
        let Some(template) = catalogue.template(&self.template).or(catalogue.templates.first()) else {
            return Err(self.check_os(catalogue).err().unwrap_or_default());
        };
        let typed = [&*self.vcpu, &*self.ram, &*self.disk, &*self.bandwidth];
        check_size_of(typed, catalogue, template, self.panel_of(catalogue))
    }

    /// The size step: the four parameters and how many servers.
    pub fn check_size_step(&self, catalogue: &Catalogue) -> Result<Size, Vec<FieldError>> {
        match (self.check_size(catalogue), self.check_quantity()) {
            (Ok(size), Ok(_)) => Ok(size),
            (size, quantity) => Err(size.err().into_iter().flatten().chain(quantity.err()).collect()),
        }
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
        // A number that cannot be read is the size step's to say.
        let quantity = self.check_quantity().unwrap_or(1);
        let servers = match (&name, &hostname) {
            (Some(name), Some(hostname)) => match numbered_servers(name, hostname, quantity, family) {
                Ok(servers) => Some(servers),
                Err(error) => {
                    keep(error);
                    None
                }
            },
            _ => None,
        };
        let bare = |host: &str| host.split('.').count() < 3;
        if let (Some(panel), Some(servers)) = (self.panel_of(catalogue).filter(|p| p.needs_domain), &servers)
            && let Some((_, host)) = servers.iter().find(|(_, host)| bare(host))
        {
            let error = FieldError::new(Field::Hostname, Code::HostnameDomain);
            keep(error.with("panel", &panel.name).with("now", host));
        }
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
            if quantity > 1 {
                keep(FieldError::new(Field::GuestPassword, Code::PasswordSeveral));
            } else if !self.password_errors.is_empty() {
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
        match (servers, method, login) {
            (Some(servers), Some(method), Some(guest_login)) if errors.is_empty() => {
                Ok(Access { servers, method, guest_login, password_source: source, ssh_keys })
            }
            _ => Err(errors),
        }
    }

    /// How many servers.
    pub fn check_quantity(&self) -> Result<u32, FieldError> {
        if self.quantity.trim().is_empty() {
            return Ok(1);
        }
        check_number(Field::Quantity, &self.quantity, QUANTITY)
    }

    /// What is wrong with one step.
    pub fn errors(&self, step: WizardStep, offer: Offer<'_>, password_kept: bool) -> Vec<FieldError> {
        match step {
            WizardStep::Os => self.check_os(offer.catalogue).err(),
            WizardStep::Panel => self.check_panel(offer).err(),
            WizardStep::Size => self.check_size_step(offer.catalogue).err(),
            WizardStep::Access => self.check_access(offer.catalogue, password_kept).err(),
            WizardStep::Review => None,
        }
        .unwrap_or_default()
    }

    /// The first step that is not in order, if any.
    pub fn first_faulty(&self, offer: Offer<'_>, password_kept: bool) -> Option<WizardStep> {
        WizardStep::ALL.iter().copied().find(|s| !self.errors(*s, offer, password_kept).is_empty())
    }

    /// The whole draft, if every rule holds.
    pub fn check(&self, offer: Offer<'_>, password_kept: bool) -> Result<OrderSpec, Vec<FieldError>> {
        let os = self.check_os(offer.catalogue);
        let panel = self.check_panel(offer);
        let size = self.check_size_step(offer.catalogue);
        let access = self.check_access(offer.catalogue, password_kept);
        match (os, panel, size, access) {
            (Ok(template), Ok(panel), Ok(size), Ok(access)) => Ok(OrderSpec {
                template: template.clone(),
                panel,
                size,
                servers: access.servers,
                method: access.method,
                guest_login: access.guest_login,
                password_source: access.password_source,
                ssh_keys: access.ssh_keys,
            }),
            (os, panel, size, access) => {
                let all = [os.err(), panel.err(), size.err(), access.err()];
                Err(all.into_iter().flatten().flatten().collect())
            }
        }
    }
}

/// The access step in which every rule holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Name and host name of each server.
    pub servers: Vec<(String, String)>,
    pub method: Method,
    pub guest_login: String,
    pub password_source: PasswordSource,
    pub ssh_keys: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::{Family, numbered, numbered_servers};

    #[test]
    fn names_are_numbered_on() {
        assert_eq!(numbered("web", 1), ["web"]);
        assert_eq!(numbered("web", 2), ["web-01", "web-02"]);
        assert_eq!(numbered("web-01", 3), ["web-01", "web-02", "web-03"]);
        assert_eq!(numbered("db9", 3), ["db9", "db10", "db11"]);
        assert_eq!(numbered("2024", 2), ["2024-01", "2024-02"]);
        assert_eq!(numbered("v20240101", 2), ["v20240101-01", "v20240101-02"]);
    }

    #[test]
    fn every_one_of_them_is_by_the_rules() {
        let servers = numbered_servers("shop", "shop.example.net", 2, Family::Linux).unwrap();
        assert_eq!(servers[1], ("shop-02".to_owned(), "shop-02.example.net".to_owned()));
        // Alone it would do; with its number it is longer than Windows takes.
        assert!(numbered_servers("s", "abcdefghijklmn", 1, Family::Windows).is_ok());
        assert!(numbered_servers("s", "abcdefghijklmn", 2, Family::Windows).is_err());
        assert!(numbered_servers(&"n".repeat(40), "web", 2, Family::Linux).is_err());
    }
}
