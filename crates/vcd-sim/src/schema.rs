//! The order in which the schema has the children of each element, and the check of a request against it.
//!
//! The real platform validates what it is sent and refuses an element out of its place. The orders are those of
//! vcd-api.md §3.5 to §3.8 and §10; where the notes give two places for an element, both are taken. Elements that the
//! table does not have are not looked into.

use roxmltree::Node;

use crate::xml::{OVF, RASD, VCLOUD, VMW};

/// An element, and its children in their order. Names joined by `|` may come in any order among themselves, and a
/// name may stand in several places.
type Order = (&'static str, &'static [&'static str]);

const VM_SECTIONS: &str = "Section|VirtualHardwareSection|OperatingSystemSection|NetworkConnectionSection|\
                           GuestCustomizationSection|RuntimeInfoSection|SnapshotSection|VmSpecSection|ProductSection";

const VM: &[&str] = &[
    "Link",
    "Description",
    "Tasks",
    "Files",
    "VAppParent",
    VM_SECTIONS,
    "DateCreated",
    "VAppScopedLocalId",
    "Environment",
    "VmCapabilities",
    "StorageProfile",
    "VdcComputePolicy",
    "ComputePolicy",
    "ComputePolicyCompliance",
    "IsComputePolicyCompliant",
    "BootOptions",
    "Media",
    "Encrypted",
];

/// The fields of an item stand in the order of the alphabet by their schema. One client that is in wide use appends them as
/// it goes, which the platform takes.
const ITEM: &str = "Address|AddressOnParent|AllocationUnits|AutomaticAllocation|AutomaticDeallocation|Caption|\
                    ChangeableType|ConfigurationName|Connection|ConsumerVisibility|Description|ElementName|Generation|\
                    HostResource|InstanceID|Limit|MappingBehavior|OtherResourceType|Parent|PoolID|Reservation|\
                    ResourceSubType|ResourceType|VirtualQuantity|VirtualQuantityUnits|Weight|CoresPerSocket|Config|Link";

const RESOURCE: &[&str] = &["Configured", "Reservation", "Limit", "SharesLevel", "Shares"];

const ORDERS: &[Order] = &[
    (
        "ComposeVAppParams",
        &[
            "Link",
            "Description",
            "VAppParent",
            "InstantiationParams",
            "SourcedItem",
            "CreateItem",
            "AllEULAsAccepted",
        ],
    ),
    (
        "RecomposeVAppParams",
        &[
            "Link",
            "Description",
            "VAppParent",
            "InstantiationParams",
            "SourcedItem",
            "CreateItem",
            "AllEULAsAccepted",
            "ReconfigureItem|DeleteItem",
        ],
    ),
    (
        "InstantiateVAppTemplateParams",
        &[
            "Link",
            "Description",
            "VAppParent",
            "InstantiationParams",
            "Source",
            "IsSourceDelete",
            "SourcedVmInstantiationParams",
            "SourcedItem",
            "AllEULAsAccepted",
        ],
    ),
    (
        "CloneVAppParams",
        &[
            "Link",
            "Description",
            "VAppParent",
            "InstantiationParams",
            "Source",
            "IsSourceDelete",
            "SourcedItem",
            "SourcedVmInstantiationParams",
        ],
    ),
    (
        "SourcedItem",
        &[
            "Source",
            "VmGeneralParams",
            "VAppScopedLocalId",
            "InstantiationParams",
            "NetworkAssignment",
            "StorageProfile",
            // One client writes LocalityParams before ComputePolicy.
            "LocalityParams",
            "VdcComputePolicy",
            "ComputePolicy",
            "LocalityParams",
            "VmCapabilities",
        ],
    ),
    ("VmGeneralParams", &["Name", "Description", "NeedsCustomization", "RegenerateBiosUuid"]),
    (
        "ComputePolicy",
        &["VmPlacementPolicy", "VmPlacementPolicyFinal", "VmSizingPolicy", "VmSizingPolicyFinal"],
    ),
    (
        "VApp",
        &[
            "Link",
            "Description",
            "Tasks",
            "Files",
            "VAppParent",
            "Section|LeaseSettingsSection|StartupSection|NetworkSection|NetworkConfigSection|SnapshotSection|ProductSection",
            "DateCreated",
            "Owner",
            "autoNature",
            "InMaintenanceMode",
            "Children",
        ],
    ),
    ("Vm", VM),
    ("CreateItem", VM),
    ("ReconfigureItem", VM),
    ("NetworkConfigSection", &["Info", "Link", "NetworkConfig", "Link"]),
    ("NetworkConfig", &["Link", "Description", "Configuration", "IsDeployed"]),
    (
        "Configuration",
        &[
            "BackwardCompatibilityMode",
            "IpScope",
            "IpScopes",
            "ParentNetwork",
            "FenceMode",
            "RetainNetInfoAcrossDeployments",
            "Features",
            "SyslogServerSettings",
            "RouterInfo",
            "AdvancedNetworkingEnabled",
            "SubInterface",
            "DistributedInterface",
            "GuestVlanAllowed",
            "DualStackNetwork|Connected",
        ],
    ),
    ("IpScopes", &["IpScope"]),
    (
        "IpScope",
        &[
            "IsInherited",
            "Gateway",
            "Netmask",
            "SubnetPrefixLength",
            "Dns1",
            "Dns2",
            "DnsSuffix",
            "IsEnabled",
            "IpRanges",
            "AllocatedIpAddresses",
            "SubAllocations",
        ],
    ),
    ("IpRanges", &["IpRange"]),
    ("IpRange", &["StartAddress", "EndAddress"]),
    (
        "OrgVdcNetwork",
        &[
            "Link",
            "Description",
            "Tasks",
            "Configuration",
            "NetworkPool",
            "EdgeGateway",
            "ServiceConfig",
            "IsShared",
            "VimPortGroupRef",
        ],
    ),
    ("NetworkConnectionSection", &["Info", "PrimaryNetworkConnectionIndex", "NetworkConnection", "Link"]),
    (
        "NetworkConnection",
        &[
            "NetworkConnectionIndex",
            "IpAddress",
            "IpType",
            "SecondaryIpAddress",
            "SecondaryIpType",
            "ExternalIpAddress",
            "IsConnected",
            "MACAddress",
            "IpAddressAllocationMode",
            "SecondaryIpAddressAllocationMode",
            "NetworkAdapterType",
        ],
    ),
    (
        "GuestCustomizationSection",
        &[
            "Info",
            "Enabled",
            "ChangeSid",
            "VirtualMachineId",
            "JoinDomainEnabled",
            "UseOrgSettings",
            "DomainName",
            "DomainUserName",
            "DomainUserPassword",
            "MachineObjectOU",
            "AdminPasswordEnabled",
            "AdminPasswordAuto",
            "AdminPassword",
            "AdminAutoLogonEnabled",
            "AdminAutoLogonCount",
            "ResetPasswordRequired",
            "CustomizationScript",
            "ComputerName",
            "Link",
            // One client appends what the section did not have before behind its link, which the platform has been
            // seen to take.
            "AdminPassword",
            "CustomizationScript",
        ],
    ),
    (
        "VmSpecSection",
        &[
            "Info",
            "OsType",
            "Firmware",
            "NumCpus",
            "NumCoresPerSocket",
            "CpuResourceMhz",
            "MemoryResourceMb",
            "MediaSection",
            "DiskSection",
            "HardwareVersion",
            "VmToolsVersion",
            "ToolsGuestOsId",
            "VirtualCpuType",
            "TimeSyncWithHost",
        ],
    ),
    ("CpuResourceMhz", RESOURCE),
    ("MemoryResourceMb", RESOURCE),
    ("DiskSection", &["DiskSettings"]),
    (
        "DiskSettings",
        &[
            "DiskId",
            "SizeMb",
            "UnitNumber",
            "BusNumber",
            "AdapterType",
            "ThinProvisioned",
            "Disk",
            "StorageProfile",
            "overrideVmDefault",
            "IopsAllocation|iops",
            "VirtualQuantityUnit",
            "VirtualQuantity",
            "resizable",
            "encrypted",
            "shareable",
            "sharingType",
        ],
    ),
    ("VmCapabilities", &["Link", "MemoryHotAddEnabled", "CpuHotAddEnabled"]),
    ("ProductSectionList", &["Link", "ProductSection"]),
    ("DeployVAppParams", &[]),
    ("UndeployVAppParams", &["UndeployPowerAction"]),
    ("CreateSnapshotParams", &["Description"]),
    ("VmQuestionAnswer", &["ChoiceId", "QuestionId"]),
    ("Metadata", &["Link", "MetadataEntry"]),
    ("MetadataEntry", &["Link", "Domain", "Key", "Value|TypedValue", "Domain"]),
    ("MetadataValue", &["Link", "Domain", "Value|TypedValue"]),
    ("ControlAccessParams", &["IsSharedToEveryone", "EveryoneAccessLevel", "AccessSettings"]),
    ("AccessSettings", &["AccessSetting"]),
    ("AccessSetting", &["Subject|ExternalSubject", "AccessLevel"]),
    ("RasdItemsList", &["Link", "Item", "Link"]),
    ("Item", &[ITEM]),
];

/// Refuses an element that the schema does not have there, or not there yet, in the words of a schema validator.
pub(crate) fn check(node: Node<'_, '_>) -> Result<(), String> {
    let mut nodes = vec![node];
    while let Some(node) = nodes.pop() {
        if let Some((_, order)) = ORDERS.iter().find(|(name, _)| *name == node.tag_name().name()) {
            children_in(node, order)?;
        }
        nodes.extend(node.children().filter(Node::is_element));
    }
    Ok(())
}

fn children_in(node: Node<'_, '_>, order: &[&str]) -> Result<(), String> {
    let has = |place: &str, name: &str| place.split('|').any(|n| n == name);
    let mut at = 0;
    for child in node.children().filter(Node::is_element) {
        let name = child.tag_name().name();
        if !is_of_its_namespace(node, child) {
            return Err(format!(
                "Bad request: Invalid content was found starting with element '{name}' in '{}': another namespace is \
                 expected.",
                node.tag_name().name(),
            ));
        }
        match order[at..].iter().position(|place| has(place, name)) {
            Some(further) => at += further,
            None => {
                let late = order.iter().any(|place| has(place, name));
                return Err(format!(
                    "Bad request: Invalid content was found starting with element '{name}' in '{}'{}",
                    node.tag_name().name(),
                    if late { ": it stands too late." } else { "." },
                ));
            }
        }
    }
    Ok(())
}

/// Elements that are OVF's or CIM's stand in their namespaces, all others in the API's own: one in another would be read by
/// nobody.
fn is_of_its_namespace(parent: Node<'_, '_>, child: Node<'_, '_>) -> bool {
    let (name, namespace) = (child.tag_name().name(), child.tag_name().namespace().unwrap_or_default());
    match (parent.tag_name().name(), name) {
        ("Item", _) => [RASD, VMW, VCLOUD].contains(&namespace),
        (_, "Environment") => namespace.contains("/ovf/environment"),
        (
            _,
            "Info"
            | "VirtualHardwareSection"
            | "OperatingSystemSection"
            | "ProductSection"
            | "StartupSection"
            | "NetworkSection",
        ) => namespace == OVF,
        _ => namespace == VCLOUD,
    }
}

#[cfg(test)]
mod tests {
    use super::{OVF, VCLOUD, check};

    /// `text` without its namespaces: `Info` is OVF's.
    fn checked(text: &str) -> Result<(), String> {
        let text = text.replace("<Info/>", "<o:Info/>").replacen(
            '>',
            &format!(" xmlns=\"{VCLOUD}\" xmlns:o=\"{OVF}\">"),
            1,
        );
        check(roxmltree::Document::parse(&text).unwrap().root_element())
    }

    #[test]
    fn places_and_depths() {
        let nic = "<NetworkConnection><NetworkConnectionIndex/><IsConnected/></NetworkConnection>";
        assert!(
            checked(&format!(
                "<NetworkConnectionSection><Info/>{nic}{nic}<Link/></NetworkConnectionSection>"
            ))
            .is_ok()
        );
        let late = checked(&format!("<NetworkConnectionSection>{nic}<Info/></NetworkConnectionSection>"));
        assert!(late.unwrap_err().contains("'Info' in 'NetworkConnectionSection': it stands too late"));
        let deep = "<SourcedItem><Source/><InstantiationParams><NetworkConnectionSection><NetworkConnection>\
                    <IsConnected/><IpAddress/></NetworkConnection></NetworkConnectionSection></InstantiationParams></SourcedItem>";
        assert!(checked(deep).unwrap_err().contains("'IpAddress' in 'NetworkConnection'"));
        assert!(checked("<DeployVAppParams><Colour/></DeployVAppParams>").unwrap_err().contains("'Colour'"));
        let foreign = checked("<DiskSection><o:DiskSettings/></DiskSection>");
        assert!(foreign.unwrap_err().contains("another namespace"));
        // Sections stand in any order, and so do two kinds of items.
        assert!(checked("<Vm><VmSpecSection/><NetworkConnectionSection/><VmSpecSection/></Vm>").is_ok());
        assert!(
            checked(
                "<RecomposeVAppParams><DeleteItem/><ReconfigureItem/><DeleteItem/></RecomposeVAppParams>"
            )
            .is_ok()
        );
    }
}
