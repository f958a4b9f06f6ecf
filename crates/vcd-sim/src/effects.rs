//! What becomes true when a task ends, and what remains when it ends badly.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    durations,
    errors::Refusal,
    guest::{self, FirstBoot, sentinel},
    model::{
        Capabilities, Customization, Disk, GuestRun, Metadata, Network, Nic, Property, Realization, Snapshot,
        VappNetwork, Vm,
    },
    tasks::{Due, Entity},
    world::World,
};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Effect {
    Nothing,
    NetworkMade(Uuid),
    NetworkRealized(Uuid),
    NetworkUpdated(Box<Network>),
    NetworkDeleted(Uuid),
    EdgeMade(Uuid),
    EdgeUpdated {
        id: Uuid,
        name: String,
        description: String,
    },
    EdgeDeleted(Uuid),
    Qos {
        edge: Uuid,
        ingress: Option<Uuid>,
        egress: Option<Uuid>,
    },
    VappMade {
        id: Uuid,
        vms: Vec<Vm>,
        #[serde(default)]
        deploy: bool,
        power_on: bool,
    },
    VappDeleted(Uuid),
    VappUpdated {
        id: Uuid,
        name: String,
        description: String,
    },
    VappNetworks {
        vapp: Uuid,
        networks: Vec<VappNetwork>,
    },
    Recomposed {
        vapp: Uuid,
        added: Vec<Vm>,
        moved: Vec<Move>,
        deleted: Vec<Uuid>,
        #[serde(default)]
        reconfigured: Vec<(Uuid, Reconfiguration)>,
        renamed: Option<(String, String)>,
        #[serde(default)]
        deploy: bool,
        power_on: bool,
    },
    Reconfigured {
        vm: Uuid,
        change: Box<Reconfiguration>,
    },
    Customized {
        vm: Uuid,
        section: Customization,
    },
    Nics {
        vm: Uuid,
        nics: Vec<Nic>,
    },
    Capabilities {
        vm: Uuid,
        capabilities: Capabilities,
    },
    Properties {
        of: Entity,
        properties: Vec<Property>,
    },
    PoweredOn {
        vms: Vec<Uuid>,
        force_customization: bool,
    },
    PoweredOff {
        vms: Vec<Uuid>,
        undeploy: bool,
    },
    Suspended {
        vms: Vec<Uuid>,
        undeploy: bool,
    },
    /// They hold resources, and are off.
    Deployed {
        vms: Vec<Uuid>,
        force_customization: bool,
    },
    SuspensionDiscarded(Vec<Uuid>),
    /// Reset or restarted: a boot without a stop.
    Booted(Vec<Uuid>),
    SnapshotTaken {
        vms: Vec<Uuid>,
        memory: bool,
    },
    SnapshotReverted(Vec<Uuid>),
    SnapshotRemoved(Vec<Uuid>),
    VmDeleted(Uuid),
    Metadata {
        of: String,
        set: Vec<(String, Metadata)>,
        removed: Option<String>,
    },
    GuestCustomized(Uuid),
}

/// A machine on its way from another vApp.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Move {
    pub(crate) vm: Uuid,
    pub(crate) name: String,
    pub(crate) nics: Vec<Nic>,
}

/// What a reconfiguration changes; `None` leaves a thing alone.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Reconfiguration {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) cpus: Option<u32>,
    pub(crate) cores_per_socket: Option<u32>,
    pub(crate) memory_mb: Option<u64>,
    #[serde(default)]
    pub(crate) os: Option<String>,
    pub(crate) disks: Option<Vec<Disk>>,
    pub(crate) nics: Option<Vec<Nic>>,
    #[serde(default)]
    pub(crate) customization: Option<Customization>,
}

