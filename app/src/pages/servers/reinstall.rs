//! S12: a fresh system in place of the old one. Facts first, then the name.

use domain::{field::Field, permission::Action};
use leptos::prelude::*;

use super::{
    Fault, Loaded, Params,
    confirm::{denied, starts_after},
    gone, tabs,
    terminate::type_name,
};
use crate::{
    format,
    i18n::t,
    request::{Memory, Request},
    routes,
    shell::Page,
    ui::{ErrorSummary, Errors},
};

pub(crate) async fn reinstall(request: Request, params: Params) -> Loaded {
    let lang = request.lang();
    let view = request.facade().server(request.viewer()?, params.id("id")?).await?.ok_or(Fault::NotFound)?;
    if view.server.terminated_at.is_some() {
        return Err(gone(&request, &view).await?);
    }
    let server = &view.server;
    let flash = Memory(&request.around.session)
        .flash_of(&format!("reinstall-{}", server.id))
        .await
        .unwrap_or_default();
    let typed = flash.values.get(Field::ConfirmName.as_str()).cloned().unwrap_or_default();
    let errors = Errors(flash.errors);
    let refused = !errors.is_empty();
    let submit = t!(lang, "reinstall-submit", name = server.name.clone());
    let after = starts_after(&request, &view).await?;
    let form = match view.can(Action::Reinstall) {
        Err(denial) => denied(lang, &view, submit, denial),
        Ok(()) => view! {
            <form method="post" action=routes::action("server_reinstall")>
                <input type="hidden" name="server" value=server.id.to_string()/>
                <input type="hidden" name="key" value=request.facade().form_key()/>
                {type_name(lang, server, typed, &errors)}
                <div class="buttons">
                    <button class="button danger">{submit}</button>
                    <a class="button secondary" href=routes::server(server.id)>{t!(lang, "cancel")}</a>
                </div>
            </form>
        }
        .into_any(),
    };
    let size = format::gigabytes(lang, server.size.disk_gb);
    let lead = t!(lang, "reinstall-lead", name = server.name.clone(), size = size);
    let system = t!(lang, "reinstall-system", system = server.template_name.clone());
    let password = server.method.uses_password().then(|| view! { <li>{t!(lang, "reinstall-password")}</li> });
    let body = view! {
        {tabs(lang, server, "reinstall")}
        <ErrorSummary lang errors=errors.clone()/>
        <section class="card">
            <p>{lead}</p>
            <ul><li>{system}</li><li>{t!(lang, "reinstall-kept")}</li>{password}</ul>
            {after.map(|after| view! { <p class="note">{after}</p> })}
            {form}
        </section>
    };
    Ok(Page { refused, ..Page::new(t!(lang, "kind-reinstall", name = server.name.clone()), body) })
}
