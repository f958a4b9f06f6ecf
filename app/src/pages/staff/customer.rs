//! S20: one customer: servers, who waits for whom, what was done, and what staff tell each other.

use domain::{CustomerId, field::Field};
use leptos::prelude::*;
use provisioning::{CustomerDetail, Job};

use super::{Fault, Loaded, Params, note_field};
use crate::{
    format,
    i18n::{Lang, t},
    pages::{
        operations::{kind_title, state_badge_staff, waiting_view},
        servers::state_badge,
    },
    request::{Memory, Request},
    routes,
    shell::Page,
    ui::{ErrorSummary, Errors, time},
};

pub(crate) async fn customer(request: Request, params: Params) -> Loaded {
    let lang = request.lang();
    let id: CustomerId = params.id("id")?;
    let detail = request.facade().customer(request.viewer()?, id).await?.ok_or(Fault::NotFound)?;
    let flash = Memory(&request.around.session).flash_of(&format!("customer-{id}")).await.unwrap_or_default();
    let errors = Errors(flash.errors.clone());
    let refused = !errors.is_empty();
    let typed = flash.values.get(Field::Note.as_str()).cloned().unwrap_or_default();
    let row = &detail.row;
    let jobs =
        format!("{}?q={}", routes::STAFF_JOBS, crate::request::encode(&format!("customer:{}", row.email)));
    let body = view! {
        <ErrorSummary lang errors=errors.clone()/>
        <p>{row.name.clone()} " " <span class="dim">{t!(lang, "customer-since")} " " {time(lang, row.since)}</span></p>
        <div class="buttons">
            <form method="post" action=routes::action("look_as")>
                <input type="hidden" name="customer" value=id.to_string()/>
                <button class="button secondary">{t!(lang, "customer-look-as")}</button>
            </form>
            <a class="button secondary" href=routes::staff_vapp(id)>{t!(lang, "customer-vapp")}</a>
            <a class="button secondary" href=jobs>{t!(lang, "customer-jobs")}</a>
        </div>
        {servers(lang, &detail)}
        {queue(lang, &detail)}
        {done(lang, &detail.done)}
        <section class="card" aria-labelledby="notes">
            <h2 id="notes">{t!(lang, "job-notes")}</h2>
            <form method="post" action=routes::action("customer_note") novalidate=true>
                <input type="hidden" name="customer" value=id.to_string()/>
                {note_field(lang, &errors, typed)}
                <button class="button secondary">{t!(lang, "job-note-add")}</button>
            </form>
            {notes(lang, &detail)}
        </section>
    };
    Ok(Page { refused, wide: true, ..Page::new(row.email.clone(), body) })
}

fn servers(lang: Lang, detail: &CustomerDetail) -> AnyView {
    let there: Vec<_> = detail.servers.iter().filter(|s| s.terminated_at.is_none()).collect();
    let rows = there
        .iter()
        .map(|s| {
            view! {
                <tr>
                    <th scope="row"><a href=routes::server(s.id)>{s.name.clone()}</a></th>
                    <td data-label=t!(lang, "col-state")>{state_badge(lang, s.state)}</td>
                    <td data-label=t!(lang, "col-address")>{s.address.clone().unwrap_or_else(|| "—".into())}</td>
                    <td data-label=t!(lang, "col-size")>{format::size(lang, s.size)}</td>
                </tr>
            }
        })
        .collect_view();
    let head = ["col-name", "col-state", "col-address", "col-size"]
        .map(|c| view! { <th scope="col">{lang.t(c)}</th> });
    let shown = if there.is_empty() {
        view! { <p class="dim">{t!(lang, "customer-no-servers")}</p> }.into_any()
    } else {
        view! {
            <table class="as-cards">
                <caption class="sr-only">{t!(lang, "col-servers")}</caption>
                <thead><tr>{head}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        }
        .into_any()
    };
    view! { <section aria-labelledby="servers"><h2 id="servers">{t!(lang, "col-servers")}</h2> {shown}</section> }.into_any()
}

fn title(lang: Lang, job: &Job) -> AnyView {
    let what = kind_title(lang, job, &job.server_name.clone().unwrap_or_default());
    view! { <a href=routes::staff_job(job.id)>{format!("#{}", job.number)}</a> " " {what} }.into_any()
}

/// What is open, in the order of acceptance: who is under way, who waits, and for whom.
fn queue(lang: Lang, detail: &CustomerDetail) -> AnyView {
    let items = detail
        .queue
        .iter()
        .map(|(job, waiting)| {
            let waiting = waiting.as_ref().map(|w| waiting_view(lang, w));
            view! { <li>{title(lang, job)} " " {state_badge_staff(lang, job.state)} {waiting}</li> }
        })
        .collect_view();
    let shown = if detail.queue.is_empty() {
        view! { <p class="dim">{t!(lang, "customer-no-queue")}</p> }.into_any()
    } else {
        view! { <ol class="plain rows">{items}</ol> }.into_any()
    };
    view! { <section aria-labelledby="queue"><h2 id="queue">{t!(lang, "customer-queue")}</h2> {shown}</section> }.into_any()
}

fn done(lang: Lang, jobs: &[Job]) -> Option<AnyView> {
    let items = jobs
        .iter()
        .map(|job| {
            let at = job.finished_at.map(|at| time(lang, at));
            view! { <li>{title(lang, job)} " " {state_badge_staff(lang, job.state)} " " <span class="dim">{at}</span></li> }
        })
        .collect_view();
    (!jobs.is_empty()).then(|| {
        view! {
            <section aria-labelledby="done">
                <h2 id="done">{t!(lang, "customer-done")}</h2>
                <ol class="plain rows">{items}</ol>
            </section>
        }
        .into_any()
    })
}

fn notes(lang: Lang, detail: &CustomerDetail) -> AnyView {
    let items = detail
        .notes
        .iter()
        .map(|note| {
            view! {
                <li>
                    <p class="dim">{note.by_name.clone()} " " {time(lang, note.at)}</p>
                    <p class="said">{note.text.clone()}</p>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="plain rows">{items}</ul> }.into_any()
}
