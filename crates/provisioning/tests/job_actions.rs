//! What staff do to jobs, on both databases: run again, take back, mark a step as done, stop; with a reason, once, and by
//! those who may.

use domain::{
    JobId,
    field::Code,
    job_action::JobAction,
    kind::Kind,
    permission::Denial,
    power::PowerAction,
    state::{JobState, Role},
};
use provisioning::{JobAnswer, Viewer};
use serde_json::{Map, json};
use testkit::{Database, Plane};

const WHY: &str = "the platform was repaired";

async fn act(plane: &Plane, who: &Viewer, job: JobId, action: JobAction, why: &str) -> JobAnswer {
    plane.facade.job_act(who, job, action, why, None, Map::new()).await.unwrap()
}

async fn support_runs_a_failed_job_again_once_and_says_why(database: Database) {
    let mut plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let olga = plane.viewer("olga@test", Role::Support).await;
    let viktor = plane.viewer("viktor@test", Role::Admin).await;
    plane.fault("task vdcComposeVapp", json!({"kind": "error", "message": "asked for"})).await;
    let job = plane.order(&anna).await;
    let before = plane.until(job, JobState::Failed).await;
    let choices = plane.facade.job_choices(&olga, &before).await.unwrap().unwrap();
    assert_eq!(choices.failed.as_deref(), Some("group_ensure"));
    assert_eq!(choices.kept + choices.to_run, before.steps.len());
    assert!(choices.kept >= 3, "{choices:?}");
    assert_eq!(act(&plane, &anna, job, JobAction::Rerun, WHY).await, JobAnswer::Gone);
    let short = act(&plane, &olga, job, JobAction::Rerun, "because").await;
    assert!(matches!(short, JobAnswer::Refused(ref e) if e[0].code == Code::WhyShort), "{short:?}");
    for action in [JobAction::RollBack, JobAction::MarkDone] {
        let answer = act(&plane, &olga, job, action, WHY).await;
        assert_eq!(answer, JobAnswer::Denied(Denial::StaffOnly), "{action}");
    }
    // Nobody works: the second who asks finds it queued.
    plane.stop_worker().await;
    assert_eq!(act(&plane, &olga, job, JobAction::Rerun, WHY).await, JobAnswer::Done);
    let second = act(&plane, &viktor, job, JobAction::Rerun, WHY).await;
    assert!(matches!(second, JobAnswer::Already { ref by, .. } if *by == olga.account.name), "{second:?}");
    plane.start_worker();
    let after = plane.until(job, JobState::Succeeded).await;
    // What was done before was not done again.
    let attempts =
        |job: &provisioning::Job, key: &str| job.steps.iter().find(|s| s.key == key).unwrap().attempt;
    assert_eq!(attempts(&after, "network_create"), attempts(&before, "network_create"));
    let view = plane.facade.staff_job(&olga, job).await.unwrap().unwrap();
    let hands: Vec<(&str, &str)> = view.hands.iter().map(|h| (h.by.as_str(), h.why.as_str())).collect();
    assert_eq!(hands, [(olga.account.name.as_str(), WHY)]);
    assert_eq!(act(&plane, &olga, job, JobAction::Rerun, WHY).await, JobAnswer::Denied(Denial::AlreadyOver));
}

async fn an_administrator_takes_back_or_says_that_it_is_done(database: Database) {
    let plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let viktor = plane.viewer("viktor@test", Role::Admin).await;
    let job = plane.order_that_fails(&anna, "vdcComposeVapp").await;
    let row = plane.job(job).await;
    let choices = plane.facade.job_choices(&viktor, &row).await.unwrap().unwrap();
    assert_eq!(choices.undone.first().map(String::as_str), Some("group_ensure"), "the last first");
    assert_eq!(act(&plane, &viktor, job, JobAction::RollBack, WHY).await, JobAnswer::Done);
    plane.until(job, JobState::RolledBack).await;
    assert_eq!(
        act(&plane, &viktor, job, JobAction::RollBack, WHY).await,
        JobAnswer::Denied(Denial::AlreadyOver)
    );

    plane.fault("task orgVdcGatewayUpdate", json!({"kind": "error", "message": "asked for"})).await;
    let job = plane.order(&anna).await;
    plane.until(job, JobState::Failed).await;
    assert_eq!(act(&plane, &viktor, job, JobAction::MarkDone, WHY).await, JobAnswer::Done);
    plane.until(job, JobState::Succeeded).await;
}

