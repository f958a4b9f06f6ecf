//! What staff do to jobs. Each lands on the job's page, with what came of it.

use domain::{JobId, job_action::JobAction};
use leptos::prelude::*;
use provisioning::JobAnswer;
use serde_json::{Map, Value};

use super::answer::{Caller, Fault};
use crate::{format, i18n::t, request::Flash, routes};

#[server(name = JobRerun, prefix = "/do", endpoint = "job_rerun")]
pub async fn job_rerun(
    #[server(default)] job: String,
    #[server(default)] why: String,
    /// Changed before it runs again, where its step takes that: a network whose neighbours cannot be moved stays behind.
    #[server(default)]
    keep_network: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let mut inputs = Map::new();
    if !keep_network.is_empty() {
        inputs.insert("keep_network".into(), Value::from(true));
    }
    let result = act(&caller, &job, JobAction::Rerun, &why, None, inputs).await;
    caller.finish(result).await
}

#[server(name = JobRollBack, prefix = "/do", endpoint = "job_roll_back")]
pub async fn job_roll_back(
    #[server(default)] job: String,
    #[server(default)] why: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = act(&caller, &job, JobAction::RollBack, &why, None, Map::new()).await;
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
    let result = act(&caller, &job, JobAction::MarkDone, &why, step, Map::new()).await;
    caller.finish(result).await
}

#[server(name = JobCancel, prefix = "/do", endpoint = "job_cancel")]
pub async fn job_cancel(
    #[server(default)] job: String,
    #[server(default)] why: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = act(&caller, &job, JobAction::Stop, &why, None, Map::new()).await;
    caller.finish(result).await
}

async fn act(
    caller: &Caller,
    job: &str,
    action: JobAction,
    why: &str,
    step: Option<&str>,
    inputs: Map<String, Value>,
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
            let values = [("why".to_owned(), why.chars().take(200).collect())].into();
            memory.flash(Flash { form: format!("{action}-{id}"), values, errors }).await;
            let back = if action == JobAction::Rerun {
                page
            } else {
                routes::staff_job_confirm(id, action.as_str())
            };
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
