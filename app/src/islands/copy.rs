//! Makes the copy buttons of a page work, also those that arrive later with a patch: one listener for all of them.
//!
//! A button is `[data-copy]`, rendered with its text in that attribute. Without a script none is shown: the style shows them
//! once the page is alive, which it is when all of its islands are attached.

use leptos::prelude::*;

#[island]
pub fn CopyButtons(done: String) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        let _ = browser::attach(done.clone());
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = done;
    view! { <span hidden=true></span> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use crate::islands::dom;

    pub(super) fn attach(done: String) -> Option<()> {
        let (window, document) = (dom::window()?, dom::document()?);
        dom::on(&document, "click", move |event| {
            let Some(button) = dom::around(&event, "[data-copy]") else { return };
            let text = button.get_attribute("data-copy").unwrap_or_default();
            let _ = window.navigator().clipboard().write_text(&text);
            button.set_text_content(Some(&done));
        });
        Some(())
    }
}
