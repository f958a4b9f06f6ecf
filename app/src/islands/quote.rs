//! The price while somebody types: asks the server a moment after the last change and writes what it answers.

use leptos::prelude::*;

#[island]
pub fn LiveQuote(template: String, panel: String, servers: String) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| browser::attach(&template, &panel, &servers));
    #[cfg(not(feature = "hydrate"))]
    let _ = (template, panel, servers);
    view! { <span hidden=true></span> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::{
        cell::{Cell, RefCell},
        rc::Rc,
        time::Duration,
    };

    use leptos::{prelude::*, task::spawn_local};
    use wasm_bindgen::{JsCast, closure::Closure};
    use web_sys::{Document, HtmlInputElement};

    use crate::api::quote::size_quote;

    thread_local! {
        /// Number of the newest question.
        static NEWEST: Cell<u32> = const { Cell::new(0) };
    }

    const PAUSE: Duration = Duration::from_millis(150);

    pub(super) fn attach(template: &str, panel: &str, servers: &str) {
        let Some(document) = web_sys::window().and_then(|w| w.document()) else { return };
        let Ok(Some(form)) = document.query_selector("#size-form") else { return };
        let waiting: Rc<RefCell<Option<TimeoutHandle>>> = Rc::default();
        let chosen = [template, panel, servers].map(str::to_owned);
        let changed = Closure::<dyn FnMut()>::new(move || {
            if let Some(handle) = waiting.borrow_mut().take() {
                handle.clear();
            }
            let (document, chosen) = (document.clone(), chosen.clone());
            *waiting.borrow_mut() = set_timeout_with_handle(move || ask(document, chosen), PAUSE).ok();
        });
        let _ = form.add_event_listener_with_callback("input", changed.as_ref().unchecked_ref());
        changed.forget();
    }

    fn value(document: &Document, name: &str) -> String {
        let selector =
            format!("#size-form input[name={name}]:not([type=radio]), #size-form input[name={name}]:checked");
        document
            .query_selector(&selector)
            .ok()
            .flatten()
            .and_then(|e| e.dyn_into::<HtmlInputElement>().ok())
            .map(|e| e.value())
            .unwrap_or_default()
    }

    fn ask(document: Document, [template, panel, servers]: [String; 3]) {
        let read = |name| value(&document, name);
        let asked = (read("vcpu"), read("ram"), read("disk"), read("bandwidth"));
        mark(&document, true);
        let number = NEWEST.with(|n| n.replace(n.get() + 1) + 1);
        spawn_local(async move {
            let (vcpu, ram, disk, bandwidth) = asked;
            let answer = size_quote(template, panel, vcpu, ram, disk, bandwidth, servers).await;
            // What was asked before the last change is not the price any more.
            if NEWEST.with(Cell::get) != number {
                return;
            }
            // A size that cannot be had has no price: the old one stays, and stays dimmed.
            let stale = !matches!(&answer, Ok(texts) if !texts.is_empty());
            if let Ok(texts) = answer {
                for (key, text) in texts {
                    let found = document.query_selector_all(&format!("[data-quote=\"{key}\"]"));
                    let Ok(found) = found else { continue };
                    for i in 0..found.length() {
                        if let Some(node) = found.get(i) {
                            node.set_text_content(Some(&text));
                        }
                    }
                }
            }
            mark(&document, stale);
        });
    }

    /// The old price is dimmed while the new one is asked for.
    fn mark(document: &Document, busy: bool) {
        if let Ok(Some(summary)) = document.query_selector(".summary") {
            let _ = summary.set_attribute("aria-busy", if busy { "true" } else { "false" });
        }
    }
}
