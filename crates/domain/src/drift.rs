//! What can be otherwise than it should: seen on the platform or inside a guest.

use std::{fmt, str::FromStr};

use crate::{catalogue::Family, hostname::check_hostname, kind::closed_list, size::Size};

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

    /// It is nobody's.
    pub const fn is_orphan(self) -> bool {
        matches!(self, Self::OrphanMachine | Self::OrphanNetwork | Self::OrphanGroup)
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

    /// What staff may accept of what was seen: nothing that could not have been ordered, nor what is not known.
    pub fn acceptable(self, observed: &str) -> Option<Acceptable> {
        match self {
            Self::Size => observed
                .parse::<Hardware>()
                .ok()
                .filter(|has| has.size(0).is_some())
                .map(Acceptable::Hardware),
            Self::Speed => observed.parse().ok().map(Acceptable::Speed),
            Self::Hostname => check_hostname(observed, Family::Linux).ok().map(Acceptable::Hostname),
            _ => None,
        }
    }
}

/// What becomes what is wanted, if staff say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acceptable {
    Hardware(Hardware),
    /// Mbit/s.
    Speed(u32),
    /// What a guest calls itself: a customer's word, so by the rule of the order form.
    Hostname(String),
}

/// What a machine has, as it is written down and shown: `4 vCPU, 8 GB, 60 GB`, or in megabytes where it is no whole number
/// of gigabytes. Reading what was written gives the same again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hardware {
    pub vcpu: u64,
    pub ram_mb: u64,
    pub disk_mb: u64,
}

impl Hardware {
    pub fn of(size: Size) -> Self {
        let mb = |gb: u32| u64::from(gb) * 1024;
        Self { vcpu: size.vcpu.into(), ram_mb: mb(size.ram_gb), disk_mb: mb(size.disk_gb) }
    }

    /// The same as a size that can be sold, at this speed. `None` where a part is no whole number of gigabytes.
    pub fn size(self, bandwidth_mbit: u32) -> Option<Size> {
        let gb = |mb: u64| mb.is_multiple_of(1024).then(|| u32::try_from(mb / 1024).ok()).flatten();
        Some(Size {
            vcpu: u32::try_from(self.vcpu).ok()?,
            ram_gb: gb(self.ram_mb)?,
            disk_gb: gb(self.disk_mb)?,
            bandwidth_mbit,
        })
    }
}

impl fmt::Display for Hardware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amount =
            |mb: u64| if mb.is_multiple_of(1024) { format!("{} GB", mb / 1024) } else { format!("{mb} MB") };
        write!(f, "{} vCPU, {}, {}", self.vcpu, amount(self.ram_mb), amount(self.disk_mb))
    }
}

/// It is not what [`Hardware`] writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotHardware;

impl FromStr for Hardware {
    type Err = NotHardware;

    fn from_str(text: &str) -> Result<Self, NotHardware> {
        let read = || {
            let mut parts = text.split(", ");
            let amount = |part: &str| match part.split_once(' ')? {
                (n, "GB") => n.parse::<u64>().ok()?.checked_mul(1024),
                (n, "MB") => n.parse().ok(),
                _ => None,
            };
            let vcpu = parts.next()?.strip_suffix(" vCPU")?.parse().ok()?;
            let all = Self { vcpu, ram_mb: amount(parts.next()?)?, disk_mb: amount(parts.next()?)? };
            parts.next().is_none().then_some(all)
        };
        read().ok_or(NotHardware)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for (ram_mb, text) in [(8192, "4 vCPU, 8 GB, 60 GB"), (8704, "4 vCPU, 8704 MB, 60 GB")] {
            let has = Hardware { vcpu: 4, ram_mb, disk_mb: 61_440 };
            assert_eq!(has.to_string(), text);
            assert_eq!(text.parse(), Ok(has));
        }
        for text in [
            "",
            "4 vCPU",
            "4 vCPU, 8 GB",
            "4 vCPU, 8 GB, 60 TB",
            "4 vCPU, 8 GB, 60 GB, 1 GB",
            "x vCPU, 8 GB, 1 GB",
        ] {
            assert_eq!(text.parse::<Hardware>(), Err(NotHardware), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_ordered_cannot_be_accepted() {
        assert_eq!(DriftKind::Speed.acceptable("50"), Some(Acceptable::Speed(50)));
        assert_eq!(DriftKind::Speed.acceptable("unlimited"), None);
        assert_eq!(DriftKind::Hostname.acceptable("web-02"), Some(Acceptable::Hostname("web-02".into())));
        assert_eq!(DriftKind::Hostname.acceptable("<b>web</b>"), None);
        assert_eq!(DriftKind::Size.acceptable("4 vCPU, 8704 MB, 60 GB"), None);
        assert_eq!(DriftKind::Address.acceptable("10.0.0.1"), None);
    }

    #[test]
    fn only_whole_gigabytes_are_sold() {
        let size = Size { vcpu: 4, ram_gb: 8, disk_gb: 60, bandwidth_mbit: 100 };
        assert_eq!(Hardware::of(size).size(100), Some(size));
        assert_eq!(Hardware { ram_mb: 8704, ..Hardware::of(size) }.size(100), None);
    }
}
