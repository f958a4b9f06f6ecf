//! The catalogue, for administrators: what is offered, what a change would do and touch, and changing it from a day on.

use domain::{
    catalogue::Catalogue,
    catalogue_change::{CatalogueChange, is_day},
    field::{Code, Field, FieldError},
    price::quote,
    size::Size,
    state::Role,
};
use store::{Result, catalogue::CatalogueRow, interventions::Intervention};

use super::{Facade, Viewer, staff::reason, system::SystemAnswer};
use crate::offers::in_force;

#[derive(Clone, Debug)]
pub struct CatalogueView {
    /// In force now.
    pub now: Catalogue,
    /// Changes that have not begun, in the order in which they will.
    pub pending: Vec<CatalogueRow>,
    /// The last that have, the newest first.
    pub begun: Vec<CatalogueRow>,
}

/// What a change would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CataloguePreview {
    /// Unfinished orders that have chosen what is changed.
    pub drafts: usize,
    /// Each of three sizes with the price it has now and would have, minor units a month.
    pub samples: Vec<(Size, i64, i64)>,
}

/// Changes that are shown of those that have begun.
const BEGUN_SHOWN: usize = 20;
const SAMPLES: usize = 3;

impl Facade {
    pub async fn catalogue_view(&self, viewer: &Viewer) -> Result<Option<CatalogueView>> {
        if viewer.role() != Role::Admin {
            return Ok(None);
        }
        let now = self.now_ms();
        let (begun, pending): (Vec<_>, Vec<_>) =
            self.store.catalogue_changes().await?.into_iter().partition(|c| c.valid_from <= now);
        let begun = begun.into_iter().rev().take(BEGUN_SHOWN).collect();
        Ok(Some(CatalogueView { now: (*self.offers.current()).clone(), pending, begun }))
    }

    /// What a change would do: to unfinished orders, and to the price of the sizes that are suggested.
    pub async fn catalogue_preview(
        &self,
        viewer: &Viewer,
        change: &CatalogueChange,
    ) -> Result<Option<CataloguePreview>> {
        if viewer.role() != Role::Admin {
            return Ok(None);
        }
        let before = self.offers.current();
        let after = (*before).clone().with(change);
        let drafts = self.store.drafts_chosen(self.now_ms()).await?;
        let touched = |draft: &&domain::draft::DraftValues| match change {
            CatalogueChange::Template(t) => draft.template == t.id,
            CatalogueChange::Panel(p) => draft.panel == p.id,
            CatalogueChange::Prices(_) | CatalogueChange::Limits(_) => true,
        };
        let (template, panel) = match change {
            CatalogueChange::Template(t) => (t.id.as_str(), None),
            CatalogueChange::Panel(p) => (
                p.templates.first().map_or(before.default_template.as_str(), String::as_str),
                Some(p.id.as_str()),
            ),
            _ => (before.default_template.as_str(), None),
        };
        let price = |catalogue: &Catalogue, size| {
            let template = catalogue.template(template)?;
            let panel = panel.and_then(|id| catalogue.panel(id));
            Some(quote(&catalogue.prices, template, panel, size).total_minor)
        };
        let sizes = after.presets.iter().take(SAMPLES).map(|p| p.size);
        let samples = sizes
            .filter_map(|size| {
                let then = price(&after, size)?;
                // What is new costs nothing now.
                Some((size, price(&before, size).unwrap_or(0), then))
            })
            .collect();
        Ok(Some(CataloguePreview { drafts: drafts.iter().filter(touched).count(), samples }))
    }

    /// Changes a part from a day on, in the reader's zone: `begins` is when that day begins, and today's is now.
    pub async fn catalogue_change(
        &self,
        viewer: &Viewer,
        change: &CatalogueChange,
        begins: Option<i64>,
        why: &str,
    ) -> Result<SystemAnswer> {
        if viewer.role() != Role::Admin {
            return Ok(SystemAnswer::Gone);
        }
        let now = self.now_ms();
        let mut errors = Vec::new();
        let why = reason(why).unwrap_or_else(|e| {
            errors.extend(e);
            String::new()
        });
        let valid_from = begins.unwrap_or(now).max(now);
        if let Err(what) = self.usable_with(change, valid_from).await? {
            errors.push(FieldError::new(Field::Catalogue, Code::CatalogueBroken).with("what", what));
        }
        if !errors.is_empty() {
            return Ok(SystemAnswer::Refused(errors));
        }
        let how = Intervention { by: viewer.account.id, why: &why, now };
        self.store.catalogue_change(change, valid_from, how).await?;
        self.offers.refresh(&self.store, now).await?;
        Ok(SystemAnswer::Done)
    }

    /// Takes back a change that has not begun.
    pub async fn catalogue_withdraw(&self, viewer: &Viewer, id: &str) -> Result<SystemAnswer> {
        if viewer.role() != Role::Admin {
            return Ok(SystemAnswer::Gone);
        }
        let how = Intervention { by: viewer.account.id, why: "", now: self.now_ms() };
        Ok(if self.store.catalogue_withdraw(id, how).await? {
            SystemAnswer::Done
        } else {
            SystemAnswer::Gone
        })
    }

    /// The catalogue is usable with this change, at its beginning and at that of every one after it.
    async fn usable_with(
        &self,
        change: &CatalogueChange,
        valid_from: i64,
    ) -> Result<std::result::Result<(), String>> {
        let mut rows = self.store.catalogue_changes().await?;
        let at = rows.iter().position(|row| row.valid_from > valid_from).unwrap_or(rows.len());
        let new = CatalogueRow {
            id: String::new(),
            at: valid_from,
            by: domain::AccountId(uuid::Uuid::nil()),
            by_name: String::new(),
            why: String::new(),
            valid_from,
            change: change.clone(),
        };
        rows.insert(at, new);
        let moments = rows.iter().map(|row| row.valid_from).filter(|from| *from >= valid_from);
        Ok(moments
            .map(|at| in_force(self.offers.base(), &rows, at).check())
            .find(|c| c.is_err())
            .unwrap_or(Ok(())))
    }
}

/// The day that was typed: nothing is today; a day that is over, or none, is refused.
pub fn begins(typed: &str, today: &str) -> std::result::Result<Option<String>, FieldError> {
    match typed.trim() {
        "" => Ok(None),
        day if !is_day(day) => Err(FieldError::new(Field::ValidFrom, Code::DayFormat)),
        day if day < today => Err(FieldError::new(Field::ValidFrom, Code::DayPast)),
        day if day == today => Ok(None),
        day => Ok(Some(day.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_begins_today_or_later() {
        assert_eq!(begins("", "2026-11-27"), Ok(None));
        assert_eq!(begins("2026-11-27", "2026-11-27"), Ok(None));
        assert_eq!(begins(" 2026-12-01 ", "2026-11-27"), Ok(Some("2026-12-01".into())));
        assert_eq!(begins("2026-11-26", "2026-11-27").unwrap_err().code, Code::DayPast);
        assert_eq!(begins("soon", "2026-11-27").unwrap_err().code, Code::DayFormat);
    }
}
