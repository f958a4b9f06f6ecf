//! How long jobs and their steps usually take, by those that succeeded lately.

use std::collections::BTreeMap;

use domain::kind::Kind;

use crate::{db::Store, error::Result, row::Columns};

/// So many of the last jobs are looked at, of all kinds together: the walk is bounded however many there are.
const LOOK: i64 = 1000;

/// How long jobs took that succeeded lately, ms by kind, and their steps by kind and key; each sorted.
#[derive(Clone, Debug, Default)]
pub struct Durations {
    jobs: BTreeMap<Kind, Vec<i64>>,
    steps: BTreeMap<(Kind, String), Vec<i64>>,
}

/// Fewer than these say nothing.
const ENOUGH: usize = 20;

fn sorted<K: Ord>(took: impl IntoIterator<Item = (K, i64)>) -> BTreeMap<K, Vec<i64>> {
    let mut all: BTreeMap<K, Vec<i64>> = BTreeMap::new();
    for (key, ms) in took {
        all.entry(key).or_default().push(ms);
    }
    for of_key in all.values_mut() {
        of_key.sort_unstable();
    }
    all
}

/// 99 of 100 took less.
fn longest(all: &[i64]) -> i64 {
    all[(all.len() * 99 / 100).min(all.len() - 1)]
}

impl Durations {
    fn of(&self, kind: Kind) -> Option<&[i64]> {
        self.jobs.get(&kind).filter(|all| all.len() >= ENOUGH).map(Vec::as_slice)
    }

    pub fn median(&self, kind: Kind) -> Option<i64> {
        self.of(kind).map(|all| all[all.len() / 2])
    }

    /// What is longer than this is longer than usual: 99 of 100 took less.
    pub fn slow(&self, kind: Kind) -> Option<i64> {
        self.of(kind).map(longest)
    }

    /// The same of one step.
    pub fn slow_step(&self, kind: Kind, step: &str) -> Option<i64> {
        let all = self.steps.get(&(kind, step.to_owned())).filter(|all| all.len() >= ENOUGH)?;
        Some(longest(all))
    }
}

impl Store {
    pub async fn durations(&self) -> Result<Durations> {
        let rows = sqlx::query(
            "SELECT kind, finished_at - started_at AS took FROM job
             WHERE state = 'succeeded' AND started_at IS NOT NULL ORDER BY number DESC LIMIT $1",
        )
        .bind(LOOK)
        .fetch_all(&self.pool)
        .await?;
        let jobs = rows.iter().map(|row| Ok((row.word("kind")?, row.int("took")?)));
        let rows = sqlx::query(
            "SELECT job.kind, job_step.key, job_step.finished_at - job_step.started_at AS took
             FROM (SELECT id, kind FROM job WHERE state = 'succeeded' AND started_at IS NOT NULL
                   ORDER BY number DESC LIMIT $1) AS job
             JOIN job_step ON job_step.job_id = job.id
             WHERE job_step.state = 'done' AND job_step.started_at IS NOT NULL AND job_step.finished_at IS NOT NULL",
        )
        .bind(LOOK)
        .fetch_all(&self.pool)
        .await?;
        let steps = rows.iter().map(|row| Ok(((row.word("kind")?, row.text("key")?), row.int("took")?)));
        Ok(Durations {
            jobs: sorted(jobs.collect::<Result<Vec<_>>>()?),
            steps: sorted(steps.collect::<Result<Vec<_>>>()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_say_nothing_and_many_say_the_middle_and_the_end() {
        let of = |ms: &mut dyn Iterator<Item = i64>| Durations {
            jobs: sorted(ms.map(|ms| (Kind::Activate, ms)).chain([(Kind::Power, 7)])),
            steps: BTreeMap::new(),
        };
        let few = of(&mut (1..20));
        assert_eq!((few.median(Kind::Activate), few.slow(Kind::Activate)), (None, None));
        // In whatever order they ended.
        let many = of(&mut (0..200).rev());
        assert_eq!((many.median(Kind::Activate), many.slow(Kind::Activate)), (Some(100), Some(198)));
        assert_eq!(many.median(Kind::Terminate), None);
        let step = |key: &str, n: i64| {
            (0..n).map(move |ms| ((Kind::Activate, key.to_owned()), ms)).collect::<Vec<_>>()
        };
        let steps = sorted(step("often", 100).into_iter().chain(step("rare", 19)));
        let steps = Durations { steps, ..Durations::default() };
        let slow = |key| steps.slow_step(Kind::Activate, key);
        assert_eq!((slow("often"), slow("rare"), slow("never")), (Some(99), None, None));
    }
}
