//! The pure core: given what is known of each step, what is to be done next.
//!
//! No clock, no store, no tasks: an [`Event`] comes in, [`Command`]s go out. Events are applied after they were
//! recorded, so a machine made anew from the record continues where the old one stood.

use std::collections::BTreeSet;

use crate::record::{StepRecord, StepStatus};

/// A step's name and the steps that must be done before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepShape {
    pub key: &'static str,
    pub after: &'static [&'static str],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Done(usize),
    Retry { step: usize, at: i64 },
    Parked(usize),
    Failed(usize),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Begin a try of this step.
    Run(usize),
    /// Nothing is under way and the next retry is due then.
    SleepUntil(i64),
    Succeed,
    /// Leave the way of others until this step can be had.
    Park(usize),
    /// Stop at this step.
    Fail(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Open,
    InFlight,
    Waiting(i64),
    Done,
    Parked,
    Failed,
}

/// The steps of one job under way.
#[derive(Clone, Debug)]
pub struct Machine {
    after: Vec<Vec<usize>>,
    status: Vec<Status>,
}

/// Why a shape cannot be run. A shape is checked when it is registered, and against the record when a job is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShapeError {
    UnknownPredecessor {
        step: &'static str,
        after: &'static str,
    },
    Cycle,
    /// The record has other steps than the shape.
    Mismatch,
}

