//! A guest to sign in to, in a second: a network namespace, an overlay of this machine's own files, and a real sshd.
//!
//! No hypervisor and no kernel of its own: what a guest runs at first boot runs here for real, changes land in the overlay,
//! and this machine stays as it is. It takes root.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use tempfile::TempDir;

const HOW: &str = "guests take root, and: apt install openssh-server openssh-client iproute2 sudo";

/// Which system a guest says it is.
#[derive(Clone, Copy, Debug)]
pub struct Os {
    pub id: &'static str,
    pub version: &'static str,
    pub name: &'static str,
    /// What stands in `/etc/redhat-release` there.
    pub release: Option<&'static str>,
}

pub const DEBIAN: Os = Os { id: "debian", version: "12", name: "Debian GNU/Linux", release: None };

/// Every Linux that is offered, as it names itself.
pub const LINUX: [Os; 7] = [
    Os {
        id: "almalinux",
        version: "8.10",
        name: "AlmaLinux",
        release: Some("AlmaLinux release 8.10 (Cerulean Leopard)"),
    },
    Os {
        id: "almalinux",
        version: "9.5",
        name: "AlmaLinux",
        release: Some("AlmaLinux release 9.5 (Teal Serval)"),
    },
    Os {
        id: "centos",
        version: "7",
        name: "CentOS Linux",
        release: Some("CentOS Linux release 7.9.2009 (Core)"),
    },
    DEBIAN,
    Os { id: "ubuntu", version: "20.04", name: "Ubuntu", release: None },
    Os { id: "ubuntu", version: "22.04", name: "Ubuntu", release: None },
    Os { id: "ubuntu", version: "24.04", name: "Ubuntu", release: None },
];

/// It is gone when this is dropped.
pub struct Guest {
    dir: TempDir,
    namespace: String,
    /// Its first process; everything in it ends with it.
    init: Child,
    pub address: String,
    pub gateway: String,
}

static NEXT: AtomicU32 = AtomicU32::new(0);

