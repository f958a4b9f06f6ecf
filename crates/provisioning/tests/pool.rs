//! The pool as staff run it, on both databases: nothing that somebody needs is touched, everything done is written down, and what
//! an edge has been through can be read.

use domain::{
    EdgeId,
    edge_action::EdgeAction,
    field::Code,
    permission::Denial,
    state::{EdgeState, JobState, Role},
};
use provisioning::{AuditFilter, EdgeAnswer, Viewer};
use testkit::{Database, Plane};

const WHY: &str = "the gateway is being replaced";

async fn act(plane: &Plane, who: &Viewer, edge: EdgeId, action: EdgeAction) -> EdgeAnswer {
    plane.facade.edge_act(who, edge, action, WHY).await.unwrap()
}

async fn state(plane: &Plane, edge: EdgeId) -> EdgeState {
    plane.store.edge(edge).await.unwrap().unwrap().edge.state
}

async fn audited(plane: &Plane, admin: &Viewer) -> Vec<String> {
    let page = plane.facade.audit(admin, &AuditFilter::default()).await.unwrap().unwrap();
    page.lines.into_iter().map(|line| line.what).collect()
}

/// A free edge is taken out of the pool and comes back; one that a server stands on is left alone.
async fn an_edge_is_kept_out_and_comes_back(database: Database) {
    let plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let olga = plane.viewer("olga@test", Role::Support).await;
    let admin = plane.viewer("viktor@test", Role::Admin).await;
    let job = plane.order(&anna).await;
    let server = plane.until(job, JobState::Succeeded).await.server.unwrap();
    let used = plane.store.edge_of(server).await.unwrap().unwrap().id;
    let free = plane.store.edges().await.unwrap().into_iter().find(|r| r.edge.id != used).unwrap().edge.id;

    for action in EdgeAction::ALL {
        assert_eq!(act(&plane, &admin, used, *action).await, EdgeAnswer::Denied(Denial::EdgeInUse));
        assert_eq!(
            act(&plane, &olga, free, *action).await,
            EdgeAnswer::Gone,
            "the pool is an administrator's"
        );
        assert_eq!(act(&plane, &anna, free, *action).await, EdgeAnswer::Gone);
    }
    let short = plane.facade.edge_act(&admin, free, EdgeAction::Quarantine, "short").await.unwrap();
    let EdgeAnswer::Refused(errors) = short else { panic!("{short:?}") };
    assert_eq!(errors[0].code, Code::WhyShort);
    assert_eq!(audited(&plane, &admin).await, [] as [String; 0], "what was refused was not done");

    assert_eq!(act(&plane, &admin, free, EdgeAction::Quarantine).await, EdgeAnswer::Done);
    assert_eq!(state(&plane, free).await, EdgeState::Quarantined);
    assert_eq!(
        act(&plane, &admin, free, EdgeAction::Quarantine).await,
        EdgeAnswer::Denied(Denial::EdgeOutAlready)
    );
    // Reading the platform again does not let it back in.
    plane.control.edges_import().await.unwrap();
    plane.control.edges_import().await.unwrap();
    assert_eq!(state(&plane, free).await, EdgeState::Quarantined);
    let waits = plane.order(&anna).await;
    plane.until(waits, JobState::Parked).await;
    assert_eq!(act(&plane, &admin, free, EdgeAction::Return).await, EdgeAnswer::Done);
    plane.until(waits, JobState::Succeeded).await;
    assert_eq!(state(&plane, free).await, EdgeState::Bound);
    assert_eq!(audited(&plane, &admin).await, ["edge_return", "edge_quarantine"]);

    let detail = plane.facade.staff_edge(&olga, free).await.unwrap().unwrap();
    let through: Vec<EdgeState> = detail.events.iter().rev().map(|e| e.state).collect();
    use EdgeState::{Bound, Claimed, Free, Quarantined};
    assert_eq!(through, [Free, Quarantined, Free, Claimed, Bound]);
    let last = &detail.events[0];
    assert_eq!((last.customer_email.as_deref(), last.job), (Some("anna@test"), Some(waits)));
    assert!(plane.store.fsck().await.unwrap().is_empty());
    assert_eq!(plane.store.edge_conflicts().await.unwrap(), 0);
}

