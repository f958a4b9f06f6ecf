//! `resize` and `change_bandwidth`: each of the four parameters on its own, with at most one restart.
//!
//! What needs a restart is decided by what the machine is now, not by what the page said: a hot-add flag may have changed
//! since. The guest is never customized by it, so no password changes. Of a change that is taken back a disk stays as large
//! as it has become: nothing ever shrinks.

use std::sync::Arc;

use domain::{
    cause::Cause,
    resize::{Growth, Impossible, effects},
    size::Size,
};
use jobs::StepContext;
use serde::{Deserialize, Serialize};
use store::servers::{Price, Server};

use super::{
    machine::{QUICK, check, observe, own_edge, own_machine, seen, turn_off, turn_on_again, was_on},
    step::{Row, Stop, Tried, adopt, alone, carry_out, server},
};
use crate::{
    control::Control,
    provider::{EdgeRef, EdgeSpeed, Machine, MachineRef},
};

/// Raised whenever steps are added, removed or renamed.
pub(super) const SHAPE: i64 = 1;

pub(super) const STEPS: &[Row] = &[
    alone!("resize_check" after [] do resize_check),
    alone!("machine_off" after ["resize_check"] do off_for_wanted; undo turn_on_again),
    alone!("size_prepare" after ["machine_off"] do prepare; undo finish),
    alone!("size_apply" after ["size_prepare"] do apply; undo put_back),
    alone!("size_finish" after ["size_apply"] do finish),
    alone!("machine_on" after ["size_finish"] do turn_on_again; undo off_for_before),
    alone!("speed_apply" after ["resize_check"] do speed; undo speed_back),
    alone!("resized" after ["machine_on", "speed_apply"] do resized),
];

pub(super) const SPEED_STEPS: &[Row] = &[
    alone!("resize_check" after [] do check),
    alone!("speed_apply" after ["resize_check"] do speed; undo speed_back),
    alone!("resized" after ["speed_apply"] do resized),
];

/// What a job of these kinds is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wanted {
    pub(crate) size: Size,
    /// Per month, minor units, as it was shown when it was asked for.
    pub(crate) price_minor: i64,
    /// What of that is its panel's.
    #[serde(default)]
    pub(crate) panel_minor: i64,
}

fn wanted(cx: &StepContext) -> Result<Wanted, Stop> {
    let wanted = serde_json::from_value(cx.params().clone());
    wanted.map_err(|e| Stop::Fail(Cause::Internal, format!("the job does not say what to do: {e}")))
}

fn growth(m: &Machine) -> Growth {
    Growth {
        on: m.deployed,
        cpu_hot_add: m.cpu_hot_add,
        ram_hot_add: m.ram_hot_add,
        has_snapshot: m.has_snapshot,
    }
}

/// The size of a machine as it is; the speed is not the machine's.
fn size_of(m: &Machine, bandwidth_mbit: u32) -> Size {
    let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    Size {
        vcpu: number(m.vcpu),
        ram_gb: number(m.ram_mb / 1024),
        disk_gb: number(m.disk_mb / 1024),
        bandwidth_mbit,
    }
}

async fn resize_check(c: Arc<Control>, cx: StepContext) -> Tried {
    let (_, _, m) = seen(&c, &cx).await?;
    let wanted = wanted(&cx)?.size;
    match effects(size_of(&m, wanted.bandwidth_mbit), wanted, growth(&m)).impossible() {
        None => Ok(()),
        Some(Impossible::DiskShrinks) => {
            let text = format!("the disk has {} MiB already and never shrinks", m.disk_mb);
            Err(Stop::Fail(Cause::OrderInvalid, text))
        }
        Some(Impossible::SnapshotInTheWay) => {
            Err(Stop::Fail(Cause::SnapshotInTheWay, "the disk has a snapshot and stays as it is".into()))
        }
    }
}

/// Turns the machine off where it has to be off to reach this size.
async fn off_for(c: &Control, cx: &StepContext, size: Size) -> Tried {
    // Not through `seen`: a shutdown under way is adopted as such.
    let s = server(c, cx).await?;
    let machine = own_machine(&s)?;
    let m = c.provider.machine(&machine).await?;
    let shutting_down = cx.recorded_task.is_some();
    if shutting_down || effects(size_of(&m, size.bandwidth_mbit), size, growth(&m)).restarts() {
        return turn_off(c, cx, &machine).await;
    }
    Ok(())
}

