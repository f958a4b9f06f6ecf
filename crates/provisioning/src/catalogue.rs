//! The operator's catalogue, read from its file.

use domain::catalogue::Catalogue;

/// The catalogue of the demo.
pub fn demo_catalogue() -> Result<Catalogue, String> {
    read(include_str!("../catalogue/demo.toml"))
}

fn read(text: &str) -> Result<Catalogue, String> {
    let catalogue: Catalogue = toml::from_str(text).map_err(|e| e.to_string())?;
    catalogue.check()?;
    Ok(catalogue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_catalogue_is_in_order() {
        let catalogue = demo_catalogue().unwrap();
        assert_eq!(catalogue.templates.len(), 9);
        for template in &catalogue.templates {
            let size = catalogue.default_size(template);
            assert!(
                domain::price::quote(&catalogue.prices, template, size).total_minor > 0,
                "{}",
                template.id
            );
        }
    }

    #[test]
    fn a_catalogue_with_a_hole_is_refused_by_name() {
        let text = include_str!("../catalogue/demo.toml").replace("{ mbit = 50, minor = 10000 },", "");
        assert!(read(&text).unwrap_err().contains("50 Mbit/s"));
    }
}
