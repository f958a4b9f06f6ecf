//! Power (XML family).

use reqwest::Method;

use crate::{
    client::Client,
    error::Result,
    ids::{TaskId, VappId, VmId},
    xml::Writer,
};

/// How what is to be undeployed is stopped first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndeployAction {
    /// The power is cut.
    PowerOff,
    /// The guest shuts down; needs its tools.
    Shutdown,
    /// It is suspended.
    Suspend,
    /// Whatever it takes.
    Force,
}

impl UndeployAction {
    fn as_str(self) -> &'static str {
        match self {
            Self::PowerOff => "powerOff",
            Self::Shutdown => "shutdown",
            Self::Suspend => "suspend",
            Self::Force => "force",
        }
    }
}

const fn flag(on: bool) -> &'static str {
    if on { "true" } else { "false" }
}

const DEPLOY: &str = "application/vnd.vmware.vcloud.deployVAppParams+xml";
const UNDEPLOY: &str = "application/vnd.vmware.vcloud.undeployVAppParams+xml";

macro_rules! power {
    ($($(#[$doc:meta])* $name:ident, $of_vapp:ident: $action:literal;)*) => {
        impl Client {
            $($(#[$doc])*
            pub async fn $name(&self, id: VmId) -> Result<TaskId> {
                self.act(&format!(concat!("/api/vApp/vm-{}/", $action), id.uuid())).await
            }

            #[doc = concat!("As [`Client::", stringify!($name), "`], for every machine of a vApp at once, in one task.")]
            pub async fn $of_vapp(&self, id: VappId) -> Result<TaskId> {
                self.act(&format!(concat!("/api/vApp/vapp-{}/", $action), id.uuid())).await
            })*
        }
    };
}

power! {
    /// Turns a machine on. A fresh one customizes itself; nothing is forced.
    vm_power_on, vapp_power_on: "power/action/powerOn";
    /// Cuts a machine's power. It stays deployed **\[src\]**: [`Client::vm_undeploy`] frees it. What is off already is
    /// [`is_not_running`](crate::Error::is_not_running).
    vm_power_off, vapp_power_off: "power/action/powerOff";
    /// Resets a machine, as by its button.
    vm_reset, vapp_reset: "power/action/reset";
    /// Asks the guest to restart; needs its tools.
    vm_reboot, vapp_reboot: "power/action/reboot";
    /// Asks the guest to shut down; needs its tools. It stays deployed **\[src\]**.
    vm_shutdown, vapp_shutdown: "power/action/shutdown";
    /// Suspends a machine.
    vm_suspend, vapp_suspend: "power/action/suspend";
    /// Drops the state of a suspended machine: it is off.
    vm_discard_suspended, vapp_discard_suspended: "action/discardSuspendedState";
}

impl Client {
    /// Turns a machine on and customizes its guest again: name, password and address are set as the section has them,
    /// the first-login flag included. Only while it is not deployed **\[src\]**.
    pub async fn vm_power_on_and_customize(&self, id: VmId) -> Result<TaskId> {
        self.deploy(&format!("vm-{}", id.uuid()), &[("powerOn", "true"), ("forceCustomization", "true")])
            .await
    }

    /// Deploys a machine: it gets what it needs to run, and with `power_on` runs. Nothing is forced on its guest.
    pub async fn vm_deploy(&self, id: VmId, power_on: bool) -> Result<TaskId> {
        self.deploy(&format!("vm-{}", id.uuid()), &[("powerOn", flag(power_on))]).await
    }

    /// Deploys every machine of a vApp, as [`Client::vm_deploy`] does one.
    pub async fn vapp_deploy(&self, id: VappId, power_on: bool) -> Result<TaskId> {
        self.deploy(&format!("vapp-{}", id.uuid()), &[("powerOn", flag(power_on))]).await
    }

    async fn deploy(&self, entity: &str, attrs: &[(&str, &str)]) -> Result<TaskId> {
        let content = Writer::root("DeployVAppParams", attrs, |_| {});
        self.change(Method::POST, &format!("/api/vApp/{entity}/action/deploy"), DEPLOY, content).await
    }

    /// Stops a machine and undeploys it, which deleting it needs. What is not deployed is
    /// [`is_not_running`](crate::Error::is_not_running): as wanted, mostly.
    pub async fn vm_undeploy(&self, id: VmId, action: UndeployAction) -> Result<TaskId> {
        self.undeploy(&format!("vm-{}", id.uuid()), action).await
    }

    /// Stops every machine of a vApp and undeploys it.
    pub async fn vapp_undeploy(&self, id: VappId, action: UndeployAction) -> Result<TaskId> {
        self.undeploy(&format!("vapp-{}", id.uuid()), action).await
    }

    async fn undeploy(&self, entity: &str, action: UndeployAction) -> Result<TaskId> {
        let content =
            Writer::root("UndeployVAppParams", &[], |w| w.leaf("UndeployPowerAction", action.as_str()));
        self.change(Method::POST, &format!("/api/vApp/{entity}/action/undeploy"), UNDEPLOY, content).await
    }
}
