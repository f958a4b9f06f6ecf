//! S17–S19 for staff: what is there, and what of it is otherwise than it should be. What is done to jobs is in
//! [`act`].

mod act;
mod drift;
mod edges;
mod job;
mod jobs;
mod vapps;

pub(super) use act::confirm;
pub(super) use drift::drift;
pub(super) use edges::edges;
pub(crate) use job::{job, job_regions};
pub(crate) use jobs::{jobs, jobs_regions};
pub(super) use vapps::vapps;

use super::{Fault, Loaded, Params};
