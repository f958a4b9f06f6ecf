//! The rules of the platform, one test each, over HTTP and by the clock's hand.

use crate::cloud::{Cloud, NS, OVF};
use reqwest::Method;
use serde_json::json;
use vcd_sim::{Config, Knobs};

fn with(knobs: Knobs) -> Config {
    Config { stepped: true, knobs, ..Config::default() }
}

#[tokio::test]
async fn versions_sessions_and_paths() {
    let cloud = Cloud::stepped().await;
    let http = reqwest::Client::new();
    let bare =
        |path: &str, accept: &str| http.get(format!("{}{path}", cloud.url)).header("accept", accept).send();
    assert_eq!(bare("/api/versions", "*/*").await.unwrap().status(), 200);
    let unknown = bare("/api/org", "application/*+xml;version=37.1").await.unwrap();
    assert_eq!(unknown.status(), 401);
    assert_eq!(unknown.text().await.unwrap(), "", "neither XML nor JSON");
    cloud.get("/api/nothing").await.refused(404, "majorErrorCode=\"404\"");
    cloud.get("/cloudapi/1.0.0/nothing").await.refused(404, "\"minorErrorCode\"");
    cloud.send(Method::PATCH, "/api/org", "").await.refused(405, "METHOD_NOT_ALLOWED");
    let old = http
        .get(format!("{}/api/org", cloud.url))
        .header("accept", "application/*+xml;version=99.0")
        .bearer_auth("x")
        .send();
    assert_eq!(old.await.unwrap().status(), 401, "who asks comes before what is asked");
    cloud
        .get("/api/vApp/vapp-3f2504e0-4f89-11d3-9a0c-0305e82c3301")
        .await
        .refused(403, "No access to entity");
    cloud.get("/api/vApp/vapp-nonsense").await.refused(400, "validation error on field 'id'");
}

#[tokio::test]
async fn pages_have_limits_and_lead_on() {
    let cloud = Cloud::stepped().await;
    let first = cloud.get("/cloudapi/1.0.0/edgeGateways?pageSize=128").await.expect(200);
    assert_eq!(first.json()["values"].as_array().unwrap().len(), 128);
    assert!(first.headers["link"].to_str().unwrap().contains("page=2"));
    let second = cloud.get("/cloudapi/1.0.0/edgeGateways?pageSize=128&page=2").await.expect(200);
    assert_eq!(second.json()["values"].as_array().unwrap().len(), 2);
    assert!(second.headers.get("link").is_none());
    cloud.get("/cloudapi/1.0.0/edgeGateways?pageSize=129").await.refused(400, "pageSize");
    cloud.get("/cloudapi/1.0.0/orgVdcNetworks?pageSize=33").await.refused(400, "pageSize");
    cloud.get("/cloudapi/1.0.0/edgeGateways?page=0").await.refused(400, "page");
    cloud.get("/cloudapi/1.0.0/edgeGateways?filter=colour==red").await.refused(400, "colour");
    let records = cloud.get("/api/query?type=edgeGateway&pageSize=100&sortAsc=name").await.expect(200);
    assert!(records.body.contains("total=\"130\"") && records.body.contains("rel=\"nextPage\""));
    cloud.get("/api/query?type=nonsense").await.refused(400, "Unsupported query");
}

