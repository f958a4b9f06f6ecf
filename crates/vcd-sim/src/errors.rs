//! Refusals, in the words and the shape of either API family.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use uuid::Uuid;

use crate::xml::Element;

/// A refused request. Which family it is written for is decided when it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) minor: &'static str,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, minor: &'static str, message: impl Into<String>) -> Self {
        Self { status, minor, message: message.into() }
    }

    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, "BAD_REQUEST", message)
    }

    /// An id that is not there, or is not yours: the API does not tell.
    pub(crate) fn forbidden(kind: &str, id: Uuid) -> Self {
        Self::new(
            403,
            "ACCESS_TO_RESOURCE_IS_FORBIDDEN",
            format!("No access to entity \"com.vmware.vcloud.entity.{kind}:{id}\"."),
        )
    }

    pub(crate) fn stop_vapp(status: u16, name: &str) -> Self {
        let text = format!(
            "The requested operation could not be executed on vApp \"{name}\". Stop the vApp and try again."
        );
        Self::new(status, "INVALID_STATE", text)
    }

    pub(crate) fn not_running(name: &str) -> Self {
        let text =
            format!("The requested operation could not be executed since vApp \"{name}\" is not running.");
        Self::new(400, "INVALID_STATE", text)
    }

    pub(crate) fn into_xml(self, request_id: &str) -> Response {
        let message = format!("[ {request_id} ] {}", self.message);
        let body = Element::vcloud("Error")
            .attr("message", &message)
            .attr("majorErrorCode", self.status)
            .attr("minorErrorCode", self.minor)
            .document();
        respond(self.status, "application/vnd.vmware.vcloud.error+xml", body)
    }

    pub(crate) fn into_json(self, request_id: &str) -> Response {
        let message = format!("[ {request_id} ] {}", self.message);
        let body = serde_json::json!({"minorErrorCode": self.minor, "message": message, "stackTrace": null});
        respond(self.status, "application/json", body.to_string())
    }
}

pub(crate) fn respond(status: u16, content_type: &'static str, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static(content_type))], body).into_response()
}
