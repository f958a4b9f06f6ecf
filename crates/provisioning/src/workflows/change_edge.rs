//! `change_edge`: a server moves to another edge, where its block is used up or its edge is faulty.
//!
//! The new edge is reserved and gets a network of its own, which joins the server's group beside the old one; the server's
//! card goes over to it, and its guest takes up the new address with one restart. Until it answers there everything is put
//! back when something fails. Then the old network goes as in a terminate: no network can leave a group that runs, so all
//! servers of the customer move to a new group, running.

use std::sync::Arc;

use domain::cause::Cause;
use jobs::StepContext;
use serde::{Deserialize, Serialize};
use store::{
    edges::{Edge, Held},
    servers::Server,
};

use super::{
    activate::{label, speed_to},
    activate_back::clear_speed,
    address::{self, REST_MS, answers, next, old, release, restart},
    machine::{DNS, QUICK, guest_settings, look_again, observe, own_edge, own_machine, seen},
    migrate,
    migration::{self, Who, current_group},
    names::{network_of, next_network_of},
    step::{Row, Stop, Tried, adopt, alone, carry_out, no_way_back, server, together},
    terminate::{compose, compose_undo, delete, move_back, move_over, plan_undo, rename, stop},
};
use crate::{
    control::Control,
    provider::{EdgeRef, NetworkFound, NetworkRef, NetworkSpec},
};

/// Raised whenever steps are added, removed or renamed.
pub(super) const SHAPE: i64 = 1;

pub(super) const STEPS: &[Row] = &[
    alone!("address_check" after [] do check; undo look_again),
    alone!("edge_claim" after ["address_check"] do reserve; undo unreserve),
    alone!("network_create" after ["edge_claim"] do network_create; undo network_undo),
    alone!("qos_apply" after ["network_create"] do speed; undo speed_lift),
    alone!("group_ensure" after ["qos_apply"] do attach; undo detach),
    alone!("address_reserve" after ["group_ensure"] do address_reserve; undo release),
    alone!("address_apply" after ["address_reserve"] do apply; undo restore),
    alone!("guest_restart" after ["address_apply"] do restart; undo restart_old),
    alone!("address_answers" after ["guest_restart"] do answers),
    alone!("address_switched" after ["address_answers"] do switched; undo no_way_back),
    together!("migration_plan" after ["address_switched"] do plan; undo plan_undo; takes ["keep_network"]),
    together!("group_compose" after ["migration_plan"] do compose; undo compose_undo),
    together!("machines_move" after ["group_compose"] do move_over; undo move_back),
    together!("group_stop" after ["machines_move"] do stop; undo no_way_back),
    together!("group_delete" after ["group_stop"] do delete; undo no_way_back),
    together!("group_rename" after ["group_delete"] do rename; undo no_way_back),
    alone!("edge_clear" after ["group_rename"] do leave; undo no_way_back),
];

/// What a job of this kind is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wanted {
    /// Why staff move the server.
    pub(crate) why: String,
    /// The old edge stays out of the pool afterwards, for that reason.
    pub(crate) keep_out: bool,
}

use migrate::plan;

async fn check(c: Arc<Control>, cx: StepContext) -> Tried {
    super::machine::check(c.clone(), cx.clone()).await?;
    let s = server(&c, &cx).await?;
    // Its guest may have switched itself off since it was last looked at.
    if !c.provider.machine(&own_machine(&s)?).await?.on {
        let text = "it is off: nobody could answer under its new address";
        return Err(Stop::Fail(Cause::OrderInvalid, text.into()));
    }
    // What would be in the way at the end is refused before anything is changed.
    migration::movable(&c, s.customer).await
}

async fn reserve(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    match c.store.edge_reserve(cx.fence(), s.id, c.clock.now_ms()).await? {
        Some(()) => Ok(()),
        None => Err(Stop::Fail(Cause::NoFreeEdge, "no edge is free for it".into())),
    }
}

async fn unreserve(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    Ok(c.store.edge_unreserve(cx.fence(), s.id, c.clock.now_ms()).await?)
}

async fn left_edge(c: &Control, s: &Server) -> Result<Edge, Stop> {
    let edge = c.store.edge_left_by(s.id).await?;
    edge.ok_or_else(|| Stop::Fail(Cause::Internal, "the server leaves no edge".into()))
}

async fn next_network(c: &Control, s: &Server) -> Result<NetworkFound, Stop> {
    let name = next_network_of(s);
    let found = c.provider.network_find(&name).await?;
    found.ok_or_else(|| Stop::Unknown(format!("network {name} is not there")))
}

async fn network_create(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let edge = own_edge(&c, &s).await?;
    adopt(&c, &cx, QUICK).await?;
    let spec = NetworkSpec {
        name: next_network_of(&s),
        label: label(&s),
        edge: EdgeRef(edge.facts.provider_ref.clone()),
        block: super::activate::block(&edge),
        dns: DNS.map(str::to_owned).to_vec(),
    };
    super::network::made(&c, &cx, &spec).await.map(drop)
}

async fn network_undo(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    adopt(&c, &cx, QUICK).await?;
    match c.provider.network_find(&next_network_of(&s)).await? {
        Some(found) => carry_out(&c, &cx, QUICK, c.provider.network_delete(&found.network)).await,
        None => Ok(()),
    }
}

