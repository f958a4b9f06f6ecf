//! What a body says is done, kept or refused: never taken and forgotten.

use crate::cloud::{Answer, Cloud, NS, OVF};
use reqwest::Method;
use serde_json::json;

/// A vApp with a network and one machine in it.
async fn shop() -> (Cloud, String, String, String) {
    let cloud = Cloud::stepped().await;
    let net = cloud.network("net", 1).await;
    let vapp = cloud.vapp("shop", &[("net", &net)]).await;
    let vm = cloud.vm(&vapp, "web", "net").await;
    (cloud, net, vapp, vm)
}

async fn machine(cloud: &Cloud, vm: &str) -> String {
    cloud.get(&format!("/api/vApp/vm-{vm}")).await.expect(200).body
}

async fn reconfigure(cloud: &Cloud, vm: &str, body: impl Into<String>) -> Answer {
    cloud.post(&format!("/api/vApp/vm-{vm}/action/reconfigureVm"), body).await
}

fn spec(inner: &str) -> String {
    format!(
        "<Vm xmlns=\"{NS}\" xmlns:ovf=\"{OVF}\" name=\"web\"><VmSpecSection Modified=\"true\"><ovf:Info/>{inner}</VmSpecSection></Vm>"
    )
}

fn disk(fields: &str) -> String {
    format!("<DiskSettings>{fields}<ThinProvisioned>true</ThinProvisioned></DiskSettings>")
}

#[tokio::test]
async fn a_whole_machine_is_sent_back() {
    let (cloud, _, _, vm) = shop().await;
    let body = machine(&cloud, &vm).await;
    reconfigure(&cloud, &vm, &body).await.expect(202);
    cloud.pass(30);
    let again = machine(&cloud, &vm).await;
    assert_eq!(again, body, "nothing has changed");
    // As clients do: one section changed, the rest as it was read.
    let renamed = body.replace("<ComputerName>web</ComputerName>", "<ComputerName>shop</ComputerName>");
    assert_ne!(renamed, body);
    reconfigure(&cloud, &vm, renamed).await.expect(202);
    cloud.pass(30);
    assert!(machine(&cloud, &vm).await.contains("<ComputerName>shop</ComputerName>"));
    // What is changed where it has no effect is refused, not forgotten.
    let cpus = body.replace(
        "<rasd:VirtualQuantity>1</rasd:VirtualQuantity>",
        "<rasd:VirtualQuantity>2</rasd:VirtualQuantity>",
    );
    assert_ne!(cpus, body);
    reconfigure(&cloud, &vm, cpus).await.refused(400, "VmSpecSection");
    // A section that says it was not modified is not read, whatever stands in it.
    let unread = body.replace("<NumCpus>1</NumCpus>", "<NumCpus>9</NumCpus>");
    assert_ne!(unread, body);
    reconfigure(&cloud, &vm, unread).await.expect(202);
    cloud.pass(30);
    assert!(machine(&cloud, &vm).await.contains("<NumCpus>1</NumCpus>"));
    let hot = body.replace("<CpuHotAddEnabled>true", "<CpuHotAddEnabled>false");
    assert_ne!(hot, body);
    reconfigure(&cloud, &vm, hot).await.refused(400, "vmCapabilities");
    let other = "aaaaaaaa-0000-4000-8000-000000000001";
    let at = body.find("/api/vdcStorageProfile/").unwrap() + "/api/vdcStorageProfile/".len();
    let stored = body.replace(&body[at..at + 36], other);
    reconfigure(&cloud, &vm, stored).await.refused(403, other);
    for (section, field) in [
        ("<Firmware>efi</Firmware>", "Firmware"),
        ("<CpuResourceMhz><Reservation>500</Reservation></CpuResourceMhz>", "Reservation"),
        ("<HardwareVersion>vmx-21</HardwareVersion>", "HardwareVersion"),
    ] {
        reconfigure(&cloud, &vm, spec(section)).await.refused(400, field);
    }
    cloud.power(&vm, "powerOn").await.expect(202);
    cloud.pass(60);
    reconfigure(&cloud, &vm, spec("<OsType>debian12_64Guest</OsType>")).await.refused(400, "powered on");
    assert!(machine(&cloud, &vm).await.contains("<ovfenv:Environment"), "it runs");
}

