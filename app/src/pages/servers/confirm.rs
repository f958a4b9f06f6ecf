//! What would interrupt a server is asked for once more.

use domain::{power::PowerAction, state::JobState};
use leptos::prelude::*;

use super::{Fault, Loaded, Params, gone, tabs};
use crate::{i18n::t, pages::operations::blocker_text, request::Request, routes, shell::Page};

pub(crate) async fn confirm(request: Request, params: Params) -> Loaded {
    let lang = request.lang();
    let view = request.facade().server(request.viewer()?, params.id("id")?).await?.ok_or(Fault::NotFound)?;
    let action = request.query("do").and_then(|word| word.parse::<PowerAction>().ok());
    // An address that does not say what for leads to where it can be chosen.
    let Some(action) = action else { return Err(Fault::Moved(routes::server(view.server.id))) };
    if view.server.terminated_at.is_some() {
        return Err(gone(&request, &view).await?);
    }
    let server = &view.server;
    let name = server.name.clone();
    let preview = request.facade().order_preview(server.customer).await?;
    let open = |b: &&provisioning::Blocker| b.state != JobState::Cancelled;
    let texts: Vec<String> =
        preview.blockers.iter().filter(open).map(|b| blocker_text(lang, b, true)).collect();
    let after = texts.join(&t!(lang, "queue-then"));
    let submit = lang.t(&format!("power-{action}"));
    let form = match view.can_power(action) {
        Err(denial) => view! {
            <button type="button" class="button" aria-disabled="true" aria-describedby="reason">{submit}</button>
            <p class="reason" id="reason">{lang.t(&format!("denial-{denial}"))}</p>
            <p><a class="button secondary" href=routes::server(server.id)>{t!(lang, "operation-to-server")}</a></p>
        }
        .into_any(),
        Ok(()) => view! {
            <form method="post" action=routes::action("server_power")>
                <input type="hidden" name="server" value=server.id.to_string()/>
                <input type="hidden" name="action" value=action.as_str()/>
                <input type="hidden" name="key" value=request.facade().form_key()/>
                <div class="buttons">
                    <button class="button">{submit}</button>
                    <a class="button secondary" href=routes::server(server.id)>{t!(lang, "cancel")}</a>
                </div>
            </form>
        }
        .into_any(),
    };
    let body = view! {
        {tabs(lang, server, "overview")}
        <section class="card">
            <p>{lang.tr(&format!("power-confirm-{action}"), &[("name", name.as_str().into())])}</p>
            {(!after.is_empty()).then(|| view! { <p class="note">{t!(lang, "terminate-after", what = after)}</p> })}
            {form}
        </section>
    };
    let title = lang.tr(&format!("kind-power-{action}"), &[("name", name.as_str().into())]);
    Ok(Page::new(title, body))
}
