//! A page that takes long is not waited for in front of an empty window: whoever asked is told that it is still being
//! fetched, and gets it when he comes again, which the page that says so does by itself, without a script.
//!
//! What is fetched meanwhile is kept for the one request that it answers: the same address, asked for with the same cookies.
//! Forms, files and streams are none of this: they end in their own time.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use app::{policy, waiting_page};
use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, Method, header},
    middleware::Next,
    response::Response,
};
use tokio::task::JoinHandle;

use crate::guard;

/// Nobody looks at an empty window for longer.
const PATIENCE: Duration = Duration::from_millis(2_500);
/// Whoever has not come again by then has gone.
const KEPT: Duration = Duration::from_secs(60);
/// Pages that are fetched for somebody who will come again. Each takes its turn at the database.
const KEPT_MAX: usize = 256;

/// What answers a page: the same for the same.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Asked {
    address: String,
    cookies: Vec<Vec<u8>>,
    languages: Vec<Vec<u8>>,
}

type Fetching = Pin<Box<dyn Future<Output = Response> + Send>>;

/// Ends when nobody wants it any more.
struct Task(JoinHandle<Response>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Pages that are on their way.
#[derive(Clone, Default)]
pub(crate) struct Late(Arc<Mutex<HashMap<Asked, (Instant, Task)>>>);

impl Late {
    fn take(&self, asked: &Asked) -> Option<Fetching> {
        let (_, mut task) = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(asked)?;
        Some(Box::pin(async move {
            match (&mut task.0).await {
                Ok(page) => page,
                Err(end) => std::panic::resume_unwind(end.into_panic()),
            }
        }))
    }

    fn keep(&self, asked: Asked, fetching: Fetching) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let mut late = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        late.retain(|_, (since, _)| since.elapsed() < KEPT);
        if late.len() < KEPT_MAX {
            late.insert(asked, (Instant::now(), Task(runtime.spawn(fetching))));
        }
    }
}

/// Somebody who waits for a page, and may go before it is there.
struct Waits {
    late: Late,
    asked: Asked,
    fetching: Option<Fetching>,
    /// It has taken long already: it goes on without him.
    long: bool,
}

impl Drop for Waits {
    fn drop(&mut self) {
        if let Some(fetching) = self.fetching.take().filter(|_| self.long) {
            self.late.keep(self.asked.clone(), fetching);
        }
    }
}

pub(crate) async fn patience(State(late): State<Late>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let is_page = route.is_none_or(|r| policy::PAGES.iter().any(|(page, _)| *page == r.as_str()));
    if !is_page || request.method() != Method::GET {
        return next.run(request).await;
    }
    let lang = guard::language(request.headers());
    let asked = asked(&request);
    let before = late.take(&asked);
    let long = before.is_some();
    let fetching = before.unwrap_or_else(|| Box::pin(next.run(request)));
    let mut waits = Waits { late, asked, fetching: Some(fetching), long };
    let Some(fetching) = waits.fetching.as_mut() else { unreachable!() };
    match tokio::time::timeout(PATIENCE, fetching).await {
        Ok(page) => {
            waits.fetching = None;
            page
        }
        Err(_) => {
            waits.long = true;
            still_fetched(&waiting_page(lang))
        }
    }
}

fn asked(request: &Request) -> Asked {
    let all = |name| request.headers().get_all(name).iter().map(|v| v.as_bytes().to_vec()).collect();
    Asked {
        address: request.uri().path_and_query().map_or("/", |p| p.as_str()).to_owned(),
        cookies: all(header::COOKIE),
        languages: all(header::ACCEPT_LANGUAGE),
    }
}

fn still_fetched(page: &str) -> Response {
    let mut response = Response::new(Body::from(page.to_owned()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
