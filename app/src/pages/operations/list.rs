//! S14: a customer's own queue and history.

use domain::JobId;
use leptos::prelude::*;
use provisioning::{Job, ServerView, Waiting};

use super::{
    Fault, Loaded, Params,
    filter::{STATES, Wish, kinds},
    kind_title,
    lanes::lanes,
    state_badge, waiting_view,
};
use crate::{
    i18n::{Lang, t},
    live::Regions,
    request::Request,
    routes,
    shell::{LiveSource, Page},
    ui::{empty_state, time},
};

const PAGE: i64 = 25;

pub(crate) async fn list(request: Request, _: Params) -> Loaded {
    let lang = request.lang();
    let since = request.facade().version(request.customer()?).await?;
    let wish = Wish::read(|name| request.query(name));
    let servers = request.facade().servers(request.viewer()?).await?;
    let Parts { now, history, lanes, moving } = load(&request, &wish).await?;
    let body = view! {
        {wish.filters().then(|| view! { <p><a href=routes::OPERATIONS>{t!(lang, "operations-all")}</a></p> })}
        <section aria-labelledby="now">
            <h2 id="now">{t!(lang, "operations-now")}</h2>
            <div data-live="now">{now}</div>
        </section>
        <section aria-labelledby="history">
            <h2 id="history">{t!(lang, "operations-history")}</h2>
            {filters(lang, &wish, &servers)}
            <div data-live="history">{history}</div>
            <div data-live="lanes">{lanes}</div>
        </section>
    };
    Ok(Page {
        live: Some(LiveSource { path: live_path(&wish), since }),
        refresh: moving.then_some(15),
        ..Page::new(t!(lang, "operations-title"), body)
    })
}

fn live_path(wish: &Wish) -> String {
    format!("{}{}", routes::live(routes::OPERATIONS), wish.query())
}

pub(crate) async fn list_regions(request: &Request) -> Result<Regions, Fault> {
    let version = request.facade().version(request.customer()?).await?;
    let parts = load(request, &Wish::read(|name| request.query(name))).await?;
    let values = vec![
        ("now".into(), parts.now.to_html()),
        ("history".into(), parts.history.to_html()),
        ("lanes".into(), parts.lanes.to_html()),
    ];
    Ok(Regions { version, values, ..Default::default() })
}

/// What changes while the page is open. Lanes that are open are left alone by themselves.
struct Parts {
    now: AnyView,
    history: AnyView,
    lanes: AnyView,
    moving: bool,
}

async fn load(request: &Request, wish: &Wish) -> Result<Parts, Fault> {
    let (lang, customer) = (request.lang(), request.customer()?);
    let facade = request.facade();
    let of_order: Vec<JobId> = match wish.order {
        Some(one) => facade.operations_of_order(customer, one).await?,
        None => Vec::new(),
    };
    let mut open = facade.operations_open(customer).await?;
    open.retain(|job| wish.shows(job, &of_order));
    let waits = facade.waits(customer).await?;
    let mut done = facade.operations_done(customer, &wish.history(lang), PAGE + 1).await?;
    let more = done.len() as i64 > PAGE;
    done.truncate(PAGE as usize);
    let moving = open.iter().any(|j| j.state.is_moving());
    // Started ones first, then by queue order.
    let (started, queued): (Vec<&Job>, Vec<&Job>) = open.iter().partition(|j| !j.state.is_waiting());
    let items = started
        .into_iter()
        .chain(queued)
        .map(|j| open_item(lang, j, waits.iter().find(|(id, _)| *id == j.id).map(|(_, w)| w)))
        .collect_view();
    let now = if open.is_empty() {
        view! { <p>{t!(lang, "operations-none-now")}</p> }.into_any()
    } else {
        view! { <ul class="plain rows">{items}</ul> }.into_any()
    };
    let history = if !done.is_empty() {
        let older = done.last().filter(|_| more).map(|j| {
            format!("{}{}", routes::OPERATIONS, Wish { before: Some(j.number), ..wish.clone() }.query())
        });
        let items = done.iter().map(|j| done_item(lang, j)).collect_view();
        view! {
            <ul class="plain rows">{items}</ul>
            {older.map(|href| view! { <p><a class="button secondary" href=href>{t!(lang, "operations-older")}</a></p> })}
        }
        .into_any()
    } else if wish.order.is_some() && !open.is_empty() {
        view! { <p>{t!(lang, "operations-none-over")}</p> }.into_any()
    } else if wish.filters() || wish.before.is_some() {
        let clear =
            view! { <a class="button secondary" href=routes::OPERATIONS>{t!(lang, "servers-clear")}</a> };
        empty_state(t!(lang, "operations-none-so-title"), t!(lang, "operations-none-so"), clear).into_any()
    } else {
        view! { <p>{t!(lang, "operations-none")}</p> }.into_any()
    };
    let together: Vec<&Job> = open.iter().chain(&done).collect();
    let lanes = lanes(lang, &together, facade.now_ms()).into_any();
    Ok(Parts { now, history, lanes, moving })
}

