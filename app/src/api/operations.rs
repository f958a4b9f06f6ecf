//! Taking an operation back, and asking for a password.

use domain::JobId;
use leptos::prelude::*;
use provisioning::Cancelled;

use super::answer::Caller;
use crate::{i18n::t, routes};

#[server(name = OperationCancel, prefix = "/do", endpoint = "operation_cancel")]
pub async fn operation_cancel(#[server(default)] job: String) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = async {
        let (facade, lang) = (caller.request.facade(), caller.request.lang());
        let answer = match job.parse::<JobId>() {
            Ok(job) => facade.operation_cancel(caller.viewer()?, job).await?.map(|a| (job, a)),
            Err(_) => None,
        };
        let Some((job, answer)) = answer else {
            caller.not_found();
            return Ok(());
        };
        let text = match answer {
            Ok(Cancelled::Request) => t!(lang, "cancel-done"),
            Ok(Cancelled::Order) => t!(lang, "give-up-done"),
            Err(_) => t!(lang, "cancel-late"),
        };
        caller.memory().banner(answer.is_err(), text).await;
        caller.see_other(&format!("{}#flash", routes::operation(job)));
        Ok(())
    };
    let result = result.await;
    caller.finish(result).await
}

/// Tries what failed again.
#[server(name = OperationRetry, prefix = "/do", endpoint = "operation_retry")]
pub async fn operation_retry(#[server(default)] job: String) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = async {
        let (facade, lang) = (caller.request.facade(), caller.request.lang());
        let answer = match job.parse::<JobId>() {
            Ok(job) => facade.operation_retry(caller.viewer()?, job).await?.map(|a| (job, a)),
            Err(_) => None,
        };
        let Some((job, begun)) = answer else {
            caller.not_found();
            return Ok(());
        };
        let text = if begun { t!(lang, "retry-done") } else { t!(lang, "retry-late") };
        caller.memory().banner(!begun, text).await;
        caller.see_other(&format!("{}#flash", routes::operation(job)));
        Ok(())
    };
    let result = result.await;
    caller.finish(result).await
}

#[server(name = PasswordReveal, prefix = "/do", endpoint = "password_reveal")]
pub async fn password_reveal(#[server(default)] job: String) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = async {
        let facade = caller.request.facade();
        let granted = match job.parse::<JobId>() {
            Ok(job) => facade.password_reveal(caller.viewer()?, job).await?.map(|g| (job, g)),
            Err(_) => None,
        };
        match granted {
            None => caller.not_found(),
            // Whoever comes second sees when it was shown, on the operation's own page.
            Some((job, false)) => caller.see_other(&routes::operation(job)),
            Some((job, true)) => caller.see_other(&routes::operation_password(job)),
        }
        Ok(())
    };
    let result = result.await;
    caller.finish(result).await
}
