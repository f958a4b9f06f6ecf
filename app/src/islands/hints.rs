//! Hints while the access step is filled in: the same rules as on the server, shown when a field is left, gone as
//! soon as it is right. Where it is left by pressing something, the press is over before anything moves.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// The sentence of one code, with `{name}` for each parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HintText {
    pub code: String,
    pub text: String,
}

#[island]
pub fn TextHints(windows: bool, texts: Vec<HintText>) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        let _ = browser::attach(windows, &texts);
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = (windows, texts);
    view! { <span hidden=true></span> }
}

#[cfg(feature = "hydrate")]
pub(super) use browser::show;

#[cfg(feature = "hydrate")]
mod browser {
    use std::{cell::Cell, rc::Rc};

    use domain::{
        access::check_login,
        catalogue::Family,
        field::{Field, FieldError},
        hostname::{check_hostname, check_name},
    };
    use web_sys::{Document, Element, HtmlInputElement};

    use super::HintText;
    use crate::islands::dom;

    pub(super) fn attach(windows: bool, texts: &[HintText]) -> Option<()> {
        let document = dom::document()?;
        let family = if windows { Family::Windows } else { Family::Linux };
        let texts: Rc<[HintText]> = texts.into();
        for field in [Field::Name, Field::Hostname, Field::GuestLogin] {
            let Some(input) = input(&document, field) else { continue };
            let (texts, page, shown) = (texts.clone(), document.clone(), input.clone());
            let check = Rc::new(move |leaving: bool| {
                let errors = check(&page, field, family, &shown.value());
                // While typing an error only disappears; it appears when the field is left.
                if leaving || errors.is_empty() {
                    show(field, &shown, &errors, &texts);
                }
            });
            // What was typed before this was here.
            if input.value() != input.default_value() {
                check(false);
            }
            let left = Rc::new(Cell::new(false));
            let (on_blur, leaves) = (check.clone(), left.clone());
            dom::on(&input, "blur", move |_| {
                if dom::pressing() {
                    leaves.set(true);
                } else {
                    on_blur(true);
                }
            });
            let on_click = check.clone();
            dom::on(&document, "click", move |_| {
                if left.take() {
                    on_click(true);
                }
            });
            dom::on(&input, "input", move |_| check(false));
        }
        Some(())
    }

    fn input(document: &Document, field: Field) -> Option<HtmlInputElement> {
        dom::first(document, &format!("#{field}"))
    }

    fn check(document: &Document, field: Field, family: Family, value: &str) -> Vec<FieldError> {
        match field {
            Field::Name => check_name(value).err().into_iter().collect(),
            Field::Hostname => check_hostname(value, family).err().unwrap_or_default(),
            _ => {
                let hostname = input(document, Field::Hostname).map(|i| i.value()).unwrap_or_default();
                check_login(value, family, hostname.trim()).err().into_iter().collect()
            }
        }
    }

    /// Writes what is wrong under a field, or nothing.
    pub(in crate::islands) fn show(
        field: Field,
        control: &Element,
        errors: &[FieldError],
        texts: &[HintText],
    ) {
        let Some(document) = dom::document() else { return };
        let Some(place) = dom::first::<Element>(&document, &format!("[data-hint={field}]")) else { return };
        place.set_text_content(None);
        for error in errors {
            let Some(known) = texts.iter().find(|t| t.code == error.code.as_str()) else { continue };
            let mut text = known.text.clone();
            for (name, value) in &error.params {
                text = text.replace(&format!("{{{name}}}"), value);
            }
            if let Some(line) = dom::make("p", "", &text) {
                let _ = place.append_child(&line);
            }
        }
        if errors.is_empty() {
            let _ = control.remove_attribute("aria-invalid");
        } else {
            let _ = control.set_attribute("aria-invalid", "true");
            let _ = control.set_attribute("aria-describedby", &format!("{field}-hint {field}-errors"));
        }
    }
}
