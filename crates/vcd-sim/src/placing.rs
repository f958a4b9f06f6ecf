//! Where machines come to stand: in a vApp, with addresses, deployed or running; and how they change their vApp.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::{
    effects::{Effect, Move},
    errors::Refusal,
    model::{Nic, Vm},
    tasks::{Due, Entity},
    world::World,
};

impl World {
    /// The cards of all of these get addresses, each another, or the task fails.
    pub(crate) fn address_all(&self, vms: &mut [Vm]) -> Result<(), Refusal> {
        let mut given = BTreeSet::new();
        for vm in vms {
            let mut nics = std::mem::take(&mut vm.nics);
            self.address(vm.vapp, &[], &mut nics, &mut given)?;
            vm.nics = nics;
        }
        Ok(())
    }

    /// Places copied machines: off, off and deployed, or running.
    pub(crate) fn place(
        &mut self,
        vms: Vec<Vm>,
        deploy: bool,
        power_on: bool,
        at: i64,
    ) -> Result<(), Refusal> {
        for mut vm in vms {
            let id = vm.id;
            vm.deployed = deploy;
            self.vm_insert(vm);
            if power_on {
                self.apply(Effect::PoweredOn { vms: vec![id], force_customization: false }, at)?;
            }
        }
        Ok(())
    }

    /// Gives cards in `POOL` mode that have none the lowest free address. An address given by hand may have gone to
    /// another machine since it was asked for; `before` are the machine's own cards.
    pub(crate) fn address(
        &self,
        vapp: Uuid,
        before: &[Nic],
        nics: &mut [Nic],
        given: &mut BTreeSet<String>,
    ) -> Result<(), Refusal> {
        let networks = self.vapps.get(&vapp).map(|a| a.networks.as_slice()).unwrap_or_default();
        for nic in nics.iter_mut() {
            let parent =
                networks.iter().find(|n| n.name == nic.network).and_then(|n| self.networks.get(&n.parent));
            let Some(network) = parent else { continue };
            match (nic.mode.as_str(), &nic.ip) {
                ("POOL", None) => {
                    let none = || Refusal::bad("There are insufficient IP addresses to complete operation.");
                    let address = self.free_address(network, given).ok_or_else(none)?;
                    given.insert(address.clone());
                    nic.ip = Some(address);
                }
                ("MANUAL", Some(address)) if self.knobs.addresses_are_unique => {
                    let mine = before.iter().any(|n| n.ip.as_ref() == Some(address));
                    let taken = given.contains(address)
                        || !mine && self.addresses_on(network.id).contains(address.as_str());
                    if taken {
                        return Err(Refusal::bad(format!("The address {address} is in use.")));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A machine changes its vApp: state, cards, disks and uptime travel with it.
    pub(crate) fn move_vm(&mut self, Move { vm: id, name, nics }: Move, vapp: Uuid, at: i64) {
        let metadata = self.metadata.get(&Entity::Vm(id).urn()).cloned();
        let Some(mut vm) = self.vm_remove(id) else { return };
        if !self.knobs.move_keeps_id {
            vm.id = Uuid::new_v4();
        }
        (vm.vapp, vm.name, vm.nics) = (vapp, name, nics);
        // A customization that is under way goes on.
        if let Some(run) = vm.run.filter(|run| vm.id != id && run.ends > at) {
            self.agenda.add(run.ends, Due::Effect(Effect::GuestCustomized(vm.id)));
        }
        if let Some(metadata) = metadata {
            self.metadata.insert(Entity::Vm(vm.id).urn(), metadata);
        }
        self.vm_insert(vm);
    }
}
