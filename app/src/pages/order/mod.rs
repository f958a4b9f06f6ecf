//! S3–S7: the wizard. Each step is a page of its own over the same draft.

pub(crate) mod access;
mod os;
mod panel;
mod review;
mod size;
mod summary;

use domain::{
    DraftId,
    draft::{DraftValues, WizardStep},
};
use leptos::prelude::*;
use provisioning::{Draft, JudgedDraft};

pub(super) use access::access;
pub(super) use os::os;
pub(super) use panel::panel;
pub(super) use review::review;
pub(super) use size::size;
pub(crate) use summary::quote_texts;

use super::{Fault, Loaded, Params};
use crate::{
    format,
    i18n::{Lang, t},
    request::Request,
    routes,
    shell::Page,
    ui::{ErrorSummary, Errors},
};

/// The draft of a step's page, or where it went.
async fn draft(request: &Request, params: &Params) -> Result<JudgedDraft, Fault> {
    let id: DraftId = params.id("draft")?;
    let found = request.facade().draft(id, request.customer()?).await?.ok_or(Fault::NotFound)?;
    if let Some(job) = found.draft.ordered {
        return Err(Fault::Moved(routes::operation(job)));
    }
    if found.draft.expires_at <= request.facade().now_ms() {
        let lang = request.lang();
        let link = (routes::SERVERS.to_owned(), t!(lang, "nav-servers"));
        return Err(Fault::Gone { text: t!(lang, "fault-410-draft"), link: Some(link) });
    }
    Ok(found)
}

pub(crate) fn step_name(lang: Lang, step: WizardStep) -> String {
    lang.t(&format!("wizard-{step}"))
}

/// What is wrong with a step, once it was posted.
fn shown_errors(draft: &JudgedDraft, step: WizardStep) -> Errors {
    if draft.draft.values.visited.contains(&step) {
        Errors(draft.errors(step).to_vec())
    } else {
        Errors::default()
    }
}

/// The page of a step: stepper, form, summary.
fn step_page(
    request: &Request,
    draft: &JudgedDraft,
    step: WizardStep,
    heading: String,
    errors: Errors,
    form: AnyView,
) -> Page {
    let lang = request.lang();
    let refused = !errors.is_empty();
    let title = format!("{heading} · {}", t!(lang, "order-title"));
    let body = view! {
        {stepper(request, draft, step)}
        <h1>{heading}</h1>
        <ErrorSummary lang errors/>
        {price_change(request, draft)}
        <div class="wizard">
            <div class="wizard-form">{form}</div>
            {summary::summary(request, draft)}
        </div>
    };
    Page { refused, heading: None, ..Page::new(title, body) }
}

/// The catalogue changed while the draft lay: said before anything is ordered at another price.
fn price_change(request: &Request, draft: &JudgedDraft) -> Option<AnyView> {
    let lang = request.lang();
    let change = draft.draft.values.price_change(request.facade().catalogue())?;
    let (from, to) = (format::money(lang, change.from_minor), format::money(lang, change.to_minor));
    let text = match &change.since {
        Some(day) => t!(lang, "price-changed-on", from = from, to = to, date = format::iso_date(lang, day)),
        None => t!(lang, "price-changed", from = from, to = to),
    };
    Some(view! { <p class="note" role="status">{text}</p> }.into_any())
}

fn stepper(request: &Request, draft: &JudgedDraft, current: WizardStep) -> impl IntoView + use<> {
    let lang = request.lang();
    let first_faulty = draft.first_faulty();
    let items = WizardStep::ALL
        .iter()
        .map(|&step| {
            let name = step_name(lang, step);
            let visited = draft.draft.values.visited.contains(&step);
            let faulty = visited && !draft.errors(step).is_empty();
            let reachable = first_faulty.is_none_or(|bad| step <= bad);
            let href = routes::order(draft.draft.id, step);
            let (class, sign, note) = match (step == current, faulty, visited, reachable) {
                (true, ..) => ("current", "●", None),
                (_, true, ..) => ("faulty", "▲", Some(t!(lang, "wizard-faulty"))),
                (_, _, true, _) => ("done", "✓", Some(t!(lang, "wizard-done"))),
                (_, _, _, false) => {
                    let bad = first_faulty.map_or(String::new(), |s| step_name(lang, s));
                    ("locked", "○", Some(t!(lang, "wizard-locked", step = bad)))
                }
                _ => ("open", "○", None),
            };
            let text = view! {
                <span aria-hidden="true">{sign}</span> " " {name}
                {note.map(|n| view! { <span class="sr-only">{format!(" ({n})")}</span> })}
            };
            let current = (step == current).then_some("step");
            let inner = if reachable {
                view! { <a href=href aria-current=current>{text}</a> }.into_any()
            } else {
                view! { <span>{text}</span> }.into_any()
            };
            view! { <li class=class>{inner}</li> }
        })
        .collect_view();
    view! { <nav class="stepper" aria-label=t!(lang, "order-steps")><ol>{items}</ol></nav> }
}

/// The first submit in source order: what Enter does.
fn enter_is_next() -> impl IntoView {
    view! { <button class="sr-only" name="go" value="next" tabindex="-1" aria-hidden="true"></button> }
}

/// Back, next, save and exit.
fn buttons(request: &Request, draft: &Draft, step: WizardStep) -> impl IntoView + use<> {
    let lang = request.lang();
    let next = step.next().map(|s| t!(lang, "wizard-next", step = step_name(lang, s)));
    // Where the summary is not beside the form, the total stays in sight with the button.
    let total = request.facade().draft_quote(&draft.values).map(|(_, quote)| {
        let text = format::money(lang, quote.total_minor);
        view! {
            <a class="wizard-total" href="#summary">
                <span class="sr-only">{t!(lang, "order-summary")} ": "</span>
                <strong data-quote="total">{text}</strong>
            </a>
        }
    });
    let saved = t!(lang, "wizard-saved", time = format::clock(lang, draft.updated_at));
    view! {
        <div class="wizard-bar">
            {total}
            {next.map(|text| view! { <button class="button" name="go" value="next">{text}</button> })}
        </div>
        <div class="buttons wizard-ways">
            <button class="button secondary" name="go" value="back" formnovalidate=true>{t!(lang, "wizard-back")}</button>
            <button class="button quiet" name="go" value="exit" formnovalidate=true>{t!(lang, "wizard-exit")}</button>
            <span class="dim">{saved}</span>
        </div>
    }
}

/// Where a step begins for whoever goes by the keyboard: addresses of steps end in it.
pub(crate) const START: &str = "step";

fn help(lang: Lang, text: String) -> impl IntoView {
    view! { <details class="help"><summary>{t!(lang, "wizard-help")}</summary><p>{text}</p></details> }
}

/// The draft's id, in every form of the wizard.
fn draft_input(draft: &Draft) -> impl IntoView + use<> {
    view! { <input type="hidden" name="draft" value=draft.id.to_string()/> }
}

/// What the list of servers calls an unfinished order.
pub(super) fn draft_name(values: &DraftValues) -> String {
    let name = values.name.trim();
    if name.is_empty() { "…".into() } else { name.chars().take(40).collect() }
}
