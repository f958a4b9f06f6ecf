//! The way to a server's screen. No job: a ticket is good once and soon, so it is fetched when the screen is opened, given to
//! whoever opens it, and kept nowhere.

use domain::{
    ServerId,
    permission::{Action, Denial},
};
use store::Result;

use super::{Facade, Viewer};
use crate::provider::{ConsoleTicket, MachineRef, ProviderErrorKind};

/// How a wish for a screen was answered.
#[derive(Debug)]
pub enum ConsoleAnswer {
    Ticket(ConsoleTicket),
    Denied(Denial),
    /// The cloud does not give one right now, or this node has no way to it.
    Unavailable,
    Gone,
}

impl Facade {
    /// A ticket for the screen of a server that runs, for its owner.
    pub async fn server_console(&self, viewer: &Viewer, id: ServerId) -> Result<ConsoleAnswer> {
        let Some(view) = self.server(viewer, id).await?.filter(|v| v.own) else {
            return Ok(ConsoleAnswer::Gone);
        };
        if let Err(denial) = view.can(Action::Console) {
            return Ok(ConsoleAnswer::Denied(denial));
        }
        let (Some(cloud), Some(machine)) = (&self.cloud, view.server.machine_ref.clone().map(MachineRef))
        else {
            return Ok(ConsoleAnswer::Unavailable);
        };
        Ok(match cloud.machine_console(&machine).await {
            Ok(ticket) => ConsoleAnswer::Ticket(ticket),
            // It was turned off since it was last seen.
            Err(e) if matches!(e.kind, ProviderErrorKind::Changed | ProviderErrorKind::Permanent) => {
                ConsoleAnswer::Denied(Denial::NotRunning)
            }
            Err(e) => {
                tracing::warn!(server = %id, "no way to the screen: {e}");
                ConsoleAnswer::Unavailable
            }
        })
    }
}
