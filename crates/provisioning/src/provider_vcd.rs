//! The port on VMware Cloud Director. A group is a vApp; the words of vCD end here.

mod words;

use std::time::Duration;

use async_trait::async_trait;
use domain::catalogue::Family;
use guest::Identity;
use tokio::sync::{OnceCell, mpsc::UnboundedSender};
use vcd::{
    AddressMode, Client, ClientConfig, CustomizationStatus, DiskEdit, EdgeQos, GuestCustomization, MoveVm,
    NetworkStatus, NewVapp, NewVm, Nic, QosProfile, Recompose, Reconfigure, UndeployAction, VappId, VdcId,
    VmId, WaitOptions,
};

use crate::{
    ansible::{PlayEnd, PlayEvent},
    provider::{
        Access, ConsoleTicket, EdgeFound, EdgeRef, EdgeSpeed, Group, GroupNetwork, GroupRef, GuestLogin,
        GuestProgress, GuestSeen, GuestSettings, GuestSetup, GuestWay, Machine, MachineRef, MachineSpec,
        NetworkFound, NetworkRef, NetworkSpec, PanelSpec, Provider, ProviderError, ProviderErrorKind, Result,
        TaskRef,
    },
    roads::Roads,
};

use self::words::{computer_name, error, id, machine, named, routed_block, task};

/// What jobs on this platform are counted under.
pub const NAME: &str = "vcd";

/// Where the cloud is and which part of it is ours.
#[derive(Clone, Debug)]
pub struct VcdConfig {
    pub url: String,
    pub credentials: vcd::Credentials,
    /// The organisation VDC that everything is made in.
    pub vdc: String,
    /// How often it is looked whether something has ended: first after so long, and at least so often.
    pub pauses: (Duration, Duration),
    /// How guests are reached.
    pub roads: Roads,
    /// Who an AlmaLinux says it is, for the customization of this cloud.
    pub almalinux_as: Identity,
}

/// Looks after a quarter of a second, then less often, at least every two seconds.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(2));

impl VcdConfig {
    /// An account of a tenant organisation.
    pub fn tenant(url: &str, org: &str, user: &str, password: secrecy::SecretString, vdc: &str) -> Self {
        let credentials = vcd::Credentials::password(user, org, password);
        Self {
            url: url.into(),
            credentials,
            vdc: vdc.into(),
            pauses: PAUSES,
            roads: Roads::Network(None),
            almalinux_as: Identity::Own,
        }
    }
}

pub struct VcdProvider {
    client: Client,
    vdc_name: String,
    pauses: (Duration, Duration),
    roads: Roads,
    almalinux_as: Identity,
    vdc: OnceCell<VdcId>,
    profiles: OnceCell<Vec<QosProfile>>,
}

impl VcdProvider {
    pub fn new(config: VcdConfig) -> Result<Self> {
        let client = Client::new(ClientConfig::new(&config.url, config.credentials)).map_err(error)?;
        Ok(Self {
            client,
            vdc_name: config.vdc,
            pauses: config.pauses,
            roads: config.roads,
            almalinux_as: config.almalinux_as,
            vdc: OnceCell::new(),
            profiles: OnceCell::new(),
        })
    }

    fn within(&self, deadline: Duration) -> WaitOptions {
        let (first_pause, longest_pause) = self.pauses;
        WaitOptions { first_pause, longest_pause, ..WaitOptions::within(deadline) }
    }

    async fn vdc(&self) -> Result<VdcId> {
        let found = self.vdc.get_or_try_init(|| async {
            self.client.vdc_by_name(&self.vdc_name).await.map_err(error)?.ok_or_else(|| {
                ProviderError::new(
                    ProviderErrorKind::Permanent,
                    format!("there is no VDC {:?}", self.vdc_name),
                )
            })
        });
        found.await.copied()
    }

    /// The speed profiles of the network manager behind the edges. One manager serves the pool.
    async fn profiles(&self, edge: vcd::EdgeId) -> Result<&[QosProfile]> {
        let found = self.profiles.get_or_try_init(|| async {
            let manager = self.client.edge(edge).await.map_err(error)?.manager.ok_or_else(|| {
                ProviderError::new(
                    ProviderErrorKind::Permanent,
                    format!("edge {edge} names no network manager"),
                )
            })?;
            self.client.qos_profiles(manager).await.map_err(error)
        });
        found.await.map(Vec::as_slice)
    }
}

