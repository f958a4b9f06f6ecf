//! Changes of the catalogue: each replaces one part of it from a moment on. What is in force is the operator's file with every
//! change that has begun, in the order in which they begin.
//!
//! Reading what was typed into a form of the catalogue is here too: each field by itself, so that one mistake hides no other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    catalogue::{Catalogue, Channel, Family, Range, Template},
    field::{Code, Field, FieldError},
    panel::Panel,
    price::{BandwidthPrice, PriceList},
};

/// The limits of what can be ordered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeLimits {
    pub vcpu: Range,
    pub ram_gb: Range,
    pub disk_gb: Range,
}

/// One part, as it is to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "part", content = "value")]
pub enum CatalogueChange {
    Template(Template),
    Panel(Panel),
    Prices(PriceList),
    Limits(SizeLimits),
}

impl CatalogueChange {
    /// Which part: `template:debian-12`, `panel:plesk`, `prices`, `limits`.
    pub fn subject(&self) -> String {
        match self {
            Self::Template(t) => format!("template:{}", t.id),
            Self::Panel(p) => format!("panel:{}", p.id),
            Self::Prices(_) => "prices".into(),
            Self::Limits(_) => "limits".into(),
        }
    }
}

impl Catalogue {
    /// The same with this part as it is to be; a template that is not there yet comes last.
    #[must_use]
    pub fn with(mut self, change: &CatalogueChange) -> Self {
        match change {
            CatalogueChange::Template(new) => match self.templates.iter_mut().find(|t| t.id == new.id) {
                Some(old) => *old = new.clone(),
                None => self.templates.push(new.clone()),
            },
            CatalogueChange::Panel(new) => match self.panels.iter_mut().find(|p| p.id == new.id) {
                Some(old) => *old = new.clone(),
                None => self.panels.push(new.clone()),
            },
            CatalogueChange::Prices(new) => self.prices = new.clone(),
            CatalogueChange::Limits(new) => {
                (self.vcpu, self.ram_gb, self.disk_gb) = (new.vcpu, new.ram_gb, new.disk_gb);
            }
        }
        self
    }
}

/// What was typed, by the name of its box.
pub type Typed = BTreeMap<String, String>;

/// Takes the boxes of a form one by one and keeps what is wrong with them.
struct Form<'t> {
    typed: &'t Typed,
    errors: Vec<FieldError>,
}

const NAME_MAX: usize = 60;
/// More than any price in minor units.
const MONEY_MAX: i64 = 1_000_000_000;

impl<'t> Form<'t> {
    fn new(typed: &'t Typed) -> Self {
        Self { typed, errors: Vec::new() }
    }

    fn text(&self, name: &str) -> &'t str {
        self.typed.get(name).map_or("", |t| t.trim())
    }

    fn is_set(&self, name: &str) -> bool {
        !self.text(name).is_empty()
    }

    fn name(&mut self, field: Field) -> String {
        let text = self.text(field.as_str());
        let n = text.chars().count();
        if n == 0 || n > NAME_MAX || text.chars().any(char::is_control) {
            self.errors.push(FieldError::new(field, Code::TextRange).with("max", NAME_MAX));
        }
        text.to_owned()
    }

    fn number(&mut self, field: Field, min: u32, max: u32) -> u32 {
        self.number_in(field, field.as_str(), min, max)
    }

    fn number_in(&mut self, field: Field, name: &str, min: u32, max: u32) -> u32 {
        match self.text(name).parse::<u32>() {
            Ok(n) if (min..=max).contains(&n) => n,
            _ => {
                self.errors.push(FieldError::new(field, Code::WholeRange).with("min", min).with("max", max));
                min
            }
        }
    }

    fn money(&mut self, field: Field, name: &str) -> i64 {
        match minor(self.text(name)) {
            Some(n) => n,
            None => {
                self.errors.push(FieldError::new(field, Code::MoneyFormat));
                0
            }
        }
    }

    fn day(&mut self, field: Field) -> Option<String> {
        let text = self.text(field.as_str());
        if text.is_empty() {
            return None;
        }
        if !is_day(text) {
            self.errors.push(FieldError::new(field, Code::DayFormat));
        }
        Some(text.to_owned())
    }

    fn end<T>(self, value: T) -> Result<T, Vec<FieldError>> {
        if self.errors.is_empty() { Ok(value) } else { Err(self.errors) }
    }
}

