//! Which operations the list shows, all of it in the address. What nobody can read asks for nothing.

use domain::{JobId, ServerId, kind::Kind, state::JobState};
use provisioning::{History, Job};

use crate::{format, i18n::Lang, request::encode};

/// The states that history is asked for by: those in which an operation is over.
pub(super) const STATES: [JobState; 4] =
    [JobState::Succeeded, JobState::Failed, JobState::Cancelled, JobState::RolledBack];

/// The kinds that customers know by name.
pub(super) fn kinds() -> impl Iterator<Item = Kind> {
    Kind::ALL.iter().copied().filter(|k| *k != Kind::Refresh)
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wish {
    /// The operations that one order was accepted as, by any of them.
    pub(super) order: Option<JobId>,
    pub(super) server: Option<ServerId>,
    pub(super) kind: Option<Kind>,
    pub(super) state: Option<JobState>,
    /// A day, as its field has it.
    pub(super) from: Option<String>,
    /// The number that the page ends above.
    pub(super) before: Option<i64>,
}

impl Wish {
    pub(super) fn read(query: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            order: query("order").and_then(|t| t.parse().ok()),
            server: query("server").and_then(|t| t.parse().ok()),
            kind: query("kind").and_then(|t| t.parse().ok()).filter(|k| *k != Kind::Refresh),
            state: query("state").and_then(|t| t.parse().ok()).filter(|s| STATES.contains(s)),
            from: query("from").filter(|day| format::is_day(day)),
            before: query("before").and_then(|t| t.parse().ok()),
        }
    }

    /// The part of an address after its `?`, with the `?`; empty where nothing is asked for.
    pub(super) fn query(&self) -> String {
        let parts = [
            ("order", self.order.map(|id| id.to_string())),
            ("server", self.server.map(|id| id.to_string())),
            ("kind", self.kind.map(|k| k.to_string())),
            ("state", self.state.map(|s| s.to_string())),
            ("from", self.from.clone()),
            ("before", self.before.map(|n| n.to_string())),
        ];
        let parts: Vec<String> = parts
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", encode(&value?))))
            .collect();
        if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
    }

    /// Whether anything is left out.
    pub(super) fn filters(&self) -> bool {
        Self { before: None, ..self.clone() } != Self::default()
    }

    /// What is asked of the store. A day begins where the reader is.
    pub(super) fn history(&self, lang: Lang) -> History {
        History {
            order: self.order,
            server: self.server,
            kind: self.kind,
            state: self.state,
            from: self.from.as_deref().and_then(|day| format::day_begins(lang, day)),
            before: self.before,
        }
    }

    /// Whether an operation that is not over is shown. State and day are about those that are.
    pub(super) fn shows(&self, job: &Job, of_order: &[JobId]) -> bool {
        self.order.is_none_or(|_| of_order.contains(&job.id))
            && self.server.is_none_or(|s| job.server == Some(s))
            && self.kind.is_none_or(|k| job.kind == k)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &[(&str, &str)]) -> Wish {
        Wish::read(|name| query.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn what_nobody_can_read_asks_for_nothing() {
        let odd = [
            ("order", "x"),
            ("server", "1"),
            ("kind", "refresh"),
            ("state", "running"),
            ("from", "31.12.2026"),
        ];
        let odd = read(&odd);
        assert_eq!((odd.query().as_str(), odd.filters()), ("", false));
        assert_eq!(read(&[("from", "2026-02-30"), ("before", "many")]), Wish::default());
    }

    #[test]
    fn an_address_is_read_as_it_was_written() {
        let id = "3f2504e0-4f89-11d3-9a0c-0305e82c3301";
        let wish = read(&[
            ("order", id),
            ("server", id),
            ("kind", "change_ip"),
            ("state", "rolled_back"),
            ("from", "2026-11-01"),
            ("before", "17"),
        ]);
        let path = format!("/operations{}", wish.query());
        assert_eq!(Wish::read(|name| crate::request::query(&path, name)), wish);
        assert!(wish.filters() && !Wish { before: Some(1), ..Wish::default() }.filters());
    }
}
