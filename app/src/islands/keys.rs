//! Keeps a pasted private key from being sent: it is taken out at once, and said. Other faults of a line are told when the
//! field is left.

use leptos::prelude::*;

use super::HintText;

#[island]
pub fn SshKeys(texts: Vec<HintText>) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        let _ = browser::attach(texts.clone());
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = texts;
    view! { <span hidden=true></span> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use domain::{
        field::{Code, Field, FieldError},
        keys::{check_keys, private_key_line, without_private_keys},
    };
    use web_sys::HtmlTextAreaElement;

    use super::HintText;
    use crate::islands::{dom, hints::show};

    pub(super) fn attach(texts: Vec<HintText>) -> Option<()> {
        let document = dom::document()?;
        let area: HtmlTextAreaElement = dom::first(&document, "#ssh_keys")?;
        let (typed, leaving) = (area.clone(), area.clone());
        let said = texts.clone();
        dom::on(&area, "input", move |_| {
            let value = typed.value();
            let Some(line) = private_key_line(&value) else { return };
            typed.set_value(&without_private_keys(&value));
            let error = FieldError::new(Field::SshKeys, Code::KeyPrivate).with("line", line);
            show(Field::SshKeys, &typed, &[error], &said);
        });
        dom::on(&area, "blur", move |_| {
            let errors = check_keys(&leaving.value()).err().unwrap_or_default();
            // A private key was told when it was pasted, and is not there any more: that stays until something is typed.
            if !leaving.value().trim().is_empty() && !dom::pressing() {
                show(Field::SshKeys, &leaving, &errors, &texts);
            }
        });
        Some(())
    }
}
