//! Customers, for staff: who they are, what they have, who waits for whom, and what staff tell each other of them. And looking
//! at the product as one of them does.

use domain::{
    AccountId, CustomerId,
    field::{Code, Field, FieldError},
};
use store::{
    Result,
    audit::Subject,
    customers::{CustomerRow, Note},
    interventions::Intervention,
    jobs::{History, Job},
    servers::Server,
};

use super::{Facade, NOTE_MAX, Viewer, Waiting, system::SystemAnswer};

const PAGE: i64 = 50;
/// Finished operations that are shown.
const DONE_SHOWN: i64 = 20;
const NOTES_SHOWN: i64 = 100;

/// A page of the list.
#[derive(Clone, Debug)]
pub struct Customers {
    pub rows: Vec<CustomerRow>,
    /// The e-mail that the next page comes after.
    pub next: Option<String>,
}

#[derive(Clone, Debug)]
pub struct CustomerDetail {
    pub row: CustomerRow,
    pub servers: Vec<Server>,
    /// What is open, in the order of acceptance, and why each is not running.
    pub queue: Vec<(Job, Option<Waiting>)>,
    /// The newest first.
    pub done: Vec<Job>,
    pub notes: Vec<Note>,
}

impl Facade {
    pub async fn customers(&self, viewer: &Viewer, part: &str, after: &str) -> Result<Option<Customers>> {
        if !viewer.role().is_staff() {
            return Ok(None);
        }
        let part: String = part.trim().to_lowercase().chars().take(100).collect();
        let mut rows = self.store.customers(&part, after, PAGE + 1).await?;
        let more = rows.len() as i64 > PAGE;
        rows.truncate(PAGE as usize);
        let next = rows.last().filter(|_| more).map(|row| row.email.clone());
        Ok(Some(Customers { rows, next }))
    }

    pub async fn customer(&self, viewer: &Viewer, id: CustomerId) -> Result<Option<CustomerDetail>> {
        if !viewer.role().is_staff() {
            return Ok(None);
        }
        let Some(row) = self.store.customer(id).await? else { return Ok(None) };
        let waits = self.waits(id).await?;
        let waiting = |job: &Job| waits.iter().find(|(of, _)| *of == job.id).map(|(_, w)| w.clone());
        let queue = self.store.jobs_unfinished(id).await?;
        Ok(Some(CustomerDetail {
            row,
            servers: self.store.servers_of(id).await?,
            queue: queue.into_iter().map(|job| (job.clone(), waiting(&job))).collect(),
            done: self.store.jobs_finished(id, &History::default(), DONE_SHOWN).await?,
            notes: self.store.customer_notes(id, NOTES_SHOWN).await?,
        }))
    }

    pub async fn customer_note(&self, viewer: &Viewer, id: CustomerId, text: &str) -> Result<SystemAnswer> {
        if !viewer.role().is_staff() || self.store.customer(id).await?.is_none() {
            return Ok(SystemAnswer::Gone);
        }
        let text = match note(text) {
            Ok(text) => text,
            Err(error) => return Ok(SystemAnswer::Refused(vec![error])),
        };
        let how = Intervention { by: viewer.account.id, why: &text, now: self.now_ms() };
        self.store.customer_note_add(id, how).await?;
        Ok(SystemAnswer::Done)
    }

    /// Staff want to see what a customer sees. Written down before it is shown. Returns whether there is such a customer.
    pub async fn look_as(&self, viewer: &Viewer, id: CustomerId) -> Result<bool> {
        if !viewer.role().is_staff() {
            return Ok(false);
        }
        let Some(row) = self.store.customer(id).await? else { return Ok(false) };
        let subject = Subject { kind: "customer", id: id.to_string(), name: row.email };
        self.store.audit_add(Some(viewer.account.id), "look_as", &subject, "", self.now_ms()).await?;
        Ok(true)
    }

    /// Somebody of the staff, looking as a customer does: reads what that customer may read, and changes nothing.
    pub async fn viewer_as(&self, staff: &Viewer, customer: AccountId) -> Result<Option<Viewer>> {
        if !staff.role().is_staff() {
            return Ok(None);
        }
        let account = self.store.account(customer).await?.filter(|a| !a.role.is_staff());
        Ok(account.map(|account| Viewer { account, seen_by: Some(staff.account.clone()) }))
    }
}

/// A note as it is kept, or why it is none.
pub(super) fn note(text: &str) -> std::result::Result<String, FieldError> {
    // A form sends the ends of lines as two characters, of which the field on the page counts one.
    let text = text.replace("\r\n", "\n").trim().to_owned();
    match text.chars().count() {
        0 => Err(FieldError::new(Field::Note, Code::NoteEmpty)),
        n if n > NOTE_MAX => Err(FieldError::new(Field::Note, Code::NoteLong).with("max", NOTE_MAX)),
        _ => Ok(text),
    }
}
