//! The staff's list of jobs, on both databases: what is found, what is slow, who looks after it, and many run again at once.

use domain::{
    JobId,
    field::Code,
    job_action::JobAction,
    slow::Slow,
    state::{JobState, Role},
};
use provisioning::{Bulk, JobAnswer, Next, Viewer};
use serde_json::{Map, json};
use testkit::{Database, Plane};

const WHY: &str = "the platform was repaired";

async fn found(plane: &Plane, viewer: &Viewer, text: &str) -> Vec<JobId> {
    let list = plane.facade.staff_jobs(viewer, text, None, 10).await.unwrap().unwrap();
    assert_eq!(list.unknown, [] as [String; 0], "{text}");
    list.rows.iter().map(|r| r.job.id).collect()
}

/// Newest first, narrowed by whatever is asked, with the steps as far as the list shows them.
async fn jobs_are_found_by_what_is_known_of_them(database: Database) {
    let plane = Plane::start_on(database, 4).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let boris = plane.viewer("boris@test", Role::Customer).await;
    let olga = plane.viewer("olga@test", Role::Support).await;
    let bad = plane.order_that_fails(&anna, "vdcComposeVapp").await;
    let good = plane.order(&boris).await;
    let server = plane.until(good, JobState::Succeeded).await.server_name.unwrap();
    let number = plane.job(bad).await.number;
    let list = plane.facade.staff_jobs(&olga, "", None, 10).await.unwrap().unwrap();
    assert_eq!(list.rows.iter().map(|r| r.job.id).collect::<Vec<_>>(), [good, bad]);
    assert_eq!((list.next, list.rows[1].customer_email.as_str()), (Next::Nothing, "anna@test"));
    for row in list.rows.iter() {
        let whole = plane.job(row.job.id).await;
        let told = |job: &provisioning::Job| -> Vec<_> {
            job.steps.iter().map(|s| (s.key.clone(), s.state, s.attempt, s.started_at)).collect()
        };
        assert!(!whole.steps.is_empty());
        assert_eq!(told(&row.job), told(&whole));
    }
    let cause = plane.job(bad).await.cause.unwrap();
    let cases: &[(&str, &[JobId])] = &[
        ("state:failed", &[bad]),
        ("state:succeeded", &[good]),
        ("state:stuck", &[]),
        ("state:running", &[]),
        ("kind:activate", &[good, bad]),
        ("kind:power", &[]),
        ("customer:anna@test", &[bad]),
        ("customer:ANNA", &[bad]),
        // Of both: no customer's own list, and found all the same.
        ("customer:@test", &[good, bad]),
        ("customer:nobody", &[]),
        ("state:failed customer:boris", &[]),
        ("state:succeeded customer:boris", &[good]),
        ("step:group_ensure", &[bad]),
        ("step:network_create", &[]),
        (&format!("error:{cause}"), &[bad]),
        ("error:\"of its own\"", &[]),
        ("since:1h", &[good, bad]),
        // Both customers' first.
        (&server, &[good, bad]),
        (&format!("{server} state:failed"), &[bad]),
        ("web-77", &[]),
        (&format!("#{number}"), &[bad]),
        (&format!("{number} state:succeeded"), &[]),
        ("is:slow", &[]),
        ("assigned:me", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(found(&plane, &olga, text).await, *expected, "{text}");
    }
    // Accepted two hours ago: too long for one, and not for three.
    plane.by_hand("UPDATE job SET created_at = created_at - 7200000 WHERE state = 'failed'").await;
    assert_eq!(found(&plane, &olga, "since:1h").await, [good]);
    assert_eq!(found(&plane, &olga, "since:3h").await, [good, bad]);
    let first = plane.facade.staff_jobs(&olga, "", None, 1).await.unwrap().unwrap();
    let Next::Page(before) = first.next else { panic!("{:?}", first.next) };
    let second = plane.facade.staff_jobs(&olga, "", Some(before), 1).await.unwrap().unwrap();
    assert_eq!((second.rows[0].job.id, second.next), (bad, Next::Nothing));
    let odd =
        plane.facade.staff_jobs(&olga, "state:broken assigned:nobody@test", None, 10).await.unwrap().unwrap();
    assert_eq!(
        (odd.rows.len(), odd.unknown),
        (2, vec!["state:broken".to_owned(), "assigned:nobody@test".into()])
    );
    assert!(plane.facade.staff_jobs(&anna, "", None, 10).await.unwrap().is_none());
    assert!(plane.facade.staff_jobs_shown(&anna, "", &[number], None).await.unwrap().is_none());
    assert!(plane.facade.staff_job_counts(&anna, 0).await.unwrap().is_none());
    let counts = plane.facade.staff_job_counts(&olga, 0).await.unwrap().unwrap();
    assert_eq!(counts.len(), JobState::ALL.len());
    let nonzero: Vec<_> = counts.into_iter().filter(|(_, n)| *n > 0).collect();
    assert_eq!(nonzero, [(JobState::Succeeded, 1), (JobState::Failed, 1)]);
    let later = plane.facade.staff_job_counts(&olga, i64::MAX).await.unwrap().unwrap();
    assert!(later.contains(&(JobState::Succeeded, 0)), "of another day");
    // What a live page shows stays on it, whatever is asked; what is newer is counted as it was asked.
    let shown = async |text: &str, above| {
        plane.facade.staff_jobs_shown(&olga, text, &[number], Some(above)).await.unwrap().unwrap()
    };
    let now = shown("state:succeeded", number).await;
    assert_eq!((now.rows.len(), now.rows[0].job.id, now.newer), (1, bad, 1));
    assert_eq!(shown("state:failed", number).await.newer, 0);
    assert_eq!(shown("", number - 1).await.newer, 2);
}

/// Whose e-mail it is comes before whoever has it as a part.
async fn an_e_mail_is_one_customer(database: Database) {
    let plane = Plane::start_on(database, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let joanna = plane.viewer("joanna@test", Role::Customer).await;
    let olga = plane.viewer("olga@test", Role::Support).await;
    let [hers, other] = [plane.order(&anna).await, plane.order(&joanna).await];
    assert_eq!(found(&plane, &olga, "customer:anna@test").await, [hers]);
    assert_eq!(found(&plane, &olga, "customer:joanna").await, [other]);
    assert_eq!(found(&plane, &olga, "customer:anna").await, [other, hers]);
}

/// What no index knows is looked for so far back, and from there on if it is asked for.
async fn how_far_has_been_looked_is_said(database: Database) {
    let plane = Plane::start_on(database, 1).await;
    let olga = plane.viewer("olga@test", Role::Support).await;
    // As things will be in twenty seconds: the two newest are not slow for as long as this takes.
    plane.store.fill_with_jobs(25_000, plane.facade.now_ms() + 20_000).await.unwrap();
    let page = async |text: &str, before| {
        let list = plane.facade.staff_jobs(&olga, text, before, 50).await.unwrap().unwrap();
        (list.rows.iter().map(|r| r.job.number).collect::<Vec<_>>(), list.next)
    };
    // The first of all.
    let (rows, next) = page("kind:migrate", None).await;
    assert_eq!((rows, next), (vec![], Next::Unseen(15_001)));
    assert_eq!(page("kind:migrate", Some(15_001)).await, (vec![], Next::Unseen(5_001)));
    assert_eq!(page("kind:migrate", Some(5_001)).await, (vec![1], Next::Nothing));
    // A full page is a page, however far there is to look.
    let (rows, next) = page("kind:power", None).await;
    assert_eq!((rows.len(), next), (50, Next::Page(rows[49])));
    // What is older than asked for need not be looked at.
    assert_eq!(page("since:1h error:nowhere", None).await, (vec![], Next::Nothing));
    // By an index, all of it at once: ten thousand and more, and none of them judged.
    assert_eq!(page("state:stuck", None).await, (vec![9], Next::Nothing));
    assert_eq!(page("state:failed", Some(9_000)).await.0.first(), Some(&8_007));
    let (rows, next) = page("state:failed", None).await;
    assert_eq!((rows.len(), rows[24], next), (25, 7, Next::Nothing));
    let counts = plane.facade.staff_job_counts(&olga, 0).await.unwrap().unwrap();
    let of = |state| counts.iter().find(|(s, _)| *s == state).unwrap().1;
    assert_eq!((of(JobState::Failed), of(JobState::Queued)), (25, 180));
    assert_eq!(of(JobState::Succeeded), provisioning::COUNTED + 1, "more are not counted");
    // Their steps took a second: what runs for half a minute and longer is slow. The two newest have not.
    let slow = plane.facade.slow_jobs(&olga).await.unwrap().unwrap();
    assert_eq!((slow.len(), of(JobState::Running)), (58, 60));
    assert!(slow.iter().all(|(_, slow)| *slow == Slow::Step));
}

async fn a_job_is_slow_by_its_step_and_by_its_worker(database: Database) {
    let mut plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let olga = plane.viewer("olga@test", Role::Support).await;
    plane.fault("task vdcComposeVapp", json!({"kind": "stuck", "percent": 40})).await;
    let job = plane.order(&anna).await;
    plane.until(job, JobState::Running).await;
    plane
        .until_it(job, |job| {
            job.steps.iter().any(|s| s.key == "group_ensure" && s.state == domain::state::StepState::Running)
        })
        .await;
    let slow = async || {
        let slow = plane.facade.slow_jobs(&olga).await.unwrap().unwrap();
        let listed = plane.facade.staff_jobs(&olga, "", None, 10).await.unwrap().unwrap();
        assert_eq!(slow, listed.slow, "what is counted is what is marked");
        assert_eq!(found(&plane, &olga, "is:slow").await.len(), slow.len());
        slow
    };
    assert_eq!(slow().await, []);
    let long_ago = "UPDATE job_step SET started_at = started_at - 3600000 WHERE key = 'group_ensure'";
    plane.by_hand(long_ago).await;
    // By hand nobody is told of it; by whatever is told all is looked up anew.
    assert!(plane.facade.job_assign(&olga, job, true).await.unwrap());
    assert_eq!(slow().await, [(job, Slow::Step)]);
    plane.stop_worker().await;
    plane.by_hand("UPDATE job SET state = 'running', claim_owner = 'gone', claim_expires_at = 1000").await;
    assert!(plane.facade.job_assign(&olga, job, false).await.unwrap());
    let slow = plane.facade.slow_jobs(&olga).await.unwrap().unwrap();
    assert_eq!(slow, [(job, Slow::Unclaimed)]);
    assert!(plane.facade.slow_jobs(&anna).await.unwrap().is_none());
}

async fn many_are_run_again_as_they_were_looked_at(database: Database) {
    let mut plane = Plane::start_on(database, 4).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let boris = plane.viewer("boris@test", Role::Customer).await;
    let vera = plane.viewer("vera@test", Role::Customer).await;
    let olga = plane.viewer("olga@test", Role::Support).await;
    let viktor = plane.viewer("viktor@test", Role::Admin).await;
    let jobs = [
        plane.order_that_fails(&anna, "vdcComposeVapp").await,
        plane.order_that_fails(&boris, "vdcComposeVapp").await,
        plane.order_that_fails(&vera, "vdcComposeVapp").await,
    ];
    let (rows, more) = plane.facade.bulk_preview(&olga, "state:failed").await.unwrap().unwrap();
    assert!(!more);
    assert_eq!(rows.iter().map(|r| r.row.job.id).collect::<Vec<_>>(), [jobs[2], jobs[1], jobs[0]]);
    assert!(rows.iter().all(|r| r.verdict().is_ok() && r.choices.kept > 0));
    let seen: Vec<_> = rows.iter().map(|r| (r.row.job.id, r.mark)).collect();
    assert!(plane.facade.bulk_preview(&anna, "").await.unwrap().is_none());
    assert!(plane.facade.bulk_rerun(&anna, &seen, WHY).await.unwrap().is_none());
    let short = plane.facade.bulk_rerun(&olga, &seen, "because").await.unwrap().unwrap();
    assert_eq!((short.again, short.errors[0].code), (0, Code::WhyShort));

    // One is run again by somebody else, and fails once more: it is not what was looked at. One is taken back.
    let act =
        async |job, action| plane.facade.job_act(&viktor, job, action, WHY, None, Map::new()).await.unwrap();
    assert_eq!(act(jobs[0], JobAction::Rerun).await, JobAnswer::Done);
    let tries = |job: &provisioning::Job| job.steps.iter().map(|s| s.attempt).sum::<i64>();
    plane.until_it(jobs[0], |job| tries(job) > seen[2].1 && job.state == JobState::Failed).await;
    assert_eq!(act(jobs[1], JobAction::RollBack).await, JobAnswer::Done);
    plane.until(jobs[1], JobState::RolledBack).await;
    plane.stop_worker().await;
    let done = plane.facade.bulk_rerun(&olga, &seen, WHY).await.unwrap().unwrap();
    assert_eq!(done, Bulk { again: 1, changed: 2, errors: vec![] });
    assert_eq!(plane.job(jobs[0]).await.state, JobState::Failed);
    assert!(plane.job(jobs[2]).await.state.is_waiting());
    // Sent twice, and it finds nothing to do.
    let twice = plane.facade.bulk_rerun(&olga, &seen, WHY).await.unwrap().unwrap();
    assert_eq!((twice.again, twice.changed), (0, 3));
    // One that was never shown, or is not there.
    let other = [(jobs[0], seen[2].1 + 7), (JobId::from(uuid::Uuid::now_v7()), 1)];
    let none = plane.facade.bulk_rerun(&olga, &other, WHY).await.unwrap().unwrap();
    assert_eq!((none.again, none.changed), (0, 2));
}

/// Something newer has changed the server of one: running that one again would undo it.
async fn of_many_what_is_newer_is_not_overwritten(database: Database) {
    let mut plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let vera = plane.viewer("vera@test", Role::Customer).await;
    let olga = plane.viewer("olga@test", Role::Support).await;
    plane.order_that_fails(&anna, "vdcComposeVapp").await;
    let hers = plane.order_that_fails(&vera, "vdcComposeVapp").await;
    plane.stop_worker().await;
    let (rows, _) = plane.facade.bulk_preview(&olga, "customer:vera").await.unwrap().unwrap();
    assert!(rows[0].verdict().is_ok());
    plane
        .by_hand(
            "UPDATE job SET seq = 100, server_id = (SELECT server_id FROM job AS other JOIN account
               ON account.id = other.context_id WHERE account.email = 'vera@test')
             WHERE context_id = (SELECT id FROM account WHERE email = 'anna@test')",
        )
        .await;
    let (now, _) = plane.facade.bulk_preview(&olga, "customer:vera").await.unwrap().unwrap();
    assert_eq!(now[0].verdict(), Err(domain::permission::Denial::NewerChange));
    let done = plane.facade.bulk_rerun(&olga, &[(hers, rows[0].mark)], WHY).await.unwrap().unwrap();
    assert_eq!((done.again, done.changed), (0, 1));
    assert_eq!(plane.job(hers).await.state, JobState::Failed);
}

async fn a_job_is_looked_after_and_written_about(database: Database) {
    let plane = Plane::start_on(database, 3).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let olga = plane.viewer("olga@test", Role::Support).await;
    let viktor = plane.viewer("viktor@test", Role::Admin).await;
    let job = plane.order_that_fails(&anna, "vdcComposeVapp").await;
    assert!(!plane.facade.job_assign(&anna, job, true).await.unwrap());
    assert!(plane.facade.job_assign(&olga, job, true).await.unwrap());
    // Taken twice is taken once.
    assert!(plane.facade.job_assign(&olga, job, true).await.unwrap());
    assert_eq!(found(&plane, &olga, "assigned:me").await, [job]);
    assert_eq!(found(&plane, &viktor, "assigned:olga@test state:failed").await, [job]);
    assert_eq!(found(&plane, &viktor, "assigned:me").await, []);
    assert_eq!(found(&plane, &viktor, "customer:anna assigned:me").await, []);
    let number = plane.job(job).await.number;
    assert_eq!(found(&plane, &viktor, &format!("#{number} assigned:me")).await, []);
    assert_eq!(found(&plane, &olga, &format!("#{number} assigned:me")).await, [job]);
    let view = plane.facade.staff_job(&viktor, job).await.unwrap().unwrap();
    assert_eq!(view.assignee.map(|a| a.email).as_deref(), Some("olga@test"));
    assert!(plane.facade.job_assign(&viktor, job, true).await.unwrap());
    assert!(plane.facade.job_assign(&viktor, job, false).await.unwrap());
    assert_eq!(found(&plane, &viktor, "assigned:me").await, []);

    assert_eq!(plane.facade.job_note(&anna, job, "mine").await.unwrap(), JobAnswer::Gone);
    let empty = plane.facade.job_note(&olga, job, " \n ").await.unwrap();
    assert!(matches!(empty, JobAnswer::Refused(ref e) if e[0].code == Code::NoteEmpty), "{empty:?}");
    let long = plane.facade.job_note(&olga, job, &"é".repeat(provisioning::NOTE_MAX + 1)).await.unwrap();
    assert!(matches!(long, JobAnswer::Refused(ref e) if e[0].code == Code::NoteLong), "{long:?}");
    let text = "called the customer: they will\nwait until noon";
    let sent = text.replace('\n', "\r\n");
    assert_eq!(plane.facade.job_note(&olga, job, &sent).await.unwrap(), JobAnswer::Done);
    assert_eq!(
        plane.facade.job_note(&olga, JobId::from(uuid::Uuid::now_v7()), text).await.unwrap(),
        JobAnswer::Gone
    );
    let view = plane.facade.staff_job(&viktor, job).await.unwrap().unwrap();
    let hands: Vec<_> = view.hands.iter().map(|h| (h.by.as_str(), h.why.as_str())).collect();
    assert_eq!(hands, [("olga", "olga"), ("viktor", "viktor"), ("viktor", ""), ("olga", text)]);
}

testkit::on_both!(
    jobs_are_found_by_what_is_known_of_them,
    an_e_mail_is_one_customer,
    how_far_has_been_looked_is_said,
    a_job_is_slow_by_its_step_and_by_its_worker,
    many_are_run_again_as_they_were_looked_at,
    of_many_what_is_newer_is_not_overwritten,
    a_job_is_looked_after_and_written_about
);
