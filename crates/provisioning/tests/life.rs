//! A server's life through every layer below the pages, on both databases.

use domain::{
    draft::{DraftValues, WizardStep},
    field::Code,
    permission::Denial,
    state::{EdgeState, JobState, Role, ServerState},
};
use jobs::{Clock, JobChange, JobStore, StepTo};
use provisioning::{DraftSaved, OrderPlaced, Seen, TerminateAnswer, Waiting, draft_digest};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use testkit::{Database, Plane, hands};

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
        for stranger in bad {
            assert!(!plane.guest_lets_in(stranger.clone()).await, "{template} lets in {stranger}");
        }
        let name = plane.store.server(done.server.unwrap()).await.unwrap().unwrap().name;
        let key = format!("k{n}");
        let ended =
            plane.facade.server_terminate(&anna, done.server.unwrap(), &name, &key, "test").await.unwrap();
        let TerminateAnswer::Accepted(ended) = ended else { panic!("{ended:?}") };
        plane.until(ended, JobState::Succeeded).await;
    }
}

/// A password of one's own is held against every rule again when what the rules look at changes.
async fn an_own_password_is_checked_again_when_what_it_is_for_changes(database: Database) {
    let mut plane = Plane::start_on(database, 1).await;
    plane.stop_worker().await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let (draft, customer) = (plane.draft(&anna).await, anna.customer().unwrap());
    let save = async |step, password: Option<&str>, change: &dyn Fn(&mut DraftValues)| {
        let password = password.map(SecretString::from);
        plane.facade.draft_save(draft, customer, step, password, |v| change(v)).await.unwrap()
    };
    // In order on Linux, and for no longer than its login and host name let it be.
    let own = |v: &mut DraftValues| v.password_source = "own".into();
    assert_eq!(save(WizardStep::Access, Some("correcthorsebattery"), &own).await, DraftSaved::InOrder);
    let windows = |v: &mut DraftValues| v.template = "windows-2022".into();
    save(WizardStep::Os, None, &windows).await;
    let values = plane.facade.draft(draft, customer).await.unwrap().unwrap();
    assert!(!values.password_kept);
    assert_eq!(values.values.password_errors[0].code, Code::PasswordClasses);

    assert_eq!(save(WizardStep::Access, Some("Correct-horse-7-battery"), &own).await, DraftSaved::InOrder);
    let host = |v: &mut DraftValues| v.hostname = "horse".into();
    assert_eq!(save(WizardStep::Access, Some(""), &host).await, DraftSaved::WithErrors);
    let values = plane.facade.draft(draft, customer).await.unwrap().unwrap().values;
    assert_eq!(values.password_errors[0].code, Code::PasswordHostname);
}

/// What was reviewed is what is ordered: another tab may have changed it meanwhile.
async fn an_order_that_changed_under_the_button_is_not_placed(database: Database) {
    let mut plane = Plane::start_on(database, 1).await;
    plane.stop_worker().await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let (draft, customer) = (plane.draft(&anna).await, anna.customer().unwrap());
    let shown = plane.facade.draft(draft, customer).await.unwrap().unwrap();
    let total_minor = plane.facade.draft_quote(&shown.values).unwrap().1.total_minor;
    let seen = Seen { total_minor, digest: draft_digest(&shown) };
    plane.rename(&anna, draft, "other").await;
    match plane.facade.order_place(&anna, draft, true, &seen, "test").await.unwrap() {
        OrderPlaced::Refused(errors) => assert_eq!(errors[0].code, Code::OrderChanged),
        other => panic!("{other:?}"),
    }
    plane.place(&anna, draft).await;
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

    assert!(matches!(ask("wrong", "k1").await.unwrap(), TerminateAnswer::Refused(_)));
    let TerminateAnswer::Accepted(taken_back) = ask(" WEB-01 ", "k2").await.unwrap() else { panic!() };
    let view = plane.facade.operation(&anna, taken_back).await.unwrap().unwrap();
    assert!(matches!(view.waiting, Some(Waiting::Blocked { position: 1, .. })), "{:?}", view.waiting);
    assert_eq!(plane.facade.operation_cancel(&anna, taken_back).await.unwrap(), Some(Ok(())));
    assert_eq!(
        plane.facade.operation_cancel(&anna, taken_back).await.unwrap(),
        Some(Err(Denial::AlreadyOver))
    );

    plane.until(create, JobState::Succeeded).await;
    let TerminateAnswer::Accepted(terminate) = ask("web-01", "k3").await.unwrap() else { panic!() };
    plane.until(terminate, JobState::Succeeded).await;
    let census = plane.sim.census();
    assert_eq!((census.networks.len(), census.vapps.len(), census.vms.len()), (0, 0, 0));
    let pool = plane.store.edges().await.unwrap();
    assert!(pool.iter().all(|r| r.edge.state == EdgeState::Free));

    // The account is as on its first day: the next order works.
    let again = plane.order(&anna).await;
    plane.until(again, JobState::Succeeded).await;
}

