//! The growing summary beside every step, and the price table's texts.

use domain::price::{Item, Quote};
use leptos::prelude::*;
use provisioning::Draft;

use crate::{
    format,
    i18n::{Lang, t},
    request::Request,
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
    }
}

pub(super) fn item_name(lang: Lang, item: Item) -> String {
    match item {
        Item::Licence => t!(lang, "item-licence"),
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

pub(super) fn summary(request: &Request, draft: &Draft) -> impl IntoView + use<> {
    let lang = request.lang();
    let facade = request.facade();
    let template = facade.catalogue().template(&draft.values.template);
    let name = template.map_or_else(|| "—".to_owned(), |t| t.name.clone());
    let quote = facade.draft_quote(&draft.values).map(|(_, q)| q);
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
        <aside class="summary card" aria-label=t!(lang, "order-summary")>
            <h2>{t!(lang, "order-summary")}</h2>
            <dl class="facts">
                {fact(t!(lang, "label-template"), name)}
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
