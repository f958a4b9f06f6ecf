//! The stream of a page, and what becomes of it when nobody looks or nothing comes through.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use js_sys::{Array, JSON, Reflect};
use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Document, Element, Event, EventSource, MessageEvent, RequestInit, Response, VisibilityState};

use super::{LiveTexts, toasts};
use crate::islands::dom;

/// A hidden page keeps its stream this long.
const HIDDEN: Duration = Duration::from_secs(60);
/// So many attempts fail before the values are asked for.
const ATTEMPTS: u32 = 3;
/// How often they are asked for while something on the page is in transition, and else.
const ASK: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(30));
/// How often the stream is tried again meanwhile.
const RETRY: Duration = Duration::from_secs(60);

struct Page {
    url: String,
    /// The version that the page contains.
    since: String,
    moving: bool,
    texts: LiveTexts,
    chip: WriteSignal<String>,
    source: Option<EventSource>,
    /// Attempts that failed since the stream was last open.
    failed: u32,
    /// What waits until its region is left, by key.
    pending: BTreeMap<String, String>,
    /// The server said that there is nothing more to come.
    over: bool,
    leaving: Option<TimeoutHandle>,
    asking: Option<IntervalHandle>,
}

type Shared = Rc<RefCell<Page>>;

pub(super) fn start(url: &str, since: i64, moving: bool, texts: &LiveTexts, chip: WriteSignal<String>) {
    let Some(document) = dom::document() else { return };
    set_interval(tick, Duration::from_secs(1));
    let page = Rc::new(RefCell::new(Page {
        url: url.to_owned(),
        since: since.to_string(),
        moving,
        texts: texts.clone(),
        chip,
        source: None,
        failed: 0,
        pending: BTreeMap::new(),
        over: false,
        leaving: None,
        asking: None,
    }));
    open(&page);
    let left = page.clone();
    // After the focus or the menu has gone where it goes.
    let flush = move |_: Event| {
        let left = left.clone();
        set_timeout(move || left.borrow_mut().flush(), Duration::ZERO);
    };
    dom::on(&document, "focusout", flush.clone());
    dom::on_capture(&document, "toggle", flush);
    let seen = page.clone();
    let watched = document.clone();
    dom::on(&document, "visibilitychange", move |_| {
        if watched.visibility_state() == VisibilityState::Hidden {
            let hidden = seen.clone();
            seen.borrow_mut().leaving =
                set_timeout_with_handle(move || hidden.borrow_mut().close(), HIDDEN).ok();
            return;
        }
        let leaving = seen.borrow_mut().leaving.take();
        if let Some(leaving) = leaving {
            leaving.clear();
        }
        let closed = seen.borrow().source.is_none() && !seen.borrow().over;
        if closed {
            open(&seen);
        }
    });
}

fn open(page: &Shared) {
    page.borrow_mut().close();
    let address = page.borrow().address();
    let Ok(source) = EventSource::new(&address) else { return };
    let opened = page.clone();
    dom::on(&source, "open", move |_| opened.borrow_mut().fresh());
    let (failed, failing) = (page.clone(), source.clone());
    dom::on(&source, "error", move |_| {
        let gone = failing.ready_state() == EventSource::CLOSED;
        if failed.borrow_mut().failing(gone) {
            ask_instead(&failed);
        }
    });
    for name in ["patch", "snapshot"] {
        let patched = page.clone();
        dom::on(&source, name, move |event| {
            let Some(event) = event.dyn_ref::<MessageEvent>() else { return };
            if let Some(data) = event.data().as_string() {
                let _ = patched.borrow_mut().apply(&data);
            }
            patched.borrow_mut().since = event.last_event_id();
        });
    }
    dom::on(&source, "toast", move |event| {
        let html = event.dyn_ref::<MessageEvent>().and_then(|e| e.data().as_string());
        let _ = html.and_then(|html| toasts::show(&html));
    });
    let ended = page.clone();
    dom::on(&source, "bye", move |event| {
        let why = event.dyn_ref::<MessageEvent>().and_then(|e| e.data().as_string());
        let mut page = ended.borrow_mut();
        page.over = true;
        page.close();
        show_age(true);
        let signed_out = why.as_deref() == Some("signed_out");
        let text = if signed_out { &page.texts.signed_out } else { &page.texts.gone };
        page.chip.set(format!("▲ {text}"));
    });
    page.borrow_mut().source = Some(source);
}