#[tokio::test]
async fn a_network_holds_its_edge_and_the_count_lags() {
    let cloud = Cloud::stepped().await;
    let task = cloud.network_ask("one", 1, 1).await.expect(202).task();
    assert_eq!(cloud.task_status(&task).await, "queued");
    cloud.network_ask("two", 1, 2).await.refused(400, "BUSY_ENTITY");
    let busy = cloud.network_ask("two", 1, 2).await;
    assert!(busy.body.contains("NETWORK_CREATE_ORG_VDC_NETWORK("), "{}", busy.body);
    assert!(busy.body.contains(&format!("(com.vmware.vcloud.entity.task:{task})")), "{}", busy.body);
    cloud.pass(4);
    assert_eq!(cloud.task_status(&task).await, "running");
    cloud.pass(5);
    assert_eq!(cloud.task_status(&task).await, "success");
    assert_eq!(cloud.edge(1).await["orgVdcNetworkCount"], 0, "readers still see it as free");
    // And so a second order may land on it: the platform does not mind.
    cloud.network_ask("two", 1, 2).await.expect(202);
    cloud.pass(30);
    assert_eq!(cloud.edge(1).await["orgVdcNetworkCount"], 2);
    assert_eq!(cloud.sim.census().edges_doubled, 1);
    cloud.network_ask("one", 3, 3).await.refused(400, "DUPLICATE_NAME");
    cloud.network_ask("three", 3, 1).await.refused(400, "overlaps");
}

#[tokio::test]
async fn one_task_an_entity_and_no_links_meanwhile() {
    let cloud = Cloud::stepped().await;
    let net = cloud.network("net", 1).await;
    let vapp = cloud.vapp("a", &[("net", &net)]).await;
    let vm = cloud.vm(&vapp, "web", "net").await;
    let links = |body: &str| (body.contains("power:powerOn"), body.contains("rel=\"recompose\""));
    assert_eq!(links(&cloud.get(&format!("/api/vApp/vapp-{vapp}")).await.body), (true, true));
    cloud.power(&vm, "powerOn").await.expect(202);
    let busy = cloud.get(&format!("/api/vApp/vm-{vm}")).await.expect(200);
    assert!(!busy.body.contains("reconfigureVm\"") && busy.body.contains("<Tasks>"), "{}", busy.body);
    cloud.power(&vm, "powerOn").await.refused(400, "is busy completing an operation VAPP_DEPLOY");
    // The machine's task keeps the vApp from being recomposed, and a vApp's task its machines.
    let body = cloud.recompose_body(&[("db", "net")]).await;
    cloud.recompose(&vapp, body.clone()).await.refused(400, "BUSY_ENTITY");
    cloud.pass(20);
    cloud.recompose(&vapp, body).await.expect(202);
    cloud.power(&vm, "reset").await.refused(400, "VDC_RECOMPOSE_VAPP");
    cloud.pass(200);
    cloud.power(&vm, "reset").await.expect(202);
    let records = cloud.get("/api/query?type=vm&filter=name==web").await;
    assert!(records.body.contains("isBusy=\"true\""), "{}", records.body);
}

#[tokio::test]
async fn a_network_leaves_with_its_vapp_only() {
    let cloud = Cloud::stepped().await;
    let (one, two) = (cloud.network("one", 1).await, cloud.network("two", 2).await);
    let vapp = cloud.vapp("a", &[("one", &one), ("two", &two)]).await;
    let (web, db) = (cloud.vm(&vapp, "web", "one").await, cloud.vm(&vapp, "db", "two").await);
    cloud.power(&web, "powerOn").await.expect(202);
    cloud.pass(200);
    // The last machine on it is gone, and still the network stays while the vApp runs.
    cloud.send(Method::DELETE, &format!("/api/vApp/vm-{db}"), "").await.expect(202);
    cloud.pass(30);
    let rest = format!(
        "<NetworkConfigSection xmlns=\"{NS}\" xmlns:ovf=\"{OVF}\"><ovf:Info/>{}</NetworkConfigSection>",
        cloud.network_configs(&[("one", &one)])
    );
    let section = format!("/api/vApp/vapp-{vapp}/networkConfigSection/");
    cloud.send(Method::PUT, &section, rest.clone()).await.refused(409, "Stop the vApp and try again.");
    let network = format!("/cloudapi/1.0.0/orgVdcNetworks/urn:vcloud:network:{two}");
    cloud.send(Method::DELETE, &network, "").await.refused(400, "in use by the following vApp(s): a");
    cloud.send(Method::DELETE, &format!("/api/vApp/vapp-{vapp}"), "").await.refused(400, "Stop the vApp");

    // So the machine moves, running, and the old vApp goes.
    let next = cloud.vapp("b", &[("one", &one)]).await;
    let up = cloud.guest(&web).await["up_for_ms"].as_i64().unwrap();
    let body = format!(
        "<RecomposeVAppParams xmlns=\"{NS}\"><SourcedItem sourceDelete=\"true\">\
         <Source href=\"{}/api/vApp/vm-{web}\"/></SourcedItem></RecomposeVAppParams>",
        cloud.url
    );
    cloud.recompose(&next, body).await.expect(202);
    cloud.power(&web, "reset").await.refused(400, "BUSY_ENTITY");
    cloud.pass(30);
    let guest = cloud.guest(&web).await;
    assert_eq!((guest["state"].as_str(), guest["boots"].as_u64()), (Some("up"), Some(1)));
    assert!(guest["up_for_ms"].as_i64().unwrap() > up, "it never stopped");
    cloud.send(Method::DELETE, &format!("/api/vApp/vapp-{vapp}"), "").await.expect(202);
    cloud.pass(30);
    cloud.send(Method::DELETE, &network, "").await.expect(202);
    cloud.pass(30);
    assert_eq!(cloud.sim.census().networks, ["one"]);
    cloud.undeploy(&format!("vapp-{next}")).await.expect(202);
    cloud.pass(30);
    cloud.undeploy(&format!("vapp-{next}")).await.refused(400, "is not running");
}

