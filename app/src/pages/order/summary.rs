//! The growing summary beside every step, and the price table's texts.

use domain::{
    draft::WizardStep,
    price::{Item, Quote},
};
use leptos::prelude::*;
use provisioning::JudgedDraft;

use crate::{
    format,
    i18n::{Lang, t},
    request::Request,
    routes,
    ui::fact,
};

/// Hours of a month, for the price per hour.
const HOURS: i64 = 730;

pub(super) fn item_key(item: Item) -> &'static str {
    match item {
        Item::Vcpu => "vcpu",
        Item::Ram => "ram",
        Item::Disk => "disk",
        Item::Bandwidth => "bandwidth",
        Item::Licence => "licence",
        Item::Panel => "panel",
    }
}

pub(super) fn item_name(lang: Lang, item: Item) -> String {
    match item {
        Item::Licence => t!(lang, "item-licence"),
        Item::Panel => t!(lang, "item-panel"),
        other => lang.t(&format!("label-{}", item_key(other))),
    }
}

/// The price table as texts by key, for the page while somebody types.
pub(crate) fn quote_texts(lang: Lang, quote: &Quote) -> Vec<(String, String)> {
    let mut texts: Vec<(String, String)> =
        quote.lines.iter().map(|l| (item_key(l.item).to_owned(), format::money(lang, l.sum_minor))).collect();
    texts.push(("total".into(), format::money(lang, quote.total_minor)));
    texts.push(("hour".into(), per_hour(lang, quote.total_minor)));
    texts
}

pub(super) fn per_hour(lang: Lang, total_minor: i64) -> String {
    t!(lang, "review-hour", price = format::money(lang, total_minor / HOURS))
}

pub(super) fn summary(request: &Request, draft: &JudgedDraft) -> impl IntoView + use<> {
    let lang = request.lang();
    let facade = request.facade();
    let values = &draft.draft.values;
    let template = facade.catalogue().template(&values.template);
    let name = template.map_or_else(|| "—".to_owned(), |t| t.name.clone());
    // A choice that does not fit says so here too.
    let panel = facade.catalogue().panel(&values.panel).map(|p| {
        let faulty = !draft.errors(WizardStep::Panel).is_empty();
        let note = faulty.then(|| view! { " " <a class="reason" href=routes::order(draft.draft.id, WizardStep::Panel)>"▲ " {t!(lang, "wizard-faulty")}</a> });
        fact(t!(lang, "label-panel"), view! { {p.name.clone()} {note} })
    });
    let quote = facade.draft_quote(values).map(|(_, q)| q);
    let lines = quote.as_ref().map(|q| {
        q.lines
            .iter()
            .map(|l| {
                let price =
                    view! { <span data-quote=item_key(l.item)>{format::money(lang, l.sum_minor)}</span> };
                fact(item_name(lang, l.item), price)
            })
            .collect_view()
    });
    let total = quote.as_ref().map_or_else(|| "—".to_owned(), |q| format::money(lang, q.total_minor));
    let hour = quote.as_ref().map(|q| per_hour(lang, q.total_minor)).unwrap_or_default();
    view! {
        <aside class="summary card" id="summary" tabindex="-1" data-priced="" aria-label=t!(lang, "order-summary")>
            <h2>{t!(lang, "order-summary")}</h2>
            <dl class="facts">
                {fact(t!(lang, "label-template"), name)}
                {panel}
                {lines}
            </dl>
            <p class="total">
                <span>{t!(lang, "review-total")}</span>
                <strong data-quote="total">{total}</strong>
            </p>
            <p class="dim" data-quote="hour">{hour}</p>
        </aside>
    }
}
