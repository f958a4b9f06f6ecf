//! Prices and limits.

use domain::{
    catalogue::{Catalogue, Range},
    catalogue_change::{CatalogueChange, Typed, read_limits, read_prices, typed_money},
    field::Field,
};
use leptos::prelude::*;
use provisioning::CatalogueView;

use super::{Editing, changes, editing, form_around, form_end, tabs, text_box, view};
use crate::{
    format,
    i18n::{Lang, t},
    pages::{Fault, Loaded, Params},
    request::Request,
    routes,
    shell::Page,
    ui::{fact, label},
};

pub(crate) async fn prices(request: Request, _: Params) -> Loaded {
    let lang = request.lang();
    let seen = view(&request).await?;
    let form = match request.query("edit").as_deref() {
        Some("prices") => Some(edit_prices(&request, &seen).await?),
        Some("limits") => Some(edit_limits(&request, &seen).await?),
        _ => None,
    };
    let refused = form.as_ref().is_some_and(|(_, bad)| *bad);
    let href = |what: &str| format!("{}?edit={what}#edit", routes::STAFF_PRICES);
    let p = &seen.now.prices;
    let money = |minor| format::money(lang, minor);
    let speeds =
        p.bandwidth.iter().map(|b| fact(format::megabits(lang, b.mbit), money(b.minor))).collect_view();
    let range = |r: Range| {
        t!(
            lang,
            "catalogue-range",
            min = r.min.to_string(),
            max = r.max.to_string(),
            step = r.step.to_string()
        )
    };
    let body = view! {
        {tabs(lang, routes::STAFF_PRICES)}
        {form.map(|(form, _)| form)}
        <div class="side-by-side">
            <section class="card">
                <h2>{t!(lang, "catalogue-prices")}</h2>
                <dl class="facts">
                    {p.since.as_deref().map(|day| fact(t!(lang, "catalogue-since"), format::iso_date(lang, day)))}
                    {fact(label(lang, Field::PriceVcpu), money(p.vcpu_minor))}
                    {fact(label(lang, Field::PriceRam), money(p.ram_gb_minor))}
                    {fact(label(lang, Field::PriceDisk), money(p.disk_gb_minor))}
                    {speeds}
                </dl>
                <a class="button secondary" href=href("prices")>{t!(lang, "catalogue-edit-prices")}</a>
            </section>
            <section class="card">
                <h2>{t!(lang, "catalogue-limits")}</h2>
                <dl class="facts">
                    {fact(label(lang, Field::Vcpu), range(seen.now.vcpu))}
                    {fact(label(lang, Field::Ram), range(seen.now.ram_gb))}
                    {fact(label(lang, Field::Disk), range(seen.now.disk_gb))}
                </dl>
                <a class="button secondary" href=href("limits")>{t!(lang, "catalogue-edit-limits")}</a>
            </section>
        </div>
        {changes(lang, &seen)}
    };
    Ok(Page { refused, wide: true, ..Page::new(t!(lang, "catalogue-prices-title"), body) })
}

fn begin_prices(c: &Catalogue) -> Typed {
    let p = &c.prices;
    let mut typed: Typed = [
        ("price-vcpu", typed_money(p.vcpu_minor)),
        ("price-ram", typed_money(p.ram_gb_minor)),
        ("price-disk", typed_money(p.disk_gb_minor)),
    ]
    .map(|(n, v)| (n.to_owned(), v))
    .into();
    typed.extend(p.bandwidth.iter().map(|b| (format!("price-speed-{}", b.mbit), typed_money(b.minor))));
    typed
}

