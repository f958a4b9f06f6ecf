//! Servers that change their edge, and networks that cannot be taken away yet: neighbours run through all of it, no edge is
//! given out twice, and whatever is left behind is named and goes once it can.

use std::collections::BTreeSet;

use domain::{
    EdgeId, ServerId,
    field::Code,
    job_action::JobAction,
    permission::Denial,
    state::{EdgeState, JobState, Role, ServerState},
};
use provisioning::{Form, JobAnswer, ServerAnswer, Viewer, look};
use serde_json::json;
use store::interventions::{Intervention, Rerun};
use testkit::{Database, Plane};

async fn ordered(plane: &Plane, viewer: &Viewer) -> ServerId {
    let job = plane.order(viewer).await;
    plane.until(job, JobState::Succeeded).await.server.unwrap()
}

async fn row(plane: &Plane, server: ServerId) -> provisioning::Server {
    plane.store.server(server).await.unwrap().unwrap()
}

async fn ask(plane: &Plane, who: &Viewer, server: ServerId, why: &str, keep_out: bool) -> ServerAnswer {
    let key = uuid::Uuid::now_v7().to_string();
    let form = Form { key: &key, request_id: "test" };
    plane.facade.server_change_edge(who, server, why, keep_out, form).await.unwrap()
}

async fn moved(plane: &Plane, who: &Viewer, server: ServerId, keep_out: bool) -> domain::JobId {
    match ask(plane, who, server, "its edge is faulty", keep_out).await {
        ServerAnswer::Accepted(job) => job,
        other => panic!("{other:?}"),
    }
}

async fn edge_state(plane: &Plane, edge: EdgeId) -> (EdgeState, Option<String>) {
    let rows = plane.store.edges().await.unwrap();
    rows.into_iter().find(|r| r.edge.id == edge).map(|r| (r.edge.state, r.edge.held)).unwrap()
}

fn how(by: &Viewer) -> Intervention<'_> {
    Intervention { by: by.account.id, why: "a test", now: 1 }
}

async fn a_server_changes_its_edge_and_its_neighbour_never_stops(database: Database) {
    let plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let admin = plane.viewer("admin@test", Role::Admin).await;
    let (server, neighbour) = (ordered(&plane, &anna).await, ordered(&plane, &anna).await);
    let before = row(&plane, server).await;
    let left = plane.store.edge_of(server).await.unwrap().unwrap();
    let up = plane.guests().await;
    let job = moved(&plane, &admin, server, false).await;
    plane.until(job, JobState::Succeeded).await;

    let after = row(&plane, server).await;
    let edge = plane.store.edge_of(server).await.unwrap().unwrap();
    assert_ne!(edge.id, left.id);
    assert_eq!((edge.state, edge.bandwidth_mbit), (EdgeState::Bound, left.bandwidth_mbit));
    assert_eq!(after.address.as_deref(), Some(edge.facts.first_address.as_str()));
    assert_ne!(after.address, before.address);
    assert_eq!((after.state, after.price_minor), (ServerState::Running, before.price_minor));
    assert_eq!(edge_state(&plane, left.id).await, (EdgeState::Free, None));
    let census = plane.sim.census();
    assert_eq!((census.networks.len(), census.vapps.len(), census.vms.len()), (2, 1, 2));
    assert_eq!((census.edges_used, census.edges_doubled), (2, 0));
    // One restart for whoever moved, and none for the other.
    let now = plane.guests().await;
    let own = format!("vds-{server}");
    assert_eq!(now[&own].boots, up[&own].boots + 1);
    let next = format!("vds-{neighbour}");
    assert_eq!(now[&next].boots, up[&next].boots);
    assert!(now[&next].ms > up[&next].ms);
    assert_eq!(look(&plane.control).await.unwrap(), 0, "all is as it should be");
    assert_eq!(plane.store.fsck().await.unwrap(), []);

    // It can do so again, change its address there, and end like every other.
    let job = moved(&plane, &admin, server, false).await;
    plane.until(job, JobState::Succeeded).await;
    assert_eq!(plane.sim.census().networks.len(), 2);
    for server in [server, neighbour] {
        let ended = plane.terminate(&anna, server).await;
        plane.until(ended, JobState::Succeeded).await;
    }
    let census = plane.sim.census();
    assert_eq!((census.networks.len(), census.vapps.len(), census.vms.len()), (0, 0, 0));
    assert_eq!(plane.store.edges_free().await.unwrap(), 3);
}

