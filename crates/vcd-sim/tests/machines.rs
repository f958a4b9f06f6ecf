//! How machines start, whose card is the first, what a filter may name, and when a session ends.

use crate::cloud::{Cloud, NS, OVF};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::json;

/// By the schema both attributes are true where nothing is said.
#[tokio::test]
async fn deployed_and_turned_on_are_two_things() {
    let cloud = Cloud::stepped().await;
    let vapp = cloud.vapp("a", &[]).await;
    let body = cloud.recompose_body(&[("one", "none")]).await;
    let state = async |name: &str| {
        let vm = cloud.vm_named(name).await;
        let body = cloud.get(&format!("/api/vApp/vm-{vm}")).await.expect(200).body;
        let doc = roxmltree::Document::parse(&body).unwrap();
        let root = doc.root_element();
        (root.attribute("deployed").unwrap() == "true", root.attribute("status").unwrap().to_owned())
    };
    let said = "deploy=\"false\" powerOn=\"false\"";
    for (name, attrs, expected) in [
        ("one", said, (false, "8")),
        ("two", "powerOn=\"false\"", (true, "8")),
        ("three", "deploy=\"false\"", (false, "8")),
        ("four", "", (true, "4")),
    ] {
        let body = body.replace(said, attrs).replace("<Name>one<", &format!("<Name>{name}<"));
        cloud.recompose(&vapp, body).await.expect(202);
        cloud.pass(400);
        let (deployed, status) = state(name).await;
        assert_eq!((deployed, status.as_str()), expected, "{attrs:?}");
    }
    // What is deployed can be turned on, and cannot be customized by force.
    let two = cloud.vm_named("two").await;
    let force = format!("<DeployVAppParams xmlns=\"{NS}\" powerOn=\"true\" forceCustomization=\"true\"/>");
    cloud.post(&format!("/api/vApp/vm-{two}/action/deploy"), force).await.refused(400, "not deployed");
    cloud.power(&two, "powerOn").await.expect(202);
    // A compose and a copy keep to the same.
    let compose = format!("<ComposeVAppParams xmlns=\"{NS}\" name=\"b\">ITEMS</ComposeVAppParams>");
    let item = body.split("<SourcedItem>").nth(1).unwrap().split("</SourcedItem>").next().unwrap();
    let item = item.replace(">one<", ">five<").replace("<ovf:Info/>", &info());
    let items = format!("<SourcedItem>{item}</SourcedItem><AllEULAsAccepted>true</AllEULAsAccepted>");
    let path = format!("/api/vdc/{}/action/composeVApp", cloud.vdc().await);
    cloud.post(&path, compose.replace("ITEMS", &items)).await.expect(201);
    cloud.pass(400);
    assert_eq!(state("five").await, (true, "4".into()));
}

fn info() -> String {
    format!("<ovf:Info xmlns:ovf=\"{OVF}\"/>")
}

fn cards(primary: u32, cards: &[(u32, &str)]) -> String {
    let card = |(index, rest): &(u32, &str)| {
        format!(
            "<NetworkConnection network=\"net\" {rest}><NetworkConnectionIndex>{index}</NetworkConnectionIndex>\
             <IsConnected>true</IsConnected><IpAddressAllocationMode>POOL</IpAddressAllocationMode></NetworkConnection>"
        )
    };
    format!(
        "<NetworkConnectionSection xmlns=\"{NS}\">{}<PrimaryNetworkConnectionIndex>{primary}\
         </PrimaryNetworkConnectionIndex>{}</NetworkConnectionSection>",
        info(),
        cards.iter().map(card).collect::<String>()
    )
}

#[tokio::test]
async fn the_primary_card_and_settings_on_their_way_to_the_guest() {
    let cloud = Cloud::stepped().await;
    let net = cloud.network("net", 1).await;
    let vapp = cloud.vapp("a", &[("net", &net)]).await;
    let vm = cloud.vm(&vapp, "web", "net").await;
    let path = format!("/api/vApp/vm-{vm}/networkConnectionSection/");
    let put = async |body: String| {
        let answer = cloud.send(Method::PUT, &path, body).await;
        cloud.pass(60);
        answer
    };
    put(cards(7, &[(0, ""), (1, "")])).await.refused(400, "PrimaryNetworkConnectionIndex");
    put(cards(1, &[(0, ""), (1, "")])).await.expect(202);
    let read = cloud.get(&path).await.expect(200).body;
    assert!(read.contains("<PrimaryNetworkConnectionIndex>1<"), "{read}");
    cloud.power(&vm, "powerOn").await.expect(202);
    cloud.pass(300);
    assert_eq!(cloud.guest(&vm).await["first_boot"], "done");
    put(cards(0, &[(0, "")])).await.refused(400, "primary network connection");
    put(cards(1, &[(1, "needsCustomization=\"true\"")])).await.expect(202);
    let read = cloud.get(&path).await.expect(200).body;
    assert!(read.contains("needsCustomization=\"true\""), "{read}");
    let addresses = cloud.guest(&vm).await["addresses"].clone();
    assert_eq!(addresses.as_array().unwrap().len(), 2, "the guest knows nothing of it yet");
    cloud.undeploy(&format!("vm-{vm}")).await.expect(202);
    cloud.pass(60);
    cloud.power(&vm, "powerOn").await.expect(202);
    cloud.pass(300);
    assert_eq!(cloud.guest(&vm).await["addresses"].as_array().unwrap().len(), 1);
    assert!(!cloud.get(&path).await.body.contains("needsCustomization=\"true\""));
}

