//! The operator's catalogue, read from its file.

use domain::catalogue::Catalogue;

/// The catalogue of the demo.
pub fn demo_catalogue() -> Result<Catalogue, String> {
    read_catalogue(include_str!("../catalogue/demo.toml"))
}

/// Reads a catalogue. What is wrong with it is a sentence that names it.
pub fn read_catalogue(text: &str) -> Result<Catalogue, String> {
    let catalogue: Catalogue = toml::from_str(text).map_err(|e| e.to_string())?;
    catalogue.check()?;
    Ok(catalogue)
}

#[cfg(test)]
mod tests {
    use domain::{
        catalogue::{Channel, Family},
        panel::{Misfit, Panel},
    };

    use super::*;

    const TODAY: &str = "2026-11-25";

    #[test]
    fn the_demo_catalogue_is_in_order() {
        let catalogue = demo_catalogue().unwrap();
        assert_eq!(catalogue.templates.len(), 9);
        for template in &catalogue.templates {
            let size = catalogue.default_size(template);
            assert!(
                domain::price::quote(&catalogue.prices, template, None, size).total_minor > 0,
                "{}",
                template.id
            );
        }
    }

    /// Which panel runs where, from both ends, as it was laid down.
    #[test]
    fn panels_run_where_they_run() {
        let catalogue = demo_catalogue().unwrap();
        let runs_on = |id: &str| -> Vec<String> {
            catalogue.panel(id).unwrap().systems(&catalogue).map(|t| t.name.clone()).collect()
        };
        assert_eq!(runs_on("cpanel"), ["AlmaLinux 8", "CentOS 7", "Ubuntu 20.04"]);
        assert_eq!(runs_on("plesk").len(), 9);
        let linux = catalogue.templates.iter().filter(|t| t.family == Family::Linux).map(|t| t.name.clone());
        assert_eq!(runs_on("ispmanager"), linux.collect::<Vec<_>>());
        for template in &catalogue.templates {
            for panel in &catalogue.panels {
                let from_there = catalogue.panels_for(template, TODAY).any(|p| p.id == panel.id);
                let from_here = panel.systems(&catalogue).any(|t| t.id == template.id);
                assert_eq!(from_there, from_here, "{} on {}", panel.id, template.id);
            }
        }
        let debian = catalogue.template("debian-12").unwrap();
        let why = catalogue.panel("cpanel").unwrap().fits(&catalogue, debian, TODAY);
        let names = ["AlmaLinux 8", "CentOS 7", "Ubuntu 20.04"].map(str::to_owned).to_vec();
        assert_eq!(why, Err(Misfit::OtherSystems { names }));
    }

    #[test]
    fn a_new_system_takes_no_panel_and_one_that_is_not_offered_goes_nowhere() {
        let mut catalogue = demo_catalogue().unwrap();
        let plesk = Panel {
            from: Some("2026-03-01".into()),
            until: Some("2026-03-31".into()),
            ..catalogue.panel("plesk").unwrap().clone()
        };
        let alma = catalogue.template("almalinux-9").unwrap().clone();
        for (day, fits) in
            [("2026-02-28", false), ("2026-03-01", true), ("2026-03-31", true), ("2026-04-01", false)]
        {
            let expected = if fits { Ok(()) } else { Err(Misfit::NotOffered) };
            assert_eq!(plesk.fits(&catalogue, &alma, day), expected, "{day}");
        }
        for template in &mut catalogue.templates {
            template.channel = Channel::New;
        }
        let alma = catalogue.template("almalinux-9").unwrap();
        assert_eq!(plesk.fits(&catalogue, alma, "2026-03-01"), Err(Misfit::TooNew));
        assert_eq!(catalogue.panels_for(alma, TODAY).count(), 0);
    }

    #[test]
    fn a_panel_for_a_system_that_is_not_there_is_refused_by_name() {
        let text = include_str!("../catalogue/demo.toml")
            .replace("\"centos-7\", \"almalinux-8\", \"ubuntu-20.04\"", "\"centos-5\"");
        assert!(read_catalogue(&text).unwrap_err().contains("centos-5"));
    }

    #[test]
    fn a_catalogue_with_a_hole_is_refused_by_name() {
        let text = include_str!("../catalogue/demo.toml").replace("{ mbit = 50, minor = 10000 },", "");
        assert!(read_catalogue(&text).unwrap_err().contains("50 Mbit/s"));
    }
}
