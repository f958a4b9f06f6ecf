//! The cards of a machine (XML family).

use reqwest::Method;

use crate::{
    client::{Client, Family},
    error::{Error, Result},
    ids::{TaskId, VmId},
    xml::{self, Find, Writer},
};

/// How a card gets its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressMode {
    /// The lowest free address of the network's pool.
    Pool,
    /// This one. It must be in the subnet, and may be outside of the pool **\[inf\]**.
    Manual(String),
    /// By DHCP.
    Dhcp,
    /// None.
    None,
}

/// A card. A change reaches the guest by a customization only **\[src\]**.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nic {
    /// Its place, from 0.
    pub index: u32,
    /// A network of the vApp, by its name there; `none` for no network **\[src\]**.
    pub network: String,
    /// It is plugged in.
    pub connected: bool,
    /// How it gets its address.
    pub mode: AddressMode,
    /// The address that it has, if the platform knows it.
    pub address: Option<String>,
    /// Its hardware address; the platform's to give.
    pub mac: Option<String>,
    /// The kind of its hardware, such as `VMXNET3`, where the platform says it.
    pub adapter: Option<String>,
    /// The card that the machine's default route goes by.
    pub primary: bool,
    /// Its settings are to reach the guest at the machine's next start, by a customization of the whole guest.
    pub needs_customization: bool,
}

impl Nic {
    /// A card that is plugged in.
    pub fn new(index: u32, network: &str, mode: AddressMode) -> Self {
        let address = match &mode {
            AddressMode::Manual(address) => Some(address.clone()),
            _ => None,
        };
        Self {
            index,
            network: network.into(),
            connected: true,
            mode,
            address,
            mac: None,
            adapter: None,
            primary: index == 0,
            needs_customization: false,
        }
    }
}

const SECTION: &str = "application/vnd.vmware.vcloud.networkConnectionSection+xml";

impl Client {
    /// The cards of a machine.
    pub async fn vm_nics(&self, id: VmId) -> Result<Vec<Nic>> {
        let path = format!("/api/vApp/vm-{}/networkConnectionSection/", id.uuid());
        let answer = self.get(Family::Xml, &path).await?;
        read_nics(xml::parse(&answer.body)?.root_element())
    }

    /// Gives a machine these cards and no others. Take them from [`Client::vm_nics`], so that none is lost. Where
    /// none is marked as the primary one the first is.
    pub async fn vm_nics_set(&self, id: VmId, nics: &[Nic]) -> Result<TaskId> {
        let content = Writer::root("NetworkConnectionSection", &[], |w| write_nics(w, nics));
        let path = format!("/api/vApp/vm-{}/networkConnectionSection/", id.uuid());
        self.change(Method::PUT, &path, SECTION, content).await
    }
}

/// The inside of a section. The order is the schema's **\[doc\]**.
pub(crate) fn write_nics(w: &mut Writer, nics: &[Nic]) {
    w.leaf("ovf:Info", "");
    if let Some(primary) = nics.iter().find(|n| n.primary).or(nics.first()) {
        w.leaf("PrimaryNetworkConnectionIndex", primary.index);
    }
    for nic in nics {
        let mut attrs = vec![("network", nic.network.as_str())];
        attrs.extend(nic.needs_customization.then_some(("needsCustomization", "true")));
        w.element("NetworkConnection", &attrs, |w| {
            w.leaf("NetworkConnectionIndex", nic.index);
            if let AddressMode::Manual(address) = &nic.mode {
                w.leaf("IpAddress", address);
            }
            w.leaf("IsConnected", nic.connected);
            if let Some(mac) = &nic.mac {
                w.leaf("MACAddress", mac);
            }
            let mode = match nic.mode {
                AddressMode::Pool => "POOL",
                AddressMode::Manual(_) => "MANUAL",
                AddressMode::Dhcp => "DHCP",
                AddressMode::None => "NONE",
            };
            w.leaf("IpAddressAllocationMode", mode);
            if let Some(adapter) = &nic.adapter {
                w.leaf("NetworkAdapterType", adapter);
            }
        });
    }
}

pub(crate) fn read_nics(section: roxmltree::Node<'_, '_>) -> Result<Vec<Nic>> {
    let primary = section.number_of("PrimaryNetworkConnectionIndex").unwrap_or(0);
    section
        .children_named("NetworkConnection")
        .map(|n| {
            let text = |name| n.text_of(name).map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
            let address = text("IpAddress");
            let mode = match (text("IpAddressAllocationMode").as_deref(), &address) {
                (Some("POOL"), _) => AddressMode::Pool,
                (Some("MANUAL"), Some(address)) => AddressMode::Manual(address.clone()),
                (Some("DHCP"), _) => AddressMode::Dhcp,
                _ => AddressMode::None,
            };
            let index = n.number_of("NetworkConnectionIndex");
            let index = index.ok_or_else(|| Error::protocol("a card without an index"))?;
            Ok(Nic {
                index: u32::try_from(index).map_err(|_| Error::protocol("a card's index is too large"))?,
                network: n.required("network")?.to_owned(),
                connected: n.text_of("IsConnected") == Some("true"),
                mode,
                address,
                mac: text("MACAddress"),
                adapter: text("NetworkAdapterType"),
                primary: index == primary,
                needs_customization: n.attribute("needsCustomization") == Some("true"),
            })
        })
        .collect()
}
