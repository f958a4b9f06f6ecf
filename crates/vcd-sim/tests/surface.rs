//! The further parts of the surface: what an operator does with edges, the older ways to change a machine, items of a
//! recompose, what is shown of failures, and what the schema refuses.

use crate::cloud::{Cloud, NS, OVF};
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn edges_come_and_go_by_the_operator() {
    let mut cloud = Cloud::stepped().await;
    let vdc = format!("urn:vcloud:vdc:{}", cloud.vdc().await);
    let body = |name: &str| {
        json!({"name": name, "description": "routed 198.19.0.0/29", "ownerRef": {"id": vdc}}).to_string()
    };
    let edges = "/cloudapi/1.0.0/edgeGateways";
    cloud.post(edges, body("new")).await.refused(403, "denied");
    let net = cloud.network("net", 1).await;
    cloud.sign_in_as_provider().await;
    cloud.post(edges, body("edge-001")).await.refused(400, "DUPLICATE_NAME");
    cloud.post(edges, "{}").await.refused(400, "name");
    let task = cloud.post(edges, body("new")).await.expect(202).task();
    let find = |name: &'static str| {
        let cloud = &cloud;
        async move {
            cloud.get(&format!("{edges}?filter=name=={name}")).await.expect(200).json()["values"][0].clone()
        }
    };
    let made = find("new").await;
    assert_eq!(made["status"], "CONFIGURING");
    let id = made["id"].as_str().unwrap().to_owned();
    let network = json!({"name": "early", "networkType": "NAT_ROUTED", "ownerRef": {"id": vdc},
        "connection": {"routerRef": {"id": id}},
        "subnets": {"values": [{"gateway": "10.9.0.1", "prefixLength": 29}]}});
    cloud.post("/cloudapi/1.0.0/orgVdcNetworks", network.to_string()).await.refused(400, "BUSY_ENTITY");
    cloud.pass(20);
    assert_eq!(cloud.task_status(&task).await, "success");
    let made = find("new").await;
    assert_eq!(made["status"], "REALIZED");
    let uplink = |e: &Value| e["edgeGatewayUplinks"][0]["subnets"]["values"][0]["primaryIp"].clone();
    assert_ne!(uplink(&made), uplink(&find("edge-130").await), "an address of its own");
    cloud.send(Method::PUT, &format!("{edges}/{id}"), body("renamed")).await.expect(202);
    cloud.pass(20);
    assert_eq!(find("renamed").await["id"], id.as_str());
    let used = cloud.edge(1).await["id"].as_str().unwrap().to_owned();
    cloud.send(Method::DELETE, &format!("{edges}/{used}"), "").await.refused(400, "cannot be deleted");
    cloud.send(Method::DELETE, &format!("{edges}/{id}"), "").await.expect(202);
    cloud.pass(20);
    assert_eq!(find("renamed").await, Value::Null);
    cloud.get(&format!("/api/network/{net}")).await.expect(200);
}

#[tokio::test]
async fn a_creation_that_fails_may_leave_something_behind() {
    let cloud = Cloud::stepped().await;
    cloud.fault("task networkCreateOrgVdcNetwork", json!({"kind": "error", "leaves_shell": true})).await;
    let task = cloud.network_ask("net", 1, 1).await.expect(202).task();
    cloud.pass(30);
    assert_eq!(cloud.task_status(&task).await, "error");
    let list = cloud.get("/cloudapi/1.0.0/orgVdcNetworks").await.expect(200).json();
    assert_eq!(list["values"][0]["status"], "REALIZATION_FAILED");
    let id = list["values"][0]["id"].as_str().unwrap().to_owned();
    cloud.send(Method::DELETE, &format!("/cloudapi/1.0.0/orgVdcNetworks/{id}"), "").await.expect(202);
    cloud.pass(30);
    assert!(cloud.sim.census().networks.is_empty());
}

