//! The filter language of both query APIs: `(a==x;b!=y),c=gt=3`, where `;` is "and" and `,` is "or".
//!
//! A backslash takes a character's meaning away. `*` in a value stands for anything. References are compared by the
//! UUID at their end, whatever form they are given in; numbers as numbers.

use std::cmp::Ordering;

/// Whether a row is meant. `field` gives a row's value, or `None` where there is no such field.
pub(crate) fn matches<'v>(
    filter: Option<&str>,
    field: impl Fn(&str) -> Option<&'v str>,
) -> Result<bool, String> {
    let Some(filter) = filter.map(str::trim).filter(|f| !f.is_empty()) else { return Ok(true) };
    let chars: Vec<char> = filter.chars().collect();
    let mut parser = Parser { chars: &chars, at: 0, depth: 0, field: &field };
    let result = parser.any()?;
    if parser.at < chars.len() {
        return Err(format!("The filter '{filter}' is not understood at character {}.", parser.at + 1));
    }
    Ok(result)
}

/// Whether a filter is one for rows of these fields: said also where there is no row to try it on.
pub(crate) fn check(filter: Option<&str>, fields: &[&str]) -> Result<(), String> {
    matches(filter, |name| fields.contains(&name).then_some("")).map(drop)
}

struct Parser<'c, F> {
    chars: &'c [char],
    at: usize,
    depth: usize,
    field: &'c F,
}

const DEPTH_MAX: usize = 32;

impl<'v, F: Fn(&str) -> Option<&'v str>> Parser<'_, F> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn take(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        self.at += usize::from(found);
        found
    }

    fn any(&mut self) -> Result<bool, String> {
        let mut result = self.all()?;
        while self.take(',') {
            result |= self.all()?;
        }
        Ok(result)
    }

    fn all(&mut self) -> Result<bool, String> {
        let mut result = self.one()?;
        while self.take(';') {
            result &= self.one()?;
        }
        Ok(result)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.take('(') {
            self.depth += 1;
            if self.depth > DEPTH_MAX {
                return Err("The filter is nested too deeply.".into());
            }
            let result = self.any()?;
            self.depth -= 1;
            return if self.take(')') { Ok(result) } else { Err("The filter lacks a ')'.".into()) };
        }
        self.condition()
    }

    fn condition(&mut self) -> Result<bool, String> {
        let mut text = String::new();
        while let Some(c) = self.peek() {
            match c {
                ';' | ',' | ')' => break,
                '\\' => {
                    self.at += 1;
                    if let Some(next) = self.peek() {
                        // A star that is escaped is no wildcard.
                        text.push(if next == '*' { STAR } else { next });
                    }
                }
                c => text.push(c),
            }
            self.at += 1;
        }
        const OPERATORS: &[&str] = &["==", "!=", "=lt=", "=le=", "=gt=", "=ge="];
        let found = OPERATORS.iter().filter_map(|op| Some((text.find(op)?, *op))).min_by_key(|(at, _)| *at);
        let Some((at, operator)) = found else {
            return Err(format!("The filter condition '{text}' is not understood."));
        };
        let (name, wanted) = (text[..at].trim(), &text[at + operator.len()..]);
        let value = (self.field)(name).ok_or_else(|| format!("Unknown property name '{name}' in filter."))?;
        Ok(match operator {
            "==" => same(value, wanted),
            "!=" => !same(value, wanted),
            "=lt=" => order(value, wanted).is_lt(),
            "=le=" => order(value, wanted).is_le(),
            "=gt=" => order(value, wanted).is_gt(),
            _ => order(value, wanted).is_ge(),
        })
    }
}

/// Stands for an escaped star while a condition is looked at; no name holds it.
const STAR: char = '\u{1}';

fn same(value: &str, wanted: &str) -> bool {
    let value = &value.replace('*', "\u{1}");
    if value == wanted || tail(value).is_some_and(|t| Some(t) == tail(wanted)) {
        return true;
    }
    if !wanted.contains('*') {
        return false;
    }
    let mut rest = value.as_str();
    let parts: Vec<&str> = wanted.split('*').collect();
    let last = parts.len() - 1;
    for (i, part) in parts.iter().enumerate() {
        match i {
            0 if rest.starts_with(part) => rest = &rest[part.len()..],
            0 => return false,
            _ if i == last => return rest.ends_with(part),
            _ => match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            },
        }
    }
    true
}

fn order(value: &str, wanted: &str) -> Ordering {
    match (value.parse::<f64>(), wanted.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
        _ => value.cmp(wanted),
    }
}

fn tail(reference: &str) -> Option<uuid::Uuid> {
    let start = reference.len().checked_sub(36)?;
    reference.get(start..).and_then(|t| t.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::matches;

    const ID: &str = "3f2504e0-4f89-11d3-9a0c-0305e82c3301";

    fn holds(filter: &str) -> Result<bool, String> {
        let urn = format!("urn:vcloud:gateway:{ID}");
        matches(Some(filter), |name| match name {
            "name" => Some("net-1"),
            "text" => Some("a;b(c),d"),
            "n" => Some("12"),
            "connection.routerRef.id" => Some(urn.as_str()).map(|u| &*u.to_owned().leak()),
            _ => None,
        })
    }

    #[test]
    fn conditions_and_their_joints() {
        assert_eq!(matches(None, |_| None), Ok(true));
        for (filter, expected) in [
            ("name==net-1", true),
            ("name==net-2,name==net-1", true),
            ("name==net-1;name!=net-1", false),
            ("(name==net-2,name==net-1);n==12", true),
            ("((name==net-2))", false),
            ("n=gt=9;n=le=12", true),
            ("n=lt=9", false),
            ("name==net-*", true),
            ("name==*t-1", true),
            ("name==n*-*1", true),
            ("name==x*", false),
            (r"text==a\;b\(c\)\,d", true),
        ] {
            assert_eq!(holds(filter), Ok(expected), "{filter}");
        }
        assert_eq!(holds(&format!("connection.routerRef.id==https://h/x/{ID}")), Ok(true));
    }

    #[test]
    fn nonsense_is_refused() {
        for filter in ["colour==red", "name", "(name==x", "name==x)", &"(".repeat(1000)] {
            assert!(holds(filter).is_err(), "{filter}");
        }
    }
}
