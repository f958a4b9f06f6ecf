//! The rows that customers read instead of steps: several steps may be one row.
//!
//! A row is the last part of message ids. What a step does, and in which order, is its workflow's.

use domain::{kind::Kind, state::StepState};
use store::jobs::{Job, JobStep};

const ACTIVATE_ROWS: &[(&str, &[&str])] = &[
    ("order-check", &["order_check"]),
    ("edge-claim", &["edge_claim"]),
    ("network", &["network_create", "qos_apply"]),
    ("group", &["group_ensure"]),
    ("copy", &["machine_create"]),
    ("size", &["machine_resize"]),
    ("customize", &["guest_customize"]),
    ("start", &["power_on", "guest_wait"]),
    ("access", &["access_verify"]),
    ("finish", &["secrets_clear", "ready"]),
];

const TERMINATE_ROWS: &[(&str, &[&str])] = &[
    ("terminate-check", &["terminate_check", "migration_plan"]),
    ("neighbours-move", &["group_compose", "machines_move"]),
    ("stop", &["group_stop"]),
    ("delete", &["group_delete", "group_rename"]),
    ("network-delete", &["network_delete"]),
    ("edge-clear", &["edge_clear", "terminated"]),
];

const POWER_ROWS: &[(&str, &[&str])] = &[
    ("terminate-check", &["power_check"]),
    ("power", &["power_change"]),
    ("power-observe", &["power_observe"]),
];

const RESIZE_ROWS: &[(&str, &[&str])] = &[
    ("terminate-check", &["resize_check"]),
    ("shut-down", &["machine_off"]),
    ("size", &["size_prepare", "size_apply", "size_finish"]),
    ("start", &["machine_on"]),
    ("speed", &["speed_apply"]),
    ("finish", &["resized"]),
];

const SPEED_ROWS: &[(&str, &[&str])] =
    &[("terminate-check", &["resize_check"]), ("speed", &["speed_apply"]), ("finish", &["resized"])];

const ADDRESS_ROWS: &[(&str, &[&str])] = &[
    ("address-reserve", &["address_check", "address_reserve"]),
    ("address", &["address_apply"]),
    ("restart", &["guest_restart"]),
    ("address-answers", &["address_answers"]),
    ("finish", &["address_switched"]),
];

const EDGE_ROWS: &[(&str, &[&str])] = &[
    ("edge-claim", &["address_check", "edge_claim"]),
    ("network", &["network_create", "qos_apply", "group_ensure"]),
    ("address", &["address_reserve", "address_apply"]),
    ("restart", &["guest_restart"]),
    ("address-answers", &["address_answers", "address_switched"]),
    ("neighbours-move", &["migration_plan", "group_compose", "machines_move"]),
    ("network-delete", &["group_stop", "group_delete", "group_rename"]),
    ("edge-clear", &["edge_clear"]),
];

const MIGRATE_ROWS: &[(&str, &[&str])] = &[
    ("neighbours-move", &["migration_plan", "group_compose", "machines_move"]),
    ("network-delete", &["group_stop", "group_delete", "group_rename"]),
];

const REINSTALL_ROWS: &[(&str, &[&str])] = &[
    ("terminate-check", &["reinstall_check"]),
    ("remove", &["machine_remove"]),
    ("copy", &["machine_create"]),
    ("size", &["machine_resize"]),
    ("customize", &["guest_customize"]),
    ("start", &["power_on", "guest_wait"]),
    ("access", &["access_verify"]),
    ("finish", &["secrets_clear", "ready"]),
];

const PASSWORD_ROWS: &[(&str, &[&str])] = &[
    ("terminate-check", &["password_check"]),
    ("password", &["password_write"]),
    ("shut-down", &["machine_off"]),
    ("start", &["guest_customize", "guest_wait"]),
    ("access", &["access_verify"]),
    ("finish", &["secrets_clear", "password_done"]),
];

