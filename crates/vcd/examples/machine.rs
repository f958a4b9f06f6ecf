//! Makes a network, a vApp and a machine, sizes it, starts it, waits for its guest, and takes everything away again.
//! The variables are those of the example `pool`.
#![allow(clippy::print_stdout)]

mod from_env;

use std::time::Duration;

use vcd::{
    AddressMode, DiskEdit, GuestCustomization, NetworkSpec, NewVapp, NewVm, Nic, Recompose, Reconfigure,
    UndeployAction, WaitOptions,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (client, vdc) = from_env::client().await?;
    let patience = WaitOptions::within(Duration::from_secs(600));
    let edges = client.edges(vdc).await?;
    let edge = edges.iter().find(|e| e.networks == Some(0)).ok_or("no edge is free")?;
    println!("network on {}", edge.name);
    let spec = NetworkSpec {
        name: "example-net".into(),
        description: "made by an example".into(),
        edge: edge.id,
        gateway: "192.168.77.1".into(),
        prefix_length: 24,
        first_address: "192.168.77.10".into(),
        last_address: "192.168.77.99".into(),
        dns: vec!["192.168.77.1".into()],
    };
    client.task_wait(client.network_create(vdc, &spec).await?, patience).await?;
    let network = client.network_by_name(vdc, "example-net").await?.ok_or("the network is not there")?;

    println!("vApp and machine");
    let network = client.network_wait(network.id, patience).await?;
    let new = NewVapp {
        name: "example".into(),
        networks: vec![("example-net".into(), network.id)],
        ..NewVapp::default()
    };
    let (vapp, made) = client.vapp_compose(vdc, &new).await?;
    client.task_wait(made, patience).await?;
    client.vapp_wait(vapp, patience).await?;
    let template = client.template_vm("Debian 12").await?.ok_or("there is no template Debian 12")?;
    let vm = NewVm {
        name: "example-1".into(),
        description: "made by an example".into(),
        source: template.id.into(),
        nics: vec![Nic::new(0, "example-net", AddressMode::Pool)],
        storage_profile: None,
    };
    let change = Recompose { add: vec![vm], ..Recompose::default() };
    client.task_wait(client.vapp_recompose(vapp, &change).await?, patience).await?;
    let vm = client.vapp(vapp).await?.vm_named("example-1").ok_or("the machine is not there")?.clone();

    println!("size and first boot");
    let section = GuestCustomization {
        enabled: true,
        computer_name: "example-1".into(),
        reset_password_required: true,
        ..GuestCustomization::default()
    };
    client.task_wait(client.vm_customize(vm.id, &section).await?, patience).await?;
    let first_disk = vm.disks.first().ok_or("the machine has no disk")?;
    let disks = DiskEdit::new().grow(first_disk.id, 20 * 1024);
    let size = Reconfigure { cpus: Some(2), memory_mb: Some(4096), disks, ..Reconfigure::default() };
    client.task_wait(client.vm_reconfigure(vm.id, &size).await?, patience).await?;
    client.task_wait(client.vm_power_on(vm.id).await?, patience).await?;
    client.vm_customization_wait(vm.id, patience).await?;
    let vm = client.vm(vm.id).await?;
    println!("{} has {} vCPU at {:?}", vm.name, vm.cpus, vm.addresses().collect::<Vec<_>>());

    println!("away");
    client.task_wait(client.vapp_undeploy(vapp, UndeployAction::PowerOff).await?, patience).await?;
    client.task_wait(client.vapp_delete(vapp).await?, patience).await?;
    client.task_wait(client.network_delete(network.id).await?, patience).await?;
    Ok(())
}
