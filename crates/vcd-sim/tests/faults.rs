//! What goes wrong when it is asked to, and what a restart keeps.

use std::time::Duration;

use crate::cloud::Cloud;
use reqwest::Method;
use serde_json::json;
use vcd_sim::{Config, Simulator};

#[tokio::test]
async fn an_answer_is_lost_after_the_effect() {
    let cloud = Cloud::stepped().await;
    cloud.fault("POST /cloudapi/1.0.0/orgVdcNetworks", json!({"kind": "answer_lost"})).await;
    let (vdc, edge) = (cloud.vdc().await, cloud.edge(1).await);
    let body = json!({
        "name": "net", "networkType": "NAT_ROUTED", "ownerRef": {"id": format!("urn:vcloud:vdc:{vdc}")},
        "connection": {"routerRef": {"id": edge["id"]}},
        "subnets": {"values": [{"gateway": "10.0.0.1", "prefixLength": 29}]},
    });
    let lost = cloud.try_send(Method::POST, "/cloudapi/1.0.0/orgVdcNetworks", body.to_string()).await;
    let error = lost.expect_err("the connection was cut");
    assert!(!error.is_connect() && error.status().is_none(), "{error:?}");
    assert_eq!(cloud.sim.census().networks, ["net"], "it was carried out");

    cloud.fault("POST /cloudapi/1.0.0/orgVdcNetworks", json!({"kind": "cut_before"})).await;
    assert!(cloud.try_send(Method::POST, "/cloudapi/1.0.0/orgVdcNetworks", body.to_string()).await.is_err());
    assert_eq!(cloud.sim.census().networks.len(), 1);
}

#[tokio::test]
async fn answers_are_spoiled_in_every_way() {
    let mut cloud = Cloud::stepped().await;
    let networks = "POST /cloudapi/1.0.0/orgVdcNetworks";
    cloud.fault(networks, json!({"kind": "status_after", "status": 502})).await;
    assert_eq!(cloud.network_ask("one", 1, 1).await.status, 502);
    assert_eq!(cloud.sim.census().networks, ["one"], "carried out behind the gateway's back");

    cloud.fault(networks, json!({"kind": "status", "status": 429, "retry_after": 7})).await;
    let answer = cloud.network_ask("two", 2, 2).await.expect(429);
    assert_eq!(answer.headers["retry-after"], "7");
    cloud.fault(networks, json!({"kind": "quota"})).await;
    cloud.network_ask("two", 2, 2).await.refused(400, "quota");
    cloud.fault(networks, json!({"kind": "busy"})).await;
    cloud.network_ask("two", 2, 2).await.refused(400, "BUSY_ENTITY");
    assert_eq!(cloud.sim.census().networks.len(), 1);

    cloud.fault("GET /api/org", json!({"kind": "malformed"})).await;
    let half = cloud.get("/api/org").await.expect(200);
    assert!(roxmltree::Document::parse(&half.body).is_err(), "{}", half.body);

    cloud.fault("GET /api/org", json!({"kind": "unauthorized"})).await;
    let out = cloud.get("/api/org").await.expect(401);
    assert_eq!(out.body, "");
    assert_eq!(cloud.get("/api/org").await.status, 401, "the session is over");
    cloud.sign_in().await;

    cloud.fault("GET /cloudapi/1.0.0/edgeGateways", json!({"kind": "page_shift"})).await;
    let names = async |page: u32| {
        let path = format!("/cloudapi/1.0.0/edgeGateways?pageSize=10&page={page}");
        cloud.get(&path).await.expect(200).json()["values"][0]["name"].as_str().unwrap().to_owned()
    };
    assert_eq!((names(2).await.as_str(), names(2).await.as_str()), ("edge-012", "edge-011"));

    cloud.fault("GET /api/org", json!({"kind": "slow", "ms": 120})).await;
    let started = std::time::Instant::now();
    cloud.get("/api/org").await.expect(200);
    assert!(started.elapsed() >= Duration::from_millis(120));

    let asked = json!({"at": "nowhere", "what": {"kind": "quota"}}).to_string();
    cloud.post("/sim/faults", asked).await.refused(400, "METHOD /path");
}

