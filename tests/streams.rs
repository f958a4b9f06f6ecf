//! Live pages through a thousand disconnects: what a reader has seen grows, and ends at what is.

use app::request::Product;
use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
};
use domain::state::{JobState, Role};
use futures::StreamExt;
use slipway::{
    router::{self, Edge},
    wire,
};
use testkit::Plane;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower::ServiceExt;

async fn sign_in(app: &Router, email: &str) -> String {
    let body = format!("login={email}&password=correct+horse+battery");
    let request = Request::post("/do/session_open")
        .header(header::HOST, "slipway.test")
        .header(header::ORIGIN, "http://slipway.test")
        .header(header::ACCEPT, "text/html")
        .header(header::CONTENT_LENGTH, body.len())
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let response = app.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    response.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned()
}

/// What it answers to a browser that takes packed pages.
async fn packed(app: &Router, cookie: &str, path: &str) -> Option<String> {
    let request = Request::get(path)
        .header(header::HOST, "slipway.test")
        .header(header::COOKIE, cookie)
        .header(header::ACCEPT_ENCODING, "gzip, br");
    let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    response.headers().get(header::CONTENT_ENCODING).map(|v| v.to_str().unwrap().to_owned())
}

/// Connects with the version that was seen last, waits a moment for the first event, and is cut off. Returns its version and
/// what it holds.
async fn glance(app: &Router, cookie: &str, path: &str, last: i64) -> Option<(i64, String)> {
    let request = Request::get(path)
        .header(header::HOST, "slipway.test")
        .header(header::COOKIE, cookie)
        .header("last-event-id", last.to_string());
    let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = response.into_body().into_data_stream();
    let moment = std::time::Duration::from_millis(30);
    let mut text = String::new();
    while !text.contains("\n\n") {
        let chunk = tokio::time::timeout(moment, body.next()).await.ok()??.ok()?;
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    let field = |name: &str| text.lines().find_map(|l| l.strip_prefix(name)).map(str::trim);
    Some((field("id:")?.parse().ok()?, field("data:")?.to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_disconnects_lose_nothing_and_show_nothing_twice() {
    let plane = Plane::start(4).await;
    let product = Product { facade: plane.facade.clone(), demo: None, version: "test", config: Vec::new() };
    let app = router::build(&product, &plane.store, &std::env::temp_dir(), Edge { secure: false }).unwrap();
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let cookie = sign_in(&app, "anna@test").await;
    let job = plane.order(&anna).await;
    let path = format!("/live/operations/{job}");
    let (mut seen, mut last, mut events) = (Vec::new(), 0, 0);
    for _ in 0..1000 {
        if let Some((version, data)) = glance(&app, &cookie, &path, last).await {
            assert!(version > last, "version {version} after {last}: shown twice, or out of order");
            (last, events) = (version, events + 1);
            seen.push(data);
        }
    }
    assert!(events > 3, "only {events} events were seen");
    let newest = plane.store.context_version(anna.customer().unwrap()).await.unwrap();
    assert_eq!(last, newest, "the last that was seen is the last that there is");
    assert!(seen.last().unwrap().contains("state-line"), "a snapshot holds the whole page");
    assert_eq!(packed(&app, &cookie, &format!("/operations/{job}")).await.as_deref(), Some("br"));
    assert_eq!(packed(&app, &cookie, &path).await, None, "a stream is sent as it comes");

    // Where no stream comes through, the same values are asked for.
    let request = Request::get(&path)
        .header(header::HOST, "slipway.test")
        .header(header::COOKIE, &cookie)
        .header(header::ACCEPT, "application/json");
    let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let asked: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let streamed: serde_json::Value = serde_json::from_str(seen.last().unwrap()).unwrap();
    assert_eq!(asked["values"], streamed["values"]);
}

/// The next event of a stream that has a body: its name and its data.
async fn event(body: &mut axum::body::BodyDataStream) -> (String, String) {
    let mut text = String::new();
    while !text.contains("\n\n") || !text.contains("data:") {
        let chunk = tokio::time::timeout(std::time::Duration::from_secs(10), body.next());
        let chunk = chunk.await.expect("a stream says nothing").unwrap().unwrap();
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    let field =
        |name: &str| text.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_default().trim().to_owned();
    (field("event:"), field("data:"))
}

/// Tabs of one reader share what is rendered; each change reaches each of them, as it is and not as it was.
#[tokio::test(flavor = "multi_thread")]
async fn every_tab_of_a_reader_hears_of_every_change() {
    let mut plane = Plane::start(4).await;
    plane.stop_worker().await;
    let product = Product { facade: plane.facade.clone(), demo: None, version: "test", config: Vec::new() };
    let app = router::build(&product, &plane.store, &std::env::temp_dir(), Edge { secure: false }).unwrap();
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let cookie = sign_in(&app, "anna@test").await;
    plane.order(&anna).await;
    let mut tabs = Vec::new();
    for _ in 0..5 {
        let request = Request::get("/live/operations")
            .header(header::HOST, "slipway.test")
            .header(header::COOKIE, &cookie);
        let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let mut body = response.into_body().into_data_stream();
        assert_eq!(event(&mut body).await.0, "snapshot");
        tabs.push(body);
    }
    for open in 2..12 {
        let job = plane.order(&anna).await;
        for (tab, body) in tabs.iter_mut().enumerate() {
            let (name, data) = event(body).await;
            assert_eq!(name, "patch");
            assert!(data.contains(&job.to_string()), "tab {tab} was not told of operation {open}");
            let data: serde_json::Value = serde_json::from_str(&data).unwrap();
            let values = data["values"].as_array().unwrap();
            let count = values.iter().find(|v| v[0] == "open").expect("the number in the header");
            assert_eq!(count[1], open.to_string());
        }
    }
}

/// What a stream says within so long.
async fn said(body: &mut axum::body::BodyDataStream, within: std::time::Duration) -> String {
    let mut text = String::new();
    let until = tokio::time::Instant::now() + within;
    while let Ok(Some(Ok(chunk))) = tokio::time::timeout_at(until, body.next()).await {
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    text
}

/// What has ended is told of once, on pages that show something else.
#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_told_of_once_and_not_on_its_own_page() {
    const A_WHILE: std::time::Duration = std::time::Duration::from_millis(700);
    let mut plane = Plane::start(4).await;
    plane.stop_worker().await;
    let product = Product { facade: plane.facade.clone(), demo: None, version: "test", config: Vec::new() };
    let app = router::build(&product, &plane.store, &std::env::temp_dir(), Edge { secure: false }).unwrap();
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let boris = plane.viewer("boris@test", Role::Customer).await;
    let cookies = [sign_in(&app, "anna@test").await, sign_in(&app, "boris@test").await];
    let [first, second] = [plane.order(&anna).await, plane.order(&anna).await];
    plane.order(&boris).await;
    let open = async |path: String, cookie: &str| {
        let request = Request::get(path).header(header::HOST, "slipway.test").header(header::COOKIE, cookie);
        let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let mut body = response.into_body().into_data_stream();
        said(&mut body, A_WHILE).await;
        body
    };
    let mut servers = open("/live/servers".into(), &cookies[0]).await;
    let mut own = open(format!("/live/operations/{second}"), &cookies[0]).await;
    let mut list = open("/live/operations".into(), &cookies[0]).await;
    let mut foreign = open("/live/servers".into(), &cookies[1]).await;
    let toasts = |text: &str| text.matches("event: toast").count();
    plane.facade.operation_cancel(&anna, second).await.unwrap();
    let told = said(&mut servers, A_WHILE).await;
    assert!(toasts(&told) == 1 && told.contains(&second.to_string()), "{told}");
    for body in [&mut own, &mut list, &mut foreign] {
        assert_eq!(toasts(&said(body, A_WHILE).await), 0);
    }
    // Something else happens: what was told is not told again, what is new is.
    plane.order(&anna).await;
    assert_eq!(toasts(&said(&mut servers, A_WHILE).await), 0);
    plane.facade.operation_cancel(&anna, first).await.unwrap();
    let told = said(&mut servers, A_WHILE).await;
    assert!(
        toasts(&told) == 1 && told.contains(&first.to_string()) && !told.contains(&second.to_string()),
        "{told}"
    );
}

/// What is rendered once for several is never another customer's.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_shared_is_the_readers_own() {
    const A_WHILE: std::time::Duration = std::time::Duration::from_millis(700);
    let mut plane = Plane::start(4).await;
    plane.stop_worker().await;
    let product = Product { facade: plane.facade.clone(), demo: None, version: "test", config: Vec::new() };
    let app = router::build(&product, &plane.store, &std::env::temp_dir(), Edge { secure: false }).unwrap();
    let mut streams = Vec::new();
    let mut servers = Vec::new();
    let mut cookies = Vec::new();
    for email in ["anna@test", "boris@test"] {
        let viewer = plane.viewer(email, Role::Customer).await;
        let job = plane.order(&viewer).await;
        servers.push(plane.job(job).await.server.unwrap().to_string());
        cookies.push(sign_in(&app, email).await);
    }
    // Both are open before either is read: the second finds a rendering that is as new as it wants.
    for cookie in &cookies {
        let request = Request::get("/live/servers").header(header::HOST, "slipway.test");
        let request = request.header(header::COOKIE, cookie).body(Body::empty()).unwrap();
        streams.push(app.clone().oneshot(request).await.unwrap().into_body().into_data_stream());
    }
    for (own, other) in [(0, 1), (1, 0)] {
        let told = said(&mut streams[own], A_WHILE).await;
        assert!(told.contains(&servers[own]) && !told.contains(&servers[other]), "{told}");
    }
}

/// The staff's list: its rows stay, as they are now, and what is newer waits; and a job's own page hears of its customer.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_jobs_keeps_its_rows_and_counts_what_is_newer() {
    const A_WHILE: std::time::Duration = std::time::Duration::from_millis(2500);
    let mut plane = Plane::start(4).await;
    plane.stop_worker().await;
    let product = Product { facade: plane.facade.clone(), demo: None, version: "test", config: Vec::new() };
    let app = router::build(&product, &plane.store, &std::env::temp_dir(), Edge { secure: false }).unwrap();
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let boris = plane.viewer("boris@test", Role::Customer).await;
    plane.viewer("olga@test", Role::Support).await;
    plane.viewer("petra@test", Role::Support).await;
    let [one, two] = [plane.order(&anna).await, plane.order(&boris).await];
    let numbers = [plane.job(one).await.number, plane.job(two).await.number];
    let open = async |path: String, cookie: &str| {
        let request = Request::get(path).header(header::HOST, "slipway.test").header(header::COOKIE, cookie);
        let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let mut body = response.into_body().into_data_stream();
        let first = said(&mut body, std::time::Duration::from_millis(700)).await;
        (body, first)
    };
    let cookies = [sign_in(&app, "olga@test").await, sign_in(&app, "petra@test").await];
    let list =
        |q: &str| format!("/live/staff/jobs?shown={},{}&q={q}&above={}", numbers[1], numbers[0], numbers[1]);
    let mut lists = Vec::new();
    for cookie in &cookies {
        let (body, first) = open(list("state%3Aqueued"), cookie).await;
        assert!(
            first.contains(&format!("state-{one}")) && first.contains(&format!("state-{two}")),
            "{first}"
        );
        assert!(!first.contains(" new."), "{first}");
        lists.push(body);
    }
    let (mut done, _) = open(list("state%3Asucceeded"), &cookies[0]).await;
    let (mut page, _) = open(format!("/live/staff/jobs/{one}"), &cookies[0]).await;
    // One is not queued any more: it stays, and says so. One is newer, and is only counted.
    plane.facade.operation_cancel(&anna, one).await.unwrap();
    let third = plane.order(&boris).await;
    for body in &mut lists {
        let told = said(body, A_WHILE).await;
        assert!(told.contains(&format!("state-{one}")) && told.contains("Cancelled"), "{told}");
        assert!(told.contains("1 new.") && !told.contains(&third.to_string()), "{told}");
    }
    // It asks for others: nothing of them is new.
    let told = said(&mut done, A_WHILE).await;
    assert!(told.contains("Cancelled") && !told.contains(" new."), "{told}");
    let told = said(&mut page, A_WHILE).await;
    assert!(told.contains("Cancelled"), "{told}");
}

/// Two transactions of one customer cannot commit out of the order of their versions: the second waits for the first.
#[tokio::test(flavor = "multi_thread")]
async fn versions_are_committed_in_their_order() {
    let plane = Plane::start_on(testkit::Database::Postgres, 2).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let order = plane.order(&anna).await;
    plane.until(order, JobState::Succeeded).await;
    let customer = anna.customer().unwrap();
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let (store, stop) = (plane.store.clone(), stop.clone());
            tokio::spawn(async move {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    store.load_more(customer, domain::kind::Kind::Refresh, &[], 0).await.unwrap();
                }
            })
        })
        .collect();
    // Whatever a reader has seen of the log, nothing older appears in it later.
    let mut before: Vec<i64> = Vec::new();
    for _ in 0..200 {
        let now = plane.store.context_log(customer).await.unwrap();
        assert!(now.starts_with(&before), "an older event appeared after a newer one was seen");
        assert!(now.windows(2).all(|w| w[0] < w[1]));
        before = now;
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    assert!(before.len() > 20, "only {} events", before.len());
}

/// Reads of a connection until this has come. Returns everything so far.
async fn read_until(socket: &mut TcpStream, what: &str) -> String {
    let (mut text, mut some) = (String::new(), [0; 4096]);
    while !text.contains(what) {
        let read = tokio::time::timeout(std::time::Duration::from_secs(10), socket.read(&mut some));
        let n = read.await.unwrap_or_else(|_| panic!("{what:?} does not come: {text}")).unwrap();
        assert!(n > 0, "the connection ended before {what:?}: {text}");
        text.push_str(&String::from_utf8_lossy(&some[..n]));
    }
    text
}

/// A stream takes its connection over: what was before it on the connection is answered, what is said comes as it is, a reader who
/// leaves gives his place back, and the program need not wait for readers to stop.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_takes_its_connection_over() {
    let plane = Plane::start(4).await;
    let product = Product { facade: plane.facade.clone(), demo: None, version: "test", config: Vec::new() };
    let app = router::build(&product, &plane.store, &std::env::temp_dir(), Edge { secure: false }).unwrap();
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let cookie = sign_in(&app, "anna@test").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(wire::serve(listener, app, async {
        let _ = stopped.await;
    }));
    let ask = |method: &str, path: &str| {
        format!("{method} {path} HTTP/1.1\r\nHost: slipway.test\r\nCookie: {cookie}\r\n\r\n")
    };
    let open = async || {
        let mut socket = TcpStream::connect(address).await.unwrap();
        // In two parts, as it may come.
        let asked = ask("GET", "/live/operations");
        let (first, rest) = asked.split_at(30);
        socket.write_all(first.as_bytes()).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        socket.write_all(rest.as_bytes()).await.unwrap();
        let head = read_until(&mut socket, "\r\n\r\n").await;
        (socket, head)
    };

    // On a connection that was used before, and only to who asks for what it says.
    let mut first = TcpStream::connect(address).await.unwrap();
    first.write_all(ask("GET", "/healthz").as_bytes()).await.unwrap();
    assert!(read_until(&mut first, "ok\n").await.starts_with("HTTP/1.1 200 OK"));
    first.write_all(ask("HEAD", "/live/operations").as_bytes()).await.unwrap();
    read_until(&mut first, "\r\n\r\n").await;
    first.write_all(ask("GET", "/live/operations").as_bytes()).await.unwrap();
    let head = read_until(&mut first, "\n\n").await;
    assert!(head.starts_with("HTTP/1.0 200 OK"), "{head}");
    assert!(head.contains("text/event-stream") && !head.contains("transfer-encoding"), "{head}");
    assert!(head.contains("nosniff"), "it has every header of ours: {head}");
    plane.order(&anna).await;
    let patch = read_until(&mut first, "event: patch").await;
    assert!(
        patch.starts_with("event:") || patch.starts_with("id:") || patch.starts_with("retry:"),
        "{patch}"
    );

    // The account's other places are taken; one more is refused, until a reader leaves.
    let mut others = Vec::new();
    for _ in 1..20 {
        let (socket, head) = open().await;
        assert!(head.contains(" 200 "), "{head}");
        others.push(socket);
    }
    assert!(open().await.1.contains(" 429 "));
    others.pop();
    let mut let_in = false;
    for _ in 0..100 {
        let (socket, head) = open().await;
        if head.contains(" 200 ") {
            others.push(socket);
            let_in = true;
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(let_in, "who leaves gives his place back");

    stop.send(()).unwrap();
    let ends = tokio::time::timeout(std::time::Duration::from_secs(10), serving);
    ends.await.expect("streams keep it from ending").unwrap();
    for mut socket in others {
        let rest = tokio::time::timeout(std::time::Duration::from_secs(10), async {
            let mut all = Vec::new();
            socket.read_to_end(&mut all).await
        });
        rest.await.expect("a stream goes on after the program has stopped").unwrap();
    }
}
