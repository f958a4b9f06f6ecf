//! The data folder. With an embedded database one process owns it at a time, by a lock that the system takes back when the
//! process ends; with a server's it holds the sealing key only, and is shared.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

pub(crate) struct DataDir {
    path: PathBuf,
    /// Held for as long as the process lives.
    _lock: Option<File>,
}

impl DataDir {
    pub(crate) fn shared(path: &Path) -> anyhow::Result<Self> {
        make(path)?;
        Ok(Self { path: path.to_owned(), _lock: None })
    }

    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        make(path)?;
        let file = path.join("lock");
        let lock = File::create(&file).with_context(|| format!("{} cannot be written", file.display()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: Some(lock) }),
            Err(TryLockError::WouldBlock) => {
                bail!(
                    "another slipway is using the data folder {}: stop it first, or give --data-dir",
                    path.display()
                )
            }
            Err(TryLockError::Error(e)) => {
                Err(e).with_context(|| format!("{} cannot be locked", file.display()))
            }
        }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// The demo's accounts have a password that everybody knows: its folder never becomes that of real servers, nor the other
/// way round.
pub(crate) fn keep_demo_apart(path: &Path, demo: bool) -> anyhow::Result<()> {
    make(path)?;
    let (mark, used) = (path.join("demo"), path.join("slipway.db").exists());
    match (demo, mark.exists()) {
        (false, true) => bail!(
            "{} holds the demo, whose accounts everybody can sign in to: give another --data-dir",
            path.display()
        ),
        (true, false) if used => {
            bail!("{} holds real servers: give another --data-dir for the demo", path.display())
        }
        (true, false) => {
            let text = "This folder holds the demo of Slipway: nothing in it is real.\n";
            fs::write(&mark, text).with_context(|| format!("{} cannot be written", mark.display()))
        }
        _ => Ok(()),
    }
}

fn make(path: &Path) -> anyhow::Result<()> {
    // The key and the socket in it are nobody else's business.
    use std::os::unix::fs::DirBuilderExt;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.with_context(|| format!("the data folder {} cannot be made", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_and_the_real_thing_never_share_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        keep_demo_apart(dir.path(), true).unwrap();
        keep_demo_apart(dir.path(), true).unwrap();
        assert!(keep_demo_apart(dir.path(), false).unwrap_err().to_string().contains("holds the demo"));
        let dir = tempfile::tempdir().unwrap();
        keep_demo_apart(dir.path(), false).unwrap();
        fs::write(dir.path().join("slipway.db"), "").unwrap();
        assert!(keep_demo_apart(dir.path(), true).unwrap_err().to_string().contains("real servers"));
    }

    #[test]
    fn a_second_process_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataDir::open(dir.path()).unwrap();
        let error = DataDir::open(dir.path()).err().unwrap().to_string();
        assert!(error.contains("another slipway"), "{error}");
        drop(first);
        assert!(DataDir::open(dir.path()).is_ok());
    }
}
