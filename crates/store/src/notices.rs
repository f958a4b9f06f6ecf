//! What concerns everybody, whichever page is read: a maintenance, and a platform that does not answer.

use crate::{db::Store, error::Result, row::Columns, why::Maintenance};

/// What is said above every page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notices {
    pub maintenance: Option<Maintenance>,
    /// Since when the platform has not answered whoever looks at it, ms.
    pub silent_since: Option<i64>,
}

impl Store {
    pub async fn notices(&self) -> Result<Notices> {
        let rows =
            sqlx::query("SELECT name, value FROM setting WHERE name IN ('maintenance', 'platform_silent')")
                .fetch_all(&self.pool)
                .await?;
        let mut notices = Notices::default();
        for row in &rows {
            let value: Option<i64> = row.text("value")?.parse().ok();
            match row.text("name")?.as_str() {
                "maintenance" => notices.maintenance = Some(Maintenance { until: value }),
                _ => notices.silent_since = value,
            }
        }
        Ok(notices)
    }

    /// The platform did not answer. The first moment counts.
    pub async fn platform_silent(&self, now: i64) -> Result<()> {
        let silent = sqlx::query(
            "INSERT INTO setting (name, value) VALUES ('platform_silent', $1) ON CONFLICT (name) DO NOTHING",
        );
        if silent.bind(now.to_string()).execute(&self.pool).await?.rows_affected() > 0 {
            self.tell_staff();
        }
        Ok(())
    }

    /// It answers again, or still.
    pub async fn platform_answers(&self) -> Result<()> {
        let answers = sqlx::query("DELETE FROM setting WHERE name = 'platform_silent'");
        if answers.execute(&self.pool).await?.rows_affected() > 0 {
            self.tell_staff();
        }
        Ok(())
    }
}
