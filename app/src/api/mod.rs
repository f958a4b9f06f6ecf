//! The server functions: the public addresses at which changes are posted.
//!
//! Each acts for the caller it is given, answers 303 itself, and is listed in [`crate::policy`] with who may call it.
//! An answer is never an error of the framework: that would put its text into an address.

#[cfg(feature = "ssr")]
pub mod account;
#[cfg(feature = "ssr")]
mod answer;
#[cfg(feature = "ssr")]
pub mod bulk;
#[cfg(feature = "ssr")]
pub mod catalogue;
#[cfg(feature = "ssr")]
pub mod customers;
#[cfg(feature = "ssr")]
pub mod drafts;
#[cfg(feature = "ssr")]
pub mod edges;
#[cfg(feature = "ssr")]
pub mod jobs;
#[cfg(feature = "ssr")]
pub mod operations;
#[cfg(feature = "ssr")]
pub mod orders;
#[cfg(feature = "ssr")]
pub mod preferences;
pub mod quote;
#[cfg(feature = "ssr")]
pub mod servers;
#[cfg(feature = "ssr")]
pub mod session;
#[cfg(feature = "ssr")]
pub mod system;
#[cfg(feature = "ssr")]
pub mod vapps;
