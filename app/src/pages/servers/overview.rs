//! S9: one server.

use leptos::prelude::*;

use super::{Fault, Loaded, Params, connect, gone, state_view, tabs};
use crate::{
    format,
    i18n::t,
    pages::operations::{kind_title, state_badge, waiting_view},
    request::Request,
    routes,
    shell::Page,
    ui::{fact, time},
};

pub(crate) async fn overview(request: Request, params: Params) -> Loaded {
    let lang = request.lang();
    let view = request.facade().server(request.viewer()?, params.id("id")?).await?.ok_or(Fault::NotFound)?;
    if view.server.terminated_at.is_some() {
        return Err(gone(&request, &view).await?);
    }
    let server = &view.server;
    let activity = request.facade().server_activity(request.viewer()?, server, 5).await?;
    let moving = view.current.as_ref().is_some_and(|j| j.state.is_moving());
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
    let observed = server.observed_at.map(|at| {
        view! { <span class="dim">{t!(lang, "state-from", time = format::date_time(lang, at))}</span> }
    });
    let history = if activity.is_empty() {
        view! { <p>{t!(lang, "server-no-activity")}</p> }.into_any()
    } else {
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
    };
    let body = view! {
        <p class="state-line">{state_view(lang, &view)} " " {observed}</p>
        {tabs(lang, server, "overview")}
        <div class="grid">
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
                {history}
            </section>
        </div>
    };
    Ok(Page { refresh: moving.then_some(15), wide: true, ..Page::new(server.name.clone(), body) })
}
