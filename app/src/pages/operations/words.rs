//! One vocabulary: kinds, states, steps, and the sentences of the queue.

use domain::state::{JobState, StepState};
use leptos::prelude::*;
use provisioning::{Blocker, Job, Progress, Waiting, customer_rows, job_word};

use crate::{
    format,
    i18n::{Lang, t},
    ui::badge,
};

/// "Create web-01"
pub(crate) fn kind_title(lang: Lang, job: &Job, name: &str) -> String {
    worded(lang, &job_word(job), name, "")
}

/// "create web-01", inside a sentence.
pub(crate) fn kind_inline(lang: Lang, word: &str, name: &str) -> String {
    worded(lang, word, name, "-inline")
}

fn worded(lang: Lang, word: &str, name: &str, form: &str) -> String {
    let id = format!("kind-{word}{form}");
    // Kinds that cannot be asked for yet have no words yet.
    if lang.has(&id) { lang.tr(&id, &[("name", name.into())]) } else { format!("{word} {name}") }
}

fn tone(state: JobState) -> &'static str {
    match state {
        JobState::Succeeded => "ok",
        JobState::Running | JobState::RollingBack => "busy",
        JobState::Queued | JobState::Parked | JobState::RetryWait => "warn",
        JobState::Failed | JobState::Stuck => "bad",
        JobState::RolledBack | JobState::Cancelled => "idle",
    }
}

pub(crate) fn state_badge(lang: Lang, state: JobState) -> impl IntoView + use<> {
    badge(tone(state), lang.t(&format!("job-{state}")))
}

pub(crate) fn state_badge_staff(lang: Lang, state: JobState) -> impl IntoView + use<> {
    badge(tone(state), lang.t(&format!("job-{state}-staff")))
}

/// A blocker, with its step where it has started.
pub(crate) fn blocker_text(lang: Lang, b: &Blocker, with_state: bool) -> String {
    let what = kind_inline(lang, &b.word, &b.server_name);
    if !with_state {
        return what;
    }
    match (b.state, b.step, b.retry_at) {
        (JobState::Failed | JobState::Stuck, ..) => t!(lang, "queue-blocker-held", what = what),
        (JobState::RetryWait, _, Some(at)) => {
            t!(lang, "queue-blocker-retry", what = what, time = format::clock(lang, at))
        }
        (JobState::Queued | JobState::Parked, ..) => t!(lang, "queue-blocker-queued", what = what),
        (_, Some((step, total)), _) => {
            t!(lang, "queue-blocker-step", what = what, step = step as i64, total = total as i64)
        }
        _ => what,
    }
}

/// At most this many blockers are named.
const NAMED: usize = 3;

/// The place in the queue, and what it waits for.
pub(crate) fn waiting_text(lang: Lang, waiting: &Waiting) -> (Option<String>, String) {
    match waiting {
        Waiting::Free => (None, t!(lang, "queue-starting")),
        Waiting::Parked => (None, t!(lang, "queue-parked")),
        Waiting::Full => (None, t!(lang, "queue-full")),
        Waiting::Maintenance { until: Some(at) } => {
            (None, t!(lang, "queue-maintenance-until", time = format::clock(lang, *at)))
        }
        Waiting::Maintenance { until: None } => (None, t!(lang, "queue-maintenance")),
        Waiting::BackOff { until } => (None, t!(lang, "queue-back-off", time = format::clock(lang, *until))),
        Waiting::Needs(need) => {
            let what = need.as_ref().map(|b| blocker_text(lang, b, true)).unwrap_or_default();
            (None, t!(lang, "queue-waiting", what = what))
        }
        Waiting::Blocked { position, blockers } => {
            let place = match position {
                1 => t!(lang, "queue-next"),
                n => t!(lang, "queue-place", n = i64::from(*n)),
            };
            let then = t!(lang, "queue-then");
            let named: Vec<String> =
                blockers.iter().take(NAMED).map(|b| blocker_text(lang, b, true)).collect();
            let mut what = named.join(&then);
            if blockers.len() > NAMED {
                what = format!("{what} {}", t!(lang, "queue-more", n = (blockers.len() - NAMED) as i64));
            }
            let held = blockers.first().filter(|b| matches!(b.state, JobState::Failed | JobState::Stuck));
            let text = match held {
                Some(b) => t!(lang, "queue-held", what = blocker_text(lang, b, false)),
                None => t!(lang, "queue-waiting", what = what),
            };
            (Some(place), text)
        }
    }
}

