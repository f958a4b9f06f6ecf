//! A cloud as small as can be: things with names, made and taken away by tasks.

use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskState {
    Running,
    Done,
    Failed,
}

#[derive(Clone, Debug)]
enum Work {
    Make(Vec<String>),
    Take(Vec<String>),
}

#[derive(Clone, Debug)]
struct Task {
    work: Work,
    state: TaskState,
}

/// What is there, by name: how many of each. More than one of a name is what must never be.
#[derive(Default)]
pub(crate) struct Cloud {
    things: BTreeMap<String, u32>,
    tasks: Vec<Task>,
    /// How often each name was made.
    pub(crate) made: BTreeMap<String, u32>,
}

impl Cloud {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.things.get(name).is_some_and(|n| *n > 0)
    }

    /// Something of these names is being made or taken away: nothing else is begun with them.
    pub(crate) fn is_busy(&self, names: &[String]) -> bool {
        self.tasks.iter().filter(|t| t.state == TaskState::Running).any(|t| {
            let (Work::Make(busy) | Work::Take(busy)) = &t.work;
            busy.iter().any(|n| names.contains(n))
        })
    }

    pub(crate) fn make(&mut self, names: Vec<String>) -> usize {
        self.begin(Work::Make(names))
    }

    pub(crate) fn take(&mut self, names: Vec<String>) -> usize {
        self.begin(Work::Take(names))
    }

    fn begin(&mut self, work: Work) -> usize {
        self.tasks.push(Task { work, state: TaskState::Running });
        self.tasks.len() - 1
    }

    pub(crate) fn state(&self, task: usize) -> TaskState {
        self.tasks.get(task).map_or(TaskState::Failed, |t| t.state)
    }

    pub(crate) fn running(&self) -> Vec<usize> {
        (0..self.tasks.len()).filter(|i| self.tasks[*i].state == TaskState::Running).collect()
    }

    /// A task ends, well or not.
    pub(crate) fn end(&mut self, task: usize, well: bool) {
        let Some(t) = self.tasks.get_mut(task).filter(|t| t.state == TaskState::Running) else { return };
        t.state = if well { TaskState::Done } else { TaskState::Failed };
        if !well {
            return;
        }
        match t.work.clone() {
            Work::Make(names) => {
                for name in names {
                    *self.made.entry(name.clone()).or_default() += 1;
                    *self.things.entry(name).or_default() += 1;
                }
            }
            Work::Take(names) => self.things.retain(|name, _| !names.contains(name)),
        }
    }

    pub(crate) fn things(&self) -> Vec<(String, u32)> {
        self.things.iter().map(|(n, c)| (n.clone(), *c)).collect()
    }
}
