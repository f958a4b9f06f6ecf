//! Documents that this crate did not write: older elements, newer ones, other prefixes. They are of our own making, after
//! the shape of captured answers.

use std::sync::Arc;

use crate::canned::{Canned, U, ok};
use vcd::{AddressMode, Client, TaskStatus};

async fn serving(document: &'static str) -> Client {
    Canned::with(ok(document)).await.client()
}

#[tokio::test]
async fn a_vapp_of_api_9() {
    let vapp = serving(include_str!("fixtures/vapp_9_0.xml")).await.vapp(U.parse().unwrap()).await.unwrap();
    assert_eq!((vapp.name.as_str(), vapp.description.as_str()), ("old shop", "two machines <of old>"));
    assert!(vapp.is_ready() && !vapp.deployed);
    let [network] = vapp.networks.as_slice() else { panic!("{:?}", vapp.networks) };
    assert_eq!((network.name.as_str(), network.fence_mode.as_str()), ("shop & co", "bridged"));
    assert_eq!(network.parent.unwrap().uuid().to_string(), "12121212-3434-4565-8787-909090909090");
    assert_eq!(network.id.unwrap().uuid().to_string(), "77777777-8888-4999-8aaa-bbbbccccdddd");
    let front = vapp.vm_named("front").unwrap();
    assert!(front.needs_customization && !front.is_on());
    assert_eq!(front.addresses().collect::<Vec<_>>(), ["192.0.2.10"]);
    assert_eq!(front.nics[0].mode, AddressMode::Pool);
    assert_eq!((front.cpus, front.disks.len(), front.capabilities), (0, 0, None), "it does not say");
    assert!(vapp.vm_named("back").unwrap().nics.is_empty());
}

#[tokio::test]
async fn a_machine_that_is_busy_and_from_the_future() {
    let vm = serving(include_str!("fixtures/vm_busy.xml")).await.vm(U.parse().unwrap()).await.unwrap();
    assert!(vm.is_on() && vm.deployed && vm.has_snapshot);
    assert_eq!((vm.cpus, vm.cores_per_socket, vm.memory_mb), (4, 2, 8192), "not what another section says");
    assert_eq!(vm.disks.iter().map(|d| (d.id, d.size_mb)).collect::<Vec<_>>(), [(2000, 20480)]);
    let running: Vec<String> = vm.tasks.iter().map(|t| t.uuid().to_string()).collect();
    assert_eq!(running, ["cccccccc-0000-4000-8000-000000000002"], "a task that failed does not count");
    assert_eq!(vm.nics[0].mode, AddressMode::None);
    assert_eq!(vm.nics[1].mode, AddressMode::Manual("192.0.2.77".into()));
    let capabilities = vm.capabilities.unwrap();
    assert!(capabilities.memory_hot_add && !capabilities.cpu_hot_add);
    assert_eq!(vm.tools.as_deref(), Some("12352"));
}

#[tokio::test]
async fn a_vdc_of_api_5_1() {
    let vdc = serving(include_str!("fixtures/vdc_5_1.xml")).await.vdc(U.parse().unwrap()).await.unwrap();
    assert_eq!((vdc.name.as_str(), vdc.status, vdc.enabled), ("dc", 1, true));
    assert_eq!(vdc.vapps.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), ["shop"]);
    assert_eq!(vdc.networks[0].name, "lan");
    assert_eq!(vdc.storage_profiles[0].name, "gold");
}

#[tokio::test]
async fn versions_with_mappings_and_alphas() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 4096];
            let n = stream.read(&mut head).await.unwrap();
            let answer = if head[..n].starts_with(b"GET /api/versions") {
                ok(include_str!("fixtures/versions.xml"))
            } else {
                b"HTTP/1.1 200 OK\r\nx-vmware-vcloud-access-token: t\r\ncontent-length: 0\r\n\r\n".to_vec()
            };
            stream.write_all(&answer).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    let credentials = vcd::Credentials::password("u", "o", "p".to_owned().into());
    let client = Client::new(vcd::ClientConfig::new(&url, credentials)).unwrap();
    assert_eq!(client.api_version().await.unwrap().as_str(), "37.2");
}

#[tokio::test]
async fn tasks_in_every_state() {
    let cases = [
        ("queued", TaskStatus::Running),
        ("preRunning", TaskStatus::Running),
        ("running", TaskStatus::Running),
        ("postRunning", TaskStatus::Running),
        ("success", TaskStatus::Success),
        ("error", TaskStatus::Error),
        ("canceled", TaskStatus::Canceled),
        ("aborted", TaskStatus::Aborted),
    ];
    for (text, status) in cases {
        let body = format!(
            "<Task xmlns=\"http://www.vmware.com/vcloud/v1.5\" status=\"{text}\" operationName=\"vdcComposeVapp\" \
             href=\"https://h/api/task/{U}\"><Owner href=\"https://h/api/vApp/vapp-{U}\" id=\"urn:vcloud:vapp:{U}\"/>\
             <Progress>7</Progress></Task>"
        );
        let server = Canned::start(Arc::new(move |_: &str| ok(&body))).await;
        let task = server.client().task(U.parse().unwrap()).await.unwrap();
        assert_eq!((task.status, task.progress), (status, Some(7)), "{text}");
        assert_eq!(task.owner.as_deref(), Some(format!("urn:vcloud:vapp:{U}").as_str()));
    }
}