async fn a_server_that_does_not_answer_there_is_put_back(database: Database) {
    let plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let admin = plane.viewer("admin@test", Role::Admin).await;
    let (server, neighbour) = (ordered(&plane, &anna).await, ordered(&plane, &anna).await);
    let before = row(&plane, server).await;
    let edge = plane.store.edge_of(server).await.unwrap().unwrap();
    let up = plane.guests().await;
    plane.guest_ignores_settings(true).await;
    let job = moved(&plane, &admin, server, true).await;
    let done = plane.until(job, JobState::RolledBack).await;
    assert_eq!(done.cause.as_deref(), Some("address_silent"));
    let after = row(&plane, server).await;
    assert_eq!((&after.address, &after.next_address), (&before.address, &None));
    let now = plane.store.edge_of(server).await.unwrap().unwrap();
    assert_eq!((now.id, now.state), (edge.id, EdgeState::Bound));
    let census = plane.sim.census();
    assert_eq!((census.networks.len(), census.vapps.len(), census.vms.len()), (2, 1, 2));
    assert_eq!((plane.store.edges_free().await.unwrap(), census.edges_used), (1, 2));
    let next = format!("vds-{neighbour}");
    assert_eq!(plane.guests().await[&next].boots, up[&next].boots);
    plane.guest_ignores_settings(false).await;
    assert_eq!(look(&plane.control).await.unwrap(), 0, "all is as it should be");
    assert_eq!(plane.store.fsck().await.unwrap(), []);
}

async fn who_may_move_a_server_and_where(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let support = plane.viewer("help@test", Role::Support).await;
    let admin = plane.viewer("admin@test", Role::Admin).await;
    let server = ordered(&plane, &anna).await;
    for who in [&anna, &support] {
        assert_eq!(ask(&plane, who, server, "its edge is faulty", false).await, ServerAnswer::Gone);
    }
    let short = ask(&plane, &admin, server, " faulty ", false).await;
    assert!(matches!(short, ServerAnswer::Refused(e) if e[0].code == Code::WhyShort));
    // There is no other edge: nothing was changed.
    let edge = plane.store.edge_of(server).await.unwrap().unwrap();
    let job = moved(&plane, &admin, server, false).await;
    let done = plane.until(job, JobState::RolledBack).await;
    assert_eq!(done.cause.as_deref(), Some("no_free_edge"));
    let now = plane.store.edge_of(server).await.unwrap().unwrap();
    assert_eq!((now.id, now.state), (edge.id, EdgeState::Bound));
    plane.by_hand("UPDATE server SET state = 'stopped'").await;
    let off = ask(&plane, &admin, server, "its edge is faulty", false).await;
    assert_eq!(off, ServerAnswer::Denied(Denial::NotRunning));
}

async fn an_edge_kept_out_of_the_pool_stays_out(database: Database) {
    let plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let admin = plane.viewer("admin@test", Role::Admin).await;
    let server = ordered(&plane, &anna).await;
    let left = plane.store.edge_of(server).await.unwrap().unwrap();
    let job = moved(&plane, &admin, server, true).await;
    plane.until(job, JobState::Succeeded).await;
    let held = (EdgeState::Quarantined, Some("its edge is faulty".to_owned()));
    assert_eq!(edge_state(&plane, left.id).await, held);
    // However often the pool is compared with the cloud.
    for _ in 0..3 {
        plane.control.edges_import().await.unwrap();
    }
    assert_eq!(edge_state(&plane, left.id).await, held);
    assert_eq!(plane.store.edges_free().await.unwrap(), 0);
    assert_eq!(look(&plane.control).await.unwrap(), 0);
}