#[tokio::test]
async fn disks_have_ids_of_their_own_and_buses_have_rules() {
    let (cloud, _, _, vm) = shop().await;
    let first = disk(
        "<DiskId>2000</DiskId><SizeMb>20480</SizeMb><UnitNumber>0</UnitNumber><BusNumber>0</BusNumber><AdapterType>5</AdapterType>",
    );
    let new = disk(
        "<SizeMb>1024</SizeMb><UnitNumber>1</UnitNumber><BusNumber>0</BusNumber><AdapterType>6</AdapterType>",
    );
    let disks = spec(&format!("<DiskSection>{new}{first}</DiskSection>"));
    reconfigure(&cloud, &vm, disks).await.expect(202);
    cloud.pass(30);
    let body = machine(&cloud, &vm).await;
    assert_eq!(
        (body.matches("<DiskId>2000<").count(), body.matches("<DiskId>2001<").count()),
        (1, 1),
        "{body}"
    );
    cloud.power(&vm, "powerOn").await.expect(202);
    cloud.pass(200);
    let grown = |sata: u32, scsi: u32| {
        let second = format!(
            "<DiskId>2001</DiskId><SizeMb>{sata}</SizeMb><UnitNumber>1</UnitNumber><BusNumber>0</BusNumber><AdapterType>6</AdapterType>"
        );
        let first = format!(
            "<DiskId>2000</DiskId><SizeMb>{scsi}</SizeMb><UnitNumber>0</UnitNumber><BusNumber>0</BusNumber><AdapterType>5</AdapterType>"
        );
        spec(&format!("<DiskSection>{}{}</DiskSection>", disk(&second), disk(&first)))
    };
    reconfigure(&cloud, &vm, grown(2048, 20480)).await.refused(400, "not on SCSI");
    reconfigure(&cloud, &vm, grown(1024, 30720)).await.expect(202);
    cloud.pass(30);
    // The older way keeps bus and adapter of a disk that it does not speak of.
    let path = format!("/api/vApp/vm-{vm}/virtualHardwareSection/disks");
    let items = cloud.get(&format!("/api/vApp/vm-{vm}/virtualHardwareSection/disks")).await.expect(200).body;
    cloud.undeploy(&format!("vm-{vm}")).await.expect(202);
    cloud.pass(60);
    cloud
        .send(Method::PUT, &format!("/api/vApp/vm-{vm}/virtualHardwareSection/disks"), items)
        .await
        .expect(202);
    cloud.pass(30);
    let body = machine(&cloud, &vm).await;
    assert!(body.contains("<AdapterType>6</AdapterType>"), "{body}");
    // And it gives each new disk an id of its own, whatever they are asked for by.
    let items = cloud.get(&path).await.expect(200).body;
    let new = "<Item><rasd:HostResource vcloud:capacity=\"1024\"/><rasd:InstanceID>2000000</rasd:InstanceID>\
               <rasd:ResourceType>17</rasd:ResourceType></Item>";
    let more = items.replace("</RasdItemsList>", &format!("{new}{new}</RasdItemsList>"));
    cloud.send(Method::PUT, &path, more).await.expect(202);
    cloud.pass(30);
    let body = machine(&cloud, &vm).await;
    for id in ["2002", "2003"] {
        assert_eq!(body.matches(&format!("<DiskId>{id}<")).count(), 1, "{body}");
    }
}

#[tokio::test]
async fn a_network_is_another_once_it_is_connected_to_something_else() {
    let (cloud, _, vapp, vm) = shop().await;
    let other = cloud.network("other", 2).await;
    let section = format!(
        "<NetworkConfigSection xmlns=\"{NS}\" xmlns:ovf=\"{OVF}\"><ovf:Info/>{}</NetworkConfigSection>",
        cloud.network_configs(&[("net", &other)])
    );
    let path = format!("/api/vApp/vapp-{vapp}/networkConfigSection/");
    cloud.send(Method::PUT, &path, section.as_str()).await.refused(400, "in use by virtual machine");
    cloud.power(&vm, "powerOn").await.expect(202);
    cloud.pass(60);
    cloud.send(Method::PUT, &path, section).await.refused(409, "Stop the vApp");
}

