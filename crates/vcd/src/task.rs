//! Tasks: reading one, waiting for one, asking one to stop.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use reqwest::Method;
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    client::{Client, Family},
    error::{Effect, Error, ErrorKind, Result},
    ids::TaskId,
    query::Query,
    xml::{self, Find},
};

/// How a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskStatus {
    /// `queued`, `preRunning`, `running` or `postRunning`.
    Running,
    /// `success`
    Success,
    /// `error`
    Error,
    /// `canceled`: some clients take it for success **\[src\]**, here it is a failure.
    Canceled,
    /// `aborted`: likewise.
    Aborted,
}

impl TaskStatus {
    fn parse(text: &str) -> Result<Self> {
        Ok(match text {
            "queued" | "preRunning" | "running" | "postRunning" => Self::Running,
            "success" => Self::Success,
            "error" => Self::Error,
            "canceled" => Self::Canceled,
            "aborted" => Self::Aborted,
            other => return Err(Error::protocol(format!("a task is {other:?}"))),
        })
    }
}

/// A task as it was read.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// For machines: `vdcRecomposeVapp` **\[cap\]**.
    pub operation_name: String,
    /// For people.
    pub operation: String,
    /// How it stands.
    pub status: TaskStatus,
    /// Percent, where the platform says.
    pub progress: Option<u64>,
    /// What it works on: a URN where there is one, else an href. Of an OpenAPI create it is the new object **\[src\]**;
    /// of a recompose it is the vApp, never the new machine **\[src\]**.
    pub owner: Option<String>,
    /// The minor code of its error.
    pub error_code: Option<String>,
    /// The text of its error.
    pub error: Option<String>,
}

impl Task {
    /// Reads a recorded `Task` document.
    pub fn from_xml(body: &str) -> Result<Self> {
        read_task(xml::parse(body)?.root_element())
    }
}

/// How to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitOptions {
    /// For how long in all.
    pub deadline: Duration,
    /// The first pause; each is half as long again as the one before.
    pub first_pause: Duration,
    /// The longest pause: how late an end is seen at worst.
    pub longest_pause: Duration,
    /// So many failed reads in a row are forgiven.
    pub patience: u32,
}

impl WaitOptions {
    /// Looks after a quarter of a second, then less often, at least every two seconds.
    pub const fn within(deadline: Duration) -> Self {
        Self {
            deadline,
            first_pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(2),
            patience: 10,
        }
    }
}

impl Client {
    /// Reads a task. One that has expired, or is somebody else's, is not found **\[inf\]**.
    pub async fn task(&self, id: TaskId) -> Result<Task> {
        let answer = self.get(Family::Xml, &format!("/api/task/{}", id.uuid())).await?;
        read_task(xml::parse(&answer.body)?.root_element())
    }

    /// Asks a task to stop. It may end otherwise all the same.
    pub async fn task_cancel(&self, id: TaskId) -> Result<()> {
        let path = format!("/api/task/{}/action/cancel", id.uuid());
        self.send(Method::POST, Family::Xml, &path, None).await.map(drop)
    }

    /// The tasks of the account's organisation that have not ended, newest first.
    pub async fn tasks_running(&self) -> Result<Vec<TaskId>> {
        let running = Query::new("task").filter_raw("status==queued,status==preRunning,status==running");
        let records = self.query(&running.sort_desc("startDate")).await?;
        records.iter().map(|r| crate::query::parse(r.reference())).collect()
    }

    /// Waits until a task has ended well.
    ///
    /// Survives a session that ends, answers of 5xx and cut connections; each wait is one timer, and many waits do not
    /// look at the same moment. Dropping the future stops the waiting, not the task.
    ///
    /// # Errors
    /// [`ErrorKind::TaskFailed`] where it ended as anything but success, [`ErrorKind::Timeout`] where the deadline passed,
    /// [`ErrorKind::NotFound`] where it cannot be read (any more): read what it worked on instead.
    pub async fn task_wait(&self, id: TaskId, options: WaitOptions) -> Result<Task> {
        let until = Instant::now() + options.deadline;
        let mut pause = options.first_pause;
        let mut failures = 0;
        let mut asked = Duration::ZERO;
        let mut pace = Pace::default();
        loop {
            // A read that hangs does not outlast the deadline either.
            let read = tokio::select! {
                biased;
                read = self.task(id) => read,
                () = sleep_until(until) => return Err(out_of_time(id, options.deadline)),
            };
            match read {
                Ok(task) => match task.status {
                    TaskStatus::Success => return Ok(task),
                    TaskStatus::Running => {
                        failures = 0;
                        pace.see(Instant::now(), task.progress);
                    }
                    _ => return Err(ended_badly(&task)),
                },
                Err(e)
                    if (e.is_transient() || e.kind == ErrorKind::Protocol) && failures < options.patience =>
                {
                    failures += 1;
                    asked = e.retry_after.unwrap_or_default();
                }
                Err(e) => return Err(e),
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(out_of_time(id, options.deadline));
            }
            // Where the platform says how far it is, the next look is when it should be over: seldom on the way, and soon then.
            let next = match pace.left(Instant::now()) {
                Some(rest) => rest.clamp(options.first_pause / 3, options.longest_pause),
                None => jittered(pause),
            };
            // The last look is at the deadline itself.
            sleep(next.max(std::mem::take(&mut asked)).min(left)).await;
            pause = (pause * 3 / 2).min(options.longest_pause);
        }
    }
}