/// The values are asked for, and now and then the stream.
fn ask_instead(page: &Shared) {
    page.borrow_mut().close();
    let every = if page.borrow().moving { ASK.0 } else { ASK.1 };
    let asked = page.clone();
    let asking = set_interval_with_handle(
        move || {
            let asked = asked.clone();
            spawn_local(async move {
                let address = asked.borrow().address();
                if let Some(data) = snapshot(&address).await {
                    let _ = asked.borrow_mut().apply(&data);
                    asked.borrow().chip.set(format!("○ {}", now()));
                }
            });
        },
        every,
    );
    page.borrow_mut().asking = asking.ok();
    let again = page.clone();
    set_timeout(
        move || {
            // Not where the page was hidden meanwhile, or is being streamed to again.
            let asking = again.borrow().asking.is_some();
            if asking {
                open(&again);
            }
        },
        RETRY,
    );
}

async fn snapshot(address: &str) -> Option<String> {
    let wish = RequestInit::new();
    let headers = web_sys::Headers::new().ok()?;
    headers.set("accept", "application/json").ok()?;
    wish.set_headers(&headers);
    let answer = dom::window()?.fetch_with_str_and_init(address, &wish);
    let response: Response = JsFuture::from(answer).await.ok()?.dyn_into().ok()?;
    if !response.ok() {
        return None;
    }
    JsFuture::from(response.text().ok()?).await.ok()?.as_string()
}

impl Page {
    fn address(&self) -> String {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        format!("{}{separator}since={}", self.url, self.since)
    }

    fn close(&mut self) {
        if let Some(source) = self.source.take() {
            source.close();
        }
        if let Some(asking) = self.asking.take() {
            asking.clear();
        }
    }

    fn fresh(&mut self) {
        self.failed = 0;
        show_age(false);
        self.chip.set(format!("● {}", self.texts.on));
    }

    /// Says so; true where the values are to be asked for instead.
    fn failing(&mut self, gone: bool) -> bool {
        self.failed += 1;
        show_age(true);
        self.chip.set(if gone {
            format!("▲ {}", self.texts.off)
        } else {
            format!("○ {}", self.texts.reconnecting.replace("{0}", &now()))
        });
        gone || self.failed >= ATTEMPTS
    }

    /// `{"values": [[key, html], …], "title": "…", "say": "…", "urgent": true}`
    fn apply(&mut self, data: &str) -> Result<(), JsValue> {
        let Some(document) = dom::document() else { return Ok(()) };
        let message = JSON::parse(data)?;
        let text = |name: &str| Reflect::get(&message, &name.into()).ok().and_then(|v| v.as_string());
        for pair in Array::from(&Reflect::get(&message, &"values".into())?).iter() {
            let pair = Array::from(&pair);
            if let (Some(key), Some(html)) = (pair.get(0).as_string(), pair.get(1).as_string()) {
                self.pending.insert(key, html);
            }
        }
        self.flush();
        if let Some(title) = text("title") {
            document.set_title(&title);
        }
        let urgent = Reflect::get(&message, &"urgent".into()).is_ok_and(|v| v.is_truthy());
        let region = document.get_element_by_id(if urgent { "alert" } else { "say" });
        if let (Some(say), Some(region)) = (text("say"), region) {
            region.set_text_content(Some(&say));
        }
        Ok(())
    }

    /// Writes what waits for regions that nobody is in.
    fn flush(&mut self) {
        let Some(document) = dom::document() else { return };
        self.pending.retain(|key, html| {
            let Some(region) = dom::first::<Element>(&document, &format!("[data-live=\"{key}\"]")) else {
                return false;
            };
            let used = in_use(&document, &region);
            if !used {
                region.set_inner_html(html);
            }
            used
        });
    }
}

fn in_use(document: &Document, region: &Element) -> bool {
    let focused = document.active_element().is_some_and(|a| region.contains(Some(&a)));
    focused || region.query_selector("details[open]").ok().flatten().is_some()
}

/// Durations that are still growing show their next second.
fn tick() {
    let Some(document) = dom::document() else { return };
    for element in dom::all::<Element>(&document, "[data-tick]") {
        let seconds = element.get_attribute("data-tick").and_then(|t| t.parse::<u32>().ok()).unwrap_or(0) + 1;
        let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let text = if h > 0 { format!("{h}:{m:02}:{s:02}") } else { format!("{m:02}:{s:02}") };
        let _ = element.set_attribute("data-tick", &seconds.to_string());
        element.set_text_content(Some(&text));
    }
}

fn now() -> String {
    js_sys::Date::new_0().to_locale_time_string("default").into()
}

/// The age of the data matters only while nothing keeps it fresh.
fn show_age(shown: bool) {
    let Some(document) = dom::document() else { return };
    for element in dom::all::<Element>(&document, ".live-age") {
        let _ = element.toggle_attribute_with_force("hidden", !shown);
    }
}