async fn off_for_wanted(c: Arc<Control>, cx: StepContext) -> Tried {
    off_for(&c, &cx, wanted(&cx)?.size).await
}

/// Taking it back may need it off once more.
async fn off_for_before(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let m = c.provider.machine(&own_machine(&s)?).await?;
    off_for(&c, &cx, before(&s, &m)).await
}

/// The size to go back to: the disk stays.
fn before(s: &Server, m: &Machine) -> Size {
    Size { disk_gb: size_of(m, 0).disk_gb, ..s.size }
}

fn is(m: &Machine, size: Size) -> bool {
    let now = size_of(m, size.bandwidth_mbit);
    (now.vcpu, now.ram_gb) == (size.vcpu, size.ram_gb) && now.disk_gb >= size.disk_gb
}

async fn prepare(c: Arc<Control>, cx: StepContext) -> Tried {
    let (_, machine, m) = seen(&c, &cx).await?;
    if is(&m, wanted(&cx)?.size) {
        return Ok(());
    }
    prepared(&c, &cx, &machine).await
}

async fn prepared(c: &Control, cx: &StepContext, machine: &MachineRef) -> Tried {
    if c.provider.machine_prepared(machine).await? == Some(false) {
        carry_out(c, cx, QUICK, c.provider.machine_prepare(machine, true)).await?;
    }
    Ok(())
}

async fn sized(c: &Control, cx: &StepContext, machine: &MachineRef, size: Size) -> Tried {
    let (ram_mb, disk_mb) = (u64::from(size.ram_gb) * 1024, u64::from(size.disk_gb) * 1024);
    carry_out(c, cx, QUICK, c.provider.machine_resize(machine, size.vcpu, ram_mb, disk_mb)).await
}

async fn apply(c: Arc<Control>, cx: StepContext) -> Tried {
    let (_, machine, m) = seen(&c, &cx).await?;
    let size = wanted(&cx)?.size;
    if is(&m, size) {
        return Ok(());
    }
    sized(&c, &cx, &machine, size).await
}

async fn put_back(c: Arc<Control>, cx: StepContext) -> Tried {
    let (s, machine, m) = seen(&c, &cx).await?;
    let size = before(&s, &m);
    if is(&m, size) {
        return Ok(());
    }
    prepared(&c, &cx, &machine).await?;
    sized(&c, &cx, &machine, size).await
}

/// What was set for the change is put back; nothing of it reaches the guest.
async fn finish(c: Arc<Control>, cx: StepContext) -> Tried {
    let (_, machine, _) = seen(&c, &cx).await?;
    if c.provider.machine_prepared(&machine).await? == Some(true) {
        carry_out(&c, &cx, QUICK, c.provider.machine_prepare(&machine, false)).await?;
    }
    Ok(())
}

async fn set_speed(c: &Control, cx: &StepContext, mbit: u32) -> Tried {
    let s = server(c, cx).await?;
    let edge = EdgeRef(own_edge(c, &s).await?.facts.provider_ref);
    adopt(c, cx, QUICK).await?;
    if c.provider.edge_speed(&edge).await? != EdgeSpeed::Mbit(mbit) {
        carry_out(c, cx, QUICK, c.provider.edge_set_speed(&edge, Some(mbit))).await?;
    }
    Ok(())
}

async fn speed(c: Arc<Control>, cx: StepContext) -> Tried {
    set_speed(&c, &cx, wanted(&cx)?.size.bandwidth_mbit).await
}

async fn speed_back(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    set_speed(&c, &cx, s.size.bandwidth_mbit).await
}

async fn resized(c: Arc<Control>, cx: StepContext) -> Tried {
    let (s, _, m) = seen(&c, &cx).await?;
    let Wanted { size, price_minor, panel_minor } = wanted(&cx)?;
    let price = Price { minor: price_minor, panel_minor };
    if was_on(&s) && !m.on {
        return Err(Stop::Fail(Cause::TaskFailed, "the machine is off, and was on before".into()));
    }
    c.store.server_resized(cx.fence(), s.id, size, price).await?;
    observe(&c, &cx, &s).await
}