/// How fast a task gets on, by what it says of itself.
#[derive(Debug, Default)]
struct Pace {
    first: Option<(Instant, u64)>,
    last: Option<(Instant, u64)>,
}

impl Pace {
    fn see(&mut self, at: Instant, progress: Option<u64>) {
        let Some(progress) = progress.filter(|p| (1..100).contains(p)) else { return };
        let seen = Some((at, progress));
        // One that began anew, or whose figure stands, is not predicted.
        if self.last.is_some_and(|(_, before)| progress < before) {
            (self.first, self.last) = (None, None);
        }
        self.first = self.first.or(seen);
        self.last = seen;
    }

    /// How long it should still take.
    fn left(&self, now: Instant) -> Option<Duration> {
        let ((t0, p0), (t1, p1)) = (self.first?, self.last?);
        let done = u32::try_from(p1.checked_sub(p0).filter(|d| *d > 0)?).ok()?;
        let rest = u32::try_from(100 - p1).ok()?;
        let whole = (t1 - t0) * rest / done;
        Some(whole.saturating_sub(now - t1))
    }
}

fn out_of_time(id: TaskId, deadline: Duration) -> Error {
    let text = format!("task {} was still running after {} s", id.uuid(), deadline.as_secs());
    Error::new(ErrorKind::Timeout, Effect::MaybeDone, text)
}

fn ended_badly(task: &Task) -> Error {
    let why = match (&task.error, task.status) {
        (Some(error), _) => match &task.error_code {
            Some(code) => format!("{code}: {error}"),
            None => error.clone(),
        },
        (None, TaskStatus::Canceled) => "it was cancelled".into(),
        (None, TaskStatus::Aborted) => "it was aborted".into(),
        (None, _) => "no reason was given".into(),
    };
    let text = format!("{} did not succeed: {why}", task.operation_name);
    Error::new(ErrorKind::TaskFailed, Effect::MaybeDone, text)
}

/// Four fifths to all of a pause: waits that began together drift apart.
pub(crate) fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().hash_one(0) % 1000;
    pause * 4 / 5 + pause / 5 * random as u32 / 1000
}

pub(crate) fn read_task(root: roxmltree::Node<'_, '_>) -> Result<Task> {
    let error = root.child("Error");
    let error_attr = |name| error.and_then(|e| e.attribute(name)).map(str::to_owned);
    Ok(Task {
        id: crate::query::parse(root.required("href")?)?,
        operation_name: root.attribute("operationName").unwrap_or_default().into(),
        operation: root.attribute("operation").unwrap_or_default().into(),
        status: TaskStatus::parse(root.required("status")?)?,
        progress: root.number_of("Progress"),
        owner: root.child("Owner").and_then(|o| o.attribute("id").or(o.attribute("href"))).map(str::to_owned),
        error_code: error_attr("minorErrorCode"),
        error: error_attr("message"),
    })
}

/// The tasks in an entity that have not ended. Finished ones stay listed too and do not count **\[src\]**.
pub(crate) fn running_tasks(root: roxmltree::Node<'_, '_>) -> Result<Vec<TaskId>> {
    let Some(tasks) = root.child("Tasks") else { return Ok(Vec::new()) };
    let read = tasks.children_named("Task").map(read_task);
    let running = read.filter(|t| !matches!(t, Ok(t) if t.status != TaskStatus::Running));
    running.map(|t| t.map(|t| t.id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_foreseen_from_what_a_task_says() {
        let start = Instant::now();
        let at = |s: u64| start + Duration::from_secs(s);
        let mut pace = Pace::default();
        assert_eq!(pace.left(at(0)), None);
        pace.see(at(0), Some(10));
        assert_eq!(pace.left(at(0)), None, "one look says nothing");
        pace.see(at(10), Some(60));
        assert_eq!(pace.left(at(10)), Some(Duration::from_secs(8)));
        assert_eq!(pace.left(at(20)), Some(Duration::ZERO), "overdue");
        pace.see(at(30), Some(5));
        assert_eq!(pace.left(at(30)), None, "it began anew");
        pace.see(at(31), None);
        pace.see(at(32), Some(100));
        assert_eq!(pace.left(at(32)), None);
    }
}