#[tokio::test]
async fn copies_stand_on_networks_of_their_vapp() {
    let (cloud, net, vapp, vm) = shop().await;
    let template = cloud.template_vm("AlmaLinux 9").await;
    let body = |source: &str, name: &str, rest: &str| {
        format!(
            "<RecomposeVAppParams xmlns=\"{NS}\" deploy=\"false\" powerOn=\"false\"><SourcedItem><Source href=\"{source}\"/>\
             <VmGeneralParams><Name>{name}</Name></VmGeneralParams>{rest}</SourcedItem><AllEULAsAccepted>true</AllEULAsAccepted>\
             </RecomposeVAppParams>"
        )
    };
    let assigned =
        |to: &str| format!("<NetworkAssignment innerNetwork=\"VM Network\" containerNetwork=\"{to}\"/>");
    cloud.recompose(&vapp, body(&template, "db", &assigned("nowhere"))).await.refused(400, "nowhere");
    cloud.recompose(&vapp, body(&template, "db", &assigned("net"))).await.expect(202);
    cloud.pass(300);
    let db = cloud.vm_named("db").await;
    assert!(machine(&cloud, &db).await.contains("<NetworkConnection network=\"net\""));
    // A machine that is copied where its networks are not.
    let empty = cloud.vapp("empty", &[]).await;
    let web = format!("{}/api/vApp/vm-{vm}", cloud.url);
    cloud.recompose(&empty, body(&web, "copy", "")).await.refused(400, "no network");
    let elsewhere = cloud.vapp("elsewhere", &[("lan", &net)]).await;
    let assigned = "<NetworkAssignment innerNetwork=\"net\" containerNetwork=\"lan\"/>";
    cloud.recompose(&elsewhere, body(&web, "copy", assigned)).await.expect(202);
    let foreign = "<StorageProfile href=\"x/aaaaaaaa-0000-4000-8000-000000000001\"/>";
    cloud.recompose(&empty, body(&template, "stored", foreign)).await.refused(403, "vdcstorageProfile");
}

#[tokio::test]
async fn what_is_held_has_no_links_to_change_it_by() {
    let (cloud, _, vapp, vm) = shop().await;
    let parts = [
        "networkConnectionSection",
        "guestCustomizationSection",
        "virtualHardwareSection",
        "virtualHardwareSection/disks",
    ];
    let editable = async |part: &str| {
        cloud.get(&format!("/api/vApp/vm-{vm}/{part}")).await.expect(200).body.contains("rel=\"edit\"")
    };
    for part in parts {
        assert!(editable(part).await, "{part}");
    }
    let body = machine(&cloud, &vm).await;
    let cpu = format!("{}/api/vApp/vm-{vm}/virtualHardwareSection/cpu", cloud.url);
    assert!(body.contains(&format!("href=\"{cpu}\"")), "the link leads somewhere: {body}");
    // By a task of its vApp as well.
    let held = json!({"entity": format!("vapp-{vapp}"), "ms": 60_000}).to_string();
    cloud.post("/sim/busy", held).await.expect(200);
    for part in parts {
        assert!(!editable(part).await, "{part}");
    }
}

#[tokio::test]
async fn a_customization_keeps_what_it_is_told() {
    let (cloud, _, _, vm) = shop().await;
    let path = format!("/api/vApp/vm-{vm}/guestCustomizationSection/");
    let section = |auto: bool, count: u32| {
        format!(
            "<GuestCustomizationSection xmlns=\"{NS}\" xmlns:ovf=\"{OVF}\"><ovf:Info/><Enabled>true</Enabled>\
             <JoinDomainEnabled>true</JoinDomainEnabled><UseOrgSettings>false</UseOrgSettings><DomainName>corp</DomainName>\
             <DomainUserName>joiner</DomainUserName><AdminAutoLogonEnabled>{auto}</AdminAutoLogonEnabled>\
             <AdminAutoLogonCount>{count}</AdminAutoLogonCount><ResetPasswordRequired>true</ResetPasswordRequired>\
             <ComputerName>web</ComputerName></GuestCustomizationSection>"
        )
    };
    for (auto, count) in [(true, 0), (true, 101), (false, 1)] {
        cloud.send(Method::PUT, &path, section(auto, count)).await.refused(400, "AdminAutoLogonCount");
    }
    cloud.send(Method::PUT, &path, section(true, 3)).await.expect(202);
    cloud.pass(30);
    let body = cloud.get(&path).await.expect(200).body;
    for kept in [
        "<JoinDomainEnabled>true<",
        "<DomainName>corp<",
        "<DomainUserName>joiner<",
        "<AdminAutoLogonCount>3<",
    ] {
        assert!(body.contains(kept), "{kept}: {body}");
    }
}

