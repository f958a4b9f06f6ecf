//! `/staff/edges?move=`: a server is to go to another edge. What happens, why, and what becomes of the old edge.

use domain::{ServerId, permission::Action};
use leptos::prelude::*;

use super::{Fault, Loaded, why_field};
use crate::{
    i18n::t,
    request::{Memory, Request},
    routes,
    shell::Page,
    ui::{ErrorSummary, Errors},
};

pub(super) async fn move_form(request: &Request, id: ServerId) -> Loaded {
    let lang = request.lang();
    let view = request.facade().server(request.viewer()?, id).await?.ok_or(Fault::NotFound)?;
    let flash = Memory(&request.around.session).flash_of(&format!("edge-{id}")).await.unwrap_or_default();
    let typed = |name: &str| flash.values.get(name).cloned().unwrap_or_default();
    let errors = Errors(flash.errors.clone());
    let refused = !errors.is_empty();
    let name = view.server.name.clone();
    let submit = t!(lang, "edges-move-submit", name = name.clone());
    let form = match view.can(Action::ChangeEdge) {
        Err(denial) => view! { <p class="note">{lang.t(&format!("denial-{denial}"))}</p> }.into_any(),
        Ok(()) => view! {
            <form method="post" action=routes::action("server_change_edge") novalidate=true>
                <input type="hidden" name="server" value=id.to_string()/>
                <input type="hidden" name="key" value=request.facade().form_key()/>
                {why_field(lang, &errors, typed("why"))}
                <div class="field">
                    <label class="pill" for="keep_out">
                        <input type="checkbox" id="keep_out" name="keep_out" value="yes" checked=typed("keep_out") == "yes"/>
                        <span>{t!(lang, "edges-move-keep")}</span>
                    </label>
                </div>
                <div class="buttons">
                    <button class="button">{submit}</button>
                    <a class="button secondary" href=routes::STAFF_EDGES>{t!(lang, "cancel")}</a>
                </div>
            </form>
        }
        .into_any(),
    };
    let body = view! {
        <ErrorSummary lang errors=errors.clone()/>
        <section class="card">
            <p>{t!(lang, "edges-move-lead")}</p>
            {form}
        </section>
    };
    Ok(Page { refused, ..Page::new(t!(lang, "edges-move-title", name = name), body) })
}
