//! Reading and cancelling a task.

use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{Ask, id_of, views};
use crate::tasks::TaskStatus;

pub(super) async fn get(ask: Ask, Path(id): Path<String>) -> Response {
    let now = ask.now();
    let result = id_of(&id).and_then(|id| {
        let world = ask.read();
        let task = world.task_for(id, ask.around.user(), ask.around.is_provider(), now)?;
        Ok(views::task(&world, task, ask.base(), now))
    });
    ask.xml(200, "task", result)
}

/// Asks a task to stop. It ends at once as `canceled`, and what it would have made is not made.
pub(super) async fn cancel(ask: Ask, Path(id): Path<String>) -> Response {
    let provider = ask.around.is_provider();
    let result = ask
        .change(|c| {
            let id = id_of(&id)?;
            c.world.task_for(id, c.user, provider, c.now)?;
            if let Some(task) = c.world.tasks.get_mut(&id) {
                task.cancel_requested = true;
            }
            c.world.end_task(id, c.now, Some(TaskStatus::Canceled));
            Ok(())
        })
        .await;
    match result {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => refusal.into_xml(&ask.around.request_id),
    }
}
