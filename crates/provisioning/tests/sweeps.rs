//! Every change of the cloud that a workflow makes goes wrong once, in each way it can: it fails, its answer is lost, it is
//! carried out and answered by a gateway's error, it finds its object held by a stranger. What comes of it is always the
//! whole result, or what was there before; neighbours never stop.

use domain::{
    JobId, ServerId,
    state::{EdgeState, JobState, Role, ServerState},
};
use provisioning::{
    Viewer,
    provider::{EdgeRef, EdgeSpeed, MachineRef, Provider},
};
use serde_json::{Value, json};
use store::interventions::Intervention;
use testkit::{Database, Plane};

/// The requests that change something, as a fault names them, and the task that each begins.
const TERMINATE: &[(&str, &str)] = &[
    ("POST /api/vdc/*/action/composeVApp", "vdcComposeVapp"),
    ("POST /api/vApp/*/action/recomposeVApp", "vdcRecomposeVapp"),
    ("POST /api/vApp/*/action/undeploy", "vappUndeployPowerOff"),
    ("DELETE /api/vApp/*", "vdcDeleteVapp"),
    ("PUT /api/vApp/*", "vdcUpdateVapp"),
    ("DELETE /cloudapi/1.0.0/orgVdcNetworks/*", "networkDelete"),
    ("PUT /cloudapi/1.0.0/edgeGateways/*/qos", "orgVdcGatewayUpdate"),
];

/// From here on nothing comes back.
const NO_WAY_BACK: usize = 2;

fn spoiled() -> [Value; 5] {
    [
        json!({"kind": "answer_lost"}),
        json!({"kind": "cut_before"}),
        json!({"kind": "status_after", "status": 502}),
        json!({"kind": "busy"}),
        json!({"kind": "unauthorized"}),
    ]
}

async fn ordered(plane: &Plane, viewer: &Viewer) -> ServerId {
    let job = plane.order(viewer).await;
    plane.until(job, JobState::Succeeded).await.server.unwrap()
}

/// A server whose processors cannot be added while it runs: each change of them takes a restart.
async fn ordered_cold(plane: &Plane, viewer: &Viewer) -> ServerId {
    let draft = plane.draft(viewer).await;
    let customer = viewer.customer().unwrap();
    let step = domain::draft::WizardStep::Os;
    plane.facade.draft_save(draft, customer, step, None, |v| v.template = COLD.into()).await.unwrap();
    let job = plane.place(viewer, draft).await;
    let server = plane.until(job, JobState::Succeeded).await.server.unwrap();
    assert!(!plane.store.server(server).await.unwrap().unwrap().cpu_hot_add, "{COLD} is hot");
    server
}

/// The cloud and the pool hold these servers, whole, and nothing else.
async fn holds(plane: &Plane, viewer: &Viewer, servers: &[ServerId], what: &str) {
    let census = plane.sim.census();
    let n = servers.len();
    assert_eq!(
        (census.networks.len(), census.vapps.len(), census.vms.len()),
        (n, usize::from(n > 0), n),
        "{what}: {census:?}"
    );
    assert_eq!((census.edges_used, census.edges_doubled), (n, 0), "{what}");
    let pool = plane.store.edges().await.unwrap();
    let bound = pool.iter().filter(|r| r.edge.state == EdgeState::Bound).count();
    let free = pool.iter().filter(|r| r.edge.state == EdgeState::Free).count();
    assert_eq!((bound, free), (n, pool.len() - n), "{what}");
    for server in servers {
        let row = plane.store.server(*server).await.unwrap().unwrap();
        assert_eq!(row.state, ServerState::Running, "{what}");
        assert!(census.vms.contains(&format!("vds-{server}")), "{what}");
    }
    let group = plane.store.group(viewer.customer().unwrap()).await.unwrap().unwrap();
    assert_eq!(group.migration, None, "{what}");
}

fn how(viewer: &Viewer) -> Intervention<'static> {
    Intervention { by: viewer.account.id, why: "a test", now: 1 }
}

