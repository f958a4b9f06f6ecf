//! What staff do to jobs. Each lands on the job's page, with what came of it.

use domain::{JobId, job_action::JobAction};
use leptos::prelude::*;
use provisioning::{JobAnswer, NOTE_MAX};
use serde_json::{Map, Value};

use super::answer::{Caller, Fault};
use crate::{
    format,
    i18n::t,
    request::{Flash, encode},
    routes,
};

#[server(name = JobRerun, prefix = "/do", endpoint = "job_rerun")]
pub async fn job_rerun(
    #[server(default)] job: String,
    #[server(default)] why: String,
    /// Changed before it runs again, where its step takes that: a network whose neighbours cannot be moved stays behind.
    #[server(default)]
    keep_network: String,
    /// The server gets another edge, and the one it had stays out of the pool.
    #[server(default)]
    other_edge: String,
    /// It is made from another template.
    #[server(default)]
    template: String,
    /// From an earlier step than the one that failed.
    #[server(default)]
    step: String,
    /// It was asked for on the page where there is more to choose.
    #[server(default)]
    more: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let mut typed = Values::new();
    if !more.is_empty() {
        let all = [
            ("step", &step),
            ("template", &template),
            ("keep_network", &keep_network),
            ("other_edge", &other_edge),
        ];
        typed.extend(all.map(|(name, text)| (name.to_owned(), text.chars().take(100).collect())));
    }
    let mut inputs = Map::new();
    for (name, given) in [("keep_network", &keep_network), ("other_edge", &other_edge)] {
        if !given.is_empty() {
            inputs.insert(name.into(), Value::from(true));
        }
    }
    if !template.is_empty() {
        inputs.insert("template".into(), Value::from(template));
    }
    let step = Some(step.as_str()).filter(|s| !s.is_empty());
    let asked = Asked { step, inputs, typed };
    let result = act(&caller, &job, JobAction::Rerun, &why, asked).await;
    caller.finish(result).await
}

#[server(name = JobRollBack, prefix = "/do", endpoint = "job_roll_back")]
pub async fn job_roll_back(
    #[server(default)] job: String,
    #[server(default)] why: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = act(&caller, &job, JobAction::RollBack, &why, Asked::default()).await;
    caller.finish(result).await
}

#[server(name = JobMarkStep, prefix = "/do", endpoint = "job_mark_step")]
pub async fn job_mark_step(
    #[server(default)] job: String,
    #[server(default)] step: String,
    #[server(default)] why: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let step = Some(step.as_str()).filter(|s| !s.is_empty());
    let asked = Asked { step, ..Asked::default() };
    let result = act(&caller, &job, JobAction::MarkDone, &why, asked).await;
    caller.finish(result).await
}

#[server(name = JobCancel, prefix = "/do", endpoint = "job_cancel")]
pub async fn job_cancel(
    #[server(default)] job: String,
    #[server(default)] why: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = act(&caller, &job, JobAction::Stop, &why, Asked::default()).await;
    caller.finish(result).await
}

#[server(name = JobBypass, prefix = "/do", endpoint = "job_bypass")]
pub async fn job_bypass(
    #[server(default)] job: String,
    #[server(default)] why: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = act(&caller, &job, JobAction::Bypass, &why, Asked::default()).await;
    caller.finish(result).await
}

/// Runs many again: those that were looked at, as they were then.
#[server(name = JobsRerun, prefix = "/do", endpoint = "jobs_rerun")]
pub async fn jobs_rerun(
    /// `id:mark`, with commas between.
    #[server(default)]
    jobs: String,
    /// What was asked for: the way back.
    #[server(default)]
    q: String,
    #[server(default)] why: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = rerun_many(&caller, &jobs, &q, &why).await;
    caller.finish(result).await
}

async fn rerun_many(caller: &Caller, jobs: &str, q: &str, why: &str) -> Result<(), Fault> {
    let pair = |text: &str| {
        let (id, mark) = text.split_once(':')?;
        Some((id.parse::<JobId>().ok()?, mark.parse::<i64>().ok()?))
    };
    let seen: Option<Vec<_>> = jobs.split(',').map(pair).collect();
    let (request, lang) = (&caller.request, caller.request.lang());
    let memory = caller.memory();
    let done = match seen {
        Some(seen) => request.facade().bulk_rerun(caller.viewer()?, &seen, why).await?,
        None => None,
    };
    let Some(done) = done else {
        caller.not_found();
        return Ok(());
    };
    let q = encode(q);
    if !done.errors.is_empty() {
        let values = [("why".to_owned(), why.chars().take(200).collect())].into();
        memory.flash(Flash { form: "rerun-many".into(), values, errors: done.errors }).await;
        caller.see_other(&format!("{}?q={q}#errors", routes::STAFF_JOBS_RERUN));
        return Ok(());
    }
    memory.clear_flash().await;
    let mut text = t!(lang, "bulk-again", n = done.again as i64);
    if done.changed > 0 {
        text = format!("{text} {}", t!(lang, "bulk-changed", n = done.changed as i64));
    }
    memory.banner(done.again == 0, text).await;
    caller.see_other(&format!("{}?q={q}#flash", routes::STAFF_JOBS));
    Ok(())
}