/// Two machines that were promised the same address by hand: the second task fails.
#[tokio::test]
async fn an_address_is_looked_at_again_when_it_is_given() {
    let cloud = Cloud::stepped().await;
    let net = cloud.network("net", 1).await;
    let vapp = cloud.vapp("a", &[("net", &net)]).await;
    let (web, db) = (cloud.vm(&vapp, "web", "net").await, cloud.vm(&vapp, "db", "net").await);
    let body = cards(0, &[(0, "")])
        .replace("POOL", "MANUAL")
        .replace("<IsConnected>", "<IpAddress>10.0.0.14</IpAddress><IsConnected>");
    let ask = async |vm: &str| {
        let path = format!("/api/vApp/vm-{vm}/networkConnectionSection/");
        cloud.send(Method::PUT, &path, body.clone()).await
    };
    let (first, second) = (ask(&web).await.expect(202).task(), ask(&db).await.expect(202).task());
    cloud.pass(60);
    assert_eq!(cloud.task_status(&first).await, "success");
    let failed = cloud.get(&format!("/api/task/{second}")).await.expect(200).body;
    assert!(failed.contains("The address 10.0.0.14 is in use."), "{failed}");
    ask(&web).await.expect(202);
    cloud.pass(60);
    ask(&db).await.refused(400, "in use");
}

#[tokio::test]
async fn names_in_queries_are_checked_without_rows_too() {
    let cloud = Cloud::stepped().await;
    for path in ["/cloudapi/1.0.0/orgVdcNetworks?", "/api/query?type=orgVdcNetwork&", "/api/query?type=vApp&"]
    {
        cloud.get(&format!("{path}filter=name==x")).await.expect(200);
        cloud.get(&format!("{path}filter=colour==red")).await.refused(400, "colour");
    }
    cloud.get("/api/query?type=vm&sortAsc=colour").await.refused(400, "colour");
    cloud.get("/api/query?type=task&fields=name,colour").await.refused(400, "colour");
    let some =
        cloud.get("/api/query?type=edgeGateway&fields=name,gatewayStatus&pageSize=1").await.expect(200);
    let doc = roxmltree::Document::parse(&some.body).unwrap();
    let row = doc.descendants().find(|n| n.tag_name().name() == "EdgeGatewayRecord").unwrap();
    let names: Vec<&str> = row.attributes().map(|a| a.name()).collect();
    assert_eq!(names, ["href", "name", "gatewayStatus"]);
}

/// Every link of the organisation's bodies that these families serve leads somewhere, and each URN is resolved.
#[tokio::test]
async fn links_and_names_lead_somewhere() {
    let mut cloud = Cloud::stepped().await;
    let vdc = cloud.vdc().await;
    let body = cloud.get(&format!("/api/admin/vdc/{vdc}")).await.expect(200).body;
    let doc = roxmltree::Document::parse(&body).unwrap();
    assert_eq!(doc.root_element().tag_name().name(), "AdminVdc");
    assert!(doc.root_element().attribute("href").unwrap().contains("/api/admin/vdc/"));
    let orgs = cloud.get("/api/org").await.expect(200).body;
    let org = roxmltree::Document::parse(&orgs).unwrap();
    let org = org.descendants().find_map(|n| n.attribute("href")).unwrap().to_owned();
    for body in [body.clone(), cloud.get(&org.replace(&cloud.url, "")).await.expect(200).body] {
        let doc = roxmltree::Document::parse(&body).unwrap();
        let down = doc.descendants().filter(|n| n.attribute("rel") == Some("down"));
        for href in down.map(|n| n.attribute("href").unwrap().replace(&cloud.url, "")) {
            cloud.get(&href).await.expect(200);
        }
        let urns = doc.descendants().filter_map(|n| n.attribute("id")).filter(|id| id.starts_with("urn:"));
        for urn in urns {
            let entity = cloud.get(&format!("/api/entity/{urn}")).await.expect(200).body;
            assert!(entity.contains("rel=\"alternate\""), "{entity}");
        }
    }
    cloud.sign_in_as_provider().await;
    cloud.get("/api/admin").await.expect(200);
}

#[tokio::test]
async fn a_session_ends_when_its_token_says() {
    let mut cloud = Cloud::stepped().await;
    cloud.control("knobs", json!({"session_length_ms": 600})).await;
    cloud.sign_in().await;
    let claims = cloud.token().split('.').nth(1).unwrap().to_owned();
    let claims: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!(claims["exp"].as_u64().unwrap() <= now + 1, "{claims}");
    cloud.get("/api/org").await.expect(200);
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    let refused = cloud.get("/api/org").await.expect(401);
    assert_eq!(refused.body, "");
}

#[tokio::test]
async fn guests_fail_on_demand_and_strangers_change_things() {
    let cloud = Cloud::stepped().await;
    let net = cloud.network("net", 1).await;
    let vapp = cloud.vapp("a", &[("net", &net)]).await;
    let vm = cloud.vm(&vapp, "web", "net").await;
    cloud.control("knobs", json!({"guest_customization_fails": true})).await;
    cloud.control("change", json!({"what": "power_on", "vm": vm})).await;
    cloud.pass(300);
    let guest = cloud.guest(&vm).await;
    assert_eq!((guest["first_boot"].as_str(), guest["state"].as_str()), (Some("failed"), Some("up")));
    cloud.control("change", json!({"what": "address", "vm": vm, "index": 0, "address": "10.0.0.13"})).await;
    cloud.control("change", json!({"what": "first_login", "vm": vm, "required": false})).await;
    cloud.control("change", json!({"what": "snapshot", "vm": vm})).await;
    let body = cloud.get(&format!("/api/vApp/vm-{vm}")).await.expect(200).body;
    for part in ["<IpAddress>10.0.0.13<", "<ResetPasswordRequired>false<", "<Snapshot created"] {
        assert!(body.contains(part), "{part}: {body}");
    }
}
