//! What staff see and do beside jobs and edges, on both databases: customers, groups, the installation, and what is written down
//! of all of it.

use domain::{
    catalogue_change::CatalogueChange,
    drift::DriftKind,
    field::Code,
    job_action::JobAction,
    permission::{Action, Denial},
    state::{JobState, Role},
};
use provisioning::{
    AuditFilter, Form, JobAnswer, KeptBy, Offers, ServerAnswer, SystemAnswer, Waiting, demo_catalogue, look,
};
use serde_json::Map;
use testkit::{Database, Plane};

const WHY: &str = "the hall is being rewired";

fn form(key: &str) -> Form<'_> {
    Form { key, request_id: "test" }
}

/// Staff find a customer, see who waits for whom, and leave notes; nobody else does.
async fn a_customer_is_found_with_what_waits(database: Database) {
    let mut plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    plane.viewer("boris@test", Role::Customer).await;
    let olga = plane.viewer("olga@test", Role::Support).await;
    let id = anna.customer().unwrap();
    plane.stop_worker().await;
    let (ahead, queued) = (plane.order(&anna).await, plane.order(&anna).await);
    let list = async |part: &str, after: &str| {
        let found = plane.facade.customers(&olga, part, after).await.unwrap().unwrap();
        found.rows.into_iter().map(|r| (r.email, r.servers, r.open)).collect::<Vec<_>>()
    };
    assert_eq!(list("", "").await.len(), 2, "staff are no customers");
    assert_eq!(list("ANN", "").await, [("anna@test".to_owned(), 2, 2)]);
    assert_eq!(list("", "anna@test").await, [("boris@test".to_owned(), 0, 0)]);
    assert_eq!(list("nobody", "").await, []);
    assert!(plane.facade.customers(&anna, "", "").await.unwrap().is_none());
    assert!(plane.facade.customer(&anna, id).await.unwrap().is_none());

    let detail = plane.facade.customer(&olga, id).await.unwrap().unwrap();
    let [(first, _), (second, Some(Waiting::Blocked { position: 2, blockers }))] = detail.queue.as_slice()
    else {
        panic!("{:?}", detail.queue)
    };
    assert_eq!((first.id, second.id, blockers[0].job), (ahead, queued, ahead));

    assert_eq!(plane.facade.customer_note(&anna, id, "mine").await.unwrap(), SystemAnswer::Gone);
    let empty = plane.facade.customer_note(&olga, id, " \r\n ").await.unwrap();
    let SystemAnswer::Refused(errors) = empty else { panic!("{empty:?}") };
    assert_eq!(errors[0].code, Code::NoteEmpty);
    assert_eq!(plane.facade.customer_note(&olga, id, "pays by invoice").await.unwrap(), SystemAnswer::Done);
    let detail = plane.facade.customer(&olga, id).await.unwrap().unwrap();
    assert_eq!((detail.notes[0].text.as_str(), detail.notes[0].by), ("pays by invoice", olga.account.id));
}

/// Who looks as a customer reads what the customer reads, and can do nothing.
async fn a_look_changes_nothing(database: Database) {
    let plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let boris = plane.viewer("boris@test", Role::Customer).await;
    let olga = plane.viewer("olga@test", Role::Support).await;
    let admin = plane.viewer("viktor@test", Role::Admin).await;
    let job = plane.order(&anna).await;
    let server = plane.until(job, JobState::Succeeded).await.server.unwrap();
    let facade = &plane.facade;
    assert!(!facade.look_as(&boris, anna.customer().unwrap()).await.unwrap());
    assert!(facade.viewer_as(&boris, anna.account.id).await.unwrap().is_none());
    assert!(
        facade.viewer_as(&olga, admin.account.id).await.unwrap().is_none(),
        "staff are nobody's to look as"
    );
    assert!(facade.look_as(&olga, anna.customer().unwrap()).await.unwrap());
    let line = facade.audit(&admin, &AuditFilter::default()).await.unwrap().unwrap().lines.remove(0);
    assert_eq!(
        (line.what.as_str(), line.name.as_str(), line.by),
        ("look_as", "anna@test", Some(olga.account.id))
    );

    let looking = facade.viewer_as(&olga, anna.account.id).await.unwrap().unwrap();
    let view = facade.server(&looking, server).await.unwrap().unwrap();
    assert!(!view.own);
    for action in Action::ALL {
        assert!(view.can(*action).is_err(), "{action}");
    }
    assert!(facade.password_reveal(&looking, job).await.unwrap().is_none());
    let draft = plane.draft(&anna).await;
    let seen = provisioning::Seen::default();
    let placed = facade.order_place(&looking, draft, true, &seen, "test").await.unwrap();
    assert_eq!(placed, provisioning::OrderPlaced::Gone);
    let ended = facade.server_terminate(&looking, server, &view.server.name, "look", "test").await.unwrap();
    assert!(matches!(ended, ServerAnswer::Gone | ServerAnswer::Denied(Denial::ReadsOnly)), "{ended:?}");
    assert!(facade.operation_cancel(&looking, job).await.unwrap().is_none());
}