#[tokio::test]
async fn cards_are_what_is_asked_for() {
    let (cloud, _, vapp, vm) = shop().await;
    let other = cloud.vm(&vapp, "other", "net").await;
    let taken = machine(&cloud, &other).await;
    let at = taken.find("<MACAddress>").unwrap() + "<MACAddress>".len();
    let path = format!("/api/vApp/vm-{vm}/networkConnectionSection/");
    let section = |mac: &str, adapter: &str| {
        format!(
            "<NetworkConnectionSection xmlns=\"{NS}\" xmlns:ovf=\"{OVF}\"><ovf:Info/><NetworkConnection network=\"net\">\
             <NetworkConnectionIndex>0</NetworkConnectionIndex><IsConnected>true</IsConnected><MACAddress>{mac}</MACAddress>\
             <IpAddressAllocationMode>POOL</IpAddressAllocationMode><NetworkAdapterType>{adapter}</NetworkAdapterType>\
             </NetworkConnection></NetworkConnectionSection>"
        )
    };
    cloud.send(Method::PUT, &path, section(&taken[at..at + 17], "E1000")).await.refused(400, "in use");
    cloud.send(Method::PUT, &path, section("nonsense", "E1000")).await.refused(400, "MACAddress");
    cloud
        .send(Method::PUT, &path, section("00:50:56:AA:BB:CC", "Token Ring"))
        .await
        .refused(400, "NetworkAdapterType");
    cloud.send(Method::PUT, &path, section("00:50:56:AA:BB:CC", "E1000")).await.expect(202);
    cloud.pass(30);
    let body = machine(&cloud, &vm).await;
    assert!(body.contains("00:50:56:aa:bb:cc") && body.contains("<NetworkAdapterType>E1000<"), "{body}");
}

#[tokio::test]
async fn a_first_boot_goes_on_in_another_vapp_and_under_another_id() {
    let (cloud, net, vapp, vm) = shop().await;
    cloud.control("knobs", json!({"move_keeps_id": false})).await;
    let target = cloud.vapp("target", &[("net", &net)]).await;
    cloud.power(&vm, "powerOn").await.expect(202);
    cloud.pass(12);
    assert_eq!(cloud.guest(&vm).await["first_boot"], "pending", "{vapp}");
    let moved = format!(
        "<RecomposeVAppParams xmlns=\"{NS}\"><SourcedItem sourceDelete=\"true\"><Source href=\"{}/api/vApp/vm-{vm}\"/></SourcedItem></RecomposeVAppParams>",
        cloud.url
    );
    cloud.recompose(&target, moved).await.expect(202);
    cloud.pass(300);
    let now = cloud.vm_named("web").await;
    assert_ne!(now, vm);
    assert_eq!(cloud.guest(&now).await["first_boot"], "done");
}

#[tokio::test]
async fn a_customization_that_was_forced_waits_for_the_power() {
    let (cloud, _, _, vm) = shop().await;
    cloud.power(&vm, "powerOn").await.expect(202);
    cloud.pass(300);
    cloud.undeploy(&format!("vm-{vm}")).await.expect(202);
    cloud.pass(60);
    let due = async || machine(&cloud, &vm).await.contains("needsCustomization=\"true\" nestedHypervisor");
    assert!(!due().await);
    let deploy = format!("<DeployVAppParams xmlns=\"{NS}\" powerOn=\"false\" forceCustomization=\"true\"/>");
    cloud.post(&format!("/api/vApp/vm-{vm}/action/deploy"), deploy).await.expect(202);
    cloud.pass(60);
    assert!(due().await);
}

#[tokio::test]
async fn a_network_is_changed_in_all_it_says() {
    let (cloud, net, _, _) = shop().await;
    let path = format!("/cloudapi/1.0.0/orgVdcNetworks/urn:vcloud:network:{net}");
    let mut body = cloud.get(&path).await.expect(200).json();
    body["subnets"]["values"][0]["dnsServer1"] = json!("9.9.9.9");
    body["subnets"]["values"][0]["ipRanges"]["values"][0]["endAddress"] = json!("10.0.0.13");
    body["shared"] = json!(true);
    cloud.send(Method::PUT, &path, body.to_string()).await.expect(202);
    cloud.pass(30);
    let changed = cloud.get(&path).await.expect(200).json();
    assert_eq!(changed["subnets"]["values"][0]["dnsServer1"], "9.9.9.9");
    assert_eq!(
        (&changed["subnets"]["values"][0]["totalIpCount"], &changed["shared"]),
        (&json!(4), &json!(true))
    );
    body["subnets"]["values"][0]["prefixLength"] = json!(28);
    cloud.send(Method::PUT, &path, body.to_string()).await.refused(400, "subnet");
}