impl Guest {
    /// Starts a guest that nobody can sign in to yet.
    ///
    /// # Panics
    /// Where something is missing that it takes, saying how to get it.
    pub fn start(os: Os) -> Self {
        let n = claim();
        let (a, b) = (n / 64 % 256, n % 64 * 4);
        let (gateway, address) = (
            format!("10.{}.{a}.{}", 90 + n / 16_384, b + 1),
            format!("10.{}.{a}.{}", 90 + n / 16_384, b + 2),
        );
        let (namespace, card) = (format!("guest{n}"), format!("g{n}"));
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().display().to_string();
        run(&format!(
            "set -e; mount -t tmpfs guest {at}; mkdir {at}/up {at}/work {at}/root
             mount -t overlay overlay -o lowerdir=/,upperdir={at}/up,workdir={at}/work {at}/root
             ip link add {card} type veth peer name eth0 netns {namespace}
             ip addr add {gateway}/30 dev {card}; ip link set {card} up
             ip -n {namespace} link set lo up; ip -n {namespace} link set eth0 up
             ip -n {namespace} addr add {address}/30 dev eth0; ip -n {namespace} route add default via {gateway}"
        ));
        let root = dir.path().join("root");
        let release = format!(
            "NAME=\"{0}\"\nID={1}\nVERSION_ID=\"{2}\"\nPRETTY_NAME=\"{0} {2}\"\n",
            os.name, os.id, os.version
        );
        fs::remove_file(root.join("etc/os-release")).ok();
        fs::write(root.join("etc/os-release"), release).unwrap();
        if let Some(release) = os.release {
            fs::write(root.join("etc/redhat-release"), format!("{release}\n")).unwrap();
        }
        if os.id != "debian" {
            fs::remove_file(root.join("etc/debian_version")).ok();
        }
        fs::write(root.join("etc/hostname"), "template\n").unwrap();
        fs::remove_file(root.join("etc/resolv.conf")).ok();
        fs::write(root.join("etc/resolv.conf"), "").unwrap();
        fs::remove_dir_all(root.join("root/.ssh")).ok();
        fs::write(
            root.join("etc/ssh/sshd_config"),
            "PermitRootLogin no\nPasswordAuthentication no\nUsePAM no\n",
        )
        .unwrap();
        // Its files are its own; what is mounted here does not show there.
        let init = "mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t tmpfs run /run
                    mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts; mount --bind /dev/pts/ptmx /dev/ptmx
                    mkdir -p /run/sshd /var/lib/slipway; hostname template; ssh-keygen -q -A
                    exec /usr/sbin/sshd -D -E /var/log/sshd.log";
        run(&format!(
            "mount -t tmpfs dev {at}/root/dev; for d in null zero full random urandom tty; do cp -a /dev/$d {at}/root/dev/; done; mkdir {at}/root/dev/pts; : >{at}/root/dev/ptmx; ln -s /proc/self/fd {at}/root/dev/fd"
        ));
        let init = Command::new("ip")
            .args([
                "netns",
                "exec",
                &namespace,
                "unshare",
                "--uts",
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
            ])
            .arg("chroot")
            .arg(&root)
            .args(["/bin/sh", "-c", init])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("ip: {e}; {HOW}"));
        let guest = Self { dir, namespace, init, address, gateway };
        guest.answers();
        guest
    }

    /// Waits until sshd answers.
    fn answers(&self) {
        let started = Instant::now();
        while std::net::TcpStream::connect((self.address.as_str(), 22)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(20), "the guest does not answer; {HOW}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends its sshd, and with it everything inside.
    pub fn falls_silent(&self) {
        self.inside("kill $(cat /run/sshd.pid)");
        let started = Instant::now();
        while std::net::TcpStream::connect((self.address.as_str(), 22)).is_ok() {
            assert!(started.elapsed() < Duration::from_secs(20), "the guest still answers");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Its root, as this machine sees it.
    pub fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    /// Runs a command line inside, as root.
    pub fn inside(&self, command: &str) -> Output {
        let sshd = self.sshd();
        let mut nsenter = Command::new("nsenter");
        nsenter.args([
            "--target", &sshd, "--uts", "--net", "--mount", "--pid", "--root", "--wd=/", "/bin/sh", "-c",
            command,
        ]);
        nsenter.output().unwrap()
    }

    /// The same, and it has to end well. Returns what it said.
    pub fn does(&self, command: &str) -> String {
        let done = self.inside(command);
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success(), "{command}: {said}{}", String::from_utf8_lossy(&done.stderr));
        said
    }

    /// The process that is the first one inside, by its number out here.
    fn sshd(&self) -> String {
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.init.id())).unwrap();
        children.split_whitespace().next().unwrap().to_owned()
    }

    /// Signs in with the client everybody uses, and runs this. `Err` is what was said instead.
    pub fn signs_in(&self, login: &str, with: &With, command: &str) -> Result<String, String> {
        let secrets = tempfile::tempdir().unwrap();
        let mut ssh = Command::new("ssh");
        ssh.args([
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "LogLevel=ERROR",
        ]);
        ssh.args(["-o", "NumberOfPasswordPrompts=1", "-o", "ConnectTimeout=10", "-o", "IdentityAgent=none"]);
        match with {
            With::Password(password) => {
                let asked = secrets.path().join("asked");
                fs::write(secrets.path().join("password"), password).unwrap();
                fs::write(&asked, format!("#!/bin/sh\ncat '{}/password'\n", secrets.path().display()))
                    .unwrap();
                run(&format!("chmod 0700 {}", asked.display()));
                ssh.args(["-o", "PreferredAuthentications=password"]);
                ssh.env("SSH_ASKPASS", asked).env("SSH_ASKPASS_REQUIRE", "force");
            }
            With::Key(file) => {
                ssh.args(["-o", "PreferredAuthentications=publickey", "-o", "IdentitiesOnly=yes", "-i"])
                    .arg(file);
            }
        }
        ssh.arg(format!("{login}@{}", self.address)).arg(command).stdin(Stdio::null());
        let done = ssh.output().unwrap_or_else(|e| panic!("ssh: {e}; {HOW}"));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if done.status.success() { Ok(text(&done.stdout)) } else { Err(text(&done.stderr)) }
    }

    /// Runs a script inside from a file, as the platform's tools do.
    pub fn customized_by(&self, script: &str) -> Output {
        fs::write(self.root().join("customize.sh"), script).unwrap();
        let done = self.inside("sh /customize.sh precustomization && sh /customize.sh postcustomization");
        // It has been told to read its settings anew, and does not listen for a moment.
        std::thread::sleep(Duration::from_millis(50));
        self.answers();
        done
    }

    /// What its tools say it is to be: the properties that a machine comes with.
    pub fn is_to_be(&self, properties: &[(&str, &str)]) {
        let property =
            |(key, value): &(&str, &str)| format!("<Property oe:key=\"{key}\" oe:value=\"{value}\"/>");
        let all: String = properties.iter().map(property).collect();
        let said = format!(
            "<?xml version=\"1.0\"?><Environment><PropertySection>{all}</PropertySection></Environment>"
        );
        fs::write(self.root().join("etc/ovf-environment"), said).unwrap();
        let tool = "#!/bin/sh\n[ \"$1\" = 'info-get guestinfo.ovfEnv' ] && cat /etc/ovf-environment\n";
        let path = self.root().join("usr/bin/vmware-rpctool");
        fs::File::create(&path).unwrap().write_all(tool.as_bytes()).unwrap();
        run(&format!("chmod 0755 {}", path.display()));
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.init.kill();
        let _ = self.init.wait();
        let at = self.dir.path().display();
        let gone = format!("ip netns del {0}; umount -R -l {at}/root; umount -l {at}", self.namespace);
        let _ = Command::new("sh").arg("-c").arg(gone).stderr(Stdio::null()).status();
    }
}

/// What somebody signs in with.
pub enum With<'a> {
    Password(&'a str),
    /// The file of a private key.
    Key(&'a Path),
}

/// A namespace that nobody else has, and with it a name and a block of addresses: other tests, and other processes, make guests too.
fn claim() -> u32 {
    let first = std::process::id().wrapping_mul(16).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
    for n in (0..256).map(|more| first.wrapping_add(more) % 65_536) {
        let made = Command::new("ip").args(["netns", "add", &format!("guest{n}")]).output();
        match made.unwrap_or_else(|e| panic!("ip: {e}; {HOW}")) {
            made if made.status.success() => return n,
            made if String::from_utf8_lossy(&made.stderr).contains("File exists") => {}
            made => panic!("{}; {HOW}", String::from_utf8_lossy(&made.stderr)),
        }
    }
    panic!("256 guests are there already: ip netns list")
}

fn run(script: &str) {
    let done = Command::new("sh").arg("-c").arg(script).output().unwrap();
    assert!(done.status.success(), "{script}: {}; {HOW}", String::from_utf8_lossy(&done.stderr));
}

/// Makes a key. Returns the file of the private one, and the public one as it is given to a server.
pub fn key(dir: &Path, name: &str) -> (PathBuf, String) {
    let file = dir.join(name);
    run(&format!("ssh-keygen -q -t ed25519 -N '' -C {name} -f {}", file.display()));
    let public = fs::read_to_string(file.with_extension("pub")).unwrap();
    (file, public.trim().to_owned())
}