#[tokio::test]
async fn tasks_fail_hang_vanish_and_are_cancelled() {
    let cloud = Cloud::stepped().await;
    let create = "task networkCreateOrgVdcNetwork";
    cloud.fault(create, json!({"kind": "error"})).await;
    let task = cloud.network_ask("net", 1, 1).await.expect(202).task();
    cloud.pass(30);
    assert_eq!(cloud.task_status(&task).await, "error");
    assert_eq!(cloud.sim.census().networks.len(), 0);

    cloud.fault(create, json!({"kind": "aborted"})).await;
    let task = cloud.network_ask("net", 1, 1).await.expect(202).task();
    cloud.pass(30);
    assert_eq!(cloud.task_status(&task).await, "aborted");

    cloud.fault(create, json!({"kind": "gone"})).await;
    let task = cloud.network_ask("net", 1, 1).await.expect(202).task();
    cloud.get(&format!("/api/task/{task}")).await.refused(403, "No access");
    cloud.pass(30);
    assert_eq!(cloud.sim.census().networks, ["net"]);

    cloud.fault(create, json!({"kind": "stuck", "percent": 40})).await;
    let task = cloud.network_ask("stuck", 2, 2).await.expect(202).task();
    cloud.pass(100_000);
    let answer = cloud.get(&format!("/api/task/{task}")).await;
    assert!(answer.body.contains("<Progress>40</Progress>"), "{}", answer.body);
    cloud.network_ask("other", 2, 3).await.refused(400, "BUSY_ENTITY");
    cloud.post(&format!("/api/task/{task}/action/cancel"), "").await.expect(204);
    assert_eq!(cloud.task_status(&task).await, "canceled");
    assert_eq!(cloud.sim.census().networks, ["net"], "what was half made is gone");
    cloud.network_ask("other", 2, 3).await.expect(202);
}

#[tokio::test]
async fn a_name_can_ask_for_it() {
    let cloud = Cloud::stepped().await;
    let net = cloud.network("net", 1).await;
    let vapp = cloud.vapp("fail-vdcComposeVapp", &[]).await;
    let failed = cloud.get(&format!("/api/vApp/vapp-{vapp}")).await.expect(200);
    assert!(failed.body.contains("status=\"-1\""), "a failed shell stays: {}", failed.body);
    let vapp = cloud.vapp("a", &[("net", &net)]).await;
    let vm = cloud.vm(&vapp, "stuck-vappshutdownguest", "net").await;
    cloud.power(&vm, "powerOn").await.expect(202);
    cloud.pass(200);
    let task = cloud.power(&vm, "shutdown").await.expect(202).task();
    cloud.pass(5_000);
    assert_eq!(cloud.task_status(&task).await, "running");
    cloud.post(&format!("/api/task/{task}/action/cancel"), "").await.expect(204);
    cloud.power(&vm, "powerOff").await.expect(202);
    cloud.pass(30);
    let bad = cloud.vm(&vapp, "fail-customize", "net").await;
    cloud.power(&bad, "powerOn").await.expect(202);
    cloud.pass(200);
    let status = cloud.get(&format!("/api/vApp/vm-{bad}/guestcustomizationstatus")).await;
    assert!(status.body.contains("GC_FAILED"), "{}", status.body);
}

