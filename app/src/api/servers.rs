//! What owners ask of their servers.

use domain::{
    ServerId,
    field::{Field, FieldError},
    power::PowerAction,
};
use leptos::prelude::*;
use provisioning::{Form, ReinstallWish, ServerAnswer};
use secrecy::SecretString;

use super::answer::{Caller, Fault};
use crate::{
    i18n::{Lang, t},
    request::Flash,
    routes,
};

#[server(name = ServerTerminate, prefix = "/do", endpoint = "server_terminate")]
pub async fn server_terminate(
    #[server(default)] server: String,
    #[server(default)] confirm_name: String,
    /// Made when the form was rendered: the same form sent twice is one request.
    #[server(default)]
    key: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = terminate(&caller, &server, confirm_name, &key).await;
    caller.finish(result).await
}

async fn terminate(caller: &Caller, server: &str, typed: String, key: &str) -> Result<(), Fault> {
    let Ok(server) = server.parse::<ServerId>() else {
        caller.not_found();
        return Ok(());
    };
    let (request, lang) = (&caller.request, caller.request.lang());
    let key = caller.form_key(key);
    let id = &request.around.request_id;
    let page = routes::server_terminate(server);
    let answer = request.facade().server_terminate(caller.viewer()?, server, &typed, &key, id).await?;
    if let ServerAnswer::Refused(errors) = answer {
        let values = [("confirm_name", typed.as_str())];
        refused(caller, &format!("terminate-{server}"), &page, &values, errors).await;
        return Ok(());
    }
    answered(caller, lang, server, &page, answer).await;
    Ok(())
}

/// Leads to what came of it; what did not is said on the page of the server, or where it was asked for.
async fn answered(caller: &Caller, lang: Lang, server: ServerId, page: &str, answer: ServerAnswer) {
    match answer {
        ServerAnswer::Accepted(job) => {
            caller.memory().clear_flash().await;
            caller.see_other(&routes::operation(job));
        }
        ServerAnswer::Denied(denial) => {
            caller.memory().banner(true, lang.t(&format!("denial-{denial}"))).await;
            caller.see_other(&format!("{}#flash", routes::server(server)));
        }
        ServerAnswer::OtherValues(job) => {
            caller.memory().banner(true, t!(lang, "order-other-values")).await;
            caller.see_other(&format!("{}#flash", routes::operation(job)));
        }
        ServerAnswer::TooMany { limit } => {
            caller.memory().banner(true, t!(lang, "order-too-many", limit = limit)).await;
            caller.see_other(&format!("{page}#flash"));
        }
        ServerAnswer::Refused(_) | ServerAnswer::Gone => caller.not_found(),
    }
}

#[server(name = ServerPower, prefix = "/do", endpoint = "server_power")]
pub async fn server_power(
    #[server(default)] server: String,
    #[server(default)] action: String,
    /// Made when the form was rendered: the same form sent twice is one request.
    #[server(default)]
    key: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = power(&caller, &server, &action, &key).await;
    caller.finish(result).await
}

async fn power(caller: &Caller, server: &str, action: &str, key: &str) -> Result<(), Fault> {
    let (Ok(server), Ok(action)) = (server.parse::<ServerId>(), action.parse::<PowerAction>()) else {
        caller.not_found();
        return Ok(());
    };
    let (request, lang) = (&caller.request, caller.request.lang());
    let key = caller.form_key(key);
    let id = &request.around.request_id;
    let answer = request.facade().server_power(caller.viewer()?, server, action, &key, id).await?;
    answered(caller, lang, server, &routes::server(server), answer).await;
    Ok(())
}

/// Pasted keys are kept up to here.
const KEYS_MAX: usize = 16_384;

/// Leads back to a form with what was typed and what is wrong with it.
async fn refused(caller: &Caller, form: &str, page: &str, values: &[(&str, &str)], errors: Vec<FieldError>) {
    let cut = |(name, value): &(&str, &str)| {
        let longest = if *name == Field::SshKeys.as_str() { KEYS_MAX } else { 80 };
        ((*name).to_owned(), value.chars().take(longest).collect())
    };
    let values = values.iter().map(cut).collect();
    caller.memory().flash(Flash { form: form.to_owned(), values, errors }).await;
    caller.see_other(&format!("{page}#errors"));
}

/// The server that a form names; one that is no id names nothing.
fn named(caller: &Caller, server: &str) -> Option<ServerId> {
    let server = server.parse().ok();
    if server.is_none() {
        caller.not_found();
    }
    server
}

#[server(name = ServerResize, prefix = "/do", endpoint = "server_resize")]
pub async fn server_resize(
    #[server(default)] server: String,
    #[server(default)] vcpu: String,
    #[server(default)] ram: String,
    #[server(default)] disk: String,
    #[server(default)] bandwidth: String,
    /// The price that was shown, minor units.
    #[server(default)]
    total: String,
    #[server(default)] key: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = resize(&caller, &server, [&vcpu, &ram, &disk, &bandwidth], &total, &key).await;
    caller.finish(result).await
}

