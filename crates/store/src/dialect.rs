//! Statements over many rows at once. The rows travel as one JSON text, which both databases take apart, each in its way.

/// A statement whose text differs between the two databases.
#[derive(Clone, Copy)]
pub(crate) struct Sql {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

impl Sql {
    pub(crate) const fn of(self, sqlite: bool) -> &'static str {
        if sqlite { self.sqlite } else { self.postgres }
    }
}

/// `rows!("UPDATE … FROM ", ["id" TEXT, "n" BIGINT], " WHERE …")`: between the two texts stand the rows of `$1`, named `t`.
macro_rules! rows {
    ($before:expr, [$($column:literal $kind:ident),+ $(,)?], $after:expr) => {
        crate::dialect::Sql {
            sqlite: concat!(
                $before, "(SELECT ", rows!(@json $($column,)+), " FROM json_each($1)) AS t", $after
            ),
            postgres: concat!(
                $before, "jsonb_to_recordset(CAST($1 AS jsonb)) AS t(", rows!(@typed $($column $kind,)+), ")", $after
            ),
        }
    };
    (@json $column:literal, $($rest:literal,)*) => {
        concat!("value ->> '", $column, "' AS ", $column $(, ", value ->> '", $rest, "' AS ", $rest)*)
    };
    (@typed $column:literal $kind:ident, $($rest:literal $restkind:ident,)*) => {
        concat!($column, " ", stringify!($kind) $(, ", ", $rest, " ", stringify!($restkind))*)
    };
}
pub(crate) use rows;

/// `listed!("SELECT … WHERE id IN ", " ORDER BY …")`: between the two texts stand the members of the JSON list `$1`. What
/// is given third is added on PostgreSQL only: a lock, which SQLite has already.
macro_rules! listed {
    ($before:expr, $after:expr) => {
        listed!($before, $after, "")
    };
    ($before:expr, $after:expr, $lock:expr) => {
        crate::dialect::Sql {
            sqlite: concat!($before, "(SELECT value FROM json_each($1))", $after),
            postgres: concat!(
                $before,
                "(SELECT jsonb_array_elements_text(CAST($1 AS jsonb)))",
                $after,
                $lock
            ),
        }
    };
}
pub(crate) use listed;

/// `looked_up!("SELECT … FROM job", "id", "")`: the rows whose column is among the members of the JSON list `$1`, each looked
/// up by itself on PostgreSQL, whatever its planner believes of the table. The last is an order, by names of columns.
macro_rules! looked_up {
    ($select:expr, $table:literal, $column:literal, $order:expr) => {
        crate::dialect::Sql {
            sqlite: concat!(
                $select, " FROM ", $table, " WHERE ", $column, " IN (SELECT value FROM json_each($1))", $order
            ),
            postgres: concat!(
                "SELECT one.* FROM jsonb_array_elements_text(CAST($1 AS jsonb)) AS wanted(id) CROSS JOIN LATERAL (",
                $select, " FROM ", $table, " WHERE ", $column, " = wanted.id", $order, " OFFSET 0) AS one"
            ),
        }
    };
}
pub(crate) use looked_up;

/// The ids as the JSON list that [`listed!`] takes.
pub(crate) fn list<T: std::fmt::Display>(ids: impl IntoIterator<Item = T>) -> String {
    let quoted: Vec<String> = ids.into_iter().map(|id| format!("\"{id}\"")).collect();
    format!("[{}]", quoted.join(","))
}
