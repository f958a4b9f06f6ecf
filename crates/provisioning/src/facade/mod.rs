//! What the pages may ask for.
//!
//! Every call takes the [`Viewer`] and answers for that viewer only: whose a thing is is checked in one place,
//! [`Viewer::may_see`] and [`Viewer::owns`], and what a viewer may not see is `None`, as if it did not exist. Nothing
//! here calls the cloud, but for the way to a screen, which is good only at once.

mod account;
mod catalogue;
mod changes;
mod console;
mod customers;
mod drafts;
mod groups;
mod job_actions;
mod lately;
mod operations;
mod orders;
mod overview;
mod pool;
mod reinstall;
mod rows;
mod servers;
mod staff;
mod staff_jobs;
mod system;

use std::sync::{Arc, Mutex, PoisonError};

use domain::{CustomerId, catalogue::Catalogue, state::Role};
use jobs::Clock;
use lately::Lately;
use secrecy::SecretString;
use store::{Change, Notices, Result, Store, accounts::Account, durations::Durations};
use tokio::sync::broadcast;

pub use account::PasswordChanged;
pub use catalogue::{CataloguePreview, CatalogueView, begins};
pub use changes::{Form, ResizePreview};
pub use console::ConsoleAnswer;
pub use customers::{CustomerDetail, Customers};
pub use drafts::{DraftSaved, JudgedDraft};
pub use groups::{GroupDetail, KeptBy, MovePlan, NetworkLine};
pub use job_actions::{ByHand, JobAnswer, JobChoices, NOTE_MAX};
pub use operations::{Blocker, Cancelled, OperationView, PasswordView, Waiting, job_word};
pub use orders::{OrderPlaced, QueuePreview, Seen, draft_digest};
pub use overview::{Overview, is_there};
pub use pool::{EdgeAnswer, EdgeDetail, EdgePool};
pub use reinstall::ReinstallWish;
pub use rows::{customer_row, customer_rows, what_exists};
pub use servers::{ServerAnswer, ServerView};
pub use staff::StaffJob;
pub use staff_jobs::{Bulk, BulkRow, JobsShown, NEWER, StaffJobs};
pub use system::{AuditPage, MAINTENANCE_MAX, System, SystemAnswer};

use crate::{
    accounts::{self, Gate, SignIn},
    control::Control,
    offers::Offers,
    provider::Provider,
};

/// How long a password that was revealed can be read again (a lost page), ms.
pub(crate) const REVEAL_GRACE_MS: i64 = 5 * 60_000;
/// How long a generated password waits to be asked for, ms.
const REVEAL_WAIT_MS: i64 = 72 * 3_600_000;

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    pub account: Account,
    /// Somebody of the staff looks as this customer does: reads what the customer may read, changes nothing, and is shown no
    /// secret.
    pub seen_by: Option<Account>,
}

impl Viewer {
    pub fn role(&self) -> Role {
        self.account.role
    }

    /// As whom something may be asked for: staff who look as a customer does look, and no more.
    pub fn acts_as(&self) -> Role {
        self.seen_by.as_ref().map_or(self.account.role, |_| Role::Support)
    }

    /// The customer this viewer is, if it is one.
    pub fn customer(&self) -> Option<CustomerId> {
        (self.role() == Role::Customer).then(|| self.account.id.into())
    }

    /// Reading: customers see their own, staff see everything.
    pub fn may_see(&self, owner: CustomerId) -> bool {
        self.role().is_staff() || self.customer() == Some(owner)
    }

    /// Changing, and secrets: the owner only.
    pub fn owns(&self, owner: CustomerId) -> bool {
        self.customer() == Some(owner) && self.seen_by.is_none()
    }
}

/// How long jobs take, and when that was looked up.
type Usual = Mutex<Option<(i64, Arc<Durations>)>>;

#[derive(Clone)]
pub struct Facade {
    pub(crate) store: Store,
    /// In force when this was taken in hand: a request sees one catalogue from its beginning to its end.
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) offers: Arc<Offers>,
    clock: Arc<dyn Clock>,
    gate: Gate,
    usual: Arc<Usual>,
    notices: Arc<Lately<(), Notices>>,
    /// What every page of staff that lists jobs shows alike.
    glance: Arc<staff_jobs::Glance>,
    /// For what cannot wait for a job: the way to a screen. `None` on a node that has no credentials.
    cloud: Option<Arc<dyn Provider>>,
}

impl Facade {
    pub fn new(control: &Control) -> Self {
        let pages = Self::over(control.store.clone(), control.offers.clone(), control.clock.clone());
        Self { cloud: Some(control.provider.clone()), ..pages }
    }

    /// Without a cloud: pages never ask it, so a node that only serves them needs no credentials.
    pub fn over(store: Store, offers: Arc<Offers>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            catalogue: offers.current(),
            offers,
            clock,
            gate: Gate::new(),
            usual: Arc::default(),
            notices: Arc::default(),
            glance: Arc::default(),
            cloud: None,
        }
    }

    /// The same with a way to the cloud, for screens.
    pub fn with_cloud(self, cloud: Arc<dyn Provider>) -> Self {
        Self { cloud: Some(cloud), ..self }
    }

    /// The same with the catalogue that is in force now: for one request.
    #[must_use]
    pub fn at_hand(&self) -> Self {
        Self { catalogue: self.offers.current(), ..self.clone() }
    }

    pub fn offers(&self) -> Arc<Offers> {
        self.offers.clone()
    }

    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// How long jobs take, as it was a minute ago at most.
    pub async fn usual(&self) -> Result<Arc<Durations>> {
        let now = self.now_ms();
        let known = self.usual.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, durations)) = known.filter(|(at, _)| now - at < 60_000) {
            return Ok(durations);
        }
        let durations = Arc::new(self.store.durations().await?);
        *self.usual.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, durations.clone()));
        Ok(durations)
    }

    /// The day, as an ISO date (UTC).
    pub(crate) fn today(&self) -> String {
        jiff::Timestamp::from_millisecond(self.now_ms())
            .map_or_else(|_| String::new(), |t| t.strftime("%F").to_string())
    }

    pub async fn sign_in(&self, email: &str, password: SecretString) -> Result<SignIn> {
        self.gate.sign_in(&self.store, email, password).await
    }

    /// Adds an account; for the command line and the demo. Returns whether the e-mail was free.
    pub async fn account_add(
        &self,
        email: &str,
        name: &str,
        role: Role,
        password: SecretString,
    ) -> std::result::Result<bool, String> {
        accounts::add(&self.store, email, name, role, password, self.now_ms()).await
    }

    /// The account behind a session. Read at each request, so that a change of role holds at once.
    pub async fn viewer(&self, account: domain::AccountId) -> Result<Option<Viewer>> {
        Ok(self.store.account(account).await?.map(|account| Viewer { account, seen_by: None }))
    }

    /// Changes as they are committed, for live pages.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.store.changes()
    }

    /// The version that a page about this customer contains.
    pub async fn version(&self, customer: CustomerId) -> Result<i64> {
        self.store.context_version(customer).await
    }

    /// A value that makes one rendering of a form recognisable when it is sent twice.
    pub fn form_key(&self) -> String {
        uuid::Uuid::now_v7().simple().to_string()
    }

    /// What is said above every page.
    pub async fn notices(&self) -> Result<Notices> {
        self.notices.of((), &self.store, self.store.notices()).await
    }

    /// Answers once the database does.
    pub async fn ping(&self) -> Result<()> {
        self.store.ping().await
    }
}
