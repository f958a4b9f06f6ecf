//! Whoever works is killed at every point: before each change of the cloud, after it before anybody has heard of it, and once
//! its task is recorded. Another process goes on, and what comes of it is whole; neighbours never stop.

use domain::{
    JobId, ServerId,
    snapshot::SnapshotAction,
    state::{EdgeState, JobState, Role, ServerState},
};
use provisioning::{Form, ServerAnswer, Viewer};
use testkit::{Database, Plane, same_system};

/// Nobody dies.
const NEVER: usize = usize::MAX;

async fn ordered(plane: &Plane, viewer: &Viewer) -> ServerId {
    let job = plane.order(viewer).await;
    plane.life(job, NEVER).await;
    plane.until(job, JobState::Succeeded).await.server.unwrap()
}

/// The cloud and the pool hold these servers, whole, and nothing else.
async fn holds(plane: &Plane, servers: &[ServerId], what: &str) {
    let (census, n) = (plane.sim.census(), servers.len());
    assert_eq!((census.networks.len(), census.vms.len()), (n, n), "{what}: {census:?}");
    assert_eq!((census.edges_used, census.edges_doubled), (n, 0), "{what}");
    let pool = plane.store.edges().await.unwrap();
    let free = pool.iter().filter(|r| r.edge.state == EdgeState::Free).count();
    assert_eq!(free, pool.len() - n, "{what}");
    for server in servers {
        let row = plane.store.server(*server).await.unwrap().unwrap();
        assert_eq!((row.state, &row.next_address), (ServerState::Running, &None), "{what}");
        assert!(census.vms.contains(&format!("vds-{server}")), "{what}");
        let edge = plane.store.edge_of(*server).await.unwrap().unwrap();
        assert_eq!(edge.state, EdgeState::Bound, "{what}");
    }
    let drift = provisioning::look(&plane.control).await.unwrap();
    assert_eq!(drift, 0, "{what}: {:?}", plane.store.drift(None).await.unwrap());
    assert_eq!(plane.store.fsck().await.unwrap(), [], "{what}");
}

/// The points at which it is killed: all of them on one database, and every fourth on the other.
fn points(database: Database, passed: usize) -> impl Iterator<Item = usize> {
    let step = if database == Database::Sqlite { 1 } else { 4 };
    (0..passed).step_by(step)
}

/// Killed at this point, it goes on in another process and ends well. Returns whether it came to the point.
async fn killed_once(plane: &Plane, job: JobId, at: usize) -> bool {
    let died = plane.life(job, at).await > at;
    assert!(!died || plane.job(job).await.state != JobState::Succeeded, "it was over before point {at}");
    plane.life(job, NEVER).await;
    plane.until(job, JobState::Succeeded).await;
    died
}

/// Nearly every try came to its point: a change that happened to need fewer has fewer.
fn nearly_all(died: &[bool]) {
    let deaths = died.iter().filter(|d| **d).count();
    assert!(4 * deaths >= 3 * died.len(), "only {deaths} of {} died", died.len());
}

async fn an_order(database: Database) {
    let mut plane = Plane::start_on(database, 60).await;
    plane.stop_worker().await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let job = plane.order(&anna).await;
    let passed = plane.life(job, NEVER).await;
    let mut servers = vec![plane.until(job, JobState::Succeeded).await.server.unwrap()];
    assert!(passed > 20, "only {passed} points");
    let mut died = Vec::new();
    for at in points(database, passed) {
        let job = plane.order(&anna).await;
        died.push(killed_once(&plane, job, at).await);
        servers.push(plane.job(job).await.server.unwrap());
        holds(&plane, &servers, &format!("killed at point {at}")).await;
    }
    nearly_all(&died);
}

async fn a_terminate(database: Database) {
    let mut plane = Plane::start_on(database, 3).await;
    plane.stop_worker().await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let stays = [ordered(&plane, &anna).await, ordered(&plane, &anna).await];
    let up = plane.guests().await;
    let goes = ordered(&plane, &anna).await;
    let job = plane.terminate(&anna, goes).await;
    let passed = plane.life(job, NEVER).await;
    assert!(passed > 15, "only {passed} points");
    let mut died = Vec::new();
    for at in points(database, passed) {
        let goes = ordered(&plane, &anna).await;
        let job = plane.terminate(&anna, goes).await;
        died.push(killed_once(&plane, job, at).await);
        plane.never_stopped(&up).await;
        holds(&plane, &stays, &format!("killed at point {at}")).await;
    }
    nearly_all(&died);
}

async fn change_edge(plane: &Plane, admin: &Viewer, server: ServerId) -> JobId {
    let key = uuid::Uuid::now_v7().to_string();
    let form = Form { key: &key, request_id: "test" };
    match plane.facade.server_change_edge(admin, server, "its edge is faulty", false, form).await.unwrap() {
        ServerAnswer::Accepted(job) => job,
        other => panic!("{other:?}"),
    }
}

