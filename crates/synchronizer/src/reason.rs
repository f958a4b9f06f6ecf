//! Why an unfinished job is not running: the rule, and everything else that workers heed.
//!
//! One answer for everybody who asks. The order of the answers is the order in which a waiting job meets them: the other
//! jobs of its customer first; then, once it may start, a pause that everybody keeps; then a place.

use crate::admission::{Explanation, JobKey, Why};

/// What decides whether a job runs besides the other jobs of its customer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Around {
    pub now: i64,
    /// Of a job between two tries: when the next is due.
    pub retry_at: Option<i64>,
    /// Nothing is taken up.
    pub maintenance: bool,
    /// Every place is taken, of all or of this job's provider.
    pub full: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is running.
    Started,
    Blocked {
        position: u32,
        /// Its direct blockers in `seq` order.
        waiting_for: Vec<JobKey>,
    },
    Needs(JobKey),
    Parked,
    /// It has failed and keeps others out.
    Holding,
    /// Its latest try was unsuccessful, and the next is not due yet.
    BackOff {
        until: i64,
    },
    Maintenance,
    /// It may start, and waits for a place.
    Full,
    /// It may start, and waits for a worker to look.
    Free,
}

pub fn reason(explanation: Explanation, around: &Around) -> Reason {
    let place = || match (around.maintenance, around.full) {
        (true, _) => Reason::Maintenance,
        (false, true) => Reason::Full,
        (false, false) => Reason::Free,
    };
    match (explanation.why, around.retry_at) {
        (Why::Started, Some(until)) if until > around.now => Reason::BackOff { until },
        (Why::Started, Some(_)) | (Why::Free, _) => place(),
        (Why::Started, None) => Reason::Started,
        (Why::Needs(need), _) => Reason::Needs(need),
        (Why::Parked, _) => Reason::Parked,
        (Why::Holding, _) => Reason::Holding,
        (Why::Blocked, _) => Reason::Blocked {
            position: explanation.position.unwrap_or(1),
            waiting_for: explanation.waiting_for,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_said_as_what_it_is() {
        let why = |why| Explanation { why, position: Some(2), waiting_for: vec![7] };
        let calm = Around { now: 100, ..Around::default() };
        let cases = [
            (Why::Started, calm, Reason::Started),
            (Why::Started, Around { retry_at: Some(150), ..calm }, Reason::BackOff { until: 150 }),
            // Its pause is over: it waits for the same things as one that may start.
            (Why::Started, Around { retry_at: Some(100), ..calm }, Reason::Free),
            (Why::Started, Around { retry_at: Some(90), full: true, ..calm }, Reason::Full),
            (Why::Free, calm, Reason::Free),
            (Why::Free, Around { full: true, ..calm }, Reason::Full),
            (Why::Free, Around { full: true, maintenance: true, ..calm }, Reason::Maintenance),
            (Why::Needs(3), Around { maintenance: true, ..calm }, Reason::Needs(3)),
            (Why::Parked, Around { full: true, ..calm }, Reason::Parked),
            (Why::Holding, calm, Reason::Holding),
            (
                Why::Blocked,
                Around { full: true, maintenance: true, ..calm },
                Reason::Blocked { position: 2, waiting_for: vec![7] },
            ),
        ];
        for (given, around, expected) in cases {
            assert_eq!(reason(why(given), &around), expected, "{given:?} {around:?}");
        }
    }
}
