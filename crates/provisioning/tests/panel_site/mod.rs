//! What the tests of panels stand on: guests that are each of the systems, stand-in installers and package managers, and Ansible as the
//! product installs it.
#![allow(dead_code, reason = "each test uses some of it")]

use std::{path::PathBuf, time::Duration};

use domain::catalogue::Family;
use provisioning::{
    ansible::{Ansible, Door, Play, PlayEnd, PlayEvent},
    demo_catalogue,
    panels::values_of,
    provider::PanelSpec,
};
use secrecy::SecretString;
use testkit::guest::{Guest, Os, key};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::OnceCell,
};

/// A panel and what it runs on, of the systems that a guest here can be, as the catalogue has it.
pub(crate) struct Panel {
    pub(crate) id: String,
    pub(crate) systems: Vec<String>,
    pub(crate) needs_domain: bool,
    pub(crate) port: u16,
    /// What its role has to install on a system that is bare.
    pub(crate) packages: &'static [&'static str],
}

pub(crate) fn panel(id: &str) -> Panel {
    let catalogue = demo_catalogue().unwrap();
    let panel = catalogue.panel(id).unwrap();
    let linux = panel.systems(&catalogue).filter(|t| t.family == Family::Linux);
    Panel {
        id: id.into(),
        systems: linux.map(|t| t.name.clone()).collect(),
        needs_domain: panel.needs_domain,
        port: panel.port,
        packages: match id {
            "cpanel" => &["perl", "curl"],
            "ispmanager" => &["wget", "gnupg"],
            _ => &["curl"],
        },
    }
}

/// Ansible as the product installs it.
pub(crate) async fn ansible() -> Ansible {
    static FOLDER: OnceCell<PathBuf> = OnceCell::const_new();
    let folder = FOLDER.get_or_init(async || {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("ansible");
        Ansible::install(&folder).await.unwrap();
        folder
    });
    Ansible::new(folder.await, 2)
}

