//! Writing and reading the XML family.

use std::fmt::{Display, Write};

use roxmltree::{Document, Node, ParsingOptions};

use crate::error::{Error, Result};

const VCLOUD: &str = "http://www.vmware.com/vcloud/v1.5";
const XML: &str = "http://www.w3.org/XML/1998/namespace";
pub(crate) const OVF: &str = "http://schemas.dmtf.org/ovf/envelope/1";

/// Builds a document element by element; every value is escaped on its way in.
pub(crate) struct Writer {
    out: String,
}

impl Writer {
    /// A root element in the vcloud namespace.
    pub(crate) fn root(name: &str, attrs: &[(&str, &str)], body: impl FnOnce(&mut Self)) -> String {
        let mut w = Self { out: String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") };
        let mut all = vec![("xmlns", VCLOUD), ("xmlns:ovf", OVF)];
        all.extend_from_slice(attrs);
        w.element(name, &all, body);
        w.out
    }

    pub(crate) fn element(&mut self, name: &str, attrs: &[(&str, &str)], body: impl FnOnce(&mut Self)) {
        let _ = write!(self.out, "<{name}");
        for (attr, value) in attrs {
            let _ = write!(self.out, " {attr}=\"");
            self.text(value);
            self.out.push('"');
        }
        self.out.push('>');
        body(self);
        let _ = write!(self.out, "</{name}>");
    }

    /// An element that holds text.
    pub(crate) fn leaf(&mut self, name: &str, value: impl Display) {
        self.element(name, &[], |w| w.text(&value.to_string()));
    }

    /// An element as it was read, with everything in it.
    pub(crate) fn copy(&mut self, node: Node<'_, '_>) {
        let mut foreign = Vec::new();
        let name = qualified(node.tag_name().namespace(), node.tag_name().name(), &mut foreign);
        let attrs: Vec<(String, String)> = node
            .attributes()
            .map(|a| {
                // An attribute without a prefix belongs to no namespace at all.
                let name = match a.namespace() {
                    None => a.name().to_owned(),
                    Some(VCLOUD) => format!("{}:{}", prefix(VCLOUD, &mut foreign), a.name()),
                    ns => qualified(ns, a.name(), &mut foreign),
                };
                (name, a.value().to_owned())
            })
            .collect();
        let declared: Vec<(String, String)> =
            foreign.iter().enumerate().map(|(i, ns)| (format!("xmlns:f{i}"), ns.clone())).collect();
        let all: Vec<(&str, &str)> =
            declared.iter().chain(&attrs).map(|(n, v)| (n.as_str(), v.as_str())).collect();
        self.element(&name, &all, |w| {
            for child in node.children() {
                match child.text() {
                    _ if child.is_element() => w.copy(child),
                    Some(text) if child.is_text() && !text.trim().is_empty() => w.text(text),
                    _ => {}
                }
            }
        });
    }

    fn text(&mut self, value: &str) {
        for c in value.chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' => self.out.push_str("&quot;"),
                '\'' => self.out.push_str("&apos;"),
                // Newlines in a script survive attribute and element normalisation only as references **[src]**.
                '\n' => self.out.push_str("&#10;"),
                '\r' => self.out.push_str("&#13;"),
                '\t' => self.out.push_str("&#9;"),
                // Not representable in XML 1.0.
                c if c.is_control() => {}
                c => self.out.push(c),
            }
        }
    }
}

/// A name as it is written under the declarations of [`Writer::root`]; of other namespaces, with a prefix that is
/// declared on the spot.
fn qualified(namespace: Option<&str>, name: &str, foreign: &mut Vec<String>) -> String {
    match namespace {
        None | Some(VCLOUD) => name.to_owned(),
        Some(OVF) => format!("ovf:{name}"),
        // Bound to its prefix for ever, and to no other.
        Some(XML) => format!("xml:{name}"),
        Some(other) => format!("{}:{name}", prefix(other, foreign)),
    }
}

fn prefix(namespace: &str, foreign: &mut Vec<String>) -> String {
    let at = foreign.iter().position(|ns| ns == namespace).unwrap_or_else(|| {
        foreign.push(namespace.to_owned());
        foreign.len() - 1
    });
    format!("f{at}")
}

/// No real answer comes near these. What is deeper would overflow the stack of whoever copies it; more attributes or
/// declarations than that on one element cost the parser their square.
const DEPTH_MAX: usize = 100;
const ATTRIBUTES_MAX: usize = 200;
const DECLARATIONS_MAX: usize = 200;

