//! Why a step could not be done: the closed list that staff advice is written for.

use crate::kind::closed_list;

closed_list! {
    Cause {
        /// The platform holds the object for another operation.
        PlatformBusy = "platform_busy",
        /// The platform did not answer, or answered that it cannot right now.
        PlatformUnavailable = "platform_unavailable",
        /// The platform refused our credentials.
        PlatformDenied = "platform_denied",
        /// The platform refused the request for good.
        PlatformRefused = "platform_refused",
        /// A task of the platform ended in an error.
        TaskFailed = "task_failed",
        /// A task, or a guest, did not finish in the time allowed.
        Timeout = "timeout",
        /// The request was sent and no answer came: its outcome is being read back.
        OutcomeUnknown = "outcome_unknown",
        /// No edge of the pool is free.
        NoFreeEdge = "no_free_edge",
        /// The template is missing on the platform.
        TemplateMissing = "template_missing",
        /// The guest's customization ended in an error.
        CustomizationFailed = "customization_failed",
        /// The order breaks a rule that held when it was accepted.
        OrderInvalid = "order_invalid",
        /// Other servers share the group: it cannot be taken apart in the short way.
        NotLastServer = "not_last_server",
        /// A neighbour cannot change its group as it is: a snapshot or a question is in the way.
        NotMovable = "not_movable",
        /// The guest does not answer under its address.
        AddressSilent = "address_silent",
        /// The guest does not let in with what was ordered.
        AccessRefused = "access_refused",
        /// The installation of the panel failed on the server.
        PanelFailed = "panel_failed",
        /// What installs panels does not work here.
        InstallerBroken = "installer_broken",
        /// A snapshot is in the way.
        SnapshotInTheWay = "snapshot_in_the_way",
        /// What was done cannot be taken back.
        Irreversible = "irreversible",
        /// Its rows cannot be read by this program.
        Unreadable = "unreadable",
        /// The job began under another shape of its workflow.
        ShapeChanged = "shape_changed",
        /// Our own code panicked in this step.
        Panic = "panic",
        /// Our database could not be read or written.
        Database = "database",
        /// Anything that has no name yet.
        Internal = "internal",
    }
}

impl Cause {
    /// It may be gone at the next try without anybody doing anything.
    pub const fn may_pass(self) -> bool {
        matches!(
            self,
            Self::PlatformBusy
                | Self::PlatformUnavailable
                | Self::TaskFailed
                | Self::Timeout
                | Self::OutcomeUnknown
                | Self::NoFreeEdge
                | Self::AddressSilent
                | Self::Database
        )
    }
}
