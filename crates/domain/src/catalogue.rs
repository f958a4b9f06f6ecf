//! What can be ordered. The values are the operator's data; this module gives them a shape and checks it.

use serde::{Deserialize, Serialize};

use crate::{
    panel::{self, Panel},
    price::PriceList,
    size::Size,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    Linux,
    Windows,
}

/// How the vendor stands behind a version. A label: it decides nothing but whether panels are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Stable,
    Old,
    New,
}

impl Channel {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Old => "old",
            Self::New => "new",
        }
    }
}

/// An orderable OS image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Stable key in addresses and rows, for example `almalinux-9`.
    pub id: String,
    /// As people know it, for example `AlmaLinux 9`.
    pub name: String,
    pub family: Family,
    pub channel: Channel,
    /// The name under which the platform's catalogue holds it.
    pub platform_name: String,
    /// Last day of vendor support, ISO date, if it is known.
    pub supported_until: Option<String>,
    pub min_vcpu: u32,
    pub min_ram_gb: u32,
    /// The image's own disk: the floor of what can be ordered.
    pub min_disk_gb: u32,
    /// Monthly licence price in minor units.
    #[serde(default)]
    pub licence_minor: i64,
    /// Ordered no more. Servers that were made from it are resized by its limits and its price.
    #[serde(default)]
    pub withdrawn: bool,
}

/// The limits of one parameter, and how it may be typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    pub min: u32,
    pub max: u32,
    pub step: u32,
}

/// A named size that fills the four free parameters; they stay free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preset {
    pub id: String,
    #[serde(flatten)]
    pub size: Size,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    pub vcpu: Range,
    pub ram_gb: Range,
    pub disk_gb: Range,
    /// Offered speeds in Mbit/s, ascending.
    pub bandwidth_mbit: Vec<u32>,
    /// Id of the template a new draft starts with.
    pub default_template: String,
    pub presets: Vec<Preset>,
    pub prices: PriceList,
    pub templates: Vec<Template>,
    /// Control panels; none where nothing is said.
    #[serde(default)]
    pub panels: Vec<Panel>,
}

impl Catalogue {
    pub fn template(&self, id: &str) -> Option<&Template> {
        self.templates.iter().find(|t| t.id == id)
    }

    /// What can be ordered.
    pub fn offered(&self) -> impl Iterator<Item = &Template> {
        self.templates.iter().filter(|t| !t.withdrawn)
    }

    /// A template that can be ordered.
    pub fn offer(&self, id: &str) -> Option<&Template> {
        self.offered().find(|t| t.id == id)
    }

    /// The limits of a parameter for one template: never below what its image, or the panel on it, needs.
    pub fn limits(&self, template: &Template, panel: Option<&Panel>) -> Limits {
        let panel_ram = panel.map_or(0, |p| p.min_ram_gb_on(template.family));
        let panel_disk = panel.map_or(0, |p| p.min_disk_gb);
        let from = |range: Range, least: u32| Range { min: range.min.max(least), ..range };
        Limits {
            vcpu: from(self.vcpu, template.min_vcpu),
            ram_gb: from(self.ram_gb, template.min_ram_gb.max(panel_ram)),
            disk_gb: from(self.disk_gb, template.min_disk_gb.max(panel_disk)),
        }
    }

    /// The first preset, lifted to what the template needs.
    pub fn default_size(&self, template: &Template) -> Size {
        let limits = self.limits(template, None);
        let size =
            self.presets.first().map_or(
                Size { vcpu: 0, ram_gb: 0, disk_gb: 0, bandwidth_mbit: self.bandwidth_mbit[0] },
                |p| p.size,
            );
        limits.lift(size)
    }

    /// What makes this catalogue unusable, as a sentence for the operator.
    pub fn check(&self) -> Result<(), String> {
        if self.offer(&self.default_template).is_none() {
            return Err(format!(
                "default_template {:?} is not among the templates that are offered",
                self.default_template
            ));
        }
        if self.bandwidth_mbit.is_empty() {
            return Err("bandwidth_mbit lists no speed".into());
        }
        if let Some(missing) = self.bandwidth_mbit.iter().find(|b| !self.prices.has_bandwidth(**b)) {
            return Err(format!("prices.bandwidth has no price for {missing} Mbit/s"));
        }
        for (name, range) in [("vcpu", self.vcpu), ("ram_gb", self.ram_gb), ("disk_gb", self.disk_gb)] {
            if range.step == 0 || range.min > range.max {
                return Err(format!("{name}: step must be positive and min not above max"));
            }
        }
        for (i, t) in self.templates.iter().enumerate() {
            if self.templates[..i].iter().any(|other| other.id == t.id) {
                return Err(format!("template {:?} is listed twice", t.id));
            }
        }
        panel::check(self)
    }
}

/// The limits of the three numeric parameters for one template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    pub vcpu: Range,
    pub ram_gb: Range,
    pub disk_gb: Range,
}

impl Limits {
    /// Raises each parameter to its minimum.
    pub fn lift(&self, size: Size) -> Size {
        Size {
            vcpu: size.vcpu.max(self.vcpu.min),
            ram_gb: size.ram_gb.max(self.ram_gb.min),
            disk_gb: size.disk_gb.max(self.disk_gb.min),
            ..size
        }
    }
}