/// Serves the stand-in installers. Returns the port.
pub(crate) async fn installers() -> u16 {
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

pub(crate) fn installer(panel: &Panel) -> String {
    let systems = panel.systems.join("|").replace(' ', "-");
    let domain = if panel.needs_domain {
        "uname -n | grep -q '\\..*\\.' || { echo no full name >&2; exit 1; }"
    } else {
        ""
    };
    let needs = match panel.id.as_str() {
        "cpanel" => "perl curl",
        "ispmanager" => "wget gpg",
        _ => "curl",
    };
    let selinux =
        if panel.id == "plesk" { "true" } else { "! grep -qs '^SELINUX=enforcing' /etc/selinux/config" };
    format!(
        "set -eu
for needed in {needs}; do command -v $needed >/dev/null || {{ echo no $needed >&2; exit 1; }}; done
{selinux} || {{ echo SELinux >&2; exit 1; }}
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

/// The package manager of a system.
pub(crate) fn manager(os: Os) -> &'static str {
    match (os.id, os.version) {
        ("debian" | "ubuntu", _) => "apt-get",
        ("centos", "7") => "yum",
        _ => "dnf",
    }
}

/// Takes away what panels want to find, sets a stand-in of the system's package manager beside, and has SELinux forbid things where
/// such systems come with it.
fn bare(os: Os) -> String {
    let selinux = match os.release {
        Some(_) => {
            "mkdir -p /etc/selinux; printf 'SELINUX=enforcing\\nSELINUXTYPE=targeted\\n' >/etc/selinux/config"
        }
        None => "",
    };
    format!(
        "rm -f /usr/bin/perl /usr/bin/wget /usr/bin/curl /usr/bin/gpg /usr/bin/apt-get; {selinux}
         cat >/usr/bin/{manager} <<'END'
#!/bin/sh
echo \"{manager} $*\" >>/root/packages
while [ $# -gt 0 ] && [ \"$1\" != install ]; do shift; done
[ $# -gt 0 ] || exit 0
shift
for package in \"$@\"; do
    case $package in -*) ;; gnupg) ln -sf /bin/true /usr/local/bin/gpg ;; *) ln -sf /bin/true /usr/local/bin/$package ;; esac
done
END
         chmod 0755 /usr/bin/{manager}",
        manager = manager(os)
    )
}

pub(crate) struct Site {
    pub(crate) guest: Guest,
    pub(crate) key: SecretString,
    pub(crate) port: u16,
    pub(crate) ansible: Ansible,
}

impl Site {
    pub(crate) async fn new(os: Os, hostname: &str) -> Self {
        let (ansible, port) = (ansible().await, installers().await);
        let dir = tempfile::tempdir().unwrap();
        let (private, public) = key(dir.path(), "job");
        let guest = tokio::task::spawn_blocking(move || Guest::start(os)).await.unwrap();
        guest.does(&bare(os));
        guest.does(&format!(
            "hostname {hostname}; mkdir -p /root/.ssh; echo '{public}' >/root/.ssh/authorized_keys
             sed -i 's/^PermitRootLogin no/PermitRootLogin prohibit-password/' /etc/ssh/sshd_config
             kill -HUP $(cat /run/sshd.pid)
             for look in $(seq 500); do
                 [ $(grep -c 'listening on 0' /var/log/sshd.log) = 2 ] && [ -s /run/sshd.pid ] && exit
                 sleep 0.02
             done
             echo sshd has not started anew; exit 1"
        ));
        Self { guest, key: std::fs::read_to_string(private).unwrap().into(), port, ansible }
    }

    pub(crate) async fn run(&self, panel: &Panel, on: impl FnMut(&PlayEvent)) -> PlayEnd {
        let mut values = values_of(&self.spec(panel));
        values.insert("panel_poll_seconds".into(), 1.into());
        values.insert("panel_answer_seconds".into(), 20.into());
        let play = Play {
            playbook: "panel.yml",
            address: &self.guest.address,
            door: Door::Ssh { login: "root", key: &self.key, python: Some("/usr/bin/python3") },
            values: &values,
            deadline: Duration::from_secs(120),
            waits: true,
        };
        self.ansible.run(play, on).await
    }

    pub(crate) fn spec(&self, panel: &Panel) -> PanelSpec {
        PanelSpec {
            id: panel.id.clone(),
            installer: format!("http://{}:{}/{}.sh", self.guest.gateway, self.port, panel.id),
            arguments: vec!["--quiet".into()],
            port: panel.port,
            systems: panel.systems.clone(),
            needs_domain: panel.needs_domain,
            usual: Duration::from_secs(60),
            deadline: Duration::from_secs(120),
        }
    }

    /// What the system's package manager was asked for.
    pub(crate) fn packages(&self) -> String {
        self.guest.does("cat /root/packages 2>/dev/null || true")
    }

    pub(crate) fn runs(&self) -> String {
        self.guest.does("cat /root/installer-runs 2>/dev/null || true").replace('\n', " ")
    }
}

pub(crate) fn named(os: Os) -> String {
    let version = if os.id == "ubuntu" { os.version } else { os.version.split('.').next().unwrap() };
    format!("{} {version}", os.name.split(' ').next().unwrap())
}

/// An AlmaLinux that has to call itself CentOS, as an older platform wants it.
pub(crate) fn disguise(guest: &Guest) {
    guest.does(
        "mkdir -p /var/lib/slipway/identity/own; cp /etc/os-release /etc/redhat-release /var/lib/slipway/identity/own/
         printf 'NAME=\"CentOS Linux\"\\nID=centos\\nVERSION_ID=\"8\"\\n' >/etc/os-release
         echo 'CentOS Linux release 8.5' >/etc/redhat-release",
    );
}

pub(crate) fn identity(guest: &Guest) -> String {
    guest.does("cat /etc/os-release /etc/redhat-release; ls -A /etc | grep slipway-new || true")
}
