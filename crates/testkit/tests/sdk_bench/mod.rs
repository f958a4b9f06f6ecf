//! The SDK before a simulator with which it shares no code, and what both need for a test.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use vcd::{
    AddressMode, Client, ClientConfig, Credentials, NetworkId, NetworkSpec, NewVapp, NewVm, Nic, Recompose,
    TaskId, VappId, VdcId, VmId, WaitOptions,
};
use vcd_sim::{Config, Simulator};

pub(crate) struct Bench {
    pub(crate) sim: Simulator,
    pub(crate) url: String,
    pub(crate) client: Client,
    pub(crate) http: reqwest::Client,
}

pub(crate) fn tenant() -> Credentials {
    Credentials::password("acme-admin", "acme", SecretString::from("simulator"))
}

impl Bench {
    pub(crate) async fn start() -> Self {
        let sim = Simulator::open(Config { speed: 600.0, ..Config::default() }).unwrap();
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let served = sim.clone();
        tokio::spawn(async move { served.serve(listener).await });
        let client = Client::new(ClientConfig::new(&url, tenant())).unwrap();
        Self { sim, url, client, http: reqwest::Client::new() }
    }

    pub(crate) async fn done(&self, task: vcd::Result<TaskId>) -> vcd::Task {
        self.client.task_wait(task.unwrap(), quick(30)).await.unwrap()
    }

    pub(crate) async fn fault(&self, at: &str, what: Value) {
        self.control("faults", json!({"at": at, "what": what})).await;
    }

    pub(crate) async fn control(&self, path: &str, body: Value) {
        let sent = self.http.post(format!("{}/sim/{path}", self.url)).json(&body).send().await.unwrap();
        assert!(sent.status().is_success(), "{}", sent.text().await.unwrap());
    }

    pub(crate) async fn vdc(&self) -> VdcId {
        self.client.vdc_by_name("acme-vdc").await.unwrap().unwrap()
    }

    pub(crate) async fn spec(&self, name: &str, n: u32) -> NetworkSpec {
        let edges = self.client.edges(self.vdc().await).await.unwrap();
        NetworkSpec {
            name: name.into(),
            description: "x".into(),
            edge: edges[n as usize].id,
            gateway: format!("10.0.{n}.1"),
            prefix_length: 29,
            first_address: format!("10.0.{n}.2"),
            last_address: format!("10.0.{n}.6"),
            dns: vec!["1.1.1.1".into()],
        }
    }

    pub(crate) async fn network(&self, name: &str, n: u32) -> NetworkId {
        let (vdc, spec) = (self.vdc().await, self.spec(name, n).await);
        let task = self.done(self.client.network_create(vdc, &spec).await).await;
        let network = task.owner.unwrap().parse().unwrap();
        self.client.network_wait(network, quick(30)).await.unwrap().id
    }

    pub(crate) async fn vapp(&self, name: &str, networks: &[(&str, NetworkId)]) -> VappId {
        let vdc = self.vdc().await;
        let new = NewVapp {
            name: name.into(),
            description: "d".into(),
            networks: networks.iter().map(|(name, id)| ((*name).into(), *id)).collect(),
            machines: vec![],
        };
        self.done(self.client.vapp_compose(vdc, &new).await.map(|(_, task)| task)).await;
        self.client.vapp_by_name(vdc, name).await.unwrap().unwrap()
    }

    pub(crate) async fn new_vm(&self, name: &str, network: &str, address: &str) -> NewVm {
        NewVm {
            description: String::new(),
            name: name.into(),
            source: self.client.template_vm("Debian 12").await.unwrap().unwrap().id.into(),
            nics: vec![Nic::new(0, network, AddressMode::Manual(address.into()))],
            storage_profile: None,
        }
    }

    pub(crate) async fn vm(&self, vapp: VappId, name: &str, network: &str, address: &str) -> VmId {
        let add = vec![self.new_vm(name, network, address).await];
        let change = Recompose { add, ..Recompose::default() };
        self.done(self.client.vapp_recompose(vapp, &change).await).await;
        self.client.vapp(vapp).await.unwrap().vm_named(name).unwrap().id
    }
}

pub(crate) fn quick(seconds: u64) -> WaitOptions {
    WaitOptions {
        first_pause: Duration::from_millis(5),
        longest_pause: Duration::from_millis(50),
        ..WaitOptions::within(Duration::from_secs(seconds))
    }
}