impl Machine {
    /// Builds a machine from the record. Tries that were cut short are open again: their end is not known.
    pub fn resume(shape: &[StepShape], record: &[StepRecord], now: i64) -> Result<Self, ShapeError> {
        let after = predecessors(shape)?;
        let recorded: BTreeSet<&str> = record.iter().map(|r| r.key.as_str()).collect();
        if recorded != shape.iter().map(|s| s.key).collect() {
            return Err(ShapeError::Mismatch);
        }
        let status = shape
            .iter()
            .map(|s| {
                let r = record.iter().find(|r| r.key == s.key).ok_or(ShapeError::Mismatch)?;
                Ok(match r.status {
                    StepStatus::Done | StepStatus::Skipped => Status::Done,
                    StepStatus::RetryWait => match r.retry_at {
                        Some(at) if at > now => Status::Waiting(at),
                        _ => Status::Open,
                    },
                    StepStatus::Pending | StepStatus::Running | StepStatus::Failed | StepStatus::Undone => {
                        Status::Open
                    }
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { after, status })
    }

    /// What to do first.
    pub fn begin(&mut self) -> Vec<Command> {
        self.advance()
    }

    pub fn on(&mut self, event: &Event) -> Vec<Command> {
        match *event {
            Event::Done(i) => self.status[i] = Status::Done,
            Event::Retry { step, at } => self.status[step] = Status::Waiting(at),
            Event::Parked(i) => self.status[i] = Status::Parked,
            Event::Failed(i) => self.status[i] = Status::Failed,
        }
        self.advance()
    }

    fn advance(&mut self) -> Vec<Command> {
        let first = |status| self.status.iter().position(|s| *s == status);
        let (failed, parked) = (first(Status::Failed), first(Status::Parked));
        let mut commands = Vec::new();
        if failed.or(parked).is_none() {
            for i in 0..self.status.len() {
                let ready = self.after[i].iter().all(|p| self.status[*p] == Status::Done);
                if self.status[i] == Status::Open && ready {
                    self.status[i] = Status::InFlight;
                    commands.push(Command::Run(i));
                }
            }
        }
        if commands.is_empty() && !self.status.contains(&Status::InFlight) {
            let due =
                self.status.iter().filter_map(|s| if let Status::Waiting(at) = s { Some(*at) } else { None });
            // A failed step ends the job only when nothing is under way any more: steps beside it finish first.
            commands.push(match (failed, parked, due.min()) {
                (Some(step), ..) => Command::Fail(step),
                (None, Some(step), _) => Command::Park(step),
                (None, None, Some(at)) => Command::SleepUntil(at),
                (None, None, None) => Command::Succeed,
            });
        }
        commands
    }
}

/// Checks a shape and resolves names to places.
pub fn predecessors(shape: &[StepShape]) -> Result<Vec<Vec<usize>>, ShapeError> {
    let mut after = Vec::with_capacity(shape.len());
    for (i, step) in shape.iter().enumerate() {
        let mut places = Vec::new();
        for name in step.after {
            let place = shape
                .iter()
                .position(|s| s.key == *name)
                .ok_or(ShapeError::UnknownPredecessor { step: step.key, after: name })?;
            // Steps are written in an order in which each stands after what it needs, which rules cycles out.
            if place >= i {
                return Err(ShapeError::Cycle);
            }
            places.push(place);
        }
        after.push(places);
    }
    Ok(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: &[StepShape] = &[
        StepShape { key: "claim", after: &[] },
        StepShape { key: "network", after: &["claim"] },
        StepShape { key: "qos", after: &["network"] },
        StepShape { key: "group", after: &["network"] },
        StepShape { key: "machine", after: &["group"] },
        StepShape { key: "ready", after: &["machine", "qos"] },
    ];

    fn record(statuses: [StepStatus; 6]) -> Vec<StepRecord> {
        SHAPE
            .iter()
            .zip(statuses)
            .map(|(s, status)| StepRecord {
                key: s.key.into(),
                status,
                attempt: 0,
                first_tried_at: None,
                retry_at: None,
                provider_task: None,
                output: None,
            })
            .collect()
    }

    fn fresh() -> Machine {
        Machine::resume(SHAPE, &record([StepStatus::Pending; 6]), 0).unwrap()
    }

    #[test]
    fn independent_steps_run_side_by_side() {
        let mut m = fresh();
        assert_eq!(m.begin(), [Command::Run(0)]);
        assert_eq!(m.on(&Event::Done(0)), [Command::Run(1)]);
        assert_eq!(m.on(&Event::Done(1)), [Command::Run(2), Command::Run(3)]);
        assert_eq!(m.on(&Event::Done(3)), [Command::Run(4)]);
        assert_eq!(m.on(&Event::Done(4)), []);
        assert_eq!(m.on(&Event::Done(2)), [Command::Run(5)]);
        assert_eq!(m.on(&Event::Done(5)), [Command::Succeed]);
    }

    #[test]
    fn a_retry_sleeps_only_when_nothing_else_is_under_way() {
        let mut m = fresh();
        m.begin();
        m.on(&Event::Done(0));
        m.on(&Event::Done(1));
        assert_eq!(m.on(&Event::Retry { step: 2, at: 500 }), []);
        assert_eq!(m.on(&Event::Done(3)), [Command::Run(4)]);
        assert_eq!(m.on(&Event::Done(4)), [Command::SleepUntil(500)]);
    }

    #[test]
    fn a_failure_lets_the_steps_beside_it_finish() {
        let mut m = fresh();
        m.begin();
        m.on(&Event::Done(0));
        m.on(&Event::Done(1));
        assert_eq!(m.on(&Event::Failed(2)), []);
        assert_eq!(m.on(&Event::Done(3)), [Command::Fail(2)], "the step after it is not begun");
    }

    #[test]
    fn a_parked_step_lets_the_steps_beside_it_finish_and_a_failure_outweighs_it() {
        let mut m = fresh();
        m.begin();
        m.on(&Event::Done(0));
        m.on(&Event::Done(1));
        let mut other = m.clone();
        assert_eq!(m.on(&Event::Parked(2)), []);
        assert_eq!(m.on(&Event::Done(3)), [Command::Park(2)]);
        other.on(&Event::Parked(2));
        assert_eq!(other.on(&Event::Failed(3)), [Command::Fail(3)]);
    }

    #[test]
    fn resuming_runs_no_finished_step_again() {
        use StepStatus::{Done, Pending, Running};
        let mut m =
            Machine::resume(SHAPE, &record([Done, Done, Running, Done, Pending, Pending]), 0).unwrap();
        assert_eq!(m.begin(), [Command::Run(2), Command::Run(4)]);
    }

    #[test]
    fn another_shape_is_refused() {
        let mut other = record([StepStatus::Pending; 6]);
        other.pop();
        assert_eq!(Machine::resume(SHAPE, &other, 0).unwrap_err(), ShapeError::Mismatch);
        assert_eq!(predecessors(&[StepShape { key: "a", after: &["a"] }]), Err(ShapeError::Cycle));
    }
}
