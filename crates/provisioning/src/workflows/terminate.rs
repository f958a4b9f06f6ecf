//! `terminate`, the short way: a customer's last server takes its whole group with it.
//!
//! Not here: a server that has neighbours. A network cannot leave a running group, so that case needs a migration.

use std::{sync::Arc, time::Duration};

use domain::{cause::Cause, state::ServerState};
use futures::future::BoxFuture;
use jobs::{StepContext, Workflow};

use super::{
    activate::{clear_speed, group_name, network_name, own_group},
    step::{Row, Run, Stop, Tried, adopt, carry_out, delete_doubles, server, workflow as table},
};
use crate::{
    control::Control,
    provider::{EdgeRef, GroupRef},
};

pub(super) const SHAPE: i64 = 1;

const fn row(
    key: &'static str,
    after: &'static [&'static str],
    run: fn(Arc<Control>, StepContext) -> BoxFuture<'static, Tried>,
    undo: fn(Arc<Control>, StepContext) -> BoxFuture<'static, Tried>,
) -> Row {
    Row { key, after, run: Run::Alone(run), undo: Some(undo) }
}

pub(super) const STEPS: &[Row] = &[
    row("terminate_check", &[], |c, cx| Box::pin(check(c, cx)), |c, cx| Box::pin(check_undo(c, cx))),
    row(
        "group_stop",
        &["terminate_check"],
        |c, cx| Box::pin(group_stop(c, cx)),
        |_, _| Box::pin(no_way_back()),
    ),
    row(
        "group_delete",
        &["group_stop"],
        |c, cx| Box::pin(group_delete(c, cx)),
        |_, _| Box::pin(no_way_back()),
    ),
    row(
        "network_delete",
        &["group_delete"],
        |c, cx| Box::pin(network_delete(c, cx)),
        |_, _| Box::pin(no_way_back()),
    ),
    row(
        "edge_clear",
        &["network_delete"],
        |c, cx| Box::pin(edge_clear(c, cx)),
        |_, _| Box::pin(no_way_back()),
    ),
    row("terminated", &["edge_clear"], |c, cx| Box::pin(terminated(c, cx)), |_, _| Box::pin(no_way_back())),
];

const QUICK: Duration = Duration::from_secs(10 * 60);

pub(super) fn workflow(control: &Arc<Control>) -> Workflow {
    table(control, "terminate", SHAPE, STEPS)
}

async fn check(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    if c.store.server_neighbours(s.customer, s.id).await? > 0 {
        return Err(Stop::Fail(Cause::NotLastServer, "other servers live in the same group".into()));
    }
    c.store.server_set_state(cx.fence(), s.id, ServerState::Terminating).await?;
    c.store.edge_draining(cx.fence(), s.id, c.clock.now_ms()).await?;
    Ok(())
}

async fn group_stop(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    adopt(&c, &cx, QUICK).await?;
    match existing_group(&c, &s).await? {
        Some(group) if group.running => carry_out(&c, &cx, QUICK, c.provider.group_stop(&group.group)).await,
        _ => Ok(()),
    }
}

/// The group, also one that was made without its reference being recorded.
async fn existing_group(
    c: &Control,
    s: &store::servers::Server,
) -> Result<Option<crate::provider::Group>, Stop> {
    match own_group(c, s).await {
        Ok(Some(group)) => Ok(Some(group)),
        Ok(None) | Err(Stop::Fail(Cause::PlatformRefused, _)) => {
            let found: Option<GroupRef> = c.provider.group_find(&group_name(s)).await?;
            match found {
                None => Ok(None),
                Some(group) => Ok(Some(c.provider.group(&group).await?)),
            }
        }
        Err(stop) => Err(stop),
    }
}

async fn group_delete(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    adopt(&c, &cx, QUICK).await?;
    if let Some(group) = existing_group(&c, &s).await? {
        carry_out(&c, &cx, QUICK, c.provider.group_delete(&group.group)).await?;
    }
    delete_doubles(&c, std::slice::from_ref(&cx), QUICK, &group_name(&s), None).await?;
    c.store.group_set_ref(cx.fence(), None).await?;
    c.store.server_set_machine(cx.fence(), s.id, None).await?;
    c.store.group_observed(cx.fence(), 0, 0, c.clock.now_ms()).await?;
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
    c.store.server_set_state(cx.fence(), s.id, ServerState::Running).await?;
    Ok(c.store.edge_kept(cx.fence(), s.id, c.clock.now_ms()).await?)
}

/// What was cut off or deleted does not come back.
async fn no_way_back() -> Tried {
    Err(Stop::Fail(Cause::Irreversible, "what was stopped or deleted cannot be brought back".into()))
}
