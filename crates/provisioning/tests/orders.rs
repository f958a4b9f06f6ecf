//! From a draft to an order, on both databases: what was reviewed and allowed is placed, once, and nothing else.

use std::sync::Arc;

use domain::{
    draft::{DraftValues, PriceChange, WizardStep},
    field::Code,
    state::{JobState, Role},
};
use jobs::SystemClock;
use provisioning::{DraftSaved, Facade, Offers, OrderPlaced, Seen, demo_catalogue, draft_digest};
use secrecy::SecretString;
use testkit::{Database, Plane};

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
    let values = plane.facade.draft(draft, customer).await.unwrap().unwrap().draft;
    assert!(!values.password_kept);
    assert_eq!(values.values.password_errors[0].code, Code::PasswordClasses);

    assert_eq!(save(WizardStep::Access, Some("Correct-horse-7-battery"), &own).await, DraftSaved::InOrder);
    let host = |v: &mut DraftValues| v.hostname = "horse".into();
    assert_eq!(save(WizardStep::Access, Some(""), &host).await, DraftSaved::WithErrors);
    let values = plane.facade.draft(draft, customer).await.unwrap().unwrap().draft.values;
    assert_eq!(values.password_errors[0].code, Code::PasswordHostname);
}

/// What was reviewed is what is ordered: another tab may have changed it meanwhile.
async fn an_order_that_changed_under_the_button_is_not_placed(database: Database) {
    let mut plane = Plane::start_on(database, 1).await;
    plane.stop_worker().await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let (draft, customer) = (plane.draft(&anna).await, anna.customer().unwrap());
    let shown = plane.facade.draft(draft, customer).await.unwrap().unwrap().draft;
    let total_minor = plane.facade.draft_quote(&shown.values).unwrap().1.total_minor;
    let seen = Seen { total_minor, digest: draft_digest(&shown) };
    plane.rename(&anna, draft, "other").await;
    match plane.facade.order_place(&anna, draft, true, &seen, "test").await.unwrap() {
        OrderPlaced::Refused(errors) => assert_eq!(errors[0].code, Code::OrderChanged),
        other => panic!("{other:?}"),
    }
    plane.place(&anna, draft).await;
}

/// A price that changed while an order lay is told, at that price nothing is ordered, and a system that is gone keeps its name.
async fn what_changed_in_the_catalogue_is_told_and_asked_for_again(database: Database) {
    let mut plane = Plane::start_on(database, 1).await;
    plane.stop_worker().await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let (draft, customer) = (plane.draft(&anna).await, anna.customer().unwrap());
    let shown = plane.facade.draft(draft, customer).await.unwrap().unwrap().draft;
    let before = plane.facade.draft_quote(&shown.values).unwrap().1.total_minor;
    let with = |change: fn(&mut domain::catalogue::Catalogue)| {
        let mut catalogue = demo_catalogue().unwrap();
        change(&mut catalogue);
        Facade::over(plane.store.clone(), Offers::new(catalogue), Arc::new(SystemClock))
    };
    let dearer = with(|c| {
        c.prices.vcpu_minor += 4000;
        c.prices.since = Some("2026-11-21".into());
    });
    let values = async |facade: &Facade| facade.draft(draft, customer).await.unwrap().unwrap().draft.values;
    let change = async |facade: &Facade| values(facade).await.price_change(facade.catalogue());
    let told =
        Some(PriceChange { from_minor: before, to_minor: before + 4000, since: Some("2026-11-21".into()) });
    assert_eq!(change(&plane.facade).await, None);
    assert_eq!(change(&dearer).await, told);

    // The page with the old price still lies open.
    let seen = Seen { total_minor: before, digest: draft_digest(&shown) };
    match dearer.order_place(&anna, draft, true, &seen, "test").await.unwrap() {
        OrderPlaced::Refused(errors) => assert_eq!(errors[0].code, Code::PriceStale),
        other => panic!("{other:?}"),
    }
    // A post from a page that had not told it yet: the next one does, and the one after it has nothing to tell.
    let save = async || dearer.draft_save(draft, customer, WizardStep::Os, None, |_| {}).await.unwrap();
    save().await;
    assert_eq!(change(&dearer).await, told);
    save().await;
    assert_eq!(change(&dearer).await, None);

    let gone = with(|c| c.templates.retain(|t| t.id != "almalinux-9"));
    let errors = values(&gone).await.check_os(gone.catalogue()).unwrap_err();
    assert_eq!(errors[0].params, [("system".to_owned(), "AlmaLinux 9".to_owned())]);
    let shown = gone.draft(draft, customer).await.unwrap().unwrap().draft;
    let seen = Seen { total_minor: before + 4000, digest: draft_digest(&shown) };
    let refused = gone.order_place(&anna, draft, true, &seen, "test").await.unwrap();
    assert!(matches!(refused, OrderPlaced::Refused(ref e) if e[0].code == Code::TemplateGone), "{refused:?}");
}

