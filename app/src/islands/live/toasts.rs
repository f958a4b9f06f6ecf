//! Short notices of what has ended elsewhere: at most three; those that tell of a success go by themselves, unless they are
//! looked at.

use std::time::Duration;

use leptos::prelude::set_timeout;
use web_sys::{Element, HtmlElement};

use crate::islands::dom;

const MOST: usize = 3;
const STAYS: Duration = Duration::from_secs(6);

/// `html` is one notice, `.toast`, as the server has rendered it.
pub(super) fn show(html: &str) -> Option<()> {
    let document = dom::document()?;
    let place: HtmlElement = dom::first(&document, "#toasts")?;
    let toast = dom::make("div", "", "")?;
    toast.set_inner_html(html);
    place.append_child(&toast).ok()?;
    let all: Vec<Element> = dom::all(&place, "#toasts > div");
    for old in all.iter().take(all.len().saturating_sub(MOST)) {
        old.remove();
    }
    let closed = toast.clone();
    if let Some(button) = dom::first::<HtmlElement>(&toast, "button") {
        dom::on(&button, "click", move |_| closed.remove());
    }
    if dom::first::<Element>(&toast, ".bad").is_none() {
        leave(toast);
    }
    Some(())
}

fn leave(toast: HtmlElement) {
    set_timeout(
        move || {
            let looked_at = toast.matches(":hover, :focus-within").unwrap_or(false);
            if looked_at { leave(toast) } else { toast.remove() }
        },
        STAYS,
    );
}
