//! What may be done, when, and why not. One table for the server functions and for the buttons.

use crate::{
    cause::Cause,
    kind::{Kind, closed_list},
    power::PowerAction,
    state::{JobState, Role, ServerState},
};

closed_list! {
    /// What can be asked of a server.
    Action {
        Terminate = "terminate",
        Power = "power",
        Resize = "resize",
        ChangeIp = "change_ip",
        Reinstall = "reinstall",
        ResetPassword = "reset_password",
        SnapshotCreate = "snapshot_create",
        SnapshotRevert = "snapshot_revert",
        SnapshotRemove = "snapshot_remove",
        Repair = "repair",
        Console = "console",
        /// For staff: the server goes to another edge.
        ChangeEdge = "change_edge",
        Rename = "rename",
    }
}

closed_list! {
    /// A refusal that carries its reason. The text of each is `denial-{reason}`.
    Denial {
        ReadsOnly = "reads-only",
        /// Only an administrator can do it.
        StaffOnly = "staff-only",
        Terminating = "terminating",
        Terminated = "terminated",
        AlreadyStarted = "already-started",
        AlreadyOver = "already-over",
        /// It is not up for the first time yet.
        NotReady = "not-ready",
        AlreadyRunning = "already-running",
        NotRunning = "not-running",
        /// There is no snapshot.
        NoSnapshot = "no-snapshot",
        /// It is signed in to by key only: there is no password.
        KeyOnly = "key-only",
        /// A job that is being taken back.
        BeingUndone = "being-undone",
        /// It was asked to stop.
        BeingStopped = "being-stopped",
        JobWaiting = "job-waiting",
        JobRunning = "job-running",
        /// A later operation has changed the same server.
        NewerChange = "newer-change",
        /// Its edge's block has no other address.
        NoOtherAddress = "no-other-address",
        /// An edge that a server stands on.
        EdgeInUse = "edge-in-use",
        /// A claim of which the job is not over.
        JobLives = "job-lives",
        EdgeNotClaimed = "edge-not-claimed",
        /// It is out of the pool already.
        EdgeOutAlready = "edge-out-already",
        /// It is not out of the pool.
        EdgeNotOut = "edge-not-out",
        /// The platform has seen a network on it.
        EdgeHasNetwork = "edge-has-network",
        /// A step that cannot be done once more.
        StepNotAgain = "step-not-again",
        /// Nothing is paused.
        NoMaintenance = "no-maintenance",
        /// It runs in spite of the maintenance already.
        LetThrough = "let-through",
    }
}

/// What the verdict is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    pub state: ServerState,
    /// A terminate of it has been accepted and is not over.
    pub terminating: bool,
    pub has_snapshot: bool,
    /// Whoever signs in has a password.
    pub has_password: bool,
}

/// May `role` have this done to a server? A queue conflict is no denial: the job waits.
pub fn can_server(action: Action, role: Role, server: Subject) -> Result<(), Denial> {
    use Action::{
        ChangeEdge, ChangeIp, Console, Power, Reinstall, Rename, Repair, ResetPassword, Resize,
        SnapshotCreate, SnapshotRemove, SnapshotRevert, Terminate,
    };
    // What is done to the pool is an administrator's; what is done to a server is its owner's.
    match (action, role) {
        (ChangeEdge, Role::Admin) => {}
        (ChangeEdge, _) => return Err(Denial::StaffOnly),
        _ if role.is_staff() => return Err(Denial::ReadsOnly),
        _ => {}
    }
    match server.state {
        ServerState::Terminated => return Err(Denial::Terminated),
        ServerState::Terminating => return Err(Denial::Terminating),
        _ if server.terminating => return Err(Denial::Terminating),
        _ => {}
    }
    let up = !matches!(server.state, ServerState::Ordered | ServerState::Creating | ServerState::Failed);
    let stopped = server.state == ServerState::Stopped;
    match action {
        // Power has a table of its own: what is possible differs from action to action.
        Terminate | Rename | Power => Ok(()),
        _ if !up => Err(Denial::NotReady),
        ChangeEdge | ChangeIp | ResetPassword | Repair | Console if stopped => Err(Denial::NotRunning),
        ResetPassword if !server.has_password => Err(Denial::KeyOnly),
        SnapshotRevert | SnapshotRemove if !server.has_snapshot => Err(Denial::NoSnapshot),
        Resize | ChangeEdge | ChangeIp | Reinstall | ResetPassword | Repair | Console | SnapshotCreate
        | SnapshotRevert | SnapshotRemove => Ok(()),
    }
}

