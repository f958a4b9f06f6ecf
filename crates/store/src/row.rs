//! Reading columns into the domain's types, with an error that names the column.

use std::{borrow::Cow, collections::BTreeMap, str::FromStr};

use serde::Deserialize;
use sqlx::{Row, any::AnyRow};
use uuid::Uuid;

use crate::error::{Error, Result};

pub(crate) trait Columns {
    fn int(&self, column: &str) -> Result<i64>;
    fn int_opt(&self, column: &str) -> Result<Option<i64>>;
    fn text(&self, column: &str) -> Result<String>;
    fn text_opt(&self, column: &str) -> Result<Option<String>>;

    fn id<T: From<Uuid>>(&self, column: &str) -> Result<T> {
        parse_id(column, &self.text(column)?)
    }

    fn id_opt<T: From<Uuid>>(&self, column: &str) -> Result<Option<T>> {
        self.text_opt(column)?.map(|t| parse_id(column, &t)).transpose()
    }

    /// A member of a closed list.
    fn word<T: FromStr>(&self, column: &str) -> Result<T> {
        parse_word(column, &self.text(column)?)
    }

    fn json<T: serde::de::DeserializeOwned>(&self, column: &str) -> Result<T> {
        let text = self.text(column)?;
        serde_json::from_str(&text).map_err(|e| Error::Corrupt(format!("{column}: {e}")))
    }

    fn uint(&self, column: &str) -> Result<u32> {
        let n = self.int(column)?;
        u32::try_from(n).map_err(|_| Error::Corrupt(format!("{column}: {n}")))
    }
}

impl Columns for AnyRow {
    fn int(&self, column: &str) -> Result<i64> {
        Ok(self.try_get(column)?)
    }

    fn int_opt(&self, column: &str) -> Result<Option<i64>> {
        Ok(self.try_get(column)?)
    }

    fn text(&self, column: &str) -> Result<String> {
        Ok(self.try_get(column)?)
    }

    fn text_opt(&self, column: &str) -> Result<Option<String>> {
        Ok(self.try_get(column)?)
    }
}

/// A row that came as one JSON text: over the driver of SQLite each column of a row costs, and a text costs as much as one. Names and
/// texts stay where they are.
#[derive(Deserialize)]
pub(crate) struct JsonRow<'t>(#[serde(borrow)] BTreeMap<&'t str, Cell<'t>>);

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Cell<'t> {
    Null,
    Int(i64),
    Text(#[serde(borrow)] Cow<'t, str>),
}

impl<'t> JsonRow<'t> {
    pub(crate) fn read(text: &'t str) -> Result<Self> {
        serde_json::from_str(text).map_err(|e| Error::Corrupt(format!("a row: {e}")))
    }

    fn cell(&self, column: &str) -> &Cell<'t> {
        self.0.get(column).unwrap_or(&Cell::Null)
    }

    fn other(&self, column: &str) -> Error {
        Error::Corrupt(format!("{column}: {:?}", self.cell(column)))
    }
}

impl Columns for JsonRow<'_> {
    fn int(&self, column: &str) -> Result<i64> {
        self.int_opt(column)?.ok_or_else(|| self.other(column))
    }

    fn int_opt(&self, column: &str) -> Result<Option<i64>> {
        match self.cell(column) {
            Cell::Null => Ok(None),
            Cell::Int(n) => Ok(Some(*n)),
            Cell::Text(_) => Err(self.other(column)),
        }
    }

    fn text(&self, column: &str) -> Result<String> {
        self.text_opt(column)?.ok_or_else(|| self.other(column))
    }

    fn text_opt(&self, column: &str) -> Result<Option<String>> {
        match self.cell(column) {
            Cell::Null => Ok(None),
            Cell::Text(text) => Ok(Some(text.clone().into_owned())),
            Cell::Int(_) => Err(self.other(column)),
        }
    }
}

fn parse_id<T: From<Uuid>>(column: &str, text: &str) -> Result<T> {
    Uuid::parse_str(text).map(T::from).map_err(|e| Error::Corrupt(format!("{column}: {e}")))
}

fn parse_word<T: FromStr>(column: &str, text: &str) -> Result<T> {
    text.parse().map_err(|_| Error::Corrupt(format!("{column}: {text:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_in_json_is_read_like_any_other() {
        let row = JsonRow::read(r#"{"a": 7, "b": "plain", "c": "line\nbreak", "d": null, "e": -1}"#).unwrap();
        assert_eq!((row.int("a").unwrap(), row.int("e").unwrap()), (7, -1));
        assert_eq!(
            (row.text("b").unwrap().as_str(), row.text("c").unwrap().as_str()),
            ("plain", "line\nbreak")
        );
        assert_eq!((row.text_opt("d").unwrap(), row.int_opt("nowhere").unwrap()), (None, None));
        assert!(row.int("b").is_err() && row.text("a").is_err() && row.text("d").is_err());
        for broken in ["[]", r#"{"a": 1.5}"#, r#"{"a": [1]}"#, r#"{"a": 18446744073709551615}"#, "{"] {
            assert!(JsonRow::read(broken).is_err(), "{broken}");
        }
    }
}
