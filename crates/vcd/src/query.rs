//! Typed queries: records of anything, filtered by the service.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    client::{Client, Family},
    error::{Error, Result},
    ids::{TemplateId, VappId, VdcId},
    xml,
};

/// A query of one type. The types and their fields are the platform's; `orgVdc`, `vApp`, `vm`, `vAppTemplate`,
/// `orgVdcNetwork`, `edgeGateway` and `task` among them **\[doc\]**. Providers ask for `adminVApp` and so on.
///
/// ```
/// use vcd::Query;
/// let query = Query::new("vm").equals("isVAppTemplate", "false").equals("containerName", "cust-17");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    kind: String,
    filter: String,
    sort: String,
}

/// One row: attributes by name. Rows may lag behind the entity they are of **\[inf\]**.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    attributes: BTreeMap<String, String>,
}

impl Record {
    /// Reads a recorded page of records.
    pub fn page_from_xml(body: &str) -> Result<Vec<Self>> {
        read_page(body).map(|page| page.records)
    }

    /// The value of a field; `None` where the row does not have it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// Its `name`, empty where it has none.
    pub fn name(&self) -> &str {
        self.get("name").unwrap_or_default()
    }

    /// What tells rows apart: what they are of, and, where several are of one thing, what does not change with time.
    fn identity(&self) -> String {
        let lasting = ["orgVdcNetwork", "vApp", "name", "catalog"].map(|f| self.get(f).unwrap_or_default());
        format!("{} {}", self.reference(), lasting.join(" "))
    }

    /// What the row is of: its `href`, or its `id`.
    pub fn reference(&self) -> &str {
        self.get("href").or(self.get("id")).unwrap_or_default()
    }
}

/// The largest page that is known to be taken **\[inf\]**.
const PAGE: usize = 128;
/// No list is longer than this: a service that pages for ever is not followed for ever.
const PAGES_MAX: usize = 200;
/// So often a list that changes while it is being read is read anew.
const READS: usize = 3;

impl Query {
    /// All records of a type.
    pub fn new(kind: &str) -> Self {
        Self { kind: kind.into(), filter: String::new(), sort: String::new() }
    }

    /// Only those whose field has this value. Characters with a meaning in filters are escaped. Fields that hold
    /// references are compared by the UUID inside **\[src\]**.
    #[must_use]
    pub fn equals(self, field: &str, value: &str) -> Self {
        let condition = format!("{field}=={}", escape(value));
        self.filter_raw(&condition)
    }

    /// Only those that meet a condition in the filter language itself; several are all to be met.
    #[must_use]
    pub fn filter_raw(mut self, condition: &str) -> Self {
        // "or" binds less than "and": what holds one is put in parentheses.
        let condition = if condition.contains(',') { format!("({condition})") } else { condition.to_owned() };
        self.filter = if self.filter.is_empty() { condition } else { format!("{};{condition}", self.filter) };
        self
    }

    /// Smallest first.
    #[must_use]
    pub fn sort_asc(mut self, field: &str) -> Self {
        self.sort = format!("&sortAsc={}", encode(field));
        self
    }

    /// Largest first.
    #[must_use]
    pub fn sort_desc(mut self, field: &str) -> Self {
        self.sort = format!("&sortDesc={}", encode(field));
        self
    }

    fn path(&self, page: usize) -> String {
        let filter = match self.filter.as_str() {
            "" => String::new(),
            filter => format!("&filter={}", encode(filter)),
        };
        let kind = encode(&self.kind);
        format!("/api/query?type={kind}&format=records&page={page}&pageSize={PAGE}{filter}{}", self.sort)
    }
}

/// One page: the number of rows in all, and its own.
pub(crate) struct Page {
    total: usize,
    records: Vec<Record>,
}

pub(crate) fn read_page(body: &str) -> Result<Page> {
    let doc = xml::parse(body)?;
    let root = doc.root_element();
    let total = root.attribute("total").and_then(|t| t.parse().ok());
    let rows = root.children().filter(|n| n.is_element() && n.tag_name().name() != "Link");
    let record = |n: roxmltree::Node<'_, '_>| Record {
        attributes: n.attributes().map(|a| (a.name().to_owned(), a.value().to_owned())).collect(),
    };
    Ok(Page {
        total: total.ok_or_else(|| Error::protocol("a page of records has no total"))?,
        records: rows.map(record).collect(),
    })
}

