//! S16: everything at a glance. Each number is a link to what it counts.

use domain::{
    job_query::JobQuery,
    state::{EdgeState, JobState, Role},
};
use leptos::prelude::*;
use provisioning::{COUNTED, Day, Overview};

use super::{Fault, Loaded, Params, edges::forecast};
use crate::{
    format,
    i18n::{Lang, t},
    live::Regions,
    request::{Request, encode},
    routes,
    shell::{LiveSource, Page},
    ui::time,
};

pub(crate) async fn overview(request: Request, _: Params) -> Loaded {
    let lang = request.lang();
    let (seen, admin) = read(&request).await?;
    let body = view! {
        <div data-live="tiles">{tiles(lang, &seen, admin)}</div>
        <section class="card" aria-labelledby="days">
            <h2 id="days">{t!(lang, "overview-days")}</h2>
            <div data-live="days">{days(lang, &seen.days)}</div>
        </section>
    };
    let live = LiveSource { path: routes::live(routes::STAFF), since: 0 };
    Ok(Page { live: Some(live), wide: true, ..Page::new(t!(lang, "nav-overview"), body) })
}

pub(crate) async fn overview_regions(request: &Request) -> Result<Regions, Fault> {
    let lang = request.lang();
    let (seen, admin) = read(request).await?;
    let values = vec![
        ("tiles".to_owned(), tiles(lang, &seen, admin).to_html()),
        ("days".to_owned(), days(lang, &seen.days).to_html()),
    ];
    Ok(Regions { values, ..Default::default() })
}

async fn read(request: &Request) -> Result<(Overview, bool), Fault> {
    let viewer = request.viewer()?;
    let facade = request.facade();
    let today = format::day_began(request.lang(), facade.now_ms());
    let seen = facade.overview(viewer, today).await?.ok_or(Fault::Forbidden)?;
    Ok((seen, viewer.role() == Role::Admin))
}

/// A number, what it is a number of, and where to look.
struct Tile {
    tone: &'static str,
    number: String,
    text: String,
    more: AnyView,
    href: Option<String>,
}

impl Tile {
    fn view(self) -> AnyView {
        let class = format!("tile {}", self.tone);
        // What needs a hand says so by its sign as well.
        let sign = (self.tone == "bad").then(|| view! { <span aria-hidden="true">"▲ "</span> });
        let inside = view! { {sign} <strong>{self.number}</strong> " " <span>{self.text}</span> };
        let head = match self.href {
            Some(href) => view! { <a href=href>{inside}</a> }.into_any(),
            None => view! { <p>{inside}</p> }.into_any(),
        };
        view! { <li class=class>{head} <div class="dim">{self.more}</div></li> }.into_any()
    }
}

fn jobs_href(query: &JobQuery) -> String {
    format!("{}?q={}", routes::STAFF_JOBS, encode(&query.to_string()))
}

fn tiles(lang: Lang, seen: &Overview, admin: bool) -> AnyView {
    let state = |state| Some(jobs_href(&JobQuery::default().with_state(Some(state))));
    let many = |n: i64| if n > COUNTED { format!("{COUNTED}+") } else { n.to_string() };
    let system = || admin.then(|| routes::STAFF_SYSTEM.to_owned());
    let when_any = |n: i64, tone| if n > 0 { tone } else { "" };
    let (failed, stuck) = (seen.count(JobState::Failed), seen.count(JobState::Stuck));
    let free = seen.pool.count(EdgeState::Free) as i64;
    let wait = |oldest: Option<provisioning::OldestWait>| match oldest {
        None => ().into_any(),
        Some(wait) => {
            let text = t!(lang, "overview-oldest", took = format::duration(seen.now - wait.since));
            view! { <a href=routes::staff_job(wait.job)>{format!("#{}", wait.number)}</a> " " {text} }
                .into_any()
        }
    };
    let mut tiles = vec![
        Tile {
            tone: when_any(failed, "bad"),
            number: many(failed),
            text: t!(lang, "overview-failed", n = failed),
            more: ().into_any(),
            href: state(JobState::Failed),
        },
        Tile {
            tone: when_any(stuck, "bad"),
            number: many(stuck),
            text: t!(lang, "overview-stuck", n = stuck),
            more: ().into_any(),
            href: state(JobState::Stuck),
        },
        Tile {
            tone: when_any(seen.slow as i64, "warn"),
            number: seen.slow.to_string(),
            text: t!(lang, "overview-slow", n = seen.slow as i64),
            more: t!(lang, "overview-slow-means").into_any(),
            href: Some(jobs_href(&JobQuery { slow: true, ..JobQuery::default() })),
        },
        Tile {
            tone: "",
            number: many(seen.count(JobState::Queued)),
            text: t!(lang, "overview-queued", n = seen.count(JobState::Queued)),
            more: wait(seen.oldest),
            href: state(JobState::Queued),
        },
        Tile {
            tone: when_any(seen.count(JobState::Parked), "warn"),
            number: many(seen.count(JobState::Parked)),
            text: t!(lang, "overview-parked", n = seen.count(JobState::Parked)),
            more: wait(seen.oldest_parked),
            href: state(JobState::Parked),
        },
        Tile {
            tone: "",
            number: many(seen.count(JobState::Running)),
            text: t!(lang, "overview-running", n = seen.count(JobState::Running)),
            more: t!(lang, "overview-done-today", n = many(seen.count(JobState::Succeeded))).into_any(),
            href: state(JobState::Running),
        },
        Tile {
            tone: if seen.pool.conflicts > 0 || seen.pool.is_low() { "bad" } else { "" },
            number: format!("{free}/{}", seen.pool.rows.len()),
            text: t!(lang, "overview-edges", n = free),
            more: view! { {forecast(lang, &seen.pool)} " " {t!(lang, "edges-conflicts", n = seen.pool.conflicts)} }
                .into_any(),
            href: Some(format!("{}?state=free", routes::STAFF_EDGES)),
        },
        Tile {
            tone: when_any(seen.drift as i64, "warn"),
            number: seen.drift.to_string(),
            text: t!(lang, "overview-drift", n = seen.drift as i64),
            more: ().into_any(),
            href: Some(routes::STAFF_DRIFT.into()),
        },
    ];
    tiles.push(platform(lang, seen, system()));
    let workers = seen.at_work();
    let heard = seen.workers.iter().map(|w| w.seen).max().filter(|at| *at > 0);
    tiles.push(Tile {
        tone: if workers == 0 { "bad" } else { "" },
        number: workers.to_string(),
        text: t!(lang, "overview-workers", n = workers as i64),
        more: heard.map(|at| t!(lang, "overview-heard", time = format::clock(lang, at))).into_any(),
        href: system(),
    });
    tiles.push(Tile {
        tone: "",
        number: seen.usual.map_or_else(|| "—".to_owned(), format::duration),
        text: t!(lang, "overview-usual"),
        more: t!(lang, "overview-usual-goal").into_any(),
        href: Some(jobs_href(&JobQuery { kind: Some(domain::kind::Kind::Activate), ..JobQuery::default() })),
    });
    let tiles = tiles.into_iter().map(Tile::view).collect_view();
    view! { <ul class="tiles plain">{tiles}</ul> }.into_any()
}

