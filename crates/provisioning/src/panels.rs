//! How a control panel gets onto a server: by a playbook over the network, or, in a simulated cloud, by the model of its guest,
//! which says that nothing of it is real.

use std::time::Duration;

use domain::catalogue::Family;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::{
    sync::mpsc::UnboundedSender,
    time::{Instant, sleep, timeout},
};
use uuid::Uuid;

use crate::{
    ansible::{Ansible, Door, Play, PlayEnd, PlayEvent, TaskEnd, WINRM_PORT, role_of},
    provider::{GuestWay, PanelSpec},
    roads::{GUESTS, Roads},
};

/// How long a panel that is there may take to answer.
const ANSWER: Duration = Duration::from_secs(300);
/// How often an installer is looked after, and the simulated guest asked.
const LOOK: Duration = Duration::from_secs(5);
const LOOK_SIMULATED: Duration = Duration::from_millis(250);
/// What guests say to a key or a password that they do not know, or not any more.
const REFUSED: [&str; 2] = ["Permission denied", "credentials were rejected"];

impl Roads {
    /// Installs a panel, or sees that it is there.
    pub async fn install_panel(
        &self,
        machine: Uuid,
        way: &GuestWay<'_>,
        panel: &PanelSpec,
        tell: &UnboundedSender<PlayEvent>,
    ) -> PlayEnd {
        let on = |event: &PlayEvent| {
            let _ = tell.send(event.clone());
        };
        match self {
            Self::Network(Some(ansible)) => {
                let playbook = match way.family {
                    Family::Linux => "panel.yml",
                    Family::Windows => "panel-windows.yml",
                };
                let limits = (panel.deadline, true);
                run(ansible, playbook, way, &values_of(panel), limits, on).await
            }
            Self::Network(None) => PlayEnd::Broken("this node has no Ansible".into()),
            Self::Simulated(cloud) => {
                let installed = timeout(panel.deadline, simulated(cloud, machine, way, panel, on)).await;
                installed.unwrap_or(PlayEnd::TooLong)
            }
        }
    }

    /// Stops what is still being installed, and takes the key out. A guest that does not let the key in any more has been left
    /// before.
    pub async fn leave(&self, machine: Uuid, way: &GuestWay<'_>, deadline: Duration) -> PlayEnd {
        let end = match self {
            Self::Network(Some(ansible)) => {
                let values = json!({"login": way.login, "way": way.public});
                let values = values.as_object().cloned().unwrap_or_default();
                let playbook = match way.family {
                    Family::Linux => "leave.yml",
                    Family::Windows => "leave-windows.yml",
                };
                run(ansible, playbook, way, &values, (deadline, false), |_| {}).await
            }
            Self::Network(None) => PlayEnd::Broken("this node has no Ansible".into()),
            Self::Simulated(cloud) => {
                let told = json!({"login": way.login, "key": opens(way), "address": way.address});
                match post(&format!("{cloud}/sim/guests/{machine}/leave"), &told).await {
                    Ok(()) => PlayEnd::Done { changed: 1 },
                    Err(end) => end,
                }
            }
        };
        match end {
            PlayEnd::Unreachable(why) if REFUSED.iter().any(|said| why.contains(said)) => {
                PlayEnd::Done { changed: 0 }
            }
            // On Windows the door itself goes: a server that is there and has none has been left.
            PlayEnd::Unreachable(why) if way.family == Family::Windows => {
                match self.answers(machine, way.family, way.address).await {
                    Ok(true) => PlayEnd::Done { changed: 0 },
                    _ => PlayEnd::Unreachable(why),
                }
            }
            other => other,
        }
    }
}

async fn run(
    ansible: &Ansible,
    playbook: &str,
    way: &GuestWay<'_>,
    values: &Map<String, Value>,
    (deadline, waits): (Duration, bool),
    on: impl FnMut(&PlayEvent),
) -> PlayEnd {
    let play = Play {
        playbook,
        address: way.address,
        door: match way.family {
            Family::Linux => Door::Ssh { login: way.login, key: way.private, python: None },
            Family::Windows => Door::WinRm { login: way.login, password: way.private, port: WINRM_PORT },
        },
        values,
        deadline,
        waits,
    };
    ansible.run(play, on).await
}

