//! A question on its own page, asked in a dialog instead: the same form, rendered by the same page.
//!
//! A link is `[data-dialog]`; what of the page behind it is the question, `[data-confirm]`. Without this, or where the page
//! cannot be had, the link leads there.

use leptos::prelude::*;

#[island]
pub fn Confirm() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(|_| {
        let _ = browser::attach();
    });
    view! { <span hidden=true></span> }
}

#[cfg(feature = "hydrate")]
pub(super) use browser::open;

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::task::spawn_local;
    use wasm_bindgen::{JsCast, JsValue};
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{DomParser, Element, HtmlDialogElement, MouseEvent, Response, SupportedType};

    use crate::islands::dom;

    pub(super) fn attach() -> Option<()> {
        let document = dom::document()?;
        dom::on(&document, "click", |event| {
            let Some(link) = dom::around(&event, "a[data-dialog]") else { return };
            let Some(click) = event.dyn_ref::<MouseEvent>() else { return };
            // Another tab or window was asked for.
            if click.button() != 0 || click.ctrl_key() || click.meta_key() || click.shift_key() {
                return;
            }
            let Some(href) = link.get_attribute("href") else { return };
            event.prevent_default();
            open(href);
        });
        Some(())
    }

    /// Shows the question of a page; goes there where that cannot be.
    pub(in crate::islands) fn open(href: String) {
        spawn_local(async move {
            if ask(&href).await.is_none()
                && let Some(window) = dom::window()
            {
                let _ = window.location().set_href(&href);
            }
        });
    }

    async fn ask(href: &str) -> Option<()> {
        let response = JsFuture::from(dom::window()?.fetch_with_str(href)).await.ok()?;
        let response: Response = response.dyn_into().ok()?;
        if !response.ok() || response.redirected() {
            return None;
        }
        let text = JsFuture::from(response.text().ok()?).await.ok()?.as_string()?;
        let page = DomParser::new().ok()?.parse_from_string(&text, SupportedType::TextHtml).ok()?;
        let question: Element = dom::first(&page, "[data-confirm]")?;
        let heading = dom::first::<Element>(&page, "h1")?.text_content()?;
        show(&heading, &question).ok()
    }

    fn show(heading: &str, question: &Element) -> Result<(), JsValue> {
        let none = || JsValue::from_str("no page");
        let document = dom::document().ok_or_else(none)?;
        for open in dom::all::<Element>(&document, "dialog") {
            open.remove();
        }
        let dialog: HtmlDialogElement = document.create_element("dialog")?.dyn_into()?;
        let _ = dialog.set_attribute("aria-labelledby", "dialog-title");
        let title = dom::make("h2", "", heading).ok_or_else(none)?;
        title.set_id("dialog-title");
        dialog.append_child(&title)?;
        if let Some(label) = question.get_attribute("data-filterable") {
            let field = dom::make("input", "", "").ok_or_else(none)?;
            for (name, value) in [("type", "search"), ("aria-label", &label), ("placeholder", &label)] {
                field.set_attribute(name, value)?;
            }
            field.set_attribute("data-filter", "")?;
            dialog.append_child(&field)?;
        }
        dialog.append_child(&document.import_node_with_deep(question, true)?)?;
        document.body().ok_or_else(none)?.append_child(&dialog)?;
        let closing = dialog.clone();
        dom::on(&dialog, "click", move |event| {
            let at = event.target().and_then(|t| t.dyn_into::<HtmlDialogElement>().ok());
            let outside = at.is_some_and(|at| at == closing);
            if outside || dom::around(&event, "[data-close]").is_some() {
                event.prevent_default();
                closing.close();
            }
        });
        let gone = dialog.clone();
        // The browser itself gives the focus back to where it came from.
        dom::on(&dialog, "close", move |_| gone.remove());
        dialog.show_modal()
    }
}
