//! S9: one server.

use domain::ServerId;
use leptos::prelude::*;
use provisioning::{Job, Server, ServerView};

use super::{Fault, Loaded, Params, connect, gone, state_view, tabs};
use crate::{
    format,
    i18n::{Lang, t},
    live::Regions,
    pages::operations::{kind_title, state_badge, waiting_view},
    request::Request,
    routes,
    shell::{LiveSource, Page},
    ui::{fact, time},
};

/// A page that shows an operation under way refreshes itself this often without a script, s.
const REFRESH: u32 = 15;

async fn load(request: &Request, id: ServerId) -> Result<(ServerView, Vec<Job>), Fault> {
    let view = request.facade().server(request.viewer()?, id).await?.ok_or(Fault::NotFound)?;
    let activity = request.facade().server_activity(request.viewer()?, &view.server, 5).await?;
    Ok((view, activity))
}

pub(crate) async fn overview(request: Request, params: Params) -> Loaded {
    let lang = request.lang();
    let id = params.id("id")?;
    let customer =
        request.facade().server(request.viewer()?, id).await?.ok_or(Fault::NotFound)?.server.customer;
    // The version first: what is read after it is at least as new.
    let since = request.facade().version(customer).await?;
    let (view, activity) = load(&request, id).await?;
    if view.server.terminated_at.is_some() {
        return Err(gone(&request, &view).await?);
    }
    let moving = view.current.as_ref().is_some_and(|j| j.state.is_moving());
    let body = view! {
        <p class="state-line" data-live="state">{state_line(lang, &view)}</p>
        {tabs(lang, &view.server, "overview")}
        <div class="grid" data-live="cards">{cards(lang, &view, &activity)}</div>
    };
    Ok(Page {
        live: Some(LiveSource { path: routes::live(&routes::server(id)), since }),
        refresh: moving.then_some(REFRESH),
        wide: true,
        ..Page::new(view.server.name.clone(), body)
    })
}

/// The parts of the page that change while it is open.
pub(crate) async fn overview_regions(request: &Request, id: ServerId) -> Result<Regions, Fault> {
    let lang = request.lang();
    let customer =
        request.facade().server(request.viewer()?, id).await?.ok_or(Fault::NotFound)?.server.customer;
    let version = request.facade().version(customer).await?;
    let (view, activity) = load(request, id).await?;
    let values = vec![
        ("state".to_owned(), state_line(lang, &view).to_html()),
        ("cards".to_owned(), cards(lang, &view, &activity).to_html()),
    ];
    Ok(Regions { version, values, ..Regions::default() })
}

fn state_line(lang: Lang, view: &ServerView) -> impl IntoView + use<> {
    let observed = view.server.observed_at.map(|at| {
        view! { <span class="dim">{t!(lang, "state-from", time = format::date_time(lang, at))}</span> }
    });
    view! { {state_view(lang, view)} " " {observed} }
}

fn cards(lang: Lang, view: &ServerView, activity: &[Job]) -> impl IntoView + use<> {
    let server = &view.server;
    let current = view.current.as_ref().map(|job| {
        let waiting = view.waiting.as_ref().map(|w| waiting_view(lang, w));
        view! {
            <section class="card">
                <h2>{t!(lang, "server-current")}</h2>
                <p><a href=routes::operation(job.id)>{kind_title(lang, job.kind, &server.name)}</a> " " {state_badge(lang, job.state)}</p>
                {waiting}
            </section>
        }
    });
    view! {
        {current}
        <section class="card">
            <h2>{t!(lang, "server-connect")}</h2>
            {connect(lang, server)}
        </section>
        <section class="card">
            <h2>{t!(lang, "server-resources")}</h2>
            <dl class="facts">
                {fact(t!(lang, "col-system"), server.template_name.clone())}
                {fact(t!(lang, "label-hostname"), server.hostname.clone())}
                {fact(t!(lang, "label-vcpu"), server.size.vcpu.to_string())}
                {fact(t!(lang, "label-ram"), format::gigabytes(lang, server.size.ram_gb))}
                {fact(t!(lang, "label-disk"), format::gigabytes(lang, server.size.disk_gb))}
            </dl>
        </section>
        <section class="card">
            <h2>{t!(lang, "server-network")}</h2>
            <dl class="facts">
                {fact(t!(lang, "col-address"), server.address.clone().unwrap_or_else(|| t!(lang, "no-address")))}
                {fact(t!(lang, "label-bandwidth"), format::megabits(lang, server.size.bandwidth_mbit))}
            </dl>
        </section>
        <section class="card">
            <h2>{t!(lang, "server-price")}</h2>
            <p class="big">{t!(lang, "server-price-month", price = format::money(lang, server.price_minor))}</p>
        </section>
        <section class="card">
            <h2>{t!(lang, "server-activity")}</h2>
            {history(lang, server, activity)}
        </section>
    }
}

fn history(lang: Lang, server: &Server, activity: &[Job]) -> AnyView {
    if activity.is_empty() {
        return view! { <p>{t!(lang, "server-no-activity")}</p> }.into_any();
    }
    let items = activity
        .iter()
        .map(|j| {
            view! {
                <li>
                    <a href=routes::operation(j.id)>{kind_title(lang, j.kind, &server.name)}</a>
                    {state_badge(lang, j.state)}
                    <span class="dim">{time(lang, j.created_at)}</span>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="plain rows">{items}</ul> }.into_any()
}
