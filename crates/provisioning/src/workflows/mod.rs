//! The workflows: one file each.
//!
//! A step looks for what an earlier try of it may have left before it makes anything, under a name that is known
//! before the first try. So a repeat after a crash adopts instead of doubling.

mod activate;
mod activate_back;
mod address;
mod change_edge;
mod machine;
mod migrate;
mod migration;
mod names;
mod network;
mod panel;
mod password;
mod power;
mod reinstall;
mod repair;
mod resize;
mod snapshot;
mod step;
mod terminate;

use std::sync::Arc;

use domain::kind::{Kind, Scope};
use jobs::Registry;

pub(crate) use activate::{OTHER_EDGE, TEMPLATE};
pub(crate) use change_edge::Wanted as WantedEdge;
pub(crate) use machine::seen_of;
pub(crate) use migration::left_behind_in;
pub(crate) use names::{group_name, machine_name, network_of, next_group_name, server_of_network};
pub(crate) use power::FORCE_OFF;
pub(crate) use resize::Wanted;

use self::step::Row;
use crate::control::Control;

/// A workflow's table: its steps and the version of their shape.
struct Table {
    kind: Kind,
    shape: i64,
    steps: &'static [Row],
    /// What fails for good before this step is done is taken back at once: whatever was there before is there again.
    turns_back_until: Option<&'static str>,
    /// Steps that do no harm when they are done once more: each reads what is there and does what is missing.
    again: &'static [&'static str],
}

const TABLES: &[Table] = &[
    Table {
        kind: Kind::Activate,
        shape: activate::SHAPE,
        steps: activate::STEPS,
        turns_back_until: None,
        again: activate::AGAIN,
    },
    Table {
        kind: Kind::Terminate,
        shape: terminate::SHAPE,
        steps: terminate::STEPS,
        turns_back_until: None,
        again: &[],
    },
    Table {
        kind: Kind::Power,
        shape: power::SHAPE,
        steps: power::STEPS,
        turns_back_until: None,
        again: &["power_check"],
    },
    Table {
        kind: Kind::Resize,
        shape: resize::SHAPE,
        steps: resize::STEPS,
        turns_back_until: None,
        again: &["size_finish"],
    },
    Table {
        kind: Kind::ChangeBandwidth,
        shape: resize::SHAPE,
        steps: resize::SPEED_STEPS,
        turns_back_until: None,
        again: &["resize_check", "speed_apply"],
    },
    Table {
        kind: Kind::ChangeIp,
        shape: address::SHAPE,
        steps: address::STEPS,
        turns_back_until: Some("address_switched"),
        again: &[],
    },
    Table {
        kind: Kind::ChangeEdge,
        shape: change_edge::SHAPE,
        steps: change_edge::STEPS,
        turns_back_until: Some("address_switched"),
        again: &[],
    },
    Table {
        kind: Kind::Migrate,
        shape: migrate::SHAPE,
        steps: migrate::STEPS,
        turns_back_until: None,
        again: &[],
    },
    Table {
        kind: Kind::Reinstall,
        shape: reinstall::SHAPE,
        steps: reinstall::STEPS,
        turns_back_until: None,
        again: reinstall::AGAIN,
    },
    Table {
        kind: Kind::InstallPanel,
        shape: panel::SHAPE,
        steps: panel::STEPS,
        turns_back_until: None,
        again: &["panel_check", "panel_install"],
    },
    Table {
        kind: Kind::ResetPassword,
        shape: password::SHAPE,
        steps: password::STEPS,
        turns_back_until: None,
        again: &["guest_wait", "access_verify"],
    },
    Table {
        kind: Kind::Repair,
        shape: repair::SHAPE,
        steps: repair::STEPS,
        turns_back_until: None,
        again: &["repair_check", "repair_machine", "repair_speed"],
    },
    Table {
        kind: Kind::Snapshot,
        shape: snapshot::SHAPE,
        steps: snapshot::STEPS,
        turns_back_until: None,
        again: &["snapshot_check"],
    },
];

pub(crate) fn registry(control: &Arc<Control>) -> Result<Registry, String> {
    let mut registry = Registry::default();
    for table in TABLES {
        let workflow = step::workflow(control, table.kind.as_str(), table.shape, table.steps);
        let workflow = jobs::Workflow { turns_back_until: table.turns_back_until, ..workflow };
        registry.add(workflow).map_err(|e| e.to_string())?;
    }
    Ok(registry)
}

