//! What staff do to a job: run it again, take it back, say that a step is done, stop it. Each carries a reason and leaves an
//! event; of two who ask at once the second is told who was first.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use domain::{
    AccountId, JobId,
    catalogue::Template,
    field::{Code, Field, FieldError},
    job_action::{JobAction, JobSubject, can_job},
    permission::Denial,
    state::{JobState, StepState},
};
use serde_json::{Map, Value};
use store::{
    Event, Result,
    interventions::{Intervention, Rerun},
    job_facts::JobFacts,
    jobs::Job,
    servers::Server,
};

use super::{Facade, Viewer, customers::note, staff::reason};
use crate::workflows::{EarlierStep, OTHER_EDGE, TEMPLATE, earlier_steps, inputs_of};

/// What may be done to a job, and what it would mean.
#[derive(Clone, Debug)]
pub struct JobChoices {
    pub facts: JobFacts,
    subject: JobSubject,
    viewer: Viewer,
    /// The step that failed, if one did.
    pub failed: Option<String>,
    /// How many steps are kept, and how many run, if it is run again.
    pub kept: usize,
    pub to_run: usize,
    /// What is undone if it is taken back, in that order.
    pub undone: Vec<String>,
    /// What of its inputs may be changed before it is run again.
    pub inputs: &'static [&'static str],
    /// Earlier steps, each with what running from it would do once more.
    pub earlier: Vec<EarlierStep>,
    /// It has kept its place while it has failed.
    pub holds: bool,
}

impl JobChoices {
    pub(super) fn of(viewer: &Viewer, job: &Job, facts: JobFacts, pause: Option<&BTreeSet<JobId>>) -> Self {
        let failed = job.steps.iter().find(|s| s.state == StepState::Failed).map(|s| s.key.clone());
        let finished = |state| matches!(state, StepState::Done | StepState::Skipped);
        let kept = job.steps.iter().filter(|s| finished(s.state)).count();
        let tried = |state| !matches!(state, StepState::Pending | StepState::Undone | StepState::Skipped);
        let undone = job.steps.iter().rev().filter(|s| tried(s.state)).map(|s| s.key.clone()).collect();
        Self {
            subject: JobSubject {
                state: job.state,
                newer: facts.newer.is_some(),
                stopping: facts.stopping,
                paused: pause.is_some(),
                through: pause.is_some_and(|through| through.contains(&job.id)),
            },
            facts,
            viewer: viewer.clone(),
            inputs: failed.as_deref().map_or(&[], |step| inputs_of(job.kind, step)),
            failed,
            kept,
            to_run: job.steps.len() - kept,
            undone,
            earlier: if job.state == JobState::Failed { earlier_steps(job) } else { Vec::new() },
            holds: job.finished_at.is_none(),
        }
    }

    pub fn can(&self, action: JobAction) -> std::result::Result<(), Denial> {
        can_job(action, self.viewer.role(), self.subject)
    }
}

/// What became of a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobAnswer {
    Done,
    Denied(Denial),
    Refused(Vec<FieldError>),
    /// Somebody else was first: who, and when.
    Already {
        by: String,
        at: i64,
    },
    Gone,
}

/// Who left an event, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByHand {
    pub version: i64,
    pub by: String,
    pub why: String,
}

/// The words of events that somebody's hand has left.
const BY_HAND: [&str; 8] =
    ["rerun", "roll_back", "marked_done", "stop_asked", "inputs_changed", "assigned", "unassigned", "note"];
/// Characters of a note.
pub const NOTE_MAX: usize = 1000;

/// Who did it and why, out of an event's detail.
pub(super) fn by_hand(event: &Event) -> Option<(AccountId, &str)> {
    let detail = event.detail.as_deref().filter(|_| BY_HAND.contains(&event.what.as_str()))?;
    let (by, why) = detail.split_once(": ")?;
    Some((by.parse().ok()?, why))
}