#[async_trait]
impl Provider for VcdProvider {
    fn pause(&self) -> Duration {
        (self.pauses.0 * 2).min(self.pauses.1 / 2)
    }

    async fn edges(&self) -> Result<Vec<EdgeFound>> {
        let edges = self.client.edges(self.vdc().await?).await.map_err(error)?;
        let mut found = Vec::with_capacity(edges.len());
        for edge in edges.into_iter().filter(|e| e.status == "REALIZED") {
            // An edge without a block cannot carry a server: it is not of the pool.
            match routed_block(&edge.description) {
                Some(block) => {
                    let networks = match edge.networks {
                        Some(networks) => networks,
                        // A count that is not told is not zero.
                        None => self.client.networks_of_edge(edge.id).await.map_err(error)?.len() as i64,
                    };
                    found.push(EdgeFound {
                        edge: EdgeRef(edge.id.to_string()),
                        name: edge.name,
                        block,
                        networks,
                    });
                }
                None => tracing::warn!(edge = edge.name, "left out: its description names no routed block"),
            }
        }
        Ok(found)
    }

    async fn edge_speed(&self, edge: &EdgeRef) -> Result<EdgeSpeed> {
        let edge = id(&edge.0)?;
        let qos = self.client.edge_qos(edge).await.map_err(error)?;
        if qos == EdgeQos::UNLIMITED {
            return Ok(EdgeSpeed::Unlimited);
        }
        let profiles = self.profiles(edge).await?;
        let known = qos.ingress.filter(|i| qos.egress == Some(*i));
        let known = known.and_then(|id| profiles.iter().find(|p| p.id == id));
        Ok(known.map_or(EdgeSpeed::Other, |p| EdgeSpeed::Mbit(p.committed_mbit)))
    }

    async fn edge_set_speed(&self, edge: &EdgeRef, mbit: Option<u32>) -> Result<TaskRef> {
        let edge = id(&edge.0)?;
        let qos = match mbit {
            None => EdgeQos::UNLIMITED,
            Some(mbit) => {
                let profile = self.profiles(edge).await?.iter().find(|p| p.committed_mbit == mbit);
                let text = format!("there is no QoS profile of {mbit} Mb/s");
                EdgeQos::both(
                    profile.ok_or_else(|| ProviderError::new(ProviderErrorKind::Permanent, text))?.id,
                )
            }
        };
        self.client.edge_qos_set(edge, qos).await.map(task).map_err(error)
    }

    async fn networks_all(&self) -> Result<Vec<String>> {
        let networks = self.client.networks(self.vdc().await?).await.map_err(error)?;
        Ok(networks.into_iter().map(|n| n.name).collect())
    }

    async fn network_find(&self, name: &str) -> Result<Option<NetworkFound>> {
        let found = self.client.network_by_name(self.vdc().await?, name).await.map_err(error)?;
        Ok(found.map(|n| NetworkFound {
            network: NetworkRef(n.id.to_string()),
            ready: n.status == NetworkStatus::Realized,
            broken: n.status == NetworkStatus::Failed,
        }))
    }

    async fn network_create(&self, spec: &NetworkSpec) -> Result<TaskRef> {
        let network = vcd::NetworkSpec {
            name: spec.name.clone(),
            description: spec.label.clone(),
            edge: id(&spec.edge.0)?,
            gateway: spec.block.gateway.clone(),
            prefix_length: spec.block.prefix_length,
            first_address: spec.block.first_address.clone(),
            last_address: spec.block.last_address.clone(),
            dns: spec.dns.clone(),
        };
        self.client.network_create(self.vdc().await?, &network).await.map(task).map_err(error)
    }

    async fn network_delete(&self, network: &NetworkRef) -> Result<TaskRef> {
        self.client.network_delete(id(&network.0)?).await.map(task).map_err(error)
    }

