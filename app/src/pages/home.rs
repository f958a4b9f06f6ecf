//! `/`: not a page, but the way to one.

use super::{Fault, Loaded, Params};
use crate::{request::Request, routes};

pub(super) async fn home(request: Request, _: Params) -> Loaded {
    Err(Fault::Moved(match &request.around.viewer {
        None => routes::LOGIN.into(),
        Some(v) if v.role().is_staff() => routes::STAFF.into(),
        Some(_) => routes::SERVERS.into(),
    }))
}
