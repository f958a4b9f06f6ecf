//! Comfort for choosing rows: all of them at once, a range with Shift, and how many are chosen.
//!
//! The boxes are the form's own, `[data-bulk]`, and are sent without this too. `#bulk-tools` is where the rest is drawn.

use leptos::prelude::*;

/// `chosen` with `{0}` for how many and `{1}` for of how many.
#[island]
pub fn BulkSelect(all: String, chosen: String) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        let _ = browser::attach(&all, chosen.clone());
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = (all, chosen);
    view! { <span hidden=true></span> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::cell::Cell;

    use wasm_bindgen::JsCast;
    use web_sys::{Document, HtmlElement, HtmlInputElement, MouseEvent};

    use crate::islands::dom;

    fn boxes(document: &Document) -> Vec<HtmlInputElement> {
        dom::all(document, "[data-bulk]")
    }

    fn count(document: &Document, status: &HtmlElement, chosen: &str) {
        let boxes = boxes(document);
        let n = boxes.iter().filter(|b| b.checked()).count();
        let text = chosen.replace("{0}", &n.to_string()).replace("{1}", &boxes.len().to_string());
        status.set_text_content(Some(if n == 0 { "" } else { &text }));
    }

    pub(super) fn attach(all: &str, chosen: String) -> Option<()> {
        let document = dom::document()?;
        let tools: HtmlElement = dom::first(&document, "#bulk-tools")?;
        let button = dom::make("button", "button quiet small", all)?;
        button.set_attribute("type", "button").ok()?;
        let status = dom::make("span", "dim", "")?;
        status.set_attribute("role", "status").ok()?;
        tools.append_child(&button).ok()?;
        tools.append_child(&status).ok()?;
        // What a browser has kept over a reload counts too.
        count(&document, &status, &chosen);
        let (page, told, text) = (document.clone(), status.clone(), chosen.clone());
        dom::on(&button, "click", move |_| {
            let boxes = boxes(&page);
            let to = !boxes.iter().all(HtmlInputElement::checked);
            boxes.iter().for_each(|b| b.set_checked(to));
            count(&page, &told, &text);
        });
        let last = Cell::new(None);
        let page = document.clone();
        dom::on(&document, "click", move |event| {
            let Some(pressed) = dom::around(&event, "[data-bulk]") else { return };
            let boxes = boxes(&page);
            let Some(at) = boxes.iter().position(|b| b.is_same_node(Some(&pressed))) else { return };
            let shift = event.dyn_ref::<MouseEvent>().is_some_and(MouseEvent::shift_key);
            if let (true, Some(before)) = (shift, last.get()) {
                let to = boxes[at].checked();
                let range: std::ops::RangeInclusive<usize> = at.min(before)..=at.max(before);
                boxes
                    .iter()
                    .enumerate()
                    .filter(|(i, _)| range.contains(i))
                    .for_each(|(_, b)| b.set_checked(to));
            }
            last.set(Some(at));
            count(&page, &status, &chosen);
        });
        Some(())
    }
}
