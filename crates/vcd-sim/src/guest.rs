//! What runs inside a machine: a model of a guest, not a guest.
//!
//! It has a name, addresses, accounts, a root file system; it is customized at first boot and can be changed by whoever
//! is signed in. Nothing is executed. Of a customization script only the values are understood: assignments of the form
//! `name=$(decode 'BASE64')`, and on Windows `$name = Decode 'BASE64'`, for `hostname`, `login`, `password`, `keys`, `way`,
//! `account` and `account_password`. Having been customized with a script, the
//! guest does at every boot what the installed `slipway-guest` would: reads the OVF properties `slipway.hostname`,
//! `slipway.address`, `slipway.gateway` and `slipway.dns`, puts right what differs, and grows the root file system.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::model::{Property, Vm};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Guest {
    pub(crate) hostname: String,
    pub(crate) addresses: Vec<String>,
    pub(crate) gateway: String,
    pub(crate) dns: Vec<String>,
    pub(crate) accounts: BTreeMap<String, Account>,
    /// Size of the root file system; 0 until the first boot.
    pub(crate) root_mb: u64,
    pub(crate) boots: u32,
    /// When the latest boot is over and the guest answers.
    pub(crate) up_at: Option<i64>,
    /// The script that keeps name, address and disks right is installed.
    pub(crate) keeper: bool,
    pub(crate) first_boot: FirstBoot,
    #[serde(default)]
    pub(crate) panel: Option<Panel>,
}

/// A control panel that is being installed, or is there. Nothing is installed: its time passes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Panel {
    pub(crate) id: String,
    pub(crate) begun: i64,
    pub(crate) ends: i64,
    /// Half-way it fails.
    pub(crate) fails: bool,
}

impl Panel {
    /// `installing`, `done` or `failed`.
    pub(crate) fn state(&self, now: i64) -> &'static str {
        let half = self.begun + (self.ends - self.begun) / 2;
        match self.fails {
            true if now >= half => "failed",
            false if now >= self.ends => "done",
            _ => "installing",
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FirstBoot {
    #[default]
    Pending,
    Done,
    Failed,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) password: Option<String>,
    pub(crate) keys: Vec<String>,
    /// The next login by password has to choose another one.
    pub(crate) must_change: bool,
}

/// Misbehaviour asked for by the host name, so that a person can see it too.
pub(crate) mod sentinel {
    /// The customization ends as `GC_FAILED`.
    pub(crate) const CUSTOMIZE: &str = "fail-customize";
    /// The guest never reports, and never answers.
    pub(crate) const BOOT: &str = "fail-boot";
    /// The guest takes no password and no key.
    pub(crate) const LOGIN: &str = "fail-login";
    /// The first installation of a panel fails half-way; the next one does not.
    pub(crate) const PANEL: &str = "fail-panel";
    /// The guest ignores its address.
    pub(crate) const ADDRESS: &str = "fail-address";
}

/// A guest customizes itself: called when its run has ended well.
pub(crate) fn customize(vm: &mut Vm, network: &NetworkSettings) {
    if vm.customization.admin_password_auto && vm.customization.admin_password.is_none() {
        let made_up = uuid::Uuid::new_v4().simple().to_string();
        vm.customization.admin_password = Some(made_up[..16].to_owned());
    }
    let c = &vm.customization;
    let values = c.script.as_deref().map(script_values).unwrap_or_default();
    let guest = &mut vm.inside;
    guest.hostname = values.get("hostname").cloned().unwrap_or_else(|| c.computer_name.clone());
    if !c.computer_name.starts_with(sentinel::ADDRESS) {
        guest.addresses = network.addresses.clone();
        guest.gateway = network.gateway.clone();
        guest.dns = network.dns.clone();
    }
    if let (true, Some(password)) = (c.admin_password_enabled, &c.admin_password) {
        let admin = if vm.os.starts_with("windows") { "Administrator" } else { "root" };
        let account = guest.accounts.entry(admin.into()).or_default();
        account.password = Some(password.clone());
        account.must_change = c.reset_password_required;
    }
    if let Some(login) = values.get("login").filter(|l| !l.is_empty()) {
        let account = guest.accounts.entry(login.clone()).or_default();
        if let Some(password) = values.get("password").filter(|p| !p.is_empty()) {
            account.password = Some(password.clone());
        }
        let keys = ["keys", "way"].into_iter().filter_map(|name| values.get(name));
        for key in keys.flat_map(|keys| keys.lines()) {
            if !key.is_empty() && !account.keys.iter().any(|k| k == key) {
                account.keys.push(key.to_owned());
            }
        }
    }
    // An account of its own that a job comes in by, on Windows.
    if let Some(login) = values.get("account").filter(|l| !l.is_empty()) {
        let account = guest.accounts.entry(login.clone()).or_default();
        account.password = values.get("account_password").cloned();
    }
    guest.keeper = c.script.is_some();
    guest.first_boot = FirstBoot::Done;
    grow(vm);
}

/// What the installed script does at a boot.
pub(crate) fn keep(vm: &mut Vm) {
    if !vm.inside.keeper {
        return;
    }
    let property = |name: &str| find(&vm.properties, name);
    if let Some(hostname) = property("slipway.hostname") {
        vm.inside.hostname = hostname;
    }
    if let Some(address) = property("slipway.address") {
        vm.inside.addresses = vec![address];
    }
    if let Some(gateway) = property("slipway.gateway") {
        vm.inside.gateway = gateway;
    }
    if let Some(dns) = property("slipway.dns") {
        vm.inside.dns = dns.split(',').map(|d| d.trim().to_owned()).filter(|d| !d.is_empty()).collect();
    }
    grow(vm);
}

/// The file system follows the first disk, and never shrinks.
fn grow(vm: &mut Vm) {
    let disk = vm.disks.first().map_or(0, |d| d.size_mb);
    vm.inside.root_mb = vm.inside.root_mb.max(disk);
}

fn find(properties: &[Property], key: &str) -> Option<String> {
    properties.iter().find(|p| p.key == key).map(|p| p.value.clone())
}

/// What the cards of a machine are told.
#[derive(Clone, Debug, Default)]
pub(crate) struct NetworkSettings {
    pub(crate) addresses: Vec<String>,
    pub(crate) gateway: String,
    pub(crate) dns: Vec<String>,
}

/// `name=$(decode 'BASE64')`, or `$name = Decode 'BASE64'` → name, decoded.
fn script_values(script: &str) -> BTreeMap<String, String> {
    script
        .lines()
        .filter_map(|line| {
            let of_shell = || line.split_once("=$(decode '");
            let of_powershell = || line.strip_prefix('$')?.split_once(" = Decode '");
            let (name, rest) = of_shell().or_else(of_powershell)?;
            let (encoded, _) = rest.split_once('\'')?;
            let bytes = STANDARD.decode(encoded).ok()?;
            Some((name.trim().to_owned(), String::from_utf8(bytes).ok()?))
        })
        .collect()
}

impl Guest {
    /// It has booted and answers.
    pub(crate) fn is_up(&self, vm: &Vm, now: i64) -> bool {
        vm.powered_on
            && self.up_at.is_some_and(|at| at <= now)
            && !vm.customization.computer_name.starts_with(sentinel::BOOT)
    }

