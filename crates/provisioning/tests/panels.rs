//! Panels on real guests: each on every system that it runs on, twice, cut off at each task, and failing half-way.
//!
//! The guests are namespaces of this machine that say which system they are; the installers are stand-ins that behave like
//! one: they look at the system, want a full name, take their time, can fail. What they do not do is install a panel. The package
//! managers are stand-ins too: each writes down what it was asked for, and which they were is in the report.

// The report names the stand-ins.
#![allow(clippy::print_stdout)]

use std::time::Duration;

use crate::panel_site::{Panel, Site, manager, named, panel};
use domain::catalogue::Family;
use provisioning::ansible::{PlayEnd, PlayEvent, panel_tasks};
use testkit::guest::{DEBIAN, LINUX};

async fn installs_on_every_system(panel: &Panel, systems: usize) {
    assert_eq!(panel.systems.len(), systems);
    for os in LINUX.into_iter().filter(|os| panel.systems.contains(&named(*os))) {
        let site = Site::new(os, "web-01.example.com").await;
        let (what, mut tasks) = (format!("{} on {}", panel.id, named(os)), 0);
        let first = site.run(panel, |event| tasks += u32::from(matches!(event, PlayEvent::Task { .. })));
        let first = first.await;
        assert!(matches!(first, PlayEnd::Done { changed: 1.. }), "{what}: {first:?}");
        assert!(tasks <= panel_tasks(Family::Linux, &panel.id), "{what}: {tasks} tasks");
        let (asked, config) =
            (site.packages(), site.guest.does("cat /etc/selinux/config 2>/dev/null || true"));
        let (manager, packages) = (manager(os), panel.packages.join(" "));
        assert!(asked.lines().all(|l| l.starts_with(manager)), "{what}: {asked}");
        assert_eq!(
            asked.lines().filter(|l| l.ends_with(&format!(" install {packages}"))).count(),
            1,
            "{what}: {asked}"
        );
        let forbids = if os.release.is_some() && panel.id == "plesk" {
            "SELINUX=enforcing\nSELINUXTYPE=targeted\n"
        } else if os.release.is_some() {
            "SELINUX=permissive\nSELINUXTYPE=targeted\n"
        } else {
            ""
        };
        assert_eq!(config, forbids, "{what}");
        assert_eq!(site.run(panel, |_| {}).await, PlayEnd::Done { changed: 0 }, "{what}");
        assert_eq!((site.packages(), site.runs().as_str()), (asked, "begun installed "), "{what}");
        println!("{what}: {packages} by {manager} (a stand-in), panel by a stand-in installer");
        site.guest.does("test ! -e /root/slipway-panel");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cpanel_installs_on_every_system_that_it_runs_on() {
    installs_on_every_system(&panel("cpanel"), 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plesk_installs_on_every_system_that_it_runs_on() {
    installs_on_every_system(&panel("plesk"), 7).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ispmanager_installs_on_every_system_that_it_runs_on() {
    installs_on_every_system(&panel("ispmanager"), 7).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_before_anything_is_touched() {
    let refused = async |os, hostname: &str, panel: &Panel, why: &str| {
        let site = Site::new(os, hostname).await;
        let PlayEnd::Failed(task) = site.run(panel, |_| {}).await else { panic!("it is not refused") };
        assert!(task.name.starts_with("check: ") && task.message.contains(why), "{task:?}");
        assert_eq!(site.runs(), "");
        site.guest.does("test ! -e /root/slipway-panel");
    };
    refused(DEBIAN, "web-01.example.com", &panel("cpanel"), "cpanel does not run on Debian 12").await;
    refused(LINUX[0], "web-01", &panel("cpanel"), "needs a full name").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installer_that_fails_half_way_is_told_and_run_again() {
    let site = Site::new(DEBIAN, "web-01.example.com").await;
    site.guest.does("touch /root/fail-once");
    let PlayEnd::Failed(task) = site.run(&panel("plesk"), |_| {}).await else { panic!("it did not fail") };
    assert_eq!(task.name, "install: running the installer");
    assert!(task.lines.iter().any(|l| l == "no room left"), "{task:?}");
    let again = site.run(&panel("plesk"), |_| {}).await;
    assert!(matches!(again, PlayEnd::Done { changed: 1.. }), "{again:?}");
    assert_eq!(site.runs(), "begun begun installed ");
}

/// Whoever runs the play is killed as each task begins; the next run ends as if nothing had been.
#[tokio::test(flavor = "multi_thread")]
async fn a_play_that_is_cut_off_at_any_task_is_gone_on_with() {
    let (mut tasks, plesk) = (Vec::new(), panel("plesk"));
    let whole = Site::new(DEBIAN, "web-01.example.com").await;
    let end = whole.run(&plesk, |event| {
        if let PlayEvent::Task { name } = event {
            tasks.push(name.clone());
        }
    });
    assert!(matches!(end.await, PlayEnd::Done { .. }));
    let state = |site: &Site| {
        site.guest.does("cat /usr/local/plesk/version; ls -A /root | grep -v installer-runs || true")
    };
    let wanted = state(&whole);
    drop(whole);
    assert_eq!(tasks.len() as u32, panel_tasks(Family::Linux, "plesk"), "{tasks:?}");
    for (at, name) in tasks.iter().enumerate() {
        let site = Site::new(DEBIAN, "web-01.example.com").await;
        let (reached, mut cut) = (tokio::sync::Notify::new(), 0);
        tokio::select! {
            end = site.run(&plesk, |event| {
                if matches!(event, PlayEvent::Task { .. }) {
                    if cut == at { reached.notify_one(); }
                    cut += 1;
                }
            }) => panic!("it ended before {name}: {end:?}"),
            // A moment into it.
            () = async { reached.notified().await; tokio::time::sleep(Duration::from_millis(100)).await; } => {}
        }
        let end = site.run(&plesk, |_| {}).await;
        assert!(matches!(end, PlayEnd::Done { .. }), "cut off at {name}: {end:?}");
        assert_eq!(state(&site), wanted, "cut off at {name}");
        assert_eq!(
            site.runs(),
            "begun installed ",
            "cut off at {name}: no second installer ran beside the first"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_answer_is_named_and_nothing_is_left_behind() {
    let site = Site::new(DEBIAN, "web-01").await;
    site.guest.falls_silent();
    let end = site.run(&panel("plesk"), |_| {}).await;
    assert!(matches!(&end, PlayEnd::Unreachable(why) if !why.is_empty()), "{end:?}");
}
