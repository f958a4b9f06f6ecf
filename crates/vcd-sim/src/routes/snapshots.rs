//! Snapshots: one a machine.

use axum::{extract::Path, response::Response};
use uuid::Uuid;

use super::{
    Ask, id_of, parse,
    power::{Target, target},
    sections,
    vapps::is_true,
    vms::alone,
};
use crate::{effects::Effect, errors::Refusal, model::Vm, server::Change, xml::Element};

pub(super) async fn create(ask: Ask, Path(id): Path<String>, body: String) -> Response {
    let result = ask
        .change(|c| {
            let target = target(c, &id)?;
            let doc = parse(c.world, &body, "CreateSnapshotParams")?;
            let memory = is_true(doc.root_element(), "memory", false);
            // A second one replaces the first.
            act(c, target, |_| true, "vappCreateSnapshot", |vms| Effect::SnapshotTaken { vms, memory })
        })
        .await;
    ask.task(result)
}

pub(super) async fn revert(ask: Ask, Path(id): Path<String>) -> Response {
    let result = ask
        .change(|c| {
            let target = target(c, &id)?;
            let has = |vm: &Vm| vm.snapshot.is_some();
            act(c, target, has, "vappRevertToCurrentSnapshot", Effect::SnapshotReverted)
        })
        .await;
    ask.task(result)
}

pub(super) async fn remove(ask: Ask, Path(id): Path<String>) -> Response {
    let result = ask
        .change(|c| {
            let target = target(c, &id)?;
            let has = |vm: &Vm| vm.snapshot.is_some();
            act(c, target, has, "vappRemoveAllSnapshots", Effect::SnapshotRemoved)
        })
        .await;
    ask.task(result)
}

fn act(
    c: &mut Change<'_>,
    target: Target,
    which: impl Fn(&Vm) -> bool,
    operation: &'static str,
    effect: impl FnOnce(Vec<Uuid>) -> Effect,
) -> Result<Uuid, Refusal> {
    let vms: Vec<Uuid> = target.vms.iter().filter(|vm| which(vm)).map(|vm| vm.id).collect();
    if vms.is_empty() {
        let text = format!("\"{}\" has no snapshot.", target.name);
        return Err(Refusal::new(400, "INVALID_STATE", text));
    }
    let n = vms.len();
    target.start(c, operation, n, effect(vms))
}

pub(super) async fn section(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let result = id_of(&id).and_then(|uuid| {
        if id.starts_with("vm-") {
            return Ok(alone(sections::snapshot_section(world.vm(uuid)?, ask.base())));
        }
        world.vapp(uuid)?;
        let vm = world.vms_of(uuid).find(|vm| vm.snapshot.is_some());
        Ok(match vm {
            Some(vm) => alone(sections::snapshot_section(vm, ask.base())),
            None => Element::vcloud("SnapshotSection").leaf("ovf:Info", "Snapshot information section"),
        })
    });
    ask.xml(200, "snapshotSection", result)
}