impl Client {
    /// All records of a query, whatever the size of the service's pages.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) where the list changes each time it is read, or never ends.
    pub async fn query(&self, query: &Query) -> Result<Vec<Record>> {
        for _ in 0..READS {
            let (mut all, mut totals) = (Vec::new(), Vec::new());
            for page in 1..=PAGES_MAX {
                let answer = self.get(Family::Xml, &query.path(page)).await?;
                let page = read_page(&answer.body)?;
                let empty = page.records.is_empty();
                all.extend(page.records);
                totals.push(page.total);
                if all.len() >= page.total || empty {
                    break;
                }
            }
            if let Some(all) = settled(all, &totals, Record::identity) {
                return Ok(all);
            }
        }
        Err(Error::protocol(format!("the list of {} changes while it is being read", query.kind)))
    }

    /// The VDC of this name in the organisation.
    pub async fn vdc_by_name(&self, name: &str) -> Result<Option<VdcId>> {
        self.named("orgVdc", name).await
    }

    /// The vApp of this name in a VDC. Names are not unique by the platform's rule **\[src\]**; the caller's naming makes
    /// them so. Of several it is the oldest.
    pub async fn vapp_by_name(&self, vdc: VdcId, name: &str) -> Result<Option<VappId>> {
        Ok(self.vapps_by_name(vdc, name).await?.into_iter().next())
    }

    /// Every vApp of this name in a VDC, the oldest first.
    pub async fn vapps_by_name(&self, vdc: VdcId, name: &str) -> Result<Vec<VappId>> {
        let query = Query::new("vApp").equals("vdc", &vdc.uuid().to_string()).equals("name", name);
        let records = self.query(&query.sort_asc("creationDate")).await?;
        records.iter().filter(|r| r.name() == name).map(|r| parse(r.reference())).collect()
    }

    /// The template of this name, in any catalogue.
    pub async fn template_by_name(&self, name: &str) -> Result<Option<TemplateId>> {
        self.named("vAppTemplate", name).await
    }

    /// The first of this type with exactly this name: a service that reads the filter otherwise is not believed.
    async fn named<T: std::str::FromStr<Err = crate::ids::ParseIdError>>(
        &self,
        kind: &str,
        name: &str,
    ) -> Result<Option<T>> {
        let records = self.query(&Query::new(kind).equals("name", name)).await?;
        records.iter().find(|r| r.name() == name).map(|r| parse(r.reference())).transpose()
    }
}

/// A list that was read in pages, if it is whole: as long as every page said, and nothing twice. Rows that come or go
/// meanwhile shift the pages, and one is read twice or never.
pub(crate) fn settled<T>(all: Vec<T>, totals: &[usize], key: impl Fn(&T) -> String) -> Option<Vec<T>> {
    let distinct: BTreeSet<String> = all.iter().map(key).collect();
    (distinct.len() == all.len() && totals.iter().all(|t| *t == all.len())).then_some(all)
}

pub(crate) fn parse<T: std::str::FromStr<Err = crate::ids::ParseIdError>>(text: &str) -> Result<T> {
    text.parse().map_err(|e: crate::ids::ParseIdError| Error::protocol(e.to_string()))
}

/// Characters with a meaning in filters are escaped by a backslash **\[src\]**.
pub(crate) fn escape(value: &str) -> String {
    let mut out = String::new();
    for c in value.chars() {
        if matches!(c, '(' | ')' | ';' | ',' | '\\' | '*') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Percent-encodes a query value.
pub(crate) fn encode(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_typed_stays_a_value() {
        let query = Query::new("vm").equals("name", "a;b,c(d)&e=f%").equals("status", "x");
        let path = query.path(2);
        assert!(!path.contains("&e=f"), "{path}");
        assert!(path.contains("page=2") && path.contains("name%3D%3Da%5C%3Bb%5C%2Cc"), "{path}");
    }

    #[test]
    fn or_is_put_in_parentheses() {
        let query = Query::new("task").filter_raw("a==1,b==2").equals("c", "3");
        assert_eq!(query.filter, "(a==1,b==2);c==3");
    }

    #[test]
    fn a_list_that_shifted_is_noticed() {
        let key = |s: &&str| (*s).to_owned();
        assert!(settled(vec!["a", "b"], &[2, 2], key).is_some());
        assert!(settled(vec!["a", "b", "b"], &[3], key).is_none(), "one twice");
        assert!(settled(vec!["a"], &[2], key).is_none(), "one missing");
        assert!(settled(vec!["a", "b"], &[3, 2], key).is_none(), "one went while another was skipped");
    }
}
