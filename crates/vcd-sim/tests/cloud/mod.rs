//! A simulator whose time is moved by hand, and a client that knows only HTTP.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::net::SocketAddr;

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use vcd_sim::{Config, Simulator};

pub(crate) struct Cloud {
    pub(crate) sim: Simulator,
    pub(crate) url: String,
    http: reqwest::Client,
    token: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) headers: reqwest::header::HeaderMap,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    /// The attribute of the root element, or of the first element that has it.
    pub(crate) fn attr(&self, name: &str) -> String {
        let doc = roxmltree::Document::parse(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body));
        let found = doc.descendants().find_map(|n| n.attribute(name).map(str::to_owned));
        found.unwrap_or_else(|| panic!("no {name} in {}", self.body))
    }

    /// The id of the task that this answer names.
    pub(crate) fn task(&self) -> String {
        let location = self.headers.get("location").unwrap_or_else(|| panic!("{self:?}"));
        location.to_str().unwrap().rsplit('/').next().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// Refused so, in these words.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, words: &str) {
        assert_eq!(self.status, status, "{}", self.body);
        assert!(self.body.contains(words), "{words:?} is not in {}", self.body);
    }
}

impl Cloud {
    pub(crate) async fn start(config: Config) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let sim = Simulator::open(config).unwrap();
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let served = sim.clone();
        tokio::spawn(async move { served.serve(listener).await });
        let mut cloud = Self {
            sim,
            url: format!("http://{address}"),
            http: reqwest::Client::new(),
            token: String::new(),
        };
        cloud.sign_in().await;
        cloud
    }

    /// Time stands still.
    pub(crate) async fn stepped() -> Self {
        Self::start(Config { stepped: true, ..Config::default() }).await
    }

    pub(crate) async fn sign_in(&mut self) {
        self.sign_in_at("sessions", "acme-admin@acme").await;
    }

    pub(crate) async fn sign_in_as_provider(&mut self) {
        self.sign_in_at("sessions/provider", "administrator@System").await;
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    async fn sign_in_at(&mut self, path: &str, user: &str) {
        let response = self
            .http
            .post(format!("{}/cloudapi/1.0.0/{path}", self.url))
            .header("accept", "application/json;version=37.1")
            .basic_auth(user, Some("simulator"))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        self.token = response.headers()["x-vmware-vcloud-access-token"].to_str().unwrap().into();
    }

    pub(crate) async fn try_send(&self, method: Method, path: &str, body: String) -> reqwest::Result<Answer> {
        let family = if path.starts_with("/api") { "*+xml" } else { "json" };
        self.send_as(method, path, &format!("application/{family}"), body).await
    }

    /// Sends a body that says it is of this type.
    pub(crate) async fn send_as(
        &self,
        method: Method,
        path: &str,
        media: &str,
        body: String,
    ) -> reqwest::Result<Answer> {
        let family = if path.starts_with("/api") { "*+xml" } else { "json" };
        let response: Response = self
            .http
            .request(method, format!("{}{path}", self.url))
            .header("accept", format!("application/{family};version=37.1"))
            .header("content-type", media)
            .bearer_auth(&self.token)
            .body(body)
            .send()
            .await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { status, body: response.text().await?, headers })
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: impl Into<String>) -> Answer {
        self.try_send(method, path, body.into()).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "").await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<String>) -> Answer {
        self.send(Method::POST, path, body).await
    }

    pub(crate) async fn control(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, &format!("/sim/{path}"), body.to_string()).await.expect(204)
    }

    pub(crate) async fn fault(&self, at: &str, what: Value) {
        self.control("faults", json!({"at": at, "what": what})).await;
    }

    /// Lets so much cloud time pass.
    pub(crate) fn pass(&self, seconds: i64) {
        assert!(self.sim.step(seconds * 1000));
    }

    pub(crate) async fn task_status(&self, task: &str) -> String {
        self.get(&format!("/api/task/{task}")).await.expect(200).attr("status")
    }

    pub(crate) async fn vdc(&self) -> String {
        let records = self.get("/api/query?type=orgVdc&format=records").await.expect(200);
        let doc = roxmltree::Document::parse(&records.body).unwrap();
        let row = doc.descendants().find(|n| n.tag_name().name() == "OrgVdcRecord").unwrap();
        row.attribute("href").unwrap().rsplit('/').next().unwrap().to_owned()
    }

    pub(crate) async fn edge(&self, n: u32) -> Value {
        let filter = format!("/cloudapi/1.0.0/edgeGateways?filter=name==edge-{n:03}");
        self.get(&filter).await.expect(200).json()["values"][0].clone()
    }

    /// Asks for a routed network on the n-th edge, in the k-th block of addresses.
    pub(crate) async fn network_ask(&self, name: &str, n: u32, k: u32) -> Answer {
        let base = k * 8;
        let body = json!({
            "name": name, "networkType": "NAT_ROUTED", "description": null, "parentNetworkId": null,
            "ownerRef": {"id": format!("urn:vcloud:vdc:{}", self.vdc().await)},
            "connection": {"routerRef": {"id": self.edge(n).await["id"]}, "connectionType": "INTERNAL"},
            "subnets": {"values": [{"gateway": format!("10.0.0.{}", base + 1), "prefixLength": 29,
                "ipRanges": {"values": [{"startAddress": format!("10.0.0.{}", base + 2),
                                         "endAddress": format!("10.0.0.{}", base + 6)}]}}]},
        });
        self.post("/cloudapi/1.0.0/orgVdcNetworks", body.to_string()).await
    }

    /// Makes one and waits for it. Returns its id.
    pub(crate) async fn network(&self, name: &str, n: u32) -> String {
        let task = self.network_ask(name, n, n).await.expect(202).task();
        self.pass(30);
        let task = self.get(&format!("/api/task/{task}")).await;
        let doc = roxmltree::Document::parse(&task.body).unwrap();
        let owner = doc.descendants().find(|n| n.tag_name().name() == "Owner").unwrap();
        owner.attribute("id").unwrap().trim_start_matches("urn:vcloud:network:").to_owned()
    }

    pub(crate) fn network_configs(&self, networks: &[(&str, &str)]) -> String {
        let config = |(name, id): &(&str, &str)| {
            format!(
                "<NetworkConfig networkName=\"{name}\"><Configuration><ParentNetwork href=\"{}/api/network/{id}\"/>\
                 <FenceMode>bridged</FenceMode></Configuration></NetworkConfig>",
                self.url
            )
        };
        networks.iter().map(config).collect()
    }

    /// Composes a vApp and waits for it. Returns its id.
    pub(crate) async fn vapp(&self, name: &str, networks: &[(&str, &str)]) -> String {
        let body = format!(
            "<ComposeVAppParams xmlns=\"{NS}\" xmlns:ovf=\"{OVF}\" name=\"{name}\"><InstantiationParams>\
             <NetworkConfigSection><ovf:Info/>{}</NetworkConfigSection></InstantiationParams>\
             <AllEULAsAccepted>true</AllEULAsAccepted></ComposeVAppParams>",
            self.network_configs(networks)
        );
        let path = format!("/api/vdc/{}/action/composeVApp", self.vdc().await);
        let answer = self.post(&path, body).await.expect(201);
        self.pass(60);
        let doc = roxmltree::Document::parse(&answer.body).unwrap();
        doc.root_element().attribute("id").unwrap().trim_start_matches("urn:vcloud:vapp:").to_owned()
    }

    pub(crate) async fn template_vm(&self, name: &str) -> String {
        let filter = format!("/api/query?type=vm&filter=isVAppTemplate==true;name=={name}");
        let answer = self.get(&filter.replace(' ', "%20")).await.expect(200);
        let doc = roxmltree::Document::parse(&answer.body).unwrap();
        let row = doc.descendants().find(|n| n.tag_name().name() == "VMRecord").unwrap();
        row.attribute("href").unwrap().to_owned()
    }

    /// The body that copies machines into a vApp, each on a network.
    pub(crate) async fn recompose_body(&self, machines: &[(&str, &str)]) -> String {
        let source = self.template_vm("AlmaLinux 9").await;
        let item = |(name, network): &(&str, &str)| {
            format!(
                "<SourcedItem><Source href=\"{source}\"/><VmGeneralParams><Name>{name}</Name>\
                 <NeedsCustomization>true</NeedsCustomization></VmGeneralParams><InstantiationParams>\
                 <NetworkConnectionSection><ovf:Info/><NetworkConnection network=\"{network}\">\
                 <NetworkConnectionIndex>0</NetworkConnectionIndex><IsConnected>true</IsConnected>\
                 <IpAddressAllocationMode>POOL</IpAddressAllocationMode></NetworkConnection>\
                 </NetworkConnectionSection><GuestCustomizationSection><ovf:Info/><Enabled>true</Enabled>\
                 <ResetPasswordRequired>true</ResetPasswordRequired><CustomizationScript>x</CustomizationScript>\
                 <ComputerName>{name}</ComputerName></GuestCustomizationSection></InstantiationParams></SourcedItem>"
            )
        };
        let items: String = machines.iter().map(item).collect();
        format!(
            "<RecomposeVAppParams xmlns=\"{NS}\" xmlns:ovf=\"{OVF}\" deploy=\"false\" powerOn=\"false\">{items}\
             <AllEULAsAccepted>true</AllEULAsAccepted></RecomposeVAppParams>"
        )
    }

    pub(crate) async fn recompose(&self, vapp: &str, body: String) -> Answer {
        self.post(&format!("/api/vApp/vapp-{vapp}/action/recomposeVApp"), body).await
    }

    /// Copies a machine into a vApp and waits for it. Returns its id.
    pub(crate) async fn vm(&self, vapp: &str, name: &str, network: &str) -> String {
        let body = self.recompose_body(&[(name, network)]).await;
        self.recompose(vapp, body).await.expect(202);
        self.pass(200);
        self.vm_named(name).await
    }

    pub(crate) async fn vm_named(&self, name: &str) -> String {
        let answer = self.get(&format!("/api/query?type=vm&filter=name=={name}")).await.expect(200);
        let doc = roxmltree::Document::parse(&answer.body).unwrap();
        let row = doc.descendants().find(|n| n.tag_name().name() == "VMRecord");
        let row = row.unwrap_or_else(|| panic!("no machine {name}"));
        row.attribute("href").unwrap().rsplit("vm-").next().unwrap().to_owned()
    }

    pub(crate) async fn power(&self, vm: &str, action: &str) -> Answer {
        self.post(&format!("/api/vApp/vm-{vm}/power/action/{action}"), "").await
    }

    pub(crate) async fn undeploy(&self, entity: &str) -> Answer {
        let body = format!(
            "<UndeployVAppParams xmlns=\"{NS}\"><UndeployPowerAction>powerOff</UndeployPowerAction></UndeployVAppParams>"
        );
        self.post(&format!("/api/vApp/{entity}/action/undeploy"), body).await
    }

    pub(crate) async fn guest(&self, vm: &str) -> Value {
        self.get(&format!("/sim/guests/{vm}")).await.expect(200).json()
    }
}

pub(crate) const NS: &str = "http://www.vmware.com/vcloud/v1.5";
pub(crate) const OVF: &str = "http://schemas.dmtf.org/ovf/envelope/1";
