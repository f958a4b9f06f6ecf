//! Control panels: which runs on which system, and why another does not.
//!
//! What fits is the operator's data, read from either end: which panels a system takes, which systems a panel runs on. How a
//! panel gets onto a server is not here.

use serde::{Deserialize, Serialize};

use crate::{
    catalogue::{Catalogue, Channel, Family, Template},
    field::{Code, Field, FieldError},
};

/// A panel that can be ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// Stable key in addresses, rows and playbooks: `cpanel`.
    pub id: String,
    /// As people know it: `cPanel`.
    pub name: String,
    /// Ids of the templates that it runs on. A template on the channel `New` is never one of them, whatever stands here.
    pub templates: Vec<String>,
    pub min_ram_gb: u32,
    pub min_disk_gb: u32,
    /// More memory than that where the system is Windows.
    #[serde(default)]
    pub min_ram_gb_windows: u32,
    /// Monthly licence price in minor units.
    pub licence_minor: i64,
    /// How many licences there are in all; any number where nothing is said.
    #[serde(default)]
    pub licences: Option<u32>,
    /// Where its installer is fetched from by the server itself, and what that is told.
    pub installer: String,
    #[serde(default)]
    pub arguments: Vec<String>,
    /// The same on Windows, where it is another one.
    #[serde(default)]
    pub windows_installer: String,
    #[serde(default)]
    pub windows_arguments: Vec<String>,
    /// How long its installation usually takes.
    pub usual_minutes: u32,
    /// Where it is signed in to.
    pub port: u16,
    /// Whether the server's name has to be a full one, like `host.example.com`.
    #[serde(default)]
    pub needs_domain: bool,
    /// First and last day on which it can be ordered, ISO dates; open where nothing is said.
    #[serde(default)]
    pub from: Option<String>,
    #[serde(default)]
    pub until: Option<String>,
}

/// Why a panel is not for a system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "misfit")]
pub enum Misfit {
    /// The system is marked New.
    TooNew,
    /// It runs on these, by name.
    OtherSystems { names: Vec<String> },
    /// It is not offered on this day.
    NotOffered,
}

impl Panel {
    /// Whether it goes onto this system on this day (an ISO date).
    pub fn fits(&self, catalogue: &Catalogue, template: &Template, today: &str) -> Result<(), Misfit> {
        let begun = self.from.as_deref().is_none_or(|from| from <= today);
        let over = self.until.as_deref().is_some_and(|until| until < today);
        if !begun || over {
            return Err(Misfit::NotOffered);
        }
        if template.channel == Channel::New {
            return Err(Misfit::TooNew);
        }
        if !self.templates.contains(&template.id) {
            let names = self.systems(catalogue).map(|t| t.name.clone()).collect();
            return Err(Misfit::OtherSystems { names });
        }
        Ok(())
    }

    /// The same as a refusal of what was chosen.
    pub fn check(&self, catalogue: &Catalogue, template: &Template, today: &str) -> Result<(), FieldError> {
        let refusal = |code| {
            FieldError::new(Field::Panel, code).with("panel", &self.name).with("system", &template.name)
        };
        self.fits(catalogue, template, today).map_err(|misfit| match misfit {
            Misfit::NotOffered => refusal(Code::PanelGone),
            Misfit::TooNew => refusal(Code::PanelNew),
            Misfit::OtherSystems { .. }
                if template.family == Family::Windows
                    && self.systems(catalogue).all(|t| t.family == Family::Linux) =>
            {
                refusal(Code::PanelLinux)
            }
            Misfit::OtherSystems { names } => refusal(Code::PanelSystem).with("systems", names.join(", ")),
        })
    }

    /// The memory that it needs on a system of this family.
    pub fn min_ram_gb_on(&self, family: Family) -> u32 {
        match family {
            Family::Linux => self.min_ram_gb,
            Family::Windows => self.min_ram_gb.max(self.min_ram_gb_windows),
        }
    }

    /// Where its installer comes from on a system of this family, and what that is told.
    pub fn installer_on(&self, family: Family) -> (&String, &Vec<String>) {
        match family {
            Family::Linux => (&self.installer, &self.arguments),
            Family::Windows => (&self.windows_installer, &self.windows_arguments),
        }
    }

    /// Where it is signed in to on a server with this address.
    pub fn url(&self, address: &str) -> String {
        format!("https://{address}:{}", self.port)
    }

    /// The systems that it runs on, in the catalogue's order.
    pub fn systems<'a>(&'a self, catalogue: &'a Catalogue) -> impl Iterator<Item = &'a Template> {
        let runs_on =
            |t: &&Template| !t.withdrawn && t.channel != Channel::New && self.templates.contains(&t.id);
        catalogue.templates.iter().filter(runs_on)
    }
}

impl Catalogue {
    pub fn panel(&self, id: &str) -> Option<&Panel> {
        self.panels.iter().find(|p| p.id == id)
    }

    /// The panels that go onto a system on this day.
    pub fn panels_for<'a>(
        &'a self,
        template: &'a Template,
        today: &'a str,
    ) -> impl Iterator<Item = &'a Panel> {
        self.panels.iter().filter(move |p| p.fits(self, template, today).is_ok())
    }
}

/// What makes the panels of a catalogue unusable, as a sentence for the operator.
pub(crate) fn check(catalogue: &Catalogue) -> Result<(), String> {
    for (i, panel) in catalogue.panels.iter().enumerate() {
        if catalogue.panels[..i].iter().any(|other| other.id == panel.id) {
            return Err(format!("panel {:?} is listed twice", panel.id));
        }
        let windows = |id: &String| catalogue.template(id).is_some_and(|t| t.family == Family::Windows);
        if panel.windows_installer.is_empty() && panel.templates.iter().any(windows) {
            return Err(format!("panel {:?} runs on Windows and says no windows_installer", panel.id));
        }
        if let Some(missing) = panel.templates.iter().find(|id| catalogue.template(id).is_none()) {
            return Err(format!(
                "panel {:?} runs on {missing:?}, which is not among the templates",
                panel.id
            ));
        }
    }
    Ok(())
}
