//! Power: one change of one machine, and what is then seen of it.
//!
//! Starting and switching off look first: a machine that is so already is left alone, so a repeat does nothing twice. A
//! restart cannot be seen afterwards, so one that was sent and not answered is not sent again: a second would cut short what
//! has just come up.

use std::{sync::Arc, time::Duration};

use domain::{cause::Cause, power::PowerAction, state::ServerState};
use jobs::{StepContext, Workflow};

use super::{
    activate::own_machine,
    step::{Row, Run, Stop, Tried, adopt, carry_out, server, workflow as table},
};
use crate::control::Control;

/// Raised whenever steps are added, removed or renamed.
pub(super) const SHAPE: i64 = 1;

pub(super) const STEPS: &[Row] = &[
    Row { key: "power_check", after: &[], run: Run::Alone(|c, cx| Box::pin(check(c, cx))), undo: None },
    Row {
        key: "power_change",
        after: &["power_check"],
        run: Run::Alone(|c, cx| Box::pin(change(c, cx))),
        // What was switched stays so: it is only looked at.
        undo: Some(|c, cx| Box::pin(observe(c, cx))),
    },
    Row {
        key: "power_observe",
        after: &["power_change"],
        run: Run::Alone(|c, cx| Box::pin(observe(c, cx))),
        undo: None,
    },
];

/// A guest that is asked to shut down is given so long.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

pub(super) fn workflow(control: &Arc<Control>) -> Workflow {
    table(control, "power", SHAPE, STEPS)
}

fn action(cx: &StepContext) -> Result<PowerAction, Stop> {
    let word = cx.params()["action"].as_str().and_then(|word| word.parse().ok());
    word.ok_or_else(|| Stop::Fail(Cause::Internal, "the job does not say what to do".into()))
}

async fn check(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    action(&cx)?;
    own_machine(&s).map(drop)
}

async fn change(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let machine = own_machine(&s)?;
    let provider = &c.provider;
    adopt(&c, &cx, PATIENCE).await?;
    let sent_before = cx.unknown || cx.recorded_task.is_some();
    let seen = provider.machine(&machine).await?;
    match action(&cx)? {
        PowerAction::Start if seen.on => Ok(()),
        PowerAction::Start => carry_out(&c, &cx, PATIENCE, provider.machine_power_on(&machine)).await,
        PowerAction::ShutDown | PowerAction::ForceOff if !seen.deployed => Ok(()),
        PowerAction::ShutDown => carry_out(&c, &cx, PATIENCE, provider.machine_shut_down(&machine)).await,
        PowerAction::ForceOff => carry_out(&c, &cx, PATIENCE, provider.machine_stop(&machine)).await,
        PowerAction::Reboot | PowerAction::Reset if sent_before => Ok(()),
        PowerAction::Reboot => carry_out(&c, &cx, PATIENCE, provider.machine_reboot(&machine)).await,
        PowerAction::Reset => carry_out(&c, &cx, PATIENCE, provider.machine_reset(&machine)).await,
    }
}

async fn observe(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let seen = c.provider.machine(&own_machine(&s)?).await?;
    let state = if seen.on { ServerState::Running } else { ServerState::Stopped };
    Ok(c.store.server_observed(cx.fence(), s.id, state, c.clock.now_ms()).await?)
}
