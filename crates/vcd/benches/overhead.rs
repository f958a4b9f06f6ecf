//! What the SDK costs a call, beside the HTTP client it uses, against the same server in the same run.
#![allow(clippy::print_stdout)]

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use vcd::{Client, ClientConfig, Credentials, TaskId};

const CALLS: usize = 3000;
const ROUNDS: usize = 5;
const U: &str = "3f2504e0-4f89-11d3-9a0c-0305e82c3301";

/// Answers every request of a connection with a task, except those that sign in.
async fn serve(listener: TcpListener) {
    let task = format!(
        "<Task xmlns=\"http://www.vmware.com/vcloud/v1.5\" status=\"running\" operationName=\"vappDeploy\" \
         href=\"https://h/api/task/{U}\"><Owner href=\"https://h/x\"/><Progress>7</Progress></Task>"
    );
    let versions =
        "<SupportedVersions><VersionInfo><Version>38.1</Version></VersionInfo></SupportedVersions>";
    let answer = |extra: &str, body: &str| {
        format!("HTTP/1.1 200 OK\r\n{extra}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
    };
    let (task, versions) = (answer("", &task), answer("", versions));
    let session = answer("x-vmware-vcloud-access-token: t\r\n", "{}");
    loop {
        let Ok((mut stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let (task, versions, session) = (task.clone(), versions.clone(), session.clone());
        tokio::spawn(async move {
            let mut buffer = vec![0; 16 << 10];
            let mut held = 0;
            while let Ok(n @ 1..) = stream.read(&mut buffer[held..]).await {
                held += n;
                if !buffer[..held].ends_with(b"\r\n\r\n") {
                    continue;
                }
                let answer = match &buffer[..held] {
                    head if head.starts_with(b"GET /api/versions") => &versions,
                    head if head.starts_with(b"POST") => &session,
                    _ => &task,
                };
                held = 0;
                if stream.write_all(answer).await.is_err() {
                    break;
                }
            }
        });
    }
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(serve(listener));
        let credentials = Credentials::password("u", "o", "p".to_owned().into());
        let client = Client::new(ClientConfig::new(&url, credentials)).expect("a client");
        let http = reqwest::Client::builder().tcp_nodelay(true).build().expect("a client");
        let (task, path): (TaskId, _) = (U.parse().expect("an id"), format!("{url}/api/task/{U}"));
        let mut best = (Duration::MAX, Duration::MAX);
        for _ in 0..ROUNDS {
            let started = Instant::now();
            for _ in 0..CALLS {
                let answer = http.get(&path).bearer_auth("t").send().await.expect("an answer");
                answer.text().await.expect("a body");
            }
            best.0 = best.0.min(started.elapsed() / CALLS as u32);
            let started = Instant::now();
            for _ in 0..CALLS {
                client.task(task).await.expect("a task");
            }
            best.1 = best.1.min(started.elapsed() / CALLS as u32);
        }
        println!("a call, best of {ROUNDS} rounds of {CALLS}:");
        println!("  raw reqwest      {:>8.1} us", best.0.as_secs_f64() * 1e6);
        println!("  SDK, decoded     {:>8.1} us", best.1.as_secs_f64() * 1e6);
        let (overhead, ratio) = (best.1.saturating_sub(best.0), best.1.as_secs_f64() / best.0.as_secs_f64());
        println!(
            "  overhead         {:>8.1} us  (x{ratio:.2}; goal: at most 1000 us)",
            overhead.as_secs_f64() * 1e6
        );
    });
}
