//! S17–S19 for staff: what is there, and what of it is otherwise than it should be. What is done to a job is in
//! [`act`], and to many in [`bulk`](mod@bulk).

mod act;
mod bulk;
mod drift;
mod edges;
mod job;
mod jobs;
mod vapps;

pub(super) use act::confirm;
pub(super) use bulk::bulk;
pub(super) use drift::drift;
pub(super) use edges::edges;
pub(crate) use job::{job, job_regions};
pub(crate) use jobs::{jobs, jobs_regions};
pub(super) use vapps::vapps;

use domain::field::Field;
use leptos::prelude::*;

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
