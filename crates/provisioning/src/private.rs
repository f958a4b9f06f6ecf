//! A folder that only this process's user can look into, for one attempt of a program that is told secrets; gone when dropped.
//!
//! What must not stay where this process is killed goes by a pipe, not by a file; what must be a file is swept away by the
//! next process that [`sweep`]s.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::{FileType, Mode};
use uuid::Uuid;

pub(crate) struct PrivateFolder(PathBuf);

impl PrivateFolder {
    /// A new one, whose name begins with this.
    pub(crate) fn new(prefix: &str) -> io::Result<Self> {
        let process = std::process::id();
        let begun = begun(process).unwrap_or_default();
        let name = format!("{prefix}-{process}.{begun}-{}", Uuid::new_v4().simple());
        let folder = std::env::temp_dir().join(name);
        fs::DirBuilder::new().mode(0o700).create(&folder)?;
        Ok(Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a new file, and the folders that its name stands in.
    pub(crate) fn file(&self, name: &str, mode: u32, contents: &str) -> io::Result<PathBuf> {
        let path = self.0.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?;
        file.write_all(contents.as_bytes())?;
        Ok(path)
    }

    /// A pipe by name, open at both ends: what is written waits in it for whoever reads a line.
    pub(crate) fn pipe(&self, name: &str) -> io::Result<fs::File> {
        let path = self.0.join(name);
        rustix::fs::mknodat(rustix::fs::CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
        fs::OpenOptions::new().read(true).write(true).open(path)
    }
}

/// When a process began, in the kernel's ticks: its number may be given to another one, and in a container always is.
fn begun(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // Behind its name, which may hold anything: the twentieth word from there.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// Removes the folders with this prefix of processes that are no more.
pub(crate) fn sweep(prefix: &str) {
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let rest = name.strip_prefix(prefix).and_then(|r| r.strip_prefix('-'));
        let whose = rest.and_then(|r| r.split('-').next()?.split_once('.'));
        let whose = whose.and_then(|(process, at)| Some((process.parse().ok()?, at.parse().ok()?)));
        if whose.is_some_and(|(process, at)| begun(process) != Some(at)) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_swept_away() {
        let prefix = format!("slipway-sweep-{}", Uuid::new_v4().simple());
        let own = PrivateFolder::new(&prefix).unwrap();
        own.file("key", 0o600, "secret").unwrap();
        let mut gone = std::process::Command::new("true").spawn().unwrap();
        let process = gone.id();
        gone.wait().unwrap();
        // Of one that is no more, and of one that had our number before us.
        let numbers = [format!("{process}.1"), format!("{}.1", std::process::id())];
        let left = numbers.map(|n| std::env::temp_dir().join(format!("{prefix}-{n}-0")));
        for folder in &left {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("key"), "secret").unwrap();
        }
        sweep(&prefix);
        assert!(own.path().exists() && left.iter().all(|folder| !folder.exists()));
    }
}
