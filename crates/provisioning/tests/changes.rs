//! What an owner has changed of a server that is up: its size, address, system, password, snapshot and name.

use std::time::Duration;

use domain::{
    ServerId,
    field::Code,
    permission::Denial,
    power::PowerAction,
    resize::Effect,
    snapshot::SnapshotAction,
    state::{JobState, Role, ServerState},
};
use provisioning::{
    ConsoleAnswer, Form, ReinstallWish, ServerAnswer, Viewer,
    provider::{MachineRef, Provider},
};
use secrecy::ExposeSecret;
use serde_json::json;
use testkit::{Database, Plane, same_system};

async fn ordered(plane: &Plane, viewer: &Viewer) -> ServerId {
    let job = plane.order(viewer).await;
    plane.until(job, JobState::Succeeded).await.server.unwrap()
}

fn form(key: &str) -> Form<'_> {
    Form { key, request_id: "test" }
}

async fn row(plane: &Plane, server: ServerId) -> provisioning::Server {
    plane.store.server(server).await.unwrap().unwrap()
}

fn accepted(answer: ServerAnswer) -> domain::JobId {
    match answer {
        ServerAnswer::Accepted(job) => job,
        other => panic!("{other:?}"),
    }
}

/// What a size is asked for with: the parameters as they are typed.
async fn resize(plane: &Plane, anna: &Viewer, server: ServerId, typed: [&str; 4]) -> domain::JobId {
    let key = typed.join("-");
    match plane.facade.server_resize(anna, server, typed, None, form(&key)).await.unwrap() {
        ServerAnswer::Accepted(job) => job,
        other => panic!("{other:?}"),
    }
}

async fn each_parameter_changes_on_its_own(database: Database) {
    let plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let server = ordered(&plane, &anna).await;
    let first = row(&plane, server).await;
    let size = first.size;
    let text = |n: u32| n.to_string();
    let (vcpu, ram, disk, speed) =
        (text(size.vcpu), text(size.ram_gb), text(size.disk_gb), text(size.bandwidth_mbit));
    let (more_disk, more_vcpu, more_ram) =
        (text(size.disk_gb + 20), text(size.vcpu + 1), text(size.ram_gb + 1));
    let boots = async || plane.guest().await["boots"].as_i64().unwrap();
    let password = async || plane.guest().await["accounts"].clone();
    let (before, accounts) = (boots().await, password().await);

    // The speed alone is an operation of the edge: the machine is not touched.
    let job = resize(&plane, &anna, server, [&vcpu, &ram, &disk, "200"]).await;
    let done = plane.until(job, JobState::Succeeded).await;
    assert_eq!(done.kind, domain::kind::Kind::ChangeBandwidth);
    let edge = plane.store.edge_of(server).await.unwrap().unwrap();
    assert_eq!((edge.bandwidth_mbit, boots().await), (Some(200), before));
    assert!(row(&plane, server).await.price_minor > first.price_minor, "priced on its own");

    // A disk grows while the server runs; the file system follows at the next start.
    let view = plane.facade.server(&anna, server).await.unwrap().unwrap();
    let preview = plane.facade.resize_preview(&view, [&vcpu, &ram, &more_disk, "200"]).unwrap();
    assert_eq!(preview.effects.all(), [Effect::None, Effect::None, Effect::Live, Effect::None]);
    let job = resize(&plane, &anna, server, [&vcpu, &ram, &more_disk, "200"]).await;
    plane.until(job, JobState::Succeeded).await;
    assert_eq!(boots().await, before, "nobody inside noticed");

    // What cannot be added while it runs takes one restart, for all of it together; the password stays.
    let job = resize(&plane, &anna, server, [&more_vcpu, &more_ram, &more_disk, &speed]).await;
    plane.until(job, JobState::Succeeded).await;
    let now = row(&plane, server).await;
    assert_eq!(
        (now.size.vcpu, now.size.ram_gb, now.size.disk_gb, now.size.bandwidth_mbit),
        (size.vcpu + 1, size.ram_gb + 1, size.disk_gb + 20, size.bandwidth_mbit)
    );
    let hot = first.cpu_hot_add && first.ram_hot_add;
    assert_eq!(boots().await, before + i64::from(!hot));
    // Fewer processors always need a restart, and only one.
    let job = resize(&plane, &anna, server, [&vcpu, &more_ram, &more_disk, &speed]).await;
    plane.until(job, JobState::Succeeded).await;
    assert_eq!(boots().await, before + i64::from(!hot) + 1);
    assert_eq!(password().await, accounts, "no account was touched");
    assert_eq!(now.state, ServerState::Running);
    let guest = plane.guest().await;
    assert_eq!(guest["root_mb"], (size.disk_gb + 20) * 1024, "the file system has grown");
    assert!(guest["accounts"].as_array().unwrap().iter().all(|a| a["must_change_password"] == false));
    assert_eq!(plane.first_login_flags().await, [false], "what was set for the change was put back");

    // A server that is off stays off.
    let off = plane.facade.server_power(&anna, server, PowerAction::ForceOff, "off", "test").await.unwrap();
    plane.until(accepted(off), JobState::Succeeded).await;
    let job = resize(&plane, &anna, server, [&more_vcpu, &ram, &more_disk, &speed]).await;
    plane.until(job, JobState::Succeeded).await;
    assert_eq!(row(&plane, server).await.state, ServerState::Stopped);
}

