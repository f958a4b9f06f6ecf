//! Makes the copy buttons of a page work, also those that arrive later with a patch: one listener for all of them.
//!
//! A button is `[data-copy]`, rendered with its text in that attribute. Without a script none is shown: the style shows them
//! once this has said that the page is alive.

use leptos::prelude::*;

#[island]
pub fn CopyButtons(done: String) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| browser::attach(done.clone()));
    #[cfg(not(feature = "hydrate"))]
    let _ = done;
    view! { <span hidden=true></span> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use wasm_bindgen::{JsCast, closure::Closure};
    use web_sys::{Element, Event};

    pub(super) fn attach(done: String) {
        let Some(window) = web_sys::window() else { return };
        let Some(document) = window.document() else { return };
        let clicked = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            let target = event.target().and_then(|t| t.dyn_into::<Element>().ok());
            let Some(Ok(Some(button))) = target.map(|t| t.closest("[data-copy]")) else { return };
            let _ = window
                .navigator()
                .clipboard()
                .write_text(&button.get_attribute("data-copy").unwrap_or_default());
            button.set_text_content(Some(&done));
        });
        let _ = document.add_event_listener_with_callback("click", clicked.as_ref().unchecked_ref());
        clicked.forget();
        if let Some(root) = document.document_element() {
            let _ = root.class_list().add_1("alive");
        }
    }
}
