//! Tasks: every change takes time, holds what it works on, and takes effect when it ends.
//!
//! One running task holds an entity, and a second is refused with `BUSY_ENTITY`. What is due when stands in the
//! [`Agenda`]; nothing runs in the background: whoever looks at the world first lets everything come true that is due.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    effects::Effect,
    errors::Refusal,
    faults::{Fate, TaskError},
    operations,
    world::World,
};

/// Something a task can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Entity {
    Gateway(Uuid),
    Network(Uuid),
    Vapp(Uuid),
    Vm(Uuid),
}

impl Entity {
    pub(crate) fn id(self) -> Uuid {
        match self {
            Self::Gateway(id) | Self::Network(id) | Self::Vapp(id) | Self::Vm(id) => id,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Gateway(_) => "gateway",
            Self::Network(_) => "network",
            Self::Vapp(_) => "vapp",
            Self::Vm(_) => "vm",
        }
    }

    pub(crate) fn urn(self) -> String {
        format!("urn:vcloud:{}:{}", self.word(), self.id())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TaskStatus {
    Running,
    Success,
    Error,
    Canceled,
    Aborted,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) id: Uuid,
    /// `vdcRecomposeVapp`
    pub(crate) operation_name: String,
    pub(crate) owner: Entity,
    pub(crate) owner_name: String,
    #[serde(default)]
    pub(crate) holds: Vec<Entity>,
    /// Who asked for it. Others may not read it.
    #[serde(default)]
    pub(crate) user: String,
    pub(crate) start: i64,
    /// When it ends or has ended; of a stuck one, when it would have.
    pub(crate) end: i64,
    #[serde(default)]
    pub(crate) planned_end: i64,
    pub(crate) status: TaskStatus,
    #[serde(default)]
    pub(crate) error: Option<TaskError>,
    #[serde(default)]
    pub(crate) fate: Fate,
    /// Reading it is refused, although it goes on.
    #[serde(default)]
    pub(crate) gone: bool,
    #[serde(default)]
    pub(crate) cancel_requested: bool,
    effect: Option<Effect>,
}

impl Task {
    pub(crate) fn is_running(&self) -> bool {
        self.status == TaskStatus::Running
    }

    /// What it does, in words: `Updating Virtual Machine web1(UUID)`, and `Updated …` once it is over.
    pub(crate) fn operation(&self) -> String {
        let (doing, done) = operations::words(&self.operation_name);
        let verb = if self.is_running() { doing } else { done };
        let kind = match self.owner {
            Entity::Gateway(_) => "Edge Gateway",
            Entity::Network(_) => "Network",
            Entity::Vapp(_) => "Virtual Application",
            Entity::Vm(_) => "Virtual Machine",
        };
        format!("{verb} {kind} {}({})", self.owner_name, self.owner.id())
    }

    /// Percent.
    pub(crate) fn progress(&self, now: i64) -> i64 {
        match (&self.fate, self.status) {
            (_, TaskStatus::Success) => 100,
            (Fate::Stuck(percent), _) => i64::from(*percent),
            (_, status) if status != TaskStatus::Running => {
                (100 * (self.end - self.start) / (self.planned_end - self.start).max(1)).clamp(0, 99)
            }
            _ => (100 * (now - self.start) / (self.end - self.start).max(1)).clamp(0, 99),
        }
    }
}

/// What is due when, in order. Saved as a list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<(i64, Due)>", into = "Vec<(i64, Due)>")]
pub(crate) struct Agenda {
    entries: BTreeMap<(i64, u64), Due>,
    next: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Due {
    TaskEnds(Uuid),
    Effect(Effect),
}

impl From<Vec<(i64, Due)>> for Agenda {
    fn from(list: Vec<(i64, Due)>) -> Self {
        let mut agenda = Self::default();
        for (at, due) in list {
            agenda.add(at, due);
        }
        agenda
    }
}

impl From<Agenda> for Vec<(i64, Due)> {
    fn from(agenda: Agenda) -> Self {
        agenda.entries.into_iter().map(|((at, _), due)| (at, due)).collect()
    }
}

impl Agenda {
    pub(crate) fn add(&mut self, at: i64, due: Due) {
        self.entries.insert((at, self.next), due);
        self.next += 1;
    }

    fn pop(&mut self, now: i64) -> Option<(i64, Due)> {
        let first = self.entries.first_entry()?;
        let at = first.key().0;
        (at <= now).then(|| (at, first.remove()))
    }

    /// When the next thing is due.
    pub(crate) fn next_at(&self) -> Option<i64> {
        self.entries.first_key_value().map(|((at, _), _)| *at)
    }
}

/// A task to be started.
pub(crate) struct Start {
    pub(crate) operation: &'static str,
    pub(crate) duration: i64,
    pub(crate) owner: Entity,
    pub(crate) name: String,
    /// What it holds besides its owner.
    pub(crate) holds: Vec<Entity>,
    pub(crate) effect: Effect,
}

impl World {
    /// The running task that holds an entity.
    pub(crate) fn task_on(&self, entity: Entity) -> Option<&Task> {
        self.index.holds.get(&entity).and_then(|id| self.tasks.get(id))
    }

    pub(crate) fn is_busy(&self, entity: Entity) -> bool {
        self.index.holds.contains_key(&entity)
    }

