//! Machines that do not exist yet: copies of templates and of machines, and empty ones.

use uuid::Uuid;

use crate::{
    guest::Guest,
    model::{Capabilities, Customization, Disk, Nic, TEMPLATE_NETWORK, Template, Vm, new_mac, vmxnet3},
};

/// A template's machine as a new one. It inherits nothing of a customization.
pub(super) fn copy_of(template: &Template, vapp: Uuid, name: &str, now: i64) -> Vm {
    let computer_name: String =
        template.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(15).collect();
    Vm {
        disks: vec![Disk { id: 2000, size_mb: template.disk_mb, unit: 0, bus: 0, adapter: 5 }],
        customization: Customization { computer_name, ..Customization::default() },
        capabilities: Capabilities { cpu_hot_add: template.hot_add, memory_hot_add: template.hot_add },
        inside: Guest { root_mb: template.disk_mb, ..Guest::default() },
        ..empty(vapp, name, template.os.clone(), now)
    }
}

/// A machine with nothing in it.
pub(super) fn empty(vapp: Uuid, name: &str, os: String, now: i64) -> Vm {
    Vm {
        id: Uuid::new_v4(),
        vapp,
        name: name.into(),
        description: String::new(),
        os,
        cpus: 1,
        cores_per_socket: 1,
        memory_mb: 1024,
        disks: Vec::new(),
        nics: Vec::new(),
        powered_on: false,
        suspended: false,
        deployed: false,
        needs_customization: false,
        failed: false,
        customization: Customization { computer_name: name.into(), ..Customization::default() },
        capabilities: Capabilities::default(),
        snapshot: None,
        medium: None,
        question: None,
        shown_as: None,
        properties: Vec::new(),
        run: None,
        inside: Guest::default(),
        created: now,
        powered_on_at: None,
    }
}

/// A copy of a machine: off, with its own identity and cards of its own.
pub(super) fn clone_of(vm: &Vm, vapp: Uuid, name: &str, now: i64) -> Vm {
    let nics = vm.nics.iter().map(|n| Nic { mac: new_mac(), ip: None, ..n.clone() }).collect();
    Vm {
        id: Uuid::new_v4(),
        vapp,
        name: name.into(),
        nics,
        powered_on: false,
        suspended: false,
        deployed: false,
        snapshot: None,
        medium: None,
        question: None,
        run: None,
        created: now,
        powered_on_at: None,
        ..vm.clone()
    }
}

/// The card that a template's machine has.
pub(super) fn template_card() -> Nic {
    Nic {
        index: 0,
        network: TEMPLATE_NETWORK.into(),
        ip: None,
        mode: "POOL".into(),
        connected: true,
        mac: new_mac(),
        primary: true,
        needs_customization: true,
        adapter: vmxnet3(),
    }
}
