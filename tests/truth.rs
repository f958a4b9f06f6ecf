//! Pages while something is down: they are shown, they say what is the matter, and nothing of them is an error.

use std::time::{Duration, Instant};

use app::{policy, request::Product};
use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
};
use domain::state::{JobState, Role};
use futures::StreamExt as _;
use http_body_util::BodyExt;
use provisioning::{Facade, Offers, Viewer, demo_catalogue};
use slipway::router::{self, Edge};
use testkit::{Database, Plane, chaos::Proxy};
use tower::ServiceExt;

fn app(facade: Facade, store: &store::Store) -> Router {
    let product = Product { facade, demo: None, version: "test", config: Vec::new() };
    router::build(&product, store, &std::env::temp_dir(), Edge { secure: false }).unwrap()
}

async fn get(app: &Router, path: &str, cookie: &str) -> (StatusCode, String) {
    let request = Request::get(path)
        .header(header::HOST, "slipway.test")
        .header(header::ACCEPT, "text/html")
        .header(header::COOKIE, cookie);
    let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

async fn sign_in(app: &Router, email: &str) -> String {
    let body = format!("login={email}&password=correct+horse+battery");
    let request = Request::post("/do/session_open")
        .header(header::HOST, "slipway.test")
        .header(header::ORIGIN, "http://slipway.test")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let response = app.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    response.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned()
}

/// The addresses of every page that this role may see, of one server, one operation and one draft.
fn pages_of(role: Role, ids: &[String; 3]) -> Vec<String> {
    let mut paths = Vec::new();
    for (route, allowed) in policy::PAGES {
        if !allowed.allows(Some(role)) || *route == "/" || *route == "/staff" || *route == "/login" {
            continue;
        }
        let id = if route.contains("/servers") { 0 } else { 1 };
        let mut path = route.replace("{id}", &ids[id]).replace("{draft}", &ids[2]);
        if route.ends_with("/confirm") {
            path += "?do=reboot";
        }
        paths.push(path);
    }
    paths
}

/// All of them, asked for. None is a fault.
async fn pages(app: &Router, cookie: &str, role: Role, ids: &[String; 3]) -> Vec<(String, String)> {
    let mut shown = Vec::new();
    for path in pages_of(role, ids) {
        let (status, body) = get(app, &path, cookie).await;
        // Some lead elsewhere, or nowhere: none is a fault.
        assert!(status.as_u16() < 500, "{path}: {status} {body}");
        if status == StatusCode::OK {
            shown.push((path, body));
        }
    }
    assert!(shown.len() >= 8 || role != Role::Customer, "{}", shown.len());
    shown
}

/// A product with one server, one operation and one draft of Anna's: their ids, in the order that [`pages`] wants.
async fn one_of_each(plane: &Plane, anna: &Viewer) -> [String; 3] {
    plane.viewer("viktor@test", Role::Admin).await;
    let job = plane.order(anna).await;
    let server = plane.until(job, JobState::Succeeded).await.server.unwrap();
    let draft = plane.draft(anna).await;
    [server.to_string(), job.to_string(), draft.to_string()]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_platform_is_said_on_every_page_and_forgotten_when_it_answers() {
    let mut plane = Plane::start(4).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let ids = one_of_each(&plane, &anna).await;
    let app = app(plane.facade.clone(), &plane.store);
    let (cookie, staff) = (sign_in(&app, "anna@test").await, sign_in(&app, "viktor@test").await);
    const SAID: &str = "The virtualisation platform has not answered since";

    // Nobody carries out jobs, and the cloud does not answer.
    plane.stop_worker().await;
    provisioning::look(&plane.cut_off()).await.unwrap_err();
    for (role, cookie) in [(Role::Customer, &cookie), (Role::Admin, &staff)] {
        for (path, body) in pages(&app, cookie, role, &ids).await {
            assert!(body.contains(SAID), "{path}");
        }
    }
    // What is asked for now is accepted, waits, and says so.
    let waiting = plane.order(&anna).await;
    let (status, body) = get(&app, &format!("/operations/{waiting}"), &cookie).await;
    assert_eq!(status, StatusCode::OK);
    assert!(body.contains("In the queue"), "{body}");

    provisioning::look(&plane.control).await.unwrap();
    let (_, body) = get(&app, "/servers", &cookie).await;
    assert!(!body.contains(SAID));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_read_from_a_database_that_takes_no_writes() {
    let plane = Plane::start_on(Database::Postgres, 4).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let ids = one_of_each(&plane, &anna).await;
    let writable = app(plane.facade.clone(), &plane.store);
    let (cookie, staff) = (sign_in(&writable, "anna@test").await, sign_in(&writable, "viktor@test").await);
    // Both have not been seen for days: their sessions are to be extended, which cannot be written.
    let days_ago = "UPDATE session SET data = replace(data, '\"since\":', '\"since\":1,\"was\":')";
    plane.by_hand(days_ago).await;
    let store = plane.read_only().await;
    let facade = Facade::over(
        store.clone(),
        Offers::new(demo_catalogue().unwrap()),
        std::sync::Arc::new(jobs::SystemClock),
    );
    let app = app(facade, &store);
    pages(&app, &cookie, Role::Customer, &ids).await;
    pages(&app, &staff, Role::Admin, &ids).await;
    // Where it can be, it is, once.
    let sessions = async || plane.store.session_texts().await.unwrap();
    assert!(sessions().await.iter().all(|s| !s.contains("extended")));
    get(&writable, "/servers", &cookie).await;
    let once = sessions().await;
    assert_eq!(once.iter().filter(|s| s.contains("extended")).count(), 1, "{once:?}");
    get(&writable, "/servers", &cookie).await;
    assert_eq!(sessions().await, once, "a page that is read writes nothing");
    // A change is refused as a fault of ours: said on the page, nothing half done.
    let request = Request::post("/do/server_rename")
        .header(header::HOST, "slipway.test")
        .header(header::ORIGIN, "http://slipway.test")
        .header(header::COOKIE, &cookie)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let body = Body::from(format!("server={}&name=other", ids[0]));
    let response = app.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    assert!(matches!(response.status(), StatusCode::SEE_OTHER | StatusCode::INTERNAL_SERVER_ERROR));
    assert_eq!(plane.store.server(ids[0].parse().unwrap()).await.unwrap().unwrap().name, "web-01");
}

/// Each statement takes two seconds, and a page needs several: nobody looks at an empty window, and the page
/// comes in the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_database_keeps_nobody_in_front_of_an_empty_window() {
    const SAID: &str = "This page takes longer than usual";
    let plane = Plane::start_on(Database::Postgres, 4).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let ids = one_of_each(&plane, &anna).await;
    let proxy = Proxy::start(plane.database()).await;
    let store = plane.store_at(&proxy.over(plane.database())).await;
    let facade = Facade::over(
        store.clone(),
        Offers::new(demo_catalogue().unwrap()),
        std::sync::Arc::new(jobs::SystemClock),
    );
    let app = app(facade, &store);
    let (cookie, staff) = (sign_in(&app, "anna@test").await, sign_in(&app, "viktor@test").await);
    let usual = get(&app, "/account", &cookie).await.1;
    assert!(!usual.contains(SAID));
    proxy.slow(Duration::from_secs(2));

    let (mut came_again, began) = (0, Instant::now());
    let body = loop {
        let (status, body) = get(&app, "/servers", &cookie).await;
        assert_eq!(status, StatusCode::OK);
        if !body.contains(SAID) {
            break body;
        }
        came_again += 1;
        assert!(began.elapsed() < Duration::from_secs(120), "it never came");
    };
    assert!(body.contains("web-01"), "{body}");
    assert!(came_again > 1, "it was not slow");

    // Every page is answered before it can be there.
    for (role, cookie) in [(Role::Customer, &cookie), (Role::Admin, &staff)] {
        let asked = futures::stream::iter(pages_of(role, &ids)).map(async |path| {
            let (status, body) = get(&app, &path, cookie).await;
            assert_eq!(status, StatusCode::OK, "{path}");
            assert!(body.contains(SAID), "{path}: {body}");
        });
        asked.buffer_unordered(16).collect::<Vec<()>>().await;
    }
    // Once it is quick again, so are the pages.
    proxy.slow(Duration::ZERO);
    let again = async { while get(&app, "/account", &cookie).await.1.contains(SAID) {} };
    tokio::time::timeout(Duration::from_secs(30), again).await.expect("it stays slow");
}
