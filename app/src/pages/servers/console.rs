//! S9: the screen and keyboard of a server, for when it cannot be signed in to over the network.

use domain::permission::Action;
use leptos::prelude::*;

use super::{Fault, Loaded, Params, confirm::denied, gone, tabs};
use crate::{
    i18n::t,
    islands::{Console, ConsoleTexts},
    request::Request,
    routes,
    shell::Page,
};

pub(crate) async fn console(request: Request, params: Params) -> Loaded {
    let lang = request.lang();
    let view = request.facade().server(request.viewer()?, params.id("id")?).await?.ok_or(Fault::NotFound)?;
    if view.server.terminated_at.is_some() {
        return Err(gone(&request, &view).await?);
    }
    let server = &view.server;
    let title = t!(lang, "console-title", name = server.name.clone());
    let body = match view.can(Action::Console) {
        Err(denial) => denied(lang, &view, t!(lang, "console"), denial),
        Ok(()) => {
            let texts = ConsoleTexts {
                opening: t!(lang, "console-opening"),
                open: t!(lang, "console-open"),
                lost: t!(lang, "console-lost"),
                three_keys: "Ctrl+Alt+Del".into(),
                full_screen: t!(lang, "console-full-screen"),
                reconnect: t!(lang, "console-reconnect"),
                leave: t!(lang, "console-leave"),
                screen: title.clone(),
            };
            view! {
                <Console socket=routes::console_socket(server.id) texts/>
                <p class="note" id="console-plain">
                    {t!(lang, "console-plain")} " " <a href=routes::server(server.id)>{t!(lang, "server-connect")}</a>
                </p>
            }
            .into_any()
        }
    };
    let body = view! {
        {tabs(lang, server, "overview")}
        {body}
    };
    Ok(Page { wide: true, ..Page::new(title, body) })
}
