//! `reset_password`: a new password by a forced customization, with one announced restart.
//!
//! The customization sets name, address and login again as they are in our record: what a customer broke of them is put
//! right on the way.

use std::sync::Arc;

use domain::cause::Cause;
use jobs::StepContext;

use super::{
    activate::{access_verify, guest_setup, guest_wait, secrets_clear},
    machine::{QUICK, check, observe, own_machine, seen, turn_off, turn_on_again},
    step::{Row, Stop, Tried, alone, carry_out, server},
};
use crate::control::Control;

/// Raised whenever steps are added, removed or renamed.
pub(super) const SHAPE: i64 = 2;

pub(super) const STEPS: &[Row] = &[
    alone!("password_check" after [] do check),
    alone!("password_write" after ["password_check"] do write; undo secrets_clear),
    alone!("machine_off" after ["password_write"] do off; undo turn_on_again),
    alone!("guest_customize" after ["machine_off"] do customize),
    alone!("guest_wait" after ["guest_customize"] do guest_wait),
    alone!("access_verify" after ["guest_wait"] do access_verify),
    alone!("secrets_clear" after ["access_verify"] do secrets_clear),
    alone!("password_done" after ["secrets_clear"] do done),
];

async fn write(c: Arc<Control>, cx: StepContext) -> Tried {
    let (s, machine, _) = seen(&c, &cx).await?;
    let setup = guest_setup(&c, &s).await?;
    if setup.password.is_none() {
        return Err(Stop::Fail(Cause::Internal, "the password is gone".into()));
    }
    carry_out(&c, &cx, QUICK, c.provider.machine_customize(&machine, &setup)).await
}

async fn off(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    turn_off(&c, &cx, &own_machine(&s)?).await
}

/// It was off: if it is on, an earlier try of this has turned it on.
async fn customize(c: Arc<Control>, cx: StepContext) -> Tried {
    let (_, machine, m) = seen(&c, &cx).await?;
    if !m.on {
        carry_out(&c, &cx, QUICK, c.provider.machine_power_on_and_customize(&machine)).await?;
    }
    Ok(())
}

async fn done(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    c.store.server_password_made(cx.fence(), s.id).await?;
    observe(&c, &cx, &s).await
}