#[tokio::test]
async fn a_move_needs_its_networks_and_may_give_a_new_id() {
    let cloud = Cloud::start(with(Knobs { move_keeps_id: false, ..Knobs::default() })).await;
    let net = cloud.network("net", 1).await;
    let (vapp, bare) = (cloud.vapp("a", &[("net", &net)]).await, cloud.vapp("b", &[]).await);
    let vm = cloud.vm(&vapp, "web", "net").await;
    let body = format!(
        "<RecomposeVAppParams xmlns=\"{NS}\"><SourcedItem sourceDelete=\"true\">\
         <Source href=\"{}/api/vApp/vm-{vm}\"/></SourcedItem></RecomposeVAppParams>",
        cloud.url
    );
    cloud.recompose(&bare, body.clone()).await.refused(400, "has no network");
    cloud.recompose(&vapp, body.clone()).await.refused(400, "in this vApp already");
    let next = cloud.vapp("c", &[("net", &net)]).await;
    cloud.recompose(&next, body).await.expect(202);
    cloud.pass(30);
    assert_ne!(cloud.vm_named("web").await, vm);
    cloud.get(&format!("/api/vApp/vm-{vm}")).await.refused(403, "No access");
}

async fn resize(cloud: &Cloud, vm: &str, spec: &str) -> crate::cloud::Answer {
    let body = format!(
        "<Vm xmlns=\"{NS}\" xmlns:ovf=\"{OVF}\" name=\"web\"><VmSpecSection Modified=\"true\"><ovf:Info/>{spec}\
         </VmSpecSection></Vm>"
    );
    cloud.post(&format!("/api/vApp/vm-{vm}/action/reconfigureVm"), body).await
}

