//! What ran together, and what waited for what: the latest burst of operations as a table, and as lanes beside it.
//!
//! A lane is a server, or the whole account. The table says everything that the picture shows.

use leptos::prelude::*;
use provisioning::Job;

use super::kind_title;
use crate::{
    format,
    i18n::{Lang, t},
    routes,
};

/// Operations further apart than this are of different bursts, ms.
const APART: i64 = 30 * 60_000;
/// More cannot be read.
const MOST: usize = 12;

/// Waits that are shorter are none to whoever looks, ms.
const SHORT: i64 = 1_000;

/// Where the picture's lanes begin, and how wide it is.
const LEFT: i64 = 150;
const WIDTH: i64 = 640;
const LANE: i64 = 26;

/// The latest operations that are not far from each other, in the order they were accepted.
fn burst<'j>(jobs: &[&'j Job], now: i64) -> Vec<&'j Job> {
    let mut jobs = jobs.to_vec();
    jobs.sort_by_key(|j| std::cmp::Reverse(j.created_at));
    let mut begins = i64::MAX;
    let near = jobs.into_iter().take_while(|j| {
        let ends = j.finished_at.unwrap_or(now);
        let near = begins == i64::MAX || begins - ends <= APART;
        begins = begins.min(j.created_at);
        near
    });
    let mut chosen: Vec<&Job> = near.take(MOST).collect();
    chosen.reverse();
    chosen
}

/// Nothing where there is nothing to compare.
pub(super) fn lanes(lang: Lang, jobs: &[&Job], now: i64) -> Option<AnyView> {
    let jobs = burst(jobs, now);
    if jobs.len() < 2 {
        return None;
    }
    let view = view! {
        <details class="lanes">
            <summary>{t!(lang, "lanes")}</summary>
            {table(lang, &jobs, now)}
            <div class="scroll" tabindex="0" role="region" aria-label=t!(lang, "lanes-picture")>{picture(lang, &jobs, now)}</div>
            <p class="dim">{t!(lang, "lanes-legend")}</p>
        </details>
    };
    Some(view.into_any())
}

fn title(lang: Lang, job: &Job) -> String {
    kind_title(lang, job, &job.server_name.clone().unwrap_or_default())
}

fn table(lang: Lang, jobs: &[&Job], now: i64) -> impl IntoView + use<> {
    let rows = jobs
        .iter()
        .map(|job| {
            let begun = job.started_at.or(job.finished_at).unwrap_or(now);
            let waited = format::duration(begun - job.created_at);
            let took = job.started_at.map(|at| format::duration(job.finished_at.unwrap_or(now) - at));
            let none = || t!(lang, "lanes-not-yet");
            view! {
                <tr>
                    <th scope="row"><a href=routes::operation(job.id)>{title(lang, job)}</a></th>
                    <td data-label=t!(lang, "lanes-accepted")>{format::clock(lang, job.created_at)}</td>
                    <td data-label=t!(lang, "lanes-waited")>{waited}</td>
                    <td data-label=t!(lang, "lanes-took")>{took.unwrap_or_else(none)}</td>
                    <td data-label=t!(lang, "lanes-ended")>{job.finished_at.map_or_else(none, |at| format::clock(lang, at))}</td>
                </tr>
            }
        })
        .collect_view();
    let columns = ["lanes-operation", "lanes-accepted", "lanes-waited", "lanes-took", "lanes-ended"];
    let head = columns.map(|c| view! { <th scope="col">{lang.t(c)}</th> });
    view! {
        <table class="as-cards">
            <caption class="sr-only">{t!(lang, "lanes")}</caption>
            <thead><tr>{head}</tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

/// One bar: where it lies, and how it is drawn.
#[derive(Debug, PartialEq, Eq)]
struct Bar {
    lane: i64,
    from: i64,
    width: i64,
    class: &'static str,
}

fn bars(jobs: &[&Job], now: i64) -> (Vec<String>, Vec<Bar>) {
    let begin = jobs.iter().map(|j| j.created_at).min().unwrap_or(now);
    let end = jobs.iter().map(|j| j.finished_at.unwrap_or(now)).max().unwrap_or(now);
    let span = (end - begin).max(1);
    let at = |ms: i64| LEFT + (ms - begin).clamp(0, span) * (WIDTH - LEFT - 4) / span;
    let mut names: Vec<String> = Vec::new();
    let mut bars = Vec::new();
    for job in jobs {
        let name = job.server_name.clone().unwrap_or_default();
        let lane = names.iter().position(|n| *n == name).unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        }) as i64;
        let ends = job.finished_at.unwrap_or(now);
        let begun = job.started_at.unwrap_or(ends);
        let mut bar = |from: i64, to: i64, class| {
            let (from, to) = (at(from), at(to));
            bars.push(Bar { lane, from, width: (to - from).max(2), class });
        };
        if begun - job.created_at >= SHORT {
            bar(job.created_at, begun, "lane-waits");
        }
        if job.started_at.is_some() {
            bar(begun, ends, if job.cause.is_some() { "lane-failed" } else { "lane-runs" });
        }
    }
    (names, bars)
}

