//! Language, theme, time zone and keys: cookies that a form sets.

use http::header::SET_COOKIE;
use leptos::prelude::*;

use super::answer::Caller;
use crate::{i18n::Lang, request::Theme, routes};

const YEAR: &str = "Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly";

#[server(name = LanguageSet, prefix = "/do", endpoint = "language_set")]
pub async fn language_set(
    #[server(default)] lang: String,
    #[server(default)] back: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    if let Some(lang) = Lang::from_code(&lang) {
        caller.header(SET_COOKIE, &format!("lang={}; {YEAR}", lang.code()));
    }
    caller.see_other(routes::local(&back).unwrap_or("/"));
    Ok(())
}

/// The zone in which times are shown.
#[server(name = ZoneSet, prefix = "/do", endpoint = "zone_set")]
pub async fn zone_set(
    #[server(default)] zone: String,
    #[server(default)] back: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    if let Some(zone) = crate::request::zone(&zone) {
        caller.header(SET_COOKIE, &format!("zone={zone}; {YEAR}"));
    }
    caller.see_other(routes::local(&back).unwrap_or("/"));
    Ok(())
}

/// Whether single letters are shortcuts.
#[server(name = KeysSet, prefix = "/do", endpoint = "keys_set")]
pub async fn keys_set(
    #[server(default)] keys: String,
    #[server(default)] back: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let keys = if keys == "off" { "off" } else { "on" };
    caller.header(SET_COOKIE, &format!("keys={keys}; {YEAR}"));
    caller.see_other(routes::local(&back).unwrap_or("/"));
    Ok(())
}

#[server(name = ThemeSet, prefix = "/do", endpoint = "theme_set")]
pub async fn theme_set(
    #[server(default)] theme: String,
    #[server(default)] back: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    if let Some(theme) = Theme::from_code(&theme) {
        caller.header(SET_COOKIE, &format!("theme={}; {YEAR}", theme.code()));
    }
    caller.see_other(routes::local(&back).unwrap_or("/"));
    Ok(())
}
