//! A real Linux kernel, booted in QEMU without hardware's help, from an initramfs made of this machine's own programs.
//!
//! For what needs a kernel of its own: device mapper, partition tables that are re-read, swap. A boot takes seconds. The
//! script that it runs is given; what it prints on the serial line is what comes back.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A disk of the machine, with what it is attached to.
pub enum Disk {
    /// At VMware's own controller: `sda`, `sdb` and so on, by their numbers there.
    Scsi(PathBuf),
    /// The same, with blocks of 4 kB.
    Large(PathBuf),
    Nvme(PathBuf),
}

/// What the machine is made of. Programs and modules are named as this machine names them.
#[derive(Default)]
pub struct Machine {
    pub programs: Vec<&'static str>,
    pub modules: Vec<&'static str>,
    /// Path in the machine, mode, contents.
    pub files: Vec<(String, u32, Vec<u8>)>,
    pub disks: Vec<Disk>,
    /// Run by its first process, in busybox's shell or another; the machine goes off after it.
    pub script: String,
}

/// Disks at one controller: disk `n` is target `n % 16` of host `n / 16`.
const TARGETS: usize = 16;
const HOW: &str =
    "apt install qemu-system-x86 linux-image-cloud-amd64 busybox-static lvm2 xfsprogs fdisk parted";

impl Machine {
    /// Boots it. A line "resize DISK BYTES" that it prints has that SCSI disk made so large while it runs.
    ///
    /// # Panics
    /// Where something is missing that it takes, saying how to get it.
    pub fn run(self) -> String {
        let dir = tempfile::tempdir().unwrap();
        let (kernel, version) = kernel();
        let initramfs = dir.path().join("initramfs");
        fs::write(&initramfs, self.initramfs(&version)).unwrap();
        let monitor = dir.path().join("monitor");
        let mut qemu = Command::new("qemu-system-x86_64");
        qemu.args([
            "-accel",
            "tcg",
            "-m",
            "768",
            "-nodefaults",
            "-no-reboot",
            "-display",
            "none",
            "-serial",
            "stdio",
        ]);
        qemu.arg("-kernel").arg(&kernel).arg("-initrd").arg(&initramfs);
        qemu.args(["-append", "console=ttyS0 quiet panic=-1 random.trust_cpu=on mitigations=off"]);
        qemu.arg("-qmp").arg(format!("unix:{},server=on,wait=off", monitor.display()));
        for controller in 0..self.disks.len().div_ceil(TARGETS) {
            qemu.args(["-device", &format!("pvscsi,id=scsi{controller}")]);
        }
        for (n, disk) in self.disks.iter().enumerate() {
            let (controller, target) = (n / TARGETS, n % TARGETS);
            let scsi = format!("scsi-hd,bus=scsi{controller}.0,scsi-id={target},drive=d{n}");
            let (file, device) = match disk {
                Disk::Scsi(file) => (file, scsi),
                Disk::Large(file) => (file, scsi + ",logical_block_size=4096,physical_block_size=4096"),
                Disk::Nvme(file) => (file, format!("nvme,serial=d{n},drive=d{n}")),
            };
            let file = file.display();
            qemu.arg("-drive")
                .arg(format!("if=none,id=d{n},format=raw,cache=unsafe,node-name=n{n},file={file}"));
            qemu.arg("-device").arg(device);
        }
        let mut machine = qemu
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap_or_else(|e| panic!("qemu-system-x86_64: {e}; {HOW}"));
        let mut said = String::new();
        for line in BufReader::new(machine.stdout.take().unwrap()).split(b'\n') {
            let line = String::from_utf8_lossy(&line.unwrap()).trim_end().to_owned();
            if let Some((disk, bytes)) = line.strip_prefix("resize ").and_then(|l| l.split_once(' ')) {
                resize(&monitor, disk, bytes);
            }
            said += &line;
            said.push('\n');
        }
        machine.wait().unwrap();
        said
    }

    fn initramfs(&self, version: &str) -> Vec<u8> {
        let mut archive = Archive::default();
        archive.file("/bin/busybox", 0o755, &fs::read(which("busybox")).unwrap());
        let applets = Command::new(which("busybox")).arg("--list").output().unwrap().stdout;
        // Not busybox's own shell: it takes its own tools before those that are asked for.
        archive.link("/bin/sh", "/usr/bin/dash");
        for applet in String::from_utf8_lossy(&applets).lines() {
            // The real programs come before these.
            archive.link(&format!("/bin/{applet}"), "busybox");
        }
        for program in self.programs.iter().chain(&["dash"]) {
            let path = which(program);
            archive.file(&format!("/usr/bin/{program}"), 0o755, &fs::read(&path).unwrap());
            for library in libraries(&path) {
                archive.file(&library, 0o755, &fs::read(&library).unwrap());
            }
        }
        let mut modules = String::new();
        for module in &self.modules {
            for file in dependencies(module, version) {
                let name = format!("/modules/{}", file.rsplit('/').next().unwrap());
                if archive.file(&name, 0o644, &fs::read(&file).unwrap()) {
                    modules += &format!("{name}\n");
                }
            }
        }
        archive.file("/modules/order", 0o644, modules.as_bytes());
        for (path, mode, contents) in &self.files {
            archive.file(path, *mode, contents);
        }
        archive.file("/script", 0o755, self.script.as_bytes());
        archive.file("/init", 0o755, INIT.as_bytes());
        archive.end()
    }
}

