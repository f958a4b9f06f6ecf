//! Taking an `activate` back, the last step first. Each looks for what is there, by the names that were known before the first try.

use std::sync::Arc;

use domain::{cause::Cause, kind::Scope};
use jobs::StepContext;

use super::{
    activate::{COPY, QUICK, observe_group, own_group_by_any},
    migration::{self, Who},
    names::{machine_name, network_of},
    step::{Stop, Tried, adopt, carry_out, server},
};
use crate::{
    control::Control,
    provider::{EdgeRef, EdgeSpeed, ProviderErrorKind},
};

pub(super) async fn machine_delete(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    adopt(&c, &cx, COPY).await?;
    let Some(group) = own_group_by_any(&c, &s).await? else { return Ok(()) };
    let seen = c.provider.group(&group).await?;
    if let Some(machine) = seen.machine_named(&machine_name(s.id)) {
        if machine.deployed {
            carry_out(&c, &cx, QUICK, c.provider.machine_stop(&machine.machine)).await?;
        }
        carry_out(&c, &cx, QUICK, c.provider.machine_delete(&group, &machine.machine)).await?;
    } else if !seen.ready {
        // A copy appears only when its task has ended.
        return Err(Stop::Retry(Cause::PlatformBusy, "the group is busy".into()));
    }
    c.store.server_set_machine(cx.fence(), s.id, None).await?;
    observe_group(&c, &cx, &group).await
}

/// The network leaves the group; a group without machines goes with it. While others run in it no network can leave: they
/// move to a new group, and the old one goes with the network.
pub(super) async fn group_leave(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    adopt(&c, &cx, COPY).await?;
    let all = std::slice::from_ref(&cx);
    if migration::plan(&c, s.customer).await?.is_none_or(|plan| !migration::is_of(&plan, s.id)) {
        let Some(group) = own_group_by_any(&c, &s).await? else { return Ok(()) };
        let seen = c.provider.group(&group).await?;
        let network = network_of(&s);
        if seen.machines.is_empty() && seen.networks.iter().all(|n| n.name == network) {
            carry_out(&c, &cx, QUICK, c.provider.group_delete(&group)).await?;
            c.store.group_set_ref(cx.fence(), None).await?;
            return Ok(c.store.group_observed(cx.fence(), 0, 0, c.clock.now_ms()).await?);
        }
        if !seen.has_network(&network) {
            return observe_group(&c, &cx, &group).await;
        }
        // Without machines it goes whole, with what could not be taken out of it before.
        if !seen.running && !seen.machines.is_empty() {
            carry_out(&c, &cx, QUICK, c.provider.group_detach(&group, &network)).await?;
            return observe_group(&c, &cx, &group).await;
        }
    }
    migration::carry_through(&c, all, Who::Leaves).await?;
    // What an activate left behind holds nobody.
    Ok(c.store.job_set_hold(cx.fence(), Scope::None).await?)
}

pub(super) async fn speed_lift(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let edge = c.store.edge_of(s.id).await?.filter(|e| e.held.is_none());
    let Some(edge) = edge else { return Ok(()) };
    adopt(&c, &cx, QUICK).await?;
    clear_speed(&c, &cx, &EdgeRef(edge.facts.provider_ref)).await
}

/// Lifts the limit of an edge, if it has one.
pub(super) async fn clear_speed(c: &Control, cx: &StepContext, edge: &EdgeRef) -> Tried {
    match c.provider.edge_speed(edge).await {
        Ok(EdgeSpeed::Unlimited) => Ok(()),
        Ok(_) => carry_out(c, cx, QUICK, c.provider.edge_set_speed(edge, None)).await,
        // An edge that the operator took away has nothing left to clear.
        Err(e) if e.kind == ProviderErrorKind::NotFound => Ok(()),
        Err(e) => Err(e.into()),
    }
}

pub(super) async fn network_delete(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    adopt(&c, &cx, QUICK).await?;
    // It could not be taken out of its group: it stays, and its edge with it.
    if c.store.edge_of(s.id).await?.is_some_and(|e| e.held.is_some()) {
        return Ok(());
    }
    match c.provider.network_find(&network_of(&s)).await? {
        Some(found) => carry_out(&c, &cx, QUICK, c.provider.network_delete(&found.network)).await,
        None => Ok(()),
    }
}

pub(super) async fn edge_release(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let now = c.clock.now_ms();
    c.store.edge_draining(cx.fence(), s.id, now).await?;
    Ok(c.store.edge_freed(cx.fence(), s.id, now).await?)
}
