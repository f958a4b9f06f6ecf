//! What may be done, when, and why not. One table for the server functions and for the buttons.

use crate::{
    kind::closed_list,
    power::PowerAction,
    state::{JobState, Role, ServerState},
};

closed_list! {
    Action { Terminate = "terminate", CancelJob = "cancel_job", Power = "power" }
}

closed_list! {
    /// A refusal that carries its reason. The text of each is `denial-{reason}`.
    Denial {
        ReadsOnly = "reads-only",
        Terminating = "terminating",
        Terminated = "terminated",
        AlreadyStarted = "already-started",
        AlreadyOver = "already-over",
        /// It is not up for the first time yet.
        NotReady = "not-ready",
        AlreadyRunning = "already-running",
        NotRunning = "not-running",
    }
}

/// May `role` start this action on a server in this state? A queue conflict is no denial: the job waits.
pub fn can_server(
    action: Action,
    role: Role,
    state: ServerState,
    terminate_open: bool,
) -> Result<(), Denial> {
    if role.is_staff() {
        return Err(Denial::ReadsOnly);
    }
    match action {
        Action::Terminate => match state {
            ServerState::Terminated => Err(Denial::Terminated),
            ServerState::Terminating => Err(Denial::Terminating),
            _ if terminate_open => Err(Denial::Terminating),
            _ => Ok(()),
        },
        Action::Power if terminate_open => Err(Denial::Terminating),
        Action::CancelJob | Action::Power => Ok(()),
    }
}

/// May `role` have this done to the power of a server in this state?
pub fn can_power(
    action: PowerAction,
    role: Role,
    state: ServerState,
    terminate_open: bool,
) -> Result<(), Denial> {
    can_server(Action::Power, role, state, terminate_open)?;
    action.allowed_in(state)
}

/// May a customer take a request back? Only while nothing has begun.
pub fn can_cancel(role: Role, state: JobState) -> Result<(), Denial> {
    if role.is_staff() {
        return Err(Denial::ReadsOnly);
    }
    match state {
        s if s.is_waiting() => Ok(()),
        s if s.is_moving() => Err(Denial::AlreadyStarted),
        _ => Err(Denial::AlreadyOver),
    }
}
