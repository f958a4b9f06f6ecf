//! What people keep of themselves: each their own, and nobody else's.

use domain::{field::Code, state::Role};
use provisioning::{PasswordChanged, SignIn, Viewer};
use store::sessions::{SessionFacts, session_key};
use testkit::{Database, Plane};

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9IEpYUAJh0/P4XDUpNxFmN7i3CIFTuMHHjL7C1mQzX anna@laptop";
/// What the kit signs everybody up with.
const OLD: &str = "correct horse battery";
const NEW: &str = "eleven-lamps-over-a-bridge";

async fn open(plane: &Plane, viewer: &Viewer, id: &[u8; 16]) {
    let account = viewer.account.id.to_string();
    let facts = SessionFacts { account: Some(&account), device: Some("Firefox, Linux"), since: Some(1) };
    assert!(plane.store.session_add(id, "{}", facts, i64::MAX).await.unwrap());
}

async fn a_password_is_changed_by_whoever_knows_it_and_others_are_signed_out(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let boris = plane.viewer("boris@test", Role::Customer).await;
    let (here, there, his) = ([1; 16], [2; 16], [3; 16]);
    open(&plane, &anna, &here).await;
    open(&plane, &anna, &there).await;
    open(&plane, &boris, &his).await;
    let change = async |current: &str, new: &str| {
        plane.facade.password_change(&anna, current.into(), new.into(), &here).await.unwrap()
    };
    let refused = async |current: &str, new: &str, code: Code| match change(current, new).await {
        PasswordChanged::Refused(errors) => assert_eq!(errors[0].code, code),
        other => panic!("{other:?}"),
    };
    refused("not the password", NEW, Code::PasswordWrong).await;
    refused(OLD, "short", Code::PasswordShort).await;
    refused(OLD, "passwordpassword", Code::PasswordWeak).await;
    refused(OLD, OLD, Code::PasswordSame).await;
    assert_eq!(plane.facade.sessions(&anna, &here).await.unwrap().len(), 2, "a refusal ended something");
    let PasswordChanged::Done { ended: 1 } = change(OLD, NEW).await else { panic!("it was not changed") };
    let left = plane.facade.sessions(&anna, &here).await.unwrap();
    assert_eq!(
        left.iter().map(|(s, here)| (s.key.clone(), *here)).collect::<Vec<_>>(),
        [(session_key(&here), true)]
    );
    assert_eq!(plane.facade.sessions(&boris, &his).await.unwrap().len(), 1);
    assert!(matches!(plane.facade.sign_in("anna@test", OLD.into()).await.unwrap(), SignIn::Wrong));
    assert!(matches!(plane.facade.sign_in("anna@test", NEW.into()).await.unwrap(), SignIn::In(_)));
}

async fn a_session_is_ended_by_its_owner_and_stays_ended(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let boris = plane.viewer("boris@test", Role::Customer).await;
    let (here, there) = ([1; 16], [2; 16]);
    open(&plane, &anna, &here).await;
    open(&plane, &anna, &there).await;
    assert!(!plane.facade.session_revoke(&boris, &session_key(&there)).await.unwrap(), "somebody else's");
    assert!(plane.facade.session_revoke(&anna, &session_key(&there)).await.unwrap());
    // A request that was under way writes its session: that does not open it again.
    plane.store.session_save(&there, "{}", SessionFacts::default(), i64::MAX).await.unwrap();
    assert_eq!(plane.store.session_load(&there, 0).await.unwrap(), None);
    assert_eq!(plane.facade.sessions(&anna, &here).await.unwrap().len(), 1);
}

async fn kept_keys_begin_new_orders(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let boris = plane.viewer("boris@test", Role::Customer).await;
    let add =
        async |viewer: &Viewer, pasted: &str| plane.facade.ssh_key_add(viewer, "", pasted).await.unwrap();
    assert_eq!(add(&anna, "nonsense").await.unwrap_err()[0].code, Code::KeyType);
    add(&anna, KEY).await.unwrap();
    assert_eq!(add(&anna, KEY).await.unwrap_err()[0].code, Code::KeyThere);
    add(&boris, KEY).await.unwrap();
    let key = plane.facade.ssh_keys(&anna).await.unwrap().remove(0);
    assert_eq!((key.name.as_str(), key.preset), ("anna@laptop", false));
    let values = async |viewer: &Viewer| {
        let draft = plane.draft(viewer).await;
        plane.facade.draft(draft, viewer.customer().unwrap()).await.unwrap().unwrap().draft.values
    };
    assert_eq!(values(&anna).await.method, "password");
    assert!(!plane.facade.ssh_key_preset(&boris, key.id, true).await.unwrap(), "somebody else's");
    assert!(plane.facade.ssh_key_preset(&anna, key.id, true).await.unwrap());
    let begun = values(&anna).await;
    assert_eq!((begun.method.as_str(), begun.ssh_keys.as_str()), ("key", key.line.as_str()));
    assert!(plane.facade.ssh_key_remove(&anna, key.id).await.unwrap());
    assert_eq!(values(&anna).await.method, "password");
}

async fn a_name_is_kept_trimmed(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    assert_eq!(plane.facade.account_rename(&anna, " ").await.unwrap().unwrap_err().code, Code::NameMissing);
    assert_eq!(
        plane.facade.account_rename(&anna, &"я".repeat(61)).await.unwrap().unwrap_err().code,
        Code::NameLong
    );
    plane.facade.account_rename(&anna, "  Анна\u{0}\u{202e} П.\n ").await.unwrap().unwrap();
    let now = plane.facade.viewer(anna.account.id).await.unwrap().unwrap();
    assert_eq!(now.account.name, "Анна П.");
}

testkit::on_both!(
    a_password_is_changed_by_whoever_knows_it_and_others_are_signed_out,
    a_session_is_ended_by_its_owner_and_stays_ended,
    kept_keys_begin_new_orders,
    a_name_is_kept_trimmed,
);
