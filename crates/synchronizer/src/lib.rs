//! Which jobs of one customer may run at once, and what a waiting one waits for.
//!
//! Pure functions over a context's unfinished jobs: no clock, no store, no async. The database code calls
//! [`admissible`] inside the transaction that changes a context; the pages show what [`explain`] and [`reason`] return.
//! Deliberately not here: how caps, back-off and maintenance come about, which concerns workers rather than conflicts.

mod admission;
mod matrix;
mod reason;

pub use admission::{
    Entry, Explanation, JobKey, Phase, Why, admissible, conflict, explain, joiners, startable,
};
pub use matrix::{KindIx, Matrix, MatrixError};
pub use reason::{Around, Reason, reason};
