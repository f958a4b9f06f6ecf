//! What comes back: its body within limits, the task it names, the refusal it is.

use std::time::Duration;

use reqwest::{
    Response,
    header::{HeaderMap, LOCATION, RETRY_AFTER},
};

use crate::{
    client::Family,
    error::{Effect, Error, ErrorKind, Result, classify},
    ids::TaskId,
    xml::{self, Find},
};

const REQUEST_ID_HEADER: &str = "x-vmware-vcloud-request-id";

/// Nobody is sent away for longer, whatever the header says.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) body: String,
    pub(crate) headers: HeaderMap,
}

/// Reads an answer up to a limit. What was asked for may have been done all the same.
pub(crate) async fn read_answer(mut response: Response, max: usize) -> Result<Answer> {
    let broken = |kind, text: String| Error::new(kind, Effect::MaybeDone, text);
    let too_large = || broken(ErrorKind::Protocol, format!("the answer is larger than {max} bytes"));
    if response.content_length().is_some_and(|n| n > max as u64) {
        return Err(too_large());
    }
    let headers = response.headers().clone();
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() > max => return Err(too_large()),
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(e) => {
                let text = format!("the answer broke off: {}", e.without_url());
                return Err(broken(ErrorKind::Transport, text));
            }
        }
    }
    let body =
        String::from_utf8(bytes).map_err(|_| broken(ErrorKind::Protocol, "the answer is no UTF-8".into()))?;
    Ok(Answer { body, headers })
}

impl Answer {
    /// The task that a JSON change is carried out by: its `Location` **\[src\]**.
    pub(crate) fn task_location(&self) -> Result<TaskId> {
        self.headers
            .get(LOCATION)
            .and_then(|v| v.to_str().ok())
            .ok_or_else(|| Error::protocol("202 without a Location"))?
            .parse()
            .map_err(|e| Error::protocol(format!("Location: {e}")))
    }

    /// The task in an XML answer: the root itself, or the first of its `Tasks`.
    pub(crate) fn task_in_body(&self) -> Result<TaskId> {
        task_in(&self.body)
    }

    pub(crate) fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.body)
            .map_err(|e| Error::protocol(format!("the answer is not as expected: {e}")))
    }

    /// What a status other than success says.
    pub(crate) fn refusal(&self, family: Family, status: u16, reading: bool) -> Error {
        let header = |name: &str| self.headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        if (300..400).contains(&status) {
            let to = header(LOCATION.as_str()).unwrap_or_default();
            // An address may carry a ticket or a token in its query.
            let to = to.split(['?', '#']).next().unwrap_or_default();
            return Error::protocol(format!(
                "the platform redirects ({status}) to {to:?}; it is not followed"
            ));
        }
        let (minor, message) = error_in(family, &self.body);
        let kind = classify(status, &minor, &message, reading);
        let retry_after = header(RETRY_AFTER.as_str())
            .and_then(|t| t.trim().parse().ok())
            .map(|s| Duration::from_secs(s).min(RETRY_AFTER_MAX));
        // A service that fails may have begun, and so may one behind a gateway that gave up on it. One that refuses has not,
        // and nor has one that is not available and says when to come again.
        let refused = status == 429 || (status == 503 && retry_after.is_some());
        let effect = if kind == ErrorKind::Service && !refused { Effect::MaybeDone } else { Effect::Refused };
        let message = if message.is_empty() { format!("the platform answered {status}") } else { message };
        Error { kind, effect, message, request_id: header(REQUEST_ID_HEADER), retry_after }
    }
}

pub(crate) fn task_in(body: &str) -> Result<TaskId> {
    let doc = xml::parse(body)?;
    let root = doc.root_element();
    let inner = || root.child("Tasks").and_then(|t| t.child("Task"));
    let task = if root.tag_name().name() == "Task" { Some(root) } else { inner() };
    task.and_then(|n| n.attribute("href"))
        .ok_or_else(|| Error::protocol("the answer names no task"))?
        .parse()
        .map_err(|e| Error::protocol(format!("Task: {e}")))
}

/// The minor code and the message of an error body; empty where it is none, as a 401's is **\[iss\]**.
pub(crate) fn error_in(family: Family, body: &str) -> (String, String) {
    let read = match family {
        Family::Xml => xml::parse(body).ok().map(|doc| {
            let root = doc.root_element();
            let attr = |name| root.attribute(name).unwrap_or_default().to_owned();
            (attr("minorErrorCode"), attr("message"))
        }),
        Family::Json => serde_json::from_str::<serde_json::Value>(body).ok().map(|v| {
            let field = |name| v[name].as_str().unwrap_or_default().to_owned();
            (field("minorErrorCode"), field("message"))
        }),
    };
    read.unwrap_or_default()
}
