//! A page that takes long is not waited for in front of an empty window: whoever asked is told that it is still being
//! fetched, and gets it when he comes again, which the page that says so does by itself, without a script.
//!
//! What is fetched meanwhile is kept for the one request that it answers: the same address, asked for with the same cookies,
//! before anything else is done with them. A form that comes with them, the one that signs out among them, makes whatever was
//! being fetched a thing of the past. Forms, files and streams are not kept themselves: they end in their own time.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
/// Whoever has not come again by then has gone: the page that tells him to wait asks after two seconds.
const KEPT: Duration = Duration::from_secs(10);
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
#[derive(Clone)]
pub(crate) struct Late {
    pages: Arc<Mutex<HashMap<Asked, (Instant, Task)>>>,
    patience: Duration,
    kept: Duration,
}

impl Default for Late {
    fn default() -> Self {
        Self { pages: Arc::default(), patience: PATIENCE, kept: KEPT }
    }
}

impl Late {
    fn pages(&self) -> MutexGuard<'_, HashMap<Asked, (Instant, Task)>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, asked: &Asked) -> Option<Fetching> {
        let mut late = self.pages();
        late.retain(|_, (since, _)| since.elapsed() < self.kept);
        let (_, mut task) = late.remove(asked)?;
        Some(Box::pin(async move {
            match (&mut task.0).await {
                Ok(page) => page,
                Err(end) => std::panic::resume_unwind(end.into_panic()),
            }
        }))
    }

    /// Something is done with these cookies: what was fetched before shows what is no longer so.
    fn forget(&self, cookies: &[Vec<u8>]) {
        self.pages().retain(|asked, _| asked.cookies != cookies);
    }

    fn keep(&self, asked: Asked, fetching: Fetching) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let mut late = self.pages();
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
    let asked = asked(&request);
    if request.method() == Method::POST {
        let answer = next.run(request).await;
        late.forget(&asked.cookies);
        return answer;
    }
    let route = request.extensions().get::<MatchedPath>();
    let is_page = route.is_none_or(|r| policy::PAGES.iter().any(|(page, _)| *page == r.as_str()));
    if !is_page || request.method() != Method::GET {
        return next.run(request).await;
    }
    let lang = guard::language(request.headers());
    let (patience, before) = (late.patience, late.take(&asked));
    let mut waits = Waits { late, asked, long: before.is_some(), fetching: before };
    let fetching = waits.fetching.get_or_insert_with(|| Box::pin(next.run(request)));
    match tokio::time::timeout(patience, fetching).await {
        Ok(page) => {
            waits.fetching = None;
            page
        }
        Err(_) => {
            waits.long = true;
            still_fetched(waiting_page(lang))
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

fn still_fetched(page: String) -> Response {
    let mut response = Response::new(Body::from(page));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use axum::{
        Router,
        middleware::from_fn_with_state,
        routing::{get, post},
    };
    use http_body_util::BodyExt;
    use tokio::sync::Semaphore;
    use tower::ServiceExt;

    use super::*;

    /// A page and a file that are there once the test says so, and say for whom they were fetched and how many were before.
    struct Slow {
        app: Router,
        ready: Arc<Semaphore>,
    }

    fn slow(kept: Duration) -> Slow {
        let (ready, fetched) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicU32::new(0)));
        let waits = ready.clone();
        let page = move |request: Request| {
            let (waits, n) = (waits.clone(), fetched.fetch_add(1, Ordering::SeqCst));
            async move {
                let _ready = waits.acquire().await;
                format!("{:?} {n}", request.headers().get(header::COOKIE))
            }
        };
        let late = Late { patience: Duration::from_millis(100), kept, ..Late::default() };
        let app = Router::new()
            .route(app::routes::SERVERS, get(page.clone()))
            .route(app::routes::SERVER_RDP, get(page))
            .route("/do/something", post(|| async {}))
            .layer(from_fn_with_state(late, patience));
        Slow { app, ready }
    }

    impl Slow {
        async fn ask(&self, path: &str, cookie: &str, language: &str) -> String {
            let request =
                Request::get(path).header(header::COOKIE, cookie).header(header::ACCEPT_LANGUAGE, language);
            let answer = self.app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            String::from_utf8_lossy(&body).into_owned()
        }

        async fn is_told_to_wait(&self, cookie: &str) -> bool {
            waits(&self.ask(app::routes::SERVERS, cookie, "en").await)
        }

        /// Asks until the page is there, as the page that says to wait does.
        async fn gets(&self, cookie: &str) -> String {
            self.ready.add_permits(1);
            loop {
                let page = self.ask(app::routes::SERVERS, cookie, "en").await;
                if !waits(&page) {
                    return page;
                }
            }
        }
    }

    fn waits(page: &str) -> bool {
        page.contains("http-equiv=\"refresh\"")
    }

    const LONG: Duration = Duration::from_secs(600);

    #[tokio::test]
    async fn whoever_waits_is_told_and_gets_the_page_that_was_begun() {
        let slow = slow(LONG);
        assert!(slow.is_told_to_wait("a=1").await);
        assert!(slow.is_told_to_wait("a=1").await);
        assert_eq!(slow.gets("a=1").await, "Some(\"a=1\") 0");
        // It was one answer to one question.
        assert_eq!(slow.gets("a=1").await, "Some(\"a=1\") 1");
    }

    #[tokio::test]
    async fn nobody_gets_what_another_waits_for() {
        let slow = slow(LONG);
        assert!(slow.is_told_to_wait("a=1").await);
        assert!(slow.is_told_to_wait("a=2").await);
        let russian = slow.ask(app::routes::SERVERS, "a=1", "ru").await;
        assert!(waits(&russian) && russian.contains("lang=\"ru\""), "{russian}");
        assert!(waits(&slow.ask("/servers?q=web", "a=1", "en").await));
        slow.ready.add_permits(9);
        assert_eq!(slow.gets("a=2").await, "Some(\"a=2\") 1");
        assert_eq!(slow.gets("a=1").await, "Some(\"a=1\") 0");
        let russian = slow.ask(app::routes::SERVERS, "a=1", "ru").await;
        assert_eq!(russian, "Some(\"a=1\") 2");
    }

    #[tokio::test]
    async fn what_was_fetched_before_a_form_is_not_shown_after_it() {
        let slow = slow(LONG);
        assert!(slow.is_told_to_wait("a=1").await);
        assert!(slow.is_told_to_wait("a=2").await);
        let form = Request::post("/do/something").header(header::COOKIE, "a=1");
        slow.app.clone().oneshot(form.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(slow.gets("a=2").await, "Some(\"a=2\") 1", "it was another's form");
        assert_eq!(slow.gets("a=1").await, "Some(\"a=1\") 2");
    }

    #[tokio::test]
    async fn what_nobody_came_for_is_not_shown_later() {
        let slow = slow(Duration::from_millis(50));
        assert!(slow.is_told_to_wait("a=1").await);
        tokio::time::sleep(Duration::from_millis(100)).await;
        slow.ready.add_permits(9);
        assert_eq!(slow.gets("a=1").await, "Some(\"a=1\") 1");
    }

    #[tokio::test]
    async fn a_file_comes_in_its_own_time() {
        let slow = slow(LONG);
        let path = app::routes::SERVER_RDP.replace("{id}", "1");
        let file = slow.ask(&path, "a=1", "en");
        let late = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            slow.ready.add_permits(1);
        };
        let (file, ()) = tokio::join!(file, late);
        assert_eq!(file, "Some(\"a=1\") 0");
    }
}
