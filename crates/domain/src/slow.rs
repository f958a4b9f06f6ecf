//! Which jobs are slower than they should be. An old job whose steps go on is not: what counts is the step that it is at, and
//! whether anybody works on it.

use crate::{kind::closed_list, state::JobState};

closed_list! {
    /// In what way.
    Slow {
        /// Whoever worked on it has gone silent, and nobody has taken it up.
        Unclaimed = "unclaimed",
        /// Its step has failed again and again, and is tried once more.
        Tries = "tries",
        /// Its step takes longer than 99 of 100 did.
        Step = "step",
    }
}

/// What is known of a job that is under way.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub state: JobState,
    /// Its claim ended so long ago, ms; negative while it holds.
    pub claim_over_ms: Option<i64>,
    /// Tries of the step that it is at.
    pub tries: i64,
    /// The step has begun so long ago, ms.
    pub at_step_ms: Option<i64>,
    /// 99 of 100 such steps took less, ms; `None` where too few are known.
    pub usual_ms: Option<i64>,
}

/// A claim that ended is taken up within seconds, by any node that lives.
const CLAIM_GRACE_MS: i64 = 60_000;
/// A step that is this quick is not slow, whatever the others took.
const QUICK_MS: i64 = 30_000;
/// Of a step that nothing is known about.
const UNKNOWN_MS: i64 = 15 * 60_000;
const MANY_TRIES: i64 = 4;

/// Whether a job is slow, and in what way: the gravest, where there are several.
pub fn slow(pace: Pace) -> Option<Slow> {
    if !pace.state.is_started() {
        return None;
    }
    let waits = pace.state == JobState::RetryWait;
    if !waits && pace.claim_over_ms.is_some_and(|over| over > CLAIM_GRACE_MS) {
        return Some(Slow::Unclaimed);
    }
    if pace.tries >= MANY_TRIES {
        return Some(Slow::Tries);
    }
    let usual = pace.usual_ms.map_or(UNKNOWN_MS, |ms| ms.max(QUICK_MS));
    (!waits && pace.at_step_ms.is_some_and(|ms| ms > usual)).then_some(Slow::Step)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: Pace = Pace {
        state: JobState::Running,
        claim_over_ms: Some(-20_000),
        tries: 1,
        at_step_ms: Some(40_000),
        usual_ms: Some(50_000),
    };

    #[test]
    fn a_step_is_slow_by_its_own_kind() {
        assert_eq!(slow(WELL), None);
        assert_eq!(slow(Pace { at_step_ms: Some(50_001), ..WELL }), Some(Slow::Step));
        assert_eq!(slow(Pace { at_step_ms: Some(30_000), usual_ms: Some(100), ..WELL }), None);
        assert_eq!(slow(Pace { at_step_ms: Some(30_001), usual_ms: Some(100), ..WELL }), Some(Slow::Step));
        assert_eq!(slow(Pace { at_step_ms: Some(15 * 60_000), usual_ms: None, ..WELL }), None);
        assert_eq!(
            slow(Pace { at_step_ms: Some(15 * 60_000 + 1), usual_ms: None, ..WELL }),
            Some(Slow::Step)
        );
        assert_eq!(slow(Pace { at_step_ms: None, ..WELL }), None);
    }

    #[test]
    fn so_is_one_that_nobody_works_on_or_that_is_tried_often() {
        assert_eq!(slow(Pace { claim_over_ms: Some(60_000), ..WELL }), None);
        assert_eq!(slow(Pace { claim_over_ms: Some(60_001), tries: 9, ..WELL }), Some(Slow::Unclaimed));
        assert_eq!(slow(Pace { tries: 3, ..WELL }), None);
        assert_eq!(slow(Pace { tries: 4, ..WELL }), Some(Slow::Tries));
        // One that waits for its next try has no claim, and its step does not run.
        let waits = Pace { state: JobState::RetryWait, at_step_ms: Some(99_000_000), ..WELL };
        assert_eq!(slow(Pace { claim_over_ms: Some(99_000_000), ..waits }), None);
        assert_eq!(slow(Pace { tries: 4, ..waits }), Some(Slow::Tries));
        for state in JobState::ALL.iter().filter(|s| !s.is_started()) {
            let pace = Pace { state: *state, tries: 9, at_step_ms: Some(99_000_000), ..WELL };
            assert_eq!(slow(pace), None);
        }
    }
}
