//! What staff do to an edge: give up a claim of which the job is over, keep a free one out of the pool, let it back in. And the
//! wish that the platform be asked now, which whoever runs jobs fulfils.

use std::sync::atomic::Ordering;

use domain::{
    EdgeId,
    edge_action::{EdgeAction, can_edge},
    permission::Denial,
    state::Role,
};

use crate::{
    audit::{self, Subject},
    db::Store,
    dialect::Sql,
    edge_log,
    edges::{edge_columns, edge_row, edge_rows},
    error::Result,
    interventions::Intervention,
    row::Columns,
};

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdgeDone {
    Done,
    Denied(Denial),
    Gone,
}

/// The row is held while it is judged: a claim of it waits, or has been first and is seen.
const HELD: Sql = Sql {
    sqlite: edge_rows!("WHERE edge.id = $1"),
    postgres: edge_rows!("WHERE edge.id = $1 FOR UPDATE OF edge"),
};

impl Store {
    pub async fn edge_act(&self, id: EdgeId, action: EdgeAction, how: Intervention<'_>) -> Result<EdgeDone> {
        let mut tx = self.write().await?;
        let held =
            sqlx::query(HELD.of(self.is_embedded())).bind(id.to_string()).fetch_optional(&mut *tx).await?;
        let Some(row) = held else {
            self.give_up(tx).await?;
            return Ok(EdgeDone::Gone);
        };
        let edge = edge_row(&row)?;
        if let Err(denial) = can_edge(action, Role::Admin, edge.subject()) {
            self.give_up(tx).await?;
            return Ok(EdgeDone::Denied(denial));
        }
        let sql = match action {
            // While the platform still shows a network on it nobody else can have it.
            EdgeAction::Release => {
                "UPDATE edge SET state = CASE WHEN COALESCE(observed_networks, 0) = 0 THEN 'free' ELSE 'quarantined' END,
                     held = CASE WHEN COALESCE(observed_networks, 0) = 0 THEN NULL ELSE $1 END,
                     server_id = NULL, job_id = NULL, since = $2, bandwidth_mbit = NULL
                 WHERE id = $3"
            }
            EdgeAction::Quarantine => {
                "UPDATE edge SET state = 'quarantined', held = $1, kept_out = 1, since = $2 WHERE id = $3"
            }
            EdgeAction::Return => {
                "UPDATE edge SET state = 'free', held = NULL, kept_out = 0, job_id = NULL, since = $2, bandwidth_mbit = NULL,
                     network_name = NULL
                 WHERE id = $3 AND $1 = $1"
            }
        };
        sqlx::query(sql).bind(how.why).bind(how.now).bind(id.to_string()).execute(&mut *tx).await?;
        edge_log::record_one(&mut tx, id, how.now).await?;
        let subject = Subject { kind: "edge", id: id.to_string(), name: edge.edge.facts.name.clone() };
        let what = format!("edge_{action}");
        audit::record(&mut tx, Some(how.by), &what, &subject, how.why, how.now).await?;
        tx.commit().await?;
        self.edges_changed.store(true, Ordering::Relaxed);
        self.tell_all();
        self.tell_staff();
        Ok(EdgeDone::Done)
    }

    /// Somebody wants the platform to be asked now how its edges are. Whoever runs jobs sees it.
    pub async fn edges_wanted(&self, now: i64) -> Result<()> {
        self.setting_put("edges_wanted", &now.to_string()).await?;
        self.tell_all();
        Ok(())
    }

    /// Since when the platform is to be asked, if nobody has asked it since.
    pub async fn edges_wanted_since(&self) -> Result<Option<i64>> {
        let wanted: Option<i64> = self.setting("edges_wanted").await?.and_then(|t| t.parse().ok());
        let Some(wanted) = wanted else { return Ok(None) };
        let row = sqlx::query("SELECT MAX(observed_at) AS at FROM edge").fetch_one(&self.pool).await?;
        Ok(Some(wanted).filter(|wanted| row.int_opt("at").ok().flatten().is_none_or(|seen| seen < *wanted)))
    }
}
