//! `change_ip`: another address of the edge's block, a switch with a way back.
//!
//! The new address is reserved before anything is changed, and the old one stays the server's until the guest answers under
//! the new one. If it does not, everything is put back as it was. The address that is given up rests before anybody gets it.

use std::{sync::Arc, time::Duration};

use domain::cause::Cause;
use jobs::StepContext;
use store::servers::Server;

use super::{
    machine::{QUICK, check, guest_settings, look_again, observe, own_edge, own_machine, seen},
    names::network_of,
    step::{Row, Stop, Tried, adopt, alone, carry_out, server},
};
use crate::{control::Control, provider::MachineRef};

/// Raised whenever steps are added, removed or renamed.
pub(super) const SHAPE: i64 = 1;

pub(super) const STEPS: &[Row] = &[
    alone!("address_check" after [] do check; undo look_again),
    alone!("address_reserve" after ["address_check"] do reserve; undo release),
    alone!("address_apply" after ["address_reserve"] do apply; undo restore),
    alone!("guest_restart" after ["address_apply"] do restart; undo restart_old),
    alone!("address_answers" after ["guest_restart"] do answers),
    alone!("address_switched" after ["address_answers"] do switched),
];

/// A guest is given so long to restart and answer.
const ANSWER: Duration = Duration::from_secs(5 * 60);
/// An address that was given up rests for a week: whoever knew it may still come to it.
pub(super) const REST_MS: i64 = 7 * 86_400_000;

pub(super) fn next(s: &Server) -> Result<String, Stop> {
    let next = s.next_address.clone();
    next.ok_or_else(|| Stop::Fail(Cause::Internal, "no address is reserved".into()))
}

pub(super) fn old(s: &Server) -> Result<String, Stop> {
    s.address.clone().ok_or_else(|| Stop::Fail(Cause::Internal, "the server has no address".into()))
}

async fn reserve(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let edge = own_edge(&c, &s).await?;
    match c.store.address_reserve(cx.fence(), s.id, &edge, c.clock.now_ms()).await? {
        Some(_) => Ok(()),
        None => Err(Stop::Fail(Cause::OrderInvalid, "its block has no other free address".into())),
    }
}

pub(super) async fn release(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    Ok(c.store.address_kept(cx.fence(), s.id).await?)
}

/// The platform's card and the guest's settings get this address.
async fn set(c: &Control, cx: &StepContext, address: &str) -> Tried {
    let (s, machine, m) = seen(c, cx).await?;
    let edge = own_edge(c, &s).await?;
    if !m.addresses.iter().any(|a| a == address) {
        let network = network_of(&s);
        carry_out(c, cx, QUICK, c.provider.machine_set_card(&machine, &network, address)).await?;
    }
    let settings = guest_settings(&s, &edge, address);
    carry_out(c, cx, QUICK, c.provider.machine_set_guest(&machine, &settings)).await
}

async fn apply(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    set(&c, &cx, &next(&s)?).await
}

async fn restore(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    set(&c, &cx, &old(&s)?).await
}

/// The guest takes up what it was told.
pub(super) async fn restart(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let machine = own_machine(&s)?;
    adopt(&c, &cx, QUICK).await?;
    // Of a restart whose answer was lost it is first seen whether it happened: another would cut short what has just come up.
    if (cx.unknown || cx.recorded_task.is_some()) && wait_for(&c, &s, &machine, &next(&s)?).await.is_ok() {
        return Ok(());
    }
    carry_out(&c, &cx, QUICK, c.provider.machine_reboot(&machine)).await
}

/// The way back: the old settings first, then the restart that takes them up, until the old address answers.
async fn restart_old(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let (machine, address) = (own_machine(&s)?, old(&s)?);
    set(&c, &cx, &address).await?;
    if c.provider.guest_answers(&machine, s.family, &address).await? {
        return Ok(());
    }
    carry_out(&c, &cx, QUICK, c.provider.machine_reboot(&machine)).await?;
    wait_for(&c, &s, &machine, &address).await
}

pub(super) async fn wait_for(c: &Control, s: &Server, machine: &MachineRef, address: &str) -> Tried {
    let until = tokio::time::Instant::now() + c.patience(ANSWER);
    loop {
        if c.provider.guest_answers(machine, s.family, address).await? {
            return Ok(());
        }
        if tokio::time::Instant::now() > until {
            return Err(Stop::Fail(Cause::AddressSilent, format!("nobody answers at {address}")));
        }
        tokio::time::sleep(c.provider.pause()).await;
    }
}

pub(super) async fn answers(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    wait_for(&c, &s, &own_machine(&s)?, &next(&s)?).await
}

async fn switched(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let edge = own_edge(&c, &s).await?;
    c.store.address_switched(cx.fence(), s.id, &edge, c.clock.now_ms() + REST_MS).await?;
    observe(&c, &cx, &s).await
}
