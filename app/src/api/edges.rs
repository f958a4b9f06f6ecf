//! What an administrator does to the pool.

use domain::{EdgeId, edge_action::EdgeAction};
use leptos::prelude::*;
use provisioning::EdgeAnswer;

use super::answer::{Caller, Fault, came_from};
use crate::{i18n::t, request::Flash, routes};

/// A claim of which the job is over is given up.
#[server(name = EdgeRelease, prefix = "/do", endpoint = "edge_release")]
pub async fn edge_release(
    #[server(default)] edge: String,
    #[server(default)] why: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = act(&caller, &edge, EdgeAction::Release, &why).await;
    caller.finish(result).await
}

/// A free edge stays out of the pool.
#[server(name = EdgeQuarantine, prefix = "/do", endpoint = "edge_quarantine")]
pub async fn edge_quarantine(
    #[server(default)] edge: String,
    #[server(default)] why: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = act(&caller, &edge, EdgeAction::Quarantine, &why).await;
    caller.finish(result).await
}

/// One that stayed out comes back.
#[server(name = EdgeReturn, prefix = "/do", endpoint = "edge_return")]
pub async fn edge_return(
    #[server(default)] edge: String,
    #[server(default)] why: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = act(&caller, &edge, EdgeAction::Return, &why).await;
    caller.finish(result).await
}

/// The platform is asked now how the pool is.
#[server(name = EdgeCheck, prefix = "/do", endpoint = "edge_check")]
pub async fn edge_check() -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = check(&caller).await;
    caller.finish(result).await
}

async fn check(caller: &Caller) -> Result<(), Fault> {
    if !caller.request.facade().edges_check(caller.viewer()?).await? {
        caller.not_found();
        return Ok(());
    }
    caller.memory().banner(false, t!(caller.request.lang(), "edges-asked")).await;
    let back = came_from();
    let back = if back.starts_with(routes::STAFF_EDGES) { back } else { routes::STAFF_EDGES.into() };
    caller.see_other(&format!("{back}#flash"));
    Ok(())
}

async fn act(caller: &Caller, edge: &str, action: EdgeAction, why: &str) -> Result<(), Fault> {
    let Ok(id) = edge.parse::<EdgeId>() else {
        caller.not_found();
        return Ok(());
    };
    let lang = caller.request.lang();
    let memory = caller.memory();
    match caller.request.facade().edge_act(caller.viewer()?, id, action, why).await? {
        EdgeAnswer::Done => {
            memory.clear_flash().await;
            memory.banner(false, lang.t(&format!("edge-done-{action}"))).await;
        }
        EdgeAnswer::Denied(denial) => memory.banner(true, lang.t(&format!("denial-{denial}"))).await,
        EdgeAnswer::Refused(errors) => {
            let values = [("why".to_owned(), why.chars().take(200).collect())].into();
            memory.flash(Flash { form: format!("{action}-{id}"), values, errors }).await;
            caller.see_other(&format!("{}#errors", routes::staff_edge_confirm(id, action.as_str())));
            return Ok(());
        }
        EdgeAnswer::Gone => {
            caller.not_found();
            return Ok(());
        }
    }
    caller.see_other(&format!("{}#flash", routes::staff_edge(id)));
    Ok(())
}
