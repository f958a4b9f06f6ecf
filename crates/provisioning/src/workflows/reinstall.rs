//! `reinstall`: a fresh machine, of the same system or another, in place of the old one, under the same name, address and
//! price.
//!
//! Everything on the old one is gone from the second step on: there is no way back, and a job that failed is run again.

use std::sync::Arc;

use domain::{cause::Cause, reinstall::System};
use jobs::StepContext;

use super::{
    activate::{
        access_verify, guest_customize, guest_wait, machine_create, machine_resize, power_on, ready,
        secrets_clear,
    },
    machine::{QUICK, own_machine},
    migration::current_group,
    step::{Row, Stop, Tried, adopt, alone, carry_out, no_way_back, server, together},
};
use crate::control::Control;

/// Raised whenever steps are added, removed or renamed.
pub(super) const SHAPE: i64 = 2;

/// What has been customized is not customized once more.
pub(super) const AGAIN: &[&str] =
    &["machine_create", "machine_resize", "power_on", "guest_wait", "access_verify"];

pub(super) const STEPS: &[Row] = &[
    alone!("reinstall_check" after [] do super::machine::check),
    alone!("machine_remove" after ["reinstall_check"] do remove; undo no_way_back),
    together!("machine_create" after ["machine_remove"] do machine_create; undo no_way_back),
    alone!("machine_resize" after ["machine_create"] do machine_resize),
    alone!("guest_customize" after ["machine_resize"] do guest_customize),
    alone!("power_on" after ["guest_customize"] do power_on),
    alone!("guest_wait" after ["power_on"] do guest_wait),
    alone!("access_verify" after ["guest_wait"] do access_verify),
    alone!("secrets_clear" after ["access_verify"] do secrets_clear),
    alone!("ready" after ["secrets_clear"] do done),
];

/// The system that was asked for; `None` in a job from before one could be chosen.
fn wanted(cx: &StepContext) -> Result<Option<System>, Stop> {
    if cx.params().get("template_id").is_none() {
        return Ok(None);
    }
    let unreadable = |e: serde_json::Error| Stop::Fail(Cause::Internal, format!("its parameters: {e}"));
    serde_json::from_value(cx.params().clone()).map(Some).map_err(unreadable)
}

async fn remove(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    adopt(&c, &cx, QUICK).await?;
    // From here on the old system is as good as gone.
    if let Some(system) = wanted(&cx)? {
        c.store.server_system(cx.fence(), s.id, &system).await?;
    }
    let Some(group) = current_group(&c, s.customer).await? else { return Ok(()) };
    let name = super::names::machine_name(s.id);
    if let Some(machine) = group.machine_named(&name) {
        if machine.deployed {
            carry_out(&c, &cx, QUICK, c.provider.machine_stop(&machine.machine)).await?;
        }
        carry_out(&c, &cx, QUICK, c.provider.machine_delete(&group.group, &machine.machine)).await?;
    }
    Ok(())
}

async fn done(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    own_machine(&s)?;
    if wanted(&cx)?.is_none() && s.method.uses_password() {
        c.store.server_password_made(cx.fence(), s.id).await?;
    }
    ready(c, cx).await
}
