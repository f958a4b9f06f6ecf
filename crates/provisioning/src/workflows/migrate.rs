//! `migrate`: what stays of a customer's servers moves to a new group, and networks that nobody uses any more go with the old
//! one. Asked for by the observer, once nothing is in the way of a move that was not possible before.

use std::sync::Arc;

use jobs::StepContext;

use super::{
    migration::{self, Who},
    step::{Row, Tried, no_way_back, together},
    terminate::{compose, compose_undo, delete, move_back, move_over, plan_undo, rename, stop},
};
use crate::control::Control;

/// Raised whenever steps are added, removed or renamed.
pub(super) const SHAPE: i64 = 1;

pub(super) const STEPS: &[Row] = &[
    together!("migration_plan" after [] do plan; undo plan_undo),
    together!("group_compose" after ["migration_plan"] do compose; undo compose_undo),
    together!("machines_move" after ["group_compose"] do move_over; undo move_back),
    together!("group_stop" after ["machines_move"] do stop; undo no_way_back),
    together!("group_delete" after ["group_stop"] do delete; undo no_way_back),
    together!("group_rename" after ["group_delete"] do rename; undo no_way_back),
];

pub(super) async fn plan(c: Arc<Control>, all: Vec<StepContext>) -> Vec<Tried> {
    let tried = migration::decide(&c, &all, Who::Stays).await;
    vec![tried; all.len()]
}
