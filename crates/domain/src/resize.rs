//! What a change of size means for a server that is there: done while it runs, with a restart, or not at all.

use crate::{kind::closed_list, size::Size};

/// What is known of a server that matters for its size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Growth {
    pub on: bool,
    /// vCPUs can be added while it runs.
    pub cpu_hot_add: bool,
    /// Memory can.
    pub ram_hot_add: bool,
    /// Its disk has a snapshot.
    pub has_snapshot: bool,
}

closed_list! {
    /// Why a parameter cannot be changed so. The text of each is `resize-{reason}`.
    Impossible {
        /// Shrinking would destroy data.
        DiskShrinks = "disk-shrinks",
        /// A disk with a snapshot stays as it is.
        SnapshotInTheWay = "snapshot-in-the-way",
    }
}

/// What one parameter's change means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It stays as it is.
    None,
    /// Nobody inside notices.
    Live,
    /// The server is shut down for it and started again.
    Restart,
    Impossible(Impossible),
}

/// The effect of a change, for each of the four parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effects {
    pub vcpu: Effect,
    pub ram: Effect,
    pub disk: Effect,
    pub bandwidth: Effect,
}

impl Effects {
    pub const fn all(self) -> [Effect; 4] {
        [self.vcpu, self.ram, self.disk, self.bandwidth]
    }

    pub fn is_nothing(self) -> bool {
        self.all().iter().all(|e| *e == Effect::None)
    }

    /// One restart serves all that need one.
    pub fn restarts(self) -> bool {
        self.all().contains(&Effect::Restart)
    }

    pub fn impossible(self) -> Option<Impossible> {
        self.all().into_iter().find_map(|e| match e {
            Effect::Impossible(why) => Some(why),
            _ => None,
        })
    }

    /// Only the speed of the network changes: the machine is not touched.
    pub fn is_bandwidth_alone(self) -> bool {
        self.bandwidth != Effect::None && [self.vcpu, self.ram, self.disk] == [Effect::None; 3]
    }
}

/// What it takes to bring a server from one size to another. More processors or memory can be added while it runs where
/// the platform says so, fewer never; a disk only grows.
pub fn effects(now: Size, wanted: Size, growth: Growth) -> Effects {
    let sized = |now: u32, wanted: u32, hot: bool| match wanted.cmp(&now) {
        std::cmp::Ordering::Equal => Effect::None,
        _ if !growth.on => Effect::Live,
        std::cmp::Ordering::Greater if hot => Effect::Live,
        _ => Effect::Restart,
    };
    let disk = match wanted.disk_gb.cmp(&now.disk_gb) {
        std::cmp::Ordering::Equal => Effect::None,
        std::cmp::Ordering::Less => Effect::Impossible(Impossible::DiskShrinks),
        std::cmp::Ordering::Greater if growth.has_snapshot => {
            Effect::Impossible(Impossible::SnapshotInTheWay)
        }
        std::cmp::Ordering::Greater => Effect::Live,
    };
    Effects {
        vcpu: sized(now.vcpu, wanted.vcpu, growth.cpu_hot_add),
        ram: sized(now.ram_gb, wanted.ram_gb, growth.ram_hot_add),
        disk,
        bandwidth: if now.bandwidth_mbit == wanted.bandwidth_mbit { Effect::None } else { Effect::Live },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Size = Size { vcpu: 2, ram_gb: 4, disk_gb: 40, bandwidth_mbit: 100 };

    fn to(change: impl FnOnce(&mut Size), growth: Growth) -> Effects {
        let mut wanted = NOW;
        change(&mut wanted);
        effects(NOW, wanted, growth)
    }

    #[test]
    fn each_parameter_on_its_own() {
        let cold = Growth { on: true, ..Growth::default() };
        let hot = Growth { cpu_hot_add: true, ram_hot_add: true, ..cold };
        let off = Growth::default();
        assert!(to(|_| {}, cold).is_nothing());
        assert_eq!(to(|s| s.vcpu = 4, hot).vcpu, Effect::Live);
        assert_eq!(to(|s| s.vcpu = 4, cold).vcpu, Effect::Restart);
        assert_eq!(to(|s| s.vcpu = 1, hot).vcpu, Effect::Restart, "fewer never while it runs");
        assert_eq!(to(|s| s.vcpu = 1, off).vcpu, Effect::Live);
        assert_eq!(to(|s| s.ram_gb = 8, hot).ram, Effect::Live);
        assert_eq!(to(|s| s.ram_gb = 2, off).ram, Effect::Live);
        assert_eq!(to(|s| s.disk_gb = 50, cold).disk, Effect::Live);
        assert_eq!(to(|s| s.disk_gb = 30, off).impossible(), Some(Impossible::DiskShrinks));
        let kept = Growth { has_snapshot: true, ..hot };
        assert_eq!(to(|s| s.disk_gb = 50, kept).impossible(), Some(Impossible::SnapshotInTheWay));
        assert_eq!(to(|s| s.vcpu = 4, kept).impossible(), None, "the snapshot is of the disk");
        let speed = to(|s| s.bandwidth_mbit = 300, cold);
        assert!(speed.is_bandwidth_alone() && !speed.restarts());
    }

    #[test]
    fn one_restart_serves_all() {
        let growth = Growth { on: true, ram_hot_add: true, ..Growth::default() };
        let all = to(|s| *s = Size { vcpu: 4, ram_gb: 8, disk_gb: 80, bandwidth_mbit: 300 }, growth);
        assert_eq!(all.all(), [Effect::Restart, Effect::Live, Effect::Live, Effect::Live]);
        assert!(all.restarts() && !all.is_bandwidth_alone());
    }
}
