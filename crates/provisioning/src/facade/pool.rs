//! The pool of edges, for staff: what it holds, for how long it lasts, and what an administrator does to one of it.

use domain::{
    EdgeId,
    edge_action::{EdgeAction, can_edge},
    field::FieldError,
    permission::Denial,
    state::{EdgeState, Role},
};
use store::{
    Result,
    edge_actions::EdgeDone,
    edge_log::{EdgeEvent, EdgeFlow},
    edges::EdgeRow,
    interventions::Intervention,
};

use super::{Facade, Viewer, staff::reason};

/// What the pace of the pool is judged by, days.
const PACE_DAYS: i64 = 7;
const DAY_MS: i64 = 86_400_000;
/// Fewer free edges than one in so many is low water.
const LOW_WATER: usize = 10;
/// Lines of an edge's history that are shown.
const EVENTS_SHOWN: i64 = 100;

/// The whole pool and what is counted over it.
#[derive(Clone, Debug)]
pub struct EdgePool {
    pub rows: Vec<EdgeRow>,
    /// Must read 0.
    pub conflicts: i64,
    /// Of the last seven days.
    pub flow: EdgeFlow,
    /// Since when an answer of the platform is waited for, ms.
    pub wanted: Option<i64>,
}

impl EdgePool {
    pub fn count(&self, state: EdgeState) -> usize {
        self.rows.iter().filter(|r| r.edge.state == state).count()
    }

    /// More are needed soon.
    pub fn is_low(&self) -> bool {
        !self.rows.is_empty() && self.count(EdgeState::Free) * LOW_WATER < self.rows.len()
    }

    /// How many are taken for good in a day, in tenths: those that came back are not.
    pub fn taken_a_day_tenths(&self) -> i64 {
        ((self.flow.taken - self.flow.returned).max(0) * 10 + PACE_DAYS / 2) / PACE_DAYS
    }

    /// In how many days none is free if it goes on like in the last seven; nothing where it does not run out.
    pub fn days_left(&self) -> Option<i64> {
        let taken = self.flow.taken - self.flow.returned;
        (taken > 0).then(|| self.count(EdgeState::Free) as i64 * PACE_DAYS / taken)
    }
}

/// One edge and what it has been through.
#[derive(Clone, Debug)]
pub struct EdgeDetail {
    pub row: EdgeRow,
    /// The newest first.
    pub events: Vec<EdgeEvent>,
    pub wanted: Option<i64>,
    role: Role,
}

impl EdgeDetail {
    pub fn can(&self, action: EdgeAction) -> std::result::Result<(), Denial> {
        can_edge(action, self.role, self.row.subject())
    }
}

/// What became of an action on an edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EdgeAnswer {
    Done,
    Denied(Denial),
    Refused(Vec<FieldError>),
    Gone,
}

impl Facade {
    pub async fn staff_edges(&self, viewer: &Viewer) -> Result<Option<EdgePool>> {
        if !viewer.role().is_staff() {
            return Ok(None);
        }
        Ok(Some(EdgePool {
            rows: self.store.edges().await?,
            conflicts: self.store.edge_conflicts().await?,
            flow: self.store.edge_flow(self.now_ms() - PACE_DAYS * DAY_MS).await?,
            wanted: self.store.edges_wanted_since().await?,
        }))
    }

    pub async fn staff_edge(&self, viewer: &Viewer, id: EdgeId) -> Result<Option<EdgeDetail>> {
        if !viewer.role().is_staff() {
            return Ok(None);
        }
        let Some(row) = self.store.edge(id).await? else { return Ok(None) };
        let events = self.store.edge_events(id, EVENTS_SHOWN).await?;
        let wanted = self.store.edges_wanted_since().await?;
        Ok(Some(EdgeDetail { row, events, wanted, role: viewer.role() }))
    }

    /// Does it, for an administrator who says why.
    pub async fn edge_act(
        &self,
        viewer: &Viewer,
        id: EdgeId,
        action: EdgeAction,
        why: &str,
    ) -> Result<EdgeAnswer> {
        if viewer.role() != Role::Admin {
            return Ok(EdgeAnswer::Gone);
        }
        let why = match reason(why) {
            Ok(why) => why,
            Err(errors) => return Ok(EdgeAnswer::Refused(errors)),
        };
        let how = Intervention { by: viewer.account.id, why: &why, now: self.now_ms() };
        Ok(match self.store.edge_act(id, action, how).await? {
            EdgeDone::Done => EdgeAnswer::Done,
            EdgeDone::Denied(denial) => EdgeAnswer::Denied(denial),
            EdgeDone::Gone => EdgeAnswer::Gone,
        })
    }

    /// Whoever runs jobs is to ask the platform now how the pool is: what is new in it comes in. Returns whether the viewer may
    /// ask for that.
    pub async fn edges_check(&self, viewer: &Viewer) -> Result<bool> {
        if viewer.role() != Role::Admin {
            return Ok(false);
        }
        self.store.edges_wanted(self.now_ms()).await?;
        Ok(true)
    }
}
