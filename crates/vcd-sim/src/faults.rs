//! Faults asked for: by the control endpoint, or by the name of an object.
//!
//! A fault of a *task* makes its operation end badly, hang, or become unreadable. A fault of a *request* spoils the
//! answer: the request may well have been carried out.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    durations::DURATIONS,
    effects::Effect,
    errors::Refusal,
    model::Vm,
    tasks::{Entity, Start},
    world::World,
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TaskError {
    pub(crate) status: u16,
    pub(crate) minor: String,
    pub(crate) message: String,
}

impl TaskError {
    pub(crate) fn of(r: &Refusal) -> Self {
        Self { status: r.status, minor: r.minor.into(), message: r.message.clone() }
    }
}

/// How a task will end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Fate {
    #[default]
    Succeeds,
    Fails {
        error: TaskError,
        leaves_shell: bool,
    },
    Aborts,
    /// It stays at this percentage until it is cancelled or ended by the control endpoint.
    Stuck(u8),
    /// It succeeds, but nobody can read it.
    Gone,
}

/// `skip` matching tasks pass, then `times` of them meet their fate.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TaskFault {
    pub(crate) operation: String,
    pub(crate) skip: u32,
    pub(crate) times: u32,
    pub(crate) fate: Fate,
}

/// What happens to the answer of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub(crate) enum Spoiled {
    /// The connection is cut before anything is done.
    CutBefore,
    /// Carried out; the connection is cut instead of an answer.
    AnswerLost,
    /// Carried out; then this status, as a gateway in between would.
    StatusAfter { status: u16 },
    /// Refused with this status before anything is done, perhaps with `Retry-After` in seconds.
    Status { status: u16, retry_after: Option<u32> },
    /// The session has ended.
    Unauthorized,
    /// Carried out; half of the body is sent as if it were whole.
    Malformed,
    /// Refused as over a quota.
    Quota,
    /// Refused as held by a task that the caller may not read.
    Busy,
    /// Answered after so long: wall ms.
    Slow { ms: u64 },
    /// Of a list: a row in front of this page disappeared after the page before it was read.
    PageShift,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RequestFault {
    /// `METHOD /path`, where `*` stands for any one part of the path.
    pub(crate) at: String,
    #[serde(default)]
    pub(crate) skip: u32,
    #[serde(default = "once")]
    pub(crate) times: u32,
    pub(crate) what: Spoiled,
}

const fn once() -> u32 {
    1
}

/// Takes the first fault that is due for this request off the list.
pub(crate) fn take(faults: &mut Vec<RequestFault>, method: &str, path: &str) -> Option<Spoiled> {
    let at = faults.iter().position(|f| meets(&f.at, method, path))?;
    let fault = &mut faults[at];
    if fault.skip > 0 {
        fault.skip -= 1;
        return None;
    }
    let what = fault.what.clone();
    fault.times = fault.times.saturating_sub(1);
    if fault.times == 0 {
        faults.remove(at);
    }
    Some(what)
}

fn meets(pattern: &str, method: &str, path: &str) -> bool {
    let Some((wanted, pattern)) = pattern.split_once(' ') else { return false };
    let (pattern, path) = (pattern.trim_end_matches('/'), path.trim_end_matches('/'));
    (wanted == "*" || wanted.eq_ignore_ascii_case(method))
        && pattern.split('/').count() == path.split('/').count()
        && pattern.split('/').zip(path.split('/')).all(|(p, s)| p == "*" || p == s)
}

/// The control endpoint's form of a fault: `at` is a request, or `task OPERATION`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    at: String,
    #[serde(default)]
    skip: u32,
    #[serde(default = "once")]
    times: u32,
    what: serde_json::Value,
}

