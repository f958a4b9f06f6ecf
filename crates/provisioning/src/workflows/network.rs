//! Making a network: found by its name, made where it is not there, and ready when this returns.
//!
//! The task of a network ends before the network can be used, by seconds; and one whose realization has failed stays there, of no
//! use, under the name that the next try wants. Both are settled here.

use std::time::Duration;

use domain::cause::Cause;
use jobs::StepContext;

use super::{
    activate::QUICK,
    step::{Stop, carry_out},
};
use crate::{
    control::Control,
    provider::{NetworkFound, NetworkSpec},
};

/// How long a network may be configured after its task. Longer is a matter for the next try.
const REALIZING: Duration = Duration::from_secs(60);

pub(super) async fn made(c: &Control, cx: &StepContext, spec: &NetworkSpec) -> Result<NetworkFound, Stop> {
    let mut found = c.provider.network_find(&spec.name).await?;
    if let Some(broken) = found.take_if(|n| n.broken) {
        carry_out(c, cx, QUICK, c.provider.network_delete(&broken.network)).await?;
    }
    if found.is_none() {
        carry_out(c, cx, QUICK, c.provider.network_create(spec)).await?;
    }
    let until = tokio::time::Instant::now() + c.patience(REALIZING);
    loop {
        match c.provider.network_find(&spec.name).await? {
            None => return Err(Stop::Unknown(format!("network {} is not there after its task", spec.name))),
            Some(found) if found.ready => return Ok(found),
            Some(found) if found.broken || tokio::time::Instant::now() > until => {
                let what = if found.broken { "could not be made ready" } else { "is still being made" };
                return Err(Stop::Retry(Cause::PlatformBusy, format!("network {} {what}", spec.name)));
            }
            Some(_) => tokio::time::sleep(c.provider.pause()).await,
        }
    }
}