pub(crate) fn waiting_view(lang: Lang, waiting: &Waiting) -> impl IntoView + use<> {
    let (place, text) = waiting_text(lang, waiting);
    let reason = match waiting {
        Waiting::Blocked { .. } => Some(t!(lang, "queue-reason")),
        Waiting::Parked => Some(t!(lang, "queue-parked-reason")),
        _ => None,
    };
    view! {
        <div class="queue">
            <p>{place.map(|p| view! { <strong>{p}</strong> " " })} {text}</p>
            {reason.map(|r| view! { <p class="dim">{r}</p> })}
        </div>
    }
}

/// A duration that is still growing: the live page lets it tick. Never announced.
pub(crate) fn ticking(ms: i64, class: &'static str) -> AnyView {
    let seconds = (ms.max(0) / 1000).to_string();
    view! { <span class=class aria-hidden="true" data-tick=seconds>{format::duration(ms)}</span> }.into_any()
}

/// What a row of a job is called.
pub(crate) fn row_text(lang: Lang, row: &str, job: &Job) -> String {
    let (system, panel) = (job.template_name.as_deref(), job.panel_name.as_deref());
    let params = [("system", system.unwrap_or_default().into()), ("panel", panel.unwrap_or_default().into())];
    lang.tr(&format!("row-{row}"), &params)
}

