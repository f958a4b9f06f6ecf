//! S13: the end of a server. Facts first, then the name.

use domain::{field::Field, state::JobState};
use leptos::prelude::*;

use super::{Fault, Loaded, Params, gone, tabs};
use crate::{
    format,
    i18n::t,
    pages::operations::blocker_text,
    request::{Memory, Request},
    routes,
    shell::Page,
    ui::{ErrorSummary, Errors},
};

pub(crate) async fn terminate(request: Request, params: Params) -> Loaded {
    let lang = request.lang();
    let view = request.facade().server(request.viewer()?, params.id("id")?).await?.ok_or(Fault::NotFound)?;
    if view.server.terminated_at.is_some() {
        return Err(gone(&request, &view).await?);
    }
    let server = &view.server;
    let flash = Memory(&request.around.session)
        .flash_of(&format!("terminate-{}", server.id))
        .await
        .unwrap_or_default();
    let typed = flash.values.get("confirm_name").cloned().unwrap_or_default();
    let errors = Errors(if request.query("reset").is_some() { vec![] } else { flash.errors });
    let refused = !errors.is_empty();
    let preview = request.facade().order_preview(server.customer).await?;
    let after = preview
        .blockers
        .iter()
        .filter(|b| b.state != JobState::Cancelled)
        .map(|b| blocker_text(lang, b, true))
        .collect::<Vec<_>>()
        .join(&t!(lang, "queue-then"));
    let form = match view.can_terminate {
        Err(denial) => {
            let reason = lang.t(&format!("denial-{denial}"));
            view! {
                <button type="button" class="button danger" aria-disabled="true" aria-describedby="reason">
                    {t!(lang, "terminate-submit", name = server.name.clone())}
                </button>
                <p class="reason" id="reason">{reason}</p>
            }
            .into_any()
        }
        Ok(()) => view! {
            <form method="post" action=routes::action("server_terminate")>
                <input type="hidden" name="server" value=server.id.to_string()/>
                <input type="hidden" name="key" value=request.facade().form_key()/>
                <div class="field">
                    <label for="confirm_name">{t!(lang, "terminate-type", name = server.name.clone())}</label>
                    <input
                        type="text" id="confirm_name" name="confirm_name" value=typed autocomplete="off" spellcheck="false"
                        autocapitalize="none" maxlength="80" required
                        aria-invalid=errors.invalid(Field::ConfirmName)
                        aria-describedby=errors.described(Field::ConfirmName, false)
                    />
                    {errors.at(lang, Field::ConfirmName)}
                </div>
                <div class="buttons">
                    <button class="button danger">{t!(lang, "terminate-submit", name = server.name.clone())}</button>
                    <a class="button secondary" href=routes::server(server.id)>{t!(lang, "cancel")}</a>
                </div>
            </form>
        }
        .into_any(),
    };
    let disk = t!(lang, "terminate-disk", size = format::gigabytes(lang, server.size.disk_gb));
    let address =
        server.address.clone().map(|a| view! { <li>{t!(lang, "terminate-address", address = a)}</li> });
    let title = t!(lang, "terminate-title", name = server.name.clone());
    let body = view! {
        {tabs(lang, server, "terminate")}
        <ErrorSummary lang errors=errors.clone()/>
        <section class="card">
            <p>{t!(lang, "terminate-lead")}</p>
            <ul>
                <li>{disk}</li>
                {address}
            </ul>
            {(!after.is_empty()).then(|| view! { <p class="note">{t!(lang, "terminate-after", what = after)}</p> })}
            {form}
        </section>
    };
    Ok(Page { refused, ..Page::new(title, body) })
}
