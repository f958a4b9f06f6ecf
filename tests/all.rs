//! The whole program from outside.

mod authorization;
mod console;
mod processes;
mod several;
mod simulator;
mod streams;
mod truth;
