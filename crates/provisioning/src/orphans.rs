//! What bears one of our names in the cloud and belongs to nobody: what it is, and its removal.

use std::time::Duration;

use crate::provider::{GroupRef, MachineRef, NetworkRef, Provider, Result, TaskRef};

const PATIENCE: Duration = Duration::from_secs(600);

/// Something that nobody owns, as it stands in the cloud.
#[derive(Clone, Debug)]
pub enum Orphan {
    Network(NetworkRef),
    Group {
        group: GroupRef,
        /// Names of the machines in it.
        machines: Vec<String>,
        running: bool,
    },
    Machine {
        group: GroupRef,
        machine: MachineRef,
        on: bool,
        deployed: bool,
    },
}

/// Finds it by its name. `None` where it is gone already.
pub async fn orphan_find(cloud: &dyn Provider, name: &str) -> Result<Option<Orphan>> {
    if name.starts_with("net-") {
        return Ok(cloud.network_find(name).await?.map(|found| Orphan::Network(found.network)));
    }
    if name.starts_with("cust-") {
        let Some(group) = cloud.group_find(name).await? else { return Ok(None) };
        let seen = cloud.group(&group).await?;
        let machines = seen.machines.iter().map(|m| m.name.clone()).collect();
        return Ok(Some(Orphan::Group { group, machines, running: seen.running }));
    }
    for (_, group) in cloud.groups_all().await? {
        let seen = cloud.group(&group).await?;
        if let Some(m) = seen.machine_named(name) {
            let machine = m.machine.clone();
            return Ok(Some(Orphan::Machine { group, machine, on: m.on, deployed: m.deployed }));
        }
    }
    Ok(None)
}

/// Deletes it, with everything on it.
pub async fn orphan_delete(cloud: &dyn Provider, orphan: &Orphan) -> Result<()> {
    let done = async |task: Result<TaskRef>| cloud.task_wait(&task?, PATIENCE).await.map(drop);
    match orphan {
        Orphan::Network(network) => done(cloud.network_delete(network).await).await,
        Orphan::Group { group, running, .. } => {
            if *running {
                done(cloud.group_stop(group).await).await?;
            }
            done(cloud.group_delete(group).await).await
        }
        Orphan::Machine { group, machine, deployed, .. } => {
            if *deployed {
                done(cloud.machine_stop(machine).await).await?;
            }
            done(cloud.machine_delete(group, machine).await).await
        }
    }
}
