//! Keeps a page fresh: takes patches from the page's stream and puts them into the regions they name.
//!
//! Values arrive rendered and in the reader's language. A region that holds the focus or an open menu is left alone until it
//! is left. A page that nobody sees has no stream after a while; where streams do not get through, the same values are
//! asked for.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveTexts {
    pub on: String,
    /// With `{0}` for the time.
    pub reconnecting: String,
    pub off: String,
    pub signed_out: String,
    /// What the page shows is there no more.
    pub gone: String,
}

/// `moving`: something on the page is in transition.
#[island]
pub fn Live(url: String, since: i64, moving: bool, texts: LiveTexts) -> impl IntoView {
    let (state, set_state) = signal(String::new());
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| browser::start(&url, since, moving, &texts, set_state));
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = (url, since, moving, texts, set_state);
    }
    view! { <span class="live-chip" role="status">{move || state.get()}</span> }
}

#[cfg(feature = "hydrate")]
mod browser;
#[cfg(feature = "hydrate")]
mod toasts;
