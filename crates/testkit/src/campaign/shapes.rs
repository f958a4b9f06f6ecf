//! The kinds of jobs that a schedule has, as the engine sees them: what their steps do is played by the world.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jobs::{Outcome, Registry, RetryPolicy, Step, StepContext, Workflow};

pub(super) const CLAIM: Duration = Duration::from_secs(8);
pub(super) const SCAN_MS: i64 = 5_000;
pub(super) const BEAT_MS: i64 = 2_600;
pub(super) const EVENTS_MAX: usize = 30_000;
pub(super) const MATRIX: &str = "kinds = [\"activate\", \"terminate\", \"power\"]\nbatchable = [\"activate\"]\n[rows]\n\
                      activate = \"CCC\"\nterminate = \"CCC\"\npower = \"CCS\"\n";
pub(super) const ACTIVATE: &[(&str, &[&str])] =
    &[("edge", &[]), ("net", &["edge"]), ("qos", &["net"]), ("vm", &["net"]), ("ready", &["qos", "vm"])];
pub(super) const TERMINATE: &[(&str, &[&str])] =
    &[("unvm", &[]), ("unnet", &["unvm"]), ("unedge", &["unnet"])];
pub(super) const POWER: &[(&str, &[&str])] = &[("cycle", &[])];

/// A step as the engine sees it: what it does is played by the world.
pub(super) struct Shape {
    key: &'static str,
    after: &'static [&'static str],
}

#[async_trait]
impl Step for Shape {
    fn key(&self) -> &'static str {
        self.key
    }
    fn after(&self) -> &'static [&'static str] {
        self.after
    }
    fn shared(&self) -> bool {
        self.key == "vm"
    }
    fn retry(&self) -> RetryPolicy {
        RetryPolicy { give_up_after: Duration::from_secs(60), ..RetryPolicy::DEFAULT }
    }
    async fn run(&self, _: &StepContext) -> Outcome {
        Outcome::done()
    }
    async fn undo(&self, _: &StepContext) -> Outcome {
        Outcome::done()
    }
}

pub(super) fn registry() -> Arc<Registry> {
    let mut registry = Registry::default();
    for (kind, shape) in [("activate", ACTIVATE), ("terminate", TERMINATE), ("power", POWER)] {
        let steps =
            shape.iter().map(|(key, after)| Arc::new(Shape { key, after }) as Arc<dyn Step>).collect();
        registry.add(Workflow { kind, shape: 1, steps, turns_back_until: None }).expect("a sound shape");
    }
    Arc::new(registry)
}