#[tokio::test]
async fn failed_tasks_stay_in_sight_and_say_what_they_did() {
    let cloud = Cloud::stepped().await;
    let vapp = cloud.vapp("a", &[]).await;
    let vm = cloud.vm(&vapp, "web", "none").await;
    cloud.fault("task vappDeploy", json!({"kind": "error"})).await;
    let running = cloud.power(&vm, "powerOn").await.expect(202);
    assert!(running.attr("operation").starts_with("Starting Virtual Machine web("), "{}", running.body);
    cloud.pass(60);
    let body = cloud.get(&format!("/api/vApp/vm-{vm}")).await.expect(200).body;
    assert!(body.contains("<Tasks>") && body.contains("status=\"error\""), "{body}");
    assert!(body.contains("operation=\"Started Virtual Machine web("), "{body}");
    // A client that looks at what is running only goes on.
    for _ in 0..5 {
        cloud.fault("task vappDeploy", json!({"kind": "error"})).await;
        cloud.power(&vm, "powerOn").await.expect(202);
        cloud.pass(60);
    }
    let body = cloud.get(&format!("/api/vApp/vm-{vm}")).await.expect(200).body;
    assert_eq!(body.matches("<Error ").count(), 3, "the latest few: {body}");
    cloud.power(&vm, "powerOn").await.expect(202);
}

fn recompose(items: &str) -> String {
    format!(
        "<RecomposeVAppParams xmlns=\"{NS}\" xmlns:ovf=\"{OVF}\"><AllEULAsAccepted>true</AllEULAsAccepted>{items}\
         </RecomposeVAppParams>"
    )
}

#[tokio::test]
async fn a_recompose_creates_and_reconfigures_too() {
    let cloud = Cloud::stepped().await;
    let net = cloud.network("net", 1).await;
    let vapp = cloud.vapp("a", &[("net", &net)]).await;
    let web = cloud.vm(&vapp, "web", "net").await;
    let create = format!(
        "<RecomposeVAppParams xmlns=\"{NS}\" xmlns:ovf=\"{OVF}\" deploy=\"false\" powerOn=\"false\"><CreateItem name=\"blank\">\
         <Description>from nothing</Description>\
         <NetworkConnectionSection><ovf:Info/><NetworkConnection network=\"net\"><NetworkConnectionIndex>0</NetworkConnectionIndex>\
         <IsConnected>true</IsConnected><IpAddressAllocationMode>POOL</IpAddressAllocationMode></NetworkConnection></NetworkConnectionSection>\
         <VmSpecSection Modified=\"true\"><ovf:Info/><OsType>debian12_64Guest</OsType><NumCpus>4</NumCpus>\
         <NumCoresPerSocket>2</NumCoresPerSocket><MemoryResourceMb><Configured>2048</Configured></MemoryResourceMb>\
         <DiskSection><DiskSettings><SizeMb>4096</SizeMb><UnitNumber>0</UnitNumber><BusNumber>0</BusNumber>\
         <AdapterType>5</AdapterType></DiskSettings></DiskSection></VmSpecSection></CreateItem></RecomposeVAppParams>"
    );
    cloud.recompose(&vapp, create.clone()).await.expect(202);
    cloud.pass(200);
    let blank = cloud.vm_named("blank").await;
    let body = cloud.get(&format!("/api/vApp/vm-{blank}")).await.expect(200).body;
    for part in
        ["<NumCpus>4<", "<NumCoresPerSocket>2<", "<SizeMb>4096<", "debian12_64Guest", "<IpAddress>10.0.0."]
    {
        assert!(body.contains(part), "{part}: {body}");
    }
    cloud.recompose(&vapp, create).await.refused(400, "DUPLICATE_NAME");
    let change = recompose(&format!(
        "<ReconfigureItem name=\"site\" href=\"{}/api/vApp/vm-{web}\"><VmSpecSection><ovf:Info/><NumCpus>2</NumCpus>\
         </VmSpecSection></ReconfigureItem><DeleteItem href=\"{}/api/vApp/vm-{blank}\"/>",
        cloud.url, cloud.url
    ));
    cloud.recompose(&vapp, change).await.expect(202);
    cloud.pass(200);
    assert_eq!(cloud.sim.census().vms, ["site"]);
    assert!(cloud.get(&format!("/api/vApp/vm-{web}")).await.body.contains("<NumCpus>2<"));
}

