//! Menus by the keyboard: arrows, Home and End move through an open one, Escape closes it, and so does a click elsewhere.
//!
//! A menu is `details.menu`; without this it opens and closes as any `details` does.

use leptos::prelude::*;

#[island]
pub fn MenuKeys() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(|_| {
        let _ = browser::attach();
    });
    view! { <span hidden=true></span> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use wasm_bindgen::JsCast;
    use web_sys::{HtmlElement, KeyboardEvent, Node};

    use crate::islands::dom;

    const OPEN: &str = "details.menu[open]";

    pub(super) fn attach() -> Option<()> {
        let document = dom::document()?;
        let outside = document.clone();
        dom::on(&document, "click", move |event| {
            let at = event.target().and_then(|t| t.dyn_into::<Node>().ok());
            for menu in dom::all::<HtmlElement>(&outside, OPEN) {
                if !menu.contains(at.as_ref()) {
                    close(&menu);
                }
            }
        });
        dom::on(&document, "keydown", |event| {
            let Some(menu) = dom::around(&event, "details.menu") else { return };
            let Some(event) = event.dyn_ref::<KeyboardEvent>() else { return };
            if pressed(&menu, &event.key()).is_some() {
                event.prevent_default();
                event.stop_propagation();
            }
        });
        Some(())
    }

    fn close(menu: &HtmlElement) {
        let _ = menu.remove_attribute("open");
    }

    /// Something where the key meant something here.
    fn pressed(menu: &HtmlElement, key: &str) -> Option<()> {
        if key == "Escape" && menu.has_attribute("open") {
            close(menu);
            return dom::first::<HtmlElement>(menu, "summary")?.focus().ok();
        }
        let items: Vec<HtmlElement> = dom::all(menu, "a.menu-item, button.menu-item");
        let active = dom::document()?.active_element();
        let at = items.iter().position(|i| active.as_ref().is_some_and(|a| a == i.as_ref()));
        let last = items.len().checked_sub(1)?;
        let to = match (key, at) {
            ("ArrowDown", None) | ("Home", _) => 0,
            ("ArrowDown", Some(i)) => (i + 1) % items.len(),
            ("ArrowUp", None) | ("End", _) => last,
            ("ArrowUp", Some(i)) => (i + last) % items.len(),
            _ => return None,
        };
        let _ = menu.set_attribute("open", "");
        items.get(to)?.focus().ok()
    }
}
