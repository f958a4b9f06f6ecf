//! `terminate`: the end of servers, while their neighbours keep running.
//!
//! check → migration (plan → new group → move → old group stopped → deleted → renamed) → network → edge → terminated.
//! Terminates of one customer that stand in the queue together make one migration; a customer's last servers need none and
//! take their group with them.

use std::{sync::Arc, time::Duration};

use domain::state::ServerState;
use jobs::StepContext;

use super::{
    activate_back::clear_speed,
    machine::observe,
    migration::{self, Who},
    names::network_of,
    step::{Row, Tried, adopt, alone, carry_out, no_way_back, server, together},
};
use crate::{control::Control, provider::EdgeRef};

/// Raised whenever a step is added, removed or renamed.
pub(super) const SHAPE: i64 = 2;

pub(super) const STEPS: &[Row] = &[
    alone!("terminate_check" after [] do check; undo check_undo),
    together!("migration_plan" after ["terminate_check"] do plan; undo plan_undo; takes ["keep_network"]),
    together!("group_compose" after ["migration_plan"] do compose; undo compose_undo),
    together!("machines_move" after ["group_compose"] do move_over; undo move_back),
    together!("group_stop" after ["machines_move"] do stop; undo no_way_back),
    together!("group_delete" after ["group_stop"] do delete; undo no_way_back),
    together!("group_rename" after ["group_delete"] do rename; undo no_way_back),
    alone!("network_delete" after ["group_delete"] do network_delete; undo no_way_back),
    alone!("edge_clear" after ["network_delete"] do edge_clear; undo no_way_back),
    alone!("terminated" after ["edge_clear", "group_rename"] do terminated; undo no_way_back),
];

/// One answer for all who asked.
macro_rules! for_all {
    ($($name:ident: $phase:ident),*) => {$(
        pub(super) async fn $name(c: Arc<Control>, all: Vec<StepContext>) -> Vec<Tried> {
            let tried = migration::$phase(&c, &all).await;
            vec![tried; all.len()]
        }
    )*};
}
for_all!(compose: compose, move_over: move_over, stop: stop, delete: delete, rename: finish);

async fn plan(c: Arc<Control>, all: Vec<StepContext>) -> Vec<Tried> {
    let tried = migration::decide(&c, &all, Who::Leaves).await;
    vec![tried; all.len()]
}

pub(super) async fn plan_undo(c: Arc<Control>, cx: StepContext) -> Tried {
    migration::undecide(&c, &cx).await
}

pub(super) async fn compose_undo(c: Arc<Control>, cx: StepContext) -> Tried {
    migration::uncompose(&c, &cx).await
}

pub(super) async fn move_back(c: Arc<Control>, cx: StepContext) -> Tried {
    migration::move_back(&c, &cx).await
}

const QUICK: Duration = Duration::from_secs(10 * 60);

async fn check(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    c.store.server_set_state(cx.fence(), s.id, ServerState::Terminating).await?;
    c.store.edge_draining(cx.fence(), s.id, c.clock.now_ms()).await?;
    Ok(())
}

async fn network_delete(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    adopt(&c, &cx, QUICK).await?;
    // It could not be taken out of its group: it stays, and its edge with it.
    if c.store.edge_of(s.id).await?.is_some_and(|e| e.held.is_some()) {
        return Ok(());
    }
    if let Some(found) = c.provider.network_find(&network_of(&s)).await? {
        carry_out(&c, &cx, QUICK, c.provider.network_delete(&found.network)).await?;
    }
    Ok(())
}

async fn edge_clear(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let edge = c.store.edge_of(s.id).await?.filter(|e| e.held.is_none());
    let Some(edge) = edge else { return Ok(()) };
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
    match &s.machine_ref {
        Some(_) => observe(&c, &cx, &s).await?,
        None => c.store.server_set_state(cx.fence(), s.id, ServerState::Failed).await?,
    }
    Ok(c.store.edge_kept(cx.fence(), s.id, c.clock.now_ms()).await?)
}
