//! Tasks: every change takes time, locks what it works on, and takes effect when it ends.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    errors::Refusal,
    model::{Customization, GuestRun, NetworkStatus, Vapp, VappNetwork, Vm, World},
};

/// How long things take, in cloud ms.
pub(crate) mod takes {
    pub(crate) const NETWORK: i64 = 8_000;
    pub(crate) const QOS: i64 = 4_000;
    pub(crate) const COMPOSE: i64 = 5_000;
    pub(crate) const SECTION: i64 = 5_000;
    pub(crate) const COPY_VM: i64 = 75_000;
    pub(crate) const DELETE_VM: i64 = 8_000;
    pub(crate) const RECONFIGURE: i64 = 8_000;
    pub(crate) const CUSTOMIZATION: i64 = 3_000;
    pub(crate) const POWER_ON: i64 = 12_000;
    pub(crate) const GUEST: i64 = 68_000;
    pub(crate) const UNDEPLOY: i64 = 12_000;
    pub(crate) const DELETE_VAPP: i64 = 8_000;
    /// How long an edge's network count lags behind.
    pub(crate) const COUNT_LAG: i64 = 4_000;
}

/// Something a task can lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TaskStatus {
    Running,
    Success,
    Error,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) id: Uuid,
    /// `vdcRecomposeVapp`
    pub(crate) operation_name: String,
    pub(crate) operation: String,
    pub(crate) owner: Entity,
    pub(crate) owner_name: String,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) status: TaskStatus,
    pub(crate) error: Option<(u16, String, String)>,
    effect: Option<Effect>,
}

/// What becomes true when a task ends.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Effect {
    NetworkRealized(Uuid),
    NetworkDeleted(Uuid),
    Qos {
        edge: Uuid,
        ingress: Option<Uuid>,
        egress: Option<Uuid>,
    },
    VappReady(Uuid),
    VappDeleted(Uuid),
    VappNetworks {
        vapp: Uuid,
        networks: Vec<VappNetwork>,
    },
    Recomposed {
        added: Vec<Vm>,
        deleted: Vec<Uuid>,
    },
    Reconfigured {
        vm: Uuid,
        cpus: Option<(u32, u32)>,
        memory_mb: Option<u64>,
        disks: Option<Vec<(u32, u64)>>,
    },
    Customized {
        vm: Uuid,
        section: Customization,
    },
    PoweredOn {
        vm: Uuid,
        force_customization: bool,
    },
    Undeployed {
        vms: Vec<Uuid>,
    },
    VmDeleted(Uuid),
}

impl World {
    /// The running task that holds an entity.
    pub(crate) fn task_on(&self, entity: Entity) -> Option<&Task> {
        self.tasks.values().find(|t| t.status == TaskStatus::Running && t.owner == entity)
    }

    /// Refuses with the API's own words if any of these is held.
    pub(crate) fn require_idle(&self, entities: &[Entity]) -> Result<(), Refusal> {
        for entity in entities {
            if let Some(task) = self.task_on(*entity) {
                let op = upper_snake(&task.operation_name);
                return Err(Refusal::new(
                    400,
                    "BUSY_ENTITY",
                    format!(
                        "The entity Ref: com.vmware.vcloud.entity.{}:{} is busy completing an operation {op}. \
                         {op}(com.vmware.vcloud.entity.task:{})",
                        entity.word(),
                        entity.id(),
                        task.id
                    ),
                ));
            }
        }
        Ok(())
    }

    /// A vApp and every machine in it: what an operation on the vApp needs idle.
    pub(crate) fn vapp_and_vms(&self, vapp: Uuid) -> Vec<Entity> {
        std::iter::once(Entity::Vapp(vapp)).chain(self.vms_of(vapp).map(|vm| Entity::Vm(vm.id))).collect()
    }

    pub(crate) fn start_task(
        &mut self,
        now: i64,
        duration: i64,
        operation_name: &str,
        owner: Entity,
        owner_name: &str,
        effect: Effect,
    ) -> Uuid {
        let id = Uuid::new_v4();
        let task = Task {
            id,
            operation_name: operation_name.into(),
            operation: format!("{operation_name} {owner_name}({})", owner.id()),
            owner,
            owner_name: owner_name.into(),
            start: now,
            end: now + duration,
            status: TaskStatus::Running,
            error: None,
            effect: Some(effect),
        };
        self.tasks.insert(id, task);
        id
    }

