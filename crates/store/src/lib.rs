//! All SQL, and nothing but SQL: what is read and written, in which transaction, under which fence.
//!
//! One file per table or pair of tables. A state transition is one conditional statement and one event, committed
//! together; the context row is locked first, so that everything about one customer happens in one order. Wake-ups
//! and page updates are sent after the commit ([`Store::changes`]). Secrets enter and leave through [`seal`] only.

pub mod accounts;
mod addresses;
mod admission;
pub mod audit;
mod batch;
mod book;
mod cancel;
pub mod catalogue;
mod claim_at_once;
mod claims;
pub mod customers;
pub mod day;
mod db;
mod dialect;
pub mod drafts;
pub mod drift;
pub mod durations;
pub mod edge_actions;
mod edge_change;
pub mod edge_log;
pub mod edges;
mod error;
mod events;
mod fence;
mod fsck;
pub mod groups;
mod head;
pub mod interventions;
pub mod job_facts;
pub mod job_search;
pub mod jobs;
pub mod measure;
mod measure_list;
mod memory;
mod notices;
mod notify;
mod order_rows;
pub mod orders;
pub mod panels;
mod parking;
pub mod progress;
mod row;
mod row_by_row;
pub mod seal;
pub mod secrets;
pub mod servers;
pub mod sessions;
pub mod sight;
mod signals;
pub mod ssh_keys;
pub mod system;
mod to_its_end;
mod turn;
mod why;
mod writes;

pub use db::{Change, Store};
pub use error::{Error, Result};
pub use events::Event;
pub use fsck::Finding;
pub use notices::Notices;
/// What [`Store::with_matrix`] takes, and what [`Store::reasons`] returns.
pub use synchronizer::{Matrix, Reason};
pub use why::Maintenance;
