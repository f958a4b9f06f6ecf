//! The rules of the product, and nothing that needs a machine to run them.
//!
//! Everything here is a pure function of its arguments: no I/O, no clock, no randomness, no async. That is what
//! lets the same rule give the same verdict in the browser (WASM) and on the server. Messages leave this crate as
//! a code and parameters; turning them into English or Russian is the pages' work.

pub mod access;
pub mod catalogue;
pub mod catalogue_change;
pub mod cause;
pub mod draft;
pub mod drift;
pub mod edge_action;
pub mod field;
pub mod hostname;
pub mod ids;
pub mod job_action;
pub mod job_query;
pub mod job_suggest;
pub mod keys;
pub mod kind;
pub mod panel;
pub mod permission;
pub mod power;
pub mod price;
pub mod reinstall;
pub mod resize;
pub mod size;
pub mod slow;
pub mod snapshot;
pub mod state;

pub use ids::{AccountId, CustomerId, DraftId, EdgeId, JobId, ServerId};
