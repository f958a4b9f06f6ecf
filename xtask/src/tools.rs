//! What the machine may lack: the wasm target, npm packages, Debian packages.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};

use crate::run::{exists, output, phase, root, run, target};

const WASM: &str = "wasm32-unknown-unknown";

/// What nothing here can be built without, asked for before anything is: minutes of compiling would be lost otherwise.
pub(crate) fn basics() -> anyhow::Result<()> {
    const OLDEST: u32 = 20;
    let node = Command::new("node").arg("--version").output().ok().filter(|o| o.status.success());
    let version = node.map(|o| String::from_utf8_lossy(&o.stdout).trim().trim_start_matches('v').to_owned());
    let major = version.as_deref().and_then(|v| v.split('.').next()?.parse::<u32>().ok());
    match (major, version) {
        (Some(major), _) if major >= OLDEST => {}
        (_, Some(version)) => bail!("Node {version} is too old: install Node {OLDEST} or newer"),
        _ => bail!("Node is missing: install Node {OLDEST} or newer (Debian: apt install nodejs npm)"),
    }
    if !exists("npm") {
        bail!("npm is missing: install it with Node (Debian: apt install npm)");
    }
    if !["cc", "gcc", "clang"].iter().any(|compiler| exists(compiler)) {
        bail!("a C compiler is missing (Debian: apt install gcc libc6-dev)");
    }
    Ok(())
}

/// Adds the wasm target where it is missing.
pub(crate) fn wasm_target() -> anyhow::Result<()> {
    let libraries = output(
        "looking for the wasm target",
        Command::new("rustc").current_dir(root()).args(["--print", "target-libdir", "--target", WASM]),
    )?;
    if Path::new(libraries.trim()).is_dir() {
        return Ok(());
    }
    if !exists("rustup") {
        bail!(
            "the target {WASM} is missing: install it with your Rust, or install rustup and run `rustup target add {WASM}`"
        );
    }
    phase("adding the wasm target", || {
        run("rustup target add", Command::new("rustup").current_dir(root()).args(["target", "add", WASM]))
    })
}

/// Installs the npm packages of a folder under `target/`, if its lock file has changed since. Returns `node_modules`.
pub(crate) fn npm(folder: &str) -> anyhow::Result<PathBuf> {
    let (from, to) = (root().join(folder), target().join("npm").join(folder.replace('/', "-")));
    let lock =
        fs::read(from.join("package-lock.json")).with_context(|| format!("{folder}/package-lock.json"))?;
    let done = to.join("installed");
    if fs::read(&done).is_ok_and(|before| before == lock) {
        return Ok(to.join("node_modules"));
    }
    phase(&format!("installing the npm packages of {folder}"), || {
        fs::create_dir_all(&to)?;
        for file in ["package.json", "package-lock.json"] {
            fs::copy(from.join(file), to.join(file))?;
        }
        let mut npm = Command::new("npm");
        npm.current_dir(&to).args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
        // The browser comes from the system.
        npm.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1").env("PUPPETEER_SKIP_DOWNLOAD", "1");
        output("npm ci", &mut npm)?;
        fs::write(&done, &lock)?;
        Ok(())
    })?;
    Ok(to.join("node_modules"))
}

