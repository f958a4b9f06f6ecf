//! The pages.
//!
//! Every page is a document rendered on the server with all its data; every change is a form posted to a server
//! function. An island only shows a state sooner or makes a change more comfortable. What is compiled for the browser
//! are the [`islands`] and the one server function they call; everything else is the server's.

#![recursion_limit = "512"]
// The framework's macros write `pub` for what is private here.
#![allow(unreachable_pub)]

pub mod api;
pub mod islands;

#[cfg(feature = "ssr")]
mod comforts;
#[cfg(feature = "ssr")]
mod format;
#[cfg(feature = "ssr")]
mod hydration;
#[cfg(feature = "ssr")]
pub mod i18n;
#[cfg(feature = "ssr")]
pub mod live;
#[cfg(feature = "ssr")]
mod pages;
#[cfg(feature = "ssr")]
pub mod policy;
#[cfg(feature = "ssr")]
pub mod request;
#[cfg(feature = "ssr")]
pub mod routes;
#[cfg(feature = "ssr")]
mod shell;
#[cfg(feature = "ssr")]
mod ui;

#[cfg(feature = "ssr")]
pub use format::iso;
#[cfg(feature = "ssr")]
pub use pages::{App, AuditAsked, error_page, waiting_page};
