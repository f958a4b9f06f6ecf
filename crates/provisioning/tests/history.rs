//! What customers ask of their past: by server, kind, state, day and order, in pages, and only of their own.

use domain::{
    kind::Kind,
    power::PowerAction,
    state::{JobState, Role},
};
use provisioning::{History, ServerAnswer};
use testkit::{Database, Plane};

async fn history_is_what_is_asked_for(database: Database) {
    let plane = Plane::start_on(database, 4).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let boris = plane.viewer("boris@test", Role::Customer).await;
    let (customer, other) = (anna.customer().unwrap(), boris.customer().unwrap());
    assert_eq!(plane.order_several(&anna, 2).await, 2);
    let open = plane.facade.operations_open(customer).await.unwrap();
    let two: Vec<_> = open.iter().map(|j| j.id).collect();
    let single = plane.order(&anna).await;
    for job in two.iter().chain([&single]) {
        plane.until(*job, JobState::Succeeded).await;
    }
    let server = plane.job(single).await.server.unwrap();
    let ServerAnswer::Accepted(reboot) =
        plane.facade.server_power(&anna, server, PowerAction::Reboot, "r", "test").await.unwrap()
    else {
        panic!("it was not accepted")
    };
    plane.until(reboot, JobState::Succeeded).await;
    let asked = async |history: History| -> Vec<_> {
        let found = plane.facade.operations_done(customer, &history, 10).await.unwrap();
        found.into_iter().map(|j| j.id).collect()
    };
    assert_eq!(asked(History::default()).await, [reboot, single, two[1], two[0]], "newest first");
    assert_eq!(asked(History { server: Some(server), ..History::default() }).await, [reboot, single]);
    assert_eq!(asked(History { kind: Some(Kind::Power), ..History::default() }).await, [reboot]);
    assert!(asked(History { state: Some(JobState::Cancelled), ..History::default() }).await.is_empty());
    // An order is asked for by any of its operations, and only by whose it is.
    for one in &two {
        let of_order = History { order: Some(*one), ..History::default() };
        assert_eq!(asked(of_order.clone()).await, [two[1], two[0]]);
        assert_eq!(plane.facade.operations_of_order(customer, *one).await.unwrap(), two);
        assert!(plane.facade.operations_done(other, &of_order, 10).await.unwrap().is_empty());
        assert!(plane.facade.operations_of_order(other, *one).await.unwrap().is_empty());
    }
    let last = plane.job(reboot).await;
    let since = History { from: last.finished_at, ..History::default() };
    assert_eq!(asked(since).await, [reboot]);
    assert_eq!(
        asked(History { before: Some(last.number), ..History::default() }).await,
        [single, two[1], two[0]]
    );
}

testkit::on_both!(history_is_what_is_asked_for);
