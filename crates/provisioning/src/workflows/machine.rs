//! One machine: finding a server's own, turning it off and on around a change, and writing down what is seen of it.

use std::{sync::Arc, time::Duration};

use domain::{cause::Cause, state::ServerState};
use jobs::StepContext;
use store::{
    edges::Edge,
    servers::{Seen, Server},
};

use super::{
    power,
    step::{Stop, Tried, adopt, carry_out, server},
};
use crate::{
    control::Control,
    provider::{GuestSettings, Machine, MachineRef},
};

/// Name servers of every guest.
pub(super) const DNS: [&str; 2] = ["1.1.1.1", "9.9.9.9"];
pub(super) const QUICK: Duration = Duration::from_secs(10 * 60);

pub(super) fn own_machine(s: &Server) -> Result<MachineRef, Stop> {
    let machine = s.machine_ref.clone().map(MachineRef);
    machine.ok_or_else(|| Stop::Fail(Cause::Internal, "the server has no machine".into()))
}

pub(super) async fn own_edge(c: &Control, s: &Server) -> Result<Edge, Stop> {
    let edge = c.store.edge_of(s.id).await?;
    edge.ok_or_else(|| Stop::Fail(Cause::Internal, "the server holds no edge".into()))
}

/// What the script inside the guest is told at each start, with this address.
pub(super) fn guest_settings(s: &Server, edge: &Edge, address: &str) -> GuestSettings {
    GuestSettings {
        hostname: s.hostname.clone(),
        address: address.to_owned(),
        gateway: edge.facts.gateway.clone(),
        prefix_length: edge.facts.prefix_length as u8,
        dns: DNS.map(str::to_owned).to_vec(),
    }
}

/// The server, its machine, and what is seen of it, once what an earlier try had begun is over.
pub(super) async fn seen(c: &Control, cx: &StepContext) -> Result<(Server, MachineRef, Machine), Stop> {
    let s = server(c, cx).await?;
    let machine = own_machine(&s)?;
    adopt(c, cx, QUICK).await?;
    let seen = c.provider.machine(&machine).await?;
    Ok((s, machine, seen))
}

/// Whether the server is to be on: as it was when the job began.
pub(super) fn was_on(s: &Server) -> bool {
    s.state != ServerState::Stopped
}

/// Shuts the machine down and takes its resources back, by its plug if its guest does not listen.
pub(super) async fn turn_off(c: &Control, cx: &StepContext, machine: &MachineRef) -> Tried {
    if !c.provider.machine(machine).await?.deployed {
        return Ok(());
    }
    match power::shut_down(c, cx, machine).await {
        Err(Stop::Fail(Cause::Timeout | Cause::TaskFailed, why)) => {
            tracing::warn!("the guest did not shut down ({why}): its power is cut");
            carry_out(c, cx, QUICK, c.provider.machine_stop(machine)).await
        }
        other => other,
    }
}

/// Turns the machine on, if the server was on.
pub(super) async fn turn_on_again(c: Arc<Control>, cx: StepContext) -> Tried {
    let (s, machine, seen) = seen(&c, &cx).await?;
    if was_on(&s) && !seen.on {
        carry_out(&c, &cx, QUICK, c.provider.machine_power_on(&machine)).await?;
    }
    Ok(())
}

/// What a machine says of its server.
pub(crate) fn seen_of(m: &Machine) -> Seen {
    Seen {
        state: if m.on { ServerState::Running } else { ServerState::Stopped },
        cpu_hot_add: m.cpu_hot_add,
        ram_hot_add: m.ram_hot_add,
        has_snapshot: m.has_snapshot,
    }
}

/// Writes down what the platform says of the server.
pub(super) async fn observe(c: &Control, cx: &StepContext, s: &Server) -> Tried {
    let m = c.provider.machine(&own_machine(s)?).await?;
    Ok(c.store.server_observed(cx.fence(), s.id, seen_of(&m), c.clock.now_ms()).await?)
}

/// A last step: what has become of it.
pub(super) async fn look(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    observe(&c, &cx, &s).await
}

/// The undo of a first step: what was taken back is seen as it is, also where it had got stuck before.
pub(super) async fn look_again(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    match &s.machine_ref {
        Some(_) => observe(&c, &cx, &s).await,
        None => Ok(()),
    }
}

/// The server has a machine, and is not on its way out.
pub(super) async fn check(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    if s.terminated_at.is_some() {
        return Err(Stop::Fail(Cause::OrderInvalid, "the server has been terminated".into()));
    }
    own_machine(&s).map(drop)
}
