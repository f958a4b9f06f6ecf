//! What fails, stops or is taken over on the way, on both databases: it is named, taken back, and doubles nothing.

use domain::{
    JobId,
    state::{EdgeState, JobState, Role, ServerState},
};
use jobs::{Clock, JobChange, JobStore, StepTo};
use provisioning::{Viewer, provider::Provider};
use testkit::{Database, Plane, hands};

/// An order whose host name makes an operation of the cloud fail.
async fn failing_order(plane: &Plane, viewer: &Viewer, operation: &str) -> JobId {
    let draft = plane.draft(viewer).await;
    plane.rename(viewer, draft, &format!("fail-{}", operation.to_lowercase())).await;
    plane.place(viewer, draft).await
}

async fn a_failed_customization_is_named_and_holds_nobody(database: Database) {
    let plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let draft = plane.draft(&anna).await;
    plane.rename(&anna, draft, "fail-customize").await;
    let bad = plane.place(&anna, draft).await;
    let good = plane.order(&anna).await;
    let bad = plane.until(bad, JobState::Failed).await;
    assert_eq!(bad.cause.as_deref(), Some("customization_failed"));
    plane.until(good, JobState::Succeeded).await;
}

/// A server is ready when it lets in with what was ordered: a guest that does not is named for what is missing.
async fn a_guest_that_lets_nobody_in_is_not_ready(database: Database) {
    let plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    for (name, cause) in [("fail-login", "access_refused"), ("fail-address", "address_silent")] {
        let draft = plane.draft(&anna).await;
        plane.rename(&anna, draft, name).await;
        let bad = plane.place(&anna, draft).await;
        let bad = plane.until(bad, JobState::Failed).await;
        assert_eq!(bad.cause.as_deref(), Some(cause), "{name}");
        let at: Vec<_> = bad.steps.iter().filter(|s| s.cause.is_some()).map(|s| s.key.as_str()).collect();
        assert_eq!(at, ["access_verify"], "{name}");
    }
}

/// A host name makes any step fail, so that a person can see each of them fail.
async fn a_host_name_can_ask_for_the_failure_of_any_step(database: Database) {
    let plane = Plane::start_on(database, 8).await;
    for (n, (operation, step)) in [
        ("networkCreateOrgVdcNetwork", "network_create"),
        ("orgVdcGatewayUpdate", "qos_apply"),
        ("vdcComposeVapp", "group_ensure"),
        ("vdcRecomposeVapp", "machine_create"),
        ("vappUpdateVm", "machine_resize"),
        ("vappDeploy", "power_on"),
    ]
    .into_iter()
    .enumerate()
    {
        let viewer = plane.viewer(&format!("customer{n}@test"), Role::Customer).await;
        let job = failing_order(&plane, &viewer, operation).await;
        let failed = plane.until(job, JobState::Failed).await;
        let at: Vec<_> = failed.steps.iter().filter(|s| s.cause.is_some()).map(|s| s.key.as_str()).collect();
        assert_eq!(
            (failed.cause.as_deref(), at.as_slice()),
            (Some("task_failed"), [step].as_slice()),
            "{operation}"
        );
    }
}

/// An activate that is taken back, wherever it failed, leaves the cloud and the pool as they were.
async fn an_activate_that_is_taken_back_leaves_nothing(database: Database) {
    let plane = Plane::start_on(database, 4).await;
    for (n, operation) in [
        "networkCreateOrgVdcNetwork",
        "orgVdcGatewayUpdate",
        "vdcComposeVapp",
        "vdcRecomposeVapp",
        "vappUpdateVm",
        "vappDeploy",
        "customize",
    ]
    .into_iter()
    .enumerate()
    {
        let viewer = plane.viewer(&format!("customer{n}@test"), Role::Customer).await;
        let job = failing_order(&plane, &viewer, operation).await;
        plane.until(job, JobState::Failed).await;
        let how = store::interventions::Intervention { by: viewer.account.id, why: "a test", now: 1 };
        assert!(plane.store.job_roll_back(job, how).await.unwrap());
        let back = plane.until(job, JobState::RolledBack).await;
        let census = plane.sim.census();
        assert_eq!((census.networks, census.vapps, census.vms), (vec![], vec![], vec![]), "{operation}");
        let pool = plane.store.edges().await.unwrap();
        assert!(pool.iter().all(|r| r.edge.state == EdgeState::Free), "{operation}");
        let server = plane.store.server(back.server.unwrap()).await.unwrap().unwrap();
        assert_eq!(server.state, ServerState::Terminated, "{operation}");
    }
}

