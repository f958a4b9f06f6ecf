//! S17: one job, with everything known of it.

use domain::{field::Field, job_action::JobAction};
use leptos::prelude::*;
use provisioning::StaffJob;

use super::{
    Fault, Loaded, Params,
    act::{actions, refused},
    help,
    jobs::step,
    log::{LogAsked, lines, output},
    note_field,
};
use crate::{
    format,
    i18n::{Lang, t},
    live::Regions,
    pages::operations::{kind_title, state_badge_staff, waiting_view},
    request::{Flash, Memory, Request},
    routes,
    shell::{LiveSource, Page},
    ui::{ErrorSummary, Errors, fact, time},
};

async fn load(request: &Request, id: domain::JobId) -> Result<StaffJob, Fault> {
    request.facade().staff_job(request.viewer()?, id).await?.ok_or(Fault::NotFound)
}

pub(crate) async fn job(request: Request, params: Params) -> Loaded {
    let lang = request.lang();
    let id: domain::JobId = params.id("id")?;
    let view = load(&request, id).await?;
    let asked = LogAsked::of(&request);
    let moving = view.job.state.is_moving();
    let name = view.job.server_name.clone().unwrap_or_default();
    let title = format!("#{} {}", view.job.number, kind_title(lang, &view.job, &name));
    let choices = request.facade().job_choices(request.viewer()?, &view.job).await?.ok_or(Fault::NotFound)?;
    let flash = refused(&request, id, JobAction::Rerun).await;
    let note = Memory(&request.around.session).flash_of(&format!("note-{id}")).await.unwrap_or_default();
    let errors = Errors(flash.errors.iter().chain(&note.errors).cloned().collect());
    let bad = !errors.is_empty();
    let body = view! {
        <ErrorSummary lang errors/>
        <div data-live="job">{summary(lang, &view)}</div>
        <div data-live="actions">{actions(&request, &view.job, &choices, &flash)}</div>
        {notes(&request, &view, &note)}
        {output(lang, &view, &asked)}
        <div data-live="steps">{history(lang, &view, &asked)}</div>
    };
    let path = format!("{}{}", routes::live(&routes::staff_job(id)), asked.query());
    Ok(Page {
        live: moving.then_some(LiveSource { path, since: view.version }),
        refresh: moving.then_some(5),
        refused: bad,
        wide: true,
        ..Page::new(title, body)
    })
}

pub(crate) async fn job_regions(request: &Request, id: domain::JobId) -> Result<Regions, Fault> {
    let view = load(request, id).await?;
    let asked = LogAsked::of(request);
    let choices = request.facade().job_choices(request.viewer()?, &view.job).await?.ok_or(Fault::NotFound)?;
    let values = vec![
        ("job".into(), summary(request.lang(), &view).to_html()),
        ("steps".into(), history(request.lang(), &view, &asked).to_html()),
        ("said".into(), lines(request.lang(), &view, &asked).to_html()),
        ("actions".into(), actions(request, &view.job, &choices, &Flash::default()).to_html()),
    ];
    Ok(Regions { version: view.version, values, about: Some(view.job.customer), ..Default::default() })
}

/// Who looks after it, and what staff tell each other of it.
fn notes(request: &Request, view: &StaffJob, flash: &Flash) -> AnyView {
    let lang = request.lang();
    let id = view.job.id;
    let errors = Errors(flash.errors.clone());
    let typed = flash.values.get(Field::Note.as_str()).cloned().unwrap_or_default();
    let mine = view.assignee.as_ref().map(|a| a.id) == request.around.viewer.as_ref().map(|v| v.account.id);
    let (take, text) = if mine { ("no", t!(lang, "job-unassign")) } else { ("yes", t!(lang, "job-assign")) };
    view! {
        <section class="card" aria-labelledby="notes">
            <h2 id="notes">{t!(lang, "job-notes")}</h2>
            <form method="post" action=routes::action("job_assign")>
                <input type="hidden" name="job" value=id.to_string()/>
                <button class="button secondary" name="take" value=take>{text}</button>
            </form>
            <form method="post" action=routes::action("job_note") novalidate=true>
                <input type="hidden" name="job" value=id.to_string()/>
                {note_field(lang, &errors, typed)}
                <div class="buttons"><button class="button secondary">{t!(lang, "job-note-add")}</button></div>
            </form>
        </section>
    }
    .into_any()
}

/// What it is, what is wrong with it, and why it is not running.
fn summary(lang: Lang, view: &StaffJob) -> AnyView {
    let job = &view.job;
    let worker = match (&job.claim_owner, job.claim_expires_at) {
        (Some(owner), Some(until)) => {
            format!("{owner}, {}", t!(lang, "job-claim-until", time = format::clock(lang, until)))
        }
        _ => t!(lang, "job-no-worker"),
    };
    let cause = job.cause.as_ref().map(|cause| {
        let known = |prefix: &str| {
            let id = format!("{prefix}-{cause}");
            if lang.has(&id) { lang.t(&id) } else { cause.clone() }
        };
        view! {
            <section class="card bad">
                <h2>{t!(lang, "job-cause-title")} ": " <code>{cause.clone()}</code></h2>
                <p><strong>{known("cause")}</strong></p>
                <p>{known("advice")}</p>
                {cause.parse().ok().map(|cause| view! { <p><a href=help::of_cause(cause)>{t!(lang, "help-cause-more")}</a></p> })}
                <p class="dim">{job.detail.clone()}</p>
            </section>
        }
    });
    let waiting = view.waiting.as_ref().map(|w| {
        view! { <section class="card"><h2>{t!(lang, "job-why")}</h2>{waiting_view(lang, w)}</section> }
    });
    view! {
        {cause}
        <section class="card">
            <h2>{t!(lang, "job-summary")}</h2>
            <dl class="facts">
                {fact(t!(lang, "col-state"), state_badge_staff(lang, job.state))}
                {fact(t!(lang, "col-customer"), view.customer_email.clone())}
                {fact(t!(lang, "job-requester"), view.requester.clone())}
                {fact(t!(lang, "job-accepted"), time(lang, job.created_at))}
                {fact(t!(lang, "job-request-id"), view! { <code>{job.request_id.clone()}</code> })}
                {fact(t!(lang, "job-worker"), worker)}
                {fact(t!(lang, "col-step"), view! { <code>{step(job)}</code> })}
                {fact(t!(lang, "job-assignee"), view.assignee.as_ref().map_or_else(|| t!(lang, "job-nobody"), |a| a.name.clone()))}
            </dl>
        </section>
        {waiting}
    }
    .into_any()
}

