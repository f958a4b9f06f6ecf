//! Hints while the access step is filled in: the same rules as on the server, shown when a field is left, gone as
//! soon as it is right.

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
    Effect::new(move |_| browser::attach(windows, &texts));
    #[cfg(not(feature = "hydrate"))]
    let _ = (windows, texts);
    view! { <span hidden=true></span> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::rc::Rc;

    use domain::{
        access::check_login,
        catalogue::Family,
        field::{Field, FieldError},
        hostname::{check_hostname, check_name},
    };
    use wasm_bindgen::{JsCast, closure::Closure};
    use web_sys::{Document, HtmlInputElement};

    use super::HintText;

    pub(super) fn attach(windows: bool, texts: &[HintText]) {
        let Some(document) = web_sys::window().and_then(|w| w.document()) else { return };
        let family = if windows { Family::Windows } else { Family::Linux };
        let texts: Rc<[HintText]> = texts.into();
        for field in [Field::Name, Field::Hostname, Field::GuestLogin] {
            let Some(input) = input(&document, field) else { continue };
            let (texts, document, shown) = (texts.clone(), document.clone(), input.clone());
            let check = move |leaving: bool| {
                let errors = check(&document, field, family, &shown.value());
                // While typing an error only disappears; it appears when the field is left.
                if leaving || errors.is_empty() {
                    show(&document, field, &shown, &errors, &texts);
                }
            };
            let check = Rc::new(check);
            let on_blur = check.clone();
            let blur = Closure::<dyn FnMut()>::new(move || on_blur(true));
            let _ = input.add_event_listener_with_callback("blur", blur.as_ref().unchecked_ref());
            blur.forget();
            let typing = Closure::<dyn FnMut()>::new(move || check(false));
            let _ = input.add_event_listener_with_callback("input", typing.as_ref().unchecked_ref());
            typing.forget();
        }
    }

    fn input(document: &Document, field: Field) -> Option<HtmlInputElement> {
        document.get_element_by_id(field.as_str())?.dyn_into().ok()
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

    fn show(
        document: &Document,
        field: Field,
        input: &HtmlInputElement,
        errors: &[FieldError],
        texts: &[HintText],
    ) {
        let Ok(Some(place)) = document.query_selector(&format!("[data-hint=\"{field}\"]")) else { return };
        place.set_text_content(None);
        for error in errors {
            let Some(known) = texts.iter().find(|t| t.code == error.code.as_str()) else { continue };
            let mut text = known.text.clone();
            for (name, value) in &error.params {
                text = text.replace(&format!("{{{name}}}"), value);
            }
            if let Ok(line) = document.create_element("p") {
                line.set_text_content(Some(&text));
                let _ = place.append_child(&line);
            }
        }
        if errors.is_empty() {
            let _ = input.remove_attribute("aria-invalid");
        } else {
            let _ = input.set_attribute("aria-invalid", "true");
            let hint = format!("{field}-hint {field}-errors");
            let _ = input.set_attribute("aria-describedby", &hint);
        }
    }
}
