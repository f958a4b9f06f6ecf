//! S17–S19 for staff: what is there, and what of it is otherwise than it should be. Only drift can be settled here.

mod drift;
mod edges;
mod job;
mod jobs;
mod vapps;

pub(super) use drift::drift;
pub(super) use edges::edges;
pub(crate) use job::{job, job_regions};
pub(crate) use jobs::{jobs, jobs_regions};
pub(super) use vapps::vapps;

use super::{Fault, Loaded, Params};