/// How far it is, and what has happened.
fn history(lang: Lang, view: &StaffJob, asked: &LogAsked) -> AnyView {
    view! {
        {steps(lang, view, asked)}
        {events(lang, view, asked)}
        <p><a class="button secondary" href=routes::staff_job_log(view.job.id) download="">{t!(lang, "job-log-file")}</a></p>
    }
    .into_any()
}

/// What of a step's output stands beside it.
const EXCERPT: usize = 5;

fn steps(lang: Lang, view: &StaffJob, asked: &LogAsked) -> impl IntoView + use<> {
    let rows = view
        .job
        .steps
        .iter()
        .map(|s| {
            let took = s.started_at.zip(s.finished_at).map(|(a, b)| format::duration(b - a));
            let task = s.provider_task.as_ref().map(|task| {
                let id = task.rsplit(':').next().unwrap_or(task);
                view! { <span class="dim">{t!(lang, "job-task", id = id.to_owned())}</span> }
            });
            view! {
                <tr>
                    <th scope="row"><code>{s.key.clone()}</code></th>
                    <td data-label=t!(lang, "col-state") class="nowrap">{lang.t(&format!("step-{}", s.state))}</td>
                    <td data-label=t!(lang, "col-attempt") class="num">{s.attempt}</td>
                    <td data-label=t!(lang, "col-duration") class="num">{took.unwrap_or_else(|| "—".into())}</td>
                    <td data-label=t!(lang, "col-detail")>
                        {s.cause.clone()} " " <span class="dim">{s.detail.clone()}</span> " " {task}
                        {tries(lang, view, &s.key, asked)}
                    </td>
                </tr>
            }
        })
        .collect_view();
    let columns = ["col-step", "col-state", "col-attempt", "col-duration", "col-detail"];
    let head = columns.map(|c| view! { <th scope="col">{lang.t(c)}</th> });
    view! {
        <section>
            <h2 id="steps">{t!(lang, "job-steps")}</h2>
            <table class="as-cards">
                <caption class="sr-only">{t!(lang, "job-steps")}</caption>
                <thead><tr>{head}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
}

/// Each try of a step, and the end of what it has said.
fn tries(lang: Lang, view: &StaffJob, step: &str, asked: &LogAsked) -> Option<AnyView> {
    let events: Vec<_> = view.events.iter().filter(|e| e.step.as_deref() == Some(step)).collect();
    let said: Vec<_> = view.log.iter().filter(|l| l.step == step).collect();
    if events.is_empty() && said.is_empty() {
        return None;
    }
    let excerpt: Vec<String> = said
        .iter()
        .skip(said.len().saturating_sub(EXCERPT))
        .map(|l| format!("{} {}", asked.clock(lang, l.at), l.text))
        .collect();
    let items = events
        .iter()
        .map(|e| {
            let detail = e.detail.clone().unwrap_or_default();
            view! { <li>{asked.clock(lang, e.at)} " " <code>{e.what.clone()}</code> " " <span class="dim said">{detail}</span></li> }
        })
        .collect_view();
    let n = events.len() as i64;
    let view = view! {
        <details>
            <summary>{t!(lang, "job-tries", n = n)}</summary>
            <ul class="plain">{items}</ul>
            {(!excerpt.is_empty()).then(|| view! { <pre class="said">{excerpt.join("\n")}</pre> })}
        </details>
    };
    Some(view.into_any())
}

fn events(lang: Lang, view: &StaffJob, asked: &LogAsked) -> impl IntoView + use<> {
    // Who did something by hand, by name.
    let said = |event: &provisioning::Event| match view.hands.iter().find(|h| h.version == event.version) {
        Some(hand) => Some(t!(lang, "job-by-hand", by = hand.by.clone(), why = hand.why.clone())),
        None => event.detail.clone(),
    };
    let rows = view
        .events
        .iter()
        .map(|e| {
            view! {
                <tr>
                    <td class="nowrap"><time datetime=format::iso(e.at)>{asked.clock(lang, e.at)}</time></td>
                    <td><code>{e.what.clone()}</code></td>
                    <td><code>{e.step.clone()}</code></td>
                    <td class="dim said">{said(e)}</td>
                </tr>
            }
        })
        .collect_view();
    let columns = ["col-time", "col-event", "col-step", "col-detail"];
    let head = columns.map(|c| view! { <th scope="col">{lang.t(c)}</th> });
    view! {
        <section>
            <h2 id="log">{t!(lang, "job-events")}</h2>
            <div class="scroll" role="region" tabindex="0" aria-labelledby="log">
                <table>
                    <caption class="sr-only">{t!(lang, "job-events-caption")}</caption>
                    <thead><tr>{head}</tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
}
