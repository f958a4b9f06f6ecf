//! What vCD says, in the words of the port, and the other way round.

use std::{net::Ipv4Addr, str::FromStr};

use vcd::{Effect, ErrorKind, NetworkId};

use crate::provider::{
    Block, Machine, MachineRef, NetworkRef, Obstacle, ProviderError, ProviderErrorKind, Result, TaskRef,
};

/// The block that the operator routes to an edge, as its description says: `routed 198.18.0.8/29`. The first host
/// address is the gateway, the others are for servers.
pub(super) fn routed_block(description: &str) -> Option<Block> {
    let cidr = description.split_whitespace().skip_while(|w| *w != "routed").nth(1)?;
    let (base, prefix) = cidr.split_once('/')?;
    let (base, prefix) = (u32::from(base.parse::<Ipv4Addr>().ok()?), prefix.parse::<u8>().ok()?);
    let size = 1_u32.checked_shl(32 - u32::from(prefix)).filter(|_| (8..=30).contains(&prefix))?;
    let address = |n: u32| Ipv4Addr::from(base + n).to_string();
    Some(Block {
        gateway: address(1),
        prefix_length: prefix,
        first_address: address(2),
        last_address: address(size - 2),
    })
}

/// The platform's computer name takes no dots: it is the first label.
pub(super) fn computer_name(hostname: &str) -> String {
    hostname.split('.').next().unwrap_or(hostname).to_owned()
}

pub(super) fn machine(vm: vcd::Vm) -> Machine {
    Machine {
        machine: MachineRef(vm.id.to_string()),
        on: vm.is_on(),
        deployed: vm.deployed,
        obstacle: match vm.status {
            5 => Some(Obstacle::Question),
            -1 => Some(Obstacle::Broken),
            _ if vm.has_snapshot => Some(Obstacle::Snapshot),
            _ => vm.medium.is_some().then_some(Obstacle::Medium),
        },
        addresses: vm.addresses().map(str::to_owned).collect(),
        network: vm.nics.first().map(|n| n.network.clone()),
        cpu_hot_add: vm.capabilities.is_some_and(|c| c.cpu_hot_add),
        ram_hot_add: vm.capabilities.is_some_and(|c| c.memory_hot_add),
        has_snapshot: vm.has_snapshot,
        name: vm.name,
        vcpu: vm.cpus,
        ram_mb: vm.memory_mb,
        disk_mb: vm.disks.first().map_or(0, |d| d.size_mb),
    }
}

pub(super) fn named<'n>(networks: &[(&'n str, &NetworkRef)]) -> Result<Vec<(&'n str, NetworkId)>> {
    networks.iter().map(|(name, network)| Ok((*name, id(&network.0)?))).collect()
}

pub(super) fn task(id: vcd::TaskId) -> TaskRef {
    TaskRef(id.to_string())
}

pub(super) fn id<T: FromStr<Err = vcd::ParseIdError>>(text: &str) -> Result<T> {
    text.parse()
        .map_err(|e: vcd::ParseIdError| ProviderError::new(ProviderErrorKind::Permanent, e.to_string()))
}

pub(super) fn error(e: vcd::Error) -> ProviderError {
    let kind = match (&e.kind, e.effect) {
        (ErrorKind::Busy { .. }, _) => ProviderErrorKind::Busy,
        (ErrorKind::Limit, _) => ProviderErrorKind::Quota,
        (ErrorKind::NotFound, _) => ProviderErrorKind::NotFound,
        // Forbidden is also what is gone.
        (ErrorKind::NotRunning | ErrorKind::State | ErrorKind::Forbidden, _) => ProviderErrorKind::Changed,
        (ErrorKind::Denied, _) => ProviderErrorKind::Denied,
        (ErrorKind::TaskFailed, _) => ProviderErrorKind::TaskFailed,
        (ErrorKind::Timeout, _) => ProviderErrorKind::Timeout,
        (ErrorKind::Service | ErrorKind::Transport | ErrorKind::Protocol, Effect::MaybeDone) => {
            ProviderErrorKind::UnknownOutcome
        }
        (ErrorKind::Service | ErrorKind::Transport, _) => ProviderErrorKind::Transient,
        _ => ProviderErrorKind::Permanent,
    };
    ProviderError::new(kind, e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_say_whether_another_look_helps() {
        let kind = |kind, effect| {
            let message = String::new();
            error(vcd::Error { kind, effect, message, request_id: None, retry_after: None }).kind
        };
        for changed in [ErrorKind::NotRunning, ErrorKind::State, ErrorKind::Forbidden] {
            assert_eq!(kind(changed, Effect::Refused), ProviderErrorKind::Changed);
        }
        assert_eq!(kind(ErrorKind::Invalid, Effect::Refused), ProviderErrorKind::Permanent);
        assert_eq!(kind(ErrorKind::Service, Effect::MaybeDone), ProviderErrorKind::UnknownOutcome);
        assert_eq!(kind(ErrorKind::Service, Effect::Refused), ProviderErrorKind::Transient);
    }

    #[test]
    fn a_block_is_read_from_the_description() {
        let block = routed_block("rack 4, routed 198.18.0.8/29").unwrap();
        assert_eq!(block.gateway, "198.18.0.9");
        assert_eq!(
            (block.first_address.as_str(), block.last_address.as_str()),
            ("198.18.0.10", "198.18.0.14")
        );
        for bad in ["", "routed", "routed 198.18.0.8", "routed 198.18.0.8/31", "routed x/29"] {
            assert_eq!(routed_block(bad), None, "{bad:?}");
        }
    }
}
