//! What staff may have done to an edge, and why not. One table for the functions and for the buttons.

use crate::{
    kind::closed_list,
    permission::Denial,
    state::{EdgeState, Role},
};

closed_list! {
    EdgeAction {
        /// A claim whose job is over is given up: the edge goes back to the pool, or stays out of it while a network is on it.
        Release = "release",
        /// A free edge stays out of the pool.
        Quarantine = "quarantine",
        /// One that stayed out comes back.
        Return = "return",
    }
}

/// What the verdict is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdgeSubject {
    pub state: EdgeState,
    /// A job that holds it, or one of the server that it is held for, is not over.
    pub job_lives: bool,
    /// A server that is there stands on it, or is just leaving it.
    pub serves: bool,
    /// The platform has seen networks on it.
    pub networks: bool,
}

/// May `role` have this done to an edge?
pub fn can_edge(action: EdgeAction, role: Role, edge: EdgeSubject) -> Result<(), Denial> {
    if role != Role::Admin {
        return Err(Denial::StaffOnly);
    }
    match (action, edge.state) {
        (_, EdgeState::Bound) => Err(Denial::EdgeInUse),
        (EdgeAction::Release, EdgeState::Claimed | EdgeState::Draining) => match edge {
            EdgeSubject { job_lives: true, .. } => Err(Denial::JobLives),
            EdgeSubject { serves: true, .. } => Err(Denial::EdgeInUse),
            _ => Ok(()),
        },
        (EdgeAction::Release, _) => Err(Denial::EdgeNotClaimed),
        (EdgeAction::Quarantine, EdgeState::Free) => Ok(()),
        (EdgeAction::Quarantine, EdgeState::Quarantined) => Err(Denial::EdgeOutAlready),
        (EdgeAction::Quarantine, _) => Err(Denial::EdgeInUse),
        (EdgeAction::Return, EdgeState::Quarantined) => match edge {
            EdgeSubject { serves: true, .. } | EdgeSubject { job_lives: true, .. } => Err(Denial::EdgeInUse),
            EdgeSubject { networks: true, .. } => Err(Denial::EdgeHasNetwork),
            _ => Ok(()),
        },
        (EdgeAction::Return, _) => Err(Denial::EdgeNotOut),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = (EdgeAction, EdgeSubject)> {
        let flags = (0..8).map(|n| (n & 1 == 1, n & 2 == 2, n & 4 == 4));
        flags.flat_map(|(job_lives, serves, networks)| {
            EdgeState::ALL.iter().flat_map(move |state| {
                let edge = EdgeSubject { state: *state, job_lives, serves, networks };
                EdgeAction::ALL.iter().map(move |action| (*action, edge))
            })
        })
    }

    #[test]
    fn the_pool_is_an_administrators() {
        for (action, edge) in all() {
            assert_eq!(can_edge(action, Role::Support, edge), Err(Denial::StaffOnly));
            assert_eq!(can_edge(action, Role::Customer, edge), Err(Denial::StaffOnly));
        }
    }

    #[test]
    fn no_edge_that_somebody_needs_is_touched() {
        for (action, edge) in all().filter(|(_, e)| e.state == EdgeState::Bound) {
            assert_eq!(can_edge(action, Role::Admin, edge), Err(Denial::EdgeInUse));
        }
        for (action, edge) in all().filter(|(a, e)| e.job_lives && *a != EdgeAction::Quarantine) {
            assert!(can_edge(action, Role::Admin, edge).is_err(), "{action} {edge:?}");
        }
        for (action, edge) in all().filter(|(a, e)| *a == EdgeAction::Return && e.networks) {
            assert!(can_edge(action, Role::Admin, edge).is_err(), "{edge:?}");
        }
    }

    #[test]
    fn each_is_for_its_states() {
        let edge = |state| EdgeSubject { state, job_lives: false, serves: false, networks: false };
        for state in EdgeState::ALL {
            let may = |action| can_edge(action, Role::Admin, edge(*state)).is_ok();
            assert_eq!(may(EdgeAction::Release), matches!(state, EdgeState::Claimed | EdgeState::Draining));
            assert_eq!(may(EdgeAction::Quarantine), *state == EdgeState::Free);
            assert_eq!(may(EdgeAction::Return), *state == EdgeState::Quarantined);
        }
    }
}