    async fn groups_all(&self) -> Result<Vec<(String, GroupRef)>> {
        let ours = vcd::Query::new("vApp").equals("vdc", &self.vdc().await?.uuid().to_string());
        let records = self.client.query(&ours).await.map_err(error)?;
        records
            .iter()
            .map(|r| {
                let vapp: VappId = id(r.reference())?;
                Ok((r.name().to_owned(), GroupRef(vapp.to_string())))
            })
            .collect()
    }

    async fn groups_named(&self, name: &str) -> Result<Vec<GroupRef>> {
        let found = self.client.vapps_by_name(self.vdc().await?, name).await.map_err(error)?;
        Ok(found.into_iter().map(|id| GroupRef(id.to_string())).collect())
    }

    async fn group(&self, group: &GroupRef) -> Result<Group> {
        let vapp = self.client.vapp(id::<VappId>(&group.0)?).await.map_err(error)?;
        Ok(Group {
            group: group.clone(),
            ready: vapp.is_ready(),
            broken: vapp.status == -1,
            running: vapp.deployed,
            networks: vapp
                .networks
                .into_iter()
                .map(|n| GroupNetwork {
                    name: n.name,
                    network: n.parent.map(|parent| NetworkRef(parent.to_string())),
                })
                .collect(),
            machines: vapp.vms.into_iter().map(machine).collect(),
        })
    }

    async fn group_create(
        &self,
        name: &str,
        label: &str,
        networks: &[(&str, &NetworkRef)],
    ) -> Result<TaskRef> {
        let new = NewVapp {
            name: name.into(),
            description: label.into(),
            networks: named(networks)?.into_iter().map(|(name, id)| (name.into(), id)).collect(),
            machines: vec![],
        };
        let made = self.client.vapp_compose(self.vdc().await?, &new).await;
        made.map(|(_, made)| task(made)).map_err(error)
    }

    async fn group_attach(&self, group: &GroupRef, networks: &[(&str, &NetworkRef)]) -> Result<TaskRef> {
        let attached = self.client.vapp_networks_attach(id(&group.0)?, &named(networks)?).await;
        attached.map(task).map_err(error)
    }

    async fn group_detach(&self, group: &GroupRef, network: &str) -> Result<TaskRef> {
        self.client.vapp_networks_detach(id(&group.0)?, &[network]).await.map(task).map_err(error)
    }

    async fn group_stop(&self, group: &GroupRef) -> Result<TaskRef> {
        self.client.vapp_undeploy(id(&group.0)?, UndeployAction::PowerOff).await.map(task).map_err(error)
    }

    async fn group_delete(&self, group: &GroupRef) -> Result<TaskRef> {
        self.client.vapp_delete(id(&group.0)?).await.map(task).map_err(error)
    }

    async fn group_rename(&self, group: &GroupRef, name: &str, label: &str) -> Result<TaskRef> {
        self.client.vapp_rename(id(&group.0)?, name, label).await.map(task).map_err(error)
    }

    async fn machines_move(&self, to: &GroupRef, machines: &[MachineRef]) -> Result<TaskRef> {
        let move_in = machines.iter().map(|m| Ok(MoveVm { vm: id(&m.0)?, networks: vec![] }));
        let change = Recompose { move_in: move_in.collect::<Result<_>>()?, ..Recompose::default() };
        self.client.vapp_recompose(id(&to.0)?, &change).await.map(task).map_err(error)
    }

    async fn machines_create(&self, group: &GroupRef, specs: &[MachineSpec]) -> Result<TaskRef> {
        let mut add = Vec::with_capacity(specs.len());
        for spec in specs {
            let template =
                self.client.template_vm(&spec.template).await.map_err(error)?.ok_or_else(|| {
                    ProviderError::new(
                        ProviderErrorKind::NotFound,
                        format!("there is no template {:?}", spec.template),
                    )
                })?;
            add.push(NewVm {
                name: spec.name.clone(),
                description: spec.label.clone(),
                source: template.id.into(),
                nics: vec![Nic::new(0, &spec.network, AddressMode::Manual(spec.address.clone()))],
                storage_profile: None,
            });
        }
        let change = Recompose { add, ..Recompose::default() };
        self.client.vapp_recompose(id(&group.0)?, &change).await.map(task).map_err(error)
    }

