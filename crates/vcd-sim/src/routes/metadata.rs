//! Values attached to vApps and machines. Of the two domains only `GENERAL` can be written; `SYSTEM` is the operator's.

use axum::{extract::Path, response::Response};
use roxmltree::Node;
use uuid::Uuid;

use super::{
    Ask, id_of, parse,
    views::{link, media},
};
use crate::{
    durations,
    effects::Effect,
    errors::Refusal,
    model::Metadata,
    server::Change,
    tasks::{Entity, Start},
    world::World,
    xml::{Element, Read},
};

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

fn entity(world: &World, id: &str) -> Result<(Entity, String), Refusal> {
    let uuid = id_of(id)?;
    if id.starts_with("vm-") {
        return Ok((Entity::Vm(uuid), world.vm(uuid)?.name.clone()));
    }
    Ok((Entity::Vapp(uuid), world.vapp(uuid)?.name.clone()))
}

/// The entity to be written to, refused while it or its vApp is held; that comes before a look at the body.
fn idle(world: &World, id: &str) -> Result<(Entity, String), Refusal> {
    let found = entity(world, id)?;
    match found.0 {
        Entity::Vm(vm) => world.require_idle(&[found.0, Entity::Vapp(world.vm(vm)?.vapp)])?,
        other => world.require_idle(&[other])?,
    }
    Ok(found)
}

fn typed(m: &Metadata) -> Element {
    Element::new("TypedValue").attr("xmlns:xsi", XSI).attr("xsi:type", &m.kind).leaf("Value", &m.value)
}

pub(super) async fn list(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let result = entity(&world, &id).map(|(entity, _)| {
        let own = format!("{}/api/vApp/{id}/metadata", ask.base());
        let entries = world.metadata.get(&entity.urn()).into_iter().flatten().map(|(key, m)| {
            Element::new("MetadataEntry")
                .attr("href", format!("{own}/{key}"))
                .attr("type", media("metadata.value"))
                .leaf("Key", key)
                .child(typed(m))
        });
        Element::vcloud("Metadata")
            .attr("href", &own)
            .attr("type", media("metadata"))
            .child(link("add", Some("metadata"), own.clone()))
            .children(entries)
    });
    ask.xml(200, "metadata", result)
}

pub(super) async fn get(ask: Ask, Path((id, key)): Path<(String, String)>) -> Response {
    let world = ask.read();
    let result = entity(&world, &id).and_then(|(entity, _)| {
        let found = world.metadata.get(&entity.urn()).and_then(|all| all.get(&key));
        let found = found.ok_or_else(|| Refusal::forbidden("metadata", entity.id()))?;
        Ok(Element::vcloud("MetadataValue").child(typed(found)))
    });
    ask.xml(200, "metadata.value", result)
}

fn read(node: Node<'_, '_>) -> Metadata {
    let typed = node.find("TypedValue");
    let kind = typed.and_then(|t| t.attribute((XSI, "type"))).unwrap_or("MetadataStringValue");
    let value = typed.and_then(|t| t.value("Value")).or_else(|| node.value("Value")).unwrap_or_default();
    Metadata { kind: kind.rsplit(':').next().unwrap_or(kind).to_owned(), value: value.to_owned() }
}

fn change(
    c: &mut Change<'_>,
    (owner, name): (Entity, String),
    set: Vec<(String, Metadata)>,
    removed: Option<String>,
) -> Result<Uuid, Refusal> {
    if let Some(key) = &removed
        && !c.world.metadata.get(&owner.urn()).is_some_and(|all| all.contains_key(key))
    {
        return Err(Refusal::forbidden("metadata", owner.id()));
    }
    c.start(Start {
        operation: "metadataUpdate",
        duration: durations::of("metadataUpdate", 1),
        owner,
        name,
        holds: vec![],
        effect: Effect::Metadata { of: owner.urn(), set, removed },
    })
}

/// Adds or replaces several.
pub(super) async fn add(ask: Ask, Path(id): Path<String>, body: String) -> Response {
    let result = ask
        .change(|c| {
            let owner = idle(c.world, &id)?;
            let doc = parse(c.world, &body, "Metadata")?;
            let entries = doc.root_element().all("MetadataEntry");
            for entry in &entries {
                general(entry.value("Domain").unwrap_or("GENERAL"))?;
            }
            let set = entries.into_iter().map(|e| (e.value("Key").unwrap_or_default().to_owned(), read(e)));
            change(c, owner, set.collect(), None)
        })
        .await;
    ask.task(result)
}

pub(super) async fn put(ask: Ask, Path((id, key)): Path<(String, String)>, body: String) -> Response {
    let result = ask
        .change(|c| {
            let owner = idle(c.world, &id)?;
            let doc = parse(c.world, &body, "MetadataValue")?;
            change(c, owner, vec![(key, read(doc.root_element()))], None)
        })
        .await;
    ask.task(result)
}

pub(super) async fn delete(ask: Ask, Path((id, key)): Path<(String, String)>) -> Response {
    let result =
        ask.change(|c| idle(c.world, &id).and_then(|owner| change(c, owner, vec![], Some(key)))).await;
    ask.task(result)
}

fn general(domain: &str) -> Result<(), Refusal> {
    if domain.eq_ignore_ascii_case("GENERAL") {
        return Ok(());
    }
    Err(Refusal::new(
        403,
        "ACCESS_TO_RESOURCE_IS_FORBIDDEN",
        format!("No access to metadata of domain {domain}."),
    ))
}

type InDomain = Path<(String, String, String)>;

pub(super) async fn get_in(ask: Ask, Path((id, domain, key)): InDomain) -> Response {
    match general(&domain) {
        Ok(()) => get(ask, Path((id, key))).await,
        Err(refusal) => refusal.into_xml(&ask.around.request_id),
    }
}

pub(super) async fn put_in(ask: Ask, Path((id, domain, key)): InDomain, body: String) -> Response {
    match general(&domain) {
        Ok(()) => put(ask, Path((id, key)), body).await,
        Err(refusal) => refusal.into_xml(&ask.around.request_id),
    }
}

pub(super) async fn delete_in(ask: Ask, Path((id, domain, key)): InDomain) -> Response {
    match general(&domain) {
        Ok(()) => delete(ask, Path((id, key))).await,
        Err(refusal) => refusal.into_xml(&ask.around.request_id),
    }
}
