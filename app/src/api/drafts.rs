//! The wizard's posts. Whatever was typed is kept; `go` says where to go next.

use domain::{
    DraftId,
    access::PasswordSource,
    draft::{DraftValues, WizardStep},
};
use leptos::prelude::*;
use provisioning::DraftSaved;
use secrecy::SecretString;

use super::answer::{Caller, Fault};
use crate::{i18n::t, routes};

#[server(name = DraftStart, prefix = "/do", endpoint = "draft_start")]
pub async fn draft_start() -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = async {
        let draft = caller.request.facade().draft_start(caller.customer()?).await?;
        caller.see_other(&routes::order_step(draft, WizardStep::Os));
        Ok(())
    };
    let result = result.await;
    caller.finish(result).await
}

#[server(name = DraftDiscard, prefix = "/do", endpoint = "draft_discard")]
pub async fn draft_discard(#[server(default)] draft: String) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = async {
        let customer = caller.customer()?;
        let Ok(draft) = draft.parse::<DraftId>() else {
            caller.not_found();
            return Ok(());
        };
        if !caller.request.facade().draft_discard(draft, customer).await? {
            caller.not_found();
            return Ok(());
        }
        caller.memory().banner(false, t!(caller.request.lang(), "draft-discarded")).await;
        caller.see_other(&format!("{}#flash", routes::SERVERS));
        Ok(())
    };
    let result = result.await;
    caller.finish(result).await
}

#[server(name = DraftSaveOs, prefix = "/do", endpoint = "draft_save_os")]
pub async fn draft_save_os(
    #[server(default)] draft: String,
    #[server(default)] go: String,
    #[server(default)] template: String,
) -> Result<(), ServerFnError> {
    save(&draft, WizardStep::Os, &go, None, |v| {
        // A list that a filter made short may not show the one that was chosen.
        if !template.is_empty() || v.template.is_empty() {
            v.template = template;
        }
    })
    .await
}

#[server(name = DraftSavePanel, prefix = "/do", endpoint = "draft_save_panel")]
pub async fn draft_save_panel(
    #[server(default)] draft: String,
    /// Besides the usual: `without`, which goes on without a panel, and `system-…`, which takes that system.
    #[server(default)]
    go: String,
    #[server(default)] panel: String,
) -> Result<(), ServerFnError> {
    let system = go.strip_prefix("system-").map(str::to_owned);
    let without = go == "without";
    save(&draft, WizardStep::Panel, &go, None, |v| {
        v.panel = if without { String::new() } else { panel };
        if let Some(system) = system {
            v.template = system;
        }
    })
    .await
}

#[server(name = DraftSaveSize, prefix = "/do", endpoint = "draft_save_size")]
pub async fn draft_save_size(
    #[server(default)] draft: String,
    #[server(default)] go: String,
    #[server(default)] vcpu: String,
    #[server(default)] ram: String,
    #[server(default)] disk: String,
    #[server(default)] bandwidth: String,
    #[server(default)] quantity: String,
) -> Result<(), ServerFnError> {
    save(&draft, WizardStep::Size, &go, None, |v| {
        (v.vcpu, v.ram, v.disk, v.bandwidth) = (vcpu, ram, disk, bandwidth);
        v.quantity = quantity;
    })
    .await
}

#[server(name = DraftSaveAccess, prefix = "/do", endpoint = "draft_save_access")]
#[allow(clippy::too_many_arguments)]
pub async fn draft_save_access(
    #[server(default)] draft: String,
    #[server(default)] go: String,
    #[server(default)] name: String,
    #[server(default)] hostname: String,
    #[server(default)] method: String,
    #[server(default)] guest_login: String,
    #[server(default)] password_source: String,
    #[server(default)] guest_password: String,
    #[server(default)] ssh_keys: String,
) -> Result<(), ServerFnError> {
    let password = Some(SecretString::from(guest_password));
    save(&draft, WizardStep::Access, &go, password, |v| {
        (v.name, v.hostname, v.method, v.guest_login) = (name, hostname, method, guest_login);
        v.password_source = password_source.parse().unwrap_or(PasswordSource::Generated).as_str().into();
        v.ssh_keys = ssh_keys;
    })
    .await
}

