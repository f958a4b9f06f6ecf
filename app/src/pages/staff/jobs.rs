//! S17: the list of jobs. What is asked for stands in the address; how it is written is `domain::job_query`.

use std::sync::{Arc, Mutex, PoisonError};

use domain::{JobId, job_query::JobQuery, slow::Slow, state::JobState};
use leptos::prelude::*;
use provisioning::{COUNTED, Job, JobRow, NEWER, Next, StaffJobs, customer_row};

use super::{Fault, Loaded, Params, job_search};
use crate::{
    format,
    i18n::{Lang, t},
    live::Regions,
    pages::operations::{kind_title, state_badge_staff},
    request::Request,
    routes,
    shell::{LiveSource, Page},
    ui::{badge, empty_state, time},
};

const PAGE: i64 = 50;
/// Rows that are asked for by a live page.
const SHOWN_MAX: usize = 100;

fn asked(request: &Request) -> String {
    request.query("q").unwrap_or_default()
}

pub(super) fn list_href(query: &JobQuery) -> String {
    match query.to_string().as_str() {
        "" => routes::STAFF_JOBS.to_owned(),
        text => format!("{}?q={}", routes::STAFF_JOBS, crate::request::encode(text)),
    }
}

pub(crate) async fn jobs(request: Request, _: Params) -> Loaded {
    let lang = request.lang();
    let viewer = request.viewer()?;
    let facade = request.facade();
    let text = asked(&request);
    let before = request.query("before").and_then(|b| b.parse().ok());
    let list = facade.staff_jobs(viewer, &text, before, PAGE).await?.ok_or(Fault::Forbidden)?;
    let slow = facade.slow_jobs(viewer).await?.ok_or(Fault::Forbidden)?.len();
    let counts = facade.staff_job_counts(viewer, format::day_began(lang, facade.now_ms())).await?;
    let counts = counts.ok_or(Fault::Forbidden)?;
    let moving = list.rows.iter().any(|r| r.job.state.is_moving());
    let now = facade.now_ms();
    let found = if list.rows.is_empty() {
        let clear = (list.query != JobQuery::default()).then(|| {
            view! { <p><a class="button secondary" href=routes::STAFF_JOBS>{t!(lang, "staff-jobs-all")}</a></p> }
        });
        empty_state(t!(lang, "staff-jobs-empty-title"), t!(lang, "staff-jobs-empty"), clear).into_any()
    } else {
        table(lang, &list, now).into_any()
    };
    let live = live_path(&list, before);
    let body = view! {
        {job_search::form(lang, &text, &list.query)}
        {job_search::unknown(lang, &list.query, &list.unknown)}
        {views(lang, &list.query, &viewer.account.email, slow)}
        <div data-live="counts">{filters(lang, &counts, &list.query)}</div>
        {before.is_none().then(|| view! { <div data-live="newer" role="status">{newer(lang, 0, &list.query)}</div> })}
        {bulk_link(lang, &list)}
        {found}
        {further(lang, &list)}
    };
    Ok(Page {
        live: Some(LiveSource { path: live, since: 0 }),
        refresh: moving.then_some(15),
        wide: true,
        ..Page::new(t!(lang, "staff-jobs-title"), body)
    })
}

/// The stream of exactly these rows: they stay where they are, and what is newer is counted.
fn live_path(list: &StaffJobs, before: Option<i64>) -> String {
    let shown: Vec<String> = list.rows.iter().map(|r| r.job.number.to_string()).collect();
    let q = crate::request::encode(&list.query.to_string());
    let above = match before {
        None => format!("&above={}", list.rows.first().map_or(0, |r| r.job.number)),
        Some(_) => String::new(),
    };
    format!("{}?shown={}&q={q}{above}", routes::live(routes::STAFF_JOBS), shown.join(","))
}

/// The rows that are on the page are patched; new ones wait to be shown, so that nothing jumps.
pub(crate) async fn jobs_regions(request: &Request) -> Result<Regions, Fault> {
    let lang = request.lang();
    let viewer = request.viewer()?;
    let facade = request.facade();
    let text = asked(request);
    let numbers: Vec<i64> = request
        .query("shown")
        .unwrap_or_default()
        .split(',')
        .filter_map(|n| n.parse().ok())
        .take(SHOWN_MAX)
        .collect();
    let above = request.query("above").and_then(|n| n.parse().ok());
    let shown = facade.staff_jobs_shown(viewer, &text, &numbers, above).await?.ok_or(Fault::Forbidden)?;
    let now = facade.now_ms();
    let counts = facade.staff_job_counts(viewer, format::day_began(lang, now)).await?;
    let query = JobQuery::read(&text).query;
    let counts = filters(lang, &counts.ok_or(Fault::Forbidden)?, &query);
    let mut values = vec![("counts".into(), counts.to_html())];
    if above.is_some() {
        values.push(("newer".into(), newer(lang, shown.newer, &query).to_html()));
    }
    for JobRow { job, .. } in shown.rows.iter() {
        let id = job.id;
        values.push((format!("state-{id}"), state(lang, job, &shown.slow).to_html()));
        values.push((format!("step-{id}"), step(job)));
        values.push((format!("took-{id}"), took(job, now)));
    }
    Ok(Regions { values, ..Default::default() })
}

