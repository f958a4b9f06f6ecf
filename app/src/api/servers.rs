//! The end of a server.

use domain::ServerId;
use leptos::prelude::*;
use provisioning::TerminateAnswer;

use super::answer::{Caller, Fault};
use crate::{i18n::t, request::Flash, routes};

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
    let key: String = key.chars().take(64).collect();
    let key = if key.is_empty() { request.facade().form_key() } else { key };
    let id = &request.around.request_id;
    let page = routes::server_terminate(server);
    match request.facade().server_terminate(caller.viewer()?, server, &typed, &key, id).await? {
        TerminateAnswer::Accepted(job) => {
            caller.memory().clear_flash().await;
            caller.see_other(&routes::operation(job));
        }
        TerminateAnswer::Refused(error) => {
            let typed = typed.chars().take(80).collect();
            let values = [("confirm_name".to_owned(), typed)].into();
            let flash = Flash { form: format!("terminate-{server}"), values, errors: vec![error] };
            caller.memory().flash(flash).await;
            caller.see_other(&format!("{page}#errors"));
        }
        TerminateAnswer::Denied(denial) => {
            caller.memory().banner(true, lang.t(&format!("denial-{denial}"))).await;
            caller.see_other(&format!("{}#flash", routes::server(server)));
        }
        TerminateAnswer::OtherValues(job) => {
            caller.memory().banner(true, t!(lang, "order-other-values")).await;
            caller.see_other(&format!("{}#flash", routes::operation(job)));
        }
        TerminateAnswer::TooMany { limit } => {
            caller.memory().banner(true, t!(lang, "order-too-many", limit = limit)).await;
            caller.see_other(&format!("{page}#flash"));
        }
        TerminateAnswer::Gone => caller.not_found(),
    }
    Ok(())
}
