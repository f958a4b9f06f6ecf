//! Panels on real guests: each on every system that it runs on, twice, cut off at each task, and failing half-way.
//!
//! The guests are namespaces of this machine that say which system they are; the installers are stand-ins that behave like
//! one: they look at the system, want a full name, take their time, can fail. What they do not do is install a panel.

use std::{path::PathBuf, time::Duration};

use domain::catalogue::Family;
use provisioning::{
    Roads,
    ansible::{Ansible, Door, Play, PlayEnd, PlayEvent, panel_tasks},
    demo_catalogue,
    panels::values_of,
    provider::{GuestSetup, GuestWay, JobWay, PanelSpec},
};
use secrecy::SecretString;
use serde_json::json;
use testkit::guest::{DEBIAN, Guest, LINUX, Os, key};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::OnceCell,
};

/// A panel and what it runs on, of the systems that a guest here can be, as the catalogue has it.
struct Panel {
    id: String,
    systems: Vec<String>,
    needs_domain: bool,
    port: u16,
}

fn panel(id: &str) -> Panel {
    let catalogue = demo_catalogue().unwrap();
    let panel = catalogue.panel(id).unwrap();
    let linux = panel.systems(&catalogue).filter(|t| t.family == Family::Linux);
    Panel {
        id: id.into(),
        systems: linux.map(|t| t.name.clone()).collect(),
        needs_domain: panel.needs_domain,
        port: panel.port,
    }
}

/// Ansible as the product installs it.
async fn ansible() -> Ansible {
    static FOLDER: OnceCell<PathBuf> = OnceCell::const_new();
    let folder = FOLDER.get_or_init(async || {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("ansible");
        Ansible::install(&folder).await.unwrap();
        folder
    });
    Ansible::new(folder.await, 2)
}

/// Serves the stand-in installers. Returns the port.
async fn installers() -> u16 {
    let server = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut asked, _)) = server.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let n = asked.read(&mut request).await.unwrap_or(0);
                let request = String::from_utf8_lossy(&request[..n]).into_owned();
                let asked_for = ["cpanel", "plesk", "ispmanager"]
                    .into_iter()
                    .find(|p| request.contains(&format!("/{p}.sh")));
                let panel = asked_for.map(panel);
                let (status, body) =
                    panel.map_or(("404 Not Found", String::new()), |p| ("200 OK", installer(&p)));
                let answer = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = asked.write_all(answer.as_bytes()).await;
            });
        }
    });
    port
}

fn installer(panel: &Panel) -> String {
    let systems = panel.systems.join("|").replace(' ', "-");
    let domain = if panel.needs_domain {
        "uname -n | grep -q '\\..*\\.' || { echo no full name >&2; exit 1; }"
    } else {
        ""
    };
    format!(
        "set -eu
. /etc/os-release
case $ID in ubuntu) major=$VERSION_ID ;; *) major=${{VERSION_ID%%.*}} ;; esac
case $ID in almalinux) name=AlmaLinux ;; centos) name=CentOS ;; debian) name=Debian ;; *) name=Ubuntu ;; esac
case $name-$major in {systems}) ;; *) echo \"$name $major is not supported\" >&2; exit 1 ;; esac
{domain}
[ \"$1\" = --quiet ] || {{ echo usage >&2; exit 2; }}
echo begun >>/root/installer-runs
sleep 0.4
[ ! -e /root/for-long ] || sleep 1000
if [ -e /root/fail-once ]; then rm /root/fail-once; echo half >/root/half; echo 'no room left' >&2; exit 1; fi
mkdir -p /usr/local/{id}
setsid python3 -m http.server {port} --directory /usr/local/{id} >/dev/null 2>&1 </dev/null &
echo 1.0 >/usr/local/{id}/version.new
mv /usr/local/{id}/version.new /usr/local/{id}/version
echo installed >>/root/installer-runs
",
        id = panel.id,
        port = panel.port
    )
}

struct Site {
    guest: Guest,
    key: SecretString,
    port: u16,
    ansible: Ansible,
}

impl Site {
    async fn new(os: Os, hostname: &str) -> Self {
        let (ansible, port) = (ansible().await, installers().await);
        let dir = tempfile::tempdir().unwrap();
        let (private, public) = key(dir.path(), "job");
        let guest = tokio::task::spawn_blocking(move || Guest::start(os)).await.unwrap();
        guest.does(&format!(
            "hostname {hostname}; mkdir -p /root/.ssh; echo '{public}' >/root/.ssh/authorized_keys
             sed -i 's/^PermitRootLogin no/PermitRootLogin prohibit-password/' /etc/ssh/sshd_config
             kill -HUP $(cat /run/sshd.pid); sleep 0.1"
        ));
        Self { guest, key: std::fs::read_to_string(private).unwrap().into(), port, ansible }
    }

