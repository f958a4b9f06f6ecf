//! What a guest is told at its next customization.

use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use roxmltree::Node;

use super::{
    Ask, id_of, number, parse, sections,
    vms::{alone, idle_vm, is_held, update},
};
use crate::{
    effects::Effect,
    errors::Refusal,
    model::{Customization, Vm},
    xml::{Element, Read},
};

pub(super) async fn get(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let result = id_of(&id).and_then(|id| world.vm(id)).map(|vm| {
        let editable = !is_held(&world, vm);
        alone(sections::customization(vm.id, &vm.customization, ask.base(), editable))
    });
    ask.xml(200, "guestCustomizationSection", result)
}

pub(super) async fn put(ask: Ask, Path(id): Path<String>, body: String) -> Response {
    let result = ask
        .change(|c| {
            let vm = idle_vm(c.world, &id)?;
            let doc = parse(c.world, &body, "GuestCustomizationSection")?;
            let section = read(&vm, doc.root_element())?;
            update(c, &vm, "vappUpdateVm section", Effect::Customized { vm: vm.id, section })
        })
        .await;
    ask.task(result)
}

/// What is kept and told, and has no effect here: there is no domain, and nobody signs in by himself.
pub(super) const OTHER: &[&str] = &[
    "JoinDomainEnabled",
    "UseOrgSettings",
    "DomainName",
    "DomainUserName",
    "DomainUserPassword",
    "MachineObjectOU",
    "AdminAutoLogonEnabled",
    "AdminAutoLogonCount",
];

/// Longer scripts are refused.
const SCRIPT_MAX: usize = 49_000;

/// Reads the whole section: what it leaves out is gone afterwards.
pub(super) fn read(vm: &Vm, root: Node<'_, '_>) -> Result<Customization, Refusal> {
    let kept =
        |name: &&str| Some(((*name).to_owned(), root.value(name).filter(|v| !v.is_empty())?.to_owned()));
    let section = Customization {
        other: OTHER.iter().filter_map(kept).collect(),
        enabled: root.flag("Enabled"),
        change_sid: root.flag("ChangeSid"),
        admin_password_enabled: root.flag("AdminPasswordEnabled"),
        // Without a password at all there is none to make up either.
        admin_password_auto: root.flag("AdminPasswordAuto") && root.flag("AdminPasswordEnabled"),
        admin_password: root.value("AdminPassword").filter(|p| !p.is_empty()).map(str::to_owned),
        reset_password_required: root.flag("ResetPasswordRequired"),
        script: root.value("CustomizationScript").filter(|s| !s.is_empty()).map(str::to_owned),
        computer_name: root.value("ComputerName").unwrap_or(&vm.customization.computer_name).into(),
    };
    let given = section.admin_password.is_some() && section.admin_password != vm.customization.admin_password;
    if section.admin_password_auto && given {
        return Err(Refusal::bad(
            "'AdminPassword' should either be reset or remain unchanged when auto is set.",
        ));
    }
    let count: u32 = root.value("AdminAutoLogonCount").map_or(Ok(0), |t| number(t, "AdminAutoLogonCount"))?;
    let logs_on = if root.flag("AdminAutoLogonEnabled") { 1..=100 } else { 0..=0 };
    if !logs_on.contains(&count) {
        return Err(Refusal::bad(
            "validation error on field 'AdminAutoLogonCount': 1 to 100 with automatic sign-in, else 0",
        ));
    }
    if section.script.as_ref().is_some_and(|s| s.len() > SCRIPT_MAX) {
        return Err(Refusal::bad("validation error on field 'CustomizationScript': too long"));
    }
    let name = &section.computer_name;
    let legal = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let digits = name.bytes().all(|b| b.is_ascii_digit());
    let longest = if vm.is_windows() { 15 } else { 63 };
    if name.is_empty() || !legal || digits || name.len() > longest {
        return Err(Refusal::bad("validation error on field 'ComputerName'"));
    }
    Ok(section)
}

pub(super) async fn status(ask: Ask, Path(id): Path<String>) -> Response {
    let world = ask.read();
    let now = ask.now();
    let result = id_of(&id).and_then(|id| world.vm(id)).map(|vm| {
        Element::vcloud("GuestCustomizationStatusSection")
            .leaf("GuestCustStatus", vm.customization_status(now))
    });
    ask.xml(200, "guestCustomizationStatusSection", result)
}

/// The next start customizes, without anything else being forced. No task: it is done at once.
pub(super) async fn at_next_power_on(ask: Ask, Path(id): Path<String>) -> Response {
    let result = ask
        .change(|c| {
            let id = c.world.vm(id_of(&id)?)?.id;
            if let Some(vm) = c.world.vms.get_mut(&id) {
                vm.needs_customization = true;
            }
            Ok(())
        })
        .await;
    match result {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => refusal.into_xml(&ask.around.request_id),
    }
}