impl Facade {
    /// What may be done to a job. `None` for whoever is no staff.
    pub async fn job_choices(&self, viewer: &Viewer, job: &Job) -> Result<Option<JobChoices>> {
        if !viewer.role().is_staff() {
            return Ok(None);
        }
        let facts = self.store.jobs_facts(&[job.id]).await?.pop().map(|(_, facts)| facts).unwrap_or_default();
        let pause = self.store.maintenance_through().await?;
        Ok(Some(JobChoices::of(viewer, job, facts, pause.as_ref())))
    }

    /// Does it. `step` is the one that is said to be done, or an earlier one that it is run again from; `inputs` are what is
    /// changed before it is run again.
    pub async fn job_act(
        &self,
        viewer: &Viewer,
        id: JobId,
        action: JobAction,
        why: &str,
        step: Option<&str>,
        inputs: Map<String, Value>,
    ) -> Result<JobAnswer> {
        let Some(job) = self.store.job(id).await?.filter(|_| viewer.role().is_staff()) else {
            return Ok(JobAnswer::Gone);
        };
        let Some(choices) = self.job_choices(viewer, &job).await? else { return Ok(JobAnswer::Gone) };
        if let Err(denial) = choices.can(action) {
            // It may be that somebody has done just this a moment ago.
            return Ok(match self.done_already(id, action).await? {
                Some(answer)
                    if !matches!(denial, Denial::StaffOnly | Denial::NewerChange | Denial::AlreadyOver) =>
                {
                    answer
                }
                _ => JobAnswer::Denied(denial),
            });
        }
        let why = match reason(why) {
            Ok(why) => why,
            Err(errors) => return Ok(JobAnswer::Refused(errors)),
        };
        let inputs = match self.inputs_checked(&job, inputs).await? {
            Ok(inputs) => inputs,
            Err(error) => return Ok(JobAnswer::Refused(vec![error])),
        };
        let how = Intervention { by: viewer.account.id, why: &why, now: self.now_ms() };
        let done = match action {
            JobAction::Rerun if step.is_some() => {
                let from = choices.earlier.iter().find(|e| Some(e.key.as_str()) == step);
                match from {
                    Some(EarlierStep { repeats, in_the_way: None, .. }) => {
                        self.store.job_rerun_from(id, repeats, how).await?
                    }
                    _ => return Ok(JobAnswer::Denied(Denial::StepNotAgain)),
                }
            }
            JobAction::Rerun if inputs.is_empty() => self.store.job_rerun(id, how).await?,
            JobAction::Rerun => match self.store.job_rerun_with(id, &inputs, choices.inputs, how).await? {
                Rerun::Queued => true,
                Rerun::NotFailed => false,
                Rerun::NotAllowed(_) => return Ok(JobAnswer::Gone),
            },
            JobAction::RollBack => self.store.job_roll_back(id, how).await?,
            JobAction::MarkDone => {
                let step = step.map(str::to_owned).or(choices.failed);
                match step {
                    Some(step) => self.store.job_mark_done(id, &step, how).await?,
                    None => false,
                }
            }
            JobAction::Stop => self.store.job_stop(id, how).await?.is_some(),
            JobAction::Bypass => self.store.maintenance_let(id, how).await?,
        };
        if done {
            return Ok(JobAnswer::Done);
        }
        Ok(self.done_already(id, action).await?.unwrap_or(JobAnswer::Denied(Denial::AlreadyStarted)))
    }

    /// What was typed becomes what a step takes: a template that could be ordered for this server, and the edge that is left.
    async fn inputs_checked(
        &self,
        job: &Job,
        mut inputs: Map<String, Value>,
    ) -> Result<std::result::Result<Map<String, Value>, FieldError>> {
        let server = match job.server {
            Some(id) => self.store.server(id).await?,
            None => None,
        };
        let Some(server) = server else { return Ok(Ok(inputs)) };
        if let Some(id) = inputs.get(TEMPLATE) {
            let fits =
                self.templates_instead(&server).into_iter().any(|t| Some(t.id.as_str()) == id.as_str());
            if !fits {
                return Ok(Err(FieldError::new(Field::Template, Code::TemplateUnfit)));
            }
        }
        if inputs.remove(OTHER_EDGE).is_some()
            && let Some(edge) = self.store.edge_of(server.id).await?
        {
            inputs.insert(OTHER_EDGE.into(), Value::from(edge.id.to_string()));
        }
        Ok(Ok(inputs))
    }

