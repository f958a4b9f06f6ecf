//! A vCloud Director simulator: a cloud reached over HTTP that behaves as the real one is known to.
//!
//! It keeps a model of one organisation ([`model`]), runs every change as a task on a clock of its own ([`clock`]),
//! locks what a task works on, and survives restarts of the process when it is given a file. Both API families are
//! spoken: XML under `/api`, JSON under `/cloudapi`. It shares no code with any client, so that a field named wrongly
//! is not wrong on both sides. Nothing here runs a machine: a guest is a state and a clock.

mod clock;
mod errors;
mod filter;
mod model;
mod persist;
mod routes;
mod seed;
mod server;
mod tasks;
mod xml;

pub use server::{Config, Simulator};
