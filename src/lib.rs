//! Composition and edge: subcommands, configuration, the router and what stands around every request.
//!
//! Nothing here knows a rule of the product; what a page or function does lies in `app` and below it.

#![recursion_limit = "512"]

pub mod admin;
pub mod ansible;
pub mod config;
mod console;
mod data_dir;
mod files;
mod guard;
mod headers;
mod markup;
pub mod memory;
mod origin;
pub mod orphans;
mod patience;
pub mod router;
mod say;
pub mod serve;
mod session_store;
mod shared_views;
pub mod sim;
mod static_files;
mod stream;
pub mod wire;