    /// Lets the effects of all tasks that have ended by `now` come true, in the order of their ends.
    pub(crate) fn advance(&mut self, now: i64) {
        loop {
            let due = self
                .tasks
                .values()
                .filter(|t| t.status == TaskStatus::Running && t.end <= now)
                .min_by_key(|t| (t.end, t.id))
                .map(|t| t.id);
            let Some(id) = due else { break };
            let Some(task) = self.tasks.get_mut(&id) else { break };
            let (effect, end) = (task.effect.take(), task.end);
            let result = effect.map_or(Ok(()), |e| self.apply(e, end));
            if let Some(task) = self.tasks.get_mut(&id) {
                match result {
                    Ok(()) => task.status = TaskStatus::Success,
                    Err(r) => {
                        task.status = TaskStatus::Error;
                        task.error = Some((r.status, r.minor.into(), r.message));
                    }
                }
            }
        }
        let counts: Vec<(Uuid, usize)> = self.edges.keys().map(|id| (*id, self.networks_on(*id))).collect();
        for (id, count) in counts {
            if let Some(edge) = self.edges.get_mut(&id).filter(|e| e.shown_until <= now) {
                edge.shown_networks = count;
            }
        }
    }

    fn apply(&mut self, effect: Effect, at: i64) -> Result<(), Refusal> {
        match effect {
            Effect::NetworkRealized(id) => {
                if let Some(network) = self.networks.get_mut(&id) {
                    network.status = NetworkStatus::Realized;
                }
            }
            Effect::NetworkDeleted(id) => {
                if let Some(edge) = self.networks.remove(&id).and_then(|n| self.edges.get_mut(&n.edge)) {
                    edge.shown_until = at + takes::COUNT_LAG;
                }
            }
            Effect::Qos { edge, ingress, egress } => {
                if let Some(edge) = self.edges.get_mut(&edge) {
                    (edge.ingress, edge.egress) = (ingress, egress);
                }
            }
            Effect::VappReady(id) => {
                if let Some(vapp) = self.vapps.get_mut(&id) {
                    vapp.ready = true;
                }
            }
            Effect::VappDeleted(id) => {
                self.vms.retain(|_, vm| vm.vapp != id);
                self.vapps.remove(&id);
            }
            Effect::VappNetworks { vapp, networks } => {
                if let Some(vapp) = self.vapps.get_mut(&vapp) {
                    vapp.networks = networks;
                }
            }
            Effect::Recomposed { added, deleted } => {
                for id in deleted {
                    self.vms.remove(&id);
                }
                for vm in added {
                    self.add_vm(vm)?;
                }
            }
            Effect::Reconfigured { vm, cpus, memory_mb, disks } => {
                if let Some(vm) = self.vms.get_mut(&vm) {
                    if let Some((cpus, cores)) = cpus {
                        (vm.cpus, vm.cores_per_socket) = (cpus, cores);
                    }
                    if let Some(memory) = memory_mb {
                        vm.memory_mb = memory;
                    }
                    if let Some(disks) = disks {
                        vm.disks = disks
                            .into_iter()
                            .map(|(id, size_mb)| crate::model::Disk { id, size_mb })
                            .collect();
                    }
                }
            }
            Effect::Customized { vm, section } => {
                if let Some(vm) = self.vms.get_mut(&vm) {
                    vm.customization = section;
                }
            }
            Effect::PoweredOn { vm, force_customization } => {
                if let Some(vm) = self.vms.get_mut(&vm) {
                    vm.powered_on = true;
                    vm.deployed = true;
                    vm.powered_on_at = Some(at);
                    if vm.customization.enabled && (vm.needs_customization || force_customization) {
                        let fails = vm.customization.computer_name.starts_with("fail-customize");
                        vm.guest = Some(GuestRun { started: at, ends: at + takes::GUEST, fails });
                        vm.needs_customization = false;
                    }
                }
            }
            Effect::Undeployed { vms } => {
                for id in vms {
                    if let Some(vm) = self.vms.get_mut(&id) {
                        vm.powered_on = false;
                        vm.deployed = false;
                        vm.powered_on_at = None;
                    }
                }
            }
            Effect::VmDeleted(id) => {
                self.vms.remove(&id);
            }
        }
        Ok(())
    }

    /// Places a copied machine: its card gets an address, or the task fails.
    fn add_vm(&mut self, mut vm: Vm) -> Result<(), Refusal> {
        let networks: Vec<VappNetwork> =
            self.vapps.get(&vm.vapp).map(|a: &Vapp| a.networks.clone()).unwrap_or_default();
        for nic in &mut vm.nics {
            let parent =
                networks.iter().find(|n| n.name == nic.network).and_then(|n| self.networks.get(&n.parent));
            if let (Some(network), "POOL") = (parent, nic.mode.as_str()) {
                let ip = self.free_address(network).ok_or_else(|| {
                    Refusal::bad("There are insufficient IP addresses to complete operation.")
                })?;
                nic.ip = Some(ip);
            }
        }
        self.vms.insert(vm.id, vm);
        Ok(())
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
