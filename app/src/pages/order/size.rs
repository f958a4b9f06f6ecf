//! S5: the four free parameters.

use domain::{
    catalogue::Range,
    draft::{QUANTITY, WizardStep},
    field::Field,
};
use leptos::prelude::*;

use super::{
    Loaded, Params, START, buttons, draft, draft_input, enter_is_next, help, shown_errors, step_page,
};
use crate::{
    api::drafts::BEFORE,
    format,
    i18n::{Lang, t},
    islands::SizeRows,
    request::Request,
    routes,
    ui::{Errors, label},
};

pub(crate) async fn size(request: Request, params: Params) -> Loaded {
    let draft = draft(&request, &params).await?;
    let lang = request.lang();
    let errors = shown_errors(&draft, WizardStep::Size);
    let catalogue = request.facade().catalogue();
    let values = &draft.draft.values;
    let template = catalogue.template(&values.template).or(catalogue.templates.first());
    let template = template.ok_or(super::Fault::NotFound)?;
    let limits = catalogue.limits(template, values.panel_of(catalogue));
    let prices = &catalogue.prices;
    let per = |id: &'static str, minor| lang.tr(id, &[("price", format::money(lang, minor).into())]);
    let gb = t!(lang, "unit-gb", n = "").trim().to_owned();
    let rows = [
        (Field::Vcpu, &values.vcpu, limits.vcpu, String::new(), per("size-unit-vcpu", prices.vcpu_minor)),
        (Field::Ram, &values.ram, limits.ram_gb, gb.clone(), per("size-unit-gb", prices.ram_gb_minor)),
        (Field::Disk, &values.disk, limits.disk_gb, gb.clone(), per("size-unit-gb", prices.disk_gb_minor)),
    ]
    .into_iter()
    .map(|(field, typed, range, unit, price)| number_row(lang, &errors, field, typed, range, unit, price))
    .collect_view();
    let speeds = prices
        .bandwidth
        .iter()
        .filter(|b| catalogue.bandwidth_mbit.contains(&b.mbit))
        .map(|b| {
            let id = format!("bandwidth-{}", b.mbit);
            let checked = values.bandwidth == b.mbit.to_string();
            view! {
                <label class="pill" for=id.clone()>
                    <input type="radio" name="bandwidth" id=id.clone() value=b.mbit.to_string() checked=checked/>
                    <span>{format::megabits(lang, b.mbit)}</span>
                    <span class="dim">{format::money(lang, b.minor)}</span>
                </label>
            }
        })
        .collect_view();
    let before = request.facade().size_before(draft.draft.customer).await?.map(|size| (BEFORE, size));
    let presets = catalogue
        .presets
        .iter()
        .map(|p| (p.id.as_str(), p.size))
        .chain(before)
        .map(|(id, size)| {
            let text = format!("{}: {}", lang.t(&format!("preset-{id}")), format::size(lang, size));
            view! {
                <button class="button secondary small" name="go" value=format!("preset-{id}") formnovalidate=true>{text}</button>
            }
        })
        .collect_view();
    let preview = request.facade().order_preview(draft.draft.customer).await?;
    // A panel is an operation of its own.
    let each = if values.panel.is_empty() { 1 } else { 2 };
    let room = preview.room / each;
    let free = preview.free_edges;
    let capacity = match free {
        0 => t!(lang, "size-edges-none"),
        1..10 => t!(lang, "size-edges-few", n = free),
        _ => t!(lang, "size-edges-free"),
    };
    let form = view! {
        {help(lang, t!(lang, "size-help"))}
        <form method="post" action=routes::action("draft_save_size") id=START data-sizes="" novalidate=true>
            {enter_is_next()}
            {draft_input(&draft.draft)}
            <div class="presets" role="group" aria-label=t!(lang, "size-presets")>
                <span class="dim">{t!(lang, "size-presets")}</span>
                {presets}
            </div>
            {rows}
            <fieldset class="field" id="bandwidth">
                <legend>{label(lang, Field::Bandwidth)}</legend>
                <div class="pills">{speeds}</div>
                {errors.at(lang, Field::Bandwidth)}
            </fieldset>
            {quantity(lang, &errors, &values.quantity, room)}
            <p class="dim">{capacity}</p>
            <noscript>
                <button class="button secondary" name="go" value="recalculate">{t!(lang, "wizard-recalculate")}</button>
            </noscript>
            {buttons(&request, &draft.draft, WizardStep::Size)}
            <SizeRows template=template.id.clone() panel=values.panel.clone() />
        </form>
    };
    let form = form.into_any();
    Ok(step_page(&request, &draft, WizardStep::Size, t!(lang, "size-heading"), errors, form))
}

fn number_row(
    lang: Lang,
    errors: &Errors,
    field: Field,
    typed: &str,
    range: Range,
    unit: String,
    price: String,
) -> impl IntoView + use<> {
    let name = if unit.is_empty() { label(lang, field) } else { format!("{}, {unit}", label(lang, field)) };
    let hint = t!(
        lang,
        "size-range",
        min = range.min.to_string(),
        max = range.max.to_string(),
        step = range.step.to_string()
    );
    view! {
        <div class="field">
            <label for=field.as_str()>{name}</label>
            <input
                type="number" id=field.as_str() name=field.as_str() value=typed.to_owned() inputmode="numeric"
                min=range.min.to_string() max=range.max.to_string() step=range.step.to_string() required
                aria-invalid=errors.invalid(field) aria-describedby=errors.described(field, true)
            />
            <div class="slider" data-slider=field.as_str() data-unit=unit></div>
            <p class="hint" id=format!("{field}-hint")>{hint} " · " {price}</p>
            {errors.with_repairs(lang, field)}
        </div>
    }
}

/// How many servers, and how many there is room for now.
fn quantity(lang: Lang, errors: &Errors, typed: &str, room: i64) -> impl IntoView + use<> {
    let field = Field::Quantity;
    let typed = if typed.is_empty() { "1" } else { typed }.to_owned();
    let short = (room < i64::from(QUANTITY.max)).then(|| t!(lang, "size-room", n = room));
    view! {
        <div class="field">
            <label for=field.as_str()>{label(lang, field)}</label>
            <input
                type="number" id=field.as_str() name=field.as_str() value=typed inputmode="numeric"
                min=QUANTITY.min.to_string() max=QUANTITY.max.to_string() step="1" required
                aria-invalid=errors.invalid(field) aria-describedby=errors.described(field, true)
            />
            <p class="hint" id=format!("{field}-hint")>{t!(lang, "size-quantity-hint")} " " {short}</p>
            {errors.at(lang, field)}
        </div>
    }
}