async fn speed(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    adopt(&c, &cx, QUICK).await?;
    speed_to(&c, &cx, &s).await?;
    let (name, mbit) = (next_network_of(&s), i64::from(s.size.bandwidth_mbit));
    Ok(c.store.edge_bound(cx.fence(), s.id, &name, mbit, c.clock.now_ms()).await?)
}

async fn speed_lift(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    adopt(&c, &cx, QUICK).await?;
    let edge = own_edge(&c, &s).await?;
    clear_speed(&c, &cx, &EdgeRef(edge.facts.provider_ref)).await
}

/// The new network joins the group, beside the old one.
async fn attach(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    adopt(&c, &cx, QUICK).await?;
    let name = next_network_of(&s);
    let no_group = || Stop::Fail(Cause::Internal, "the customer has no group".into());
    let group = current_group(&c, s.customer).await?.ok_or_else(no_group)?;
    if !group.has_network(&name) {
        let network: NetworkRef = next_network(&c, &s).await?.network;
        carry_out(&c, &cx, QUICK, c.provider.group_attach(&group.group, &[(&name, &network)])).await?;
    }
    Ok(())
}

/// The new network leaves the group again: by a move of everything, while anything runs.
async fn detach(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    adopt(&c, &cx, QUICK).await?;
    let (name, all) = (next_network_of(&s), std::slice::from_ref(&cx));
    if migration::plan(&c, s.customer).await?.is_none_or(|plan| !migration::is_of(&plan, s.id)) {
        let Some(group) = current_group(&c, s.customer).await? else { return Ok(()) };
        if !group.has_network(&name) {
            return Ok(());
        }
        if !group.running {
            return carry_out(&c, &cx, QUICK, c.provider.group_detach(&group.group, &name)).await;
        }
    }
    migration::carry_through(&c, all, Who::Stays).await
}

async fn address_reserve(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let edge = own_edge(&c, &s).await?;
    match c.store.address_reserve(cx.fence(), s.id, &edge, c.clock.now_ms()).await? {
        Some(_) => Ok(()),
        None => Err(Stop::Fail(Cause::OrderInvalid, "every address of the new edge rests".into())),
    }
}

/// The card goes to this network and address, and the guest is told.
async fn set(c: &Control, cx: &StepContext, network: &str, edge: &Edge, address: &str) -> Tried {
    let (s, machine, m) = seen(c, cx).await?;
    if m.network.as_deref() != Some(network) || !m.addresses.iter().any(|a| a == address) {
        carry_out(c, cx, QUICK, c.provider.machine_set_card(&machine, network, address)).await?;
    }
    let settings = guest_settings(&s, edge, address);
    carry_out(c, cx, QUICK, c.provider.machine_set_guest(&machine, &settings)).await
}

async fn apply(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let edge = own_edge(&c, &s).await?;
    set(&c, &cx, &next_network_of(&s), &edge, &next(&s)?).await
}

async fn restore(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let edge = left_edge(&c, &s).await?;
    set(&c, &cx, &network_of(&s), &edge, &old(&s)?).await
}

/// The way back: the old card and settings first, then the restart that takes them up, until the old address answers.
async fn restart_old(c: Arc<Control>, cx: StepContext) -> Tried {
    restore(c.clone(), cx.clone()).await?;
    let s = server(&c, &cx).await?;
    let (machine, address) = (own_machine(&s)?, old(&s)?);
    // One that is off takes it up when it is started.
    if !c.provider.machine(&machine).await?.on
        || c.provider.guest_answers(&machine, s.family, &address).await?
    {
        return Ok(());
    }
    carry_out(&c, &cx, QUICK, c.provider.machine_reboot(&machine)).await?;
    address::wait_for(&c, &s, &machine, &address).await
}

async fn switched(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    // A repeat finds it done.
    if s.next_address.is_some() {
        let network = next_network(&c, &s).await?;
        c.store.edge_switched(cx.fence(), s.id, &network.network.0, c.clock.now_ms() + REST_MS).await?;
    }
    observe(&c, &cx, &s).await
}

/// The old edge is cleared and free, or stays out of the pool; with its network on it where that could not be taken away.
async fn leave(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    adopt(&c, &cx, QUICK).await?;
    let Some(edge) = c.store.edge_left_by(s.id).await? else { return Ok(()) };
    let now = c.clock.now_ms();
    let wanted: Wanted = serde_json::from_value(cx.params().clone()).unwrap_or_default();
    let name = edge.network_name.clone().unwrap_or_default();
    let group = current_group(&c, s.customer).await?;
    if group.is_some_and(|g| g.has_network(&name)) {
        // Its network could not be taken away.
        let held = Held { why: &wanted.why, keep_out: wanted.keep_out, network_stays: true };
        return Ok(c.store.edge_left(cx.fence(), s.id, Some(held), now).await?);
    }
    if let Some(found) = c.provider.network_find(&name).await? {
        carry_out(&c, &cx, QUICK, c.provider.network_delete(&found.network)).await?;
    }
    clear_speed(&c, &cx, &EdgeRef(edge.facts.provider_ref)).await?;
    let held = wanted.keep_out.then_some(Held { why: &wanted.why, keep_out: true, network_stays: false });
    Ok(c.store.edge_left(cx.fence(), s.id, held, now).await?)
}
