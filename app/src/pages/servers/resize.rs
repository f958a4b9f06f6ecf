//! S10: another size. First what it would mean for each parameter and for the price, then the change itself.
//!
//! The values stand in the address while somebody tries them: nothing is lost on the way, and a page that was reloaded asks
//! the same again. Nothing is changed before the second form is sent.

use domain::{catalogue::Range, field::Field, permission::Action, resize::Effect, size::Size};
use leptos::prelude::*;
use provisioning::{ResizePreview, ServerView};

use super::{
    Fault, Loaded, Params,
    confirm::{denied, starts_after},
    gone, tabs,
};
use crate::{
    format,
    i18n::{Lang, t},
    islands::SizeRows,
    request::{Memory, Request},
    routes,
    shell::Page,
    ui::{ErrorSummary, Errors, label},
};

const FIELDS: [Field; 4] = [Field::Vcpu, Field::Ram, Field::Disk, Field::Bandwidth];

pub(crate) async fn resize(request: Request, params: Params) -> Loaded {
    let lang = request.lang();
    let view = request.facade().server(request.viewer()?, params.id("id")?).await?.ok_or(Fault::NotFound)?;
    if view.server.terminated_at.is_some() {
        return Err(gone(&request, &view).await?);
    }
    let server = &view.server;
    let title = t!(lang, "resize-title", name = server.name.clone());
    let submit = t!(lang, "resize-title", name = server.name.clone());
    if let Err(denial) = view.can(Action::Resize) {
        let body = view! {
            {tabs(lang, server, "resize")}
            <section class="card">{denied(lang, &view, submit, denial)}</section>
        };
        return Ok(Page::new(title, body));
    }
    let flash =
        Memory(&request.around.session).flash_of(&format!("resize-{}", server.id)).await.unwrap_or_default();
    let refused_before = !flash.errors.is_empty();
    let now = texts(server.size);
    let typed: Vec<String> = FIELDS
        .iter()
        .zip(&now)
        .map(|(field, now)| {
            let sent = flash.values.get(field.as_str()).cloned();
            sent.or_else(|| request.query(field.as_str())).unwrap_or_else(|| now.clone())
        })
        .collect();
    let asked = FIELDS.iter().any(|f| request.query(f.as_str()).is_some());
    let preview = request.facade().resize_preview(&view, [&typed[0], &typed[1], &typed[2], &typed[3]]);
    let errors = match (&preview, refused_before, asked) {
        (_, true, _) => Errors(flash.errors),
        (Err(errors), _, true) => Errors(errors.clone()),
        _ => Errors::default(),
    };
    let after = starts_after(&request, &view).await?;
    let meaning = match preview {
        Ok(preview) if asked || refused_before => Some(meaning(&request, &view, &typed, &preview, after)),
        _ => None,
    };
    let refused = !errors.is_empty();
    // Limits and price are those of its system, which the catalogue may have lost.
    let form = parameters(&request, &view, &typed, &errors).unwrap_or_else(|| {
        view! { <p>{t!(lang, "resize-no-system", system = server.template_name.clone())}</p> }.into_any()
    });
    let body = view! {
        {tabs(lang, server, "resize")}
        <ErrorSummary lang errors=errors.clone()/>
        <section class="card">{form}</section>
        {meaning}
    };
    Ok(Page { refused, ..Page::new(title, body) })
}

fn texts(size: Size) -> [String; 4] {
    [size.vcpu, size.ram_gb, size.disk_gb, size.bandwidth_mbit].map(|n| n.to_string())
}

/// The first form: what to try. It changes nothing, so it is sent with its values in the address.
fn parameters(request: &Request, view: &ServerView, typed: &[String], errors: &Errors) -> Option<AnyView> {
    let lang = request.lang();
    let server = &view.server;
    let catalogue = request.facade().catalogue();
    let limits = request.facade().resize_limits(view)?;
    let size = server.size;
    let rows = [
        (Field::Vcpu, &typed[0], limits.vcpu, size.vcpu.to_string()),
        (Field::Ram, &typed[1], limits.ram_gb, format::gigabytes(lang, size.ram_gb)),
        (Field::Disk, &typed[2], limits.disk_gb, format::gigabytes(lang, size.disk_gb)),
    ]
    .map(|(field, typed, range, now)| number(lang, errors, field, typed, range, now))
    .into_iter()
    .collect_view();
    let speeds = catalogue
        .bandwidth_mbit
        .iter()
        .map(|mbit| {
            let id = format!("bandwidth-{mbit}");
            let checked = typed[3] == mbit.to_string();
            view! {
                <label class="pill" for=id.clone()>
                    <input type="radio" name="bandwidth" id=id.clone() value=mbit.to_string() checked=checked/>
                    <span>{format::megabits(lang, *mbit)}</span>
                </label>
            }
        })
        .collect_view();
    let panel = server.panel.as_ref().map(|p| p.id.clone()).unwrap_or_default();
    let shown = request.facade().resize_preview(view, [&typed[0], &typed[1], &typed[2], &typed[3]]);
    let price = shown.map_or(server.price_minor, |preview| preview.quote.total_minor);
    let price = format::money(lang, price);
    let form = view! {
        <form method="get" action=routes::server_resize(server.id) data-sizes="" novalidate=true>
            <p>{t!(lang, "resize-lead")}</p>
            {rows}
            <fieldset class="field" id="bandwidth">
                <legend>{label(lang, Field::Bandwidth)}</legend>
                <p class="hint">{t!(lang, "resize-now", now = format::megabits(lang, size.bandwidth_mbit))}</p>
                <div class="pills">{speeds}</div>
                {errors.at(lang, Field::Bandwidth)}
            </fieldset>
            <div id="size">{errors.at(lang, Field::Size)}</div>
            <div id="price">{errors.at(lang, Field::Price)}</div>
            <p data-priced="">{t!(lang, "review-total")} ": " <strong data-quote="total">{price}</strong></p>
            <div class="buttons">
                <button class="button">{t!(lang, "resize-preview")}</button>
                <a class="button secondary" href=routes::server(server.id)>{t!(lang, "cancel")}</a>
            </div>
            <SizeRows template=server.template_id.clone() panel=panel/>
        </form>
    };
    Some(form.into_any())
}

