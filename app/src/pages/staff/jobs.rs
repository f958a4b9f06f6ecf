//! S17: the list of jobs.

use domain::state::JobState;
use leptos::prelude::*;
use provisioning::{JobRow, customer_row};

use super::{Fault, Loaded, Params};
use crate::{
    format,
    i18n::{Lang, t},
    live::Regions,
    pages::operations::{kind_title, state_badge_staff},
    request::Request,
    routes,
    shell::{LiveSource, Page},
    ui::{empty_state, time},
};

const PAGE: i64 = 50;

struct Loading {
    counts: AnyView,
    rows: Vec<JobRow>,
    more: bool,
    now: i64,
}

fn state(request: &Request) -> Option<JobState> {
    request.query("state").and_then(|s| s.parse().ok())
}

async fn load(request: &Request) -> Result<Loading, Fault> {
    let viewer = request.viewer()?;
    let before = request.query("before").and_then(|b| b.parse().ok());
    let facade = request.facade();
    let mut rows =
        facade.staff_jobs(viewer, state(request), before, PAGE + 1).await?.ok_or(Fault::Forbidden)?;
    let counts = facade.staff_job_counts(viewer).await?.ok_or(Fault::Forbidden)?;
    let more = rows.len() as i64 > PAGE;
    rows.truncate(PAGE as usize);
    Ok(Loading { counts: filters(request.lang(), &counts, state(request)), rows, more, now: facade.now_ms() })
}

pub(crate) async fn jobs(request: Request, _: Params) -> Loaded {
    let lang = request.lang();
    let Loading { counts, rows, more, now } = load(&request).await?;
    let moving = rows.iter().any(|r| r.job.state.is_moving());
    let query = request.around.path.split_once('?').map(|(_, q)| format!("?{q}")).unwrap_or_default();
    let older = rows.last().filter(|_| more).map(|r| {
        let state = state(&request).map(|s| format!("&state={s}")).unwrap_or_default();
        format!("{}?before={}{state}", routes::STAFF_JOBS, r.job.number)
    });
    let list = if rows.is_empty() {
        empty_state(t!(lang, "staff-jobs-empty-title"), t!(lang, "staff-jobs-empty"), ()).into_any()
    } else {
        table(lang, &rows, now).into_any()
    };
    let body = view! {
        <div data-live="counts">{counts}</div>
        {list}
        {older.map(|href| view! { <p><a class="button secondary" href=href>{t!(lang, "staff-more")}</a></p> })}
    };
    Ok(Page {
        live: Some(LiveSource { path: format!("{}{query}", routes::live(routes::STAFF_JOBS)), since: 0 }),
        refresh: moving.then_some(15),
        wide: true,
        ..Page::new(t!(lang, "staff-jobs-title"), body)
    })
}

/// The rows that are on the page are patched; new ones wait for the next load, so that nothing jumps.
pub(crate) async fn jobs_regions(request: &Request) -> Result<Regions, Fault> {
    let lang = request.lang();
    let Loading { counts, rows, now, .. } = load(request).await?;
    let mut values = vec![("counts".into(), counts.to_html())];
    for row in &rows {
        let id = row.job.id;
        values.push((format!("state-{id}"), state_badge_staff(lang, row.job.state).to_html()));
        values.push((format!("step-{id}"), step(&row.job)));
        values.push((format!("took-{id}"), took(&row.job, now)));
    }
    Ok(Regions { values, ..Default::default() })
}

fn filters(lang: Lang, counts: &[(JobState, i64)], chosen: Option<JobState>) -> AnyView {
    let total: i64 = counts.iter().map(|(_, n)| n).sum();
    let all = view! {
        <li><a href=routes::STAFF_JOBS aria-current=chosen.is_none().then_some("true")>{t!(lang, "staff-all")} " " {total}</a></li>
    };
    let items = JobState::ALL
        .iter()
        .map(|state| {
            let n = counts.iter().find(|(s, _)| s == state).map_or(0, |(_, n)| *n);
            let href = format!("{}?state={state}", routes::STAFF_JOBS);
            let text = lang.t(&format!("job-{state}-staff"));
            view! { <li><a href=href aria-current=(chosen == Some(*state)).then_some("true")>{text} " " {n}</a></li> }
        })
        .collect_view();
    view! { <nav class="filters" aria-label=t!(lang, "staff-states")><ul>{all}{items}</ul></nav> }.into_any()
}

/// `4/9 network_create`: the row customers see, and the key.
pub(super) fn step(job: &provisioning::Job) -> String {
    use domain::state::StepState;
    let open = job.steps.iter().find(|s| !matches!(s.state, StepState::Done | StepState::Skipped));
    let Some(open) = open else { return "—".into() };
    let rows = provisioning::customer_rows(job);
    let row = customer_row(job.kind, &open.key);
    let place = rows.iter().position(|(r, _)| Some(*r) == row).map_or(0, |i| i + 1);
    format!("{place}/{} {}", rows.len(), open.key)
}

fn took(job: &provisioning::Job, now: i64) -> String {
    job.started_at.map_or_else(|| "—".into(), |from| format::duration(job.finished_at.unwrap_or(now) - from))
}

fn table(lang: Lang, rows: &[JobRow], now: i64) -> impl IntoView + use<> {
    let rows = rows
        .iter()
        .map(|JobRow { job, customer_email }| {
            let id = job.id;
            let name = job.server_name.clone().unwrap_or_default();
            let attempt = job.steps.iter().map(|s| s.attempt).max().unwrap_or(0);
            let started = job.started_at.map(|at| time(lang, at));
            view! {
                <tr>
                    <th scope="row"><a href=routes::staff_job(id)>{format!("#{}", job.number)}</a></th>
                    <td data-label=t!(lang, "col-what")>{kind_title(lang, job, &name)}</td>
                    <td data-label=t!(lang, "col-customer") class="wraps">{customer_email.clone()}</td>
                    <td data-label=t!(lang, "col-state")><span data-live=format!("state-{id}")>{state_badge_staff(lang, job.state)}</span></td>
                    <td data-label=t!(lang, "col-step")><code data-live=format!("step-{id}")>{step(job)}</code></td>
                    <td data-label=t!(lang, "col-attempt") class="num">{attempt}</td>
                    <td data-label=t!(lang, "col-started")>{started}</td>
                    <td data-label=t!(lang, "col-duration") class="num"><span data-live=format!("took-{id}")>{took(job, now)}</span></td>
                    <td data-label=t!(lang, "col-cause") class="wraps">{job.cause.clone()}</td>
                </tr>
            }
        })
        .collect_view();
    let columns = [
        "col-number",
        "col-what",
        "col-customer",
        "col-state",
        "col-step",
        "col-attempt",
        "col-started",
        "col-duration",
        "col-cause",
    ];
    let head = columns.map(|c| view! { <th scope="col">{lang.t(c)}</th> });
    view! {
        <table class="as-cards">
            <caption class="sr-only">{t!(lang, "staff-jobs-caption")}</caption>
            <thead><tr>{head}</tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
}