    async fn machine_stop(&self, r: &MachineRef) -> Result<TaskRef> {
        self.client.vm_undeploy(id(&r.0)?, UndeployAction::PowerOff).await.map(task).map_err(error)
    }

    async fn machine_shut_down(&self, r: &MachineRef) -> Result<TaskRef> {
        self.client.vm_undeploy(id(&r.0)?, UndeployAction::Shutdown).await.map(task).map_err(error)
    }

    async fn machine_reboot(&self, r: &MachineRef) -> Result<TaskRef> {
        self.client.vm_reboot(id(&r.0)?).await.map(task).map_err(error)
    }

    async fn machine_reset(&self, r: &MachineRef) -> Result<TaskRef> {
        self.client.vm_reset(id(&r.0)?).await.map(task).map_err(error)
    }

    async fn machine_delete(&self, group: &GroupRef, r: &MachineRef) -> Result<TaskRef> {
        let change = Recompose { delete: vec![id(&r.0)?], ..Recompose::default() };
        self.client.vapp_recompose(id(&group.0)?, &change).await.map(task).map_err(error)
    }

    async fn machine(&self, r: &MachineRef) -> Result<Machine> {
        self.client.vm(id::<VmId>(&r.0)?).await.map(machine).map_err(error)
    }

    /// On this platform a change of size is refused unless the first-login flag is set in the customization section. The
    /// flag alone changes, and nothing forces it into the guest.
    async fn machine_prepared(&self, r: &MachineRef) -> Result<Option<bool>> {
        let section = self.client.vm_customization(id(&r.0)?).await.map_err(error)?;
        Ok(Some(section.reset_password_required))
    }

    async fn machine_prepare(&self, r: &MachineRef, prepared: bool) -> Result<TaskRef> {
        let vm: VmId = id(&r.0)?;
        let section = self.client.vm_customization(vm).await.map_err(error)?;
        let section = GuestCustomization { reset_password_required: prepared, ..section };
        self.client.vm_customize(vm, &section).await.map(task).map_err(error)
    }

    async fn machine_resize(&self, r: &MachineRef, vcpu: u32, ram_mb: u64, disk_mb: u64) -> Result<TaskRef> {
        let vm_id: VmId = id(&r.0)?;
        let vm = self.client.vm(vm_id).await.map_err(error)?;
        // What stays is not sent: a running machine would be refused for it, or a snapshot stand in the way.
        let grown = vm.disks.first().filter(|d| d.size_mb < disk_mb);
        let change = Reconfigure {
            cpus: (vm.cpus != u64::from(vcpu)).then_some(vcpu),
            memory_mb: (vm.memory_mb != ram_mb).then_some(ram_mb),
            disks: grown.map_or(DiskEdit::new(), |d| DiskEdit::new().grow(d.id, disk_mb)),
            ..Reconfigure::default()
        };
        self.client.vm_reconfigure(vm_id, &change).await.map(task).map_err(error)
    }

    async fn machine_customize(&self, r: &MachineRef, setup: &GuestSetup) -> Result<TaskRef> {
        let section = GuestCustomization {
            enabled: true,
            computer_name: computer_name(&setup.hostname),
            admin_password: setup.password.clone(),
            script: Some(guest::first_boot(setup, self.almalinux_as)),
            ..GuestCustomization::default()
        };
        self.client.vm_customize(id(&r.0)?, &section).await.map(task).map_err(error)
    }

    async fn machine_forget_secrets(&self, r: &MachineRef, hostname: &str) -> Result<TaskRef> {
        let section = GuestCustomization {
            enabled: true,
            computer_name: computer_name(hostname),
            ..GuestCustomization::default()
        };
        self.client.vm_customize(id(&r.0)?, &section).await.map(task).map_err(error)
    }

    async fn machine_power_on(&self, r: &MachineRef) -> Result<TaskRef> {
        self.client.vm_power_on(id(&r.0)?).await.map(task).map_err(error)
    }

    async fn machine_power_on_and_customize(&self, r: &MachineRef) -> Result<TaskRef> {
        self.client.vm_power_on_and_customize(id(&r.0)?).await.map(task).map_err(error)
    }

