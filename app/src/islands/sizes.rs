//! Sizes while somebody chooses: a slider beside each number, and the price a moment after the last change.
//!
//! The number box is the control; the slider only turns it. The price is the server's.

use leptos::prelude::*;

/// `template` and `panel` are what is fixed while the size is chosen.
#[island]
pub fn SizeRows(template: String, panel: String) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        let _ = browser::attach([&template, &panel].map(Clone::clone));
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = (template, panel);
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
    use wasm_bindgen::JsCast;
    use web_sys::{Document, Element, Event, HtmlElement, HtmlInputElement, KeyboardEvent};

    use crate::{api::quote::size_quote, islands::dom};

    thread_local! {
        /// Number of the newest question.
        static NEWEST: Cell<u32> = const { Cell::new(0) };
    }

    const PAUSE: Duration = Duration::from_millis(150);
    /// How many steps PageUp and PageDown are.
    const PAGE: i64 = 10;

    pub(super) fn attach(chosen: [String; 2]) -> Option<()> {
        let document = dom::document()?;
        let form: HtmlElement = dom::first(&document, "form[data-sizes]")?;
        for place in dom::all::<HtmlElement>(&form, "[data-slider]") {
            let _ = slider(&form, &place);
        }
        let waiting: Rc<RefCell<Option<TimeoutHandle>>> = Rc::default();
        let sized = form.clone();
        dom::on(&form, "input", move |_| {
            if let Some(handle) = waiting.borrow_mut().take() {
                handle.clear();
            }
            let (document, sized, chosen) = (document.clone(), sized.clone(), chosen.clone());
            *waiting.borrow_mut() =
                set_timeout_with_handle(move || ask(document, &sized, chosen), PAUSE).ok();
        });
        Some(())
    }

    /// A slider for the number box that the place names; each follows the other.
    fn slider(form: &HtmlElement, place: &HtmlElement) -> Option<()> {
        let name = place.get_attribute("data-slider")?;
        let unit = place.get_attribute("data-unit").unwrap_or_default();
        let number: HtmlInputElement = dom::first(form, &format!("input[name={name}]"))?;
        let slider: HtmlInputElement = dom::make("input", "", "")?.dyn_into().ok()?;
        slider.set_type("range");
        slider.set_min(&number.min());
        slider.set_max(&number.max());
        slider.set_step(&number.step());
        let label: HtmlElement = dom::first(form, &format!("label[for={name}]"))?;
        let _ = slider.set_attribute("aria-label", &label.text_content().unwrap_or_default());
        let (shown, from) = (slider.clone(), number.clone());
        let follow = move || {
            shown.set_value(&from.value());
            let _ = shown.set_attribute("aria-valuetext", format!("{} {unit}", shown.value()).trim());
        };
        follow();
        place.append_child(&slider).ok()?;
        dom::on(&number, "input", move |_| follow());
        let (turned, to) = (slider.clone(), number.clone());
        // The event rises from the slider too: what the form hears is the number that was just written.
        dom::on(&slider, "input", move |_| {
            to.set_value(&turned.value());
            if let Ok(changed) = Event::new("input") {
                let _ = to.dispatch_event(&changed);
            }
        });
        let turned = slider.clone();
        dom::on(&slider, "keydown", move |event| {
            let steps = match event.dyn_ref::<KeyboardEvent>().map(KeyboardEvent::key).as_deref() {
                Some("PageUp") => PAGE,
                Some("PageDown") => -PAGE,
                _ => return,
            };
            event.prevent_default();
            let step: i64 = turned.step().parse().unwrap_or(1);
            let now: i64 = turned.value().parse().unwrap_or_default();
            turned.set_value(&(now + steps * step).to_string());
            if let Ok(changed) = Event::new("input") {
                let _ = turned.dispatch_event(&changed);
            }
        });
        Some(())
    }

    fn value(form: &HtmlElement, name: &str) -> String {
        let selector = format!("input[name={name}]:not([type=radio]), input[name={name}]:checked");
        dom::first::<HtmlInputElement>(form, &selector).map(|e| e.value()).unwrap_or_default()
    }

    fn ask(document: Document, form: &HtmlElement, [template, panel]: [String; 2]) {
        let read = |name| value(form, name);
        let servers = read("quantity");
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
            for (key, text) in answer.unwrap_or_default() {
                for place in dom::all::<Element>(&document, &format!("[data-quote=\"{key}\"]")) {
                    place.set_text_content(Some(&text));
                }
            }
            mark(&document, stale);
        });
    }

    /// The old price is dimmed while the new one is asked for.
    fn mark(document: &Document, busy: bool) {
        if let Some(summary) = dom::first::<Element>(document, "[data-priced]") {
            let _ = summary.set_attribute("aria-busy", if busy { "true" } else { "false" });
        }
    }
}