/// What is looked at most.
fn views(lang: Lang, query: &JobQuery, me: &str, slow: usize) -> impl IntoView + use<> {
    let mine = JobQuery { assigned: Some(me.to_owned()), ..JobQuery::default() };
    let state = |state| JobQuery::default().with_state(Some(state));
    let views = [
        (t!(lang, "staff-view-failed"), state(JobState::Failed)),
        (t!(lang, "staff-view-stuck"), state(JobState::Stuck)),
        (t!(lang, "staff-view-slow", n = slow as i64), JobQuery { slow: true, ..JobQuery::default() }),
        (t!(lang, "staff-view-mine"), mine),
    ];
    let items = views.map(|(text, view)| {
        view! { <li><a href=list_href(&view) aria-current=(*query == view).then_some("true")>{text}</a></li> }
    });
    view! { <nav class="filters" aria-label=t!(lang, "staff-views")><ul>{items}</ul></nav> }
}

fn filters(lang: Lang, counts: &[(JobState, i64)], query: &JobQuery) -> AnyView {
    let all = view! {
        <li><a href=list_href(&query.with_state(None)) aria-current=query.state.is_none().then_some("true")>{t!(lang, "staff-all")}</a></li>
    };
    let items = JobState::ALL
        .iter()
        .map(|state| {
            let n = counts.iter().find(|(s, _)| s == state).map_or(0, |(_, n)| *n);
            let n = if n > COUNTED { format!("{COUNTED}+") } else { n.to_string() };
            let text = match state {
                JobState::Succeeded => t!(lang, "staff-done-today"),
                _ => lang.t(&format!("job-{state}-staff")),
            };
            let href = list_href(&query.with_state(Some(*state)));
            view! { <li><a href=href aria-current=(query.state == Some(*state)).then_some("true")>{text} " " {n}</a></li> }
        })
        .collect_view();
    view! { <nav class="filters" aria-label=t!(lang, "staff-states")><ul>{all}{items}</ul></nav> }.into_any()
}

/// `3 new [Show]`
fn newer(lang: Lang, n: i64, query: &JobQuery) -> AnyView {
    let more = if n >= NEWER { "+" } else { "" };
    let shown = (n > 0).then(|| {
        view! { <p class="note">{t!(lang, "staff-jobs-newer", n = n)} {more} " " <a href=list_href(query)>{t!(lang, "staff-jobs-show")}</a></p> }
    });
    shown.into_any()
}

/// Where some of what is shown could be run again: all of it, after a look.
fn bulk_link(lang: Lang, list: &StaffJobs) -> Option<impl IntoView + use<>> {
    let failed = list.rows.iter().any(|r| matches!(r.job.state, JobState::Failed | JobState::Stuck));
    let href = format!("{}?q={}", routes::STAFF_JOBS_RERUN, crate::request::encode(&list.query.to_string()));
    failed.then(
        || view! { <p><a class="button secondary small" href=href>{t!(lang, "staff-jobs-bulk")}</a></p> },
    )
}

/// The way to what is older, or how far has been looked.
fn further(lang: Lang, list: &StaffJobs) -> Option<AnyView> {
    let mut href = list_href(&list.query);
    href.push(if href.contains('?') { '&' } else { '?' });
    match list.next {
        Next::Nothing => None,
        Next::Page(before) => Some(
            view! { <p><a class="button secondary" href=format!("{href}before={before}")>{t!(lang, "staff-more")}</a></p> }
                .into_any(),
        ),
        Next::Unseen(before) => Some(
            view! {
                <p class="note">
                    {t!(lang, "staff-jobs-seen", number = before.to_string())} " "
                    <a href=format!("{href}before={before}")>{t!(lang, "staff-jobs-further")}</a>
                </p>
            }
            .into_any(),
        ),
    }
}

/// `4/9 network_create`: the row customers see, and the key.
pub(super) fn step(job: &Job) -> String {
    use domain::state::StepState;
    let open = job.steps.iter().find(|s| !matches!(s.state, StepState::Done | StepState::Skipped));
    let Some(open) = open else { return "—".into() };
    let rows = provisioning::customer_rows(job);
    let row = customer_row(job.kind, &open.key);
    let place = rows.iter().position(|(r, _)| Some(*r) == row).map_or(0, |i| i + 1);
    format!("{place}/{} {}", rows.len(), open.key)
}

fn took(job: &Job, now: i64) -> String {
    job.started_at.map_or_else(|| "—".into(), |from| format::duration(job.finished_at.unwrap_or(now) - from))
}

