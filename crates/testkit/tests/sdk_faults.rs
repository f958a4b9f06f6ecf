//! What the SDK does when something goes wrong on the way: answers that are lost, tasks that hang, sessions that end.

use std::time::Duration;

use crate::sdk_bench::{Bench, quick, tenant};
use secrecy::SecretString;
use serde_json::{Value, json};
use vcd::{
    Client, ClientConfig, Credentials, Effect, ErrorKind, NetworkStatus, Query, RetryPolicy, TaskStatus,
    WaitOptions,
};

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
