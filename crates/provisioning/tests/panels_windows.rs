//! Panels on Windows, as far as WinRM can tell: against an endpoint that records what it is told, and answers.

use std::{path::PathBuf, time::Duration};

use crate::panel_site::ansible;
use domain::catalogue::Family;
use provisioning::{
    Roads,
    ansible::{Ansible, Door, Play, PlayEnd, PlayEvent, panel_tasks},
    demo_catalogue,
    panels::values_of,
    provider::{GuestWay, PanelSpec},
};
use secrecy::SecretString;

/// A Windows server as WinRM shows it; what it is told is recorded.
struct Windows {
    folder: tempfile::TempDir,
    _process: tokio::process::Child,
    port: u16,
    ansible: Ansible,
}

const WINDOWS_PASSWORD: &str = "Vq7-tRn2xLp9aA1-";

impl Windows {
    async fn start(system: &str) -> Self {
        let ansible = ansible().await;
        let folder = tempfile::tempdir().unwrap();
        let python = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("ansible/bin/python");
        let process = tokio::process::Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/winrm/endpoint.py"))
            .arg(folder.path())
            .args(["slipway-job", WINDOWS_PASSWORD, system])
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let file = folder.path().join("port");
        for _ in 0..200 {
            if file.exists() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let port = std::fs::read_to_string(file).unwrap().parse().unwrap();
        Self { folder, _process: process, port, ansible }
    }

    async fn play(&self, playbook: &str, password: &str, on: impl FnMut(&PlayEvent)) -> PlayEnd {
        let catalogue = demo_catalogue().unwrap();
        let plesk = catalogue.panel("plesk").unwrap();
        let (installer, arguments) = plesk.installer_on(Family::Windows);
        let mut values = values_of(&PanelSpec {
            id: plesk.id.clone(),
            installer: installer.clone(),
            arguments: arguments.clone(),
            port: plesk.port,
            systems: plesk.systems(&catalogue).map(|t| t.name.clone()).collect(),
            needs_domain: false,
            usual: Duration::from_secs(60),
            deadline: Duration::from_secs(60),
        });
        values.insert("panel_poll_seconds".into(), 1.into());
        values.insert("login".into(), "slipway-job".into());
        let password = SecretString::from(password);
        let play = Play {
            playbook,
            address: "127.0.0.1",
            door: Door::WinRm { login: "slipway-job", password: &password, port: self.port },
            values: &values,
            deadline: Duration::from_secs(120),
            waits: true,
        };
        self.ansible.run(play, on).await
    }

    async fn installs(&self) -> PlayEnd {
        self.play("panel-windows.yml", WINDOWS_PASSWORD, |_| {}).await
    }

    /// Everything that it was told to run.
    fn scripts(&self) -> Vec<String> {
        let all = std::fs::read_to_string(self.folder.path().join("scripts")).unwrap_or_default();
        all.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn plesk_is_installed_on_windows_as_far_as_winrm_can_tell() {
    for system in ["Windows Server 2019", "Windows Server 2022"] {
        let windows = Windows::start(system).await;
        let mut tasks = 0;
        let first = windows.play("panel-windows.yml", WINDOWS_PASSWORD, |event| {
            tasks += u32::from(matches!(event, PlayEvent::Task { .. }));
        });
        let first = first.await;
        assert!(matches!(first, PlayEnd::Done { changed: 1.. }), "{system}: {first:?}");
        assert_eq!(tasks, panel_tasks(Family::Windows, "plesk"));
        let scripts = windows.scripts();
        let fetched = scripts.iter().find(|s| s.contains("Invoke-WebRequest")).expect("nothing was fetched");
        assert!(fetched.contains("-Uri 'https://installer-win.plesk.com/plesk-installer.exe'"), "{fetched}");
        let started = scripts.iter().find(|s| s.contains("Start-Process")).expect("nothing was started");
        let told =
            "@('--select-product-id=panel', '--select-release-latest', '--installation-type=Recommended')";
        assert!(started.contains(told), "{started}");
        assert_eq!(windows.installs().await, PlayEnd::Done { changed: 0 }, "{system}");
        let starts = windows.scripts().iter().filter(|s| s.contains("Start-Process")).count();
        assert_eq!(starts, 1, "the second run installed again");
        let left = windows.play("leave-windows.yml", WINDOWS_PASSWORD, |_| {}).await;
        assert!(matches!(left, PlayEnd::Done { changed: 1.. }), "{left:?}");
        for script in windows.scripts() {
            assert_eq!(testkit::powershell::fault(&script), None, "{script}");
        }
        let last = windows.scripts().pop().unwrap();
        assert!(last.contains("Remove-LocalUser -Name 'slipway-job'"), "{last}");
        assert!(!windows.scripts().concat().contains(WINDOWS_PASSWORD), "the password is in a script");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_on_windows_is_told() {
    let windows = Windows::start("Windows Server 2022").await;
    std::fs::write(windows.folder.path().join("fail-once"), "").unwrap();
    let PlayEnd::Failed(task) = windows.installs().await else { panic!("it did not fail") };
    assert_eq!(task.name, "install: running the installer");
    assert!(task.lines.iter().any(|l| l == "no room left"), "{task:?}");
    assert!(matches!(windows.installs().await, PlayEnd::Done { changed: 1.. }));
    let other = windows.play("panel-windows.yml", "another password", |_| {}).await;
    assert!(matches!(&other, PlayEnd::Unreachable(why) if why.contains("rejected")), "{other:?}");
    let old = Windows::start("Windows Server 2016").await;
    let PlayEnd::Failed(task) = old.installs().await else { panic!("it is not refused") };
    assert!(task.message.contains("plesk does not run on Microsoft Windows Server 2016"), "{task:?}");
    assert!(!old.scripts().iter().any(|s| s.contains("Start-Process")));
}

/// The way out takes the door with it. A server that is there and has no door has been left; one that is not there may not have been.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_our_door_has_been_left() {
    let roads = Roads::Network(Some(ansible().await));
    let password = SecretString::from(WINDOWS_PASSWORD);
    let leaves = async |address: &str| {
        let way = GuestWay {
            family: Family::Windows,
            address,
            login: "slipway-job",
            private: &password,
            public: "",
        };
        roads.leave(uuid::Uuid::nil(), &way, Duration::from_secs(60)).await
    };
    // Nobody listens for WinRM at either; at one of them the screen is there.
    let _screen = tokio::net::TcpListener::bind("127.66.0.5:3389").await.unwrap();
    assert_eq!(leaves("127.66.0.5").await, PlayEnd::Done { changed: 0 });
    let end = leaves("127.66.0.6").await;
    assert!(matches!(end, PlayEnd::Unreachable(_)), "{end:?}");
}
