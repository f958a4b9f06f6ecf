//! Answers that are broken or meant to harm: each ends in a typed error, within limits, and soon.

use std::{sync::Arc, time::Duration};

use crate::canned::{Canned, U, ok, status};
use vcd::{Client, Effect, ErrorKind, Query, TaskId, VappId, VdcId, WaitOptions};

fn vapp() -> VappId {
    U.parse().unwrap()
}

/// The kind of error that reading a vApp ends in, within five seconds.
async fn reading(client: &Client) -> ErrorKind {
    let read = tokio::time::timeout(Duration::from_secs(5), client.vapp(vapp()));
    read.await.expect("it hangs").expect_err("it was taken for an answer").kind
}

#[tokio::test]
async fn broken_documents() {
    let deep = format!("{}{}", "<a>".repeat(200_000), "</a>".repeat(200_000));
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><VApp name=\"&b;\"/>";
    let vapp = |inner: &str| {
        format!("<VApp href=\"https://h/api/vApp/vapp-{U}\" name=\"a\" status=\"4\">{inner}</VApp>")
    };
    let documents = [
        String::new(),
        "<".into(),
        "<VApp".into(),
        "{\"json\": true}".into(),
        deep,
        bomb.into(),
        vapp("<Children>")[..40].to_owned(),
        "<VApp/>".into(),
        format!("<VApp href=\"https://h/api/vApp/vapp-{U}\" name=\"a\" status=\"four\"/>"),
        "<VApp href=\"https://h/api/vApp/vapp-1\" name=\"a\" status=\"4\"/>".into(),
        vapp("<Children><Vm/></Children>"),
        vapp("<Tasks><Task status=\"levitating\" href=\"x\"/></Tasks>"),
        vapp("<NetworkConfigSection><NetworkConfig/></NetworkConfigSection>"),
        vapp("<Children><Vm href=\"https://h/api/vApp/vm-x\" name=\"v\" status=\"4\"/></Children>"),
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\u{feff}<x/>\u{0}".into(),
        // What parsing, or copying, would pay with its stack or with its square.
        vapp(&format!(
            "<NetworkConfigSection>{}{}</NetworkConfigSection>",
            "<NetworkConfig>".repeat(5_000),
            "</NetworkConfig>".repeat(5_000)
        )),
        vapp(&format!("<a {}/>", (0..100_000).map(|i| format!("a{i}=\"\" ")).collect::<String>())),
        vapp(&format!("<a {}/>", (0..100_000).map(|i| format!("xmlns:a{i}=\"u{i}\" ")).collect::<String>())),
    ];
    for document in documents {
        let server = Canned::with(ok(&document)).await;
        let shown: String = document.chars().take(60).collect();
        assert_eq!(reading(&server.client()).await, ErrorKind::Protocol, "{shown}");
    }
    let server = Canned::with(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n\xff\xfe<a".to_vec()).await;
    assert_eq!(reading(&server.client()).await, ErrorKind::Protocol, "no UTF-8");
}

#[tokio::test]
async fn broken_connections() {
    for cut in [
        b"".to_vec(),
        b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n<VApp".to_vec(),
        b"nonsense\r\n\r\n".to_vec(),
    ] {
        let server = Canned::with(cut).await;
        let error = server.client().vapp(vapp()).await.unwrap_err();
        assert_eq!((error.kind, error.effect), (ErrorKind::Transport, Effect::MaybeDone));
    }
    let nobody = Client::new(vcd::ClientConfig::new(
        "http://127.0.0.1:9",
        vcd::Credentials::password("u", "o", "p".to_owned().into()),
    ));
    let error = nobody.unwrap().vapp(vapp()).await.unwrap_err();
    assert_eq!((error.kind, error.effect), (ErrorKind::Transport, Effect::NotSent));
}

#[tokio::test]
async fn huge_answers_are_not_read() {
    let mut chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..64 {
        chunked.extend_from_slice(b"10000\r\n");
        chunked.extend(std::iter::repeat_n(b'a', 0x10000));
        chunked.extend_from_slice(b"\r\n");
    }
    let announced = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n".to_vec();
    for answer in [chunked, announced] {
        let server = Canned::with(answer).await;
        let mut config = server.config();
        config.max_answer_bytes = 1 << 20;
        let error = Client::new(config).unwrap().vapp(vapp()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Protocol);
        assert!(error.message.contains("larger than 1048576"), "{error}");
    }
}

#[tokio::test]
async fn a_redirect_takes_the_session_nowhere() {
    let thief = Canned::with(ok("<VApp/>")).await;
    let answer = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: {}/api\r\ncontent-length: 0\r\n\r\n",
        thief.url
    );
    let server = Canned::with(answer.into_bytes()).await;
    let error = server.client().vapp(vapp()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Protocol);
    assert!(error.message.contains("redirects"), "{error}");
    assert_eq!(thief.count(), 0);
}

