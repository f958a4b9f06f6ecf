//! What a job's steps have said: searched, in the reader's time or in UTC, followed to its end or read from its beginning. All of
//! that stands in the address; to follow needs no script: the end stays in view while lines are added.

use leptos::prelude::*;
use provisioning::StaffJob;

use crate::{
    format,
    i18n::{Lang, t},
    request::{Request, encode},
    routes,
};

const FIND_MAX: usize = 100;

/// What is asked of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LogAsked {
    find: String,
    /// From the beginning, and where it is stays in view.
    from_start: bool,
    utc: bool,
}

impl LogAsked {
    pub(super) fn of(request: &Request) -> Self {
        Self {
            find: request.query("find").unwrap_or_default().trim().chars().take(FIND_MAX).collect(),
            from_start: request.query("follow").as_deref() == Some("off"),
            utc: request.query("tz").as_deref() == Some("utc"),
        }
    }

    /// As it stands in an address, with its question mark; nothing where nothing is asked.
    pub(super) fn query(&self) -> String {
        let mut parts = Vec::new();
        if !self.find.is_empty() {
            parts.push(format!("find={}", encode(&self.find)));
        }
        if self.from_start {
            parts.push("follow=off".to_owned());
        }
        if self.utc {
            parts.push("tz=utc".to_owned());
        }
        if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
    }

    pub(super) fn clock(&self, lang: Lang, ms: i64) -> String {
        // `2026-11-23T15:04:07Z`, of which a line needs the time.
        let utc = || format::iso(ms).split('T').nth(1).map(|t| t.chars().take(8).collect::<String>());
        if self.utc { utc().unwrap_or_default() + "Z" } else { format::clock(lang, ms) }
    }
}

/// The lines that were asked for; how many of how many.
pub(super) fn lines(lang: Lang, view: &StaffJob, asked: &LogAsked) -> AnyView {
    let find = asked.find.to_lowercase();
    let shown: Vec<String> = view
        .log
        .iter()
        .filter(|l| find.is_empty() || l.text.to_lowercase().contains(&find) || l.step.contains(&find))
        .map(|l| format!("{} {} {}", asked.clock(lang, l.at), l.step, l.text))
        .collect();
    let count = (!find.is_empty()).then(|| {
        let (n, all) = (shown.len() as i64, view.log.len() as i64);
        view! { <span class="dim">{t!(lang, "log-found", n = n, all = all)} "\n"</span> }
    });
    view! { {count} {shown.join("\n")} }.into_any()
}

/// The log with what may be asked of it.
pub(super) fn output(lang: Lang, view: &StaffJob, asked: &LogAsked) -> Option<AnyView> {
    if view.log.is_empty() && !view.job.state.is_moving() {
        return None;
    }
    let page = routes::staff_job(view.job.id);
    let href = |asked: LogAsked| format!("{page}{}#said", asked.query());
    let follow = LogAsked { from_start: !asked.from_start, ..asked.clone() };
    let zone = LogAsked { utc: !asked.utc, ..asked.clone() };
    let follow_text = if asked.from_start { t!(lang, "log-follow") } else { t!(lang, "log-from-start") };
    let zone_text = if asked.utc { t!(lang, "log-own-time") } else { t!(lang, "log-utc") };
    let class = if asked.from_start { "scroll log" } else { "scroll log follows" };
    let keep = |name: &'static str, value: &'static str, is: bool| {
        is.then(|| view! { <input type="hidden" name=name value=value/> })
    };
    let view = view! {
        <section>
            <h2 id="said">{t!(lang, "job-log")}</h2>
            <form method="get" action=format!("{page}#said") role="search" class="search">
                <label class="sr-only" for="find">{t!(lang, "log-find")}</label>
                <input type="search" id="find" name="find" value=asked.find.clone() maxlength=FIND_MAX.to_string() placeholder=t!(lang, "log-find")/>
                {keep("follow", "off", asked.from_start)}
                {keep("tz", "utc", asked.utc)}
                <button class="button secondary">{t!(lang, "keys-search")}</button>
            </form>
            <p><a href=href(follow)>{follow_text}</a> " " <a href=href(zone)>{zone_text}</a></p>
            <div class=class role="region" tabindex="0" aria-label=t!(lang, "job-log-caption")>
                <pre data-live="said">{lines(lang, view, asked)}</pre>
            </div>
        </section>
    };
    Some(view.into_any())
}