#[tokio::test]
async fn states_that_nobody_asked_for() {
    let (cloud, _, _, vm) = shop().await;
    for (status, word) in
        [(6, "UNKNOWN"), (7, "UNRECOGNIZED"), (9, "INCONSISTENT_STATE"), (20, "PARTIALLY_POWERED_OFF")]
    {
        cloud.control("change", json!({"what": "status", "vm": vm, "status": status})).await;
        assert!(machine(&cloud, &vm).await.contains(&format!("status=\"{status}\"")));
        let records = cloud.get("/api/query?type=vm&filter=name==web").await.expect(200);
        assert!(records.body.contains(&format!("status=\"{word}\"")), "{}", records.body);
    }
    cloud.control("change", json!({"what": "status", "vm": vm, "status": null})).await;
    assert!(machine(&cloud, &vm).await.contains("status=\"8\""));
}

#[tokio::test]
async fn every_refusal_names_the_request() {
    let cloud = Cloud::stepped().await;
    for path in ["/api/nothing", "/cloudapi/1.0.0/nothing"] {
        let answer = cloud.get(path).await;
        let id = answer.headers["x-vmware-vcloud-request-id"].to_str().unwrap().to_owned();
        answer.refused(404, &format!("[ {id} ]"));
    }
    let template = cloud.template_vm("Windows Server 2022").await;
    let of = cloud.get(template.trim_start_matches(cloud.url.as_str())).await.expect(200);
    assert!(of.body.contains("Windows"));
    let records = cloud.get("/api/query?type=vAppTemplate&filter=name==Windows*").await.expect(200);
    let doc = roxmltree::Document::parse(&records.body).unwrap();
    let row = doc.descendants().find(|n| n.tag_name().name() == "VAppTemplateRecord").unwrap();
    let href = row.attribute("href").unwrap().trim_start_matches(cloud.url.as_str()).to_owned();
    assert!(cloud.get(&href).await.expect(200).body.contains("<ovf:EulaSection>"));
}

/// Thirty orders at once: on one vApp they take turns, and whoever is refused is told whose turn it is; on a vApp each they
/// are carried out side by side.
#[tokio::test]
async fn thirty_orders_at_once() {
    let cloud = Cloud::stepped().await;
    let mut nets = Vec::new();
    for n in 1..=30 {
        nets.push(cloud.network(&format!("net-{n}"), n).await);
    }
    let names: Vec<String> = (1..=30).map(|n| format!("net-{n}")).collect();
    let of_all: Vec<(&str, &str)> = names.iter().zip(&nets).map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let one = cloud.vapp("one", &of_all).await;
    let mut bodies = Vec::new();
    for (i, net) in names.iter().enumerate() {
        bodies.push(cloud.recompose_body(&[(&format!("web-{}", i + 1), net)]).await);
    }
    let mut turns = 0;
    while !bodies.is_empty() {
        let asked = bodies.iter().map(|body| cloud.recompose(&one, body.clone()));
        let answers = futures::future::join_all(asked).await;
        let taken: Vec<usize> = (0..answers.len()).filter(|&i| answers[i].status == 202).collect();
        let [first] = taken.as_slice() else { panic!("{taken:?} were taken at once") };
        let task = answers[*first].task();
        for (i, answer) in answers.iter().enumerate().filter(|(i, _)| i != first) {
            answer.refused(400, &format!("(com.vmware.vcloud.entity.task:{task})"));
            assert!(answer.body.contains("BUSY_ENTITY"), "{i}");
        }
        bodies.remove(*first);
        turns += 1;
        cloud.pass(300);
    }
    assert_eq!(turns, 30);
    let doc = cloud.get(&format!("/api/vApp/vapp-{one}")).await.expect(200).body;
    assert_eq!(doc.matches("<NetworkConnectionIndex>").count(), 30);
    let mut vapps = Vec::new();
    for (name, net) in names.iter().zip(&nets) {
        vapps.push((cloud.vapp(&format!("of-{name}"), &[(name, net)]).await, name));
    }
    let asked = vapps.iter().map(async |(vapp, name)| {
        let body = cloud.recompose_body(&[(&format!("own-{name}"), name)]).await;
        cloud.recompose(vapp, body).await.expect(202)
    });
    futures::future::join_all(asked).await;
}

