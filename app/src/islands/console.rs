//! A server's screen and keyboard. The picture is drawn by a library (noVNC), which this page alone loads; here are the
//! connection, its state in words, and the buttons.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleTexts {
    pub opening: String,
    pub open: String,
    pub lost: String,
    pub three_keys: String,
    pub full_screen: String,
    pub reconnect: String,
    /// How the keyboard gets out again.
    pub leave: String,
    /// What it is the screen of.
    pub screen: String,
}

/// `socket` is the path that the screen comes by. `#console-plain`, what to do without, is on the page.
#[island]
pub fn Console(socket: String, texts: ConsoleTexts) -> impl IntoView {
    let leave = texts.leave.clone();
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        let _ = browser::attach(&socket, &texts);
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = (socket, texts);
    view! {
        <div id="console">
            <div class="buttons"></div>
            // Here from the start: as a text that comes with the picture it would move that, and be the page's largest paint.
            <p class="dim" id="console-leave">{leave}</p>
            <p role="status" class="dim"></p>
            <div class="console-screen"></div>
        </div>
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::{
        cell::{Cell, RefCell},
        rc::Rc,
    };

    use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
    use web_sys::{EventTarget, HtmlElement, KeyboardEvent};

    use super::ConsoleTexts;
    use crate::islands::dom;

    #[wasm_bindgen]
    extern "C" {
        /// The library's class, as its module leaves it on the window.
        #[wasm_bindgen(extends = EventTarget)]
        type SlipwayScreen;
        #[wasm_bindgen(constructor, catch)]
        fn new(target: &HtmlElement, url: &str, options: &JsValue) -> Result<SlipwayScreen, JsValue>;
        #[wasm_bindgen(method, setter, js_name = scaleViewport)]
        fn set_scale_viewport(this: &SlipwayScreen, scale: bool);
        #[wasm_bindgen(method, setter)]
        fn set_background(this: &SlipwayScreen, colour: &str);
        #[wasm_bindgen(method)]
        fn focus(this: &SlipwayScreen);
        #[wasm_bindgen(method)]
        fn disconnect(this: &SlipwayScreen);
        #[wasm_bindgen(method, js_name = sendCtrlAltDel)]
        fn send_ctrl_alt_del(this: &SlipwayScreen);
        #[wasm_bindgen(method, js_name = sendKey)]
        fn send_key(this: &SlipwayScreen, keysym: u32, code: &str, down: bool);
    }

    /// The module that brings the class, and then says so to the window.
    const LIBRARY: &str = "/pkg/screen.js";
    const SHIFT: u32 = 0xffe1;

    #[derive(Clone)]
    struct Parts {
        url: String,
        texts: ConsoleTexts,
        status: HtmlElement,
        target: HtmlElement,
        plain: Option<HtmlElement>,
        screen: Rc<RefCell<Option<SlipwayScreen>>>,
        /// How many were opened: one that was given up for another is not listened to.
        opened: Rc<Cell<u32>>,
    }

    pub(super) fn attach(socket: &str, texts: &ConsoleTexts) -> Option<()> {
        let (window, document) = (dom::window()?, dom::document()?);
        let location = window.location();
        let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
        let around: HtmlElement = dom::first(&document, "#console")?;
        let parts = Parts {
            url: format!("{scheme}://{}{socket}", location.host().ok()?),
            texts: texts.clone(),
            status: dom::first(&around, "[role=status]")?,
            target: dom::first(&around, ".console-screen")?,
            plain: dom::first(&document, "#console-plain"),
            screen: Rc::default(),
            opened: Rc::default(),
        };
        parts.target.set_attribute("role", "group").ok()?;
        parts.target.set_attribute("aria-label", &texts.screen).ok()?;
        parts.target.set_attribute("aria-describedby", "console-leave").ok()?;
        buttons(&around, &parts)?;
        leave_by_keys(&around, &parts);
        // The library is asked for here, and so after the page has been painted.
        parts.say(&texts.opening);
        let library = document.create_element("script").ok()?;
        let without = parts.clone();
        dom::on(&library, "error", move |_| without.lost());
        dom::on(&window, "slipway-screen", move |_| parts.connect());
        library.set_attribute("type", "module").ok()?;
        library.set_attribute("src", LIBRARY).ok()?;
        document.body()?.append_child(&library).ok()?;
        Some(())
    }

    impl Parts {
        fn say(&self, text: &str) {
            self.status.set_text_content(Some(text));
        }

        fn connect(&self) {
            if let Some(before) = self.screen.borrow_mut().take() {
                before.disconnect();
            }
            self.target.set_text_content(None);
            self.say(&self.texts.opening);
            let options = js_sys::Object::new();
            let _ =
                js_sys::Reflect::set(&options, &"wsProtocols".into(), &js_sys::Array::of1(&"binary".into()));
            let Ok(screen) = SlipwayScreen::new(&self.target, &self.url, &options) else {
                self.say(&self.texts.lost);
                return;
            };
            screen.set_scale_viewport(true);
            screen.set_background("transparent");
            let number = self.opened.get() + 1;
            self.opened.set(number);
            let parts = self.clone();
            dom::on(&screen, "connect", move |_| parts.open());
            let parts = self.clone();
            dom::on(&screen, "disconnect", move |_| {
                if parts.opened.get() == number {
                    parts.lost();
                }
            });
            *self.screen.borrow_mut() = Some(screen);
        }

        fn open(&self) {
            self.say(&self.texts.open);
            if let Some(plain) = &self.plain {
                plain.set_hidden(true);
            }
            self.focus();
        }

        fn lost(&self) {
            self.screen.borrow_mut().take();
            self.say(&self.texts.lost);
            if let Some(plain) = &self.plain {
                plain.set_hidden(false);
            }
        }

        fn focus(&self) {
            if let Some(screen) = self.screen.borrow().as_ref() {
                screen.focus();
            }
        }
    }

    fn buttons(around: &HtmlElement, parts: &Parts) -> Option<()> {
        let tools: HtmlElement = dom::first(around, ".buttons")?;
        let add = |text: &str, pressed: Box<dyn Fn(&Parts)>| {
            let button = dom::make("button", "button secondary", text)?;
            button.set_attribute("type", "button").ok()?;
            tools.append_child(&button).ok()?;
            let parts = parts.clone();
            dom::on(&button, "click", move |_| pressed(&parts));
            Some(())
        };
        add(
            &parts.texts.three_keys,
            Box::new(|parts| {
                if let Some(screen) = parts.screen.borrow().as_ref() {
                    screen.send_ctrl_alt_del();
                }
                parts.focus();
            }),
        )?;
        add(
            &parts.texts.full_screen,
            Box::new(|parts| {
                let _ = parts.target.request_fullscreen();
                parts.focus();
            }),
        )?;
        add(&parts.texts.reconnect, Box::new(Parts::connect))
    }

    /// The screen takes every key, Tab too. Shift+Escape is ours, and leads back to the buttons.
    fn leave_by_keys(around: &HtmlElement, parts: &Parts) {
        let (parts, tools) = (parts.clone(), around.clone());
        dom::on_capture(&parts.target.clone(), "keydown", move |event| {
            let Some(key) = event.dyn_ref::<KeyboardEvent>() else { return };
            if !(key.shift_key() && key.key() == "Escape") {
                return;
            }
            event.stop_propagation();
            event.prevent_default();
            if let Some(screen) = parts.screen.borrow().as_ref() {
                screen.send_key(SHIFT, "ShiftLeft", false);
            }
            if let Some(button) = dom::first::<HtmlElement>(&tools, "button") {
                let _ = button.focus();
            }
        });
    }
}
