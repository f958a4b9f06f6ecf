//! The whole state, and looking things up in it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    clock::Anchor,
    errors::Refusal,
    faults::TaskFault,
    guest::NetworkSettings,
    knobs::Knobs,
    model::{ApiToken, Edge, Lag, Metadata, Named, Network, QosProfile, Template, Vapp, Vm, no_address},
    seed,
    tasks::{Agenda, Entity, Task, TaskStatus},
};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct World {
    pub(crate) anchor: Anchor,
    pub(crate) org: Named,
    pub(crate) vdc: Named,
    pub(crate) catalog: Named,
    #[serde(default = "storage_profile")]
    pub(crate) storage_profile: Named,
    pub(crate) edges: BTreeMap<Uuid, Edge>,
    pub(crate) qos_profiles: Vec<QosProfile>,
    pub(crate) templates: BTreeMap<Uuid, Template>,
    pub(crate) networks: BTreeMap<Uuid, Network>,
    pub(crate) vapps: BTreeMap<Uuid, Vapp>,
    pub(crate) vms: BTreeMap<Uuid, Vm>,
    pub(crate) tasks: BTreeMap<Uuid, Task>,
    /// What is due when.
    #[serde(default)]
    pub(crate) agenda: Agenda,
    /// By the URN of what they are attached to.
    #[serde(default)]
    pub(crate) metadata: BTreeMap<String, BTreeMap<String, Metadata>>,
    #[serde(default)]
    pub(crate) api_tokens: Vec<ApiToken>,
    #[serde(default)]
    pub(crate) knobs: Knobs,
    #[serde(default)]
    pub(crate) task_faults: Vec<TaskFault>,
    #[serde(skip)]
    pub(crate) index: Index,
}

pub(crate) fn storage_profile() -> Named {
    Named::new("standard")
}

/// What could be found by looking through everything, kept at hand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// The running task that holds each entity.
    pub(crate) holds: HashMap<Entity, Uuid>,
    /// The latest tasks of an entity that ended in error, oldest first: its body goes on showing them.
    pub(crate) failed: HashMap<Entity, Vec<Uuid>>,
    vms: BTreeMap<Uuid, BTreeSet<Uuid>>,
}

/// So many failed tasks an entity's body shows.
const FAILED_SHOWN: usize = 3;

impl Index {
    pub(crate) fn remember(&mut self, failed: &Task) {
        let list = self.failed.entry(failed.owner).or_default();
        list.push(failed.id);
        if list.len() > FAILED_SHOWN {
            list.remove(0);
        }
    }
}

impl World {
    /// Builds the index of a state that was read from a file.
    pub(crate) fn reindex(&mut self) {
        let mut index = Index::default();
        for task in self.tasks.values().filter(|t| t.is_running()) {
            index.holds.extend(task.holds.iter().map(|e| (*e, task.id)));
        }
        for vm in self.vms.values() {
            index.vms.entry(vm.vapp).or_default().insert(vm.id);
        }
        let mut failed: Vec<&Task> = self.tasks.values().filter(|t| t.status == TaskStatus::Error).collect();
        failed.sort_by_key(|t| t.end);
        for task in failed {
            index.remember(task);
        }
        self.index = index;
        let without: Vec<Uuid> =
            self.edges.values().filter(|e| e.uplink == no_address()).map(|e| e.id).collect();
        for id in without {
            let uplink = self.free_uplink();
            if let Some(edge) = self.edges.get_mut(&id) {
                edge.uplink = uplink;
            }
        }
    }

    /// The lowest address on the uplinks that no edge has.
    pub(crate) fn free_uplink(&self) -> std::net::Ipv4Addr {
        let taken: BTreeSet<_> = self.edges.values().map(|e| e.uplink).collect();
        (0..).map(seed::uplink).find(|a| !taken.contains(a)).unwrap_or_else(no_address)
    }

    pub(crate) fn vms_of(&self, vapp: Uuid) -> impl Iterator<Item = &Vm> {
        self.index.vms.get(&vapp).into_iter().flatten().filter_map(|id| self.vms.get(id))
    }

    pub(crate) fn vm_insert(&mut self, vm: Vm) {
        self.index.vms.entry(vm.vapp).or_default().insert(vm.id);
        self.vms.insert(vm.id, vm);
    }

    pub(crate) fn vm_remove(&mut self, id: Uuid) -> Option<Vm> {
        let vm = self.vms.remove(&id)?;
        if let Some(members) = self.index.vms.get_mut(&vm.vapp) {
            members.remove(&id);
        }
        self.metadata.remove(&Entity::Vm(id).urn());
        Some(vm)
    }

