//! S2: the list.

use domain::{draft::WizardStep, state::JobState};
use leptos::prelude::*;
use provisioning::{JudgedDraft, ServerView};

use super::{Loaded, Params, state_view};
use crate::{
    format,
    i18n::{Lang, t},
    pages::order,
    request::Request,
    routes,
    shell::{LiveSource, Page},
    ui::empty_state,
};

pub(crate) async fn list(request: Request, _: Params) -> Loaded {
    let lang = request.lang();
    let customer = request.customer()?;
    let since = request.facade().version(customer).await?;
    let servers = request.facade().servers(request.viewer()?).await?;
    let drafts = request.facade().drafts_open(customer).await?;
    let moving = servers.iter().any(|s| s.current.as_ref().is_some_and(|j| j.state.is_moving()));
    let order = || {
        view! {
            <form method="post" action=routes::action("draft_start")>
                <button class="button">{t!(lang, "servers-order")}</button>
            </form>
        }
    };
    let list = if servers.is_empty() {
        empty_state(t!(lang, "servers-empty-title"), t!(lang, "servers-empty"), order()).into_any()
    } else {
        view! {
            <div class="toolbar">{order()}</div>
            {table(lang, &servers)}
        }
        .into_any()
    };
    let body = view! {
        {(!drafts.is_empty()).then(|| draft_list(&request, &drafts))}
        {list}
    };
    Ok(Page {
        live: Some(LiveSource { path: routes::live(routes::SERVERS), since }),
        refresh: moving.then_some(15),
        wide: true,
        ..Page::new(t!(lang, "servers-title"), body)
    })
}

fn draft_list(request: &Request, drafts: &[JudgedDraft]) -> impl IntoView + use<> {
    let lang = request.lang();
    let items = drafts
        .iter()
        .map(|d| {
            let open =
                |s: &WizardStep| !d.draft.values.visited.contains(s) || !d.errors(*s).is_empty();
            let next = WizardStep::ALL.iter().copied().find(open);
            let step = next.unwrap_or(WizardStep::Review);
            let name = order::draft_name(&d.draft.values);
            let text = t!(lang, "servers-draft", name = name.clone(), step = order::step_name(lang, step));
            view! {
                <li>
                    <a href=routes::order(d.draft.id, step)>{text}</a>
                    <form method="post" action=routes::action("draft_discard")>
                        <input type="hidden" name="draft" value=d.draft.id.to_string()/>
                        <button class="button quiet small" aria-label=t!(lang, "servers-discard-of", name = name)>
                            {t!(lang, "servers-discard")}
                        </button>
                    </form>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="drafts">
            <h2 id="drafts">{t!(lang, "servers-drafts")}</h2>
            <ul class="plain rows">{items}</ul>
        </section>
    }
}

fn table(lang: Lang, servers: &[ServerView]) -> impl IntoView + use<> {
    let rows = servers
        .iter()
        .map(|view| {
            let s = &view.server;
            let id = s.id;
            let host = (s.hostname != s.name).then(|| view! { <span class="dim">{s.hostname.clone()}</span> });
            // An operation that waits or runs is a click away.
            let state = view! { <span data-live=format!("state-{id}")>{row_state(lang, view)}</span> };
            view! {
                <tr>
                    <th scope="row"><a href=routes::server(id)>{s.name.clone()}</a> " " {host}</th>
                    <td data-label=t!(lang, "col-state")>{state}</td>
                    <td data-label=t!(lang, "col-address")><span data-live=format!("address-{id}")>{address(lang, view)}</span></td>
                    <td data-label=t!(lang, "col-system")>{s.template_name.clone()}</td>
                    <td data-label=t!(lang, "col-size")>{format::size(lang, s.size)}</td>
                    <td data-label=t!(lang, "col-price") class="num">{format::money(lang, s.price_minor)}</td>
                    <td data-label=t!(lang, "col-created")>{format::date(lang, s.created_at)}</td>
                </tr>
            }
        })
        .collect_view();
    let columns =
        ["col-name", "col-state", "col-address", "col-system", "col-size", "col-price", "col-created"];
    let head = columns.map(|c| view! { <th scope="col">{lang.t(c)}</th> });
    view! {
        <table class="as-cards">
            <caption class="sr-only">{t!(lang, "servers-caption")}</caption>
            <thead><tr>{head}</tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

fn row_state(lang: Lang, view: &ServerView) -> impl IntoView + use<> {
    let link =
        view.current.as_ref().filter(|j| j.state != JobState::Succeeded).map(|j| routes::operation(j.id));
    let state = state_view(lang, view);
    match link {
        Some(href) => view! { <a class="state-link" href=href>{state}</a> }.into_any(),
        None => state.into_any(),
    }
}

fn address(lang: Lang, view: &ServerView) -> String {
    view.server.address.clone().unwrap_or_else(|| t!(lang, "no-address"))
}

/// The parts of the page that change while it is open.
pub(crate) async fn list_regions(request: &Request) -> Result<crate::live::Regions, crate::pages::Fault> {
    let lang = request.lang();
    let version = request.facade().version(request.customer()?).await?;
    let servers = request.facade().servers(request.viewer()?).await?;
    let mut values = Vec::new();
    for view in &servers {
        let id = view.server.id;
        values.push((format!("state-{id}"), row_state(lang, view).to_html()));
        values.push((format!("address-{id}"), address(lang, view)));
    }
    Ok(crate::live::Regions { version, values, ..Default::default() })
}
