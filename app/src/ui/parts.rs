//! Small parts: badges, times, facts, empty states. Their views are erased, so that pages made of them stay quick to
//! compile.

use leptos::prelude::*;

use crate::{
    format,
    i18n::{Lang, t},
};

/// A state as icon, word and colour; never colour alone. `tone`: ok, busy, bad, warn, idle.
pub(crate) fn badge(tone: &'static str, text: String) -> AnyView {
    let class = format!("badge {tone}");
    let sign = match tone {
        "ok" => "●",
        "busy" => "◐",
        "bad" => "▲",
        "warn" => "◆",
        _ => "○",
    };
    view! { <span class=class><span aria-hidden="true">{sign}</span> " " {text}</span> }.into_any()
}

/// A moment, in the reader's language and zone.
pub(crate) fn time(lang: Lang, ms: i64) -> AnyView {
    view! { <time datetime=format::iso(ms)>{format::date_time(lang, ms)}</time> }.into_any()
}

/// A row of a definition list.
pub(crate) fn fact(name: String, value: impl IntoView + 'static) -> AnyView {
    view! { <div><dt>{name}</dt><dd>{value.into_any()}</dd></div> }.into_any()
}

/// Text that can be copied: selectable anyway, with a button where there is a script.
pub(crate) fn copyable(lang: Lang, text: String) -> AnyView {
    view! {
        <span class="copyable">
            <code>{text.clone()}</code>
            <button type="button" class="copy" data-copy=text>{t!(lang, "copy")}</button>
        </span>
    }
    .into_any()
}

/// What stands where a list would: a title, a sentence, one thing to do.
pub(crate) fn empty_state(title: String, text: String, action: impl IntoView + 'static) -> AnyView {
    view! {
        <section class="empty">
            <h2>{title}</h2>
            <p>{text}</p>
            {action.into_any()}
        </section>
    }
    .into_any()
}
