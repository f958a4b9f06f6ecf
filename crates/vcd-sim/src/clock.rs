//! The cloud's time: it runs `speed` times as fast as the wall clock and goes on while the process is down.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A moment at which both clocks are known, in ms.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Anchor {
    pub(crate) wall: i64,
    pub(crate) cloud: i64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    anchor: Anchor,
    speed: f64,
}

impl Clock {
    pub(crate) fn starting_now(speed: f64) -> Self {
        let wall = wall_ms();
        Self { anchor: Anchor { wall, cloud: wall }, speed }
    }

    /// Continues from a saved moment: the time the process was down has passed in the cloud as well.
    pub(crate) fn resuming(anchor: Anchor, speed: f64) -> Self {
        Self { anchor, speed }
    }

    pub(crate) fn now(&self) -> i64 {
        let passed = (wall_ms() - self.anchor.wall).max(0) as f64;
        self.anchor.cloud + (passed * self.speed) as i64
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
