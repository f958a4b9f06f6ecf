//! S19: one edge: what is written down of it beside what the platform shows, what it has been through, and what may be done.

use domain::{
    EdgeId,
    edge_action::EdgeAction,
    permission::Denial,
    state::{EdgeState, Role},
};
use leptos::prelude::*;
use provisioning::{EdgeDetail, EdgeEvent};

use super::{
    Fault, Loaded, Params,
    edges::{action_name, check_form, tone},
    why_field,
};
use crate::{
    format,
    i18n::{Lang, t},
    live::Regions,
    request::{Memory, Request},
    routes,
    shell::{LiveSource, Page},
    ui::{ErrorSummary, Errors, badge, fact, time},
};

pub(crate) async fn edge(request: Request, params: Params) -> Loaded {
    let lang = request.lang();
    let id: EdgeId = params.id("id")?;
    let viewer = request.viewer()?;
    let detail = request.facade().staff_edge(viewer, id).await?.ok_or(Fault::NotFound)?;
    let admin = viewer.role() == Role::Admin;
    let name = detail.row.edge.facts.name.clone();
    let body = view! {
        <p><a href=routes::STAFF_EDGES>{t!(lang, "edges-back")}</a></p>
        <div data-live="edge">{facts(lang, &detail)}</div>
        <div data-live="actions">{actions(lang, &detail, admin)}</div>
        {admin.then(|| check_form(lang))}
        <section class="card" aria-labelledby="history">
            <h2 id="history">{t!(lang, "edge-history")}</h2>
            <div data-live="history">{history(lang, &detail.events)}</div>
        </section>
    };
    let live = LiveSource { path: routes::live(&routes::staff_edge(id)), since: 0 };
    Ok(Page { live: Some(live), ..Page::new(t!(lang, "edge-title", name = name), body) })
}

pub(crate) async fn edge_regions(request: &Request, id: EdgeId) -> Result<Regions, Fault> {
    let lang = request.lang();
    let viewer = request.viewer()?;
    let detail = request.facade().staff_edge(viewer, id).await?.ok_or(Fault::NotFound)?;
    let admin = viewer.role() == Role::Admin;
    let values = vec![
        ("edge".to_owned(), facts(lang, &detail).to_html()),
        ("actions".to_owned(), actions(lang, &detail, admin).to_html()),
        ("history".to_owned(), history(lang, &detail.events).to_html()),
    ];
    Ok(Regions { values, ..Default::default() })
}

fn facts(lang: Lang, detail: &EdgeDetail) -> AnyView {
    let row = &detail.row;
    let e = &row.edge;
    let owner = match (&row.customer_email, &row.server_name, e.server.or(e.leaving)) {
        (Some(email), Some(name), Some(id)) => {
            view! { <a href=routes::server(id)>{name.clone()}</a> " " <span class="dim">{email.clone()}</span> }.into_any()
        }
        _ => "—".into_any(),
    };
    let job = match (e.job, row.job_number) {
        (Some(id), Some(n)) => view! { <a href=routes::staff_job(id)>{format!("#{n}")}</a> }.into_any(),
        _ => "—".into_any(),
    };
    let state = badge(tone(e.state), lang.t(&format!("edge-{}", e.state)));
    let held = e.held.clone().map(|why| fact(t!(lang, "edge-held"), why));
    let network =
        e.network_name.clone().map_or_else(|| "—".into_any(), |n| view! { <code>{n}</code> }.into_any());
    let speed = e.bandwidth_mbit.map_or_else(|| t!(lang, "unlimited"), |n| format::megabits(lang, n as u32));
    let seen = e.observed_at.map_or_else(|| t!(lang, "vapps-never").into_any(), |at| time(lang, at));
    let differs = row.disagrees().then(
        || view! { <p>{badge("bad", t!(lang, "edges-disagree"))} " " {t!(lang, "edge-disagree-advice")}</p> },
    );
    let wanted = detail.wanted.map(|at| {
        view! { <p class="note" role="status">{t!(lang, "edges-wanted", time = format::clock(lang, at))}</p> }
    });
    view! {
        {differs}
        <div class="side-by-side">
            <section class="card">
                <h2>{t!(lang, "edge-record")}</h2>
                <dl class="facts">
                    {fact(t!(lang, "col-state"), state)}
                    {held}
                    {fact(t!(lang, "col-since"), time(lang, e.since))}
                    {fact(t!(lang, "col-owner"), owner)}
                    {fact(t!(lang, "edge-network"), network)}
                    {fact(t!(lang, "col-speed"), speed)}
                    {fact(t!(lang, "col-job"), job)}
                </dl>
            </section>
            <section class="card">
                <h2>{t!(lang, "edge-platform")}</h2>
                <dl class="facts">
                    {fact(t!(lang, "edge-networks"), e.facts.networks.to_string())}
                    {fact(t!(lang, "col-block"), format!("{} – {}", e.facts.first_address, e.facts.last_address))}
                    {fact(t!(lang, "edge-gateway"), format!("{}/{}", e.facts.gateway, e.facts.prefix_length))}
                    {fact(t!(lang, "edge-ref"), view! { <code>{e.facts.provider_ref.clone()}</code> })}
                    {fact(t!(lang, "col-checked"), seen)}
                </dl>
            </section>
        </div>
        {wanted}
    }
    .into_any()
}

