//! The WASM entry: hydrates the islands, nothing else.

// Named so that it is linked: each island exports the function that hydrates it.
use app as _;

#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
