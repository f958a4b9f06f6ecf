//! Power: one change of one machine, and what is then seen of it.
//!
//! Starting and switching off look first: a machine that is so already is left alone, so a repeat does nothing twice. A
//! restart cannot be seen afterwards, so one that was sent and not answered is not sent again: a second would cut short what
//! has just come up.
//!
//! Who asks for the power to be cut while a guest is still shutting down tells that very job (queue.md §4): its wait ends
//! and the power is cut.

use std::{sync::Arc, time::Duration};

use domain::{JobId, cause::Cause, power::PowerAction};
use jobs::StepContext;

use super::{
    machine::{observe, own_machine},
    step::{Row, Stop, Tried, adopt, alone, begin, carry_out, server},
};
use crate::{
    control::Control,
    provider::{MachineRef, ProviderError, ProviderErrorKind, TaskRef},
};

/// Raised whenever steps are added, removed or renamed.
pub(super) const SHAPE: i64 = 1;

pub(super) const STEPS: &[Row] = &[
    alone!("power_check" after [] do check),
    // What was switched stays so: it is only looked at.
    alone!("power_change" after ["power_check"] do change; undo look),
    alone!("power_observe" after ["power_change"] do look),
];

/// A guest that is asked to shut down is given so long.
pub(super) const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// A task that was cancelled is given so long to end.
const MOMENT: Duration = Duration::from_secs(20);
/// What a job that shuts down is told when somebody has had enough of waiting.
pub(crate) const FORCE_OFF: &str = "force_off";

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
    if action(&cx)? == PowerAction::ShutDown {
        return shut_down(&c, &cx, &machine).await;
    }
    adopt(&c, &cx, PATIENCE).await?;
    let sent_before = cx.unknown || cx.recorded_task.is_some();
    let seen = provider.machine(&machine).await?;
    match action(&cx)? {
        PowerAction::Start if seen.on => Ok(()),
        PowerAction::Start => carry_out(&c, &cx, PATIENCE, provider.machine_power_on(&machine)).await,
        PowerAction::ShutDown | PowerAction::ForceOff if !seen.deployed => Ok(()),
        PowerAction::ShutDown | PowerAction::ForceOff => {
            carry_out(&c, &cx, PATIENCE, provider.machine_stop(&machine)).await
        }
        PowerAction::Reboot | PowerAction::Reset if sent_before => Ok(()),
        PowerAction::Reboot => carry_out(&c, &cx, PATIENCE, provider.machine_reboot(&machine)).await,
        PowerAction::Reset => carry_out(&c, &cx, PATIENCE, provider.machine_reset(&machine)).await,
    }
}

/// Asks the guest to shut down and waits for it, unless somebody has had enough of waiting.
pub(super) async fn shut_down(c: &Control, cx: &StepContext, machine: &MachineRef) -> Tried {
    let task = match &cx.recorded_task {
        Some(task) => TaskRef(task.clone()),
        None if !c.provider.machine(machine).await?.deployed => return Ok(()),
        None => begin(cx, c.provider.machine_shut_down(machine)).await?,
    };
    let waited = tokio::select! {
        waited = c.provider.task_wait(&task, PATIENCE) => Some(waited),
        () = told_to_force(c, cx) => None,
    };
    match waited {
        Some(Ok(())) => Ok(()),
        // An earlier try's, and over: what is there now decides.
        Some(Err(e)) if cx.recorded_task.is_some() && over(&e) => {
            match c.provider.machine(machine).await?.deployed {
                true => carry_out(c, cx, PATIENCE, c.provider.machine_shut_down(machine)).await,
                false => Ok(()),
            }
        }
        Some(Err(e)) => Err(e.into()),
        None => force(c, cx, machine, &task).await,
    }
}

fn over(e: &ProviderError) -> bool {
    matches!(e.kind, ProviderErrorKind::TaskFailed | ProviderErrorKind::NotFound)
}

/// Returns when somebody has asked for the power to be cut.
async fn told_to_force(c: &Control, cx: &StepContext) {
    let mut changes = c.store.changes();
    loop {
        let told = c.store.job_told(JobId(cx.fence().job)).await;
        if told.is_ok_and(|told| told.as_deref() == Some(FORCE_OFF)) {
            return;
        }
        // What another node commits may be heard late, or never.
        let _ = tokio::time::timeout(c.provider.pause(), changes.recv()).await;
    }
}

/// The waiting ends: the platform's task is cancelled if it can be, and the power is cut.
async fn force(c: &Control, cx: &StepContext, machine: &MachineRef, task: &TaskRef) -> Tried {
    // It may be over by itself, or go on for a moment: what holds the machine is waited for, and no more.
    if let Err(e) = c.provider.task_cancel(task).await {
        tracing::debug!("the shutdown was not cancelled: {e}");
    }
    match c.provider.task_wait(task, MOMENT).await {
        Ok(()) => {}
        Err(e) if over(&e) => {}
        Err(e) if e.kind == ProviderErrorKind::Timeout => {
            return Err(Stop::Retry(Cause::PlatformBusy, "the shutdown cannot be cut short yet".into()));
        }
        Err(e) => return Err(e.into()),
    }
    if c.provider.machine(machine).await?.deployed {
        carry_out(c, cx, PATIENCE, c.provider.machine_stop(machine)).await?;
    }
    Ok(())
}

async fn look(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    observe(&c, &cx, &s).await
}
