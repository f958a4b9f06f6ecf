//! Who an AlmaLinux says it is: what the platform wants, its own while a panel is being installed, and the platform's again wherever
//! any of it was killed.

use crate::panel_site::{Site, disguise, identity, panel};
use provisioning::ansible::PlayEnd;
use testkit::guest::{Guest, LINUX};

const PROGRAM: &str = "/usr/local/sbin/slipway-identity";

fn almalinux() -> Guest {
    let guest = Guest::start(LINUX[0]);
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../../automation/guest/slipway-identity");
    std::fs::copy(shipped, guest.root().join(&PROGRAM[1..])).unwrap();
    guest
}

/// Runs it, killed before its command number `at`. Returns whether it was killed.
fn dies(guest: &Guest, at: u32, arguments: &str) -> bool {
    let killed = format!(
        "bash -c 'n=0; trap \"n=\\$((n + 1)); [ \\$n != {at} ] || kill -9 \\$\\$\" DEBUG; set -T
                  . {PROGRAM}' x {arguments}"
    );
    !guest.inside(&killed).status.success()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disguised_system_is_itself_only_while_the_installer_runs() {
    let (site, cpanel) = (Site::new(LINUX[0], "web-01.example.com").await, panel("cpanel"));
    disguise(&site.guest);
    let resting = identity(&site.guest);
    assert!(resting.contains("CentOS"));
    site.guest.does("touch /root/fail-once");
    assert!(matches!(site.run(&cpanel, |_| {}).await, PlayEnd::Failed(_)), "it fails half-way");
    assert_eq!(identity(&site.guest), resting);
    assert!(matches!(site.run(&cpanel, |_| {}).await, PlayEnd::Done { .. }));
    assert_eq!(identity(&site.guest), resting);
    assert_eq!(site.runs(), "begun begun installed ");
}

/// Killed before each of its commands, the next round finds the system in the identity that it rests in.
#[test]
fn a_borrowed_identity_is_given_back_wherever_its_borrower_dies() {
    let guest = almalinux();
    disguise(&guest);
    let resting = identity(&guest);
    let own = guest.does("cat /var/lib/slipway/identity/own/os-release");
    let lent = || guest.does(&format!("{PROGRAM} with cat /etc/os-release"));
    assert_eq!(lent(), own);
    assert_eq!(identity(&guest), resting);
    let mut at = 1;
    while dies(&guest, at, "with cat /etc/os-release") {
        guest.does(&format!("{PROGRAM} rest"));
        assert_eq!(identity(&guest), resting, "killed before command {at}");
        assert_eq!(guest.does(&format!("{PROGRAM} which")), "resting\n");
        assert_eq!(lent(), own, "after {at}");
        at += 1;
    }
    assert!(at > 30, "only {at} deaths");
    // While somebody is using it, it is left alone.
    guest.does(&format!(
        "{PROGRAM} with sleep 1 & sleep 0.3; {PROGRAM} rest
         test $({PROGRAM} which) = lent; wait"
    ));
    assert_eq!(identity(&guest), resting);
}

/// Both settings, from either; killed before each of its commands, the next round ends as one of both.
#[test]
fn what_a_system_rests_as_is_the_platforms_setting() {
    let guest = almalinux();
    let own = identity(&guest);
    let rests = |which: &str| {
        guest.does(&format!("{PROGRAM} rests {which}"));
        identity(&guest)
    };
    assert_eq!(rests("own"), own, "it was touched");
    guest.does("test ! -e /var/lib/slipway/identity/own");
    let centos = rests("centos");
    assert!(centos.contains("ID=\"centos\"") && centos.contains("CentOS Linux release 8"), "{centos}");
    assert!(!centos.contains("lma"), "{centos}");
    assert_eq!(guest.does(&format!("{PROGRAM} with cat /etc/os-release /etc/redhat-release")), own);
    assert_eq!(rests("centos"), centos);
    assert_eq!(rests("own"), own);
    for (from, to) in [("own", "centos"), ("centos", "own")] {
        let (before, after) = (rests(from), if to == "own" { &own } else { &centos });
        let mut at = 1;
        while dies(&guest, at, &format!("rests {to}")) {
            guest.does(&format!("{PROGRAM} rest"));
            let now = identity(&guest);
            let told = guest.does("cat /var/lib/slipway/identity/rests") == format!("{to}\n");
            assert_eq!(&now, if told { after } else { &before }, "to {to}, killed before command {at}");
            assert_eq!(rests(from), before);
            at += 1;
        }
        assert!(at > 20, "only {at} deaths");
        assert_eq!(&identity(&guest), after);
    }
}

/// First boot says it to the guest; other systems are what they are.
#[test]
fn first_boot_has_it_rest_as_the_platform_wants() {
    let setup = provisioning::provider::GuestSetup {
        family: domain::catalogue::Family::Linux,
        hostname: "web-01".into(),
        login: "root".into(),
        password: Some("Vq7-tRn2xLp9".to_owned().into()),
        ssh_keys: vec![],
        way: None,
    };
    for os in [LINUX[0], testkit::guest::DEBIAN] {
        let guest = Guest::start(os);
        let release = "cat /etc/os-release";
        let own = guest.does(release);
        for (rests_as, disguised) in
            [(provisioning::Identity::CentOs, os.id == "almalinux"), (provisioning::Identity::Own, false)]
        {
            let script = guest::first_boot(&setup, rests_as);
            let done = guest.customized_by(secrecy::ExposeSecret::expose_secret(&script));
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            let now = guest.does(release);
            assert_eq!(now.contains("ID=\"centos\""), disguised, "{now}");
            assert!(disguised || now == own, "{now}");
        }
    }
}
