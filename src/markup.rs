//! The HTML of pages as it is sent: valid.
//!
//! Between two texts the framework leaves `<!>`, which every browser reads as an empty comment and the standard calls an
//! error. An empty comment is written as one instead; what hydrates finds the same nodes.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// No page is nearly as long.
const LONGEST: usize = 16 << 20;

pub(crate) async fn valid(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let html = |r: &Response| {
        let kind = r.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        kind.is_some_and(|kind| kind.starts_with("text/html"))
    };
    if !html(&response) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, LONGEST).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(corrected(&bytes)))
}

/// Written anew from one end to the other, once: a page is as long as everything on it.
fn corrected(html: &[u8]) -> Vec<u8> {
    const EMPTY: &[u8] = b"<!>";
    let mut out = Vec::with_capacity(html.len() + html.len() / 8);
    let mut from = 0;
    for at in memchr::memmem::find_iter(html, EMPTY) {
        out.extend_from_slice(&html[from..at]);
        out.extend_from_slice(b"<!---->");
        from = at + EMPTY.len();
    }
    out.extend_from_slice(&html[from..]);
    out
}

#[cfg(test)]
mod tests {
    use super::corrected;

    #[test]
    fn an_empty_comment_is_written_as_one() {
        let html = corrected("<!DOCTYPE html><p>а<!>б<!--x--><!></p>".as_bytes());
        assert_eq!(String::from_utf8(html).unwrap(), "<!DOCTYPE html><p>а<!---->б<!--x--><!----></p>");
        assert_eq!(corrected(b"<!><!><! !>"), b"<!----><!----><! !>");
    }
}
