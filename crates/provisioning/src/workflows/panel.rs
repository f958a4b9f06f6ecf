//! `install_panel`: a control panel on a server whose system is there, by the playbook of that panel.
//!
//! It comes in by a key that was placed at first boot, and takes it out again as the last thing. What the installation says is
//! written down as it says it. Asked to stop, it stops the installer on the server too. What a panel's installer has
//! done to a system by then cannot be taken back: a fresh system is a reinstall.

use std::{sync::Arc, time::Duration};

use domain::{JobId, catalogue::Family, cause::Cause, panel::Panel};
use jobs::StepContext;
use store::{panels::Way, progress::Progress, servers::Server};
use tokio::{sync::mpsc, time::MissedTickBehavior};

use super::{
    machine::{check, own_machine},
    step::{Row, Stop, Tried, alone, readable, server},
};
use crate::{
    ansible::{PlayEnd, PlayEvent, TaskEnd, panel_tasks},
    control::Control,
    provider::{GuestWay, PanelSpec},
};

/// Raised whenever steps are added, removed or renamed.
pub(super) const SHAPE: i64 = 1;

pub(super) const STEPS: &[Row] = &[
    alone!("panel_check" after [] do panel_check; undo leave_without),
    alone!("panel_install" after ["panel_check"] do install),
    alone!("panel_record" after ["panel_install"] do record),
    alone!("panel_leave" after ["panel_record"] do leave),
];

/// An installation may take so many times as long as it usually does, and this much more.
const TIMES: u32 = 3;
const MORE: Duration = Duration::from_secs(20 * 60);
const LEAVING: Duration = Duration::from_secs(3 * 60);
/// How often what it says is written down, and whether it should stop looked at.
const SAY: Duration = Duration::from_secs(1);
/// Lines of the log that are kept of one task's output.
const LINES: usize = 200;
/// A line is cut there.
const LINE_MAX: usize = 1000;

async fn panel_check(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    spec(&c, &s)?;
    way(&c, &cx).await?;
    check(c, cx).await
}

/// What is to be installed. What is installed by now was ordered: its days of sale do not matter any more.
fn spec(c: &Control, s: &Server) -> Result<PanelSpec, Stop> {
    let invalid = |why: String| Stop::Fail(Cause::OrderInvalid, why);
    let ordered = s.panel.as_ref().ok_or_else(|| invalid("no panel was ordered for it".into()))?;
    let gone = || invalid(format!("panel {} is not offered any more", ordered.id));
    let catalogue = c.offers.current();
    let panel: &Panel = catalogue.panel(&ordered.id).ok_or_else(gone)?;
    if !panel.systems(&catalogue).any(|t| t.id == s.template_id) {
        return Err(invalid(format!("{} does not run on {}", panel.name, s.template_name)));
    }
    let (installer, arguments) = panel.installer_on(s.family);
    let usual = Duration::from_secs(u64::from(panel.usual_minutes) * 60);
    Ok(PanelSpec {
        id: panel.id.clone(),
        installer: installer.clone(),
        arguments: arguments.clone(),
        port: panel.port,
        systems: panel.systems(&catalogue).map(|t| t.name.clone()).collect(),
        needs_domain: panel.needs_domain,
        usual,
        deadline: usual * TIMES + MORE,
    })
}

async fn way(c: &Control, cx: &StepContext) -> Result<Way, Stop> {
    let way = c.store.way(JobId(cx.fence().job)).await?;
    way.ok_or_else(|| {
        Stop::Fail(Cause::AccessRefused, "its key is gone: only a reinstall makes another".into())
    })
}

fn guest_way<'a>(s: &'a Server, way: &'a Way) -> GuestWay<'a> {
    GuestWay {
        family: s.family,
        address: s.address.as_deref().unwrap_or_default(),
        login: if s.family == Family::Windows { &way.public } else { &s.guest_login },
        public: &way.public,
        private: &way.private,
    }
}

