//! The button that orders.

use domain::{DraftId, draft::WizardStep};
use leptos::prelude::*;
use provisioning::{OrderPlaced, Seen};

use super::answer::{Caller, Fault};
use crate::{i18n::t, request::Flash, routes};

#[server(name = OrderPlace, prefix = "/do", endpoint = "order_place")]
pub async fn order_place(
    #[server(default)] draft: String,
    /// What the page showed, minor units: ordering at another price than the one seen is refused.
    #[server(default)]
    total: String,
    /// What the page showed of everything else, as a digest.
    #[server(default)]
    seen: String,
    #[server(default)] terms: String,
    /// `another`: the next order is begun at once.
    #[server(default)]
    next: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = place(&caller, &draft, &total, seen, &terms, next == "another").await;
    caller.finish(result).await
}

async fn place(
    caller: &Caller,
    draft: &str,
    total: &str,
    digest: String,
    terms: &str,
    another: bool,
) -> Result<(), Fault> {
    let Ok(draft) = draft.parse::<DraftId>() else {
        caller.not_found();
        return Ok(());
    };
    let (facade, lang) = (caller.request.facade(), caller.request.lang());
    let seen = Seen { total_minor: total.parse().unwrap_or(-1), digest };
    let request_id = &caller.request.around.request_id;
    let review = routes::order(draft, WizardStep::Review);
    let placed = facade.order_place(caller.viewer()?, draft, !terms.is_empty(), &seen, request_id).await?;
    let accepted = match placed {
        OrderPlaced::Accepted(_) => Some(1),
        OrderPlaced::Several { servers, .. } => Some(servers as i64),
        _ => None,
    };
    if let Some(n) = accepted.filter(|_| another) {
        caller.memory().clear_flash().await;
        let next = facade.draft_start(caller.customer()?).await?;
        caller.memory().banner(false, t!(lang, "order-accepted-next", n = n)).await;
        // A banner was raised: that is where one begins.
        caller.see_other(&format!("{}#flash", routes::order(next, WizardStep::Os)));
        return Ok(());
    }
    match placed {
        OrderPlaced::Accepted(job) => {
            caller.memory().clear_flash().await;
            caller.see_other(&routes::operation(job));
        }
        OrderPlaced::Several { first, servers } => {
            caller.memory().clear_flash().await;
            caller.memory().banner(false, t!(lang, "order-several", n = servers as i64)).await;
            caller.see_other(&format!("{}#flash", routes::operations_of_order(first)));
        }
        OrderPlaced::Refused(errors) => {
            let flash = Flash { form: format!("review-{draft}"), errors, ..Flash::default() };
            caller.memory().flash(flash).await;
            caller.see_other(&format!("{review}#errors"));
        }
        OrderPlaced::TooMany { limit } => {
            caller.memory().banner(true, t!(lang, "order-too-many", limit = limit)).await;
            caller.see_other(&format!("{review}#flash"));
        }
        OrderPlaced::Gone => caller.not_found(),
    }
    Ok(())
}