const PANEL_ROWS: &[(&str, &[&str])] =
    &[("panel", &["panel_check", "panel_install", "panel_record", "panel_leave"])];

const REPAIR_ROWS: &[(&str, &[&str])] = &[
    ("terminate-check", &["repair_check"]),
    ("repair", &["repair_machine", "repair_speed"]),
    ("restart", &["repair_restart"]),
    ("finish", &["repair_observe"]),
];

const SNAPSHOT_ROWS: &[(&str, &[&str])] = &[
    ("terminate-check", &["snapshot_check"]),
    ("snapshot", &["snapshot_change"]),
    ("finish", &["snapshot_observe"]),
];

fn rows_of(kind: Kind) -> &'static [(&'static str, &'static [&'static str])] {
    match kind {
        Kind::Power => POWER_ROWS,
        Kind::Terminate => TERMINATE_ROWS,
        Kind::Resize => RESIZE_ROWS,
        Kind::ChangeBandwidth => SPEED_ROWS,
        Kind::ChangeIp => ADDRESS_ROWS,
        Kind::ChangeEdge => EDGE_ROWS,
        Kind::Migrate => MIGRATE_ROWS,
        Kind::Reinstall => REINSTALL_ROWS,
        Kind::ResetPassword => PASSWORD_ROWS,
        Kind::Snapshot => SNAPSHOT_ROWS,
        Kind::Repair => REPAIR_ROWS,
        Kind::InstallPanel => PANEL_ROWS,
        _ => ACTIVATE_ROWS,
    }
}

/// A job's steps as rows: the message id of each, and its steps folded into one.
pub fn customer_rows(job: &Job) -> Vec<(&'static str, JobStep)> {
    rows_of(job.kind)
        .iter()
        .filter_map(|(row, keys)| {
            let steps: Vec<&JobStep> = job.steps.iter().filter(|s| keys.contains(&s.key.as_str())).collect();
            Some((*row, fold(&steps)?))
        })
        .collect()
}

/// The row that a step belongs to.
pub fn customer_row(kind: Kind, step: &str) -> Option<&'static str> {
    rows_of(kind).iter().find(|(_, keys)| keys.contains(&step)).map(|(row, _)| *row)
}

/// Several steps as one: worst state first, from the first start to the last end.
fn fold(steps: &[&JobStep]) -> Option<JobStep> {
    let first = *steps.first()?;
    let all = |state| steps.iter().all(|s| s.state == state);
    let any = |state| steps.iter().any(|s| s.state == state);
    let state = if any(StepState::Failed) {
        StepState::Failed
    } else if any(StepState::RetryWait) {
        StepState::RetryWait
    } else if all(StepState::Done) {
        StepState::Done
    } else if any(StepState::Running) || any(StepState::Done) {
        StepState::Running
    } else {
        StepState::Pending
    };
    Some(JobStep {
        state,
        started_at: steps.iter().filter_map(|s| s.started_at).min(),
        finished_at: if state == StepState::Done {
            steps.iter().filter_map(|s| s.finished_at).max()
        } else {
            None
        },
        retry_at: steps.iter().filter_map(|s| s.retry_at).min(),
        progress: steps.iter().filter_map(|s| s.progress.clone()).next_back(),
        ..first.clone()
    })
}

/// The first unfinished row, and how many there are.
pub(super) fn progress(job: &Job) -> (usize, usize) {
    let rows = customer_rows(job);
    let done = rows.iter().take_while(|(_, s)| s.state == StepState::Done).count();
    ((done + 1).min(rows.len().max(1)), rows.len())
}

/// What of an order is there already: the rows that made something and are done.
pub fn what_exists(job: &Job) -> Vec<&'static str> {
    let makes = |row: &str| matches!(row, "edge-claim" | "network" | "group" | "copy");
    let there =
        |(row, step): (&'static str, JobStep)| (makes(row) && step.state == StepState::Done).then_some(row);
    customer_rows(job).into_iter().filter_map(there).collect()
}