    /// Whether this login is let in; `Some(true)` where it has to change its password first.
    pub(crate) fn login(
        &self,
        vm: &Vm,
        login: &str,
        password: Option<&str>,
        key: Option<&str>,
    ) -> Option<bool> {
        if vm.customization.computer_name.starts_with(sentinel::LOGIN) {
            return None;
        }
        let account = self.accounts.get(login)?;
        let by_key = key.is_some_and(|k| account.keys.iter().any(|known| known == k));
        let by_password = password.is_some() && account.password.as_deref() == password;
        (by_key || by_password).then_some(by_password && account.must_change)
    }
}

/// A guest as `/sim/guests/{vm}` shows it. Passwords are never shown, only that there is one.
pub(crate) fn view(vm: &Vm, now: i64) -> Value {
    let guest = &vm.inside;
    let state = match (vm.powered_on, vm.run) {
        (false, _) => "off",
        (true, Some(run)) if now < run.ends => "customizing",
        (true, _) if guest.is_up(vm, now) => "up",
        (true, _) => "booting",
    };
    let accounts: Vec<Value> = guest
        .accounts
        .iter()
        .map(|(login, a)| {
            json!({"login": login, "has_password": a.password.is_some(), "keys": a.keys, "must_change_password": a.must_change})
        })
        .collect();
    json!({
        "vm": vm.id, "name": vm.name, "os": vm.os, "state": state,
        "hostname": guest.hostname, "addresses": guest.addresses, "gateway": guest.gateway, "dns": guest.dns,
        "accounts": accounts,
        "disks": vm.disks.iter().map(|d| json!({"id": d.id, "size_mb": d.size_mb})).collect::<Vec<_>>(),
        "root_mb": guest.root_mb,
        "first_login_flag": vm.customization.reset_password_required,
        "first_boot": match guest.first_boot {
            FirstBoot::Pending => "pending", FirstBoot::Done => "done", FirstBoot::Failed => "failed",
        },
        "boots": guest.boots,
        "panel": guest.panel.as_ref().map(|p| json!({
            "id": p.id, "state": p.state(now), "percent": ((now - p.begun) * 100 / (p.ends - p.begun).max(1)).clamp(0, 100),
        })),
        "cloud_keeps": {
            "password": vm.customization.admin_password.is_some(),
            "script": vm.customization.script.is_some(),
        },
        "up_for_ms": vm.powered_on_at.map(|at| now - at),
        "properties": vm.properties.iter().map(|p| (p.key.clone(), Value::from(p.value.clone()))).collect::<serde_json::Map<_, _>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::script_values;

    #[test]
    fn the_values_of_a_script() {
        let values = script_values("#!/bin/sh\nlogin=$(decode 'YWRtaW4=')\nkeys=$(decode '!')\nexit 0\n");
        assert_eq!(script_values("$login = Decode 'YWRtaW4='\r\n"), values);
        assert_eq!(values.get("login").map(String::as_str), Some("admin"));
        assert_eq!(values.len(), 1);
    }
}
