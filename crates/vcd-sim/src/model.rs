//! What the cloud holds. Plain data, saved as it stands.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{clock::Anchor, tasks::Task};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct World {
    pub(crate) anchor: Anchor,
    pub(crate) org: Named,
    pub(crate) vdc: Named,
    pub(crate) catalog: Named,
    pub(crate) edges: BTreeMap<Uuid, Edge>,
    pub(crate) qos_profiles: Vec<QosProfile>,
    pub(crate) templates: BTreeMap<Uuid, Template>,
    pub(crate) networks: BTreeMap<Uuid, Network>,
    pub(crate) vapps: BTreeMap<Uuid, Vapp>,
    pub(crate) vms: BTreeMap<Uuid, Vm>,
    pub(crate) tasks: BTreeMap<Uuid, Task>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Named {
    pub(crate) id: Uuid,
    pub(crate) name: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Edge {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    /// The block the operator routes to it, as its description says: `routed 198.18.0.8/29`.
    pub(crate) description: String,
    pub(crate) ingress: Option<Uuid>,
    pub(crate) egress: Option<Uuid>,
    /// `orgVdcNetworkCount` follows the truth with a lag.
    pub(crate) shown_networks: usize,
    pub(crate) shown_until: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct QosProfile {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    /// Mb/s.
    pub(crate) committed: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Template {
    pub(crate) id: Uuid,
    pub(crate) vm: Uuid,
    pub(crate) name: String,
    pub(crate) os: String,
    pub(crate) disk_mb: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum NetworkStatus {
    Configuring,
    Realized,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Network {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) edge: Uuid,
    pub(crate) gateway: String,
    pub(crate) prefix_length: u8,
    pub(crate) dns: [String; 2],
    pub(crate) ranges: Vec<(String, String)>,
    pub(crate) status: NetworkStatus,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Vapp {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) description: String,
    /// 0 until its compose task has ended.
    pub(crate) ready: bool,
    pub(crate) networks: Vec<VappNetwork>,
    pub(crate) created: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VappNetwork {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) parent: Uuid,
    pub(crate) fence_mode: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Disk {
    pub(crate) id: u32,
    pub(crate) size_mb: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Nic {
    pub(crate) index: u32,
    pub(crate) network: String,
    pub(crate) ip: Option<String>,
    pub(crate) mode: String,
    pub(crate) connected: bool,
    pub(crate) mac: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Customization {
    pub(crate) enabled: bool,
    pub(crate) admin_password_enabled: bool,
    pub(crate) admin_password_auto: bool,
    pub(crate) admin_password: Option<String>,
    pub(crate) reset_password_required: bool,
    pub(crate) script: Option<String>,
    pub(crate) computer_name: String,
}

/// A guest customizing itself.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct GuestRun {
    pub(crate) started: i64,
    pub(crate) ends: i64,
    pub(crate) fails: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Vm {
    pub(crate) id: Uuid,
    pub(crate) vapp: Uuid,
    pub(crate) name: String,
    pub(crate) os: String,
    pub(crate) cpus: u32,
    pub(crate) cores_per_socket: u32,
    pub(crate) memory_mb: u64,
    pub(crate) disks: Vec<Disk>,
    pub(crate) nics: Vec<Nic>,
    pub(crate) powered_on: bool,
    pub(crate) deployed: bool,
    pub(crate) needs_customization: bool,
    pub(crate) customization: Customization,
    pub(crate) guest: Option<GuestRun>,
    pub(crate) created: i64,
    pub(crate) powered_on_at: Option<i64>,
}

impl Vm {
    /// The integer status of an entity body.
    pub(crate) fn status(&self) -> i32 {
        if self.powered_on { 4 } else { 8 }
    }

    /// `GC_PENDING` and so on, as the guest stands at `now`.
    pub(crate) fn customization_status(&self, now: i64) -> &'static str {
        match self.guest {
            None => "GC_PENDING",
            Some(run) if now >= run.ends => {
                if run.fails {
                    "GC_FAILED"
                } else {
                    "GC_COMPLETE"
                }
            }
            Some(run) if now >= (run.started + run.ends) / 2 => "REBOOT_PENDING",
            Some(_) => "GC_PENDING",
        }
    }
}

impl World {
    pub(crate) fn vms_of(&self, vapp: Uuid) -> impl Iterator<Item = &Vm> {
        self.vms.values().filter(move |vm| vm.vapp == vapp)
    }

    /// The integer status of a vApp: from what its machines do.
    pub(crate) fn vapp_status(&self, vapp: &Vapp) -> i32 {
        if !vapp.ready {
            return 0;
        }
        let mut states: Vec<i32> = self.vms_of(vapp.id).map(Vm::status).collect();
        states.dedup();
        match states.as_slice() {
            [] => 1,
            [one] => *one,
            _ => 10,
        }
    }

    pub(crate) fn vapp_deployed(&self, vapp: Uuid) -> bool {
        self.vms_of(vapp).any(|vm| vm.deployed)
    }

    pub(crate) fn networks_on(&self, edge: Uuid) -> usize {
        self.networks.values().filter(|n| n.edge == edge).count()
    }

    /// vApps that have the network as a parent.
    pub(crate) fn users_of_network(&self, network: Uuid) -> Vec<&Vapp> {
        self.vapps.values().filter(|a| a.networks.iter().any(|n| n.parent == network)).collect()
    }

    /// The lowest free address of a network's ranges.
    pub(crate) fn free_address(&self, network: &Network) -> Option<String> {
        network
            .ranges
            .iter()
            .filter_map(|(a, b)| Some((ip_number(a)?, ip_number(b)?)))
            .flat_map(|(a, b)| a..=b)
            .map(|n| std::net::Ipv4Addr::from(n).to_string())
            .find(|ip| !self.address_used(network, ip))
    }

    pub(crate) fn address_used(&self, network: &Network, ip: &str) -> bool {
        self.vms.values().any(|vm| {
            let vapp = self.vapps.get(&vm.vapp);
            vm.nics.iter().any(|nic| {
                nic.ip.as_deref() == Some(ip)
                    && vapp.is_some_and(|a| {
                        a.networks.iter().any(|n| n.name == nic.network && n.parent == network.id)
                    })
            })
        })
    }
}

pub(crate) fn ip_number(text: &str) -> Option<u32> {
    text.parse::<std::net::Ipv4Addr>().ok().map(u32::from)
}
