//! How staff ask for jobs: `state:failed kind:activate customer:acme step:network_attach since:2h error:"timed out"`.
//!
//! Words of the form `key:value` narrow the list, a number names a job, and everything else is looked for in the names of
//! servers. What is not understood is handed back as it was written, and the rest holds. The text form of a query is the
//! one that goes into addresses: reading it again gives the same query.

use std::{fmt, str::FromStr};

use crate::{kind::Kind, state::JobState};

/// Longer texts are cut before they are read.
pub const QUERY_MAX: usize = 300;

const MINUTE_MS: i64 = 60_000;

/// A span of time as it is written: `30m`, `2h`, `7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    count: u32,
    unit: char,
}

impl Span {
    pub fn ms(self) -> i64 {
        let minutes = match self.unit {
            'm' => 1,
            'h' => 60,
            _ => 24 * 60,
        };
        i64::from(self.count) * minutes * MINUTE_MS
    }
}

impl FromStr for Span {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let unit = text.chars().last().filter(|c| matches!(c, 'm' | 'h' | 'd')).ok_or(())?;
        let count: u32 = text[..text.len() - 1].parse().map_err(|_| ())?;
        // Ten years are more than anything is kept.
        if !text.starts_with(|c: char| c.is_ascii_digit()) || count == 0 || count > 3650 * 24 * 60 {
            return Err(());
        }
        Ok(Self { count, unit })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.count, self.unit)
    }
}

/// Which jobs are asked for. Texts are in small letters, as they are compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobQuery {
    pub state: Option<JobState>,
    pub kind: Option<Kind>,
    /// This one job.
    pub number: Option<i64>,
    /// Part of a customer's e-mail or name.
    pub customer: Option<String>,
    /// The step that it is at.
    pub step: Option<String>,
    /// Part of its cause or of what is said about that.
    pub error: Option<String>,
    /// Accepted this long ago at most.
    pub since: Option<Span>,
    /// The e-mail of whoever looks after it, or `me`.
    pub assigned: Option<String>,
    /// Under way, and slower than it should be.
    pub slow: bool,
    /// Part of its server's name.
    pub server: Option<String>,
}

/// What was understood of a text, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    pub query: JobQuery,
    /// As it was written.
    pub unknown: Vec<String>,
}

impl JobQuery {
    pub fn read(text: &str) -> Asked {
        let text: String = text.chars().take(QUERY_MAX).collect();
        let mut asked = Asked::default();
        let mut names: Vec<String> = Vec::new();
        for word in words(&text) {
            if let Some((key, value)) = word.pair() {
                if asked.query.take(key, &value).is_none() {
                    asked.unknown.push(word.written.to_owned());
                }
            } else if let Some(number) = word.number().filter(|_| asked.query.number.is_none()) {
                asked.query.number = Some(number);
            } else {
                names.extend(Some(word.value()).filter(|v| !v.is_empty()));
            }
        }
        asked.query.server = Some(names.join(" ")).filter(|n| !n.is_empty());
        asked
    }

    /// Takes a pair in, where it says something that was not said before.
    pub(crate) fn take(&mut self, key: &str, value: &str) -> Option<()> {
        fn once<T>(place: &mut Option<T>, value: Option<T>) -> Option<()> {
            if place.is_some() {
                return None;
            }
            *place = Some(value?);
            Some(())
        }
        let text = || Some(value.to_owned()).filter(|v| !v.is_empty());
        match key {
            "state" => once(&mut self.state, value.parse().ok()),
            "kind" => once(&mut self.kind, value.parse().ok()),
            "since" => once(&mut self.since, value.parse().ok()),
            "customer" => once(&mut self.customer, text()),
            "step" => once(&mut self.step, text()),
            "error" => once(&mut self.error, text()),
            "assigned" => once(&mut self.assigned, text()),
            "is" if value == "slow" && !self.slow => {
                self.slow = true;
                Some(())
            }
            _ => None,
        }
    }

    /// The same, where a word has said nothing.
    #[must_use]
    pub(crate) fn without(&self, key: &str) -> Self {
        let mut query = self.clone();
        match key {
            "state" => query.state = None,
            "kind" => query.kind = None,
            "since" => query.since = None,
            "customer" => query.customer = None,
            "step" => query.step = None,
            "error" => query.error = None,
            "assigned" => query.assigned = None,
            "is" => query.slow = false,
            _ => {}
        }
        query
    }

    /// The same with another state: what the links over the list lead to.
    #[must_use]
    pub fn with_state(&self, state: Option<JobState>) -> Self {
        Self { state, slow: false, number: None, ..self.clone() }
    }
}

impl fmt::Display for JobQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = Vec::new();
        let mut pair = |key: &str, value: Option<String>| {
            parts.extend(value.map(|v| format!("{key}:{}", quoted(&v))));
        };
        pair("is", self.slow.then(|| "slow".to_owned()));
        pair("state", self.state.map(|s| s.to_string()));
        pair("kind", self.kind.map(|k| k.to_string()));
        pair("customer", self.customer.clone());
        pair("step", self.step.clone());
        pair("error", self.error.clone());
        pair("since", self.since.map(|s| s.to_string()));
        pair("assigned", self.assigned.clone());
        parts.extend(self.number.map(|n| format!("#{n}")));
        parts.extend(self.server.as_ref().map(|text| match plain(text) {
            true => text.clone(),
            false => quoted(text),
        }));
        f.write_str(&parts.join(" "))
    }
}

