//! What an administrator does to the installation: the pause of maintenance, and what nobody owns.

use domain::drift::DriftKind;
use leptos::prelude::*;
use provisioning::SystemAnswer;

use super::answer::{Caller, Fault};
use crate::{
    i18n::t,
    request::{Flash, encode},
    routes,
};

/// Nothing more is taken up until it is ended.
#[server(name = MaintenanceBegin, prefix = "/do", endpoint = "maintenance_begin")]
pub async fn maintenance_begin(
    #[server(default)] minutes: String,
    #[server(default)] why: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = begin(&caller, &minutes, &why).await;
    caller.finish(result).await
}

#[server(name = MaintenanceEnd, prefix = "/do", endpoint = "maintenance_end")]
pub async fn maintenance_end() -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = end(&caller).await;
    caller.finish(result).await
}

/// What nobody owns is to be taken away.
#[server(name = OrphanDelete, prefix = "/do", endpoint = "orphan_delete")]
pub async fn orphan_delete(
    #[server(default)] kind: String,
    #[server(default)] subject: String,
    #[server(default)] why: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = delete(&caller, &kind, &subject, &why).await;
    caller.finish(result).await
}

async fn begin(caller: &Caller, minutes: &str, why: &str) -> Result<(), Fault> {
    let memory = caller.memory();
    match caller.request.facade().maintenance_begin(caller.viewer()?, minutes, why).await? {
        SystemAnswer::Done => {
            memory.clear_flash().await;
            memory.banner(false, t!(caller.request.lang(), "system-began")).await;
            caller.see_other(&format!("{}#flash", routes::STAFF_SYSTEM));
        }
        SystemAnswer::Refused(errors) => {
            let typed = |text: &str| text.chars().take(200).collect::<String>();
            let values = [("why".to_owned(), typed(why)), ("minutes".to_owned(), typed(minutes))].into();
            memory.flash(Flash { form: "maintenance".into(), values, errors }).await;
            caller.see_other(&format!("{}#errors", routes::STAFF_SYSTEM));
        }
        SystemAnswer::Gone => caller.not_found(),
    }
    Ok(())
}

async fn end(caller: &Caller) -> Result<(), Fault> {
    match caller.request.facade().maintenance_end(caller.viewer()?).await? {
        SystemAnswer::Done => {
            caller.memory().banner(false, t!(caller.request.lang(), "system-ended")).await;
            caller.see_other(&format!("{}#flash", routes::STAFF_SYSTEM));
        }
        _ => caller.not_found(),
    }
    Ok(())
}

async fn delete(caller: &Caller, kind: &str, subject: &str, why: &str) -> Result<(), Fault> {
    let Ok(word) = kind.parse::<DriftKind>() else {
        caller.not_found();
        return Ok(());
    };
    let memory = caller.memory();
    match caller.request.facade().orphan_delete(caller.viewer()?, word, subject, why).await? {
        SystemAnswer::Done => {
            memory.clear_flash().await;
            memory.banner(false, t!(caller.request.lang(), "drift-clear-asked", name = subject)).await;
            caller.see_other(&format!("{}#flash", routes::STAFF_DRIFT));
        }
        SystemAnswer::Refused(errors) => {
            let values = [("why".to_owned(), why.chars().take(200).collect())].into();
            memory.flash(Flash { form: format!("orphan-{subject}"), values, errors }).await;
            let back = format!("{}/confirm?kind={word}&subject={}", routes::STAFF_DRIFT, encode(subject));
            caller.see_other(&format!("{back}#errors"));
        }
        // It is gone already, or somebody has said so before.
        SystemAnswer::Gone => {
            memory.banner(true, t!(caller.request.lang(), "drift-clear-gone")).await;
            caller.see_other(&format!("{}#flash", routes::STAFF_DRIFT));
        }
    }
    Ok(())
}
