//! What can be done to a server's power, and when.

use crate::{kind::closed_list, permission::Denial, state::ServerState};

closed_list! {
    PowerAction {
        Start = "start",
        /// The guest is asked to shut down.
        ShutDown = "shut_down",
        /// The guest is asked to restart.
        Reboot = "reboot",
        /// As by its button.
        Reset = "reset",
        /// As by its plug.
        ForceOff = "force_off",
    }
}

impl PowerAction {
    /// What it does is done without a second question: nothing is lost by it.
    pub const fn is_harmless(self) -> bool {
        matches!(self, Self::Start)
    }

    /// Whether the server is on afterwards.
    pub const fn leaves_on(self) -> bool {
        !matches!(self, Self::ShutDown | Self::ForceOff)
    }

    /// Whether a server in this state can have it done.
    pub const fn allowed_in(self, state: ServerState) -> Result<(), Denial> {
        match state {
            ServerState::Ordered | ServerState::Creating | ServerState::Failed => Err(Denial::NotReady),
            ServerState::Terminating => Err(Denial::Terminating),
            ServerState::Terminated => Err(Denial::Terminated),
            ServerState::Running if matches!(self, Self::Start) => Err(Denial::AlreadyRunning),
            ServerState::Stopped if !matches!(self, Self::Start) => Err(Denial::NotRunning),
            ServerState::Running | ServerState::Stopped | ServerState::Unknown => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_done_when() {
        use PowerAction::{ForceOff, Reboot, Reset, ShutDown, Start};
        for action in [ShutDown, Reboot, Reset, ForceOff] {
            assert_eq!(action.allowed_in(ServerState::Running), Ok(()));
            assert_eq!(action.allowed_in(ServerState::Stopped), Err(Denial::NotRunning));
        }
        assert_eq!(Start.allowed_in(ServerState::Stopped), Ok(()));
        assert_eq!(Start.allowed_in(ServerState::Running), Err(Denial::AlreadyRunning));
        for action in PowerAction::ALL {
            // Nobody knows what it is doing: whatever is asked for makes it known again.
            assert_eq!(action.allowed_in(ServerState::Unknown), Ok(()));
            assert_eq!(action.allowed_in(ServerState::Creating), Err(Denial::NotReady));
            assert_eq!(action.allowed_in(ServerState::Terminating), Err(Denial::Terminating));
        }
    }
}