async fn resize(
    caller: &Caller,
    server: &str,
    typed: [&str; 4],
    total: &str,
    key: &str,
) -> Result<(), Fault> {
    let Some(server) = named(caller, server) else { return Ok(()) };
    let (request, lang) = (&caller.request, caller.request.lang());
    let key = caller.form_key(key);
    let form = Form { key: &key, request_id: &request.around.request_id };
    let page = routes::server_resize(server);
    let seen = total.parse().ok();
    let answer = request.facade().server_resize(caller.viewer()?, server, typed, seen, form).await?;
    if let ServerAnswer::Refused(errors) = answer {
        let [vcpu, ram, disk, bandwidth] = typed;
        let values = [("vcpu", vcpu), ("ram", ram), ("disk", disk), ("bandwidth", bandwidth)];
        refused(caller, &format!("resize-{server}"), &page, &values, errors).await;
        return Ok(());
    }
    answered(caller, lang, server, &page, answer).await;
    Ok(())
}

#[server(name = ServerChangeIp, prefix = "/do", endpoint = "server_change_ip")]
pub async fn server_change_ip(
    #[server(default)] server: String,
    #[server(default)] dns: String,
    #[server(default)] key: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = change_ip(&caller, &server, dns == "yes", &key).await;
    caller.finish(result).await
}

async fn change_ip(caller: &Caller, server: &str, accepts_dns: bool, key: &str) -> Result<(), Fault> {
    let Some(server) = named(caller, server) else { return Ok(()) };
    let (request, lang) = (&caller.request, caller.request.lang());
    let key = caller.form_key(key);
    let form = Form { key: &key, request_id: &request.around.request_id };
    let page = routes::server_network(server);
    let answer = request.facade().server_change_ip(caller.viewer()?, server, accepts_dns, form).await?;
    if let ServerAnswer::Refused(errors) = answer {
        refused(caller, &format!("network-{server}"), &page, &[], errors).await;
        return Ok(());
    }
    answered(caller, lang, server, &page, answer).await;
    Ok(())
}

#[server(name = ServerReinstall, prefix = "/do", endpoint = "server_reinstall")]
#[allow(clippy::too_many_arguments, reason = "the fields of one form")]
pub async fn server_reinstall(
    #[server(default)] server: String,
    #[server(default)] template: String,
    #[server(default)] method: String,
    #[server(default)] guest_login: String,
    #[server(default)] password_source: String,
    #[server(default)] guest_password: String,
    #[server(default)] ssh_keys: String,
    #[server(default)] confirm_name: String,
    #[server(default)] key: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let password = Some(SecretString::from(guest_password));
    let wish =
        ReinstallWish { template, method, guest_login, password_source, password, ssh_keys, confirm_name };
    let result = reinstall(&caller, &server, wish, &key).await;
    caller.finish(result).await
}

async fn reinstall(caller: &Caller, server: &str, wish: ReinstallWish, key: &str) -> Result<(), Fault> {
    let Some(server) = named(caller, server) else { return Ok(()) };
    let (request, lang) = (&caller.request, caller.request.lang());
    let key = caller.form_key(key);
    let form = Form { key: &key, request_id: &request.around.request_id };
    let page = routes::server_reinstall(server);
    // What was typed is shown again with what is wrong of it; a secret is not.
    let keys = request.facade().without_private_keys(&wish.ssh_keys);
    let typed = [
        (Field::Template, wish.template.clone()),
        (Field::Method, wish.method.clone()),
        (Field::GuestLogin, wish.guest_login.clone()),
        (Field::SshKeys, keys),
        (Field::ConfirmName, wish.confirm_name.clone()),
    ];
    let source = wish.password_source.clone();
    let answer = request.facade().server_reinstall(caller.viewer()?, server, wish, form).await?;
    if let ServerAnswer::Refused(errors) = answer {
        let values = typed.iter().map(|(field, value)| (field.as_str(), value.as_str()));
        let values: Vec<_> = values.chain([("password_source", source.as_str())]).collect();
        refused(caller, &format!("reinstall-{server}"), &page, &values, errors).await;
        return Ok(());
    }
    answered(caller, lang, server, &page, answer).await;
    Ok(())
}

#[server(name = ServerResetPassword, prefix = "/do", endpoint = "server_reset_password")]
pub async fn server_reset_password(
    #[server(default)] server: String,
    #[server(default)] key: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = reset_password(&caller, &server, &key).await;
    caller.finish(result).await
}

async fn reset_password(caller: &Caller, server: &str, key: &str) -> Result<(), Fault> {
    let Some(server) = named(caller, server) else { return Ok(()) };
    let (request, lang) = (&caller.request, caller.request.lang());
    let key = caller.form_key(key);
    let form = Form { key: &key, request_id: &request.around.request_id };
    let answer = request.facade().server_reset_password(caller.viewer()?, server, form).await?;
    answered(caller, lang, server, &routes::server(server), answer).await;
    Ok(())
}

