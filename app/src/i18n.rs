//! Texts, in both languages, rendered on the server.
//!
//! The messages are Fluent files compiled in; nothing a request says reaches a path. A test holds the two key sets
//! equal, and every key that the code names to exist.

use std::{borrow::Cow, sync::LazyLock};

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use unic_langid::LanguageIdentifier;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    #[default]
    En,
    Ru,
}

type Bundle = FluentBundle<FluentResource>;

const EN: &[&str] = &[
    include_str!("../locales/en/frame.ftl"),
    include_str!("../locales/en/fields.ftl"),
    include_str!("../locales/en/order.ftl"),
    include_str!("../locales/en/servers.ftl"),
    include_str!("../locales/en/operations.ftl"),
    include_str!("../locales/en/staff.ftl"),
    include_str!("../locales/en/help.ftl"),
];
const RU: &[&str] = &[
    include_str!("../locales/ru/frame.ftl"),
    include_str!("../locales/ru/fields.ftl"),
    include_str!("../locales/ru/order.ftl"),
    include_str!("../locales/ru/servers.ftl"),
    include_str!("../locales/ru/operations.ftl"),
    include_str!("../locales/ru/staff.ftl"),
    include_str!("../locales/ru/help.ftl"),
];

static BUNDLES: LazyLock<[Bundle; 2]> = LazyLock::new(|| [bundle("en", EN), bundle("ru", RU)]);

fn bundle(lang: &str, files: &[&str]) -> Bundle {
    let lang: LanguageIdentifier = lang.parse().unwrap_or_default();
    let mut bundle = Bundle::new_concurrent(vec![lang]);
    // Direction marks around values would be copied along with an address or a command.
    bundle.set_use_isolating(false);
    for text in files {
        let resource = FluentResource::try_new((*text).to_owned())
            .unwrap_or_else(|(_, errors)| panic!("a message file does not parse: {errors:?}"));
        if let Err(errors) = bundle.add_resource(resource) {
            panic!("a message is there twice: {errors:?}");
        }
    }
    bundle
}

impl Lang {
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ru => "ru",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "en" => Some(Self::En),
            "ru" => Some(Self::Ru),
            _ => None,
        }
    }

    /// The best of both for an `Accept-Language`: the first that is named.
    pub fn from_accept(header: &str) -> Option<Self> {
        header.split(',').find_map(|part| Self::from_code(part.trim().get(..2)?))
    }

    fn bundle(self) -> &'static Bundle {
        &BUNDLES[self as usize]
    }

    pub fn has(self, id: &str) -> bool {
        self.bundle().has_message(id)
    }

    /// A text without parameters.
    pub fn t(self, id: &str) -> String {
        self.tr(id, &[])
    }

    /// A text with parameters. Numbers select plural forms; everything else is put in as it is.
    pub fn tr(self, id: &str, params: &[(&str, FluentValue<'_>)]) -> String {
        let Some(pattern) = self.bundle().get_message(id).and_then(|m| m.value()) else {
            debug_assert!(false, "there is no text {id:?}");
            return format!("⟦{id}⟧");
        };
        let mut args = FluentArgs::new();
        for (name, value) in params {
            args.set(Cow::Borrowed(*name), value.clone());
        }
        let mut errors = Vec::new();
        let text = self.bundle().format_pattern(pattern, Some(&args), &mut errors);
        debug_assert!(errors.is_empty(), "{id}: {errors:?}");
        text.into_owned()
    }
}

/// `t!(lang, "id")`, `t!(lang, "id", name = value)`.
macro_rules! t {
    ($lang:expr, $id:expr) => { $lang.t($id) };
    ($lang:expr, $id:expr, $($name:ident = $value:expr),+ $(,)?) => {
        $lang.tr($id, &[$((stringify!($name), fluent_bundle::FluentValue::from($value))),+])
    };
}
pub(crate) use t;

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use domain::{cause::Cause, field::Code, kind::Kind, permission::Denial, state::*};

    use super::*;

    fn keys(files: &[&str]) -> BTreeSet<String> {
        files
            .iter()
            .flat_map(|f| f.lines())
            .filter_map(|l| l.split_once(" ="))
            .map(|(k, _)| k.to_owned())
            .filter(|k| !k.is_empty() && !k.starts_with([' ', '#', '.']))
            .collect()
    }

    #[test]
    fn both_languages_have_the_same_texts() {
        let (en, ru) = (keys(EN), keys(RU));
        assert_eq!(en.difference(&ru).collect::<Vec<_>>(), Vec::<&String>::new(), "missing in ru");
        assert_eq!(ru.difference(&en).collect::<Vec<_>>(), Vec::<&String>::new(), "missing in en");
    }

    #[test]
    fn every_code_has_a_text() {
        let mut ids: Vec<String> = Vec::new();
        ids.extend(Code::ALL.iter().map(|c| format!("field-{c}")));
        ids.extend(Denial::ALL.iter().map(|d| format!("denial-{d}")));
        ids.extend(
            Cause::ALL
                .iter()
                .flat_map(|c| [format!("cause-{c}"), format!("advice-{c}"), format!("runbook-{c}")]),
        );
        ids.extend(JobState::ALL.iter().flat_map(|s| [format!("job-{s}"), format!("job-{s}-staff")]));
        ids.extend(StepState::ALL.iter().map(|s| format!("step-{s}")));
        ids.extend(ServerState::ALL.iter().map(|s| format!("server-{s}")));
        ids.extend(EdgeState::ALL.iter().map(|s| format!("edge-{s}")));
        ids.extend(
            [Kind::Activate, Kind::Terminate]
                .iter()
                .flat_map(|k| [format!("kind-{k}"), format!("kind-{k}-inline")]),
        );
        ids.extend(Kind::ALL.iter().filter(|k| **k != Kind::Refresh).map(|k| format!("kinds-{k}")));
        for id in ids {
            assert!(Lang::En.has(&id), "en has no {id}");
            assert!(Lang::Ru.has(&id), "ru has no {id}");
        }
    }

    /// Every `t!(…, "id")` and `.t("id")` in the sources names a text that exists.
    #[test]
    fn every_text_that_is_asked_for_exists() {
        fn walk(dir: &Path, out: &mut Vec<String>) {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, out);
                } else if path.extension().is_some_and(|e| e == "rs") {
                    let text = fs::read_to_string(path).unwrap();
                    out.push(
                        text.lines()
                            .filter(|l| !l.trim_start().starts_with("//"))
                            .collect::<Vec<_>>()
                            .join("\n"),
                    );
                }
            }
        }
        let mut sources = Vec::new();
        walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut sources);
        let mut asked = BTreeSet::new();
        for text in &sources {
            for (at, _) in text.match_indices("t!(").chain(text.match_indices(".t(\"")) {
                let rest = &text[at..text.floor_char_boundary(at + 120)];
                let Some(start) = rest.find('"') else { continue };
                let Some(end) = rest[start + 1..].find('"') else { continue };
                let id = &rest[start + 1..start + 1 + end];
                if !id.is_empty()
                    && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                {
                    asked.insert(id.to_owned());
                }
            }
        }
        assert!(asked.len() > 50, "the search itself is broken: {asked:?}");
        let missing: Vec<_> = asked.iter().filter(|id| !Lang::En.has(id)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
