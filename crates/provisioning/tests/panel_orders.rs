//! A panel ordered with a server: one order, two jobs, one list. In the simulated cloud, whose guests only pretend.

use std::{sync::Arc, time::Duration};

use domain::{
    JobId, ServerId,
    draft::WizardStep,
    field::Code,
    kind::Kind,
    reinstall::Unfit,
    state::{JobState, Role},
};
use jobs::SystemClock;
use provisioning::{
    Cancelled, Facade, Offers, OrderPlaced, Seen, ServerPanel, Viewer, customer_rows, demo_catalogue,
    draft_digest,
};
use store::interventions::Intervention;
use testkit::{Database, Plane};

/// Orders with this panel under this host name. Returns the job that makes the server.
async fn ordered(plane: &Plane, viewer: &Viewer, panel: &str, hostname: &str) -> JobId {
    let placed = placed(&plane.facade, viewer, panel, hostname, 1).await;
    let OrderPlaced::Accepted(job) = placed else { panic!("{placed:?}") };
    job
}

async fn placed(facade: &Facade, viewer: &Viewer, panel: &str, hostname: &str, servers: u32) -> OrderPlaced {
    let customer = viewer.customer().unwrap();
    let draft = facade.draft_start(customer).await.unwrap();
    let (host, chosen) = (hostname.to_owned(), panel.to_owned());
    facade.draft_save(draft, customer, WizardStep::Panel, None, |v| v.panel = chosen).await.unwrap();
    let saved = facade.draft_save(draft, customer, WizardStep::Access, None, |v| {
        (v.hostname, v.quantity) = (host, servers.to_string());
    });
    saved.await.unwrap();
    let shown = facade.draft(draft, customer).await.unwrap().unwrap().draft;
    let total_minor = facade.draft_quote(&shown.values).map_or(0, |(_, q)| q.total_minor);
    let seen = Seen { total_minor, digest: draft_digest(&shown) };
    facade.order_place(viewer, draft, true, &seen, "test").await.unwrap()
}

async fn panel_job(plane: &Plane, first: JobId) -> JobId {
    plane.store.job_needing(first).await.unwrap().expect("no panel is installed after it")
}

async fn panel_of(plane: &Plane, server: ServerId) -> Option<ServerPanel> {
    plane.store.server(server).await.unwrap().unwrap().panel
}

fn how(viewer: &Viewer) -> Intervention<'static> {
    Intervention { by: viewer.account.id, why: "a test", now: 1 }
}

/// Until a step of this job is like that.
async fn until_a_step(plane: &Plane, job: JobId, is: fn(&provisioning::JobStep) -> bool) {
    let seen = async {
        while !plane.job(job).await.steps.iter().any(is) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), seen).await.expect("no such step");
}

/// Whether a key of a job of ours opens the guest of the only machine.
async fn way_is_open(plane: &Plane) -> bool {
    plane.guest().await["accounts"].to_string().contains("slipway-job")
}

