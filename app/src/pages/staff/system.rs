//! S22: the installation: the platform, who runs jobs, the pause of maintenance, and how it is configured.

use domain::field::Field;
use leptos::prelude::*;
use provisioning::{System, WorkerRow, is_there};

use super::{Fault, Loaded, Params, why_field};
use crate::{
    format,
    i18n::{Lang, t},
    live::Regions,
    request::{Memory, Request, encode},
    routes,
    shell::{LiveSource, Page},
    ui::{ErrorSummary, Errors, badge, fact, label, time},
};

pub(crate) async fn system(request: Request, _: Params) -> Loaded {
    let lang = request.lang();
    let seen = request.facade().system(request.viewer()?).await?.ok_or(Fault::Forbidden)?;
    let flash = Memory(&request.around.session).flash_of("maintenance").await.unwrap_or_default();
    let errors = Errors(flash.errors.clone());
    let refused = !errors.is_empty();
    let typed = |name: &str| flash.values.get(name).cloned().unwrap_or_default();
    let body = view! {
        <ErrorSummary lang errors=errors.clone()/>
        <div class="side-by-side">
            <div data-live="platform">{platform(lang, &seen)}</div>
            {maintenance(lang, &seen, &errors, typed("minutes"), typed("why"))}
        </div>
        <div data-live="workers">{workers(lang, &seen)}</div>
        <p>
            <a class="button secondary" href=routes::STAFF_AUDIT>{t!(lang, "audit-title")}</a> " "
            <a class="button secondary" href=routes::STAFF_DRIFT>{t!(lang, "system-orphans", n = seen.orphans as i64)}</a>
        </p>
        {configuration(&request)}
    };
    let live = LiveSource { path: routes::live(routes::STAFF_SYSTEM), since: 0 };
    Ok(Page { refused, live: Some(live), wide: true, ..Page::new(t!(lang, "nav-system"), body) })
}

pub(crate) async fn system_regions(request: &Request) -> Result<Regions, Fault> {
    let lang = request.lang();
    let seen = request.facade().system(request.viewer()?).await?.ok_or(Fault::Forbidden)?;
    let values = vec![
        ("platform".to_owned(), platform(lang, &seen).to_html()),
        ("workers".to_owned(), workers(lang, &seen).to_html()),
    ];
    Ok(Regions { values, ..Default::default() })
}

fn platform(lang: Lang, seen: &System) -> AnyView {
    let state = match (seen.notices.silent_since, seen.platform) {
        (Some(since), _) => badge("bad", t!(lang, "overview-silent", time = format::clock(lang, since))),
        (None, Some(_)) => badge("ok", t!(lang, "overview-answers")),
        (None, None) => badge("warn", t!(lang, "overview-never-answered")),
    };
    let answered = seen.platform.map(|answer| {
        let took = format!("{}.{}", answer.took / 1000, answer.took % 1000 / 100);
        view! {
            {fact(t!(lang, "system-answered"), time(lang, answer.at))}
            {fact(t!(lang, "system-took"), t!(lang, "system-seconds", n = took))}
        }
    });
    let wanted = seen.look_wanted.map(|at| {
        view! { <p class="note" role="status">{t!(lang, "vapp-look-wanted", time = format::clock(lang, at))}</p> }
    });
    view! {
        <section class="card">
            <h2>{t!(lang, "edge-platform")}</h2>
            <dl class="facts">{fact(t!(lang, "col-state"), state)} {answered}</dl>
            {wanted}
            <form method="post" action=routes::action("vapp_resync")>
                <button class="button secondary">{t!(lang, "edges-check")}</button>
            </form>
        </section>
    }
    .into_any()
}

