//! Helpers of the tests: whole planes over throw-away databases, so that a case is one line.

mod plane;

pub use plane::Plane;