#[server(name = ServerRepair, prefix = "/do", endpoint = "server_repair")]
pub async fn server_repair(
    #[server(default)] server: String,
    #[server(default)] key: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = repair(&caller, &server, &key).await;
    caller.finish(result).await
}

async fn repair(caller: &Caller, server: &str, key: &str) -> Result<(), Fault> {
    let Some(server) = named(caller, server) else { return Ok(()) };
    let (request, lang) = (&caller.request, caller.request.lang());
    let key = caller.form_key(key);
    let form = Form { key: &key, request_id: &request.around.request_id };
    let answer = request.facade().server_repair(caller.viewer()?, server, form).await?;
    answered(caller, lang, server, &routes::server(server), answer).await;
    Ok(())
}

/// Staff take what is seen of a server for what is wanted of it.
#[server(name = DriftAccept, prefix = "/do", endpoint = "drift_accept")]
pub async fn drift_accept(
    #[server(default)] server: String,
    #[server(default)] kind: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = accept(&caller, &server, &kind).await;
    caller.finish(result).await
}

async fn accept(caller: &Caller, server: &str, kind: &str) -> Result<(), Fault> {
    let (Some(server), Ok(kind)) = (named(caller, server), kind.parse()) else {
        caller.not_found();
        return Ok(());
    };
    match caller.request.facade().drift_accept(caller.viewer()?, server, kind).await? {
        true => caller.see_other(routes::STAFF_DRIFT),
        false => caller.not_found(),
    }
    Ok(())
}

/// An administrator moves a server to another edge.
#[server(name = ServerChangeEdge, prefix = "/do", endpoint = "server_change_edge")]
pub async fn server_change_edge(
    #[server(default)] server: String,
    #[server(default)] why: String,
    #[server(default)] keep_out: String,
    #[server(default)] key: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = change_edge(&caller, &server, &why, keep_out == "yes", &key).await;
    caller.finish(result).await
}

async fn change_edge(
    caller: &Caller,
    server: &str,
    why: &str,
    keep_out: bool,
    key: &str,
) -> Result<(), Fault> {
    let Some(server) = named(caller, server) else { return Ok(()) };
    let (request, lang) = (&caller.request, caller.request.lang());
    let key = caller.form_key(key);
    let form = Form { key: &key, request_id: &request.around.request_id };
    let viewer = caller.viewer()?;
    match request.facade().server_change_edge(viewer, server, why, keep_out, form).await? {
        ServerAnswer::Refused(errors) => {
            let values = [("why", why), ("keep_out", if keep_out { "yes" } else { "" })];
            let page = format!("{}?move={server}", routes::STAFF_EDGES);
            refused(caller, &format!("edge-{server}"), &page, &values, errors).await;
        }
        ServerAnswer::Accepted(job) => {
            caller.memory().clear_flash().await;
            caller.see_other(&routes::staff_job(job));
        }
        answer => answered(caller, lang, server, routes::STAFF_EDGES, answer).await,
    }
    Ok(())
}

#[server(name = ServerSnapshot, prefix = "/do", endpoint = "server_snapshot")]
pub async fn server_snapshot(
    #[server(default)] server: String,
    #[server(default)] action: String,
    #[server(default)] key: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = snapshot(&caller, &server, &action, &key).await;
    caller.finish(result).await
}

async fn snapshot(caller: &Caller, server: &str, action: &str, key: &str) -> Result<(), Fault> {
    let Some(server) = named(caller, server) else { return Ok(()) };
    let Ok(action) = action.parse() else {
        caller.not_found();
        return Ok(());
    };
    let (request, lang) = (&caller.request, caller.request.lang());
    let key = caller.form_key(key);
    let form = Form { key: &key, request_id: &request.around.request_id };
    let answer = request.facade().server_snapshot(caller.viewer()?, server, action, form).await?;
    answered(caller, lang, server, &routes::server(server), answer).await;
    Ok(())
}

#[server(name = ServerRename, prefix = "/do", endpoint = "server_rename")]
pub async fn server_rename(
    #[server(default)] server: String,
    #[server(default)] name: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = rename(&caller, &server, &name).await;
    caller.finish(result).await
}

async fn rename(caller: &Caller, server: &str, name: &str) -> Result<(), Fault> {
    let Some(server) = named(caller, server) else { return Ok(()) };
    let lang = caller.request.lang();
    let page = routes::server(server);
    match caller.request.facade().server_rename(caller.viewer()?, server, name).await? {
        Ok(()) => {
            caller.memory().banner(false, t!(lang, "rename-done")).await;
            caller.see_other(&format!("{page}#flash"));
        }
        Err(Some(error)) => {
            caller.memory().banner(true, crate::ui::field_error_text(lang, &error)).await;
            caller.see_other(&format!("{page}#flash"));
        }
        Err(None) => caller.not_found(),
    }
    Ok(())
}
