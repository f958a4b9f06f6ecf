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

    fn by_kind(took: Vec<(Kind, i64)>) -> Self {
        let mut all: Vec<(Kind, Vec<i64>)> = Vec::new();
        for (kind, ms) in took {
            match all.iter_mut().find(|(k, _)| *k == kind) {
                Some((_, of_kind)) => of_kind.push(ms),
                None => all.push((kind, vec![ms])),
            }
        }
        for (_, of_kind) in &mut all {
            of_kind.sort_unstable();
        }
        Self(all)
    }

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
        let took = rows.iter().map(|row| Ok((row.word("kind")?, row.int("took")?)));
        Ok(Durations::by_kind(took.collect::<Result<Vec<_>>>()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_say_nothing_and_many_say_the_middle_and_the_end() {
        let of = |ms: &mut dyn Iterator<Item = i64>| {
            Durations::by_kind(ms.map(|ms| (Kind::Activate, ms)).chain([(Kind::Power, 7)]).collect())
        };
        let few = of(&mut (1..20));
        assert_eq!((few.median(Kind::Activate), few.slow(Kind::Activate)), (None, None));
        // In whatever order they ended.
        let many = of(&mut (0..200).rev());
        assert_eq!((many.median(Kind::Activate), many.slow(Kind::Activate)), (Some(100), Some(198)));
        assert_eq!(many.median(Kind::Terminate), None);
    }
}