async fn edit_prices(request: &Request, seen: &CatalogueView) -> Result<(AnyView, bool), Fault> {
    let lang = request.lang();
    let edit = editing(request, "prices".into(), "catalogue_prices", begin_prices(&seen.now)).await;
    let change = read_prices(&seen.now.prices, "", &edit.typed).ok().map(CatalogueChange::Prices);
    let end = form_end(request, &edit, change, routes::STAFF_PRICES).await?;
    let speeds = seen
        .now
        .prices
        .bandwidth
        .iter()
        .enumerate()
        .map(|(n, b)| {
            let name = format!("price-speed-{}", b.mbit);
            // The first is what a message about speeds leads to.
            let id = if n == 0 { Field::PriceSpeed.as_str().to_owned() } else { name.clone() };
            let value = edit.typed.get(&name).cloned().unwrap_or_default();
            view! {
                <div class="field">
                    <label for=id.clone()>{label(lang, Field::PriceSpeed)} " " {format::megabits(lang, b.mbit)}</label>
                    <input
                        type="text" id=id name=format!("v[{name}]") value=value maxlength="20" inputmode="decimal" autocomplete="off"
                        aria-invalid=edit.errors.invalid(Field::PriceSpeed) aria-describedby=edit.errors.described(Field::PriceSpeed, false)
                    />
                </div>
            }
        })
        .collect_view();
    let inside = view! {
        <p class="note">{t!(lang, "catalogue-prices-hint")}</p>
        <div class="grid">
        {text_box(lang, &edit, Field::PriceVcpu, "decimal")}
        {text_box(lang, &edit, Field::PriceRam, "decimal")}
        {text_box(lang, &edit, Field::PriceDisk, "decimal")}
        {speeds}
        </div>
        {edit.errors.at(lang, Field::PriceSpeed)}
        {end}
    };
    let bad = !edit.errors.is_empty();
    Ok((form_around(lang, &edit, t!(lang, "catalogue-edit-prices"), "prices", inside.into_any()), bad))
}

async fn edit_limits(request: &Request, seen: &CatalogueView) -> Result<(AnyView, bool), Fault> {
    let lang = request.lang();
    let ranges =
        [(Field::Vcpu, seen.now.vcpu), (Field::Ram, seen.now.ram_gb), (Field::Disk, seen.now.disk_gb)];
    let begin = ranges
        .iter()
        .flat_map(|(field, r)| {
            [("min", r.min), ("max", r.max), ("step", r.step)]
                .map(|(part, n)| (format!("{field}-{part}"), n.to_string()))
        })
        .collect();
    let edit = editing(request, "limits".into(), "catalogue_limits", begin).await;
    let change = read_limits(&edit.typed).ok().map(CatalogueChange::Limits);
    let end = form_end(request, &edit, change, routes::STAFF_PRICES).await?;
    let boxes = ranges.iter().map(|(field, _)| range_boxes(lang, &edit, *field)).collect_view();
    let inside = view! { {boxes} {end} };
    let bad = !edit.errors.is_empty();
    Ok((form_around(lang, &edit, t!(lang, "catalogue-edit-limits"), "limits", inside.into_any()), bad))
}

fn range_boxes(lang: Lang, edit: &Editing, field: Field) -> AnyView {
    let boxes = ["min", "max", "step"]
        .iter()
        .enumerate()
        .map(|(n, part)| {
            let name = format!("{field}-{part}");
            let id = if n == 0 { field.as_str().to_owned() } else { name.clone() };
            let value = edit.typed.get(&name).cloned().unwrap_or_default();
            view! {
                <div class="field">
                    <label for=id.clone()>{lang.t(&format!("catalogue-{part}"))}</label>
                    <input
                        type="text" id=id name=format!("v[{name}]") value=value maxlength="10" inputmode="numeric" autocomplete="off"
                        aria-invalid=edit.errors.invalid(field) aria-describedby=edit.errors.described(field, false)
                    />
                </div>
            }
        })
        .collect_view();
    view! {
        <fieldset class="field">
            <legend>{label(lang, field)}</legend>
            <div class="toolbar">{boxes}</div>
            {edit.errors.at(lang, field)}
        </fieldset>
    }
    .into_any()
}