#[tokio::test]
async fn size_hot_cold_and_disks() {
    let cloud = Cloud::stepped().await;
    let net = cloud.network("net", 1).await;
    let vapp = cloud.vapp("a", &[("net", &net)]).await;
    let vm = cloud.vm(&vapp, "web", "net").await;
    let memory = |mb: u32| format!("<MemoryResourceMb><Configured>{mb}</Configured></MemoryResourceMb>");
    let disks = |list: &[(u32, u32)]| {
        let disk = |(id, mb): &(u32, u32)| {
            format!(
                "<DiskSettings><DiskId>{id}</DiskId><SizeMb>{mb}</SizeMb><UnitNumber>{}</UnitNumber>\
                 <BusNumber>0</BusNumber><AdapterType>5</AdapterType></DiskSettings>",
                id - 2000
            )
        };
        format!("<DiskSection>{}</DiskSection>", list.iter().map(disk).collect::<String>())
    };
    resize(&cloud, &vm, &format!("{}<NumCpus>2</NumCpus>", memory(2048)))
        .await
        .refused(400, "stands too late");
    resize(&cloud, &vm, "<Colour>red</Colour>").await.refused(400, "Invalid content");
    resize(&cloud, &vm, &disks(&[(2000, 5000)])).await.refused(400, "cannot be made smaller");
    resize(&cloud, &vm, &disks(&[(2000, 20480), (2001, 1024)])).await.expect(202);
    cloud.pass(30);
    resize(&cloud, &vm, &disks(&[(2000, 20480)])).await.expect(202);
    cloud.pass(30);
    let disk_count = cloud.guest(&vm).await["disks"].as_array().unwrap().len();
    assert_eq!(disk_count, 1, "a disk that is left out is deleted");
    cloud.power(&vm, "powerOn").await.expect(202);
    cloud.pass(200);
    resize(
        &cloud,
        &vm,
        &format!("<NumCpus>4</NumCpus><NumCoresPerSocket>1</NumCoresPerSocket>{}", memory(4096)),
    )
    .await
    .expect(202);
    cloud.pass(30);
    resize(&cloud, &vm, &memory(2048)).await.refused(400, "powered on");
    resize(&cloud, &vm, "<NumCpus>4</NumCpus><NumCoresPerSocket>2</NumCoresPerSocket>")
        .await
        .refused(400, "powered on");
    resize(&cloud, &vm, "<NumCpus>3</NumCpus><NumCoresPerSocket>2</NumCoresPerSocket>")
        .await
        .refused(400, "divisible");
    let snapshot = format!("<CreateSnapshotParams xmlns=\"{NS}\" memory=\"false\" quiesce=\"false\"/>");
    cloud.post(&format!("/api/vApp/vm-{vm}/action/createSnapshot"), snapshot).await.expect(202);
    cloud.pass(60);
    resize(&cloud, &vm, &disks(&[(2000, 40960)])).await.refused(400, "snapshot");
    cloud.post(&format!("/api/vApp/vm-{vm}/action/revertToCurrentSnapshot"), "").await.expect(202);
    cloud.pass(60);
    assert_eq!(cloud.guest(&vm).await["state"], "off", "a snapshot without memory leaves it off");
}

#[tokio::test]
async fn size_needs_the_first_login_flag() {
    let cloud = Cloud::stepped().await;
    let net = cloud.network("net", 1).await;
    let vapp = cloud.vapp("a", &[("net", &net)]).await;
    let vm = cloud.vm(&vapp, "web", "net").await;
    let section = |reset: bool| {
        format!(
            "<GuestCustomizationSection xmlns=\"{NS}\" xmlns:ovf=\"{OVF}\"><ovf:Info/><Enabled>true</Enabled>\
             <ResetPasswordRequired>{reset}</ResetPasswordRequired><ComputerName>web</ComputerName>\
             </GuestCustomizationSection>"
        )
    };
    let path = format!("/api/vApp/vm-{vm}/guestCustomizationSection/");
    cloud.send(Method::PUT, &path, section(false)).await.expect(202);
    cloud.pass(30);
    let spec = "<NumCpus>2</NumCpus><NumCoresPerSocket>1</NumCoresPerSocket>";
    resize(&cloud, &vm, spec).await.refused(400, "requires a password change");
    cloud.control("knobs", json!({"resize_needs_first_login_flag": false})).await;
    resize(&cloud, &vm, spec).await.expect(202);
}