/// The step keys and the shape version that a new job of this kind is accepted with.
pub(crate) fn plan(kind: Kind) -> Option<(Vec<&'static str>, i64)> {
    let table = TABLES.iter().find(|t| t.kind == kind)?;
    Some((table.steps.iter().map(|s| s.key).collect(), table.shape))
}

/// The keys of the steps that jobs have: of this kind, or of any.
pub fn step_keys(kind: Option<Kind>) -> Vec<&'static str> {
    let mut keys = Vec::new();
    for row in TABLES.iter().filter(|t| kind.is_none_or(|kind| t.kind == kind)).flat_map(|t| t.steps) {
        if !keys.contains(&row.key) {
            keys.push(row.key);
        }
    }
    keys
}

/// What staff may change when they run a job again from this step (`slipway jobs rerun … --set NAME=VALUE`).
pub fn inputs_of(kind: Kind, step: &str) -> &'static [&'static str] {
    let table = TABLES.iter().find(|t| t.kind == kind);
    table.and_then(|t| t.steps.iter().find(|s| s.key == step)).map_or(&[], |s| s.inputs)
}

/// A step that is done, from which a failed job may be run again, or why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlierStep {
    pub key: String,
    /// What is done once more: itself, and what is done and comes after it.
    pub repeats: Vec<String>,
    /// The first of these that cannot be done once more.
    pub in_the_way: Option<String>,
}

/// The steps of a failed job that are done, each with what running from it would do once more.
pub fn earlier_steps(job: &store::jobs::Job) -> Vec<EarlierStep> {
    let Some(table) = TABLES.iter().find(|t| t.kind == job.kind) else { return Vec::new() };
    let done =
        |key: &str| job.steps.iter().any(|s| s.key == key && s.state == domain::state::StepState::Done);
    // A table names what comes before a step first.
    let after = |from: &str| {
        let mut all = vec![from.to_owned()];
        for row in table.steps {
            if row.after.iter().any(|key| all.iter().any(|k| k == key)) {
                all.push(row.key.to_owned());
            }
        }
        all
    };
    let rows = table.steps.iter().filter(|row| done(row.key));
    rows.map(|row| {
        let repeats: Vec<String> = after(row.key).into_iter().filter(|key| done(key)).collect();
        let in_the_way = repeats.iter().find(|key| !table.again.contains(&key.as_str())).cloned();
        EarlierStep { key: row.key.to_owned(), repeats, in_the_way }
    })
    .collect()
}

/// The steps that a job's duration is made of, in their order: from its last step back, each time to the predecessor that
/// ended last.
pub fn critical_path(job: &store::jobs::Job) -> Vec<&store::jobs::JobStep> {
    let Some(table) = TABLES.iter().find(|t| t.kind == job.kind) else { return Vec::new() };
    let step = |key: &str| job.steps.iter().find(|s| s.key == key && s.finished_at.is_some());
    let ended = |s: &&store::jobs::JobStep| s.finished_at;
    let mut at = job.steps.iter().filter(|s| s.finished_at.is_some()).max_by_key(|s| s.finished_at);
    let mut path = Vec::new();
    while let Some(now) = at {
        path.push(now);
        let row = table.steps.iter().find(|r| r.key == now.key);
        at = row.and_then(|r| r.after.iter().filter_map(|key| step(key)).max_by_key(ended));
    }
    path.reverse();
    path
}

/// How widely a job of this kind keeps its place when it has failed (queue.md §4).
pub(crate) const fn hold_on_failure(kind: Kind) -> Scope {
    match kind {
        // A server whose panel failed runs: its owner may restart it or install it anew meanwhile.
        Kind::Activate | Kind::Refresh | Kind::Repair | Kind::Migrate | Kind::InstallPanel => Scope::None,
        _ => Scope::SameServer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_of_a_kind_and_of_all() {
        let (power, all) = (step_keys(Some(Kind::Power)), step_keys(None));
        assert_eq!(power, ["power_check", "power_change", "power_observe"]);
        assert!(power.iter().all(|key| all.contains(key)) && all.contains(&"network_create"));
        let once: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(once.len(), all.len(), "kinds share steps, and each is named once");
    }
}
