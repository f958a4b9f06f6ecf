//! The names under which things are made in the cloud and found again: known before any of them is there, and the same
//! from whichever side one comes, a workflow or the observer.

use domain::{CustomerId, ServerId};
use store::servers::Server;

/// The network that a server is on.
pub(crate) fn network_of(s: &Server) -> String {
    network_name(s.id, s.network_turn)
}

/// The network that a server goes to when it changes its edge. Beside the one it is on: so it has a name of its own.
pub(super) fn next_network_of(s: &Server) -> String {
    network_name(s.id, s.network_turn + 1)
}

/// The network of a server that has changed its edge so many times.
pub(super) fn network_name(server: ServerId, turn: i64) -> String {
    if turn == 0 { format!("net-{server}") } else { format!("net-{server}-{turn}") }
}

/// Whose network bears this name, or did.
pub(crate) fn server_of_network(name: &str) -> Option<ServerId> {
    name.strip_prefix("net-")?.get(..36)?.parse().ok()
}

pub(crate) fn machine_name(server: ServerId) -> String {
    format!("vds-{server}")
}

/// Whose machine bears this name.
pub(crate) fn server_of_machine(name: &str) -> Option<ServerId> {
    name.strip_prefix("vds-")?.parse().ok()
}

pub(crate) fn group_name(customer: CustomerId) -> String {
    format!("cust-{customer}")
}

/// The group that takes a customer's servers over when one of them goes.
pub(crate) fn next_group_name(customer: CustomerId) -> String {
    format!("{}-next", group_name(customer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_says_whose_it_is_whichever_turn_it_is() {
        let server = ServerId(uuid::Uuid::from_u128(7));
        for turn in [0, 1, 12] {
            assert_eq!(server_of_network(&network_name(server, turn)), Some(server));
        }
        assert_eq!(server_of_network("net-office"), None);
        assert_ne!(network_name(server, 0), network_name(server, 1));
    }
}
