//! The check that every write of a worker begins with.

use domain::{CustomerId, JobId};
use jobs::Fence;

use crate::{
    db::Conn,
    error::{Error, Result},
    events,
};

/// Locks the context's row, whose version it raises as pages that show the customer will have to change, and then the job's,
/// if the fence is the newest claim; says whose job it is. Every other statement of the transaction is then covered by it.
///
/// Always in this order, as whoever cancels or accepts begins with the context too. On SQLite the whole database is locked
/// already.
pub(crate) async fn hold(tx: &mut Conn, fence: Fence) -> Result<(JobId, CustomerId)> {
    let customer = CustomerId(fence.context);
    events::next_version(tx, customer).await?;
    let row = sqlx::query(
        "UPDATE job SET epoch = epoch WHERE id = $1 AND epoch = $2 AND context_id = $3
             AND state IN ('running', 'rolling_back') RETURNING id",
    )
    .bind(fence.job.to_string())
    .bind(fence.epoch)
    .bind(customer.to_string())
    .fetch_optional(tx)
    .await?;
    row.map(|_| (JobId(fence.job), customer)).ok_or(Error::Fenced)
}
