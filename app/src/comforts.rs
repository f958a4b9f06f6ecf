//! What a script adds to every page: copy buttons, menus and questions by the keyboard, keys, the browser's own time zone.
//! Nothing here is needed: each has its link, its button or its form.

use leptos::prelude::*;

use crate::{
    format,
    i18n::t,
    islands::{Confirm, CopyButtons, MenuKeys, Shortcuts, TimeZoneOffer},
    request::Request,
    routes,
};

pub(crate) fn comforts(request: &Request) -> AnyView {
    let lang = request.lang();
    let signed_in = request.around.viewer.is_some();
    let for_the_signed_in = signed_in.then(|| {
        view! {
            <CopyButtons done=t!(lang, "copied")/>
            <Confirm/>
            <Shortcuts letters=request.around.keys help=routes::KEYS.to_owned()/>
            {zone_offer(request)}
        }
    });
    view! { <MenuKeys/> {for_the_signed_in} }.into_any()
}

/// The browser's zone, where none was chosen yet. Saying no chooses the one that is shown.
fn zone_offer(request: &Request) -> Option<AnyView> {
    if request.around.zone.is_some() {
        return None;
    }
    let lang = request.lang();
    let shown = format::zone_name(lang);
    let offer = view! {
        <form method="post" action=routes::action("zone_set") id="zone-offer" class="offer card" hidden=true>
            <input type="hidden" name="back" value=request.around.path.clone()/>
            <p></p>
            <div class="buttons">
                <button class="button small" name="zone" value="">{t!(lang, "zone-use")}</button>
                <button class="button secondary small" name="zone" value=shown>
                    {t!(lang, "zone-keep", zone = shown.replace('_', " "))}
                </button>
            </div>
        </form>
        <TimeZoneOffer
            shown=shown.to_owned() ahead=format::zone_ahead(lang, request.facade().now_ms())
            offered=format::ZONES.join(" ") question=t!(lang, "zone-offer", zone = "{0}")
        />
    };
    Some(offer.into_any())
}