    async fn machine_set_card(&self, r: &MachineRef, network: &str, address: &str) -> Result<TaskRef> {
        let vm: VmId = id(&r.0)?;
        let mut nics = self.client.vm_nics(vm).await.map_err(error)?;
        let Some(nic) = nics.first_mut() else {
            return Err(ProviderError::new(ProviderErrorKind::Permanent, "the machine has no card"));
        };
        network.clone_into(&mut nic.network);
        nic.mode = AddressMode::Manual(address.to_owned());
        self.client.vm_nics_set(vm, &nics).await.map(task).map_err(error)
    }

    async fn machine_set_guest(&self, r: &MachineRef, settings: &GuestSettings) -> Result<TaskRef> {
        let vm: VmId = id(&r.0)?;
        let mut properties = self.client.vm_properties(vm).await.map_err(error)?;
        for (key, value) in guest::properties(settings) {
            properties.insert(key.to_owned(), value);
        }
        let all: Vec<(&str, &str)> = properties.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        self.client.vm_properties_set(vm, &all).await.map(task).map_err(error)
    }

    async fn guest_answers(&self, r: &MachineRef, family: Family, address: &str) -> Result<bool> {
        self.roads.answers(id::<VmId>(&r.0)?.uuid(), family, address).await
    }

    async fn guest_lets_in(
        &self,
        r: &MachineRef,
        family: Family,
        address: &str,
        login: &GuestLogin,
    ) -> Result<Access> {
        self.roads.lets_in(id::<VmId>(&r.0)?.uuid(), family, address, login).await
    }

    async fn guest_install_panel(
        &self,
        r: &MachineRef,
        way: &GuestWay<'_>,
        panel: &PanelSpec,
        tell: &UnboundedSender<PlayEvent>,
    ) -> PlayEnd {
        match id::<VmId>(&r.0) {
            Ok(vm) => self.roads.install_panel(vm.uuid(), way, panel, tell).await,
            Err(e) => PlayEnd::Broken(e.message),
        }
    }

    async fn guest_leave(&self, r: &MachineRef, way: &GuestWay<'_>, deadline: Duration) -> PlayEnd {
        match id::<VmId>(&r.0) {
            Ok(vm) => self.roads.leave(vm.uuid(), way, deadline).await,
            Err(e) => PlayEnd::Broken(e.message),
        }
    }

    async fn guest_seen(&self, r: &MachineRef) -> Result<Option<GuestSeen>> {
        self.roads.look_inside(id::<VmId>(&r.0)?.uuid()).await
    }

    async fn machine_console(&self, r: &MachineRef) -> Result<ConsoleTicket> {
        let way = self.client.vm_console_ticket(id(&r.0)?).await.map_err(error)?;
        Ok(ConsoleTicket { address: way.address(self.client.is_secure()) })
    }

    async fn machine_snapshot(&self, r: &MachineRef) -> Result<TaskRef> {
        self.client.vm_snapshot_create(id(&r.0)?, false, false).await.map(task).map_err(error)
    }

    async fn machine_snapshot_revert(&self, r: &MachineRef) -> Result<TaskRef> {
        self.client.vm_snapshot_revert(id(&r.0)?).await.map(task).map_err(error)
    }

    async fn machine_snapshot_remove(&self, r: &MachineRef) -> Result<TaskRef> {
        self.client.vm_snapshot_remove(id(&r.0)?).await.map(task).map_err(error)
    }

    async fn machine_guest(&self, r: &MachineRef) -> Result<GuestProgress> {
        let status = self.client.vm_customization_status(id(&r.0)?).await.map_err(error)?;
        Ok(match status {
            CustomizationStatus::Pending => GuestProgress::UnderWay,
            CustomizationStatus::Complete => GuestProgress::Complete,
            CustomizationStatus::Failed => GuestProgress::Failed,
        })
    }

    async fn task_cancel(&self, task: &TaskRef) -> Result<()> {
        self.client.task_cancel(id(&task.0)?).await.map_err(error)
    }

    async fn task_wait(&self, task: &TaskRef, deadline: Duration) -> Result<()> {
        self.client.task_wait(id(&task.0)?, self.within(deadline)).await.map(drop).map_err(error)
    }
}
