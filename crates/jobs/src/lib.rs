//! A small durable job engine.
//!
//! A job is a directed acyclic graph of named steps. The engine promises: a finished step is never run again; a step
//! that was cut short is run again with the task it had recorded, so that it can adopt it; every write carries the
//! claim's epoch, and a worker whose claim was taken over changes nothing. What may run when is decided by the
//! store, inside its transactions; what a kind of job does is decided by the workflows handed in. Neither is known
//! here, and nor is any word of the product.
//!
//! [`machine`] is the pure core: events in, commands out. [`worker`] carries the commands out.

pub mod clock;
pub mod machine;
pub mod outcome;
pub mod record;
pub mod retry;
pub mod store;
pub mod worker;
pub mod workflow;

pub use clock::{Clock, SystemClock};
pub use outcome::{Outcome, Problem};
pub use record::{ClaimedJob, Fence, StepRecord, StepStatus};
pub use retry::RetryPolicy;
pub use store::{JobStore, StoreError};
pub use worker::{Worker, WorkerConfig, WorkerHandle};
pub use workflow::{Registry, Step, StepContext, Workflow};