/// A network whose making failed half-way stays in the cloud under the name that the next try wants: it is taken away first.
async fn a_broken_network_is_made_anew(database: Database) {
    let plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    plane
        .fault("task networkCreateOrgVdcNetwork", serde_json::json!({"kind": "error", "leaves_shell": true}))
        .await;
    let job = plane.order(&anna).await;
    let failed = plane.until(job, JobState::Failed).await;
    assert_eq!(failed.cause.as_deref(), Some("task_failed"));
    assert_eq!(plane.sim.census().networks.len(), 1, "what is left of it");
    let how = store::interventions::Intervention { by: anna.account.id, why: "a test", now: 1 };
    assert!(plane.store.job_rerun(job, how).await.unwrap());
    plane.until(job, JobState::Succeeded).await;
    assert_eq!(plane.sim.census().networks.len(), 1);
}

/// A network that cannot be used yet is waited for by the step that makes it: nothing is put on it, and nothing is tried again.
async fn a_network_is_waited_for(database: Database) {
    let plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    // Less than what is waited for in one try.
    plane.knobs(serde_json::json!({"realize_lag_ms": 20_000, "realize_lag_jitter_ms": 0})).await;
    let job = plane.order(&anna).await;
    while plane.sim.census().vapps.is_empty() {
        assert!(!plane.job(job).await.state.is_over(), "nothing was made");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let network = plane.sim.census().networks.into_iter().next().unwrap();
    let found = plane.provider().network_find(&network).await.unwrap().unwrap();
    assert!(found.ready, "a group stands on a network that is not ready");
    let done = plane.until(job, JobState::Succeeded).await;
    let step = done.steps.iter().find(|s| s.key == "network_create").unwrap();
    assert_eq!(step.attempt, 1);
}

/// What is no longer as it was seen is looked at again, and what has been done by then is not done twice: the end of a try that
/// a death cut off can fall between a look and the next change.
async fn what_has_changed_since_it_was_seen_is_seen_again(database: Database) {
    let plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let job = plane.order(&anna).await;
    let server = plane.until(job, JobState::Succeeded).await.server.unwrap();
    for change in
        ["POST /api/vApp/*/action/undeploy", "DELETE /api/vApp/*", "DELETE /cloudapi/1.0.0/orgVdcNetworks/*"]
    {
        plane.fault(change, serde_json::json!({"kind": "status", "status": 403})).await;
    }
    let end = plane.terminate(&anna, server).await;
    let ended = plane.until_or(end, JobState::Succeeded, JobState::RetryWait).await;
    let tries: Vec<i64> = ended.steps.iter().map(|s| s.attempt).filter(|n| *n > 1).collect();
    assert_eq!(tries, [2, 2, 2], "{:?}", ended.steps);
    assert!(plane.sim.census().networks.is_empty() && plane.sim.census().vapps.is_empty());
}

async fn stopping_the_worker_anywhere_doubles_nothing(database: Database) {
    let mut plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let job = plane.order(&anna).await;
    for _ in 0..12 {
        tokio::time::sleep(std::time::Duration::from_millis(90)).await;
        plane.stop_worker().await;
        plane.sim.expire_sessions();
        plane.start_worker();
    }
    plane.until(job, JobState::Succeeded).await;
    let census = plane.sim.census();
    assert_eq!((census.networks.len(), census.vapps.len(), census.vms.len()), (1, 1, 1));
}

async fn a_worker_whose_claim_was_taken_over_changes_nothing(database: Database) {
    let mut plane = Plane::start_on(database, 2).await;
    plane.stop_worker().await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let job = plane.order(&anna).await;
    let now = jobs::SystemClock.now_ms();
    let store = plane.store.clone().with_own_clock();
    let store = &store;
    let short = std::time::Duration::from_millis(10);
    let late = hands::claim_for(store, "late", now, short).await.unwrap();
    assert!(hands::claim(store, "other", now).await.is_none(), "the claim still holds");
    let next = hands::claim(store, "other", now + 11).await.unwrap();
    assert_eq!((next.fence.job, next.fence.epoch), (late.fence.job, late.fence.epoch + 1));

    let server = plane.job(job).await.server.unwrap();
    let before = format!("{:?}", plane.job(job).await);
    let stale = late.fence;
    let problem = || jobs::Problem::new("internal", "late");
    assert_eq!(store.renew("late", &[stale], now, short).await.unwrap(), []);
    let steps: [StepTo; 6] = [
        StepTo::Started,
        StepTo::Task("t".into()),
        StepTo::Done(serde_json::Value::Null),
        StepTo::Retry { problem: problem(), at: 1, pause_ms: 1, unknown: true },
        StepTo::Failed(problem()),
        StepTo::Undone,
    ];
    for to in steps {
        let written =
            hands::write(store, stale, vec![("order_check", to.clone())], JobChange::Stays, now).await;
        assert_eq!(written, Err(jobs::StoreError::Fenced), "{to:?}");
    }
    let changes = [
        JobChange::Sleeps { until: 1 },
        JobChange::Parks(problem()),
        JobChange::TurnsBack,
        JobChange::Succeeds,
        JobChange::Fails(problem()),
        JobChange::RolledBack,
        JobChange::Stuck(problem()),
        JobChange::Replanned { shape: 9, steps: vec!["x"] },
    ];
    for change in changes {
        let written = hands::write(store, stale, vec![], change.clone(), now).await;
        assert_eq!(written, Err(jobs::StoreError::Fenced), "{change:?}");
    }
    assert!(store.edge_bound(stale, server, "n", 1, now).await.is_err());
    assert!(store.edge_draining(stale, server, now).await.is_err());
    assert!(store.edge_kept(stale, server, now).await.is_err());
    assert!(store.edge_freed(stale, server, now).await.is_err());
    assert!(store.group_intend(stale, "x").await.is_err());
    assert!(store.group_set_ref(stale, Some("x")).await.is_err());
    assert!(store.group_observed(stale, 1, 1, now).await.is_err());
    assert!(store.server_set_network(stale, server, "n", "a").await.is_err());
    assert!(store.server_set_machine(stale, server, Some("m")).await.is_err());
    let seen = store::servers::Seen {
        state: ServerState::Running,
        cpu_hot_add: false,
        ram_hot_add: false,
        has_snapshot: false,
    };
    assert!(store.server_observed(stale, server, seen, now).await.is_err());
    assert!(store.server_snapshot_taken(stale, server, now).await.is_err());
    assert!(store.server_password_made(stale, server).await.is_err());
    assert!(store.address_kept(stale, server).await.is_err());
    assert!(store.edge_reserve(stale, server, now).await.is_err());
    assert!(store.edge_unreserve(stale, server, now).await.is_err());
    assert!(store.edge_switched(stale, server, "n", now).await.is_err());
    assert!(store.edge_left(stale, server, None, now).await.is_err());
    assert!(store.edge_hold(stale, server, "n", "why", 0).await.is_err());
    let edge = store.edges().await.unwrap().remove(0).edge.id;
    assert!(store.edge_let_go(stale, edge, now).await.is_err());
    let system = domain::reinstall::System {
        template_id: "debian-12".into(),
        template_name: "Debian 12".into(),
        family: domain::catalogue::Family::Linux,
        method: domain::access::Method::Password,
        guest_login: "root".into(),
        own_password: false,
        ssh_keys: vec![],
    };
    assert!(store.server_system(stale, server, &system).await.is_err());
    assert!(store.group_plan(stale, "x", None).await.is_err());
    assert!(store.group_moved(stale, "x", &[]).await.is_err());
    assert!(store.job_set_hold(stale, domain::kind::Scope::None).await.is_err());
    assert!(store.server_terminated(stale, server, now).await.is_err());
    assert!(store.edge_claim(stale, server, now).await.is_err());
    assert!(store.server_set_state(stale, server, ServerState::Running).await.is_err());
    assert_eq!(format!("{:?}", plane.job(job).await), before);
    assert_eq!(store.edges_free().await.unwrap(), 2);
}

async fn the_last_edge_goes_to_one_of_many(database: Database) {
    let mut plane = Plane::start_on(database, 1).await;
    plane.stop_worker().await;
    let mut claims = Vec::new();
    for n in 0..8 {
        let viewer = plane.viewer(&format!("customer{n}@test"), Role::Customer).await;
        let job = plane.order(&viewer).await;
        let now = jobs::SystemClock.now_ms();
        let claimed = hands::claim(&plane.store, "worker", now).await.unwrap();
        claims.push((claimed.fence, plane.job(job).await.server.unwrap()));
    }
    let tries = claims.iter().map(|(fence, server)| plane.store.edge_claim(*fence, *server, 1));
    let got: Vec<_> = futures::future::join_all(tries).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(got.iter().filter(|edge| edge.is_some()).count(), 1);
    assert_eq!(plane.store.edge_conflicts().await.unwrap(), 0);
}

/// The one call that can slip out of a worker that stood still makes a second, empty group of the same name. The older one
/// stays, whoever made it.
async fn a_group_that_slipped_out_is_deleted(database: Database) {
    let plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let first = plane.order(&anna).await;
    plane.until(first, JobState::Succeeded).await;
    let hand = plane.provider();
    let slip = async || {
        let name = plane.sim.census().vapps[0].clone();
        let task = hand.group_create(&name, "slipped out", &[]).await.unwrap();
        hand.task_wait(&task, std::time::Duration::from_secs(30)).await.unwrap();
        assert_eq!(plane.sim.census().vapps, [name.clone(), name]);
    };
    slip().await;
    let second = plane.order(&anna).await;
    plane.until(second, JobState::Succeeded).await;
    let census = plane.sim.census();
    assert_eq!((census.vapps.len(), census.vms.len()), (1, 2), "the one with the machines has stayed");

    // The end of the last server takes whatever is left of its name.
    let boris = plane.viewer("boris@test", Role::Customer).await;
    let only = plane.order(&boris).await;
    let server = plane.until(only, JobState::Succeeded).await.server.unwrap();
    let vapps = plane.sim.census().vapps.len();
    let name = plane.store.group(boris.customer().unwrap()).await.unwrap().unwrap().name;
    let task = hand.group_create(&name, "slipped out", &[]).await.unwrap();
    hand.task_wait(&task, std::time::Duration::from_secs(30)).await.unwrap();
    let asked = plane.facade.server_terminate(&boris, server, "web-01", "k", "test").await.unwrap();
    let provisioning::ServerAnswer::Accepted(terminate) = asked else { panic!("{asked:?}") };
    plane.until(terminate, JobState::Succeeded).await;
    assert_eq!(plane.sim.census().vapps.len(), vapps - 1);
}

testkit::on_both!(
    a_group_that_slipped_out_is_deleted,
    a_failed_customization_is_named_and_holds_nobody,
    a_guest_that_lets_nobody_in_is_not_ready,
    a_host_name_can_ask_for_the_failure_of_any_step,
    an_activate_that_is_taken_back_leaves_nothing,
    a_broken_network_is_made_anew,
    a_network_is_waited_for,
    what_has_changed_since_it_was_seen_is_seen_again,
    stopping_the_worker_anywhere_doubles_nothing,
    a_worker_whose_claim_was_taken_over_changes_nothing,
    the_last_edge_goes_to_one_of_many
);
