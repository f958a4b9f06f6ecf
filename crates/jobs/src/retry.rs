//! When to try again: a pure function of what has been tried.

use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    pub first: Duration,
    pub longest: Duration,
    /// Once a step has waited this long in all between unsuccessful tries, it has failed.
    pub give_up_after: Duration,
    /// The least pause before what may have happened is read: it may still be on its way.
    pub unknown: Duration,
}

impl RetryPolicy {
    pub const DEFAULT: Self = Self {
        first: Duration::from_secs(1),
        longest: Duration::from_secs(60),
        give_up_after: Duration::from_secs(600),
        unknown: Duration::from_secs(3),
    };

    /// The pause after so many unsuccessful tries in a row (1 for the first): doubling, up to the longest.
    pub fn pause(&self, retries: u32) -> Duration {
        let doubled = self.first.saturating_mul(1 << retries.saturating_sub(1).min(16));
        doubled.min(self.longest)
    }

    /// The pause before the next try, or `None` when it is time to give up. Only waiting counts: a try may take as long as
    /// it takes.
    pub fn next(&self, retries: u32, waited_ms: i64, unknown: bool) -> Option<Duration> {
        let least = if unknown { self.unknown } else { Duration::ZERO };
        (waited_ms < self.give_up_after.as_millis() as i64).then(|| self.pause(retries).max(least))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let p = RetryPolicy::DEFAULT;
        let seconds: Vec<u64> = (1..=8).map(|a| p.pause(a).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(p.pause(u32::MAX).as_secs(), 60);
    }

    #[test]
    fn ten_minutes_of_waiting_in_all() {
        let p = RetryPolicy::DEFAULT;
        assert_eq!(p.next(1, 599_999, false), Some(Duration::from_secs(1)));
        assert_eq!(p.next(1, 600_000, false), None);
        let mut waited = 0;
        let mut tries = 1;
        while let Some(pause) = p.next(tries, waited, false) {
            waited += pause.as_millis() as i64;
            tries += 1;
        }
        assert!((600_000..660_000).contains(&waited), "{waited}");
    }

    #[test]
    fn what_is_not_known_is_not_read_at_once() {
        assert_eq!(RetryPolicy::DEFAULT.next(1, 0, true), Some(Duration::from_secs(3)));
        assert_eq!(RetryPolicy::DEFAULT.next(4, 0, true), Some(Duration::from_secs(8)));
    }
}