/// Where a neighbour cannot be moved, and staff say so, the server ends and its network stays behind, on an edge that drains
/// and says why; once nothing is in the way any more it goes by itself.
async fn a_network_that_cannot_be_taken_away_waits_until_it_can(database: Database) {
    let plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let support = plane.viewer("help@test", Role::Support).await;
    let (server, neighbour) = (ordered(&plane, &anna).await, ordered(&plane, &anna).await);
    let edge = plane.store.edge_of(server).await.unwrap().unwrap();
    let stays = row(&plane, neighbour).await.machine_ref.unwrap();
    let up = plane.guests().await;
    plane.foreign(json!({"what": "snapshot", "vm": stays})).await;
    let ended = plane.terminate(&anna, server).await;
    let failed = plane.until(ended, JobState::Failed).await;
    assert_eq!(failed.cause.as_deref(), Some("not_movable"));
    let step = failed.steps.iter().find(|s| s.state == domain::state::StepState::Failed).unwrap();
    let takes = provisioning::inputs_of(failed.kind, &step.key);
    assert_eq!(takes, ["keep_network"]);
    let inputs = json!({"keep_network": true}).as_object().unwrap().clone();
    let other = json!({"address": "198.51.100.7"}).as_object().unwrap().clone();
    let refused = plane.store.job_rerun_with(ended, &other, takes, how(&support)).await.unwrap();
    assert_eq!(refused, Rerun::NotAllowed("address".into()));
    // As from the job's page.
    let why = "the neighbour has a snapshot";
    let answer = plane.facade.job_act(&support, ended, JobAction::Rerun, why, None, inputs).await.unwrap();
    assert_eq!(answer, JobAnswer::Done);
    plane.until(ended, JobState::Succeeded).await;

    assert_eq!(row(&plane, server).await.state, ServerState::Terminated);
    let (state, why) = edge_state(&plane, edge.id).await;
    assert_eq!(state, EdgeState::Draining);
    assert!(why.unwrap().contains("it has a snapshot"));
    let census = plane.sim.census();
    assert_eq!((census.networks.len(), census.vapps.len(), census.vms.len()), (2, 1, 1));
    plane.never_stopped(&up).await;
    // It is no orphan, is given to nobody, and stays for as long as the snapshot does.
    plane.control.edges_import().await.unwrap();
    look(&plane.control).await.unwrap();
    let drift: BTreeSet<_> =
        plane.store.drift(None).await.unwrap().into_iter().map(|d| d.seen.kind).collect();
    assert!(!drift.contains(&domain::drift::DriftKind::OrphanNetwork), "{drift:?}");
    assert_eq!(plane.store.edges_free().await.unwrap(), 1);
    assert_eq!(edge_state(&plane, edge.id).await.0, EdgeState::Draining);
    assert_eq!(plane.store.fsck().await.unwrap(), []);

    plane.foreign(json!({"what": "snapshot_gone", "vm": stays})).await;
    look(&plane.control).await.unwrap();
    let moving = plane.store.jobs_of_server(neighbour, 1).await.unwrap().remove(0);
    assert_eq!(moving.kind, domain::kind::Kind::Migrate);
    plane.until(moving.id, JobState::Succeeded).await;
    assert_eq!(edge_state(&plane, edge.id).await, (EdgeState::Free, None));
    let census = plane.sim.census();
    assert_eq!((census.networks.len(), census.vapps.len(), census.vms.len()), (1, 1, 1));
    plane.never_stopped(&up).await;
    assert_eq!(look(&plane.control).await.unwrap(), 0);
    assert_eq!(plane.store.jobs_unfinished_count(anna.customer().unwrap()).await.unwrap(), 0);
}

testkit::on_both! {
    a_server_changes_its_edge_and_its_neighbour_never_stops,
    a_server_that_does_not_answer_there_is_put_back,
    who_may_move_a_server_and_where,
    an_edge_kept_out_of_the_pool_stays_out,
    a_network_that_cannot_be_taken_away_waits_until_it_can,
}