async fn a_size_that_cannot_be_is_refused_and_says_why(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let server = ordered(&plane, &anna).await;
    let size = row(&plane, server).await.size;
    let text = |n: u32| n.to_string();
    let typed = |disk: u32| [text(size.vcpu), text(size.ram_gb), text(disk), text(size.bandwidth_mbit)];
    let refused = async |typed: [String; 4]| {
        let typed = [typed[0].as_str(), &typed[1], &typed[2], &typed[3]];
        match plane.facade.server_resize(&anna, server, typed, None, form("x")).await.unwrap() {
            ServerAnswer::Refused(errors) => errors[0].code,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(typed(size.disk_gb)).await, Code::NothingChanged);
    assert_eq!(refused(typed(size.disk_gb - 10)).await, Code::DiskShrinks);
    assert_eq!(refused(typed(99_990)).await, Code::NumberTariff);
    let job = plane.facade.server_snapshot(&anna, server, SnapshotAction::Create, form("s")).await.unwrap();
    plane.until(accepted(job), JobState::Succeeded).await;
    assert_eq!(refused(typed(size.disk_gb + 10)).await, Code::DiskSnapshot);
    // Somebody else's server is not there.
    let boris = plane.viewer("boris@test", Role::Customer).await;
    let answer = plane.facade.server_resize(&boris, server, ["1", "1", "1", "1"], None, form("b")).await;
    assert_eq!(answer.unwrap(), ServerAnswer::Gone);
}

async fn an_address_is_switched_and_the_old_one_rests(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let server = ordered(&plane, &anna).await;
    let old = row(&plane, server).await.address.unwrap();
    let ask = async |key| plane.facade.server_change_ip(&anna, server, true, form(key)).await.unwrap();
    let missing = plane.facade.server_change_ip(&anna, server, false, form("n")).await.unwrap();
    assert!(matches!(missing, ServerAnswer::Refused(e) if e[0].code == Code::DnsMissing));
    plane.until(accepted(ask("a").await), JobState::Succeeded).await;
    let now = row(&plane, server).await;
    let new = now.address.clone().unwrap();
    assert_ne!(new, old);
    assert_eq!(now.next_address, None);
    assert_eq!(plane.guest().await["addresses"], json!([new]));
    // The block has five addresses for servers: each is given once, then they all rest.
    let mut given = vec![old, new];
    for key in ["b", "c", "d"] {
        plane.until(accepted(ask(key).await), JobState::Succeeded).await;
        given.push(row(&plane, server).await.address.unwrap());
    }
    let mut once = given.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), 5, "{given:?}");
    let job = accepted(ask("e").await);
    let back = plane.until(job, JobState::RolledBack).await;
    assert_eq!(back.server, Some(server));
    assert_eq!(row(&plane, server).await.address.unwrap(), given[4], "it keeps what it has");
    assert_eq!(row(&plane, server).await.state, ServerState::Running);
}

/// A guest that does not answer under the new address gets the old one back.
async fn an_address_that_does_not_answer_is_taken_back(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let server = ordered(&plane, &anna).await;
    let old = row(&plane, server).await.address.unwrap();
    plane.guest_ignores_settings(true).await;
    let job = accepted(plane.facade.server_change_ip(&anna, server, true, form("a")).await.unwrap());
    let back = plane.until(job, JobState::RolledBack).await;
    assert_eq!(back.cause.as_deref(), Some("address_silent"));
    let now = row(&plane, server).await;
    assert_eq!((now.address.as_deref(), now.next_address), (Some(old.as_str()), None));
    assert_eq!(plane.guest().await["addresses"], json!([old]));
    assert_eq!(now.state, ServerState::Running);
    plane.guest_ignores_settings(false).await;
    let job = accepted(plane.facade.server_change_ip(&anna, server, true, form("b")).await.unwrap());
    plane.until(job, JobState::Succeeded).await;
    assert_ne!(row(&plane, server).await.address.unwrap(), old);
}

