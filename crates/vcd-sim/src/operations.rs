//! What the operations of tasks are called in words, while they run and when they are over.

/// `("Updating", "Updated")` of `vappUpdateVm`.
pub(crate) fn words(operation: &str) -> (&'static str, &'static str) {
    match operation {
        "networkCreateOrgVdcNetwork" | "vdcInstantiateVapp" | "orgVdcGatewayCreate" => {
            ("Creating", "Created")
        }
        "networkDelete" | "vdcDeleteVapp" | "vappDeleteVm" | "orgVdcGatewayDelete" => ("Deleting", "Deleted"),
        "vdcComposeVapp" => ("Composing", "Composed"),
        "vdcRecomposeVapp" => ("Recomposing", "Recomposed"),
        "vdcCopyVapp" => ("Copying", "Copied"),
        "vappDeploy" => ("Starting", "Started"),
        "vappPowerOff" | "vappUndeployPowerOff" => ("Stopping", "Stopped"),
        "vappShutdownGuest" => ("Shutting down", "Shut down"),
        "vappSuspend" | "vappUndeploySuspend" => ("Suspending", "Suspended"),
        "vappReset" => ("Resetting", "Reset"),
        "vappRebootGuest" => ("Rebooting", "Rebooted"),
        "vappCreateSnapshot" => ("Creating Snapshot of", "Created Snapshot of"),
        "vappRevertToCurrentSnapshot" => ("Reverting", "Reverted"),
        "vappRemoveAllSnapshots" => ("Removing Snapshots of", "Removed Snapshots of"),
        _ => ("Updating", "Updated"),
    }
}