#[tokio::test]
async fn a_foreign_hand_works_on_things() {
    let cloud = Cloud::stepped().await;
    let net = cloud.network("net", 1).await;
    let vapp = cloud.vapp("a", &[("net", &net)]).await;
    let vm = cloud.vm(&vapp, "web", "net").await;
    let asked = json!({"entity": format!("urn:vcloud:vm:{vm}"), "ms": 10_000}).to_string();
    let task = cloud.post("/sim/busy", asked).await.expect(200).json()["task"].as_str().unwrap().to_owned();
    cloud.power(&vm, "powerOn").await.refused(400, &task);
    cloud.get(&format!("/api/task/{task}")).await.refused(403, "No access");
    cloud.pass(11);
    cloud.power(&vm, "powerOn").await.expect(202);
    cloud.pass(200);
    let question = json!({"text": "Eject?", "choices": ["yes", "no"]}).to_string();
    cloud.send(Method::PUT, &format!("/sim/guests/{vm}/question"), question).await.expect(204);
    let asked = cloud.get(&format!("/api/vApp/vm-{vm}/question")).await.expect(200);
    assert!(asked.body.contains("<Question>Eject?</Question>"), "{}", asked.body);
    cloud.control("change", json!({"what": "power_off", "vm": vm})).await;
    assert_eq!(cloud.guest(&vm).await["state"], "off");
    cloud
        .control("change", json!({"what": "rename", "entity": format!("urn:vcloud:vm:{vm}"), "name": "x"}))
        .await;
    cloud.control("change", json!({"what": "delete", "entity": format!("urn:vcloud:network:{net}")})).await;
    assert_eq!((cloud.sim.census().vms, cloud.sim.census().networks.len()), (vec!["x".to_owned()], 0));
}

#[tokio::test]
async fn what_was_answered_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    let config = |name: &str| Config { stepped: true, state: Some(file(name)), ..Config::default() };
    let cloud = Cloud::start(config("cloud.json")).await;
    let net = cloud.network("net", 1).await;
    let vapp = cloud.vapp("a", &[("net", &net)]).await;
    let body = cloud.recompose_body(&[("web", "net")]).await;
    let task = cloud.recompose(&vapp, body).await.expect(202).task();
    cloud.fault("task vappDeploy", json!({"kind": "error"})).await;

    // The file as a crash would leave it: the next one goes on from there.
    std::fs::copy(file("cloud.json"), file("after.json")).unwrap();
    let again = Cloud::start(config("after.json")).await;
    assert_eq!(again.task_status(&task).await, "queued");
    let busy = again.recompose_body(&[("db", "net")]).await;
    again.recompose(&vapp, busy).await.refused(400, "BUSY_ENTITY");
    again.pass(200);
    assert_eq!(again.task_status(&task).await, "success");
    let vm = again.vm_named("web").await;
    let task = again.power(&vm, "powerOn").await.expect(202).task();
    again.pass(60);
    assert_eq!(again.task_status(&task).await, "error", "the fault was kept as well");

    let refused = |name: &str| Simulator::open(config(name)).err().unwrap().to_string();
    assert!(refused("cloud.json").contains("in use by another process"));
    assert!(refused("no/such/folder.json").contains("folder"));
    std::fs::write(file("other.json"), "{}").unwrap();
    assert!(refused("other.json").contains("move it away"));
}

#[tokio::test]
async fn mistakes_in_controls_are_said() {
    let cloud = Cloud::stepped().await;
    let mistakes = [
        (
            "faults",
            json!({"at": "task vappUpdateVm size", "what": {"kind": "error"}}),
            "no task has the operation",
        ),
        (
            "faults",
            json!({"at": "task vdcComposeVap", "what": {"kind": "error"}}),
            "no task has the operation",
        ),
        ("faults", json!({"at": "BREW /tea", "what": {"kind": "quota"}}), "METHOD /path"),
        ("faults", json!({"at": "GET /x", "times": 0, "what": {"kind": "quota"}}), "times"),
        ("faults", json!({"at": "GET /x", "time": 2, "what": {"kind": "quota"}}), "time"),
        ("faults", json!({"at": "GET /x", "what": {"kind": "status", "status": 204}}), "204"),
        ("faults", json!({"at": "GET /x", "what": {"kind": "slow"}}), "ms"),
        ("clock", json!({"secs": 5}), "secs"),
        ("clock", json!({"ms": -5}), "-5"),
        ("knobs", json!({"strict": true}), "strict"),
        ("change", json!({"what": "speed", "edge": "x", "ingress": "100M"}), "ingress"),
        ("change", json!({"what": "rename", "entity": "nonsense", "name": "x"}), "'id'"),
    ];
    for (path, body, words) in mistakes {
        cloud.post(&format!("/sim/{path}"), body.to_string()).await.refused(400, words);
    }
    cloud.post("/sim/clock", "").await.expect(204);
}
