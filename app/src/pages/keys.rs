//! The keys, and where they lead. Every entry is also a link somewhere; a page of its own where there is no dialog.

use leptos::prelude::*;

use super::{Loaded, Params};
use crate::{
    i18n::{Lang, t},
    request::Request,
    routes,
    shell::{Page, places},
};

pub(super) async fn keys(request: Request, _: Params) -> Loaded {
    let lang = request.lang();
    let places = places(&request)
        .into_iter()
        .map(|place| {
            let keys = key_names(lang, place.keys);
            view! { <li><a href=place.href>{place.text}</a> {keys}</li> }
        })
        .collect_view();
    let hints = [
        ("/", t!(lang, "keys-search")),
        ("j", t!(lang, "keys-next")),
        ("k", t!(lang, "keys-previous")),
        (".", t!(lang, "keys-menu")),
        ("c", t!(lang, "keys-order")),
        ("r", t!(lang, "keys-refresh")),
        ("?", t!(lang, "keys-help")),
        ("Ctrl Enter", t!(lang, "keys-send")),
        ("Ctrl k", t!(lang, "keys-places")),
        ("Esc", t!(lang, "keys-close")),
    ]
    .map(|(keys, text)| view! { <li><span>{text}</span> {key_names(lang, keys)}</li> });
    let body = view! {
        <section class="card" data-confirm="" data-filterable=t!(lang, "keys-find")>
            <ul class="plain rows keyed">{places} {hints}</ul>
            <p class="hint">
                {t!(lang, "keys-off-hint")} " " <a href=routes::ACCOUNT>{t!(lang, "account-title")}</a>
            </p>
        </section>
    };
    Ok(Page::new(t!(lang, "keys-title"), body))
}

fn key_names(lang: Lang, keys: &'static str) -> AnyView {
    let then = t!(lang, "keys-then");
    let joint = if keys.starts_with("Ctrl") { "+".to_owned() } else { format!(" {then} ") };
    let parts = keys
        .split(' ')
        .enumerate()
        .map(|(i, key)| {
            let joint = (i > 0).then(|| joint.clone());
            view! { {joint}<kbd>{key}</kbd> }
        })
        .collect_view();
    view! { <span>{parts}</span> }.into_any()
}
