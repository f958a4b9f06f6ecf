//! A cloud whose caller dies: at a chosen change, before it is sent, once it has been carried out, or once its task is
//! recorded, whoever asked hears nothing more, then or ever. What a killed process leaves behind, at every point at which that differs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use domain::catalogue::Family;
use provisioning::{
    ansible::{PlayEnd, PlayEvent},
    provider::{
        Access, ConsoleTicket, EdgeFound, EdgeRef, EdgeSpeed, Group, GroupRef, GuestLogin, GuestProgress,
        GuestSeen, GuestSettings, GuestSetup, GuestWay, Machine, MachineRef, MachineSpec, NetworkFound,
        NetworkRef, NetworkSpec, PanelSpec, Provider, Result, TaskRef,
    },
};
use tokio::sync::{Notify, mpsc::UnboundedSender};

/// Each change has three points: before it, after it before anybody has heard of it, and once its task is recorded.
pub(crate) struct Mortal {
    inner: Arc<dyn Provider>,
    /// Points that have been passed.
    passed: AtomicUsize,
    /// The point at which everything ends.
    dies_at: usize,
    dead: AtomicBool,
    died: Notify,
}

impl Mortal {
    /// Lives for so many points; `usize::MAX` for ever.
    pub(crate) fn new(inner: Arc<dyn Provider>, dies_at: usize) -> Arc<Self> {
        let (passed, dead) = (AtomicUsize::new(0), AtomicBool::new(false));
        Arc::new(Self { inner, passed, dies_at, dead, died: Notify::new() })
    }

    pub(crate) fn passed(&self) -> usize {
        self.passed.load(Ordering::SeqCst)
    }

    /// Returns once it has died.
    pub(crate) async fn death(&self) {
        self.died.notified().await;
    }

    /// Never returns once it is dead.
    async fn alive(&self) {
        if self.dead.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }

    async fn point(&self) {
        self.alive().await;
        if self.passed.fetch_add(1, Ordering::SeqCst) == self.dies_at {
            self.dead.store(true, Ordering::SeqCst);
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

macro_rules! mortal {
    (
        changes { $(async fn $change:ident(&self $(, $carg:ident: $cty:ty)*) -> Result<TaskRef>;)* }
        looks { $(async fn $look:ident(&self $(, $larg:ident: $lty:ty)*) -> $ret:ty;)* }
    ) => {
        #[async_trait]
        impl Provider for Mortal {
            fn pause(&self) -> Duration {
                self.inner.pause()
            }
            async fn task_wait(&self, task: &TaskRef, deadline: Duration) -> Result<()> {
                self.point().await;
                self.inner.task_wait(task, deadline).await
            }
            $(async fn $change(&self $(, $carg: $cty)*) -> Result<TaskRef> {
                self.point().await;
                let answer = self.inner.$change($($carg),*).await;
                self.point().await;
                answer
            })*
            $(async fn $look(&self $(, $larg: $lty)*) -> $ret {
                self.alive().await;
                self.inner.$look($($larg),*).await
            })*
        }
    };
}

mortal! {
    changes {
        async fn group_create(&self, name: &str, label: &str, networks: &[(&str, &NetworkRef)]) -> Result<TaskRef>;
        async fn group_attach(&self, group: &GroupRef, networks: &[(&str, &NetworkRef)]) -> Result<TaskRef>;
        async fn edge_set_speed(&self, edge: &EdgeRef, mbit: Option<u32>) -> Result<TaskRef>;
        async fn network_create(&self, spec: &NetworkSpec) -> Result<TaskRef>;
        async fn network_delete(&self, network: &NetworkRef) -> Result<TaskRef>;
        async fn group_detach(&self, group: &GroupRef, network: &str) -> Result<TaskRef>;
        async fn group_stop(&self, group: &GroupRef) -> Result<TaskRef>;
        async fn group_delete(&self, group: &GroupRef) -> Result<TaskRef>;
        async fn group_rename(&self, group: &GroupRef, name: &str, label: &str) -> Result<TaskRef>;
        async fn machines_create(&self, group: &GroupRef, specs: &[MachineSpec]) -> Result<TaskRef>;
        async fn machines_move(&self, to: &GroupRef, machines: &[MachineRef]) -> Result<TaskRef>;
        async fn machine_stop(&self, machine: &MachineRef) -> Result<TaskRef>;
        async fn machine_delete(&self, group: &GroupRef, machine: &MachineRef) -> Result<TaskRef>;
        async fn machine_prepare(&self, machine: &MachineRef, prepared: bool) -> Result<TaskRef>;
        async fn machine_resize(&self, machine: &MachineRef, vcpu: u32, ram_mb: u64, disk_mb: u64) -> Result<TaskRef>;
        async fn machine_customize(&self, machine: &MachineRef, setup: &GuestSetup) -> Result<TaskRef>;
        async fn machine_forget_secrets(&self, machine: &MachineRef, hostname: &str) -> Result<TaskRef>;
        async fn machine_shut_down(&self, machine: &MachineRef) -> Result<TaskRef>;
        async fn machine_reboot(&self, machine: &MachineRef) -> Result<TaskRef>;
        async fn machine_reset(&self, machine: &MachineRef) -> Result<TaskRef>;
        async fn machine_power_on(&self, machine: &MachineRef) -> Result<TaskRef>;
        async fn machine_power_on_and_customize(&self, machine: &MachineRef) -> Result<TaskRef>;
        async fn machine_set_card(&self, machine: &MachineRef, network: &str, address: &str) -> Result<TaskRef>;
        async fn machine_set_guest(&self, machine: &MachineRef, settings: &GuestSettings) -> Result<TaskRef>;
        async fn machine_snapshot(&self, machine: &MachineRef) -> Result<TaskRef>;
        async fn machine_snapshot_revert(&self, machine: &MachineRef) -> Result<TaskRef>;
        async fn machine_snapshot_remove(&self, machine: &MachineRef) -> Result<TaskRef>;
    }
    looks {
        async fn edges(&self) -> Result<Vec<EdgeFound>>;
        async fn edge_speed(&self, edge: &EdgeRef) -> Result<EdgeSpeed>;
        async fn networks_all(&self) -> Result<Vec<String>>;
        async fn network_find(&self, name: &str) -> Result<Option<NetworkFound>>;
        async fn groups_all(&self) -> Result<Vec<(String, GroupRef)>>;
        async fn groups_named(&self, name: &str) -> Result<Vec<GroupRef>>;
        async fn group(&self, group: &GroupRef) -> Result<Group>;
        async fn machine(&self, machine: &MachineRef) -> Result<Machine>;
        async fn machine_prepared(&self, machine: &MachineRef) -> Result<Option<bool>>;
        async fn machine_guest(&self, machine: &MachineRef) -> Result<GuestProgress>;
        async fn guest_answers(&self, machine: &MachineRef, family: Family, address: &str) -> Result<bool>;
        async fn guest_lets_in(&self, machine: &MachineRef, family: Family, address: &str, login: &GuestLogin) -> Result<Access>;
        async fn guest_install_panel(&self, machine: &MachineRef, way: &GuestWay<'_>, panel: &PanelSpec, tell: &UnboundedSender<PlayEvent>) -> PlayEnd;
        async fn guest_leave(&self, machine: &MachineRef, way: &GuestWay<'_>, deadline: Duration) -> PlayEnd;
        async fn guest_seen(&self, machine: &MachineRef) -> Result<Option<GuestSeen>>;
        async fn machine_console(&self, machine: &MachineRef) -> Result<ConsoleTicket>;
        async fn task_cancel(&self, task: &TaskRef) -> Result<()>;
    }
}