#[tokio::test]
async fn customization_first_boot_and_what_a_reboot_mends() {
    let cloud = Cloud::stepped().await;
    let net = cloud.network("net", 1).await;
    let vapp = cloud.vapp("a", &[("net", &net)]).await;
    let vm = cloud.vm(&vapp, "web", "net").await;
    let status = async || {
        let answer = cloud.get(&format!("/api/vApp/vm-{vm}/guestcustomizationstatus")).await.expect(200);
        answer.body.split("GC_").nth(1).map_or("REBOOT".into(), |s| s.split('<').next().unwrap().to_owned())
    };
    cloud.power(&vm, "powerOn").await.expect(202);
    cloud.pass(20);
    assert_eq!(status().await, "PENDING");
    cloud.pass(30);
    assert_eq!(status().await, "REBOOT");
    cloud.pass(60);
    assert_eq!(status().await, "COMPLETE");
    let guest = cloud.guest(&vm).await;
    assert_eq!((&guest["hostname"], &guest["addresses"]), (&json!("web"), &json!(["10.0.0.10"])));

    // What the properties say comes back with a reboot.
    let properties = format!(
        "<ProductSectionList xmlns=\"{NS}\" xmlns:ovf=\"{OVF}\"><ovf:ProductSection><ovf:Info/>\
         <ovf:Property ovf:key=\"slipway.hostname\" ovf:type=\"string\" ovf:value=\"web\"/>\
         <ovf:Property ovf:key=\"slipway.address\" ovf:type=\"string\"><ovf:Value ovf:value=\"10.0.0.10\"/></ovf:Property>\
         </ovf:ProductSection></ProductSectionList>"
    );
    cloud.send(Method::PUT, &format!("/api/vApp/vm-{vm}/productSections"), properties).await.expect(202);
    cloud.pass(30);
    let broken = json!({"hostname": "mine", "addresses": ["10.9.9.9"]}).to_string();
    cloud.send(Method::PUT, &format!("/sim/guests/{vm}"), broken).await.expect(204);
    assert_eq!(cloud.guest(&vm).await["hostname"], "mine");
    cloud.power(&vm, "reboot").await.expect(202);
    cloud.pass(60);
    let guest = cloud.guest(&vm).await;
    assert_eq!((&guest["hostname"], &guest["addresses"]), (&json!("web"), &json!(["10.0.0.10"])));

    let login = async |body: serde_json::Value| {
        cloud.post(&format!("/sim/guests/{vm}/login"), body.to_string()).await.status
    };
    assert_eq!(login(json!({"login": "root", "password": "x"})).await, 401);
    assert_eq!(login(json!({"login": "root", "password": "x", "address": "10.0.0.99"})).await, 503);
}

#[tokio::test]
async fn what_is_held_refuses_before_it_reads() {
    let cloud = Cloud::stepped().await;
    let net = cloud.network("net", 1).await;
    let vapp = cloud.vapp("a", &[("net", &net)]).await;
    let vm = cloud.vm(&vapp, "web", "net").await;
    let machine = format!("/api/vApp/vm-{vm}");
    let paths = ["action/deploy", "action/undeploy", "action/createSnapshot", "metadata"];

    for path in paths {
        cloud.post(&format!("{machine}/{path}"), "<Broken").await.refused(400, "BAD_REQUEST");
    }
    // The machine's own work, and then its vApp's.
    cloud.power(&vm, "powerOn").await.expect(202);
    for path in paths {
        cloud.post(&format!("{machine}/{path}"), "<Broken").await.refused(400, "BUSY_ENTITY");
    }
    cloud.pass(200);
    cloud.undeploy(&format!("vapp-{vapp}")).await.expect(202);
    for path in paths {
        cloud.post(&format!("{machine}/{path}"), "<Broken").await.refused(400, "BUSY_ENTITY");
    }
    cloud.pass(60);

    cloud.network_ask("two", 2, 2).await.expect(202);
    let twice = cloud.network_ask("", 2, 3).await;
    twice.refused(400, "BUSY_ENTITY");
}