/// Why not, and what to do instead.
fn denied(lang: Lang, denial: Denial, detail: &EdgeDetail, admin: bool) -> AnyView {
    let e = &detail.row.edge;
    let text = lang.t(&format!("denial-{denial}"));
    let more = match denial {
        Denial::JobLives => detail.row.lives.map(|n| format!(" #{n}")).into_any(),
        Denial::EdgeInUse if admin && e.state == EdgeState::Bound => e
            .server
            .map(|server| {
                let to = format!("{}?move={server}", routes::STAFF_EDGES);
                view! { " " <a href=to>{t!(lang, "edges-move")}</a> }
            })
            .into_any(),
        _ => ().into_any(),
    };
    view! { {text} {more} }.into_any()
}

fn actions(lang: Lang, detail: &EdgeDetail, admin: bool) -> AnyView {
    let items = EdgeAction::ALL
        .iter()
        .map(|action| match detail.can(*action) {
            Ok(()) => {
                let href = routes::staff_edge_confirm(detail.row.edge.id, action.as_str());
                view! { <li><a class="button secondary" href=href>{action_name(lang, *action)}</a></li> }.into_any()
            }
            Err(denial) => {
                let id = format!("{action}-reason");
                view! {
                    <li>
                        <button type="button" class="button secondary" aria-disabled="true" aria-describedby=id.clone()>
                            {action_name(lang, *action)}
                        </button>
                        <span class="reason" id=id>{denied(lang, denial, detail, admin)}</span>
                    </li>
                }
                .into_any()
            }
        })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="actions">
            <h2 id="actions">{t!(lang, "col-actions")}</h2>
            <ul class="plain rows">{items}</ul>
        </section>
    }
    .into_any()
}

fn history(lang: Lang, events: &[EdgeEvent]) -> AnyView {
    if events.is_empty() {
        return view! { <p class="note">{t!(lang, "edge-history-none")}</p> }.into_any();
    }
    let rows = events
        .iter()
        .map(|event| {
            let who = match (&event.customer_email, &event.server_name, event.server) {
                (Some(email), Some(name), Some(id)) => {
                    view! { <a href=routes::server(id)>{name.clone()}</a> " " <span class="dim">{email.clone()}</span> }.into_any()
                }
                _ => "—".into_any(),
            };
            let job = match (event.job, event.job_number) {
                (Some(id), Some(n)) => view! { <a href=routes::staff_job(id)>{format!("#{n}")}</a> }.into_any(),
                _ => "—".into_any(),
            };
            view! {
                <tr>
                    <th scope="row">{time(lang, event.at)}</th>
                    <td data-label=t!(lang, "col-state")>{badge(tone(event.state), lang.t(&format!("edge-{}", event.state)))}</td>
                    <td data-label=t!(lang, "col-owner")>{who}</td>
                    <td data-label=t!(lang, "col-job")>{job}</td>
                </tr>
            }
        })
        .collect_view();
    let head =
        ["col-time", "col-state", "col-owner", "col-job"].map(|c| view! { <th scope="col">{lang.t(c)}</th> });
    view! {
        <table class="as-cards">
            <caption class="sr-only">{t!(lang, "edge-history-caption")}</caption>
            <thead><tr>{head}</tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

/// What is done to an edge is asked once more, with a reason.
pub(crate) async fn edge_confirm(request: Request, params: Params) -> Loaded {
    let lang = request.lang();
    let id: EdgeId = params.id("id")?;
    let viewer = request.viewer()?;
    let detail = request.facade().staff_edge(viewer, id).await?.ok_or(Fault::NotFound)?;
    let asked = request.query("do").and_then(|word| word.parse::<EdgeAction>().ok());
    let Some(action) = asked else { return Err(Fault::Moved(routes::staff_edge(id))) };
    let flash = Memory(&request.around.session).flash_of(&format!("{action}-{id}")).await.unwrap_or_default();
    let errors = Errors(flash.errors.clone());
    let refused = !errors.is_empty();
    let typed = flash.values.get("why").cloned().unwrap_or_default();
    let back = view! { <a class="button secondary" href=routes::staff_edge(id)>{t!(lang, "edge-back")}</a> };
    let body = match detail.can(action) {
        Err(denial) => view! {
            <p class="note">{denied(lang, denial, &detail, viewer.role() == Role::Admin)}</p>
            <div class="buttons">{back}</div>
        }
        .into_any(),
        Ok(()) => view! {
            <p>{lang.t(&format!("edge-{action}-means"))}</p>
            <form method="post" action=routes::action(&format!("edge_{action}")) novalidate=true>
                <input type="hidden" name="edge" value=id.to_string()/>
                {why_field(lang, &errors, typed)}
                <div class="buttons">
                    <button class="button">{action_name(lang, action)}</button>
                    {back}
                </div>
            </form>
        }
        .into_any(),
    };
    let name = detail.row.edge.facts.name.clone();
    let body = view! {
        <ErrorSummary lang errors/>
        <section class="card">{body}</section>
    };
    Ok(Page { refused, ..Page::new(format!("{}: {name}", action_name(lang, action)), body) })
}
