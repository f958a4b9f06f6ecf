//! S3: the system.

use domain::{
    catalogue::{Channel, Family, Template},
    draft::WizardStep,
    field::Field,
};
use leptos::prelude::*;

use super::{Loaded, Params, buttons, draft, draft_input, enter_is_next, help, shown_errors, step_page};
use crate::{
    format,
    i18n::{Lang, t},
    request::Request,
    routes,
    ui::Errors,
};

pub(crate) async fn os(request: Request, params: Params) -> Loaded {
    let draft = draft(&request, &params).await?;
    let lang = request.lang();
    let errors = shown_errors(&draft, WizardStep::Os);
    let catalogue = request.facade().catalogue();
    let today = format::iso(request.facade().now_ms());
    let families = [(Family::Linux, t!(lang, "family-linux")), (Family::Windows, t!(lang, "family-windows"))]
        .into_iter()
        .map(|(family, name)| {
            let cards = catalogue
                .templates
                .iter()
                .filter(|t| t.family == family)
                .map(|template| {
                    let panels: Vec<&str> =
                        catalogue.panels_for(template, &draft.today).map(|p| p.name.as_str()).collect();
                    card(lang, template, &draft.draft.values.template, &errors, &today, panels.join(", "))
                })
                .collect_view();
            view! { <fieldset class="cards"><legend>{name}</legend>{cards}</fieldset> }
        })
        .collect_view();
    let form = view! {
        <form method="post" action=routes::action("draft_save_os")>
            {enter_is_next()}
            {draft_input(&draft.draft)}
            {help(lang, t!(lang, "os-help"))}
            <div id="template">{families}</div>
            {errors.at(lang, Field::Template)}
            {buttons(&request, &draft.draft, WizardStep::Os)}
        </form>
    };
    let form = form.into_any();
    Ok(step_page(&request, &draft, WizardStep::Os, t!(lang, "os-heading"), errors, form))
}

fn card(
    lang: Lang,
    template: &Template,
    chosen: &str,
    errors: &Errors,
    today: &str,
    panels: String,
) -> impl IntoView + use<> {
    let id = format!("template-{}", template.id.replace('.', "-"));
    let note = format!("{id}-note");
    let over = template.supported_until.as_deref().is_some_and(|until| until < today);
    let support = template.supported_until.as_deref().map(|until| {
        let date = format::iso_date(lang, until);
        if over { t!(lang, "os-old", date = date) } else { t!(lang, "os-supported", date = date) }
    });
    let tone = match template.channel {
        Channel::Stable => "ok",
        Channel::Old => "warn",
        Channel::New => "busy",
    };
    let minimum = t!(
        lang,
        "os-minimum",
        vcpu = template.min_vcpu.to_string(),
        ram = format::gigabytes(lang, template.min_ram_gb),
        disk = format::gigabytes(lang, template.min_disk_gb),
    );
    let licence = (template.licence_minor > 0)
        .then(|| t!(lang, "os-licence", price = format::money(lang, template.licence_minor)));
    view! {
        <label class="card choice" for=id.clone()>
            <span class="choice-head">
                <input
                    type="radio" name="template" id=id.clone() value=template.id.clone() checked=template.id == chosen
                    aria-describedby=note.clone() aria-invalid=errors.invalid(Field::Template)
                />
                <strong>{template.name.clone()}</strong>
                {crate::ui::badge(tone, lang.t(&format!("channel-{}", template.channel.as_str())))}
            </span>
            <span class="dim" id=note>
                {support.map(|s| view! { <span>{s}</span> })}
                <span>{minimum}</span>
                {licence.map(|l| view! { <span>{l}</span> })}
                {(!panels.is_empty()).then(|| view! { <span>{t!(lang, "os-panels", panels = panels)}</span> })}
            </span>
        </label>
    }
}
