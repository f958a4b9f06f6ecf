//! The page that shows a generated password, once.

use leptos::prelude::*;
use secrecy::ExposeSecret;

use super::{Fault, Loaded, Params};
use crate::{
    i18n::t,
    request::Request,
    routes,
    shell::Page,
    ui::{copyable, fact},
};

pub(crate) async fn password(request: Request, params: Params) -> Loaded {
    let lang = request.lang();
    let id: domain::JobId = params.id("id")?;
    let viewer = request.viewer()?;
    let view = request.facade().operation(viewer, id).await?.filter(|v| v.own).ok_or(Fault::NotFound)?;
    let back = view! { <p><a class="button secondary" href=routes::operation(id)>{t!(lang, "fault-operation")}</a></p> };
    let name = view.job.server_name.clone().unwrap_or_default();
    let title = t!(lang, "password-title", name = name);
    let body = match request.facade().password_revealed(viewer, id).await? {
        None => view! { <p>{t!(lang, "password-expired")}</p> {back} }.into_any(),
        Some(shown) => view! {
            <p class="note">{t!(lang, "password-lead")}</p>
            <section class="card">
                <dl class="facts">
                    {fact(t!(lang, "server-login"), shown.server.guest_login.clone())}
                    // The copy button would put the secret into the page a second time.
                    {fact(t!(lang, "server-password"), view! { <code class="secret">{shown.password.expose_secret().to_owned()}</code> })}
                    {fact(t!(lang, "col-address"), copyable(lang, shown.server.address.unwrap_or_default()))}
                </dl>
            </section>
            {back}
        }
        .into_any(),
    };
    Ok(Page { secret: true, ..Page::new(title, body) })
}
