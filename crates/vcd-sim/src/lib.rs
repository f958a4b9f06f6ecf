//! A vCloud Director simulator: a cloud reached over HTTP that behaves as the real one is known to.
//!
//! It keeps a [`world`] of one organisation, runs every change as a task on a clock of its own ([`tasks`], [`clock`]),
//! holds what a task works on, and survives restarts of the process when it is given a file. Both API families are
//! spoken: XML under `/api`, JSON under `/cloudapi`. What is inferred about the real platform is a knob ([`knobs`]), what
//! goes wrong is asked for ([`faults`]), what everything takes is a table ([`durations`]). It shares no code with any
//! client, so that a field named wrongly is not wrong on both sides. Nothing here runs a machine: a guest is a model
//! ([`guest`]).

mod clock;
mod config;
mod console;
mod durations;
mod effects;
mod errors;
mod faults;
mod filter;
mod guest;
mod knobs;
mod model;
mod operations;
mod persist;
mod placing;
mod routes;
mod schema;
mod seed;
mod server;
mod tasks;
mod world;
mod wrap;
mod xml;

pub use config::{Account, Config};
pub use durations::{DURATIONS, Takes, durations_text};
pub use knobs::Knobs;
pub use server::{Census, Simulator};
