//! How much the simulator takes: task polls a second, and the memory of a large cloud. It runs in a process of its own.
#![allow(clippy::print_stdout)]

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use vcd_sim::{Config, Simulator};

const CONNECTIONS: usize = 16;
const SECONDS: u64 = 5;
const VAPPS: usize = 100;
const VMS_EACH: usize = 100;

#[allow(
    clippy::zombie_processes,
    reason = "a failed measurement ends the program, and the child's input with it"
)]
fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    if std::env::args().any(|a| a == "serve") {
        runtime.block_on(serve());
        return;
    }
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .arg("serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the simulator");
    let mut address = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut address).expect("its address");
    runtime.block_on(measure(address.trim(), child.id()));
    let _ = child.kill();
    let _ = child.wait();
}

async fn serve() {
    let sim = Simulator::open(Config { stepped: true, ..Config::default() }).expect("a cloud");
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    println!("{}", listener.local_addr().expect("an address"));
    let _ = sim.serve(listener).await;
}

/// One connection that asks and waits for the answer.
struct Asker {
    stream: TcpStream,
    host: String,
    token: String,
    buffer: Vec<u8>,
}

impl Asker {
    async fn new(address: &str, token: &str) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        let _ = stream.set_nodelay(true);
        Self { stream, host: address.into(), token: token.into(), buffer: Vec::new() }
    }

    /// The head and the body of the answer.
    async fn ask(&mut self, method: &str, path: &str, extra: &str, body: &str) -> (String, String) {
        let family = if path.starts_with("/api") { "*+xml" } else { "json" };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\naccept: application/{family};version=38.1\r\n\
             authorization: Bearer {}\r\n{extra}content-length: {}\r\n\r\n{body}",
            self.host,
            self.token,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await.expect("sent");
        self.buffer.clear();
        loop {
            assert!(self.stream.read_buf(&mut self.buffer).await.expect("an answer") > 0, "cut");
            let Some(end) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&self.buffer[..end]).to_lowercase();
            let length = head.lines().find_map(|l| l.strip_prefix("content-length: "));
            let length: usize = length.and_then(|l| l.trim().parse().ok()).unwrap_or(0);
            if self.buffer.len() >= end + 4 + length {
                let body = String::from_utf8_lossy(&self.buffer[end + 4..end + 4 + length]).into_owned();
                let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
                return (head, body);
            }
        }
    }
}

fn header<'h>(head: &'h str, name: &str) -> &'h str {
    let line = head.lines().find(|l| l.to_lowercase().starts_with(name)).unwrap_or_default();
    line.split_once(": ").map(|(_, v)| v.trim()).unwrap_or_default()
}

fn resident_mb(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

async fn measure(address: &str, pid: u32) {
    let mut asker = Asker::new(address, "none").await;
    // acme-admin@acme:simulator
    let basic = "authorization: Basic YWNtZS1hZG1pbkBhY21lOnNpbXVsYXRvcg==\r\n";
    asker.token.clear();
    let (head, _) =
        asker.ask("POST", "/cloudapi/1.0.0/sessions", &basic.replace("authorization", "x-ignored"), "").await;
    assert!(head.starts_with("HTTP/1.1 401"), "{head}");
    let token = sign_in(address, basic).await;
    asker.token = token.clone();
    let before = resident_mb(pid);
    let task = fill(&mut asker).await;
    let after = resident_mb(pid);
    let counted =
        asker.ask("GET", "/api/query?type=vm&filter=isVAppTemplate==false&pageSize=1", "", "").await.1;
    assert!(counted.contains(&format!("total=\"{}\"", VAPPS * VMS_EACH)), "{}", &counted[..300]);
    println!(
        "{} machines in {VAPPS} vApps: {:.0} MB resident, {before:.0} MB before (goal: at most 500)",
        VAPPS * VMS_EACH,
        after
    );

    let until = Instant::now() + Duration::from_secs(SECONDS);
    let polls = (0..CONNECTIONS).map(|_| {
        let (address, token, path) = (address.to_owned(), token.clone(), format!("/api/task/{task}"));
        tokio::spawn(async move {
            let mut asker = Asker::new(&address, &token).await;
            let mut polls = 0_u64;
            while Instant::now() < until {
                let (head, _) = asker.ask("GET", &path, "", "").await;
                assert!(head.starts_with("HTTP/1.1 200"), "{head}");
                polls += 1;
            }
            polls
        })
    });
    let mut total = 0;
    for polls in polls.collect::<Vec<_>>() {
        total += polls.await.expect("a poller");
    }
    println!(
        "{:.0} task polls a second over {CONNECTIONS} connections, in that cloud, the asking included (goal: at least 5000)",
        total as f64 / SECONDS as f64
    );
}

async fn sign_in(address: &str, basic: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let request = format!(
        "POST /cloudapi/1.0.0/sessions HTTP/1.1\r\nhost: {address}\r\naccept: application/json;version=38.1\r\n{basic}\
         connection: close\r\ncontent-length: 0\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let token = header(&answer, "x-vmware-vcloud-access-token").to_owned();
    assert!(!token.is_empty(), "{answer}");
    token
}

/// Fills the cloud through the API. Returns the last task.
async fn fill(asker: &mut Asker) -> String {
    const NS: &str = "xmlns=\"http://www.vmware.com/vcloud/v1.5\"";
    let attribute = |body: &str, element: &str, name: &str| -> String {
        let doc = roxmltree::Document::parse(body).expect("a document");
        let node = doc.descendants().find(|n| n.tag_name().name() == element).expect("an element");
        node.attribute(name).unwrap_or_default().to_owned()
    };
    let vdc = attribute(&asker.ask("GET", "/api/query?type=orgVdc", "", "").await.1, "OrgVdcRecord", "href");
    let vdc = vdc.rsplit('/').next().unwrap_or_default().to_owned();
    let template = asker.ask("GET", "/api/query?type=vm&filter=isVAppTemplate==true", "", "").await.1;
    let template = attribute(&template, "VMRecord", "href");
    let mut task = String::new();
    let step = "{\"ms\": 100000000}";
    let json = "content-type: application/json\r\n";
    for n in 0..VAPPS {
        let body = format!("<ComposeVAppParams {NS} name=\"v{n}\"/>");
        let (head, body) = asker.ask("POST", &format!("/api/vdc/{vdc}/action/composeVApp"), "", &body).await;
        assert!(head.starts_with("HTTP/1.1 201"), "{head}{body}");
        let vapp = attribute(&body, "VApp", "href");
        let vapp = vapp.split_once("/api").map(|(_, p)| format!("/api{p}")).unwrap_or_default();
        asker.ask("POST", "/sim/clock", json, step).await;
        let items: String = (0..VMS_EACH)
            .map(|m| {
                format!(
                    "<SourcedItem><Source href=\"{template}\"/><VmGeneralParams><Name>vm-{n}-{m}</Name>\
                     </VmGeneralParams></SourcedItem>"
                )
            })
            .collect();
        let body = format!(
            "<RecomposeVAppParams {NS} deploy=\"false\" powerOn=\"false\">{items}<AllEULAsAccepted>true</AllEULAsAccepted></RecomposeVAppParams>"
        );
        let (head, body) = asker.ask("POST", &format!("{vapp}/action/recomposeVApp"), "", &body).await;
        assert!(head.starts_with("HTTP/1.1 202"), "{head}{body}");
        task = header(&head, "location").rsplit('/').next().unwrap_or_default().to_owned();
        asker.ask("POST", "/sim/clock", json, step).await;
    }
    task
}
