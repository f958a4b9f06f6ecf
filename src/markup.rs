//! The HTML of pages as it is sent: valid.
//!
//! Between two texts the framework leaves `<!>`, which every browser reads as an empty comment and the standard calls an
//! error. An empty comment is written as one instead; what hydrates finds the same nodes. Beside what it preloads it writes the
//! nonce where it says who asks; a value that is none means anonymous, which is what is written.

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
    const ATTRIBUTE: &[u8] = b" crossorigin=\"";
    let mut out = Vec::with_capacity(html.len() + html.len() / 8);
    let mut from = 0;
    // Each is known by one of its letters: `!` behind `<`, and the quotation mark that the value begins with.
    for at in memchr::memchr2_iter(b'!', b'"', html) {
        if at < from {
            continue;
        }
        if html[at] == b'!' && html[..at].ends_with(b"<") && html[at + 1..].starts_with(b">") {
            out.extend_from_slice(&html[from..at]);
            out.extend_from_slice(b"!---->");
            from = at + 2;
        } else if html[at] == b'"' && html[from..=at].ends_with(ATTRIBUTE) {
            let Some(length) = memchr::memchr(b'"', &html[at + 1..]) else { break };
            out.extend_from_slice(&html[from..=at]);
            out.extend_from_slice(b"anonymous");
            from = at + 1 + length;
        }
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
    }

    #[test]
    fn who_asks_is_nobody() {
        let html = corrected(b"<link crossorigin=\"n0nce\" nonce=\"n0nce\"><link crossorigin=\"x\">");
        let wanted = "<link crossorigin=\"anonymous\" nonce=\"n0nce\"><link crossorigin=\"anonymous\">";
        assert_eq!(String::from_utf8(html).unwrap(), wanted);
        assert_eq!(corrected(b"<!><!><! >!>"), b"<!----><!----><! >!>");
        assert_eq!(corrected(b" crossorigin=\"open"), b" crossorigin=\"open");
    }
}