/// Looks at the tags without understanding them: how deep they go, how much one of them says.
fn check_shape(body: &str) -> Result<()> {
    let bytes = body.as_bytes();
    let (mut depth, mut declarations, mut at) = (0_usize, 0_usize, 0_usize);
    while let Some(open) = bytes[at..].iter().position(|b| *b == b'<').map(|i| at + i) {
        let rest = &body[open..];
        // What is inside of these is text, whatever it looks like.
        let skipped = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")]
            .iter()
            .find(|(start, _)| rest.starts_with(start))
            .map(|(start, end)| rest[start.len()..].find(end).map(|i| open + start.len() + i + end.len()));
        if let Some(end) = skipped {
            let Some(end) = end else { return Ok(()) };
            at = end;
            continue;
        }
        let (mut quote, mut equals, mut end) = (None, 0_usize, bytes.len());
        for (i, byte) in bytes[open..].iter().enumerate() {
            match (quote, byte) {
                (Some(q), b) if *b == q => quote = None,
                (Some(_), _) => {}
                (None, b'"' | b'\'') => quote = Some(*byte),
                (None, b'=') => equals += 1,
                (None, b'>') => {
                    end = open + i;
                    break;
                }
                _ => {}
            }
        }
        let tag = &body[open..end];
        if tag.starts_with("</") {
            depth = depth.saturating_sub(1);
        } else {
            declarations += tag.matches("xmlns").count();
            depth += usize::from(!tag.ends_with('/'));
        }
        if depth > DEPTH_MAX || equals > ATTRIBUTES_MAX || declarations > DECLARATIONS_MAX * 100 {
            return Err(Error::protocol("the answer is deeper or wider than any real one"));
        }
        at = end.saturating_add(1).min(bytes.len());
    }
    Ok(())
}

pub(crate) fn parse(body: &str) -> Result<Document<'_>> {
    check_shape(body)?;
    // No DTD, and so no entities of a document's own; no more elements than the largest real answer by far.
    let options = ParsingOptions { allow_dtd: false, nodes_limit: 4_000_000, ..ParsingOptions::default() };
    Document::parse_with_options(body, options)
        .map_err(|e| Error::protocol(format!("the answer is no XML: {e}")))
}

/// Looking for things by local name; the namespace is the vcloud one throughout.
pub(crate) trait Find<'a, 'i: 'a> {
    fn child(&self, name: &str) -> Option<Node<'a, 'i>>;
    fn children_named(&self, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>>;
    fn text_of(&self, name: &str) -> Option<&'a str>;
    fn number_of(&self, name: &str) -> Option<u64>;
    fn required(&self, attribute: &'static str) -> Result<&'a str>;
}

impl<'a, 'i: 'a> Find<'a, 'i> for Node<'a, 'i> {
    fn child(&self, name: &str) -> Option<Node<'a, 'i>> {
        self.children().find(|c| c.is_element() && c.tag_name().name() == name)
    }

    fn children_named(&self, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
        self.children().filter(move |c| c.is_element() && c.tag_name().name() == name)
    }

    fn text_of(&self, name: &str) -> Option<&'a str> {
        self.child(name).map(|c| c.text().unwrap_or_default())
    }

    fn number_of(&self, name: &str) -> Option<u64> {
        self.text_of(name)?.trim().parse().ok()
    }

    fn required(&self, attribute: &'static str) -> Result<&'a str> {
        self.attribute(attribute).ok_or_else(|| {
            Error::protocol(format!("<{}> has no attribute {attribute}", self.tag_name().name()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copied_element_is_what_it_was() {
        let text = "<r xmlns=\"http://www.vmware.com/vcloud/v1.5\" xmlns:o=\"http://schemas.dmtf.org/ovf/envelope/1\" \
                    xmlns:x=\"urn:x\"><a o:k=\"1\" x:k=\"2\" k=\"&lt;\"><o:b xml:lang=\"en\">t&amp;</o:b><x:c/></a></r>";
        let original = Document::parse(text).unwrap();
        let a = original.root_element().child("a").unwrap();
        let copied = Writer::root("r", &[], |w| w.copy(a));
        let again = Document::parse(&copied).unwrap();
        let shape = |doc: &Document<'_>| -> Vec<String> {
            doc.root_element()
                .descendants()
                .filter(Node::is_element)
                .map(|n| {
                    let attrs: Vec<_> =
                        n.attributes().map(|a| (a.namespace(), a.name(), a.value())).collect();
                    format!(
                        "{:?} {:?} {attrs:?} {:?}",
                        n.tag_name().namespace(),
                        n.tag_name().name(),
                        n.text()
                    )
                })
                .collect()
        };
        assert_eq!(shape(&again), shape(&original), "{copied}");
    }

    #[test]
    fn what_somebody_typed_stays_text() {
        let nasty = "</Name><DeleteItem href=\"x\"/>&amp;\u{0}\n";
        let body = Writer::root("Vm", &[("name", nasty)], |w| w.leaf("Name", nasty));
        let doc = Document::parse(&body).unwrap();
        let expected = "</Name><DeleteItem href=\"x\"/>&amp;\n";
        assert_eq!(doc.root_element().attribute("name"), Some(expected));
        assert_eq!(doc.root_element().text_of("Name"), Some(expected));
    }
}
