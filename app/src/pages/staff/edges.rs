//! S19: the pool.

use domain::state::EdgeState;
use leptos::prelude::*;
use provisioning::{EdgePool, EdgeRow};

use super::{Fault, Loaded, Params};
use crate::{
    format,
    i18n::{Lang, t},
    request::Request,
    routes,
    shell::Page,
    ui::{badge, empty_state, time},
};

pub(crate) async fn edges(request: Request, _: Params) -> Loaded {
    let lang = request.lang();
    let pool = request.facade().staff_edges(request.viewer()?).await?.ok_or(Fault::Forbidden)?;
    let body = if pool.rows.is_empty() {
        empty_state(t!(lang, "edges-empty-title"), t!(lang, "edges-empty"), ()).into_any()
    } else {
        view! {
            {counts(lang, &pool)}
            {table(lang, &pool.rows)}
        }
        .into_any()
    };
    Ok(Page { wide: true, ..Page::new(t!(lang, "staff-edges-title"), body) })
}

fn tone(state: EdgeState) -> &'static str {
    match state {
        EdgeState::Free => "ok",
        EdgeState::Claimed | EdgeState::Draining => "busy",
        EdgeState::Bound => "idle",
        EdgeState::Quarantined => "warn",
    }
}

fn counts(lang: Lang, pool: &EdgePool) -> impl IntoView + use<> {
    let items = EdgeState::ALL
        .iter()
        .map(|s| view! { <li>{badge(tone(*s), lang.t(&format!("edge-{s}")))} " " <strong>{pool.count(*s)}</strong></li> })
        .collect_view();
    let conflicts = t!(lang, "edges-conflicts", n = pool.conflicts);
    let class = if pool.conflicts == 0 { "note" } else { "banner bad" };
    view! {
        <ul class="counts plain">{items}</ul>
        <p class=class><strong>{conflicts}</strong> " " <span class="dim">{t!(lang, "edges-conflicts-hint")}</span></p>
    }
}

fn table(lang: Lang, rows: &[EdgeRow]) -> impl IntoView + use<> {
    let rows = rows
        .iter()
        .map(|r| {
            let e = &r.edge;
            let owner = match (&r.customer_email, &r.server_name, e.server) {
                (Some(email), Some(name), Some(id)) => {
                    view! { <a href=routes::server(id)>{name.clone()}</a> " " <span class="dim">{email.clone()}</span> }.into_any()
                }
                _ => "—".into_any(),
            };
            let job = match (e.job, r.job_number) {
                (Some(id), Some(n)) => view! { <a href=routes::staff_job(id)>{format!("#{n}")}</a> }.into_any(),
                _ => "—".into_any(),
            };
            let speed = e.bandwidth_mbit.map_or_else(|| t!(lang, "unlimited"), |n| format::megabits(lang, n as u32));
            view! {
                <tr>
                    <th scope="row" class="nowrap">{e.facts.name.clone()}</th>
                    <td data-label=t!(lang, "col-state")>{badge(tone(e.state), lang.t(&format!("edge-{}", e.state)))}</td>
                    <td data-label=t!(lang, "col-owner")>{owner}</td>
                    <td data-label=t!(lang, "col-block") class="nowrap">{format!("{} – {}", e.facts.first_address, e.facts.last_address)}</td>
                    <td data-label=t!(lang, "col-speed") class="nowrap">{speed}</td>
                    <td data-label=t!(lang, "col-job")>{job}</td>
                    <td data-label=t!(lang, "col-since")>{time(lang, e.since)}</td>
                    <td data-label=t!(lang, "col-checked")>{e.observed_at.map(|at| time(lang, at))}</td>
                </tr>
            }
        })
        .collect_view();
    let columns = [
        "col-edge",
        "col-state",
        "col-owner",
        "col-block",
        "col-speed",
        "col-job",
        "col-since",
        "col-checked",
    ];
    let head = columns.map(|c| view! { <th scope="col">{lang.t(c)}</th> });
    view! {
        <table class="as-cards">
            <caption class="sr-only">{t!(lang, "edges-caption")}</caption>
            <thead><tr>{head}</tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
}
