//! `terminate`: the end of servers, while their neighbours keep running.
//!
//! check → migration (plan → new group → move → old group stopped → deleted → renamed) → network → edge → terminated.
//! Terminates of one customer that stand in the queue together make one migration; a customer's last servers need none and
//! take their group with them.

use std::{sync::Arc, time::Duration};

use domain::{cause::Cause, state::ServerState};
use jobs::{StepContext, Workflow};

use super::{
    activate::{clear_speed, network_name},
    migration,
    step::{Row, Run, Stop, Tried, adopt, carry_out, server, workflow as table},
};
use crate::{control::Control, provider::EdgeRef};

/// Raised whenever a step is added, removed or renamed.
pub(super) const SHAPE: i64 = 2;

macro_rules! together {
    ($key:literal after [$($after:literal),*] do $run:path; undo $undo:expr) => {
        Row {
            key: $key,
            after: &[$($after),*],
            run: Run::Together(|c, all| {
                Box::pin(async move {
                    let tried = $run(&c, &all).await;
                    vec![tried; all.len()]
                })
            }),
            undo: Some($undo),
        }
    };
}

macro_rules! alone {
    ($key:literal after [$($after:literal),*] do $run:path; undo $undo:expr) => {
        Row {
            key: $key,
            after: &[$($after),*],
            run: Run::Alone(|c, cx| Box::pin($run(c, cx))),
            undo: Some($undo),
        }
    };
}

pub(super) const STEPS: &[Row] = &[
    alone!("terminate_check" after [] do check; undo |c, cx| Box::pin(check_undo(c, cx))),
    together!("migration_plan" after ["terminate_check"] do migration::decide;
        undo |c, cx| Box::pin(async move { migration::undecide(&c, &cx).await })),
    together!("group_compose" after ["migration_plan"] do migration::compose;
        undo |c, cx| Box::pin(async move { migration::uncompose(&c, &cx).await })),
    together!("machines_move" after ["group_compose"] do migration::move_over;
        undo |c, cx| Box::pin(async move { migration::move_back(&c, &cx).await })),
    together!("group_stop" after ["machines_move"] do migration::stop; undo |_, _| Box::pin(no_way_back())),
    together!("group_delete" after ["group_stop"] do migration::delete; undo |_, _| Box::pin(no_way_back())),
    together!("group_rename" after ["group_delete"] do migration::finish; undo |_, _| Box::pin(no_way_back())),
    alone!("network_delete" after ["group_delete"] do network_delete; undo |_, _| Box::pin(no_way_back())),
    alone!("edge_clear" after ["network_delete"] do edge_clear; undo |_, _| Box::pin(no_way_back())),
    alone!("terminated" after ["edge_clear", "group_rename"] do terminated; undo |_, _| Box::pin(no_way_back())),
];

const QUICK: Duration = Duration::from_secs(10 * 60);

pub(super) fn workflow(control: &Arc<Control>) -> Workflow {
    table(control, "terminate", SHAPE, STEPS)
}

async fn check(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    c.store.server_set_state(cx.fence(), s.id, ServerState::Terminating).await?;
    c.store.edge_draining(cx.fence(), s.id, c.clock.now_ms()).await?;
    Ok(())
}

async fn network_delete(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    adopt(&c, &cx, QUICK).await?;
    if let Some(found) = c.provider.network_find(&network_name(&s)).await? {
        carry_out(&c, &cx, QUICK, c.provider.network_delete(&found.network)).await?;
    }
    Ok(())
}

async fn edge_clear(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let Some(edge) = c.store.edge_of(s.id).await? else { return Ok(()) };
    adopt(&c, &cx, QUICK).await?;
    clear_speed(&c, &cx, &EdgeRef(edge.facts.provider_ref)).await
}

async fn terminated(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let now = c.clock.now_ms();
    c.store.edge_freed(cx.fence(), s.id, now).await?;
    c.store.server_terminated(cx.fence(), s.id, now).await?;
    Ok(())
}

/// Before anything was stopped the server can stay as it was.
async fn check_undo(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let on = match &s.machine_ref {
        Some(machine) => c.provider.machine(&crate::provider::MachineRef(machine.clone())).await?.on,
        None => false,
    };
    let state = match (&s.machine_ref, on) {
        (None, _) => ServerState::Failed,
        (_, true) => ServerState::Running,
        (_, false) => ServerState::Stopped,
    };
    c.store.server_observed(cx.fence(), s.id, state, c.clock.now_ms()).await?;
    Ok(c.store.edge_kept(cx.fence(), s.id, c.clock.now_ms()).await?)
}

/// What was cut off or deleted does not come back.
async fn no_way_back() -> Tried {
    Err(Stop::Fail(Cause::Irreversible, "what was stopped or deleted cannot be brought back".into()))
}