impl World {
    pub(crate) fn apply(&mut self, effect: Effect, at: i64) -> Result<(), Refusal> {
        match effect {
            Effect::Nothing => {}
            Effect::NetworkMade(id) => {
                let then = at.saturating_add(self.knobs.realize_ms());
                if then <= at {
                    return self.apply(Effect::NetworkRealized(id), at);
                }
                self.agenda.add(then, Due::Effect(Effect::NetworkRealized(id)));
            }
            Effect::NetworkRealized(id) => {
                if let Some(network) = self.networks.get_mut(&id) {
                    network.status = Realization::Realized;
                }
            }
            Effect::NetworkUpdated(to) => {
                if let Some(network) = self.networks.get_mut(&to.id) {
                    *network = Network { status: network.status, ..*to };
                }
            }
            Effect::NetworkDeleted(id) => {
                if let Some(edge) = self.networks.get(&id).map(|n| n.edge) {
                    self.lag_count(edge, at.saturating_add(self.knobs.lag_ms()));
                }
                self.networks.remove(&id);
            }
            Effect::EdgeMade(id) => {
                if let Some(edge) = self.edges.get_mut(&id) {
                    edge.status = Realization::Realized;
                }
            }
            Effect::EdgeUpdated { id, name, description } => {
                if let Some(edge) = self.edges.get_mut(&id) {
                    (edge.name, edge.description) = (name, description);
                }
            }
            Effect::EdgeDeleted(id) => drop(self.edges.remove(&id)),
            Effect::Qos { edge, ingress, egress } => {
                if let Some(edge) = self.edges.get_mut(&edge) {
                    (edge.ingress, edge.egress) = (ingress, egress);
                }
            }
            Effect::VappMade { id, mut vms, deploy, power_on } => {
                if let Err(refusal) = self.address_all(&mut vms) {
                    self.abandon(Some(Effect::VappMade { id, vms, deploy, power_on }), true);
                    return Err(refusal);
                }
                if let Some(vapp) = self.vapps.get_mut(&id) {
                    vapp.ready = true;
                }
                self.place(vms, deploy, power_on, at)?;
            }
            Effect::VappDeleted(id) => {
                let vms: Vec<Uuid> = self.vms_of(id).map(|vm| vm.id).collect();
                for vm in vms {
                    self.vm_remove(vm);
                }
                self.vapps.remove(&id);
                self.metadata.remove(&Entity::Vapp(id).urn());
            }
            Effect::VappUpdated { id, name, description } => {
                if let Some(vapp) = self.vapps.get_mut(&id) {
                    (vapp.name, vapp.description) = (name, description);
                }
            }
            Effect::VappNetworks { vapp, networks } => {
                if let Some(vapp) = self.vapps.get_mut(&vapp) {
                    vapp.networks = networks;
                }
            }
            Effect::Recomposed {
                vapp,
                mut added,
                moved,
                deleted,
                reconfigured,
                renamed,
                deploy,
                power_on,
            } => {
                // What can fail comes first: nothing is half done.
                self.address_all(&mut added)?;
                for id in deleted {
                    self.vm_remove(id);
                }
                for machine in moved {
                    self.move_vm(machine, vapp, at);
                }
                if let (Some((name, description)), Some(vapp)) = (renamed, self.vapps.get_mut(&vapp)) {
                    (vapp.name, vapp.description) = (name, description);
                }
                for (vm, change) in reconfigured {
                    self.reconfigure(vm, change, at)?;
                }
                self.place(added, deploy, power_on, at)?;
            }
            Effect::Reconfigured { vm, change } => self.reconfigure(vm, *change, at)?,
            Effect::Customized { vm, section } => {
                if let Some(vm) = self.vms.get_mut(&vm) {
                    vm.customization = section;
                }
            }
            Effect::Nics { vm, mut nics } => {
                if let Some(vm) = self.vms.get(&vm) {
                    self.address(vm.vapp, &vm.nics, &mut nics, &mut BTreeSet::new())?;
                }
                if let Some(vm) = self.vms.get_mut(&vm) {
                    vm.nics = nics;
                }
            }
            Effect::Capabilities { vm, capabilities } => {
                if let Some(vm) = self.vms.get_mut(&vm) {
                    vm.capabilities = capabilities;
                }
            }
            Effect::Properties { of, properties } => {
                if let Some(vm) = self.vms.get_mut(&of.id()) {
                    vm.properties = properties;
                } else if let Some(vapp) = self.vapps.get_mut(&of.id()) {
                    vapp.properties = properties;
                }
            }
            Effect::PoweredOn { vms, force_customization } => {
                for id in vms {
                    if let Some(vm) = self.vms.get_mut(&id) {
                        let resumes = std::mem::take(&mut vm.suspended);
                        (vm.powered_on, vm.deployed) = (true, true);
                        if !resumes {
                            vm.needs_customization |= force_customization;
                            self.boot(id, at);
                        }
                    }
                }
            }
            Effect::PoweredOff { vms, undeploy } => {
                for vm in vms {
                    if let Some(vm) = self.vms.get_mut(&vm) {
                        stop(vm, at);
                        vm.deployed &= !undeploy;
                    }
                }
            }
            Effect::Suspended { vms, undeploy } => {
                for vm in vms {
                    if let Some(vm) = self.vms.get_mut(&vm) {
                        // What the guest was doing is not carried on: it begins again when it is resumed and started.
                        if vm.run.is_some_and(|run| at < run.ends) {
                            vm.run = None;
                            vm.needs_customization = true;
                        }
                        (vm.suspended, vm.powered_on) = (true, false);
                        vm.deployed &= !undeploy;
                    }
                }
            }
            Effect::Deployed { vms, force_customization } => {
                for vm in vms {
                    if let Some(vm) = self.vms.get_mut(&vm) {
                        vm.deployed = true;
                        vm.needs_customization |= force_customization;
                    }
                }
            }
            Effect::SuspensionDiscarded(vms) => {
                for vm in vms {
                    if let Some(vm) = self.vms.get_mut(&vm) {
                        stop(vm, at);
                        (vm.suspended, vm.deployed) = (false, false);
                    }
                }
            }
            Effect::Booted(vms) => vms.into_iter().for_each(|vm| self.boot(vm, at)),
            Effect::SnapshotTaken { vms, memory } => {
                for vm in vms {
                    if let Some(vm) = self.vms.get_mut(&vm) {
                        vm.snapshot = Some(Snapshot {
                            created: at,
                            memory,
                            powered_on: vm.powered_on,
                            disks: vm.disks.clone(),
                        });
                    }
                }
            }
            Effect::SnapshotReverted(vms) => {
                for vm in vms {
                    if let Some(vm) = self.vms.get_mut(&vm)
                        && let Some(snapshot) = &vm.snapshot
                    {
                        // Taken without memory, or of a machine that was off: it is off afterwards.
                        let runs_on = snapshot.memory && snapshot.powered_on;
                        vm.disks = snapshot.disks.clone();
                        if !runs_on {
                            stop(vm, at);
                        }
                    }
                }
            }
            Effect::SnapshotRemoved(vms) => {
                for vm in vms {
                    if let Some(vm) = self.vms.get_mut(&vm) {
                        vm.snapshot = None;
                    }
                }
            }
            Effect::VmDeleted(id) => drop(self.vm_remove(id)),
            Effect::Metadata { of, set, removed } => {
                let entries = self.metadata.entry(of).or_default();
                entries.extend(set);
                if let Some(key) = removed {
                    entries.remove(&key);
                }
            }
            Effect::GuestCustomized(id) => self.guest_customized(id, at),
        }
        Ok(())
    }

