//! S17–S19 for staff: read only.

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
