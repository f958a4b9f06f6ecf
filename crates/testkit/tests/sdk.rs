//! The SDK and the simulator, which share no code, over HTTP: every call once, and what goes wrong.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use vcd::{
    AddressMode, Capabilities, Client, ClientConfig, Credentials, CustomizationStatus, DiskEdit, EdgeQos,
    Effect, ErrorKind, GuestCustomization, MoveVm, NetworkId, NetworkSpec, NetworkStatus, NewVapp, NewVm,
    Nic, Query, Recompose, Reconfigure, RetryPolicy, TaskId, TaskStatus, UndeployAction, VappId, VdcId, VmId,
    WaitOptions,
};
use vcd_sim::{Config, Simulator};

struct Bench {
    sim: Simulator,
    url: String,
    client: Client,
    http: reqwest::Client,
}

fn tenant() -> Credentials {
    Credentials::password("acme-admin", "acme", SecretString::from("simulator"))
}

impl Bench {
    async fn start() -> Self {
        let sim = Simulator::open(Config { speed: 600.0, ..Config::default() }).unwrap();
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let served = sim.clone();
        tokio::spawn(async move { served.serve(listener).await });
        let client = Client::new(ClientConfig::new(&url, tenant())).unwrap();
        Self { sim, url, client, http: reqwest::Client::new() }
    }

    async fn done(&self, task: vcd::Result<TaskId>) -> vcd::Task {
        self.client.task_wait(task.unwrap(), quick(30)).await.unwrap()
    }

    async fn fault(&self, at: &str, what: Value) {
        self.control("faults", json!({"at": at, "what": what})).await;
    }

    async fn control(&self, path: &str, body: Value) {
        let sent = self.http.post(format!("{}/sim/{path}", self.url)).json(&body).send().await.unwrap();
        assert!(sent.status().is_success(), "{}", sent.text().await.unwrap());
    }

    async fn vdc(&self) -> VdcId {
        self.client.vdc_by_name("acme-vdc").await.unwrap().unwrap()
    }

