//! The tests of the simulator in one program.

mod bodies;
mod cloud;
mod faults;
mod machines;
mod pyvcloud;
mod rules;
mod surface;
