//! Behaviour that is inferred, not proven, about the real platform: each point can be set the other way.

use serde::{Deserialize, Serialize};

/// Changed at the start by `--knob name=value`, later by `POST /sim/knobs`. Unnamed ones keep their value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// A change of size is refused unless the guest customization asks for a password change at first login.
    pub resize_needs_first_login_flag: bool,
    /// A machine that is moved to another vApp keeps its id. Otherwise it gets a new one.
    pub move_keeps_id: bool,
    /// Bodies whose elements stand out of the schema's order are refused.
    pub strict_order: bool,
    /// A network may leave a vApp that is running, as it could before API 37.1.
    pub network_leaves_running_vapp: bool,
    /// How long an edge's count of networks, and a record's, shows the old value: cloud ms.
    pub count_lag_ms: i64,
    /// How long a network stays `CONFIGURING` after its task has succeeded: cloud ms.
    pub realize_lag_ms: i64,
    /// And up to so much longer: cloud ms, by chance.
    pub realize_lag_jitter_ms: i64,
    /// Tasks one user may have under way; 0 is no limit.
    pub operation_limit: usize,
    /// How long a finished task can be read: cloud ms.
    pub task_expiry_ms: i64,
    /// Machines the VDC may hold; 0 is no limit.
    pub vm_quota: usize,
    /// Networks the VDC may hold; 0 is no limit.
    pub network_quota: usize,
    /// Tenants may read the list of speed profiles.
    pub tenants_see_speed_profiles: bool,
    /// A finished network shows its count on the edge up to so much later still: cloud ms, by chance.
    pub count_lag_jitter_ms: i64,
    /// `powerOn` and `deploy` of a recompose are true where nothing is said, as the schema has it.
    pub power_on_by_default: bool,
    /// A machine with a snapshot keeps its disks as they are.
    pub snapshot_blocks_resize: bool,
    /// A network cannot leave a vApp while a card of a machine, also of one that is off, stands in it.
    pub card_keeps_network: bool,
    /// A recompose holds the machines that it copies from as well, not only those that it moves.
    pub copy_holds_source: bool,
    /// Subnets of two networks may not overlap.
    pub subnets_must_differ: bool,
    /// An address that a machine carries cannot be given to another by hand.
    pub addresses_are_unique: bool,
    /// A speed profile that is not known is refused.
    pub unknown_profile_refused: bool,
    /// A task is queued, and then being prepared, for a twentieth of its time each; otherwise it runs at once.
    pub tasks_queue_first: bool,
    /// Guests report to the platform. Without that a customization stays pending for ever.
    pub guest_tools: bool,
    /// Every customization of a guest ends as `GC_FAILED`.
    pub guest_customization_fails: bool,
    /// Guests do not take up at a start what their properties say.
    pub guest_ignores_properties: bool,
    /// A session ends after so long, however busy it is; its token says when: wall ms.
    pub session_length_ms: u64,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            resize_needs_first_login_flag: true,
            move_keeps_id: true,
            strict_order: true,
            network_leaves_running_vapp: false,
            count_lag_ms: 2_000,
            count_lag_jitter_ms: 3_000,
            power_on_by_default: true,
            snapshot_blocks_resize: true,
            card_keeps_network: true,
            copy_holds_source: true,
            subnets_must_differ: true,
            addresses_are_unique: true,
            unknown_profile_refused: true,
            tasks_queue_first: true,
            realize_lag_ms: 500,
            realize_lag_jitter_ms: 1_500,
            operation_limit: 0,
            task_expiry_ms: 90 * 86_400_000,
            vm_quota: 0,
            network_quota: 0,
            tenants_see_speed_profiles: true,
            guest_tools: true,
            guest_customization_fails: false,
            guest_ignores_properties: false,
            session_length_ms: 86_400_000,
        }
    }
}

impl Knobs {
    /// How long this count lags behind.
    pub(crate) fn lag_ms(&self) -> i64 {
        by_chance(self.count_lag_ms, self.count_lag_jitter_ms)
    }

    /// How long this network is still being configured.
    pub(crate) fn realize_ms(&self) -> i64 {
        by_chance(self.realize_lag_ms, self.realize_lag_jitter_ms)
    }

    /// Sets some of them from a JSON object. An unknown name or a value of another type is refused by name.
    pub fn set(&mut self, changes: &serde_json::Value) -> Result<(), String> {
        let mut all = serde_json::to_value(&*self).map_err(|e| e.to_string())?;
        let (Some(all_map), Some(changes)) = (all.as_object_mut(), changes.as_object()) else {
            return Err("an object of knobs is expected".into());
        };
        for (name, value) in changes {
            all_map.insert(name.clone(), value.clone());
        }
        *self = serde_json::from_value(all).map_err(|e| e.to_string())?;
        Ok(())
    }

    /// Sets one from `name=value`.
    pub fn set_text(&mut self, text: &str) -> Result<(), String> {
        let (name, value) = text.split_once('=').ok_or_else(|| format!("{text:?} is not name=value"))?;
        let value: serde_json::Value =
            value.parse().map_err(|_| format!("{value:?} is no value of a knob"))?;
        self.set(&serde_json::json!({ name: value }))
    }
}

fn by_chance(least: i64, more: i64) -> i64 {
    let random = (uuid::Uuid::new_v4().as_u128() % 1000) as i64;
    least.saturating_add(more.saturating_mul(random) / 1000)
}

#[cfg(test)]
mod tests {
    use super::Knobs;

    #[test]
    fn one_at_a_time_and_by_name() {
        let mut knobs = Knobs::default();
        knobs.set_text("operation_limit=3").unwrap();
        assert_eq!(knobs, Knobs { operation_limit: 3, ..Knobs::default() });
        assert!(knobs.set_text("operation_limits=3").unwrap_err().contains("operation_limits"));
        assert!(knobs.set_text("strict_order=7").is_err());
    }
}
