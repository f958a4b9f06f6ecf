//! Reading columns into the domain's types, with an error that names the column.

use std::str::FromStr;

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

/// A row that came as one JSON text: over the driver of SQLite each column of a row costs, and a text costs as much as one.
pub(crate) struct JsonRow(serde_json::Map<String, serde_json::Value>);

impl JsonRow {
    pub(crate) fn read(text: &str) -> Result<Self> {
        serde_json::from_str(text).map(Self).map_err(|e| Error::Corrupt(format!("a row: {e}")))
    }

    fn value(&self, column: &str) -> &serde_json::Value {
        self.0.get(column).unwrap_or(&serde_json::Value::Null)
    }

    fn other(&self, column: &str) -> Error {
        Error::Corrupt(format!("{column}: {}", self.value(column)))
    }
}

impl Columns for JsonRow {
    fn int(&self, column: &str) -> Result<i64> {
        self.int_opt(column)?.ok_or_else(|| self.other(column))
    }

    fn int_opt(&self, column: &str) -> Result<Option<i64>> {
        match self.value(column) {
            serde_json::Value::Null => Ok(None),
            value => value.as_i64().map(Some).ok_or_else(|| self.other(column)),
        }
    }

    fn text(&self, column: &str) -> Result<String> {
        self.text_opt(column)?.ok_or_else(|| self.other(column))
    }

    fn text_opt(&self, column: &str) -> Result<Option<String>> {
        match self.value(column) {
            serde_json::Value::Null => Ok(None),
            value => value.as_str().map(|t| Some(t.to_owned())).ok_or_else(|| self.other(column)),
        }
    }
}

fn parse_id<T: From<Uuid>>(column: &str, text: &str) -> Result<T> {
    Uuid::parse_str(text).map(T::from).map_err(|e| Error::Corrupt(format!("{column}: {e}")))
}

fn parse_word<T: FromStr>(column: &str, text: &str) -> Result<T> {
    text.parse().map_err(|_| Error::Corrupt(format!("{column}: {text:?}")))
}
