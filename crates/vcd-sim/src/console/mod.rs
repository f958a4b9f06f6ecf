//! The console proxy: whoever has a ticket sees a machine's screen and types on its keyboard.

mod rfb;
mod terminal;

use std::time::{Duration, Instant};

use axum::extract::ws::{Message, WebSocket};
use uuid::Uuid;

use self::{rfb::Rfb, terminal::Terminal};
use crate::server::Simulator;

/// Each ticket begins so.
pub(crate) const TICKET: &str = "cst-";
/// How long a ticket is good.
pub(crate) const GOOD_FOR: Duration = Duration::from_secs(30);
/// How often is looked whether the machine is still on.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A ticket that was given out.
pub(crate) struct Ticket {
    pub(crate) text: String,
    pub(crate) vm: Uuid,
    pub(crate) until: Instant,
}

/// Shows a machine's screen until one of both ends it.
pub(crate) async fn show(sim: Simulator, vm: Uuid, mut socket: WebSocket) {
    let Some((hostname, os)) = sim.screen(vm) else { return };
    let mut terminal = Terminal::new(&hostname, &format!("{os} (simulated)"));
    let (mut rfb, hello) = Rfb::new();
    if socket.send(Message::Binary(hello.into())).await.is_err() {
        return;
    }
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        let received = tokio::select! {
            message = socket.recv() => match message {
                Some(Ok(Message::Binary(bytes))) => bytes,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                // Text is no RFB.
                _ => break,
            },
            _ = look.tick() => match sim.screen(vm) {
                Some(_) => continue,
                None => break,
            },
        };
        let Ok(mut answer) = rfb.receive(&received, &mut terminal) else { break };
        if let Some(attempt) = terminal.attempt() {
            let let_in = sim.lets_in(vm, &attempt.login, &attempt.password);
            terminal.judged(attempt, let_in);
            answer.extend(rfb.update(&terminal));
        }
        if !answer.is_empty() && socket.send(Message::Binary(answer.into())).await.is_err() {
            break;
        }
    }
    let _ = socket.send(Message::Close(None)).await;
}
