//! A copy button, drawn after the page is alive: without a script there is no dead control.

use leptos::prelude::*;

#[island]
pub fn Copy(text: String, label: String, done: String) -> impl IntoView {
    let (ready, set_ready) = signal(false);
    let (copied, set_copied) = signal(false);
    Effect::new(move |_| set_ready.set(true));
    let click = move |_| {
        if let Some(window) = web_sys::window() {
            let _ = window.navigator().clipboard().write_text(&text);
            set_copied.set(true);
        }
    };
    view! {
        <button type="button" class="copy" hidden=move || !ready.get() on:click=click>
            {move || if copied.get() { done.clone() } else { label.clone() }}
        </button>
    }
}
