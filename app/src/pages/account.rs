//! S15: what people keep of themselves.

use domain::field::Field;
use leptos::prelude::*;
use provisioning::{OpenSession, SavedKey};

use super::{
    Loaded, Params,
    order::access::{key_texts, password_texts},
};
use crate::{
    format,
    i18n::{Lang, t},
    islands::{PasswordField, SshKeys},
    request::{Flash, Memory, Request, Theme},
    routes,
    shell::Page,
    ui::{ErrorSummary, Errors, fact, label, time},
};

pub(super) async fn account(request: Request, _: Params) -> Loaded {
    let lang = request.lang();
    let viewer = request.viewer()?;
    let memory = Memory(&request.around.session);
    let mut flash = Flash::default();
    for form in ["account-name", "account-password", "account-key"] {
        if let Some(found) = memory.flash_of(form).await {
            flash = found;
        }
    }
    let errors = Errors(flash.errors.clone());
    let refused = !errors.is_empty();
    let sessions = request.facade().sessions(viewer, &request.session_id()).await?;
    let keys = request.facade().ssh_keys(viewer).await?;
    let staff = viewer.role().is_staff();
    let body = view! {
        <ErrorSummary lang errors=errors.clone()/>
        {profile(&request, &flash, &errors)}
        {preferences(&request)}
        {password(lang, &errors)}
        {sessions_card(lang, &sessions)}
        {(!staff).then(|| keys_card(lang, &keys, &flash, &errors))}
    };
    Ok(Page { refused, ..Page::new(t!(lang, "account-title"), body) })
}

fn profile(request: &Request, flash: &Flash, errors: &Errors) -> AnyView {
    let lang = request.lang();
    let Ok(viewer) = request.viewer() else { return ().into_any() };
    let field = Field::AccountName;
    let typed = flash.values.get(field.as_str()).cloned().unwrap_or_else(|| viewer.account.name.clone());
    view! {
        <section class="card" aria-labelledby="profile">
            <h2 id="profile">{t!(lang, "account-profile")}</h2>
            <dl class="facts">{fact(t!(lang, "login-email"), viewer.account.email.clone())}</dl>
            <form method="post" action=routes::action("account_rename")>
                <div class="field">
                    <label for=field.as_str()>{label(lang, field)}</label>
                    <input
                        type="text" id=field.as_str() name=field.as_str() value=typed maxlength="120" required autocomplete="name"
                        aria-invalid=errors.invalid(field) aria-describedby=errors.described(field, false)
                    />
                    {errors.at(lang, field)}
                </div>
                <button class="button secondary">{t!(lang, "account-save")}</button>
            </form>
        </section>
    }
    .into_any()
}

/// What the header offers too, and the zone of times.
fn preferences(request: &Request) -> AnyView {
    let lang = request.lang();
    let back = || view! { <input type="hidden" name="back" value=routes::ACCOUNT/> };
    let languages = [("en", t!(lang, "language-en")), ("ru", t!(lang, "language-ru"))].map(
        |(code, text)| view! { <option value=code selected=lang.code() == code lang=code>{text}</option> },
    );
    let themes = Theme::ALL.map(|theme| {
        let text = lang.t(&format!("theme-{}", theme.code()));
        view! { <option value=theme.code() selected=request.around.theme == theme>{text}</option> }
    });
    let chosen = format::zone_name(lang);
    let zones = format::ZONES
        .iter()
        .map(|zone| view! { <option value=*zone selected=*zone == chosen>{zone.replace('_', " ")}</option> })
        .collect_view();
    let keys = [("on", t!(lang, "account-keys-on")), ("off", t!(lang, "account-keys-off"))].map(
        |(code, text)| view! { <option value=code selected=request.around.keys == (code == "on")>{text}</option> },
    );
    let row = |function: &str, name: &'static str, text: String, options: AnyView| {
        view! {
            <form method="post" action=routes::action(function) class="inline">
                {back()}
                <label for=name>{text.clone()}</label>
                <select id=name name=name>{options}</select>
                <button class="button secondary small" aria-label=format!("{}: {text}", t!(lang, "account-save"))>{t!(lang, "account-save")}</button>
            </form>
        }
    };
    view! {
        <section class="card" aria-labelledby="preferences">
            <h2 id="preferences">{t!(lang, "account-preferences")}</h2>
            {row("language_set", "lang", t!(lang, "language"), languages.into_any())}
            {row("theme_set", "theme", t!(lang, "theme"), themes.into_any())}
            {row("zone_set", "zone", t!(lang, "account-zone"), zones.into_any())}
            {row("keys_set", "keys", t!(lang, "account-keys"), keys.into_any())}
            <p class="hint">{t!(lang, "account-preferences-hint")} " " <a href=routes::KEYS>{t!(lang, "keys-title")}</a></p>
        </section>
    }
    .into_any()
}

