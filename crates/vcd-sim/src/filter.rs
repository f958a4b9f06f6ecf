//! The filter language of both query APIs: `a==x;b==y`, with `,` for "or".

/// A filter is satisfied if one of its `,` parts has all of its `;` conditions satisfied.
pub(crate) fn matches<'v>(
    filter: Option<&str>,
    field: impl Fn(&str) -> Option<&'v str>,
) -> Result<bool, String> {
    let Some(filter) = filter.map(str::trim).filter(|f| !f.is_empty()) else { return Ok(true) };
    let filter = filter.trim_start_matches('(').trim_end_matches(')');
    for alternative in filter.split(',') {
        let mut all = true;
        for condition in alternative.split(';') {
            let (name, wanted, equal) = match (condition.split_once("=="), condition.split_once("!=")) {
                (Some((n, v)), _) => (n, v, true),
                (None, Some((n, v))) => (n, v, false),
                _ => return Err(format!("The filter condition '{condition}' is not understood.")),
            };
            let value =
                field(name.trim()).ok_or_else(|| format!("Unknown property name '{name}' in filter."))?;
            // References are compared by the UUID at their end, whatever form they were given in.
            let same = value == wanted || tail(value).is_some_and(|t| Some(t) == tail(wanted));
            all &= same == equal;
        }
        if all {
            return Ok(true);
        }
    }
    Ok(false)
}

fn tail(reference: &str) -> Option<uuid::Uuid> {
    let start = reference.len().checked_sub(36)?;
    reference.get(start..).and_then(|t| t.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn and_or_and_references() {
        let id = "3f2504e0-4f89-11d3-9a0c-0305e82c3301";
        let urn = format!("urn:vcloud:gateway:{id}");
        let field = |name: &str| match name {
            "name" => Some("net-1"),
            "connection.routerRef.id" => Some(urn.as_str()),
            _ => None,
        };
        assert_eq!(matches(None, field), Ok(true));
        assert_eq!(matches(Some("name==net-1"), field), Ok(true));
        assert_eq!(matches(Some("name==net-2,name==net-1"), field), Ok(true));
        assert_eq!(matches(Some("name==net-1;name!=net-1"), field), Ok(false));
        assert_eq!(matches(Some(&format!("connection.routerRef.id==https://h/x/{id}")), field), Ok(true));
        assert!(matches(Some("colour==red"), field).is_err());
    }
}