fn maintenance(lang: Lang, seen: &System, errors: &Errors, minutes: String, why: String) -> AnyView {
    let field = Field::Minutes;
    let inside = match seen.notices.maintenance {
        Some(now) => {
            let until = match now.until {
                Some(until) => t!(lang, "maintenance-until", time = format::date_time(lang, until)),
                None => t!(lang, "maintenance"),
            };
            view! {
                <p>{badge("warn", until)}</p>
                <p>{t!(lang, "system-paused")}</p>
                <form method="post" action=routes::action("maintenance_end")>
                    <button class="button">{t!(lang, "system-maintenance-end")}</button>
                </form>
            }
            .into_any()
        }
        None => view! {
            <p>{t!(lang, "system-maintenance-means")}</p>
            <form method="post" action=routes::action("maintenance_begin") novalidate=true>
                <div class="field">
                    <label for="minutes">{label(lang, field)}</label>
                    <input
                        type="text" inputmode="numeric" id="minutes" name="minutes" value=minutes autocomplete="off"
                        aria-invalid=errors.invalid(field) aria-describedby=errors.described(field, true)
                    />
                    <p class="hint" id="minutes-hint">{t!(lang, "system-minutes-hint")}</p>
                    {errors.at(lang, field)}
                </div>
                {why_field(lang, errors, why)}
                <button class="button secondary">{t!(lang, "system-maintenance-begin")}</button>
            </form>
        }
        .into_any(),
    };
    view! { <section class="card"><h2>{t!(lang, "system-maintenance")}</h2> {inside}</section> }.into_any()
}

fn worker(lang: Lang, w: &WorkerRow, now: i64) -> AnyView {
    let state = match (w.seen, is_there(w, now)) {
        (0, _) => badge("bad", t!(lang, "system-worker-unknown")),
        (_, true) => badge("ok", t!(lang, "system-worker-there")),
        (_, false) => badge("bad", t!(lang, "system-worker-silent")),
    };
    let at = |ms: i64| (ms > 0).then(|| time(lang, ms));
    view! {
        <tr>
            <th scope="row"><code>{w.name.clone()}</code></th>
            <td data-label=t!(lang, "col-state")>{state}</td>
            <td data-label=t!(lang, "system-claims")>{w.claims} {(w.slots > 0).then(|| format!("/{}", w.slots))}</td>
            <td data-label=t!(lang, "system-expires")>{w.expires.map(|ms| time(lang, ms))}</td>
            <td data-label=t!(lang, "col-since")>{at(w.began)}</td>
            <td data-label=t!(lang, "system-heard")>{at(w.seen)}</td>
            <td data-label=t!(lang, "system-version")>{w.version.clone()}</td>
        </tr>
    }
    .into_any()
}

fn workers(lang: Lang, seen: &System) -> AnyView {
    let rows = seen.workers.iter().map(|w| worker(lang, w, seen.now)).collect_view();
    let columns = [
        "system-worker",
        "col-state",
        "system-claims",
        "system-expires",
        "col-since",
        "system-heard",
        "system-version",
    ];
    let head = columns.map(|c| view! { <th scope="col">{lang.t(c)}</th> });
    let failed = format!("{}?q={}", routes::STAFF_JOBS, encode("state:failed"));
    let shown = if seen.workers.is_empty() {
        view! { <p class="banner bad">{t!(lang, "system-no-workers")}</p> }.into_any()
    } else {
        view! {
            <table class="as-cards">
                <caption class="sr-only">{t!(lang, "system-workers")}</caption>
                <thead><tr>{head}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        }
        .into_any()
    };
    view! {
        <section aria-labelledby="workers">
            <h2 id="workers">{t!(lang, "system-workers")}</h2>
            <p>
                {t!(lang, "system-places", n = seen.under_way, most = seen.cap)} " "
                <a href=failed>{t!(lang, "system-holding", n = seen.holding)}</a>
            </p>
            {shown}
        </section>
    }
    .into_any()
}

/// As it was given; secrets masked by whoever gave it.
fn configuration(request: &Request) -> AnyView {
    let lang = request.lang();
    let facts =
        request.product.config.iter().map(|(name, value)| {
            fact(lang.t(&format!("config-{name}")), view! { <code>{value.clone()}</code> })
        });
    let facts: Vec<_> = facts.collect();
    view! {
        <section class="card" aria-labelledby="configuration">
            <h2 id="configuration">{t!(lang, "system-configuration")}</h2>
            <p class="dim">{t!(lang, "system-configuration-hint")}</p>
            <dl class="facts">{facts}</dl>
        </section>
    }
    .into_any()
}
