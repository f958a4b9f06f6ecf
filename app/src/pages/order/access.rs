//! S6: names and how to sign in.

use domain::{
    access::{Method, PASSWORD_MAX, PASSWORD_MIN, PASSWORD_SYMBOLS, PasswordSource},
    catalogue::Family,
    draft::WizardStep,
    field::{Code, Field},
    keys::check_keys,
};
use leptos::prelude::*;
use provisioning::SavedKey;

use super::{
    Loaded, Params, START, buttons, draft, draft_input, enter_is_next, help, shown_errors, step_page,
};
use crate::{
    i18n::{Lang, t},
    islands::{HintText, PasswordField, PasswordTexts, SshKeys, TextHints},
    request::Request,
    routes,
    ui::{Errors, label},
};

/// The codes that the browser can find by itself.
const HINTED: &[Code] = &[
    Code::NameMissing,
    Code::NameLong,
    Code::NameAlphabet,
    Code::HostnameMissing,
    Code::HostnameLong,
    Code::HostnameAlphabet,
    Code::HostnameHyphen,
    Code::HostnameLabelEmpty,
    Code::HostnameLabelLong,
    Code::HostnameDigits,
    Code::HostnameReserved,
    Code::HostnameWindowsLong,
    Code::HostnameWindowsLabel,
    Code::LoginFormat,
    Code::LoginReserved,
    Code::LoginHostname,
];

/// The codes of a line of keys.
const OF_KEYS: &[Code] = &[
    Code::KeyPrivate,
    Code::KeyWeak,
    Code::KeyCut,
    Code::KeyType,
    Code::KeyOptions,
    Code::KeysLong,
    Code::KeyMany,
];

pub(crate) async fn access(request: Request, params: Params) -> Loaded {
    let draft = draft(&request, &params).await?;
    let lang = request.lang();
    let errors = shown_errors(&draft, WizardStep::Access);
    let windows = draft.draft.values.family(request.facade().catalogue()) == Family::Windows;
    let v = &draft.draft.values;
    let full = v.panel_of(request.facade().catalogue()).filter(|p| p.needs_domain);
    let host_hint = match full {
        Some(panel) => t!(lang, "access-hostname-full", panel = panel.name.clone()),
        None => t!(lang, "access-hostname-hint"),
    };
    let login_hint =
        if windows { t!(lang, "access-login-hint-windows") } else { t!(lang, "access-login-hint") };
    let servers = request.facade().servers(request.viewer()?).await?;
    let taken = servers.iter().any(|s| s.server.name.to_lowercase() == v.name.trim().to_lowercase());
    let several = v.check_quantity().is_ok_and(|n| n > 1);
    let saved = request.facade().ssh_keys(request.viewer()?).await?;
    let form = view! {
        {help(lang, t!(lang, "access-help"))}
        <form method="post" action=routes::action("draft_save_access") id=START novalidate=true>
            {enter_is_next()}
            {draft_input(&draft.draft)}
            {text_row(lang, &errors, Field::Name, &v.name, 80, t!(lang, "access-name-hint"))}
            {taken.then(|| view! { <p class="hint warn">{t!(lang, "access-name-taken", name = v.name.trim())}</p> })}
            {text_row(lang, &errors, Field::Hostname, &v.hostname, 300, host_hint)}
            {methods(lang, &errors, &v.method, windows)}
            {text_row(lang, &errors, Field::GuestLogin, &v.guest_login, 80, login_hint)}
            {passwords(lang, &errors, &v.password_source, draft.draft.password_kept, windows, several)}
            {(!windows).then(|| keys(lang, &errors, &v.ssh_keys))}
            {(!windows).then(|| saved_keys(lang, &saved, &v.ssh_keys))}
            <div class="field">
                <p class="label">{t!(lang, "access-ip")}</p>
                <p class="hint">{t!(lang, "access-ip-auto")}</p>
            </div>
            {buttons(&request, &draft.draft, WizardStep::Access)}
            <TextHints windows texts=hint_texts(lang)/>
            <PasswordField windows texts=password_texts(lang, true)/>
            {(!windows).then(|| view! { <SshKeys texts=key_texts(lang)/> })}
        </form>
    };
    let form = form.into_any();
    Ok(step_page(&request, &draft, WizardStep::Access, t!(lang, "access-heading"), errors, form))
}

