//! The one origin rule: a request that may change something comes from our own pages.
//!
//! `Sec-Fetch-Site` says so where the browser sends it; else `Origin` must be our own; a request with neither is
//! refused. No hidden fields: plain forms work with every script off.

use axum::{
    extract::Request,
    http::{HeaderMap, Method, header},
};

/// Whether a request may go on.
pub(crate) fn allowed(request: &Request) -> bool {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return true;
    }
    own(request.headers())
}

/// Whether it comes from a page of ours.
pub(crate) fn own(headers: &HeaderMap) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    if let Some(site) = headers.get("sec-fetch-site").and_then(|v| v.to_str().ok()) {
        return matches!(site, "same-origin" | "none");
    }
    match (text(header::ORIGIN), text(header::HOST)) {
        (Some(origin), Some(host)) => origin
            .split_once("://")
            .is_some_and(|(scheme, o)| matches!(scheme, "http" | "https") && o == host),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (n.parse().unwrap(), HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn only_our_own_pages() {
        let host = ("host", "slipway.test");
        for good in [
            vec![host, ("sec-fetch-site", "same-origin")],
            vec![host, ("sec-fetch-site", "none")],
            vec![host, ("origin", "https://slipway.test")],
        ] {
            assert!(own(&headers(&good)), "{good:?}");
        }
        for bad in [
            vec![host],
            vec![host, ("sec-fetch-site", "cross-site")],
            vec![host, ("sec-fetch-site", "same-site"), ("origin", "https://slipway.test")],
            vec![host, ("origin", "https://evil.test")],
            vec![host, ("origin", "null")],
            vec![host, ("origin", "https://slipway.test.evil.test")],
            vec![("origin", "https://slipway.test")],
        ] {
            assert!(!own(&headers(&bad)), "{bad:?}");
        }
    }
}
