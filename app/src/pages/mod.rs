//! Every page, and what they have in common: who may see it, what goes wrong, and the document around it.

mod account;
mod errors;
mod home;
mod keys;
mod login;
pub(crate) mod operations;
mod order;
pub(crate) mod servers;
pub mod staff;

use std::future::Future;

use http::{HeaderName, HeaderValue, StatusCode, header};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use leptos_router::{
    SsrMode,
    components::{FlatRoutes, Route, Router},
    hooks::use_params_map,
    path,
};

pub use errors::{error_page, waiting_page};
pub(crate) use order::quote_texts;
pub use staff::AuditAsked;
pub(crate) use staff::help_of_page;

use crate::{
    request::{Memory, Request},
    routes,
    shell::{Frame, Page, content_security_policy, document},
};

/// Why a page cannot be shown.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Not there, or not the viewer's: the same answer.
    NotFound,
    Forbidden,
    /// It was there once. The page of what happened to it, if there is one.
    Gone {
        text: String,
        link: Option<(String, String)>,
    },
    /// Look there instead.
    Moved(String),
    /// A fault of ours.
    Ours(String),
}

impl<E: std::error::Error> From<E> for Fault {
    fn from(e: E) -> Self {
        Self::Ours(e.to_string())
    }
}

pub(crate) type Loaded = Result<Page, Fault>;

/// Parameters of the route.
pub(crate) struct Params(leptos_router::params::ParamsMap);

impl Params {
    fn none() -> Self {
        Self(leptos_router::params::ParamsMap::new())
    }

    /// An id in the address. One that is no id names nothing.
    pub(crate) fn id<T: std::str::FromStr>(&self, name: &str) -> Result<T, Fault> {
        self.0.get(name).and_then(|t| t.parse().ok()).ok_or(Fault::NotFound)
    }
}

/// All pages by their address. [`crate::policy::PAGES`] says who may see each.
#[component]
pub fn App() -> impl IntoView {
    view! {
        <Router>
            <FlatRoutes fallback=|| page_with(Params::none(), |_, _| async { Err(Fault::NotFound) })>
                <Route path=path!("/") view=|| page(home::home) ssr=SsrMode::Async/>
                <Route path=path!("/login") view=|| page(login::login) ssr=SsrMode::Async/>
                <Route path=path!("/servers") view=|| page(servers::list) ssr=SsrMode::Async/>
                <Route path=path!("/servers/confirm") view=|| page(servers::confirm_several) ssr=SsrMode::Async/>
                <Route path=path!("/servers/:id") view=|| page(servers::overview) ssr=SsrMode::Async/>
                <Route path=path!("/servers/:id/terminate") view=|| page(servers::terminate) ssr=SsrMode::Async/>
                <Route path=path!("/servers/:id/resize") view=|| page(servers::resize) ssr=SsrMode::Async/>
                <Route path=path!("/servers/:id/network") view=|| page(servers::network) ssr=SsrMode::Async/>
                <Route path=path!("/servers/:id/reinstall") view=|| page(servers::reinstall) ssr=SsrMode::Async/>
                <Route path=path!("/servers/:id/confirm") view=|| page(servers::confirm) ssr=SsrMode::Async/>
                <Route path=path!("/servers/:id/console") view=|| page(servers::console) ssr=SsrMode::Async/>
                <Route path=path!("/order/:draft/os") view=|| page(order::os) ssr=SsrMode::Async/>
                <Route path=path!("/order/:draft/panel") view=|| page(order::panel) ssr=SsrMode::Async/>
                <Route path=path!("/order/:draft/size") view=|| page(order::size) ssr=SsrMode::Async/>
                <Route path=path!("/order/:draft/access") view=|| page(order::access) ssr=SsrMode::Async/>
                <Route path=path!("/order/:draft/review") view=|| page(order::review) ssr=SsrMode::Async/>
                <Route path=path!("/operations") view=|| page(operations::list) ssr=SsrMode::Async/>
                <Route path=path!("/operations/:id") view=|| page(operations::one) ssr=SsrMode::Async/>
                <Route path=path!("/operations/:id/password") view=|| page(operations::password) ssr=SsrMode::Async/>
                <Route path=path!("/account") view=|| page(account::account) ssr=SsrMode::Async/>
                <Route path=path!("/keys") view=|| page(keys::keys) ssr=SsrMode::Async/>
                <Route path=path!("/staff") view=|| page(staff::overview) ssr=SsrMode::Async/>
                <Route path=path!("/staff/jobs") view=|| page(staff::jobs) ssr=SsrMode::Async/>
                <Route path=path!("/staff/jobs/rerun") view=|| page(staff::bulk) ssr=SsrMode::Async/>
                <Route path=path!("/staff/jobs/:id") view=|| page(staff::job) ssr=SsrMode::Async/>
                <Route path=path!("/staff/jobs/:id/confirm") view=|| page(staff::confirm) ssr=SsrMode::Async/>
                <Route path=path!("/staff/edges") view=|| page(staff::edges) ssr=SsrMode::Async/>
                <Route path=path!("/staff/edges/:id") view=|| page(staff::edge) ssr=SsrMode::Async/>
                <Route path=path!("/staff/edges/:id/confirm") view=|| page(staff::edge_confirm) ssr=SsrMode::Async/>
                <Route path=path!("/staff/vapps") view=|| page(staff::vapps) ssr=SsrMode::Async/>
                <Route path=path!("/staff/vapps/:id") view=|| page(staff::vapp) ssr=SsrMode::Async/>
                <Route path=path!("/staff/vapps/:id/confirm") view=|| page(staff::vapp_confirm) ssr=SsrMode::Async/>
                <Route path=path!("/staff/customers") view=|| page(staff::customers) ssr=SsrMode::Async/>
                <Route path=path!("/staff/customers/:id") view=|| page(staff::customer) ssr=SsrMode::Async/>
                <Route path=path!("/staff/drift") view=|| page(staff::drift) ssr=SsrMode::Async/>
                <Route path=path!("/staff/drift/confirm") view=|| page(staff::drift_confirm) ssr=SsrMode::Async/>
                <Route path=path!("/staff/catalogue/templates") view=|| page(staff::templates) ssr=SsrMode::Async/>
                <Route path=path!("/staff/catalogue/panels") view=|| page(staff::panels) ssr=SsrMode::Async/>
                <Route path=path!("/staff/catalogue/prices") view=|| page(staff::prices) ssr=SsrMode::Async/>
                <Route path=path!("/staff/system") view=|| page(staff::system) ssr=SsrMode::Async/>
                <Route path=path!("/staff/system/audit") view=|| page(staff::audit) ssr=SsrMode::Async/>
                <Route path=path!("/staff/help") view=|| page(staff::help) ssr=SsrMode::Async/>
            </FlatRoutes>
        </Router>
    }
}

