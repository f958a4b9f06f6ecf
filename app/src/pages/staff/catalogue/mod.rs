//! S21: the catalogue: systems, panels and what runs on what, limits and prices. What is changed is looked at first: what it
//! does to unfinished orders and to the price of three servers; it holds from a day on, and until then it can be taken back.

mod panels;
mod prices;
mod templates;

pub(crate) use panels::panels;
pub(crate) use prices::prices;
pub(crate) use templates::templates;

use domain::{
    catalogue_change::{CatalogueChange, Typed},
    field::Field,
};
use leptos::prelude::*;
use provisioning::{CataloguePreview, CatalogueRow, CatalogueView};

use super::{Fault, why_field};
use crate::{
    format,
    i18n::{Lang, t},
    request::{Flash, Memory, Request},
    routes,
    ui::{ErrorSummary, Errors, label, time},
};

/// The form that is open, and what was typed into it.
struct Editing {
    typed: Typed,
    errors: Errors,
    /// It was sent to be looked at, and nothing is wrong with it.
    looked: bool,
    key: &'static str,
}

/// `subject` is what is changed, as [`CatalogueChange::subject`] calls it.
async fn editing(request: &Request, subject: String, function: &'static str, begin: Typed) -> Editing {
    let flash = Memory(&request.around.session).flash_of(&format!("catalogue-{subject}")).await;
    let Flash { values, errors, .. } = flash.clone().unwrap_or_default();
    let looked = flash.is_some() && errors.is_empty();
    let typed = if flash.is_some() { values } else { begin };
    Editing { typed, errors: Errors(errors), looked, key: function }
}

async fn view(request: &Request) -> Result<CatalogueView, Fault> {
    request.facade().catalogue_view(request.viewer()?).await?.ok_or(Fault::Forbidden)
}

fn tabs(lang: Lang, here: &str) -> AnyView {
    let items = [
        (routes::STAFF_TEMPLATES, t!(lang, "catalogue-templates")),
        (routes::STAFF_PANELS, t!(lang, "catalogue-panels")),
        (routes::STAFF_PRICES, t!(lang, "catalogue-prices")),
    ]
    .map(|(href, text)| view! { <li><a href=href aria-current=(href == here).then_some("page")>{text}</a></li> });
    view! { <nav class="tabs" aria-label=t!(lang, "nav-catalogue")><ul>{items}</ul></nav> }.into_any()
}

/// One box of a form.
fn text_box(lang: Lang, edit: &Editing, field: Field, inputmode: &'static str) -> AnyView {
    let name = field.as_str();
    let value = edit.typed.get(name).cloned().unwrap_or_default();
    view! {
        <div class="field">
            <label for=name>{label(lang, field)}</label>
            <input
                type="text" id=name name=format!("v[{name}]") value=value maxlength="60" inputmode=inputmode autocomplete="off"
                aria-invalid=edit.errors.invalid(field) aria-describedby=edit.errors.described(field, false)
            />
            {edit.errors.at(lang, field)}
        </div>
    }
    .into_any()
}

/// From when, why, and the two buttons. What was typed is sent along whichever is pressed.
async fn form_end(
    request: &Request,
    edit: &Editing,
    change: Option<CatalogueChange>,
    back: &'static str,
) -> Result<AnyView, Fault> {
    let lang = request.lang();
    let preview = match change.filter(|_| edit.looked) {
        Some(change) => request.facade().catalogue_preview(request.viewer()?, &change).await?,
        None => None,
    };
    let why = edit.typed.get("why").cloned().unwrap_or_default();
    let field = Field::ValidFrom;
    let from = edit.typed.get(field.as_str()).cloned().unwrap_or_default();
    let save = preview.is_some();
    let shown = preview.map(|preview| preview_view(lang, &preview));
    Ok(view! {
        <div class="field">
            <label for="valid-from">{label(lang, field)}</label>
            <input
                type="date" id="valid-from" name="v[valid-from]" value=from
                aria-invalid=edit.errors.invalid(field) aria-describedby=edit.errors.described(field, true)
            />
            <p class="hint" id="valid-from-hint">{t!(lang, "catalogue-from-hint")}</p>
            {edit.errors.at(lang, field)}
        </div>
        {why_field(lang, &edit.errors, why)}
        {edit.errors.at(lang, Field::Catalogue)}
        {shown}
        <div class="buttons">
            {save.then(|| view! { <button class="button" name="go" value="save">{t!(lang, "catalogue-save")}</button> })}
            <button class="button secondary" name="go" value="look">{t!(lang, "catalogue-look")}</button>
            <a class="button secondary" href=back>{t!(lang, "cancel")}</a>
        </div>
    }
    .into_any())
}