async fn a_panel_comes_after_its_server(database: Database) {
    let plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let job = ordered(&plane, &anna, "ispmanager", "web-01").await;
    let panel = panel_job(&plane, job).await;
    let server = plane.until(job, JobState::Succeeded).await.server.unwrap();
    let by_either = [job, panel].map(|id| plane.facade.operation(&anna, id));
    for view in futures::future::join_all(by_either).await {
        let view = view.unwrap().unwrap();
        assert_eq!((view.job.id, view.panel.as_ref().unwrap().id), (job, panel));
        assert_eq!(view.progress(), (11, 11));
        assert_eq!(customer_rows(view.panel.as_ref().unwrap()).len(), 1);
    }
    assert!(plane.cloud_keeps_no_secret().await);
    let before = panel_of(&plane, server).await.unwrap();
    assert_eq!((before.name.as_str(), before.since), ("ISPmanager 6", None));
    plane.until(panel, JobState::Succeeded).await;
    assert!(panel_of(&plane, server).await.unwrap().since.is_some());
    assert_eq!(plane.guest().await["panel"]["state"], "done");
    assert!(!way_is_open(&plane).await, "the key stays in the guest");
    assert!(plane.store.way(panel).await.unwrap().is_none(), "the key stays with us");
    let log = plane.store.job_log(panel, 100).await.unwrap();
    assert!(log[0].text.contains("simulated"), "{log:?}");
    assert!(log.iter().any(|l| l.text.starts_with("[install: ")), "{log:?}");
    let said = plane.job(panel).await.steps.into_iter().find_map(|s| s.progress).unwrap();
    assert!(
        said.simulated
            && said.total
                == provisioning::ansible::panel_tasks(domain::catalogue::Family::Linux, "ispmanager"),
        "{said:?}"
    );
    // Its price is in the server's, and what its licence costs is a line of its own.
    let row = plane.store.server(server).await.unwrap().unwrap();
    let catalogue = demo_catalogue().unwrap();
    let bare = domain::price::quote(&catalogue.prices, &catalogue.templates[0], None, row.size).total_minor;
    assert_eq!((row.price_minor, row.template_id), (bare + before.price_minor, "almalinux-9".into()));
    // The next order begins with the system of this one.
    let next = plane.facade.draft_start(anna.customer().unwrap()).await.unwrap();
    let next = plane.facade.draft(next, anna.customer().unwrap()).await.unwrap().unwrap().draft.values;
    assert_eq!((next.template.as_str(), next.panel.as_str()), ("almalinux-9", ""));
    let end = plane.terminate(&anna, server).await;
    plane.until(end, JobState::Succeeded).await;
    assert!(plane.store.job_log(panel, 1).await.unwrap().is_empty(), "what its installer printed is kept");
}

async fn plesk_on_windows_comes_in_by_an_account_of_its_own(database: Database) {
    let plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let (facade, customer) = (&plane.facade, anna.customer().unwrap());
    let draft = facade.draft_start(customer).await.unwrap();
    let save = async |step, change: fn(&mut domain::draft::DraftValues)| {
        facade.draft_save(draft, customer, step, None, change).await.unwrap();
    };
    save(WizardStep::Os, |v| v.template = "windows-2022".into()).await;
    save(WizardStep::Panel, |v| v.panel = "plesk".into()).await;
    save(WizardStep::Access, |v| v.guest_login = "boss".into()).await;
    let job = plane.place(&anna, draft).await;
    plane.until(job, JobState::Succeeded).await;
    let accounts = plane.guest().await["accounts"].to_string();
    assert!(plane.cloud_keeps_no_secret().await);
    assert!(accounts.contains("\"boss\"") && accounts.contains("slipway-job"), "{accounts}");
    let panel = panel_job(&plane, job).await;
    plane.until(panel, JobState::Succeeded).await;
    assert_eq!(plane.guest().await["panel"]["state"], "done");
    assert!(!way_is_open(&plane).await);
}

async fn what_does_not_fit_is_refused_even_when_forged(database: Database) {
    let plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let codes = async |panel: &str, template: &str, hostname: &str, ram: &str| -> Vec<Code> {
        let (facade, customer) = (&plane.facade, anna.customer().unwrap());
        let draft = facade.draft_start(customer).await.unwrap();
        facade
            .draft_save(draft, customer, WizardStep::Access, None, |v| {
                (v.panel, v.template) = (panel.into(), template.into());
                (v.hostname, v.ram, v.disk) = (hostname.into(), ram.into(), "50".into());
                (v.vcpu, v.name) = ("2".into(), "web".into());
            })
            .await
            .unwrap();
        let shown = facade.draft(draft, customer).await.unwrap().unwrap().draft;
        let total_minor = facade.draft_quote(&shown.values).map_or(0, |(_, q)| q.total_minor);
        let seen = Seen { total_minor, digest: draft_digest(&shown) };
        match facade.order_place(&anna, draft, true, &seen, "test").await.unwrap() {
            OrderPlaced::Refused(errors) => errors.into_iter().map(|e| e.code).collect(),
            other => panic!("{panel} on {template}: {other:?}"),
        }
    };
    let catalogue = demo_catalogue().unwrap();
    for panel in &catalogue.panels {
        for template in &catalogue.templates {
            if panel.templates.contains(&template.id) {
                continue;
            }
            let hostname = if template.id.starts_with("windows") { "web" } else { "web.shop.example" };
            let refused = codes(&panel.id, &template.id, hostname, "8").await;
            assert!(
                refused.contains(&Code::PanelSystem) || refused.contains(&Code::PanelLinux),
                "{} on {}: {refused:?}",
                panel.id,
                template.id
            );
        }
    }
    assert_eq!(codes("cpanel", "almalinux-8", "web.example", "8").await, [Code::HostnameDomain]);
    assert_eq!(codes("cpanel", "almalinux-8", "web.shop.example", "1").await, [Code::NumberPanel]);
    assert_eq!(codes("directadmin", "almalinux-8", "web", "8").await, [Code::PanelGone]);
    assert!(plane.store.servers_of(anna.customer().unwrap()).await.unwrap().is_empty());
}

