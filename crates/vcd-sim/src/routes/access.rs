//! Who else may use a vApp: kept and told, without an effect, as there is one organisation here.

use axum::{extract::Path, response::Response};

use super::{Ask, id_of, parse, views::media};
use crate::{
    errors::Refusal,
    model::{Access, AccessSetting},
    xml::{Element, Read},
};

const LEVELS: &[&str] = &["ReadOnly", "Change", "FullControl"];

fn view(access: &Access) -> Element {
    let element = Element::vcloud("ControlAccessParams")
        .attr("type", media("controlAccess"))
        .leaf("IsSharedToEveryone", access.everyone.is_some());
    let element = match &access.everyone {
        Some(level) => element.leaf("EveryoneAccessLevel", level),
        None => element,
    };
    if access.settings.is_empty() {
        return element;
    }
    let settings = access.settings.iter().map(|s| {
        let subject =
            Element::new("Subject").attr("href", &s.href).attr("name", &s.name).attr("type", &s.kind);
        Element::new("AccessSetting").child(subject).leaf("AccessLevel", &s.level)
    });
    element.child(Element::new("AccessSettings").children(settings))
}

pub(super) async fn get(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let result = id_of(&id).and_then(|id| world.vapp(id)).map(|vapp| view(&vapp.access));
    ask.xml(200, "controlAccess", result)
}

/// Replaces them. No task: it is done at once.
pub(super) async fn put(ask: Ask, Path(id): Path<String>, body: String) -> Response {
    let result = ask
        .change(|c| {
            let id = c.world.vapp(id_of(&id)?)?.id;
            let doc = parse(c.world, &body, "ControlAccessParams")?;
            let root = doc.root_element();
            let level = |text: Option<&str>, field: &str| -> Result<String, Refusal> {
                let level = text.map(str::trim).filter(|t| LEVELS.contains(t));
                level
                    .map(str::to_owned)
                    .ok_or_else(|| Refusal::bad(format!("validation error on field '{field}'")))
            };
            let everyone = root
                .flag("IsSharedToEveryone")
                .then(|| level(root.value("EveryoneAccessLevel"), "EveryoneAccessLevel"))
                .transpose()?;
            let settings = root.find("AccessSettings").map(|s| s.all("AccessSetting")).unwrap_or_default();
            let settings = settings
                .into_iter()
                .map(|setting| {
                    let subject =
                        setting.find("Subject").ok_or_else(|| Refusal::bad("Subject is missing"))?;
                    let text = |name: &str| subject.attribute(name).unwrap_or_default().to_owned();
                    Ok(AccessSetting {
                        href: text("href"),
                        kind: text("type"),
                        name: text("name"),
                        level: level(setting.value("AccessLevel"), "AccessLevel")?,
                    })
                })
                .collect::<Result<Vec<_>, Refusal>>()?;
            let access = Access { everyone, settings };
            let answer = view(&access);
            if let Some(vapp) = c.world.vapps.get_mut(&id) {
                vapp.access = access;
            }
            Ok(answer)
        })
        .await;
    ask.xml(200, "controlAccess", result)
}