/// The preset that is the size of last time.
pub(crate) const BEFORE: &str = "before";

/// `use-field-value` puts a field right with what was offered under it.
fn repair(values: &mut DraftValues, go: &str) {
    let offered = go.strip_prefix("use-").and_then(|rest| rest.split_once('-'));
    match offered {
        Some(("hostname", offer)) => values.hostname = offer.to_owned(),
        Some(("vcpu", offer)) => values.vcpu = offer.to_owned(),
        Some(("ram", offer)) => values.ram = offer.to_owned(),
        Some(("disk", offer)) => values.disk = offer.to_owned(),
        _ => {}
    }
}

async fn save(
    draft: &str,
    step: WizardStep,
    go: &str,
    password: Option<SecretString>,
    change: impl FnOnce(&mut DraftValues),
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = save_step(&caller, draft, step, go, password, change).await;
    caller.finish(result).await
}

async fn save_step(
    caller: &Caller,
    draft: &str,
    step: WizardStep,
    go: &str,
    password: Option<SecretString>,
    change: impl FnOnce(&mut DraftValues),
) -> Result<(), Fault> {
    let customer = caller.customer()?;
    let Ok(draft) = draft.parse::<DraftId>() else {
        caller.not_found();
        return Ok(());
    };
    let facade = caller.request.facade();
    let preset = go.strip_prefix("preset-").map(str::to_owned);
    let catalogue = facade.catalogue();
    let fill = match preset.as_deref() {
        Some(BEFORE) => facade.size_before(customer).await?,
        Some(id) => catalogue.presets.iter().find(|p| p.id == id).map(|p| p.size),
        None => None,
    };
    // One of the account's own keys, added to what is there.
    let wanted = go.strip_prefix("key-").unwrap_or_default();
    let key = match wanted {
        "" => None,
        id => facade.ssh_keys(caller.viewer()?).await?.into_iter().find(|k| k.id.to_string() == id),
    };
    let saved = facade
        .draft_save(draft, customer, step, password, |values| {
            change(values);
            repair(values, go);
            if let Some(key) = &key
                && !values.ssh_keys.lines().any(|line| line.trim() == key.line)
            {
                values.ssh_keys =
                    format!("{}\n{}", values.ssh_keys.trim_end(), key.line).trim_start().to_owned();
                if !values.method.parse().is_ok_and(domain::access::Method::uses_key) {
                    values.method = domain::access::Method::KeyAndPassword.as_str().into();
                }
            }
            if let Some(size) = fill {
                let panel = values.panel_of(catalogue);
                let lifted = |t: &domain::catalogue::Template| catalogue.limits(t, panel).lift(size);
                let size = catalogue.template(&values.template).map_or(size, lifted);
                values.fill_size(size);
            }
        })
        .await?;
    let here = routes::order(draft, step);
    let to = match (saved, go) {
        (DraftSaved::Gone, _) => {
            caller.not_found();
            return Ok(());
        }
        (DraftSaved::Ordered(job), _) => {
            caller.memory().banner(false, t!(caller.request.lang(), "draft-ordered")).await;
            format!("{}#flash", routes::operation(job))
        }
        // Its own page says when it ended and leads to a new one.
        (DraftSaved::Expired, _) => here,
        (_, "back") => step.previous().map_or(routes::SERVERS.into(), |s| routes::order_step(draft, s)),
        (_, "exit") => routes::SERVERS.into(),
        (_, go) if go.starts_with("use-") => here,
        (_, go) if go.starts_with("key-") => format!("{here}#ssh_keys"),
        (DraftSaved::WithErrors, _) => format!("{here}#errors"),
        (DraftSaved::InOrder, "recalculate") => here,
        (DraftSaved::InOrder, go) if go.starts_with("preset-") || go.starts_with("system-") => here,
        (DraftSaved::InOrder, _) => step.next().map_or(here, |s| routes::order_step(draft, s)),
    };
    caller.see_other(&to);
    Ok(())
}