async fn terminate_survives_whatever_is_spoiled(database: Database) {
    let plane = Plane::start_on(database, 4).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let stays = [ordered(&plane, &anna).await, ordered(&plane, &anna).await];
    let before = plane.guests().await;
    for (n, (request, _)) in TERMINATE.iter().enumerate() {
        // A lost answer for each, and one of the other ways in turn; on the other database the other half.
        let turn = 1 + (2 * n + usize::from(database == Database::Postgres)) % 4;
        for how in [spoiled()[0].clone(), spoiled()[turn].clone()] {
            let goes = ordered(&plane, &anna).await;
            plane.fault(request, how.clone()).await;
            let job = plane.terminate(&anna, goes).await;
            plane.until(job, JobState::Succeeded).await;
            plane.never_stopped(&before).await;
            holds(&plane, &anna, &stays, &format!("{request} {how}")).await;
        }
    }
}

/// The worker before this one died with its change on the way: it is refused because it is done already.
async fn what_was_moved_already_is_not_moved_again(database: Database) {
    let plane = Plane::start_on(database, 4).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let stays = [ordered(&plane, &anna).await];
    let goes = ordered(&plane, &anna).await;
    let refused = json!({"kind": "status_after", "status": 400});
    plane.fault("POST /api/vApp/*/action/recomposeVApp", refused).await;
    let job = plane.terminate(&anna, goes).await;
    plane.until(job, JobState::Succeeded).await;
    holds(&plane, &anna, &stays, "moved before").await;
}

async fn terminate_that_fails_goes_on_or_back(database: Database) {
    let plane = Plane::start_on(database, 4).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let stays = [ordered(&plane, &anna).await, ordered(&plane, &anna).await];
    let before = plane.guests().await;
    let failed = async |goes: ServerId, task: &str| -> JobId {
        plane.fault(&format!("task {task}"), json!({"kind": "error", "message": "asked for"})).await;
        let job = plane.terminate(&anna, goes).await;
        let failed = plane.until(job, JobState::Failed).await;
        assert_eq!(failed.cause.as_deref(), Some("task_failed"), "{task}: {:?}", failed.detail);
        job
    };
    for (n, (_, task)) in TERMINATE.iter().enumerate() {
        if n < NO_WAY_BACK {
            let goes = ordered(&plane, &anna).await;
            let job = failed(goes, task).await;
            assert!(plane.store.job_roll_back(job, how(&anna)).await.unwrap());
            plane.until(job, JobState::RolledBack).await;
            holds(&plane, &anna, &[stays[0], stays[1], goes], &format!("{task}, taken back")).await;
            let again = plane.terminate(&anna, goes).await;
            plane.until(again, JobState::Succeeded).await;
        }
        let goes = ordered(&plane, &anna).await;
        let job = failed(goes, task).await;
        assert!(plane.store.job_rerun(job, how(&anna)).await.unwrap());
        plane.until(job, JobState::Succeeded).await;
        plane.never_stopped(&before).await;
        holds(&plane, &anna, &stays, &format!("{task}, run again")).await;
    }
}

/// Between the new group and the end of the old one a failed migration keeps the customer's other changes waiting; before
/// and after it only its own server's.
async fn a_failed_migration_holds_its_customer(database: Database) {
    let plane = Plane::start_on(database, 4).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let (goes, stays) = (ordered(&plane, &anna).await, ordered(&plane, &anna).await);
    plane.fault("task vappUndeployPowerOff", json!({"kind": "error"})).await;
    let job = plane.terminate(&anna, goes).await;
    plane.until(job, JobState::Failed).await;
    let reboot = plane.facade.server_power(&anna, stays, domain::power::PowerAction::Reboot, "r", "test");
    let provisioning::ServerAnswer::Accepted(reboot) = reboot.await.unwrap() else { panic!() };
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(plane.job(reboot).await.state, JobState::Queued);
    // There is no way back from here, and the job says so.
    assert!(plane.store.job_roll_back(job, how(&anna)).await.unwrap());
    let stuck = plane.until(job, JobState::Stuck).await;
    assert_eq!(stuck.cause.as_deref(), Some("irreversible"));
    // But there is a way on, and what waited goes on too.
    assert!(plane.store.job_rerun(job, how(&anna)).await.unwrap());
    plane.until(job, JobState::Succeeded).await;
    plane.until(reboot, JobState::Succeeded).await;
    holds(&plane, &anna, &[stays], "after all").await;
}

/// The worker is stopped again and again while a server goes.
async fn stopping_the_worker_in_a_migration_doubles_nothing(database: Database) {
    let mut plane = Plane::start_on(database, 4).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let stays = [ordered(&plane, &anna).await, ordered(&plane, &anna).await];
    for pause in [13, 29, 47] {
        let goes = ordered(&plane, &anna).await;
        let before = plane.guests().await;
        let job = plane.terminate(&anna, goes).await;
        for _ in 0..15 {
            tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
            plane.stop_worker().await;
            plane.start_worker();
        }
        plane.until(job, JobState::Succeeded).await;
        plane.never_stopped(&before).await;
        holds(&plane, &anna, &stays, &format!("stopped every {pause} ms")).await;
    }
}