#[tokio::test]
async fn a_network_is_held_by_the_compose_that_gives_it_out() {
    let (cloud, net, _, _) = shop().await;
    let path = format!("/api/network/{net}");
    let removable = async || cloud.get(&path).await.expect(200).body.contains("rel=\"remove\"");
    assert!(removable().await);
    let body = format!(
        "<ComposeVAppParams xmlns=\"{NS}\" xmlns:ovf=\"{OVF}\" name=\"b\"><InstantiationParams><NetworkConfigSection>\
         <ovf:Info/>{}</NetworkConfigSection></InstantiationParams><CreateItem name=\"bare\"><VmSpecSection><ovf:Info/>\
         <OsType>debian12_64Guest</OsType><NumCpus>2</NumCpus><NumCoresPerSocket>1</NumCoresPerSocket><MemoryResourceMb>\
         <Configured>2048</Configured></MemoryResourceMb></VmSpecSection></CreateItem></ComposeVAppParams>",
        cloud.network_configs(&[("net", &net)])
    );
    let path = format!("/api/vdc/{}/action/composeVApp", cloud.vdc().await);
    cloud.post(&path, body).await.expect(201);
    assert!(!removable().await);
    cloud.pass(300);
    assert!(removable().await);
    // What was to be made from nothing came with the vApp.
    let bare = machine(&cloud, &cloud.vm_named("bare").await).await;
    assert!(bare.contains("<NumCpus>2</NumCpus>") && bare.contains("<OsType>debian12_64Guest<"), "{bare}");
}

#[tokio::test]
async fn a_clone_takes_what_it_does() {
    let (cloud, _, vapp, vm) = shop().await;
    let path = format!("/api/vdc/{}/action/cloneVApp", cloud.vdc().await);
    let body = |params: &str| {
        format!(
            "<CloneVAppParams xmlns=\"{NS}\" name=\"c\"><Source href=\"{0}/api/vApp/vapp-{vapp}\"/><SourcedVmInstantiationParams>\
             <Source href=\"{0}/api/vApp/vm-{vm}\"/>{params}</SourcedVmInstantiationParams></CloneVAppParams>",
            cloud.url
        )
    };
    cloud.post(&path, body("<LocalityParams/>")).await.refused(400, "LocalityParams");
    let foreign = "<StorageProfile href=\"x/aaaaaaaa-0000-4000-8000-000000000001\"/>";
    cloud.post(&path, body(foreign)).await.refused(403, "vdcstorageProfile");
    cloud.post(&path, body("")).await.expect(201);
}

#[tokio::test]
async fn who_holds_it_is_said_before_what_is_wrong_with_the_body() {
    let mut cloud = Cloud::stepped().await;
    cloud.sign_in_as_provider().await;
    let edge = cloud.edge(1).await["id"].as_str().unwrap().to_owned();
    let path = format!("/cloudapi/1.0.0/edgeGateways/{edge}");
    cloud.send(Method::PUT, &path, "{}").await.refused(400, "name");
    cloud.network_ask("one", 1, 1).await.expect(202);
    cloud.send(Method::PUT, &path, "{}").await.refused(400, "BUSY_ENTITY");
}

#[tokio::test]
async fn lists_know_their_fields_and_forget_what_nobody_may_read() {
    let cloud = Cloud::stepped().await;
    for list in ["1.0.0/tokens", "2.0.0/vdcComputePolicies"] {
        cloud.get(&format!("/cloudapi/{list}?filter=colour==red")).await.refused(400, "colour");
        cloud.get(&format!("/cloudapi/{list}?pageSize=129")).await.refused(400, "pageSize");
        cloud.get(&format!("/cloudapi/{list}?filter=name==nobody")).await.expect(200);
    }
    cloud.control("knobs", json!({"task_expiry_ms": 60_000})).await;
    cloud.network("net", 1).await;
    let tasks =
        async || cloud.get("/api/query?type=task").await.expect(200).body.matches("<TaskRecord").count();
    assert_eq!(tasks().await, 1);
    cloud.pass(120);
    assert_eq!(tasks().await, 0);
}
