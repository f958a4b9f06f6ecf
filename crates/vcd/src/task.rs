//! Tasks: reading one, waiting for one.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{
    client::{Client, Family},
    error::{Effect, Error, ErrorKind, Result},
    ids::TaskId,
    xml::{self, Find},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskStatus {
    /// Queued, pre-running, running or post-running.
    Running,
    Success,
    /// `error`, and also `canceled` and `aborted`, which some clients take for success **[src]**.
    Failed,
}

#[derive(Clone, Debug)]
pub struct Task {
    pub id: TaskId,
    pub operation: String,
    pub status: TaskStatus,
    /// Percent, where the platform says.
    pub progress: Option<u64>,
    /// The owner's reference; of an OpenAPI create it is the new object **[src]**.
    pub owner: Option<String>,
    pub error: Option<String>,
}

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// So many failed reads in a row are forgiven while waiting.
const PATIENCE: u32 = 10;

impl Client {
    pub async fn task(&self, id: TaskId) -> Result<Task> {
        let answer = self.get(Family::Xml, &format!("/api/task/{}", id.uuid())).await?;
        let doc = xml::parse(&answer.body)?;
        let root = doc.root_element();
        let status = match root.required("status")? {
            "success" => TaskStatus::Success,
            "error" | "canceled" | "aborted" => TaskStatus::Failed,
            _ => TaskStatus::Running,
        };
        let error = root.child("Error").and_then(|e| e.attribute("message")).map(str::to_owned);
        Ok(Task {
            id,
            operation: root.attribute("operationName").unwrap_or_default().into(),
            status,
            progress: root.number_of("Progress"),
            owner: root
                .child("Owner")
                .and_then(|o| o.attribute("id").or(o.attribute("href")))
                .map(str::to_owned),
            error,
        })
    }

    /// Waits until a task has ended well. Survives an ended session, failing reads and cut connections; pauses grow
    /// from a quarter of a second to two seconds. Dropping the future stops the waiting, not the task.
    pub async fn task_wait(&self, id: TaskId, deadline: Duration) -> Result<Task> {
        let until = Instant::now() + deadline;
        let mut pause = FIRST_PAUSE;
        let mut failures = 0;
        loop {
            match self.task(id).await {
                Ok(task) => match task.status {
                    TaskStatus::Success => return Ok(task),
                    TaskStatus::Failed => {
                        let why = task.error.unwrap_or_else(|| "no reason was given".into());
                        let text = format!("{} did not succeed: {why}", task.operation);
                        return Err(Error::new(ErrorKind::TaskFailed, Effect::MaybeDone, text));
                    }
                    TaskStatus::Running => failures = 0,
                },
                Err(e) if e.is_transient() && failures < PATIENCE => failures += 1,
                Err(e) => return Err(e),
            }
            if Instant::now() + pause > until {
                let text = format!("task {} was still running after {} s", id.uuid(), deadline.as_secs());
                return Err(Error::new(ErrorKind::Timeout, Effect::MaybeDone, text));
            }
            sleep(pause).await;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }
}