    /// Refuses with the API's own words if any of these is held.
    pub(crate) fn require_idle(&self, entities: &[Entity]) -> Result<(), Refusal> {
        for entity in entities {
            if let Some(task) = self.task_on(*entity) {
                let op = upper_snake(&task.operation_name);
                let text = format!(
                    "The entity Ref: com.vmware.vcloud.entity.{}:{} is busy completing an operation {op}. \
                     {op}(com.vmware.vcloud.entity.task:{})",
                    entity.word(),
                    entity.id(),
                    task.id
                );
                return Err(Refusal::new(400, "BUSY_ENTITY", text));
            }
        }
        Ok(())
    }

    /// A vApp and every machine in it: what an operation on the vApp needs idle.
    pub(crate) fn vapp_and_vms(&self, vapp: Uuid) -> Vec<Entity> {
        std::iter::once(Entity::Vapp(vapp)).chain(self.vms_of(vapp).map(|vm| Entity::Vm(vm.id))).collect()
    }

    pub(crate) fn start_task(&mut self, now: i64, user: &str, start: Start) -> Result<Uuid, Refusal> {
        let running = || self.tasks.values().filter(|t| t.is_running() && t.user == user).count();
        if self.knobs.operation_limit > 0 && running() >= self.knobs.operation_limit {
            let text = format!(
                "The maximum number of simultaneous operations for user \"{user}\" on organization \"{}\" has been reached.",
                self.org.name
            );
            return Err(Refusal::new(400, "OPERATION_LIMITS_EXCEEDED", text));
        }
        let told = self.told_of(&start);
        let fault = self.fault_for(start.operation, &told);
        let id = Uuid::new_v4();
        let mut holds = vec![start.owner];
        holds.extend(start.holds);
        let end = now + start.duration.max(1);
        let task = Task {
            id,
            operation_name: start.operation.into(),
            owner: start.owner,
            owner_name: start.name,
            holds,
            user: user.into(),
            start: now,
            end,
            planned_end: end,
            status: TaskStatus::Running,
            error: None,
            gone: fault == Fate::Gone,
            fate: fault,
            cancel_requested: false,
            effect: Some(start.effect),
        };
        self.index.holds.extend(task.holds.iter().map(|e| (*e, id)));
        if !matches!(task.fate, Fate::Stuck(_)) {
            self.agenda.add(end, Due::TaskEnds(id));
        }
        if self.tasks.len() % 4096 == 4095 {
            let expired = now - self.knobs.task_expiry_ms;
            self.tasks.retain(|_, t| t.is_running() || t.end > expired);
        }
        self.tasks.insert(id, task);
        Ok(id)
    }

    /// Lets everything come true that is due by `now`.
    pub(crate) fn advance(&mut self, now: i64) {
        while let Some((at, due)) = self.agenda.pop(now) {
            match due {
                Due::TaskEnds(id) => self.end_task(id, at, None),
                // An internal effect belongs to nobody who could be told of a refusal.
                Due::Effect(effect) => drop(self.apply(effect, at)),
            }
        }
    }

    /// Ends a task now: as its fate has it, or as `status` says.
    pub(crate) fn end_task(&mut self, id: Uuid, at: i64, forced: Option<TaskStatus>) {
        let Some(task) = self.tasks.get_mut(&id).filter(|t| t.is_running()) else { return };
        let (effect, fate, holds) = (task.effect.take(), task.fate.clone(), task.holds.clone());
        let (status, error) = match (forced, fate) {
            (Some(TaskStatus::Success), _) | (None, Fate::Succeeds | Fate::Gone | Fate::Stuck(_)) => {
                match effect.map_or(Ok(()), |e| self.apply(e, at)) {
                    Ok(()) => (TaskStatus::Success, None),
                    Err(r) => (TaskStatus::Error, Some(TaskError::of(&r))),
                }
            }
            (Some(status), _) => {
                self.abandon(effect, false);
                // A task in error always says why: clients read it unasked.
                let why = || {
                    TaskError::of(&Refusal::new(
                        500,
                        "INTERNAL_SERVER_ERROR",
                        "Ended by the control endpoint.",
                    ))
                };
                (status, (status == TaskStatus::Error).then(why))
            }
            (None, Fate::Fails { error, leaves_shell }) => {
                self.abandon(effect, leaves_shell);
                (TaskStatus::Error, Some(error))
            }
            (None, Fate::Aborts) => {
                self.abandon(effect, false);
                (TaskStatus::Aborted, None)
            }
        };
        for entity in holds {
            if self.index.holds.get(&entity) == Some(&id) {
                self.index.holds.remove(&entity);
            }
        }
        if let Some(task) = self.tasks.get_mut(&id) {
            (task.status, task.error, task.end) = (status, error, at);
            if status == TaskStatus::Error {
                self.index.remember(task);
            }
        }
    }

    /// A task as this user may read it.
    pub(crate) fn task_for(&self, id: Uuid, user: &str, provider: bool, now: i64) -> Result<&Task, Refusal> {
        let readable = |t: &&Task| {
            let expired = !t.is_running() && now > t.end + self.knobs.task_expiry_ms;
            !t.gone && !expired && (provider || t.user == user)
        };
        self.tasks.get(&id).filter(readable).ok_or_else(|| Refusal::forbidden("task", id))
    }
}

/// `vdcRecomposeVapp` → `VDC_RECOMPOSE_VAPP`, as busy messages write it.
fn upper_snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}
