//! From a draft to an order, on both databases: what was reviewed and allowed is placed, once, and nothing else.

use domain::{
    draft::{DraftValues, WizardStep},
    field::Code,
    state::Role,
};
use provisioning::{DraftSaved, OrderPlaced, Seen, draft_digest};
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

async fn parallel_posts_of_one_draft_are_one_order(database: Database) {
    let plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let draft = plane.draft(&anna).await;
    let posts = futures::future::join_all((0..50).map(|_| plane.place(&anna, draft))).await;
    assert!(posts.iter().all(|j| *j == posts[0]));
    assert_eq!(plane.store.servers_of(anna.customer().unwrap()).await.unwrap().len(), 1);
}

testkit::on_both!(
    an_own_password_is_checked_again_when_what_it_is_for_changes,
    an_order_that_changed_under_the_button_is_not_placed,
    parallel_posts_of_one_draft_are_one_order
);