/// What was done before the job failed again is no answer to what is asked for now.
async fn an_older_hand_is_not_taken_for_this_one(database: Database) {
    let mut plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let olga = plane.viewer("olga@test", Role::Support).await;
    let viktor = plane.viewer("viktor@test", Role::Admin).await;
    let job = plane.order_that_fails(&anna, "vdcComposeVapp").await;
    assert_eq!(act(&plane, &olga, job, JobAction::Rerun, WHY).await, JobAnswer::Done);
    plane.until(job, JobState::Failed).await;
    plane.stop_worker().await;
    assert_eq!(act(&plane, &viktor, job, JobAction::MarkDone, WHY).await, JobAnswer::Done);
    let waiting = plane.job(job).await;
    assert!(waiting.state.is_waiting());
    // It goes on because Viktor said so: Olga's own, from before, is over.
    let rerun = act(&plane, &olga, job, JobAction::Rerun, WHY).await;
    assert!(matches!(rerun, JobAnswer::Already { ref by, .. } if *by == "viktor"), "{rerun:?}");
    let stopped = act(&plane, &viktor, job, JobAction::RollBack, WHY).await;
    assert_eq!(stopped, JobAnswer::Denied(Denial::JobWaiting), "nobody has taken it back");
    let second = act(&plane, &viktor, job, JobAction::MarkDone, WHY).await;
    assert!(matches!(second, JobAnswer::Already { ref by, .. } if *by == "viktor"), "{second:?}");

    plane.start_worker();
    let other = plane.order_that_fails(&anna, "vdcRecomposeVapp").await;
    assert_eq!(act(&plane, &olga, other, JobAction::Rerun, WHY).await, JobAnswer::Done);
    plane.until(other, JobState::Failed).await;
    plane.stop_worker().await;
    assert_eq!(act(&plane, &viktor, other, JobAction::RollBack, WHY).await, JobAnswer::Done);
    // What Olga did is over: it waits to be taken back, and not because of her.
    assert_eq!(act(&plane, &olga, other, JobAction::Rerun, WHY).await, JobAnswer::Denied(Denial::JobWaiting));
}

/// One that runs is asked to stop, once, and the button says so.
async fn what_runs_is_asked_to_stop_once(database: Database) {
    let plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let olga = plane.viewer("olga@test", Role::Support).await;
    let viktor = plane.viewer("viktor@test", Role::Admin).await;
    plane.fault("task vdcComposeVapp", json!({"kind": "stuck", "percent": 40})).await;
    let job = plane.order(&anna).await;
    plane.until(job, JobState::Running).await;
    assert_eq!(act(&plane, &olga, job, JobAction::Stop, WHY).await, JobAnswer::Done);
    let row = plane.job(job).await;
    let choices = plane.facade.job_choices(&viktor, &row).await.unwrap().unwrap();
    assert_eq!(choices.can(JobAction::Stop), Err(Denial::BeingStopped));
    let second = act(&plane, &viktor, job, JobAction::Stop, WHY).await;
    assert!(matches!(second, JobAnswer::Already { ref by, .. } if *by == "olga"), "{second:?}");
}

