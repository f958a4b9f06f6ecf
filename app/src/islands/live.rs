//! Keeps a page fresh: takes patches from the page's stream and puts them into the regions they name.
//!
//! Values arrive rendered and in the reader's language. A region that holds the focus is left alone until the focus
//! has gone.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveTexts {
    pub on: String,
    /// With `{0}` for the time.
    pub reconnecting: String,
    pub off: String,
    pub signed_out: String,
}

#[island]
pub fn Live(url: String, since: i64, texts: LiveTexts) -> impl IntoView {
    let (state, set_state) = signal(String::new());
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| browser::open(&url, since, texts.clone(), set_state));
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = (url, since, texts, set_state);
    }
    view! { <span class="live-chip" role="status">{move || state.get()}</span> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::time::Duration;

    use js_sys::{Array, JSON, Reflect};
    use leptos::prelude::*;
    use wasm_bindgen::{JsCast, JsValue, closure::Closure};
    use web_sys::{Document, Element, EventSource, MessageEvent};

    use super::LiveTexts;

    pub(super) fn open(url: &str, since: i64, texts: LiveTexts, set_state: WriteSignal<String>) {
        set_interval(tick, Duration::from_secs(1));
        let separator = if url.contains('?') { '&' } else { '?' };
        let Ok(source) = EventSource::new(&format!("{url}{separator}since={since}")) else { return };

        let on = format!("● {}", texts.on);
        let opened = Closure::<dyn FnMut()>::new(move || {
            set_state.set(on.clone());
            show_age(false);
        });
        source.set_onopen(Some(opened.as_ref().unchecked_ref()));
        opened.forget();

        let (reconnecting, off) = (texts.reconnecting.clone(), texts.off.clone());
        let failing = source.clone();
        let failed = Closure::<dyn FnMut()>::new(move || {
            show_age(true);
            let text = if failing.ready_state() == EventSource::CLOSED {
                format!("▲ {off}")
            } else {
                format!("○ {}", reconnecting.replace("{0}", &now()))
            };
            set_state.set(text);
        });
        source.set_onerror(Some(failed.as_ref().unchecked_ref()));
        failed.forget();

        let patched = Closure::<dyn FnMut(MessageEvent)>::new(|event: MessageEvent| {
            if let Some(data) = event.data().as_string() {
                let _ = apply(&data);
            }
        });
        for name in ["patch", "snapshot"] {
            let _ = source.add_event_listener_with_callback(name, patched.as_ref().unchecked_ref());
        }
        patched.forget();

        let ending = source.clone();
        let ended = Closure::<dyn FnMut(MessageEvent)>::new(move |_| {
            ending.close();
            show_age(true);
            set_state.set(format!("▲ {}", texts.signed_out));
        });
        let _ = source.add_event_listener_with_callback("bye", ended.as_ref().unchecked_ref());
        ended.forget();
    }

    /// Durations that are still growing show their next second.
    fn tick() {
        let Some(found) = document().and_then(|d| d.query_selector_all("[data-tick]").ok()) else { return };
        for i in 0..found.length() {
            let Some(element) = found.get(i).and_then(|n| n.dyn_into::<Element>().ok()) else { continue };
            let seconds =
                element.get_attribute("data-tick").and_then(|t| t.parse::<u32>().ok()).unwrap_or(0) + 1;
            let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
            let text = if h > 0 { format!("{h}:{m:02}:{s:02}") } else { format!("{m:02}:{s:02}") };
            let _ = element.set_attribute("data-tick", &seconds.to_string());
            element.set_text_content(Some(&text));
        }
    }

    fn document() -> Option<Document> {
        web_sys::window()?.document()
    }

    fn now() -> String {
        js_sys::Date::new_0().to_locale_time_string("default").into()
    }

    /// The age of the data matters only while nothing keeps it fresh.
    fn show_age(shown: bool) {
        let Some(found) = document().and_then(|d| d.query_selector_all(".live-age").ok()) else { return };
        for i in 0..found.length() {
            if let Some(element) = found.get(i).and_then(|n| n.dyn_into::<Element>().ok()) {
                let _ = element.toggle_attribute_with_force("hidden", !shown);
            }
        }
    }

    /// `{"values": [[key, html], …], "title": "…", "say": "…"}`
    fn apply(data: &str) -> Result<(), JsValue> {
        let Some(document) = document() else { return Ok(()) };
        let message = JSON::parse(data)?;
        let text = |name: &str| Reflect::get(&message, &name.into()).ok().and_then(|v| v.as_string());
        for pair in Array::from(&Reflect::get(&message, &"values".into())?).iter() {
            let pair = Array::from(&pair);
            let (Some(key), Some(html)) = (pair.get(0).as_string(), pair.get(1).as_string()) else {
                continue;
            };
            let Some(region) = document.query_selector(&format!("[data-live=\"{key}\"]"))? else { continue };
            put(&document, &region, &html);
        }
        if let Some(title) = text("title") {
            document.set_title(&title);
        }
        if let (Some(say), Some(region)) = (text("say"), document.get_element_by_id("say")) {
            region.set_text_content(Some(&say));
        }
        Ok(())
    }

    fn put(document: &Document, region: &Element, html: &str) {
        let focused = document.active_element().is_some_and(|a| region.contains(Some(&a)));
        if !focused {
            region.set_inner_html(html);
            return;
        }
        let (region_later, html) = (region.clone(), html.to_owned());
        let left = Closure::once_into_js(move || region_later.set_inner_html(&html));
        let options = web_sys::AddEventListenerOptions::new();
        options.set_once(true);
        let _ = region.add_event_listener_with_callback_and_add_event_listener_options(
            "focusout",
            left.unchecked_ref(),
            &options,
        );
    }
}
