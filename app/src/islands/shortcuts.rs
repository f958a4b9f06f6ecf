//! Keys that lead where a link or a button leads anyway. Each says its own on the page: `data-key`.
//!
//! Single letters are nothing while somebody types, and can be switched off; `Ctrl+Enter` sends the form one is in, `Ctrl+K`
//! shows where one can go.

use leptos::prelude::*;

/// `letters` says whether single letters do anything; `help` is the page that lists all.
#[island]
pub fn Shortcuts(letters: bool, help: String) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        let _ = browser::attach(letters, help.clone());
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = (letters, help);
    view! { <span hidden=true></span> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use wasm_bindgen::JsCast;
    use web_sys::{Document, HtmlElement, HtmlFormElement, HtmlInputElement, KeyboardEvent};

    use crate::islands::{dialog, dom};

    pub(super) fn attach(letters: bool, help: String) -> Option<()> {
        let document = dom::document()?;
        // The first of two keys, and when it was pressed.
        let mut begun: Option<f64> = None;
        let page = document.clone();
        dom::on(&document, "keydown", move |event| {
            let Some(event) = event.dyn_ref::<KeyboardEvent>() else { return };
            let key = event.key();
            let command = event.ctrl_key() || event.meta_key();
            let going = begun.take().is_some_and(|at| event.time_stamp() - at < 1500.0);
            let done = if command && key == "Enter" {
                submit(event)
            } else if command && key.eq_ignore_ascii_case("k") {
                dialog::open(help.clone());
                Some(())
            } else if command || event.alt_key() || !letters || typing(event) {
                None
            } else if going {
                press(&page, &format!("g {key}"))
            } else {
                match key.as_str() {
                    "g" => {
                        begun = Some(event.time_stamp());
                        None
                    }
                    "?" => {
                        dialog::open(help.clone());
                        Some(())
                    }
                    "j" => step(&page, 1),
                    "k" => step(&page, -1),
                    "." => row_menu(&page),
                    _ => press(&page, &key),
                }
            };
            if done.is_some() {
                event.prevent_default();
            }
        });
        filter(&document);
        Some(())
    }

    fn typing(event: &KeyboardEvent) -> bool {
        // In a dialog or a menu keys mean what they mean there.
        dom::around(
            event,
            "input:not([type=radio], [type=checkbox]), textarea, select, dialog, details[open]",
        )
        .is_some()
    }

    /// What says that it is this key: a field is gone into, anything else is done.
    fn press(document: &Document, key: &str) -> Option<()> {
        let quoted = key.replace(['"', '\\'], "");
        let found: HtmlElement = dom::first(document, &format!("[data-key=\"{quoted}\"]"))?;
        match found.dyn_ref::<HtmlInputElement>() {
            Some(field) => field.focus().ok(),
            None => {
                found.click();
                Some(())
            }
        }
    }

    fn submit(event: &KeyboardEvent) -> Option<()> {
        let form: HtmlFormElement = dom::around(event, "form[method=post]")?.dyn_into().ok()?;
        form.request_submit().ok()
    }

    fn rows(document: &Document) -> (Vec<HtmlElement>, Option<usize>) {
        let links: Vec<HtmlElement> = dom::all(document, "tbody th a, ul.rows > li > a:first-child");
        let active = document.active_element();
        let at = links.iter().position(|l| {
            let row = l.closest("tr, li").ok().flatten();
            row.zip(active.as_ref()).is_some_and(|(row, active)| row.contains(Some(active)))
        });
        (links, at)
    }

    fn step(document: &Document, by: isize) -> Option<()> {
        let (links, at) = rows(document);
        let to = at.map_or(0, |at| at.saturating_add_signed(by).min(links.len().saturating_sub(1)));
        links.get(to)?.focus().ok()
    }

    fn row_menu(document: &Document) -> Option<()> {
        let (links, at) = rows(document);
        let row: HtmlElement = links.get(at?)?.closest("tr, li").ok()??.dyn_into().ok()?;
        let summary: HtmlElement = dom::first(&row, "details.menu > summary")?;
        summary.click();
        summary.focus().ok()
    }

    /// In the list of places: only those that what is typed names.
    fn filter(document: &Document) {
        dom::on(document, "input", |event| {
            let Some(field) = dom::around(&event, "dialog input[data-filter]") else { return };
            let Some(dialog) = dom::around(&event, "dialog") else { return };
            let Ok(field) = field.dyn_into::<HtmlInputElement>() else { return };
            let wanted = field.value().trim().to_lowercase();
            for item in dom::all::<HtmlElement>(&dialog, "li") {
                let text = item.text_content().unwrap_or_default().to_lowercase();
                item.set_hidden(!text.contains(&wanted));
            }
        });
    }
}