    /// Templates that a server could be made from instead: of the same family, whose limits its size keeps, and with its
    /// panel.
    pub fn templates_instead(&self, server: &Server) -> Vec<&Template> {
        let panel = server.panel.as_ref().and_then(|p| self.catalogue.panel(&p.id));
        let fits = |t: &&Template| {
            let limits = self.catalogue.limits(t, panel);
            t.family == server.family
                && t.id != server.template_id
                && limits.lift(server.size) == server.size
                && panel.is_none_or(|p| p.templates.contains(&t.id))
        };
        self.catalogue.offered().filter(fits).collect()
    }

    /// Whoever asks looks after a job from here on, or gives it back. Returns whether the job is there to be seen.
    pub async fn job_assign(&self, viewer: &Viewer, id: JobId, take: bool) -> Result<bool> {
        if !viewer.role().is_staff() || self.store.job(id).await?.is_none() {
            return Ok(false);
        }
        let assignee = take.then_some(&viewer.account);
        self.store.job_assign(id, assignee, viewer.account.id, self.now_ms()).await?;
        Ok(true)
    }

    /// Leaves a note with a job, for other staff.
    pub async fn job_note(&self, viewer: &Viewer, id: JobId, text: &str) -> Result<JobAnswer> {
        if !viewer.role().is_staff() {
            return Ok(JobAnswer::Gone);
        }
        let text = match note(text) {
            Ok(text) => text,
            Err(error) => return Ok(JobAnswer::Refused(vec![error])),
        };
        let how = Intervention { by: viewer.account.id, why: &text, now: self.now_ms() };
        Ok(if self.store.job_note(id, how).await? { JobAnswer::Done } else { JobAnswer::Gone })
    }

    /// Who has done this to the job last, where that is what its state comes from.
    async fn done_already(&self, id: JobId, action: JobAction) -> Result<Option<JobAnswer>> {
        let word = match action {
            JobAction::Rerun => "rerun",
            JobAction::RollBack => "roll_back",
            JobAction::MarkDone => "marked_done",
            JobAction::Stop => "stop_asked",
            // It leaves no event: its state is what it was.
            JobAction::Bypass => return Ok(None),
        };
        let events = self.store.job_events(id, 50).await?;
        let ended = events.iter().rposition(|e| matches!(e.what.as_str(), "failed" | "stuck"));
        let since = ended.map_or(0, |at| at + 1);
        let Some(event) = events[since..].iter().find(|e| e.what == word) else { return Ok(None) };
        let by = match by_hand(event) {
            Some((by, _)) => self.store.account(by).await?.map(|a| a.name).unwrap_or_default(),
            None => String::new(),
        };
        Ok(Some(JobAnswer::Already { by, at: event.at }))
    }

    /// Who did what by hand, each by name.
    pub(super) async fn hands(&self, events: &[Event]) -> Result<Vec<ByHand>> {
        let mut names: BTreeMap<AccountId, String> = BTreeMap::new();
        let mut hands = Vec::new();
        for event in events {
            let Some((by, why)) = by_hand(event) else { continue };
            // A handful of people at most, each looked up once.
            let name = match names.entry(by) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let account = self.store.account(by).await?;
                    new.insert(account.map_or_else(|| by.to_string(), |a| a.name))
                }
            };
            let name = name.clone();
            hands.push(ByHand { version: event.version, by: name, why: why.to_owned() });
        }
        Ok(hands)
    }
}
