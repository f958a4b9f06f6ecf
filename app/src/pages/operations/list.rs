//! S14: a customer's own queue and history.

use leptos::prelude::*;
use provisioning::{Job, Waiting};

use super::{Fault, Loaded, Params, kind_title, state_badge, waiting_view};
use crate::{
    i18n::{Lang, t},
    live::Regions,
    request::Request,
    routes,
    shell::{LiveSource, Page},
    ui::time,
};

const PAGE: i64 = 25;

pub(crate) async fn list(request: Request, _: Params) -> Loaded {
    let lang = request.lang();
    let since = request.facade().version(request.customer()?).await?;
    let (now, history, moving) = load(&request).await?;
    let body = view! {
        <section aria-labelledby="now">
            <h2 id="now">{t!(lang, "operations-now")}</h2>
            <div data-live="now">{now}</div>
        </section>
        <section aria-labelledby="history">
            <h2 id="history">{t!(lang, "operations-history")}</h2>
            <div data-live="history">{history}</div>
        </section>
    };
    Ok(Page {
        live: Some(LiveSource { path: live_path(&request), since }),
        refresh: moving.then_some(15),
        ..Page::new(t!(lang, "operations-title"), body)
    })
}

fn before(request: &Request) -> Option<i64> {
    request.query("before").and_then(|b| b.parse().ok())
}

fn live_path(request: &Request) -> String {
    let query = before(request).map(|b| format!("?before={b}")).unwrap_or_default();
    format!("{}{query}", routes::live(routes::OPERATIONS))
}

pub(crate) async fn list_regions(request: &Request) -> Result<Regions, Fault> {
    let version = request.facade().version(request.customer()?).await?;
    let (now, history, _) = load(request).await?;
    let values = vec![("now".into(), now.to_html()), ("history".into(), history.to_html())];
    Ok(Regions { version, values, ..Default::default() })
}

async fn load(request: &Request) -> Result<(AnyView, AnyView, bool), Fault> {
    let (lang, customer) = (request.lang(), request.customer()?);
    let open = request.facade().operations_open(customer).await?;
    let waits = request.facade().waits(customer).await?;
    let mut done = request.facade().operations_done(customer, before(request), PAGE + 1).await?;
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
    let history = if done.is_empty() {
        view! { <p>{t!(lang, "operations-none")}</p> }.into_any()
    } else {
        let older =
            done.last().filter(|_| more).map(|j| format!("{}?before={}", routes::OPERATIONS, j.number));
        let items = done.iter().map(|j| done_item(lang, j)).collect_view();
        view! {
            <ul class="plain rows">{items}</ul>
            {older.map(|href| view! { <p><a class="button secondary" href=href>{t!(lang, "operations-older")}</a></p> })}
        }
        .into_any()
    };
    Ok((now, history, moving))
}

fn title(lang: Lang, job: &Job) -> String {
    let name = job.server_name.clone().unwrap_or_default();
    kind_title(lang, job, &name)
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
