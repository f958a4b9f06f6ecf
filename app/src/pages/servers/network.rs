//! S11: a server's address and speed.

use domain::{field::Field, permission::Action};
use leptos::prelude::*;

use super::{
    Fault, Loaded, Params,
    confirm::{denied, starts_after},
    gone, tabs,
};
use crate::{
    format,
    i18n::t,
    request::{Memory, Request},
    routes,
    shell::Page,
    ui::{ErrorSummary, Errors, fact},
};

pub(crate) async fn network(request: Request, params: Params) -> Loaded {
    let lang = request.lang();
    let view = request.facade().server(request.viewer()?, params.id("id")?).await?.ok_or(Fault::NotFound)?;
    if view.server.terminated_at.is_some() {
        return Err(gone(&request, &view).await?);
    }
    let server = &view.server;
    let flash =
        Memory(&request.around.session).flash_of(&format!("network-{}", server.id)).await.unwrap_or_default();
    let errors = Errors(flash.errors);
    let refused = !errors.is_empty();
    let address = server.address.clone().unwrap_or_else(|| t!(lang, "no-address"));
    let after = starts_after(&request, &view).await?;
    let submit = t!(lang, "change-ip-submit");
    let form = match view.can(Action::ChangeIp) {
        Err(denial) => denied(lang, &view, submit, denial),
        Ok(()) => view! {
            <p>{t!(lang, "change-ip-lead", name = server.name.clone(), address = address.clone())}</p>
            {after.map(|after| view! { <p class="note">{after}</p> })}
            <form method="post" action=routes::action("server_change_ip")>
                <input type="hidden" name="server" value=server.id.to_string()/>
                <input type="hidden" name="key" value=request.facade().form_key()/>
                <div class="field">
                    <label class="check" for="dns">
                        <input
                            type="checkbox" id="dns" name="dns" value="yes" required
                            aria-invalid=errors.invalid(Field::Dns) aria-describedby=errors.described(Field::Dns, false)
                        />
                        <span>{t!(lang, "change-ip-dns")}</span>
                    </label>
                    {errors.at(lang, Field::Dns)}
                </div>
                <button class="button">{submit}</button>
            </form>
        }
        .into_any(),
    };
    let speed = t!(lang, "network-speed", speed = format::megabits(lang, server.size.bandwidth_mbit));
    let body = view! {
        {tabs(lang, server, "network")}
        <ErrorSummary lang errors=errors.clone()/>
        <section class="card">
            <dl class="facts">
                {fact(t!(lang, "col-address"), address)}
                {fact(crate::ui::label(lang, Field::Bandwidth), speed)}
            </dl>
            <p><a href=routes::server_resize(server.id)>{t!(lang, "network-change-speed")}</a></p>
        </section>
        <section class="card">
            <h2>{t!(lang, "change-ip-heading")}</h2>
            {form}
        </section>
    };
    Ok(Page { refused, ..Page::new(t!(lang, "network-title", name = server.name.clone()), body) })
}
