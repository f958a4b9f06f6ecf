//! The workflows: one file each.
//!
//! A step looks for what an earlier try of it may have left before it makes anything, under a name that is known
//! before the first try. So a repeat after a crash adopts instead of doubling.

mod activate;
mod migration;
mod power;
mod step;
mod terminate;

use std::sync::Arc;

use domain::kind::{Kind, Scope};
use jobs::Registry;

pub(crate) use power::FORCE_OFF;

use crate::control::Control;

pub(crate) fn registry(control: &Arc<Control>) -> Result<Registry, String> {
    let mut registry = Registry::default();
    for workflow in [activate::workflow(control), power::workflow(control), terminate::workflow(control)] {
        registry.add(workflow).map_err(|e| e.to_string())?;
    }
    Ok(registry)
}

/// The step keys and the shape version that a new job of this kind is accepted with.
pub(crate) fn plan(kind: Kind) -> Option<(Vec<&'static str>, i64)> {
    match kind {
        Kind::Activate => Some((activate::STEPS.iter().map(|s| s.key).collect(), activate::SHAPE)),
        Kind::Power => Some((power::STEPS.iter().map(|s| s.key).collect(), power::SHAPE)),
        Kind::Terminate => Some((terminate::STEPS.iter().map(|s| s.key).collect(), terminate::SHAPE)),
        _ => None,
    }
}

/// How widely a job of this kind keeps its place when it has failed (queue.md §4).
pub(crate) const fn hold_on_failure(kind: Kind) -> Scope {
    match kind {
        Kind::Activate | Kind::Refresh => Scope::None,
        _ => Scope::SameServer,
    }
}
