//! The simulator's own controls, which no real cloud has: faults, knobs, time, changes by a foreign hand. Guests have theirs
//! in `guests`.
//!
//! They ask for no session: they are for whoever runs the simulator, on loopback. Changes need a JSON body with its
//! content type, which a page of another origin cannot send unasked.

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest, Path, Request},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{Ask, id_of};
use crate::{
    durations::DURATIONS,
    effects::Effect,
    errors::Refusal,
    faults::{Asked, Fault},
    server::Simulator,
    tasks::{Entity, Start, TaskStatus},
    world::World,
};

/// A JSON body; nothing at all stands for an empty object. What is wrong with it is said in JSON too.
pub(super) struct Told<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Simulator> for Told<T> {
    type Rejection = Response;

    async fn from_request(request: Request, sim: &Simulator) -> Result<Self, Response> {
        let refused = |text: String| Refusal::bad(text).into_json("-");
        let json = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let json = json.is_some_and(|v| v.starts_with("application/json"));
        let bytes = Bytes::from_request(request, sim).await.map_err(|e| refused(e.to_string()))?;
        if !json && !bytes.is_empty() {
            return Err(refused("the content type application/json is expected".into()));
        }
        let body: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(body).map(Self).map_err(|e| refused(e.to_string()))
    }
}

pub(super) fn done(ask: &Ask, result: Result<(), Refusal>) -> Response {
    match result {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => refusal.into_json(&ask.around.request_id),
    }
}

pub(super) async fn durations() -> Json<Value> {
    Json(json!(DURATIONS))
}

pub(super) async fn knobs(ask: Ask) -> Response {
    ask.json(Ok(json!(ask.read().knobs)))
}

pub(super) async fn knobs_set(ask: Ask, Told(body): Told<Value>) -> Response {
    let result = ask.change(|c| c.world.knobs.set(&body).map_err(Refusal::bad)).await;
    done(&ask, result)
}