async fn install(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    let (machine, panel, way) = (own_machine(&s)?, spec(&c, &s)?, way(&c, &cx).await?);
    let guest = guest_way(&s, &way);
    let (tell, mut told) = mpsc::unbounded_channel();
    let mut playing = Box::pin(c.provider.guest_install_panel(&machine, &guest, &panel, &tell));
    let mut said = Said::new(s.family, &panel.id);
    let mut every = tokio::time::interval(SAY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let end = loop {
        tokio::select! {
            end = &mut playing => break end,
            Some(event) = told.recv() => said.hears(event, c.clock.now_ms()),
            _ = every.tick() => said.write(&c, &cx).await?,
        }
    };
    drop(playing);
    while let Ok(event) = told.try_recv() {
        said.hears(event, c.clock.now_ms());
    }
    let tried = ended(end);
    if let Err(Stop::Fail(_, why) | Stop::Retry(_, why)) = &tried {
        said.lines.push((c.clock.now_ms(), why.clone()));
    }
    said.changed = true;
    said.write(&c, &cx).await?;
    tried
}

fn ended(end: PlayEnd) -> Tried {
    match end {
        PlayEnd::Done { .. } => Ok(()),
        PlayEnd::Failed(TaskEnd { name, message, lines }) => {
            let last = lines.into_iter().rev().find(|l| !l.trim().is_empty());
            let why = [Some(name), Some(message), last].into_iter().flatten().filter(|part| !part.is_empty());
            Err(Stop::Fail(Cause::PanelFailed, why.collect::<Vec<_>>().join(": ")))
        }
        PlayEnd::Unreachable(why) => Err(Stop::Retry(Cause::AddressSilent, why)),
        PlayEnd::TooLong => Err(Stop::Fail(Cause::Timeout, "the installation did not end".into())),
        PlayEnd::Broken(why) => Err(Stop::Fail(Cause::InstallerBroken, why)),
    }
}

/// Installers print what opens what they have installed: what stands behind such a word is not written down.
fn masked(line: &str) -> String {
    const WORDS: [&str; 5] = ["password", "passwd", "secret", "token", "login_url"];
    let lower = line.to_ascii_lowercase();
    let at = WORDS.iter().filter_map(|word| lower.find(word).map(|at| at + word.len())).min();
    match at {
        Some(at) if at < line.len() => format!("{} ••••", &line[..at]),
        _ => line.to_owned(),
    }
}

/// What has been said, and how much of it is not written down yet.
struct Said {
    progress: Progress,
    /// Tasks that have begun.
    begun: u32,
    lines: Vec<(i64, String)>,
    changed: bool,
}

impl Said {
    fn new(family: Family, panel: &str) -> Self {
        let progress =
            Progress { word: "check".into(), total: panel_tasks(family, panel), ..Progress::default() };
        Self { progress, begun: 0, lines: Vec::new(), changed: true }
    }

    fn hears(&mut self, event: PlayEvent, now: i64) {
        let before = self.progress.clone();
        let mut say =
            |text: String| self.lines.push((now, masked(&readable(&text)).chars().take(LINE_MAX).collect()));
        match event {
            PlayEvent::Waits { ahead } => {
                self.progress.word = "waits".into();
                self.progress.ahead = ahead;
            }
            PlayEvent::Simulated => {
                self.progress.simulated = true;
                say("The cloud is simulated: nothing is really installed.".into());
            }
            PlayEvent::Task { name } => {
                // Its first word says to customers what it is about.
                self.progress.ahead = 0;
                self.progress.word = name.split(':').next().unwrap_or_default().to_owned();
                // Each begins where the one before it has ended.
                self.progress.done = self.begun.min(self.progress.total);
                self.begun += 1;
                say(format!("[{name}]"));
            }
            PlayEvent::Ok(end) | PlayEvent::Changed(end) | PlayEvent::Failed(end) => {
                let output = end.lines.into_iter().rev().take(LINES).collect::<Vec<_>>().into_iter().rev();
                output.chain(Some(end.message).filter(|m| !m.is_empty())).for_each(say);
            }
            PlayEvent::Unreachable(end) => say(end.message),
            PlayEvent::Skipped(_) | PlayEvent::Stats { .. } => {}
        }
        self.changed |= self.progress != before || !self.lines.is_empty();
    }

    /// Writes it down. Stops here where the job is to stop, or is somebody else's by now.
    async fn write(&mut self, c: &Control, cx: &StepContext) -> Tried {
        let stop = if self.changed {
            c.store.step_says(cx.fence(), cx.step, &self.progress, &self.lines).await?
        } else {
            c.store.job_stop_asked(JobId(cx.fence().job)).await?
        };
        self.changed = false;
        self.lines.clear();
        if stop { Err(Stop::Retry(Cause::PanelFailed, "asked to stop".into())) } else { Ok(()) }
    }
}

async fn record(c: Arc<Control>, cx: StepContext) -> Tried {
    let s = server(&c, &cx).await?;
    c.store.panel_installed(cx.fence(), s.id, c.clock.now_ms()).await?;
    Ok(())
}

/// Closes the way in, if it is not closed yet.
async fn close(c: &Control, cx: &StepContext) -> Tried {
    let s = server(c, cx).await?;
    if let (Some(way), Some(machine)) = (c.store.way(JobId(cx.fence().job)).await?, own_machine(&s).ok()) {
        match c.provider.guest_leave(&machine, &guest_way(&s, &way), LEAVING).await {
            PlayEnd::Done { .. } => {}
            // It may answer later; who gives up says so, and the way in stays known.
            PlayEnd::Unreachable(why) | PlayEnd::Broken(why) => {
                return Err(Stop::Retry(Cause::AddressSilent, why));
            }
            other => return ended(other),
        }
        c.store.way_forget(cx.fence()).await?;
    }
    Ok(())
}

async fn leave(c: Arc<Control>, cx: StepContext) -> Tried {
    close(&c, &cx).await
}

/// Also where nothing was begun: a way in was made for it when its guest was.
async fn leave_without(c: Arc<Control>, cx: StepContext) -> Tried {
    close(&c, &cx).await?;
    c.store.panel_dropped(cx.fence()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_is_what_has_ended() {
        let mut said = Said::new(Family::Linux, "plesk");
        let task = |name: &str| PlayEvent::Task { name: name.into() };
        let seen: Vec<_> = [
            PlayEvent::Waits { ahead: 2 },
            task("check: what system it is"),
            task("check: the rest"),
            task("install: it"),
        ]
        .into_iter()
        .map(|event| {
            said.hears(event, 0);
            (said.progress.word.clone(), said.progress.done, said.progress.ahead)
        })
        .collect();
        let expected = [("waits", 0, 2), ("check", 0, 0), ("check", 1, 0), ("install", 2, 0)];
        assert_eq!(seen, expected.map(|(word, done, ahead)| (word.to_owned(), done, ahead)));
    }

    #[test]
    fn what_opens_a_panel_is_not_written_down() {
        assert_eq!(masked("Admin password: hunter2"), "Admin password ••••");
        assert_eq!(masked("https://1.2.3.4:8443/login?secret=abc"), "https://1.2.3.4:8443/login?secret ••••");
        assert_eq!(masked("Installing packages"), "Installing packages");
        assert_eq!(readable("a\0b\u{1b}[31mc\n"), "ab[31mc\n");
    }
}
