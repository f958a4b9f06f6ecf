//! The cloud as it is on its first day: one organisation, one VDC, a pool of edges, a catalogue of templates.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::{
    clock::Clock,
    model::{Edge, Named, QosProfile, Template, World},
};

const TEMPLATES: &[(&str, &str, u64)] = &[
    ("AlmaLinux 8", "almalinux8_64Guest", 10),
    ("AlmaLinux 9", "almalinux9_64Guest", 10),
    ("CentOS 7", "centos7_64Guest", 10),
    ("Debian 12", "debian12_64Guest", 10),
    ("Ubuntu 20.04", "ubuntu64Guest", 10),
    ("Ubuntu 22.04", "ubuntu64Guest", 10),
    ("Ubuntu 24.04", "ubuntu64Guest", 10),
    ("Windows Server 2019", "windows2019srv_64Guest", 50),
    ("Windows Server 2022", "windows2019srvNext_64Guest", 50),
];

const SPEEDS: &[u32] = &[10, 50, 100, 200, 500, 1000];

pub(crate) fn world(edges: u32, clock: &Clock) -> World {
    let named = |name: &str| Named { id: Uuid::new_v4(), name: name.into() };
    World {
        anchor: clock.anchor_now(),
        org: named("acme"),
        vdc: named("acme-vdc"),
        catalog: named("templates"),
        edges: (1..=edges).map(edge).map(|e| (e.id, e)).collect(),
        qos_profiles: SPEEDS
            .iter()
            .map(|mbit| QosProfile { id: Uuid::new_v4(), name: format!("{mbit}M"), committed: *mbit })
            .collect(),
        templates: TEMPLATES
            .iter()
            .map(|(name, os, gb)| Template {
                id: Uuid::new_v4(),
                vm: Uuid::new_v4(),
                name: (*name).into(),
                os: (*os).into(),
                disk_mb: gb * 1024,
            })
            .map(|t| (t.id, t))
            .collect(),
        networks: BTreeMap::new(),
        vapps: BTreeMap::new(),
        vms: BTreeMap::new(),
        tasks: BTreeMap::new(),
    }
}

/// Edge `n` has the n-th /29 of 198.18.0.0/15, the range set aside for tests.
fn edge(n: u32) -> Edge {
    let base = u32::from(std::net::Ipv4Addr::new(198, 18, 0, 0)) + n * 8;
    Edge {
        id: Uuid::new_v4(),
        name: format!("edge-{n:03}"),
        description: format!("routed {}/29", std::net::Ipv4Addr::from(base)),
        ingress: None,
        egress: None,
        shown_networks: 0,
        shown_until: 0,
    }
}