    async fn spec(&self, name: &str, n: u32) -> NetworkSpec {
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

    async fn network(&self, name: &str, n: u32) -> NetworkId {
        let (vdc, spec) = (self.vdc().await, self.spec(name, n).await);
        let task = self.done(self.client.network_create(vdc, &spec).await).await;
        task.owner.unwrap().parse().unwrap()
    }

    async fn vapp(&self, name: &str, networks: &[(&str, NetworkId)]) -> VappId {
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

    async fn new_vm(&self, name: &str, network: &str, address: &str) -> NewVm {
        NewVm {
            description: String::new(),
            name: name.into(),
            source: self.client.template_vm("Debian 12").await.unwrap().unwrap().id.into(),
            nics: vec![Nic::new(0, network, AddressMode::Manual(address.into()))],
            storage_profile: None,
        }
    }

    async fn vm(&self, vapp: VappId, name: &str, network: &str, address: &str) -> VmId {
        let add = vec![self.new_vm(name, network, address).await];
        let change = Recompose { add, ..Recompose::default() };
        self.done(self.client.vapp_recompose(vapp, &change).await).await;
        self.client.vapp(vapp).await.unwrap().vm_named(name).unwrap().id
    }
}

fn quick(seconds: u64) -> WaitOptions {
    WaitOptions {
        first_pause: Duration::from_millis(5),
        longest_pause: Duration::from_millis(50),
        ..WaitOptions::within(Duration::from_secs(seconds))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there() {
    let b = Bench::start().await;
    let orgs = b.client.orgs().await.unwrap();
    assert_eq!(b.client.org(orgs[0].id).await.unwrap().name, "acme");
    let vdc = b.client.vdc(b.client.vdcs().await.unwrap()[0].id).await.unwrap();
    assert_eq!((vdc.name.as_str(), vdc.enabled), ("acme-vdc", true));
    assert_eq!(vdc.storage_profiles[0].name, "standard");
    let catalogs = b.client.catalogs().await.unwrap();
    assert_eq!(b.client.catalog(catalogs[0].id).await.unwrap().items.len(), 9);
    let templates = b.client.templates("templates").await.unwrap();
    assert_eq!(templates[0].name, "AlmaLinux 8");
    let template = b.client.template(templates[0].id).await.unwrap();
    assert_eq!((template.status, template.vms.len()), (8, 1));
    let edges = b.client.edges(vdc.id).await.unwrap();
    assert_eq!((edges.len(), edges[129].name.as_str()), (130, "edge-130"));
    assert_eq!(b.client.edge(edges[3].id).await.unwrap(), edges[3]);
    let records = b.client.query(&Query::new("edgeGateway").sort_desc("name")).await.unwrap();
    assert_eq!((records.len(), records[0].name()), (130, "edge-130"));
    let none = Query::new("vm").equals("isVAppTemplate", "false");
    assert!(b.client.query(&none).await.unwrap().is_empty());
    assert_eq!(b.client.api_version().await.unwrap().as_str(), "38.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_servers_whole_life() {
    let b = Bench::start().await;
    let (c, vdc) = (&b.client, b.vdc().await);
    let lan = b.network("lan", 0).await;
    let network = c.network(lan).await.unwrap();
    assert_eq!((network.name.as_str(), network.status), ("lan", NetworkStatus::Realized));
    let edge = network.edge.unwrap();
    assert_eq!(c.networks_of_edge(edge).await.unwrap(), c.networks(vdc).await.unwrap());
    let manager = c.edge(edge).await.unwrap().manager.unwrap();
    let profiles = c.qos_profiles(manager).await.unwrap();
    let hundred = profiles.iter().find(|p| p.committed_mbit == 100).unwrap();
    b.done(c.edge_qos_set(edge, EdgeQos::both(hundred.id)).await).await;
    assert_eq!(c.edge_qos(edge).await.unwrap(), EdgeQos::both(hundred.id));

    let vapp = b.vapp("one", &[("lan", lan)]).await;
    let add = vec![b.new_vm("web", "lan", "10.0.0.2").await, b.new_vm("db", "lan", "10.0.0.3").await];
    b.done(c.vapp_recompose(vapp, &Recompose { add, ..Recompose::default() }).await).await;
    let read = c.vapp(vapp).await.unwrap();
    assert!(read.is_ready() && !read.deployed && read.vms.len() == 2);
    let web = read.vm_named("web").unwrap().id;

    let section = GuestCustomization {
        enabled: true,
        computer_name: "web".into(),
        admin_password: Some(SecretString::from("Correct <&\"Horse\" 1")),
        reset_password_required: true,
        script: Some(SecretString::from("#!/bin/sh\necho '<&>'\t\"x\"\n")),
        ..GuestCustomization::default()
    };
    b.done(c.vm_customize(web, &section).await).await;
    let kept = c.vm_customization(web).await.unwrap();
    let open = |s: Option<SecretString>| s.map(|s| s.expose_secret().to_owned());
    assert_eq!(open(kept.admin_password), open(section.admin_password));
    assert_eq!(open(kept.script), open(section.script), "every character of it");

    let disks = DiskEdit::new().grow(2000, 20480).add(1024, 0, 1, 5);
    let size = Reconfigure { cpus: Some(2), memory_mb: Some(2048), disks, ..Reconfigure::default() };
    b.done(c.vm_reconfigure(web, &size).await).await;
    b.done(c.vm_capabilities_set(web, Capabilities { cpu_hot_add: true, memory_hot_add: true }).await).await;
    assert!(c.vm_capabilities(web).await.unwrap().cpu_hot_add);
    let vm = c.vm(web).await.unwrap();
    assert_eq!((vm.cpus, vm.memory_mb, vm.disks.len(), vm.disks[0].size_mb), (2, 2048, 2, 20480));
    let second = vm.disks[1].id;
    let disks = DiskEdit::new().remove(second);
    b.done(c.vm_reconfigure(web, &Reconfigure { disks, ..Reconfigure::default() }).await).await;

    b.done(c.vm_power_on(web).await).await;
    while c.vm_customization_status(web).await.unwrap() != CustomizationStatus::Complete {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let ticket = c.vm_console_ticket(web).await.unwrap();
    assert!(!format!("{ticket:?}").contains(ticket.ticket.expose_secret()));
    let hot = Reconfigure { cpus: Some(4), memory_mb: Some(4096), ..Reconfigure::default() };
    b.done(c.vm_reconfigure(web, &hot).await).await;
    b.done(c.vm_reboot(web).await).await;
    b.done(c.vm_reset(web).await).await;
    b.done(c.vm_snapshot_create(web, false, false).await).await;
    assert!(c.vm_snapshot(web).await.unwrap().is_some() && c.vm(web).await.unwrap().has_snapshot);
    b.done(c.vm_snapshot_revert(web).await).await;
    b.done(c.vm_snapshot_remove(web).await).await;
    assert_eq!(c.vm_snapshot(web).await.unwrap(), None);
    b.done(c.vm_power_on(web).await).await;

    b.done(c.vm_metadata_set(web, &[("owner", "anna <&>"), ("n", "1")]).await).await;
    b.done(c.vm_metadata_delete(web, "n").await).await;
    let metadata: Vec<_> = c.vm_metadata(web).await.unwrap().into_iter().collect();
    assert_eq!(metadata, [("owner".to_owned(), "anna <&>".to_owned())]);

    // A second network comes and, the vApp running, does not go; so the machine goes, and keeps running.
    let dmz = b.network("dmz", 1).await;
    b.done(c.vapp_networks_attach(vapp, &[("dmz", dmz)]).await).await;
    assert_eq!(c.vapp(vapp).await.unwrap().networks.len(), 2);
    assert!(c.vapp_networks_detach(vapp, &["dmz"]).await.unwrap_err().stop_required());
    let two = b.vapp("two", &[("lan", lan)]).await;
    let change = Recompose {
        move_in: vec![MoveVm { vm: web, networks: vec![] }],
        rename: Some("moved".into()),
        ..Recompose::default()
    };
    b.done(c.vapp_recompose(two, &change).await).await;
    let moved = c.vapp(two).await.unwrap();
    assert_eq!(moved.name, "moved");
    let web = moved.vm_named("web").unwrap();
    assert!(web.is_on() && web.addresses().eq(["10.0.0.2"]));
    let web = web.id;
    b.done(c.vapp_networks_detach(vapp, &["dmz"]).await).await;
    b.done(c.network_delete(dmz).await).await;

    let mut nics = c.vm_nics(web).await.unwrap();
    nics[0].mode = AddressMode::Manual("10.0.0.6".into());
    b.done(c.vm_nics_set(web, &nics).await).await;
    assert_eq!(c.vm_nics(web).await.unwrap()[0].address.as_deref(), Some("10.0.0.6"));

    assert!(c.vm_delete(web).await.unwrap_err().stop_required());
    b.done(c.vm_suspend(web).await).await;
    b.done(c.vm_discard_suspended(web).await).await;
    b.done(c.vm_power_on(web).await).await;
    b.done(c.vm_shutdown(web).await).await;
    assert!(c.vm(web).await.unwrap().deployed, "off, and still deployed");
    b.done(c.vm_undeploy(web, UndeployAction::PowerOff).await).await;
    assert!(c.vm_undeploy(web, UndeployAction::PowerOff).await.unwrap_err().is_not_running());
    b.done(c.vm_properties_set(web, &[("slipway.hostname", "web"), ("note", "a <b> & \"c\"")]).await).await;
    b.done(c.vm_properties_set(web, &[("slipway.hostname", "other")]).await).await;
    let properties = c.vm_properties(web).await.unwrap();
    assert_eq!(properties["slipway.hostname"], "other");
    assert_eq!(properties["note"], "a <b> & \"c\"", "what is not named stays");
    b.done(c.vm_deploy(web, false).await).await;
    let deployed = c.vm(web).await.unwrap();
    assert!(deployed.deployed && !deployed.is_on());
    b.done(c.vm_undeploy(web, UndeployAction::PowerOff).await).await;
    assert!(c.vm_power_off(web).await.unwrap_err().is_not_running());
    b.done(c.vm_power_on_and_customize(web).await).await;
    b.done(c.vapp_undeploy(two, UndeployAction::Force).await).await;
    b.done(c.vapp_rename(two, "last", "name").await).await;
    let db = c.vapp(vapp).await.unwrap().vm_named("db").unwrap().id;
    b.done(c.vapp_recompose(vapp, &Recompose { delete: vec![db], ..Recompose::default() }).await).await;
    b.done(c.vapp_delete(vapp).await).await;
    b.done(c.vapp_delete(two).await).await;
    b.done(c.network_delete(lan).await).await;
    b.done(c.edge_qos_set(edge, EdgeQos::UNLIMITED).await).await;
    assert_eq!(c.edge_qos(edge).await.unwrap(), EdgeQos::UNLIMITED);
    assert!(c.vapp(vapp).await.unwrap_err().is_not_found());
    let census = b.sim.census();
    assert_eq!((census.networks.len(), census.vapps.len(), census.vms.len()), (0, 0, 0));
    c.sign_out().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_a_lost_answer() {
    let b = Bench::start().await;
    let (c, vdc, spec) = (&b.client, b.vdc().await, b.spec("lan", 0).await);
    let create = "POST /cloudapi/1.0.0/orgVdcNetworks";
    for what in [json!({"kind": "answer_lost"}), json!({"kind": "status_after", "status": 502})] {
        b.fault(create, what).await;
        let error = c.network_create(vdc, &spec).await.unwrap_err();
        assert_eq!(error.effect, Effect::MaybeDone, "{error}");
        // It is found by its name, and not made twice.
        let found = c.network_by_name(vdc, "lan").await.unwrap().expect("it was carried out");
        while c.network(found.id).await.unwrap().status != NetworkStatus::Realized {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(c.network_create(vdc, &spec).await.unwrap_err().is_duplicate());
        b.done(c.network_delete(found.id).await).await;
    }
    let policy = RetryPolicy { first: Duration::from_millis(5), ..RetryPolicy::default() };
    b.fault(create, json!({"kind": "answer_lost"})).await;
    let error = c.retrying(policy, false, || c.network_create(vdc, &spec)).await.unwrap_err();
    assert_eq!(error.effect, Effect::MaybeDone, "it is not sent again: {error}");
    let other = b.spec("other", 1).await;
    b.fault(create, json!({"kind": "quota"})).await;
    let error = c.network_create(vdc, &other).await.unwrap_err();
    assert_eq!((error.kind, error.effect), (ErrorKind::Invalid, Effect::Refused));
    b.fault(create, json!({"kind": "status", "status": 429, "retry_after": 1})).await;
    let error = c.network_create(vdc, &other).await.unwrap_err();
    assert_eq!((error.effect, error.retry_after), (Effect::Refused, Some(Duration::from_secs(1))));
    assert!(error.request_id.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn busy_names_the_task_to_wait_for() {
    let b = Bench::start().await;
    let (c, lan) = (&b.client, b.network("lan", 0).await);
    let vapp = b.vapp("one", &[("lan", lan)]).await;
    let vm = b.vm(vapp, "web", "lan", "10.0.0.2").await;
    let on = c.vm_power_on(vm).await.unwrap();
    let busy = c.vm_power_on(vm).await.unwrap_err();
    assert!(busy.is_busy() && busy.effect == Effect::Refused);
    assert_eq!(busy.busy_task(), Some(on));
    // A policy waits for it, and then asks again.
    let policy = RetryPolicy { first: Duration::from_millis(20), ..RetryPolicy::default() };
    b.done(c.retrying(policy, false, || c.vm_reset(vm)).await).await;
    // One of somebody else's cannot be read, and is waited out.
    b.control("busy", json!({"entity": vm.to_string(), "ms": 200_000})).await;
    b.done(c.retrying(policy, false, || c.vm_reset(vm)).await).await;
    // The session ends while a task is waited for, and the service stumbles.
    let task = c.vm_reboot(vm).await.unwrap();
    for what in [
        json!({"kind": "unauthorized"}),
        json!({"kind": "status", "status": 503}),
        json!({"kind": "malformed"}),
        json!({"kind": "cut_before"}),
    ] {
        b.fault("GET /api/task/*", what).await;
    }
    assert_eq!(c.task_wait(task, quick(20)).await.unwrap().status, TaskStatus::Success);
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_that_hang_vanish_or_fail() {
    let b = Bench::start().await;
    let (c, vdc, spec) = (&b.client, b.vdc().await, b.spec("lan", 0).await);
    b.fault("task networkCreateOrgVdcNetwork", json!({"kind": "stuck", "percent": 40})).await;
    let stuck = c.network_create(vdc, &spec).await.unwrap();
    let short = WaitOptions { deadline: Duration::from_millis(200), ..quick(1) };
    assert_eq!(c.task_wait(stuck, short).await.unwrap_err().kind, ErrorKind::Timeout);
    assert_eq!(c.task(stuck).await.unwrap().progress, Some(40));
    assert_eq!(c.tasks_running().await.unwrap(), [stuck]);
    c.task_cancel(stuck).await.unwrap();
    let error = c.task_wait(stuck, short).await.unwrap_err();
    assert!(error.kind == ErrorKind::TaskFailed && error.message.contains("cancelled"), "{error}");
    b.fault("task networkCreateOrgVdcNetwork", json!({"kind": "error", "message": "no more segments"})).await;
    let failed = c.network_create(vdc, &spec).await.unwrap();
    let error = c.task_wait(failed, quick(20)).await.unwrap_err();
    assert!(error.message.contains("no more segments"), "{error}");
    b.fault("task networkCreateOrgVdcNetwork", json!({"kind": "gone"})).await;
    let gone = c.network_create(vdc, &spec).await.unwrap();
    assert!(c.task_wait(gone, quick(20)).await.unwrap_err().is_not_found());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_changes_is_read_again() {
    let b = Bench::start().await;
    let vdc = b.vdc().await;
    let shift = |at: &str| json!({"at": at, "skip": 1, "what": {"kind": "page_shift"}});
    b.control("faults", shift("GET /cloudapi/1.0.0/edgeGateways")).await;
    assert_eq!(b.client.edges(vdc).await.unwrap().len(), 130, "none missing, none twice");
    b.control("faults", shift("GET /api/query")).await;
    assert_eq!(b.client.query(&Query::new("edgeGateway")).await.unwrap().len(), 130);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sign_in_for_all_who_wait_for_it() {
    let b = Bench::start().await;
    let vdc = b.vdc().await;
    b.sim.expire_sessions();
    // The second sign-in would fail: there must be only one.
    let at = "POST /cloudapi/1.0.0/sessions";
    b.control(
        "faults",
        json!({"at": at, "skip": 1, "times": 100, "what": {"kind": "status", "status": 500}}),
    )
    .await;
    let reads = futures::future::join_all((0..50).map(|_| b.client.vdc(vdc))).await;
    assert!(reads.iter().all(Result::is_ok), "{:?}", reads.iter().find(|r| r.is_err()));
}

#[tokio::test(flavor = "multi_thread")]
async fn by_token_as_provider_and_as_nobody() {
    let b = Bench::start().await;
    // An API token is made by a signed-in user.
    let session = b
        .http
        .post(format!("{}/cloudapi/1.0.0/sessions", b.url))
        .header("accept", "application/json;version=38.1")
        .basic_auth("acme-admin@acme", Some("simulator"))
        .send()
        .await
        .unwrap();
    let bearer = session.headers()["x-vmware-vcloud-access-token"].to_str().unwrap().to_owned();
    let grant = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
    let made = b
        .http
        .post(format!("{}/oauth/tenant/acme/token", b.url))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("grant_type={grant}&client_id=t&assertion={bearer}"))
        .send()
        .await
        .unwrap();
    let made: Value = serde_json::from_str(&made.text().await.unwrap()).unwrap();
    let token = |t: &str| Credentials::api_token("acme", SecretString::from(t.to_owned()));
    let refresh = made["refresh_token"].as_str().unwrap();
    let by_token = Client::new(ClientConfig::new(&b.url, token(refresh))).unwrap();
    assert_eq!(by_token.vdcs().await.unwrap().len(), 1);
    let wrong = Client::new(ClientConfig::new(&b.url, token("wrong"))).unwrap();
    assert_eq!(wrong.vdcs().await.unwrap_err().kind, ErrorKind::Denied);

    let org = b.client.orgs().await.unwrap().remove(0);
    let provider = Credentials::password("administrator", "System", SecretString::from("simulator"));
    let mut config = ClientConfig::new(&b.url, provider);
    config.tenant = Some(vcd::TenantContext { org: org.id, name: org.name });
    let provider = Client::new(config).unwrap();
    b.control("knobs", json!({"tenants_see_speed_profiles": false})).await;
    let manager = b.client.edges(b.vdc().await).await.unwrap()[0].manager.unwrap();
    assert!(b.client.qos_profiles(manager).await.unwrap_err().is_not_found());
    assert_eq!(provider.qos_profiles(manager).await.unwrap().len(), 6);
    let another = "3f2504e0-4f89-11d3-9a0c-0305e82c3301".parse().unwrap();
    assert!(provider.qos_profiles(another).await.unwrap().is_empty(), "the profiles are one manager's");

    let bad = Credentials::password("acme-admin", "acme", SecretString::from("wrong"));
    let bad = Client::new(ClientConfig::new(&b.url, bad)).unwrap();
    let error = bad.sign_in().await.unwrap_err();
    assert!(error.kind == ErrorKind::Denied && error.message.contains("acme-admin@acme"), "{error}");
    let mut old = ClientConfig::new(&b.url, tenant());
    old.api_version = Some("37.0".parse().unwrap());
    assert_eq!(Client::new(old).unwrap().api_version().await.unwrap().as_str(), "37.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_asks_and_is_answered() {
    let b = Bench::start().await;
    let (c, lan) = (&b.client, b.network("lan", 0).await);
    let vapp = b.vapp("one", &[("lan", lan)]).await;
    let vm = b.vm(vapp, "web", "lan", "10.0.0.2").await;
    assert_eq!(c.vm_question(vm).await.unwrap(), None);
    c.vm_customize_at_next_power_on(vm).await.unwrap();
    b.done(c.vapp_power_on(vapp).await).await;
    assert!(c.vm(vm).await.unwrap().is_on());
    let path = format!("{}/sim/guests/{}/question", b.url, vm.uuid());
    b.http.put(path).json(&json!({"text": "Eject <it>?", "choices": ["yes", "no"]})).send().await.unwrap();
    let question = c.vm_question(vm).await.unwrap().unwrap();
    assert_eq!((question.text.as_str(), question.choices.len()), ("Eject <it>?", 2));
    c.vm_answer(vm, &question, 1).await.unwrap();
    assert_eq!(c.vm_question(vm).await.unwrap(), None);
    b.done(c.vapp_metadata_set(vapp, &[("k", "v")]).await).await;
    assert_eq!(c.vapp_metadata(vapp).await.unwrap()["k"], "v");
    b.done(c.vapp_metadata_delete(vapp, "k").await).await;
}

/// What is asked of a vApp is done to each of its machines, and is one task.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_vapp() {
    let b = Bench::start().await;
    let (c, lan) = (&b.client, b.network("lan", 0).await);
    let vapp = b.vapp("one", &[("lan", lan)]).await;
    let (web, db) = (b.vm(vapp, "web", "lan", "10.0.0.2").await, b.vm(vapp, "db", "lan", "10.0.0.3").await);
    let on = async || {
        let vms = c.vapp(vapp).await.unwrap().vms;
        vms.iter().filter(|vm| vm.is_on()).count()
    };
    b.done(c.vapp_power_on(vapp).await).await;
    assert_eq!(on().await, 2);
    b.done(c.vapp_reboot(vapp).await).await;
    b.done(c.vapp_reset(vapp).await).await;
    b.done(c.vapp_snapshot_create(vapp, false, false).await).await;
    assert!(c.vm(web).await.unwrap().has_snapshot && c.vm(db).await.unwrap().has_snapshot);
    b.done(c.vapp_snapshot_revert(vapp).await).await;
    b.done(c.vapp_snapshot_remove(vapp).await).await;
    assert!(!c.vm(web).await.unwrap().has_snapshot);
    b.done(c.vapp_power_on(vapp).await).await;
    b.done(c.vapp_suspend(vapp).await).await;
    b.done(c.vapp_discard_suspended(vapp).await).await;
    b.done(c.vapp_power_on(vapp).await).await;
    b.done(c.vapp_shutdown(vapp).await).await;
    assert_eq!(on().await, 0);
    assert!(c.vapp_power_off(vapp).await.unwrap_err().is_not_running());

    let network = c.network(lan).await.unwrap();
    let subnet = &network.subnets[0];
    assert_eq!(
        (subnet.gateway.as_str(), subnet.prefix_length, subnet.dns1.as_str()),
        ("10.0.0.1", 29, "1.1.1.1")
    );
    assert_eq!(subnet.ranges().collect::<Vec<_>>(), [("10.0.0.2", "10.0.0.6")]);
    assert_eq!((network.description.as_str(), subnet.dns2.as_str()), ("x", ""));

    // Another address, on its way to the guest by the next start.
    let mut nics = c.vm_nics(web).await.unwrap();
    nics[0].mode = AddressMode::Manual("10.0.0.5".into());
    nics[0].needs_customization = true;
    b.done(c.vm_nics_set(web, &nics).await).await;
    let read = c.vm_nics(web).await.unwrap();
    assert!(read[0].needs_customization && read[0].address.as_deref() == Some("10.0.0.5"));
    let section = GuestCustomization { enabled: true, computer_name: "web".into(), ..Default::default() };
    b.done(c.vm_customize(web, &section).await).await;
    b.done(c.vm_power_on(web).await).await;
    assert!(!c.vm_nics(web).await.unwrap()[0].needs_customization);
}

/// A token says when it ends: another one is fetched before a request is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_replaced_before_it_ends() {
    let b = Bench::start().await;
    b.control("knobs", json!({"session_length_ms": 31_000})).await;
    let requests = async || {
        let before = b.sim.requests();
        b.client.orgs().await.unwrap();
        b.sim.requests() - before
    };
    assert_eq!(requests().await, 3, "versions, session, list");
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    assert_eq!(requests().await, 3, "once more, and no refusal in between");
}

/// A thousand waits share the runtime's timers: together they ask no more often than their pauses say.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_waits_ask_no_more_than_their_pauses_say() {
    let b = Bench::start().await;
    let (c, vdc, spec) = (&b.client, b.vdc().await, b.spec("lan", 0).await);
    b.fault("task networkCreateOrgVdcNetwork", json!({"kind": "stuck", "percent": 1})).await;
    let task = c.network_create(vdc, &spec).await.unwrap();
    let options = WaitOptions {
        deadline: Duration::from_secs(30),
        first_pause: Duration::from_secs(2),
        longest_pause: Duration::from_secs(2),
        patience: 10,
    };
    let before = b.sim.requests();
    let wait = || {
        let c = c.clone();
        tokio::spawn(async move { c.task_wait(task, options).await })
    };
    let waits: Vec<_> = (0..1000).map(|_| wait()).collect();
    tokio::time::sleep(Duration::from_secs(4)).await;
    // One look at once, and at most one for each pause of at least 1.6 s.
    let asked = b.sim.requests() - before;
    assert!((1000..=3500).contains(&asked), "{asked} requests in four seconds");
    c.task_cancel(task).await.unwrap();
    for wait in waits {
        assert_eq!(wait.await.unwrap().unwrap_err().kind, ErrorKind::TaskFailed);
    }
}

/// Machines come with their vApp, and from other machines; and what becomes true only after a task is waited for.
#[tokio::test(flavor = "multi_thread")]
async fn machines_come_with_their_vapp_and_from_each_other() {
    let b = Bench::start().await;
    let (c, vdc) = (&b.client, b.vdc().await);
    let spec = b.spec("lan", 0).await;
    let made = b.done(c.network_create(vdc, &spec).await).await;
    let lan: NetworkId = made.owner.unwrap().parse().unwrap();
    let network = c.network_wait(lan, quick(60)).await.unwrap();
    assert_eq!((network.id, network.status), (lan, NetworkStatus::Realized));

    let profile = c.vdc(vdc).await.unwrap().storage_profiles[0].id;
    let web = NewVm { storage_profile: Some(profile), ..b.new_vm("web", "lan", "10.0.0.2").await };
    let new = NewVapp {
        name: "one".into(),
        networks: vec![("lan".into(), lan)],
        machines: vec![web],
        ..NewVapp::default()
    };
    let (vapp, task) = c.vapp_compose(vdc, &new).await.unwrap();
    let read = c.vapp_wait(vapp, quick(60)).await.unwrap();
    assert_eq!(c.task(task).await.unwrap().status, TaskStatus::Success);
    let web = read.vm_named("web").unwrap().id;

    let copy = NewVm { source: web.into(), ..b.new_vm("copy", "lan", "10.0.0.3").await };
    b.done(c.vapp_recompose(vapp, &Recompose { add: vec![copy], ..Recompose::default() }).await).await;
    let read = c.vapp(vapp).await.unwrap();
    let copy = read.vm_named("copy").unwrap();
    assert_eq!(copy.addresses().collect::<Vec<_>>(), ["10.0.0.3"]);
    assert_ne!(copy.id, web);

    let section = GuestCustomization {
        enabled: true,
        computer_name: "copy".into(),
        reset_password_required: true,
        ..GuestCustomization::default()
    };
    b.done(c.vm_customize(copy.id, &section).await).await;
    let early = c.vm_customization_wait(copy.id, quick(0)).await.unwrap_err();
    assert_eq!(early.kind, ErrorKind::Timeout);
    b.done(c.vm_power_on(copy.id).await).await;
    c.vm_customization_wait(copy.id, quick(60)).await.unwrap();
    let state = c.vm_power_on(copy.id).await.unwrap_err();
    assert_eq!((state.kind, state.effect), (ErrorKind::State, Effect::Refused));
}
