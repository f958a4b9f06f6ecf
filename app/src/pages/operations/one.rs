//! S8: one operation, step by step, to the page that says how to sign in.

use domain::{
    kind::Kind,
    state::{JobState, ServerState, StepState},
};
use leptos::prelude::*;
use provisioning::{OperationView, Reveal, Waiting, customer_row, job_word, what_exists};

use super::{
    Fault, Loaded, Params, kind_title, row_text, state_badge, step_list, ticking, waiting_text, waiting_view,
};
use crate::{
    format,
    i18n::{Lang, t},
    live::Regions,
    pages::servers::{connect, panel_url},
    request::Request,
    routes,
    shell::{LiveSource, Page},
};

/// A page that shows an operation under way refreshes itself this often without a script, s.
const REFRESH: u32 = 5;

async fn load(request: &Request, id: domain::JobId) -> Result<OperationView, Fault> {
    request.facade().operation(request.viewer()?, id).await?.ok_or(Fault::NotFound)
}

pub(crate) async fn one(request: Request, params: Params) -> Loaded {
    let lang = request.lang();
    let view = load(&request, params.id("id")?).await?;
    let now = request.facade().now_ms();
    let id = view.job.id;
    let moving = view.at().state.is_moving();
    let staff = request.viewer()?.role().is_staff();
    let body = view! {
        <div data-live="head">{head(lang, &view, now)}</div>
        {staff.then(|| view! { <p><a href=routes::staff_job(view.at().id)>{t!(lang, "operation-staff")}</a></p> })}
        <div data-live="body">{body(&request, &view, now)}</div>
    };
    Ok(Page {
        heading: Some(heading(lang, &view)),
        live: moving.then(|| LiveSource { path: routes::live(&routes::operation(id)), since: view.version }),
        refresh: moving.then_some(REFRESH),
        ..Page::new(title(lang, &view), body)
    })
}

/// The parts of the page that change while it is open.
pub(crate) async fn one_regions(request: &Request, id: domain::JobId) -> Result<Regions, Fault> {
    let lang = request.lang();
    let view = load(request, id).await?;
    let now = request.facade().now_ms();
    let values = vec![
        ("head".into(), head(lang, &view, now).to_html()),
        ("body".into(), body(request, &view, now).to_html()),
    ];
    Ok(Regions {
        version: view.version,
        values,
        title: Some(format!("{} · {}", title(lang, &view), t!(lang, "product"))),
        say: Some(say(lang, &view)),
        urgent: view.own && matches!(view.at().state, JobState::Failed | JobState::Stuck),
        about: Some(view.job.customer),
    })
}

fn name(view: &OperationView) -> String {
    view.job.server_name.clone().unwrap_or_default()
}

fn heading(lang: Lang, view: &OperationView) -> String {
    kind_title(lang, &view.job, &name(view))
}

fn title(lang: Lang, view: &OperationView) -> String {
    let title = heading(lang, view);
    if !view.at().state.is_started() {
        return title;
    }
    let (step, total) = view.progress();
    t!(lang, "operation-title-progress", step = step as i64, total = total as i64, title = title)
}

/// What a screen reader hears when something has changed.
fn say(lang: Lang, view: &OperationView) -> String {
    match (&view.waiting, view.at().state) {
        (Some(waiting), _) => {
            let (place, text) = waiting_text(lang, waiting);
            [place.unwrap_or_default(), text].join(" ").trim().to_owned()
        }
        (None, JobState::Succeeded) => done_title(lang, view),
        (None, state) if state.is_started() => row_name(lang, view),
        (None, state) => lang.t(&format!("job-{state}")),
    }
}

fn head(lang: Lang, view: &OperationView, now: i64) -> AnyView {
    let (job, at) = (&view.job, view.at());
    let elapsed = match at.finished_at {
        Some(end) => view! { <span>{format::duration(end - job.created_at)}</span> }.into_any(),
        None => ticking(now - job.created_at, "dim"),
    };
    let usually = (job.kind == Kind::Activate && job.state.is_moving() && job.state != JobState::Parked)
        .then(|| match view.usual {
            Some(ms) => t!(lang, "operation-usually-about", n = format::minutes(ms)),
            None => t!(lang, "operation-usually"),
        });
    view! {
        <p class="state-line">
            {state_badge(lang, at.state)}
            <span class="dim">{t!(lang, "operation-number", number = job.number)}</span>
            <span class="dim">{t!(lang, "operation-elapsed")} " " {elapsed}</span>
            {usually.map(|u| view! { <span class="dim">{u}</span> })}
        </p>
    }
    .into_any()
}

