//! Saving the model: a thread of its own writes whole states, and an accepted change waits for it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::mpsc,
};

use tokio::sync::oneshot;

pub(crate) struct Writer {
    queue: mpsc::Sender<(Vec<u8>, oneshot::Sender<io::Result<()>>)>,
}

impl Writer {
    pub(crate) fn start(file: PathBuf) -> Self {
        let (queue, jobs) = mpsc::channel::<(Vec<u8>, oneshot::Sender<io::Result<()>>)>();
        std::thread::spawn(move || {
            while let Ok(first) = jobs.recv() {
                // Only the newest of the states that are waiting needs to reach the disk.
                let mut batch = vec![first];
                batch.extend(jobs.try_iter());
                let Some((newest, _)) = batch.last() else { continue };
                let result = replace(&file, newest);
                for (_, waiting) in batch {
                    let copy = result.as_ref().copied().map_err(|e| io::Error::new(e.kind(), e.to_string()));
                    let _ = waiting.send(copy);
                }
            }
        });
        Self { queue }
    }

    /// Resolves once this state, or a newer one, is in the file.
    pub(crate) async fn save(&self, state: Vec<u8>) -> io::Result<()> {
        let (done, waiting) = oneshot::channel();
        let gone = || io::Error::other("the writer thread is gone");
        self.queue.send((state, done)).map_err(|_| gone())?;
        waiting.await.map_err(|_| gone())?
    }
}

/// Replaces a file whole: a reader sees the old state or the new one, never a half.
pub(crate) fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let next = file.with_extension("next");
    let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", file.display()));
    fs::write(&next, bytes).and_then(|()| fs::rename(&next, file)).map_err(named)
}

/// Takes the file for this process: a second one would undo what the first answers.
pub(crate) fn lock(file: &Path) -> io::Result<fs::File> {
    let beside = file.with_extension("lock");
    let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", beside.display()));
    let held = fs::File::create(&beside).map_err(named)?;
    held.try_lock().map_err(|_| {
        let text = format!("{} is in use by another process", file.display());
        io::Error::new(io::ErrorKind::ResourceBusy, text)
    })?;
    Ok(held)
}