async fn what_waits_is_stopped_and_what_is_newer_is_known(database: Database) {
    let mut plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let olga = plane.viewer("olga@test", Role::Support).await;
    let create = plane.order(&anna).await;
    let server = plane.until(create, JobState::Succeeded).await.server.unwrap();
    let power = async |action: PowerAction, key: &str| match plane
        .facade
        .server_power(&anna, server, action, key, "test")
        .await
        .unwrap()
    {
        provisioning::ServerAnswer::Accepted(job) => job,
        other => panic!("{other:?}"),
    };
    let newer = async |job| {
        let facts = plane.store.jobs_facts(&[job]).await.unwrap();
        assert_eq!(facts.len(), 1);
        facts[0].1.newer
    };
    assert_eq!(newer(create).await, None);
    let reboot = power(PowerAction::Reboot, "1").await;
    let number = plane.until(reboot, JobState::Succeeded).await.number;
    assert_eq!(newer(create).await, Some((number, Kind::Power)));
    assert_eq!(newer(reboot).await, None);
    plane.stop_worker().await;
    let waiting = plane.order(&anna).await;
    assert_eq!(
        act(&plane, &olga, waiting, JobAction::Rerun, WHY).await,
        JobAnswer::Denied(Denial::JobWaiting)
    );
    assert_eq!(act(&plane, &olga, waiting, JobAction::Stop, WHY).await, JobAnswer::Done);
    assert_eq!(plane.job(waiting).await.state, JobState::Cancelled);
}

fn failing() -> serde_json::Value {
    json!({"kind": "error", "message": "asked for"})
}

async fn rerun(
    plane: &Plane,
    who: &Viewer,
    job: JobId,
    from: Option<&str>,
    inputs: serde_json::Value,
) -> JobAnswer {
    let inputs = inputs.as_object().cloned().unwrap_or_default();
    plane.facade.job_act(who, job, JobAction::Rerun, WHY, from, inputs).await.unwrap()
}

/// From an earlier step, where nothing after it would be harmed by being done once more.
async fn a_failed_job_runs_again_from_an_earlier_step(database: Database) {
    let plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let olga = plane.viewer("olga@test", Role::Support).await;
    plane.fault("task vdcComposeVapp", failing()).await;
    let job = plane.order(&anna).await;
    let before = plane.until(job, JobState::Failed).await;
    let attempts =
        |job: &provisioning::Job, key: &str| job.steps.iter().find(|s| s.key == key).unwrap().attempt;
    assert_eq!(
        rerun(&plane, &olga, job, Some("ready"), json!({})).await,
        JobAnswer::Denied(Denial::StepNotAgain)
    );
    assert_eq!(rerun(&plane, &olga, job, Some("network_create"), json!({})).await, JobAnswer::Done);
    let after = plane.until(job, JobState::Succeeded).await;
    assert_eq!(attempts(&after, "network_create"), attempts(&before, "network_create") + 1);
    assert_eq!(attempts(&after, "edge_claim"), attempts(&before, "edge_claim"), "what comes before is kept");
    let census = plane.sim.census();
    assert_eq!((census.networks.len(), census.vms.len(), census.edges_doubled), (1, 1, 0));

    plane.fault("task vappDeploy", failing()).await;
    let job = plane.order(&anna).await;
    let failed = plane.until(job, JobState::Failed).await;
    let choices = plane.facade.job_choices(&olga, &failed).await.unwrap().unwrap();
    let way = |key: &str| choices.earlier.iter().find(|e| e.key == key).unwrap().in_the_way.clone();
    assert_eq!(way("machine_create").as_deref(), Some("guest_customize"), "it may have been set up already");
    let denied = rerun(&plane, &olga, job, Some("machine_create"), json!({})).await;
    assert_eq!(denied, JobAnswer::Denied(Denial::StepNotAgain));
    assert_eq!(plane.job(job).await.state, JobState::Failed);
}

