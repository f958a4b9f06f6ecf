//! What a search for jobs can go on with, and what a word that was not understood could have been.
//!
//! Only words with a closed list of values are offered. The names of customers and servers are not: whoever looks for one
//! knows it, and a list of all of them would be no help.

use crate::{cause::Cause, job_query::JobQuery, kind::Kind, state::JobState};

/// The words that narrow a search, in the order in which they are offered.
pub const KEYS: [&str; 8] = ["state", "kind", "step", "error", "since", "assigned", "is", "customer"];

/// What may stand behind a word; nothing where that is open. `steps` are the keys of the workflows, which their own crate
/// knows.
pub fn values(key: &str, steps: &[&'static str]) -> Vec<&'static str> {
    match key {
        "state" => JobState::ALL.iter().map(|s| s.as_str()).collect(),
        "kind" => Kind::ALL.iter().map(|k| k.as_str()).collect(),
        "step" => steps.to_vec(),
        "error" => Cause::ALL.iter().map(|c| c.as_str()).collect(),
        "since" => vec!["1h", "24h", "7d"],
        "assigned" => vec!["me"],
        "is" => vec!["slow"],
        _ => Vec::new(),
    }
}

/// A search as it was written, each time with one more word that it has room for.
pub fn further(text: &str, steps: &[&'static str]) -> Vec<String> {
    let query = JobQuery::read(text).query;
    // One job is one job, and what follows an open quotation mark would stand in it.
    if query.number.is_some() || text.matches('"').count() % 2 == 1 {
        return Vec::new();
    }
    // What is slow is under way: it has no state to choose.
    let other = |key| (key == "is" && query.state.is_some()) || (key == "state" && query.slow);
    let text = text.trim();
    let gap = if text.is_empty() { "" } else { " " };
    let all = KEYS.iter().flat_map(|key| values(key, steps).into_iter().map(move |value| (*key, value)));
    all.filter(|(key, value)| !other(*key) && query.clone().take(key, value).is_some())
        .map(|(key, value)| format!("{text}{gap}{key}:{value}"))
        .collect()
}

/// What a word that was not understood could have been: the same search with each value its key has.
pub fn instead(query: &JobQuery, word: &str, steps: &[&'static str]) -> Vec<(String, JobQuery)> {
    let key = word.split_once(':').map_or("", |(key, _)| key);
    let with = |value: &str| {
        let mut query = query.without(key);
        query.take(key, value).map(|()| (format!("{key}:{value}"), query))
    };
    values(key, steps).into_iter().filter_map(with).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [&str; 2] = ["network_create", "power_on"];

    #[test]
    fn a_search_goes_on_with_what_it_has_not_said() {
        let all = further("", &STEPS);
        assert!(all.contains(&"state:failed".into()) && all.contains(&"step:power_on".into()));
        assert!(all.contains(&"error:no_free_edge".into()) && all.contains(&"is:slow".into()));
        let next = further(" web state:failed ", &STEPS);
        assert!(next.contains(&"web state:failed kind:activate".into()), "{next:?}");
        assert!(!next.iter().any(|n| n.matches("state:").count() > 1), "{next:?}");
        // What is offered is understood, and asks for more than before.
        for text in &next {
            let asked = JobQuery::read(text);
            assert!(asked.unknown.is_empty(), "{text}");
            assert_ne!(asked.query, JobQuery::read("web state:failed").query);
        }
        assert!(further("#1023", &STEPS).is_empty());
        assert!(!next.contains(&"web state:failed is:slow".into()), "{next:?}");
        assert!(further("error:\"no", &STEPS).is_empty());
    }

    #[test]
    fn a_word_that_was_not_understood_could_have_been_another() {
        let asked = JobQuery::read("kind:power state:broken colour:red is:fast since:x state:failed");
        let texts = |word: &str| -> Vec<String> {
            instead(&asked.query, word, &STEPS).into_iter().map(|(_, q)| q.to_string()).collect()
        };
        assert!(texts("state:broken").contains(&"state:stuck kind:power".into()));
        assert_eq!(texts("is:fast"), ["is:slow state:failed kind:power"]);
        assert_eq!(texts("since:x").len(), 3);
        assert!(texts("colour:red").is_empty());
        assert!(texts("customer:").is_empty());
    }
}
