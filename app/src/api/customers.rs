//! What staff do with customers: leave notes, and look at the product as one of them does.

use domain::{AccountId, CustomerId};
use leptos::prelude::*;
use provisioning::{NOTE_MAX, SystemAnswer};

use super::answer::{Caller, Fault};
use crate::{i18n::t, request::Flash, routes};

#[server(name = CustomerNote, prefix = "/do", endpoint = "customer_note")]
pub async fn customer_note(
    #[server(default)] customer: String,
    #[server(default)] note: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = leave_note(&caller, &customer, &note).await;
    caller.finish(result).await
}

/// From here on pages are shown as the customer sees them. Nothing can be changed.
#[server(name = LookAs, prefix = "/do", endpoint = "look_as")]
pub async fn look_as(#[server(default)] customer: String) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = begin_look(&caller, &customer).await;
    caller.finish(result).await
}

/// And as one's own again.
#[server(name = LookEnd, prefix = "/do", endpoint = "look_end")]
pub async fn look_end() -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = end_look(&caller).await;
    caller.finish(result).await
}

async fn leave_note(caller: &Caller, customer: &str, note: &str) -> Result<(), Fault> {
    let Ok(id) = customer.parse::<CustomerId>() else {
        caller.not_found();
        return Ok(());
    };
    let memory = caller.memory();
    match caller.request.facade().customer_note(caller.viewer()?, id, note).await? {
        SystemAnswer::Done => {
            memory.clear_flash().await;
            memory.banner(false, t!(caller.request.lang(), "job-note-left")).await;
            caller.see_other(&format!("{}#flash", routes::staff_customer(id)));
        }
        SystemAnswer::Refused(errors) => {
            let values = [("note".to_owned(), note.chars().take(2 * NOTE_MAX).collect())].into();
            memory.flash(Flash { form: format!("customer-{id}"), values, errors }).await;
            caller.see_other(&format!("{}#errors", routes::staff_customer(id)));
        }
        SystemAnswer::Gone => caller.not_found(),
    }
    Ok(())
}

async fn begin_look(caller: &Caller, customer: &str) -> Result<(), Fault> {
    let Ok(id) = customer.parse::<CustomerId>() else {
        caller.not_found();
        return Ok(());
    };
    let facade = caller.request.facade();
    if !facade.look_as(caller.viewer()?, id).await? {
        caller.not_found();
        return Ok(());
    }
    caller.memory().look_as(Some(AccountId(id.0)), facade.now_ms()).await;
    caller.see_other(routes::SERVERS);
    Ok(())
}

async fn end_look(caller: &Caller) -> Result<(), Fault> {
    let viewer = caller.viewer()?;
    caller.memory().look_as(None, 0).await;
    let back = match (viewer.seen_by.is_some(), viewer.customer()) {
        (true, Some(customer)) => routes::staff_customer(customer),
        _ => "/".to_owned(),
    };
    caller.see_other(&back);
    Ok(())
}
