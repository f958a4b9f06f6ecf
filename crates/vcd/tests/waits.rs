//! What no task says is waited for: until it is so, no longer than asked, over reads that fail, and not where it never will be.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::canned::{Canned, U, ok, status};
use vcd::{Client, ErrorKind, WaitOptions};

const NS: &str = "xmlns=\"http://www.vmware.com/vcloud/v1.5\"";

fn options() -> WaitOptions {
    WaitOptions {
        first_pause: Duration::from_millis(2),
        longest_pause: Duration::from_millis(5),
        patience: 2,
        ..WaitOptions::within(Duration::from_secs(20))
    }
}

/// A service that gives these answers one after the other, and the last of them for ever.
async fn saying(answers: Vec<Vec<u8>>) -> (Client, Canned) {
    let asked = AtomicUsize::new(0);
    let server = Canned::start(Arc::new(move |_: &str| {
        let n = asked.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1);
        answers[n].clone()
    }))
    .await;
    (server.client(), server)
}

fn broken() -> Vec<u8> {
    status("503 Service Unavailable", "")
}

fn network(status: &str) -> Vec<u8> {
    ok(&format!("{{\"id\": \"urn:vcloud:network:{U}\", \"name\": \"lan\", \"status\": \"{status}\"}}"))
}

fn guest(status: &str) -> Vec<u8> {
    ok(&format!(
        "<GuestCustomizationStatusSection {NS}><GuestCustStatus>{status}</GuestCustStatus></GuestCustomizationStatusSection>"
    ))
}

fn vapp(status: i32) -> Vec<u8> {
    ok(&format!("<VApp {NS} name=\"shop\" status=\"{status}\" href=\"https://h/api/vApp/vapp-{U}\"/>"))
}

#[tokio::test]
async fn until_it_is_so_whatever_fails_on_the_way() {
    let states =
        vec![network("PENDING"), broken(), network("CONFIGURING"), broken(), broken(), network("REALIZED")];
    let (client, server) = saying(states).await;
    let found = client.network_wait(U.parse().unwrap(), options()).await.unwrap();
    assert_eq!((found.name.as_str(), server.count()), ("lan", 6));
    let states = vec![guest("GC_PENDING"), guest("REBOOT_PENDING"), broken(), guest("GC_COMPLETE")];
    let (client, server) = saying(states).await;
    client.vm_customization_wait(U.parse().unwrap(), options()).await.unwrap();
    assert_eq!(server.count(), 4);
    let (client, server) = saying(vec![vapp(0), vapp(0), vapp(8)]).await;
    assert_eq!(client.vapp_wait(U.parse().unwrap(), options()).await.unwrap().status, 8);
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn not_where_it_never_will_be() {
    let (client, server) = saying(vec![network("PENDING"), network("REALIZATION_FAILED")]).await;
    let error = client.network_wait(U.parse().unwrap(), options()).await.unwrap_err();
    assert_eq!((error.kind, server.count()), (ErrorKind::TaskFailed, 2));
    let (client, _) = saying(vec![guest("GC_PENDING"), guest("GC_FAILED")]).await;
    let error = client.vm_customization_wait(U.parse().unwrap(), options()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TaskFailed);
    let (client, _) = saying(vec![vapp(0), vapp(-1)]).await;
    let error = client.vapp_wait(U.parse().unwrap(), options()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TaskFailed);
}

#[tokio::test]
async fn no_longer_than_asked_and_no_more_failures_than_forgiven() {
    let (client, _) = saying(vec![network("CONFIGURING")]).await;
    let short = WaitOptions { deadline: Duration::from_millis(40), ..options() };
    let error = client.network_wait(U.parse().unwrap(), short).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout);
    let (client, server) = saying(vec![broken()]).await;
    let error = client.network_wait(U.parse().unwrap(), options()).await.unwrap_err();
    assert_eq!((error.kind, server.count()), (ErrorKind::Service, 3), "two were forgiven");
    let (client, server) = saying(vec![status("404 Not Found", "")]).await;
    let error = client.network_wait(U.parse().unwrap(), options()).await.unwrap_err();
    assert_eq!((error.kind, server.count()), (ErrorKind::NotFound, 1));
}