/// During a maintenance one job runs, because an administrator says so, and nothing else.
async fn one_job_runs_in_spite_of_a_maintenance(database: Database) {
    let plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let boris = plane.viewer("boris@test", Role::Customer).await;
    let olga = plane.viewer("olga@test", Role::Support).await;
    let admin = plane.viewer("viktor@test", Role::Admin).await;
    let facade = &plane.facade;
    assert_eq!(facade.maintenance_begin(&olga, "10", WHY).await.unwrap(), SystemAnswer::Gone);
    let bad = facade.maintenance_begin(&admin, "soon", "short").await.unwrap();
    let SystemAnswer::Refused(errors) = bad else { panic!("{bad:?}") };
    assert_eq!(errors.iter().map(|e| e.code).collect::<Vec<_>>(), [Code::MinutesRange, Code::WhyShort]);
    assert_eq!(facade.maintenance_begin(&admin, "10", WHY).await.unwrap(), SystemAnswer::Done);
    let (held, let_through) = (plane.order(&boris).await, plane.order(&anna).await);
    let act =
        async |who, job| facade.job_act(who, job, JobAction::Bypass, WHY, None, Map::new()).await.unwrap();
    assert_eq!(act(&olga, let_through).await, JobAnswer::Denied(Denial::StaffOnly));
    assert_eq!(act(&admin, let_through).await, JobAnswer::Done);
    plane.until(let_through, JobState::Succeeded).await;
    assert_eq!(plane.job(held).await.state, JobState::Queued);
    let after = plane.order(&anna).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(plane.job(after).await.state, JobState::Queued, "one job was let through, not its customer");
    assert_eq!(act(&admin, after).await, JobAnswer::Done);
    assert_eq!(act(&admin, after).await, JobAnswer::Denied(Denial::LetThrough));
    assert_eq!(facade.maintenance_end(&admin).await.unwrap(), SystemAnswer::Done);
    plane.until(held, JobState::Succeeded).await;
    assert_eq!(act(&admin, held).await, JobAnswer::Denied(Denial::AlreadyOver));
    let what: Vec<String> = facade
        .audit(&admin, &AuditFilter::default())
        .await
        .unwrap()
        .unwrap()
        .lines
        .into_iter()
        .map(|line| line.what)
        .collect();
    assert_eq!(what, ["maintenance_end", "job_bypass", "job_bypass", "maintenance_begin"]);
}

/// What nobody owns goes with the next look, once an administrator has said so.
async fn an_orphan_goes_when_it_is_told_to(database: Database) {
    let mut plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let admin = plane.viewer("viktor@test", Role::Admin).await;
    let olga = plane.viewer("olga@test", Role::Support).await;
    let job = plane.order(&anna).await;
    plane.until(job, JobState::Succeeded).await;
    plane.stop_worker().await;
    // Its row is gone, as by somebody's hand; its machine is not.
    plane.by_hand("UPDATE server SET terminated_at = 1, state = 'terminated'").await;
    for _ in 0..2 {
        look(&plane.control).await.unwrap();
    }
    let facade = &plane.facade;
    let orphans = async || {
        let all = facade.staff_drift(&olga).await.unwrap().unwrap();
        all.into_iter().filter(|d| d.seen.kind.is_orphan()).collect::<Vec<_>>()
    };
    let group =
        orphans().await.into_iter().find(|d| d.seen.kind == DriftKind::OrphanGroup).unwrap().seen.subject;
    let ask = async |who, kind, name: &str, why| facade.orphan_delete(who, kind, name, why).await.unwrap();
    assert_eq!(ask(&olga, DriftKind::OrphanGroup, &group, WHY).await, SystemAnswer::Gone);
    assert_eq!(ask(&admin, DriftKind::Size, &group, WHY).await, SystemAnswer::Gone);
    assert_eq!(ask(&admin, DriftKind::OrphanGroup, "cust-other", WHY).await, SystemAnswer::Gone);
    assert_eq!(ask(&admin, DriftKind::OrphanGroup, &group, WHY).await, SystemAnswer::Done);
    assert_eq!(ask(&admin, DriftKind::OrphanGroup, &group, WHY).await, SystemAnswer::Gone, "once is enough");
    assert!(plane.store.look_wanted_since().await.unwrap().is_some());
    look(&plane.control).await.unwrap();
    look(&plane.control).await.unwrap();
    assert!(orphans().await.iter().all(|d| d.seen.kind != DriftKind::OrphanGroup), "{:?}", orphans().await);
    assert_eq!(plane.sim.census().vms.len(), 0, "with everything in it");
    assert_eq!(plane.store.look_wanted_since().await.unwrap(), None);
}

