//! S12: a fresh system in place of the old one, the same or another. Facts first, then the choice, then the name.

use domain::{catalogue::Family, draft::DraftValues, field::Field, permission::Action};
use leptos::prelude::*;
use provisioning::ServerView;

use super::{
    Fault, Loaded, Params,
    confirm::{denied, starts_after},
    gone, tabs,
    terminate::type_name,
};
use crate::{
    format,
    i18n::t,
    islands::{PasswordField, SshKeys},
    pages::order::access::{key_texts, keys, methods, password_texts, passwords, text_row},
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
    let typed = |name: &str| flash.values.get(name).cloned();
    let confirmed = typed(Field::ConfirmName.as_str()).unwrap_or_default();
    let before = request.facade().reinstall_values(&view);
    let values = DraftValues {
        template: typed(Field::Template.as_str()).unwrap_or(before.template),
        method: typed(Field::Method.as_str()).unwrap_or(before.method),
        guest_login: typed(Field::GuestLogin.as_str()).unwrap_or(before.guest_login),
        password_source: typed("password_source").unwrap_or(before.password_source),
        ssh_keys: typed(Field::SshKeys.as_str()).unwrap_or(before.ssh_keys),
        ..DraftValues::default()
    };
    let errors = Errors(flash.errors.clone());
    let refused = !errors.is_empty();
    let submit = t!(lang, "reinstall-submit", name = server.name.clone());
    let after = starts_after(&request, &view).await?;
    let windows = server.family == Family::Windows;
    let login_hint =
        if windows { t!(lang, "access-login-hint-windows") } else { t!(lang, "access-login-hint") };
    let form = match view.can(Action::Reinstall) {
        Err(denial) => denied(lang, &view, submit, denial),
        Ok(()) => view! {
            <form method="post" action=routes::action("server_reinstall")>
                <input type="hidden" name="server" value=server.id.to_string()/>
                <input type="hidden" name="key" value=request.facade().form_key()/>
                {systems(&request, &view, &values.template, &errors)}
                {methods(lang, &errors, &values.method, windows)}
                {text_row(lang, &errors, Field::GuestLogin, &values.guest_login, 80, login_hint)}
                {passwords(lang, &errors, &values.password_source, false, windows, false)}
                {(!windows).then(|| keys(lang, &errors, &values.ssh_keys))}
                {type_name(lang, server, confirmed, &errors)}
                <PasswordField windows texts=password_texts(lang, true)/>
                {(!windows).then(|| view! { <SshKeys texts=key_texts(lang)/> })}
                <div class="buttons">
                    <button class="button danger">{submit}</button>
                    <a class="button secondary" href=routes::server(server.id)>{t!(lang, "cancel")}</a>
                </div>
            </form>
        }
        .into_any(),
    };
    let size = format::gigabytes(lang, server.size.disk_gb);
    let panel = server.panel.as_ref().map(|p| {
        view! { <li>{t!(lang, "reinstall-kept-panel", panel = p.name.clone())}</li> }
    });
    let lead = t!(lang, "reinstall-lead", name = server.name.clone(), size = size);
    let body = view! {
        {tabs(lang, server, "reinstall")}
        <ErrorSummary lang errors=errors.clone()/>
        <section class="card">
            <p>{lead}</p>
            <ul><li>{t!(lang, "reinstall-kept")}</li><li>{t!(lang, "reinstall-password")}</li>{panel}</ul>
            {after.map(|after| view! { <p class="note">{after}</p> })}
            {form}
        </section>
    };
    Ok(Page { refused, ..Page::new(t!(lang, "kind-reinstall", name = server.name.clone()), body) })
}

/// Every system that is offered. One that does not fit is there, and says why.
fn systems(request: &Request, view: &ServerView, chosen: &str, errors: &Errors) -> impl IntoView + use<> {
    let (lang, field) = (request.lang(), Field::Template);
    let options = request
        .facade()
        .reinstall_systems(view)
        .into_iter()
        .map(|(template, unfit)| {
            let why = unfit.map(|u| format!(": {}", lang.t(&format!("reinstall-not-{u}"))));
            view! {
                <option value=template.id.clone() selected=template.id == chosen disabled=unfit.is_some()>
                    {format!("{}{}", template.name, why.unwrap_or_default())}
                </option>
            }
        })
        .collect_view();
    view! {
        <div class="field">
            <label for=field.as_str()>{t!(lang, "reinstall-choice")}</label>
            <select
                id=field.as_str() name=field.as_str() required
                aria-invalid=errors.invalid(field) aria-describedby=errors.described(field, false)
            >{options}</select>
            {errors.at(lang, field)}
        </div>
    }
}
