//! Reading a task.

use axum::{
    Extension,
    extract::{Path, State},
    response::Response,
};

use super::{id_of, views, xml};
use crate::{
    errors::Refusal,
    server::{Around, Simulator},
};

pub(super) async fn get(
    State(sim): State<Simulator>,
    Extension(around): Extension<Around>,
    Path(id): Path<String>,
) -> Response {
    let world = sim.read();
    let result = id_of(&id).and_then(|id| {
        let task = world.tasks.get(&id).ok_or_else(|| Refusal::forbidden("task", id))?;
        Ok(views::task(task, &around.base, sim.now()))
    });
    xml(&around, 200, "task", result)
}