#[tokio::test]
async fn copying_holds_what_is_copied() {
    let cloud = Cloud::stepped().await;
    let net = cloud.network("net", 1).await;
    let vapp = cloud.vapp("a", &[("net", &net)]).await;
    let vm = cloud.vm(&vapp, "web", "net").await;
    let vdc = cloud.vdc().await;
    let source = format!("<Source href=\"{}/api/vApp/vm-{vm}\"/>", cloud.url);
    let compose = format!(
        "<ComposeVAppParams xmlns=\"{NS}\" xmlns:ovf=\"{OVF}\" name=\"b\"><InstantiationParams><NetworkConfigSection>\
         <ovf:Info/>{}</NetworkConfigSection></InstantiationParams><SourcedItem>{source}</SourcedItem></ComposeVAppParams>",
        cloud.network_configs(&[("net", &net)])
    );
    let clone = format!(
        "<CloneVAppParams xmlns=\"{NS}\" name=\"c\"><Source href=\"{}/api/vApp/vapp-{vapp}\"/></CloneVAppParams>",
        cloud.url
    );
    for (action, body) in [("composeVApp", compose), ("cloneVApp", clone)] {
        cloud.post(&format!("/api/vdc/{vdc}/action/{action}"), body).await.expect(201);
        cloud.power(&vm, "powerOn").await.refused(400, "BUSY_ENTITY");
        cloud.pass(600);
    }
    cloud.power(&vm, "powerOn").await.expect(202);
}

#[tokio::test]
async fn forced_customization_only_while_undeployed() {
    let cloud = Cloud::stepped().await;
    let net = cloud.network("net", 1).await;
    let vapp = cloud.vapp("a", &[("net", &net)]).await;
    let vm = cloud.vm(&vapp, "web", "net").await;
    let deploy = format!("<DeployVAppParams xmlns=\"{NS}\" powerOn=\"true\" forceCustomization=\"true\"/>");
    let path = format!("/api/vApp/vm-{vm}/action/deploy");
    cloud.power(&vm, "powerOn").await.expect(202);
    cloud.pass(200);
    cloud.power(&vm, "shutdown").await.expect(202);
    cloud.pass(60);
    cloud.post(&path, deploy.clone()).await.refused(400, "not deployed");
    cloud.undeploy(&format!("vm-{vm}")).await.expect(202);
    cloud.pass(60);
    cloud.post(&path, deploy).await.expect(202);
    cloud.pass(20);
    assert_eq!(cloud.guest(&vm).await["state"], "customizing");
}

#[tokio::test]
async fn quotas_limits_and_expiry_are_knobs() {
    let knobs = Knobs {
        network_quota: 1,
        operation_limit: 1,
        task_expiry_ms: 60_000,
        realize_lag_ms: 5_000,
        realize_lag_jitter_ms: 0,
        ..Knobs::default()
    };
    let cloud = Cloud::start(with(knobs)).await;
    let task = cloud.network_ask("one", 1, 1).await.expect(202).task();
    cloud.network_ask("two", 2, 2).await.refused(400, "quota");
    cloud.control("knobs", json!({"network_quota": 0})).await;
    cloud.network_ask("two", 2, 2).await.refused(400, "OPERATION_LIMITS_EXCEEDED");
    assert_eq!(cloud.sim.census().networks.len(), 1, "what was refused left nothing");
    cloud.pass(9);
    let status =
        async || cloud.get("/cloudapi/1.0.0/orgVdcNetworks").await.json()["values"][0]["status"].clone();
    assert_eq!((cloud.task_status(&task).await.as_str(), status().await), ("success", json!("CONFIGURING")));
    cloud.pass(6);
    assert_eq!(status().await, json!("REALIZED"));
    cloud.pass(60);
    cloud.get(&format!("/api/task/{task}")).await.refused(403, "No access");
}

