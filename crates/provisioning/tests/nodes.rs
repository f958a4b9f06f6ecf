//! Three processes' worth of stores and workers on one PostgreSQL.

use std::{collections::HashSet, time::Duration};

use domain::state::{JobState, Role};
use futures::StreamExt as _;
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

/// Orders do not wait for each other's numbers; a database that counted its jobs in a row is counted on from there.
#[tokio::test(flavor = "multi_thread")]
async fn no_number_is_given_twice() {
    let plane = Plane::start_on(Database::Postgres, 20).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let first = plane.order(&anna).await;
    plane.until(first, JobState::Succeeded).await;
    // As an earlier version left it.
    plane
        .by_hand("DROP SEQUENCE job_number; UPDATE counter SET value = 5000 WHERE name = 'job_number'")
        .await;
    let other = plane.node("second").await;
    let later = plane.order(&anna).await;
    assert_eq!(plane.job(later).await.number, 5001);
    plane.by_hand("DROP SEQUENCE job_number").await;
    drop(plane.node("third").await);
    let boris = plane.viewer("boris@test", Role::Customer).await;
    let both = tokio::join!(plane.order_several(&anna, 5), plane.order_several(&boris, 5));
    assert_eq!(both, (5, 5));
    for number in 5002..=5011 {
        assert!(plane.store.job_numbered(number).await.unwrap().is_some(), "{number}");
    }
    drop(other);
}

/// A thousand servers are ordered at once, and there are 130 edges: each goes to one, the others wait in nobody's way, and
/// what is freed goes to whoever has waited longest.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_orders_and_a_hundred_and_thirty_edges() {
    const CUSTOMERS: usize = 100;
    let plane = Plane::start_on(Database::Postgres, 130).await;
    let others = [plane.node("second").await, plane.node("third").await];
    let mut viewers = Vec::new();
    for n in 0..CUSTOMERS {
        viewers.push(plane.viewer(&format!("customer{n}@test"), Role::Customer).await);
    }
    // More at once than there are connections; not so many that the last waits longer for one than anything may.
    let orders = futures::stream::iter(viewers.iter().map(|viewer| plane.order_several(viewer, 10)));
    let accepted: usize = orders.buffer_unordered(20).fold(0, async |sum, n| sum + n).await;
    assert_eq!(accepted, 1000);
    let count = async |state: &str| plane.count_jobs(state).await;
    let settled = async {
        loop {
            let (up, parked) = (count("succeeded").await, count("parked").await);
            assert_eq!(count("failed").await, 0);
            if up + parked == 1000 {
                return (up, parked);
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    };
    let settled = tokio::time::timeout(Duration::from_secs(240), settled).await.expect("it takes too long");
    assert_eq!(settled, (130, 870));
    let census = plane.sim.census();
    assert_eq!((census.vms.len(), census.networks.len()), (130, 130));
    assert_eq!((census.edges_used, census.edges_doubled), (130, 0));
    assert_eq!(plane.store.edge_conflicts().await.unwrap(), 0);
    assert!(plane.store.fsck().await.unwrap().is_empty());

    // One is given up: the longest-parked of all gets its edge, on whichever node.
    let longest = plane.longest_parked().await;
    let owner = viewers.iter().find(|v| v.customer().is_some());
    let mut ended = None;
    for viewer in owner.into_iter().chain(&viewers) {
        let servers = plane.store.servers_of(viewer.customer().unwrap()).await.unwrap();
        if let Some(up) = servers.iter().find(|s| s.state == domain::state::ServerState::Running) {
            ended = Some(plane.terminate(viewer, up.id).await);
            break;
        }
    }
    plane.until(ended.expect("somebody's server is up"), JobState::Succeeded).await;
    plane.until_or(longest, JobState::Succeeded, JobState::Parked).await;
    assert_eq!(plane.count_jobs("parked").await, 869);
    assert_eq!(plane.sim.census().edges_doubled, 0);
    drop(others);
}
