//! Virtual hardware as OVF items: the older way to read and change CPU, memory and disks.

use axum::{extract::Path, response::Response};

use super::{
    Ask, id_of,
    nics::{self, Asked},
    number, parse,
    views::link,
    vms::{check_size, is_held, small},
};
use crate::{
    durations,
    effects::{Effect, Reconfiguration},
    errors::Refusal,
    model::{Disk, Nic, Vm},
    tasks::{Entity, Start},
    world::World,
    xml::{Element, OVF, RASD, VCLOUD, VMW},
};

/// What a machine, or a template's machine, is made of.
pub(super) struct Hardware<'h> {
    pub(super) cpus: u32,
    pub(super) cores: u32,
    pub(super) memory_mb: u64,
    pub(super) disks: &'h [Disk],
    pub(super) nics: &'h [Nic],
}

impl<'h> Hardware<'h> {
    fn of(vm: &'h Vm) -> Self {
        Self {
            cpus: vm.cpus,
            cores: vm.cores_per_socket,
            memory_mb: vm.memory_mb,
            disks: &vm.disks,
            nics: &vm.nics,
        }
    }

    fn cpu(&self, name: &str) -> Element {
        Element::new(name)
            .leaf("rasd:AllocationUnits", "hertz * 10^6")
            .leaf("rasd:Description", "Number of Virtual CPUs")
            .leaf("rasd:ElementName", format!("{} virtual CPU(s)", self.cpus))
            .leaf("rasd:InstanceID", 4)
            .leaf("rasd:Reservation", 0)
            .leaf("rasd:ResourceType", 3)
            .leaf("rasd:VirtualQuantity", self.cpus)
            .leaf("rasd:Weight", 0)
            .child(
                Element::new("vmw:CoresPerSocket").attr("ovf:required", false).text(&self.cores.to_string()),
            )
    }

    fn memory(&self, name: &str) -> Element {
        Element::new(name)
            .leaf("rasd:AllocationUnits", "byte * 2^20")
            .leaf("rasd:Description", "Memory Size")
            .leaf("rasd:ElementName", format!("{} MB of memory", self.memory_mb))
            .leaf("rasd:InstanceID", 5)
            .leaf("rasd:Reservation", 0)
            .leaf("rasd:ResourceType", 4)
            .leaf("rasd:VirtualQuantity", self.memory_mb)
            .leaf("rasd:Weight", 0)
    }

    fn disks(&self, name: &str) -> Vec<Element> {
        let controller = Element::new(name)
            .leaf("rasd:Address", 0)
            .leaf("rasd:Description", "SCSI Controller")
            .leaf("rasd:ElementName", "SCSI Controller 0")
            .leaf("rasd:InstanceID", 2)
            .leaf("rasd:ResourceSubType", "VirtualSCSI")
            .leaf("rasd:ResourceType", 6);
        let disk = |(i, d): (usize, &Disk)| {
            Element::new(name)
                .leaf("rasd:AddressOnParent", d.unit)
                .leaf("rasd:Description", "Hard disk")
                .leaf("rasd:ElementName", format!("Hard disk {}", i + 1))
                .child(
                    Element::new("rasd:HostResource")
                        .attr("vcloud:busSubType", "VirtualSCSI")
                        .attr("vcloud:busType", 6)
                        .attr("vcloud:capacity", d.size_mb),
                )
                .leaf("rasd:InstanceID", d.id)
                .leaf("rasd:Parent", 2)
                .leaf("rasd:ResourceType", 17)
                .leaf("rasd:VirtualQuantity", d.size_mb * 1024 * 1024)
                .leaf("rasd:VirtualQuantityUnits", "byte")
        };
        std::iter::once(controller).chain(self.disks.iter().enumerate().map(disk)).collect()
    }

    fn cards(&self, name: &str) -> Vec<Element> {
        let primary = self.nics.iter().find(|n| n.primary).or(self.nics.first()).map(|n| n.index);
        self.nics
            .iter()
            .map(|n| {
                // 2 is the controller's, 4 and 5 are those of CPU and memory.
                let instance = if n.index == 0 { 1 } else { n.index + 10 };
                let connection = Element::new("rasd:Connection")
                    .attr("vcloud:ipAddressingMode", &n.mode)
                    .attr("vcloud:ipAddress", n.ip.as_deref().unwrap_or_default())
                    .attr("vcloud:primaryNetworkConnection", Some(n.index) == primary)
                    .text(&n.network);
                Element::new(name)
                    .leaf("rasd:Address", &n.mac)
                    .leaf("rasd:AddressOnParent", n.index)
                    .leaf("rasd:AutomaticAllocation", n.connected)
                    .child(connection)
                    .leaf("rasd:Description", format!("{} ethernet adapter", n.adapter))
                    .leaf("rasd:ElementName", format!("Network adapter {}", n.index))
                    .leaf("rasd:InstanceID", instance)
                    .leaf("rasd:ResourceSubType", &n.adapter)
                    .leaf("rasd:ResourceType", 10)
            })
            .collect()
    }

