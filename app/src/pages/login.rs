//! S1: signing in.

use domain::field::Field;
use leptos::prelude::*;

use super::{Fault, Loaded, Params, order::access::password_texts};
use crate::{
    i18n::t,
    islands::PasswordField,
    request::{Memory, Request},
    routes,
    shell::Page,
    ui::{ErrorSummary, Errors, field_error_text},
};

pub(super) async fn login(request: Request, _: Params) -> Loaded {
    if request.around.viewer.is_some() {
        return Err(Fault::Moved("/".into()));
    }
    let lang = request.lang();
    let flash = Memory(&request.around.session).flash_of("login").await.unwrap_or_default();
    let typed = flash.values.get("login").cloned().unwrap_or_default();
    let errors = Errors(flash.errors);
    let refused = !errors.is_empty();
    let back = request.query("back").filter(|b| routes::local(b).is_some());
    let demo = request.product.demo.clone();
    let message = errors.0.first().map(|e| field_error_text(lang, e));
    let described = refused.then_some("login-errors");
    let body = view! {
        <p class="lead">{t!(lang, "login-lead")}</p>
        <ErrorSummary lang errors=errors.clone()/>
        <form method="post" action=routes::action("session_open") class="card narrow">
            {back.map(|b| view! { <input type="hidden" name="back" value=b/> })}
            <div class="field">
                <label for="login">{t!(lang, "login-email")}</label>
                <input
                    id="login" name="login" type="text" inputmode="email" autocomplete="username" autocapitalize="none"
                    spellcheck="false" required maxlength="254" value=typed
                    aria-invalid=errors.invalid(Field::Login) aria-describedby=described
                />
                <div class="errors" id="login-errors">{message.map(|m| view! { <p>{m}</p> })}</div>
            </div>
            <div class="field">
                <label for="password">{t!(lang, "login-password")}</label>
                <input id="password" name="password" type="password" autocomplete="current-password" required maxlength="1024"/>
                <div class="tools" data-tools="password"></div>
            </div>
            <button class="button">{t!(lang, "login-submit")}</button>
            <PasswordField windows=false texts=password_texts(lang, false)/>
        </form>
        {demo.map(|d| view! {
            <section class="card narrow" aria-labelledby="demo">
                <h2 id="demo">{t!(lang, "login-demo")}</h2>
                <ul class="plain">
                    {d.accounts.into_iter().map(|a| view! { <li><code>{a}</code></li> }).collect_view()}
                </ul>
                <p>{t!(lang, "login-demo-password")} " " <code>{d.password}</code></p>
            </section>
        })}
    };
    Ok(Page { refused, ..Page::new(t!(lang, "login-title"), body) })
}
