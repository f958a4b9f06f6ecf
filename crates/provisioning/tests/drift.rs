//! Desired against observed: what somebody changed past us is seen, shown, and put right as the rule says.

use domain::{
    ServerId,
    drift::DriftKind,
    state::{EdgeState, JobState, Role, ServerState},
};
use provisioning::{Viewer, look, provider::Provider};
use serde_json::json;
use testkit::{Database, Plane};

async fn ordered(plane: &Plane, viewer: &Viewer) -> ServerId {
    let job = plane.order(viewer).await;
    plane.until(job, JobState::Succeeded).await.server.unwrap()
}

async fn kinds(plane: &Plane, server: Option<ServerId>) -> Vec<DriftKind> {
    plane.store.drift(server).await.unwrap().into_iter().map(|d| d.seen.kind).collect()
}

/// The latest job of a server.
async fn latest(plane: &Plane, server: ServerId) -> provisioning::Job {
    plane.store.jobs_of_server(server, 1).await.unwrap().remove(0)
}

async fn what_was_changed_in_the_cloud_is_put_right_at_once(database: Database) {
    let plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let server = ordered(&plane, &anna).await;
    let written = plane.store.server(server).await.unwrap().unwrap().observed_at;
    assert_eq!(look(&plane.control).await.unwrap(), 0, "all is as it should be");
    assert!(plane.store.server(server).await.unwrap().unwrap().observed_at > written, "seen again");
    let vm = plane.machine_of(server).await;
    let edge = plane.store.edge_of(server).await.unwrap().unwrap().facts.provider_ref;
    plane.foreign(json!({"what": "first_login", "vm": vm, "required": true})).await;
    plane.foreign(json!({"what": "speed", "edge": edge, "mbit": 10})).await;
    let address = plane.store.server(server).await.unwrap().unwrap().address.unwrap();
    let other = plane.store.edge_of(server).await.unwrap().unwrap().facts.last_address;
    plane.foreign(json!({"what": "address", "vm": vm, "index": 0, "address": other})).await;
    let boots = plane.guest().await["boots"].clone();
    assert_eq!(look(&plane.control).await.unwrap(), 3);
    let mut seen = kinds(&plane, Some(server)).await;
    seen.sort();
    assert_eq!(seen, [DriftKind::Address, DriftKind::Speed, DriftKind::FirstLogin]);
    let repair = latest(&plane, server).await;
    assert_eq!(repair.kind, domain::kind::Kind::Repair);
    plane.until(repair.id, JobState::Succeeded).await;
    assert_eq!(look(&plane.control).await.unwrap(), 0);
    assert!(kinds(&plane, None).await.is_empty());
    assert_eq!(plane.first_login_flags().await, [false]);
    assert_eq!(plane.guest().await["boots"], boots, "nobody inside noticed");
    assert_eq!(plane.store.server(server).await.unwrap().unwrap().address.unwrap(), address);
}

/// What a customer breaks inside is seen, and the next restart mends it.
async fn what_was_broken_inside_is_mended_by_a_restart(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let server = ordered(&plane, &anna).await;
    let vm = plane.machine_of(server).await;
    plane.guest_change(&vm, json!({"hostname": "broken", "addresses": ["10.9.9.9"]})).await;
    look(&plane.control).await.unwrap();
    assert_eq!(kinds(&plane, Some(server)).await, [DriftKind::GuestAddress, DriftKind::Hostname]);
    assert_ne!(latest(&plane, server).await.kind, domain::kind::Kind::Repair, "never an unannounced restart");
    let reboot = plane.facade.server_power(&anna, server, domain::power::PowerAction::Reboot, "r", "test");
    let provisioning::ServerAnswer::Accepted(reboot) = reboot.await.unwrap() else { panic!() };
    plane.until(reboot, JobState::Succeeded).await;
    plane.until_guest_is_up(&vm).await;
    assert_eq!(look(&plane.control).await.unwrap(), 0);
    assert!(kinds(&plane, None).await.is_empty());
    // Its owner can have it put right now, with a restart.
    plane.guest_change(&vm, json!({"hostname": "broken"})).await;
    look(&plane.control).await.unwrap();
    let form = provisioning::Form { key: "fix", request_id: "test" };
    let answer = plane.facade.server_repair(&anna, server, form).await.unwrap();
    let provisioning::ServerAnswer::Accepted(repair) = answer else { panic!("{answer:?}") };
    plane.until(repair, JobState::Succeeded).await;
    plane.until_guest_is_up(&vm).await;
    assert_eq!(plane.guest().await["hostname"], "web-01");
}

async fn what_is_missing_counts_after_two_looks_and_orphans_are_listed(database: Database) {
    let plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let (server, other) = (ordered(&plane, &anna).await, ordered(&plane, &anna).await);
    let hand = plane.provider();
    let lost = "cust-00000000-0000-7000-8000-000000000000";
    let task = hand.group_create(lost, "nobody's", &[]).await.unwrap();
    hand.task_wait(&task, std::time::Duration::from_secs(30)).await.unwrap();
    plane.foreign(json!({"what": "delete", "entity": plane.machine_of(server).await})).await;
    look(&plane.control).await.unwrap();
    assert!(kinds(&plane, None).await.is_empty(), "seen once is not missing yet");
    look(&plane.control).await.unwrap();
    assert_eq!(kinds(&plane, Some(server)).await, [DriftKind::MachineMissing]);
    let orphans: Vec<_> = plane.store.drift(None).await.unwrap();
    assert!(orphans.iter().any(|d| d.seen.kind == DriftKind::OrphanGroup && d.seen.subject == lost));
    assert!(kinds(&plane, Some(other)).await.is_empty());
    // While something is done for the customer nothing is looked at: it may be on its way.
    let order = plane.order(&anna).await;
    plane.until(order, JobState::Succeeded).await;
    // Somebody switches a server off past us: that is not wrong, it is so.
    plane.foreign(json!({"what": "power_off", "vm": plane.machine_of(other).await})).await;
    look(&plane.control).await.unwrap();
    assert_eq!(plane.store.server(other).await.unwrap().unwrap().state, ServerState::Stopped);
}