async fn a_reinstall_keeps_identity_address_and_price(database: Database) {
    let plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let (server, neighbour) = (ordered(&plane, &anna).await, ordered(&plane, &anna).await);
    let before = row(&plane, server).await;
    let up = plane.guests().await;
    let ask = async |wish: ReinstallWish, key: &str| {
        plane.facade.server_reinstall(&anna, server, wish, form(key)).await.unwrap()
    };
    let wrong = ReinstallWish { confirm_name: "db-01".into(), ..same_system(&before) };
    let wrong = ask(wrong, "w").await;
    assert!(matches!(wrong, ServerAnswer::Refused(e) if e[0].code == Code::ConfirmNameWrong));
    let job = accepted(ask(same_system(&before), "a").await);
    plane.until(job, JobState::Succeeded).await;
    let after = row(&plane, server).await;
    assert_eq!(
        (after.name, after.hostname, after.address, after.price_minor, after.size),
        (before.name, before.hostname, before.address, before.price_minor, before.size)
    );
    assert_ne!(after.machine_ref, before.machine_ref, "it is another machine");
    let now = plane.guests().await;
    assert_eq!(now[&format!("vds-{server}")].boots, 1);
    let next = format!("vds-{neighbour}");
    assert_eq!(now[&next].boots, up[&next].boots, "its neighbour runs on");
    assert_eq!(plane.sim.census().vms.len(), 2);
    // A new password, shown once, that lets in.
    assert_eq!(plane.facade.password_reveal(&anna, job).await.unwrap(), Some(true));
    let shown = plane.facade.password_revealed(&anna, job).await.unwrap().unwrap();
    let password = shown.password.expose_secret().to_owned();
    let login = json!({"login": after.guest_login, "password": password});
    assert!(plane.guest_of(server, login).await);
}