    pub(crate) fn vm(&self, id: Uuid) -> Result<&Vm, Refusal> {
        self.vms.get(&id).ok_or_else(|| Refusal::forbidden("vm", id))
    }

    pub(crate) fn vapp(&self, id: Uuid) -> Result<&Vapp, Refusal> {
        self.vapps.get(&id).ok_or_else(|| Refusal::forbidden("vapp", id))
    }

    pub(crate) fn network(&self, id: Uuid) -> Result<&Network, Refusal> {
        self.networks.get(&id).ok_or_else(|| Refusal::forbidden("network", id))
    }

    pub(crate) fn edge(&self, id: Uuid) -> Result<&Edge, Refusal> {
        self.edges.get(&id).ok_or_else(|| Refusal::forbidden("gateway", id))
    }

    /// The integer status of a vApp: from what its machines do.
    pub(crate) fn vapp_status(&self, vapp: &Vapp) -> i32 {
        if vapp.failed {
            return -1;
        }
        if !vapp.ready {
            return 0;
        }
        let states: BTreeSet<i32> = self.vms_of(vapp.id).map(Vm::status).collect();
        match states.iter().collect::<Vec<_>>().as_slice() {
            [] => 1,
            [one] => **one,
            _ => 10,
        }
    }

    pub(crate) fn vapp_deployed(&self, vapp: Uuid) -> bool {
        self.vms_of(vapp).any(|vm| vm.deployed)
    }

    pub(crate) fn networks_on(&self, edge: Uuid) -> usize {
        self.networks.values().filter(|n| n.edge == edge).count()
    }

    /// The count an edge shows: it follows the truth with a lag.
    pub(crate) fn networks_shown(&self, edge: &Edge, now: i64) -> usize {
        match edge.lag {
            Some(lag) if now < lag.until => lag.count,
            _ => self.networks_on(edge.id),
        }
    }

    /// Called before a network of the edge comes or goes: readers go on seeing the old count for a while.
    pub(crate) fn lag_count(&mut self, edge: Uuid, until: i64) {
        let count = self.networks_on(edge);
        if let Some(edge) = self.edges.get_mut(&edge) {
            edge.lag = Some(Lag { count, until });
        }
    }

    /// vApps that have the network as a parent.
    pub(crate) fn users_of_network(&self, network: Uuid) -> Vec<&Vapp> {
        self.vapps.values().filter(|a| a.networks.iter().any(|n| n.parent == network)).collect()
    }

    /// The addresses that machines have on a network.
    pub(crate) fn addresses_on(&self, network: Uuid) -> BTreeSet<&str> {
        self.users_of_network(network)
            .into_iter()
            .flat_map(|vapp| {
                let names: Vec<&str> =
                    vapp.networks.iter().filter(|n| n.parent == network).map(|n| n.name.as_str()).collect();
                self.vms_of(vapp.id)
                    .flat_map(|vm| &vm.nics)
                    .filter(move |nic| names.contains(&nic.network.as_str()))
                    .filter_map(|nic| nic.ip.as_deref())
            })
            .collect()
    }

    /// The lowest address of a network's ranges that is free, and not among those given out just now.
    pub(crate) fn free_address(&self, network: &Network, given: &BTreeSet<String>) -> Option<String> {
        let used = self.addresses_on(network.id);
        network
            .ranges
            .iter()
            .filter_map(|(a, b)| Some((crate::model::ip_number(a)?, crate::model::ip_number(b)?)))
            .flat_map(|(a, b)| a..=b)
            .map(|n| std::net::Ipv4Addr::from(n).to_string())
            .find(|ip| *ip != network.gateway && !used.contains(ip.as_str()) && !given.contains(ip))
    }

    /// What a machine's cards are told at a customization.
    pub(crate) fn settings_for(&self, vm: &Vm) -> NetworkSettings {
        let networks = self.vapps.get(&vm.vapp).map(|a| a.networks.as_slice()).unwrap_or_default();
        let first = vm
            .primary_nic()
            .and_then(|nic| networks.iter().find(|n| n.name == nic.network))
            .and_then(|n| self.networks.get(&n.parent));
        NetworkSettings {
            addresses: vm.nics.iter().filter_map(|n| n.ip.clone()).collect(),
            gateway: first.map(|n| n.gateway.clone()).unwrap_or_default(),
            dns: first.map(|n| n.dns.iter().filter(|d| !d.is_empty()).cloned().collect()).unwrap_or_default(),
        }
    }
}