/// What `panel.yml` is given.
pub fn values_of(panel: &PanelSpec) -> Map<String, Value> {
    let values = json!({
        "panel": panel.id,
        "panel_role": role_of(&panel.id).unwrap_or_default(),
        "panel_installer": panel.installer,
        "panel_arguments": panel.arguments,
        "panel_port": panel.port,
        "panel_systems": panel.systems,
        "panel_needs_domain": panel.needs_domain,
        "panel_seconds": panel.deadline.as_secs(),
        "panel_poll_seconds": LOOK.as_secs(),
        "panel_answer_seconds": ANSWER.as_secs(),
    });
    values.as_object().cloned().unwrap_or_default()
}

/// What the simulated guest is shown: it knows public halves, and passwords.
fn opens<'a>(way: &'a GuestWay<'_>) -> &'a str {
    match way.family {
        Family::Linux => way.public,
        Family::Windows => way.private.expose_secret(),
    }
}

#[derive(Deserialize)]
struct Guest {
    panel: Option<Installing>,
}

#[derive(Deserialize)]
struct Installing {
    id: String,
    state: String,
}

async fn simulated(
    cloud: &str,
    machine: Uuid,
    way: &GuestWay<'_>,
    panel: &PanelSpec,
    mut on: impl FnMut(&PlayEvent),
) -> PlayEnd {
    let guest = format!("{}/sim/guests/{machine}", cloud.trim_end_matches('/'));
    let task = |name: &str| PlayEvent::Task { name: name.into() };
    on(&PlayEvent::Simulated);
    on(&task("check: the simulated guest"));
    let told = json!({
        "panel": panel.id, "login": way.login, "key": opens(way), "address": way.address,
        "seconds": panel.usual.as_secs(),
    });
    if let Err(end) = post(&format!("{guest}/panel"), &told).await {
        return end;
    }
    on(&task("install: the simulated guest pretends to"));
    let name = "install: the simulated guest pretends to".to_owned();
    loop {
        let asked = Instant::now();
        let installing = match get(&guest).await {
            Ok(installing) => installing,
            Err(why) => return PlayEnd::Unreachable(why),
        };
        match installing.filter(|i| i.id == panel.id).map(|i| i.state).as_deref() {
            Some("done") => {
                on(&task("finish: the simulated panel answers"));
                return PlayEnd::Done { changed: 1 };
            }
            Some("failed") => {
                let message = "the simulated installer failed, as its host name asks for".into();
                return PlayEnd::Failed(TaskEnd { name, message, lines: vec![] });
            }
            Some(_) => sleep(LOOK_SIMULATED.saturating_sub(asked.elapsed())).await,
            None => {
                let message = "somebody has stopped it".into();
                return PlayEnd::Failed(TaskEnd { name, message, lines: vec![] });
            }
        }
    }
}

async fn get(guest: &str) -> Result<Option<Installing>, String> {
    let text = async { GUESTS.get(guest).send().await?.error_for_status()?.text().await }.await;
    let text = text.map_err(|e| e.to_string())?;
    serde_json::from_str::<Guest>(&text).map(|g| g.panel).map_err(|e| e.to_string())
}

async fn post(url: &str, told: &Value) -> Result<(), PlayEnd> {
    let answer = GUESTS.post(url).json(told).send().await;
    match answer.map(|a| a.status().as_u16()) {
        Ok(200..300) => Ok(()),
        Ok(401) => Err(PlayEnd::Unreachable(REFUSED[0].into())),
        Ok(other) => Err(PlayEnd::Unreachable(format!("the simulated guest answered {other}"))),
        Err(e) => Err(PlayEnd::Unreachable(e.to_string())),
    }
}
