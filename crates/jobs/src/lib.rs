//! A small durable job engine.
//!
//! A job is a directed acyclic graph of named steps. The engine promises: a finished step is never run again; a step
//! that was cut short is run again with the task it had recorded, so that it can adopt it; every write carries the
//! claim's epoch, and a worker whose claim was taken over changes nothing; nothing is sent under a claim that has run out.
//! What may run when is decided by the store, inside its transactions; what a kind of job does is decided by the workflows
//! handed in. Neither is known here, and nor is any word of the product.
//!
//! From the inside out: [`machine`] is the graph, [`drive`] one job under a claim, [`engine`] a whole worker; all three are
//! pure. [`worker`] gives the engine a clock, a store and tasks.

pub mod clock;
pub mod drive;
pub mod engine;
pub mod machine;
pub mod outcome;
pub mod record;
pub mod retry;
pub mod store;
pub mod transition;
pub mod worker;
pub mod workflow;

pub use clock::{Clock, SystemClock};
pub use drive::{PANIC, SHAPE_CHANGED};
pub use outcome::{Outcome, Problem};
pub use record::{ClaimedJob, Fence, StepRecord, StepStatus};
pub use retry::RetryPolicy;
pub use store::{Begin, JobStore, StoreError, Turn, Turned};
pub use transition::{JobChange, StepChange, StepTo, Transition, Written};
pub use worker::{Worker, WorkerConfig, WorkerHandle};
pub use workflow::{Registry, RegistryError, SendError, Step, StepContext, Workflow, send_together};
