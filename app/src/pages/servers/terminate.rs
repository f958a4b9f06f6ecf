//! S13: the end of a server. Facts first, then the name.

use domain::{field::Field, permission::Action};
use leptos::prelude::*;

use provisioning::Server;

use super::{Fault, Loaded, Params, confirm::starts_after, gone, tabs};
use crate::{
    format,
    i18n::{Lang, t},
    islands::TypeName,
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
    let after = starts_after(&request, &view).await?;
    let form = match view.can(Action::Terminate) {
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
                {type_name(lang, server, typed, &errors)}
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
            <p>{t!(lang, "terminate-neighbours")}</p>
            {after.map(|after| view! { <p class="note">{after}</p> })}
            {form}
        </section>
    };
    Ok(Page { refused, ..Page::new(title, body) })
}

/// The field in which a server's name is typed once more.
pub(super) fn type_name(lang: Lang, server: &Server, typed: String, errors: &Errors) -> AnyView {
    view! {
        <div class="field">
            <label for="confirm_name">{t!(lang, "terminate-type", name = server.name.clone())}</label>
            <input
                type="text" id="confirm_name" name="confirm_name" value=typed autocomplete="off" spellcheck="false"
                autocapitalize="none" maxlength="80" required
                aria-invalid=errors.invalid(Field::ConfirmName)
                aria-describedby=errors.described(Field::ConfirmName, false)
            />
            <p class="hint" id="confirm_name-typed" role="status"></p>
            {errors.at(lang, Field::ConfirmName)}
            <TypeName
                name=server.name.clone() matches=t!(lang, "terminate-matches") differs=t!(lang, "terminate-differs")
            />
        </div>
    }
    .into_any()
}
