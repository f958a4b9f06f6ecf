//! What owners ask of several of their servers at once.

use domain::{ServerId, power::PowerAction};
use leptos::prelude::*;
use provisioning::ServerAnswer;

use super::answer::{Caller, Fault};
use crate::{i18n::t, pages::servers::BULK, routes};

/// More than a page of the list can choose.
const MOST: usize = 50;

#[server(name = ServersPower, prefix = "/do", endpoint = "servers_power")]
pub async fn servers_power(
    /// Ids, with commas between.
    #[server(default)]
    servers: String,
    #[server(default)] action: String,
    /// Made when the form was rendered: the same form sent twice is one request of each server.
    #[server(default)]
    key: String,
) -> Result<(), ServerFnError> {
    let caller = Caller::current()?;
    let result = power(&caller, &servers, &action, &key).await;
    caller.finish(result).await
}

/// Each is asked for by itself: what one cannot be asked holds up no other, and is said.
async fn power(caller: &Caller, servers: &str, action: &str, key: &str) -> Result<(), Fault> {
    let action = action.parse::<PowerAction>().ok().filter(|a| BULK.contains(a));
    let ids: Option<Vec<ServerId>> = servers.split(',').take(MOST + 1).map(|id| id.parse().ok()).collect();
    let (Some(action), Some(ids)) = (action, ids.filter(|ids| ids.len() <= MOST)) else {
        caller.not_found();
        return Ok(());
    };
    let (request, lang) = (&caller.request, caller.request.lang());
    let (facade, viewer) = (request.facade(), caller.viewer()?);
    let key = caller.form_key(key);
    let names = facade.servers(viewer).await?;
    let name = |id: ServerId| names.iter().find(|v| v.server.id == id).map(|v| v.server.name.clone());
    // One that is not the caller's, and nothing is done to any.
    let Some(named) = ids.into_iter().map(|id| Some((id, name(id)?))).collect::<Option<Vec<_>>>() else {
        caller.not_found();
        return Ok(());
    };
    let mut accepted = 0;
    let mut refused = Vec::new();
    for (id, name) in named {
        let own_key = format!("{key}-{id}");
        match facade.server_power(viewer, id, action, &own_key, &request.around.request_id).await? {
            ServerAnswer::Accepted(_) => accepted += 1,
            ServerAnswer::Denied(denial) => {
                refused.push(format!("{name}: {}", lang.t(&format!("denial-{denial}"))));
            }
            ServerAnswer::TooMany { limit } => {
                refused.push(format!("{name}: {}", t!(lang, "order-too-many", limit = limit)));
            }
            ServerAnswer::OtherValues(_) => {
                refused.push(format!("{name}: {}", t!(lang, "order-other-values")))
            }
            ServerAnswer::Refused(_) | ServerAnswer::Gone => {
                refused.push(format!("{name}: {}", t!(lang, "denial-terminated")));
            }
        }
    }
    let mut text = t!(lang, "several-accepted", n = accepted);
    if !refused.is_empty() {
        text = format!("{text} {} {}", t!(lang, "several-refused"), refused.join(" "));
    }
    caller.memory().banner(accepted == 0, text).await;
    let to = if accepted == 0 { routes::SERVERS } else { routes::OPERATIONS };
    caller.see_other(&format!("{to}#flash"));
    Ok(())
}