/// Whether a text says the same without quotation marks, as words that are looked for.
fn plain(text: &str) -> bool {
    text.split(' ')
        .all(|word| !word.is_empty() && !word.contains([':', '"']) && Word::of(word).number().is_none())
}

fn quoted(value: &str) -> String {
    let spaced = value.is_empty() || value.contains(|c: char| c.is_whitespace() || c == ':');
    if spaced || Word::of(value).number().is_some() || value.starts_with('#') {
        format!("\"{value}\"")
    } else {
        value.to_owned()
    }
}

/// A word, with whatever stands in quotation marks in it.
struct Word<'t> {
    written: &'t str,
}

impl<'t> Word<'t> {
    fn of(written: &'t str) -> Self {
        Self { written }
    }

    /// `key:value`; a word that begins with a quotation mark is no pair.
    fn pair(&self) -> Option<(&'t str, String)> {
        let (key, value) = self.written.split_once(':')?;
        (!key.contains('"')).then(|| (key, bare(value)))
    }

    /// `#1023` or `1023`.
    fn number(&self) -> Option<i64> {
        let digits = self.written.strip_prefix('#').unwrap_or(self.written);
        let all = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
        digits.parse().ok().filter(|_| all)
    }

    fn value(&self) -> String {
        bare(self.written)
    }
}

/// Without its quotation marks, in small letters, with single spaces.
fn bare(text: &str) -> String {
    let text: String = text.chars().filter(|c| *c != '"').collect();
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The words of a text: what stands in quotation marks stays together.
fn words(text: &str) -> Vec<Word<'_>> {
    let mut found = Vec::new();
    let mut from = None;
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        if c == '"' {
            quoted = !quoted;
        }
        if c.is_whitespace() && !quoted {
            found.extend(from.take().map(|from: usize| Word::of(&text[from..at])));
        } else {
            from.get_or_insert(at);
        }
    }
    found.extend(from.map(|from| Word::of(&text[from..])));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Asked {
        JobQuery::read(text)
    }

    #[test]
    fn everything_that_can_be_asked() {
        let asked = read(
            "state:failed kind:activate customer:Acme step:network_attach since:2h error:\"Timed  out\" assigned:me",
        );
        let query = asked.query;
        assert!(asked.unknown.is_empty());
        assert_eq!((query.state, query.kind), (Some(JobState::Failed), Some(Kind::Activate)));
        assert_eq!(query.customer.as_deref(), Some("acme"));
        assert_eq!(query.step.as_deref(), Some("network_attach"));
        assert_eq!(query.error.as_deref(), Some("timed out"));
        assert_eq!(query.since.map(Span::ms), Some(2 * 3_600_000));
        assert_eq!(query.assigned.as_deref(), Some("me"));
        assert_eq!(read("#1023").query.number, Some(1023));
        assert_eq!(read("1023 web-01").query.server.as_deref(), Some("web-01"));
        assert!(read("is:slow").query.slow);
        assert_eq!(read("").query, JobQuery::default());
    }

    #[test]
    fn what_is_not_understood_is_said_and_the_rest_holds() {
        let asked =
            read("state:broken kind:power colour:red since:0h since:x state:failed state:stuck is:fast");
        assert_eq!(asked.query.kind, Some(Kind::Power));
        assert_eq!(asked.query.state, Some(JobState::Failed));
        assert_eq!(
            asked.unknown,
            ["state:broken", "colour:red", "since:0h", "since:x", "state:stuck", "is:fast"]
        );
        // A quotation mark that is never closed reaches to the end.
        assert_eq!(read("error:\"no reply").query.error.as_deref(), Some("no reply"));
        assert_eq!(read("error:\"\"").unknown, ["error:\"\""]);
        assert_eq!(read("since:é").unknown, ["since:é"]);
    }

    #[test]
    fn an_address_says_the_same_again() {
        let pieces = [
            "state:failed",
            "kind:power",
            "customer:\"a b\"",
            "customer:a:b",
            "step:x",
            "error:\"1023\"",
            "since:7d",
            "#12",
            "12",
            "web",
            "\"12\"",
            "\"a:b c\"",
            "é",
            "is:slow",
            "assigned:me",
            "\"",
            ":",
            "::",
            "#",
            "\"#5\"",
            "a\"b",
            "customer:#5",
            "\u{a0}",
            "99999999999999999999",
        ];
        for a in pieces {
            for b in pieces {
                for c in pieces {
                    let query = read(&format!("{a} {b} {c}")).query;
                    let again = read(&query.to_string());
                    assert_eq!(
                        again,
                        Asked { query: query.clone(), unknown: vec![] },
                        "{a} {b} {c} → {query}"
                    );
                }
            }
        }
    }

    #[test]
    fn another_state_keeps_what_else_was_asked() {
        let query = read("is:slow kind:power").query.with_state(Some(JobState::Stuck));
        assert_eq!(query.to_string(), "state:stuck kind:power");
    }
}
