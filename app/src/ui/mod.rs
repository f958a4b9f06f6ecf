//! The parts that pages are made of, on native elements.

mod form;
mod parts;

pub(crate) use form::{ErrorSummary, Errors, field_error_text, label};
pub(crate) use parts::{badge, copyable, empty_state, fact, time};