/// The form around its boxes.
fn form_around(lang: Lang, edit: &Editing, title: String, hidden: &str, inside: AnyView) -> AnyView {
    view! {
        <ErrorSummary lang errors=edit.errors.clone()/>
        <section class="card" aria-labelledby="edit">
            <h2 id="edit">{title}</h2>
            <form method="post" action=routes::action(edit.key) novalidate=true>
                <input type="hidden" name="id" value=hidden.to_owned()/>
                {inside}
            </form>
        </section>
    }
    .into_any()
}

fn preview_view(lang: Lang, preview: &CataloguePreview) -> AnyView {
    let rows = preview
        .samples
        .iter()
        .map(|(size, before, after)| {
            let change = after - before;
            let sign = if change > 0 { "+" } else { "" };
            view! {
                <tr>
                    <th scope="row">{format::size(lang, *size)}</th>
                    <td data-label=t!(lang, "catalogue-before") class="num">{format::money(lang, *before)}</td>
                    <td data-label=t!(lang, "catalogue-after") class="num">{format::money(lang, *after)}</td>
                    <td data-label=t!(lang, "catalogue-change") class="num">{sign} {format::money(lang, change)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="banner" role="status" id="preview" tabindex="-1">
            <p><strong>{t!(lang, "catalogue-touches", n = preview.drafts as i64)}</strong> " " {t!(lang, "catalogue-touches-means")}</p>
            <table class="as-cards">
                <caption>{t!(lang, "catalogue-samples")}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t!(lang, "col-size")}</th>
                        <th scope="col" class="num">{t!(lang, "catalogue-before")}</th>
                        <th scope="col" class="num">{t!(lang, "catalogue-after")}</th>
                        <th scope="col" class="num">{t!(lang, "catalogue-change")}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// What a change is of, in words.
fn of(lang: Lang, view: &CatalogueView, change: &CatalogueChange) -> String {
    match change {
        CatalogueChange::Template(t) => view.now.template(&t.id).unwrap_or(t).name.clone(),
        CatalogueChange::Panel(p) => p.name.clone(),
        CatalogueChange::Prices(_) => t!(lang, "catalogue-prices"),
        CatalogueChange::Limits(_) => t!(lang, "catalogue-limits"),
    }
}

/// Changes that are to come, which can be taken back, and the last that were made.
fn changes(lang: Lang, view: &CatalogueView) -> AnyView {
    let line = |row: &CatalogueRow| {
        view! {
            <strong>{of(lang, view, &row.change)}</strong> " " {t!(lang, "catalogue-since")} " " {time(lang, row.valid_from)} " "
            <span class="dim">{t!(lang, "job-by-hand", by = row.by_name.clone(), why = row.why.clone())}</span>
        }
    };
    let pending = view
        .pending
        .iter()
        .map(|row| {
            view! {
                <li>
                    {line(row)}
                    <form method="post" action=routes::action("catalogue_withdraw")>
                        <input type="hidden" name="change" value=row.id.clone()/>
                        <button class="button secondary small">{t!(lang, "catalogue-withdraw")}</button>
                    </form>
                </li>
            }
        })
        .collect_view();
    let begun = view.begun.iter().map(|row| view! { <li>{line(row)}</li> }).collect_view();
    view! {
        {(!view.pending.is_empty()).then(|| view! {
            <section class="card" aria-labelledby="pending">
                <h2 id="pending">{t!(lang, "catalogue-pending")}</h2>
                <ul class="plain rows">{pending}</ul>
            </section>
        })}
        {(!view.begun.is_empty()).then(|| view! {
            <section aria-labelledby="begun">
                <h2 id="begun">{t!(lang, "catalogue-begun")}</h2>
                <ul class="plain rows">{begun}</ul>
            </section>
        })}
    }
    .into_any()
}
