//! When to try again: a pure function of the attempt.

use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    pub first: Duration,
    pub longest: Duration,
    /// Once a step has been unsuccessful for this long in all, it has failed.
    pub give_up_after: Duration,
}

impl RetryPolicy {
    pub const DEFAULT: Self = Self {
        first: Duration::from_secs(1),
        longest: Duration::from_secs(60),
        give_up_after: Duration::from_secs(600),
    };

    /// The pause after the given attempt (1 for the first): doubling, up to the longest.
    pub fn pause(&self, attempt: u32) -> Duration {
        let doubled = self.first.saturating_mul(1 << attempt.saturating_sub(1).min(16));
        doubled.min(self.longest)
    }

    /// When the next try is due, or `None` when it is time to give up. Times in ms.
    pub fn next(&self, attempt: u32, first_tried_at: i64, now: i64) -> Option<i64> {
        let spent = now.saturating_sub(first_tried_at);
        (spent < self.give_up_after.as_millis() as i64).then(|| now + self.pause(attempt).as_millis() as i64)
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
    fn ten_minutes_in_all() {
        let p = RetryPolicy::DEFAULT;
        assert_eq!(p.next(1, 0, 599_999), Some(600_999));
        assert_eq!(p.next(1, 0, 600_000), None);
    }
}
