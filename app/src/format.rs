//! Money, sizes, times: as the reader's language writes them.

use jiff::{Timestamp, Zoned, tz::TimeZone};
use leptos::prelude::with_context;

use crate::{
    i18n::{Lang, t},
    request::Around,
};

const NBSP: char = '\u{a0}';

/// A whole number in groups of three.
fn grouped(n: i64, separator: char) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(separator);
        }
        out.push(c);
    }
    if n < 0 { format!("−{out}") } else { out }
}

/// `₽1,234.50` / `1 234,50 ₽`; whole amounts without their fraction.
pub(crate) fn money(lang: Lang, minor: i64) -> String {
    let (whole, fraction) = (minor / 100, minor.abs() % 100);
    match (lang, fraction) {
        (Lang::En, 0) => format!("₽{}", grouped(whole, ',')),
        (Lang::En, f) => format!("₽{}.{f:02}", grouped(whole, ',')),
        (Lang::Ru, 0) => format!("{}{NBSP}₽", grouped(whole, NBSP)),
        (Lang::Ru, f) => format!("{},{f:02}{NBSP}₽", grouped(whole, NBSP)),
    }
}

/// `4 GB` / `4 ГБ`
pub(crate) fn gigabytes(lang: Lang, n: u32) -> String {
    t!(lang, "unit-gb", n = n.to_string())
}

/// `100 Mbit/s`
pub(crate) fn megabits(lang: Lang, n: u32) -> String {
    t!(lang, "unit-mbit", n = n.to_string())
}

/// `2 vCPU · 4 GB · 40 GB · 100 Mbit/s`
pub(crate) fn size(lang: Lang, s: domain::size::Size) -> String {
    format!(
        "{}{NBSP}vCPU · {} · {} · {}",
        s.vcpu,
        gigabytes(lang, s.ram_gb),
        gigabytes(lang, s.disk_gb),
        megabits(lang, s.bandwidth_mbit)
    )
}

/// The zones that are offered, from west to east.
pub(crate) const ZONES: &[&str] = &[
    "America/Los_Angeles",
    "America/New_York",
    "America/Sao_Paulo",
    "UTC",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Kaliningrad",
    "Europe/Istanbul",
    "Europe/Minsk",
    "Europe/Moscow",
    "Europe/Samara",
    "Asia/Tbilisi",
    "Asia/Almaty",
    "Asia/Tashkent",
    "Asia/Yekaterinburg",
    "Asia/Omsk",
    "Asia/Novosibirsk",
    "Asia/Krasnoyarsk",
    "Asia/Irkutsk",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Asia/Yakutsk",
    "Asia/Vladivostok",
    "Asia/Magadan",
    "Asia/Kamchatka",
];

/// The zone of whoever is asking: chosen, or else what goes with the language.
pub(crate) fn zone_name(lang: Lang) -> &'static str {
    let chosen = with_context::<http::request::Parts, _>(|parts| parts.extensions.get::<Around>()?.zone);
    let live = || with_context::<Around, _>(|around| around.zone);
    let by_language = match lang {
        Lang::En => "UTC",
        Lang::Ru => "Europe/Moscow",
    };
    chosen.or_else(live).flatten().unwrap_or(by_language)
}

/// A moment where the reader is.
fn here(lang: Lang, ms: i64) -> Option<Zoned> {
    let zone = TimeZone::get(zone_name(lang)).unwrap_or(TimeZone::UTC);
    Some(Timestamp::from_millisecond(ms).ok()?.to_zoned(zone))
}

/// By how many minutes the zone that is shown is ahead of UTC at that moment.
pub(crate) fn zone_ahead(lang: Lang, ms: i64) -> i32 {
    here(lang, ms).map_or(0, |at| at.offset().seconds() / 60)
}

/// What its zone is called at that moment: summer has another offset.
fn zone_shown(lang: Lang, at: &Zoned) -> String {
    match (zone_name(lang), lang) {
        ("UTC", _) => "UTC".to_owned(),
        ("Europe/Moscow", Lang::Ru) => "МСК".to_owned(),
        // The offset says it to everybody: not every zone has a short name.
        _ => at.strftime("UTC%:z").to_string(),
    }
}