    /// What an effect that will not come leaves behind: what was visible already, as a failed shell or not at all.
    pub(crate) fn abandon(&mut self, effect: Option<Effect>, leaves_shell: bool) {
        match effect {
            Some(Effect::NetworkMade(id)) if leaves_shell => {
                if let Some(network) = self.networks.get_mut(&id) {
                    network.status = Realization::Failed;
                }
            }
            Some(Effect::NetworkMade(id)) => drop(self.networks.remove(&id)),
            Some(Effect::EdgeMade(id)) if leaves_shell => {
                if let Some(edge) = self.edges.get_mut(&id) {
                    edge.status = Realization::Failed;
                }
            }
            Some(Effect::EdgeMade(id)) => drop(self.edges.remove(&id)),
            Some(Effect::VappMade { id, .. }) => {
                if let Some(vapp) = self.vapps.get_mut(&id) {
                    vapp.failed = true;
                }
            }
            Some(Effect::Recomposed { added, .. }) if leaves_shell => {
                for mut vm in added {
                    vm.nics.clear();
                    vm.failed = true;
                    self.vm_insert(vm);
                }
            }
            _ => {}
        }
    }

    fn reconfigure(&mut self, id: Uuid, change: Reconfiguration, at: i64) -> Result<(), Refusal> {
        if let Some(nics) = change.nics {
            self.apply(Effect::Nics { vm: id, nics }, at)?;
        }
        let Some(vm) = self.vms.get_mut(&id) else { return Ok(()) };
        vm.name = change.name.unwrap_or_else(|| std::mem::take(&mut vm.name));
        vm.description = change.description.unwrap_or_else(|| std::mem::take(&mut vm.description));
        vm.cpus = change.cpus.unwrap_or(vm.cpus);
        vm.cores_per_socket = change.cores_per_socket.unwrap_or(vm.cores_per_socket);
        vm.memory_mb = change.memory_mb.unwrap_or(vm.memory_mb);
        vm.os = change.os.unwrap_or_else(|| std::mem::take(&mut vm.os));
        if let Some(disks) = change.disks {
            vm.disks = disks;
        }
        if let Some(section) = change.customization {
            vm.customization = section;
        }
        Ok(())
    }

