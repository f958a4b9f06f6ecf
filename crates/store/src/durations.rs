//! How long jobs usually take, by those that succeeded lately.

use domain::kind::Kind;

use crate::{db::Store, error::Result, row::Columns};

/// So many of the last jobs are looked at, of all kinds together: the walk is bounded however many there are.
const LOOK: i64 = 1000;

/// How long jobs took that succeeded lately, ms by kind, each sorted.
#[derive(Clone, Debug, Default)]
pub struct Durations(Vec<(Kind, Vec<i64>)>);

impl Durations {
    /// Fewer than these say nothing.
    const ENOUGH: usize = 20;

    fn of(&self, kind: Kind) -> Option<&[i64]> {
        let (_, all) = self.0.iter().find(|(k, _)| *k == kind)?;
        (all.len() >= Self::ENOUGH).then_some(all)
    }

    pub fn median(&self, kind: Kind) -> Option<i64> {
        self.of(kind).map(|all| all[all.len() / 2])
    }

    /// What is longer than this is longer than usual: 99 of 100 took less.
    pub fn slow(&self, kind: Kind) -> Option<i64> {
        self.of(kind).map(|all| all[(all.len() * 99 / 100).min(all.len() - 1)])
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
        let mut all: Vec<(Kind, Vec<i64>)> = Vec::new();
        for row in rows {
            let (kind, took): (Kind, i64) = (row.word("kind")?, row.int("took")?);
            match all.iter_mut().find(|(k, _)| *k == kind) {
                Some((_, of_kind)) => of_kind.push(took),
                None => all.push((kind, vec![took])),
            }
        }
        for (_, of_kind) in &mut all {
            of_kind.sort_unstable();
        }
        Ok(Durations(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_say_nothing_and_many_say_the_middle_and_the_end() {
        let few = Durations(vec![(Kind::Activate, (1..20).collect())]);
        assert_eq!((few.median(Kind::Activate), few.slow(Kind::Activate)), (None, None));
        let many = Durations(vec![(Kind::Activate, (0..200).collect())]);
        assert_eq!((many.median(Kind::Activate), many.slow(Kind::Activate)), (Some(100), Some(198)));
        assert_eq!(many.median(Kind::Terminate), None);
    }
}
