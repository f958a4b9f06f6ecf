//! Comfort for passwords: showing what was typed, making a strong one, and the rules that hold so far.
//!
//! Which rules there are stands on the page anyway (`[data-rule]`), and each is held against the password by the server.
//! What is made here comes from the browser's own source of randomness and is sent like one that was typed.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordTexts {
    pub show: String,
    pub hide: String,
    /// Nothing where none may be made.
    pub generate: String,
    /// For a screen reader: the rule holds.
    pub holds: String,
}

/// `windows` says which rules a guest's password is held against.
#[island]
pub fn PasswordField(windows: bool, texts: PasswordTexts) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        let _ = browser::attach(windows, &texts);
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = (windows, texts);
    view! { <span hidden=true></span> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use domain::{
        access::{GENERATED_ALPHABET, GENERATED_LENGTH, check_password},
        catalogue::Family,
        field::Code,
    };
    use web_sys::{Document, Event, HtmlElement, HtmlInputElement};

    use super::PasswordTexts;
    use crate::islands::dom;

    pub(super) fn attach(windows: bool, texts: &PasswordTexts) -> Option<()> {
        let document = dom::document()?;
        for input in dom::all::<HtmlInputElement>(&document, "input[type=password]") {
            let tools: Option<HtmlElement> = dom::first(&document, &format!("[data-tools={}]", input.id()));
            let Some(tools) = tools else { continue };
            show_button(&tools, &input, texts);
            if !texts.generate.is_empty() && input.id() == "guest_password" {
                generate_button(&tools, &input, texts);
                let family = if windows { Family::Windows } else { Family::Linux };
                follow(&document, &input, family, texts.holds.clone());
            }
        }
        Some(())
    }

    fn button(tools: &HtmlElement, text: &str) -> Option<HtmlElement> {
        let button = dom::make("button", "button quiet small", text)?;
        button.set_attribute("type", "button").ok()?;
        tools.append_child(&button).ok()?;
        Some(button)
    }

    fn show_button(tools: &HtmlElement, input: &HtmlInputElement, texts: &PasswordTexts) -> Option<()> {
        let button = button(tools, &texts.show)?;
        let _ = button.set_attribute("aria-controls", &input.id());
        let (pressed, input, texts) = (button.clone(), input.clone(), texts.clone());
        dom::on(&button, "click", move |_| {
            let hidden = input.type_() == "password";
            input.set_type(if hidden { "text" } else { "password" });
            pressed.set_text_content(Some(if hidden { &texts.hide } else { &texts.show }));
        });
        Some(())
    }

    fn generate_button(tools: &HtmlElement, input: &HtmlInputElement, texts: &PasswordTexts) -> Option<()> {
        let button = button(tools, &texts.generate)?;
        let input = input.clone();
        dom::on(&button, "click", move |_| {
            let Some(password) = generated() else { return };
            input.set_type("text");
            input.set_value(&password);
            if let Ok(changed) = Event::new("input") {
                let _ = input.dispatch_event(&changed);
            }
        });
        Some(())
    }

    /// Letters drawn evenly: bytes beyond a whole number of alphabets are drawn again.
    fn generated() -> Option<String> {
        let crypto = dom::window()?.crypto().ok()?;
        let alphabet: Vec<char> = GENERATED_ALPHABET.chars().collect();
        let even = 256 / alphabet.len() * alphabet.len();
        let mut password = String::new();
        while password.len() < GENERATED_LENGTH {
            let mut byte = [0_u8; 1];
            crypto.get_random_values_with_u8_array(&mut byte).ok()?;
            if usize::from(byte[0]) < even {
                password.push(alphabet[usize::from(byte[0]) % alphabet.len()]);
            }
        }
        Some(password)
    }

    /// Ticks the rules that hold, and takes a password that is typed for one's own.
    fn follow(document: &Document, input: &HtmlInputElement, family: Family, holds: String) {
        let (document, typed) = (document.clone(), input.clone());
        let tick = move || {
            let value = |id: &str| {
                let found: Option<HtmlInputElement> = dom::first(&document, &format!("#{id}"));
                found.map(|i| i.value().trim().to_owned()).unwrap_or_default()
            };
            let password = typed.value();
            let errors = check_password(&password, &value("guest_login"), &value("hostname"), family);
            let broken = |code: &Code| errors.iter().any(|e| e.code == *code);
            for line in dom::all::<HtmlElement>(&document, "[data-rule]") {
                let rule = line.get_attribute("data-rule").unwrap_or_default();
                let codes = rule.split(' ').filter_map(|code| code.parse::<Code>().ok());
                let holding = !password.is_empty() && !codes.into_iter().any(|code| broken(&code));
                let _ = line.class_list().toggle_with_force("holds", holding);
                if let Some(said) = dom::first::<HtmlElement>(&line, ".sr-only") {
                    said.set_text_content(Some(if holding { &holds } else { "" }));
                }
            }
            if !password.is_empty()
                && let Some(own) = dom::first::<HtmlInputElement>(&document, "#password-own")
            {
                own.set_checked(true);
            }
        };
        tick();
        dom::on(input, "input", move |_| tick());
    }
}