async fn cancelling_takes_both_and_later_only_the_panel(database: Database) {
    let plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    // The second order waits for the first, and takes its panel with it.
    let first = ordered(&plane, &anna, "plesk", "web-01").await;
    until_a_step(&plane, first, |s| s.key == "machine_create" && s.started_at.is_some()).await;
    let second = ordered(&plane, &anna, "plesk", "web-02").await;
    let second_panel = panel_job(&plane, second).await;
    assert_eq!(
        plane.facade.operation_cancel(&anna, second_panel).await.unwrap(),
        Some(Ok(Cancelled::Request))
    );
    assert_eq!(plane.job(second).await.state, JobState::Cancelled);
    assert_eq!(plane.job(second_panel).await.state, JobState::Cancelled);
    // Once the server is there it is the panel that is taken back; the server goes on without it.
    plane.store.maintenance_begin(store::Maintenance { until: None }).await.unwrap();
    let server = plane.until(first, JobState::Succeeded).await.server.unwrap();
    let with = plane.store.server(server).await.unwrap().unwrap();
    assert!(way_is_open(&plane).await);
    assert_eq!(plane.facade.operation_cancel(&anna, first).await.unwrap(), Some(Ok(Cancelled::Request)));
    // A way in was made for it: that is closed before it is over.
    plane.store.maintenance_end().await.unwrap();
    let panel = panel_job(&plane, first).await;
    let over = plane.until(panel, JobState::RolledBack).await;
    assert!(over.steps.iter().all(|s| s.key != "panel_install" || s.attempt == 0), "{:?}", over.steps);
    assert_eq!(over.panel_name.as_deref(), Some("Plesk"), "it does not know any more what it was about");
    assert!(!way_is_open(&plane).await);
    let without = plane.store.server(server).await.unwrap().unwrap();
    assert_eq!(without.panel, None);
    assert_eq!(without.price_minor, with.price_minor - with.panel.unwrap().price_minor);
    assert!(plane.store.way(panel).await.unwrap().is_none());
    assert!(plane.store.licences_used().await.unwrap().is_empty());
}

async fn a_panel_that_failed_is_run_again_and_its_server_is_free_meanwhile(database: Database) {
    let plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let job = ordered(&plane, &anna, "ispmanager", "fail-panel").await;
    let panel = panel_job(&plane, job).await;
    let failed = plane.until(panel, JobState::Failed).await;
    assert_eq!((failed.cause.as_deref(), failed.kind), (Some("panel_failed"), Kind::InstallPanel));
    let last = plane.store.job_log(panel, 1).await.unwrap().pop().unwrap();
    assert!(last.text.contains("the simulated installer failed"), "{last:?}");
    // It holds nothing: a snapshot of its server is taken at once.
    let server = failed.server.unwrap();
    let form = provisioning::Form { key: "snap", request_id: "test" };
    let snapshot = plane
        .facade
        .server_snapshot(&anna, server, domain::snapshot::SnapshotAction::Create, form)
        .await
        .unwrap();
    let provisioning::ServerAnswer::Accepted(snapshot) = snapshot else { panic!("{snapshot:?}") };
    plane.until(snapshot, JobState::Succeeded).await;
    assert!(plane.store.job_rerun(panel, how(&anna)).await.unwrap());
    plane.until(panel, JobState::Succeeded).await;
    assert!(panel_of(&plane, server).await.unwrap().since.is_some());
    assert!(!way_is_open(&plane).await);
}

