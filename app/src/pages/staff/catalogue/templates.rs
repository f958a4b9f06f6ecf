//! The systems that are offered.

use domain::{
    catalogue::{Channel, Family, Template},
    catalogue_change::{CatalogueChange, Typed, read_template, typed_money},
    field::Field,
};
use leptos::prelude::*;

use super::{Editing, changes, editing, form_around, form_end, tabs, text_box, view};
use crate::{
    format,
    i18n::{Lang, t},
    pages::{Fault, Loaded, Params},
    request::Request,
    routes,
    shell::Page,
    ui::{badge, label},
};

/// The form of one that is not there yet.
const NEW: &str = "new";

pub(crate) async fn templates(request: Request, _: Params) -> Loaded {
    let lang = request.lang();
    let seen = view(&request).await?;
    let form = match request.query("edit") {
        None => None,
        Some(id) if id == NEW => Some(edit(&request, None).await?),
        Some(id) => Some(edit(&request, Some(seen.now.template(&id).ok_or(Fault::NotFound)?)).await?),
    };
    let refused = form.as_ref().is_some_and(|(_, bad)| *bad);
    let rows = seen
        .now
        .templates
        .iter()
        .map(|t| {
            let panels: Vec<&str> =
                seen.now.panels.iter().filter(|p| p.templates.contains(&t.id)).map(|p| p.name.as_str()).collect();
            let state = if t.withdrawn { badge("idle", t!(lang, "catalogue-withdrawn")) } else { badge("ok", t!(lang, "catalogue-offered")) };
            let href = format!("{}?edit={}#edit", routes::STAFF_TEMPLATES, t.id);
            view! {
                <tr>
                    <th scope="row"><a href=href>{t.name.clone()}</a></th>
                    <td data-label=t!(lang, "col-state")>{state}</td>
                    <td data-label=t!(lang, "catalogue-channel")>{lang.t(&format!("channel-{}", t.channel.as_str()))}</td>
                    <td data-label=label(lang, Field::PlatformName)>{t.platform_name.clone()}</td>
                    <td data-label=label(lang, Field::SupportedUntil)>{t.supported_until.as_deref().map(|d| format::iso_date(lang, d))}</td>
                    <td data-label=t!(lang, "catalogue-least")>{least(lang, t)}</td>
                    <td data-label=label(lang, Field::Licence) class="num">{format::money(lang, t.licence_minor)}</td>
                    <td data-label=t!(lang, "catalogue-panels")>{panels.join(", ")}</td>
                </tr>
            }
        })
        .collect_view();
    let head = [
        t!(lang, "col-name"),
        t!(lang, "col-state"),
        t!(lang, "catalogue-channel"),
        label(lang, Field::PlatformName),
        label(lang, Field::SupportedUntil),
        t!(lang, "catalogue-least"),
        label(lang, Field::Licence),
        t!(lang, "catalogue-panels"),
    ]
    .map(|text| view! { <th scope="col">{text}</th> });
    let body = view! {
        {tabs(lang, routes::STAFF_TEMPLATES)}
        {form.map(|(form, _)| form)}
        <table class="as-cards">
            <caption class="sr-only">{t!(lang, "catalogue-templates")}</caption>
            <thead><tr>{head}</tr></thead>
            <tbody>{rows}</tbody>
        </table>
        <p><a class="button secondary" href=format!("{}?edit={NEW}#edit", routes::STAFF_TEMPLATES)>{t!(lang, "catalogue-add")}</a></p>
        {changes(lang, &seen)}
    };
    Ok(Page { refused, wide: true, ..Page::new(t!(lang, "catalogue-templates"), body) })
}

fn least(lang: Lang, t: &Template) -> String {
    let ram = format::gigabytes(lang, t.min_ram_gb);
    let disk = format::gigabytes(lang, t.min_disk_gb);
    format!("{} vCPU, {ram}, {disk}", t.min_vcpu)
}