/// A group shows both sides, what keeps each network, and what a move would do; a move takes away what nobody uses.
async fn a_group_is_seen_from_both_sides(database: Database) {
    let plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let olga = plane.viewer("olga@test", Role::Support).await;
    let admin = plane.viewer("viktor@test", Role::Admin).await;
    let id = anna.customer().unwrap();
    let mut servers = Vec::new();
    for _ in 0..2 {
        let job = plane.order(&anna).await;
        servers.push(plane.until(job, JobState::Succeeded).await.server.unwrap());
    }
    let facade = &plane.facade;
    assert!(facade.staff_group(&anna, id).await.unwrap().is_none());
    let unseen = facade.staff_group(&olga, id).await.unwrap().unwrap();
    assert!(unseen.seen.is_none() && unseen.plan(None).is_none());
    look(&plane.control).await.unwrap();
    let detail = facade.staff_group(&olga, id).await.unwrap().unwrap();
    let seen = detail.seen.clone().unwrap();
    assert_eq!((seen.machines.len(), seen.networks.len(), detail.differs()), (2, 2, false));
    for line in &detail.networks {
        let [KeptBy::Machine { server: Some(name), .. }] = line.kept_by.as_slice() else {
            panic!("{line:?}")
        };
        assert_eq!(Some(name), line.server_name.as_ref());
    }
    assert!(detail.plan(None).unwrap().is_empty(), "everything is used");
    let plan = detail.plan(Some(servers[0])).unwrap();
    assert_eq!((plan.machines.len(), plan.gone_machines.len()), (1, 1));
    assert_eq!((plan.networks.len(), plan.gone_networks.len()), (1, 1));
    assert!(plan.gone_networks[0].contains(&servers[0].to_string()));
    assert!(plan.in_the_way.is_empty());
    let asked = facade.group_move(&olga, id, WHY, form("1")).await.unwrap();
    assert_eq!(asked, ServerAnswer::Gone, "moving is an administrator's");
    let asked = facade.group_move(&admin, id, "short", form("2")).await.unwrap();
    assert!(matches!(asked, ServerAnswer::Refused(_)), "{asked:?}");
    let ServerAnswer::Accepted(job) = facade.group_move(&admin, id, WHY, form("3")).await.unwrap() else {
        panic!("not accepted")
    };
    let again = facade.group_move(&admin, id, WHY, form("3")).await.unwrap();
    assert_eq!(again, ServerAnswer::Accepted(job), "one form is one move");
    plane.until(job, JobState::Succeeded).await;
    assert_eq!(facade.staff_group(&olga, id).await.unwrap().unwrap().moves[0].id, job);
}

