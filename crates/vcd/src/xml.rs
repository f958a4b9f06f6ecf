//! Writing and reading the XML family.

use std::fmt::{Display, Write};

use roxmltree::{Document, Node};

use crate::error::{Error, Result};

const VCLOUD: &str = "http://www.vmware.com/vcloud/v1.5";
const OVF: &str = "http://schemas.dmtf.org/ovf/envelope/1";

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

pub(crate) fn parse(body: &str) -> Result<Document<'_>> {
    Document::parse(body).map_err(|e| Error::protocol(format!("the answer is no XML: {e}")))
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
    fn what_a_customer_typed_stays_text() {
        let nasty = "</Name><DeleteItem href=\"x\"/>&amp;\u{0}\n";
        let body = Writer::root("Vm", &[("name", nasty)], |w| w.leaf("Name", nasty));
        let doc = Document::parse(&body).unwrap();
        let expected = "</Name><DeleteItem href=\"x\"/>&amp;\n";
        assert_eq!(doc.root_element().attribute("name"), Some(expected));
        assert_eq!(doc.root_element().text_of("Name"), Some(expected));
    }
}