/// Money as people type it, in minor units: `200`, `200.5`, `1 200,50`.
pub fn minor(text: &str) -> Option<i64> {
    let plain: String =
        text.chars().filter(|c| !c.is_whitespace()).map(|c| if c == ',' { '.' } else { c }).collect();
    let (whole, part) = plain.split_once('.').unwrap_or((&plain, ""));
    let digits = |t: &str| t.chars().all(|c| c.is_ascii_digit());
    if whole.is_empty() || part.len() > 2 || !digits(whole) || !digits(part) {
        return None;
    }
    let part: i64 = format!("{part:0<2}").parse().ok()?;
    let all = whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(part)?;
    (all <= MONEY_MAX).then_some(all)
}

/// The same back: `1200.50`, `200`.
pub fn typed_money(minor: i64) -> String {
    match minor % 100 {
        0 => (minor / 100).to_string(),
        part => format!("{}.{part:02}", minor / 100),
    }
}

/// A day of the calendar, as `2026-11-23`.
pub fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let number = |t: &str, len: usize| {
        (t.len() == len && t.chars().all(|c| c.is_ascii_digit())).then(|| t.parse::<u32>().ok()).flatten()
    };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// A template as it was typed. A new one has an id of its own and says its family; of one that is there both stay.
pub fn read_template(old: Option<&Template>, typed: &Typed) -> Result<Template, Vec<FieldError>> {
    let mut form = Form::new(typed);
    let id = match old {
        Some(old) => old.id.clone(),
        None => {
            let id = form.text("id");
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
            if id.is_empty() || id.len() > 40 || !id.chars().all(plain) {
                form.errors.push(FieldError::new(Field::Id, Code::IdFormat));
            }
            id.to_owned()
        }
    };
    let family = match (old, form.text("family")) {
        (Some(old), _) => old.family,
        (None, "windows") => Family::Windows,
        (None, _) => Family::Linux,
    };
    let channel = match form.text("channel") {
        "old" => Channel::Old,
        "new" => Channel::New,
        _ => Channel::Stable,
    };
    let template = Template {
        id,
        name: form.name(Field::Title),
        family,
        channel,
        platform_name: form.name(Field::PlatformName),
        supported_until: form.day(Field::SupportedUntil),
        min_vcpu: form.number(Field::MinVcpu, 1, 128),
        min_ram_gb: form.number(Field::MinRam, 1, 1024),
        min_disk_gb: form.number(Field::MinDisk, 1, 10_000),
        licence_minor: form.money(Field::Licence, Field::Licence.as_str()),
        withdrawn: form.is_set("withdrawn"),
    };
    form.end(template)
}

/// A panel as it was typed; its installer and where it is signed in to stay what they are: a playbook belongs to them.
pub fn read_panel(old: &Panel, templates: &[Template], typed: &Typed) -> Result<Panel, Vec<FieldError>> {
    let mut form = Form::new(typed);
    let on = |t: &&Template| form.is_set(&format!("on-{}", t.id));
    let runs_on: Vec<String> = templates.iter().filter(on).map(|t| t.id.clone()).collect();
    let licences = match form.text("licences") {
        "" => None,
        _ => Some(form.number(Field::Licences, 0, 1_000_000)),
    };
    let panel = Panel {
        name: form.name(Field::Title),
        templates: runs_on,
        min_ram_gb: form.number(Field::MinRam, 1, 1024),
        min_disk_gb: form.number(Field::MinDisk, 1, 10_000),
        licence_minor: form.money(Field::Licence, Field::Licence.as_str()),
        licences,
        usual_minutes: form.number(Field::UsualMinutes, 1, 600),
        from: form.day(Field::OfferedFrom),
        until: form.day(Field::OfferedUntil),
        ..old.clone()
    };
    if let (Some(from), Some(until)) = (&panel.from, &panel.until)
        && from > until
        && form.errors.is_empty()
    {
        form.errors.push(FieldError::new(Field::OfferedUntil, Code::DaysOrder));
    }
    form.end(panel)
}

/// Prices as they were typed: one for each speed that there is. `since` is the day from which they hold.
pub fn read_prices(old: &PriceList, since: &str, typed: &Typed) -> Result<PriceList, Vec<FieldError>> {
    let mut form = Form::new(typed);
    let prices = PriceList {
        since: Some(since.to_owned()),
        vcpu_minor: form.money(Field::PriceVcpu, Field::PriceVcpu.as_str()),
        ram_gb_minor: form.money(Field::PriceRam, Field::PriceRam.as_str()),
        disk_gb_minor: form.money(Field::PriceDisk, Field::PriceDisk.as_str()),
        bandwidth: old
            .bandwidth
            .iter()
            .map(|b| BandwidthPrice {
                mbit: b.mbit,
                minor: form.money(Field::PriceSpeed, &format!("price-speed-{}", b.mbit)),
            })
            .collect(),
    };
    // A mistake in several speeds is one sentence.
    form.errors.dedup();
    form.end(prices)
}

