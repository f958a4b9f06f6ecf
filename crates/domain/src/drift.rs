//! What can be otherwise than it should: seen on the platform or inside a guest.

use crate::kind::closed_list;

closed_list! {
    DriftKind {
        /// The server's machine is not there.
        MachineMissing = "machine-missing",
        /// Its network is not there.
        NetworkMissing = "network-missing",
        /// Processors, memory or disk.
        Size = "size",
        /// The address of the platform's card.
        Address = "address",
        /// The speed of the edge.
        Speed = "speed",
        /// "Change password at first log-in" is set.
        FirstLogin = "first-login",
        /// The name that the guest calls itself.
        Hostname = "hostname",
        /// The address that the guest uses.
        GuestAddress = "guest-address",
        /// A machine, a network or a group that no row owns.
        OrphanMachine = "orphan-machine",
        OrphanNetwork = "orphan-network",
        OrphanGroup = "orphan-group",
    }
}

/// How what is otherwise is put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// At once: nobody inside notices.
    AtOnce,
    /// By the next restart of the server.
    NextRestart,
    /// Staff decide.
    Staff,
}

impl DriftKind {
    pub const fn remedy(self) -> Remedy {
        match self {
            Self::Address | Self::Speed | Self::FirstLogin => Remedy::AtOnce,
            Self::Hostname | Self::GuestAddress => Remedy::NextRestart,
            Self::MachineMissing
            | Self::NetworkMissing
            | Self::Size
            | Self::OrphanMachine
            | Self::OrphanNetwork
            | Self::OrphanGroup => Remedy::Staff,
        }
    }

    /// It counts once it was seen so often: what is being made or moved is not missing.
    pub const fn counts_after(self) -> i64 {
        match self {
            Self::MachineMissing
            | Self::NetworkMissing
            | Self::OrphanMachine
            | Self::OrphanNetwork
            | Self::OrphanGroup => 2,
            _ => 1,
        }
    }

    /// What is seen may become what is wanted.
    pub const fn can_be_accepted(self) -> bool {
        matches!(self, Self::Size | Self::Speed | Self::Hostname)
    }
}