pub(super) async fn clock(ask: Ask) -> Response {
    let next = ask.read().agenda.next_at();
    ask.json(Ok(json!({"now_ms": ask.now(), "next_due_ms": next})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    /// Cloud ms; without it, to the next thing that is due.
    ms: Option<u32>,
}

pub(super) async fn step(ask: Ask, Told(step): Told<Step>) -> Response {
    let now = ask.now();
    let next = ask.read().agenda.next_at().map_or(0, |at| at - now);
    let moved = ask.sim.step(step.ms.map_or(next, i64::from));
    let result = ask.change(|_| Ok(())).await;
    done(&ask, if moved { result } else { Err(Refusal::bad("Time runs by itself: start with --stepped.")) })
}

pub(super) async fn sessions_end(ask: Ask) -> Response {
    ask.sim.expire_sessions();
    done(&ask, Ok(()))
}

pub(super) async fn faults(ask: Ask) -> Response {
    let tasks = ask.read().task_faults.clone();
    ask.json(Ok(json!({"tasks": tasks, "requests": *ask.sim.request_faults()})))
}

pub(super) async fn fault_add(ask: Ask, Told(asked): Told<Asked>) -> Response {
    let result = match asked.read().map_err(Refusal::bad) {
        Ok(Fault::Task(fault)) => {
            ask.change(|c| {
                c.world.task_faults.push(fault);
                Ok(())
            })
            .await
        }
        Ok(Fault::Request(fault)) => {
            ask.sim.request_faults().push(fault);
            Ok(())
        }
        Err(refusal) => Err(refusal),
    };
    done(&ask, result)
}

pub(super) async fn faults_clear(ask: Ask) -> Response {
    ask.sim.request_faults().clear();
    let result = ask
        .change(|c| {
            c.world.task_faults.clear();
            Ok(())
        })
        .await;
    done(&ask, result)
}

/// What a URN or an href points to.
fn entity(world: &World, reference: &str) -> Result<Entity, Refusal> {
    let id = id_of(reference)?;
    [Entity::Vm(id), Entity::Vapp(id), Entity::Network(id), Entity::Gateway(id)]
        .into_iter()
        .find(|e| match e {
            Entity::Vm(id) => world.vms.contains_key(id),
            Entity::Vapp(id) => world.vapps.contains_key(id),
            Entity::Network(id) => world.networks.contains_key(id),
            Entity::Gateway(id) => world.edges.contains_key(id),
        })
        .ok_or_else(|| Refusal::forbidden("entity", id))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Busy {
    entity: String,
    ms: i64,
}

/// Somebody else works on an entity for so long, under a task that the tenant may not read.
pub(super) async fn busy(ask: Ask, Told(busy): Told<Busy>) -> Response {
    let result = ask
        .sim
        .change("vcenter-automation", |c| {
            let owner = entity(c.world, &busy.entity)?;
            c.world.require_idle(&[owner])?;
            let operation = match owner {
                Entity::Vm(_) => "vappUpdateVm",
                Entity::Vapp(_) => "vdcUpdateVapp",
                Entity::Network(_) => "networkUpdateNetwork",
                Entity::Gateway(_) => "orgVdcGatewayUpdate",
            };
            let name = "foreign".into();
            c.start(Start {
                operation,
                duration: busy.ms,
                owner,
                name,
                holds: vec![],
                effect: Effect::Nothing,
            })
        })
        .await;
    ask.json(result.map(|task| json!({"task": task})))
}

/// A change made past the API, as an engineer in vCenter would.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", tag = "what", deny_unknown_fields)]
pub(super) enum ForeignChange {
    Delete {
        entity: String,
    },
    Rename {
        entity: String,
        name: String,
    },
    PowerOff {
        vm: String,
    },
    PowerOn {
        vm: String,
    },
    /// Another address of a card; the guest is not told.
    Address {
        vm: String,
        index: u32,
        address: String,
    },
    /// "Change password at first log-in" of a machine's customization.
    FirstLogin {
        vm: String,
        required: bool,
    },
    Snapshot {
        vm: String,
    },
    SnapshotGone {
        vm: String,
    },
    /// Something is in the machine's drive, or, without a name, nothing any more.
    Medium {
        vm: String,
        name: Option<String>,
    },
    /// A machine is shown with this status, whatever it is (6 and 7: the platform has lost sight of it), or, without one, as it
    /// is again.
    Status {
        vm: String,
        status: Option<i32>,
    },
    Resize {
        vm: String,
        cpus: Option<u32>,
        memory_mb: Option<u64>,
    },
    Speed {
        edge: String,
        mbit: Option<u32>,
    },
}

pub(super) async fn change(ask: Ask, Told(change): Told<ForeignChange>) -> Response {
    let result = ask.change(|c| foreign(c.world, c.now, change)).await;
    done(&ask, result)
}

fn foreign(world: &mut World, now: i64, change: ForeignChange) -> Result<(), Refusal> {
    match change {
        ForeignChange::Delete { entity: reference } => {
            let effect = match entity(world, &reference)? {
                Entity::Vm(id) => Effect::VmDeleted(id),
                Entity::Vapp(id) => Effect::VappDeleted(id),
                Entity::Network(id) => Effect::NetworkDeleted(id),
                Entity::Gateway(id) => {
                    world.edges.remove(&id);
                    Effect::Nothing
                }
            };
            world.apply(effect, now)
        }
        ForeignChange::Rename { entity: reference, name } => {
            match entity(world, &reference)? {
                Entity::Vm(id) => world.vms.get_mut(&id).map(|e| e.name = name),
                Entity::Vapp(id) => world.vapps.get_mut(&id).map(|e| e.name = name),
                Entity::Network(id) => world.networks.get_mut(&id).map(|e| e.name = name),
                Entity::Gateway(id) => world.edges.get_mut(&id).map(|e| e.name = name),
            };
            Ok(())
        }
        ForeignChange::PowerOff { vm } => {
            let vm = world.vm(id_of(&vm)?)?.id;
            world.apply(Effect::PoweredOff { vms: vec![vm], undeploy: false }, now)
        }
        ForeignChange::PowerOn { vm } => {
            let vm = world.vm(id_of(&vm)?)?.id;
            world.apply(Effect::PoweredOn { vms: vec![vm], force_customization: false }, now)
        }
        ForeignChange::Address { vm, index, address } => {
            let vm = world.vm(id_of(&vm)?)?;
            let (id, mut nics) = (vm.id, vm.nics.clone());
            let nic = nics.iter_mut().find(|n| n.index == index);
            let nic = nic.ok_or_else(|| Refusal::bad(format!("There is no card {index}.")))?;
            (nic.mode, nic.ip) = ("MANUAL".into(), Some(address));
            world.apply(Effect::Nics { vm: id, nics }, now)
        }
        ForeignChange::FirstLogin { vm, required } => {
            let id = world.vm(id_of(&vm)?)?.id;
            if let Some(vm) = world.vms.get_mut(&id) {
                vm.customization.reset_password_required = required;
            }
            Ok(())
        }
        ForeignChange::Snapshot { vm } => {
            let vm = world.vm(id_of(&vm)?)?.id;
            world.apply(Effect::SnapshotTaken { vms: vec![vm], memory: false }, now)
        }
        ForeignChange::SnapshotGone { vm } => {
            let vm = world.vm(id_of(&vm)?)?.id;
            world.apply(Effect::SnapshotRemoved(vec![vm]), now)
        }
        ForeignChange::Medium { vm, name } => {
            let id = world.vm(id_of(&vm)?)?.id;
            if let Some(vm) = world.vms.get_mut(&id) {
                vm.medium = name;
            }
            Ok(())
        }
        ForeignChange::Status { vm, status } => {
            let id = world.vm(id_of(&vm)?)?.id;
            if status.is_some_and(|s| !(-1..=21).contains(&s)) {
                return Err(Refusal::bad("a status from -1 to 21 is expected"));
            }
            if let Some(vm) = world.vms.get_mut(&id) {
                vm.shown_as = status;
            }
            Ok(())
        }
        ForeignChange::Resize { vm, cpus, memory_mb } => {
            let id = world.vm(id_of(&vm)?)?.id;
            if cpus == Some(0) || memory_mb == Some(0) {
                return Err(Refusal::bad("a size above 0 is expected"));
            }
            if let Some(vm) = world.vms.get_mut(&id) {
                vm.cpus = cpus.unwrap_or(vm.cpus);
                vm.memory_mb = memory_mb.unwrap_or(vm.memory_mb);
            }
            Ok(())
        }
        ForeignChange::Speed { edge, mbit } => {
            let profile = match mbit {
                None => None,
                Some(mbit) => {
                    let found = world.qos_profiles.iter().find(|q| q.committed == mbit).map(|q| q.id);
                    Some(found.ok_or_else(|| Refusal::bad("There is no profile of this speed."))?)
                }
            };
            let edge = world.edge(id_of(&edge)?)?.id;
            world.apply(Effect::Qos { edge, ingress: profile, egress: profile }, now)
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum End {
    Success,
    Error,
    Aborted,
    Canceled,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TaskEnd {
    end: End,
}

/// Ends a running task now.
pub(super) async fn task_end(ask: Ask, Path(id): Path<String>, Told(end): Told<TaskEnd>) -> Response {
    let result = ask
        .change(|c| {
            let id = id_of(&id)?;
            let task = c.world.tasks.get(&id).ok_or_else(|| Refusal::forbidden("task", id))?;
            if !task.is_running() {
                return Err(Refusal::bad("The task has ended already."));
            }
            let status = match end.end {
                End::Success => TaskStatus::Success,
                End::Error => TaskStatus::Error,
                End::Aborted => TaskStatus::Aborted,
                End::Canceled => TaskStatus::Canceled,
            };
            c.world.end_task(id, c.now, Some(status));
            Ok(())
        })
        .await;
    done(&ask, result)
}
