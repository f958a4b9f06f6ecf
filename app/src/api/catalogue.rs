//! Changes of the catalogue. Each form is first looked at (`go=look`): what was typed is kept, and its page says what it would do;
//! then saved.

use domain::catalogue_change::{CatalogueChange, Typed, read_limits, read_panel, read_prices, read_template};
use domain::field::{Code, Field, FieldError};
use leptos::prelude::*;
use provisioning::{SystemAnswer, begins};

use super::answer::{Caller, Fault};
use crate::{
    format,
    i18n::t,
    request::{Flash, encode},
    routes,
};

type Read = Result<CatalogueChange, Vec<FieldError>>;

#[server(name = CatalogueTemplate, prefix = "/do", endpoint = "catalogue_template")]
pub async fn catalogue_template(
    /// `new`, where there is none yet.
    #[server(default)]
    id: String,
    #[server(default)] v: Typed,
    #[server(default)] why: String,
    #[server(default)] go: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = template(&caller, &id, v, &why, &go).await;
    caller.finish(result).await
}

#[server(name = CataloguePanel, prefix = "/do", endpoint = "catalogue_panel")]
pub async fn catalogue_panel(
    #[server(default)] id: String,
    #[server(default)] v: Typed,
    #[server(default)] why: String,
    #[server(default)] go: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = panel(&caller, &id, v, &why, &go).await;
    caller.finish(result).await
}

#[server(name = CataloguePrices, prefix = "/do", endpoint = "catalogue_prices")]
pub async fn catalogue_prices(
    #[server(default)] v: Typed,
    #[server(default)] why: String,
    #[server(default)] go: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = prices(&caller, v, &why, &go).await;
    caller.finish(result).await
}

#[server(name = CatalogueLimits, prefix = "/do", endpoint = "catalogue_limits")]
pub async fn catalogue_limits(
    #[server(default)] v: Typed,
    #[server(default)] why: String,
    #[server(default)] go: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let read = read_limits(&v).map(CatalogueChange::Limits);
    let result = change(
        &caller,
        Edited { key: "limits".into(), page: routes::STAFF_PRICES, edit: "limits" },
        read,
        v,
        &why,
        &go,
    )
    .await;
    caller.finish(result).await
}

/// A change that has not begun is taken back.
#[server(name = CatalogueWithdraw, prefix = "/do", endpoint = "catalogue_withdraw")]
pub async fn catalogue_withdraw(#[server(default)] change: String) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = withdraw(&caller, &change).await;
    caller.finish(result).await
}

/// Which form it is, and where it stands.
struct Edited<'e> {
    key: String,
    page: &'static str,
    edit: &'e str,
}

async fn template(caller: &Caller, id: &str, v: Typed, why: &str, go: &str) -> Result<(), Fault> {
    let catalogue = caller.request.facade().catalogue();
    let old = catalogue.template(id);
    if old.is_none() && id != "new" {
        caller.not_found();
        return Ok(());
    }
    let read = read_template(old, &v).and_then(|t| match (old, catalogue.template(&t.id)) {
        (None, Some(_)) => Err(vec![FieldError::new(Field::Id, Code::IdTaken)]),
        _ => Ok(CatalogueChange::Template(t)),
    });
    let edited = Edited { key: format!("template:{id}"), page: routes::STAFF_TEMPLATES, edit: id };
    change(caller, edited, read, v, why, go).await
}

async fn panel(caller: &Caller, id: &str, v: Typed, why: &str, go: &str) -> Result<(), Fault> {
    let catalogue = caller.request.facade().catalogue();
    let Some(old) = catalogue.panel(id) else {
        caller.not_found();
        return Ok(());
    };
    let read = read_panel(old, &catalogue.templates, &v).map(CatalogueChange::Panel);
    let edited = Edited { key: format!("panel:{id}"), page: routes::STAFF_PANELS, edit: id };
    change(caller, edited, read, v, why, go).await
}

async fn prices(caller: &Caller, v: Typed, why: &str, go: &str) -> Result<(), Fault> {
    let (lang, facade) = (caller.request.lang(), caller.request.facade());
    let today = format::day(lang, facade.now_ms());
    let typed = v.get(Field::ValidFrom.as_str()).map_or("", |t| t.trim());
    let since = if typed.is_empty() { today } else { typed.to_owned() };
    let read = read_prices(&facade.catalogue().prices, &since, &v).map(CatalogueChange::Prices);
    let edited = Edited { key: "prices".into(), page: routes::STAFF_PRICES, edit: "prices" };
    change(caller, edited, read, v, why, go).await
}

async fn change(
    caller: &Caller,
    edited: Edited<'_>,
    read: Read,
    mut v: Typed,
    why: &str,
    go: &str,
) -> Result<(), Fault> {
    let (request, memory) = (&caller.request, caller.memory());
    let (lang, facade) = (request.lang(), request.facade());
    let form = format!("catalogue-{}", edited.key);
    let back = format!("{}?edit={}", edited.page, encode(edited.edit));
    let today = format::day(lang, facade.now_ms());
    let day = begins(v.get(Field::ValidFrom.as_str()).map_or("", String::as_str), &today);
    // So much of each box is kept as could ever be right.
    v.values_mut().for_each(|text| *text = text.chars().take(100).collect());
    v.insert("why".into(), why.chars().take(200).collect());
    let mut errors = Vec::new();
    let day = day.unwrap_or_else(|e| {
        errors.push(e);
        None
    });
    let wish = match read {
        Ok(change) => Some(change),
        Err(wrong) => {
            errors.splice(0..0, wrong);
            None
        }
    };
    if let (Some(wish), true, "save") = (&wish, errors.is_empty(), go) {
        let begins = day.as_deref().and_then(|day| format::day_begins(lang, day));
        match facade.catalogue_change(caller.viewer()?, wish, begins, why).await? {
            SystemAnswer::Done => {
                memory.clear_flash().await;
                memory.banner(false, t!(lang, "catalogue-saved")).await;
                caller.see_other(&format!("{}#flash", edited.page));
                return Ok(());
            }
            SystemAnswer::Refused(refused) => errors = refused,
            SystemAnswer::Gone => {
                caller.not_found();
                return Ok(());
            }
        }
    }
    let place = if errors.is_empty() { "preview" } else { "errors" };
    memory.flash(Flash { form, values: v, errors }).await;
    caller.see_other(&format!("{back}#{place}"));
    Ok(())
}

async fn withdraw(caller: &Caller, change: &str) -> Result<(), Fault> {
    let lang = caller.request.lang();
    let done = caller.request.facade().catalogue_withdraw(caller.viewer()?, change).await?;
    let text = match done {
        SystemAnswer::Done => t!(lang, "catalogue-withdrawn-change"),
        _ => t!(lang, "catalogue-withdraw-late"),
    };
    caller.memory().banner(done != SystemAnswer::Done, text).await;
    let back = super::answer::came_from();
    let back = if back.starts_with(routes::STAFF_CATALOGUE) { back } else { routes::STAFF_TEMPLATES.into() };
    caller.see_other(&format!("{back}#flash"));
    Ok(())
}
