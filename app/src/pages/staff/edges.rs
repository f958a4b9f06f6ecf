//! S19: the pool, as a table or as a grid.

use domain::{
    edge_action::EdgeAction,
    state::{EdgeState, Role},
};
use leptos::prelude::*;
use provisioning::{EdgePool, EdgeRow};

use super::{Fault, Loaded, Params, edge_move::move_form};
use crate::{
    format,
    i18n::{Lang, t},
    live::{Regions, fingerprint},
    request::Request,
    routes,
    shell::{LiveSource, Page},
    ui::{badge, empty_state, time},
};

/// How the pool is shown and which of it, by the address.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Asked {
    grid: bool,
    state: Option<EdgeState>,
}

impl Asked {
    fn of(request: &Request) -> Self {
        Self {
            grid: request.query("view").as_deref() == Some("grid"),
            state: request.query("state").and_then(|word| word.parse().ok()),
        }
    }

    fn query(self) -> String {
        let mut parts = Vec::new();
        if self.grid {
            parts.push("view=grid".to_owned());
        }
        parts.extend(self.state.map(|s| format!("state={s}")));
        if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
    }

    fn href(self) -> String {
        format!("{}{}", routes::STAFF_EDGES, self.query())
    }

    fn shows(self, row: &EdgeRow) -> bool {
        self.state.is_none_or(|state| state == row.edge.state)
    }
}

pub(crate) async fn edges(request: Request, _: Params) -> Loaded {
    let lang = request.lang();
    let viewer = request.viewer()?;
    let pool = request.facade().staff_edges(viewer).await?.ok_or(Fault::Forbidden)?;
    let admin = viewer.role() == Role::Admin;
    if let Some(server) = request.query("move").filter(|_| admin) {
        return move_form(&request, server.parse().map_err(|_| Fault::NotFound)?).await;
    }
    let asked = Asked::of(&request);
    let body = if pool.rows.is_empty() {
        view! {
            {empty_state(t!(lang, "edges-empty-title"), t!(lang, "edges-empty"), ())}
            {admin.then(|| check_form(lang))}
        }
        .into_any()
    } else {
        let rows: Vec<&EdgeRow> = pool.rows.iter().filter(|row| asked.shows(row)).collect();
        let shown = if rows.is_empty() {
            let all = view! {
                <p><a class="button secondary" href=Asked { state: None, ..asked }.href()>{t!(lang, "edges-all")}</a></p>
            };
            empty_state(t!(lang, "edges-none-title"), t!(lang, "edges-none"), all).into_any()
        } else if asked.grid {
            grid(lang, &rows).into_any()
        } else {
            table(lang, &rows, admin).into_any()
        };
        view! {
            <div data-live="pool">{summary(lang, &pool, asked)}</div>
            <div class="buttons">
                {views(lang, asked)}
                {admin.then(|| check_form(lang))}
            </div>
            {shown}
        }
        .into_any()
    };
    let path = format!("{}{}", routes::live(routes::STAFF_EDGES), asked.query());
    let live = LiveSource { path, since: fingerprint(&values_of(lang, &pool, asked, admin)) };
    Ok(Page { live: Some(live), wide: true, ..Page::new(t!(lang, "staff-edges-title"), body) })
}

/// The rows stay where they are; each shows what it has become.
pub(crate) async fn edges_regions(request: &Request) -> Result<Regions, Fault> {
    let lang = request.lang();
    let viewer = request.viewer()?;
    let pool = request.facade().staff_edges(viewer).await?.ok_or(Fault::Forbidden)?;
    let admin = viewer.role() == Role::Admin;
    let values = values_of(lang, &pool, Asked::of(request), admin);
    Ok(Regions { version: fingerprint(&values), values, ..Default::default() })
}

fn values_of(lang: Lang, pool: &EdgePool, asked: Asked, admin: bool) -> Vec<(String, String)> {
    let mut values = vec![("pool".to_owned(), summary(lang, pool, asked).to_html())];
    // Also those that are not asked for: one that was may have become something else.
    for row in &pool.rows {
        let id = row.edge.id;
        if asked.grid {
            values.push((format!("cell-{id}"), cell(lang, row).to_html()));
        } else {
            values.push((format!("state-{id}"), state(lang, row).to_html()));
            values.push((format!("owner-{id}"), owner(lang, row, admin).to_html()));
            values.push((format!("speed-{id}"), speed(lang, row)));
            values.push((format!("job-{id}"), job(row).to_html()));
            values.push((format!("since-{id}"), time(lang, row.edge.since).to_html()));
            values.push((format!("seen-{id}"), row.edge.observed_at.map(|at| time(lang, at)).to_html()));
        }
    }
    values
}

