//! The console of a machine, and what it waits to be told.

use axum::{
    extract::{OriginalUri, Path, State, WebSocketUpgrade},
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{Ask, id_of, number, parse};
use crate::{
    console,
    errors::Refusal,
    model::Vm,
    server::{Simulator, random_token},
    world::World,
    xml::{Element, Read},
};

fn running<'w>(world: &'w World, id: &str) -> Result<&'w Vm, Refusal> {
    let vm = world.vm(id_of(id)?)?;
    if vm.powered_on { Ok(vm) } else { Err(Refusal::not_running(&vm.name)) }
}

/// A ticket for a WebSocket console: once, and soon.
pub(super) async fn mks_ticket(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let result = running(&world, &id).and_then(|vm| {
        let ticket = ask.sim.console_ticket(vm.id)?;
        Ok(Element::vcloud("MksTicket")
            .leaf("Host", ask.base().trim_start_matches("http://"))
            .leaf("Vmx", format!("[simulated] {0}/{0}.vmx", vm.name))
            .leaf("Ticket", ticket)
            .leaf("Port", 443))
    });
    ask.xml(200, "mksTicket", result)
}

/// The console proxy, at `/{port};{ticket}`. A path that is no ticket's is none of ours.
pub(super) async fn open(
    State(sim): State<Simulator>,
    OriginalUri(uri): OriginalUri,
    socket: WebSocketUpgrade,
) -> Response {
    let ticket = uri.path().split_once(';').map_or("", |(_, ticket)| ticket);
    match sim.console_opened(ticket) {
        Some(vm) => socket.protocols(["binary"]).on_upgrade(move |socket| console::show(sim, vm, socket)),
        None => StatusCode::FORBIDDEN.into_response(),
    }
}

pub(super) async fn ticket(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let result = running(&world, &id).and_then(|_| {
        let host = ask.base().trim_start_matches("http://");
        let text = format!("mks://{host}/vmrc?ticket=cst-{}", random_token()?);
        Ok(Element::vcloud("ScreenTicket").text(&text))
    });
    ask.xml(200, "screenTicket", result)
}

/// What the machine asks; 403 where it asks nothing.
pub(super) async fn question(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let result = id_of(&id).and_then(|id| {
        let none = || Refusal::forbidden("vmQuestion", id);
        let q = world.vm(id)?.question.as_ref().ok_or_else(none)?;
        Ok(Element::vcloud("VmPendingQuestion").leaf("Question", &q.text).leaf("QuestionId", &q.id).children(
            q.choices
                .iter()
                .enumerate()
                .map(|(i, text)| Element::new("Choices").leaf("Id", i).leaf("Text", text)),
        ))
    });
    ask.xml(200, "vmPendingQuestion", result)
}

pub(super) async fn answer(ask: Ask, Path(id): Path<String>, body: String) -> Response {
    let result = ask
        .change(|c| {
            let id = c.world.vm(id_of(&id)?)?.id;
            let doc = parse(c.world, &body, "VmQuestionAnswer")?;
            let root = doc.root_element();
            let choice: usize = number(root.value("ChoiceId").unwrap_or_default(), "ChoiceId")?;
            let asked = root.value("QuestionId").unwrap_or_default();
            let vm = c.world.vms.get_mut(&id);
            let question = vm.as_ref().and_then(|v| v.question.as_ref());
            let bad = |field: &str| Err(Refusal::bad(format!("validation error on field '{field}'")));
            match question {
                Some(q) if q.id != asked => return bad("QuestionId"),
                Some(q) if choice >= q.choices.len() => return bad("ChoiceId"),
                Some(_) => {}
                None => return Err(Refusal::forbidden("vmQuestion", id)),
            }
            if let Some(vm) = vm {
                vm.question = None;
            }
            Ok(())
        })
        .await;
    match result {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => refusal.into_xml(&ask.around.request_id),
    }
}
