//! S16–S22 for staff: what is there, and what of it is otherwise than it should be. What is done to a job is in
//! [`act`], and to many in [`bulk`](mod@bulk).

mod act;
mod audit;
mod bulk;
mod catalogue;
mod customer;
mod customers;
mod drift;
mod edge;
mod edge_move;
mod edges;
mod help;
mod job;
mod job_search;
mod jobs;
mod log;
mod overview;
mod system;
mod vapp;
mod vapps;

pub(super) use act::confirm;
pub use audit::AuditAsked;
pub(crate) use audit::audit;
pub(super) use bulk::bulk;
pub(crate) use catalogue::{panels, prices, templates};
pub(super) use customer::customer;
pub(super) use customers::customers;
pub(super) use drift::{drift, drift_confirm};
pub(crate) use edge::{edge, edge_confirm, edge_regions};
pub(crate) use edges::{edges, edges_regions};
pub(crate) use help::{help, of_page as help_of_page};
pub(crate) use job::{job, job_regions};
pub(crate) use jobs::{jobs, jobs_regions};
pub(crate) use overview::{overview, overview_regions};
pub(crate) use system::{system, system_regions};
pub(super) use vapp::{vapp, vapp_confirm};
pub(super) use vapps::vapps;

use domain::field::Field;
use leptos::prelude::*;
use provisioning::NOTE_MAX;

use super::{Fault, Loaded, Params};
use crate::{
    i18n::{Lang, t},
    ui::{Errors, label},
};

/// Why something is done: asked for whatever staff do.
fn why_field(lang: Lang, errors: &Errors, typed: String) -> impl IntoView + use<> {
    let field = Field::Why;
    view! {
        <div class="field">
            <label for=field.as_str()>{label(lang, field)}</label>
            <input
                type="text" id=field.as_str() name=field.as_str() value=typed minlength="10" maxlength="200" required
                aria-invalid=errors.invalid(field) aria-describedby=errors.described(field, true)
            />
            <p class="hint" id="why-hint">{t!(lang, "why-hint")}</p>
            {errors.at(lang, field)}
        </div>
    }
}

/// What staff write for each other.
fn note_field(lang: Lang, errors: &Errors, typed: String) -> impl IntoView + use<> {
    let field = Field::Note;
    view! {
        <div class="field">
            <label for="note">{label(lang, field)}</label>
            <textarea
                id="note" name="note" rows="2" maxlength=NOTE_MAX.to_string() required
                aria-invalid=errors.invalid(field) aria-describedby=errors.described(field, true)
            >{typed}</textarea>
            <p class="hint" id="note-hint">{t!(lang, "job-note-hint")}</p>
            {errors.at(lang, field)}
        </div>
    }
}