#[tokio::test]
async fn addresses_run_out() {
    let cloud = Cloud::stepped().await;
    let net = cloud.network("net", 1).await;
    let vapp = cloud.vapp("a", &[("net", &net)]).await;
    let machines: Vec<String> = (0..6).map(|n| format!("m{n}")).collect();
    let list: Vec<(&str, &str)> = machines.iter().map(|m| (m.as_str(), "net")).collect();
    let body = cloud.recompose_body(&list).await;
    let task = cloud.recompose(&vapp, body).await.expect(202).task();
    cloud.pass(300);
    let answer = cloud.get(&format!("/api/task/{task}")).await;
    assert_eq!(cloud.task_status(&task).await, "error");
    assert!(answer.body.contains("insufficient IP addresses"), "{}", answer.body);
}

#[tokio::test]
async fn nonsense_gets_the_apis_own_errors() {
    let cloud = Cloud::stepped().await;
    let net = cloud.network("net", 1).await;
    let vapp = cloud.vapp("a", &[("net", &net)]).await;
    let vm = cloud.vm(&vapp, "web", "net").await;
    let deep = format!("{}{}", "<a>".repeat(20_000), "</a>".repeat(20_000));
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]><x>&b;</x>".to_owned();
    let nonsense = [
        "",
        "<",
        "{}",
        "null",
        "<Vm/>",
        "\u{0}",
        "<x xmlns='http://www.vmware.com/vcloud/v1.5'/>",
        &deep,
        &bomb,
    ];
    let vdc = cloud.vdc().await;
    let edge = cloud.edge(1).await["id"].as_str().unwrap().to_owned();
    let paths = [
        (Method::POST, format!("/api/vdc/{vdc}/action/composeVApp")),
        (Method::POST, format!("/api/vdc/{vdc}/action/instantiateVAppTemplate")),
        (Method::POST, format!("/api/vdc/{vdc}/action/cloneVApp")),
        (Method::POST, format!("/api/admin/vdc/{vdc}/networks")),
        (Method::PUT, format!("/api/vApp/vapp-{vapp}")),
        (Method::POST, format!("/api/vApp/vapp-{vapp}/action/recomposeVApp")),
        (Method::PUT, format!("/api/vApp/vapp-{vapp}/networkConfigSection")),
        (Method::POST, format!("/api/vApp/vm-{vm}/action/reconfigureVm")),
        (Method::POST, format!("/api/vApp/vm-{vm}/action/deploy")),
        (Method::POST, format!("/api/vApp/vm-{vm}/action/undeploy")),
        (Method::POST, format!("/api/vApp/vm-{vm}/action/createSnapshot")),
        (Method::PUT, format!("/api/vApp/vm-{vm}/guestCustomizationSection")),
        (Method::PUT, format!("/api/vApp/vm-{vm}/networkConnectionSection")),
        (Method::PUT, format!("/api/vApp/vm-{vm}/vmCapabilities")),
        (Method::PUT, format!("/api/vApp/vm-{vm}/productSections")),
        (Method::PUT, format!("/api/vApp/vm-{vm}/virtualHardwareSection/cpu")),
        (Method::PUT, format!("/api/vApp/vm-{vm}/virtualHardwareSection/disks")),
        (Method::POST, format!("/api/vApp/vm-{vm}/question/action/answer")),
        (Method::POST, format!("/api/vApp/vm-{vm}/metadata")),
        (Method::POST, "/cloudapi/1.0.0/orgVdcNetworks".into()),
        (Method::PUT, format!("/cloudapi/1.0.0/orgVdcNetworks/urn:vcloud:network:{net}")),
    ];
    for (method, path) in paths {
        for body in nonsense {
            let answer = cloud.send(method.clone(), &path, body).await;
            let shown: String = body.chars().take(40).collect();
            assert_eq!(answer.status, 400, "{method} {path} with {shown:?}: {}", answer.body);
            assert!(answer.body.contains("minorErrorCode"), "{method} {path}: {}", answer.body);
        }
    }
    // An empty object lifts both limits: that is a request, if a strange one.
    cloud
        .send(Method::PUT, &format!("/cloudapi/1.0.0/edgeGateways/{edge}/qos"), "<")
        .await
        .refused(400, "minor");
    assert_eq!(cloud.sim.census().vms, ["web"], "nothing came of it");
}
