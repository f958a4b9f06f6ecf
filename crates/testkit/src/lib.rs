//! Helpers of the tests: whole planes over throw-away databases, so that a case is one line.

mod by_hand;
pub mod campaign;
pub mod hands;
mod plane;
pub mod postgres;

pub use plane::{Database, Node, Plane};
