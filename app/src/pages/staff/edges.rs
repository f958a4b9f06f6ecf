//! S19: the pool.

use domain::{
    ServerId,
    permission::Action,
    state::{EdgeState, Role},
};
use leptos::prelude::*;
use provisioning::{EdgePool, EdgeRow};

use super::{Fault, Loaded, Params, why_field};
use crate::{
    format,
    i18n::{Lang, t},
    request::{Memory, Request},
    routes,
    shell::Page,
    ui::{ErrorSummary, Errors, badge, empty_state, time},
};

pub(crate) async fn edges(request: Request, _: Params) -> Loaded {
    let lang = request.lang();
    let viewer = request.viewer()?;
    let pool = request.facade().staff_edges(viewer).await?.ok_or(Fault::Forbidden)?;
    let admin = viewer.role() == Role::Admin;
    if let Some(server) = request.query("move").filter(|_| admin) {
        return move_form(&request, server.parse().map_err(|_| Fault::NotFound)?).await;
    }
    let body = if pool.rows.is_empty() {
        empty_state(t!(lang, "edges-empty-title"), t!(lang, "edges-empty"), ()).into_any()
    } else {
        view! {
            {counts(lang, &pool)}
            {table(lang, &pool.rows, admin)}
        }
        .into_any()
    };
    Ok(Page { wide: true, ..Page::new(t!(lang, "staff-edges-title"), body) })
}

/// `?move=`: a server is to go to another edge. What happens, why, and what becomes of the old edge.
async fn move_form(request: &Request, id: ServerId) -> Loaded {
    let lang = request.lang();
    let view = request.facade().server(request.viewer()?, id).await?.ok_or(Fault::NotFound)?;
    let flash = Memory(&request.around.session).flash_of(&format!("edge-{id}")).await.unwrap_or_default();
    let typed = |name: &str| flash.values.get(name).cloned().unwrap_or_default();
    let errors = Errors(flash.errors.clone());
    let refused = !errors.is_empty();
    let name = view.server.name.clone();
    let submit = t!(lang, "edges-move-submit", name = name.clone());
    let form = match view.can(Action::ChangeEdge) {
        Err(denial) => view! { <p class="note">{lang.t(&format!("denial-{denial}"))}</p> }.into_any(),
        Ok(()) => view! {
            <form method="post" action=routes::action("server_change_edge") novalidate=true>
                <input type="hidden" name="server" value=id.to_string()/>
                <input type="hidden" name="key" value=request.facade().form_key()/>
                {why_field(lang, &errors, typed("why"))}
                <div class="field">
                    <label class="pill" for="keep_out">
                        <input type="checkbox" id="keep_out" name="keep_out" value="yes" checked=typed("keep_out") == "yes"/>
                        <span>{t!(lang, "edges-move-keep")}</span>
                    </label>
                </div>
                <div class="buttons">
                    <button class="button">{submit}</button>
                    <a class="button secondary" href=routes::STAFF_EDGES>{t!(lang, "cancel")}</a>
                </div>
            </form>
        }
        .into_any(),
    };
    let body = view! {
        <ErrorSummary lang errors=errors.clone()/>
        <section class="card">
            <p>{t!(lang, "edges-move-lead")}</p>
            {form}
        </section>
    };
    Ok(Page { refused, ..Page::new(t!(lang, "edges-move-title", name = name), body) })
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

fn table(lang: Lang, rows: &[EdgeRow], admin: bool) -> impl IntoView + use<> {
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
            let goes = e.server.filter(|_| admin && e.state == EdgeState::Bound).map(|server| {
                let to = format!("{}?move={server}", routes::STAFF_EDGES);
                view! { " " <a href=to>{t!(lang, "edges-move")}</a> }
            });
            let held = e.held.clone().map(|why| {
                view! { <br/> <span class="dim">{t!(lang, "edges-held", why = why)}</span> }
            });
            let speed = e.bandwidth_mbit.map_or_else(|| t!(lang, "unlimited"), |n| format::megabits(lang, n as u32));
            view! {
                <tr>
                    <th scope="row" class="nowrap">{e.facts.name.clone()}</th>
                    <td data-label=t!(lang, "col-state")>{badge(tone(e.state), lang.t(&format!("edge-{}", e.state)))} {held}</td>
                    <td data-label=t!(lang, "col-owner")>{owner} {goes}</td>
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
