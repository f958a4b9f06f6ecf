//! S9: one server.

use domain::{
    ServerId,
    drift::{DriftKind, Remedy},
    permission::Action,
    power::PowerAction,
    snapshot::SnapshotAction,
};
use leptos::prelude::*;
use provisioning::{Drift, Job, Server, ServerView};

use super::{Asked, Fault, Loaded, Params, connect, gone, panel_url, state_view, tabs};
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

async fn load(request: &Request, id: ServerId) -> Result<(ServerView, Vec<Job>, Vec<Drift>), Fault> {
    let view = request.facade().server(request.viewer()?, id).await?.ok_or(Fault::NotFound)?;
    let activity = request.facade().server_activity(request.viewer()?, &view.server, 5).await?;
    let drift = request.facade().server_drift(request.viewer()?, &view.server).await?;
    Ok((view, activity, drift))
}

pub(crate) async fn overview(request: Request, params: Params) -> Loaded {
    let lang = request.lang();
    let id = params.id("id")?;
    let customer =
        request.facade().server(request.viewer()?, id).await?.ok_or(Fault::NotFound)?.server.customer;
    // The version first: what is read after it is at least as new.
    let since = request.facade().version(customer).await?;
    let (view, activity, drift) = load(&request, id).await?;
    if view.server.terminated_at.is_some() {
        return Err(gone(&request, &view).await?);
    }
    let moving = view.current.as_ref().is_some_and(|j| j.state.is_moving());
    let body = view! {
        <p class="state-line" data-live="state">{state_line(lang, &view)}</p>
        {view.own.then(|| view! { <div data-live="power">{power(lang, &view, &power_key(&view, since))}</div> })}
        {tabs(lang, &view.server, "overview")}
        <div class="grid" data-live="cards">{cards(&request, &view, &activity, &drift)}</div>
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
    let (view, activity, drift) = load(request, id).await?;
    if view.server.terminated_at.is_some() {
        return Err(gone(request, &view).await?);
    }
    let mut values = vec![
        ("state".to_owned(), state_line(lang, &view).to_html()),
        ("cards".to_owned(), cards(request, &view, &activity, &drift).to_html()),
    ];
    if view.own {
        values.push(("power".to_owned(), power(lang, &view, &power_key(&view, version)).to_html()));
    }
    Ok(Regions { version, values, about: Some(view.server.customer), ..Regions::default() })
}

/// The key of the form that starts a server: as long as nothing has happened, sending it twice is one request.
fn power_key(view: &ServerView, version: i64) -> String {
    format!("start-{}-{version}", view.server.id)
}

/// What can be done to its power. Starting is done at once, the rest is asked once more.
fn power(lang: Lang, view: &ServerView, key: &str) -> AnyView {
    let server = &view.server;
    let one = |action: PowerAction| {
        let text = lang.t(&format!("do-{action}"));
        match view.can_power(action) {
            Err(_) => {
                view! { <button type="button" class="button secondary" aria-disabled="true" aria-describedby="power-reason">{text}</button> }
                    .into_any()
            }
            Ok(()) if action.is_harmless() => view! {
                <form method="post" action=routes::action("server_power")>
                    <input type="hidden" name="server" value=server.id.to_string()/>
                    <input type="hidden" name="action" value=action.as_str()/>
                    <input type="hidden" name="key" value=key.to_owned()/>
                    <button class="button">{text}</button>
                </form>
            }
            .into_any(),
            Ok(()) => {
                view! { <a class="button secondary" href=routes::server_confirm(server.id, action.as_str()) data-dialog="">{text}</a> }.into_any()
            }
        }
    };
    let buttons = PowerAction::ALL.iter().map(|action| one(*action)).collect_view();
    // One sentence for whatever is denied: of the two halves, those that are on and those that are off, one always is.
    let reason = match (view.can_power(PowerAction::Start), view.can_power(PowerAction::Reboot)) {
        (Err(start), Err(_)) => Some(start),
        (Err(denial), Ok(())) | (Ok(()), Err(denial)) => Some(denial),
        _ => None,
    };
    let reason = reason.map(|denial| {
        view! { <p class="reason" id="power-reason">{lang.t(&format!("denial-{denial}"))}</p> }
    });
    view! { <div class="buttons">{buttons}</div> {reason} }.into_any()
}

fn state_line(lang: Lang, view: &ServerView) -> impl IntoView + use<> {
    let observed = view.server.observed_at.map(|at| {
        view! { <span class="dim">{t!(lang, "state-from", time = format::date_time(lang, at))}</span> }
    });
    view! { {state_view(lang, view)} " " {observed} }
}

fn cards(request: &Request, view: &ServerView, activity: &[Job], drift: &[Drift]) -> impl IntoView + use<> {
    let (lang, server) = (request.lang(), &view.server);
    let panel = server.panel.as_ref().map(|p| {
        let text = match p.since {
            Some(_) => p.name.clone(),
            None => t!(lang, "server-panel-coming", panel = p.name.clone()),
        };
        fact(t!(lang, "server-panel"), text)
    });
    let current = view.current.as_ref().map(|job| {
        let waiting = view.waiting.as_ref().map(|w| waiting_view(lang, w));
        view! {
            <section class="card">
                <h2>{t!(lang, "server-current")}</h2>
                <p><a href=routes::operation(job.id)>{kind_title(lang, job, &server.name)}</a> " " {state_badge(lang, job.state)}</p>
                {waiting}
            </section>
        }
    });
    view! {
        {differs(lang, view, drift)}
        {current}
        <section class="card">
            <h2>{t!(lang, "server-connect")}</h2>
            {connect(lang, server, panel_url(request, server))}
            {view.own.then(|| console(lang, view))}
        </section>
        <section class="card">
            <h2>{t!(lang, "server-resources")}</h2>
            <dl class="facts">
                {fact(t!(lang, "col-system"), server.template_name.clone())}
                {panel}
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
        {snapshot(lang, view)}
        {access(lang, view)}
        <section class="card">
            <h2>{t!(lang, "server-price")}</h2>
            <p class="big">{t!(lang, "server-price-month", price = format::money(lang, server.price_minor))}</p>
        </section>
        <section class="card">
            <h2>{t!(lang, "server-activity")}</h2>
            {history(lang, server, activity)}
            <p><a href=routes::operations_of_server(server.id)>{t!(lang, "server-activity-all")}</a></p>
        </section>
    }
}

/// What of it is not as it was ordered, and what becomes of that.
fn differs(lang: Lang, view: &ServerView, drift: &[Drift]) -> Option<AnyView> {
    if drift.is_empty() {
        return None;
    }
    let items = drift
        .iter()
        .map(|d| {
            let value = |v: &Option<String>| v.clone().unwrap_or_default();
            let (desired, observed) = (value(&d.seen.desired), value(&d.seen.observed));
            let text = match d.seen.kind {
                DriftKind::Hostname => t!(lang, "differs-hostname", observed = observed, desired = desired),
                DriftKind::GuestAddress => {
                    t!(lang, "differs-guest-address", observed = observed, desired = desired)
                }
                _ if d.seen.kind.remedy() == Remedy::AtOnce => t!(lang, "differs-at-once"),
                _ => t!(lang, "differs-other"),
            };
            view! { <li>{text}</li> }
        })
        .collect_view();
    let restart = drift.iter().any(|d| d.seen.kind.remedy() == Remedy::NextRestart);
    let card = view! {
        <section class="card">
            <h2>{t!(lang, "differs")}</h2>
            <ul>{items}</ul>
            {restart.then(|| view! { <p>{t!(lang, "differs-restart")}</p> })}
            {(restart && view.own).then(|| view! {
                <div class="buttons">{ask(lang, view, Asked::Repair, Action::Repair)}</div>
            })}
        </section>
    };
    Some(card.into_any())
}

/// A link that leads to a question, or why there is none.
fn ask(lang: Lang, view: &ServerView, asked: Asked, action: Action) -> AnyView {
    let text = lang.t(&format!("do-{}", asked.word()));
    match view.can(action) {
        Ok(()) => {
            let href = routes::server_confirm(view.server.id, &asked.word());
            view! { <a class="button secondary" href=href data-dialog="">{text}</a> }.into_any()
        }
        Err(denial) => {
            let id = format!("{}-reason", asked.word());
            view! {
                <button type="button" class="button secondary" aria-disabled="true" aria-describedby=id.clone()>{text}</button>
                <span class="reason" id=id>{lang.t(&format!("denial-{denial}"))}</span>
            }
            .into_any()
        }
    }
}

/// The way to its screen, or why there is none.
fn console(lang: Lang, view: &ServerView) -> AnyView {
    let text = t!(lang, "console");
    match view.can(Action::Console) {
        Ok(()) => view! {
            <p><a class="button secondary" href=routes::server_console(view.server.id)>{text}</a></p>
        }
        .into_any(),
        Err(denial) => view! {
            <p>
                <button type="button" class="button secondary" aria-disabled="true" aria-describedby="console-reason">{text}</button>
                <span class="reason" id="console-reason">{lang.t(&format!("denial-{denial}"))}</span>
            </p>
        }
        .into_any(),
    }
}

fn snapshot(lang: Lang, view: &ServerView) -> Option<AnyView> {
    if !view.own {
        return None;
    }
    let state = match view.server.snapshot_at {
        None => t!(lang, "snapshot-none"),
        Some(at) => t!(lang, "snapshot-of", date = format::date_time(lang, at)),
    };
    let taken = view.server.snapshot_at.is_some();
    // Without one there is nothing to go back to or to remove: these are not shown at all.
    let buttons = SnapshotAction::ALL
        .iter()
        .filter(|a| taken || **a == SnapshotAction::Create)
        .map(|a| ask(lang, view, Asked::Snapshot(*a), a.action()))
        .collect_view();
    let card = view! {
        <section class="card">
            <h2>{t!(lang, "snapshot")}</h2>
            <p>{state}</p>
            <div class="buttons">{buttons}</div>
        </section>
    };
    Some(card.into_any())
}

/// Its password, and its name.
fn access(lang: Lang, view: &ServerView) -> Option<AnyView> {
    if !view.own {
        return None;
    }
    let server = &view.server;
    let card = view! {
        <section class="card">
            <h2>{t!(lang, "server-manage")}</h2>
            <div class="buttons">{ask(lang, view, Asked::ResetPassword, Action::ResetPassword)}</div>
            <details>
                <summary>{t!(lang, "rename")}</summary>
                <form method="post" action=routes::action("server_rename")>
                    <input type="hidden" name="server" value=server.id.to_string()/>
                    <div class="field">
                        <label for="name">{t!(lang, "label-name")}</label>
                        <input type="text" id="name" name="name" value=server.name.clone() maxlength="80" required/>
                        <p class="hint">{t!(lang, "rename-hint")}</p>
                    </div>
                    <button class="button secondary">{t!(lang, "rename")}</button>
                </form>
            </details>
        </section>
    };
    Some(card.into_any())
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
                    <a href=routes::operation(j.id)>{kind_title(lang, j, &server.name)}</a>
                    {state_badge(lang, j.state)}
                    <span class="dim">{time(lang, j.created_at)}</span>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="plain rows">{items}</ul> }.into_any()
}
