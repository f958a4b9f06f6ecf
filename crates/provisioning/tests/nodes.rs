//! Three processes' worth of stores and workers on one PostgreSQL.

use std::{collections::HashSet, time::Duration};

use domain::state::{JobState, Role};
use testkit::{Database, Plane};

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_share_the_work_and_never_a_job() {
    let plane = Plane::start_on(Database::Postgres, 20).await;
    let (_second, _third) = (plane.node("second").await, plane.node("third").await);
    let mut orders = Vec::new();
    for n in 0..6 {
        let viewer = plane.viewer(&format!("customer{n}@test"), Role::Customer).await;
        for _ in 0..2 {
            orders.push(plane.order(&viewer).await);
        }
    }
    let mut workers = HashSet::new();
    for job in orders {
        let done = plane.until(job, JobState::Succeeded).await;
        let events = plane.store.job_events(job, 500).await.unwrap();
        let claims: Vec<_> = events.iter().filter(|e| e.what == "claimed").collect();
        workers.extend(claims.iter().filter_map(|e| e.detail.clone()));
        // A claim again only after the job slept.
        let sleeps = events.iter().filter(|e| e.what == "retry_wait").count();
        assert!(
            claims.len() <= 1 + sleeps,
            "{} was claimed {} times: {events:#?}",
            done.number,
            claims.len()
        );
    }
    assert!(workers.len() > 1, "the others did nothing: {workers:?}");
    let census = plane.sim.census();
    assert_eq!((census.vms.len(), census.networks.len(), census.edges_doubled), (12, 12, 0));
    assert_eq!(plane.store.edge_conflicts().await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_commits_the_others_hear() {
    let mut plane = Plane::start_on(Database::Postgres, 2).await;
    plane.stop_worker().await;
    let mut second = plane.node("second").await;
    second.stop_worker().await;
    // Whoever has just begun to listen looks at everything once.
    let mut changes = second.store.changes();
    tokio::time::sleep(Duration::from_millis(300)).await;
    while changes.try_recv().is_ok() {}
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let job = plane.order(&anna).await;
    let heard =
        tokio::time::timeout(Duration::from_secs(2), changes.recv()).await.expect("nothing was heard");
    assert!(heard.unwrap().concerns(anna.customer().unwrap()));
    // A page on the other node shows the order, and its worker runs it at once, not at its next scan.
    assert!(second.facade.operation(&anna, job).await.unwrap().is_some());
    second.start_worker("second");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let other = plane.order(&plane.viewer("boris@test", Role::Customer).await).await;
    let started = std::time::Instant::now();
    while plane.job(other).await.started_at.is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(started.elapsed() < Duration::from_secs(3), "it waited for a scan");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_node_takes_over_what_one_leaves() {
    let mut plane = Plane::start_on(Database::Postgres, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let job = plane.order(&anna).await;
    while plane.job(job).await.steps.iter().all(|s| s.key != "group_ensure" || s.started_at.is_none()) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let _second = plane.node("second").await;
    plane.stop_worker().await;
    plane.until(job, JobState::Succeeded).await;
    let census = plane.sim.census();
    assert_eq!((census.networks.len(), census.vapps.len(), census.vms.len()), (1, 1, 1));
}