    /// The whole section, as it stands in a machine's body. What cannot be changed now has no links to change it by.
    pub(super) fn section(&self, vm_href: &str, name: &str, editable: bool) -> Element {
        let own = format!("{vm_href}/virtualHardwareSection/");
        let edit = |part: &str, kind: &str| link("edit", Some(kind), format!("{own}{part}"));
        let system = Element::new("ovf:System")
            .leaf("vssd:ElementName", "Virtual Hardware Family")
            .leaf("vssd:InstanceID", 0)
            .leaf("vssd:VirtualSystemIdentifier", name)
            .leaf("vssd:VirtualSystemType", "vmx-19");
        Element::new("ovf:VirtualHardwareSection")
            .attr("xmlns:rasd", RASD)
            .attr("xmlns:vmw", VMW)
            .attr("xmlns:vcloud", VCLOUD)
            .attr(
                "xmlns:vssd",
                "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData",
            )
            .attr("ovf:transport", "com.vmware.guestInfo")
            .leaf("ovf:Info", "Virtual hardware requirements")
            .child(system)
            .children(self.cards("ovf:Item"))
            .children(self.disks("ovf:Item"))
            .child(self.cpu("ovf:Item"))
            .child(self.memory("ovf:Item"))
            .children(["cpu", "memory"].into_iter().filter(|_| editable).map(|part| edit(part, "rasdItem")))
    }
}

/// An `Item` or a list of them as the root of a document.
fn root(element: Element) -> Element {
    element.vcloud_root().attr("xmlns:rasd", RASD).attr("xmlns:vmw", VMW).attr("xmlns:vcloud", VCLOUD)
}

pub(super) async fn section(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let result = id_of(&id).and_then(|id| world.vm(id)).map(|vm| {
        let own = super::views::href(ask.base(), Entity::Vm(vm.id));
        let editable = !is_held(&world, vm);
        Hardware::of(vm).section(&own, &vm.name, editable).attr("xmlns", VCLOUD).attr("xmlns:ovf", OVF)
    });
    ask.xml(200, "virtualHardwareSection", result)
}

pub(super) async fn get(ask: Ask, Path((id, part)): Path<(String, String)>) -> Response {
    let world = ask.read();
    let result = id_of(&id).and_then(|id| world.vm(id)).and_then(|vm| {
        let own = super::views::href(ask.base(), Entity::Vm(vm.id));
        let own = format!("{own}/virtualHardwareSection/{part}");
        let hardware = Hardware::of(vm);
        let list = |items: Vec<Element>| {
            root(Element::new("RasdItemsList"))
                .attr("href", &own)
                .attr("type", super::views::media("rasdItemsList"))
                .children((!is_held(&world, vm)).then(|| link("edit", Some("rasdItemsList"), own.clone())))
                .children(items)
        };
        match part.as_str() {
            "cpu" => Ok(root(hardware.cpu("Item")).attr("vcloud:href", &own)),
            "memory" => Ok(root(hardware.memory("Item")).attr("vcloud:href", &own)),
            "disks" => Ok(list(hardware.disks("Item"))),
            "networkCards" => Ok(list(hardware.cards("Item"))),
            _ => Err(Refusal::new(404, "NOT_FOUND", format!("There is no part {part}."))),
        }
    });
    ask.xml(200, if part == "cpu" || part == "memory" { "rasdItem" } else { "rasdItemsList" }, result)
}

pub(super) async fn put(ask: Ask, Path((id, part)): Path<(String, String)>, body: String) -> Response {
    let result = ask
        .change(|c| {
            let vm = c.world.vm(id_of(&id)?)?.clone();
            c.world.require_idle(&[Entity::Vm(vm.id), Entity::Vapp(vm.vapp)])?;
            let change = read(c.world, &vm, &part, &body)?;
            c.start(Start {
                operation: "vappUpdateVm",
                duration: durations::of("vappUpdateVm size", 1),
                owner: Entity::Vm(vm.id),
                name: vm.name.clone(),
                holds: vec![],
                effect: Effect::Reconfigured { vm: vm.id, change: Box::new(change) },
            })
        })
        .await;
    ask.task(result)
}