/// Makes a Python environment under `target/python` with the packages of a requirements file, if that has changed since.
pub(crate) fn python(name: &str, requirements: &str) -> anyhow::Result<()> {
    let (from, to) = (root().join(requirements), target().join("python").join(name));
    let wanted = fs::read(&from).with_context(|| requirements.to_owned())?;
    let done = to.join("installed");
    if fs::read(&done).is_ok_and(|before| before == wanted) {
        return Ok(());
    }
    phase(&format!("installing the Python packages of {name}"), || {
        fs::create_dir_all(&to)?;
        output("python3 -m venv", Command::new("python3").args(["-m", "venv", "--clear"]).arg(&to))?;
        let mut pip = Command::new(to.join("bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]).arg(&from);
        output("pip install", &mut pip)?;
        fs::write(&done, &wanted)?;
        Ok(())
    })
}

/// Python with what makes environments.
fn venv() -> bool {
    let mut python = Command::new("python3");
    output("python3", python.args(["-c", "import venv, ensurepip"])).is_ok()
}

/// A program that tests need, and the Debian package that has it.
struct Need {
    what: &'static str,
    package: &'static str,
    found: fn() -> bool,
}

const NEEDS: &[Need] = &[
    Need {
        what: "a browser (Chromium)",
        package: "chromium-headless-shell",
        found: || crate::browser::chromium().is_some(),
    },
    Need { what: "a database server (PostgreSQL)", package: "postgresql", found: postgresql },
    Need { what: "a C++ compiler, for fuzzing", package: "g++", found: || exists("c++") || exists("g++") },
    Need {
        what: "a machine to boot (QEMU)",
        package: "qemu-system-x86",
        found: || exists("qemu-system-x86_64"),
    },
    Need { what: "a kernel to boot in it", package: "linux-image-cloud-amd64", found: kernel },
    Need { what: "its small programs (busybox)", package: "busybox-static", found: || is_here("busybox") },
    Need { what: "volumes (LVM)", package: "lvm2", found: || is_here("lvm") },
    Need { what: "XFS", package: "xfsprogs", found: || is_here("mkfs.xfs") },
    Need { what: "partition tables (sfdisk)", package: "fdisk", found: || is_here("sfdisk") },
    Need { what: "kernel modules (modprobe)", package: "kmod", found: || is_here("modprobe") },
    Need { what: "a guest to sign in to (sshd)", package: "openssh-server", found: || is_here("sshd") },
    Need { what: "its client (ssh)", package: "openssh-client", found: || is_here("ssh") },
    Need { what: "network namespaces (ip)", package: "iproute2", found: || is_here("ip") },
    Need { what: "the network of Debian (ifup)", package: "ifupdown", found: || is_here("ifup") },
    Need { what: "the Python of a guest", package: "python3", found: || is_here("python3") },
    Need { what: "sudo", package: "sudo", found: || is_here("sudo") },
    Need { what: "Python with venv", package: "python3-venv", found: venv },
    Need {
        what: "fonts for its screenshots",
        package: "fonts-dejavu-core",
        found: || Path::new("/usr/share/fonts").is_dir() || std::env::var_os("CHROMIUM").is_some(),
    },
];

/// The server's own programs; Debian keeps them out of the PATH, one folder a version.
fn postgresql() -> bool {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    exists("initdb") || debian.into_iter().any(|version| version.path().join("bin/initdb").is_file())
}

/// A kernel with its modules.
fn kernel() -> bool {
    let kernels = fs::read_dir("/boot").into_iter().flatten().flatten();
    let version = |name: String| Some(name.strip_prefix("vmlinuz-")?.to_owned());
    let mut versions = kernels.filter_map(|k| version(k.file_name().into_string().ok()?));
    versions.any(|v| Path::new("/lib/modules").join(v).is_dir())
}

/// A program that is installed, whether or not it is in the PATH of whoever runs this.
fn is_here(program: &str) -> bool {
    ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].iter().any(|folder| Path::new(folder).join(program).is_file())
}

/// What measures.
const BENCH_NEEDS: &[Need] = &[
    Need { what: "a load of requests (wrk)", package: "wrk", found: || is_here("wrk") },
    Need { what: "a core of its own (taskset)", package: "util-linux", found: || is_here("taskset") },
];

/// What the tests lack.
pub(crate) fn test_programs() -> anyhow::Result<()> {
    programs(NEEDS)
}

/// What the benchmarks of pages lack.
pub(crate) fn bench_programs() -> anyhow::Result<()> {
    programs(BENCH_NEEDS)
}

/// Installs what is missing (as root on Debian), or says in one list what it is and how to get it.
fn programs(needs: &[Need]) -> anyhow::Result<()> {
    let missing: Vec<&Need> = needs.iter().filter(|n| !(n.found)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|n| n.package).collect();
    if exists("apt-get") && is_root() {
        phase(&format!("installing {}", packages.join(", ")), || {
            let mut update = Command::new("apt-get");
            output("apt-get update", update.args(["update", "-qq"]))?;
            let mut install = Command::new("apt-get");
            install.env("DEBIAN_FRONTEND", "noninteractive").args([
                "install",
                "-y",
                "-qq",
                "--no-install-recommends",
            ]);
            output("apt-get install", install.args(&packages)).map(drop)
        })?;
    }
    let missing: Vec<String> = needs
        .iter()
        .filter(|n| !(n.found)())
        .map(|n| format!("  {}: apt install {}", n.what, n.package))
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        bail!("this needs what the machine lacks:\n{}", missing.join("\n"))
    }
}

fn is_root() -> bool {
    output("id", Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
