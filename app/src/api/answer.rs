//! How a form is answered: 303, with what must be said kept in the session.

use domain::CustomerId;
use http::{HeaderName, HeaderValue, StatusCode, header};
use leptos::prelude::{ServerFnError, expect_context};
use leptos_axum::ResponseOptions;
use provisioning::Viewer;

use crate::{
    i18n::t,
    request::{Memory, Request},
    routes,
};

/// The caller of a function, as the guard let it through.
pub(super) struct Caller {
    pub(super) request: Request,
    options: ResponseOptions,
}

/// Why a function could not answer: a fault of ours.
pub(super) struct Fault(String);

impl<E: std::fmt::Display> From<E> for Fault {
    fn from(e: E) -> Self {
        Self(e.to_string())
    }
}

impl Caller {
    pub(super) fn current() -> Result<Self, ServerFnError> {
        let request = Request::current().ok_or_else(|| ServerFnError::new("no request"))?;
        Ok(Self { request, options: expect_context::<ResponseOptions>() })
    }

    pub(super) fn memory(&self) -> Memory<'_> {
        Memory(&self.request.around.session)
    }

    /// The guard has seen to it that there is one where the policy asks for it.
    pub(super) fn viewer(&self) -> Result<&Viewer, Fault> {
        self.request.around.viewer.as_ref().ok_or_else(|| Fault("no viewer".into()))
    }

    pub(super) fn customer(&self) -> Result<CustomerId, Fault> {
        self.viewer()?.customer().ok_or_else(|| Fault("no customer".into()))
    }

    /// The key of a form, or a new one where it came without.
    pub(super) fn form_key(&self, key: &str) -> String {
        let key: String = key.chars().take(64).collect();
        if key.is_empty() { self.request.facade().form_key() } else { key }
    }

    /// Leads to a local address.
    pub(super) fn see_other(&self, to: &str) {
        let to = routes::local(to.split('#').next().unwrap_or_default()).map_or("/", |_| to);
        self.options.set_status(StatusCode::SEE_OTHER);
        if let Ok(value) = HeaderValue::from_str(to) {
            self.options.insert_header(header::LOCATION, value);
        }
    }

    pub(super) fn header(&self, name: HeaderName, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.options.append_header(name, value);
        }
    }

    /// Nothing of the kind that the form names: the same for what is not there and for what is somebody else's.
    pub(super) fn not_found(&self) {
        self.options.set_status(StatusCode::NOT_FOUND);
    }

    /// Ends a function: a fault becomes a banner on the page the form came from, with the request's id.
    pub(super) async fn finish(self, result: Result<(), Fault>) -> Result<(), ServerFnError> {
        if let Err(Fault(why)) = result {
            let id = &self.request.around.request_id;
            tracing::error!(request = id, "a form could not be answered: {why}");
            let text = t!(self.request.lang(), "fault-banner", id = id.as_str());
            self.memory().banner(true, text).await;
            self.see_other(&format!("{}#flash", came_from()));
        }
        Ok(())
    }
}

/// The path of the page a form stands on, if it is one of ours.
pub(super) fn came_from() -> String {
    let parts = expect_context::<http::request::Parts>();
    parts
        .headers
        .get(header::REFERER)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.parse::<http::Uri>().ok())
        .and_then(|uri| uri.path_and_query().map(|p| p.as_str().to_owned()))
        .filter(|p| routes::local(p).is_some())
        .unwrap_or_else(|| "/".into())
}
