//! S2, S9, S13: a customer's servers.

mod bulk;
mod confirm;
mod console;
mod filter;
mod list;
mod network;
mod overview;
mod reinstall;
mod resize;
mod terminate;

use domain::state::ServerState;
use leptos::prelude::*;
use provisioning::{Server, ServerView, customer_rows, job_word};

pub(crate) use bulk::BULK;
pub(super) use bulk::confirm_several;
pub(crate) use confirm::Asked;
pub(super) use confirm::confirm;
pub(super) use console::console;
pub(crate) use list::{list, list_regions};
pub(super) use network::network;
pub(super) use overview::overview;
pub(crate) use overview::overview_regions;
pub(super) use reinstall::reinstall;
pub(super) use resize::resize;
pub(super) use terminate::terminate;

use super::{
    Fault, Loaded, Params,
    operations::{kind_inline, row_text},
};
use crate::{
    format,
    i18n::{Lang, t},
    routes,
    ui::{badge, copyable, fact},
};

fn tone(state: ServerState) -> &'static str {
    match state {
        ServerState::Running => "ok",
        ServerState::Creating | ServerState::Terminating => "busy",
        ServerState::Failed => "bad",
        ServerState::Unknown => "warn",
        ServerState::Ordered | ServerState::Stopped | ServerState::Terminated => "idle",
    }
}

/// The state by itself.
pub(crate) fn state_badge(lang: Lang, state: ServerState) -> AnyView {
    badge(tone(state), lang.t(&format!("server-{state}")))
}

/// The real state, and beside it what is being done or waited for.
pub(crate) fn state_view(lang: Lang, view: &ServerView) -> impl IntoView + use<> {
    let server = &view.server;
    let queued = view.current.as_ref().filter(|j| j.state.is_waiting());
    // A server whose create has not begun has only the chip.
    let state = (server.state != ServerState::Ordered || queued.is_none())
        .then(|| badge(tone(server.state), lang.t(&format!("server-{}", server.state))));
    let chip = queued.map(|job| {
        let what = kind_inline(lang, &job_word(job), "").trim().to_owned();
        badge("busy", t!(lang, "chip-queued", what = what))
    });
    let progress = view.progress().zip(view.current.as_ref()).map(|((step, total), job)| {
        let rows = customer_rows(job);
        let row = rows.get(step - 1).map(|(row, _)| *row).unwrap_or_default();
        let row = row_text(lang, row, job);
        let text = t!(lang, "server-progress", step = step as i64, total = total as i64, row = row);
        view! { <span class="dim">{text}</span> }
    });
    view! { {state} " " {chip} " " {progress} }
}

/// Where a server's panel is signed in to, once it is there.
pub(crate) fn panel_url(request: &crate::request::Request, server: &Server) -> Option<String> {
    let ordered = server.panel.as_ref().filter(|p| p.since.is_some())?;
    Some(request.facade().catalogue().panel(&ordered.id)?.url(server.address.as_deref()?))
}

/// How to sign in to a server.
pub(crate) fn connect(lang: Lang, server: &Server, panel: Option<String>) -> AnyView {
    let Some(address) = server.address.clone().filter(|_| server.state == ServerState::Running) else {
        return view! { <p>{t!(lang, "server-connect-wait")}</p> }.into_any();
    };
    let (how, command) = match server.family {
        domain::catalogue::Family::Linux => {
            (t!(lang, "server-ssh"), format!("ssh {}@{address}", server.guest_login))
        }
        domain::catalogue::Family::Windows => (t!(lang, "server-rdp"), address.clone()),
    };
    let panel = panel.map(|url| {
        view! {
            {fact(t!(lang, "server-panel-address"), view! { <a href=url.clone() rel="noreferrer">{url.clone()}</a> })}
        }
    });
    let note = panel.is_some().then(|| {
        let text = if server.method.uses_password() {
            t!(lang, "server-panel-login")
        } else {
            t!(lang, "server-panel-login-key")
        };
        view! { <p class="dim">{text}</p> }
    });
    let file = (server.family == domain::catalogue::Family::Windows).then(|| {
        view! { <p><a class="button secondary" href=routes::server_rdp(server.id) download="">{t!(lang, "server-rdp-file")}</a></p> }
    });
    view! {
        <p>{how}</p>
        <p>{copyable(lang, command)}</p>
        {file}
        <dl class="facts">
            {fact(t!(lang, "col-address"), copyable(lang, address))}
            {fact(t!(lang, "server-login"), server.guest_login.clone())}
            {panel}
        </dl>
        {note}
    }
    .into_any()
}

/// The tabs of a server; each is a page.
fn tabs(lang: Lang, server: &Server, current: &'static str) -> impl IntoView + use<> {
    let tabs = [
        ("overview", routes::server(server.id), t!(lang, "tab-overview")),
        ("resize", routes::server_resize(server.id), t!(lang, "tab-resize")),
        ("network", routes::server_network(server.id), t!(lang, "tab-network")),
        ("reinstall", routes::server_reinstall(server.id), t!(lang, "tab-reinstall")),
        ("terminate", routes::server_terminate(server.id), t!(lang, "tab-terminate")),
    ];
    let items = tabs
        .into_iter()
        .map(|(key, href, text)| {
            view! { <li><a href=href aria-current=(key == current).then_some("page")>{text}</a></li> }
        })
        .collect_view();
    view! { <nav class="tabs" aria-label=t!(lang, "tabs")><ul>{items}</ul></nav> }
}

/// A server that is gone answers so, and leads to what ended it.
async fn gone(request: &crate::request::Request, view: &ServerView) -> Result<Fault, Fault> {
    let lang = request.lang();
    let last = request.facade().server_activity(request.viewer()?, &view.server, 1).await?;
    let link = last.first().map(|j| (routes::operation(j.id), t!(lang, "fault-operation")));
    let date = format::date(lang, view.server.terminated_at.unwrap_or_default());
    Ok(Fault::Gone { text: t!(lang, "fault-410-server", date = date), link })
}