/// `23 Nov 2026, 15:04:07 UTC` / `23.11.2026, 15:04:07 МСК`
pub(crate) fn date_time(lang: Lang, ms: i64) -> String {
    let format = match lang {
        Lang::En => "%-d %b %Y, %H:%M:%S",
        Lang::Ru => "%d.%m.%Y, %H:%M:%S",
    };
    here(lang, ms)
        .map(|t| format!("{}{NBSP}{}", t.strftime(format), zone_shown(lang, &t)))
        .unwrap_or_default()
}

/// Whole minutes, at least one.
pub(crate) fn minutes(ms: i64) -> i64 {
    ((ms + 30_000) / 60_000).max(1)
}

/// `23 Nov 2026` / `23.11.2026`
pub(crate) fn date(lang: Lang, ms: i64) -> String {
    let format = match lang {
        Lang::En => "%-d %b %Y",
        Lang::Ru => "%d.%m.%Y",
    };
    here(lang, ms).map(|t| t.strftime(format).to_string()).unwrap_or_default()
}

/// An ISO date of the catalogue, as people write it.
pub(crate) fn iso_date(lang: Lang, iso: &str) -> String {
    let format = match lang {
        Lang::En => "%-d %B %Y",
        Lang::Ru => "%d.%m.%Y",
    };
    iso.parse::<jiff::civil::Date>().map_or_else(|_| iso.to_owned(), |d| d.strftime(format).to_string())
}

/// Whether this is a day, as a field for one has it.
pub(crate) fn is_day(text: &str) -> bool {
    text.parse::<jiff::civil::Date>().is_ok()
}

/// When a day begins where the reader is.
pub(crate) fn day_begins(lang: Lang, iso: &str) -> Option<i64> {
    let zone = TimeZone::get(zone_name(lang)).unwrap_or(TimeZone::UTC);
    let day = iso.parse::<jiff::civil::Date>().ok()?;
    Some(day.to_zoned(zone).ok()?.timestamp().as_millisecond())
}

/// The day of a moment where the reader is, as an ISO date.
pub(crate) fn day(lang: Lang, ms: i64) -> String {
    here(lang, ms).map(|at| at.strftime("%F").to_string()).unwrap_or_default()
}

/// When the day of a moment began where the reader is.
pub(crate) fn day_began(lang: Lang, ms: i64) -> i64 {
    let start = here(lang, ms).and_then(|at| at.start_of_day().ok());
    start.map_or(ms, |at| at.timestamp().as_millisecond())
}

/// `15:04:07`
pub(crate) fn clock(lang: Lang, ms: i64) -> String {
    here(lang, ms).map(|t| t.strftime("%H:%M:%S").to_string()).unwrap_or_default()
}

/// For `datetime` attributes.
pub fn iso(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map(|t| t.to_string()).unwrap_or_default()
}

/// `01:12`, `1:02:03`
pub(crate) fn duration(ms: i64) -> String {
    let s = ms.max(0) / 1000;
    let (h, m, s) = (s / 3600, s / 60 % 60, s % 60);
    if h > 0 { format!("{h}:{m:02}:{s:02}") } else { format!("{m:02}:{s:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_in_both_languages() {
        assert_eq!(money(Lang::En, 123_450), "₽1,234.50");
        assert_eq!(money(Lang::Ru, 123_450), "1\u{a0}234,50\u{a0}₽");
        assert_eq!(money(Lang::En, 119_000), "₽1,190");
        assert_eq!(money(Lang::Ru, 100_000_000), "1\u{a0}000\u{a0}000\u{a0}₽");
    }

    #[test]
    fn times_name_their_zone() {
        assert_eq!(date_time(Lang::En, 1_795_417_447_000), "23 Nov 2026, 07:04:07\u{a0}UTC");
        assert_eq!(date_time(Lang::Ru, 1_795_417_447_000), "23.11.2026, 10:04:07\u{a0}МСК");
        assert_eq!(day_begins(Lang::Ru, "2026-11-23"), Some(1_795_381_200_000), "Moscow's midnight");
        assert_eq!(day_began(Lang::Ru, 1_795_381_200_000 + 5_000), 1_795_381_200_000);
        assert_eq!(day_began(Lang::Ru, 1_795_381_200_000 - 1), 1_795_381_200_000 - 86_400_000);
        assert_eq!(["2026-11-23", "23.11.2026", "2026-11-31"].map(is_day), [true, false, false]);
        assert_eq!(duration(72_000), "01:12");
        assert_eq!(duration(3_723_000), "1:02:03");
        assert_eq!(iso_date(Lang::Ru, "2024-06-30"), "30.06.2024");
    }
}
