//! S8, S14: operations as customers read them, and the words for why one waits.

mod filter;
mod lanes;
mod list;
mod one;
mod password;
mod words;

pub(crate) use list::{list, list_regions, toast};
pub(crate) use one::{one, one_regions};
pub(super) use password::password;
pub(crate) use words::{
    blocker_text, kind_inline, kind_title, row_text, state_badge, state_badge_staff, step_list, ticking,
    waiting_text, waiting_view,
};

use super::{Fault, Loaded, Params};
