//! S4: the control panel. What does not go with the system is shown with its reason, and one click puts a choice right that
//! does not fit any more.

use domain::{
    catalogue::{Channel, Family, Template},
    draft::{WizardStep, sold_out},
    field::{Field, FieldError},
    panel::Panel,
};
use leptos::prelude::*;
use provisioning::JudgedDraft;

use super::{
    Loaded, Params, START, buttons, draft, draft_input, enter_is_next, help, shown_errors, step_page,
};
use crate::{
    format,
    i18n::t,
    request::Request,
    routes,
    ui::{Errors, field_error_text},
};

pub(crate) async fn panel(request: Request, params: Params) -> Loaded {
    let draft = draft(&request, &params).await?;
    let lang = request.lang();
    let errors = shown_errors(&draft, WizardStep::Panel);
    let catalogue = request.facade().catalogue();
    let chosen = &draft.draft.values.panel;
    let template = catalogue.template(&draft.draft.values.template);
    let cards =
        catalogue.panels.iter().map(|panel| card(&request, &draft, panel, template, &errors)).collect_view();
    let none = view! {
        <label class="card choice" for="panel-none">
            <span class="choice-head">
                <input type="radio" name="panel" id="panel-none" value="" checked=chosen.is_empty() aria-describedby="panel-none-note"/>
                <strong>{t!(lang, "panel-none")}</strong>
            </span>
            <span class="dim" id="panel-none-note">{t!(lang, "panel-none-note")}</span>
        </label>
    };
    let form = view! {
        {help(lang, t!(lang, "panel-help"))}
        <form method="post" action=routes::action("draft_save_panel") id=START>
            {enter_is_next()}
            {draft_input(&draft.draft)}
            {repairs(&request, &draft, &errors)}
            <fieldset class="cards" id="panel"><legend class="sr-only">{t!(lang, "panel-heading")}</legend>{none}{cards}</fieldset>
            {errors.at(lang, Field::Panel)}
            {buttons(&request, &draft.draft, WizardStep::Panel)}
        </form>
    };
    let form = form.into_any();
    Ok(step_page(&request, &draft, WizardStep::Panel, t!(lang, "panel-heading"), errors, form))
}

/// Why this panel cannot be had now, if it cannot.
fn denial(
    request: &Request,
    draft: &JudgedDraft,
    panel: &Panel,
    template: Option<&Template>,
) -> Option<FieldError> {
    let misfit = template.and_then(|t| panel.check(request.facade().catalogue(), t, &draft.today).err());
    let left = draft.left.iter().find(|(id, _)| *id == panel.id).map(|(_, left)| *left);
    let wanted = draft.draft.values.check_quantity().unwrap_or(1);
    misfit.or_else(|| left.filter(|left| *left < wanted).map(|left| sold_out(panel, left, wanted)))
}

fn card(
    request: &Request,
    draft: &JudgedDraft,
    panel: &Panel,
    template: Option<&Template>,
    errors: &Errors,
) -> impl IntoView + use<> {
    let lang = request.lang();
    let values = &draft.draft.values;
    let chosen = values.panel == panel.id;
    let denied = denial(request, draft, panel, template);
    let id = format!("panel-{}", panel.id);
    let (note, reason) = (format!("{id}-note"), format!("{id}-reason"));
    let family = template.map_or(Family::Linux, |t| t.family);
    let needs = t!(
        lang,
        "panel-needs",
        ram = format::gigabytes(lang, panel.min_ram_gb_on(family)),
        disk = format::gigabytes(lang, panel.min_disk_gb)
    );
    let name = denied.is_none() && panel.needs_domain;
    let described = if denied.is_some() { format!("{reason} {note}") } else { note.clone() };
    let class = if denied.is_some() { "card choice denied" } else { "card choice" };
    let why = denied.as_ref().map(|e| {
        let href = routes::order(draft.draft.id, WizardStep::Os);
        let change = matches!(e.code.as_str(), "panel-new" | "panel-system" | "panel-linux")
            .then(|| view! { " " <a href=href>{t!(lang, "panel-change-os")}</a> });
        view! { <span class="reason" id=reason>{field_error_text(lang, e)} {change}</span> }
    });
    view! {
        <label class=class for=id.clone()>
            <span class="choice-head">
                // What was chosen stays chosen until it is put right.
                <input
                    type="radio" name="panel" id=id.clone() value=panel.id.clone() checked=chosen disabled=denied.is_some() && !chosen
                    aria-describedby=described aria-invalid=if chosen { errors.invalid(Field::Panel) } else { None }
                />
                <strong>{panel.name.clone()}</strong>
                <span class="dim">{t!(lang, "panel-price", price = format::money(lang, panel.licence_minor))}</span>
            </span>
            {why}
            <span class="dim" id=note>
                <span>{t!(lang, "panel-time", n = i64::from(panel.usual_minutes))}</span>
                <span>{needs}</span>
                <span>{t!(lang, "panel-address", address = panel.url("IP"))}</span>
                {name.then(|| view! { <span>{t!(lang, "panel-full-name")}</span> })}
            </span>
        </label>
    }
}

/// One click each, where the chosen panel does not fit.
fn repairs(request: &Request, draft: &JudgedDraft, errors: &Errors) -> Option<impl IntoView + use<>> {
    let lang = request.lang();
    let catalogue = request.facade().catalogue();
    let values = &draft.draft.values;
    if !errors.has(Field::Panel) {
        return None;
    }
    let panel = values.panel_of(catalogue);
    let system = panel.and_then(|p| {
        let fits = |t: &&Template| p.fits(catalogue, t, &draft.today).is_ok();
        let other = catalogue.template(&values.template).is_none_or(|t| !fits(&t));
        let stable = p.systems(catalogue).filter(fits).find(|t| t.channel == Channel::Stable);
        stable.or_else(|| p.systems(catalogue).find(fits)).filter(|_| other)
    });
    let switch = system.map(|t| {
        view! {
            <button class="button" name="go" value=format!("system-{}", t.id) formnovalidate=true>
                {t!(lang, "panel-switch", system = t.name.clone())}
            </button>
        }
    });
    Some(view! {
        <div class="buttons repairs" role="group" aria-label=t!(lang, "panel-repairs")>
            {switch}
            <button class="button secondary" name="go" value="without" formnovalidate=true>{t!(lang, "panel-without")}</button>
        </div>
    })
}
