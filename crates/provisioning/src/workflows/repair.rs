//! `repair`: what a customer broke, or somebody changed in the cloud, is put back as the record has it.
//!
//! Card, settings, flag and speed are put right while the server runs; what is inside the guest follows at its next start,
//! or at once where a restart was asked for. Size is not touched: that is a decision.

use std::sync::Arc;

use jobs::StepContext;

use super::{
    machine::{QUICK, check, guest_settings, look, own_edge, seen},
    names::network_of,
    step::{Row, Tried, adopt, alone, carry_out, server},
};
use crate::{
    control::Control,
    provider::{EdgeRef, EdgeSpeed},
};

/// Raised whenever steps are added, removed or renamed.
pub(super) const SHAPE: i64 = 1;

// Nothing of it is taken back: each puts something as it should be.
pub(super) const STEPS: &[Row] = &[
    alone!("repair_check" after [] do check),
    alone!("repair_machine" after ["repair_check"] do machine),
    alone!("repair_speed" after ["repair_check"] do speed),
    alone!("repair_restart" after ["repair_machine"] do restart),
    alone!("repair_observe" after ["repair_restart", "repair_speed"] do look),
];

async fn machine(c: Arc<Control>, cx: StepContext) -> Tried {
    let (s, machine, m) = seen(&c, &cx).await?;
    let address = s.address.clone().unwrap_or_default();
    if !address.is_empty() && !m.addresses.contains(&address) {
        carry_out(&c, &cx, QUICK, c.provider.machine_set_card(&machine, &network_of(&s), &address)).await?;
    }
    if c.provider.machine_prepared(&machine).await? == Some(true) {
        carry_out(&c, &cx, QUICK, c.provider.machine_prepare(&machine, false)).await?;
    }
    let settings = guest_settings(&s, &own_edge(&c, &s).await?, &address);
    carry_out(&c, &cx, QUICK, c.provider.machine_set_guest(&machine, &settings)).await
}

async fn speed(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let Some(edge) = c.store.edge_of(s.id).await? else { return Ok(()) };
    let edge = EdgeRef(edge.facts.provider_ref);
    adopt(&c, &cx, QUICK).await?;
    let mbit = s.size.bandwidth_mbit;
    if c.provider.edge_speed(&edge).await? != EdgeSpeed::Mbit(mbit) {
        carry_out(&c, &cx, QUICK, c.provider.edge_set_speed(&edge, Some(mbit))).await?;
    }
    Ok(())
}

async fn restart(c: Arc<Control>, cx: StepContext) -> Tried {
    let (_, machine, m) = seen(&c, &cx).await?;
    let sent_before = cx.unknown || cx.recorded_task.is_some();
    if cx.params()["restart"].as_bool() != Some(true) || !m.on || sent_before {
        return Ok(());
    }
    carry_out(&c, &cx, QUICK, c.provider.machine_reboot(&machine)).await
}