/// A system that is ordered no more is still what servers are made from: those are resized by its limits.
async fn a_withdrawn_system_is_not_ordered_and_its_servers_are_resized(database: Database) {
    let plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let job = plane.order(&anna).await;
    let server = plane.until(job, JobState::Succeeded).await.server.unwrap();
    let mut catalogue = plane.facade.catalogue().clone();
    let template = plane.store.server(server).await.unwrap().unwrap().template_id;
    for t in &mut catalogue.templates {
        t.withdrawn = t.id == template;
    }
    let first = catalogue.offered().next().unwrap().id.clone();
    catalogue.default_template = first;
    catalogue.check().unwrap();
    let later = Facade::over(plane.store.clone(), Offers::new(catalogue), Arc::new(SystemClock));
    let draft = later.draft_start(anna.customer().unwrap()).await.unwrap();
    let draft = later.draft(draft, anna.customer().unwrap()).await.unwrap().unwrap();
    assert_ne!(draft.draft.values.template, template, "a new draft begins with what can be ordered");
    let mut values = draft.draft.values.clone();
    values.template = template;
    assert_eq!(values.check_os(later.catalogue()).unwrap_err()[0].code, Code::TemplateGone);
    assert!(values.quote(later.catalogue()).is_none());
    let view = later.server(&anna, server).await.unwrap().unwrap();
    assert!(later.resize_limits(&view).is_some());
    assert!(later.resize_preview(&view, ["2", "4", "80", "100"]).is_ok());
}

/// The terms are accepted with the first order, and of several servers each has a password of its own.
async fn the_first_order_accepts_the_terms_and_several_have_passwords_of_their_own(database: Database) {
    let mut plane = Plane::start_on(database, 3).await;
    plane.stop_worker().await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let customer = anna.customer().unwrap();
    let seen = async |draft| {
        let shown = plane.facade.draft(draft, customer).await.unwrap().unwrap().draft;
        let total_minor = plane.facade.draft_quote(&shown.values).unwrap().1.total_minor;
        Seen { total_minor, digest: draft_digest(&shown) }
    };
    let first = plane.draft(&anna).await;
    let refused = plane.facade.order_place(&anna, first, false, &seen(first).await, "test").await.unwrap();
    assert!(matches!(refused, OrderPlaced::Refused(ref e) if e[0].code == Code::TermsMissing), "{refused:?}");
    plane.place(&anna, first).await;
    let second = plane.draft(&anna).await;
    let placed = plane.facade.order_place(&anna, second, false, &seen(second).await, "test").await.unwrap();
    assert!(matches!(placed, OrderPlaced::Accepted(_)), "{placed:?}");

    let third = plane.draft(&anna).await;
    let own = async |quantity: &str| {
        let password = Some(SecretString::from("correcthorsebattery"));
        let saved = plane.facade.draft_save(third, customer, WizardStep::Access, password, |v| {
            (v.password_source, v.quantity) = ("own".into(), quantity.into());
        });
        saved.await.unwrap();
        let judged = plane.facade.draft(third, customer).await.unwrap().unwrap();
        judged.errors(WizardStep::Access).iter().map(|e| e.code).collect::<Vec<_>>()
    };
    assert_eq!(own("1").await, []);
    assert_eq!(own("2").await, [Code::PasswordSeveral]);
}

async fn parallel_posts_of_one_draft_are_one_order(database: Database) {
    let plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let draft = plane.draft(&anna).await;
    let posts = futures::future::join_all((0..50).map(|_| plane.place(&anna, draft))).await;
    assert!(posts.iter().all(|j| *j == posts[0]));
    assert_eq!(plane.store.servers_of(anna.customer().unwrap()).await.unwrap().len(), 1);
}

testkit::on_both!(
    a_withdrawn_system_is_not_ordered_and_its_servers_are_resized,
    an_own_password_is_checked_again_when_what_it_is_for_changes,
    an_order_that_changed_under_the_button_is_not_placed,
    what_changed_in_the_catalogue_is_told_and_asked_for_again,
    the_first_order_accepts_the_terms_and_several_have_passwords_of_their_own,
    parallel_posts_of_one_draft_are_one_order
);
