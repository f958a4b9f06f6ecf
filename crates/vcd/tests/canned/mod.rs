//! A server that answers bytes, whatever they are.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use vcd::{Client, ClientConfig, Credentials};

/// What is answered to a request, given as `METHOD /path`. Nothing at all cuts the connection.
pub(crate) type Answers = dyn Fn(&str) -> Vec<u8> + Send + Sync;

pub(crate) struct Canned {
    pub(crate) url: String,
    pub(crate) requests: Arc<AtomicUsize>,
}

impl Canned {
    pub(crate) async fn start(answers: Arc<Answers>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = requests.clone();
        tokio::spawn(async move {
            loop {
                let Ok((mut stream, _)) = listener.accept().await else { continue };
                let (answers, counted) = (answers.clone(), counted.clone());
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    let mut byte = [0; 1];
                    while !head.ends_with(b"\r\n\r\n") {
                        match stream.read(&mut byte).await {
                            Ok(1) => head.push(byte[0]),
                            _ => return,
                        }
                    }
                    let head = String::from_utf8_lossy(&head).into_owned();
                    let line = head.lines().next().unwrap_or_default();
                    let request = line.rsplit_once(' ').map_or(line, |(r, _)| r);
                    let answer = match standard(request) {
                        Some(answer) => answer,
                        None => {
                            counted.fetch_add(1, Ordering::Relaxed);
                            answers(request)
                        }
                    };
                    let _ = stream.write_all(&answer).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Self { url, requests }
    }

    /// A server with one answer to everything but signing in.
    pub(crate) async fn with(answer: Vec<u8>) -> Self {
        Self::start(Arc::new(move |_: &str| answer.clone())).await
    }

    pub(crate) fn config(&self) -> ClientConfig {
        ClientConfig::new(&self.url, Credentials::password("u", "o", "hunter2-secret".to_owned().into()))
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.config()).unwrap()
    }

    pub(crate) fn count(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

/// Versions and signing in work as they should.
fn standard(request: &str) -> Option<Vec<u8>> {
    match request {
        "GET /api/versions" => Some(ok(
            "<SupportedVersions xmlns=\"http://www.vmware.com/vcloud/versions\"><VersionInfo><Version>38.1</Version>\
             </VersionInfo></SupportedVersions>",
        )),
        "POST /cloudapi/1.0.0/sessions" => Some(
            b"HTTP/1.1 200 OK\r\nX-VMWARE-VCLOUD-ACCESS-TOKEN: hunter2-token\r\ncontent-length: 2\r\n\r\n{}"
                .to_vec(),
        ),
        _ => None,
    }
}

pub(crate) fn ok(body: &str) -> Vec<u8> {
    status("200 OK", body)
}

pub(crate) fn status(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

pub(crate) const U: &str = "3f2504e0-4f89-11d3-9a0c-0305e82c3301";
