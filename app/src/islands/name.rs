//! Tells, while the name is typed that confirms a loss, whether it is the name. The server decides.

use leptos::prelude::*;

#[island]
pub fn TypeName(name: String, matches: String, differs: String) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        let _ = browser::attach(name.clone(), matches.clone(), differs.clone());
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = (name, matches, differs);
    view! { <span hidden=true></span> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use web_sys::{HtmlElement, HtmlInputElement};

    use crate::islands::dom;

    pub(super) fn attach(name: String, matches: String, differs: String) -> Option<()> {
        let document = dom::document()?;
        let input: HtmlInputElement = dom::first(&document, "#confirm_name")?;
        let place: HtmlElement = dom::first(&document, "#confirm_name-typed")?;
        let wanted = name.trim().to_lowercase();
        let typing = input.clone();
        let tell = move || {
            let typed = typing.value();
            let text = match typed.trim() {
                "" => "",
                typed if typed.to_lowercase() == wanted => &matches,
                _ => &differs,
            };
            place.set_text_content(Some(text));
        };
        tell();
        dom::on(&input, "input", move |_| tell());
        Some(())
    }
}