/// A change of a server that is up, as its owner asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Resize,
    Address,
    Password,
    Reinstall,
    Snapshot,
}

/// The requests that each of them sends, and their tasks.
fn requests(wish: Wish) -> &'static [(&'static str, &'static str)] {
    const SECTION: (&str, &str) = ("PUT /api/vApp/*/guestCustomizationSection", "vappUpdateVm");
    const OFF: (&str, &str) = ("POST /api/vApp/*/action/undeploy", "vappShutdownGuest");
    const ON: (&str, &str) = ("POST /api/vApp/*/power/action/powerOn", "vappDeploy");
    const RECOMPOSE: (&str, &str) = ("POST /api/vApp/*/action/recomposeVApp", "vdcRecomposeVapp");
    const RECONFIGURE: (&str, &str) = ("POST /api/vApp/*/action/reconfigureVm", "vappUpdateVm");
    match wish {
        Wish::Resize => &[
            SECTION,
            OFF,
            RECONFIGURE,
            ON,
            ("PUT /cloudapi/1.0.0/edgeGateways/*/qos", "orgVdcGatewayUpdate"),
        ],
        Wish::Address => &[
            ("PUT /api/vApp/*/networkConnectionSection", "vappUpdateVm"),
            ("PUT /api/vApp/*/productSections", "vappUpdateVm"),
            ("POST /api/vApp/*/power/action/reboot", "vappRebootGuest"),
        ],
        Wish::Password => &[SECTION, OFF, ("POST /api/vApp/*/action/deploy", "vappDeploy")],
        Wish::Reinstall => &[("POST /api/vApp/*/action/undeploy", "vappUndeployPowerOff"), RECOMPOSE, ON],
        Wish::Snapshot => &[("POST /api/vApp/*/action/createSnapshot", "vappCreateSnapshot")],
    }
}

async fn wished(plane: &Plane, viewer: &Viewer, server: ServerId, wish: Wish) -> JobId {
    let row = plane.store.server(server).await.unwrap().unwrap();
    let key = uuid::Uuid::now_v7().to_string();
    let form = provisioning::Form { key: &key, request_id: "test" };
    let facade = &plane.facade;
    let answer = match wish {
        Wish::Resize => {
            // One processor more or less each time, and the other of two speeds.
            let size = row.size;
            let vcpu = if size.vcpu == 1 { 2 } else { 1 }.to_string();
            let speed = if size.bandwidth_mbit == 100 { "200" } else { "100" };
            let (ram, disk) = (size.ram_gb.to_string(), size.disk_gb.to_string());
            let typed = [vcpu.as_str(), &ram, &disk, speed];
            match facade.server_resize(viewer, server, typed, None, form).await.unwrap() {
                provisioning::ServerAnswer::Accepted(job) => return job,
                other => panic!("{other:?}"),
            }
        }
        Wish::Address => facade.server_change_ip(viewer, server, true, form).await,
        Wish::Password => facade.server_reset_password(viewer, server, form).await,
        Wish::Reinstall => facade.server_reinstall(viewer, server, testkit::same_system(&row), form).await,
        Wish::Snapshot => {
            facade.server_snapshot(viewer, server, domain::snapshot::SnapshotAction::Create, form).await
        }
    };
    match answer.unwrap() {
        provisioning::ServerAnswer::Accepted(job) => job,
        other => panic!("{wish:?}: {other:?}"),
    }
}

/// What the cloud holds is what the row says: the size, the address, the speed; and nothing is left half set.
async fn is_whole(plane: &Plane, viewer: &Viewer, server: ServerId, what: &str) {
    holds(plane, viewer, &[server], what).await;
    let row = plane.store.server(server).await.unwrap().unwrap();
    let hand = plane.provider();
    let machine = hand.machine(&MachineRef(row.machine_ref.clone().unwrap())).await.unwrap();
    assert_eq!(
        (machine.vcpu, machine.ram_mb),
        (row.size.vcpu.into(), u64::from(row.size.ram_gb) * 1024),
        "{what}"
    );
    assert_eq!(machine.addresses, [row.address.clone().unwrap()], "{what}");
    assert_eq!(plane.guest().await["addresses"], json!([row.address.unwrap()]), "{what}");
    assert_eq!(row.next_address, None, "{what}");
    assert_eq!(plane.first_login_flags().await, [false], "{what}");
    let edge = plane.store.edge_of(server).await.unwrap().unwrap();
    let speed = hand.edge_speed(&EdgeRef(edge.facts.provider_ref)).await.unwrap();
    assert_eq!(speed, EdgeSpeed::Mbit(row.size.bandwidth_mbit), "{what}");
}