/// The limits as they were typed: `min`, `max` and `step` of each.
pub fn read_limits(typed: &Typed) -> Result<SizeLimits, Vec<FieldError>> {
    let mut form = Form::new(typed);
    let mut range = |field: Field, most: u32| {
        let mut part = |name: &str| form.number_in(field, &format!("{field}-{name}"), 1, most);
        let range = Range { min: part("min"), max: part("max"), step: part("step") };
        if range.min > range.max {
            form.errors.push(FieldError::new(field, Code::LimitsOrder));
        }
        range
    };
    let limits = SizeLimits {
        vcpu: range(Field::Vcpu, 1024),
        ram_gb: range(Field::Ram, 16_384),
        disk_gb: range(Field::Disk, 1_000_000),
    };
    form.errors.dedup();
    form.end(limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(values: &[(&str, &str)]) -> Typed {
        values.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn money_is_read_as_people_type_it() {
        for (text, expected) in [
            ("200", Some(20_000)),
            ("200.5", Some(20_050)),
            ("1 200,50", Some(120_050)),
            ("0", Some(0)),
            ("", None),
            ("-1", None),
            ("1.234", None),
            ("1e3", None),
            ("99999999999999999999", None),
            ("10000000.01", None),
        ] {
            assert_eq!(minor(text), expected, "{text:?}");
        }
        for n in [0, 5, 100, 120_050, MONEY_MAX] {
            assert_eq!(minor(&typed_money(n)), Some(n));
        }
    }

    #[test]
    fn a_day_is_one_of_the_calendar() {
        let good = ["2026-11-23", "2024-02-29", "2000-02-29", "2026-12-31"];
        let bad = [
            "2026-2-1",
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-04-31",
            "2026-00-10",
            "x",
            "",
            "2026-01-0a",
        ];
        assert!(good.iter().all(|d| is_day(d)));
        assert!(bad.iter().all(|d| !is_day(d)));
    }

    #[test]
    fn every_mistake_of_a_template_is_named_at_once() {
        let bad = typed(&[
            ("id", "Ubuntu 24"),
            ("min-vcpu", "0"),
            ("min-ram", "x"),
            ("licence", "free"),
            ("supported-until", "soon"),
        ]);
        let errors = read_template(None, &bad).unwrap_err();
        let fields: Vec<Field> = errors.iter().map(|e| e.field).collect();
        for field in [
            Field::Id,
            Field::Title,
            Field::PlatformName,
            Field::SupportedUntil,
            Field::MinVcpu,
            Field::MinRam,
            Field::MinDisk,
            Field::Licence,
        ] {
            assert!(fields.contains(&field), "{field}");
        }
    }

    #[test]
    fn what_is_there_keeps_its_id_and_its_family() {
        let new = typed(&[
            ("id", "ubuntu-24.04"),
            ("family", "linux"),
            ("title", "Ubuntu 24.04"),
            ("platform-name", "Ubuntu 24.04"),
            ("channel", "new"),
            ("min-vcpu", "1"),
            ("min-ram", "1"),
            ("min-disk", "10"),
            ("licence", "0"),
        ]);
        let template = read_template(None, &new).unwrap();
        assert_eq!((template.family, template.channel), (Family::Linux, Channel::New));
        let mut other = new;
        other.insert("id".into(), "windows".into());
        other.insert("family".into(), "windows".into());
        let edited = read_template(Some(&template), &other).unwrap();
        assert_eq!((edited.id.as_str(), edited.family), ("ubuntu-24.04", Family::Linux));
    }

    #[test]
    fn limits_are_in_order() {
        let with = |min: &str, max: &str| {
            let mut all = Typed::new();
            for field in ["vcpu", "ram", "disk"] {
                all.insert(format!("{field}-min"), min.into());
                all.insert(format!("{field}-max"), max.into());
                all.insert(format!("{field}-step"), "1".into());
            }
            read_limits(&all)
        };
        assert!(with("1", "10").is_ok());
        assert_eq!(with("11", "10").unwrap_err().len(), 3);
        assert!(with("", "10").is_err());
    }
}
