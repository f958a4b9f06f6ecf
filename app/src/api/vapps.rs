//! What an administrator does to customers' groups.

use domain::CustomerId;
use leptos::prelude::*;
use provisioning::{Form, ServerAnswer};

use super::answer::{Caller, Fault, came_from};
use crate::{i18n::t, request::Flash, routes};

/// The platform is looked at now.
#[server(name = VappResync, prefix = "/do", endpoint = "vapp_resync")]
pub async fn vapp_resync(#[server(default)] customer: String) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = resync(&caller, &customer).await;
    caller.finish(result).await
}

/// A customer's servers move to a new group, and what nobody uses goes with the old one.
#[server(name = VappMigrate, prefix = "/do", endpoint = "vapp_migrate")]
pub async fn vapp_migrate(
    #[server(default)] customer: String,
    #[server(default)] why: String,
    #[server(default)] key: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = migrate(&caller, &customer, &why, &key).await;
    caller.finish(result).await
}

/// Everything is looked at together; the customer says only which page to come back to.
async fn resync(caller: &Caller, customer: &str) -> Result<(), Fault> {
    if !caller.request.facade().look_now(caller.viewer()?).await? {
        caller.not_found();
        return Ok(());
    }
    let back = match customer.parse::<CustomerId>() {
        Ok(id) => routes::staff_vapp(id),
        Err(_) => came_from(),
    };
    caller.memory().banner(false, t!(caller.request.lang(), "vapp-asked")).await;
    caller.see_other(&format!("{back}#flash"));
    Ok(())
}

async fn migrate(caller: &Caller, customer: &str, why: &str, key: &str) -> Result<(), Fault> {
    let Ok(id) = customer.parse::<CustomerId>() else {
        caller.not_found();
        return Ok(());
    };
    let key = caller.form_key(key);
    let form = Form { key: &key, request_id: &caller.request.around.request_id };
    let (lang, memory) = (caller.request.lang(), caller.memory());
    match caller.request.facade().group_move(caller.viewer()?, id, why, form).await? {
        ServerAnswer::Accepted(job) => {
            memory.clear_flash().await;
            memory.banner(false, t!(lang, "vapp-migrate-begun")).await;
            caller.see_other(&format!("{}#flash", routes::staff_job(job)));
        }
        ServerAnswer::Refused(errors) => {
            let values = [("why".to_owned(), why.chars().take(200).collect())].into();
            memory.flash(Flash { form: format!("vapp-{id}"), values, errors }).await;
            caller.see_other(&format!("{}#errors", routes::staff_vapp_confirm(id, "migrate")));
        }
        ServerAnswer::Denied(denial) => {
            memory.banner(true, lang.t(&format!("denial-{denial}"))).await;
            caller.see_other(&format!("{}#flash", routes::staff_vapp(id)));
        }
        _ => caller.not_found(),
    }
    Ok(())
}
