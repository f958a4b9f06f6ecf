//! The end of a server, and its power.

use domain::{ServerId, power::PowerAction};
use leptos::prelude::*;
use provisioning::ServerAnswer;

use super::answer::{Caller, Fault};
use crate::{
    i18n::{Lang, t},
    request::{Flash, Request},
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
    let key = form_key(request, key);
    let id = &request.around.request_id;
    let page = routes::server_terminate(server);
    let answer = request.facade().server_terminate(caller.viewer()?, server, &typed, &key, id).await?;
    if let ServerAnswer::Refused(error) = answer {
        let typed = typed.chars().take(80).collect();
        let values = [("confirm_name".to_owned(), typed)].into();
        let flash = Flash { form: format!("terminate-{server}"), values, errors: vec![error] };
        caller.memory().flash(flash).await;
        caller.see_other(&format!("{page}#errors"));
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
    let key = form_key(request, key);
    let id = &request.around.request_id;
    let answer = request.facade().server_power(caller.viewer()?, server, action, &key, id).await?;
    answered(caller, lang, server, &routes::server(server), answer).await;
    Ok(())
}

/// The key of a form, or a new one where it came without.
fn form_key(request: &Request, key: &str) -> String {
    let key: String = key.chars().take(64).collect();
    if key.is_empty() { request.facade().form_key() } else { key }
}