fn read(world: &World, vm: &Vm, part: &str, body: &str) -> Result<Reconfiguration, Refusal> {
    let expected = if matches!(part, "cpu" | "memory") { "Item" } else { "RasdItemsList" };
    let doc = parse(world, body, expected)?;
    let root = doc.root_element();
    let value = |node: roxmltree::Node<'_, '_>, name: &str| -> Option<String> {
        node.children()
            .find(|c| c.is_element() && c.tag_name().name() == name)
            .map(|c| c.text().unwrap_or_default().to_owned())
    };
    let quantity =
        |node, name: &str| -> Result<u64, Refusal> { number(&value(node, name).unwrap_or_default(), name) };
    let change = match part {
        "cpu" => Reconfiguration {
            cpus: Some(small(quantity(root, "VirtualQuantity")?, "VirtualQuantity")?),
            cores_per_socket: value(root, "CoresPerSocket")
                .map(|t| number(&t, "CoresPerSocket"))
                .transpose()?,
            ..Reconfiguration::default()
        },
        "memory" => Reconfiguration {
            memory_mb: Some(quantity(root, "VirtualQuantity")?),
            ..Reconfiguration::default()
        },
        "disks" => {
            let mut disks = Vec::new();
            for item in items(root, "17") {
                let disk = read_disk(vm, &disks, item, &value)?;
                disks.push(disk);
            }
            Reconfiguration { disks: Some(disks), ..Reconfiguration::default() }
        }
        "networkCards" => {
            let asked = items(root, "10").map(|item| read_card(item, &value)).collect::<Result<_, _>>()?;
            let nics = nics::given(world, vm.vapp, asked, &vm.nics, false)?;
            Reconfiguration { nics: Some(nics), ..Reconfiguration::default() }
        }
        _ => return Err(Refusal::bad("This part cannot be changed here.")),
    };
    check_size(world, vm, &change)?;
    Ok(change)
}

/// The items of one kind in a list: 17 are disks, 10 cards.
fn items<'a, 'i: 'a>(
    list: roxmltree::Node<'a, 'i>,
    kind: &'a str,
) -> impl Iterator<Item = roxmltree::Node<'a, 'i>> {
    let of_kind = move |item: &roxmltree::Node<'_, '_>| {
        item.children()
            .any(|c| c.tag_name().name() == "ResourceType" && c.text().map(str::trim) == Some(kind))
    };
    list.children().filter(|c| c.has_tag_name((VCLOUD, "Item"))).filter(of_kind)
}

/// A card item: the network is the text of its connection, the addressing stands in the attributes.
fn read_card(
    item: roxmltree::Node<'_, '_>,
    value: &impl Fn(roxmltree::Node<'_, '_>, &str) -> Option<String>,
) -> Result<Asked, Refusal> {
    let connection = item.children().find(|c| c.tag_name().name() == "Connection");
    let connection = connection.ok_or_else(|| Refusal::bad("A card item has no Connection."))?;
    let attribute = |name: &str| connection.attribute((VCLOUD, name)).map(str::to_owned);
    Ok(Asked {
        index: number(&value(item, "AddressOnParent").unwrap_or_default(), "AddressOnParent")?,
        network: connection.text().unwrap_or("none").trim().to_owned(),
        mode: attribute("ipAddressingMode").unwrap_or_else(|| "NONE".into()),
        address: attribute("ipAddress"),
        mac: None,
        adapter: value(item, "ResourceSubType").map(|t| t.trim().to_owned()),
        connected: value(item, "AutomaticAllocation").is_some_and(|v| v.trim().eq_ignore_ascii_case("true")),
        needs_customization: false,
    })
}

/// A disk item: its size is the capacity of the host resource, unless only the quantity was changed.
fn read_disk(
    vm: &Vm,
    others: &[Disk],
    item: roxmltree::Node<'_, '_>,
    value: &impl Fn(roxmltree::Node<'_, '_>, &str) -> Option<String>,
) -> Result<Disk, Refusal> {
    let id: u32 = number(&value(item, "InstanceID").unwrap_or_default(), "InstanceID")?;
    let before = vm.disks.iter().find(|d| d.id == id);
    let capacity = item
        .children()
        .find(|c| c.tag_name().name() == "HostResource")
        .and_then(|h| h.attribute((VCLOUD, "capacity")))
        .map(|t| number::<u64>(t, "capacity"))
        .transpose()?;
    let bytes = value(item, "VirtualQuantity").map(|t| number::<u64>(&t, "VirtualQuantity")).transpose()?;
    let by_quantity = bytes.map(|b| b / 1024 / 1024);
    let size_mb = match (before, capacity, by_quantity) {
        (Some(d), Some(c), Some(q)) if c == d.size_mb => q,
        (_, Some(c), _) => c,
        (_, None, Some(q)) => q,
        _ => return Err(Refusal::bad("A disk item has no size.")),
    };
    let unit =
        value(item, "AddressOnParent").map(|t| number(&t, "AddressOnParent")).transpose()?.unwrap_or(0);
    // Ids of disks are the platform's to give: a new one takes the next.
    let highest = vm.disks.iter().chain(others).map(|d| d.id).max().unwrap_or(1999);
    Ok(match before {
        Some(before) => Disk { size_mb, unit, ..before.clone() },
        None => Disk { id: highest.saturating_add(1).max(2000), size_mb, unit, bus: 0, adapter: 5 },
    })
}