#[tokio::test]
async fn cards_by_items_and_properties_of_a_vapp() {
    let cloud = Cloud::stepped().await;
    let net = cloud.network("net", 1).await;
    let vapp = cloud.vapp("a", &[("net", &net)]).await;
    let vm = cloud.vm(&vapp, "web", "net").await;
    let path = format!("/api/vApp/vm-{vm}/virtualHardwareSection/networkCards");
    // What was read goes back as it is, links and all.
    let read = cloud.get(&path).await.expect(200).body;
    cloud.send(Method::PUT, &path, read.clone()).await.expect(202);
    cloud.pass(20);
    let changed = read.replace("\"POOL\"", "\"MANUAL\"").replace("10.0.0.10", "10.0.0.12");
    assert_ne!(read, changed);
    cloud.send(Method::PUT, &path, changed).await.expect(202);
    cloud.pass(20);
    let body = cloud.get(&format!("/api/vApp/vm-{vm}")).await.expect(200).body;
    assert!(body.contains("<IpAddress>10.0.0.12<"), "{body}");
    cloud.send(Method::PUT, &path, read.replace(">net<", ">other<")).await.refused(400, "no network");
    let properties = format!(
        "<ProductSectionList xmlns=\"{NS}\" xmlns:ovf=\"{OVF}\"><ovf:ProductSection><ovf:Info/>\
         <ovf:Property ovf:key=\"plan\" ovf:type=\"string\"><ovf:Value ovf:value=\"large\"/></ovf:Property>\
         </ovf:ProductSection></ProductSectionList>"
    );
    for entity in [format!("vapp-{vapp}"), format!("vm-{vm}")] {
        let path = format!("/api/vApp/{entity}/productSections/");
        cloud.send(Method::PUT, &path, properties.clone()).await.expect(202);
        cloud.pass(20);
        assert!(cloud.get(&path).await.expect(200).body.contains("ovf:value=\"large\""), "{entity}");
    }
    let access = format!(
        "<ControlAccessParams xmlns=\"{NS}\"><IsSharedToEveryone>true</IsSharedToEveryone>\
         <EveryoneAccessLevel>ReadOnly</EveryoneAccessLevel></ControlAccessParams>"
    );
    cloud.post(&format!("/api/vApp/vapp-{vapp}/action/controlAccess"), access).await.expect(200);
    let told = cloud.get(&format!("/api/vApp/vapp-{vapp}/controlAccess/")).await.expect(200).body;
    assert!(told.contains("<EveryoneAccessLevel>ReadOnly<"), "{told}");
}

#[tokio::test]
async fn the_schema_is_kept_in_every_section() {
    let cloud = Cloud::stepped().await;
    let net = cloud.network("net", 1).await;
    let vapp = cloud.vapp("a", &[("net", &net)]).await;
    let vm = cloud.vm(&vapp, "web", "net").await;
    let vapp_path = format!("/api/vApp/vapp-{vapp}");
    let vm_path = format!("/api/vApp/vm-{vm}");
    let bad = [
        (
            Method::PUT,
            format!("{vapp_path}/networkConfigSection"),
            "<NetworkConfigSection X><NetworkConfig/><ovf:Info/></NetworkConfigSection>",
            "Info",
        ),
        (
            Method::PUT,
            format!("{vapp_path}/networkConfigSection"),
            "<NetworkConfigSection X><ovf:Info/><NetworkConfig networkName=\"n\"><Configuration><FenceMode>bridged</FenceMode>\
             <ParentNetwork/></Configuration></NetworkConfig></NetworkConfigSection>",
            "ParentNetwork",
        ),
        (
            Method::PUT,
            format!("{vm_path}/vmCapabilities"),
            "<VmCapabilities X><CpuHotAddEnabled/><MemoryHotAddEnabled/></VmCapabilities>",
            "MemoryHotAddEnabled",
        ),
        (
            Method::PUT,
            format!("{vm_path}/guestCustomizationSection"),
            "<GuestCustomizationSection X><ovf:Info/><ComputerName/><Enabled/></GuestCustomizationSection>",
            "Enabled",
        ),
        (
            Method::POST,
            format!("{vm_path}/action/reconfigureVm"),
            "<Vm X name=\"web\"><VmSpecSection><ovf:Info/><DiskSection><DiskSettings><SizeMb/><DiskId/></DiskSettings></DiskSection></VmSpecSection></Vm>",
            "DiskId",
        ),
        (
            Method::POST,
            format!("{vm_path}/action/undeploy"),
            "<UndeployVAppParams X><Colour/></UndeployVAppParams>",
            "Colour",
        ),
        (
            Method::POST,
            format!("{vm_path}/metadata"),
            "<Metadata X><MetadataEntry><TypedValue/><Key/></MetadataEntry></Metadata>",
            "Key",
        ),
        (
            Method::POST,
            format!("{vapp_path}/action/recomposeVApp"),
            "<RecomposeVAppParams X><AllEULAsAccepted/><SourcedItem/></RecomposeVAppParams>",
            "SourcedItem",
        ),
    ];
    for (method, path, body, element) in &bad {
        let body = body.replace(" X", &format!(" xmlns=\"{NS}\" xmlns:ovf=\"{OVF}\""));
        let answer = cloud.send(method.clone(), path, body.clone()).await;
        answer.refused(400, &format!("starting with element '{element}'"));
    }
    // What a body says it is counts too.
    let undeploy = format!("<UndeployVAppParams xmlns=\"{NS}\"/>");
    let path = format!("{vm_path}/action/undeploy");
    let answer = cloud.send_as(Method::POST, &path, "application/json", undeploy).await.unwrap();
    answer.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    let answer = cloud
        .send_as(Method::POST, "/cloudapi/1.0.0/orgVdcNetworks", "text/plain", "{}".into())
        .await
        .unwrap();
    answer.refused(415, "UNSUPPORTED_MEDIA_TYPE");
}

