//! Answers of services that this crate did not write: of every kind that it reads, older elements and unknown ones among
//! them. They are of our own making, after the shape of captured ones.

use std::{collections::BTreeMap, sync::Arc};

use crate::canned::{Canned, U, ok, status};
use secrecy::ExposeSecret;
use vcd::{Client, Edge, Effect, ErrorKind, NetworkStatus, Query, TaskStatus};

async fn serving(document: &'static str) -> Client {
    Canned::with(ok(document)).await.client()
}

async fn refusing(line: &'static str, document: &'static str) -> Client {
    Canned::with(status(line, document)).await.client()
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect()
}

#[tokio::test]
async fn organisations_and_catalogues() {
    let orgs = serving(include_str!("fixtures/org_list_5_1.xml")).await.orgs().await.unwrap();
    assert_eq!(orgs.iter().map(|o| o.name.as_str()).collect::<Vec<_>>(), ["shop & sons", "System"]);
    assert_eq!(orgs[1].id.uuid().to_string(), "aaaaaaaa-0000-4000-8000-000000000002");
    let org = serving(include_str!("fixtures/org_9_0.xml")).await.org(U.parse().unwrap()).await.unwrap();
    assert_eq!((org.name.as_str(), org.full_name.as_str()), ("shop", "A shop, and its sons"));
    let client = serving(include_str!("fixtures/catalog_9_0.xml")).await;
    let catalog = client.catalog(U.parse().unwrap()).await.unwrap();
    assert_eq!(
        (catalog.name.as_str(), catalog.items.join(", ")),
        ("systems", "Debian 12, rescue.iso".into())
    );
    let client = serving(include_str!("fixtures/template_5_5.xml")).await;
    let template = client.template(U.parse().unwrap()).await.unwrap();
    assert_eq!((template.status, template.vms[0].name.as_str()), (8, "debian"));
    assert_eq!(template.vms[0].id.uuid().to_string(), "aaaaaaaa-0000-4000-8000-000000000009");
}

#[tokio::test]
async fn records_of_any_prefix() {
    let client = serving(include_str!("fixtures/records_vm_37.xml")).await;
    let rows = client.query(&Query::new("vm")).await.unwrap();
    assert_eq!(rows.iter().map(|r| r.name()).collect::<Vec<_>>(), ["web <1>", "debian", ""]);
    assert_eq!((rows[0].get("memoryMB"), rows[0].get("fromTheFuture")), (Some("4096"), Some("yes")));
    assert!(rows[1].reference().contains("/vAppTemplate/vm-") && rows[2].reference().starts_with("urn:"));
}

#[tokio::test]
async fn a_machine_with_nothing_in_it() {
    let vm = serving(include_str!("fixtures/vm_bare_9_0.xml")).await.vm(U.parse().unwrap()).await.unwrap();
    assert_eq!((vm.name.as_str(), vm.nics.len(), vm.disks.len()), ("bare", 0, 0));
    assert!(vm.needs_customization && !vm.has_snapshot && !vm.deployed && vm.tasks.is_empty());
    let client = serving(include_str!("fixtures/vm_bare_9_0.xml")).await;
    assert!(client.vm_snapshot(U.parse().unwrap()).await.unwrap().is_none());
}

/// What this client does not set of a customization goes back as it came.
#[tokio::test]
async fn a_customization_with_a_domain() {
    let client = serving(include_str!("fixtures/customization_5_1.xml")).await;
    let section = client.vm_customization(U.parse().unwrap()).await.unwrap();
    assert!(section.enabled && section.change_sid && section.reset_password_required);
    assert_eq!(section.computer_name, "WEB-1");
    assert_eq!(section.admin_password.as_ref().unwrap().expose_secret(), "hunter2-admin <&>");
    assert_eq!(section.script.as_ref().unwrap().expose_secret(), "rem one\r\nrem two");
    let shown = format!("{section:?}");
    assert!(shown.contains("DomainUserPassword") && !shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn values_and_properties() {
    let client = serving(include_str!("fixtures/metadata_old_and_new.xml")).await;
    let values = client.vm_metadata(U.parse().unwrap()).await.unwrap();
    let known = [("before-5.1", "stood here"), ("owner", "anna & co"), ("since", "2026-11-01T00:00:00.000Z")];
    assert_eq!(values, map(&known), "one without a value is none");
    let client = serving(include_str!("fixtures/properties.xml")).await;
    let properties = client.vm_properties(U.parse().unwrap()).await.unwrap();
    assert_eq!(properties, map(&[("hostname", "web-1"), ("size", "4")]));
}

#[tokio::test]
async fn a_task_that_failed_says_why() {
    let client = serving(include_str!("fixtures/task_failed.xml")).await;
    let task = client.task(U.parse().unwrap()).await.unwrap();
    assert_eq!((task.status, task.error_code.as_deref()), (TaskStatus::Error, Some("BAD_REQUEST")));
    assert!(task.error.unwrap().contains("insufficient IP addresses"));
    assert!(task.owner.unwrap().ends_with("vapp-aaaaaaaa-0000-4000-8000-00000000000a"));
}

#[tokio::test]
async fn edges_networks_and_speeds() {
    let edges = Edge::page_from_json(include_str!("fixtures/edges_38.json")).unwrap();
    assert_eq!(
        (edges[0].networks, edges[0].description.as_str(), edges[0].manager.is_some()),
        (Some(0), "", true)
    );
    assert_eq!((edges[1].networks, edges[1].manager, edges[1].status.as_str()), (None, None, "PENDING"));
    let client = serving(include_str!("fixtures/networks_36.json")).await;
    let networks = client.networks(U.parse().unwrap()).await.unwrap();
    assert_eq!((networks[0].status, networks[0].subnets.len()), (NetworkStatus::Realized, 1));
    assert!(networks[0].edge.is_some());
    assert_eq!(
        (networks[1].status, networks[1].edge, networks[1].subnets.len()),
        (NetworkStatus::Configuring, None, 0)
    );
    let qos =
        serving(include_str!("fixtures/qos_one_way.json")).await.edge_qos(U.parse().unwrap()).await.unwrap();
    assert!(qos.ingress.is_none() && qos.egress.is_some());
}

#[tokio::test]
async fn refusals_say_what_they_are() {
    let limits = refusing("400 Bad Request", include_str!("fixtures/error_limits.xml")).await;
    let error = limits.vm_power_on(U.parse().unwrap()).await.unwrap_err();
    assert_eq!((&error.kind, error.effect, error.is_busy()), (&ErrorKind::Limit, Effect::Refused, true));
    let busy = refusing("400 Bad Request", include_str!("fixtures/error_busy.xml")).await;
    let error = busy.vm_power_on(U.parse().unwrap()).await.unwrap_err();
    assert_eq!(error.busy_task(), "aaaaaaaa-0000-4000-8000-00000000000e".parse().ok());
    let forbidden = refusing("403 Forbidden", include_str!("fixtures/error_forbidden.json")).await;
    let error = forbidden.edge(U.parse().unwrap()).await.unwrap_err();
    assert!(error.is_not_found() && error.message.contains("GATEWAY_VIEW"), "{error}");
    // A session that ends says nothing at all, and is begun anew once.
    let ends = Canned::start(Arc::new(|_: &str| status("401 Unauthorized", ""))).await;
    let error = ends.client().orgs().await.unwrap_err();
    assert_eq!((error.kind, ends.count()), (ErrorKind::Denied, 2));
}