/// Where an installation failed the way in stays for whoever runs it again, and goes with the server.
async fn a_way_in_ends_with_its_server(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let job = ordered(&plane, &anna, "ispmanager", "fail-panel").await;
    let panel = panel_job(&plane, job).await;
    let server = plane.until(panel, JobState::Failed).await.server.unwrap();
    assert!(plane.store.way(panel).await.unwrap().is_some());
    let end = plane.terminate(&anna, server).await;
    plane.until(end, JobState::Succeeded).await;
    assert!(plane.store.way(panel).await.unwrap().is_none());
}

async fn an_installation_that_is_stopped_leaves_the_server_in_order(database: Database) {
    let plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let job = ordered(&plane, &anna, "plesk", "web-01").await;
    let panel = panel_job(&plane, job).await;
    until_a_step(&plane, panel, |s| s.progress.is_some()).await;
    assert!(way_is_open(&plane).await);
    assert_eq!(plane.store.job_stop(panel, how(&anna)).await.unwrap(), Some(JobState::Running));
    let over = plane.until(panel, JobState::RolledBack).await;
    assert_eq!(plane.guest().await["panel"], serde_json::Value::Null, "it is still being installed");
    assert!(!way_is_open(&plane).await);
    assert_eq!(panel_of(&plane, over.server.unwrap()).await, None);
    assert!(plane.store.way(panel).await.unwrap().is_none());
}

/// A panel that waits for its server stands in nobody's way: not in that of the terminate which frees its server's edge, nor of
/// anything else where its server could not be made.
async fn a_panel_that_waits_keeps_nobody_waiting(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let only = plane.order(&anna).await;
    let only = plane.until(only, JobState::Succeeded).await.server.unwrap();
    let parked = ordered(&plane, &anna, "ispmanager", "web-02").await;
    let panel = panel_job(&plane, parked).await;
    plane.until_or(parked, JobState::Parked, JobState::Queued).await;
    let end = plane.terminate(&anna, only).await;
    plane.until(end, JobState::Succeeded).await;
    let second = plane.until_or(parked, JobState::Succeeded, JobState::Parked).await.server.unwrap();
    plane.until(panel, JobState::Succeeded).await;
    let end = plane.terminate(&anna, second).await;
    plane.until(end, JobState::Succeeded).await;

    let failed = ordered(&plane, &anna, "ispmanager", "fail-customize").await;
    let server = plane.until(failed, JobState::Failed).await.server.unwrap();
    let panel = panel_job(&plane, failed).await;
    assert_eq!(plane.job(panel).await.state, JobState::Queued);
    let end = plane.terminate(&anna, server).await;
    plane.until(end, JobState::Succeeded).await;
    assert_eq!(plane.job(panel).await.state, JobState::Cancelled);
    assert!(plane.store.licences_used().await.unwrap().is_empty());
}

/// A reinstall that is taken back takes its own installation with it, and not that which is under way.
async fn a_cancelled_reinstall_leaves_the_panel_that_is_being_installed(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let job = ordered(&plane, &anna, "plesk", "web-01").await;
    let panel = panel_job(&plane, job).await;
    until_a_step(&plane, panel, |s| s.progress.is_some()).await;
    let server = plane.job(job).await.server.unwrap();
    let row = plane.store.server(server).await.unwrap().unwrap();
    let form = provisioning::Form { key: "again", request_id: "test" };
    let answer =
        plane.facade.server_reinstall(&anna, server, testkit::same_system(&row), form).await.unwrap();
    let provisioning::ServerAnswer::Accepted(reinstall) = answer else { panic!("{answer:?}") };
    assert_eq!(plane.facade.operation_cancel(&anna, reinstall).await.unwrap(), Some(Ok(Cancelled::Request)));
    plane.until(panel, JobState::Succeeded).await;
    let now = plane.store.server(server).await.unwrap().unwrap();
    assert!(now.panel.unwrap().since.is_some());
    assert_eq!(now.price_minor, row.price_minor);
}

