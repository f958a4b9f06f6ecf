//! The control plane: what the pages ask for, and the workflows that carry it out on a cloud.
//!
//! [`Facade`] is the one way in for pages: it checks who is asking, reads local data only, and accepts work in one
//! transaction. [`workflows`] are what workers run. [`provider`] is the port that a cloud's SDK fits into; the words
//! of any one cloud stay below it. Not here: SQL (the store), the rules of an order (the domain), how a job survives
//! (the engine).

mod accounts;
pub mod ansible;
mod catalogue;
mod control;
mod facade;
mod housekeeping;
mod observer;
mod offers;
mod orphans;
pub mod panels;
mod passwords;
mod private;
pub mod provider;
mod provider_vcd;
mod roads;
mod ssh;
mod way;
mod workflows;

pub use accounts::{SignIn, account_add, demo_accounts};
pub use catalogue::{demo_catalogue, read_catalogue};
pub use control::Control;
pub use facade::{
    AuditPage, Blocker, Bulk, BulkRow, ByHand, Cancelled, CataloguePreview, CatalogueView, ConsoleAnswer,
    CustomerDetail, Customers, DraftSaved, EdgeAnswer, EdgeDetail, EdgePool, Facade, Form, GroupDetail,
    JobAnswer, JobChoices, JobsShown, JudgedDraft, KeptBy, MAINTENANCE_MAX, MovePlan, NEWER, NOTE_MAX,
    NetworkLine, OperationView, OrderPlaced, Overview, PasswordChanged, PasswordView, QueuePreview,
    ReinstallWish, ResizePreview, Seen, ServerAnswer, ServerView, StaffJob, StaffJobs, System, SystemAnswer,
    Viewer, Waiting, begins, customer_row, customer_rows, draft_digest, is_there, job_word, what_exists,
};
pub use guest::Identity;
pub use housekeeping::housekeeping;
pub use observer::{look, observe};
pub use offers::Offers;
pub use orphans::{Orphan, orphan_delete, orphan_find};
pub use provider_vcd::{NAME as VCD, VcdConfig, VcdProvider};
pub use roads::Roads;
pub use store::{
    Change, Event, Notices,
    accounts::Account,
    audit::{AuditFilter, AuditLine},
    catalogue::CatalogueRow,
    customers::CustomerRow,
    day::{Day, OldestWait},
    drafts::Draft,
    drift::Drift,
    edge_log::EdgeEvent,
    edges::{Edge, EdgeRow},
    groups::GroupRow,
    job_search::{COUNTED, Next},
    jobs::{History, Job, JobRow, JobStep},
    progress::{LogLine, Progress},
    secrets::Reveal,
    servers::{Server, ServerPanel},
    sessions::OpenSession,
    ssh_keys::SavedKey,
    system::WorkerRow,
};
pub use workflows::critical_path;
pub use workflows::inputs_of;
pub use workflows::{EarlierStep, earlier_steps, step_keys};
