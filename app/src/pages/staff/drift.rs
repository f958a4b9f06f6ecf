//! What the cloud holds otherwise than it should, and what nobody owns.

use domain::{drift::Remedy, state::Role};
use leptos::prelude::*;
use provisioning::Drift;

use super::{Fault, Loaded, Params};
use crate::{
    i18n::{Lang, t},
    request::Request,
    routes,
    shell::Page,
    ui::{empty_state, time},
};

pub(crate) async fn drift(request: Request, _: Params) -> Loaded {
    let lang = request.lang();
    let viewer = request.viewer()?;
    let all = request.facade().staff_drift(viewer).await?.ok_or(Fault::Forbidden)?;
    let title = t!(lang, "drift-title");
    if all.is_empty() {
        let body = empty_state(t!(lang, "drift-empty-title"), t!(lang, "drift-empty"), ());
        return Ok(Page::new(title, body));
    }
    let admin = viewer.role() == Role::Admin;
    let rows = all.iter().map(|d| row(lang, d, admin)).collect_view();
    let columns =
        ["drift-what", "drift-subject", "drift-desired", "drift-observed", "drift-since", "drift-then"];
    let head = columns.map(|c| view! { <th scope="col">{lang.t(c)}</th> });
    let body = view! {
        <p>{t!(lang, "drift-lead")}</p>
        <table class="as-cards">
            <caption class="sr-only">{title.clone()}</caption>
            <thead><tr>{head}</tr></thead>
            <tbody>{rows}</tbody>
        </table>
    };
    Ok(Page { wide: true, ..Page::new(title, body) })
}

fn acceptable(Drift { seen, .. }: &Drift) -> bool {
    seen.observed.as_deref().is_some_and(|observed| seen.kind.acceptable(observed).is_some())
}

fn row(lang: Lang, d: &Drift, admin: bool) -> AnyView {
    let seen = &d.seen;
    let subject = match seen.server {
        Some(server) => {
            view! { <a href=routes::server(server)><code>{seen.subject.clone()}</code></a> }.into_any()
        }
        None => view! { <code>{seen.subject.clone()}</code> }.into_any(),
    };
    let dash = || "—".to_owned();
    let then = match seen.kind.remedy() {
        Remedy::AtOnce => t!(lang, "drift-at-once"),
        Remedy::NextRestart => t!(lang, "drift-next-restart"),
        Remedy::Staff => lang.t(&format!("drift-advice-{}", seen.kind)),
    };
    let accept = seen.server.filter(|_| admin && acceptable(d)).map(|server| {
        view! {
            <form method="post" action=routes::action("drift_accept") novalidate=true>
                <input type="hidden" name="server" value=server.to_string()/>
                <input type="hidden" name="kind" value=seen.kind.as_str()/>
                <button class="button secondary small">{t!(lang, "drift-accept")}</button>
            </form>
        }
    });
    view! {
        <tr>
            <th scope="row">{lang.t(&format!("drift-{}", seen.kind))}</th>
            <td data-label=t!(lang, "drift-subject")>{subject}</td>
            <td data-label=t!(lang, "drift-desired")>{seen.desired.clone().unwrap_or_else(dash)}</td>
            <td data-label=t!(lang, "drift-observed")>{seen.observed.clone().unwrap_or_else(dash)}</td>
            <td data-label=t!(lang, "drift-since")>{time(lang, d.first_seen)}</td>
            <td data-label=t!(lang, "drift-then")>{then} {accept}</td>
        </tr>
    }
    .into_any()
}