/// May `role` have this done to the power of a server?
pub fn can_power(action: PowerAction, role: Role, server: Subject) -> Result<(), Denial> {
    can_server(Action::Power, role, server)?;
    action.allowed_in(server.state)
}

/// May a customer take a request back? Only while nothing has begun.
pub fn can_cancel(role: Role, kind: Kind, state: JobState) -> Result<(), Denial> {
    if role.is_staff() {
        return Err(Denial::ReadsOnly);
    }
    // What staff have begun is theirs to take back.
    if matches!(kind, Kind::ChangeEdge | Kind::Migrate) {
        return Err(Denial::StaffOnly);
    }
    match state {
        s if s.is_waiting() => Ok(()),
        s if s.is_moving() => Err(Denial::AlreadyStarted),
        _ => Err(Denial::AlreadyOver),
    }
}

/// May a customer have a failed operation tried again? Where what failed may pass by itself; the rest is support's, and so is
/// what staff have begun.
pub fn can_retry(role: Role, kind: Kind, state: JobState, cause: Option<Cause>) -> bool {
    let staffs = matches!(kind, Kind::ChangeEdge | Kind::Migrate);
    role == Role::Customer && !staffs && state == JobState::Failed && cause.is_some_and(Cause::may_pass)
}

/// May a customer give up an order that failed? While there is no machine yet: nothing of theirs is lost.
pub fn can_give_up(role: Role, kind: Kind, state: JobState, machine_begun: bool) -> bool {
    role == Role::Customer && kind == Kind::Activate && state == JobState::Failed && !machine_begun
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: Subject =
        Subject { state: ServerState::Running, terminating: false, has_snapshot: false, has_password: true };

    fn customer(action: Action, server: Subject) -> Result<(), Denial> {
        can_server(action, Role::Customer, server)
    }

    #[test]
    fn the_table() {
        for action in Action::ALL {
            if *action == Action::ChangeEdge {
                assert_eq!(can_server(*action, Role::Admin, UP), Ok(()));
                assert_eq!(can_server(*action, Role::Support, UP), Err(Denial::StaffOnly));
                assert_eq!(customer(*action, UP), Err(Denial::StaffOnly));
                continue;
            }
            for role in [Role::Support, Role::Admin] {
                assert_eq!(can_server(*action, role, UP), Err(Denial::ReadsOnly));
            }
            assert_eq!(customer(*action, Subject { terminating: true, ..UP }), Err(Denial::Terminating));
            let gone = Subject { state: ServerState::Terminated, ..UP };
            assert_eq!(customer(*action, gone), Err(Denial::Terminated));
            let creating = Subject { state: ServerState::Creating, ..UP };
            let always = matches!(action, Action::Terminate | Action::Rename | Action::Power);
            assert_eq!(customer(*action, creating), if always { Ok(()) } else { Err(Denial::NotReady) });
        }
        let off = Subject { state: ServerState::Stopped, ..UP };
        assert_eq!(can_server(Action::ChangeEdge, Role::Admin, off), Err(Denial::NotRunning));
        assert_eq!(customer(Action::Resize, off), Ok(()));
        assert_eq!(customer(Action::Reinstall, off), Ok(()));
        for action in [Action::ChangeIp, Action::ResetPassword, Action::Repair, Action::Console] {
            assert_eq!(customer(action, off), Err(Denial::NotRunning));
        }
        let key = Subject { has_password: false, ..UP };
        assert_eq!(customer(Action::ResetPassword, key), Err(Denial::KeyOnly));
        assert_eq!(customer(Action::SnapshotCreate, UP), Ok(()));
        for action in [Action::SnapshotRevert, Action::SnapshotRemove] {
            assert_eq!(customer(action, UP), Err(Denial::NoSnapshot));
            assert_eq!(customer(action, Subject { has_snapshot: true, ..UP }), Ok(()));
        }
    }

    #[test]
    fn what_may_pass_is_tried_again_and_what_has_no_machine_is_given_up() {
        let (customer, failed) = (Role::Customer, JobState::Failed);
        assert!(can_retry(customer, Kind::Resize, failed, Some(Cause::Timeout)));
        assert!(!can_retry(customer, Kind::Resize, failed, Some(Cause::Irreversible)));
        assert!(!can_retry(customer, Kind::Resize, failed, None));
        assert!(!can_retry(customer, Kind::ChangeEdge, failed, Some(Cause::Timeout)));
        assert!(!can_retry(Role::Admin, Kind::Resize, failed, Some(Cause::Timeout)));
        assert!(!can_retry(customer, Kind::Resize, JobState::Stuck, Some(Cause::Timeout)));
        assert!(can_give_up(customer, Kind::Activate, failed, false));
        assert!(!can_give_up(customer, Kind::Activate, failed, true));
        assert!(!can_give_up(customer, Kind::Reinstall, failed, false));
        assert!(!can_give_up(Role::Support, Kind::Activate, failed, false));
    }

    fn every_subject() -> Vec<Subject> {
        let flags = [false, true];
        let mut all = Vec::new();
        for state in ServerState::ALL {
            for terminating in flags {
                for has_snapshot in flags {
                    for has_password in flags {
                        all.push(Subject { state: *state, terminating, has_snapshot, has_password });
                    }
                }
            }
        }
        all
    }

    /// Every action in every situation is possible or says why not; and whatever an owner may not do now, the owner may do in some
    /// other situation, unless it is staff's or the server is gone: no button is dead for good.
    #[test]
    fn no_button_is_dead() {
        let subjects = every_subject();
        assert_eq!(subjects.len(), ServerState::ALL.len() * 8);
        let possible = |action: Action, role| subjects.iter().any(|s| can_server(action, role, *s).is_ok());
        for action in Action::ALL {
            let owner = if *action == Action::ChangeEdge { Role::Admin } else { Role::Customer };
            assert!(possible(*action, owner), "{action} is never possible");
            for role in Role::ALL.iter().filter(|role| **role != owner) {
                assert!(!possible(*action, *role), "{role} may {action}");
            }
            for subject in &subjects {
                let gone = matches!(subject.state, ServerState::Terminated | ServerState::Terminating);
                let verdict = can_server(*action, owner, *subject);
                match verdict {
                    // What is gone, or going, is left alone.
                    Ok(()) => assert!(!gone && !subject.terminating, "{action} on {subject:?}"),
                    Err(Denial::Terminated | Denial::Terminating) => {
                        assert!(gone || subject.terminating, "{action} on {subject:?}");
                    }
                    Err(denial) => {
                        let about_roles = matches!(denial, Denial::ReadsOnly | Denial::StaffOnly);
                        assert!(!about_roles, "{action} on {subject:?} is the owner's: {denial}");
                    }
                }
            }
        }
        for action in PowerAction::ALL {
            assert!(subjects.iter().any(|s| can_power(*action, Role::Customer, *s).is_ok()), "{action}");
            for subject in &subjects {
                if can_power(*action, Role::Customer, *subject).is_ok() {
                    assert!(!subject.terminating, "{action} on {subject:?}");
                }
                assert!(can_power(*action, Role::Support, *subject).is_err());
            }
        }
        for kind in Kind::ALL {
            for state in JobState::ALL {
                let verdict = can_cancel(Role::Customer, *kind, *state);
                let staffs = matches!(kind, Kind::ChangeEdge | Kind::Migrate);
                assert_eq!(verdict.is_ok(), state.is_waiting() && !staffs, "{kind} {state}");
                assert!(can_cancel(Role::Support, *kind, *state).is_err());
            }
        }
    }
}
