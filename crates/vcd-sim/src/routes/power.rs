//! Power: of one machine, or of every machine of a vApp.

use axum::{extract::Path, response::Response};
use uuid::Uuid;

use super::{Ask, id_of, parse, vapps::is_true};
use crate::{
    durations,
    effects::Effect,
    errors::Refusal,
    model::Vm,
    server::Change,
    tasks::{Entity, Start},
    xml::Read,
};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Power {
    On,
    Off,
    Reset,
    Reboot,
    Shutdown,
    Suspend,
    Discard,
}

/// What an action is about: the entity that its task belongs to, and the machines.
pub(super) struct Target {
    pub(super) entity: Entity,
    pub(super) name: String,
    pub(super) vms: Vec<Vm>,
}

/// Resolves `vm-U` or `vapp-U`, refusing what is held; that comes before a look at the body.
pub(super) fn target(c: &Change<'_>, id: &str) -> Result<Target, Refusal> {
    let uuid = id_of(id)?;
    if id.starts_with("vm-") {
        let vm = c.world.vm(uuid)?.clone();
        c.world.require_idle(&[Entity::Vm(uuid), Entity::Vapp(vm.vapp)])?;
        return Ok(Target { entity: Entity::Vm(uuid), name: vm.name.clone(), vms: vec![vm] });
    }
    let name = c.world.vapp(uuid)?.name.clone();
    c.world.require_idle(&c.world.vapp_and_vms(uuid))?;
    Ok(Target { entity: Entity::Vapp(uuid), name, vms: c.world.vms_of(uuid).cloned().collect() })
}

impl Target {
    fn ids(&self, which: impl Fn(&Vm) -> bool) -> Vec<Uuid> {
        self.vms.iter().filter(|vm| which(vm)).map(|vm| vm.id).collect()
    }

    pub(super) fn start(
        self,
        c: &mut Change<'_>,
        operation: &'static str,
        n: usize,
        effect: Effect,
    ) -> Result<Uuid, Refusal> {
        // An operation on a vApp holds its machines as well.
        let holds = match self.entity {
            Entity::Vapp(_) => self.vms.iter().map(|vm| Entity::Vm(vm.id)).collect(),
            _ => vec![],
        };
        c.start(Start {
            operation,
            duration: durations::of(operation, n),
            owner: self.entity,
            name: self.name,
            holds,
            effect,
        })
    }
}

fn invalid(text: String) -> Refusal {
    Refusal::new(400, "INVALID_STATE", text)
}

pub(super) async fn power(ask: Ask, Path(id): Path<String>, what: Power) -> Response {
    let result = ask
        .change(|c| {
            let target = target(c, &id)?;
            match what {
                Power::On => on(c, target, false),
                Power::Off => off(c, target, false, "vappPowerOff"),
                Power::Reset => running(c, target, "vappReset", Effect::Booted),
                Power::Reboot => running(c, target, "vappRebootGuest", Effect::Booted),
                Power::Shutdown => {
                    running(c, target, "vappShutdownGuest", |vms| Effect::PoweredOff { vms, undeploy: false })
                }
                Power::Suspend => {
                    running(c, target, "vappSuspend", |vms| Effect::Suspended { vms, undeploy: false })
                }
                Power::Discard => {
                    let vms = target.ids(|vm| vm.suspended);
                    if vms.is_empty() {
                        return Err(invalid(format!("\"{}\" is not suspended.", target.name)));
                    }
                    let n = vms.len();
                    target.start(c, "vappPowerOff", n, Effect::SuspensionDiscarded(vms))
                }
            }
        })
        .await;
    ask.task(result)
}

fn on(c: &mut Change<'_>, target: Target, force_customization: bool) -> Result<Uuid, Refusal> {
    let vms = target.ids(|vm| !vm.powered_on && !vm.failed);
    if vms.is_empty() {
        let broken = target.vms.iter().any(|vm| vm.failed);
        let state = if broken { "was not made whole" } else { "is already running" };
        return Err(invalid(format!("\"{}\" {state}.", target.name)));
    }
    let n = vms.len();
    target.start(c, "vappDeploy", n, Effect::PoweredOn { vms, force_customization })
}

/// Cuts the power. Without `undeploy` the machine stays deployed, as after a shutdown.
fn off(c: &mut Change<'_>, target: Target, undeploy: bool, operation: &'static str) -> Result<Uuid, Refusal> {
    let vms = target.ids(|vm| if undeploy { vm.deployed } else { vm.powered_on || vm.suspended });
    if vms.is_empty() {
        return Err(Refusal::not_running(&target.name));
    }
    let n = vms.len();
    target.start(c, operation, n, Effect::PoweredOff { vms, undeploy })
}

/// An action that only running machines know.
fn running(
    c: &mut Change<'_>,
    target: Target,
    operation: &'static str,
    effect: impl FnOnce(Vec<Uuid>) -> Effect,
) -> Result<Uuid, Refusal> {
    let vms = target.ids(|vm| vm.powered_on);
    if vms.is_empty() {
        return Err(Refusal::not_running(&target.name));
    }
    let n = vms.len();
    target.start(c, operation, n, effect(vms))
}

pub(super) async fn deploy(ask: Ask, Path(id): Path<String>, body: String) -> Response {
    let result = ask
        .change(|c| {
            let target = target(c, &id)?;
            let doc = parse(c.world, &body, "DeployVAppParams")?;
            let root = doc.root_element();
            let force = is_true(root, "forceCustomization", false);
            if force && target.vms.iter().any(|vm| vm.deployed) {
                return Err(invalid("Customization can be forced only while the VM is not deployed.".into()));
            }
            if !is_true(root, "powerOn", true) {
                let vms = target.ids(|vm| !vm.deployed);
                if vms.is_empty() {
                    return Err(invalid(format!("\"{}\" is already deployed.", target.name)));
                }
                let n = vms.len();
                let effect = Effect::Deployed { vms, force_customization: force };
                return target.start(c, "vappDeploy", n, effect);
            }
            on(c, target, force)
        })
        .await;
    ask.task(result)
}

pub(super) async fn undeploy(ask: Ask, Path(id): Path<String>, body: String) -> Response {
    let result = ask
        .change(|c| {
            let target = target(c, &id)?;
            let doc = parse(c.world, &body, "UndeployVAppParams")?;
            match doc.root_element().value("UndeployPowerAction").unwrap_or("default") {
                "suspend" => {
                    let suspend = |vms| Effect::Suspended { vms, undeploy: true };
                    running(c, target, "vappUndeploySuspend", suspend)
                }
                "shutdown" => {
                    let vms = target.ids(|vm| vm.deployed);
                    if vms.is_empty() {
                        return Err(Refusal::not_running(&target.name));
                    }
                    let n = vms.len();
                    target.start(c, "vappShutdownGuest", n, Effect::PoweredOff { vms, undeploy: true })
                }
                "powerOff" | "default" | "force" => off(c, target, true, "vappUndeployPowerOff"),
                other => {
                    Err(Refusal::bad(format!("validation error on field 'UndeployPowerAction': {other}")))
                }
            }
        })
        .await;
    ask.task(result)
}
