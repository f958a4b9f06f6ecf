//! What islands do with the page around them. Listeners stay as long as the page does.

use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Document, Element, Event, EventTarget, HtmlElement, NodeList, Window};

pub(super) fn window() -> Option<Window> {
    web_sys::window()
}

pub(super) fn document() -> Option<Document> {
    window()?.document()
}

pub(super) fn on(target: &EventTarget, name: &str, heard: impl FnMut(Event) + 'static) {
    let listener = Closure::<dyn FnMut(Event)>::new(heard);
    let _ = target.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
    listener.forget();
}

/// Before anybody inside has heard of it: for events that do not rise.
pub(super) fn on_capture(target: &EventTarget, name: &str, heard: impl FnMut(Event) + 'static) {
    let listener = Closure::<dyn FnMut(Event)>::new(heard);
    let _ = target.add_event_listener_with_callback_and_bool(name, listener.as_ref().unchecked_ref(), true);
    listener.forget();
}

/// Where something is looked for.
pub(super) trait Root {
    fn find(&self, selector: &str) -> Option<Element>;
    fn find_all(&self, selector: &str) -> Option<NodeList>;
}

impl Root for Document {
    fn find(&self, selector: &str) -> Option<Element> {
        self.query_selector(selector).ok()?
    }

    fn find_all(&self, selector: &str) -> Option<NodeList> {
        self.query_selector_all(selector).ok()
    }
}

impl Root for HtmlElement {
    fn find(&self, selector: &str) -> Option<Element> {
        self.query_selector(selector).ok()?
    }

    fn find_all(&self, selector: &str) -> Option<NodeList> {
        self.query_selector_all(selector).ok()
    }
}

/// What of this kind is under `root`, in the order of the page.
pub(super) fn all<T: JsCast>(root: &impl Root, selector: &str) -> Vec<T> {
    let Some(found) = root.find_all(selector) else { return Vec::new() };
    (0..found.length()).filter_map(|i| found.get(i)?.dyn_into().ok()).collect()
}

pub(super) fn first<T: JsCast>(root: &impl Root, selector: &str) -> Option<T> {
    root.find(selector)?.dyn_into().ok()
}

/// What an event happened in.
pub(super) fn around(event: &Event, selector: &str) -> Option<HtmlElement> {
    let target = event.target()?.dyn_into::<Element>().ok()?;
    target.closest(selector).ok()??.dyn_into().ok()
}

/// Something is being pressed that moves with the page: what moves it now takes it away from under the hand.
pub(super) fn pressing() -> bool {
    const PRESSED: &str =
        "button:active, a:active, label:active, input[type=radio]:active, input[type=checkbox]:active";
    document().and_then(|d| first::<Element>(&d, PRESSED)).is_some()
}

/// A new element with a class and a text.
pub(super) fn make(name: &str, class: &str, text: &str) -> Option<HtmlElement> {
    let element: HtmlElement = document()?.create_element(name).ok()?.dyn_into().ok()?;
    element.set_class_name(class);
    element.set_text_content(Some(text));
    Some(element)
}
