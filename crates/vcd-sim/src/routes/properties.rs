//! OVF properties of machines and vApps, which a guest can read.

use axum::{extract::Path, response::Response};

use super::{Ask, id_of, parse, power};
use crate::{
    durations,
    effects::Effect,
    errors::Refusal,
    model::Property,
    tasks::{Entity, Start},
    xml::{Element, OVF},
};

pub(super) async fn get(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let result = id_of(&id).and_then(|id| match world.vms.get(&id) {
        Some(vm) => Ok(vm.properties.clone()),
        None => world.vapp(id).map(|vapp| vapp.properties.clone()),
    });
    let result = result.map(|properties| {
        let list = Element::vcloud("ProductSectionList");
        if properties.is_empty() {
            return list;
        }
        let section =
            Element::new("ovf:ProductSection").leaf("ovf:Info", "Information about the installed software");
        list.child(section.children(properties.iter().map(|p| {
            Element::new("ovf:Property")
                .attr("ovf:key", &p.key)
                .attr("ovf:type", "string")
                .attr("ovf:userConfigurable", true)
                .attr("ovf:value", "")
                .leaf("ovf:Label", &p.key)
                .child(Element::new("ovf:Value").attr("ovf:value", &p.value))
        })))
    });
    ask.xml(200, "productSections", result)
}

/// Replaces all properties. The guest sees them at its next boot.
pub(super) async fn put(ask: Ask, Path(id): Path<String>, body: String) -> Response {
    let result = ask
        .change(|c| {
            let target = power::target(c, &id)?;
            let doc = parse(c.world, &body, "ProductSectionList")?;
            let properties = doc
                .descendants()
                .filter(|n| n.has_tag_name((OVF, "Property")))
                .map(|p| {
                    let inner = p.children().find(|n| n.has_tag_name((OVF, "Value")));
                    let value =
                        inner.and_then(|v| v.attribute((OVF, "value"))).or(p.attribute((OVF, "value")));
                    let key = p.attribute((OVF, "key")).filter(|k| !k.is_empty());
                    let key = key.ok_or_else(|| Refusal::bad("validation error on field 'key'"))?;
                    Ok(Property { key: key.into(), value: value.unwrap_or_default().into() })
                })
                .collect::<Result<Vec<_>, Refusal>>()?;
            let (operation, takes) = match target.entity {
                Entity::Vm(_) => ("vappUpdateVm", "vappUpdateVm section"),
                _ => ("vdcUpdateVapp", "vdcUpdateVapp"),
            };
            c.start(Start {
                operation,
                duration: durations::of(takes, 1),
                owner: target.entity,
                name: target.name,
                holds: vec![],
                effect: Effect::Properties { of: target.entity, properties },
            })
        })
        .await;
    ask.task(result)
}