    async fn run(&self, panel: &Panel, on: impl FnMut(&PlayEvent)) -> PlayEnd {
        let values = json!({
            "panel": panel.id,
            "panel_installer": format!("http://{}:{}/{}.sh", self.guest.gateway, self.port, panel.id),
            "panel_arguments": ["--quiet"],
            "panel_port": panel.port,
            "panel_systems": panel.systems,
            "panel_needs_domain": panel.needs_domain,
            "panel_seconds": 60,
            "panel_poll_seconds": 1,
            "panel_answer_seconds": 20,
        });
        let play = Play {
            playbook: "panel.yml",
            address: &self.guest.address,
            door: Door::Ssh { login: "root", key: &self.key, python: Some("/usr/bin/python3") },
            values: values.as_object().unwrap(),
            deadline: Duration::from_secs(120),
            waits: true,
        };
        self.ansible.run(play, on).await
    }

    fn runs(&self) -> String {
        self.guest.does("cat /root/installer-runs 2>/dev/null || true").replace('\n', " ")
    }
}

fn named(os: Os) -> String {
    let version = if os.id == "ubuntu" { os.version } else { os.version.split('.').next().unwrap() };
    format!("{} {version}", os.name.split(' ').next().unwrap())
}

async fn installs_on_every_system(panel: &Panel, systems: usize) {
    assert_eq!(panel.systems.len(), systems);
    for os in LINUX.into_iter().filter(|os| panel.systems.contains(&named(*os))) {
        let site = Site::new(os, "web-01.example.com").await;
        let first = site.run(panel, |_| {}).await;
        assert!(matches!(first, PlayEnd::Done { changed: 1.. }), "{} on {}: {first:?}", panel.id, named(os));
        assert_eq!(
            site.run(panel, |_| {}).await,
            PlayEnd::Done { changed: 0 },
            "{} on {}",
            panel.id,
            named(os)
        );
        assert_eq!(site.runs(), "begun installed ");
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
    assert!(tasks.len() >= 9, "{tasks:?}");
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
    site.guest.does("kill $(cat /run/sshd.pid) || true");
    let end = site.run(&panel("plesk"), |_| {}).await;
    assert!(matches!(&end, PlayEnd::Unreachable(why) if !why.is_empty()), "{end:?}");
}

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
    let script = guest::first_boot(&setup);
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

fn spec(site: &Site, panel: &Panel) -> PanelSpec {
    PanelSpec {
        id: panel.id.clone(),
        installer: format!("http://{}:{}/{}.sh", site.guest.gateway, site.port, panel.id),
        arguments: vec!["--quiet".into()],
        port: panel.port,
        systems: panel.systems.clone(),
        needs_domain: panel.needs_domain,
        usual: Duration::from_secs(60),
        deadline: Duration::from_secs(120),
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
        let end = roads.install_panel(machine, &way.opens(&site), &spec(&site, &plesk), &tell).await;
        assert!(matches!(end, PlayEnd::Done { changed: 1.. }), "{login}: {end:?}");
        let mut tasks = 0;
        while let Ok(event) = told.try_recv() {
            tasks += u32::from(matches!(event, PlayEvent::Task { .. }));
        }
        assert_eq!(tasks, panel_tasks(Family::Linux), "what is said of the progress");
        assert_eq!(site.runs(), "begun installed ");
        let left = async || roads.leave(machine, &way.opens(&site), Duration::from_secs(60)).await;
        assert!(matches!(left().await, PlayEnd::Done { changed: 1.. }), "{login}");
        assert!(
            !site.guest.does("cat /root/.ssh/* /home/*/.ssh/* 2>/dev/null || true").contains("slipway-job")
        );
        let again = roads.install_panel(machine, &way.opens(&site), &spec(&site, &plesk), &tell).await;
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
         touch /root/for-long",
    );
    let resting = identity(&site.guest);
    let (roads, plesk) = (Roads::Network(Some(site.ansible.clone())), panel("plesk"));
    let (tell, _told) = tokio::sync::mpsc::unbounded_channel();
    let sleeping = "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline 2>/dev/null | grep -x 'sleep 1000 ' || true; done";
    let spec = spec(&site, &plesk);
    let guest = way.opens(&site);
    tokio::select! {
        end = roads.install_panel(uuid::Uuid::nil(), &guest, &spec, &tell) => panic!("it ended: {end:?}"),
        () = async {
            while site.guest.does(sleeping).is_empty() {
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

/// Fifty at once: never more than there are places for, each in its turn, and all of them in the end.
#[tokio::test(flavor = "multi_thread")]
async fn fifty_at_once_are_so_many_at_once() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("bin")).unwrap();
    let program = folder.path().join("bin/ansible-playbook");
    // It takes its time, and says when it began and ended.
    let text = format!(
        "#!/bin/sh\necho + >>{0}/log\nsleep 0.1\necho - >>{0}/log\n\
         echo '{{\"event\": \"stats\", \"changed\": 0, \"failures\": 0, \"unreachable\": 0}}'\n",
        folder.path().display()
    );
    std::fs::write(&program, text).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let ansible = Ansible::new(folder.path(), 4);
    let (key, none) = (SecretString::from("no key"), serde_json::Map::new());
    let waited = std::sync::Mutex::new(std::collections::BTreeSet::new());
    let runs = (0..50).map(|_| {
        let play = Play {
            playbook: "panel.yml",
            address: "192.0.2.1",
            door: Door::Ssh { login: "root", key: &key, python: None },
            values: &none,
            deadline: Duration::from_secs(30),
            waits: true,
        };
        ansible.run(play, |event| {
            if let PlayEvent::Waits { ahead } = event {
                waited.lock().unwrap().insert(*ahead);
            }
        })
    });
    let ends = futures::future::join_all(runs).await;
    assert!(ends.iter().all(|end| *end == PlayEnd::Done { changed: 0 }), "{ends:?}");
    let (mut now, mut most) = (0, 0);
    for line in std::fs::read_to_string(folder.path().join("log")).unwrap().lines() {
        now += if line == "+" { 1 } else { -1 };
        most = most.max(now);
    }
    assert_eq!((now, most), (0, 4));
    assert_eq!(waited.into_inner().unwrap(), (0..46).collect(), "each was told its place");
}

/// With two places the third waits, and says how many come first; whoever gives up is passed over.
#[tokio::test(flavor = "multi_thread")]
async fn so_many_at_once_and_the_rest_in_order() {
    let ansible = ansible().await;
    let key = SecretString::from("no key");
    let none = serde_json::Map::new();
    let play = || Play {
        playbook: "panel.yml",
        // Nobody ever answers here.
        address: "192.0.2.1",
        door: Door::Ssh { login: "root", key: &key, python: None },
        values: &none,
        deadline: Duration::from_secs(6),
        waits: true,
    };
    let waited = std::sync::Mutex::new(vec![Vec::new(); 5]);
    let run = |n: usize| {
        let (ansible, waited) = (&ansible, &waited);
        async move {
            ansible
                .run(play(), |event| {
                    if let PlayEvent::Waits { ahead } = event {
                        waited.lock().unwrap()[n].push(*ahead);
                    }
                })
                .await
        }
    };
    let gives_up = async {
        let _ = tokio::time::timeout(Duration::from_secs(2), run(3)).await;
    };
    // In this order: two run, three wait, the second of whom gives up.
    let _ = tokio::join!(biased; run(0), run(1), run(2), gives_up, run(4));
    let waited = waited.into_inner().unwrap();
    assert!(waited[0].is_empty() && waited[1].is_empty(), "{waited:?}");
    assert_eq!(waited[2].first(), Some(&0));
    assert_eq!(waited[3].first(), Some(&1));
    // How far it comes before it is its turn is the machine's to say; it never falls back.
    assert_eq!(waited[4].first(), Some(&2));
    assert!(waited[4].is_sorted_by(|a, b| a >= b) && waited[4].last() < Some(&2), "{waited:?}");
}

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
        assert_eq!(tasks, panel_tasks(Family::Windows));
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

/// An AlmaLinux that has to call itself CentOS, as an older platform wants it.
fn disguise(guest: &Guest) {
    guest.does(
        "mkdir -p /var/lib/slipway/identity/own; cp /etc/os-release /etc/redhat-release /var/lib/slipway/identity/own/
         printf 'NAME=\"CentOS Linux\"\\nID=centos\\nVERSION_ID=\"8\"\\n' >/etc/os-release
         echo 'CentOS Linux release 8.5' >/etc/redhat-release",
    );
}

fn identity(guest: &Guest) -> String {
    guest.does("cat /etc/os-release /etc/redhat-release; ls -A /etc | grep slipway-new || true")
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
    let guest = Guest::start(LINUX[0]);
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../../automation/guest/slipway-identity");
    std::fs::copy(shipped, guest.root().join("usr/local/sbin/slipway-identity")).unwrap();
    disguise(&guest);
    let resting = identity(&guest);
    let own = guest.does("cat /var/lib/slipway/identity/own/os-release");
    assert_eq!(guest.does("/usr/local/sbin/slipway-identity with cat /etc/os-release"), own);
    assert_eq!(identity(&guest), resting);
    let mut deaths = 0;
    for at in 1.. {
        let killed = format!(
            "bash -c 'n=0; trap \"n=\\$((n + 1)); [ \\$n != {at} ] || kill -9 \\$\\$\" DEBUG; set -T
                      . /usr/local/sbin/slipway-identity' x with cat /etc/os-release"
        );
        if guest.inside(&killed).status.success() {
            break;
        }
        deaths += 1;
        guest.does("/usr/local/sbin/slipway-identity rest");
        assert_eq!(identity(&guest), resting, "killed before command {at}");
        assert_eq!(guest.does("/usr/local/sbin/slipway-identity which"), "resting\n");
        assert_eq!(
            guest.does("/usr/local/sbin/slipway-identity with cat /etc/os-release"),
            own,
            "after {at}"
        );
    }
    assert!(deaths > 30, "only {deaths} deaths");
    // While somebody is using it, it is left alone.
    guest.does(
        "PATH=$PATH:/usr/local/sbin; slipway-identity with sleep 1 & sleep 0.3; slipway-identity rest
         test $(slipway-identity which) = lent; wait",
    );
    assert_eq!(identity(&guest), resting);
}