/// A change of the catalogue holds from its day on, here and on another node; what would break it is refused.
async fn the_catalogue_changes_from_a_day_on(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let olga = plane.viewer("olga@test", Role::Support).await;
    let admin = plane.viewer("viktor@test", Role::Admin).await;
    let draft = plane.draft(&anna).await;
    let now = demo_catalogue().unwrap();
    let mut prices = now.prices.clone();
    prices.vcpu_minor *= 2;
    let dearer = CatalogueChange::Prices(prices);
    let facade = &plane.facade;
    assert!(facade.catalogue_preview(&olga, &dearer).await.unwrap().is_none());
    assert_eq!(facade.catalogue_change(&olga, &dearer, None, WHY).await.unwrap(), SystemAnswer::Gone);
    let preview = facade.catalogue_preview(&admin, &dearer).await.unwrap().unwrap();
    assert_eq!((preview.drafts, preview.samples.len()), (1, 3));
    for (size, before, after) in &preview.samples {
        assert_eq!(after - before, i64::from(size.vcpu) * now.prices.vcpu_minor);
    }
    // Tomorrow: nothing is dearer yet.
    let tomorrow = facade.now_ms() + 86_400_000;
    assert_eq!(
        facade.catalogue_change(&admin, &dearer, Some(tomorrow), WHY).await.unwrap(),
        SystemAnswer::Done
    );
    let price = |facade: &provisioning::Facade| facade.at_hand().catalogue().prices.vcpu_minor;
    assert_eq!(price(facade), now.prices.vcpu_minor);
    let view = facade.catalogue_view(&admin).await.unwrap().unwrap();
    assert_eq!((view.pending.len(), view.begun.len()), (1, 0));
    let later = Offers::new(now.clone());
    later.refresh(&plane.store, tomorrow).await.unwrap();
    assert_eq!(later.current().prices.vcpu_minor, 2 * now.prices.vcpu_minor);

    // What is changed meanwhile is not lost by what was to come.
    let mut debian = now.template("debian-12").unwrap().clone();
    debian.withdrawn = true;
    let gone = CatalogueChange::Template(debian);
    assert_eq!(facade.catalogue_preview(&admin, &gone).await.unwrap().unwrap().drafts, 0);
    assert_eq!(facade.catalogue_change(&admin, &gone, None, WHY).await.unwrap(), SystemAnswer::Done);
    assert!(facade.at_hand().catalogue().offer("debian-12").is_none());
    let other = Offers::new(now.clone());
    other.refresh(&plane.store, tomorrow).await.unwrap();
    assert!(other.current().offer("debian-12").is_none());
    assert_eq!(other.current().prices.vcpu_minor, 2 * now.prices.vcpu_minor);

    let mut default = now.template(&now.default_template).unwrap().clone();
    default.withdrawn = true;
    let broken = CatalogueChange::Template(default);
    let refused = facade.catalogue_change(&admin, &broken, None, WHY).await.unwrap();
    let SystemAnswer::Refused(errors) = refused else { panic!("{refused:?}") };
    assert_eq!(errors[0].code, Code::CatalogueBroken);

    let id = view.pending[0].id.clone();
    assert_eq!(facade.catalogue_withdraw(&olga, &id).await.unwrap(), SystemAnswer::Gone);
    assert_eq!(facade.catalogue_withdraw(&admin, &id).await.unwrap(), SystemAnswer::Done);
    assert_eq!(facade.catalogue_withdraw(&admin, &id).await.unwrap(), SystemAnswer::Gone);
    let begun = facade.catalogue_view(&admin).await.unwrap().unwrap().begun[0].id.clone();
    assert_eq!(facade.catalogue_withdraw(&admin, &begun).await.unwrap(), SystemAnswer::Gone, "it has begun");
    let _ = draft;
}

/// What was done by hand is read by who, by what and by whom it was done to, page by page.
async fn what_was_done_is_written_down_once(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let olga = plane.viewer("olga@test", Role::Support).await;
    let admin = plane.viewer("viktor@test", Role::Admin).await;
    let failed = plane.order_that_fails(&anna, "vdcComposeVapp").await;
    let facade = &plane.facade;
    let act = async |who, action| facade.job_act(who, failed, action, WHY, None, Map::new()).await.unwrap();
    assert_eq!(act(&olga, JobAction::Rerun).await, JobAnswer::Done);
    plane.until(failed, JobState::Failed).await;
    assert_eq!(act(&admin, JobAction::RollBack).await, JobAnswer::Done);
    plane.until(failed, JobState::RolledBack).await;
    let lines = async |filter: AuditFilter| {
        let page = facade.audit(&admin, &filter).await.unwrap().unwrap();
        page.lines.into_iter().map(|l| (l.what, l.by, l.subject_id, l.detail)).collect::<Vec<_>>()
    };
    let rerun = ("job_rerun".to_owned(), Some(olga.account.id), failed.to_string(), WHY.to_owned());
    let back = ("job_roll_back".to_owned(), Some(admin.account.id), failed.to_string(), WHY.to_owned());
    assert_eq!(lines(AuditFilter::default()).await, [back.clone(), rerun.clone()]);
    let by = AuditFilter { by: Some(olga.account.id), ..AuditFilter::default() };
    assert_eq!(lines(by).await, std::slice::from_ref(&rerun));
    let what = AuditFilter { what: Some("job_roll_back".into()), ..AuditFilter::default() };
    assert_eq!(lines(what).await, std::slice::from_ref(&back));
    let of = |id: String| AuditFilter { subject_id: Some(id), ..AuditFilter::default() };
    assert_eq!(lines(of(failed.to_string())).await.len(), 2);
    assert_eq!(lines(of("other".into())).await, []);
    let newest = facade.audit(&admin, &AuditFilter::default()).await.unwrap().unwrap().lines.remove(0).id;
    let older = AuditFilter { before: Some(newest), ..AuditFilter::default() };
    assert_eq!(lines(older).await, [rerun]);
    assert!(
        facade.audit(&olga, &AuditFilter::default()).await.unwrap().is_none(),
        "it is the administrators'"
    );
}

testkit::on_both!(
    a_customer_is_found_with_what_waits,
    a_look_changes_nothing,
    one_job_runs_in_spite_of_a_maintenance,
    an_orphan_goes_when_it_is_told_to,
    a_group_is_seen_from_both_sides,
    the_catalogue_changes_from_a_day_on,
    what_was_done_is_written_down_once,
);
