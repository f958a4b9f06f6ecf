//! The built site: WASM, its glue, the style, the icon.

use std::path::{Path, PathBuf};

use anyhow::bail;
use axum::{
    Router,
    http::{HeaderValue, header},
};
use tower_http::services::{ServeDir, ServeFile};

/// Finds the site: where it was said to be, or beside the program.
pub(crate) fn find(said: Option<&Path>) -> anyhow::Result<PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join("site")));
    let places: Vec<PathBuf> = match said {
        Some(dir) => vec![dir.to_owned()],
        None => beside.into_iter().collect(),
    };
    match places.iter().find(|dir| dir.join("pkg/slipway.css").is_file()) {
        Some(dir) => Ok(dir.clone()),
        None => bail!(
            "the built site is missing in {}: run `cargo xtask build`, or name it with --site-dir",
            places.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// Serves it, compressed where a compressed file lies beside. Browsers ask again each time and mostly hear "not modified".
pub(crate) fn router(site: &Path) -> Router {
    let revalidate = axum::middleware::map_response(|mut response: axum::response::Response| async {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    });
    Router::new()
        .nest_service("/pkg", ServeDir::new(site.join("pkg")).precompressed_br())
        .route_service("/favicon.svg", ServeFile::new(site.join("favicon.svg")))
        .layer(revalidate)
}
