//! Every call of the SDK once, over HTTP, before a simulator with which it shares no code.

use std::time::Duration;

use crate::sdk_bench::{Bench, quick};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use vcd::{
    AddressMode, Capabilities, CustomizationStatus, DiskEdit, EdgeQos, Effect, ErrorKind, GuestCustomization,
    MoveVm, NetworkId, NetworkStatus, NewVapp, NewVm, Query, Recompose, Reconfigure, TaskStatus,
    UndeployAction,
};

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