/// A claim is given up only once its job is over, and an edge that still carries a network does not go to anybody.
async fn a_stale_claim_is_released_and_a_living_one_is_not(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let admin = plane.viewer("viktor@test", Role::Admin).await;
    let failed = plane.order_that_fails(&anna, "vdcComposeVapp").await;
    let edge = plane.store.edges().await.unwrap().remove(0).edge.id;
    let before = state(&plane, edge).await;
    if before == EdgeState::Claimed {
        let living = act(&plane, &admin, edge, EdgeAction::Release).await;
        assert_eq!(living, EdgeAnswer::Denied(Denial::JobLives));
    }
    let detail = plane.facade.staff_edge(&admin, edge).await.unwrap().unwrap();
    assert_eq!(
        detail.row.lives,
        Some(plane.job(failed).await.number).filter(|_| before == EdgeState::Claimed)
    );
    // As a crash of long ago would have left it: the job is over, and its edge was never given back.
    plane.by_hand("UPDATE job SET state = 'cancelled', finished_at = 1").await;
    plane
        .by_hand(
            "UPDATE edge SET state = 'claimed', observed_networks = 1, job_id = (SELECT id FROM job LIMIT 1),
                 server_id = (SELECT id FROM server LIMIT 1)",
        )
        .await;
    let stands = act(&plane, &admin, edge, EdgeAction::Release).await;
    assert_eq!(stands, EdgeAnswer::Denied(Denial::EdgeInUse), "its server has its network on it");
    plane.by_hand("UPDATE server SET terminated_at = 1, state = 'terminated'").await;
    assert_eq!(act(&plane, &admin, edge, EdgeAction::Release).await, EdgeAnswer::Done);
    assert_eq!(state(&plane, edge).await, EdgeState::Quarantined, "its network is still there");
    assert_eq!(
        act(&plane, &admin, edge, EdgeAction::Return).await,
        EdgeAnswer::Denied(Denial::EdgeHasNetwork)
    );
    plane.by_hand("UPDATE edge SET observed_networks = 0").await;
    assert_eq!(act(&plane, &admin, edge, EdgeAction::Return).await, EdgeAnswer::Done);
    assert_eq!(
        act(&plane, &admin, edge, EdgeAction::Release).await,
        EdgeAnswer::Denied(Denial::EdgeNotClaimed)
    );
}

/// What was taken in a week says for how long the rest lasts.
async fn the_pool_says_for_how_long_it_lasts(database: Database) {
    let plane = Plane::start_on(database, 8).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let olga = plane.viewer("olga@test", Role::Support).await;
    let pool = async || plane.facade.staff_edges(&olga).await.unwrap().unwrap();
    assert_eq!((pool().await.days_left(), pool().await.is_low()), (None, false));
    let mut last = None;
    for _ in 0..2 {
        let job = plane.order(&anna).await;
        last = plane.until(job, JobState::Succeeded).await.server;
    }
    let now = pool().await;
    assert_eq!((now.flow.taken, now.flow.returned), (2, 0), "what came into the pool was nobody's");
    assert_eq!((pool().await.days_left(), pool().await.count(EdgeState::Free)), (Some(21), 6));
    let job = plane.terminate(&anna, last.unwrap()).await;
    plane.until(job, JobState::Succeeded).await;
    assert_eq!(pool().await.days_left(), Some(49), "one of them came back");
    plane.by_hand("UPDATE edge_event SET at = 0").await;
    assert_eq!(pool().await.days_left(), None, "of longer ago nothing counts");
}

/// A wish that the platform be asked lasts until somebody has asked it.
async fn the_platform_is_asked_when_somebody_wants_it(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let admin = plane.viewer("viktor@test", Role::Admin).await;
    let olga = plane.viewer("olga@test", Role::Support).await;
    assert!(!plane.facade.edges_check(&olga).await.unwrap());
    assert_eq!(plane.store.edges_wanted_since().await.unwrap(), None);
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    assert!(plane.facade.edges_check(&admin).await.unwrap());
    assert!(plane.store.edges_wanted_since().await.unwrap().is_some());
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    plane.control.edges_import().await.unwrap();
    assert_eq!(plane.store.edges_wanted_since().await.unwrap(), None);
}

testkit::on_both!(
    an_edge_is_kept_out_and_comes_back,
    a_stale_claim_is_released_and_a_living_one_is_not,
    the_pool_says_for_how_long_it_lasts,
    the_platform_is_asked_when_somebody_wants_it,
);