/// A template without hot add.
const COLD: &str = "centos-7";

const WISHES: [Wish; 5] = [Wish::Resize, Wish::Address, Wish::Password, Wish::Reinstall, Wish::Snapshot];

async fn every_change_survives_whatever_is_spoiled(database: Database) {
    for wish in WISHES {
        let plane = Plane::start_on(database, 1).await;
        let anna = plane.viewer("anna@test", Role::Customer).await;
        let server = ordered_cold(&plane, &anna).await;
        for (n, (request, _)) in requests(wish).iter().enumerate() {
            let turn = 1 + (2 * n + usize::from(database == Database::Postgres)) % 4;
            let ways = match database {
                Database::Sqlite => vec![spoiled()[0].clone(), spoiled()[turn].clone()],
                Database::Postgres => vec![spoiled()[turn].clone()],
            };
            for how in ways {
                plane.fault(request, how.clone()).await;
                let job = wished(&plane, &anna, server, wish).await;
                plane.until(job, JobState::Succeeded).await;
                is_whole(&plane, &anna, server, &format!("{wish:?} {request} {how}")).await;
                plane.by_hand("DELETE FROM address_rest").await;
            }
        }
    }
}

/// A task that fails leaves a job that can be run again, and one that can be taken back is as it was before.
async fn every_change_that_fails_goes_on_or_back(database: Database) {
    for wish in WISHES {
        let plane = Plane::start_on(database, 1).await;
        let anna = plane.viewer("anna@test", Role::Customer).await;
        let server = ordered_cold(&plane, &anna).await;
        for (_, task) in requests(wish) {
            for back in [true, false] {
                let before = plane.store.server(server).await.unwrap().unwrap();
                plane.fault(&format!("task {task}"), json!({"kind": "error", "message": "asked for"})).await;
                let job = wished(&plane, &anna, server, wish).await;
                let what = format!("{wish:?}, {task}, back: {back}");
                if wish == Wish::Address {
                    // Whatever fails is taken back by itself.
                    plane.until(job, JobState::RolledBack).await;
                } else if matches!((wish, *task), (Wish::Resize | Wish::Password, "vappShutdownGuest")) {
                    // A guest that does not shut down is switched off: nothing fails.
                    plane.until(job, JobState::Succeeded).await;
                    is_whole(&plane, &anna, server, &what).await;
                    continue;
                } else {
                    plane.until(job, JobState::Failed).await;
                    if back && wish != Wish::Reinstall {
                        assert!(plane.store.job_roll_back(job, how(&anna)).await.unwrap(), "{what}");
                        plane.until(job, JobState::RolledBack).await;
                    } else {
                        assert!(plane.store.job_rerun(job, how(&anna)).await.unwrap(), "{what}");
                        plane.until(job, JobState::Succeeded).await;
                        is_whole(&plane, &anna, server, &what).await;
                        continue;
                    }
                }
                is_whole(&plane, &anna, server, &what).await;
                let after = plane.store.server(server).await.unwrap().unwrap();
                assert_eq!(
                    (after.size, after.address, after.price_minor),
                    (before.size, before.address, before.price_minor),
                    "{what}"
                );
            }
        }
    }
}

/// What a change of edge sends before the new address answers, and after it. Until then whatever fails is taken back.
const EDGE_BEFORE: &[(&str, &str)] = &[
    ("POST /cloudapi/1.0.0/orgVdcNetworks", "networkCreateOrgVdcNetwork"),
    ("PUT /cloudapi/1.0.0/edgeGateways/*/qos", "orgVdcGatewayUpdate"),
    ("PUT /api/vApp/*/networkConfigSection", "vdcUpdateVappNetworkSection"),
    ("PUT /api/vApp/*/networkConnectionSection", "vappUpdateVm"),
    ("PUT /api/vApp/*/productSections", "vappUpdateVm"),
    ("POST /api/vApp/*/power/action/reboot", "vappRebootGuest"),
];
const EDGE_AFTER: &[(&str, &str)] = &[
    ("POST /api/vdc/*/action/composeVApp", "vdcComposeVapp"),
    ("POST /api/vApp/*/action/recomposeVApp", "vdcRecomposeVapp"),
    ("DELETE /api/vApp/*", "vdcDeleteVapp"),
    ("PUT /api/vApp/*", "vdcUpdateVapp"),
    ("DELETE /cloudapi/1.0.0/orgVdcNetworks/*", "networkDelete"),
];