    /// A machine starts from its disk: the guest customizes itself if that is due, else does what it does at a boot.
    fn boot(&mut self, id: Uuid, at: i64) {
        let (tools, fails) = (self.knobs.guest_tools, self.knobs.guest_customization_fails);
        let deaf = self.knobs.guest_ignores_properties;
        let Some(vm) = self.vms.get_mut(&id) else { return };
        vm.powered_on_at = Some(at);
        vm.inside.boots += 1;
        let name = vm.customization.computer_name.clone();
        if vm.customization.enabled && vm.customization_is_due() && tools && !name.starts_with(sentinel::BOOT)
        {
            let ends = at + durations::of("guest first boot", 1);
            vm.run =
                Some(GuestRun { started: at, ends, fails: fails || name.starts_with(sentinel::CUSTOMIZE) });
            vm.needs_customization = false;
            vm.nics.iter_mut().for_each(|n| n.needs_customization = false);
            vm.inside.up_at = Some(ends);
            self.agenda.add(ends, Due::Effect(Effect::GuestCustomized(id)));
        } else {
            vm.inside.up_at = Some(at + durations::of("guest boot", 1));
            if !deaf {
                guest::keep(vm);
            }
        }
    }

    fn guest_customized(&mut self, id: Uuid, at: i64) {
        let Some(vm) = self.vms.get(&id) else { return };
        // It was stopped, or started anew, meanwhile.
        let Some(run) = vm.run.filter(|run| run.ends == at && vm.powered_on) else { return };
        let settings = self.settings_for(vm);
        let Some(vm) = self.vms.get_mut(&id) else { return };
        if run.fails {
            vm.inside.first_boot = FirstBoot::Failed;
        } else {
            guest::customize(vm, &settings);
        }
    }
}

/// The power is gone at `at`. A customization that was cut short has customized nothing: the next start begins again.
fn stop(vm: &mut Vm, at: i64) {
    if vm.run.is_some_and(|run| at < run.ends) {
        vm.run = None;
        vm.needs_customization = true;
    }
    (vm.powered_on, vm.suspended) = (false, false);
    vm.question = None;
    vm.powered_on_at = None;
    vm.inside.up_at = None;
}
