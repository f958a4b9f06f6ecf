//! Offers the browser's time zone, once, where another is shown and none was chosen. Either answer is a choice.
//!
//! Where both clocks show the same nothing is offered, and the browser is not asked what its zone is called: that alone takes it
//! longer than all islands of a page together (30 ms, four times that on a phone).

use leptos::prelude::*;

/// `shown` is ahead of UTC by `ahead` minutes. `question` with `{0}` for the zone. The form, `#zone-offer`, is on the page, hidden.
#[island]
pub fn TimeZoneOffer(shown: String, ahead: i32, offered: String, question: String) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        let _ = browser::attach(&shown, ahead, &offered, &question);
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = (shown, ahead, offered, question);
    view! { <span hidden=true></span> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use js_sys::{Array, Date, Intl, Object, Reflect};
    use web_sys::HtmlElement;

    use crate::islands::dom;

    pub(super) fn attach(shown: &str, ahead: i32, offered: &str, question: &str) -> Option<()> {
        if Date::new_0().get_timezone_offset() == -f64::from(ahead) {
            return None;
        }
        let options = Intl::DateTimeFormat::new(&Array::new(), &Object::new()).resolved_options();
        let zone = Reflect::get(&options, &"timeZone".into()).ok()?.as_string()?;
        if zone == shown || !offered.split(' ').any(|z| z == zone) {
            return None;
        }
        let document = dom::document()?;
        let form: HtmlElement = dom::first(&document, "#zone-offer")?;
        let yes: HtmlElement = dom::first(&form, "button")?;
        yes.set_attribute("value", &zone).ok()?;
        let text: HtmlElement = dom::first(&form, "p")?;
        text.set_text_content(Some(&question.replace("{0}", &zone.replace('_', " "))));
        form.set_hidden(false);
        Some(())
    }
}
