//! How long everything takes, as data: the table that is printed beside a measured figure.

use serde::Serialize;

/// One row: an operation over `n` things, of which so many are worked on side by side, takes
/// `base_ms + ceil(n / at_once) * each_ms` of cloud time.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Takes {
    pub operation: &'static str,
    /// What `n` counts.
    pub counts: &'static str,
    pub base_ms: i64,
    pub each_ms: i64,
    pub at_once: usize,
}

const fn takes(operation: &'static str, counts: &'static str, base_ms: i64, each_ms: i64) -> Takes {
    Takes { operation, counts, base_ms, each_ms, at_once: 1 }
}

/// Several machines of one change are copied side by side: submitting them together is how the platform's own pages deploy
/// in parallel within a vApp (the provider's maintainers, vmware/terraform-provider-vcd#683). How many at once is a guess:
/// the eight copies that one host of vSphere makes at a time.
const fn copies(operation: &'static str, base_ms: i64, each_ms: i64) -> Takes {
    Takes { operation, counts: "machines", base_ms, each_ms, at_once: 8 }
}

/// The defaults make an order of one server 3 to 5 minutes, as the original system saw it.
pub const DURATIONS: &[Takes] = &[
    takes("networkCreateOrgVdcNetwork", "", 8_000, 0),
    takes("networkDelete", "", 8_000, 0),
    takes("networkUpdateNetwork", "", 6_000, 0),
    takes("orgVdcGatewayCreate", "", 12_000, 0),
    takes("orgVdcGatewayUpdate", "", 4_000, 0),
    takes("orgVdcGatewayDelete", "", 8_000, 0),
    takes("vdcComposeVapp", "networks", 4_500, 500),
    takes("vdcUpdateVapp", "", 3_000, 0),
    takes("vdcUpdateVappNetworkSection", "", 5_000, 0),
    copies("vdcRecomposeVapp copy", 50_000, 25_000),
    takes("vdcRecomposeVapp move", "machines", 5_000, 4_000),
    takes("vdcRecomposeVapp delete", "machines", 4_000, 4_000),
    copies("vdcInstantiateVapp", 55_000, 25_000),
    copies("vdcCopyVapp", 55_000, 25_000),
    takes("vdcDeleteVapp", "machines", 6_000, 2_000),
    takes("vappDeleteVm", "", 8_000, 0),
    takes("vappUpdateVm size", "", 8_000, 0),
    takes("vappUpdateVm section", "", 3_000, 0),
    takes("vappDeploy", "machines", 8_000, 4_000),
    takes("vappPowerOff", "machines", 4_000, 2_000),
    takes("vappUndeployPowerOff", "machines", 8_000, 4_000),
    takes("vappSuspend", "machines", 10_000, 5_000),
    takes("vappUndeploySuspend", "machines", 12_000, 5_000),
    takes("vappReset", "machines", 3_000, 1_000),
    takes("vappRebootGuest", "machines", 6_000, 1_000),
    takes("vappShutdownGuest", "machines", 15_000, 1_000),
    takes("vappCreateSnapshot", "machines", 8_000, 4_000),
    takes("vappRevertToCurrentSnapshot", "machines", 10_000, 4_000),
    takes("vappRemoveAllSnapshots", "machines", 12_000, 8_000),
    takes("metadataUpdate", "", 1_000, 0),
    takes("guest first boot", "", 68_000, 0),
    takes("guest boot", "", 20_000, 0),
];

/// Cloud ms for an operation over `n` things.
///
/// # Panics
/// Where the table has no such row: an operation without a duration is a mistake in this crate, found by any test.
pub(crate) fn of(operation: &str, n: usize) -> i64 {
    let row = DURATIONS.iter().find(|t| t.operation == operation);
    let row = row.unwrap_or_else(|| panic!("the table of durations has no {operation:?}"));
    row.base_ms + row.each_ms * n.div_ceil(row.at_once) as i64
}

/// The table as text, for `slipway sim --durations`.
pub fn durations_text() -> String {
    let mut out = String::from("operation                          base ms   each ms   counts     at once\n");
    for t in DURATIONS {
        let at_once = if t.counts.is_empty() { String::new() } else { t.at_once.to_string() };
        out.push_str(&format!(
            "{:<34} {:>7}   {:>7}   {:<10} {at_once}\n",
            t.operation, t.base_ms, t.each_ms, t.counts
        ));
    }
    out
}
