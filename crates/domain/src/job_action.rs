//! What staff may have done to a job, and why not. One table for the functions and for the buttons.

use crate::{
    kind::closed_list,
    permission::Denial,
    state::{JobState, Role},
};

closed_list! {
    JobAction {
        /// From the step that failed: finished steps are kept.
        Rerun = "rerun",
        /// Everything that was done is undone, the last first.
        RollBack = "roll_back",
        /// A step that failed was done by hand.
        MarkDone = "mark_done",
        /// One that waits is taken back, one that runs at its next step.
        Stop = "stop",
        /// One that waits runs in spite of a maintenance.
        Bypass = "bypass",
    }
}

/// What the verdict is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobSubject {
    pub state: JobState,
    /// Something newer has changed the same server: doing this one again would undo that.
    pub newer: bool,
    /// It is being stopped already.
    pub stopping: bool,
    /// A maintenance lasts.
    pub paused: bool,
    /// And this one runs in spite of it.
    pub through: bool,
}

impl JobAction {
    /// Taking back, saying that a step is done, and letting one through a maintenance are an administrator's.
    pub const fn is_admins(self) -> bool {
        matches!(self, Self::RollBack | Self::MarkDone | Self::Bypass)
    }
}

/// May `role` have this done to a job?
pub fn can_job(action: JobAction, role: Role, job: JobSubject) -> Result<(), Denial> {
    if !role.is_staff() || action.is_admins() && role != Role::Admin {
        return Err(Denial::StaffOnly);
    }
    let over = matches!(job.state, JobState::Succeeded | JobState::Cancelled | JobState::RolledBack);
    match action {
        _ if over => Err(Denial::AlreadyOver),
        JobAction::Bypass => match job.state {
            _ if !job.paused => Err(Denial::NoMaintenance),
            _ if job.through => Err(Denial::LetThrough),
            JobState::RetryWait => Ok(()),
            state if state.is_waiting() => Ok(()),
            state if state.is_moving() => Err(Denial::JobRunning),
            _ => Err(Denial::AlreadyOver),
        },
        JobAction::Stop => match job.state {
            JobState::RollingBack => Err(Denial::BeingUndone),
            JobState::Failed | JobState::Stuck => Err(Denial::AlreadyOver),
            _ if job.stopping => Err(Denial::BeingStopped),
            _ => Ok(()),
        },
        _ if job.state == JobState::RollingBack => Err(Denial::BeingUndone),
        _ if job.state.is_waiting() => Err(Denial::JobWaiting),
        _ if !matches!(job.state, JobState::Failed | JobState::Stuck) => Err(Denial::JobRunning),
        // What could not be undone is no step that failed.
        JobAction::MarkDone if job.state == JobState::Stuck => Err(Denial::BeingUndone),
        JobAction::Rerun if job.newer => Err(Denial::NewerChange),
        JobAction::Rerun | JobAction::RollBack | JobAction::MarkDone => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(state: JobState) -> JobSubject {
        JobSubject { state, newer: false, stopping: false, paused: false, through: false }
    }

    #[test]
    fn only_a_maintenance_is_passed_by_and_once() {
        let may = |job| can_job(JobAction::Bypass, Role::Admin, job);
        let queued = subject(JobState::Queued);
        assert_eq!(may(queued), Err(Denial::NoMaintenance));
        assert_eq!(may(JobSubject { paused: true, ..queued }), Ok(()));
        assert_eq!(may(JobSubject { paused: true, through: true, ..queued }), Err(Denial::LetThrough));
    }

    #[test]
    fn every_action_in_every_state_by_every_role() {
        for action in JobAction::ALL {
            for state in JobState::ALL {
                let job = JobSubject { paused: true, ..subject(*state) };
                assert_eq!(can_job(*action, Role::Customer, job), Err(Denial::StaffOnly));
                let support = can_job(*action, Role::Support, job);
                let admin = can_job(*action, Role::Admin, job);
                assert!(support == admin || action.is_admins() && support == Err(Denial::StaffOnly));
                let failed = matches!(state, JobState::Failed | JobState::Stuck);
                let expected = match action {
                    JobAction::Stop => {
                        state.is_waiting() || state.is_moving() && *state != JobState::RollingBack
                    }
                    JobAction::MarkDone => *state == JobState::Failed,
                    JobAction::Bypass => state.is_waiting() || *state == JobState::RetryWait,
                    JobAction::Rerun | JobAction::RollBack => failed,
                };
                assert_eq!(admin.is_ok(), expected, "{action} {state}: {admin:?}");
            }
        }
    }

    #[test]
    fn what_is_newer_is_not_overwritten_and_what_stops_is_not_stopped_twice() {
        let failed = JobSubject { newer: true, ..subject(JobState::Failed) };
        assert_eq!(can_job(JobAction::Rerun, Role::Admin, failed), Err(Denial::NewerChange));
        assert_eq!(can_job(JobAction::RollBack, Role::Admin, failed), Ok(()));
        let stopping = JobSubject { stopping: true, ..subject(JobState::Running) };
        assert_eq!(can_job(JobAction::Stop, Role::Support, stopping), Err(Denial::BeingStopped));
    }
}
