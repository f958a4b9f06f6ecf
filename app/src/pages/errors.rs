//! S23: what could not be shown, why, and where to go from there.

use leptos::prelude::*;

use super::Fault;
use crate::{
    i18n::{Lang, t},
    request::Request,
    shell::Page,
};

pub(super) fn of(request: &Request, fault: Fault) -> Page {
    let lang = request.lang();
    let (status, text, link) = match fault {
        Fault::NotFound => (404, t!(lang, "fault-404"), None),
        Fault::Forbidden => (403, t!(lang, "fault-403"), None),
        Fault::Gone { text, link } => (410, text, link),
        Fault::Ours(why) => {
            tracing::error!(request = request.around.request_id, "a page could not be shown: {why}");
            (500, t!(lang, "fault-500"), None)
        }
        // Answered before it gets here.
        Fault::Moved(to) => (303, String::new(), Some((to, t!(lang, "fault-back")))),
    };
    let id = t!(lang, "fault-request", id = request.around.request_id.as_str());
    let body = view! {
        <section class="fault">
            <p class="lead">{text}</p>
            <p>
                {link.map(|(href, text)| view! { <a class="button" href=href>{text}</a> " " })}
                <a class="button secondary" href="/">{t!(lang, "fault-home")}</a>
            </p>
            <p class="dim">{id}</p>
        </section>
    };
    Page { status, ..Page::new(t!(lang, "fault-title"), body) }
}

/// A page for what goes wrong outside of the pages: no session, no script, no data.
pub fn error_page(lang: Lang, status: u16, request_id: &str) -> String {
    let text = match status {
        413 => t!(lang, "fault-413"),
        400 | 415 | 422 => t!(lang, "fault-400"),
        403 => t!(lang, "fault-403-form"),
        404 | 405 => t!(lang, "fault-404"),
        429 => t!(lang, "fault-429"),
        _ => t!(lang, "fault-500"),
    };
    let body = || {
        view! {
            <p class="lead">{text}</p>
            <p><a class="button" href="/">{t!(lang, "fault-home")}</a></p>
            <p class="dim">{t!(lang, "fault-request", id = request_id)}</p>
        }
    };
    bare(lang, &t!(lang, "fault-title"), None, body)
}

/// A page for one that is still being fetched: it comes in its place by itself.
pub fn waiting_page(lang: Lang) -> String {
    let body = || {
        view! {
            <p class="lead" role="status">{t!(lang, "waiting-lead")}</p>
            // To this same address, whatever it is.
            <p><a class="button" href="">{t!(lang, "waiting-again")}</a></p>
        }
    };
    bare(lang, &t!(lang, "waiting-title"), Some(COMES_AGAIN), body)
}

/// A page waiting for its data is asked for again after this long, s.
const COMES_AGAIN: u32 = 2;

/// A document with nothing of anybody's in it.
fn bare<V: IntoView>(lang: Lang, heading: &str, refresh: Option<u32>, body: impl FnOnce() -> V) -> String {
    let title = format!("{heading} · {}", t!(lang, "product"));
    let owner = Owner::new();
    owner.with(|| {
        view! {
            <!DOCTYPE html>
            <html lang=lang.code()>
                <head>
                    <meta charset="utf-8"/>
                    <meta name="viewport" content="width=device-width, initial-scale=1"/>
                    {refresh.map(|seconds| view! { <meta http-equiv="refresh" content=seconds.to_string()/> })}
                    <title>{title}</title>
                    <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                    <link rel="stylesheet" href="/pkg/slipway.css"/>
                </head>
                <body>
                    <main id="content">
                        <h1>{heading.to_owned()}</h1>
                        <section class="fault">{body()}</section>
                    </main>
                </body>
            </html>
        }
        .to_html()
    })
}