/// A network that cannot be made on its edge is made on another; the edge stays out of the pool, and says why.
async fn a_failed_job_takes_another_edge(database: Database) {
    let plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let olga = plane.viewer("olga@test", Role::Support).await;
    plane.fault("task networkCreateOrgVdcNetwork", failing()).await;
    let job = plane.order(&anna).await;
    let server = plane.until(job, JobState::Failed).await.server.unwrap();
    let left = plane.store.edge_of(server).await.unwrap().unwrap();
    assert_eq!(rerun(&plane, &olga, job, None, json!({"other_edge": true})).await, JobAnswer::Done);
    plane.until(job, JobState::Succeeded).await;
    let now = plane.store.edge_of(server).await.unwrap().unwrap();
    assert_ne!(now.id, left.id);
    let old = plane.store.edge(left.id).await.unwrap().unwrap().edge;
    assert_eq!((old.state, old.server), (domain::state::EdgeState::Quarantined, None));
    assert!(old.held.is_some());
    let census = plane.sim.census();
    assert_eq!((census.networks.len(), census.edges_used, census.edges_doubled), (1, 1, 0));
    assert!(plane.store.fsck().await.unwrap().is_empty());
    assert_eq!(plane.store.edge_conflicts().await.unwrap(), 0);
}

/// And where no other is free it waits for one, in nobody's way.
async fn another_edge_is_waited_for(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let admin = plane.viewer("viktor@test", Role::Admin).await;
    plane.fault("task networkCreateOrgVdcNetwork", failing()).await;
    let job = plane.order(&anna).await;
    let server = plane.until(job, JobState::Failed).await.server.unwrap();
    let left = plane.store.edge_of(server).await.unwrap().unwrap();
    assert_eq!(rerun(&plane, &admin, job, None, json!({"other_edge": true})).await, JobAnswer::Done);
    plane.until(job, JobState::Parked).await;
    assert!(plane.store.fsck().await.unwrap().is_empty(), "{:?}", plane.store.fsck().await.unwrap());
    // It was mended after all.
    let back = domain::edge_action::EdgeAction::Return;
    plane.facade.edge_act(&admin, left.id, back, WHY).await.unwrap();
    // It is the one that was to be left: only its claim is new.
    plane.until_it(job, |j| j.state == JobState::Succeeded || j.state == JobState::Parked).await;
}

/// A server is made from another template, as long as it is like the one that was ordered.
async fn a_failed_job_is_made_from_another_template(database: Database) {
    let plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let olga = plane.viewer("olga@test", Role::Support).await;
    plane.fault("task vdcRecomposeVapp", failing()).await;
    let job = plane.order(&anna).await;
    let failed = plane.until(job, JobState::Failed).await;
    assert_eq!(failed.steps.iter().find(|s| s.cause.is_some()).unwrap().key, "machine_create");
    for unfit in ["windows-2022", "nothing"] {
        let refused = rerun(&plane, &olga, job, None, json!({"template": unfit})).await;
        assert!(
            matches!(refused, JobAnswer::Refused(ref e) if e[0].code == Code::TemplateUnfit),
            "{refused:?}"
        );
    }
    assert_eq!(rerun(&plane, &olga, job, None, json!({"template": "debian-12"})).await, JobAnswer::Done);
    let server = plane.until(job, JobState::Succeeded).await.server.unwrap();
    let server = plane.store.server(server).await.unwrap().unwrap();
    assert_eq!((server.template_id.as_str(), server.template_name.as_str()), ("debian-12", "Debian 12"));
    assert_eq!(plane.sim.census().vms.len(), 1);
}

testkit::on_both!(
    a_failed_job_runs_again_from_an_earlier_step,
    a_failed_job_takes_another_edge,
    another_edge_is_waited_for,
    a_failed_job_is_made_from_another_template,
    an_older_hand_is_not_taken_for_this_one,
    what_runs_is_asked_to_stop_once,
    support_runs_a_failed_job_again_once_and_says_why,
    an_administrator_takes_back_or_says_that_it_is_done,
    what_waits_is_stopped_and_what_is_newer_is_known
);
