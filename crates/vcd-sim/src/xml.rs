//! Writing XML, and reading the requests' XML.

use std::fmt::{Display, Write};

pub(crate) const VCLOUD: &str = "http://www.vmware.com/vcloud/v1.5";
pub(crate) const OVF: &str = "http://schemas.dmtf.org/ovf/envelope/1";
pub(crate) const RASD: &str =
    "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData";
pub(crate) const VMW: &str = "http://www.vmware.com/schema/ovf";
const VERSIONS: &str = "http://www.vmware.com/vcloud/versions";

/// An element being written. Text and children do not mix in this API.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    name: String,
    attrs: Vec<(String, String)>,
    children: Vec<Element>,
    text: Option<String>,
}

impl Element {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.into(), attrs: Vec::new(), children: Vec::new(), text: None }
    }

    /// A root element in the vcloud namespace, with the ovf prefix bound.
    pub(crate) fn vcloud(name: &str) -> Self {
        Self::new(name).vcloud_root()
    }

    pub(crate) fn versions(name: &str) -> Self {
        Self::new(name).attr("xmlns", VERSIONS)
    }

    /// Sets an attribute, in place of one of this name.
    pub(crate) fn attr(mut self, name: &str, value: impl Display) -> Self {
        match self.attrs.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value.to_string(),
            None => self.attrs.push((name.into(), value.to_string())),
        }
        self
    }

    pub(crate) fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    pub(crate) fn children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// A child with text.
    pub(crate) fn leaf(self, name: &str, text: impl Display) -> Self {
        let mut leaf = Self::new(name);
        leaf.text = Some(text.to_string());
        self.child(leaf)
    }

    /// The same element under another name.
    pub(crate) fn renamed(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// The same element as the root of a document.
    pub(crate) fn vcloud_root(self) -> Self {
        self.attr("xmlns", VCLOUD).attr("xmlns:ovf", OVF)
    }

    pub(crate) fn text(mut self, text: &str) -> Self {
        self.text = Some(text.into());
        self
    }

    /// An attribute that was set.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attrs.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub(crate) fn document(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        let _ = write!(out, "<{}", self.name);
        for (name, value) in &self.attrs {
            let _ = write!(out, " {name}=\"{}\"", escape(value));
        }
        match (&self.text, self.children.as_slice()) {
            (None, []) => out.push_str("/>"),
            (text, children) => {
                out.push('>');
                if let Some(text) = text {
                    out.push_str(&escape(text));
                }
                for child in children {
                    child.write(out);
                }
                let _ = write!(out, "</{}>", self.name);
            }
        }
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            c => out.push(c),
        }
    }
    out
}

/// Reading: the parts of roxmltree that the routes need, by local name in the vcloud namespace.
pub(crate) trait Read<'a, 'i> {
    fn find(&self, name: &str) -> Option<roxmltree::Node<'a, 'i>>;
    fn all(&self, name: &str) -> Vec<roxmltree::Node<'a, 'i>>;
    fn value(&self, name: &str) -> Option<&'a str>;
    fn flag(&self, name: &str) -> bool;
}

impl<'a, 'i> Read<'a, 'i> for roxmltree::Node<'a, 'i> {
    fn find(&self, name: &str) -> Option<roxmltree::Node<'a, 'i>> {
        self.children().find(|c| c.has_tag_name((VCLOUD, name)))
    }

    fn all(&self, name: &str) -> Vec<roxmltree::Node<'a, 'i>> {
        self.children().filter(|c| c.has_tag_name((VCLOUD, name))).collect()
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        self.find(name).map(|n| n.text().unwrap_or_default())
    }

    fn flag(&self, name: &str) -> bool {
        self.value(name).is_some_and(|v| v.trim().eq_ignore_ascii_case("true"))
    }
}