/// What history is asked for by: a form that only looks.
fn filters(lang: Lang, wish: &Wish, servers: &[ServerView]) -> impl IntoView + use<> {
    let option = |value: String, text: String, chosen: bool| {
        view! { <option value=value selected=chosen>{text}</option> }
    };
    let any = |chosen: bool| option(String::new(), t!(lang, "filter-any"), chosen);
    let mut names: Vec<(String, String)> =
        servers.iter().map(|v| (v.server.id.to_string(), v.server.name.clone())).collect();
    names.sort_by_key(|(_, name)| name.to_lowercase());
    // A server that is there no more can still be asked for, by a link.
    if let Some(id) = wish.server.map(|id| id.to_string())
        && !names.iter().any(|(known, _)| *known == id)
    {
        names.push((id, t!(lang, "filter-server-gone")));
    }
    let chosen = wish.server.map(|id| id.to_string());
    let servers = names
        .into_iter()
        .map(|(id, name)| {
            let is = chosen.as_ref() == Some(&id);
            option(id, name, is)
        })
        .collect_view();
    let kinds = kinds()
        .map(|k| option(k.to_string(), lang.t(&format!("kinds-{k}")), wish.kind == Some(k)))
        .collect_view();
    let states = STATES
        .iter()
        .map(|s| option(s.to_string(), lang.t(&format!("job-{s}")), wish.state == Some(*s)))
        .collect_view();
    let order = wish.order.map(|id| view! { <input type="hidden" name="order" value=id.to_string()/> });
    view! {
        <form method="get" action=routes::OPERATIONS class="filter-form" aria-label=t!(lang, "operations-filter")>
            {order}
            <div><label for="filter-server">{t!(lang, "filter-server")}</label><select id="filter-server" name="server">{any(wish.server.is_none())} {servers}</select></div>
            <div><label for="filter-kind">{t!(lang, "filter-kind")}</label><select id="filter-kind" name="kind">{any(wish.kind.is_none())} {kinds}</select></div>
            <div><label for="filter-state">{t!(lang, "filter-state")}</label><select id="filter-state" name="state">{any(wish.state.is_none())} {states}</select></div>
            <div><label for="filter-from">{t!(lang, "filter-from")}</label><input type="date" id="filter-from" name="from" value=wish.from.clone().unwrap_or_default()/></div>
            <button class="button secondary">{t!(lang, "filter-show")}</button>
        </form>
    }
}

fn title(lang: Lang, job: &Job) -> String {
    let name = job.server_name.clone().unwrap_or_default();
    kind_title(lang, job, &name)
}

/// A short notice that it is over.
pub(crate) fn toast(lang: Lang, job: &Job) -> impl IntoView + use<> {
    let class = if job.cause.is_some() { "toast bad" } else { "toast" };
    view! {
        <div class=class>
            <a href=routes::operation(job.id)>{title(lang, job)}</a>
            {state_badge(lang, job.state)}
            <button type="button" class="button quiet small">{t!(lang, "toast-close")}</button>
        </div>
    }
}

fn open_item(lang: Lang, job: &Job, waiting: Option<&Waiting>) -> impl IntoView + use<> {
    let cancel = job.state.is_waiting().then(|| {
        let label = format!("{}: {}", t!(lang, "operation-cancel"), title(lang, job));
        view! {
            <form method="post" action=routes::action("operation_cancel")>
                <input type="hidden" name="job" value=job.id.to_string()/>
                <button class="button quiet small" aria-label=label>{t!(lang, "operation-cancel")}</button>
            </form>
        }
    });
    view! {
        <li>
            <a href=routes::operation(job.id)>{title(lang, job)}</a>
            <span class="dim">{format!("#{}", job.number)}</span>
            {state_badge(lang, job.state)}
            {cancel}
            {waiting.map(|w| waiting_view(lang, w))}
        </li>
    }
}

fn done_item(lang: Lang, job: &Job) -> impl IntoView + use<> {
    view! {
        <li>
            <a href=routes::operation(job.id)>{title(lang, job)}</a>
            <span class="dim">{format!("#{}", job.number)}</span>
            {state_badge(lang, job.state)}
            <span class="dim">{time(lang, job.finished_at.unwrap_or(job.created_at))}</span>
        </li>
    }
}
