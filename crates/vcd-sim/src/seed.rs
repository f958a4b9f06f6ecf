//! The cloud as it is on its first day: one organisation, one VDC, a pool of edges, a catalogue of templates.

use std::{collections::BTreeMap, net::Ipv4Addr};

use uuid::Uuid;

use crate::{
    clock::Clock,
    knobs::Knobs,
    model::{Edge, Named, QosProfile, Realization, Template},
    world::{World, storage_profile},
};

/// Name, guest system, GB of its disk, whether a running copy may be given CPU and memory.
const TEMPLATES: &[(&str, &str, u64, bool)] = &[
    ("AlmaLinux 8", "almalinux8_64Guest", 10, true),
    ("AlmaLinux 9", "almalinux9_64Guest", 10, true),
    ("CentOS 7", "centos7_64Guest", 10, false),
    ("Debian 12", "debian12_64Guest", 10, true),
    ("Ubuntu 20.04", "ubuntu64Guest", 10, true),
    ("Ubuntu 22.04", "ubuntu64Guest", 10, true),
    ("Ubuntu 24.04", "ubuntu64Guest", 10, true),
    ("Windows Server 2019", "windows2019srv_64Guest", 50, false),
    ("Windows Server 2022", "windows2019srvNext_64Guest", 50, false),
];

const SPEEDS: &[u32] = &[10, 50, 100, 200, 500, 1000];

pub(crate) fn world(edges: u32, knobs: Knobs, clock: &Clock) -> World {
    World {
        anchor: clock.anchor_now(),
        org: Named::new("acme"),
        vdc: Named::new("acme-vdc"),
        catalog: Named::new("templates"),
        storage_profile: storage_profile(),
        edges: (1..=edges).map(edge).map(|e| (e.id, e)).collect(),
        qos_profiles: SPEEDS
            .iter()
            .map(|mbit| QosProfile { id: Uuid::new_v4(), name: format!("{mbit}M"), committed: *mbit })
            .collect(),
        templates: TEMPLATES
            .iter()
            .map(|(name, os, gb, hot_add)| Template {
                id: Uuid::new_v4(),
                item: Uuid::new_v4(),
                vm: Uuid::new_v4(),
                name: (*name).into(),
                os: (*os).into(),
                disk_mb: gb * 1024,
                hot_add: *hot_add,
                eula: os.starts_with("windows"),
            })
            .map(|t| (t.id, t))
            .collect(),
        networks: BTreeMap::new(),
        vapps: BTreeMap::new(),
        vms: BTreeMap::new(),
        tasks: BTreeMap::new(),
        agenda: Default::default(),
        metadata: BTreeMap::new(),
        api_tokens: Vec::new(),
        knobs,
        task_faults: Vec::new(),
        index: Default::default(),
    }
}

/// The n-th address that an edge can have on its uplink, from 0.
pub(crate) fn uplink(n: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(Ipv4Addr::new(100, 64, 0, 10)) + n)
}

/// Edge `n` has the n-th /29 of 198.18.0.0/15, the range set aside for tests.
fn edge(n: u32) -> Edge {
    let base = u32::from(Ipv4Addr::new(198, 18, 0, 0)) + n * 8;
    Edge {
        id: Uuid::new_v4(),
        name: format!("edge-{n:03}"),
        description: format!("routed {}/29", Ipv4Addr::from(base)),
        status: Realization::Realized,
        uplink: uplink(n - 1),
        ingress: None,
        egress: None,
        lag: None,
    }
}
