//! Time as the engine sees it, handed in so that tests can hold it.

use std::{
    sync::LazyLock,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch: what is written down. It may jump.
    fn now_ms(&self) -> i64;

    /// Milliseconds since some moment: what claims are measured by. It never goes back.
    fn mono_ms(&self) -> i64;
}

#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
    }

    fn mono_ms(&self) -> i64 {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed().as_millis() as i64
    }
}
