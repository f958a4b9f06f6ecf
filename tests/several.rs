//! Several servers are asked for at once: each by itself, once, and nobody else's.

use app::request::Product;
use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
};
use domain::{
    ServerId,
    state::{JobState, Role},
};
use provisioning::Viewer;
use slipway::router::{self, Edge};
use testkit::Plane;
use tower::ServiceExt;

async fn post(app: &Router, path: &str, cookie: &str, body: &str) -> axum::response::Response {
    let request = Request::post(path)
        .header(header::HOST, "slipway.test")
        .header(header::ORIGIN, "http://slipway.test")
        .header(header::COOKIE, cookie)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    app.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap()
}

async fn server(plane: &Plane, who: &Viewer) -> ServerId {
    let job = plane.order(who).await;
    plane.until(job, JobState::Succeeded).await.server.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_is_asked_once_and_one_that_is_not_ones_own_stops_all() {
    let plane = Plane::start(4).await;
    let anna = plane.viewer("anna@test", Role::Customer).await;
    let boris = plane.viewer("boris@test", Role::Customer).await;
    let servers = [server(&plane, &anna).await, server(&plane, &anna).await];
    let foreign = server(&plane, &boris).await;
    let product = Product { facade: plane.facade.clone(), demo: None, version: "test", config: Vec::new() };
    let app = router::build(&product, &plane.store, &std::env::temp_dir(), Edge { secure: false }).unwrap();
    let signed_in =
        post(&app, "/do/session_open", "", "login=anna@test&password=correct+horse+battery").await;
    let cookie =
        signed_in.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let powers = async |ids: &[ServerId], action: &str, key: &str| {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let body = format!("servers={}&action={action}&key={key}", ids.join(","));
        let status = post(&app, "/do/servers_power", &cookie, &body).await.status();
        let mut jobs = 0;
        for id in servers.iter().chain([&foreign]) {
            jobs += plane.store.jobs_of_server(*id, 20).await.unwrap().len();
        }
        (status, jobs)
    };
    // What loses data is asked for of one at a time; a foreign one, wherever it stands, stops all.
    let [one, two] = servers;
    for (ids, action) in [
        (vec![one, two], "force_off"),
        (vec![one, two], "reset"),
        (vec![one, foreign], "shut_down"),
        (vec![foreign, one], "shut_down"),
        (vec![one; 60], "shut_down"),
    ] {
        assert_eq!(powers(&ids, action, "a").await, (StatusCode::NOT_FOUND, 3), "{action} {}", ids.len());
    }
    assert_eq!(powers(&servers, "shut_down", "b").await, (StatusCode::SEE_OTHER, 5));
    // The same form, sent twice.
    assert_eq!(powers(&servers, "shut_down", "b").await, (StatusCode::SEE_OTHER, 5));
    for id in servers {
        let job = plane.store.jobs_of_server(id, 1).await.unwrap().remove(0);
        plane.until(job.id, JobState::Succeeded).await;
    }
}