async fn a_reinstall_installs_the_panel_again(database: Database) {
    let plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let job = ordered(&plane, &anna, "plesk", "web-01").await;
    let server = plane.until(panel_job(&plane, job).await, JobState::Succeeded).await.server.unwrap();
    let first = panel_of(&plane, server).await.unwrap().since.unwrap();
    let row = plane.store.server(server).await.unwrap().unwrap();
    let form = provisioning::Form { key: "again", request_id: "test" };
    let wish = testkit::same_system(&row);
    let answer = plane.facade.server_reinstall(&anna, server, wish, form).await.unwrap();
    let provisioning::ServerAnswer::Accepted(job) = answer else { panic!("{answer:?}") };
    plane.until(panel_job(&plane, job).await, JobState::Succeeded).await;
    assert!(panel_of(&plane, server).await.unwrap().since.unwrap() > first);
    assert_eq!(plane.guest().await["panel"]["state"], "done");
    assert!(!way_is_open(&plane).await);
}

/// The way of a job that failed goes with the guest that it led into, and the reinstall brings one of its own.
async fn a_reinstall_ends_the_way_into_the_old_guest(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let job = ordered(&plane, &anna, "plesk", "fail-panel").await;
    let first = panel_job(&plane, job).await;
    let server = plane.until(first, JobState::Failed).await.server.unwrap();
    assert!(plane.store.way(first).await.unwrap().is_some() && way_is_open(&plane).await);
    let row = plane.store.server(server).await.unwrap().unwrap();
    let form = provisioning::Form { key: "again", request_id: "test" };
    let wish = testkit::same_system(&row);
    let answer = plane.facade.server_reinstall(&anna, server, wish, form).await.unwrap();
    let provisioning::ServerAnswer::Accepted(again) = answer else { panic!("{answer:?}") };
    plane.until(again, JobState::Succeeded).await;
    assert!(plane.store.way(first).await.unwrap().is_none());
}

/// A panel that is taken back while a resize waits is not paid for after it.
async fn a_resize_counts_the_panel_that_is_there_when_it_ends(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let job = ordered(&plane, &anna, "plesk", "web-01").await;
    let server = plane.until(panel_job(&plane, job).await, JobState::Succeeded).await.server.unwrap();
    let catalogue = demo_catalogue().unwrap();
    let template = catalogue.template("almalinux-9").unwrap();
    for dropped in [false, true] {
        plane.store.maintenance_begin(store::Maintenance { until: None }).await.unwrap();
        let size = plane.store.server(server).await.unwrap().unwrap().size;
        let size = domain::size::Size { ram_gb: size.ram_gb + 1, ..size };
        let typed = [size.vcpu, size.ram_gb, size.disk_gb, size.bandwidth_mbit].map(|n| n.to_string());
        let form = provisioning::Form { key: &typed[1], request_id: "test" };
        let typed = typed.each_ref().map(String::as_str);
        let answer = plane.facade.server_resize(&anna, server, typed, None, form).await.unwrap();
        let provisioning::ServerAnswer::Accepted(resize) = answer else { panic!("{answer:?}") };
        if dropped {
            plane
                .by_hand(
                    "UPDATE server SET price_minor = price_minor - panel_minor, panel_id = NULL,
                         panel_name = NULL, panel_minor = 0, panel_at = NULL",
                )
                .await;
        }
        plane.store.maintenance_end().await.unwrap();
        plane.until(resize, JobState::Succeeded).await;
        let panel = catalogue.panel("plesk").filter(|_| !dropped);
        let wanted = domain::price::quote(&catalogue.prices, template, panel, size).total_minor;
        assert_eq!(plane.store.server(server).await.unwrap().unwrap().price_minor, wanted, "{dropped}");
    }
}

/// A system that the panel does not run on is not offered to its server, nor taken where it is forged.
async fn a_reinstall_keeps_to_what_the_panel_runs_on(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let (facade, customer) = (&plane.facade, anna.customer().unwrap());
    let draft = facade.draft_start(customer).await.unwrap();
    let saved = facade.draft_save(draft, customer, WizardStep::Panel, None, |v| {
        (v.template, v.panel) = ("almalinux-8".into(), "cpanel".into());
        (v.vcpu, v.ram, v.disk) = ("2".into(), "4".into(), "60".into());
        v.hostname = "web.shop.example".into();
    });
    saved.await.unwrap();
    let job = plane.place(&anna, draft).await;
    let server = plane.until(panel_job(&plane, job).await, JobState::Succeeded).await.server.unwrap();
    let view = facade.server(&anna, server).await.unwrap().unwrap();
    let offered = facade.reinstall_systems(&view);
    let fit: Vec<_> =
        offered.iter().filter(|(_, unfit)| unfit.is_none()).map(|(t, _)| t.id.as_str()).collect();
    assert_eq!(fit, ["almalinux-8", "centos-7", "ubuntu-20.04"]);
    let debian = offered.iter().find(|(t, _)| t.id == "debian-12").unwrap();
    assert!(matches!(debian.1, Some(Unfit::Panel)), "{:?}", debian.1);
    let row = plane.store.server(server).await.unwrap().unwrap();
    let mut wish = testkit::same_system(&row);
    wish.template = "debian-12".into();
    let form = provisioning::Form { key: "forged", request_id: "test" };
    let answer = facade.server_reinstall(&anna, server, wish, form).await.unwrap();
    let provisioning::ServerAnswer::Refused(errors) = answer else { panic!("{answer:?}") };
    assert_eq!((errors[0].code, errors[0].param("why")), (Code::TemplateUnfit, Some("panel")));
}