async fn one_of_several_servers_cannot_be_terminated_yet_and_says_so(database: Database) {
    let plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let first = plane.order(&anna).await;
    plane.order(&anna).await;
    let server = plane.job(first).await.server.unwrap();
    let answer = plane.facade.server_terminate(&anna, server, "web-01", "k", "test").await.unwrap();
    assert_eq!(answer, TerminateAnswer::Denied(Denial::HasNeighbours));
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
        TerminateAnswer::Accepted(job) => job,
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
    assert_eq!(plane.facade.operation_cancel(&carla, carlas).await.unwrap(), Some(Ok(())));

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
        let draft = plane.draft(&viewer).await;
        plane.rename(&viewer, draft, &format!("fail-{}", operation.to_lowercase())).await;
        let job = plane.place(&viewer, draft).await;
        let failed = plane.until(job, JobState::Failed).await;
        let at: Vec<_> = failed.steps.iter().filter(|s| s.cause.is_some()).map(|s| s.key.as_str()).collect();
        assert_eq!(
            (failed.cause.as_deref(), at.as_slice()),
            (Some("task_failed"), [step].as_slice()),
            "{operation}"
        );
    }
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
        let draft = plane.draft(&viewer).await;
        plane.rename(&viewer, draft, &format!("fail-{}", operation.to_lowercase())).await;
        let job = plane.place(&viewer, draft).await;
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

async fn parallel_posts_of_one_draft_are_one_order(database: Database) {
    let plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let draft = plane.draft(&anna).await;
    let posts = futures::future::join_all((0..50).map(|_| plane.place(&anna, draft))).await;
    assert!(posts.iter().all(|j| *j == posts[0]));
    assert_eq!(plane.store.servers_of(anna.customer().unwrap()).await.unwrap().len(), 1);
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
    assert!(store.server_observed(stale, server, ServerState::Running, now).await.is_err());
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

/// Each of them on SQLite and on PostgreSQL.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(super::Database::Sqlite).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(super::Database::Postgres).await;
            })*
        }
    };
}

on_both! {
    guests_let_in_who_ordered_them,
    an_own_password_is_checked_again_when_what_it_is_for_changes,
    an_order_that_changed_under_the_button_is_not_placed,
    an_order_becomes_one_network_and_one_machine,
    a_second_order_waits_and_another_customers_does_not,
    a_terminate_behind_a_create_waits_can_be_cancelled_and_takes_everything_away,
    one_of_several_servers_cannot_be_terminated_yet_and_says_so,
    orders_without_an_edge_wait_in_nobodys_way_and_are_served_longest_first,
    queued_orders_of_one_customer_are_made_together,
    an_activate_that_is_taken_back_leaves_nothing,
    a_host_name_can_ask_for_the_failure_of_any_step,
    a_failed_customization_is_named_and_holds_nobody,
    stopping_the_worker_anywhere_doubles_nothing,
    parallel_posts_of_one_draft_are_one_order,
    a_worker_whose_claim_was_taken_over_changes_nothing,
    the_last_edge_goes_to_one_of_many,
}
