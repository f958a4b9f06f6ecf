//! How a page comes by its islands: after it has been painted, one at a time.
//!
//! Everything works without them, so nothing of theirs may keep the page back. The glue and the program are asked for together once
//! something of the page has been painted; at once in a tab that nobody sees, or where a browser does not tell of its paints; and after
//! five seconds whatever happens, as a tab that is left before that is painted no more. Each island is attached in a task of its
//! own, so that a tap in between is answered. `html.alive` says that all are.
//!
//! The framework's own script asks for both before the first paint, attaches all at once, and brings islands with children along.
//! None has children here: they attach themselves to what is there (0003).

use leptos::{nonce::use_nonce, prelude::*};

const SCRIPT: &str = include_str!("hydration.js");

pub(crate) fn hydration() -> impl IntoView {
    view! { <script type="module" nonce=use_nonce()>{SCRIPT}</script> }
}