/// What a customization was doing when the power went is begun again, also where it was forced.
#[tokio::test]
async fn a_customization_that_was_cut_short_begins_again() {
    let cloud = Cloud::stepped().await;
    let vapp = cloud.vapp("a", &[]).await;
    let vm = cloud.vm(&vapp, "web", "none").await;
    cloud.power(&vm, "powerOn").await.expect(202);
    cloud.pass(200);
    assert_eq!(cloud.guest(&vm).await["hostname"], "web");
    cloud.undeploy(&format!("vm-{vm}")).await.expect(202);
    cloud.pass(60);
    let deploy = format!("<DeployVAppParams xmlns=\"{NS}\" powerOn=\"true\" forceCustomization=\"true\"/>");
    cloud.post(&format!("/api/vApp/vm-{vm}/action/deploy"), deploy).await.expect(202);
    cloud.pass(20);
    let status = async || {
        let answer = cloud.get(&format!("/api/vApp/vm-{vm}/guestcustomizationstatus")).await.expect(200);
        answer.body.split("GuestCustStatus>").nth(1).unwrap().split('<').next().unwrap().to_owned()
    };
    assert_eq!(status().await, "GC_PENDING");
    cloud.power(&vm, "powerOff").await.expect(202);
    cloud.pass(200);
    assert_eq!(status().await, "GC_PENDING", "it did not get through");
    cloud.power(&vm, "powerOn").await.expect(202);
    cloud.pass(200);
    assert_eq!(status().await, "GC_COMPLETE");
}

/// Addresses that do not suffice leave nothing half done.
#[tokio::test]
async fn a_recompose_that_runs_out_of_addresses_does_nothing() {
    let cloud = Cloud::stepped().await;
    let net = cloud.network("net", 1).await;
    let vapp = cloud.vapp("a", &[("net", &net)]).await;
    let old = cloud.vm(&vapp, "old", "net").await;
    let machines = ["a", "b", "c", "d", "e", "f"].map(|name| (name, "net"));
    let body = cloud.recompose_body(&machines).await;
    let delete = format!("<DeleteItem href=\"{}/api/vApp/vm-{old}\"/></RecomposeVAppParams>", cloud.url);
    let task =
        cloud.recompose(&vapp, body.replace("</RecomposeVAppParams>", &delete)).await.expect(202).task();
    cloud.pass(600);
    assert_eq!(cloud.task_status(&task).await, "error");
    assert_eq!(cloud.sim.census().vms, ["old"]);
}
