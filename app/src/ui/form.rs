//! Errors of forms: a summary that leads to the fields, and a message at each.

use domain::field::{Field, FieldError};
use leptos::prelude::*;

use crate::i18n::{Lang, t};

/// The errors of one form, ready to be asked per field.
#[derive(Clone, Default)]
pub(crate) struct Errors(pub(crate) Vec<FieldError>);

impl Errors {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn has(&self, field: Field) -> bool {
        self.0.iter().any(|e| e.field == field)
    }

    /// `aria-invalid` of a field's control.
    pub(crate) fn invalid(&self, field: Field) -> Option<&'static str> {
        self.has(field).then_some("true")
    }

    /// `aria-describedby` of a field's control: its hint, and its errors where there are any.
    pub(crate) fn described(&self, field: Field, hint: bool) -> Option<String> {
        let hint = hint.then(|| format!("{field}-hint"));
        let errors = self.has(field).then(|| format!("{field}-errors"));
        let ids: Vec<String> = [hint, errors].into_iter().flatten().collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }

    /// The same with a button for each value that would put the field right. For forms that take `go=use-field-value`.
    pub(crate) fn with_repairs(&self, lang: Lang, field: Field) -> AnyView {
        let offers = self.0.iter().filter(|e| e.field == field).flat_map(|e| {
            ["offer", "below", "above"].into_iter().filter_map(|name| e.param(name).map(str::to_owned))
        });
        let buttons: Vec<_> = offers
            .map(|offer| {
                let go = format!("use-{field}-{offer}");
                view! {
                    <button class="button secondary small" name="go" value=go formnovalidate=true>
                        {t!(lang, "use-offer", value = offer)}
                    </button>
                }
            })
            .collect();
        let row = (!buttons.is_empty()).then(|| view! { <div class="presets">{buttons}</div> });
        view! { {self.at(lang, field)} {row} }.into_any()
    }

    /// The messages under a field. The element is there without any too: a hint may fill it.
    pub(crate) fn at(&self, lang: Lang, field: Field) -> impl IntoView + use<> {
        let texts: Vec<String> =
            self.0.iter().filter(|e| e.field == field).map(|e| field_error_text(lang, e)).collect();
        let id = format!("{field}-errors");
        view! {
            <div class="errors" id=id data-hint=field.as_str()>
                {texts.into_iter().map(|text| view! { <p>{text}</p> }).collect_view()}
            </div>
        }
    }
}

/// The sentence of one refusal.
pub(crate) fn field_error_text(lang: Lang, e: &FieldError) -> String {
    let params: Vec<(&str, fluent_bundle::FluentValue<'_>)> =
        e.params.iter().map(|(n, v)| (n.as_str(), fluent_bundle::FluentValue::from(v.as_str()))).collect();
    lang.tr(&format!("field-{}", e.code), &params)
}

/// The name of a field.
pub(crate) fn label(lang: Lang, field: Field) -> String {
    lang.t(&format!("label-{}", field.as_str().replace('_', "-")))
}

/// The box at the top of a refused form. `anchor` names the element of a field.
#[component]
pub(crate) fn ErrorSummary(lang: Lang, errors: Errors) -> impl IntoView {
    (!errors.is_empty()).then(|| {
        let n = errors.0.len() as i64;
        view! {
            <div id="errors" class="error-summary" role="alert" tabindex="-1">
                <h2>{t!(lang, "errors-title", n = n)}</h2>
                <ul>
                    {errors.0.iter().map(|e| {
                        let text = format!("{}: {}", label(lang, e.field), field_error_text(lang, e));
                        let href = format!("#{}", e.field);
                        view! { <li><a href=href>{text}</a></li> }
                    }).collect_view()}
                </ul>
            </div>
        }
    })
}