/// Whether the platform answers, and how quickly.
fn platform(lang: Lang, seen: &Overview, href: Option<String>) -> Tile {
    let answered = seen.platform;
    let more = match answered {
        Some(answer) => {
            let took = format!("{}.{}", answer.took / 1000, answer.took % 1000 / 100);
            view! { {t!(lang, "overview-answered", took = took)} " " {time(lang, answer.at)} }.into_any()
        }
        None => t!(lang, "overview-never-answered").into_any(),
    };
    let (tone, number) = match (seen.notices.silent_since, answered) {
        (Some(since), _) => ("bad", t!(lang, "overview-silent", time = format::clock(lang, since))),
        (None, Some(_)) => ("", t!(lang, "overview-answers")),
        (None, None) => ("warn", "—".to_owned()),
    };
    Tile { tone, number, text: t!(lang, "overview-platform"), more, href }
}

/// Bars of two kinds, side by side for each day, and the same as a table.
fn days(lang: Lang, days: &[Day]) -> AnyView {
    const HIGH: i64 = 100;
    const WIDE: i64 = 24;
    let most = days.iter().map(|d| d.ordered.max(d.ended)).max().unwrap_or(0).max(1);
    let bar = |x: i64, n: i64, class: &'static str| {
        // Something is never drawn as nothing.
        let high = if n == 0 { 0 } else { (n * HIGH / most).max(2) };
        view! { <rect class=class x=x.to_string() y=(HIGH - high).to_string() width="9" height=high.to_string()></rect> }
    };
    let bars = days
        .iter()
        .enumerate()
        .map(|(n, day)| {
            let x = n as i64 * WIDE + 3;
            view! { {bar(x, day.ordered, "bar")} {bar(x + 9, day.ended, "bar other")} }
        })
        .collect_view();
    let rows = days
        .iter()
        .rev()
        .map(|day| {
            view! {
                <tr>
                    <th scope="row">{format::date(lang, day.at)}</th>
                    <td class="num">{day.ordered}</td>
                    <td class="num">{day.ended}</td>
                </tr>
            }
        })
        .collect_view();
    let total = |of: fn(&Day) -> i64| days.iter().map(of).sum::<i64>();
    let (ordered, ended) = (total(|d| d.ordered), total(|d| d.ended));
    let said = t!(lang, "overview-days-said", ordered = ordered, ended = ended, most = most);
    let view_box = format!("0 0 {} {HIGH}", days.len() as i64 * WIDE);
    view! {
        <figure class="chart">
            <svg viewBox=view_box role="img" aria-label=said.clone() preserveAspectRatio="none">{bars}</svg>
            <figcaption>
                <span class="key" aria-hidden="true"></span> " " {t!(lang, "overview-ordered")} " "
                <span class="key other" aria-hidden="true"></span> " " {t!(lang, "overview-ended")} " — " {said}
            </figcaption>
        </figure>
        <details>
            <summary>{t!(lang, "overview-as-table")}</summary>
            <table>
                <caption class="sr-only">{t!(lang, "overview-days")}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t!(lang, "overview-day")}</th>
                        <th scope="col" class="num">{t!(lang, "overview-ordered")}</th>
                        <th scope="col" class="num">{t!(lang, "overview-ended")}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </details>
    }
    .into_any()
}