async fn a_change_of_edge(database: Database) {
    let mut plane = Plane::start_on(database, 3).await;
    plane.stop_worker().await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let admin = plane.viewer("admin@test", Role::Admin).await;
    let (server, stays) = (ordered(&plane, &anna).await, ordered(&plane, &anna).await);
    let neighbour = format!("vds-{stays}");
    let up: std::collections::BTreeMap<_, _> =
        plane.guests().await.into_iter().filter(|(name, _)| *name == neighbour).collect();
    let ask = async || change_edge(&plane, &admin, server).await;
    let job = ask().await;
    let passed = plane.life(job, NEVER).await;
    plane.until(job, JobState::Succeeded).await;
    assert!(passed > 30, "only {passed} points");
    let mut died = Vec::new();
    for at in points(database, passed) {
        plane.by_hand("DELETE FROM address_rest").await;
        let job = ask().await;
        died.push(killed_once(&plane, job, at).await);
        plane.never_stopped(&up).await;
        holds(&plane, &[server, stays], &format!("killed at point {at}")).await;
    }
    nearly_all(&died);
}

/// A change of edge whose restart fails is taken back; whoever does either is killed, forth and back.
async fn a_change_of_edge_that_is_taken_back(database: Database) {
    let mut plane = Plane::start_on(database, 3).await;
    plane.stop_worker().await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let admin = plane.viewer("admin@test", Role::Admin).await;
    let (server, stays) = (ordered(&plane, &anna).await, ordered(&plane, &anna).await);
    let neighbour = format!("vds-{stays}");
    let up: std::collections::BTreeMap<_, _> =
        plane.guests().await.into_iter().filter(|(name, _)| *name == neighbour).collect();
    let ask = async || {
        plane
            .fault("task vappRebootGuest", serde_json::json!({"kind": "error", "message": "asked for"}))
            .await;
        change_edge(&plane, &admin, server).await
    };
    let job = ask().await;
    let passed = plane.life(job, NEVER).await;
    plane.until(job, JobState::RolledBack).await;
    assert!(passed > 40, "only {passed} points");
    let address = async || plane.store.server(server).await.unwrap().unwrap().address;
    let (mut died, mut taken_back) = (Vec::new(), 0);
    for at in points(database, passed) {
        plane.no_faults().await;
        plane.by_hand("DELETE FROM address_rest").await;
        let before = address().await;
        let job = ask().await;
        died.push(plane.life(job, at).await > at);
        plane.life(job, NEVER).await;
        let what = format!("killed at point {at}");
        // Killed between the restart and hearing that it failed, it may ask once more, and then it goes well.
        match plane.job(job).await.state {
            JobState::RolledBack => {
                taken_back += 1;
                assert_eq!(address().await, before, "{what}");
            }
            JobState::Succeeded => assert_ne!(address().await, before, "{what}"),
            other => panic!("{what}: {other}"),
        }
        plane.never_stopped(&up).await;
        holds(&plane, &[server, stays], &what).await;
    }
    assert!(10 * taken_back >= 8 * died.len(), "only {taken_back} of {} were taken back", died.len());
    nearly_all(&died);
}

async fn every_other_change(database: Database) {
    let mut plane = Plane::start_on(database, 1).await;
    plane.stop_worker().await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let server = ordered(&plane, &anna).await;
    let facade = &plane.facade;
    let ask = async |wish: &str| {
        let row = plane.store.server(server).await.unwrap().unwrap();
        let key = uuid::Uuid::now_v7().to_string();
        let form = Form { key: &key, request_id: "test" };
        let answer = match wish {
            "resize" => {
                let size = row.size;
                // Less of it takes a restart, whatever may grow while it runs.
                let vcpu = if size.vcpu == 1 { 2 } else { 1 }.to_string();
                let speed = if size.bandwidth_mbit == 100 { "200" } else { "100" };
                let (ram, disk) = (size.ram_gb.to_string(), size.disk_gb.to_string());
                facade.server_resize(&anna, server, [&vcpu, &ram, &disk, speed], None, form).await
            }
            "address" => facade.server_change_ip(&anna, server, true, form).await,
            "password" => facade.server_reset_password(&anna, server, form).await,
            "reinstall" => facade.server_reinstall(&anna, server, same_system(&row), form).await,
            "reboot" => {
                let action = domain::power::PowerAction::Reboot;
                facade.server_power(&anna, server, action, &key, "test").await
            }
            "snapshot" => facade.server_snapshot(&anna, server, SnapshotAction::Create, form).await,
            "revert" => facade.server_snapshot(&anna, server, SnapshotAction::Revert, form).await,
            _ => facade.server_snapshot(&anna, server, SnapshotAction::Remove, form).await,
        };
        match answer.unwrap() {
            ServerAnswer::Accepted(job) => job,
            other => panic!("{wish}: {other:?}"),
        }
    };
    for wish in ["resize", "address", "password", "reinstall", "reboot", "snapshot", "remove"] {
        let whole = |at: &str| format!("{wish}, {at}");
        let job = ask(wish).await;
        let passed = plane.life(job, NEVER).await;
        plane.until(job, JobState::Succeeded).await;
        assert!(passed >= 3, "{wish}: only {passed} points");
        let mut died = Vec::new();
        for at in points(database, passed) {
            plane.by_hand("DELETE FROM address_rest").await;
            if wish == "remove" {
                let job = ask("snapshot").await;
                plane.life(job, NEVER).await;
            }
            let job = ask(wish).await;
            died.push(killed_once(&plane, job, at).await);
            holds(&plane, &[server], &whole(&format!("killed at point {at}"))).await;
        }
        nearly_all(&died);
    }
}

testkit::on_both! {
    an_order,
    a_terminate,
    a_change_of_edge,
    a_change_of_edge_that_is_taken_back,
    every_other_change,
}