async fn a_reinstall_takes_another_system_and_another_login(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let server = ordered(&plane, &anna).await;
    let before = row(&plane, server).await;
    let ask = async |wish: ReinstallWish, key: &str| {
        plane.facade.server_reinstall(&anna, server, wish, form(key)).await.unwrap()
    };
    let codes = |answer| match answer {
        ServerAnswer::Refused(errors) => errors.into_iter().map(|e| e.code).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    // What does not fit is shown with its reason, and refused.
    let view = plane.facade.server(&anna, server).await.unwrap().unwrap();
    let systems = plane.facade.reinstall_systems(&view);
    let why = |id: &str| systems.iter().find(|(t, _)| t.id == id).unwrap().1;
    assert_eq!(why("debian-12"), None);
    assert!(why("windows-2022").is_some());
    let windows = ReinstallWish { template: "windows-2022".into(), ..same_system(&before) };
    assert_eq!(codes(ask(windows, "w").await), [Code::TemplateUnfit]);
    let own = |login: &str, password: &str| ReinstallWish {
        template: "debian-12".into(),
        method: "password".into(),
        guest_login: login.into(),
        password_source: "own".into(),
        password: Some(password.to_owned().into()),
        ..same_system(&before)
    };
    assert_eq!(codes(ask(own("Root User", "Tuer-Kante-48-Wolke"), "l").await), [Code::LoginFormat]);
    assert!(!codes(ask(own("ops", "short"), "p").await).is_empty());
    assert_eq!(row(&plane, server).await.template_id, before.template_id, "nothing was taken over");

    let job = accepted(ask(own("ops", "Tuer-Kante-48-Wolke"), "a").await);
    plane.until(job, JobState::Succeeded).await;
    let after = row(&plane, server).await;
    assert_eq!((after.template_id.as_str(), after.guest_login.as_str()), ("debian-12", "ops"));
    assert_eq!((after.address, after.price_minor), (before.address, before.price_minor));
    assert!(after.own_password);
    let login = json!({"login": "ops", "password": "Tuer-Kante-48-Wolke"});
    assert!(plane.guest_of(server, login).await);
    // The customer's own password is shown to nobody, and what the job kept of it is gone.
    assert_eq!(plane.facade.password_reveal(&anna, job).await.unwrap(), Some(false));
    assert!(plane.store.secret_for_job(server).await.unwrap().is_none());
}

async fn a_screen_is_opened_by_its_owner_while_the_server_runs(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let boris = plane.viewer("boris@test", Role::Customer).await;
    let staff = plane.viewer("admin@test", Role::Admin).await;
    let server = ordered(&plane, &anna).await;
    let open = async |who: &Viewer| plane.facade.server_console(who, server).await.unwrap();
    let tickets = [open(&anna).await, open(&anna).await].map(|answer| match answer {
        ConsoleAnswer::Ticket(ticket) => {
            let address = ticket.address.expose_secret();
            assert!(!format!("{ticket:?}").contains(address), "it is never logged");
            assert!(address.starts_with("ws://127.0.0.1:"), "{address}");
            address.to_owned()
        }
        other => panic!("{other:?}"),
    });
    assert_ne!(tickets[0], tickets[1], "each is good once");
    assert!(matches!(open(&boris).await, ConsoleAnswer::Gone));
    assert!(matches!(open(&staff).await, ConsoleAnswer::Gone));
    // It is off, and nobody has seen it yet: the cloud says so.
    let hand = plane.provider();
    let machine = MachineRef(plane.machine_of(server).await);
    let off = hand.machine_stop(&machine).await.unwrap();
    hand.task_wait(&off, Duration::from_secs(30)).await.unwrap();
    assert!(matches!(open(&anna).await, ConsoleAnswer::Denied(Denial::NotRunning)));
    let jobs = plane.store.jobs_of_server(server, 10).await.unwrap();
    assert_eq!(jobs.len(), 1, "it is no job");
}

async fn a_password_is_reset_with_one_restart_and_shown_once(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let create = plane.order(&anna).await;
    let server = plane.until(create, JobState::Succeeded).await.server.unwrap();
    let boots = async || plane.guest().await["boots"].as_i64().unwrap();
    let before = boots().await;
    let job = accepted(plane.facade.server_reset_password(&anna, server, form("a")).await.unwrap());
    // Nothing is shown before it is true; and the order it once came with shows it never.
    assert_eq!(plane.facade.password_reveal(&anna, job).await.unwrap(), Some(false));
    assert_eq!(plane.facade.password_reveal(&anna, create).await.unwrap(), Some(false));
    plane.until(job, JobState::Succeeded).await;
    assert_eq!(boots().await, before + 1);
    assert_eq!(plane.facade.password_reveal(&anna, job).await.unwrap(), Some(true));
    assert_eq!(plane.facade.password_reveal(&anna, job).await.unwrap(), Some(false));
    let shown = plane.facade.password_revealed(&anna, job).await.unwrap().unwrap();
    let login = row(&plane, server).await.guest_login;
    let with = |password: &str| json!({"login": login, "password": password});
    assert!(plane.guest_of(server, with(shown.password.expose_secret())).await);
    assert!(!plane.guest_of(server, with("wrong")).await);
    assert!(plane.store.secret_for_job(server).await.unwrap().is_none(), "what the job needed is gone");
    assert_eq!(plane.first_login_flags().await, [false]);
}

async fn a_snapshot_is_taken_gone_back_to_and_removed(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let server = ordered(&plane, &anna).await;
    let ask =
        async |action, key| plane.facade.server_snapshot(&anna, server, action, form(key)).await.unwrap();
    for action in [SnapshotAction::Revert, SnapshotAction::Remove] {
        assert_eq!(ask(action, "no").await, ServerAnswer::Denied(Denial::NoSnapshot));
    }
    plane.until(accepted(ask(SnapshotAction::Create, "a").await), JobState::Succeeded).await;
    let first = row(&plane, server).await.snapshot_at.unwrap();
    plane.until(accepted(ask(SnapshotAction::Create, "b").await), JobState::Succeeded).await;
    assert!(row(&plane, server).await.snapshot_at.unwrap() > first, "it was replaced");
    assert_eq!(row(&plane, server).await.state, ServerState::Running);
    let job = accepted(ask(SnapshotAction::Revert, "c").await);
    let done = plane.until(job, JobState::Succeeded).await;
    assert_eq!(done.action.as_deref(), Some("revert"));
    let now = row(&plane, server).await;
    assert_eq!((now.state, now.snapshot_at.is_some()), (ServerState::Stopped, true));
    plane.until(accepted(ask(SnapshotAction::Remove, "d").await), JobState::Succeeded).await;
    assert_eq!(row(&plane, server).await.snapshot_at, None);
}

async fn a_name_is_a_label(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let server = ordered(&plane, &anna).await;
    let rename = async |name: &str| plane.facade.server_rename(&anna, server, name).await.unwrap();
    assert_eq!(rename("  shop ").await, Ok(()));
    assert_eq!(row(&plane, server).await.name, "shop");
    assert!(matches!(rename(" ").await, Err(Some(_))));
    let boris = plane.viewer("boris@test", Role::Customer).await;
    assert_eq!(plane.facade.server_rename(&boris, server, "mine").await.unwrap(), Err(None));
    assert_eq!(plane.guest().await["hostname"], "web-01");
}

testkit::on_both!(
    each_parameter_changes_on_its_own,
    a_size_that_cannot_be_is_refused_and_says_why,
    an_address_is_switched_and_the_old_one_rests,
    an_address_that_does_not_answer_is_taken_back,
    a_reinstall_keeps_identity_address_and_price,
    a_reinstall_takes_another_system_and_another_login,
    a_screen_is_opened_by_its_owner_while_the_server_runs,
    a_password_is_reset_with_one_restart_and_shown_once,
    a_snapshot_is_taken_gone_back_to_and_removed,
    a_name_is_a_label,
);
