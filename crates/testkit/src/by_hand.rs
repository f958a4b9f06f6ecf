//! What somebody with a database client may do to the rows, past every rule of the product.

use sqlx::{AnyConnection, Connection};

/// Runs one statement on a database that a store has opened in this process.
pub(crate) async fn run(url: &str, sql: &'static str) {
    let mut connection = AnyConnection::connect(url).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
}
