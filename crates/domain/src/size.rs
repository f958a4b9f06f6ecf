//! The four free parameters, as numbers and as what somebody typed.

use serde::{Deserialize, Serialize};

use crate::{
    catalogue::{Catalogue, Limits, Range, Template},
    field::{Code, Field, FieldError},
    panel::Panel,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    pub vcpu: u32,
    pub ram_gb: u32,
    pub disk_gb: u32,
    pub bandwidth_mbit: u32,
}

/// Reads one typed number and holds it against its limits. Leading and trailing space is forgiven.
pub fn check_number(field: Field, typed: &str, range: Range) -> Result<u32, FieldError> {
    let typed = typed.trim();
    if typed.is_empty() || !typed.bytes().all(|b| b.is_ascii_digit()) {
        return Err(FieldError::new(field, Code::NumberFormat));
    }
    let out_of_range = || {
        FieldError::new(field, Code::NumberRange)
            .with("min", range.min)
            .with("max", range.max)
            .with("value", typed)
    };
    let value: u32 = typed.parse().map_err(|_| out_of_range())?;
    if value < range.min || value > range.max {
        return Err(out_of_range());
    }
    if !value.is_multiple_of(range.step) {
        let below = (value / range.step * range.step).max(range.min);
        let above = (below + range.step).min(range.max);
        return Err(FieldError::new(field, Code::NumberStep)
            .with("step", range.step)
            .with("below", below)
            .with("above", above)
            .with("value", value));
    }
    Ok(value)
}

/// Reads the chosen speed: one of those offered, nothing between.
pub fn check_bandwidth(typed: &str, offered: &[u32]) -> Result<u32, FieldError> {
    typed
        .trim()
        .parse()
        .ok()
        .filter(|b| offered.contains(b))
        .ok_or_else(|| FieldError::new(Field::Bandwidth, Code::BandwidthChoice))
}

/// Reads all four parameters; every rule that is broken is reported.
pub fn check_size(
    typed: [&str; 4],
    limits: &Limits,
    bandwidth_offered: &[u32],
) -> Result<Size, Vec<FieldError>> {
    let [vcpu, ram, disk, bandwidth] = typed;
    let results = (
        check_number(Field::Vcpu, vcpu, limits.vcpu),
        check_number(Field::Ram, ram, limits.ram_gb),
        check_number(Field::Disk, disk, limits.disk_gb),
        check_bandwidth(bandwidth, bandwidth_offered),
    );
    match results {
        (Ok(vcpu), Ok(ram_gb), Ok(disk_gb), Ok(bandwidth_mbit)) => {
            Ok(Size { vcpu, ram_gb, disk_gb, bandwidth_mbit })
        }
        (a, b, c, d) => Err([a, b, c, d].into_iter().filter_map(Result::err).collect()),
    }
}

/// Reads all four parameters for a template; of a limit that is broken it is said whose it is.
pub fn check_size_of(
    typed: [&str; 4],
    catalogue: &Catalogue,
    template: &Template,
    panel: Option<&Panel>,
) -> Result<Size, Vec<FieldError>> {
    let owner = |mut error: FieldError| {
        let (panel_ram, panel_disk) =
            panel.map_or((0, 0), |p| (p.min_ram_gb_on(template.family), p.min_disk_gb));
        let (tariff, needs, panel_needs) = match error.field {
            Field::Vcpu => (catalogue.vcpu, template.min_vcpu, 0),
            Field::Ram => (catalogue.ram_gb, template.min_ram_gb, panel_ram),
            Field::Disk => (catalogue.disk_gb, template.min_disk_gb, panel_disk),
            _ => return error,
        };
        let value = error.param("value").and_then(|v| v.parse::<u32>().ok());
        if error.code == Code::NumberRange {
            error.code = match value {
                Some(value) if value < panel_needs && panel_needs > needs.max(tariff.min) => {
                    Code::NumberPanel
                }
                Some(value) if value < needs && needs > tariff.min => Code::NumberTemplate,
                _ => Code::NumberTariff,
            };
            error = error.with("system", &template.name).with("panel", panel.map_or("", |p| &p.name));
        }
        error
    };
    let checked = check_size(typed, &catalogue.limits(template, panel), &catalogue.bandwidth_mbit);
    checked.map_err(|errors| errors.into_iter().map(owner).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISK: Range = Range { min: 10, max: 2000, step: 10 };

    fn code(typed: &str) -> Result<u32, Code> {
        check_number(Field::Disk, typed, DISK).map_err(|e| e.code)
    }

    #[test]
    fn numbers_are_read_as_people_type_them() {
        assert_eq!(code("40"), Ok(40));
        assert_eq!(code(" 040 "), Ok(40));
        for bad in ["", " ", "4.5", "-10", "+10", "ten", "1e2", "４０", "10 20"] {
            assert_eq!(code(bad), Err(Code::NumberFormat), "{bad:?}");
        }
    }

    #[test]
    fn limits_and_steps_are_named() {
        assert_eq!(code("0"), Err(Code::NumberRange));
        assert_eq!(code("2010"), Err(Code::NumberRange));
        assert_eq!(code("99999999999999999999"), Err(Code::NumberRange));
        let step = check_number(Field::Disk, "45", DISK).unwrap_err();
        assert_eq!(
            (step.code, step.param("below"), step.param("above")),
            (Code::NumberStep, Some("40"), Some("50"))
        );
    }

    #[test]
    fn a_broken_limit_says_whose_it_is() {
        let range = |min, max, step| Range { min, max, step };
        let prices = crate::price::PriceList {
            since: None,
            vcpu_minor: 1,
            ram_gb_minor: 1,
            disk_gb_minor: 1,
            bandwidth: vec![],
        };
        let catalogue = Catalogue {
            vcpu: range(1, 8, 1),
            ram_gb: range(1, 16, 1),
            disk_gb: range(10, 100, 10),
            bandwidth_mbit: vec![100],
            default_template: String::new(),
            presets: vec![],
            prices,
            templates: vec![],
            panels: vec![],
        };
        let template = Template {
            id: "w".into(),
            name: "Windows".into(),
            family: crate::catalogue::Family::Windows,
            channel: crate::catalogue::Channel::Stable,
            platform_name: "W".into(),
            supported_until: None,
            min_vcpu: 2,
            min_ram_gb: 4,
            min_disk_gb: 50,
            licence_minor: 0,
            withdrawn: false,
        };
        let errors = check_size_of(["1", "4", "40", "100"], &catalogue, &template, None).unwrap_err();
        assert_eq!(errors.iter().map(|e| e.code).collect::<Vec<_>>(), [Code::NumberTemplate; 2]);
        assert_eq!((errors[0].param("system"), errors[0].param("min")), (Some("Windows"), Some("2")));
        let errors = check_size_of(["9", "0", "50", "100"], &catalogue, &template, None).unwrap_err();
        assert_eq!(
            errors.iter().map(|e| e.code).collect::<Vec<_>>(),
            [Code::NumberTariff, Code::NumberTemplate]
        );
    }

    #[test]
    fn a_speed_must_be_offered() {
        assert_eq!(check_bandwidth("100", &[10, 100]), Ok(100));
        assert!(check_bandwidth("99", &[10, 100]).is_err());
        assert!(check_bandwidth("", &[10, 100]).is_err());
    }
}
