//! `snapshot`: one a server. Taking another replaces it; going back to it leaves the server off.

use std::sync::Arc;

use domain::{cause::Cause, snapshot::SnapshotAction};
use jobs::StepContext;

use super::{
    machine::{QUICK, check, look, seen},
    step::{Row, Stop, Tried, alone, carry_out},
};
use crate::control::Control;

/// Raised whenever steps are added, removed or renamed.
pub(super) const SHAPE: i64 = 1;

pub(super) const STEPS: &[Row] = &[
    alone!("snapshot_check" after [] do check),
    // What was written over or deleted does not come back: it is only looked at.
    alone!("snapshot_change" after ["snapshot_check"] do change; undo look),
    alone!("snapshot_observe" after ["snapshot_change"] do look),
];

fn action(cx: &StepContext) -> Result<SnapshotAction, Stop> {
    let word = cx.params()["action"].as_str().and_then(|word| word.parse().ok());
    word.ok_or_else(|| Stop::Fail(Cause::Internal, "the job does not say what to do".into()))
}

async fn change(c: Arc<Control>, cx: StepContext) -> Tried {
    let (s, machine, m) = seen(&c, &cx).await?;
    match action(&cx)? {
        // Its task was waited for. Where none is known it may not have been sent, and is sent again: another snapshot is as
        // good as the one before, and what was gone back to has not run since.
        SnapshotAction::Create | SnapshotAction::Revert if cx.recorded_task.is_some() && m.has_snapshot => {}
        SnapshotAction::Create => carry_out(&c, &cx, QUICK, c.provider.machine_snapshot(&machine)).await?,
        SnapshotAction::Revert if !m.has_snapshot => {
            return Err(Stop::Fail(Cause::OrderInvalid, "there is no snapshot any more".into()));
        }
        SnapshotAction::Revert => {
            carry_out(&c, &cx, QUICK, c.provider.machine_snapshot_revert(&machine)).await?;
        }
        SnapshotAction::Remove if !m.has_snapshot => {}
        SnapshotAction::Remove => {
            carry_out(&c, &cx, QUICK, c.provider.machine_snapshot_remove(&machine)).await?;
        }
    }
    if action(&cx)? == SnapshotAction::Create {
        c.store.server_snapshot_taken(cx.fence(), s.id, c.clock.now_ms()).await?;
    }
    Ok(())
}