/// The page of a route.
fn page<F, Fut>(load: F) -> AnyView
where
    F: FnOnce(Request, Params) -> Fut + Send + 'static,
    Fut: Future<Output = Loaded> + Send + 'static,
{
    page_with(Params(use_params_map().get_untracked()), load)
}

/// Loads a page and puts the document around it; a page that cannot be loaded becomes its error page.
fn page_with<F, Fut>(params: Params, load: F) -> AnyView
where
    F: FnOnce(Request, Params) -> Fut + Send + 'static,
    Fut: Future<Output = Loaded> + Send + 'static,
{
    let Some(request) = Request::current() else { return ().into_any() };
    let options = expect_context::<ResponseOptions>();
    set(&options, header::CONTENT_SECURITY_POLICY, &content_security_policy());
    let loading = async move {
        let loaded = if request.around.forbidden {
            Err(Fault::Forbidden)
        } else {
            load(request.clone(), params).await
        };
        let page = match loaded {
            Ok(page) => page,
            Err(Fault::Moved(to)) => {
                options.set_status(StatusCode::SEE_OTHER);
                set(&options, header::LOCATION, &to);
                return ().into_any();
            }
            Err(fault) => errors::of(&request, fault),
        };
        let cache = if page.secret { "no-store" } else { "private, no-cache" };
        set(&options, header::CACHE_CONTROL, cache);
        if page.status != 200 {
            options
                .set_status(StatusCode::from_u16(page.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
        }
        let frame = frame(request).await;
        document(frame, page)
    };
    Suspend::new(loading).into_any()
}

fn set(options: &ResponseOptions, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        options.insert_header(name, value);
    }
}

async fn frame(request: Request) -> Frame {
    let banner = Memory(&request.around.session).take_banner().await;
    let customer = request.around.viewer.as_ref().and_then(provisioning::Viewer::customer);
    let open = match customer {
        // The number beside a link is not worth an error page.
        Some(customer) => request.facade().operations_open_count(customer).await.unwrap_or(0),
        None => 0,
    };
    // Nor is this.
    let notices = request.facade().notices().await.unwrap_or_default();
    Frame { request, banner, open, notices }
}

impl Request {
    /// The viewer of a page that asks for one: the guard has let nobody else through.
    pub(crate) fn viewer(&self) -> Result<&provisioning::Viewer, Fault> {
        self.around.viewer.as_ref().ok_or_else(|| Fault::Moved(routes::LOGIN.into()))
    }

    pub(crate) fn customer(&self) -> Result<domain::CustomerId, Fault> {
        self.viewer()?.customer().ok_or(Fault::Forbidden)
    }
}
