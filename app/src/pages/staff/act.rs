//! What may be done to a job: the buttons on its page, and the page that asks once more.

use domain::{JobId, field::Field, job_action::JobAction, permission::Denial};
use leptos::prelude::*;
use provisioning::{Job, JobChoices, StaffJob};

use super::{Fault, Loaded, Params, why_field};
use crate::{
    i18n::{Lang, t},
    pages::operations::{kind_title, state_badge_staff},
    request::{Flash, Memory, Request},
    routes,
    shell::Page,
    ui::{ErrorSummary, Errors},
};

/// The server function of an action.
fn function(action: JobAction) -> &'static str {
    match action {
        JobAction::Rerun => "job_rerun",
        JobAction::RollBack => "job_roll_back",
        JobAction::MarkDone => "job_mark_step",
        JobAction::Stop => "job_cancel",
        JobAction::Bypass => "job_bypass",
    }
}

/// The form that was refused a moment ago, if it was this one.
pub(super) async fn refused(request: &Request, id: JobId, action: JobAction) -> Flash {
    let form = format!("{action}-{id}");
    Memory(&request.around.session).flash_of(&form).await.unwrap_or_default()
}

/// What it would mean, in a sentence or a list.
fn meaning(lang: Lang, action: JobAction, choices: &JobChoices) -> AnyView {
    let n = |n: usize| n as i64;
    match action {
        JobAction::Rerun => {
            let again = (!choices.holds).then(|| view! { " " {t!(lang, "job-rerun-end")} });
            view! { <p>{t!(lang, "job-rerun-means", kept = n(choices.kept), run = n(choices.to_run))} {again}</p> }
                .into_any()
        }
        JobAction::RollBack => {
            let steps =
                choices.undone.iter().map(|s| view! { <li><code>{s.clone()}</code></li> }).collect_view();
            view! { <p>{t!(lang, "job-roll_back-means")}</p> <ol>{steps}</ol> }.into_any()
        }
        JobAction::MarkDone => {
            let step = choices.failed.clone().unwrap_or_default();
            view! { <p>{t!(lang, "job-mark_done-means", step = step)}</p> }.into_any()
        }
        JobAction::Stop => view! { <p>{t!(lang, "job-stop-means")}</p> }.into_any(),
        JobAction::Bypass => view! { <p>{t!(lang, "job-bypass-means")}</p> }.into_any(),
    }
}

/// What a button is called: the first says from where.
fn name(lang: Lang, action: JobAction, choices: &JobChoices) -> String {
    match (&choices.failed, action) {
        (Some(step), JobAction::Rerun) => t!(lang, "job-do-rerun-from", step = step.clone()),
        _ => lang.t(&format!("job-do-{action}")),
    }
}

/// Where a failed job may be run again from, and what of it may be chosen anew.
fn anew(request: &Request, view: &StaffJob, choices: &JobChoices, flash: &Flash) -> AnyView {
    let lang = request.lang();
    let errors = Errors(flash.errors.clone());
    let typed = |name: &str| flash.values.get(name).cloned().unwrap_or_default();
    let takes = |name: &str| choices.inputs.contains(&name);
    let check = |name: &'static str, text: String| {
        view! {
            <div class="field">
                <label class="pill" for=name>
                    <input type="checkbox" id=name name=name value="yes" checked={!typed(name).is_empty()}/>
                    <span>{text}</span>
                </label>
            </div>
        }
    };
    let templates = view.server.as_ref().filter(|_| takes("template")).map(|server| {
        let options = request.facade().templates_instead(server).into_iter().map(|t| {
            view! { <option value=t.id.clone() selected={typed("template") == t.id}>{t.name.clone()}</option> }
        });
        let options: Vec<_> = options.collect();
        view! {
            <div class="field">
                <label for="template">{t!(lang, "job-template")}</label>
                <select id="template" name="template">
                    <option value="">{server.template_name.clone()}</option>
                    {options}
                </select>
                {errors.at(lang, Field::Template)}
            </div>
        }
    });
    let failed = choices.failed.clone().unwrap_or_default();
    let steps = choices.earlier.iter().map(|step| {
        let id = format!("from-{}", step.key);
        match &step.in_the_way {
            None => view! {
                <label class="pill" for=id.clone()>
                    <input type="radio" id=id.clone() name="step" value=step.key.clone() checked={typed("step") == step.key}/>
                    <span><code>{step.key.clone()}</code> " " {t!(lang, "job-repeats", n = step.repeats.len() as i64)}</span>
                </label>
            }
            .into_any(),
            Some(way) => view! {
                <p><code>{step.key.clone()}</code> " " <span class="dim">{t!(lang, "job-no-repeat", step = way.clone())}</span></p>
            }
            .into_any(),
        }
    });
    let steps: Vec<_> = steps.collect();
    view! {
        <input type="hidden" name="more" value="yes"/>
        {takes("keep_network").then(|| check("keep_network", t!(lang, "job-keep-network")))}
        {takes("other_edge").then(|| check("other_edge", t!(lang, "job-other-edge")))}
        {templates}
        {(!steps.is_empty()).then(|| view! {
            <fieldset class="field">
                <legend>{t!(lang, "job-from")}</legend>
                <label class="pill" for="from-failed">
                    <input type="radio" id="from-failed" name="step" value="" checked={typed("step").is_empty()}/>
                    <span><code>{failed}</code> " " {t!(lang, "job-from-failed")}</span>
                </label>
                {steps}
            </fieldset>
        })}
    }
    .into_any()
}

