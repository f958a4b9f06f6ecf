//! Every change of the cloud that a workflow makes goes wrong once, in each way it can: it fails, its answer is lost, it is
//! carried out and answered by a gateway's error, it finds its object held by a stranger. What comes of it is always the
//! whole result, or what was there before; neighbours never stop.

use domain::{
    JobId, ServerId,
    state::{EdgeState, JobState, Role, ServerState},
};
use provisioning::Viewer;
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
    assert!(
        plane.store.job_rerun(job, how(&anna)).await.unwrap()
            || plane.store.job_roll_back(job, how(&anna)).await.unwrap()
    );
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

testkit::on_both!(
    terminate_survives_whatever_is_spoiled,
    terminate_that_fails_goes_on_or_back,
    a_failed_migration_holds_its_customer,
    stopping_the_worker_in_a_migration_doubles_nothing,
);