/// The platform is asked now, and what is new in it comes into the pool.
pub(super) fn check_form(lang: Lang) -> AnyView {
    view! {
        <form method="post" action=routes::action("edge_check")>
            <button class="button secondary">{t!(lang, "edges-check")}</button>
        </form>
    }
    .into_any()
}

fn views(lang: Lang, asked: Asked) -> impl IntoView + use<> {
    let link = |grid: bool, text: String| {
        let current = (asked.grid == grid).then_some("true");
        view! { <li><a href=Asked { grid, ..asked }.href() aria-current=current>{text}</a></li> }
    };
    view! {
        <nav class="filters" aria-label=t!(lang, "edges-views")>
            <ul>
                {link(false, t!(lang, "edges-as-table"))}
                {link(true, t!(lang, "edges-as-grid"))}
            </ul>
        </nav>
    }
}

pub(super) fn tone(state: EdgeState) -> &'static str {
    match state {
        EdgeState::Free => "ok",
        EdgeState::Claimed | EdgeState::Draining => "busy",
        EdgeState::Bound => "idle",
        EdgeState::Quarantined => "warn",
    }
}

fn summary(lang: Lang, pool: &EdgePool, asked: Asked) -> impl IntoView + use<> {
    let items = EdgeState::ALL
        .iter()
        .map(|s| {
            let href = Asked { state: Some(*s), ..asked }.href();
            let current = (asked.state == Some(*s)).then_some("true");
            let name = badge(tone(*s), lang.t(&format!("edge-{s}")));
            view! { <li><a href=href aria-current=current>{name} " " <strong>{pool.count(*s)}</strong></a></li> }
        })
        .collect_view();
    let all = asked.state.map(|_| {
        let href = Asked { state: None, ..asked }.href();
        view! { <li><a href=href>{t!(lang, "edges-all")}</a></li> }
    });
    let conflicts = t!(lang, "edges-conflicts", n = pool.conflicts);
    let class = if pool.conflicts == 0 { "" } else { "banner bad" };
    let wanted = pool.wanted.map(|at| {
        let at = format::clock(lang, at);
        view! { <p class="note" role="status">{t!(lang, "edges-wanted", time = at)}</p> }
    });
    view! {
        {pool.is_low().then(|| {
            let free = pool.count(EdgeState::Free) as i64;
            view! { <p class="banner bad"><strong>{t!(lang, "edges-low", n = free)}</strong> " " {t!(lang, "edges-low-advice")}</p> }
        })}
        <nav class="filters" aria-label=t!(lang, "edges-states")><ul>{items} {all}</ul></nav>
        <p>{forecast(lang, pool)}</p>
        <p class=class><strong>{conflicts}</strong> " " <span class="dim">{t!(lang, "edges-conflicts-hint")}</span></p>
        {wanted}
    }
}

/// For how long the free ones last, at the pace of the last week.
pub(super) fn forecast(lang: Lang, pool: &EdgePool) -> String {
    let (taken, back) = (pool.flow.taken, pool.flow.returned);
    let flow = t!(lang, "edges-flow", taken = taken, back = back);
    match pool.days_left() {
        _ if pool.count(EdgeState::Free) == 0 => format!("{flow} {}", t!(lang, "edges-run-out")),
        Some(days) => format!("{flow} {}", t!(lang, "edges-last", n = days)),
        None => format!("{flow} {}", t!(lang, "edges-enough")),
    }
}

fn state(lang: Lang, row: &EdgeRow) -> AnyView {
    let e = &row.edge;
    let held = e.held.clone().map(|why| {
        view! { <br/> <span class="dim">{t!(lang, "edges-held", why = why)}</span> }
    });
    let drift = row.disagrees().then(|| view! { <br/> {badge("bad", t!(lang, "edges-disagree"))} });
    view! { {badge(tone(e.state), lang.t(&format!("edge-{}", e.state)))} {held} {drift} }.into_any()
}

