//! Typed queries: pages of records, filtered and sorted.

use axum::{
    extract::{Path, Query},
    response::Response,
};

use super::{
    Ask, Params, number,
    records::{KINDS, Kind, Row},
    views::{link, media},
};
use crate::{
    errors::Refusal,
    filter::{check, matches},
    xml::Element,
};

/// The largest page.
const PAGE_MAX: usize = 128;

/// Without a type: the list of types. With one: its records.
pub(super) async fn query(ask: Ask, Query(params): Query<Params>) -> Response {
    match params.get("type") {
        None => ask.xml(200, "query.queryList", Ok(list(ask.base()))),
        Some(name) => {
            let kind = KINDS.iter().find(|k| k.name == name);
            let result = kind
                .ok_or_else(|| Refusal::bad(format!("Unsupported query: {name}")))
                .and_then(|k| records(&ask, k, &params, "/api/query"));
            ask.xml(200, "query.records", result)
        }
    }
}

fn list(base: &str) -> Element {
    let formats = ["records", "idrecords", "references"];
    let links = KINDS.iter().flat_map(|k| {
        formats.iter().map(move |format| {
            let href = format!("{base}/api/query?type={}&format={format}", k.name);
            link("down", Some(&format!("query.{format}")), href).attr("name", k.name)
        })
    });
    Element::vcloud("QueryList")
        .attr("href", format!("{base}/api/query"))
        .attr("type", media("query.queryList"))
        .children(links)
}

pub(super) async fn edges_of_vdc(ask: Ask, Path(_): Path<String>, Query(params): Query<Params>) -> Response {
    fixed(&ask, "edgeGateway", &params, "edgeGateways")
}

pub(super) async fn networks_of_vdc(
    ask: Ask,
    Path(_): Path<String>,
    Query(params): Query<Params>,
) -> Response {
    fixed(&ask, "orgVdcNetwork", &params, "networks")
}

/// A VDC's own lists answer as a query of their type does.
fn fixed(ask: &Ask, kind: &str, params: &Params, path: &str) -> Response {
    let vdc = ask.read().vdc.id;
    let kind = KINDS.iter().find(|k| k.name == kind).ok_or_else(|| Refusal::bad("no such type"));
    let result = kind.and_then(|k| records(ask, k, params, &format!("/api/admin/vdc/{vdc}/{path}")));
    ask.xml(200, "query.records", result)
}

fn records(ask: &Ask, kind: &Kind, params: &Params, path: &str) -> Result<Element, Refusal> {
    let base = ask.base();
    let text = |name: &str| params.get(name).map(String::as_str);
    let count = |name: &str, default: usize| -> Result<usize, Refusal> {
        let n: usize = text(name).map_or(Ok(default), |t| number(t, name))?;
        if n == 0 { Err(Refusal::bad(format!("validation error on field '{name}': 0"))) } else { Ok(n) }
    };
    let (page, size) = (count("page", 1)?, count("pageSize", 25)?.min(PAGE_MAX));
    // Said to be encoded once more.
    let filter = match (text("filter"), text("filterEncoded")) {
        (Some(f), Some(flag)) if flag.eq_ignore_ascii_case("true") => Some(decode(f)),
        (f, _) => f.map(str::to_owned),
    };
    let mut found = Vec::new();
    // A name that no row has is refused also where there is no row.
    let known: Vec<&str> = ["href", "id"].into_iter().chain(kind.fields.iter().copied()).collect();
    check(filter.as_deref(), &known).map_err(Refusal::bad)?;
    let asked: Option<Vec<&str>> = text("fields").map(|f| f.split(',').map(str::trim).collect());
    for name in text("sortAsc").into_iter().chain(text("sortDesc")).chain(asked.iter().flatten().copied()) {
        if !known.contains(&name) {
            return Err(Refusal::bad(format!("Unknown property name '{name}'.")));
        }
    }
    for row in (kind.rows)(&ask.read(), base, ask.now()) {
        debug_assert!(row.attrs.len() == kind.fields.len(), "{}", kind.name);
        debug_assert!(row.attrs.iter().all(|(name, _)| kind.fields.contains(name)), "{}", kind.name);
        if matches(filter.as_deref(), |name| row.field(name)).map_err(Refusal::bad)? {
            found.push(row);
        }
    }
    let key = |row: &Row, name: &str| row.field(name).unwrap_or_default().to_owned();
    if let Some(name) = text("sortAsc") {
        found.sort_by_key(|r| key(r, name));
    } else if let Some(name) = text("sortDesc") {
        found.sort_by_key(|r| std::cmp::Reverse(key(r, name)));
    }
    let format = text("format").unwrap_or("records");
    let total = found.len();
    // Everything the reader asked for goes on to the next page.
    let mut rest: Vec<(&String, &String)> =
        params.iter().filter(|(name, _)| !matches!(name.as_str(), "page" | "pageSize")).collect();
    rest.sort();
    let rest: String = rest.iter().map(|(n, v)| format!("&{n}={}", encode(v))).collect();
    let address = |page: usize| format!("{base}{path}?page={page}&pageSize={size}{rest}");
    let root = if format == "references" { "References" } else { "QueryResultRecords" };
    let mut result = Element::vcloud(root)
        .attr("total", total)
        .attr("pageSize", size)
        .attr("page", page)
        .attr("name", kind.name)
        .attr("href", address(page))
        .attr("type", media(&format!("query.{format}")));
    if page.saturating_mul(size) < total {
        result = result.child(link("nextPage", Some(&format!("query.{format}")), address(page + 1)));
    }
    let from = (page - 1).saturating_mul(size) + ask.around.page_shift;
    Ok(result.children(
        found.into_iter().skip(from).take(size).map(|row| write(kind, format, asked.as_deref(), row)),
    ))
}

/// `fields` are the attributes asked for; nothing said asks for all.
fn write(kind: &Kind, format: &str, fields: Option<&[&str]>, mut row: Row) -> Element {
    let name = row.field("name").unwrap_or_default().to_owned();
    if let Some(fields) = fields {
        row.attrs.retain(|(name, _)| fields.contains(name));
    }
    match format {
        "references" => Element::new(&kind.record.replace("Record", "Reference"))
            .attr("href", row.href)
            .attr("id", row.urn)
            .attr("name", name)
            .attr("type", media(kind.media)),
        "idrecords" => with_attrs(Element::new(kind.record).attr("id", &row.urn), &row),
        _ => with_attrs(Element::new(kind.record).attr("href", &row.href), &row),
    }
}

fn with_attrs(element: Element, row: &Row) -> Element {
    row.attrs.iter().filter(|(_, v)| !v.is_empty()).fold(element, |e, (name, value)| e.attr(name, value))
}

/// Percent-encodes what has a meaning in a query string.
pub(super) fn encode(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b if b.is_ascii_alphanumeric() || b"-_.~=;,:*()".contains(&b) => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect()
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn coding() {
        let text = "name==a b&c%;vdc==http://h/ü";
        assert_eq!(decode(&encode(text)), text);
        assert_eq!(decode("100%"), "100%");
    }
}