/// Of three licences three are given, however many ask at once; one that is given back can be had again.
async fn licences_are_counted(database: Database) {
    let plane = Plane::start_on(database, 8).await;
    plane.store.maintenance_begin(store::Maintenance { until: None }).await.unwrap();
    let mut catalogue = demo_catalogue().unwrap();
    let plesk = catalogue.panels.iter_mut().find(|p| p.id == "plesk").unwrap();
    plesk.licences = Some(3);
    let facade = Facade::over(plane.store.clone(), Offers::new(catalogue), Arc::new(SystemClock));
    let mut customers = Vec::new();
    for n in 0..12 {
        customers.push(plane.viewer(&format!("c{n}@test"), Role::Customer).await);
    }
    let asks = customers.iter().map(|viewer| placed(&facade, viewer, "plesk", "web-01", 1));
    let answers = futures::future::join_all(asks).await;
    let given = answers.iter().filter(|a| matches!(a, OrderPlaced::Accepted(_))).count();
    assert_eq!(given, 3, "{answers:?}");
    for answer in &answers {
        let OrderPlaced::Refused(errors) = answer else { continue };
        assert_eq!(errors[0].code, Code::PanelSoldOut);
    }
    assert_eq!(plane.store.licences_used().await.unwrap(), [("plesk".to_owned(), 3)]);
    // The wizard says so before anybody orders.
    let late = &customers[11];
    let draft = facade.draft_start(late.customer().unwrap()).await.unwrap();
    let saved = facade
        .draft_save(draft, late.customer().unwrap(), WizardStep::Panel, None, |v| v.panel = "plesk".into());
    assert_eq!(saved.await.unwrap(), provisioning::DraftSaved::WithErrors);
    let Some((n, OrderPlaced::Accepted(job))) =
        answers.into_iter().enumerate().find(|(_, a)| matches!(a, OrderPlaced::Accepted(_)))
    else {
        panic!("none was accepted")
    };
    assert_eq!(facade.operation_cancel(&customers[n], job).await.unwrap(), Some(Ok(Cancelled::Request)));
    let two = placed(&facade, late, "plesk", "web-01", 2).await;
    let OrderPlaced::Refused(errors) = two else { panic!("{two:?}") };
    assert_eq!((errors[0].code, errors[0].param("left")), (Code::PanelFew, Some("1")));
    assert!(matches!(placed(&facade, late, "plesk", "web-01", 1).await, OrderPlaced::Accepted(_)));
}

testkit::on_both!(
    a_panel_comes_after_its_server,
    plesk_on_windows_comes_in_by_an_account_of_its_own,
    what_does_not_fit_is_refused_even_when_forged,
    cancelling_takes_both_and_later_only_the_panel,
    a_panel_that_failed_is_run_again_and_its_server_is_free_meanwhile,
    an_installation_that_is_stopped_leaves_the_server_in_order,
    a_reinstall_installs_the_panel_again,
    a_reinstall_keeps_to_what_the_panel_runs_on,
    a_reinstall_ends_the_way_into_the_old_guest,
    a_resize_counts_the_panel_that_is_there_when_it_ends,
    a_way_in_ends_with_its_server,
    a_panel_that_waits_keeps_nobody_waiting,
    a_cancelled_reinstall_leaves_the_panel_that_is_being_installed,
    licences_are_counted,
);
