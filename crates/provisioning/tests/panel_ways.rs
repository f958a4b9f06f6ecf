//! The way in of a job, on real guests: from the key that first boot places to the door that closes behind it.

use std::time::Duration;

use crate::panel_site::{Site, disguise, identity, panel};
use domain::catalogue::Family;
use provisioning::{
    Roads,
    ansible::{PlayEnd, PlayEvent, panel_tasks},
    provider::{GuestSetup, GuestWay, JobWay},
};
use secrecy::SecretString;
use testkit::guest::{DEBIAN, key};

/// A guest that was made with a key for a job of ours, as an order with a panel makes it.
async fn with_a_way(login: &str) -> (Site, Way) {
    let site = Site::new(DEBIAN, "web-01.example.com").await;
    site.guest.does("rm -f /root/.ssh/authorized_keys");
    let dir = tempfile::tempdir().unwrap();
    let (private, public) = key(dir.path(), "slipway-job");
    let private: SecretString = std::fs::read_to_string(private).unwrap().into();
    let setup = GuestSetup {
        family: Family::Linux,
        hostname: "web-01.example.com".into(),
        login: login.into(),
        password: Some("Vq7-tRn2xLp9".to_owned().into()),
        ssh_keys: vec![],
        way: Some(JobWay::Key(public.clone())),
    };
    let script = guest::first_boot(&setup, guest::Identity::Own);
    let done = site.guest.customized_by(secrecy::ExposeSecret::expose_secret(&script));
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    (site, Way { login: login.into(), public, private })
}

struct Way {
    login: String,
    public: String,
    private: SecretString,
}

impl Way {
    fn opens<'a>(&'a self, site: &'a Site) -> GuestWay<'a> {
        GuestWay {
            family: Family::Linux,
            address: &site.guest.address,
            login: &self.login,
            public: &self.public,
            private: &self.private,
        }
    }
}

/// As the job does it: in by the key of first boot, as whoever signs in there, and out without it.
#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_job_opens_the_door_until_the_job_leaves() {
    for login in ["root", "anna"] {
        let (site, way) = with_a_way(login).await;
        let (roads, plesk) = (Roads::Network(Some(site.ansible.clone())), panel("plesk"));
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let machine = uuid::Uuid::nil();
        let end = roads.install_panel(machine, &way.opens(&site), &site.spec(&plesk), &tell).await;
        assert!(matches!(end, PlayEnd::Done { changed: 1.. }), "{login}: {end:?}");
        let mut tasks = 0;
        while let Ok(event) = told.try_recv() {
            tasks += u32::from(matches!(event, PlayEvent::Task { .. }));
        }
        assert_eq!(tasks, panel_tasks(Family::Linux, "plesk"), "what is said of the progress");
        assert_eq!(site.runs(), "begun installed ");
        let left = async || roads.leave(machine, &way.opens(&site), Duration::from_secs(60)).await;
        assert!(matches!(left().await, PlayEnd::Done { changed: 1.. }), "{login}");
        assert!(
            !site.guest.does("cat /root/.ssh/* /home/*/.ssh/* 2>/dev/null || true").contains("slipway-job")
        );
        let again = roads.install_panel(machine, &way.opens(&site), &site.spec(&plesk), &tell).await;
        assert!(matches!(again, PlayEnd::Unreachable(_)), "{login}: {again:?}");
        assert_eq!(left().await, PlayEnd::Done { changed: 0 }, "who leaves twice has left");
        // Whoever ordered it still signs in.
        let with = testkit::guest::With::Password("Vq7-tRn2xLp9");
        assert_eq!(site.guest.signs_in(login, &with, "id -un").unwrap(), login);
    }
}

/// Asked to stop, nothing of the installation runs any more on the server, and it is itself again.
#[tokio::test(flavor = "multi_thread")]
async fn an_installation_that_is_stopped_runs_on_nowhere() {
    let (site, way) = with_a_way("root").await;
    disguise(&site.guest);
    site.guest.does(
        "sed -i 's/^ID=.*/ID=debian/; s/^VERSION_ID=.*/VERSION_ID=\"12\"/' /var/lib/slipway/identity/own/os-release
         echo centos >/var/lib/slipway/identity/rests; touch /root/for-long",
    );
    let resting = identity(&site.guest);
    let (roads, plesk) = (Roads::Network(Some(site.ansible.clone())), panel("plesk"));
    let (tell, _told) = tokio::sync::mpsc::unbounded_channel();
    let sleeping = "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline 2>/dev/null | grep -x 'sleep 1000 ' || true; done";
    let spec = site.spec(&plesk);
    let guest = way.opens(&site);
    tokio::select! {
        end = roads.install_panel(uuid::Uuid::nil(), &guest, &spec, &tell) => panic!("it ended: {end:?}"),
        () = async {
            let until = tokio::time::Instant::now() + Duration::from_secs(120);
            while site.guest.does(sleeping).is_empty() {
                assert!(tokio::time::Instant::now() < until, "the installer has not begun");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        } => {}
    }
    assert_ne!(identity(&site.guest), resting);
    let end = roads.leave(uuid::Uuid::nil(), &guest, Duration::from_secs(60)).await;
    assert!(matches!(end, PlayEnd::Done { changed: 1.. }), "{end:?}");
    assert_eq!(site.guest.does(sleeping), "", "it still runs");
    assert_eq!(identity(&site.guest), resting);
    assert_eq!(site.runs(), "begun ");
    site.guest.does("test ! -e /root/slipway-panel");
}