fn begin(t: Option<&Template>) -> Typed {
    let Some(t) = t else {
        return [("min-vcpu", "1"), ("min-ram", "1"), ("min-disk", "10"), ("licence", "0")]
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .into();
    };
    [
        ("title", t.name.clone()),
        ("platform-name", t.platform_name.clone()),
        ("channel", t.channel.as_str().to_owned()),
        ("supported-until", t.supported_until.clone().unwrap_or_default()),
        ("min-vcpu", t.min_vcpu.to_string()),
        ("min-ram", t.min_ram_gb.to_string()),
        ("min-disk", t.min_disk_gb.to_string()),
        ("licence", typed_money(t.licence_minor)),
        ("withdrawn", if t.withdrawn { "yes" } else { "" }.to_owned()),
    ]
    .map(|(n, v)| (n.to_owned(), v))
    .into()
}

/// The form of a template, and whether something is wrong with what was typed.
async fn edit(request: &Request, old: Option<&Template>) -> Result<(AnyView, bool), Fault> {
    let lang = request.lang();
    let id = old.map_or(NEW, |t| t.id.as_str());
    let edit = editing(request, format!("template:{id}"), "catalogue_template", begin(old)).await;
    let change = read_template(old, &edit.typed).ok().map(CatalogueChange::Template);
    let end = form_end(request, &edit, change, routes::STAFF_TEMPLATES).await?;
    let inside = view! {
        <div class="grid">
        {old.is_none().then(|| family_and_id(lang, &edit))}
        {text_box(lang, &edit, Field::Title, "text")}
        {text_box(lang, &edit, Field::PlatformName, "text")}
        {channels(lang, &edit)}
        {text_box(lang, &edit, Field::SupportedUntil, "text")}
        {text_box(lang, &edit, Field::MinVcpu, "numeric")}
        {text_box(lang, &edit, Field::MinRam, "numeric")}
        {text_box(lang, &edit, Field::MinDisk, "numeric")}
        {text_box(lang, &edit, Field::Licence, "decimal")}
        </div>
        <div class="field">
            <label class="pill" for="withdrawn">
                <input type="checkbox" id="withdrawn" name="v[withdrawn]" value="yes" checked={edit.typed.get("withdrawn").is_some_and(|v| !v.is_empty())}/>
                <span>{t!(lang, "catalogue-withdraw-template")}</span>
            </label>
        </div>
        {end}
    };
    let title = old.map_or_else(|| t!(lang, "catalogue-add"), |t| t.name.clone());
    let bad = !edit.errors.is_empty();
    Ok((form_around(lang, &edit, title, id, inside.into_any()), bad))
}

fn family_and_id(lang: Lang, edit: &Editing) -> AnyView {
    let windows = edit.typed.get("family").is_some_and(|f| f == "windows");
    let options = [(Family::Linux, "linux", "Linux"), (Family::Windows, "windows", "Windows")].map(
        |(family, word, name)| {
            view! { <option value=word selected={windows == (family == Family::Windows)}>{name}</option> }
        },
    );
    view! {
        {text_box(lang, edit, Field::Id, "text")}
        <div class="field">
            <label for="family">{t!(lang, "catalogue-family")}</label>
            <select id="family" name="v[family]">{options}</select>
        </div>
    }
    .into_any()
}

fn channels(lang: Lang, edit: &Editing) -> AnyView {
    let now = edit.typed.get("channel").cloned().unwrap_or_default();
    let options = [Channel::Stable, Channel::Old, Channel::New].map(|c| {
        view! { <option value=c.as_str() selected={now == c.as_str()}>{lang.t(&format!("channel-{}", c.as_str()))}</option> }
    });
    view! {
        <div class="field">
            <label for="channel">{t!(lang, "catalogue-channel")}</label>
            <select id="channel" name="v[channel]">{options}</select>
        </div>
    }
    .into_any()
}