pub(crate) enum Fault {
    Task(TaskFault),
    Request(RequestFault),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
enum AskedFate {
    Error {
        #[serde(default)]
        message: Option<String>,
        /// Of the error; 500 and INTERNAL_SERVER_ERROR where nothing is said.
        #[serde(default)]
        status: Option<u16>,
        #[serde(default)]
        minor: Option<String>,
        #[serde(default)]
        leaves_shell: bool,
    },
    Aborted,
    Stuck {
        percent: u8,
    },
    Gone,
}

impl Asked {
    pub(crate) fn read(self) -> Result<Fault, String> {
        let bad = |e: serde_json::Error| format!("what: {e}");
        if self.times == 0 {
            return Err("times: at least 1 is expected".into());
        }
        if let Some(operation) = self.at.strip_prefix("task ") {
            let known = DURATIONS.iter().any(|d| d.operation.split(' ').next() == Some(operation));
            if !known || operation == "guest" {
                return Err(format!(
                    "at: no task has the operation {operation:?}; GET /sim/durations lists them"
                ));
            }
            let fate = match serde_json::from_value(self.what).map_err(bad)? {
                AskedFate::Error { message, status, minor, leaves_shell } => {
                    let mut error = internal_error(message);
                    error.status = status.unwrap_or(error.status);
                    error.minor = minor.unwrap_or(error.minor);
                    Fate::Fails { error, leaves_shell }
                }
                AskedFate::Aborted => Fate::Aborts,
                AskedFate::Stuck { percent } => Fate::Stuck(percent.min(99)),
                AskedFate::Gone => Fate::Gone,
            };
            let operation = operation.to_owned();
            return Ok(Fault::Task(TaskFault { operation, skip: self.skip, times: self.times, fate }));
        }
        const METHODS: &[&str] = &["*", "GET", "POST", "PUT", "DELETE"];
        let method = self.at.split_once(" /").map(|(method, _)| method.to_uppercase());
        if !method.is_some_and(|m| METHODS.contains(&m.as_str())) {
            return Err("at: `METHOD /path` or `task OPERATION` is expected".into());
        }
        let what: Spoiled = serde_json::from_value(self.what).map_err(bad)?;
        if let Spoiled::Status { status, .. } | Spoiled::StatusAfter { status } = what
            && !(400..600).contains(&status)
        {
            return Err(format!("status: {status} is no status of an error"));
        }
        Ok(Fault::Request(RequestFault { at: self.at, skip: self.skip, times: self.times, what }))
    }
}

fn internal_error(message: Option<String>) -> TaskError {
    TaskError {
        status: 500,
        minor: "INTERNAL_SERVER_ERROR".into(),
        message: message
            .unwrap_or_else(|| "Unable to perform this action. Contact your cloud administrator.".into()),
    }
}

impl World {
    /// Everything that a task is about, by names and descriptions: where a name such as `fail-vappdeploy` is looked for. So a
    /// host name that stands in the description of a network, of its machine or of its vApp reaches every step.
    pub(crate) fn told_of(&self, start: &Start) -> String {
        let mut told = vec![start.name.as_str()];
        let vm = |vm: &Vm| [&vm.name, &vm.description, &vm.customization.computer_name].map(String::clone);
        let mut owned: Vec<String> = Vec::new();
        match start.owner {
            Entity::Vm(id) => owned.extend(self.vms.get(&id).into_iter().flat_map(vm)),
            Entity::Network(id) => told.extend(self.networks.get(&id).map(|n| n.description.as_str())),
            Entity::Gateway(id) => {
                told.extend(self.networks.values().filter(|n| n.edge == id).map(|n| n.description.as_str()));
            }
            Entity::Vapp(id) => {
                told.extend(self.vapps.get(&id).map(|a| a.description.as_str()));
                if let Effect::Recomposed { added, .. } | Effect::VappMade { vms: added, .. } = &start.effect
                {
                    owned.extend(added.iter().flat_map(vm));
                }
            }
        }
        told.extend(owned.iter().map(String::as_str));
        told.join(" ")
    }

    /// How a task that starts now will end: by a fault asked for, else by a name such as `fail-vappdeploy`.
    pub(crate) fn fault_for(&mut self, operation: &str, told: &str) -> Fate {
        if let Some(at) = self.task_faults.iter().position(|f| f.operation == operation) {
            let fault = &mut self.task_faults[at];
            if fault.skip > 0 {
                fault.skip -= 1;
            } else {
                let fate = fault.fate.clone();
                fault.times = fault.times.saturating_sub(1);
                if fault.times == 0 {
                    self.task_faults.remove(at);
                }
                return fate;
            }
        }
        let names = told.to_lowercase();
        let operation = operation.to_lowercase();
        if names.contains(&format!("fail-{operation}")) {
            return Fate::Fails { error: internal_error(None), leaves_shell: false };
        }
        if names.contains(&format!("stuck-{operation}")) {
            return Fate::Stuck(60);
        }
        Fate::Succeeds
    }
}

/// The text of a refusal for a task that somebody else started.
pub(crate) fn foreign_busy() -> Refusal {
    let text = format!(
        "Unable to perform this action. Contact your cloud administrator. \
         VAPP_UPDATE_VM(com.vmware.vcloud.entity.task:{})",
        Uuid::new_v4()
    );
    Refusal::new(400, "BUSY_ENTITY", text)
}

#[cfg(test)]
mod tests {
    use super::{RequestFault, Spoiled, take};

    #[test]
    fn the_second_of_three_is_spoiled() {
        let mut faults = vec![RequestFault {
            at: "POST /api/vApp/*/action/recomposeVApp".into(),
            skip: 1,
            times: 1,
            what: Spoiled::AnswerLost,
        }];
        let mut hit = || take(&mut faults, "POST", "/api/vApp/vapp-1/action/recomposeVApp");
        assert_eq!((hit(), hit(), hit()), (None, Some(Spoiled::AnswerLost), None));
        assert!(take(&mut faults, "GET", "/api/vApp/vapp-1").is_none());
    }
}
