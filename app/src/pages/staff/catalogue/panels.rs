//! The panels that are offered, and on which systems each runs.

use domain::{
    catalogue_change::{CatalogueChange, Typed, read_panel, typed_money},
    field::Field,
    panel::Panel,
};
use leptos::prelude::*;
use provisioning::CatalogueView;

use super::{changes, editing, form_around, form_end, tabs, text_box, view};
use crate::{
    format,
    i18n::{Lang, t},
    pages::{Fault, Loaded, Params},
    request::Request,
    routes,
    shell::Page,
    ui::{empty_state, label},
};

pub(crate) async fn panels(request: Request, _: Params) -> Loaded {
    let lang = request.lang();
    let seen = view(&request).await?;
    let form = match request.query("edit") {
        None => None,
        Some(id) => Some(edit(&request, &seen, seen.now.panel(&id).ok_or(Fault::NotFound)?).await?),
    };
    let refused = form.as_ref().is_some_and(|(_, bad)| *bad);
    let shown = if seen.now.panels.is_empty() {
        empty_state(t!(lang, "catalogue-no-panels-title"), t!(lang, "catalogue-no-panels"), ()).into_any()
    } else {
        view! { {matrix(lang, &seen)} {table(lang, &seen)} }.into_any()
    };
    let body = view! {
        {tabs(lang, routes::STAFF_PANELS)}
        {form.map(|(form, _)| form)}
        {shown}
        {changes(lang, &seen)}
    };
    Ok(Page { refused, wide: true, ..Page::new(t!(lang, "catalogue-panels"), body) })
}

fn href(panel: &Panel) -> String {
    format!("{}?edit={}#edit", routes::STAFF_PANELS, panel.id)
}

/// Systems down, panels across.
fn matrix(lang: Lang, seen: &CatalogueView) -> AnyView {
    let head = seen
        .now
        .panels
        .iter()
        .map(|p| view! { <th scope="col"><a href=href(p)>{p.name.clone()}</a></th> })
        .collect_view();
    let rows = seen
        .now
        .templates
        .iter()
        .map(|t| {
            let cells = seen
                .now
                .panels
                .iter()
                .map(|p| {
                    let runs = p.templates.contains(&t.id);
                    let (sign, word) = if runs { ("●", t!(lang, "catalogue-runs")) } else { ("—", t!(lang, "catalogue-runs-not")) };
                    view! { <td><span aria-hidden="true">{sign}</span> <span class="sr-only">{word}</span></td> }
                })
                .collect_view();
            view! { <tr><th scope="row">{t.name.clone()}</th>{cells}</tr> }
        })
        .collect_view();
    view! {
        <div class="scroll" role="region" tabindex="0" aria-label=t!(lang, "catalogue-matrix")>
            <table>
                <caption>{t!(lang, "catalogue-matrix")}</caption>
                <thead><tr><th scope="col">{t!(lang, "col-system")}</th>{head}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn table(lang: Lang, seen: &CatalogueView) -> AnyView {
    let rows = seen
        .now
        .panels
        .iter()
        .map(|p| {
            let days = [&p.from, &p.until].map(|d| d.as_deref().map_or_else(|| "…".to_owned(), |d| format::iso_date(lang, d)));
            let licences = p.licences.map_or_else(|| t!(lang, "unlimited"), |n| n.to_string());
            view! {
                <tr>
                    <th scope="row"><a href=href(p)>{p.name.clone()}</a></th>
                    <td data-label=label(lang, Field::Licence) class="num">{format::money(lang, p.licence_minor)}</td>
                    <td data-label=label(lang, Field::Licences) class="num">{licences}</td>
                    <td data-label=t!(lang, "catalogue-least")>{format::gigabytes(lang, p.min_ram_gb)} ", " {format::gigabytes(lang, p.min_disk_gb)}</td>
                    <td data-label=label(lang, Field::UsualMinutes) class="num">{p.usual_minutes}</td>
                    <td data-label=t!(lang, "catalogue-days")>{days.join(" – ")}</td>
                </tr>
            }
        })
        .collect_view();
    let head = [
        t!(lang, "col-name"),
        label(lang, Field::Licence),
        label(lang, Field::Licences),
        t!(lang, "catalogue-least"),
        label(lang, Field::UsualMinutes),
        t!(lang, "catalogue-days"),
    ]
    .map(|text| view! { <th scope="col">{text}</th> });
    view! {
        <table class="as-cards">
            <caption class="sr-only">{t!(lang, "catalogue-panels")}</caption>
            <thead><tr>{head}</tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

fn begin(p: &Panel) -> Typed {
    let mut typed: Typed = [
        ("title", p.name.clone()),
        ("min-ram", p.min_ram_gb.to_string()),
        ("min-disk", p.min_disk_gb.to_string()),
        ("licence", typed_money(p.licence_minor)),
        ("licences", p.licences.map(|n| n.to_string()).unwrap_or_default()),
        ("usual-minutes", p.usual_minutes.to_string()),
        ("offered-from", p.from.clone().unwrap_or_default()),
        ("offered-until", p.until.clone().unwrap_or_default()),
    ]
    .map(|(n, v)| (n.to_owned(), v))
    .into();
    typed.extend(p.templates.iter().map(|id| (format!("on-{id}"), "yes".to_owned())));
    typed
}

async fn edit(request: &Request, seen: &CatalogueView, old: &Panel) -> Result<(AnyView, bool), Fault> {
    let lang = request.lang();
    let edit = editing(request, format!("panel:{}", old.id), "catalogue_panel", begin(old)).await;
    let change = read_panel(old, &seen.now.templates, &edit.typed).ok().map(CatalogueChange::Panel);
    let end = form_end(request, &edit, change, routes::STAFF_PANELS).await?;
    let boxes = seen
        .now
        .templates
        .iter()
        .map(|t| {
            let name = format!("on-{}", t.id);
            let checked = edit.typed.get(&name).is_some_and(|v| !v.is_empty());
            view! {
                <label class="pill" for=name.clone()>
                    <input type="checkbox" id=name.clone() name=format!("v[{name}]") value="yes" checked=checked/>
                    <span>{t.name.clone()}</span>
                </label>
            }
        })
        .collect_view();
    let inside = view! {
        <fieldset class="field">
            <legend>{t!(lang, "catalogue-runs-on")}</legend>
            <div class="pills">{boxes}</div>
        </fieldset>
        <div class="grid">
        {text_box(lang, &edit, Field::Title, "text")}
        {text_box(lang, &edit, Field::MinRam, "numeric")}
        {text_box(lang, &edit, Field::MinDisk, "numeric")}
        {text_box(lang, &edit, Field::Licence, "decimal")}
        {text_box(lang, &edit, Field::Licences, "numeric")}
        {text_box(lang, &edit, Field::UsualMinutes, "numeric")}
        {text_box(lang, &edit, Field::OfferedFrom, "text")}
        {text_box(lang, &edit, Field::OfferedUntil, "text")}
        </div>
        {end}
    };
    let bad = !edit.errors.is_empty();
    Ok((form_around(lang, &edit, old.name.clone(), &old.id, inside.into_any()), bad))
}