/// Brings up what every script needs and goes off at its end.
const INIT: &str = "#!/bin/busybox sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mkdir -p /proc /sys /dev /run /tmp /var/lib /etc
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
echo 1 >/proc/sys/kernel/printk
for module in $(cat /modules/order); do insmod $module; done
sleep 1
/usr/bin/dash /script 2>&1
sync
poweroff -f
";

fn kernel() -> (PathBuf, String) {
    let mut found: Vec<(PathBuf, String)> = fs::read_dir("/boot")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.strip_prefix("vmlinuz-")?.to_owned();
            Path::new("/lib/modules").join(&version).is_dir().then_some((entry.path(), version))
        })
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| panic!("no kernel to boot; {HOW}"))
}

fn which(program: &str) -> PathBuf {
    let folders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
    let mut found = folders.iter().map(|f| Path::new(f).join(program)).filter(|p| p.is_file());
    found.next().unwrap_or_else(|| panic!("{program} is not here; {HOW}"))
}

/// The libraries of a program, and what loads them; none of a script.
fn libraries(program: &Path) -> BTreeSet<String> {
    let said = Command::new("ldd").arg(program).output().unwrap().stdout;
    let said = String::from_utf8_lossy(&said).into_owned();
    said.split_whitespace()
        .filter(|w| w.starts_with('/'))
        .map(|w| w.trim_end_matches(':').to_owned())
        .collect()
}

fn dependencies(module: &str, version: &str) -> Vec<String> {
    let mut modprobe = Command::new(which("modprobe"));
    let said = modprobe.args(["--set-version", version, "--show-depends", module]).output().unwrap();
    assert!(said.status.success(), "{module}: {}", String::from_utf8_lossy(&said.stderr));
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    said.lines().filter_map(|l| l.strip_prefix("insmod ")).map(|l| l.trim().to_owned()).collect()
}

fn resize(monitor: &Path, disk: &str, bytes: &str) {
    let mut qmp = UnixStream::connect(monitor).unwrap();
    let mut answers = BufReader::new(qmp.try_clone().unwrap()).lines();
    let mut ask = |command: String| {
        writeln!(qmp, "{command}").unwrap();
        loop {
            let answer = answers.next().unwrap().unwrap();
            assert!(!answer.contains("\"error\""), "{command}: {answer}");
            if answer.contains("\"return\"") {
                return;
            }
        }
    };
    ask(r#"{"execute": "qmp_capabilities"}"#.to_owned());
    ask(format!(
        r#"{{"execute": "block_resize", "arguments": {{"node-name": "n{disk}", "size": {bytes}}}}}"#
    ));
}

/// An archive as the kernel reads it (cpio, "newc").
#[derive(Default)]
struct Archive {
    bytes: Vec<u8>,
    names: BTreeSet<String>,
    next: u32,
}

impl Archive {
    /// Returns whether it was not there yet.
    fn file(&mut self, path: &str, mode: u32, contents: &[u8]) -> bool {
        self.entry(path, 0o100_000 | mode, contents)
    }

    fn link(&mut self, path: &str, to: &str) {
        self.entry(path, 0o120_777, to.as_bytes());
    }

    fn entry(&mut self, path: &str, mode: u32, contents: &[u8]) -> bool {
        let path = path.trim_start_matches('/');
        if !self.names.insert(path.to_owned()) {
            return false;
        }
        if let Some((folder, _)) = path.rsplit_once('/') {
            self.entry(folder, 0o040_755, &[]);
        }
        self.put(path, mode, contents);
        true
    }

    fn put(&mut self, name: &str, mode: u32, contents: &[u8]) {
        self.next += 1;
        let (size, length) = (contents.len(), name.len() + 1);
        let fields = [self.next as usize, mode as usize, 0, 0, 1, 0, size, 0, 0, 0, 0, length, 0]
            .map(|f| format!("{f:08x}"));
        self.bytes.extend(format!("070701{}", fields.concat()).bytes());
        self.bytes.extend(name.bytes().chain([0]));
        self.pad();
        self.bytes.extend(contents);
        self.pad();
    }

    fn pad(&mut self) {
        while !self.bytes.len().is_multiple_of(4) {
            self.bytes.push(0);
        }
    }

    fn end(mut self) -> Vec<u8> {
        self.put("TRAILER!!!", 0, &[]);
        self.bytes
    }
}

/// A file of this machine as it is to be in the other.
pub fn copied(path: &Path, to: &str) -> (String, u32, Vec<u8>) {
    let mode = fs::metadata(path).unwrap().permissions().mode() & 0o777;
    (to.to_owned(), mode, fs::read(path).unwrap())
}