/// The sentences for the browser, each parameter as `{name}`.
pub(crate) fn hint_texts(lang: Lang) -> Vec<HintText> {
    texts_of(lang, HINTED, &["max", "length", "char", "offer"])
}

/// The same of keys.
pub(crate) fn key_texts(lang: Lang) -> Vec<HintText> {
    texts_of(lang, OF_KEYS, &["line", "bits", "max"])
}

fn texts_of(lang: Lang, codes: &[Code], names: &[&str]) -> Vec<HintText> {
    let braces: Vec<(String, String)> = names.iter().map(|n| ((*n).to_owned(), format!("{{{n}}}"))).collect();
    codes
        .iter()
        .map(|code| {
            let params: Vec<(&str, fluent_bundle::FluentValue<'_>)> =
                braces.iter().map(|(n, v)| (n.as_str(), v.as_str().into())).collect();
            HintText { code: code.to_string(), text: lang.tr(&format!("field-{code}"), &params) }
        })
        .collect()
}

/// The account's own keys that are not among these yet: a click adds one.
fn saved_keys(lang: Lang, saved: &[SavedKey], pasted: &str) -> Option<AnyView> {
    let there = |key: &&SavedKey| !pasted.lines().any(|line| line.trim() == key.line);
    let buttons: Vec<_> = saved
        .iter()
        .filter(there)
        .map(|key| {
            let text = t!(lang, "keys-add", name = key.name.clone());
            view! {
                <button class="button secondary small" name="go" value=format!("key-{}", key.id) formnovalidate=true>{text}</button>
            }
        })
        .collect();
    let group = view! { <div class="presets" role="group" aria-label=t!(lang, "keys-saved")>{buttons}</div> };
    (!saved.is_empty()).then(|| group.into_any())
}

pub(crate) fn text_row(
    lang: Lang,
    errors: &Errors,
    field: Field,
    typed: &str,
    max: usize,
    hint: String,
) -> impl IntoView + use<> {
    view! {
        <div class="field">
            <label for=field.as_str()>{label(lang, field)}</label>
            <input
                type="text" id=field.as_str() name=field.as_str() value=typed.to_owned() maxlength=max.to_string()
                required autocomplete="off" autocapitalize="none" spellcheck="false"
                aria-invalid=errors.invalid(field) aria-describedby=errors.described(field, true)
            />
            <p class="hint" id=format!("{field}-hint")>{hint}</p>
            {errors.with_repairs(lang, field)}
        </div>
    }
}

pub(crate) fn methods(lang: Lang, errors: &Errors, chosen: &str, windows: bool) -> impl IntoView + use<> {
    let choices = [Method::Password, Method::KeyAndPassword, Method::Key]
        .into_iter()
        .map(|m| {
            let id = format!("method-{m}");
            let denied = windows && m.uses_key();
            view! {
                <label class="pill" for=id.clone()>
                    <input type="radio" name="method" id=id.clone() value=m.as_str() checked=chosen == m.as_str() disabled=denied aria-describedby=denied.then_some("method-denied")/>
                    <span>{lang.t(&format!("method-{m}"))}</span>
                </label>
            }
        })
        .collect_view();
    let note =
        windows.then(|| view! { <p class="hint" id="method-denied">{t!(lang, "field-method-windows")}</p> });
    view! {
        <fieldset class="field" id="method">
            <legend>{label(lang, Field::Method)}</legend>
            <div class="pills">{choices}</div>
            {note}
            {errors.at(lang, Field::Method)}
        </fieldset>
    }
}

pub(crate) fn password_texts(lang: Lang, may_generate: bool) -> PasswordTexts {
    PasswordTexts {
        show: t!(lang, "password-peek"),
        hide: t!(lang, "password-hide"),
        generate: if may_generate { t!(lang, "password-generate") } else { String::new() },
        holds: t!(lang, "password-holds"),
    }
}

/// The rules of an own password, each with the codes that it is broken by. The last only the server can tell.
fn rules(lang: Lang, windows: bool) -> AnyView {
    let classes = windows.then(|| ("password-classes", t!(lang, "rule-classes")));
    let rules = [
        ("password-short password-long", t!(lang, "rule-length", min = PASSWORD_MIN, max = PASSWORD_MAX)),
        ("password-alphabet password-cyrillic", t!(lang, "rule-alphabet", symbols = PASSWORD_SYMBOLS)),
        ("password-login password-hostname", t!(lang, "rule-names")),
    ];
    let told = rules
        .into_iter()
        .chain(classes)
        .map(|(codes, text)| view! { <li data-rule=codes>{text} <span class="sr-only"></span></li> })
        .collect_view();
    view! { <ul class="plain rules hint">{told} <li>{t!(lang, "rule-common")}</li></ul> }.into_any()
}

pub(crate) fn passwords(
    lang: Lang,
    errors: &Errors,
    source: &str,
    kept: bool,
    windows: bool,
    several: bool,
) -> impl IntoView + use<> {
    let own = source == PasswordSource::Own.as_str();
    let hint = if kept {
        Some(t!(lang, "password-kept"))
    } else if errors.has(Field::GuestPassword) && !several {
        Some(t!(lang, "password-again"))
    } else {
        None
    };
    view! {
        <fieldset class="field">
            <legend>{label(lang, Field::GuestPassword)}</legend>
            <label class="pill" for="password-generated">
                <input type="radio" name="password_source" id="password-generated" value="generated" checked=!own || several/>
                <span>{t!(lang, "password-generated")}</span>
                <span class="dim">{t!(lang, "password-generated-hint")}</span>
            </label>
            <label class="pill" for="password-own">
                <input
                    type="radio" name="password_source" id="password-own" value="own" checked=own && !several disabled=several
                    aria-describedby=several.then_some("password-own-denied")
                />
                <span>{t!(lang, "password-own")}</span>
            </label>
            {several.then(|| view! { <p class="hint" id="password-own-denied">{t!(lang, "field-password-several")}</p> })}
            <input
                type="password" id="guest_password" name="guest_password" autocomplete="new-password" maxlength="128"
                aria-label=format!("{}: {}", label(lang, Field::GuestPassword), t!(lang, "password-own"))
                aria-invalid=errors.invalid(Field::GuestPassword) aria-describedby=errors.described(Field::GuestPassword, true)
            />
            <div class="tools" data-tools="guest_password"></div>
            <div id="guest_password-hint">{hint.map(|h| view! { <p class="hint">{h}</p> })} {rules(lang, windows)}</div>
            {errors.at(lang, Field::GuestPassword)}
        </fieldset>
    }
}

pub(crate) fn keys(lang: Lang, errors: &Errors, pasted: &str) -> impl IntoView + use<> {
    let read = check_keys(pasted).unwrap_or_default();
    let list = (!read.is_empty()).then(|| {
        let items = read
            .into_iter()
            .map(|k| view! { <li><code>{k.fingerprint}</code> " " {k.algorithm} " " {k.comment}</li> })
            .collect_view();
        view! { <p class="hint">{t!(lang, "keys-read")}</p><ul class="plain keys">{items}</ul> }
    });
    view! {
        <div class="field">
            <label for="ssh_keys">{label(lang, Field::SshKeys)}</label>
            <textarea
                id="ssh_keys" name="ssh_keys" rows="4" autocomplete="off" spellcheck="false"
                aria-invalid=errors.invalid(Field::SshKeys) aria-describedby=errors.described(Field::SshKeys, true)
            >{pasted.to_owned()}</textarea>
            <p class="hint" id="ssh_keys-hint">{t!(lang, "keys-hint")}</p>
            {errors.at(lang, Field::SshKeys)}
            {list}
        </div>
    }
}