#[tokio::test]
async fn a_service_that_does_not_answer() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut config =
        vcd::ClientConfig::new(&url, vcd::Credentials::password("u", "o", "p".to_owned().into()));
    config.timeout = Duration::from_millis(200);
    let error = Client::new(config).unwrap().vapp(vapp()).await.unwrap_err();
    assert!(error.message.contains("did not answer in time"), "{error}");
    assert_eq!(error.effect, Effect::NotSent, "it never came to what was asked for");
}

#[tokio::test]
async fn lists_that_never_end_or_never_settle() {
    let vdc: VdcId = U.parse().unwrap();
    let edge =
        |n: usize| format!("{{\"id\":\"urn:vcloud:gateway:{U}\",\"name\":\"e{n}\",\"status\":\"REALIZED\"}}");
    let same = format!("{{\"resultTotal\": 500, \"values\": [{}]}}", edge(1));
    let server = Canned::with(ok(&same)).await;
    let read = tokio::time::timeout(Duration::from_secs(20), server.client().edges(vdc)).await;
    assert_eq!(read.expect("it hangs").unwrap_err().kind, ErrorKind::Protocol);
    let empty = Canned::with(ok("{\"resultTotal\": 500, \"values\": []}")).await;
    assert_eq!(empty.client().edges(vdc).await.unwrap_err().kind, ErrorKind::Protocol);
    for wrong in [
        "{}",
        "[]",
        "{\"resultTotal\": \"many\", \"values\": 7}",
        "{\"resultTotal\": 1, \"values\": [{\"id\": 7}]}",
    ] {
        let server = Canned::with(ok(wrong)).await;
        assert_eq!(server.client().edges(vdc).await.unwrap_err().kind, ErrorKind::Protocol, "{wrong}");
    }
    let records =
        Canned::with(ok("<QueryResultRecords total=\"9\"><VMRecord href=\"x\"/></QueryResultRecords>")).await;
    assert_eq!(records.client().query(&Query::new("vm")).await.unwrap_err().kind, ErrorKind::Protocol);
}

