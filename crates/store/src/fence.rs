//! The check that every write of a worker begins with.

use domain::{CustomerId, JobId};
use jobs::Fence;

use crate::{
    db::Conn,
    error::{Error, Result},
    row::Columns,
};

/// Locks the context's row and then the job's, if the fence is the newest claim, and says whose job it is. Every other
/// statement of the transaction is then covered by it.
///
/// Always in this order, as whoever cancels or accepts begins with the context too. On SQLite the whole database is locked
/// already.
pub(crate) async fn hold(tx: &mut Conn, fence: Fence) -> Result<(JobId, CustomerId)> {
    sqlx::query(
        "UPDATE context SET version = version
         WHERE customer_id = (SELECT context_id FROM job WHERE id = $1)",
    )
    .bind(fence.job.to_string())
    .execute(&mut *tx)
    .await?;
    let row = sqlx::query(
        "UPDATE job SET epoch = epoch WHERE id = $1 AND epoch = $2 AND state IN ('running', 'rolling_back')
         RETURNING context_id",
    )
    .bind(fence.job.to_string())
    .bind(fence.epoch)
    .fetch_optional(tx)
    .await?;
    match row {
        Some(row) => Ok((JobId(fence.job), row.id("context_id")?)),
        None => Err(Error::Fenced),
    }
}