fn password(lang: Lang, errors: &Errors) -> AnyView {
    let row = |field: Field, complete: &'static str, hint: Option<String>| {
        let hint_id = format!("{field}-hint");
        let has_hint = hint.is_some();
        view! {
            <div class="field">
                <label for=field.as_str()>{label(lang, field)}</label>
                <input
                    type="password" id=field.as_str() name=field.as_str() autocomplete=complete required maxlength="1024"
                    aria-invalid=errors.invalid(field) aria-describedby=errors.described(field, has_hint)
                />
                <div class="tools" data-tools=field.as_str()></div>
                {hint.map(|h| view! { <p class="hint" id=hint_id>{h}</p> })}
                {errors.at(lang, field)}
            </div>
        }
    };
    view! {
        <section class="card" aria-labelledby="security">
            <h2 id="security">{t!(lang, "account-password")}</h2>
            <form method="post" action=routes::action("password_change")>
                {row(Field::CurrentPassword, "current-password", None)}
                {row(Field::NewPassword, "new-password", Some(t!(lang, "account-password-hint")))}
                <button class="button secondary">{t!(lang, "account-password-submit")}</button>
                <PasswordField windows=false texts=password_texts(lang, false)/>
            </form>
        </section>
    }
    .into_any()
}

fn sessions_card(lang: Lang, sessions: &[(OpenSession, bool)]) -> AnyView {
    let items = sessions
        .iter()
        .map(|(s, here)| {
            let device = if s.device.is_empty() { t!(lang, "account-session-unknown") } else { s.device.clone() };
            let end = (!here).then(|| {
                let text = format!("{}: {device}", t!(lang, "account-session-end"));
                view! {
                    <form method="post" action=routes::action("session_revoke")>
                        <input type="hidden" name="session" value=s.key.clone()/>
                        <button class="button quiet small" aria-label=text>{t!(lang, "account-session-end")}</button>
                    </form>
                }
            });
            let mark = here.then(|| crate::ui::badge("ok", t!(lang, "account-session-here")));
            view! {
                <li>
                    <span>{device.clone()}</span>
                    {mark}
                    <span class="dim">{t!(lang, "account-session-since")} " " {time(lang, s.since)}</span>
                    {end}
                </li>
            }
        })
        .collect_view();
    let others = (sessions.len() > 1).then(|| {
        view! {
            <form method="post" action=routes::action("session_revoke")>
                <input type="hidden" name="session" value="others"/>
                <button class="button secondary">{t!(lang, "account-sessions-end-others")}</button>
            </form>
        }
    });
    view! {
        <section class="card" aria-labelledby="sessions">
            <h2 id="sessions">{t!(lang, "account-sessions")}</h2>
            <ul class="plain rows">{items}</ul>
            {others}
        </section>
    }
    .into_any()
}

fn keys_card(lang: Lang, keys: &[SavedKey], flash: &Flash, errors: &Errors) -> AnyView {
    let typed = |name: &str| flash.values.get(name).cloned().unwrap_or_default();
    let items = keys
        .iter()
        .map(|key| {
            let button = |what: &'static str, text: String| {
                let label = format!("{text}: {}", key.name);
                view! {
                    <form method="post" action=routes::action("key_change")>
                        <input type="hidden" name="key" value=key.id.to_string()/>
                        <button class="button quiet small" name="what" value=what aria-label=label>{text}</button>
                    </form>
                }
            };
            let mark = key.preset.then(|| crate::ui::badge("ok", t!(lang, "account-key-preset")));
            let preset = if key.preset {
                button("plain", t!(lang, "account-key-make-plain"))
            } else {
                button("preset", t!(lang, "account-key-make-preset"))
            };
            view! {
                <li>
                    <span>{key.name.clone()}</span>
                    {mark}
                    <code class="wraps">{key.fingerprint.clone()}</code>
                    {preset}
                    {button("remove", t!(lang, "account-key-remove"))}
                </li>
            }
        })
        .collect_view();
    let list = if keys.is_empty() {
        view! { <p>{t!(lang, "account-keys-none")}</p> }.into_any()
    } else {
        view! { <ul class="plain rows">{items}</ul> }.into_any()
    };
    view! {
        <section class="card" aria-labelledby="ssh">
            <h2 id="ssh">{label(lang, Field::SshKeys)}</h2>
            {list}
            <form method="post" action=routes::action("key_add")>
                <div class="field">
                    <label for="key_name">{label(lang, Field::KeyName)}</label>
                    <input type="text" id="key_name" name="key_name" value=typed("key_name") maxlength="120" autocomplete="off"/>
                </div>
                <div class="field">
                    <label for="ssh_keys">{t!(lang, "account-key-paste")}</label>
                    <textarea
                        id="ssh_keys" name="ssh_keys" rows="3" autocomplete="off" spellcheck="false"
                        aria-invalid=errors.invalid(Field::SshKeys) aria-describedby=errors.described(Field::SshKeys, false)
                    >{typed("ssh_keys")}</textarea>
                    {errors.at(lang, Field::SshKeys)}
                </div>
                <button class="button secondary">{t!(lang, "account-key-add")}</button>
                <SshKeys texts=key_texts(lang)/>
            </form>
        </section>
    }
    .into_any()
}
