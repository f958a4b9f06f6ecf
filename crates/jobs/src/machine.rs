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
    Twice(&'static str),
    /// These steps need each other.
    Cycle(Vec<&'static str>),
    /// The record has other steps than the shape.
    Mismatch,
}

impl std::fmt::Display for ShapeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UnknownPredecessor { step, after } => {
                write!(f, "{step} comes after {after}, which is no step")
            }
            Self::Twice(step) => write!(f, "the step {step} is there twice"),
            Self::Cycle(steps) => write!(f, "these steps wait for each other: {}", steps.join(", ")),
            Self::Mismatch => f.write_str("the record has other steps"),
        }
    }
}

impl std::error::Error for ShapeError {}

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

    /// The machine of a job that has just been begun: what its record says is running has its try coming.
    pub fn taken_up(
        shape: &[StepShape],
        record: &[StepRecord],
        now: i64,
    ) -> Result<(Self, Vec<usize>), ShapeError> {
        let mut machine = Self::resume(shape, record, now)?;
        let mut coming = Vec::new();
        for (i, step) in shape.iter().enumerate() {
            if record.iter().any(|r| r.key == step.key && r.status == StepStatus::Running) {
                machine.status[i] = Status::InFlight;
                coming.push(i);
            }
        }
        Ok((machine, coming))
    }

    /// An order in which each step stands after what it needs.
    pub fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = Vec::with_capacity(self.after.len());
        while let Some(next) = (0..self.after.len())
            .find(|i| !order.contains(i) && self.after[*i].iter().all(|p| order.contains(p)))
        {
            order.push(next);
        }
        order
    }

    /// What to do first.
    pub fn begin(&mut self) -> Vec<Command> {
        self.advance()
    }

    /// A step that was to run was not begun.
    pub fn not_begun(&mut self, step: usize) {
        self.status[step] = Status::Open;
    }

    /// Nothing is under way.
    pub fn is_at_rest(&self) -> bool {
        !self.status.contains(&Status::InFlight)
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
        if shape[..i].iter().any(|s| s.key == step.key) {
            return Err(ShapeError::Twice(step.key));
        }
        let place = |name: &&'static str| {
            let found = shape.iter().position(|s| s.key == *name);
            found.ok_or(ShapeError::UnknownPredecessor { step: step.key, after: name })
        };
        after.push(step.after.iter().map(place).collect::<Result<Vec<_>, _>>()?);
    }
    // Whatever can be done is done, round by round; what is left over waits for itself.
    let mut done = vec![false; shape.len()];
    loop {
        let next = (0..shape.len()).find(|i| !done[*i] && after[*i].iter().all(|p| done[*p]));
        match next {
            Some(i) => done[i] = true,
            None if done.iter().all(|d| *d) => return Ok(after),
            None => {
                let left = shape.iter().zip(&done).filter(|(_, done)| !**done).map(|(s, _)| s.key);
                return Err(ShapeError::Cycle(left.collect()));
            }
        }
    }
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
            .map(|(s, status)| StepRecord { status, ..StepRecord::new(s.key) })
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
        let shape = |steps: &[(&'static str, &'static [&'static str])]| {
            predecessors(&steps.iter().map(|(key, after)| StepShape { key, after }).collect::<Vec<_>>())
        };
        assert_eq!(shape(&[("a", &["a"])]), Err(ShapeError::Cycle(vec!["a"])));
        assert_eq!(
            shape(&[("a", &[]), ("b", &["a", "c"]), ("c", &["b"])]),
            Err(ShapeError::Cycle(vec!["b", "c"]))
        );
        assert_eq!(shape(&[("b", &["a"]), ("a", &[])]), Ok(vec![vec![1], vec![]]), "any order is fine");
        assert_eq!(shape(&[("a", &[]), ("a", &[])]), Err(ShapeError::Twice("a")));
        let unknown = ShapeError::UnknownPredecessor { step: "a", after: "x" };
        assert_eq!(shape(&[("a", &["x"])]), Err(unknown));
    }
}