/// What staff accept becomes what is wanted, with its price.
async fn staff_accept_what_is_there(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let admin = plane.viewer("admin@test", Role::Admin).await;
    let server = ordered(&plane, &anna).await;
    let before = plane.store.server(server).await.unwrap().unwrap();
    let vm = plane.machine_of(server).await;
    // What is no size that is sold is seen to the megabyte, and cannot be accepted.
    plane.foreign(json!({"what": "resize", "vm": vm, "cpus": 4, "memory_mb": 8704})).await;
    look(&plane.control).await.unwrap();
    assert!(!plane.facade.drift_accept(&admin, server, DriftKind::Size).await.unwrap());
    plane.foreign(json!({"what": "resize", "vm": vm, "cpus": 4, "memory_mb": 8192})).await;
    look(&plane.control).await.unwrap();
    assert_eq!(kinds(&plane, Some(server)).await, [DriftKind::Size]);
    let accept =
        async |viewer: &Viewer| plane.facade.drift_accept(viewer, server, DriftKind::Size).await.unwrap();
    assert!(!accept(&anna).await, "only staff");
    assert!(accept(&admin).await);
    let after = plane.store.server(server).await.unwrap().unwrap();
    assert_eq!((after.size.vcpu, after.size.ram_gb), (4, 8));
    assert!(after.price_minor > before.price_minor);
    assert_eq!(look(&plane.control).await.unwrap(), 0);
}

/// Each server is compared with its own edge, and what is seen of one that something was begun for is not written.
async fn a_look_keeps_servers_apart_and_lets_jobs_be(database: Database) {
    let mut plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let servers = [ordered(&plane, &anna).await, ordered(&plane, &anna).await];
    for (server, mbit) in servers.into_iter().zip([10, 50]) {
        let edge = plane.store.edge_of(server).await.unwrap().unwrap().facts.provider_ref;
        plane.foreign(json!({"what": "speed", "edge": edge, "mbit": mbit})).await;
    }
    plane.stop_worker().await;
    assert_eq!(look(&plane.control).await.unwrap(), 2);
    for (server, mbit) in servers.into_iter().zip([10, 50]) {
        let seen = plane.store.drift(Some(server)).await.unwrap().remove(0).seen;
        assert_eq!(seen.observed, Some(mbit.to_string()));
    }
    // Both have a repair in the queue by now: whoever looked before that may not write over what it does.
    let looked_at = plane.store.server(servers[0]).await.unwrap().unwrap();
    let off = store::servers::Seen { state: ServerState::Stopped, ..looked_at.seen() };
    plane.store.server_seen(&looked_at, off, i64::MAX).await.unwrap();
    assert_eq!(plane.store.server(servers[0]).await.unwrap().unwrap().state, ServerState::Running);
}

/// An edge that somebody else has put a network on leaves the pool, and comes back when it is gone.
async fn an_edge_bound_by_hand_leaves_the_pool(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let edge = plane.store.edges().await.unwrap().remove(0).edge;
    let hand = plane.provider();
    let spec = provisioning::provider::NetworkSpec {
        name: "by-hand".into(),
        label: "somebody's".into(),
        edge: provisioning::provider::EdgeRef(edge.facts.provider_ref.clone()),
        block: provisioning::provider::Block {
            gateway: edge.facts.gateway.clone(),
            prefix_length: edge.facts.prefix_length as u8,
            first_address: edge.facts.first_address.clone(),
            last_address: edge.facts.last_address.clone(),
        },
        dns: vec![],
    };
    let patience = std::time::Duration::from_secs(30);
    let task = hand.network_create(&spec).await.unwrap();
    hand.task_wait(&task, patience).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let state = async || {
        plane.control.edges_import().await.unwrap();
        plane.store.edges().await.unwrap().remove(0).edge.state
    };
    assert_eq!(state().await, EdgeState::Free, "counts lag: once is not enough");
    assert_eq!(state().await, EdgeState::Quarantined);
    let found = hand.network_find("by-hand").await.unwrap().unwrap();
    let task = hand.network_delete(&found.network).await.unwrap();
    hand.task_wait(&task, patience).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    state().await;
    assert_eq!(state().await, EdgeState::Free);
}

testkit::on_both!(
    what_was_changed_in_the_cloud_is_put_right_at_once,
    what_was_broken_inside_is_mended_by_a_restart,
    what_is_missing_counts_after_two_looks_and_orphans_are_listed,
    staff_accept_what_is_there,
    a_look_keeps_servers_apart_and_lets_jobs_be,
    an_edge_bound_by_hand_leaves_the_pool,
);