async fn change_edge(plane: &Plane, admin: &Viewer, server: ServerId) -> JobId {
    plane.by_hand("DELETE FROM address_rest").await;
    let key = uuid::Uuid::now_v7().to_string();
    let form = provisioning::Form { key: &key, request_id: "test" };
    match plane.facade.server_change_edge(admin, server, "its edge is faulty", false, form).await.unwrap() {
        provisioning::ServerAnswer::Accepted(job) => job,
        other => panic!("{other:?}"),
    }
}

/// Two servers on three edges, one of them to be moved, and what the other one's guest says.
async fn two_servers(
    database: Database,
) -> (Plane, Viewer, Viewer, [ServerId; 2], std::collections::BTreeMap<String, testkit::Uptime>) {
    let plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let admin = plane.viewer("admin@test", Role::Admin).await;
    let servers = [ordered(&plane, &anna).await, ordered(&plane, &anna).await];
    let neighbour = format!("vds-{}", servers[1]);
    let up = plane.guests().await.into_iter().filter(|(name, _)| *name == neighbour).collect();
    (plane, anna, admin, servers, up)
}

async fn a_change_of_edge_survives_whatever_is_spoiled(database: Database) {
    let (plane, anna, admin, servers, up) = two_servers(database).await;
    for (n, (request, _)) in EDGE_BEFORE.iter().chain(EDGE_AFTER).enumerate() {
        let turn = 1 + n % 4;
        // A lost answer for each on one database, and the other ways in turn on the other.
        let how = spoiled()[if database == Database::Sqlite { 0 } else { turn }].clone();
        plane.fault(request, how.clone()).await;
        let job = change_edge(&plane, &admin, servers[0]).await;
        plane.until(job, JobState::Succeeded).await;
        plane.never_stopped(&up).await;
        holds(&plane, &anna, &servers, &format!("{request} {how}")).await;
    }
}

async fn a_change_of_edge_that_fails_goes_on_or_back(database: Database) {
    let (plane, anna, admin, servers, up) = two_servers(database).await;
    let fails = async |task: &str| {
        plane.fault(&format!("task {task}"), json!({"kind": "error", "message": "asked for"})).await;
        change_edge(&plane, &admin, servers[0]).await
    };
    for (_, task) in EDGE_BEFORE {
        let before = plane.store.server(servers[0]).await.unwrap().unwrap();
        let edge = plane.store.edge_of(servers[0]).await.unwrap().unwrap().id;
        let job = fails(task).await;
        plane.until(job, JobState::RolledBack).await;
        plane.never_stopped(&up).await;
        holds(&plane, &anna, &servers, &format!("{task}, taken back")).await;
        let after = plane.store.server(servers[0]).await.unwrap().unwrap();
        assert_eq!((after.address, after.next_address), (before.address, None), "{task}");
        assert_eq!(plane.store.edge_of(servers[0]).await.unwrap().unwrap().id, edge, "{task}");
    }
    for (_, task) in EDGE_AFTER {
        let job = fails(task).await;
        plane.until(job, JobState::Failed).await;
        assert!(plane.store.job_rerun(job, how(&anna)).await.unwrap());
        plane.until(job, JobState::Succeeded).await;
        plane.never_stopped(&up).await;
        holds(&plane, &anna, &servers, &format!("{task}, run again")).await;
    }
}

testkit::on_both!(
    what_was_moved_already_is_not_moved_again,
    a_change_of_edge_survives_whatever_is_spoiled,
    a_change_of_edge_that_fails_goes_on_or_back,
    every_change_survives_whatever_is_spoiled,
    every_change_that_fails_goes_on_or_back,
    terminate_survives_whatever_is_spoiled,
    terminate_that_fails_goes_on_or_back,
    a_failed_migration_holds_its_customer,
    stopping_the_worker_in_a_migration_doubles_nothing,
);
