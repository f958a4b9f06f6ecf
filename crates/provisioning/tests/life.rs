//! A server's life through every layer below the pages, on both databases: ordered, waited for, ended.

use domain::{
    draft::WizardStep,
    permission::Denial,
    state::{EdgeState, JobState, Role, ServerState},
};
use provisioning::{
    DraftSaved, ServerAnswer, Waiting,
    provider::{GroupRef, MachineRef, Provider},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use testkit::{Database, Plane};

async fn an_order_becomes_one_network_and_one_machine(database: Database) {
    let plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let job = plane.order(&anna).await;
    let done = plane.until(job, JobState::Succeeded).await;
    let server = plane.store.server(done.server.unwrap()).await.unwrap().unwrap();
    assert_eq!(server.state, ServerState::Running);
    let census = plane.sim.census();
    assert_eq!((census.networks.len(), census.vapps.len(), census.vms.len()), (1, 1, 1));
    let edge = plane.store.edge_of(server.id).await.unwrap().unwrap();
    assert_eq!((edge.state, edge.bandwidth_mbit), (EdgeState::Bound, Some(100)));
    assert_eq!(server.address.as_deref(), Some(edge.facts.first_address.as_str()));

    // What the job needed is gone; what the customer may see once is there once.
    assert!(plane.store.secret_for_job(server.id).await.unwrap().is_none());
    assert_eq!(plane.facade.password_reveal(&anna, job).await.unwrap(), Some(true));
    assert_eq!(plane.facade.password_reveal(&anna, job).await.unwrap(), Some(false));
    let shown = plane.facade.password_revealed(&anna, job).await.unwrap().unwrap();
    assert_eq!(shown.password.expose_secret().len(), 24);
}

/// A key somebody made for these tests.
const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJmLSLsvQJHCWCm2CtJoiYSPpvgmYDt8mKQ3hEHkBQQe anna@home";

/// Every way to sign in that can be ordered is a way to sign in.
async fn guests_let_in_who_ordered_them(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let customer = anna.customer().unwrap();
    let own = || Some(SecretString::from("Vq7-tRn2xLp9"));
    /// What is ordered, who is let in, and who is not.
    struct Case {
        template: &'static str,
        method: &'static str,
        login: &'static str,
        password: bool,
        good: serde_json::Value,
        bad: Vec<serde_json::Value>,
    }
    let case =
        |template, method, login, password, good, bad| Case { template, method, login, password, good, bad };
    let cases = [
        case(
            "almalinux-9",
            "key",
            "anna",
            false,
            json!({"login": "anna", "key": KEY}),
            vec![json!({"login": "anna", "password": ""}), json!({"login": "root", "key": KEY})],
        ),
        case("debian-12", "key_and_password", "root", true, json!({"login": "root", "key": KEY}), vec![]),
        case(
            "ubuntu-24.04",
            "password",
            "anna",
            true,
            json!({"login": "anna", "password": "Vq7-tRn2xLp9"}),
            vec![json!({"login": "anna", "key": KEY}), json!({"login": "anna", "password": "Vq7-tRn2xLp8"})],
        ),
        case(
            "windows-2022",
            "password",
            "Administrator",
            true,
            json!({"login": "Administrator", "password": "Vq7-tRn2xLp9"}),
            vec![json!({"login": "Administrator", "password": "wrong"})],
        ),
    ];
    for (n, case) in cases.into_iter().enumerate() {
        let Case { template, method, login, password, good, bad } = case;
        let draft = plane.draft(&anna).await;
        let (save, facade) = (|step| (draft, customer, step), &plane.facade);
        let (d, c, s) = save(WizardStep::Os);
        assert_eq!(
            facade.draft_save(d, c, s, None, |v| v.template = template.into()).await.unwrap(),
            DraftSaved::InOrder
        );
        let (d, c, s) = save(WizardStep::Access);
        let typed = password.then(own).flatten();
        let saved = facade.draft_save(d, c, s, typed, |v| {
            (v.method, v.guest_login) = (method.into(), login.into());
            v.password_source = if password { "own" } else { "generated" }.into();
            v.ssh_keys = if method == "password" { String::new() } else { KEY.into() };
        });
        assert_eq!(saved.await.unwrap(), DraftSaved::InOrder, "{template}");
        let job = plane.place(&anna, draft).await;
        let done = plane.until(job, JobState::Succeeded).await;
        assert!(
            plane.guest_lets_in(good.clone()).await,
            "{template} refuses {good}: {}",
            plane.guest().await
        );
        assert!(plane.cloud_keeps_no_secret().await, "{template}: {}", plane.guest().await);
        for stranger in bad {
            assert!(!plane.guest_lets_in(stranger.clone()).await, "{template} lets in {stranger}");
        }
        let name = plane.store.server(done.server.unwrap()).await.unwrap().unwrap().name;
        let key = format!("k{n}");
        let ended =
            plane.facade.server_terminate(&anna, done.server.unwrap(), &name, &key, "test").await.unwrap();
        let ServerAnswer::Accepted(ended) = ended else { panic!("{ended:?}") };
        plane.until(ended, JobState::Succeeded).await;
    }
}

async fn a_second_order_waits_and_another_customers_does_not(database: Database) {
    let plane = Plane::start_on(database, 5).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let boris = plane.viewer("boris@test", Role::Customer).await;
    let first = plane.order(&anna).await;
    // Before its first shared step another would join it.
    while plane.job(first).await.steps.iter().all(|s| s.key != "machine_create" || s.started_at.is_none()) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let second = plane.order(&anna).await;
    let other = plane.order(&boris).await;
    let view = plane.facade.operation(&anna, second).await.unwrap().unwrap();
    match view.waiting {
        Some(Waiting::Blocked { position, blockers }) => {
            assert_eq!((position <= 2, blockers[0].job), (true, first));
        }
        other => panic!("{other:?}"),
    }
    assert!(plane.facade.operation(&boris, second).await.unwrap().is_none(), "it is Anna's");
    plane.until(other, JobState::Succeeded).await;
    let first = plane.until(first, JobState::Succeeded).await;
    let second = plane.until(second, JobState::Succeeded).await;
    assert!(second.started_at >= first.finished_at, "one after the other");
    let census = plane.sim.census();
    assert_eq!((census.vms.len(), census.vapps.len(), census.edges_used, census.edges_doubled), (3, 2, 3, 0));
}

async fn a_terminate_behind_a_create_waits_can_be_cancelled_and_takes_everything_away(database: Database) {
    let plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let create = plane.order(&anna).await;
    let server = plane.job(create).await.server.unwrap();
    let ask = |name: &'static str, key: &'static str| {
        plane.facade.server_terminate(&anna, server, name, key, "test")
    };

    assert!(matches!(ask("wrong", "k1").await.unwrap(), ServerAnswer::Refused(_)));
    let ServerAnswer::Accepted(taken_back) = ask(" WEB-01 ", "k2").await.unwrap() else { panic!() };
    let view = plane.facade.operation(&anna, taken_back).await.unwrap().unwrap();
    assert!(matches!(view.waiting, Some(Waiting::Blocked { position: 1, .. })), "{:?}", view.waiting);
    assert_eq!(
        plane.facade.operation_cancel(&anna, taken_back).await.unwrap(),
        Some(Ok(provisioning::Cancelled::Request))
    );
    assert_eq!(
        plane.facade.operation_cancel(&anna, taken_back).await.unwrap(),
        Some(Err(Denial::AlreadyOver))
    );

    plane.until(create, JobState::Succeeded).await;
    let ServerAnswer::Accepted(terminate) = ask("web-01", "k3").await.unwrap() else { panic!() };
    plane.until(terminate, JobState::Succeeded).await;
    let census = plane.sim.census();
    assert_eq!((census.networks.len(), census.vapps.len(), census.vms.len()), (0, 0, 0));
    let pool = plane.store.edges().await.unwrap();
    assert!(pool.iter().all(|r| r.edge.state == EdgeState::Free));

    // The account is as on its first day: the next order works.
    let again = plane.order(&anna).await;
    plane.until(again, JobState::Succeeded).await;
}

/// The hard case: the network of a server that goes cannot leave a running vApp, so the others move, and never stop.
async fn a_server_goes_and_its_neighbours_never_stop(database: Database) {
    let plane = Plane::start_on(database, 5).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let mut servers = Vec::new();
    for _ in 0..4 {
        let job = plane.order(&anna).await;
        servers.push(plane.until(job, JobState::Succeeded).await.server.unwrap());
    }
    let before = plane.guests().await;
    let ended = plane.terminate(&anna, servers[1]).await;
    plane.until(ended, JobState::Succeeded).await;
    let census = plane.sim.census();
    assert_eq!((census.networks.len(), census.vapps.len(), census.vms.len()), (3, 1, 3));
    assert_eq!(census.vapps[0], format!("cust-{}", anna.customer().unwrap()));
    assert_eq!((census.edges_used, census.edges_doubled), (3, 0));
    plane.never_stopped(&before).await;
    let gone = plane.store.server(servers[1]).await.unwrap().unwrap();
    assert_eq!((gone.state, gone.machine_ref), (ServerState::Terminated, None));
    assert!(plane.store.edge_of(servers[1]).await.unwrap().is_none());
    let group = plane.store.group(anna.customer().unwrap()).await.unwrap().unwrap();
    assert_eq!((group.migration, group.machines), (None, Some(3)));
    let found = plane.provider().group_find(&group.name).await.unwrap().unwrap();
    assert_eq!(group.group_ref, Some(found.0.clone()), "the group that there is now is written down");
    for machine in plane.provider().group(&found).await.unwrap().machines {
        let server = servers.iter().find(|s| machine.name.ends_with(&s.to_string())).unwrap();
        let written = plane.store.server(*server).await.unwrap().unwrap().machine_ref;
        assert_eq!(written, Some(machine.machine.0));
    }
    // What moved answers under the reference that its row has now, and goes on being served.
    let reboot =
        plane.facade.server_power(&anna, servers[2], domain::power::PowerAction::Reboot, "r", "test");
    let ServerAnswer::Accepted(reboot) = reboot.await.unwrap() else { panic!() };
    plane.until(reboot, JobState::Succeeded).await;
    let next = plane.order(&anna).await;
    plane.until(next, JobState::Succeeded).await;
    assert_eq!(plane.sim.census().vapps.len(), 1, "a new server joins the group that there is");
}

/// Queued terminates of one customer are one migration, whatever their number.
async fn queued_terminates_are_one_migration(database: Database) {
    let mut plane = Plane::start_on(database, 12).await;
    plane.stop_worker().await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let mut orders = Vec::new();
    for _ in 0..12 {
        orders.push(plane.order(&anna).await);
    }
    plane.start_worker();
    let mut servers = Vec::new();
    for order in orders {
        servers.push(plane.until(order, JobState::Succeeded).await.server.unwrap());
    }
    plane.stop_worker().await;
    let before = plane.guests().await;
    let tasks = plane.sim.census().tasks.len();
    let mut ends = Vec::new();
    for server in &servers[..10] {
        ends.push(plane.terminate(&anna, *server).await);
    }
    plane.start_worker();
    for end in ends {
        plane.until(end, JobState::Succeeded).await;
    }
    let census = plane.sim.census();
    assert_eq!((census.networks.len(), census.vapps.len(), census.vms.len()), (2, 1, 2));
    assert_eq!((census.edges_used, census.edges_doubled), (2, 0));
    plane.never_stopped(&before).await;
    // Compose, move, stop, delete, rename; then ten networks and ten speeds.
    assert_eq!(census.tasks.len() - tasks, 5 + 10 + 10, "{:?}", &census.tasks[tasks..]);
    // The last two take their group with them.
    plane.stop_worker().await;
    let ends = [plane.terminate(&anna, servers[10]).await, plane.terminate(&anna, servers[11]).await];
    plane.start_worker();
    for end in ends {
        plane.until(end, JobState::Succeeded).await;
    }
    let census = plane.sim.census();
    assert_eq!((census.networks.len(), census.vapps.len(), census.vms.len()), (0, 0, 0));
}

/// A neighbour that cannot be moved is named, and nothing has been stopped; once it can be, the job goes on.
async fn a_neighbour_that_cannot_move_is_named(database: Database) {
    let plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let mut servers = Vec::new();
    for _ in 0..2 {
        let job = plane.order(&anna).await;
        servers.push(plane.until(job, JobState::Succeeded).await.server.unwrap());
    }
    let stays = plane.store.server(servers[1]).await.unwrap().unwrap().machine_ref.unwrap();
    let before = plane.guests().await;
    plane.foreign(json!({"what": "snapshot", "vm": stays})).await;
    let ended = plane.terminate(&anna, servers[0]).await;
    let failed = plane.until(ended, JobState::Failed).await;
    assert_eq!(failed.cause.as_deref(), Some("not_movable"));
    assert!(failed.detail.unwrap().contains("it has a snapshot"));
    let edge = plane.store.edge_of(servers[0]).await.unwrap().unwrap();
    assert_eq!(edge.state, EdgeState::Draining);
    plane.never_stopped(&before).await;
    let how = store::interventions::Intervention { by: anna.account.id, why: "a test", now: 1 };
    // Taken back, it is as it was; asked for again, and with the snapshot gone, it ends.
    assert!(plane.store.job_roll_back(ended, how).await.unwrap());
    plane.until(ended, JobState::RolledBack).await;
    let server = plane.store.server(servers[0]).await.unwrap().unwrap();
    assert_eq!(server.state, ServerState::Running);
    assert_eq!(plane.store.edge_of(servers[0]).await.unwrap().unwrap().state, EdgeState::Bound);
    let again = plane.terminate(&anna, servers[0]).await;
    plane.until(again, JobState::Failed).await;
    plane.foreign(json!({"what": "snapshot_gone", "vm": stays})).await;
    // A medium in its drive is in the way too.
    plane.foreign(json!({"what": "medium", "vm": stays, "name": "rescue.iso"})).await;
    assert!(plane.store.job_rerun(again, how).await.unwrap());
    let failed = plane.until(again, JobState::Failed).await;
    assert!(failed.detail.unwrap().contains("there is a medium in its drive"));
    plane.foreign(json!({"what": "medium", "vm": stays})).await;
    assert!(plane.store.job_rerun(again, how).await.unwrap());
    plane.until(again, JobState::Succeeded).await;
    plane.never_stopped(&before).await;
    assert_eq!(plane.sim.census().vms.len(), 1);
}

/// A neighbour that somebody has put back meanwhile is never deleted with what goes.
async fn a_neighbour_put_back_by_hand_is_not_deleted(database: Database) {
    let plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let mut servers = Vec::new();
    for _ in 0..2 {
        let job = plane.order(&anna).await;
        servers.push(plane.until(job, JobState::Succeeded).await.server.unwrap());
    }
    let before = plane.guests().await;
    plane.fault("task vappUndeployPowerOff", json!({"kind": "error"})).await;
    let ended = plane.terminate(&anna, servers[0]).await;
    plane.until(ended, JobState::Failed).await;
    // The neighbour has moved; a hand puts it back before the job goes on.
    let plan = plane.store.group(anna.customer().unwrap()).await.unwrap().unwrap().migration.unwrap();
    let old = GroupRef(plan.old.unwrap());
    let stays = plane.store.server(servers[1]).await.unwrap().unwrap().machine_ref.unwrap();
    let cloud = plane.provider();
    let task = cloud.machines_move(&old, &[MachineRef(stays.clone())]).await.unwrap();
    cloud.task_wait(&task, std::time::Duration::from_secs(60)).await.unwrap();
    let how = store::interventions::Intervention { by: anna.account.id, why: "a test", now: 1 };
    assert!(plane.store.job_rerun(ended, how).await.unwrap());
    let refused = plane.until(ended, JobState::Failed).await;
    assert_eq!(refused.cause.as_deref(), Some("not_last_server"));
    plane.never_stopped(&before).await;
    assert!(cloud.machine(&MachineRef(stays)).await.unwrap().on);
}

async fn orders_without_an_edge_wait_in_nobodys_way_and_are_served_longest_first(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let boris = plane.viewer("boris@test", Role::Customer).await;
    let carla = plane.viewer("carla@test", Role::Customer).await;
    let terminate = async |viewer, server, key| match plane
        .facade
        .server_terminate(viewer, server, "web-01", key, "test")
        .await
        .unwrap()
    {
        ServerAnswer::Accepted(job) => job,
        other => panic!("{other:?}"),
    };
    let first = plane.order(&anna).await;
    plane.until(first, JobState::Succeeded).await;
    let carlas = plane.order(&carla).await;
    plane.until(carlas, JobState::Parked).await;
    let boriss = plane.order(&boris).await;
    plane.until(boriss, JobState::Parked).await;
    let annas = plane.order(&anna).await;
    let parked = plane.until(annas, JobState::Parked).await;
    let view = plane.facade.operation(&boris, boriss).await.unwrap().unwrap();
    assert!(matches!(view.waiting, Some(Waiting::Parked)), "{:?}", view.waiting);
    assert_eq!(
        plane.facade.operation_cancel(&carla, carlas).await.unwrap(),
        Some(Ok(provisioning::Cancelled::Request))
    );

    // Her parked order stands before the termination that frees the edge, and not in its way.
    let ended = terminate(&anna, plane.job(first).await.server.unwrap(), "k1").await;
    plane.until(ended, JobState::Succeeded).await;
    plane.until(boriss, JobState::Succeeded).await;
    assert_eq!(plane.job(annas).await.state, JobState::Parked);

    let ended = terminate(&boris, plane.job(boriss).await.server.unwrap(), "k2").await;
    plane.until(ended, JobState::Succeeded).await;
    let done = plane.until(annas, JobState::Succeeded).await;
    assert!(done.seq > parked.seq, "it has a new place");
    let census = plane.sim.census();
    assert_eq!((census.networks.len(), census.vms.len(), census.edges_doubled), (1, 1, 0));
}

/// Queued orders of one customer are one change of the group and one copy of several machines.
async fn queued_orders_of_one_customer_are_made_together(database: Database) {
    let mut plane = Plane::start_on(database, 6).await;
    plane.stop_worker().await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let mut orders = Vec::new();
    for _ in 0..5 {
        orders.push(plane.order(&anna).await);
    }
    plane.start_worker();
    for order in &orders {
        plane.until(*order, JobState::Succeeded).await;
    }
    let census = plane.sim.census();
    assert_eq!((census.networks.len(), census.vapps.len(), census.vms.len()), (5, 1, 5));
    assert_eq!((census.edges_used, census.edges_doubled), (5, 0));
    let tasks = census.tasks;
    let count = |name: &str| tasks.iter().filter(|t| *t == name).count();
    assert_eq!(count("vdcComposeVapp"), 1, "{tasks:?}");
    assert_eq!(count("vdcRecomposeVapp"), 1, "{tasks:?}");
    assert_eq!(count("vdcUpdateVappNetworkSection"), 0, "the group came with all five networks: {tasks:?}");
}

/// Each change of power is one job; what is not to be had is refused before it is queued; a restart does not stop the
/// machine; a plain start does not customize it again.
async fn power_is_switched_and_seen(database: Database) {
    use domain::power::PowerAction::{self, ForceOff, Reboot, Reset, ShutDown, Start};
    let plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let create = plane.order(&anna).await;
    let server = plane.job(create).await.server.unwrap();
    let ask = async |action: PowerAction, key: &str| {
        plane.facade.server_power(&anna, server, action, key, "test").await.unwrap()
    };
    assert_eq!(ask(Start, "early").await, ServerAnswer::Denied(Denial::NotReady));
    plane.until(create, JobState::Succeeded).await;
    assert_eq!(ask(Start, "on").await, ServerAnswer::Denied(Denial::AlreadyRunning));
    let boots = async || plane.guest().await["boots"].as_i64().unwrap();
    let state = async || plane.store.server(server).await.unwrap().unwrap().state;
    let before = boots().await;
    for (n, (action, on, booted)) in [
        (Reboot, true, 1),
        (Reset, true, 1),
        (ShutDown, false, 0),
        (Start, true, 1),
        (ForceOff, false, 0),
        (Start, true, 1),
    ]
    .into_iter()
    .enumerate()
    {
        let already = boots().await;
        let key = format!("key {n}");
        let ServerAnswer::Accepted(job) = ask(action, &key).await else { panic!("{action}") };
        assert_eq!(
            ask(action, &key).await,
            ServerAnswer::Accepted(job),
            "the same form again is the same request"
        );
        let done = plane.until(job, JobState::Succeeded).await;
        assert_eq!(done.action.as_deref(), Some(action.as_str()));
        assert_eq!(ask(action, &key).await, ServerAnswer::Accepted(job), "also when it is over");
        let expected = if on { ServerState::Running } else { ServerState::Stopped };
        assert_eq!((state().await, boots().await - already), (expected, booted), "{action}");
    }
    assert_eq!(boots().await, before + 4);
    assert_eq!(plane.guest().await["hostname"], "web-01");
    // Somebody else's server is not there.
    let boris = plane.viewer("boris@test", Role::Customer).await;
    let answer = plane.facade.server_power(&boris, server, ForceOff, "k", "test").await.unwrap();
    assert_eq!(answer, ServerAnswer::Gone);
}

/// Who has had enough of a hanging shutdown tells that very job: its wait ends and the power is cut.
async fn a_hanging_shutdown_is_forced(database: Database) {
    use domain::power::PowerAction::{ForceOff, ShutDown};
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let create = plane.order(&anna).await;
    let server = plane.until(create, JobState::Succeeded).await.server.unwrap();
    let ask = async |action, key| match plane
        .facade
        .server_power(&anna, server, action, key, "test")
        .await
        .unwrap()
    {
        ServerAnswer::Accepted(job) => job,
        other => panic!("{other:?}"),
    };
    plane.fault("task vappShutdownGuest", json!({"kind": "stuck", "percent": 40})).await;
    let hanging = ask(ShutDown, "a").await;
    while plane.job(hanging).await.steps.iter().all(|s| s.key != "power_change" || s.started_at.is_none()) {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    assert_eq!(plane.job(hanging).await.state, JobState::Running);
    assert_eq!(ask(ForceOff, "b").await, hanging, "the same job, not another behind it");
    assert_eq!(ask(ForceOff, "c").await, hanging, "said twice, told once");
    plane.until(hanging, JobState::Succeeded).await;
    assert_eq!(plane.guest().await["state"], "off");
    assert_eq!(plane.store.server(server).await.unwrap().unwrap().state, ServerState::Stopped);
    let events = plane.store.job_events(hanging, 100).await.unwrap();
    let forced: Vec<_> = events.iter().filter(|e| e.what == "force_off").collect();
    assert_eq!(forced.len(), 1);
    assert_eq!(forced[0].detail.as_deref(), Some(anna.account.id.to_string().as_str()));
}

/// A restart whose answer was lost is not sent a second time.
async fn a_restart_is_sent_once(database: Database) {
    use domain::power::PowerAction::Reset;
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let create = plane.order(&anna).await;
    let server = plane.until(create, JobState::Succeeded).await.server.unwrap();
    let before = plane.guest().await["boots"].as_i64().unwrap();
    plane.fault("POST /api/vApp/*/power/action/reset", json!({"kind": "answer_lost"})).await;
    let answer = plane.facade.server_power(&anna, server, Reset, "k", "test").await.unwrap();
    let ServerAnswer::Accepted(job) = answer else { panic!("{answer:?}") };
    plane.until(job, JobState::Succeeded).await;
    assert_eq!(plane.guest().await["boots"].as_i64().unwrap(), before + 1);
}

testkit::on_both!(
    power_is_switched_and_seen,
    a_restart_is_sent_once,
    a_hanging_shutdown_is_forced,
    an_order_becomes_one_network_and_one_machine,
    guests_let_in_who_ordered_them,
    a_second_order_waits_and_another_customers_does_not,
    a_terminate_behind_a_create_waits_can_be_cancelled_and_takes_everything_away,
    a_server_goes_and_its_neighbours_never_stop,
    queued_terminates_are_one_migration,
    a_neighbour_that_cannot_move_is_named,
    a_neighbour_put_back_by_hand_is_not_deleted,
    orders_without_an_edge_wait_in_nobodys_way_and_are_served_longest_first,
    queued_orders_of_one_customer_are_made_together
);
