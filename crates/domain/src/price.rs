//! What a server costs a month. One function, so that every page and every bill agree.

use serde::{Deserialize, Serialize};

use crate::{catalogue::Template, panel::Panel, size::Size};

/// Monthly prices in minor units (kopecks).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceList {
    /// The day from which these hold, ISO date, if it is known.
    #[serde(default)]
    pub since: Option<String>,
    pub vcpu_minor: i64,
    pub ram_gb_minor: i64,
    pub disk_gb_minor: i64,
    /// Price of each offered speed.
    pub bandwidth: Vec<BandwidthPrice>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BandwidthPrice {
    pub mbit: u32,
    pub minor: i64,
}

impl PriceList {
    pub fn has_bandwidth(&self, mbit: u32) -> bool {
        self.bandwidth.iter().any(|b| b.mbit == mbit)
    }

    fn bandwidth_minor(&self, mbit: u32) -> i64 {
        self.bandwidth.iter().find(|b| b.mbit == mbit).map_or(0, |b| b.minor)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    Vcpu,
    Ram,
    Disk,
    Bandwidth,
    Licence,
    Panel,
}

/// One row of the price table; `unit_minor × quantity = sum_minor`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub item: Item,
    pub quantity: u32,
    pub unit_minor: i64,
    pub sum_minor: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Of one server.
    pub lines: Vec<Line>,
    /// One server per month, minor units.
    pub each_minor: i64,
    /// How many servers.
    pub servers: u32,
    /// All of them per month, minor units.
    pub total_minor: i64,
}

impl Quote {
    /// What of one server's price this is, minor units.
    pub fn of(&self, item: Item) -> i64 {
        self.lines.iter().filter(|l| l.item == item).map(|l| l.sum_minor).sum()
    }

    /// The same for so many servers.
    #[must_use]
    pub fn times(self, servers: u32) -> Self {
        Self { servers, total_minor: self.each_minor * i64::from(servers), ..self }
    }
}

/// Prices one server. A speed has one price of its own (quantity 1), the others are per unit.
pub fn quote(prices: &PriceList, template: &Template, panel: Option<&Panel>, size: Size) -> Quote {
    let line = |item, quantity: u32, unit_minor: i64| Line {
        item,
        quantity,
        unit_minor,
        sum_minor: unit_minor * i64::from(quantity),
    };
    let mut lines = vec![
        line(Item::Vcpu, size.vcpu, prices.vcpu_minor),
        line(Item::Ram, size.ram_gb, prices.ram_gb_minor),
        line(Item::Disk, size.disk_gb, prices.disk_gb_minor),
        line(Item::Bandwidth, 1, prices.bandwidth_minor(size.bandwidth_mbit)),
    ];
    if template.licence_minor > 0 {
        lines.push(line(Item::Licence, 1, template.licence_minor));
    }
    if let Some(panel) = panel {
        lines.push(line(Item::Panel, 1, panel.licence_minor));
    }
    let each_minor = lines.iter().map(|l| l.sum_minor).sum();
    Quote { lines, each_minor, servers: 1, total_minor: each_minor }
}
