//! Many rows on their way into one statement, each database being handed them as it takes them apart with the least work: PostgreSQL
//! a list for each column, SQLite one JSON text of lists. Taking objects apart was a quarter of a busy turn on PostgreSQL and
//! half of one on SQLite ([0024](../../../docs/decisions/0024-two-turns-at-once.md)).
//!
//! The few rows of rare statements travel as JSON objects by their names ([`crate::dialect`]).

use std::fmt::Write;

use sqlx::{Any, any::AnyArguments, query::Query};
use uuid::Uuid;

/// Columns of a table of rows, with their types on PostgreSQL.
pub(crate) type Columns = &'static [(&'static str, Type)];

#[derive(Clone, Copy)]
pub(crate) enum Type {
    Text,
    Int,
}

/// What stands in one place of one row.
pub(crate) enum Cell<'a> {
    Null,
    Int(i64),
    Id(Uuid),
    Text(&'a str),
}

impl From<i64> for Cell<'_> {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}

impl From<Uuid> for Cell<'_> {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(some: Option<T>) -> Self {
        some.map_or(Self::Null, Into::into)
    }
}

/// The rows with these columns as a table `t` of a statement's text. `next` is the number of the next parameter.
pub(crate) fn table(sqlite: bool, columns: Columns, next: &mut usize) -> String {
    let list = |text: &dyn Fn(usize, &str, Type) -> String| {
        let each = columns.iter().enumerate().map(|(at, (name, of))| text(at, name, *of));
        each.collect::<Vec<_>>().join(", ")
    };
    let first = *next;
    if sqlite {
        *next += 1;
        let columns = list(&|at, name, _| format!("row ->> {at} AS {name}"));
        // Each row is made out of the text once, and not for each of its columns.
        return format!(
            "(WITH one AS MATERIALIZED (SELECT jsonb(value) AS row FROM json_each(${first})) SELECT {columns} FROM one) AS t"
        );
    }
    *next += columns.len();
    let arrays = list(&|at, _, of| {
        let of = match of {
            Type::Text => "TEXT",
            Type::Int => "BIGINT",
        };
        format!("CAST(${} AS {of}[])", first + at)
    });
    format!("unnest({arrays}) AS t({})", list(&|_, name, _| name.to_owned()))
}

/// Rows for a [`table`].
pub(crate) struct Batch {
    rows: usize,
    text: Text,
}

enum Text {
    Json(String),
    /// What stands in each column, and whether there is anything but nothing.
    Lists(Vec<(String, bool)>),
}

impl Batch {
    pub(crate) fn new(sqlite: bool, columns: Columns) -> Self {
        let lists = || Text::Lists(vec![(String::from("{"), false); columns.len()]);
        Self { rows: 0, text: if sqlite { Text::Json("[".into()) } else { lists() } }
    }

    /// Adds a row: as many cells as there are columns, in their order.
    pub(crate) fn row<const N: usize>(&mut self, cells: [Cell<'_>; N]) {
        let first = self.rows == 0;
        self.rows += 1;
        match &mut self.text {
            Text::Json(json) => {
                json.push_str(if first { "[" } else { ",[" });
                for (at, cell) in cells.iter().enumerate() {
                    if at > 0 {
                        json.push(',');
                    }
                    json_cell(json, cell);
                }
                json.push(']');
            }
            Text::Lists(lists) => {
                debug_assert_eq!(lists.len(), N);
                for ((list, any), cell) in lists.iter_mut().zip(&cells) {
                    if !first {
                        list.push(',');
                    }
                    *any |= !matches!(cell, Cell::Null);
                    list_cell(list, cell);
                }
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Binds what [`table`] has counted parameters for.
    pub(crate) fn bind(self, query: Query<'_, Any, AnyArguments>) -> Query<'_, Any, AnyArguments> {
        match self.text {
            Text::Json(json) => query.bind(json + "]"),
            // A list that is shorter than others is filled up with nothing.
            Text::Lists(lists) => lists
                .into_iter()
                .fold(query, |query, (list, any)| query.bind(if any { list + "}" } else { "{}".into() })),
        }
    }
}

fn json_cell(json: &mut String, cell: &Cell<'_>) {
    match cell {
        Cell::Null => json.push_str("null"),
        Cell::Int(n) => drop(write!(json, "{n}")),
        Cell::Id(id) => drop(write!(json, "\"{id}\"")),
        // Text is always text: there is nothing in it that could not be written.
        Cell::Text(text) => json.push_str(&serde_json::Value::from(*text).to_string()),
    }
}

fn list_cell(list: &mut String, cell: &Cell<'_>) {
    match cell {
        Cell::Null => list.push_str("NULL"),
        Cell::Int(n) => drop(write!(list, "{n}")),
        Cell::Id(id) => drop(write!(list, "{id}")),
        Cell::Text(text) => {
            list.push('"');
            for part in text.split_inclusive(['"', '\\', '\0']) {
                match part.char_indices().next_back() {
                    // PostgreSQL has no text with this in it.
                    Some((at, '\0')) => list.extend([&part[..at], "\u{fffd}"]),
                    Some((at, '"' | '\\')) => list.extend([&part[..at], "\\", &part[at..]]),
                    _ => list.push_str(part),
                }
            }
            list.push('"');
        }
    }
}