fn form(
    request: &Request,
    job: &Job,
    action: JobAction,
    choices: &JobChoices,
    flash: &Flash,
    more: AnyView,
    back: bool,
) -> AnyView {
    let lang = request.lang();
    let errors = Errors(flash.errors.clone());
    let typed = flash.values.get(Field::Why.as_str()).cloned().unwrap_or_default();
    let step = (action == JobAction::MarkDone)
        .then(|| choices.failed.clone())
        .flatten()
        .map(|s| view! { <input type="hidden" name="step" value=s/> });
    let back = back.then(
        || view! { <a class="button secondary" href=routes::staff_job(job.id)>{t!(lang, "job-back")}</a> },
    );
    view! {
        <form method="post" action=routes::action(function(action)) novalidate=true>
            <input type="hidden" name="job" value=job.id.to_string()/>
            {step}
            {more}
            {why_field(lang, &errors, typed)}
            <div class="buttons">
                <button class="button">{name(lang, action, choices)}</button>
                {back}
            </div>
        </form>
    }
    .into_any()
}

/// A button that is refused, and why.
fn denied(lang: Lang, action: JobAction, choices: &JobChoices) -> Option<AnyView> {
    let denial = choices.can(action).err()?;
    let id = format!("{action}-reason");
    let newer = choices.facts.newer.filter(|_| denial == Denial::NewerChange);
    let newer = newer.map(|(number, kind)| format!(" #{number} {}", lang.t(&format!("kinds-{kind}"))));
    let view = view! {
        <li>
            <button type="button" class="button secondary" aria-disabled="true" aria-describedby=id.clone()>{name(lang, action, choices)}</button>
            <span class="reason" id=id>{lang.t(&format!("denial-{denial}"))} {newer}</span>
        </li>
    };
    Some(view.into_any())
}

/// Everything that may be done, on the job's page. Running again is one click and a reason; the rest is asked once more.
pub(super) fn actions(request: &Request, job: &Job, choices: &JobChoices, flash: &Flash) -> AnyView {
    let lang = request.lang();
    let rerun = choices.can(JobAction::Rerun).is_ok().then(|| {
        view! {
            {meaning(lang, JobAction::Rerun, choices)}
            {form(request, job, JobAction::Rerun, choices, flash, ().into_any(), false)}
            {(!choices.earlier.is_empty() || !choices.inputs.is_empty()).then(|| view! {
                <p><a href=routes::staff_job_confirm(job.id, JobAction::Rerun.as_str())>{t!(lang, "job-rerun-otherwise")}</a></p>
            })}
        }
    });
    let links = JobAction::ALL
        .iter()
        // Only a maintenance has anything to be passed by.
        .filter(|a| **a != JobAction::Bypass || choices.can(**a) != Err(Denial::NoMaintenance))
        .map(|action| match denied(lang, *action, choices) {
            Some(denied) => denied,
            None if *action == JobAction::Rerun => ().into_any(),
            None => view! {
                <li><a class="button secondary" href=routes::staff_job_confirm(job.id, action.as_str())>{name(lang, *action, choices)}</a></li>
            }
            .into_any(),
        })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="actions">
            <h2 id="actions">{t!(lang, "col-actions")}</h2>
            {rerun}
            <ul class="plain rows">{links}</ul>
        </section>
    }
    .into_any()
}

pub(crate) async fn confirm(request: Request, params: Params) -> Loaded {
    let lang = request.lang();
    let id: JobId = params.id("id")?;
    let viewer = request.viewer()?;
    let seen = request.facade().staff_job(viewer, id).await?.ok_or(Fault::NotFound)?;
    let job = &seen.job;
    let asked = request.query("do").and_then(|word| word.parse::<JobAction>().ok());
    let Some(action) = asked else { return Err(Fault::Moved(routes::staff_job(id))) };
    let choices = request.facade().job_choices(viewer, job).await?.ok_or(Fault::NotFound)?;
    let flash = refused(&request, id, action).await;
    let errors = Errors(flash.errors.clone());
    let bad = !errors.is_empty();
    let what = kind_title(lang, job, &job.server_name.clone().unwrap_or_default());
    let more = match action {
        JobAction::Rerun => anew(&request, &seen, &choices, &flash),
        _ => ().into_any(),
    };
    let body = match denied(lang, action, &choices) {
        Some(denied) => view! { <ul class="plain">{denied}</ul> }.into_any(),
        None => view! {
            {meaning(lang, action, &choices)}
            {form(&request, job, action, &choices, &flash, more, true)}
        }
        .into_any(),
    };
    let body = view! {
        <ErrorSummary lang errors/>
        <p><a href=routes::staff_job(id)>{format!("#{} {what}", job.number)}</a> " " {state_badge_staff(lang, job.state)}</p>
        <section class="card">{body}</section>
    };
    Ok(Page { refused: bad, ..Page::new(name(lang, action, &choices), body) })
}
