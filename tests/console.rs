//! A server's screen through the whole way: the socket of a page, the ticket, the cloud's console.

use app::{
    policy::{self, Policy},
    request::Product,
};
use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Request, header},
};
use domain::{
    ServerId,
    state::{JobState, Role},
};
use futures::{SinkExt, StreamExt};
use provisioning::{ConsoleAnswer, Viewer};
use secrecy::ExposeSecret;
use slipway::{
    router::{self, Edge},
    wire,
};
use testkit::Plane;
use tokio::net::TcpListener;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};
use tower::ServiceExt;

struct Site {
    plane: Plane,
    app: Router,
    address: String,
}

impl Site {
    async fn start() -> Self {
        let plane = Plane::start(4).await;
        let product =
            Product { facade: plane.facade.clone(), demo: None, version: "test", config: Vec::new() };
        let edge = Edge { secure: false };
        let app = router::build(&product, &plane.store, &std::env::temp_dir(), edge).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(wire::serve(listener, app.clone(), std::future::pending()));
        Self { plane, app, address }
    }

    async fn post(&self, path: &str, cookie: &str, body: &str) -> Vec<String> {
        let request = Request::post(path)
            .header(header::HOST, "slipway.test")
            .header(header::ORIGIN, "http://slipway.test")
            .header(header::COOKIE, cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let response =
            self.app.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
        let cookies = response.headers().get_all(header::SET_COOKIE).iter();
        cookies.map(|c| c.to_str().unwrap().split(';').next().unwrap().to_owned()).collect()
    }

    async fn sign_in(&self, email: &str) -> String {
        self.post("/do/session_open", "", &format!("login={email}&password=correct+horse+battery"))
            .await
            .remove(0)
    }

    /// Opens the screen's socket, or says with what it was refused.
    async fn open(
        &self,
        server: ServerId,
        cookie: &str,
        origin: &str,
    ) -> Result<WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>, u16> {
        let url = format!("ws://{}{}", self.address, app::routes::console_socket(server));
        let mut request = url.into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert(header::COOKIE, HeaderValue::from_str(cookie).unwrap());
        headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("binary"));
        match connect_async(request).await {
            Ok((socket, answer)) => {
                assert_eq!(answer.headers()[header::SEC_WEBSOCKET_PROTOCOL], "binary");
                Ok(socket)
            }
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(e) => panic!("{e}"),
        }
    }

    async fn own(&self, server: ServerId, cookie: &str) -> Result<(), u16> {
        self.open(server, cookie, &format!("http://{}", self.address)).await.map(drop)
    }

    async fn server_of(&self, who: &Viewer) -> ServerId {
        let job = self.plane.order(who).await;
        self.plane.until(job, JobState::Succeeded).await.server.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn its_owner_sees_the_screen_and_types_and_nobody_else_does() {
    assert_eq!(
        policy::SOCKETS,
        [("/live/servers/{id}/console", Policy::Customer)],
        "one that is not tried here"
    );
    let site = Site::start().await;
    let anna = site.plane.viewer("anna@test", Role::Customer).await;
    for (email, role) in
        [("boris@test", Role::Customer), ("olga@test", Role::Support), ("viktor@test", Role::Admin)]
    {
        site.plane.viewer(email, role).await;
    }
    let server = site.server_of(&anna).await;
    let cookie = site.sign_in("anna@test").await;

    assert_eq!(site.own(server, "slipway=AAAAAAAAAAAAAAAAAAAAAA").await, Err(401));
    assert_eq!(site.own(server, &site.sign_in("boris@test").await).await, Err(404));
    for staff in ["olga@test", "viktor@test"] {
        assert_eq!(site.own(server, &site.sign_in(staff).await).await, Err(403), "{staff}");
    }
    // The cookie comes along from any page; the page does not.
    assert!(matches!(site.open(server, &cookie, "http://evil.test").await, Err(403)));

    // What the cloud gives is good once, and known to the server alone.
    let ConsoleAnswer::Ticket(ticket) = site.plane.facade.server_console(&anna, server).await.unwrap() else {
        panic!("no ticket")
    };
    let address = ticket.address.expose_secret();
    assert!(connect_async(address).await.is_ok());
    assert!(matches!(connect_async(address).await, Err(Error::Http(answer)) if answer.status() == 403));

    let own = format!("http://{}", site.address);
    let mut screen = site.open(server, &cookie, &own).await.unwrap();
    let next = async |screen: &mut WebSocketStream<_>| match screen.next().await {
        Some(Ok(Message::Binary(bytes))) => bytes,
        other => panic!("{other:?}"),
    };
    assert_eq!(next(&mut screen).await, b"RFB 003.008\n"[..]);
    screen.send(Message::binary(&b"RFB 003.008\n"[..])).await.unwrap();
    assert_eq!(next(&mut screen).await[..], [1, 1]);
    screen.send(Message::binary(&[1_u8, 1][..])).await.unwrap();
    let (width, height) = (640_u16.to_be_bytes(), 400_u16.to_be_bytes());
    let init = next(&mut screen).await;
    assert_eq!(init[4..8], [width, height].concat());
    let mut all = vec![3_u8, 0, 0, 0, 0, 0];
    all.extend([width, height].concat());
    screen.send(Message::binary(all.clone())).await.unwrap();
    assert_eq!(next(&mut screen).await[..4], [0, 0, 0, 25]);
    // A key that is typed changes the row it is typed in.
    all[1] = 1;
    screen.send(Message::binary(all)).await.unwrap();
    screen.send(Message::binary(&[4_u8, 1, 0, 0, 0, 0, 0, b'r'][..])).await.unwrap();
    assert_eq!(next(&mut screen).await[..4], [0, 0, 0, 1]);

    // A sign-out ends it.
    site.post("/do/session_close", &cookie, "").await;
    let ended = async { while let Some(Ok(Message::Binary(_) | Message::Ping(_))) = screen.next().await {} };
    tokio::time::timeout(std::time::Duration::from_secs(20), ended)
        .await
        .expect("a screen outlived its session");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_off_has_no_screen_and_one_that_goes_off_loses_it() {
    let site = Site::start().await;
    let anna = site.plane.viewer("anna@test", Role::Customer).await;
    let server = site.server_of(&anna).await;
    let cookie = site.sign_in("anna@test").await;
    let mut screen = site.open(server, &cookie, &format!("http://{}", site.address)).await.unwrap();
    let body = format!("server={server}&action=shut_down&key=1");
    site.post("/do/server_power", &cookie, &body).await;
    let ended = async { while let Some(Ok(Message::Binary(_) | Message::Ping(_))) = screen.next().await {} };
    tokio::time::timeout(std::time::Duration::from_secs(20), ended).await.expect("it is off");
    for _ in 0..200 {
        if site.own(server, &cookie).await == Err(409) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("it is off, and its screen is opened");
}