fn owner(lang: Lang, row: &EdgeRow, admin: bool) -> AnyView {
    let e = &row.edge;
    let owner = match (&row.customer_email, &row.server_name, e.server.or(e.leaving)) {
        (Some(email), Some(name), Some(id)) => {
            view! { <a href=routes::server(id)>{name.clone()}</a> " " <span class="dim">{email.clone()}</span> }.into_any()
        }
        _ => "—".into_any(),
    };
    let goes = e.server.filter(|_| admin && e.state == EdgeState::Bound).map(|server| {
        let to = format!("{}?move={server}", routes::STAFF_EDGES);
        view! { " " <a href=to>{t!(lang, "edges-move")}</a> }
    });
    view! { {owner} {goes} }.into_any()
}

fn speed(lang: Lang, row: &EdgeRow) -> String {
    let mbit = row.edge.bandwidth_mbit;
    mbit.map_or_else(|| t!(lang, "unlimited"), |n| format::megabits(lang, n as u32))
}

fn job(row: &EdgeRow) -> AnyView {
    match (row.edge.job, row.job_number) {
        (Some(id), Some(n)) => view! { <a href=routes::staff_job(id)>{format!("#{n}")}</a> }.into_any(),
        _ => "—".into_any(),
    }
}

fn table(lang: Lang, rows: &[&EdgeRow], admin: bool) -> impl IntoView + use<> {
    let rows = rows
        .iter()
        .map(|row| {
            let e = &row.edge;
            let id = e.id;
            let live = |what: &str| format!("{what}-{id}");
            view! {
                <tr>
                    <th scope="row" class="nowrap"><a href=routes::staff_edge(id)>{e.facts.name.clone()}</a></th>
                    <td data-label=t!(lang, "col-state") data-live=live("state")>{state(lang, row)}</td>
                    <td data-label=t!(lang, "col-owner") data-live=live("owner")>{owner(lang, row, admin)}</td>
                    <td data-label=t!(lang, "col-block") class="nowrap">{format!("{} – {}", e.facts.first_address, e.facts.last_address)}</td>
                    <td data-label=t!(lang, "col-speed") class="nowrap" data-live=live("speed")>{speed(lang, row)}</td>
                    <td data-label=t!(lang, "col-job") data-live=live("job")>{job(row)}</td>
                    <td data-label=t!(lang, "col-since") data-live=live("since")>{time(lang, e.since)}</td>
                    <td data-label=t!(lang, "col-checked") data-live=live("seen")>{e.observed_at.map(|at| time(lang, at))}</td>
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

/// A sign as well as a colour: what a cell says does not hang on either.
fn cell(lang: Lang, row: &EdgeRow) -> AnyView {
    let e = &row.edge;
    let (sign, class) = match e.state {
        EdgeState::Free => ("○", "edge-cell free"),
        EdgeState::Claimed => ("◐", "edge-cell claimed"),
        EdgeState::Bound => ("●", "edge-cell bound"),
        EdgeState::Draining => ("◌", "edge-cell draining"),
        EdgeState::Quarantined => ("◆", "edge-cell quarantined"),
    };
    let who = match (&row.customer_email, &row.server_name) {
        (Some(email), Some(name)) => format!("{email}/{name}"),
        _ => String::new(),
    };
    let full = [lang.t(&format!("edge-{}", e.state)), who].join(" ");
    view! {
        <a class=class href=routes::staff_edge(e.id)>
            <span aria-hidden="true">{sign}</span> " " {e.facts.name.clone()}
            <span class="sr-only">{format!(", {}", full.trim())}</span>
            {row.disagrees().then(|| view! { " " <span>"▲" <span class="sr-only">{t!(lang, "edges-disagree")}</span></span> })}
        </a>
    }
    .into_any()
}

fn grid(lang: Lang, rows: &[&EdgeRow]) -> impl IntoView + use<> {
    let cells = rows
        .iter()
        .map(|row| view! { <li data-live=format!("cell-{}", row.edge.id)>{cell(lang, row)}</li> })
        .collect_view();
    view! {
        <h2 class="sr-only">{t!(lang, "edges-caption")}</h2>
        <ul class="edge-grid plain">{cells}</ul>
    }
}

/// The words of what may be done.
pub(super) fn action_name(lang: Lang, action: EdgeAction) -> String {
    lang.t(&format!("edge-do-{action}"))
}
