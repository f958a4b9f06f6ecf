//! The cloud's time: it runs `speed` times as fast as the wall clock and goes on while the process is down; or it stands
//! still and is moved by hand, so that tests can step from one transition to the next.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

/// A moment at which both clocks are known, in ms.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Anchor {
    pub(crate) wall: i64,
    pub(crate) cloud: i64,
}

#[derive(Debug)]
pub(crate) enum Clock {
    Running { anchor: Anchor, speed: f64 },
    Stepped(AtomicI64),
}

impl Clock {
    /// `before` is the moment a saved state was at: the time the process was down has passed in the cloud as well.
    pub(crate) fn new(before: Option<Anchor>, speed: f64, stepped: bool) -> Self {
        let wall = wall_ms();
        let anchor = before.unwrap_or(Anchor { wall, cloud: wall });
        if stepped { Self::Stepped(AtomicI64::new(anchor.cloud)) } else { Self::Running { anchor, speed } }
    }

    pub(crate) fn now(&self) -> i64 {
        match self {
            Self::Running { anchor, speed } => {
                let passed = (wall_ms() - anchor.wall).max(0) as f64;
                anchor.cloud + (passed * speed) as i64
            }
            Self::Stepped(now) => now.load(Ordering::Relaxed),
        }
    }

    /// Moves a stepped clock. Returns whether it is one.
    pub(crate) fn step(&self, ms: i64) -> bool {
        match self {
            Self::Running { .. } => false,
            Self::Stepped(now) => {
                now.fetch_add(ms.max(0), Ordering::Relaxed);
                true
            }
        }
    }

    pub(crate) fn anchor_now(&self) -> Anchor {
        Anchor { wall: wall_ms(), cloud: self.now() }
    }
}

fn wall_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
}

/// `2026-11-23T07:00:00.000Z`, for the attributes of tasks.
pub(crate) fn iso(ms: i64) -> String {
    let (days, rest) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    // Civil date from days since the epoch, after Howard Hinnant's public-domain algorithm.
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (day, month) = (doy - (153 * mp + 2) / 5 + 1, if mp < 10 { mp + 3 } else { mp - 9 });
    let year = yoe + era * 400 + i64::from(month <= 2);
    let (h, m, s, f) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60, rest % 1000);
    format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}.{f:03}Z")
}

#[cfg(test)]
mod tests {
    use super::iso;

    #[test]
    fn dates() {
        assert_eq!(iso(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso(1_795_417_200_123), "2026-11-23T07:00:00.123Z");
        assert_eq!(iso(951_782_400_000), "2000-02-29T00:00:00.000Z");
    }
}