fn body(request: &Request, view: &OperationView, now: i64) -> AnyView {
    let (lang, job) = (request.lang(), &view.job);
    let catalogue = request.facade().catalogue();
    let ordered = view.server.as_ref().and_then(|s| s.panel.as_ref());
    let panel = ordered.and_then(|p| catalogue.panel(&p.id));
    let address = view.server.as_ref().and_then(|s| panel_url(request, s));
    // Of a job between two tries the trouble says when it goes on.
    let waiting = view.waiting.as_ref().filter(|w| !matches!(w, Waiting::BackOff { .. }));
    let waiting = waiting.map(|w| waiting_view(lang, w));
    let trouble = trouble(lang, view);
    let done = (job.state == JobState::Succeeded).then(|| done(lang, view, address));
    let cancelled = (job.state == JobState::Cancelled)
        .then(|| view! { <p class="note">{t!(lang, "operation-cancelled")}</p> });
    let dropped = panel_dropped(lang, view).map(|text| view! { <p class="note">{text}</p> });
    // A panel that was taken back has no row any more.
    let follows =
        view.panel.as_ref().filter(|p| !matches!(p.state, JobState::Cancelled | JobState::RolledBack));
    let all: Vec<_> = [Some(job), follows].into_iter().flatten().collect();
    let about = panel.map(|p| p.usual_minutes);
    let steps = (job.state != JobState::Cancelled).then(|| step_list(lang, &all, about, now));
    view! {
        {done}
        {cancelled}
        {dropped}
        {trouble}
        {waiting}
        {view.slow.then(|| view! { <p class="note">{t!(lang, "operation-slow")}</p> })}
        {view.own.then(|| remedies(lang, view))}
        {view.own.then(|| cancel(lang, view))}
        {steps}
    }
    .into_any()
}

/// What became of a panel that was not installed after all.
fn panel_dropped(lang: Lang, view: &OperationView) -> Option<String> {
    let panel = view.panel.as_ref().filter(|_| view.job.state == JobState::Succeeded)?;
    let id = match panel.state {
        JobState::Cancelled => "operation-panel-cancelled",
        // Nothing of it was begun: only the way in was closed.
        JobState::RolledBack if panel.steps.iter().all(|s| s.key != "panel_install" || s.attempt == 0) => {
            "operation-panel-cancelled"
        }
        JobState::RolledBack => "operation-panel-rolled-back",
        _ => return None,
    };
    let what = panel.panel_name.clone().unwrap_or_else(|| lang.t("label-panel"));
    Some(lang.tr(id, &[("panel", what.into()), ("name", name(view).into())]))
}

/// What a customer can do about an operation that failed.
fn remedies(lang: Lang, view: &OperationView) -> Option<AnyView> {
    let job = view.at().id.to_string();
    let one = |function: &str, class: &'static str, text: String| {
        view! {
            <form method="post" action=routes::action(function)>
                <input type="hidden" name="job" value=job.clone()/>
                <button class=class>{text}</button>
            </form>
        }
    };
    let retry = view.can_retry.then(|| one("operation_retry", "button", t!(lang, "operation-retry")));
    let give_up =
        view.can_give_up.then(|| one("operation_cancel", "button secondary", t!(lang, "operation-give-up")));
    let any = retry.is_some() || give_up.is_some();
    any.then(|| view! { <div class="buttons">{retry} {give_up}</div> }.into_any())
}

fn cancel(lang: Lang, view: &OperationView) -> AnyView {
    let job = view.at();
    match view.can_cancel {
        Ok(()) => view! {
            <form method="post" action=routes::action("operation_cancel")>
                <input type="hidden" name="job" value=job.id.to_string()/>
                <button class="button secondary">{t!(lang, "operation-cancel")}</button>
            </form>
        }
        .into_any(),
        // Over and done, or with ways of its own: there is nothing to explain.
        Err(_) if job.state.is_over() || view.can_give_up => ().into_any(),
        Err(denial) => view! {
            <p class="denied">
                <button type="button" class="button secondary" aria-disabled="true" aria-describedby="cancel-reason">
                    {t!(lang, "operation-cancel")}
                </button>
                " " <span class="reason" id="cancel-reason">{lang.t(&format!("denial-{denial}"))}</span>
            </p>
        }
        .into_any(),
    }
}

/// The row that is under way, or that it stopped at.
fn row_name(lang: Lang, view: &OperationView) -> String {
    let open = |s: &&provisioning::JobStep| !matches!(s.state, StepState::Done | StepState::Skipped);
    let job = view.at();
    let at = job
        .steps
        .iter()
        .find(|s| matches!(s.state, StepState::Failed | StepState::RetryWait))
        .or_else(|| job.steps.iter().find(open));
    let row = at.and_then(|s| customer_row(job.kind, &s.key)).unwrap_or("finish");
    row_text(lang, row, job)
}

