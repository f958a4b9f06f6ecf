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
    Response::from_parts(parts, Body::from(anonymous(&comments_written_out(&bytes))))
}

fn comments_written_out(html: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(html.len() + html.len() / 8);
    let mut rest = html;
    while let Some(at) = rest.windows(3).position(|w| w == b"<!>") {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(b"<!---->");
        rest = &rest[at + 3..];
    }
    out.extend_from_slice(rest);
    out
}

fn anonymous(html: &[u8]) -> Vec<u8> {
    const ATTRIBUTE: &[u8] = b" crossorigin=\"";
    let mut out = Vec::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.windows(ATTRIBUTE.len()).position(|w| w == ATTRIBUTE) {
        let value = at + ATTRIBUTE.len();
        let Some(length) = rest[value..].iter().position(|b| *b == b'"') else { break };
        out.extend_from_slice(&rest[..value]);
        out.extend_from_slice(b"anonymous");
        rest = &rest[value + length..];
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::{anonymous, comments_written_out};

    #[test]
    fn an_empty_comment_is_written_as_one() {
        let html = comments_written_out("<!DOCTYPE html><p>а<!>б<!--x--><!></p>".as_bytes());
        assert_eq!(String::from_utf8(html).unwrap(), "<!DOCTYPE html><p>а<!---->б<!--x--><!----></p>");
    }

    #[test]
    fn who_asks_is_nobody() {
        let html = anonymous(b"<link crossorigin=\"n0nce\" nonce=\"n0nce\"><link crossorigin=\"x\">");
        let wanted = "<link crossorigin=\"anonymous\" nonce=\"n0nce\"><link crossorigin=\"anonymous\">";
        assert_eq!(String::from_utf8(html).unwrap(), wanted);
        assert_eq!(anonymous(b" crossorigin=\"open"), b" crossorigin=\"open");
    }
}
