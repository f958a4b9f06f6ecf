//! What people change of themselves.

use domain::field::{Code, FieldError};
use leptos::prelude::*;
use provisioning::PasswordChanged;
use secrecy::SecretString;

use super::answer::{Caller, Fault};
use crate::{i18n::t, request::Flash, routes};

/// Refused: what was typed, but for secrets, waits on the page.
async fn refuse(caller: &Caller, form: &str, values: &[(&str, &str)], errors: Vec<FieldError>) {
    let values = values.iter().map(|(n, v)| ((*n).to_owned(), v.chars().take(8000).collect())).collect();
    caller.memory().flash(Flash { form: form.into(), values, errors }).await;
    caller.see_other(&format!("{}#errors", routes::ACCOUNT));
}

async fn done(caller: &Caller, text: String) {
    caller.memory().clear_flash().await;
    caller.memory().banner(false, text).await;
    caller.see_other(&format!("{}#flash", routes::ACCOUNT));
}

#[server(name = AccountRename, prefix = "/do", endpoint = "account_rename")]
pub async fn account_rename(#[server(default)] account_name: String) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = async {
        match caller.request.facade().account_rename(caller.viewer()?, &account_name).await? {
            Ok(()) => done(&caller, t!(caller.request.lang(), "account-saved")).await,
            Err(e) => refuse(&caller, "account-name", &[("account_name", &account_name)], vec![e]).await,
        }
        Ok::<_, Fault>(())
    };
    let result = result.await;
    caller.finish(result).await
}

#[server(name = PasswordChange, prefix = "/do", endpoint = "password_change")]
pub async fn password_change(
    #[server(default)] current_password: String,
    #[server(default)] new_password: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = async {
        let (current, new) = (SecretString::from(current_password), SecretString::from(new_password));
        let session = caller.request.session_id();
        let facade = caller.request.facade();
        let lang = caller.request.lang();
        let error = |code| FieldError::new(domain::field::Field::CurrentPassword, code);
        match facade.password_change(caller.viewer()?, current, new, &session).await? {
            PasswordChanged::Done { ended } => {
                done(&caller, t!(lang, "account-password-done", n = ended as i64)).await;
            }
            PasswordChanged::Refused(errors) => refuse(&caller, "account-password", &[], errors).await,
            PasswordChanged::Locked(wait) => {
                let minutes = wait.as_secs().div_ceil(60);
                let locked = error(Code::CredentialsLocked).with("minutes", minutes);
                refuse(&caller, "account-password", &[], vec![locked]).await;
            }
            PasswordChanged::Busy => {
                refuse(&caller, "account-password", &[], vec![error(Code::CredentialsBusy)]).await;
            }
        }
        Ok::<_, Fault>(())
    };
    let result = result.await;
    caller.finish(result).await
}

/// Ends one session, or all but this one.
#[server(name = SessionRevoke, prefix = "/do", endpoint = "session_revoke")]
pub async fn session_revoke(#[server(default)] session: String) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = async {
        let (facade, lang) = (caller.request.facade(), caller.request.lang());
        let ended = if session == "others" {
            facade.sessions_revoke_others(caller.viewer()?, &caller.request.session_id()).await?
        } else {
            u64::from(facade.session_revoke(caller.viewer()?, &session).await?)
        };
        done(&caller, t!(lang, "account-sessions-ended", n = ended as i64)).await;
        Ok::<_, Fault>(())
    };
    let result = result.await;
    caller.finish(result).await
}

#[server(name = KeyAdd, prefix = "/do", endpoint = "key_add")]
pub async fn key_add(
    #[server(default)] key_name: String,
    #[server(default)] ssh_keys: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = async {
        let (facade, lang) = (caller.request.facade(), caller.request.lang());
        match facade.ssh_key_add(caller.viewer()?, &key_name, &ssh_keys).await? {
            Ok(()) => done(&caller, t!(lang, "account-key-added")).await,
            Err(errors) => {
                let shown = facade.without_private_keys(&ssh_keys);
                let values = [("key_name", key_name.as_str()), ("ssh_keys", shown.as_str())];
                refuse(&caller, "account-key", &values, errors).await;
            }
        }
        Ok::<_, Fault>(())
    };
    let result = result.await;
    caller.finish(result).await
}

/// `what`: `remove`, `preset`, `plain`.
#[server(name = KeyChange, prefix = "/do", endpoint = "key_change")]
pub async fn key_change(
    #[server(default)] key: String,
    #[server(default)] what: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = async {
        let (facade, lang) = (caller.request.facade(), caller.request.lang());
        let Ok(key) = key.parse() else {
            caller.not_found();
            return Ok(());
        };
        let changed = match what.as_str() {
            "remove" => facade.ssh_key_remove(caller.viewer()?, key).await?,
            "preset" | "plain" => facade.ssh_key_preset(caller.viewer()?, key, what == "preset").await?,
            _ => false,
        };
        if !changed {
            caller.not_found();
            return Ok::<_, Fault>(());
        }
        let text = if what == "remove" { t!(lang, "account-key-removed") } else { t!(lang, "account-saved") };
        done(&caller, text).await;
        Ok(())
    };
    let result = result.await;
    caller.finish(result).await
}