/// Its state, and in what way it is slow.
fn state(lang: Lang, job: &Job, slow: &[(JobId, Slow)]) -> AnyView {
    let slow = slow.iter().find(|(id, _)| *id == job.id).map(|(_, slow)| {
        view! { " " {badge("warn", lang.t(&format!("slow-{slow}")))} }
    });
    view! { {state_badge_staff(lang, job.state)} {slow} }.into_any()
}

/// The rows that were written last. Most of the staff look at the same list: it is written once in a second at most.
struct Written {
    lang: Lang,
    zone: &'static str,
    rows: Arc<[JobRow]>,
    slow: Vec<(JobId, Slow)>,
    /// What is under way is measured by the second.
    second: i64,
    html: Arc<str>,
}

static WRITTEN: Mutex<Option<Written>> = Mutex::new(None);

/// `zone` is the reader's, as [`format::zone_name`] says it.
fn rows_written(lang: Lang, zone: &'static str, list: &StaffJobs, now: i64) -> Arc<str> {
    let second = now / 1000;
    let last = || WRITTEN.lock().unwrap_or_else(PoisonError::into_inner);
    let same = |w: &&Written| {
        (w.lang, w.zone, w.second) == (lang, zone, second)
            && Arc::ptr_eq(&w.rows, &list.rows)
            && w.slow == list.slow
    };
    if let Some(written) = last().as_ref().filter(same) {
        return written.html.clone();
    }
    let html: Arc<str> = rows(lang, list, now).to_html().into();
    let (rows, slow) = (list.rows.clone(), list.slow.clone());
    *last() = Some(Written { lang, zone, rows, slow, second, html: html.clone() });
    html
}

fn rows(lang: Lang, list: &StaffJobs, now: i64) -> impl IntoView + use<> {
    list
        .rows
        .iter()
        .map(|JobRow { job, customer_email }| {
            let id = job.id;
            let name = job.server_name.clone().unwrap_or_default();
            let attempt = job.steps.iter().map(|s| s.attempt).max().unwrap_or(0);
            let started = job.started_at.map(|at| time(lang, at));
            let of_customer = JobQuery { customer: Some(customer_email.clone()), ..JobQuery::default() };
            view! {
                <tr>
                    <th scope="row"><a href=routes::staff_job(id)>{format!("#{}", job.number)}</a></th>
                    <td data-label=t!(lang, "col-what")>{kind_title(lang, job, &name)}</td>
                    <td data-label=t!(lang, "col-customer") class="wraps"><a class="quiet" href=list_href(&of_customer)>{customer_email.clone()}</a></td>
                    <td data-label=t!(lang, "col-state")><span data-live=format!("state-{id}")>{state(lang, job, &list.slow)}</span></td>
                    <td data-label=t!(lang, "col-step")><code data-live=format!("step-{id}")>{step(job)}</code></td>
                    <td data-label=t!(lang, "col-attempt") class="num">{attempt}</td>
                    <td data-label=t!(lang, "col-started")>{started}</td>
                    <td data-label=t!(lang, "col-duration") class="num"><span data-live=format!("took-{id}")>{took(job, now)}</span></td>
                    <td data-label=t!(lang, "col-cause") class="wraps">{job.cause.clone()}</td>
                </tr>
            }
        })
        .collect_view()
}

fn table(lang: Lang, list: &StaffJobs, now: i64) -> impl IntoView + use<> {
    let rows = rows_written(lang, format::zone_name(lang), list, now);
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
            <tbody inner_html=rows></tbody>
        </table>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_written_again_when_they_would_read_otherwise() {
        let list = || StaffJobs { rows: Arc::from(Vec::new()), ..StaffJobs::default() };
        let (one, other) = (list(), list());
        let first = rows_written(Lang::En, "UTC", &one, 5_000);
        assert!(
            Arc::ptr_eq(&first, &rows_written(Lang::En, "UTC", &one, 5_999)),
            "nothing is other than it was"
        );
        let mut last = first;
        let slow = StaffJobs {
            slow: vec![("00000000-0000-0000-0000-000000000001".parse().unwrap(), Slow::Step)],
            ..one.clone()
        };
        for (lang, zone, list, now) in [
            (Lang::Ru, "UTC", &one, 5_000),
            (Lang::Ru, "Asia/Omsk", &one, 5_000),
            (Lang::Ru, "Asia/Omsk", &one, 6_000),
            (Lang::Ru, "Asia/Omsk", &other, 6_000),
            (Lang::Ru, "Asia/Omsk", &slow, 6_000),
            (Lang::Ru, "Asia/Omsk", &one, 6_000),
        ] {
            let next = rows_written(lang, zone, list, now);
            assert!(!Arc::ptr_eq(&last, &next), "{lang:?} {zone} {now}");
            last = next;
        }
    }
}
