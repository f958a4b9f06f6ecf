//! Signing in and out.

use domain::field::{Code, Field, FieldError};
use leptos::prelude::*;
use provisioning::SignIn;
use secrecy::SecretString;

use super::answer::{Caller, Fault};
use crate::{
    i18n::t,
    request::{Flash, encode},
    routes,
};

#[server(name = SessionOpen, prefix = "/do", endpoint = "session_open")]
pub async fn session_open(
    #[server(default)] login: String,
    #[server(default)] password: String,
    #[server(default)] back: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = open(&caller, login, SecretString::from(password), &back).await;
    caller.finish(result).await
}

async fn open(caller: &Caller, login: String, password: SecretString, back: &str) -> Result<(), Fault> {
    let refuse = |error: FieldError| async {
        let values = [("login".to_owned(), login.chars().take(254).collect())].into();
        caller.memory().flash(Flash { form: "login".into(), values, errors: vec![error] }).await;
        let back = routes::local(back).map(|b| format!("?back={}", encode(b))).unwrap_or_default();
        caller.see_other(&format!("{}{back}#errors", routes::LOGIN));
        Ok(())
    };
    let error = |code| FieldError::new(Field::Login, code);
    if login.trim().is_empty() {
        return refuse(error(Code::CredentialsMissing)).await;
    }
    match caller.request.facade().sign_in(&login, password).await? {
        SignIn::In(account) => {
            caller.memory().clear_flash().await;
            caller.memory().sign_in(account.id, device(), caller.request.facade().now_ms()).await?;
            caller.see_other(routes::local(back).unwrap_or("/"));
            Ok(())
        }
        SignIn::Wrong => refuse(error(Code::CredentialsWrong)).await,
        SignIn::Locked(wait) => {
            let minutes = wait.as_secs().div_ceil(60);
            refuse(error(Code::CredentialsLocked).with("minutes", minutes)).await
        }
        SignIn::Busy => refuse(error(Code::CredentialsBusy)).await,
    }
}

/// What somebody signs in with, in a few words: enough to tell one's own devices apart.
fn device() -> String {
    let parts = expect_context::<http::request::Parts>();
    let agent = parts.headers.get(http::header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let first = |words: &[(&'static str, &'static str)]| {
        words.iter().find(|(sign, _)| agent.contains(sign)).map(|(_, word)| *word)
    };
    // Each also says the names of those that it is like: the rarer first.
    let browser = first(&[
        ("YaBrowser", "Yandex"),
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser}, {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => agent.chars().filter(|c| !c.is_control()).take(40).collect(),
    }
}

#[server(name = SessionClose, prefix = "/do", endpoint = "session_close")]
pub async fn session_close() -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = async {
        caller.request.around.session.flush().await?;
        caller.memory().banner(false, t!(caller.request.lang(), "signed-out")).await;
        caller.see_other(&format!("{}#flash", routes::LOGIN));
        Ok(())
    };
    let result = result.await;
    caller.finish(result).await
}
