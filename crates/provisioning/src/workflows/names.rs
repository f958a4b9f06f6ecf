//! The names under which things are made in the cloud and found again: known before any of them is there, and the same
//! from whichever side one comes, a workflow or the observer.

use domain::{CustomerId, ServerId};

pub(crate) fn network_name(server: ServerId) -> String {
    format!("net-{server}")
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