fn number(lang: Lang, errors: &Errors, field: Field, typed: &str, range: Range, now: String) -> AnyView {
    let hint = t!(
        lang,
        "size-range",
        min = range.min.to_string(),
        max = range.max.to_string(),
        step = range.step.to_string()
    );
    let unit = match field {
        Field::Vcpu => String::new(),
        _ => t!(lang, "unit-gb", n = "").trim().to_owned(),
    };
    let name = match field {
        Field::Vcpu => label(lang, field),
        _ => format!("{}, {unit}", label(lang, field)),
    };
    view! {
        <div class="field">
            <label for=field.as_str()>{name}</label>
            <input
                type="number" id=field.as_str() name=field.as_str() value=typed.to_owned() inputmode="numeric"
                min=range.min.to_string() max=range.max.to_string() step=range.step.to_string() required
                aria-invalid=errors.invalid(field) aria-describedby=errors.described(field, true)
            />
            <div class="slider" data-slider=field.as_str() data-unit=unit></div>
            <p class="hint" id=format!("{field}-hint")>{t!(lang, "resize-now", now = now)} " · " {hint}</p>
            {errors.at(lang, field)}
        </div>
    }
    .into_any()
}

/// The second form: what it means, and the change itself.
fn meaning(
    request: &Request,
    view: &ServerView,
    typed: &[String],
    preview: &ResizePreview,
    after: Option<String>,
) -> AnyView {
    let lang = request.lang();
    let server = &view.server;
    let (now, wanted) = (server.size, preview.size);
    let size = |n: u32, field| match field {
        Field::Vcpu => n.to_string(),
        Field::Bandwidth => format::megabits(lang, n),
        _ => format::gigabytes(lang, n),
    };
    let rows = [
        (Field::Vcpu, now.vcpu, wanted.vcpu, preview.effects.vcpu),
        (Field::Ram, now.ram_gb, wanted.ram_gb, preview.effects.ram),
        (Field::Disk, now.disk_gb, wanted.disk_gb, preview.effects.disk),
        (Field::Bandwidth, now.bandwidth_mbit, wanted.bandwidth_mbit, preview.effects.bandwidth),
    ]
    .into_iter()
    .map(|(field, now, wanted, effect)| {
        let change = match effect {
            Effect::None => size(now, field),
            _ => format!("{} → {}", size(now, field), size(wanted, field)),
        };
        view! {
            <tr>
                <th scope="row">{label(lang, field)}</th>
                <td data-label=t!(lang, "resize-change")>{change}</td>
                <td data-label=t!(lang, "resize-effect")>{effect_text(lang, effect)}</td>
            </tr>
        }
    })
    .collect_view();
    let difference = preview.quote.total_minor - server.price_minor;
    let sign = if difference < 0 { "−" } else { "+" };
    let difference = format!("{sign}{}", format::money(lang, difference.abs()));
    let price = t!(
        lang,
        "resize-price",
        price = format::money(lang, preview.quote.total_minor),
        difference = difference
    );
    let restarts = preview.effects.restarts();
    let submit = if restarts { "resize-submit-restart" } else { "resize-submit" };
    let submit = lang.tr(submit, &[("name", server.name.as_str().into())]);
    let hidden = FIELDS
        .iter()
        .zip(typed)
        .map(|(field, value)| view! { <input type="hidden" name=field.as_str() value=value.clone()/> })
        .collect_view();
    view! {
        <section class="card">
            <h2 id="meaning">{t!(lang, "resize-meaning")}</h2>
            <table class="as-cards" aria-labelledby="meaning">
                <thead>
                    <tr>
                        <th scope="col">{t!(lang, "review-item")}</th>
                        <th scope="col">{t!(lang, "resize-change")}</th>
                        <th scope="col">{t!(lang, "resize-effect")}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
            <p class="big">{price}</p>
            {restarts.then(|| view! { <p class="note">{t!(lang, "resize-restart-note")}</p> })}
            {after.map(|after| view! { <p class="note">{after}</p> })}
            <form method="post" action=routes::action("server_resize")>
                <input type="hidden" name="server" value=server.id.to_string()/>
                <input type="hidden" name="key" value=request.facade().form_key()/>
                <input type="hidden" name="total" value=preview.quote.total_minor.to_string()/>
                {hidden}
                <button class="button">{submit}</button>
            </form>
        </section>
    }
    .into_any()
}

fn effect_text(lang: Lang, effect: Effect) -> String {
    match effect {
        Effect::None => t!(lang, "resize-effect-none"),
        Effect::Live => t!(lang, "resize-effect-live"),
        Effect::Restart => t!(lang, "resize-effect-restart"),
        Effect::Impossible(_) => t!(lang, "resize-effect-impossible"),
    }
}
