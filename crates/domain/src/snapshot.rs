//! What can be done with a server's snapshot.

use crate::{kind::closed_list, permission::Action};

closed_list! {
    SnapshotAction {
        /// Takes one; it replaces the one there is.
        Create = "create",
        /// Goes back to it: what was written since is lost, and the server is off.
        Revert = "revert",
        Remove = "remove",
    }
}

impl SnapshotAction {
    pub const fn action(self) -> Action {
        match self {
            Self::Create => Action::SnapshotCreate,
            Self::Revert => Action::SnapshotRevert,
            Self::Remove => Action::SnapshotRemove,
        }
    }
}