/// Whoever asks looks after the job, or does so no more.
#[server(name = JobAssign, prefix = "/do", endpoint = "job_assign")]
pub async fn job_assign(
    #[server(default)] job: String,
    #[server(default)] take: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = assign(&caller, &job, take == "yes").await;
    caller.finish(result).await
}

async fn assign(caller: &Caller, job: &str, take: bool) -> Result<(), Fault> {
    let Ok(id) = job.parse::<JobId>() else {
        caller.not_found();
        return Ok(());
    };
    if !caller.request.facade().job_assign(caller.viewer()?, id, take).await? {
        caller.not_found();
        return Ok(());
    }
    caller.see_other(&format!("{}#notes", routes::staff_job(id)));
    Ok(())
}

/// Leaves a note for other staff.
#[server(name = JobNote, prefix = "/do", endpoint = "job_note")]
pub async fn job_note(
    #[server(default)] job: String,
    #[server(default)] note: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = leave_note(&caller, &job, &note).await;
    caller.finish(result).await
}

async fn leave_note(caller: &Caller, job: &str, note: &str) -> Result<(), Fault> {
    let Ok(id) = job.parse::<JobId>() else {
        caller.not_found();
        return Ok(());
    };
    match caller.request.facade().job_note(caller.viewer()?, id, note).await? {
        JobAnswer::Done => {
            caller.memory().clear_flash().await;
            caller.memory().banner(false, t!(caller.request.lang(), "job-note-left")).await;
            caller.see_other(&format!("{}#flash", routes::staff_job(id)));
        }
        JobAnswer::Refused(errors) => {
            let values = [("note".to_owned(), note.chars().take(2 * NOTE_MAX).collect())].into();
            caller.memory().flash(Flash { form: format!("note-{id}"), values, errors }).await;
            caller.see_other(&format!("{}#errors", routes::staff_job(id)));
        }
        _ => caller.not_found(),
    }
    Ok(())
}

/// What is asked for besides the action and its reason.
#[derive(Default)]
struct Asked<'s> {
    step: Option<&'s str>,
    inputs: Map<String, Value>,
    /// As it was typed, for the page that it comes back to.
    typed: Values,
}

type Values = std::collections::BTreeMap<String, String>;

async fn act(
    caller: &Caller,
    job: &str,
    action: JobAction,
    why: &str,
    Asked { step, inputs, mut typed }: Asked<'_>,
) -> Result<(), Fault> {
    let Ok(id) = job.parse::<JobId>() else {
        caller.not_found();
        return Ok(());
    };
    let (request, lang) = (&caller.request, caller.request.lang());
    let page = routes::staff_job(id);
    let answer = request.facade().job_act(caller.viewer()?, id, action, why, step, inputs).await?;
    let memory = caller.memory();
    match answer {
        JobAnswer::Done => {
            memory.clear_flash().await;
            memory.banner(false, lang.t(&format!("job-done-{action}"))).await;
        }
        JobAnswer::Denied(denial) => memory.banner(true, lang.t(&format!("denial-{denial}"))).await,
        JobAnswer::Already { by, at } => {
            let time = format::clock(lang, at);
            memory.banner(true, t!(lang, "job-already", by = by, time = time)).await;
        }
        JobAnswer::Refused(errors) => {
            let on_its_page = action == JobAction::Rerun && typed.is_empty();
            typed.insert("why".to_owned(), why.chars().take(200).collect());
            memory.flash(Flash { form: format!("{action}-{id}"), values: typed, errors }).await;
            let back = if on_its_page { page } else { routes::staff_job_confirm(id, action.as_str()) };
            caller.see_other(&format!("{back}#errors"));
            return Ok(());
        }
        JobAnswer::Gone => {
            caller.not_found();
            return Ok(());
        }
    }
    caller.see_other(&format!("{page}#flash"));
    Ok(())
}
