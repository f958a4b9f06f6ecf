//! What is inside the machines: looked at, broken, signed in to, and worked on by whoever has been let in.
//!
//! Like the other controls, these ask for no session.

use axum::{extract::Path, response::Response};
use serde::Deserialize;
use serde_json::json;

use super::{
    Ask,
    control::{Told, done},
    id_of,
};
use crate::{
    errors::Refusal,
    guest,
    model::{Question, Vm},
};

pub(super) async fn guests(ask: Ask) -> Response {
    let (world, now) = (ask.read(), ask.now());
    ask.json(Ok(world.vms.values().map(|vm| guest::view(vm, now)).collect()))
}

pub(super) async fn guest(ask: Ask, Path(id): Path<String>) -> Response {
    let (world, now) = (ask.read(), ask.now());
    ask.json(id_of(&id).and_then(|id| world.vm(id)).map(|vm| guest::view(vm, now)))
}

/// What somebody who is signed in inside breaks.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Broken {
    hostname: Option<String>,
    addresses: Option<Vec<String>>,
    gateway: Option<String>,
    dns: Option<Vec<String>>,
}

pub(super) async fn guest_change(ask: Ask, Path(id): Path<String>, Told(broken): Told<Broken>) -> Response {
    let result = ask
        .change(|c| {
            let vm = c.world.vm(id_of(&id)?)?;
            if !vm.inside.is_up(vm, c.now) {
                return Err(Refusal::not_running(&vm.name));
            }
            let addresses = broken.addresses.iter().flatten();
            for address in addresses.chain(&broken.gateway).chain(broken.dns.iter().flatten()) {
                if address.parse::<std::net::IpAddr>().is_err() {
                    return Err(Refusal::bad(format!("{address:?} is no address")));
                }
            }
            let id = vm.id;
            if let Some(vm) = c.world.vms.get_mut(&id) {
                let guest = &mut vm.inside;
                guest.hostname = broken.hostname.unwrap_or_else(|| guest.hostname.clone());
                guest.addresses = broken.addresses.unwrap_or_else(|| guest.addresses.clone());
                guest.gateway = broken.gateway.unwrap_or_else(|| guest.gateway.clone());
                guest.dns = broken.dns.unwrap_or_else(|| guest.dns.clone());
            }
            Ok(())
        })
        .await;
    done(&ask, result)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    login: String,
    password: Option<String>,
    key: Option<String>,
    /// Where the guest is looked for: another address than its own finds nobody.
    address: Option<String>,
}

/// Tries to sign in to the guest: 200, 401 where it refuses, 503 where nobody answers.
pub(super) async fn guest_login(ask: Ask, Path(id): Path<String>, Told(l): Told<Login>) -> Response {
    let (world, now) = (ask.read(), ask.now());
    let result = id_of(&id).and_then(|id| world.vm(id)).and_then(|vm| {
        let there = l.address.as_ref().is_none_or(|a| vm.inside.addresses.contains(a));
        if !vm.inside.is_up(vm, now) || !there {
            return Err(Refusal::new(503, "NO_ANSWER", "Nobody answers at this address."));
        }
        let let_in = vm.inside.login(vm, &l.login, l.password.as_deref(), l.key.as_deref());
        let must_change = let_in.ok_or_else(|| Refusal::new(401, "UNAUTHORIZED", "Refused."))?;
        Ok(json!({"must_change_password": must_change, "hostname": vm.inside.hostname}))
    });
    ask.json(result)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Installed {
    panel: String,
    login: String,
    key: String,
    address: String,
    /// How long it takes, by the cloud's clock.
    seconds: u32,
}

fn let_in(vm: &Vm, now: i64, address: &str, login: &str, key: &str) -> Result<(), Refusal> {
    if !vm.inside.is_up(vm, now) || !vm.inside.addresses.iter().any(|a| a == address) {
        return Err(Refusal::new(503, "NO_ANSWER", "Nobody answers at this address."));
    }
    // What opens is a key, or a password.
    let known = vm.inside.login(vm, login, Some(key), Some(key)).is_some();
    if known { Ok(()) } else { Err(Refusal::new(401, "UNAUTHORIZED", "Refused.")) }
}

/// Begins to install a control panel, or goes on where it is there or under way.
pub(super) async fn guest_panel(ask: Ask, Path(id): Path<String>, Told(p): Told<Installed>) -> Response {
    let result = ask
        .change(|c| {
            let (vm, now) = (c.world.vm(id_of(&id)?)?, c.now);
            let_in(vm, now, &p.address, &p.login, &p.key)?;
            let before = vm.inside.panel.as_ref().filter(|b| b.id == p.panel);
            if before.is_some_and(|b| b.state(now) != "failed") {
                return Ok(());
            }
            let panel = guest::Panel {
                id: p.panel,
                begun: now,
                ends: now + i64::from(p.seconds) * 1000,
                fails: before.is_none() && vm.inside.hostname.starts_with(guest::sentinel::PANEL),
            };
            let id = vm.id;
            if let Some(vm) = c.world.vms.get_mut(&id) {
                vm.inside.panel = Some(panel);
            }
            Ok(())
        })
        .await;
    done(&ask, result)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Left {
    login: String,
    key: String,
    address: String,
}

/// Whoever came in by this leaves: what is still being installed is gone, and so is the way in.
pub(super) async fn guest_leave(ask: Ask, Path(id): Path<String>, Told(l): Told<Left>) -> Response {
    let result = ask
        .change(|c| {
            let (vm, now) = (c.world.vm(id_of(&id)?)?, c.now);
            let_in(vm, now, &l.address, &l.login, &l.key)?;
            let id = vm.id;
            if let Some(vm) = c.world.vms.get_mut(&id) {
                vm.inside.panel.take_if(|p| p.state(now) == "installing");
                // A key goes; an account that was made for it goes whole.
                if let Some(account) = vm.inside.accounts.get_mut(&l.login) {
                    account.keys.retain(|k| *k != l.key);
                }
                vm.inside.accounts.retain(|_, a| a.password.as_ref() != Some(&l.key));
            }
            Ok(())
        })
        .await;
    done(&ask, result)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskedQuestion {
    text: String,
    choices: Vec<String>,
}

/// Makes a machine wait for an answer.
pub(super) async fn question(ask: Ask, Path(id): Path<String>, Told(q): Told<AskedQuestion>) -> Response {
    let result = ask
        .change(|c| {
            let vm = c.world.vm(id_of(&id)?)?;
            if !vm.powered_on {
                return Err(Refusal::not_running(&vm.name));
            }
            let id = vm.id;
            let question =
                Question { id: uuid::Uuid::new_v4().to_string(), text: q.text, choices: q.choices };
            if let Some(vm) = c.world.vms.get_mut(&id) {
                vm.question = Some(question);
            }
            Ok(())
        })
        .await;
    done(&ask, result)
}
