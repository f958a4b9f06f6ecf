//! S17: running many failed jobs again. What would happen to each is shown before anything does, and what is shown is what
//! is done: one that has changed meanwhile is left alone.

use domain::{job_query::JobQuery, permission::Denial};
use leptos::prelude::*;
use provisioning::BulkRow;

use super::{Fault, Loaded, Params, why_field};
use crate::{
    i18n::{Lang, t},
    pages::operations::{kind_title, state_badge_staff},
    request::{Memory, Request, encode},
    routes,
    shell::Page,
    ui::{ErrorSummary, Errors, badge, empty_state},
};

pub(crate) async fn bulk(request: Request, _: Params) -> Loaded {
    let lang = request.lang();
    let q = request.query("q").unwrap_or_default();
    let found = request.facade().bulk_preview(request.viewer()?, &q).await?;
    let (rows, more) = found.ok_or(Fault::Forbidden)?;
    let back = format!("{}?q={}", routes::STAFF_JOBS, encode(&q));
    let back = view! { <a class="button secondary" href=back>{t!(lang, "bulk-back")}</a> };
    let title = t!(lang, "bulk-title");
    if rows.is_empty() {
        let body = empty_state(t!(lang, "staff-jobs-empty-title"), t!(lang, "staff-jobs-empty"), back);
        return Ok(Page::new(title, body));
    }
    let flash = Memory(&request.around.session).flash_of("rerun-many").await.unwrap_or_default();
    let errors = Errors(flash.errors.clone());
    let refused = !errors.is_empty();
    let typed = flash.values.get("why").cloned().unwrap_or_default();
    let able: Vec<String> =
        rows.iter().filter(|r| r.verdict().is_ok()).map(|r| format!("{}:{}", r.row.job.id, r.mark)).collect();
    let n = able.len() as i64;
    let form = if able.is_empty() {
        view! { <p class="reason">{t!(lang, "bulk-none")}</p> <p>{back}</p> }.into_any()
    } else {
        view! {
            <form method="post" action=routes::action("jobs_rerun") novalidate=true>
                <input type="hidden" name="jobs" value=able.join(",")/>
                <input type="hidden" name="q" value=JobQuery::read(&q).query.to_string()/>
                {why_field(lang, &errors, typed)}
                <div class="buttons">
                    <button class="button">{t!(lang, "bulk-do", n = n)}</button>
                    {back}
                </div>
            </form>
        }
        .into_any()
    };
    let body = view! {
        <ErrorSummary lang errors/>
        <section class="card">
            <p>{t!(lang, "bulk-lead")}</p>
            {more.then(|| view! { <p class="note">{t!(lang, "bulk-more")}</p> })}
            {table(lang, &rows)}
            {form}
        </section>
    };
    Ok(Page { refused, wide: true, ..Page::new(title, body) })
}

/// What would happen to one.
fn outcome(lang: Lang, row: &BulkRow) -> AnyView {
    let choices = &row.choices;
    match row.verdict() {
        Ok(()) => {
            let from = choices.failed.clone().map(|step| view! { <code>{step}</code> });
            let end = (!choices.holds).then(|| format!(" {}", t!(lang, "job-rerun-end")));
            let means = t!(lang, "job-rerun-means", kept = choices.kept as i64, run = choices.to_run as i64);
            view! { {badge("ok", t!(lang, "bulk-will"))} " " {from} " " <span class="dim">{means} {end}</span> }.into_any()
        }
        Err(denial) => {
            let newer = choices.facts.newer.filter(|_| denial == Denial::NewerChange);
            let newer =
                newer.map(|(number, kind)| format!(" #{number} {}", lang.t(&format!("kinds-{kind}"))));
            let why = lang.t(&format!("denial-{denial}"));
            view! { {badge("idle", t!(lang, "bulk-will-not"))} " " <span class="reason">{why} {newer}</span> }
                .into_any()
        }
    }
}

fn table(lang: Lang, rows: &[BulkRow]) -> impl IntoView + use<> {
    let rows = rows
        .iter()
        .map(|r| {
            let job = &r.row.job;
            let name = job.server_name.clone().unwrap_or_default();
            view! {
                <tr>
                    <th scope="row"><a href=routes::staff_job(job.id)>{format!("#{}", job.number)}</a></th>
                    <td data-label=t!(lang, "col-what")>{kind_title(lang, job, &name)}</td>
                    <td data-label=t!(lang, "col-customer") class="wraps">{r.row.customer_email.clone()}</td>
                    <td data-label=t!(lang, "col-state")>{state_badge_staff(lang, job.state)}</td>
                    <td data-label=t!(lang, "col-cause") class="nowrap">{job.cause.clone()}</td>
                    <td data-label=t!(lang, "bulk-outcome") class="wraps">{outcome(lang, r)}</td>
                </tr>
            }
        })
        .collect_view();
    let columns = ["col-number", "col-what", "col-customer", "col-state", "col-cause", "bulk-outcome"];
    let head = columns.map(|c| view! { <th scope="col">{lang.t(c)}</th> });
    view! {
        <table class="as-cards">
            <caption class="sr-only">{t!(lang, "bulk-caption")}</caption>
            <thead><tr>{head}</tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
}
