//! The states of the things people look at. Each is a closed list with one text form.

use crate::kind::closed_list;

closed_list! {
    Role { Customer = "customer", Support = "support", Admin = "admin" }
}

impl Role {
    pub const fn is_staff(self) -> bool {
        matches!(self, Self::Support | Self::Admin)
    }
}

closed_list! {
    /// Every transition between these is one conditional statement and one event (queue.md §4).
    JobState {
        Queued = "queued",
        Running = "running",
        RetryWait = "retry_wait",
        /// Waits for something that its own queue cannot bring: a free edge.
        Parked = "parked",
        Failed = "failed",
        RollingBack = "rolling_back",
        RolledBack = "rolled_back",
        Stuck = "stuck",
        Succeeded = "succeeded",
        Cancelled = "cancelled",
    }
}

impl JobState {
    /// A worker has begun it and nobody has ended it.
    pub const fn is_started(self) -> bool {
        matches!(self, Self::Running | Self::RetryWait | Self::RollingBack)
    }

    /// Nobody has begun it: it waits its turn, or for an edge.
    pub const fn is_waiting(self) -> bool {
        matches!(self, Self::Queued | Self::Parked)
    }

    /// It is going somewhere by itself: pages showing it keep refreshing.
    pub const fn is_moving(self) -> bool {
        self.is_waiting() || self.is_started()
    }

    /// Nothing more will happen to it unless somebody of the staff acts.
    pub const fn is_over(self) -> bool {
        !self.is_moving()
    }
}

closed_list! {
    StepState {
        Pending = "pending",
        Running = "running",
        RetryWait = "retry_wait",
        Done = "done",
        Failed = "failed",
        Skipped = "skipped",
        Undone = "undone",
    }
}

closed_list! {
    /// What a server is, as far as we know; what is being done to it is told by its jobs.
    ServerState {
        Ordered = "ordered",
        Creating = "creating",
        Running = "running",
        Stopped = "stopped",
        Terminating = "terminating",
        Terminated = "terminated",
        Failed = "failed",
        Unknown = "unknown",
    }
}

closed_list! {
    EdgeState {
        Free = "free",
        Claimed = "claimed",
        Bound = "bound",
        Draining = "draining",
        Quarantined = "quarantined",
    }
}
