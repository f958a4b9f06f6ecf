//! Many rows on their way into one statement, as each database takes them apart with the least work: PostgreSQL a list for
//! each column, or where they are few each value by itself, SQLite one JSON text of lists. Taking objects apart was a quarter
//! of a busy turn on PostgreSQL and half of one on SQLite ([0024](../../../docs/decisions/0024-two-turns-at-once.md)).
//!
//! The rows of rare statements travel as JSON objects by their names ([`crate::dialect`]).

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

impl Type {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "TEXT",
            Self::Int => "BIGINT",
        }
    }
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

/// How rows travel.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// One JSON text of lists, for SQLite.
    Json,
    /// A list for each column, for PostgreSQL.
    Lists,
    /// Each value is a parameter, for PostgreSQL: the text of the statement says how many rows there are.
    Values,
}

/// `rows` rows with these columns as a table `t` of a statement's text. `next` is the number of the next parameter.
pub(crate) fn table(form: Form, columns: Columns, rows: usize, next: &mut usize) -> String {
    let list = |text: &dyn Fn(usize, &str, &str) -> String| {
        let each = columns.iter().enumerate().map(|(at, (name, of))| text(at, name, of.name()));
        each.collect::<Vec<_>>().join(", ")
    };
    let names = list(&|_, name, _| name.to_owned());
    let first = *next;
    match form {
        Form::Json => {
            *next += 1;
            let columns = list(&|at, name, _| format!("row ->> {at} AS {name}"));
            // Rows as the text was parsed, each made once: `json_each` would write them out as texts again. Made before they are joined:
            // a planner that thinks little of the other table would parse the text for each row of that.
            format!(
                "(WITH one AS MATERIALIZED (SELECT value AS row FROM jsonb_each(${first})) SELECT {columns} FROM one) AS t"
            )
        }
        Form::Lists => {
            *next += columns.len();
            let lists = list(&|at, _, of| format!("CAST(${} AS {of}[])", first + at));
            format!("unnest({lists}) AS t({names})")
        }
        Form::Values => {
            *next += rows * columns.len();
            let row = |row: usize| {
                let first = first + row * columns.len();
                format!("({})", list(&|at, _, of| format!("CAST(${} AS {of})", first + at)))
            };
            format!("(VALUES {}) AS t({names})", (0..rows).map(row).collect::<Vec<_>>().join(", "))
        }
    }
}

/// Rows for a [`table`].
pub(crate) struct Batch {
    rows: usize,
    columns: Columns,
    text: Text,
}

enum Text {
    Json(String),
    /// What stands in each column, and whether there is anything but nothing.
    Lists(Vec<(String, bool)>),
    Values(Vec<Value>),
}

enum Value {
    Int(Option<i64>),
    Text(Option<String>),
}

impl Batch {
    pub(crate) fn new(form: Form, columns: Columns) -> Self {
        let text = match form {
            Form::Json => Text::Json("[".into()),
            Form::Lists => Text::Lists(vec![(String::from("{"), false); columns.len()]),
            Form::Values => Text::Values(Vec::new()),
        };
        Self { rows: 0, columns, text }
    }

    /// Adds a row: as many cells as there are columns, in their order.
    pub(crate) fn row<const N: usize>(&mut self, cells: [Cell<'_>; N]) {
        debug_assert_eq!(self.columns.len(), N);
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
                for ((list, any), cell) in lists.iter_mut().zip(&cells) {
                    if !first {
                        list.push(',');
                    }
                    *any |= !matches!(cell, Cell::Null);
                    list_cell(list, cell);
                }
            }
            Text::Values(values) => {
                values.extend(self.columns.iter().zip(&cells).map(|((_, of), cell)| value(*of, cell)));
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// Binds what [`table`] has counted parameters for.
    pub(crate) fn bind(self, query: Query<'_, Any, AnyArguments>) -> Query<'_, Any, AnyArguments> {
        match self.text {
            Text::Json(json) => query.bind(json + "]"),
            // A list that is shorter than others is filled up with nothing.
            Text::Lists(lists) => lists
                .into_iter()
                .fold(query, |query, (list, any)| query.bind(if any { list + "}" } else { "{}".into() })),
            Text::Values(values) => values.into_iter().fold(query, |query, value| match value {
                Value::Int(n) => query.bind(n),
                Value::Text(text) => query.bind(text),
            }),
        }
    }
}

fn value(of: Type, cell: &Cell<'_>) -> Value {
    match (of, cell) {
        (Type::Int, Cell::Int(n)) => Value::Int(Some(*n)),
        (Type::Int, other) => {
            debug_assert!(matches!(other, Cell::Null), "no number");
            Value::Int(None)
        }
        (Type::Text, Cell::Null) => Value::Text(None),
        (Type::Text, Cell::Int(n)) => Value::Text(Some(n.to_string())),
        (Type::Text, Cell::Id(id)) => Value::Text(Some(id.to_string())),
        (Type::Text, Cell::Text(text)) => Value::Text(Some(text.replace('\0', NO_TEXT))),
    }
}

/// Stands for what PostgreSQL has in no text, and SQLite ends one at.
const NO_TEXT: &str = "\u{fffd}";

fn json_cell(json: &mut String, cell: &Cell<'_>) {
    match cell {
        Cell::Null => json.push_str("null"),
        Cell::Int(n) => drop(write!(json, "{n}")),
        Cell::Id(id) => drop(write!(json, "\"{id}\"")),
        Cell::Text(text) => json.push_str(&serde_json::Value::from(text.replace('\0', NO_TEXT)).to_string()),
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
                    Some((at, '\0')) => list.extend([&part[..at], NO_TEXT]),
                    Some((at, '"' | '\\')) => list.extend([&part[..at], "\\", &part[at..]]),
                    _ => list.push_str(part),
                }
            }
            list.push('"');
        }
    }
}
