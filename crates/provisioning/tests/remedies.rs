//! What customers can do themselves about an operation that failed, on both databases.

use domain::{
    power::PowerAction,
    state::{EdgeState, JobState, Role},
};
use provisioning::{Cancelled, ServerAnswer, what_exists};
use testkit::{Database, Plane};

/// Something that may pass is tried again from where it failed, once; by its owner, and by nobody else.
async fn what_may_pass_is_tried_again(database: Database) {
    let plane = Plane::start_on(database, 3).await;
    let (anna, boris) =
        (plane.viewer("anna@test", Role::Customer).await, plane.viewer("boris@test", Role::Customer).await);
    plane.fault("task vappDeploy", serde_json::json!({"kind": "error", "message": "asked for"})).await;
    let job = plane.order(&anna).await;
    let failed = plane.until(job, JobState::Failed).await;
    let view = plane.facade.operation(&anna, job).await.unwrap().unwrap();
    assert!(view.can_retry, "{:?}", failed.cause);
    assert!(!view.can_give_up, "there is a machine already");
    assert_eq!(what_exists(&view.job), ["edge-claim", "network", "group", "copy"]);
    plane.no_faults().await;

    assert_eq!(plane.facade.operation_retry(&boris, job).await.unwrap(), None);
    assert_eq!(plane.facade.operation_retry(&anna, job).await.unwrap(), Some(true));
    assert_eq!(plane.facade.operation_retry(&anna, job).await.unwrap(), Some(false), "it goes on already");
    let done = plane.until(job, JobState::Succeeded).await;
    let created = done.steps.iter().find(|s| s.key == "machine_create").unwrap();
    assert_eq!(created.attempt, 1, "what was done is kept");
}

/// What will not pass is support's, and so is what something newer was asked after: it would be undone.
async fn what_will_not_pass_or_is_not_the_newest_is_not_tried_again(database: Database) {
    let plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let draft = plane.draft(&anna).await;
    plane.rename(&anna, draft, "fail-customize").await;
    let failing = plane.place(&anna, draft).await;
    plane.until(failing, JobState::Failed).await;
    assert!(!plane.facade.operation(&anna, failing).await.unwrap().unwrap().can_retry);
    assert_eq!(plane.facade.operation_retry(&anna, failing).await.unwrap(), Some(false));

    let order = plane.order(&anna).await;
    let server = plane.until(order, JobState::Succeeded).await.server.unwrap();
    let power = async |action| match plane
        .facade
        .server_power(&anna, server, action, action.as_str(), "test")
        .await
        .unwrap()
    {
        ServerAnswer::Accepted(job) => job,
        other => panic!("{other:?}"),
    };
    plane.fault("task vappRebootGuest", serde_json::json!({"kind": "error", "message": "asked for"})).await;
    let reboot = power(PowerAction::Reboot).await;
    plane.until(reboot, JobState::Failed).await;
    assert!(plane.facade.operation(&anna, reboot).await.unwrap().unwrap().can_retry);
    let newer = power(PowerAction::Reset).await;
    assert!(!plane.facade.operation(&anna, reboot).await.unwrap().unwrap().can_retry);
    assert_eq!(plane.facade.operation_retry(&anna, reboot).await.unwrap(), Some(false));
    assert_ne!(newer, reboot);
}

/// An order that failed before there was a machine is given up, and nothing of it stays.
async fn an_order_without_a_machine_is_given_up(database: Database) {
    let plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let draft = plane.draft(&anna).await;
    plane.rename(&anna, draft, "fail-vdccomposevapp").await;
    let job = plane.place(&anna, draft).await;
    plane.until(job, JobState::Failed).await;
    let view = plane.facade.operation(&anna, job).await.unwrap().unwrap();
    assert!(view.can_give_up);
    assert_eq!(what_exists(&view.job), ["edge-claim", "network"]);
    let support = plane.viewer("support@test", Role::Support).await;
    assert!(!plane.facade.operation(&support, job).await.unwrap().unwrap().can_give_up);
    assert_eq!(plane.facade.operation_cancel(&anna, job).await.unwrap(), Some(Ok(Cancelled::Order)));
    plane.until(job, JobState::RolledBack).await;
    let edges = plane.store.edges().await.unwrap();
    assert!(edges.iter().all(|e| e.edge.state == EdgeState::Free), "{edges:?}");
}

testkit::on_both!(
    what_may_pass_is_tried_again,
    what_will_not_pass_or_is_not_the_newest_is_not_tried_again,
    an_order_without_a_machine_is_given_up
);