fn trouble(lang: Lang, view: &OperationView) -> Option<AnyView> {
    let job = view.at();
    let text = match job.state {
        JobState::Failed | JobState::Stuck => {
            t!(lang, "operation-failed", row = row_name(lang, view), number = job.number)
        }
        // What that means is said where it is known that it was a panel.
        JobState::RolledBack if job.kind == Kind::InstallPanel => return None,
        JobState::RolledBack => {
            let known = job.cause.as_deref().map(|c| format!("rolled-back-{c}"));
            let id = known.filter(|id| lang.has(id)).unwrap_or_else(|| "operation-rolled-back".into());
            lang.tr(&id, &[("name", name(view).as_str().into())])
        }
        JobState::RetryWait => {
            let at = format::clock(lang, job.next_attempt_at.unwrap_or_default());
            t!(lang, "operation-retrying", row = row_name(lang, view), time = at)
        }
        _ => return None,
    };
    let class = if job.state == JobState::RetryWait { "banner" } else { "banner bad" };
    let exists = (job.state == JobState::Failed && job.kind == Kind::Activate).then(|| what_exists(job));
    let exists = exists.filter(|rows| !rows.is_empty()).map(|rows| {
        let rows: Vec<String> = rows.into_iter().map(|row| lang.t(&format!("exists-{row}"))).collect();
        view! { <p>{t!(lang, "operation-exists", what = rows.join(", "))}</p> }
    });
    Some(view! { <p class=class>{text}</p> {exists} }.into_any())
}

fn done_title(lang: Lang, view: &OperationView) -> String {
    let still = view.panel.as_ref().filter(|_| view.job.state == JobState::Succeeded);
    let id = still.and_then(|p| match p.state {
        JobState::Failed | JobState::Stuck => Some("operation-ready-panel-failed"),
        state if state.is_moving() => Some("operation-ready-panel"),
        _ => None,
    });
    if let (Some(id), Some(panel)) = (id, still) {
        let what = panel.panel_name.clone().unwrap_or_default();
        return lang.tr(id, &[("name", name(view).into()), ("panel", what.into())]);
    }
    match view.job.kind {
        Kind::Terminate => t!(lang, "operation-terminated", name = name(view)),
        kind if kind != Kind::Activate => {
            lang.tr(&format!("done-{}", job_word(&view.job)), &[("name", name(view).as_str().into())])
        }
        _ => t!(lang, "operation-ready", name = name(view)),
    }
}

fn done(lang: Lang, view: &OperationView, panel: Option<String>) -> AnyView {
    let title = done_title(lang, view);
    let Some(server) = view.server.as_ref().filter(|_| view.job.kind != Kind::Terminate) else {
        return view! {
            <section class="card ready"><h2>{title}</h2><p>{t!(lang, "operation-terminated-text")}</p></section>
        }
        .into_any();
    };
    view! {
        <section class="card ready">
            <h2>{title}</h2>
            {(server.state == ServerState::Running).then(|| connect(lang, server, panel))}
            {made_password(view.job.kind).then(|| password(lang, view, server))}
            <p><a class="button secondary" href=routes::server(server.id)>{t!(lang, "operation-to-server")}</a></p>
        </section>
    }
    .into_any()
}

/// Operations that leave a password to be shown once.
fn made_password(kind: Kind) -> bool {
    matches!(kind, Kind::Activate | Kind::Reinstall | Kind::ResetPassword)
}

fn password(lang: Lang, view: &OperationView, server: &provisioning::Server) -> AnyView {
    let say = |text: String| view! { <p>{text}</p> }.into_any();
    // What is lost is made anew.
    let gone = |text: String| {
        let href = routes::server_confirm(server.id, "reset_password");
        let reset = view.own.then(|| view! { " " <a href=href>{t!(lang, "do-reset_password")}</a> });
        view! { <p>{text} {reset}</p> }.into_any()
    };
    let inner = if !server.method.uses_password() {
        say(t!(lang, "password-key-only"))
    } else if server.own_password {
        say(t!(lang, "password-chosen"))
    } else {
        match view.reveal {
            Reveal::Shown(at) => gone(t!(lang, "password-shown", time = format::date_time(lang, at))),
            Reveal::Gone => gone(t!(lang, "password-gone")),
            Reveal::Waiting if !view.own => say(t!(lang, "password-waits")),
            Reveal::Waiting => view! {
                <p>{t!(lang, "password-waits")}</p>
                <form method="post" action=routes::action("password_reveal")>
                    <input type="hidden" name="job" value=view.job.id.to_string()/>
                    <button class="button">{t!(lang, "password-show")}</button>
                </form>
            }
            .into_any(),
        }
    };
    view! { <h3>{t!(lang, "server-password")}</h3> {inner} }.into_any()
}
