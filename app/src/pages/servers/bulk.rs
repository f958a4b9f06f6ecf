//! Starting or shutting down several servers: what would happen to each is shown before anything does.

use domain::{ServerId, power::PowerAction};
use leptos::prelude::*;
use provisioning::ServerView;

use super::{Fault, Loaded, Params, state_view};
use crate::{
    i18n::t,
    request::Request,
    routes,
    shell::Page,
    ui::{badge, empty_state},
};

/// What may be asked of several: nothing that loses data.
pub(crate) const BULK: [PowerAction; 2] = [PowerAction::Start, PowerAction::ShutDown];

pub(crate) async fn confirm_several(request: Request, _: Params) -> Loaded {
    let lang = request.lang();
    let asked = request.query("do").and_then(|word| word.parse::<PowerAction>().ok());
    let Some(action) = asked.filter(|a| BULK.contains(a)) else {
        return Err(Fault::Moved(routes::SERVERS.into()));
    };
    let chosen: Vec<ServerId> = request.query_all("server").iter().filter_map(|id| id.parse().ok()).collect();
    let servers = request.facade().servers(request.viewer()?).await?;
    let servers: Vec<ServerView> = servers.into_iter().filter(|s| chosen.contains(&s.server.id)).collect();
    let title = lang.t(&format!("several-{action}"));
    let back = view! { <a class="button secondary" href=routes::SERVERS>{t!(lang, "several-back")}</a> };
    if servers.is_empty() {
        let body = empty_state(t!(lang, "several-none-title"), t!(lang, "several-none"), back);
        return Ok(Page::new(title, body));
    }
    let able: Vec<ServerId> =
        servers.iter().filter(|s| s.can_power(action).is_ok()).map(|s| s.server.id).collect();
    let rows = servers
        .iter()
        .map(|s| {
            let will = match s.can_power(action) {
                Ok(()) => badge("ok", t!(lang, "several-will")).into_any(),
                Err(denial) => {
                    let why = lang.t(&format!("denial-{denial}"));
                    view! { {badge("idle", t!(lang, "several-will-not"))} " " <span class="reason">{why}</span> }
                        .into_any()
                }
            };
            view! {
                <li>
                    <span><a href=routes::server(s.server.id)>{s.server.name.clone()}</a> " " {state_view(lang, s)}</span>
                    <span>{will}</span>
                </li>
            }
        })
        .collect_view();
    let ids: Vec<String> = able.iter().map(ToString::to_string).collect();
    let n = able.len() as i64;
    let form = if able.is_empty() {
        view! {
            <p class="reason">{t!(lang, "several-nobody")}</p>
            <p>{back}</p>
        }
        .into_any()
    } else {
        view! {
            <form method="post" action=routes::action("servers_power")>
                <input type="hidden" name="servers" value=ids.join(",")/>
                <input type="hidden" name="action" value=action.as_str()/>
                <input type="hidden" name="key" value=request.facade().form_key()/>
                <div class="buttons">
                    <button class="button">{lang.tr(&format!("several-do-{action}"), &[("n", n.into())])}</button>
                    {back}
                </div>
            </form>
        }
        .into_any()
    };
    let question =
        (action == PowerAction::ShutDown).then(|| view! { <p>{t!(lang, "several-unreachable")}</p> });
    let body = view! {
        <section class="card">
            {question}
            <ul class="plain rows">{rows}</ul>
            {form}
        </section>
    };
    Ok(Page::new(title, body))
}