#[tokio::test]
async fn changes_without_a_task() {
    let task_elsewhere = format!("<Task href=\"https://h/api/vApp/vapp-{U}\"/>");
    for answer in [ok(""), ok("<VApp/>"), ok(&task_elsewhere), status("202 Accepted", "<Task/>")] {
        let server = Canned::with(answer).await;
        let error = server.client().vapp_delete(vapp()).await.unwrap_err();
        assert_eq!((error.kind, error.effect), (ErrorKind::Protocol, Effect::MaybeDone));
    }
    let server = Canned::with(status("202 Accepted", "")).await;
    let error = server.client().network_delete(U.parse().unwrap()).await.unwrap_err();
    assert!(error.message.contains("without a Location"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_ends_whatever_happens() {
    let task: TaskId = U.parse().unwrap();
    let quick = WaitOptions {
        deadline: Duration::from_millis(300),
        first_pause: Duration::from_millis(10),
        longest_pause: Duration::from_millis(20),
        patience: 3,
    };
    let running = format!("<Task href=\"https://h/api/task/{U}\" status=\"running\"/>");
    let cases = [
        (ok(&running), ErrorKind::Timeout),
        (ok(&running.replace("running", "canceled")), ErrorKind::TaskFailed),
        (ok(&running.replace("running", "aborted")), ErrorKind::TaskFailed),
        (ok(&running.replace("running", "error")), ErrorKind::TaskFailed),
        (status("503 Service Unavailable", ""), ErrorKind::Service),
        (
            status(
                "403 Forbidden",
                "<Error minorErrorCode=\"ACCESS_TO_RESOURCE_IS_FORBIDDEN\" message=\"no\"/>",
            ),
            ErrorKind::NotFound,
        ),
        (status("401 Unauthorized", ""), ErrorKind::Denied),
        (ok("<"), ErrorKind::Protocol),
        (Vec::new(), ErrorKind::Transport),
    ];
    for (answer, kind) in cases {
        let shown = String::from_utf8_lossy(&answer).into_owned();
        let server = Canned::with(answer).await;
        let waited =
            tokio::time::timeout(Duration::from_secs(5), server.client().task_wait(task, quick)).await;
        assert_eq!(waited.expect("it hangs").unwrap_err().kind, kind, "{shown}");
    }
    // A read that hangs is no reason to wait longer.
    let listener = Canned::start(Arc::new(|_: &str| {
        std::thread::sleep(Duration::from_secs(2));
        Vec::new()
    }))
    .await;
    let client = listener.client();
    client.sign_in().await.unwrap();
    let started = std::time::Instant::now();
    assert_eq!(client.task_wait(task, quick).await.unwrap_err().kind, ErrorKind::Timeout);
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
}

/// What is read to be sent back is not copied blindly either: a disk edit, an attach and a detach.
#[tokio::test]
async fn a_deep_document_is_not_copied() {
    let deep = format!("{}{}", "<StorageProfile>".repeat(3_000), "</StorageProfile>".repeat(3_000));
    let vm = format!(
        "<Vm href=\"https://h/api/vApp/vm-{U}\" name=\"a\" status=\"8\"><VmSpecSection><DiskSection><DiskSettings>\
         <DiskId>2000</DiskId><SizeMb>1</SizeMb><UnitNumber>0</UnitNumber><BusNumber>0</BusNumber>\
         <AdapterType>5</AdapterType>{deep}</DiskSettings></DiskSection></VmSpecSection></Vm>"
    );
    let server = Canned::with(ok(&vm)).await;
    let disks = vcd::DiskEdit::new().grow(2000, 2);
    let change = vcd::Reconfigure { disks, ..vcd::Reconfigure::default() };
    let error = server.client().vm_reconfigure(U.parse().unwrap(), &change).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Protocol);
    let section = format!(
        "<NetworkConfigSection><NetworkConfig networkName=\"n\">{deep}</NetworkConfig></NetworkConfigSection>"
    );
    let vapp_body =
        format!("<VApp href=\"https://h/api/vApp/vapp-{U}\" name=\"a\" status=\"4\">{section}</VApp>");
    for body in [section, vapp_body] {
        let server = Canned::with(ok(&body)).await;
        let error =
            server.client().vapp_networks_attach(vapp(), &[("m", U.parse().unwrap())]).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Protocol);
    }
}

/// A session that is said to last for ever is one without a known end.
#[tokio::test]
async fn a_token_that_lasts_for_ever() {
    let body = format!("{{\"access_token\": \"t\", \"expires_in\": {}}}", u64::MAX);
    let server = Canned::with(ok(&body)).await;
    let token = vcd::Credentials::api_token("acme", "r".to_owned().into());
    let mut config = vcd::ClientConfig::new(&server.url, token);
    config.api_version = Some("38.0".parse().unwrap());
    Client::new(config).unwrap().sign_in().await.unwrap();
}

/// A thousand requests with a wrong password are one wrong password.
#[tokio::test]
async fn a_refused_sign_in_is_asked_once() {
    let asked = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = asked.clone();
    let server = Canned::start(Arc::new(move |request: &str| {
        if request.contains("/oauth/") {
            counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(100));
        }
        status("401 Unauthorized", "")
    }))
    .await;
    let mut config =
        vcd::ClientConfig::new(&server.url, vcd::Credentials::api_token("acme", "r".to_owned().into()));
    config.api_version = Some("38.0".parse().unwrap());
    let client = Client::new(config).unwrap();
    let mut waiting = Vec::new();
    for _ in 0..1000 {
        let client = client.clone();
        waiting.push(tokio::spawn(async move { client.vapp(vapp()).await.unwrap_err().kind }));
    }
    for one in waiting {
        assert_eq!(one.await.unwrap(), ErrorKind::Denied);
    }
    assert!(asked.load(std::sync::atomic::Ordering::Relaxed) <= 3, "{asked:?}");
}