fn picture(lang: Lang, jobs: &[&Job], now: i64) -> impl IntoView + use<> {
    let (names, bars) = bars(jobs, now);
    let height = names.len() as i64 * LANE;
    let labels = names
        .into_iter()
        .enumerate()
        .map(|(i, name)| {
            let short: String =
                if name.chars().count() > 20 { name.chars().take(19).chain(['…']).collect() } else { name };
            view! { <text x="0" y=(i as i64 * LANE + 17).to_string()>{short}</text> }
        })
        .collect_view();
    let bars = bars
        .into_iter()
        .map(|b| {
            let (x, y, width) = (b.from.to_string(), (b.lane * LANE + 5).to_string(), b.width.to_string());
            view! { <rect class=b.class x=x y=y width=width height="16" rx="3"/> }
        })
        .collect_view();
    view! {
        <svg role="img" aria-label=t!(lang, "lanes-picture") viewBox=format!("0 0 {WIDTH} {height}")>
            {labels} {bars}
        </svg>
    }
}

#[cfg(test)]
mod tests {
    use domain::{kind::Kind, state::JobState};

    use super::*;

    fn id<T: std::str::FromStr<Err: std::fmt::Debug>>() -> T {
        "0193569e-0000-7000-8000-000000000001".parse().unwrap()
    }

    fn job(server: &str, created: i64, started: Option<i64>, finished: Option<i64>) -> Job {
        Job {
            id: id(),
            number: 1,
            customer: id(),
            seq: 1,
            kind: Kind::Power,
            action: None,
            server: None,
            needs: None,
            server_name: Some(server.into()),
            template_name: None,
            panel_name: None,
            state: JobState::Succeeded,
            requested_by: id(),
            assignee: None,
            request_id: String::new(),
            claim_owner: None,
            claim_expires_at: None,
            next_attempt_at: None,
            created_at: created,
            started_at: started,
            finished_at: finished,
            cause: None,
            detail: None,
            steps: Vec::new(),
        }
    }

    #[test]
    fn only_the_latest_burst() {
        let old = job("a", 0, Some(1), Some(2));
        let one = job("a", 3 * APART, Some(3 * APART), Some(3 * APART + 5));
        let two = job("b", 3 * APART + 1, None, None);
        let chosen = burst(&[&two, &old, &one], 3 * APART + 9);
        let begun: Vec<i64> = chosen.iter().map(|j| j.created_at).collect();
        assert_eq!(begun, [3 * APART, 3 * APART + 1]);
    }

    #[test]
    fn a_lane_for_each_server_and_a_bar_for_each_wait() {
        let one = job("a", 0, Some(20), Some(5_000));
        let two = job("b", 0, Some(5_000), Some(10_000));
        let three = job("a", 5_000, None, None);
        let (names, bars) = bars(&[&one, &two, &three], 10_000);
        assert_eq!(names, ["a", "b"]);
        let drawn: Vec<(i64, &str)> = bars.iter().map(|b| (b.lane, b.class)).collect();
        assert_eq!(drawn, [(0, "lane-runs"), (1, "lane-waits"), (1, "lane-runs"), (0, "lane-waits")]);
        assert!((LEFT..LEFT + 3).contains(&bars[0].from), "{bars:?}");
        assert!(bars.iter().all(|b| b.from + b.width <= WIDTH));
        assert_eq!(bars[1].from + bars[1].width, bars[2].from, "it begins where its wait ends");
    }
}
