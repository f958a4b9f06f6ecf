//! What the cloud holds otherwise than it should, and what nobody owns.

use domain::{
    drift::{DriftKind, Remedy},
    state::Role,
};
use leptos::prelude::*;
use provisioning::Drift;

use super::{Fault, Loaded, Params, why_field};
use crate::{
    format,
    i18n::{Lang, t},
    request::{Memory, Request, encode},
    routes,
    shell::Page,
    ui::{ErrorSummary, Errors, badge, empty_state, time},
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
    let clear = match &d.clearing {
        Some(clearing) => {
            let asked = t!(lang, "drift-clear-since", time = format::clock(lang, clearing.at));
            let error = clearing.error.clone().map(|e| view! { <br/> {badge("bad", e)} });
            view! { <br/> <span class="note">{asked}</span> {error} }.into_any()
        }
        None if admin && seen.kind.is_orphan() => {
            let href = confirm_href(seen.kind, &seen.subject);
            view! { " " <a class="button secondary small" href=href>{t!(lang, "drift-clear")}</a> }.into_any()
        }
        None => ().into_any(),
    };
    view! {
        <tr>
            <th scope="row">{lang.t(&format!("drift-{}", seen.kind))}</th>
            <td data-label=t!(lang, "drift-subject")>{subject}</td>
            <td data-label=t!(lang, "drift-desired")>{seen.desired.clone().unwrap_or_else(dash)}</td>
            <td data-label=t!(lang, "drift-observed")>{seen.observed.clone().unwrap_or_else(dash)}</td>
            <td data-label=t!(lang, "drift-since")>{time(lang, d.first_seen)}</td>
            <td data-label=t!(lang, "drift-then")>{then} {accept} {clear}</td>
        </tr>
    }
    .into_any()
}

fn confirm_href(kind: DriftKind, subject: &str) -> String {
    format!("{}/confirm?kind={kind}&subject={}", routes::STAFF_DRIFT, encode(subject))
}

/// Deleting what nobody owns is asked for once more, with a reason.
pub(crate) async fn drift_confirm(request: Request, _: Params) -> Loaded {
    let lang = request.lang();
    let all = request.facade().staff_drift(request.viewer()?).await?.ok_or(Fault::Forbidden)?;
    let subject = request.query("subject").unwrap_or_default();
    let kind = request.query("kind").and_then(|word| word.parse::<DriftKind>().ok());
    let found = all
        .iter()
        .find(|d| Some(d.seen.kind) == kind && d.seen.subject == subject && d.seen.kind.is_orphan());
    let Some(found) = found.filter(|d| d.clearing.is_none()) else {
        return Err(Fault::Moved(routes::STAFF_DRIFT.into()));
    };
    let flash =
        Memory(&request.around.session).flash_of(&format!("orphan-{subject}")).await.unwrap_or_default();
    let errors = Errors(flash.errors.clone());
    let refused = !errors.is_empty();
    let typed = flash.values.get("why").cloned().unwrap_or_default();
    let title = t!(lang, "drift-clear-title", name = subject.clone());
    let body = view! {
        <ErrorSummary lang errors=errors.clone()/>
        <section class="card">
            <p>{lang.t(&format!("drift-{}", found.seen.kind))} ": " <code>{subject.clone()}</code></p>
            <p>{t!(lang, "drift-clear-means")}</p>
            <form method="post" action=routes::action("orphan_delete") novalidate=true>
                <input type="hidden" name="kind" value=found.seen.kind.as_str()/>
                <input type="hidden" name="subject" value=subject.clone()/>
                {why_field(lang, &errors, typed)}
                <div class="buttons">
                    <button class="button danger">{t!(lang, "drift-clear-do")}</button>
                    <a class="button secondary" href=routes::STAFF_DRIFT>{t!(lang, "cancel")}</a>
                </div>
            </form>
        </section>
    };
    Ok(Page { refused, ..Page::new(title, body) })
}