/// What a step says of itself while it is under way.
fn said(lang: Lang, progress: &Progress) -> String {
    let n = i64::from(progress.ahead);
    let what = lang.tr(&format!("panel-said-{}", progress.word), &[("n", n.into())]);
    let of = (progress.total > 0 && progress.done > 0).then(|| {
        t!(lang, "panel-said-of", done = progress.done.to_string(), total = progress.total.to_string())
    });
    let simulated = progress.simulated.then(|| t!(lang, "panel-said-simulated"));
    [Some(what), of, simulated].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// The steps of these jobs as customers read them, as one list. `about` is how many minutes a panel's installation takes.
pub(crate) fn step_list(lang: Lang, jobs: &[&Job], about: Option<u32>, now: i64) -> impl IntoView + use<> {
    let all =
        jobs.iter().flat_map(|job| customer_rows(job).into_iter().map(move |(row, step)| (*job, row, step)));
    let rows = all
        .map(|(job, row, step)| {
            let about = about.filter(|_| row == "panel").map(|n| t!(lang, "row-about", n = i64::from(n)));
            let name =
                [Some(row_text(lang, row, job)), about].into_iter().flatten().collect::<Vec<_>>().join(" ");
            let progress = step.progress.as_ref().filter(|_| step.state == StepState::Running).map(|p| {
                let bar = (p.done > 0).then(|| view! {
                    <progress max=p.total.to_string() value=p.done.to_string() aria-hidden="true"></progress>
                });
                view! { <span class="step-said">{bar} " " {said(lang, p)}</span> }
            });
            let (class, sign) = match step.state {
                StepState::Done => ("done", "✓"),
                StepState::Running => ("running", "◐"),
                StepState::RetryWait => ("waiting", "◔"),
                StepState::Failed => ("failed", "▲"),
                StepState::Pending | StepState::Skipped | StepState::Undone => ("pending", "○"),
            };
            let took = match (step.started_at, step.finished_at) {
                (Some(a), Some(b)) => {
                    Some(view! { <span class="took">{format::duration(b - a)}</span> }.into_any())
                }
                (Some(a), None) if step.state == StepState::Running => Some(ticking(now - a, "took")),
                _ => None,
            };
            let current = (step.state == StepState::Running).then_some("step");
            view! {
                <li class=class aria-current=current>
                    <span class="sign" aria-hidden="true">{sign}</span>
                    <span class="step-name">{name}</span>
                    <span class="step-state">{lang.t(&format!("step-{}", step.state))}</span>
                    {took}
                    {progress}
                </li>
            }
        })
        .collect_view();
    view! { <ol class="steps" aria-label=t!(lang, "operation-steps")>{rows}</ol> }
}

#[cfg(test)]
mod tests {
    use domain::{JobId, kind::Kind};
    use leptos::prelude::Owner;

    use super::*;

    fn blocker(kind: Kind, name: &str, state: JobState, step: Option<(usize, usize)>) -> Blocker {
        let retry_at = (state == JobState::RetryWait).then_some(1_700_000_000_000);
        Blocker {
            job: "00000000-0000-7000-8000-000000000001".parse::<JobId>().unwrap(),
            number: 1001,
            word: kind.to_string(),
            server_name: name.into(),
            state,
            step,
            retry_at,
        }
    }

    /// What an installation says of itself, in both languages, word by word.
    #[test]
    fn how_far_an_installation_is() {
        let at = |word: &str, ahead, done| Progress {
            word: word.into(),
            ahead,
            done,
            total: 12,
            simulated: false,
        };
        let cases = [
            (
                at("waits", 0, 0),
                "next to be installed: it starts as soon as a place is free",
                "следующая: начнётся, как только освободится место",
            ),
            (at("waits", 1, 0), "waits: 1 installation is ahead", "ожидает: впереди 1 установка"),
            (at("waits", 3, 0), "waits: 3 installations are ahead", "ожидает: впереди 3 установки"),
            (at("waits", 11, 0), "waits: 11 installations are ahead", "ожидает: впереди 11 установок"),
            (at("install", 0, 7), "running the installer · 7 of 12", "работает установщик · 7 из 12"),
            (
                Progress { simulated: true, ..at("check", 0, 0) },
                "checking the system · This cloud is simulated: nothing is really installed.",
                "проверяем систему · Это учебное облако: на самом деле ничего не устанавливается.",
            ),
        ];
        Owner::new().with(|| {
            for (progress, en, ru) in cases {
                assert_eq!(said(Lang::En, &progress), en);
                assert_eq!(said(Lang::Ru, &progress), ru);
            }
        });
    }

    /// Every reason for which a job may not be running, in both languages, word by word.
    #[test]
    fn why_it_is_not_running() {
        let create = || blocker(Kind::Activate, "web-01", JobState::Running, Some((4, 9)));
        let queued = || blocker(Kind::Terminate, "db-01", JobState::Queued, None);
        let blocked = |position, blockers| Waiting::Blocked { position, blockers };
        let cases: &[(Waiting, &str, &str)] = &[
            (Waiting::Free, "Starting…", "Запускается…"),
            (Waiting::Full, "Starting soon: all workers are busy.", "Скоро начнём: все исполнители заняты."),
            (Waiting::Parked, "Waiting for a free network slot.", "Ожидает свободного места в сети."),
            (
                Waiting::Maintenance { until: None },
                "Paused for maintenance.",
                "Приостановлено на время работ.",
            ),
            (
                Waiting::Maintenance { until: Some(1_700_000_000_000) },
                "Paused for maintenance until 22:13:20.",
                "Приостановлено на время работ до 01:13:20.",
            ),
            (
                Waiting::BackOff { until: 1_700_000_000_000 },
                "Will be retried at 22:13:20.",
                "Повторим в 01:13:20.",
            ),
            (
                Waiting::Needs(Some(create())),
                "Waiting for: create web-01 (step 4 of 9).",
                "Ожидает завершения: создание web-01 (шаг 4 из 9).",
            ),
            (
                blocked(1, vec![create()]),
                "Next in the queue. Waiting for: create web-01 (step 4 of 9).",
                "Следующая в очереди. Ожидает завершения: создание web-01 (шаг 4 из 9).",
            ),
            (
                blocked(2, vec![create(), queued()]),
                "Place in the queue: 2. Waiting for: create web-01 (step 4 of 9), then terminate db-01 (queued earlier).",
                "Место в очереди: 2. Ожидает завершения: создание web-01 (шаг 4 из 9), затем удаление db-01 (поставлено раньше).",
            ),
            (
                blocked(1, vec![blocker(Kind::Activate, "web-01", JobState::RetryWait, Some((4, 9)))]),
                "Next in the queue. Waiting for: create web-01 (will be retried at 22:13:20).",
                "Следующая в очереди. Ожидает завершения: создание web-01 (повторим в 01:13:20).",
            ),
            (
                blocked(1, vec![blocker(Kind::Terminate, "db-01", JobState::Failed, Some((3, 5)))]),
                "Next in the queue. Held by: terminate db-01 (needs attention, support is on it).",
                "Следующая в очереди. Задержано операцией: удаление db-01 (требует внимания, поддержка занимается).",
            ),
            (
                blocked(5, vec![create(), queued(), queued(), queued(), queued()]),
                "Place in the queue: 5. Waiting for: create web-01 (step 4 of 9), then terminate db-01 (queued earlier), \
                 then terminate db-01 (queued earlier) … and 2 more.",
                "Место в очереди: 5. Ожидает завершения: создание web-01 (шаг 4 из 9), затем удаление db-01 (поставлено раньше), \
                 затем удаление db-01 (поставлено раньше) … и ещё 2.",
            ),
        ];
        let owner = Owner::new();
        owner.with(|| {
            for (waiting, en, ru) in cases {
                for (lang, expected) in [(Lang::En, en), (Lang::Ru, ru)] {
                    let (place, text) = waiting_text(lang, waiting);
                    let said = place.map_or(text.clone(), |place| format!("{place} {text}"));
                    // Marks of direction around what is put in are not part of the words.
                    let said: String =
                        said.chars().filter(|c| !matches!(c, '\u{2068}' | '\u{2069}')).collect();
                    assert_eq!(said, *expected, "{waiting:?}");
                }
            }
        });
    }
}
