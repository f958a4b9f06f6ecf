//! S17: the box that jobs are looked for in. It offers what a search can go on with, and says what was not understood and
//! what that could have been; what it finds is the list's.

use domain::{
    job_query::{JobQuery, QUERY_MAX},
    job_suggest::{KEYS, further, instead},
};
use leptos::prelude::*;
use provisioning::step_keys;

use super::jobs::list_href;
use crate::{
    i18n::{Lang, t},
    routes,
};

/// One for each word.
const EXAMPLES: [&str; 8] = [
    "state:failed",
    "kind:activate",
    "customer:acme",
    "step:network_create",
    "since:2h",
    "error:\"timed out\"",
    "assigned:me",
    "is:slow",
];

pub(super) fn form(lang: Lang, text: &str, query: &JobQuery) -> impl IntoView + use<> {
    let examples = EXAMPLES.map(|e| view! { <code>{e}</code> " " });
    let offers =
        further(text, &step_keys(query.kind)).into_iter().map(|o| view! { <option value=o></option> });
    view! {
        <form method="get" action=routes::STAFF_JOBS role="search" class="search">
            <label class="sr-only" for="q">{t!(lang, "staff-jobs-search")}</label>
            <input
                type="search" id="q" name="q" data-key="/" value=text.to_owned() maxlength=QUERY_MAX.to_string()
                placeholder=t!(lang, "staff-jobs-search") aria-describedby="q-hint" list="q-offers" autocomplete="off"
            />
            <button class="button secondary">{t!(lang, "keys-search")}</button>
            <datalist id="q-offers">{offers.collect_view()}</datalist>
        </form>
        <details class="help">
            <summary>{t!(lang, "staff-jobs-how")}</summary>
            <p class="hint" id="q-hint">
                {t!(lang, "staff-jobs-words")} " " {examples}
            </p>
        </details>
    }
}

/// What was not understood, what it could have been, and that the rest holds.
pub(super) fn unknown(lang: Lang, query: &JobQuery, words: &[String]) -> Option<impl IntoView + use<>> {
    let steps = step_keys(query.kind);
    let items = words.iter().map(|word| {
        let others = instead(query, word, &steps);
        let others = if others.is_empty() {
            let keys = KEYS.map(|key| view! { <code>{format!("{key}:")}</code> " " });
            view! { {t!(lang, "staff-jobs-keys")} " " {keys} }.into_any()
        } else {
            let links = others
                .into_iter()
                .map(|(text, query)| view! { <a href=list_href(&query)><code>{text}</code></a> " " });
            view! { {t!(lang, "staff-jobs-instead")} " " {links.collect_view()} }.into_any()
        };
        view! { <li><strong><code>{word.clone()}</code></strong> " " {others}</li> }
    });
    let items = items.collect_view();
    (!words.is_empty())
        .then(|| view! { <div class="note"><p>{t!(lang, "staff-jobs-unknown")}</p><ul>{items}</ul></div> })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown as an example can be asked, and names something that there is.
    #[test]
    fn the_examples_are_understood() {
        for example in EXAMPLES {
            let asked = JobQuery::read(example);
            assert!(asked.unknown.is_empty(), "{example}");
            assert!(
                asked.query.step.is_none_or(|step| step_keys(None).contains(&step.as_str())),
                "{example}"
            );
        }
        for key in KEYS {
            let shown = EXAMPLES.iter().filter(|e| e.starts_with(&format!("{key}:"))).count();
            assert_eq!(shown, 1, "{key}");
        }
    }
}
